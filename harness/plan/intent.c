#include "plan/intent.h"

#include "base/draw.h"
#include "base/order.h"
#include "plan/choose.h"
#include "plan/retry.h"

enum { LINES_MOST = 16 << 10 }; /* a ramp of all its steps takes a fifth of it */

/* Spaces of ports take turns, and so do the pairs of each. */
uint64_t intent_pair(const struct plan *p, const struct load_plan *lp, uint64_t i)
{
	uint32_t pairs = lp->budget.pairs, spaces = lp->budget.spaces, share = pairs / spaces;

	return p->scenario->network.choose == CHOOSE_SEED ? choose_draw(p, lp, i, pairs)
							  : i % spaces * share + i / spaces % share;
}

static uint64_t when(const struct load_plan *lp, uint64_t i)
{
	return (uint64_t)lp->load->start +
	       (lp->concurrency ? lp->concurrency : (uint64_t)shape_when(&lp->shape, i));
}

/* The number so far, and one fact more. */
static uint64_t and_so(uint64_t number, uint64_t fact)
{
	return draw(number, fact, 0);
}

/* What all requests of a load have in common: its keys as they are written, so that none is forgotten,
 * and the version of IP, which may be the network's word. */
static uint64_t ways_of(const struct plan *p, uint32_t k, struct arena scratch)
{
	const struct scenario *s = p->scenario;
	struct out lines = out_memory(ARENA_ARRAY(&scratch, char, LINES_MOST), LINES_MOST);
	uint64_t number = load_family(s, scenario_load(s, k));
	struct text t;

	scenario_load_write(&lines, s, k);
	t = out_written(&lines);
	for (size_t i = 0; i < t.len; i++)
		number = and_so(number, (unsigned char)t.s[i]);
	return number;
}

static uint64_t intent_of(const struct plan *p, const struct load_plan *lp, uint64_t ways,
			  uint64_t i)
{
	uint64_t number = and_so(draw(plan_stream(p, lp, DRAW_END), i, when(lp, i)), ways);

	number = and_so(number, intent_pair(p, lp, i));
	number = and_so(number, plan_end(p, lp, i));
	for (unsigned k = 0; k < lp->load->on_failure.retry; k++)
		number = and_so(number, (uint64_t)retry_wait_of(p, lp, i, k));
	return number;
}

uint64_t intent_count(const struct plan *p, const struct load_plan *lp)
{
	return least(load_begins_most(lp->load, &lp->shape, p->scenario->stop.time), INTENT_MOST);
}

uint64_t intent_sum(const struct plan *p, struct arena scratch)
{
	uint64_t sum = 0;

	for (uint32_t k = 0; k < p->load_count; k++) {
		const struct load_plan *lp = &p->loads[k];
		uint64_t ways = ways_of(p, k, scratch), count = intent_count(p, lp);

		for (uint64_t i = 0; i < count; i++)
			sum += intent_of(p, lp, ways, i);
	}
	return sum;
}
