#include "drive/heap.h"

bool heap_open(struct heap *h, uint32_t room, struct arena *arena)
{
	*h = (struct heap){.row = ARENA_TRY(arena, uint32_t, room)};
	return h->row;
}

static bool is_sooner(const struct heap *h, const struct flow *flows, uint32_t a, uint32_t b)
{
	return flows[h->row[a]].due_ns < flows[h->row[b]].due_ns;
}

static void swap(struct heap *h, uint32_t a, uint32_t b)
{
	uint32_t i = h->row[a];

	h->row[a] = h->row[b];
	h->row[b] = i;
}

void heap_add(struct heap *h, const struct flow *flows, uint32_t i)
{
	uint32_t at = h->count++;

	h->row[at] = i;
	for (; at > 0 && is_sooner(h, flows, at, (at - 1) / 2); at = (at - 1) / 2)
		swap(h, at, (at - 1) / 2);
}

uint32_t heap_take(struct heap *h, const struct flow *flows)
{
	uint32_t first = h->row[0], at = 0;

	h->row[0] = h->row[--h->count];
	while (true) {
		uint32_t next = 2 * at + 1;

		if (next + 1 < h->count && is_sooner(h, flows, next + 1, next))
			next++;
		if (next >= h->count || !is_sooner(h, flows, next, at))
			return first;
		swap(h, at, next);
		at = next;
	}
}
