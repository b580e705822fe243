#include "plan/split.h"

#include <math.h>

#include "base/order.h"
#include "plan/size.h"

#define SECOND 1e9

/* What one worker carries a second (Linux 6.18): with fewer than the others, in all or a second, a
 * second worker would wait for the clock, or end before it has begun. */
enum { RATE_OF_ONE = 45000, WORTH_IT = 100000, RATE_WORTH_IT = 20000 };

uint32_t split_spaces(const struct split *s)
{
	return (s->spaces - s->worker + s->workers - 1) / s->workers;
}

uint64_t split_index(const struct split *s, uint64_t i)
{
	uint32_t own = split_spaces(s);

	return i / own * s->spaces + split_space(s, (uint32_t)(i % own));
}

uint64_t split_count(const struct split *s, uint64_t n)
{
	uint64_t rest = n % s->spaces;
	uint64_t more = rest > s->worker ? (rest - s->worker + s->workers - 1) / s->workers : 0;

	return n / s->spaces * split_spaces(s) + more;
}

static uint32_t part(const struct load_plan *lp, uint32_t worker, uint32_t all)
{
	struct split s = split_of(lp, worker);
	uint64_t rounds = (all - SLACK_SLOTS + s.spaces - UINT64_C(1)) / s.spaces;

	return lp->workers == 1 ? all : (uint32_t)(rounds * split_spaces(&s)) + SLACK_SLOTS;
}

uint32_t split_slots(const struct load_plan *lp, uint32_t worker)
{
	return part(lp, worker, lp->slots);
}

uint32_t split_flows(const struct load_plan *lp, uint32_t worker)
{
	return part(lp, worker, lp->flows);
}

/* What keeps a load whole, or NULL. */
static const char *obstacle(const struct load_plan *lp, const struct plan *p)
{
	const struct load *l = lp->load;
	const struct {
		bool is_there;
		const char *what;
	} rows[] = {
		{lp->budget.spaces == 1, "all its connections share one range of ports"},
		{p->scenario->network.choose == CHOOSE_SEED,
		 "network.choose: seed draws among all destinations"},
		{l->on_failure.flush_pool, "load.on_failure.flush_pool is about all connections"},
		{l->nofile > 0, "load.nofile is of one process"},
		{load_ends(l, END_INHERIT), "load.end: inherit has processes of its own"},
		{lp->concurrency == 1, "load.concurrency is 1"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].is_there)
			return rows[i].what;
	return NULL;
}

/* A second: of a closed loop as fast as one worker is, or as its connections are held. */
static double rate_of(const struct load_plan *lp)
{
	if (load_is_open(lp->load))
		return shape_asks(&lp->shape);
	return lp->round_ns > 0 ? fmin(RATE_OF_ONE, lp->concurrency * SECOND / (double)lp->round_ns)
				: RATE_OF_ONE;
}

static double begun_of(const struct load_plan *lp, int64_t stop_ns)
{
	double most = (double)load_begins_most(lp->load, &lp->shape, stop_ns);
	double lasts_ns = (double)load_lasts_ns(lp->load, stop_ns);

	return load_is_open(lp->load) ? most : fmin(most, rate_of(lp) * lasts_ns / SECOND);
}

static bool is_worth_it(const struct load_plan *lp, const struct plan *p)
{
	const struct forecast *f = &p->forecast;

	return rate_of(lp) >= RATE_WORTH_IT && begun_of(lp, p->scenario->stop.time) >= WORTH_IT &&
	       f->known && !f->exhausts && !f->cut_short;
}

uint32_t split_processors(const struct plan *p)
{
	bool accepts = behaviour_does(p->scenario->server.behaviour, DOES_ACCEPT);
	int64_t left = p->host->cpus - accepts;

	return left < 1 ? 1 : left > WORKERS_MOST ? WORKERS_MOST : (uint32_t)left;
}

void split_choose(struct load_plan *lp, const struct plan *p)
{
	uint64_t wanted = p->workers ? p->workers : is_worth_it(lp, p) ? split_processors(p) : 1;
	uint64_t places = lp->concurrency ? lp->concurrency : UINT64_MAX;

	lp->whole = obstacle(lp, p);
	lp->workers = lp->whole ? 1 : (uint32_t)least(wanted, least(lp->budget.spaces, places));
}
