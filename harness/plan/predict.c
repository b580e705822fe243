#include "plan/predict.h"

#include <math.h>

#include "base/order.h"
#include "plan/alone.h"
#include "plan/bind.h"
#include "plan/doubt.h"
#include "plan/fill.h"
#include "plan/life.h"
#include "plan/outline.h"
#include "plan/part.h"
#include "plan/retry.h"
#include "plan/reuse.h"
#include "plan/speed.h"
#include "plan/together.h"
#include "plan/upstream.h"
#include "plan/use.h"

#define SECOND 1e9

/* A machine that does other things as well holds a thread up so long, and takes four times as long
 * as a slow one: where that takes 3.7 s more than the clock says, one with eight others at work on
 * two processors took 12.6 s. */
#define BUSY_LATE_NS 1e9
#define BUSY 4

/* So much longer than the stall that ports in use are reckoned with (plan/use.h). */
#define LATER_NS (BUSY_LATE_NS - (double)SPEED_STALL_NS)

/* An exhausted pair is asked again within half a second (drive/pair.c). */
#define PROBE_NS 0.5e9

enum { CLOSING = 16 }; /* connections that are just being closed */

static struct foretold exactly(double n)
{
	return (struct foretold){true, {n, n, n}};
}

static struct foretold at_most(double n)
{
	return (struct foretold){true, {0, n, n}};
}

static const struct foretold untold = {false, {0, 0, 0}};

static bool is_single(const struct plan *p)
{
	return p->load_count == 1;
}

static struct foretold foretell_exhausted(const struct plan *p, const struct outline *o)
{
	(void)o;
	return p->forecast.known ? exactly(p->forecast.exhausts) : untold;
}

static struct foretold foretell_after(const struct plan *p, const struct outline *o)
{
	const struct forecast *f = &p->forecast;

	(void)o;
	if (!f->counted)
		return untold;
	return (struct foretold){true,
				 {(double)f->after_least, (double)f->after, (double)f->after_most}};
}

static struct foretold foretell_at(const struct plan *p, const struct outline *o)
{
	const struct guess *at = &p->forecast.at;

	(void)o;
	if (!p->forecast.counted)
		return untold;
	return (struct foretold){
		true,
		{at->least, at->likely, at->least + (at->most - at->least) * BUSY + BUSY_LATE_NS}};
}

/* Is the first port that comes back that of the first connection, and back only once
 * another is wanted? */
static bool is_first_back(const struct forecast *f)
{
	return f->hangs_ns > 0 ||
	       (f->port_life_ns < FOR_EVER && f->life_least_ns == f->life_most_ns &&
		f->at.most < (double)f->port_life_ns);
}

/* Of a pool that may keep the first as long as it likes? */
static bool is_idle_for_ever(const struct outline *o)
{
	return o->pooled && o->pool.rounds <= 0 && !o->pool.serves_once;
}

/* A port that a search has missed (budget.h) was never gone, and the next may find it. */
static double recovered_least(const struct plan *p, double life_ns)
{
	const struct forecast *f = &p->forecast;

	return p->budget.may_lose_one
		       ? f->at.least
		       : fmax(fmin((double)f->life_least_ns, life_ns) - (double)LIFE_SLACK, 0);
}

/* When a port that is back by then is asked for at the latest: by the next that is due, or, where none is any
 * more, by one that is late. */
static double asked_ns(const struct plan *p, const struct outline *o, double ns)
{
	const struct shape *shape = &p->loads[0].shape;
	int64_t next;

	if (o->rate <= 0)
		return ns + (double)(o->round_ns + p->loads[0].load->timeout);
	next = shape_when(shape, shape_due(shape, (int64_t)ns));
	return next == FOR_EVER ? ns : (double)next;
}

/* The first connection has its port for the whole of its life; then somebody has to ask for it. A machine is held
 * up before, or then. */
static struct foretold foretell_recovered(const struct plan *p, const struct outline *o)
{
	const struct load *l = p->loads[0].load;
	const struct forecast *f = &p->forecast;
	double life = f->hangs_ns > 0 ? (double)f->hangs_ns : (double)f->port_life_ns;
	double back = life + (double)f->late_ns + PROBE_NS, asked;

	/* A connect that is timed gives its port back at once. */
	if (!f->counted || !is_single(p) || !is_first_back(f) || f->gone || is_idle_for_ever(o) ||
	    o->tries > 1 || p->scenario->sample.latency > 0)
		return untold;
	asked = fmax(asked_ns(p, o, back + BUSY_LATE_NS), asked_ns(p, o, back) + BUSY_LATE_NS);
	return (struct foretold){
		true, {recovered_least(p, life), life, asked + (double)retry_most_ns(l)}};
}

/* Does any connect come to an open connection? One of UDP asks nobody. */
static bool any_opens(const struct plan *p)
{
	return behaviour_does(p->scenario->server.behaviour, DOES_LISTEN) ||
	       plan_speaks(p, PROTOCOL_UDP);
}

/* Of a load that keeps all that it opens: does it lack a descriptor before it lacks a port? */
static bool keeps_until_descriptors(const struct plan *p)
{
	const struct load_plan *lp = &p->loads[0];

	return is_single(p) && load_share(lp->load, END_LEAK) >= 1 && doubt_is_steady(p, lp) &&
	       any_opens(p) && !plan_lacks_address(p) && !doubt_backlog(p) &&
	       doubt_descriptors(p, lp);
}

/* Each port once, and again as soon as it is back: so many, of a load that asks all the time. */
static double carried(const struct plan *p, double ns)
{
	double life = (double)p->forecast.port_life_ns;

	return (double)p->budget.capacity * (floor(fmax(ns, 0) / life) + 1);
}

/* What a rate comes to, period by period, where it wants more ports than there are;
 * else all that it asks for. */
static double opened_likely(const struct plan *p, const struct outline *o, double ns)
{
	double life = (double)p->forecast.port_life_ns, whole = floor(ns / life);
	double each = fmin(o->rate * life / SECOND, (double)p->budget.capacity);
	double rest =
		fmin(ceil(o->rate * (ns - whole * life) / SECOND), (double)p->budget.capacity);

	if (o->rate <= 0 || p->loads[0].load->ramp.count > 0 || p->loads[0].shape.burst)
		return floor((double)p->budget.capacity + p->forecast.rate * ns / SECOND);
	return floor(whole * each + rest);
}

/* A port is had again no sooner than it is back. */
static struct foretold foretell_sustained(const struct plan *p, const struct outline *o,
					  double elapsed_ns)
{
	const struct forecast *f = &p->forecast;
	double lasts_ns = (double)load_lasts_ns(p->loads[0].load, p->scenario->stop.time);
	double ns = fmin(elapsed_ns, lasts_ns - 1),
	       most = fmin(carried(p, ns + LIFE_SLACK), o->asked);
	bool is_steady = f->life_least_ns == f->life_most_ns &&
			 isinf(speed_changes_ns(p->scenario, p->loads[0].load));

	if (!any_opens(p) && p->scenario->network.topology != TOPOLOGY_LOOPBACK)
		return exactly(0);
	if (!isfinite(f->rate) || f->rate_is_least || !is_single(p) || !is_steady ||
	    bind_may_repeat(p->scenario, p->loads[0].load))
		return untold;
	if (keeps_until_descriptors(p))
		most = fmin(most, p->loads[0].sockets_most);
	return (struct foretold){true,
				 {f->exhausts && f->counted ? (double)f->after_least : 0,
				  fmin(opened_likely(p, o, ns), most), most}};
}

/* May a gateway want for a port of its own? */
static bool may_be_full(const struct plan *p, const struct outline *o)
{
	return p->nat.outside.count && carriage_lacks(&p->nat.carriage) &&
	       o->begun > (double)p->nat.carriage.least;
}

static bool are_alike(const struct plan *p)
{
	return together_all_alike(p) && p->scenario->network.choose != CHOOSE_SEED;
}

static bool shares_ports(const struct plan *p)
{
	for (uint32_t i = 0; i < p->load_count; i++)
		if (bind_shares_port(p->loads[i].load))
			return true;
	return false;
}

/* In use towards one destination at once, at most. A connect that is timed by itself is
 * counted by nobody. */
static double used_most(const struct plan *p, const struct outline *o)
{
	const struct budget *b = &p->budget;
	double spaces = p->scenario->network.choose == CHOOSE_SEED ? 1 : b->spaces;
	double late = o->rate * LATER_NS / SECOND, most = b->usable, at_once;

	if (p->scenario->sample.latency > 0)
		return most;
	if (is_single(p))
		most = fmin(most, ceil(o->begun_most / spaces));
	if (life_may_wait_reused(p))
		return most;
	if (b->kept.used && is_single(p))
		return fmin(most, (double)b->kept.used + CLOSING);
	at_once = shares_ports(p) ? (double)o->ports : fill_peak(p);
	return fmin(most, ceil(at_once + late / spaces) + CLOSING);
}

/* Once one destination is full, all of its ports are in use. */
static struct foretold foretell_used(const struct plan *p, const struct outline *o)
{
	const struct budget *b = &p->budget;
	bool is_full = p->forecast.exhausts && p->forecast.counted && p->forecast.after > 0 &&
		       (double)p->forecast.life_least_ns - p->forecast.at.most > BUSY_LATE_NS &&
		       !bind_may_repeat(p->scenario, p->loads[0].load);
	double most = used_most(p, o), lost;

	if ((!is_single(p) && !are_alike(p)) || (may_be_full(p, o) && !is_full))
		return untold; /* what a gateway lets down has its port for longer */
	if (is_single(p) && reuse_is_told(p) && o->rate > 0 && !is_full &&
	    p->scenario->sample.latency == 0)
		return (struct foretold){true, reuse_used(p, o->rate, o->begun)};
	/* A connect that is timed may have the last one, and gives it back. */
	lost = (b->may_lose_one ? 1 : 0) + (p->scenario->sample.latency > 0 ? 1 : 0);
	return (struct foretold){true, {is_full ? b->usable - lost : 0, most, most}};
}

/* Does each connection that is open hold a port of its own? A server's reset takes it,
 * and leaves a descriptor: of one that has not read what was sent, too; and bind() may
 * give one port to several. */
static bool holds_port(const struct plan *p)
{
	for (uint32_t i = 0; i < p->load_count; i++)
		if (bind_may_repeat(p->scenario, p->loads[i].load) ||
		    bind_shares_port(p->loads[i].load))
			return false;
	return (!behaviour_does(p->scenario->server.behaviour, DOES_END) ||
		p->scenario->server.behaviour == BEHAVIOUR_CLOSE) &&
	       (!p->scenario->server.die || !plan_speaks(p, PROTOCOL_TCP)) &&
	       plan_overshadows(p) == 0;
}

/* Do all connections stay open once they are? */
static bool keeps_open(const struct plan *p)
{
	const struct load_plan *lp = &p->loads[0];

	for (enum end end = 0; end < ENDS; end++)
		if (load_ends(lp->load, end) && end != END_LEAK)
			return false;
	return is_single(p) && holds_port(p) && !p->scenario->server.vanish &&
	       !behaviour_does(p->scenario->server.behaviour, DOES_END);
}

static struct foretold foretell_open(const struct plan *p, const struct outline *o)
{
	const struct forecast *f = &p->forecast;
	double most = 0;
	bool is_apart;

	(void)o;
	for (uint32_t i = 0; i < p->load_count; i++) /* what heirs have is in no slot */
		most += load_ends(p->loads[i].load, END_INHERIT) ? (double)INFINITY
								 : (double)p->loads[i].slots;
	/* A dump sees the connect that is timed by itself as well. */
	if (holds_port(p))
		most = fmin(most, fmin((double)together_capacity(p),
				       fill_open_most(p) + (p->scenario->sample.latency > 0)));
	/* Ports of a client that are the same towards several destinations may have one
	 * mapping; and one thread's connection may have the port of another's, before that
	 * knows it closed. */
	is_apart = !nat_maps_for_all(&p->scenario->network.nat) || p->destinations == 1;
	if (holds_port(p) && p->nat.outside.count && is_apart && !plan_speaks(p, PROTOCOL_UDP))
		most = fmin(most,
			    (double)p->nat.carriage.at_once + (plan_workers(p) > 1 ? CLOSING : 0));
	if (!f->exhausts || !f->counted || !keeps_open(p))
		return at_most(most);
	return (struct foretold){true, {(double)f->after_least, most, most}};
}

/* For the requests that a slow machine comes to, as if half of the ports were in use
 * from the start where they may be; where ports or descriptors may run out, those that
 * there are of one space are opened before. */
static double opened_least(const struct plan *p, const struct outline *o)
{
	static const double slow_ns[PACES] = {0};
	const struct load_plan *lp = &p->loads[0];
	double half = (double)speed_half(lp->load, &p->budget) * p->budget.spaces;
	double ports = fmax((double)p->budget.usable - p->budget.may_lose_one, 0), least;
	struct use u = use_make(p, lp, lp);

	if (half > 0 && pool_opens_most(&o->pool, o->requests) > half)
		use_slow_down(&u, slow_ns);
	least = pool_opens_least(&o->pool,
				 use_begun(&u, PACE_SLOW, (double)p->scenario->stop.time));
	least = fmin(least, lp->sockets_most);
	return p->forecast.known ? least : fmin(least, ports);
}

static bool is_answered(const struct plan *p)
{
	struct scenario alone = alone_of(p->scenario, p->loads[0].load);

	return pool_is_answered(&alone);
}

/* As many requests as there are; fewer, where some find no port. */
static struct foretold foretell_pool(const struct plan *p, const struct outline *o)
{
	const struct forecast *f = &p->forecast;
	double n = o->requests, stop_ns = (double)p->scenario->stop.time, most;

	if (!o->pooled || !is_single(p) || p->scenario->sample.latency > 0 || f->exhausts ||
	    plan_lacks_address(p) || may_be_full(p, o) || !isfinite(n) || !any_opens(p) ||
	    !is_answered(p))
		return untold;
	most = pool_opens_most(&o->pool, n);
	/* Of a run in which no port comes back none is opened twice; and what stays has a descriptor. */
	if (o->pool.is_closed && (double)f->life_least_ns > fmin(o->ends_ns.most, stop_ns))
		most = fmin(most, (double)p->budget.capacity);
	if (o->pool.keeps_all)
		most = fmin(most, p->loads[0].sockets_most);
	return (struct foretold){
		true, {opened_least(p, o), fmin(pool_opens_likely(&o->pool, n), most), most}};
}

static struct foretold foretell_cliff(const struct plan *p, const struct outline *o)
{
	const struct guess *more = &o->half_cost_ns;

	/* Less than a connect takes is lost in what a machine is held up. */
	if (o->half == 0 || !is_single(p) || more->likely < SPEED_CONNECT_NS)
		return untold;
	return (struct foretold){true,
				 {more->least, more->likely + SPEED_CONNECT_NS,
				  more->most * BUSY + BUSY_LATE_NS / 1e3}};
}

static struct foretold foretell_gateway(const struct plan *p, const struct outline *o)
{
	double after = (double)p->forecast.times_out_after;

	(void)o;
	return after > 0 ? (struct foretold){true,
					     {(double)p->forecast.times_out_least, after, after}}
			 : untold;
}

/* By its ports; what a limit turns away is in no counter of these. */
static struct foretold foretell_lost(const struct plan *p, bool is_mapped)
{
	const struct carriage *c = &p->nat.carriage;
	bool by_ports = c->at_once >= c->ports;

	return p->forecast.full_after && by_ports &&
			       nat_maps_for_all(&p->scenario->network.nat) == is_mapped
		       ? (struct foretold){true, {1, 1, INFINITY}}
		       : untold;
}

static struct foretold foretell_drops(const struct plan *p, const struct outline *o)
{
	(void)o;
	return foretell_lost(p, false);
}

static struct foretold foretell_unmapped(const struct plan *p, const struct outline *o)
{
	(void)o;
	return foretell_lost(p, true);
}

static struct foretold foretell_descriptors(const struct plan *p, const struct outline *o)
{
	(void)o;
	return keeps_until_descriptors(p) ? exactly(p->loads[0].sockets_most) : untold;
}

static void foretell_nothing(struct foretold out[PREDICTIONS])
{
	for (int i = 0; i < PREDICTIONS; i++)
		out[i] = untold;
}

void predict_part(struct foretold out[PREDICTIONS], const struct plan *p, double elapsed_ns)
{
	static struct foretold (*const rules[PREDICTIONS])(const struct plan *,
							   const struct outline *) = {
		[PREDICTION_EXHAUSTED] = foretell_exhausted,
		[PREDICTION_AFTER] = foretell_after,
		[PREDICTION_AT] = foretell_at,
		[PREDICTION_RECOVERED] = foretell_recovered,
		[PREDICTION_POOL] = foretell_pool,
		[PREDICTION_USED] = foretell_used,
		[PREDICTION_OPEN] = foretell_open,
		[PREDICTION_CLIFF] = foretell_cliff,
		[PREDICTION_GATEWAY] = foretell_gateway,
		[PREDICTION_DROPS] = foretell_drops,
		[PREDICTION_UNMAPPED] = foretell_unmapped,
		[PREDICTION_DESCRIPTORS] = foretell_descriptors,
	};
	const struct outline o = outline_of(p);

	foretell_nothing(out);
	if (plan_binds_nowhere(p)) { /* nothing is opened, and what is not is no want of a port */
		out[PREDICTION_EXHAUSTED] = out[PREDICTION_SUSTAINED] = out[PREDICTION_USED] =
			out[PREDICTION_OPEN] = exactly(0);
		return;
	}
	if (upstreams_are_clients(p)) /* nothing is told of ports that others take */
		return;
	for (int i = 0; i < PREDICTIONS; i++)
		out[i] = rules[i] ? rules[i](p, &o) : foretell_sustained(p, &o, elapsed_ns);
}

bool predict_is_idle(enum prediction what, const struct foretold *said, const struct plan *p)
{
	const struct outline o = outline_of(p);
	double ports = holds_port(p) ? (double)together_capacity(p) : (double)INFINITY;
	const double most[PREDICTIONS] = {
		[PREDICTION_SUSTAINED] = o.asked,
		[PREDICTION_OPEN] = fmin(o.begun, ports),
		[PREDICTION_USED] = fmin(o.begun, p->budget.usable),
	};
	/* What is opened before the first refusal is a prediction of its own. */
	bool has_least = said->value.least > 0 && what != PREDICTION_SUSTAINED;

	return said->told && most[what] > 0 && !has_least && said->value.most >= most[what];
}
