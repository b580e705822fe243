#include "plan/pool.h"

#include <math.h>

#include "base/order.h"
#include "plan/accept.h"
#include "plan/answer.h"
#include "plan/shape.h"
#include "plan/speed.h"

#define NEARLY 1e-9 /* shares are no whole numbers */

/* A machine is not held up so for longer than once in this time. */
#define STALLS_NS 10e9

/* Of the requests whose connections are gone before the next, those that find none: a
 * machine that is held up has some that are late, and find one. */
#define PROMPT 0.9

/* Of those that open a connection where all end together, those that do where some of
 * them do: from none to all were seen, half of them of rates and of clients that pause
 * (Linux 6.18). */
#define TOGETHER 0.5

#define SECOND 1e9

bool pool_is_answered(const struct scenario *s)
{
	enum behaviour b = s->server.behaviour;

	return behaviour_does(b, DOES_SERVE) && !behaviour_does(b, DOES_END) &&
	       s->server.vanish == 0 && s->server.die == 0 && accept_wait_ns(s) == 0 &&
	       answer_comes(s);
}

/* Those that begin within a request's time. */
static double under_way(const struct load *l, const struct life *life)
{
	struct shape shape;

	if (!load_is_open(l))
		return concurrency_of(l);
	shape = shape_make(l);
	return (double)shape_most(&shape, life->live.most > 0 ? life->live.most - 1 : 0);
}

/* Of a rate that is the slowest of a ramp; bursts are as far apart as they are. */
static double slowest_ns(const struct load *l)
{
	struct shape shape = shape_make(l);
	double least = INFINITY;

	if (shape.burst)
		return (double)shape.every_ns;
	for (uint32_t i = 0; i < shape.count; i++)
		least = fmin(least, shape.steps[i].from);
	return least > 0 ? SECOND / least : INFINITY;
}

double pool_gap_ns(const struct load *l, uint32_t pairs)
{
	return load_is_open(l) ? slowest_ns(l) * pairs : (double)l->request.pause;
}

/* A connection that is idle for longer is none that serves again. */
static bool outlasts(const struct load *l, uint32_t pairs)
{
	return l->pool.idle_timeout == 0 ||
	       (double)l->pool.idle_timeout > pool_gap_ns(l, pairs) + (double)LIFE_SLACK;
}

/* What a connect takes on the slowest machine: as long as all loads of the run may have it take. */
static double slowest_connect_ns(const struct scenario *s)
{
	return SPEED_SLOWEST_NS * speed_crowd((uint32_t)scenario_loads(s));
}

/* Is each gone when the next request of its pair comes? Of a rate that is always the
 * same, and whose requests are not under way together; of one client. Several come to
 * ask by turns, and each finds another's. */
static bool surely_expires(const struct scenario *s, const struct life *life, uint32_t pairs)
{
	const struct load *l = &s->load;
	double gap = pool_gap_ns(l, pairs), idle = (double)l->pool.idle_timeout;

	if (idle <= 0 || l->ramp.count > 0 || l->burst.size > 0)
		return false;
	if (load_is_open(l))
		return gap - (double)life->live.most > idle + (double)LIFE_SLACK;
	return concurrency_of(l) == 1 && gap > idle + slowest_connect_ns(s) + (double)LIFE_SLACK;
}

/* Of requests that come evenly and take the same time, has the one that ended last
 * before another comes been idle for too long by then? */
static bool likely_expires(const struct load *l, const struct life *life, uint32_t pairs)
{
	double gap = pool_gap_ns(l, pairs), live = (double)life->live.most;
	double idle = (double)l->pool.idle_timeout;

	if (idle <= 0 || l->ramp.count > 0 || l->burst.size > 0 ||
	    life->live.least < life->live.most || isinf(gap))
		return false;
	return (load_is_open(l) ? (floor(live / gap) + 1) * gap - live : gap) > idle;
}

/* Is the first client's request under way still, when the last one begins, though a
 * thread is held up meanwhile? */
static bool begins_together(const struct scenario *s, const struct life *life)
{
	return !load_is_open(&s->load) &&
	       (double)life->live.least >
		       concurrency_of(&s->load) * slowest_connect_ns(s) + (double)LIFE_SLACK;
}

/* Of those that are due before the first ends, so many: later ones may find its connection. */
static double surely_under_way(const struct scenario *s, const struct life *life)
{
	int64_t until = life->live.least - SPEED_STALL_NS;
	struct shape shape;

	if (!load_is_open(&s->load) || until <= 0)
		return 0;
	shape = shape_make(&s->load);
	return fmin((double)shape_due(&shape, until), (double)until / slowest_connect_ns(s));
}

/* How far apart the clients of a round may be, so that none begins before all have
 * asked, and no next round before all have ended and, where they are thrown away, are
 * gone; 0: they have no rounds. */
static double together_ns(const struct scenario *s, const struct life *life, uint32_t pairs)
{
	const struct load *l = &s->load;
	int64_t thrown = outlasts(l, pairs) ? 0 : l->pool.idle_timeout + LIFE_SLACK;
	bool has_rounds = !load_is_open(l) && pairs == 1 && life->live.least == life->live.most &&
			  l->request.per_connection == 0;

	return has_rounds ? (double)sooner(life->live.least, l->request.pause - thrown) : 0;
}

/* For how many rounds they are all together: who opens a connection is later each time,
 * by what that takes. */
static double rounds_of(double together_ns, double clients, double connect_ns, double held_up_ns,
			double later_ns)
{
	double left = together_ns - clients * connect_ns - held_up_ns;

	return left > 0 ? 1 + floor(left / (connect_ns + later_ns)) : 0;
}

/* A thread of the slowest machine may be held up once in a time, and those that it
 * keeps then are late by that. */
static void set_rounds(struct pool_fate *f, const struct scenario *s, const struct life *life)
{
	double together = together_ns(s, life, (uint32_t)f->pools);
	double round = (double)life->live.most + (double)s->load.request.pause;

	f->rounds = rounds_of(together, f->at_once, slowest_connect_ns(s), (double)LIFE_SLACK,
			      SPEED_HELD_UP_NS * round / STALLS_NS);
	f->rounds_likely = rounds_of(together, f->at_once, SPEED_CONNECT_NS, 0, 0);
}

/* What is known of the requests at once, and of the connections that are there for them. */
static void set_bounds(struct pool_fate *f, const struct load *l)
{
	uint32_t pairs = (uint32_t)f->pools;
	double over;

	f->expires = !outlasts(l, pairs);
	f->kept = f->expires ? 0 : l->pool.max_idle ? (double)l->pool.max_idle : INFINITY;
	f->each = load_is_open(l) ? ceil(f->at_once / f->pools) : f->at_once;
	over = f->each - f->kept;
	f->share_most = isinf(f->at_once) ? 1 : over > 0 ? over / f->each : 0;
	f->served = (double)l->request.per_connection;
	f->late = pool_late(l);
	f->keeps_all = isfinite(f->at_once) && l->pool.idle_timeout == 0 &&
		       f->kept >= f->each + f->late && f->served <= 0;
	f->between = f->keeps_all ? INFINITY
				  : fmax(STALLS_NS, (double)l->pool.idle_timeout) / slowest_ns(l);
	/* One client, whose connection is there still when it asks again: each serves as many as it may. */
	f->by_turns = !load_is_open(l) && f->at_once <= 1 && f->pools <= 1 && f->kept >= 1 &&
		      l->on_failure.retry == 0;
}

/* Those that begin within a request's time, on average; one, where each is done at once. */
static double likely_at_once(const struct load *l, const struct life *life)
{
	struct shape shape;

	if (!load_is_open(l))
		return concurrency_of(l);
	shape = shape_make(l);
	return shape.burst ? under_way(l, life)
			   : fmax(ceil(shape_asks(&shape) * (double)life->live.most / SECOND), 1);
}

struct pool_fate pool_fate_of(const struct scenario *s, const struct budget *b,
			      const struct life *connection)
{
	const struct load *l = &s->load;
	const struct life request = {life_request(s), connection->quiet, 0}, *life = &request;
	bool by_turns = s->network.choose != CHOOSE_SEED;
	bool is_known = (b->pairs == 1 || by_turns || !load_is_open(l)) && pool_is_answered(s) &&
			!l->on_failure.flush_pool;
	struct pool_fate f = {.pools = b->pairs,
			      .at_once = is_known ? under_way(l, life) : INFINITY,
			      .likely = fmax(likely_at_once(l, life), b->pairs),
			      .is_closed = life->quiet.least > 0};

	set_bounds(&f, l);
	f.serves_once = s->server.behaviour == BEHAVIOUR_IGNORE && l->request.receive > 0;
	f.surely = is_known ? surely_under_way(s, life) : 0;
	f.likely_expires = is_known && likely_expires(l, life, b->pairs);
	f.surely_expires = is_known && surely_expires(s, life, b->pairs);
	f.begins_together = is_known && begins_together(s, life);
	if (is_known)
		set_rounds(&f, s, life);
	return f;
}

double pool_late(const struct load *l)
{
	struct shape shape;

	if (!load_is_open(l))
		return 0;
	shape = shape_make(l);
	return (double)shape_most(&shape, SPEED_STALL_NS);
}

double pool_share(const struct pool_fate *f)
{
	return fmin(f->share_most + (f->served > 0 ? 1 / f->served : 0), 1);
}

/* Of those that come together, round by round, so many open one: of each round, whole
 * or not, those that find none of the connections that are kept. */
static double opened_in_step(const struct pool_fate *f, double n)
{
	double later = fmax(n - f->at_once, 0), whole = floor(later / f->at_once);
	double rest = later - whole * f->at_once;

	return fmin(n, f->at_once) + whole * fmax(f->at_once - f->kept, 0) +
	       fmax(rest - f->kept, 0);
}

double pool_opens_most(const struct pool_fate *f, double n)
{
	double opens;

	if (pool_is_in_step(f, n))
		return opened_in_step(f, n);
	if (f->served > 0 && f->by_turns)
		return ceil(n / f->served);
	if (isinf(f->at_once) || n <= f->at_once)
		return n;
	opens = f->pools * f->each + f->late * (1 + floor(n / f->between));
	opens += fmax(ceil((n - f->at_once) * f->share_most - NEARLY), 0);
	if (f->share_most > 0) /* the last round may be half of one */
		opens += f->pools * (f->each - f->kept);
	return fmin(n, opens + (f->served > 0 ? ceil(n / f->served) : 0));
}

double pool_opens_least(const struct pool_fate *f, double n)
{
	double first = fmin(n, f->begins_together ? f->at_once : fmax(f->surely, 1));

	if (f->rounds > 0)
		first = opened_in_step(f, fmin(n, f->rounds * f->at_once));
	if (f->surely_expires)
		first = fmax(first, floor(n * PROMPT - f->late));
	return fmax(first, f->served > 0 ? ceil(n / f->served) : 0);
}

bool pool_is_in_step(const struct pool_fate *f, double n)
{
	return f->rounds > 0 && n <= f->rounds * f->at_once;
}

bool pool_churns(const struct pool_fate *f)
{
	return isfinite(f->at_once) && !f->expires && f->rounds_likely <= 0 && f->share_most > 0;
}

/* The share of the requests that open one where they are in no step. */
static double share_likely(const struct pool_fate *f)
{
	if (f->likely_expires)
		return f->share_most;
	return fmin((isfinite(f->at_once) && !f->expires ? f->share_most * TOGETHER : 0) +
			    (f->served > 0 ? 1 / f->served : 0),
		    1);
}

double pool_later_likely(const struct pool_fate *f, double n)
{
	double stepped = isfinite(f->at_once) ? fmin(n, f->rounds_likely * f->at_once) : 0;

	return stepped * f->share_most + (n - stepped) * share_likely(f);
}

double pool_opens_likely(const struct pool_fate *f, double n)
{
	bool renews = pool_churns(f) || f->rounds_likely > 0;
	double first = renews ? f->likely : 0, later = fmax(n - first, 0);
	double opens = fmax(f->likely, first + ceil(pool_later_likely(f, later) - NEARLY));

	return fmin(n, fmax(opens, pool_opens_least(f, n)));
}

double pool_round_of(const struct pool_fate *f, uint64_t ports)
{
	double each = f->at_once - f->kept, before;

	if (f->rounds <= 0 || each <= 0)
		return INFINITY;
	if ((double)ports < f->at_once)
		return 0;
	before = (floor(((double)ports - f->at_once) / each) + 1) * f->at_once;
	return pool_is_in_step(f, before + f->at_once) ? before : INFINITY;
}

double pool_edge(const struct pool_fate *f)
{
	double cut = f->share_most > 0 ? f->pools * (f->each - f->kept) : 0;

	return 2 * f->pools * f->each + cut + f->late;
}
