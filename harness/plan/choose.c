#include "plan/choose.h"

#include "base/draw.h"

enum { DRAWS_MOST = 1 << 25 }; /* a third of a second */

uint64_t choose_draw(const struct plan *p, const struct load_plan *lp, uint64_t i, uint64_t n)
{
	return draw_below(p->seed, plan_stream(p, lp, DRAW_PAIR), i, n);
}

/* No more than the capacity: what is beyond it finds all of them full. */
uint64_t choose_first(const struct plan *p, const struct load_plan *lp, struct arena scratch)
{
	const struct budget *b = &lp->budget;
	uint32_t *used = ARENA_ARRAY(&scratch, uint32_t, b->spaces);
	uint32_t share = b->pairs / b->spaces;

	for (uint64_t i = 0; i < DRAWS_MOST; i++) {
		uint64_t space = choose_draw(p, lp, i, b->pairs) / share;

		if (used[space]++ == b->usable)
			return i;
	}
	return 0;
}
