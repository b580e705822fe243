#include "sense/heirlooms.h"

/* As many as sys/owners.h has room for. */
enum { HEIRLOOMS_MOST = 1 << 16 };

bool heirlooms_open(struct heirlooms *h, uint64_t most, struct arena *arena)
{
	h->room = most < HEIRLOOMS_MOST ? (uint32_t)most : HEIRLOOMS_MOST;
	h->list = ARENA_TRY(arena, struct heirloom, h->room);
	atomic_init(&h->count, 0);
	return h->list;
}

void heirlooms_add(struct heirlooms *h, uint32_t inode, int32_t pid, int32_t fd)
{
	uint32_t at = atomic_fetch_add(&h->count, 1);

	if (at >= h->room) {
		atomic_fetch_sub(&h->count, 1);
		return;
	}
	h->list[at].pid = pid;
	h->list[at].fd = fd;
	atomic_store_explicit(&h->list[at].inode, inode, memory_order_release);
}
