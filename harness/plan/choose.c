#include "plan/choose.h"

#include "base/draw.h"
#include "plan/life.h"

enum {
	DRAWS_MOST = 1 << 25, /* a third of a second */
	UNDER_WAY = 16,	      /* of an open model: connections that are just opened or closed */
};

uint64_t choose_draw(const struct plan *p, const struct load_plan *lp, uint64_t i, uint64_t n)
{
	return draw_below(p->seed, plan_stream(p, lp, DRAW_PAIR), i, n);
}

/* The space of ports that connection i comes to: where nothing is drawn, each in turn. */
static uint64_t space_of(const struct plan *p, const struct load_plan *lp, uint64_t i)
{
	const struct budget *b = &lp->budget;

	if (p->scenario->network.choose != CHOOSE_SEED)
		return i % b->spaces;
	return choose_draw(p, lp, i, b->pairs) / (b->pairs / b->spaces);
}

/* Bit i: a connection that ends as enum end i keeps its port for ever. */
static uint32_t keepers_of(const struct plan *p, const struct load_plan *lp)
{
	struct scenario alone = *p->scenario;
	uint32_t keepers = 0;

	alone.load = *lp->load;
	for (enum end end = 0; end < ENDS; end++)
		if (load_ends(lp->load, end) &&
		    life_so(&alone, &lp->budget, p->host, end).quiet.least == FOR_EVER)
			keepers |= 1U << end;
	return keepers;
}

/* How many connections come before one whose pair has so many ports in use, by those that end as
 * one of the keepers. */
static uint64_t count_to(const struct plan *p, const struct load_plan *lp, uint32_t keepers,
			 uint32_t ports, struct arena scratch)
{
	uint32_t *used = ARENA_ARRAY(&scratch, uint32_t, lp->budget.spaces);

	for (uint64_t i = 0; i < DRAWS_MOST; i++) {
		uint64_t space = space_of(p, lp, i);

		if (used[space] == ports)
			return i;
		used[space] += keepers >> plan_end(p, lp, i) & 1;
	}
	return 0;
}

static uint32_t ends_of(const struct load *load)
{
	uint32_t ends = 0;

	for (enum end end = 0; end < ENDS; end++)
		ends |= (uint32_t)load_ends(load, end) << end;
	return ends;
}

void choose_count(const struct plan *p, struct load_plan *lp, struct arena scratch)
{
	struct budget *b = &lp->budget;
	uint32_t all = ends_of(lp->load), keepers = keepers_of(p, lp);
	uint32_t rest = lp->concurrency ? lp->concurrency : UNDER_WAY;

	if (b->capacity == 0)
		return;
	if (p->scenario->network.choose == CHOOSE_SEED)
		b->first = count_to(p, lp, all, b->usable, scratch);
	if (keepers == 0 || keepers == all)
		return;
	b->kept.full = count_to(p, lp, keepers, b->usable, scratch);
	b->kept.near = rest < b->usable ? count_to(p, lp, keepers, b->usable - rest, scratch) : 0;
	if (b->kept.near < b->first)
		b->kept.near = b->first;
}
