/* When a run is over, and how many connections it has begun by then: of one load, and of several. */
#include <math.h>

#include "base/order.h"
#include "plan/alone.h"
#include "plan/outline.h"
#include "plan/speed.h"
#include "plan/use.h"

static bool stops_at_once(const struct plan *p)
{
	const struct load *l = p->loads[0].load;

	return l->on_failure.then == ON_FAILURE_STOP && l->on_failure.retry == 0;
}

/* Does each go on after a refusal, so that its next confirms it? One that ends with it may leave the others to
 * themselves. */
static bool all_go_on(const struct plan *p)
{
	for (uint32_t i = 0; i < p->load_count; i++)
		if (p->loads[i].load->on_failure.then == ON_FAILURE_STOP)
			return false;
	return true;
}

/* Does the first refusal end the only load, or what `stop` makes of it the run? Of several loads it ends the
 * one that is refused. */
static double failure_ends_ns(const struct outline *o, const struct plan *p, double at_ns)
{
	const struct scenario *s = p->scenario;
	double ends = INFINITY;

	if (!o->exhausts || at_ns <= 0) /* or nobody can tell when it is */
		return ends;
	if (p->load_count == 1 && stops_at_once(p))
		ends = at_ns;
	return s->stop.when == WHEN_EXHAUSTED ? fmin(ends, at_ns + (double)s->stop.after) : ends;
}

/* For how long a load begins connections, by the clock; since the run began. */
static double clock_ends_ns(const struct plan *p, const struct load_plan *lp)
{
	double stop = (double)p->scenario->stop.time, duration = (double)lp->load->duration;

	return duration > 0 ? fmin((double)lp->load->start + duration, stop) : stop;
}

/* How many it has begun, if something ends it by then; INFINITY: as many as the machine can. */
static double begun_by(const struct plan *p, double failure_ns)
{
	const struct load_plan *lp = &p->loads[0];
	double until = clock_ends_ns(p, lp), begun = INFINITY;
	int64_t last = (int64_t)fmin(until - 1, failure_ns) - lp->load->start;
	struct use u = use_make(p, lp, lp);
	int64_t round_ns = u.life.live.least + lp->load->request.pause; /* at least */

	if (last < 0)
		return 0;
	if (load_is_open(lp->load))
		begun = (double)shape_due(&lp->shape, last);
	else if (round_ns > 0)
		begun = (floor((double)last / (double)round_ns) + 1) * lp->concurrency;
	return lp->load->total > 0 ? fmin(begun, (double)lp->load->total) : begun;
}

/* When connection `n` is begun where none is slower than another: no sooner than it is
 * due, and than its threads have begun those before it. */
static struct guess paced(const struct load_plan *lp, uint64_t n)
{
	double due = (double)shape_when(&lp->shape, n);
	double each = (double)n / fmax(lp->workers, 1);

	return (struct guess){due, fmax(due, each * SPEED_CONNECT_NS),
			      fmax(due, each * SPEED_MOST_NS)};
}

/* The last connection of a load that has a number of its own begins then, by the clock
 * or later; else by the clock. */
static struct guess load_ends_ns(const struct outline *o, const struct plan *p)
{
	const struct load_plan *lp = &p->loads[0];
	double clock = clock_ends_ns(p, lp), start = (double)lp->load->start;
	struct scenario alone = alone_of(p->scenario, lp->load);
	struct life life = {span_of(o->live_ns), span_of(o->quiet_ns), 0};
	struct guess last;

	if (lp->load->total == 0 || !load_is_open(lp->load))
		return (struct guess){clock, clock, clock};
	last = speed_pace(&alone, &p->budget, &life, lp->load->total - 1);
	if (!o->half_reached)
		last = paced(lp, lp->load->total - 1);
	return (struct guess){fmin(clock, start + last.least), fmin(clock, start + last.likely),
			      fmin(clock, start + last.most)};
}

static double ends_by(const struct outline *o, const struct plan *p, double last_ns, double at_ns)
{
	return fmin(last_ns + (double)o->live_most_ns,
		    fmin((double)p->scenario->stop.time, failure_ends_ns(o, p, at_ns)));
}

static double begun_of_one(const struct outline *o, const struct plan *p)
{
	double begun = begun_by(p, failure_ends_ns(o, p, o->at_ns.likely));

	return o->exhausts && stops_at_once(p) && p->forecast.counted
		       ? fmin(begun, (double)o->after + 1)
		       : begun;
}

/* Fewer than are asked for, where a refusal ends the run. */
static double begun_of_loads(const struct outline *o, const struct plan *p)
{
	bool is_cut = o->ends_ns.most < fmin(o->last_ns.most, (double)p->scenario->stop.time);
	double begun = 0;

	for (uint32_t i = 0; i < p->load_count && is_cut; i++) {
		struct use u = use_make(p, &p->loads[i], &p->loads[i]);

		begun += use_begun(&u, PACE_USUAL, o->ends_ns.most);
	}
	return is_cut ? fmin(begun, o->asked) : o->asked;
}

void outline_set_end(struct outline *o, const struct plan *p)
{
	const struct guess *last = &o->last_ns, *at = &o->at_ns;
	bool is_single = p->load_count == 1;

	if (is_single) {
		o->last_ns = load_ends_ns(o, p);
		o->asked = begun_by(p, INFINITY);
	}
	o->begun_ns = last->likely;
	o->ends_ns = (struct guess){
		ends_by(o, p, last->least, at->least), ends_by(o, p, last->likely, at->likely),
		ends_by(o, p, last->most, is_single || all_go_on(p) ? at->most : 0)};
	o->begun = is_single ? begun_of_one(o, p) : begun_of_loads(o, p);
}
