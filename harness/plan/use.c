#include "plan/use.h"

#include <math.h>

#include "base/order.h"
#include "plan/alone.h"
#include "plan/bind.h"
#include "plan/buckets.h"
#include "plan/linger.h"
#include "plan/retry.h"
#include "plan/shape.h"
#include "plan/speed.h"
#include "plan/split.h"
#include "plan/unanswered.h"

#define SECOND 1e9

static const struct {
	double connect_ns, late_ns;
} paces[PACES] = {
	[PACE_SLOW] = {SPEED_SLOWEST_NS, SPEED_HELD_UP_NS},
	[PACE_USUAL] = {SPEED_CONNECT_NS, 0},
	[PACE_QUICK] = {0, 0}, /* speed_least_ns() */
};

static double connect_ns(const struct use *u, enum pace pace)
{
	double each = pace == PACE_QUICK ? speed_least_ns(u->load->load) : paces[pace].connect_ns;

	return each * u->crowd[pace];
}

/* The part of a processor's time that a load has its connects take: all of it, if it
 * has none to wait for. */
static double busy_of(const struct load_plan *lp)
{
	double round = (double)lp->round_ns + SPEED_CONNECT_NS;
	double rate =
		load_is_open(lp->load) ? shape_asks(&lp->shape) : lp->concurrency * SECOND / round;

	return fmin(rate * SPEED_CONNECT_NS / SECOND, fmax(lp->workers, 1));
}

/* Of a processor's time, what each load has at least where they share so many: those
 * that want less leave the rest to the others. */
static double share_of(const struct plan *p, double processors)
{
	double share = 0, before;

	do {
		double left = processors;
		uint32_t others = 0;

		before = share;
		for (uint32_t i = 0; i < p->load_count; i++)
			if (busy_of(&p->loads[i]) <= share)
				left -= busy_of(&p->loads[i]);
			else
				others++;
		share = others ? left / others : 1;
	} while (share > before && share < 1);
	return fmin(share, 1);
}

/* On a slow machine all loads have one processor, which SPEED_SLOWEST_NS allows two for. */
static void set_crowd(struct use *u, const struct plan *p)
{
	u->crowd[PACE_SLOW] = speed_crowd(p->load_count);
	u->crowd[PACE_USUAL] = 1 / share_of(p, split_processors(p));
	u->crowd[PACE_QUICK] = 1;
}

static void set_ends(struct use *u, const struct scenario *alone, const struct host *host)
{
	for (enum end end = 0; end < ENDS; end++) {
		struct life life = life_so(alone, &u->load->budget, host, end);
		int64_t all = life_sum(life.live.mean, life.quiet.mean);

		u->shares[end] = load_ends(&alone->load, end) ? load_share(&alone->load, end) : 0;
		u->opens_ns[end] = all == FOR_EVER ? INFINITY : (double)life.live.mean;
		u->lives_ns[end] = all == FOR_EVER ? INFINITY : (double)all;
	}
}

/* What a gateway that has no port for it lets down hangs, and may be answered at its
 * last moment. */
static bool is_let_down(const struct plan *p)
{
	return carriage_lacks(&p->nat.carriage) && !p->nat.fits;
}

/* With each of its tries that hang, and the waits between them. */
static int64_t longest_ns(const struct use *u, const struct plan *p, const struct scenario *alone)
{
	const struct load *l = &alone->load;
	int64_t all = life_sum(u->life.live.most, u->life.quiet.most);
	int64_t hangs =
		is_let_down(p) ? 1 + (int64_t)l->on_failure.retry : retry_tries(alone, l) - 1;

	if (all == FOR_EVER)
		return FOR_EVER;
	all += hangs > 0 ? hangs * unanswered_ns(alone, l) + retry_most_ns(l) : 0;
	return all + SPEED_STALL_NS + u->life.late_ns + (u->is_pooled ? l->pool.idle_timeout : 0);
}

/* What a dead server refuses has its port for no longer than the answer takes: of UDP it waits. */
static bool is_refused_later(const struct scenario *alone)
{
	return alone->server.die > 0 && alone->server.vanish == 0 && life_opens(alone) &&
	       alone->load.protocol == PROTOCOL_TCP && !speed_fills(alone, &alone->load);
}

/* Then none begins that is to be counted. What is open then may wait after its FIN, and
 * once more. */
static void set_death(struct use *u, const struct scenario *alone, const struct host *host)
{
	if (!is_refused_later(alone))
		return;
	u->is_steady = true;
	u->lasts_ns =
		sooner(u->lasts_ns, later(alone->server.die + LIFE_SLACK - alone->load.start, 0));
	u->beside_later = (double)life_refused_most(&u->load->budget);
	if (u->most_ns < FOR_EVER && u->life.quiet.most > 0)
		u->most_ns += alone->network.time_wait + life_wait_late_ns(alone, host);
}

struct use use_make(const struct plan *p, const struct load_plan *load,
		    const struct load_plan *asker)
{
	const struct load *l = load->load;
	struct scenario alone = alone_of(p->scenario, l);
	struct use u = {.load = load,
			.clients = load_is_open(l) ? 0 : load->concurrency,
			.total = l->total ? (double)l->total : INFINITY,
			.lasts_ns = load_lasts_ns(l, p->scenario->stop.time),
			.is_pooled = load_is_pooled(l),
			.is_steady = isinf(speed_changes_ns(p->scenario, l)),
			.half_ns = {INFINITY, INFINITY, INFINITY}};
	struct guess scan;
	uint64_t few;

	if (load != asker)
		life_look_at(&alone, asker ? asker->load : NULL);
	u.life = life_of(&alone, &load->budget, p->host);
	if (asker && bind_takes_port(asker->bind) && u.life.quiet.most > 0) {
		u.life.quiet.most = u.life.quiet.mean =
			later(u.life.quiet.most, p->scenario->network.time_wait);
		u.life.late_ns = later(u.life.late_ns, life_wait_late_ns(p->scenario, p->host));
	}
	set_crowd(&u, p);
	set_ends(&u, &alone, p->host);
	if (u.is_pooled)
		u.pool = pool_fate_of(&alone, &load->budget, &u.life);
	if (is_let_down(p)) /* and then how many are under way nobody knows */
		u.pool.at_once = INFINITY;
	u.most_ns = longest_ns(&u, p, &alone);
	u.lasts_ns = sooner(u.lasts_ns, life_fails_ns(&alone, &u.life).most);
	set_death(&u, &alone, p->host);
	u.beside = linger_most(&alone);
	few = buckets_few(&alone, &load->budget, p->host);
	u.waits_most = few > 0 ? (double)few : INFINITY;
	u.total = load_binds_nowhere(p, load) ? 0 : u.total;
	u.clients = fmin(u.clients, u.total);
	scan = speed_scan_ns(l, &load->budget, u.life.quiet.most);
	u.scan_ns[PACE_SLOW] = scan.most;
	u.scan_ns[PACE_USUAL] = scan.likely;
	return u;
}

void use_slow_down(struct use *u, const double half_ns[PACES])
{
	for (int k = 0; k < PACES; k++)
		u->half_ns[k] = half_ns[k];
}

/* As many as are due, if nobody is ever late; of a load that lasts so long. */
static double due(const struct use *u, double since_ns)
{
	double ns = fmin(since_ns, (double)u->lasts_ns - 1);

	return ns < 0 ? 0 : fmin((double)shape_due(&u->load->shape, (int64_t)ns), u->total);
}

/* From one connection of a client to its next. */
static double round_ns(const struct use *u, enum pace pace)
{
	const struct span *live = &u->life.live;
	double pause = (double)u->load->load->request.pause;

	if (pace == PACE_QUICK)
		return (double)live->least + pause;
	if (pace == PACE_USUAL)
		return (double)live->mean + pause;
	return speed_round_most_ns((double)live->most + pause) + u->clients * connect_ns(u, pace);
}

/* Round by round, each client once. */
static double in_rounds(const struct use *u, enum pace pace, double since_ns)
{
	double round = round_ns(u, pace), whole;

	if (round <= 0)
		return INFINITY;
	whole = floor(since_ns / round);
	return whole * u->clients +
	       fmin(u->clients, (since_ns - whole * round) / connect_ns(u, pace) + 1);
}

/* With half of the ports free. */
static double begun_quickly(const struct use *u, enum pace pace, double since_ns)
{
	double ns = fmin(since_ns, (double)u->lasts_ns - 1) - paces[pace].late_ns, by_clock;
	double by_machine = ns / connect_ns(u, pace) + (pace == PACE_SLOW ? 0 : 1);

	if (ns < 0)
		return 0;
	by_clock = u->clients > 0 ? in_rounds(u, pace, ns) : due(u, ns);
	return floor(fmin(fmin(by_clock, by_machine), u->total));
}

static double begun_since(const struct use *u, enum pace pace, double since_ns)
{
	double half = u->half_ns[pace] - (double)u->load->load->start;
	double all = begun_quickly(u, pace, since_ns), slow;

	if (since_ns <= half || since_ns < 0)
		return all;
	slow = (since_ns - fmax(half, 0)) / (connect_ns(u, pace) + u->scan_ns[pace]);
	return fmin(all, begun_quickly(u, pace, fmax(half, 0)) + floor(slow));
}

double use_begun(const struct use *u, enum pace pace, double ns)
{
	return begun_since(u, pace, ns - (double)u->load->load->start);
}

static double since(const struct use *u, double ns)
{
	return ns - (double)u->load->load->start;
}

/* Has a client another connection to begin? */
static bool goes_on(const struct use *u, double since_ns)
{
	return since_ns >= 0 && since_ns < (double)u->lasts_ns &&
	       begun_since(u, PACE_USUAL, since_ns - SPEED_CONNECT_NS) < u->total;
}

/* Of connections: those that were not begun before a port's life began, whoever was late. */
static double connections_least(const struct use *u, double since_ns)
{
	int64_t life = life_sum(u->life.live.least, u->life.quiet.least);
	double begun = begun_since(u, PACE_SLOW, since_ns);
	double over = life == FOR_EVER ? 0 : begun_since(u, PACE_QUICK, since_ns - (double)life);

	return fmax(begun - over, 0);
}

static double connections_likely(const struct use *u, double since_ns)
{
	double begun = begun_since(u, PACE_USUAL, since_ns), used = 0, waits = 0;

	if (u->clients > 0 && u->life.quiet.most == 0 && goes_on(u, since_ns))
		return fmin(u->clients, begun);
	for (enum end end = 0; end < ENDS; end++) {
		double life = fmax(u->lives_ns[end], SPEED_CONNECT_NS);
		double live = fmax(u->opens_ns[end], SPEED_CONNECT_NS), closed;

		if (u->shares[end] <= 0)
			continue;
		closed = begun_since(u, PACE_USUAL, since_ns - live);
		used += u->shares[end] * (begun - closed);
		waits += u->shares[end] *
			 fmax(closed - begun_since(u, PACE_USUAL, since_ns - life), 0);
	}
	return used + fmin(waits, u->waits_most);
}

/* Of `clients`, rounds that leave their ports within a port's life. */
static double rounds_most(const struct use *u)
{
	double round = round_ns(u, PACE_QUICK);

	if (u->life.quiet.most == 0)
		return u->clients + u->beside;
	if (round <= 0 || u->most_ns == FOR_EVER)
		return INFINITY;
	return u->clients * (ceil((double)u->most_ns / round) + 1);
}

static double connections_most(const struct use *u, double since_ns)
{
	double begun = begun_since(u, PACE_QUICK, since_ns);

	if (u->clients > 0)
		return fmin(begun, rounds_most(u));
	if (u->most_ns == FOR_EVER)
		return begun;
	return fmin(begun, due(u, since_ns) - due(u, since_ns - (double)u->most_ns));
}

/* Those of a pool that were opened and not closed, or wait since. */
static double pooled_least(const struct use *u, double since_ns)
{
	const struct pool_fate *f = &u->pool;
	double opened = pool_opens_least(f, begun_since(u, PACE_SLOW, since_ns)), over;

	if (isinf(f->at_once))
		return 0;
	over = begun_since(u, PACE_QUICK, since_ns - (double)u->life.quiet.least);
	over = over > 0 ? pool_opens_most(f, over) : 0;
	return fmax(opened - over, pool_share(f) > 0 ? 0 : fmin(opened, f->kept * f->pools));
}

/* Requests that are spread evenly find a connection as soon as there are as many as are
 * under way. */
static double pooled_likely(const struct use *u, double since_ns)
{
	const struct pool_fate *f = &u->pool;
	double begun = begun_since(u, PACE_USUAL, since_ns), before, window;
	double idle = f->expires ? (double)u->load->load->pool.idle_timeout : 0;

	window = (double)u->life.live.mean + (double)u->life.quiet.mean + idle;
	before = begun_since(u, PACE_USUAL, since_ns - window);
	return fmin(begun,
		    f->likely + floor(pool_later_likely(f, begun) - pool_later_likely(f, before)));
}

/* Of so many requests in a port's life: those that were open as it began, and those
 * that it opens. */
static double pooled_within(const struct pool_fate *f, double requests)
{
	double share = pool_share(f);
	double held_up = isinf(f->between) ? 0 : f->late * floor(requests / f->between);

	return pool_edge(f) + (share > 0 ? ceil(requests * share) : 0) + held_up;
}

static double pooled_most(const struct use *u, double since_ns)
{
	double opens = pool_opens_most(&u->pool, begun_since(u, PACE_QUICK, since_ns)), requests;

	if (u->most_ns == FOR_EVER || isinf(u->pool.at_once))
		return opens;
	requests = u->clients > 0 ? rounds_most(u)
				  : due(u, since_ns) - due(u, since_ns - (double)u->most_ns);
	return fmin(opens, pooled_within(&u->pool, requests));
}

double use_least(const struct use *u, double ns)
{
	return (u->is_pooled ? pooled_least : connections_least)(u, since(u, ns));
}

double use_likely(const struct use *u, double ns)
{
	return (u->is_pooled ? pooled_likely : connections_likely)(u, since(u, ns));
}

double use_most(const struct use *u, double ns)
{
	return u->beside_later + (u->is_pooled ? pooled_most : connections_most)(u, since(u, ns));
}

/* As many as it begins in all, on a machine that is never late. A client whose first
 * connection lasts until the end has no other. */
static double in_all(const struct use *u)
{
	double most = due(u, (double)u->lasts_ns);

	if (u->clients > 0)
		most = fmin(in_rounds(u, PACE_QUICK, (double)u->lasts_ns - 1), u->total);
	return u->is_pooled ? pool_opens_most(&u->pool, most) : most;
}

/* A socket that is never closed has its descriptor for as long as its port, whatever
 * else is opened. */
static double described(const struct use *u)
{
	bool keeps = u->is_pooled ? u->pool.keeps_all : load_share(u->load->load, END_LEAK) >= 1;

	return keeps ? (double)u->load->sockets_most : (double)INFINITY;
}

/* Of a rate, where it may come to half of the ports: with those that wait. */
static bool falls_behind(const struct use *u)
{
	double ports = (double)shape_most(&u->load->shape, u->most_ns);

	return u->clients == 0 &&
	       !speed_keeps_up(u->load, fmin(ports, in_all(u)) / u->load->budget.spaces);
}

double use_peak(const struct use *u)
{
	double most = fmin(in_all(u), described(u)), within;

	if (!u->is_steady || u->most_ns == FOR_EVER || falls_behind(u))
		return most + u->beside_later;
	within = u->clients > 0 ? rounds_most(u) : (double)shape_most(&u->load->shape, u->most_ns);
	if (u->is_pooled)
		within = isinf(u->pool.at_once) ? INFINITY : pooled_within(&u->pool, within);
	return fmin(most, within) + u->beside_later;
}

double use_open_peak(const struct use *u)
{
	struct use open = *u;

	if (u->is_pooled || u->life.quiet.most == FOR_EVER || falls_behind(u))
		return use_peak(u);
	open.life.quiet = span_of(0);
	open.most_ns -= u->life.quiet.most + u->life.late_ns;
	return use_peak(&open);
}
