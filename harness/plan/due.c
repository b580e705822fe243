#include "plan/due.h"

#include <math.h>

#include "plan/life.h"
#include "plan/pool.h"
#include "plan/shape.h"
#include "plan/speed.h"

/* How many connections of all loads are due by then. */
static double due_by(const struct plan *p, int64_t ns)
{
	double all = 0;

	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct load *l = p->loads[i].load;
		int64_t until = ns - l->start;

		if (l->duration && until >= l->duration)
			until = l->duration - 1;
		all += fmin((double)shape_due(&p->loads[i].shape, until),
			    l->total ? (double)l->total : INFINITY);
	}
	return all;
}

double due_ns(const struct plan *p, uint64_t n)
{
	int64_t early = 0, late = p->scenario->stop.time;

	if (plan_rate(p) <= 0)
		return 0;
	while (early < late) {
		int64_t between = early + (late - early) / 2;

		if (due_by(p, between) > (double)n)
			late = between;
		else
			early = between + 1;
	}
	return (double)early;
}

/* What a connection may take, and a thread be held up: twice what forecast.c allows one. */
#define SLOWEST_NS 400000.0
#define SLACK_NS 100e6

/* Timers of TIME_WAIT are late by up to that. */
#define WHEEL_NS 2.05e9

static struct life life_alone(const struct plan *p, const struct load_plan *lp,
			      struct scenario *alone)
{
	*alone = *p->scenario;
	alone->load = *lp->load;
	return life_of(alone, &lp->budget, p->host);
}

double due_most(const struct plan *p, const struct load_plan *lp)
{
	uint64_t begun = load_begins_most(lp->load, &lp->shape, p->scenario->stop.time);
	double most = begun == UINT64_MAX ? INFINITY : (double)begun;
	struct scenario alone;
	struct life life = life_alone(p, lp, &alone);
	struct pool_fate fate;

	if (load_is_pooled(lp->load)) {
		fate = pool_fate_of(&alone, &lp->budget, &life);
		return pool_opens_most(&fate, &alone, most);
	}
	/* Each client's first connection is open still when the run ends. */
	if (!load_is_open(lp->load) && life_opens(&alone) &&
	    life.live.least >= p->scenario->stop.time - lp->load->start)
		return fmin(most, lp->concurrency);
	return most;
}

double due_surely(const struct load_plan *lp, double ns)
{
	const struct load *l = lp->load;
	double until = ns - (double)l->start - SLACK_NS, begun;

	if (until <= 0 || load_is_pooled(l)) /* a request is no connection */
		return 0;
	if (l->duration)
		until = fmin(until, (double)l->duration);
	begun = load_is_open(l) ? (double)shape_due(&lp->shape, (int64_t)until)
		: l->hold > 0	? (double)lp->concurrency
				: INFINITY;
	return fmin(fmin(begun, l->total ? (double)l->total : INFINITY), until / SLOWEST_NS);
}

double due_last_ns(const struct load_plan *lp, double until_ns)
{
	const struct load *l = lp->load;
	uint64_t begun = (uint64_t)due_surely(lp, until_ns);

	if (load_is_pooled(l) || !load_is_open(l) || begun == 0)
		return (double)l->start;
	return (double)l->start + (double)shape_when(&lp->shape, begun - 1);
}

double due_begun_ns(const struct plan *p, const struct load_plan *lp)
{
	const struct load *l = lp->load;
	struct scenario alone;
	struct life life = life_alone(p, lp, &alone);

	if (l->on_failure.retry || load_is_pooled(l))
		return INFINITY;
	if (l->duration)
		return (double)(l->start + l->duration) + SLACK_NS;
	if (!l->total)
		return INFINITY;
	return (double)l->start + SLACK_NS +
	       speed_pace(&alone, &lp->budget, &life, l->total - 1).most;
}

double due_over_ns(const struct plan *p, const struct load_plan *lp)
{
	struct scenario alone;
	struct life life = life_alone(p, lp, &alone);
	int64_t all = life_sum(life.live.most, life.quiet.most);

	if (all == FOR_EVER || speed_fills(&alone) || !life_opens(&alone))
		return INFINITY;
	return due_begun_ns(p, lp) + (double)all + (life.quiet.most > 0 ? WHEEL_NS : 0);
}
