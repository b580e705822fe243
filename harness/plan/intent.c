#include "plan/intent.h"

#include "base/draw.h"
#include "base/order.h"
#include "plan/choose.h"
#include "plan/retry.h"

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

/* What all connections of a load have in common. */
static uint64_t with_ways(uint64_t number, const struct load *l)
{
	const uint64_t ways[] = {
		l->protocol,
		l->family,
		l->connected,
		l->bind.way,
		l->bind.ports.lo,
		l->bind.ports.hi,
		(uint64_t)l->hold,
		l->request.send,
		l->request.receive,
		l->request.read,
		l->request.per_connection,
		(uint64_t)l->request.pause,
		l->pool.max_idle,
		(uint64_t)l->pool.idle_timeout,
		(uint64_t)l->options.linger,
	};

	for (size_t k = 0; k < sizeof(ways) / sizeof(ways[0]); k++)
		number = and_so(number, ways[k]);
	return number;
}

uint64_t intent_of(const struct plan *p, const struct load_plan *lp, uint64_t i)
{
	const struct load *l = lp->load;
	uint64_t number = with_ways(draw(plan_stream(p, lp, DRAW_END), i, when(lp, i)), l);

	number = and_so(number, intent_pair(p, lp, i));
	number = and_so(number, plan_end(p, lp, i));
	for (unsigned k = 0; k < l->on_failure.retry; k++)
		number = and_so(number, (uint64_t)retry_wait_of(p, lp, i, k));
	return number;
}

uint64_t intent_count(const struct plan *p, const struct load_plan *lp)
{
	return least(load_begins_most(lp->load, &lp->shape, p->scenario->stop.time), INTENT_MOST);
}

uint64_t intent_sum(const struct plan *p)
{
	uint64_t sum = 0;

	for (uint32_t k = 0; k < p->load_count; k++)
		for (uint64_t i = 0; i < intent_count(p, &p->loads[k]); i++)
			sum += intent_of(p, &p->loads[k], i);
	return sum;
}
