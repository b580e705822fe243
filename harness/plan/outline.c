#include "plan/outline.h"

#include <math.h>

#include "plan/bind.h"

#define SECOND 1e9

/* In kernel order a connect whose destination has the first half of its ports in use passes over
 * all of that half: ns a port, where the ports are connected and where they wait. Measured on
 * Linux 6.18. */
#define SCAN_LIVE_NS 46.0
#define SCAN_WAIT_NS 160.0

static double smaller(double a, double b)
{
	return a < b ? a : b;
}

/* Connections under way at once, of the closed loops together. */
static double under_way_of(const struct plan *p)
{
	double n = 0;

	for (uint32_t i = 0; i < p->load_count; i++)
		n += p->loads[i].concurrency;
	return n;
}

/* By Little's law: what is begun a second, times how long each takes. A closed loop begins as
 * many as it can while each is live. */
static double wanted_of(const struct outline *o)
{
	double life = (double)o->live_ns + (double)o->quiet_ns;

	if (o->pooled)
		return NAN;
	if (o->live_ns == FOR_EVER || o->quiet_ns == FOR_EVER)
		return INFINITY;
	if (o->rate > 0)
		return o->rate * life / SECOND;
	if (o->quiet_ns == 0)
		return o->under_way;
	return o->round_ns > 0 ? o->under_way * life / (double)o->round_ns : INFINITY;
}

static void set_life(struct outline *o, const struct plan *p)
{
	const struct forecast *f = &p->forecast;

	o->quiet_ns = f->quiet_ns;
	o->live_ns = f->port_life_ns == FOR_EVER ? p->loads[0].load->hold
						 : f->port_life_ns - f->quiet_ns;
	o->round_ns = o->live_ns + p->loads[0].load->request.pause;
}

/* Connection `n`, counted from 0: by the clock, or as the rounds before it are done. Of several
 * loads it is as the sum of their rates has it. */
static double begins_ns(const struct plan *p, const struct outline *o, uint64_t n)
{
	const struct load_plan *lp = &p->loads[0];
	double rounds;

	if (o->rate > 0 && p->load_count == 1)
		return (double)lp->load->start + (double)shape_when(&lp->shape, n);
	if (o->rate > 0)
		return (double)n / o->rate * SECOND;
	rounds = o->under_way > 0 ? floor((double)n / o->under_way) : 0;
	return rounds * (double)o->round_ns;
}

static void set_failure(struct outline *o, const struct plan *p)
{
	const struct forecast *f = &p->forecast;
	double life = (double)o->live_ns + (double)o->quiet_ns;

	o->exhausts = f->exhausts;
	o->known = f->known;
	o->recovery_ns = FOR_EVER;
	if (!f->exhausts)
		return;
	o->after = p->budget.first; /* those that never open have had a port too */
	o->at_ns = begins_ns(p, o, o->after);
	if (f->port_life_ns != FOR_EVER)
		o->recovery_ns = (int64_t)fmax(begins_ns(p, o, 0) + life - o->at_ns, 0);
}

/* Does connect() look for the port itself, and in pairs? With IP_LOCAL_PORT_RANGE it goes through
 * all of them one by one. */
static bool connect_searches(const struct plan *p)
{
	const struct load_plan *lp = &p->loads[0];

	return lp->load->protocol == PROTOCOL_TCP && lp->load->order == ORDER_KERNEL &&
	       !bind_takes_port(lp->bind) && lp->bind != BIND_LOCAL_PORT_RANGE;
}

/* The other half of the ports is looked at when the first has none left: __inet_hash_connect(). */
static void set_half(struct outline *o, const struct plan *p)
{
	double scan = o->quiet_ns > 0 && o->quiet_ns < FOR_EVER ? SCAN_WAIT_NS : SCAN_LIVE_NS;
	uint64_t half = p->budget.usable / 2, all = half * p->budget.pairs;

	if (!connect_searches(p) || half == 0)
		return;
	o->half = half;
	o->half_cost_ns = (double)half * scan;
	o->half_reached = o->wanted >= (double)all && p->needs.connections > all;
	if (o->half_reached)
		o->half_at_ns = begins_ns(p, o, all);
}

static bool stops_at_once(const struct plan *p)
{
	const struct load *l = p->loads[0].load;

	return l->on_failure.then == ON_FAILURE_STOP && l->on_failure.retry == 0;
}

/* Does the first refusal, or what `stop` makes of it, end the load? Only where the clock says
 * when. */
static double failure_ends_ns(const struct outline *o, const struct plan *p)
{
	const struct scenario *s = p->scenario;
	double ends = INFINITY;

	if (!o->exhausts || (o->rate <= 0 && o->at_ns <= 0))
		return ends;
	if (stops_at_once(p))
		ends = o->at_ns;
	if (s->stop.when == WHEN_EXHAUSTED)
		ends = smaller(ends, o->at_ns + (double)s->stop.after);
	return ends;
}

/* For how long a load begins connections, by the clock; since the run began. */
static double clock_ends_ns(const struct plan *p, const struct load_plan *lp)
{
	double stop = (double)p->scenario->stop.time, duration = (double)lp->load->duration;

	return duration > 0 ? smaller((double)lp->load->start + duration, stop) : stop;
}

/* How many a load has begun by then; INFINITY: as many as the machine can. */
static double begun_of(const struct outline *o, const struct plan *p, const struct load_plan *lp)
{
	double until = clock_ends_ns(p, lp), failure = failure_ends_ns(o, p), begun = INFINITY;
	int64_t last = (int64_t)smaller(until - 1, failure) - lp->load->start;

	if (last < 0)
		return 0;
	if (load_is_open(lp->load))
		begun = (double)shape_due(&lp->shape, last);
	else if (o->round_ns > 0)
		begun = (floor((double)last / (double)o->round_ns) + 1) * lp->concurrency;
	return lp->load->total > 0 ? smaller(begun, (double)lp->load->total) : begun;
}

/* The last connection of a load that has a number of its own begins then; else by the clock. */
static double load_ends_ns(const struct plan *p, const struct load_plan *lp)
{
	double ends = clock_ends_ns(p, lp);

	if (lp->load->total > 0 && load_is_open(lp->load))
		ends = smaller(ends, (double)lp->load->start +
					     (double)shape_when(&lp->shape, lp->load->total - 1));
	return ends;
}

static void set_end(struct outline *o, const struct plan *p)
{
	double ends = 0;

	for (uint32_t i = 0; i < p->load_count; i++) {
		ends = fmax(ends, load_ends_ns(p, &p->loads[i]));
		o->begun += begun_of(o, p, &p->loads[i]);
	}
	if (o->exhausts && stops_at_once(p))
		o->begun = smaller(o->begun, (double)o->after + 1);
	o->ends_ns = smaller(ends + (double)o->live_ns,
			     smaller((double)p->scenario->stop.time, failure_ends_ns(o, p)));
}

struct outline outline_of(const struct plan *p)
{
	struct outline o = {.rate = plan_rate(p),
			    .under_way = under_way_of(p),
			    .pooled = load_is_pooled(p->loads[0].load)};

	set_life(&o, p);
	o.wanted = wanted_of(&o);
	set_failure(&o, p);
	set_half(&o, p);
	set_end(&o, p);
	return o;
}
