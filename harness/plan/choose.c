#include "plan/choose.h"

#include <math.h>

#include "base/draw.h"
#include "base/order.h"
#include "plan/alone.h"
#include "plan/clock.h"
#include "plan/life.h"

enum { DRAWS_MOST = 1 << 25 /* a third of a second */ };

uint64_t choose_draw(const struct plan *p, const struct load_plan *lp, uint64_t i, uint64_t n)
{
	return draw_below(p->seed, plan_stream(p, lp, DRAW_PAIR), i, n);
}

uint64_t choose_space(const struct plan *p, const struct load_plan *lp, uint64_t i)
{
	const struct budget *b = &lp->budget;

	if (p->scenario->network.choose != CHOOSE_SEED)
		return i % b->spaces;
	return choose_draw(p, lp, i, b->pairs) / (b->pairs / b->spaces);
}

/* Of a load, the ends whose connections keep their ports: bit i is enum end i. */
struct keepers {
	uint32_t ends;
	int64_t least_ns;  /* for how long, at least */
	int64_t others_ns; /* how long those that end otherwise have theirs, at most */
	bool others_wait;  /* of it, after their close */
};

static void keepers_add(struct keepers *k, enum end end, const struct life *life, bool keeps)
{
	int64_t least_ns = life_sum(life->live.least, life->quiet.least),
		most_ns = life_sum(life->live.most, life->quiet.most);

	if (keeps) {
		k->ends |= 1U << end;
		k->least_ns = least_ns < k->least_ns ? least_ns : k->least_ns;
		return;
	}
	k->others_ns = most_ns > k->others_ns ? most_ns : k->others_ns;
	k->others_wait |= life->quiet.most > 0;
}

/* Those that nobody closes; and where some are free with their close, those that wait as well. */
static struct keepers keepers_of(const struct plan *p, const struct load_plan *lp)
{
	struct scenario alone = alone_of(p->scenario, lp->load);
	struct keepers waiting = {.least_ns = FOR_EVER};
	struct keepers kept = waiting;
	bool some_are_free = false;

	for (enum end end = 0; end < ENDS; end++) {
		struct life life = life_so(&alone, &lp->budget, p->host, end);

		if (!load_ends(lp->load, end))
			continue;
		keepers_add(&kept, end, &life, life.quiet.least == FOR_EVER);
		keepers_add(&waiting, end, &life, life.quiet.least > 0);
		some_are_free |= life.quiet.most == 0;
	}
	return some_are_free ? waiting : kept;
}

/* Connections of the other ends that may have a port at once. */
static uint64_t others_of(const struct load_plan *lp, const struct keepers *k)
{
	if (lp->concurrency)
		return k->others_wait ? UINT64_MAX : lp->concurrency;
	return BATCH_MOST + (k->others_ns > 0 ? shape_most(&lp->shape, k->others_ns) : 0);
}

/* All that the load can begin; there is no need to draw for more. */
static uint64_t begun_most(const struct plan *p, const struct load_plan *lp)
{
	return least(load_begins_most(lp->load, &lp->shape, p->scenario->stop.time), DRAWS_MOST);
}

/* How many connections come before one whose pair has so many ports in use, by those that end as
 * one of the keepers. */
static uint64_t count_to(const struct plan *p, const struct load_plan *lp, uint32_t keepers,
			 uint32_t ports, uint64_t most, struct arena scratch)
{
	uint32_t *used = ARENA_ARRAY(&scratch, uint32_t, lp->budget.spaces);

	for (uint64_t i = 0; i <= most; i++) {
		uint64_t space = choose_space(p, lp, i);

		if (used[space] == ports)
			return i;
		used[space] += keepers >> plan_end(p, lp, i) & 1;
	}
	return 0;
}

/* Those that keep their ports have all of a space by themselves; the rest may have one at any time, no
 * more than so many. */
static void kept_alone(struct budget *b, const struct plan *p, const struct load_plan *lp,
		       const struct keepers *k, uint64_t begun, struct arena scratch)
{
	const struct budget sure = budget_surely(b, p->scenario, lp->load);
	uint64_t rest = others_of(lp, k);

	b->kept.held_ns = k->least_ns == FOR_EVER ? INFINITY : (double)k->least_ns;
	b->kept.full = count_to(p, lp, k->ends, b->usable, begun, scratch);
	if (rest < sure.usable) {
		b->kept.near =
			count_to(p, lp, k->ends, sure.usable - (uint32_t)rest, begun, scratch);
		if (b->kept.near == 0 && begun < DRAWS_MOST)
			b->kept.near = begun;
	}
	b->kept.near = most(b->kept.near, sure.first);
	b->kept.least = b->kept.near;
	b->kept.likely = b->kept.most = b->kept.full;
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
	uint32_t all = ends_of(lp->load);
	struct keepers keepers = keepers_of(p, lp);
	uint64_t begun = begun_most(p, lp);

	if (b->capacity == 0)
		return;
	if (p->scenario->network.choose == CHOOSE_SEED)
		b->first = count_to(p, lp, all, b->usable, DRAWS_MOST, scratch);
	if (keepers.ends != 0 && keepers.ends != all)
		kept_alone(b, p, lp, &keepers, begun, scratch);
	clock_count(p, lp, begun, scratch);
}
