#include "plan/outline.h"

#include <math.h>

#include "base/order.h"
#include "plan/alone.h"
#include "plan/doubt.h"
#include "plan/fill.h"
#include "plan/lasts.h"
#include "plan/retry.h"
#include "plan/reuse.h"
#include "plan/speed.h"
#include "plan/together.h"
#include "plan/upstream.h"
#include "plan/use.h"

#define SECOND 1e9

enum { DRAWN_MOST = 1 << 16 /* connections: half a millisecond */ };

/* Connections under way at once, of a closed loop. */
static double under_way_of(const struct load_plan *lp)
{
	uint64_t total = lp->load->total;

	return (double)(total ? least(total, lp->concurrency) : lp->concurrency);
}

/* What load.mix, or load.end alone, makes of the ports; returns for how long those that
 * are given back are had, on average of all connections. */
static double set_kept(struct outline *o, const struct plan *p)
{
	struct scenario alone = alone_of(p->scenario, p->loads[0].load);
	double mean_ns = 0;

	for (enum end end = 0; end < ENDS; end++) {
		struct life life = life_so(&alone, &p->budget, p->host, end);
		int64_t all = life_sum(life.live.most, life.quiet.most),
			mean = life_sum(life.live.mean, life.quiet.mean);
		double share = load_share(&alone.load, end);

		if (!load_ends(&alone.load, end))
			continue;
		if (all == FOR_EVER)
			o->kept_share += share;
		else
			o->others_ns = all > o->others_ns ? all : o->others_ns;
		mean_ns += all == FOR_EVER ? 0 : share * (double)mean;
	}
	return mean_ns;
}

/* Of the first so many connections, those that the seed has end so that nobody gives
 * their ports back. */
static double drawn_of(const struct plan *p, uint64_t begun)
{
	const struct load_plan *lp = &p->loads[0];
	struct scenario alone = alone_of(p->scenario, lp->load);
	bool keeps[ENDS];
	double n = 0;

	for (enum end end = 0; end < ENDS; end++) {
		struct life life = life_so(&alone, &p->budget, p->host, end);

		keeps[end] = life.live.most == FOR_EVER || life.quiet.most == FOR_EVER;
	}
	for (uint64_t i = 0; i < begun; i++)
		n += keeps[plan_end(p, lp, i)];
	return n;
}

/* Those that are closed come and go, and those that are not add up. */
static void set_mixed(struct outline *o, const struct plan *p)
{
	const struct load_plan *lp = &p->loads[0];
	uint64_t most = load_begins_most(lp->load, &lp->shape, p->scenario->stop.time);
	double begun = (double)most, mean_ns = set_kept(o, p);

	if (o->rate <= 0 || o->pooled || o->kept_share <= 0 || o->kept_share >= 1)
		return;
	o->closed = fmin(o->rate * mean_ns / SECOND, begun * (1 - o->kept_share));
	o->mixed = begun;
	o->kept = most <= DRAWN_MOST ? drawn_of(p, most) : begun * o->kept_share;
}

/* Of a ramp, those that begin within a port's life at the worst time. */
static double ramp_most(const struct plan *p, double life)
{
	const struct load *l = p->loads[0].load;
	int64_t lasts = load_lasts_ns(l, p->scenario->stop.time);

	return l->ramp.count > 0 && life > 0
		       ? (double)shape_within(&p->loads[0].shape, (int64_t)life, lasts)
		       : INFINITY;
}

/* By Little's law: what is begun a second, times how long each takes; of bursts, those that begin
 * within that. A closed loop begins as many as it can while each is live. */
static double wanted_of(const struct outline *o, const struct plan *p)
{
	const struct shape *shape = &p->loads[0].shape;
	double life = (double)o->live_ns + (double)o->quiet_ns;

	if (o->pooled)
		return NAN;
	if (o->mixed > 0)
		return o->closed + o->kept;
	if (o->live_ns == FOR_EVER || o->quiet_ns == FOR_EVER)
		return INFINITY;
	if (shape->burst)
		return life > 0 ? (double)shape_most(shape, (int64_t)life - 1) : 0;
	if (o->rate > 0)
		return fmin(o->rate * life / SECOND, ramp_most(p, life)) * o->tries;
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
	o->live_most_ns = f->port_life_ns == FOR_EVER ? o->live_ns : f->life_most_ns - f->quiet_ns;
	o->round_ns = p->loads[0].round_ns;
}

/* Connection `n`, counted from 0: by the clock, or as the rounds before it are done. */
static double begins_ns(const struct plan *p, const struct outline *o, uint64_t n)
{
	const struct load_plan *lp = &p->loads[0];
	double start = (double)lp->load->start, rounds;

	if (o->rate > 0)
		return start + (double)shape_when(&lp->shape, n);
	rounds = o->under_way > 0 ? floor((double)n / o->under_way) : 0;
	return start + rounds * (double)o->round_ns;
}

/* Those that never open have had a port too. */
void outline_set_after(struct outline *o, const struct plan *p)
{
	const struct forecast *f = &p->forecast;
	bool opens = f->after_most > 0 && !speed_fills(p->scenario, p->loads[0].load);

	if (f->hangs_ns > 0 || f->refused.most > 0) {
		o->after = (uint64_t)f->refused.likely;
		o->after_least = (uint64_t)f->refused.least;
		o->after_most = (uint64_t)f->refused.most;
		return;
	}
	o->after = opens ? f->after : p->budget.first;
	o->after_least = opens ? f->after_least : p->budget.first;
	o->after_most = opens ? f->after_most : p->budget.first;
}

static void set_failure(struct outline *o, const struct plan *p)
{
	const struct forecast *f = &p->forecast;
	double start = (double)p->loads[0].load->start;
	/* What a pool keeps idle has its port for no time that could be told; and who tries again has
	 * another. */
	bool is_told = (!o->pooled || o->pool.rounds > 0 || o->pool.serves_once) && o->tries == 1;

	o->exhausts = f->exhausts;
	o->known = f->known;
	o->cut_short = f->cut_short;
	o->recovery_ns = FOR_EVER;
	o->clock_ns = begins_ns(p, o, p->budget.first);
	o->back_ns = f->port_life_ns != FOR_EVER ? begins_ns(p, o, 0) + (double)f->port_life_ns
						 : INFINITY;
	if ((!f->exhausts && !f->cut_short) || !f->counted)
		return;
	outline_set_after(o, p);
	o->at_ns = (struct guess){start + f->at.least, start + f->at.likely, start + f->at.most};
	if (f->hangs_ns > 0)
		o->recovery_ns = (int64_t)fmax((double)f->hangs_ns + start - o->at_ns.likely, 0);
	else if (isfinite(o->back_ns) && !f->gone && is_told)
		o->recovery_ns = (int64_t)fmax(o->back_ns - o->at_ns.likely, 0);
}

bool outline_doubts_half(const struct outline *o, const struct plan *p)
{
	bool hangs = false, lacks = false;

	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct load_plan *lp = &p->loads[i];

		hangs |= speed_fills(p->scenario, lp->load);
		lacks |= doubt_descriptors(p, lp) && lp->sockets_most < o->half * p->budget.spaces;
	}
	return (hangs && !p->forecast.exhausts) || lacks;
}

/* A pool that closes some as often as several end together has no time for it that
 * could be told. */
static bool half_is_told(const struct outline *o, const struct plan *p, const struct half *first)
{
	double ports = (double)o->half * first->of->budget.spaces;

	if (outline_doubts_half(o, p))
		return false;
	return p->load_count > 1 || !o->pooled || !pool_churns(&o->pool) || o->pool.likely > ports;
}

/* The other half of the ports is looked at when the first has none left. */
void outline_set_half(struct outline *o, const struct plan *p)
{
	struct half first = fill_half(p);

	if (!first.of)
		return;
	o->half_of = first.of;
	o->half = speed_half(first.of->load, &first.of->budget);
	o->half_cost_ns = speed_scan_ns(first.of->load, &first.of->budget, o->quiet_ns);
	o->half_rate = SECOND / (o->half_cost_ns.likely + SPEED_CONNECT_NS);
	o->half_rate_least = SECOND / (o->half_cost_ns.most + SPEED_MOST_NS);
	o->half_reached = first.at_ns < FOR_EVER && half_is_told(o, p, &first);
	o->half_at_ns = o->half_reached ? (double)first.at_ns : 0;
}

static void set_pool(struct outline *o, const struct plan *p)
{
	struct scenario alone = alone_of(p->scenario, p->loads[0].load);
	struct life life;

	if (!o->pooled)
		return;
	life = life_of(&alone, &p->budget, p->host);
	o->pool = pool_fate_of(&alone, &p->budget, &life);
}

/* By the clock it has more connections than there are ports, while none comes back. */
static bool is_too_slow(const struct outline *o, const struct plan *p)
{
	return o->known && !o->exhausts && !o->cut_short && o->rate <= 0 && !o->pooled &&
	       o->half_reached && o->begun > (double)p->budget.capacity &&
	       o->wanted > (double)p->budget.capacity && o->round_ns > 0;
}

/* In TIME_WAIT, until somebody takes them. */
static struct guess waiting_of(const struct outline *o, const struct plan *p)
{
	double round = (double)o->round_ns / SECOND;
	double rate = o->rate > 0 ? o->rate : round > 0 ? o->under_way / round : INFINITY;

	return reuse_used(p, rate, o->asked);
}

/* By a machine that is never late, until the run ends; and what a dead server refuses then. */
static double begun_most(const struct outline *o, const struct plan *p)
{
	double begun = 0;

	for (uint32_t i = 0; i < p->load_count; i++) {
		struct use u = use_make(p, &p->loads[i], &p->loads[i]);

		begun += use_begun(&u, PACE_QUICK, o->ends_ns.most) + u.beside_later;
	}
	return begun;
}

static uint64_t ports_of(const struct outline *o, const struct plan *p)
{
	double most = fmin((double)together_capacity(p), o->begun_most);
	bool is_kept = p->load_count == 1 && p->budget.kept.ports > 0;

	if (plan_binds_nowhere(p))
		return 0;
	if (upstreams_are_clients(p))
		return p->far_upstreams;
	if (reuse_is_told(p))
		return (uint64_t)fmin(most, waiting_of(o, p).most * p->budget.spaces);
	if (life_may_wait_reused(p))
		return (uint64_t)most;
	if (is_kept && !carriage_lacks(&p->nat.carriage))
		return (uint64_t)fmin(most, (double)p->budget.kept.ports);
	return (uint64_t)fmin(most, ceil(fill_ports_most(p)));
}

/* Beside those of the loads a connect that is timed has a port: one at a time. */
void outline_set_ports(struct outline *o, const struct plan *p)
{
	bool is_timed = p->scenario->sample.latency > 0 && !plan_binds_nowhere(p);

	o->begun_most = begun_most(o, p);
	o->ports = ports_of(o, p);
	o->ports += is_timed && o->ports < together_capacity(p);
}

static struct outline outline_of_one(const struct plan *p)
{
	const struct load_plan *lp = &p->loads[0];
	struct outline o = {.rate = plan_rate(p),
			    .tries = retry_tries(p->scenario, lp->load),
			    .under_way = under_way_of(lp),
			    .pooled = load_is_pooled(lp->load),
			    .some_pooled = load_is_pooled(lp->load)};

	set_life(&o, p);
	set_mixed(&o, p);
	o.wanted = wanted_of(&o, p);
	set_pool(&o, p);
	set_failure(&o, p);
	outline_set_half(&o, p);
	outline_set_end(&o, p);
	o.requests = o.pooled ? o.begun : 0;
	o.too_slow = is_too_slow(&o, p);
	o.waiting = reuse_is_told(p) ? waiting_of(&o, p).likely * p->budget.spaces : 0;
	outline_set_ports(&o, p);
	return o;
}

struct outline outline_of(const struct plan *p)
{
	struct outline o = p->load_count == 1 ? outline_of_one(p) : outline_of_loads(p);

	o.lasts_ns = lasts_ns(p);
	if (p->nat.outside.count)
		o.gateway_ports = p->nat.carriage.each / p->nat.outside.count;
	return o;
}

double outline_mean_ns(const struct outline *o, const struct plan *p)
{
	const struct forecast *f = &p->forecast;
	double all = (double)o->live_ns + (double)o->quiet_ns, mean;

	if (p->load_count > 1 || is_kept(o) || f->rate >= f->gateway_rate || !isfinite(f->rate) ||
	    f->rate <= 0)
		return 0;
	mean = (double)p->budget.capacity / f->rate * SECOND;
	return mean < 0.99 * all ? mean : 0;
}

double outline_pool_at_once(const struct outline *o)
{
	return o->rate > 0 ? o->pool.pools * o->pool.each : o->under_way * o->pool.pools;
}

bool outline_pool_lacks(const struct outline *o, const struct plan *p)
{
	double at_once = outline_pool_at_once(o);

	return isfinite(at_once) && at_once > (double)p->budget.capacity;
}

bool outline_pool_has_rate(const struct outline *o, const struct plan *p)
{
	/* Each failure ends all that is idle: no share is known, but that of a client each. */
	bool flushes = p->loads[0].load->on_failure.flush_pool &&
		       behaviour_does(p->scenario->server.behaviour, DOES_SERVE);

	return p->forecast.pool_ns > 0 || (o->pooled && flushes && outline_pool_lacks(o, p));
}
