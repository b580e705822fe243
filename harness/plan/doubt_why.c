/* Why it cannot be told whether ports run out, and what goes on for ever: the first of the reasons. */
#include <math.h>

#include "base/order.h"
#include "plan/accept.h"
#include "plan/alone.h"
#include "plan/bind.h"
#include "plan/doubt.h"
#include "plan/life.h"
#include "plan/linger.h"
#include "plan/outline.h"
#include "plan/retry.h"
#include "plan/speed.h"
#include "plan/squat.h"
#include "plan/upstream.h"

/* ---- reasons that are about one load ------------------------------------------ */

/* Do more come than the server accepts? */
static bool waits_for_accept(const struct plan *p, const struct load_plan *lp)
{
	struct scenario alone = alone_of(p->scenario, lp->load);

	return accept_wait_ns(&alone) > alone.server.accept_every && !alone.server.backlog;
}

/* Does it name what the server listens on, which is to die? */
static bool restarts(const struct plan *p, const struct load_plan *lp)
{
	return bind_names_port(lp->bind) && lp->budget.usable == 0 && p->scenario->server.die;
}

static bool meets_itself(const struct plan *p, const struct load_plan *lp)
{
	(void)p;
	return lp->meets_itself;
}

static bool both_close(const struct plan *p, const struct load_plan *lp)
{
	struct scenario alone = alone_of(p->scenario, lp->load);

	return life_races(&alone);
}

static bool hangs(const struct plan *p, const struct load_plan *lp)
{
	return speed_fills(p->scenario, lp->load);
}

static bool ends_descriptors(const struct plan *p, const struct load_plan *lp)
{
	return p->load_count == 1 && doubt_descriptors_ns(p, lp) < FOR_EVER;
}

static const struct {
	enum doubt why;
	bool (*is)(const struct plan *p, const struct load_plan *lp);
} of_loads[] = {
	{DOUBT_DESCRIPTORS_FIRST, ends_descriptors},
	{DOUBT_DESCRIPTORS, doubt_descriptors},
	{DOUBT_ACCEPTED, waits_for_accept},
	{DOUBT_MEETS_ITSELF, meets_itself},
	{DOUBT_BOTH_CLOSE, both_close},
	{DOUBT_HANGS, hangs},
	{DOUBT_RESTART, restarts},
};

/* The first that it is about; load_count: it is about none alone. */
static uint32_t find(const struct plan *p, enum doubt why)
{
	for (size_t k = 0; k < sizeof(of_loads) / sizeof(of_loads[0]); k++)
		for (uint32_t i = 0; of_loads[k].why == why && i < p->load_count; i++)
			if (of_loads[k].is(p, &p->loads[i]))
				return i;
	return p->load_count;
}

static bool any(const struct plan *p, enum doubt why)
{
	return find(p, why) < p->load_count;
}

const struct load_plan *doubt_load(const struct plan *p, enum doubt why)
{
	return any(p, why) ? &p->loads[find(p, why)] : NULL;
}

/* ---- the gateway -------------------------------------------------------------- */

/* A pool's requests, where as many are late together as a stall makes. */
static enum doubt of_pool_at_once(const struct plan *p, const struct outline *o)
{
	double at_once = o->pool.pools * o->pool.each, late = pool_late(p->loads[0].load);

	if (isinf(at_once) || at_once + late <= (double)p->nat.carriage.least)
		return DOUBT_GATEWAY_ENDS;
	return at_once <= (double)p->nat.carriage.at_once ? DOUBT_GATEWAY_STALL
							  : DOUBT_GATEWAY_WANTED;
}

/* Is it sure that the gateway has a port for each? */
static bool suffices(const struct plan *p, const struct outline *o)
{
	const struct carriage *c = &p->nat.carriage;
	double late = o->pooled ? pool_late(p->loads[0].load) : 0;

	if (p->nat.outside.count == 0 || o->begun <= (double)c->least || !carriage_lacks(c))
		return true;
	if (o->pooled)
		return p->load_count == 1 && o->pool.share_most <= 0 &&
		       o->pool.pools * o->pool.each + late <= (double)c->least;
	return p->load_count == 1 && p->nat.fits;
}

/* It carries no less than is asked, but not what a machine asks for that is held up. */
static bool is_close(const struct plan *p, const struct outline *o)
{
	return p->load_count == 1 && !o->pooled && o->rate > 0 &&
	       o->rate <= p->forecast.gateway_rate && isfinite(p->forecast.gateway_rate);
}

enum doubt doubt_gateway(const struct plan *p, const struct outline *o)
{
	const struct carriage *c = &p->nat.carriage;

	if (p->forecast.times_out_after)
		return DOUBT_GATEWAY_FIRST;
	if (p->forecast.full_after)
		return DOUBT_GATEWAY_FULL;
	if (suffices(p, o))
		return DOUBT_NONE;
	if (o->pooled && p->load_count == 1)
		return of_pool_at_once(p, o);
	if (is_close(p, o))
		return DOUBT_GATEWAY_RATE;
	if (o->some_pooled)
		return DOUBT_GATEWAY_POOLS;
	/* the rule that limits connections does not count closed ones */
	return o->rate > 0 && c->at_once < c->ports ? DOUBT_GATEWAY_LIMIT : DOUBT_GATEWAY_KEEPS;
}

/* ---- each in its turn; DOUBT_NONE: it is none of these -------------------------- */

static enum doubt of_others_first(const struct plan *p)
{
	if (plan_lacks_address(p))
		return p->scenario->network.dad ? DOUBT_TENTATIVE : DOUBT_NO_ADDRESS;
	if (upstreams_are_clients(p))
		return DOUBT_PROXY_LOOP;
	if (squat_may_take_any(p))
		return DOUBT_SQUAT_NAMED;
	if (doubt_any_descriptors(p))
		return any(p, DOUBT_DESCRIPTORS_FIRST) ? DOUBT_DESCRIPTORS_FIRST
						       : DOUBT_DESCRIPTORS;
	return doubt_backlog(p) ? DOUBT_BACKLOG : DOUBT_NONE;
}

/* How many connections the pool opens. */
static enum doubt of_pool(const struct plan *p, const struct outline *o)
{
	if (isfinite(o->requests) && isinf(o->pool.at_once))
		return p->loads[0].load->on_failure.flush_pool ? DOUBT_POOL_FLUSHED
							       : DOUBT_POOL_ENDS;
	return isfinite(o->requests) && o->pool.pools * o->pool.each > (double)p->budget.capacity
		       ? DOUBT_POOL_WANTED
		       : DOUBT_POOL;
}

/* What changes meanwhile, where no sum is made of that. */
static enum doubt of_change(const struct plan *p)
{
	const struct scenario *s = p->scenario;

	if (s->server.vanish)
		return DOUBT_VANISHES;
	return s->server.die && (p->load_count == 1 || plan_speaks(p, PROTOCOL_UDP)) ? DOUBT_DIES
										     : DOUBT_NONE;
}

/* Where few sockets can wait, what is open, or is being closed, has the other ports. */
static enum doubt of_few_that_wait(const struct plan *p, const struct outline *o)
{
	uint64_t few = p->forecast.buckets, ports = p->budget.capacity;
	double open = o->rate > 0 ? o->rate * (double)o->live_ns / 1e9 : o->under_way;

	if (few == 0 || o->pooled)
		return DOUBT_NONE;
	return p->load_count == 1 && p->budget.spaces == 1 && open < (double)(ports - few)
		       ? DOUBT_FEW_WAIT_LATE
		       : DOUBT_FEW_WAIT;
}

/* Each answer its own (server.jitter), or until a timeout that is as close. */
static bool takes_its_time(const struct outline *o)
{
	return o->live_most_ns > o->live_ns;
}

/* As many are wanted as there are, or one less. */
static enum doubt of_the_last(const struct plan *p, const struct outline *o)
{
	const struct budget sure = budget_surely(&p->budget, p->scenario, p->loads[0].load);

	if (o->begun <= (double)sure.capacity || o->begun > (double)p->budget.capacity)
		return DOUBT_NONE;
	return p->scenario->sample.latency > 0 ? DOUBT_PROBED : DOUBT_MISSED;
}

/* By the clock it has enough, by what a machine or its timers may be late it has not. */
static enum doubt of_lateness(const struct plan *p, const struct outline *o)
{
	const struct shape *shape = &p->loads[0].shape;
	int64_t lasts = p->forecast.port_life_ns,
		timed = life_sum(p->forecast.life_most_ns, p->forecast.late_ns);
	uint64_t ports = p->budget.capacity;

	if (o->rate <= 0 || o->pooled || lasts == FOR_EVER ||
	    retry_tries(p->scenario, p->loads[0].load) > 1 || shape_most(shape, lasts) > ports ||
	    shape_most(shape, timed + SPEED_STALL_NS) <= ports)
		return DOUBT_NONE;
	if (takes_its_time(o))
		return DOUBT_ANSWERS_LATE;
	return shape_most(shape, timed) <= ports ? DOUBT_LATE : DOUBT_TIMER_LATE;
}

static enum doubt of_wanted_more(const struct plan *p, const struct outline *o)
{
	if (!(o->wanted > (double)p->budget.capacity))
		return DOUBT_NONE;
	if (p->loads[0].shape.burst)
		return DOUBT_BURST;
	return o->rate > o->half_rate_least && o->half_reached &&
			       p->forecast.port_life_ns != FOR_EVER
		       ? DOUBT_SLOWED
		       : DOUBT_NONE;
}

/* Of a load that is the only one. */
static enum doubt of_one(const struct plan *p, const struct outline *o)
{
	enum doubt why = of_the_last(p, o);

	if (why)
		return why;
	if (bind_may_repeat(p->scenario, p->loads[0].load))
		return DOUBT_BIND_REPEATS;
	if (life_leaves_unread(p->scenario, p->loads[0].load))
		return DOUBT_UNREAD;
	if (o->kept_share > 0 && o->kept_share < 1)
		return DOUBT_SOME_KEPT;
	why = of_few_that_wait(p, o);
	if (!why)
		why = of_lateness(p, o);
	return why ? why : of_wanted_more(p, o);
}

static enum doubt of_several(const struct plan *p, const struct outline *o)
{
	enum doubt why = of_few_that_wait(p, o);

	if (!why && any(p, DOUBT_HANGS))
		return DOUBT_HANGS;
	return why || p->scenario->squat.start ? why : DOUBT_TOGETHER;
}

/* Or that the machine's speed decides. */
static enum doubt of_race(const struct plan *p, const struct outline *o)
{
	struct scenario alone = alone_of(p->scenario, p->loads[0].load);

	if (p->scenario->squat.start > 0)
		return DOUBT_SQUAT_LATE;
	if (any(p, DOUBT_HANGS))
		return DOUBT_HANGS;
	if (p->load_count == 1 && p->loads[0].concurrency && linger_grows(&alone))
		return DOUBT_LINGERS;
	return p->load_count == 1 && takes_its_time(o) ? DOUBT_ANSWERS : DOUBT_SPEED;
}

/* What connections do by themselves, however many there are. */
static enum doubt of_connections(const struct plan *p, const struct outline *o)
{
	enum doubt why;

	if (any(p, DOUBT_ACCEPTED))
		return DOUBT_ACCEPTED;
	if (any(p, DOUBT_RESTART))
		return DOUBT_RESTART;
	if (p->load_count == 1 && p->loads[0].budget.kept.by_clock)
		return DOUBT_CLOCK;
	why = of_change(p);
	if (why)
		return why;
	if (outline_mean_ns(o, p) > 0)
		return DOUBT_DRAWN;
	if (any(p, DOUBT_MEETS_ITSELF))
		return DOUBT_MEETS_ITSELF;
	return any(p, DOUBT_BOTH_CLOSE) ? DOUBT_BOTH_CLOSE : DOUBT_NONE;
}

enum doubt doubt_of(const struct plan *p, const struct outline *o)
{
	bool is_alone = p->load_count == 1;
	enum doubt why;

	if (o->known)
		return DOUBT_NONE;
	if (o->cut_short)
		return DOUBT_STOP_TIME;
	why = of_others_first(p);
	if (!why)
		why = doubt_gateway(p, o);
	if (!why && o->pooled && is_alone)
		why = of_pool(p, o);
	if (!why)
		why = of_connections(p, o);
	if (!why)
		why = is_alone ? of_one(p, o) : of_several(p, o);
	return why ? why : of_race(p, o);
}

/* ---- what is sustained, and when connects are slow ------------------------------ */

static enum doubt of_pool_rate(const struct plan *p, const struct outline *o)
{
	double room = (double)p->nat.carriage.at_once;

	if (outline_pool_lacks(o, p))
		return DOUBT_NONE; /* no rate */
	if (p->nat.outside.count && p->nat.carriage.at_once < p->budget.capacity)
		return o->pool.at_once <= room && pool_share(&o->pool) > 0 ? DOUBT_GATEWAY_KEEPS
									   : DOUBT_NONE;
	return p->forecast.pool_rate <= 0 ? DOUBT_POOL_LATE : DOUBT_NONE;
}

enum doubt doubt_rate(const struct plan *p, const struct outline *o)
{
	bool has_none = plan_binds_nowhere(p) || upstreams_are_clients(p) ||
			p->budget.capacity == 0; /* no rate goes on */

	if (p->load_count > 1 || has_none)
		return DOUBT_NONE;
	if (outline_pool_has_rate(o, p))
		return of_pool_rate(p, o);
	if (!isnan(p->forecast.rate))
		return DOUBT_NONE;
	if (squat_may_take_any(p))
		return DOUBT_SQUAT_NAMED;
	if (p->forecast.rate_sure > 0)
		return DOUBT_ACKNOWLEDGED;
	if (any(p, DOUBT_HANGS))
		return DOUBT_HANGS;
	return p->scenario->server.accept_every ? DOUBT_ACCEPTED : DOUBT_REUSED;
}

enum doubt doubt_half(const struct plan *p, const struct outline *o)
{
	double half = (double)(o->half * p->budget.spaces);

	if (o->half == 0 || upstreams_are_clients(p) || o->half_reached)
		return DOUBT_NONE;
	if (o->pooled && p->load_count == 1 && pool_opens_most(&o->pool, o->requests) > half)
		return DOUBT_POOL;
	if ((double)o->ports <= half || !outline_doubts_half(o, p))
		return DOUBT_NONE;
	return any(p, DOUBT_HANGS) ? DOUBT_HANGS : DOUBT_DESCRIPTORS;
}
