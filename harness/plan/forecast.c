#include "plan/forecast.h"

#include <math.h>

#include "base/order.h"
#include "plan/accept.h"
#include "plan/backlog.h"
#include "plan/bind.h"
#include "plan/buckets.h"
#include "plan/life.h"
#include "plan/linger.h"
#include "plan/pool.h"
#include "plan/retry.h"
#include "plan/shape.h"
#include "plan/speed.h"
#include "plan/unanswered.h"

#define SECOND INT64_C(1000000000)

/* Rounds that are in step may be late by this much together. */
#define STEP_SLACK 100e6

/* Services on loopback whose ports the load may have: where nobody listens, a connection to one may
 * meet itself, and keep the port. */
static uint64_t kept_by_itself(const struct scenario *s)
{
	const struct service_wish *wish = &s->network.services;
	struct port_range range = bind_ports(&s->load, s->network.ports);
	uint64_t n = 0;

	if (s->network.topology != TOPOLOGY_LOOPBACK || !wish->list || life_opens(s))
		return 0;
	for (uint64_t i = 0; i < wish->count; i++) {
		struct port_range port = {wish->list[i].port, wish->list[i].port};

		n += port.lo >= range.lo && port.lo <= range.hi &&
		     ports_within(&s->network.reserved, port) == 0;
	}
	return n;
}

/* Connections that are not closed yet, or whose close is under way: of an open loop those of a machine, and a far
 * end, that is held up. */
static double under_way_of(const struct scenario *s, const struct life *life)
{
	struct shape shape = shape_make(&s->load);

	if (load_is_open(&s->load))
		return (double)shape_most(&shape, life_sum(life->live.most, SPEED_STALL_NS));
	return concurrency_of(&s->load) + (double)kept_by_itself(s) + linger_most(s);
}

/* No more wait than there are buckets, where each is in TIME_WAIT as soon as its client is done with it: a client
 * of a closed loop has read the server's FIN by then. */
static uint64_t waiting_most(const struct scenario *s, const struct budget *b,
			     const struct host *host)
{
	const struct load *l = &s->load;
	bool reads_fin =
		load_share(l, END_SHUTDOWN) >= 1 && s->server.behaviour == BEHAVIOUR_ANSWER;
	uint64_t few = buckets_few(s, b, host);

	return few > 0 && (reads_fin || load_is_open(l)) ? few + BUCKETS_RACE : 0;
}

/* A closed loop whose ports are free with their close never has more in use than are under way, nor any load whose
 * ports wait no more than so many at once. */
static bool bounded(const struct scenario *s, const struct budget *b, const struct life *life,
		    uint64_t waiting)
{
	bool waits = life->quiet.most > 0;
	/* Where some take longer than others, all that are under way may be of one space; and so may be
	 * those that wait. */
	uint64_t ports = waits || life->live.least < life->live.most ? b->usable : b->capacity;

	return life->quiet.most < FOR_EVER && (waits ? waiting > 0 : !load_is_open(&s->load)) &&
	       under_way_of(s, life) + (waits ? (double)waiting : 0) <= (double)ports;
}

/* No more are open than were under way at once, to each destination: those that have the
 * same ports share them. What is due while a machine is held up is for pool_suffices(). */
static bool keeps_enough(const struct scenario *s, const struct budget *b,
			 const struct pool_fate *pool)
{
	uint64_t sharing = b->pairs / b->spaces;

	return !load_is_open(&s->load) && pool->keeps_all &&
	       pool->each * (double)sharing <= b->usable;
}

/* Requests at most; INFINITY: as many as the machine can. */
static double requests_of(const struct scenario *s)
{
	const struct load *l = &s->load;
	struct shape shape = shape_make(l);
	double due =
		load_is_open(l) ? (double)shape_due(&shape, (int64_t)speed_ends_ns(s)) : INFINITY;

	return fmin(l->total ? (double)l->total : INFINITY, due);
}

/* In step: the round in which more are opened than there are ports. */
static void foresee_rounds(struct forecast *f, const struct scenario *s, const struct budget *b,
			   const struct life *life, const struct pool_fate *pool)
{
	double requests = pool_round_of(pool, b->first), round = (double)life->live.most;
	double at = requests / pool->at_once * (round + (double)s->load.request.pause);
	double held = (double)life->quiet.least;

	f->exhausts = f->known = f->counted = pool->is_closed && !b->may_lose_one &&
					      requests + pool->at_once <= requests_of(s) &&
					      at + STEP_SLACK < fmin(speed_ends_ns(s), held);
	f->after = f->after_least = f->after_most = b->first;
	f->at = (struct guess){at, at, at + STEP_SLACK};
}

/* The requests that the ports carry, where as many as may open a connection; none, if there are more
 * at once than ports. */
static void pool_carries(struct forecast *f, const struct scenario *s, const struct budget *b,
			 const struct pool_fate *pool)
{
	double idle = pool->expires ? (double)s->load.pool.idle_timeout : 0;
	double window = (double)f->life_most_ns + idle + (double)f->late_ns, left;
	double share = pool_share(pool);

	f->pool_edge = pool_edge(pool);
	f->pool_ns = window;
	left = (double)b->capacity - f->pool_edge;
	if (pool->pools * pool->each > (double)b->capacity)
		return;
	f->pool_rate = share <= 0 || f->port_life_ns == FOR_EVER ? INFINITY
		       : left > 0				 ? left * SECOND / window / share
								 : 0;
}

/* No more are in use than were open when a port's life began, and were opened in it. */
static bool pool_suffices(const struct forecast *f, const struct scenario *s,
			  const struct budget *b, const struct pool_fate *pool)
{
	struct shape shape = shape_make(&s->load);
	double n;

	if (!load_is_open(&s->load) || isinf(pool->at_once) || f->port_life_ns == FOR_EVER)
		return false;
	n = (double)shape_most(&shape, f->life_most_ns + f->late_ns + s->load.pool.idle_timeout);
	return n * pool_share(pool) + pool_edge(pool) + pool->late * floor(n / pool->between) <=
		       (double)b->first &&
	       speed_ends_ns(s) <= speed_changes_ns(s, &s->load);
}

/* The connection that is refused, counted from 0, if it is begun while all before it hold their
 * ports still. Where some of them give theirs back, the seed says when those that never do have
 * all; until then it is a race. */
struct refusal {
	uint64_t least, likely, most;
	uint64_t sure;	/* by then at the latest, on any machine */
	double held_ns; /* by those before it, each for so long at least */
	bool by_clock;	/* what the far end does is reckoned with */
};

/* Of named ports a connection asks for each before it is refused, and others are opened meanwhile. */
static uint64_t passed_by(const struct scenario *s, const struct budget *b, uint64_t refused)
{
	const struct load *l = &s->load;
	struct shape shape;
	uint64_t others;

	if (!bind_names_port(l->bind.way) || refused == 0 || refused >= b->capacity)
		return refused;
	shape = load_is_open(l) ? shape_make(l) : (struct shape){0};
	others = load_is_open(l) ? shape_most(&shape, LIFE_SLACK) : concurrency_of(l);
	return least(refused + others, b->capacity);
}

static struct refusal first_of(const struct scenario *s, const struct budget *b, double least_ns)
{
	uint64_t most = passed_by(s, b, b->first);

	return (struct refusal){.least = budget_surely(b, s, &s->load).first,
				.likely = b->first,
				.most = most,
				.sure = most,
				.held_ns = least_ns};
}

static struct refusal kept_of(const struct scenario *s, const struct budget *b)
{
	return (struct refusal){.least = b->kept.least,
				.likely = b->kept.likely,
				.most = passed_by(s, b, b->kept.most),
				.sure = passed_by(s, b, b->kept.full),
				.held_ns = b->kept.held_ns,
				.by_clock = b->kept.by_clock};
}

/* Connects that hang and are tried again: each request has a port from its begin until its last try is
 * over, but while it waits for the next. */
static struct refusal tried_of(const struct scenario *s, const struct budget *b)
{
	unsigned tries = retry_tries(s, &s->load);
	struct shape shape = shape_make(&s->load);
	uint64_t waits;

	if (tries == 1 || !load_is_open(&s->load))
		return (struct refusal){0};
	waits = shape_most(&shape, retry_most_ns(&s->load) + LIFE_SLACK);
	return (struct refusal){.least = b->first,
				.likely = b->first + waits,
				.most = b->first + waits,
				.sure = b->first + waits,
				.held_ns = (double)unanswered_ns(s, &s->load) * tries};
}

/* By then, at the latest? What is on its way when the server's backlog is full hangs, and has its port
 * as well: then a closed loop waits. */
static bool refuses(const struct scenario *s, const struct refusal *r, struct guess pace,
		    double until)
{
	bool so_many = s->load.total == 0 || s->load.total > r->sure;
	bool waits = speed_fills(s, &s->load) && !load_is_open(&s->load) &&
		     concurrency_of(&s->load) + s->server.backlog + 1 <= r->sure;
	double changes = speed_fills(s, &s->load) ? (double)unanswered_ns(s, &s->load)
			 : r->by_clock		  ? (double)INFINITY
						  : speed_changes_ns(s, &s->load);

	return so_many && !waits && pace.most < fmin(fmin(until, changes), r->held_ns);
}

/* Nothing is opened any more once the server is dead, or its host gone: what has a port still waits or hangs. */
static void limit_opened(struct forecast *f, const struct scenario *s)
{
	double changes = fmax(speed_changes_ns(s, &s->load), 0);
	struct shape shape = shape_make(&s->load);
	int64_t at = isinf(changes) ? FOR_EVER : (int64_t)changes;

	if (at == FOR_EVER || speed_fills(s, &s->load) || s->load.protocol == PROTOCOL_UDP ||
	    !load_is_open(&s->load))
		return; /* a backlog that is full changes as much, and is counted by itself */
	f->gone = f->after > shape_due(&shape, at - 1);
	f->after = least(f->after, shape_due(&shape, at - 1));
	f->after_least = least(f->after_least, shape_due(&shape, at - LIFE_SLACK));
	f->after_most = least(f->after_most, shape_due(&shape, at + SPEED_STALL_NS) + 1);
}

/* Connects that are timed by themselves begin with the run (drive/prober.c). */
static uint64_t timed_by(const struct scenario *s, double ns)
{
	double begun_ns = (double)s->load.start + ns;

	return s->sample.latency ? (uint64_t)(begun_ns / (double)s->sample.latency) : 0;
}

/* The backlog, one that is too many for it, and one that is accepted; each that is timed has a place, too. */
static void limit_queued(struct forecast *f, const struct scenario *s)
{
	uint64_t room = s->server.backlog + (s->server.accept_every ? 2 : 1);

	f->after = least(f->after, less(room, timed_by(s, f->at.likely)));
	f->after_least = least(f->after_least, less(s->server.backlog, timed_by(s, f->at.most)));
}

static void keep_refusal(struct forecast *f, const struct scenario *s, const struct budget *b,
			 const struct life *life, const struct refusal *r)
{
	bool opens = life_opens(s);

	f->counted = true;
	f->after = opens ? r->likely : 0;
	f->after_least = opens ? r->least : 0;
	f->after_most = opens ? r->most : 0;
	limit_opened(f, s);
	f->at = (struct guess){speed_pace(s, b, life, r->least).least,
			       speed_pace(s, b, life, r->likely).likely,
			       speed_pace(s, b, life, r->sure).most};
	if (speed_fills(s, &s->load))
		limit_queued(f, s);
}

/* The refusal that is sure, if any is: soon enough for `until`. */
static bool foresee_refusal(struct forecast *f, const struct scenario *s, const struct budget *b,
			    const struct life *life, double until)
{
	int64_t least = b->capacity ? life_sum(life->live.least, life->quiet.least) : FOR_EVER;
	const struct refusal ways[] = {
		first_of(s, b, least == FOR_EVER ? INFINITY : (double)least),
		kept_of(s, b),
		tried_of(s, b),
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		const struct refusal *r = &ways[i];

		if ((r->sure == 0 && (b->capacity || i > 0)) || r->held_ns <= 0 ||
		    !refuses(s, r, speed_pace(s, b, life, r->sure), until))
			continue;
		keep_refusal(f, s, b, life, r);
		return true;
	}
	return false;
}

/* One request more than there are ports is begun before the first of them ends, or its connection gives its
 * port back, however slow the machine. */
static bool foresee_first(struct forecast *f, const struct scenario *s, const struct budget *b,
			  const struct life *life, const struct pool_fate *pool)
{
	double until = fmin(speed_ends_ns(s), (double)life_fails_ns(s, life).least);
	int64_t held = pool->serves_once ? life_sum(life->live.least, life->quiet.least)
					 : life->live.least;
	const struct refusal r =
		first_of(s, b, b->capacity && held < FOR_EVER ? (double)held : INFINITY);

	if ((r.sure == 0 && b->capacity) || bind_shares_port(&s->load) ||
	    bind_may_repeat(s, &s->load) || !refuses(s, &r, speed_pace(s, b, life, r.sure), until))
		return false;
	keep_refusal(f, s, b, life, &r);
	return f->exhausts = f->known = true;
}

/* How many connections a pool opens is a matter of when its requests come, but for two bounds
 * (plan/pool.h): where no more than there are ports can be, none lacks one. And as long as none of the
 * requests has ended, each has opened one. */
static void foresee_pool(struct forecast *f, const struct scenario *s, const struct budget *b,
			 const struct life *life)
{
	const struct pool_fate pool = pool_fate_of(s, b, life);
	const struct budget sure = budget_surely(b, s, &s->load);

	f->rate = f->rate_sure = NAN;
	if ((pool.is_closed || pool.keeps_all) && isfinite(pool.at_once))
		pool_carries(f, s, b, &pool);
	if (foresee_first(f, s, b, life, &pool))
		return;
	f->known = keeps_enough(s, &sure, &pool) || pool_suffices(f, s, &sure, &pool) ||
		   pool_opens_most(&pool, requests_of(s)) <= (double)sure.first;
	if (!f->known && s->sample.latency == 0)
		foresee_rounds(f, s, b, life, &pool);
}

static uint64_t begun_most(const struct scenario *s)
{
	struct shape shape = shape_make(&s->load);

	return load_begins_most(&s->load, &shape, s->stop.time);
}

/* No machine is sooner: an open loop may be by the clock, however slow connects are past half full. A server that
 * dies ends what its clients wait for, and what it refuses then is answered at once: a closed loop goes on. */
static double soonest_ns(const struct scenario *s, const struct budget *b, const struct life *life)
{
	struct shape shape = shape_make(&s->load);
	bool hastens = s->load.protocol == PROTOCOL_UDP || s->server.die > 0;
	double changes = hastens ? fmax(speed_changes_ns(s, &s->load), 0) : INFINITY;

	return load_is_open(&s->load) ? (double)shape_when(&shape, b->first)
				      : fmin(speed_pace(s, b, life, b->first).least, changes);
}

/* What is due while a machine is held up begins together; in a closed loop nothing is. */
static int64_t held_up_ns(const struct scenario *s, int64_t lasts_ns)
{
	return load_is_open(&s->load) && lasts_ns > 0 ? SPEED_CLOSE_LATE_NS : LIFE_SLACK;
}

/* A connection has ports for so long at most, one after the other: timers may be late. */
static int64_t tried_ns(const struct scenario *s, const struct life *life)
{
	unsigned again = retry_tries(s, &s->load) - 1;
	int64_t all = life_sum(life->live.most, life->quiet.most);

	if (all == FOR_EVER)
		return FOR_EVER;
	all += again == 0 ? 0 : again * unanswered_ns(s, &s->load) + retry_most_ns(&s->load);
	return all + life->late_ns + held_up_ns(s, all);
}

/* Of a ramp the first that could be refused may be late, and the rate more than that afterwards. */
static bool never_more(const struct scenario *s, const struct budget *b, int64_t most)
{
	struct shape shape = shape_make(&s->load);

	return s->load.ramp.count == 0 || shape_most(&shape, most) <= b->first;
}

/* If the first that could be refused is not, none is, for the load is the same at all times. But
 * what is drawn can come to one pair at any time; and a port that the load's own sockets share is
 * never wanted for, unless it is somebody else's. */
static void foresee(struct forecast *f, const struct scenario *s, const struct budget *b,
		    const struct life *life, const struct host *host)
{
	const struct budget sure = budget_surely(b, s, &s->load);
	double next = soonest_ns(s, &sure, life);
	int64_t most = tried_ns(s, life);
	bool goes_on = speed_ends_ns(s) <= speed_changes_ns(s, &s->load);
	bool by_clock = b->kept.by_clock || goes_on;
	bool steady = goes_on && b->first == b->capacity;
	uint64_t begun = begun_most(s);
	bool never = (bind_shares_port(&s->load) && b->capacity) ||
		     (s->load.total && s->load.total <= sure.first) ||
		     (by_clock && begun <= b->kept.near) ||
		     (steady &&
		      ((most < FOR_EVER && next >= (double)most && never_more(s, &sure, most)) ||
		       bounded(s, &sure, life, waiting_most(s, b, host))));
	struct span fails = life_fails_ns(s, life);
	bool not_yet = next >= fmin(speed_ends_ns(s), (double)fails.most);
	bool told = b->first || !b->capacity;
	double until = fmin(speed_ends_ns(s), (double)fails.least);

	f->exhausts = !never && !not_yet && foresee_refusal(f, s, b, life, until);
	f->known = (f->exhausts || ((never || not_yet) && told)) && !bind_may_repeat(s, &s->load);
	f->cut_short =
		!never && !f->exhausts &&
		foresee_refusal(f, s, b, life, fmin(speed_lasts_ns(&s->load), (double)fails.least));
	if (speed_fills(s, &s->load))
		backlog_foresee(f, s, b, life);
}

struct forecast forecast_make(const struct scenario *s, const struct budget *b,
			      const struct host *host)
{
	struct life life = life_of(s, b, host);
	struct forecast f = {
		.port_life_ns = life_sum(life.live.mean, life.quiet.mean),
		.life_least_ns = life_sum(life.live.least, life.quiet.least),
		.life_most_ns = life_sum(life.live.most, life.quiet.most),
		.quiet_ns = life.quiet.most,
		.late_ns = life.late_ns,
		.gateway_rate = INFINITY,
	};

	f.rate = f.rate_sure = b->capacity ? INFINITY : 0;
	if (b->capacity && (f.life_most_ns > 0 || f.late_ns > 0) && !bind_overshadows(&s->load)) {
		double pairs = (double)b->capacity * SECOND / retry_tries(s, &s->load);

		f.rate = f.port_life_ns > 0 ? pairs / life_mean(s, b, host) : NAN;
		f.rate_sure = pairs / life_mean_late(s, b, host);
		buckets_bound(&f, s, b, host);
	}
	/* Nobody knows how many hang, or for how long others wait to be accepted. */
	if (accept_wait_ns(s) > s->server.accept_every || (speed_fills(s, &s->load) && f.rate > 0))
		f.rate = f.rate_sure = NAN;
	if (load_is_pooled(&s->load)) {
		life.live = life_request(s);
		foresee_pool(&f, s, b, &life);
	} else {
		foresee(&f, s, b, &life, host);
	}
	return f;
}
