#include "sense/heirlooms.h"

#include "sys/owners.h"

bool heirlooms_open(struct heirlooms *h, uint64_t most, struct arena *arena)
{
	h->room = most < OWNERS_MOST ? (uint32_t)most : OWNERS_MOST;
	h->list = ARENA_TRY(arena, struct heirloom, h->room);
	atomic_init(&h->count, 0);
	atomic_init(&h->lost, false);
	return h->list;
}

void heirlooms_add(struct heirlooms *h, uint32_t inode, int32_t pid, int32_t fd)
{
	uint32_t at = atomic_fetch_add(&h->count, 1);

	if (at >= h->room) {
		atomic_store(&h->lost, true);
		atomic_fetch_sub(&h->count, 1);
		return;
	}
	h->list[at].pid = pid;
	h->list[at].fd = fd;
	atomic_store_explicit(&h->list[at].inode, inode, memory_order_release);
}
