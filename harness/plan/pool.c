#include "plan/pool.h"

#include <math.h>

#include "plan/shape.h"
#include "plan/speed.h"

#define NEARLY 1e-9 /* shares are no whole numbers */

/* A machine is not held up so for longer than once in this time. */
#define STALLS_NS 10e9

/* Of the requests whose connections are gone before the next, those that find none: a machine that is held
 * up has some that are late, and find one. */
#define PROMPT 0.9

/* Of those that open a connection where all end together, those that do where some of them do: from none to
 * all were seen, half of them of rates and of clients that pause (Linux 6.18). */
#define TOGETHER 0.5

#define SECOND 1e9

bool pool_is_answered(const struct scenario *s)
{
	enum behaviour b = s->server.behaviour;

	return behaviour_does(b, DOES_SERVE) && !behaviour_does(b, DOES_END) &&
	       s->server.vanish == 0 && s->server.die == 0 &&
	       (s->load.request.receive == 0 || answer_span(s).most < s->load.timeout);
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

/* Is each gone when the next request of its pair comes? Of a rate that is always the same, and whose
 * requests are not under way together; of a closed loop whose clients ask together. */
static bool surely_expires(const struct scenario *s, const struct life *life, uint32_t pairs)
{
	const struct load *l = &s->load;
	double gap = pool_gap_ns(l, pairs), idle = (double)l->pool.idle_timeout;

	if (idle <= 0 || l->ramp.count > 0 || l->burst.size > 0)
		return false;
	if (load_is_open(l))
		return gap - (double)life->live.most > idle + (double)LIFE_SLACK;
	return gap > idle + concurrency_of(l) * slowest_connect_ns(s) + (double)LIFE_SLACK;
}

/* Of requests that come evenly and take the same time, has the one that ended last before another comes
 * been idle for too long by then? */
static bool likely_expires(const struct load *l, const struct life *life, uint32_t pairs)
{
	double gap = pool_gap_ns(l, pairs), live = (double)life->live.most;
	double idle = (double)l->pool.idle_timeout;

	if (idle <= 0 || l->ramp.count > 0 || l->burst.size > 0 ||
	    life->live.least < life->live.most || isinf(gap))
		return false;
	return (load_is_open(l) ? (floor(live / gap) + 1) * gap - live : gap) > idle;
}

/* Is the first client's request under way still, when the last one begins? */
static bool begins_together(const struct scenario *s, const struct life *life)
{
	return !load_is_open(&s->load) &&
	       (double)life->live.least > concurrency_of(&s->load) * slowest_connect_ns(s);
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

/* Does a round end before the next begins, however slow the machine? */
static bool is_in_step(const struct scenario *s, const struct life *life, uint32_t pairs)
{
	const struct load *l = &s->load;

	if (!outlasts(l, pairs) && 2 * l->pool.idle_timeout > l->request.pause)
		return false;
	return begins_together(s, life) && life->live.least == life->live.most &&
	       (double)l->request.pause > concurrency_of(l) * slowest_connect_ns(s);
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
	f->between = l->pool.idle_timeout || f->kept < f->each + f->late
			     ? fmax(STALLS_NS, (double)l->pool.idle_timeout) / slowest_ns(l)
			     : INFINITY;
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
			      const struct life *life)
{
	const struct load *l = &s->load;
	bool by_turns = s->network.choose != CHOOSE_SEED;
	bool is_known =
		(b->pairs == 1 || by_turns) && pool_is_answered(s) && !l->on_failure.flush_pool;
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
	f.in_step = is_known && b->pairs == 1 && is_in_step(s, life, b->pairs) &&
		    l->request.per_connection == 0;
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

double pool_opens_most(const struct pool_fate *f, double n)
{
	double opens;

	if (f->served > 0 && f->by_turns)
		return ceil(n / f->served);
	if (isinf(f->at_once) || n <= f->at_once)
		return n;
	opens = f->pools * f->each + f->late * (1 + floor(n / f->between));
	opens += fmax(ceil((n - f->at_once) * f->share_most - NEARLY), 0);
	if (f->share_most > 0 && !f->in_step) /* the last round may be half of one */
		opens += f->pools * (f->each - f->kept);
	return fmin(n, opens + (f->served > 0 ? ceil(n / f->served) : 0));
}

double pool_opens_least(const struct pool_fate *f, double n)
{
	double first = fmin(n, f->begins_together ? f->at_once : fmax(f->surely, 1));

	if (f->in_step && n > f->at_once)
		return f->at_once + floor((n - f->at_once) * f->share_most + NEARLY);
	if (f->in_step)
		return n;
	if (f->surely_expires)
		first = fmax(first, floor(n * PROMPT / f->each));
	return fmax(first, f->served > 0 ? ceil(n / f->served) : 0);
}

bool pool_churns(const struct pool_fate *f)
{
	return isfinite(f->at_once) && !f->expires && !f->in_step && f->share_most > 0;
}

double pool_share_likely(const struct pool_fate *f)
{
	if (f->in_step || f->likely_expires)
		return f->share_most;
	return fmin((pool_churns(f) ? f->share_most * TOGETHER : 0) +
			    (f->served > 0 ? 1 / f->served : 0),
		    1);
}

double pool_opens_likely(const struct pool_fate *f, double n)
{
	double first = pool_churns(f) ? f->likely : 0, later = fmax(n - first, 0);
	double opens = fmax(f->likely, first + ceil(later * pool_share_likely(f) - NEARLY));

	return fmin(n, fmax(opens, pool_opens_least(f, n)));
}

double pool_round_of(const struct pool_fate *f, uint64_t ports)
{
	double each = f->at_once - f->kept;

	if (!f->in_step || each <= 0)
		return INFINITY;
	if ((double)ports < f->at_once)
		return 0;
	return (floor(((double)ports - f->at_once) / each) + 1) * f->at_once;
}

double pool_edge(const struct pool_fate *f)
{
	double cut = f->share_most > 0 ? f->pools * (f->each - f->kept) : 0;

	return f->in_step ? 0 : 2 * f->pools * f->each + cut + f->late;
}
