#include "plan/together.h"

#include <math.h>

/* What a connection may take, and a thread be held up: twice what forecast.c allows one. */
#define SLOWEST_NS 400000.0
#define SLACK_NS 100e6

static struct forecast foresee_one(const struct plan *p, uint32_t i)
{
	struct scenario alone = *p->scenario;

	alone.load = *p->loads[i].load;
	return forecast_make(&alone, p->load_count == 1 ? &p->budget : &p->loads[i].budget,
			     p->host);
}

/* How many connections a load begins at most; INFINITY: nobody can tell. */
static double most_of(const struct load *l)
{
	return l->total ? (double)l->total : INFINITY;
}

/* How many it has surely begun by a time, however its connections fare: none, if it ends with
 * the first that fails. */
static double surely_of(const struct load_plan *lp, double ns)
{
	const struct load *l = lp->load;
	double until = ns - (double)l->start - SLACK_NS, begun;

	if (until <= 0)
		return 0;
	if (l->duration)
		until = fmin(until, (double)l->duration);
	begun = load_is_open(l) ? (double)shape_due(&lp->shape, (int64_t)until)
		: l->hold > 0	? (double)lp->concurrency
				: INFINITY;
	return fmin(fmin(begun, most_of(l)), until / SLOWEST_NS);
}

static bool gives_none_back(const struct plan *p, const struct forecast *f)
{
	return f->life_least_ns > p->scenario->stop.time;
}

/* The slowest to give ports back is what all wait for. */
static void add(struct forecast *all, const struct forecast *one)
{
	all->port_life_ns =
		one->port_life_ns > all->port_life_ns ? one->port_life_ns : all->port_life_ns;
	all->life_least_ns =
		one->life_least_ns < all->life_least_ns ? one->life_least_ns : all->life_least_ns;
	all->quiet_ns = one->quiet_ns > all->quiet_ns ? one->quiet_ns : all->quiet_ns;
	all->rate = fmin(all->rate, one->rate);
}

struct forecast together_foresee(const struct plan *p)
{
	struct forecast all = foresee_one(p, 0);
	double most = most_of(p->loads[0].load), ns = (double)p->scenario->stop.time;
	double surely = surely_of(&p->loads[0], ns), capacity = (double)p->budget.capacity;
	bool none_back = gives_none_back(p, &all);

	if (p->load_count == 1)
		return all;
	for (uint32_t i = 1; i < p->load_count; i++) {
		struct forecast one = foresee_one(p, i);

		none_back &= gives_none_back(p, &one);
		most += most_of(p->loads[i].load);
		surely += surely_of(&p->loads[i], ns);
		add(&all, &one);
	}
	none_back &= p->budget.first == p->budget.capacity; /* the seed does not choose */
	all.exhausts = none_back && surely > capacity;
	all.known = all.exhausts || most <= capacity;
	all.after = all.exhausts ? p->budget.capacity : 0;
	return all;
}
