#include "plan/pool.h"

#include <math.h>

#include "plan/shape.h"

/* A connect on a slow machine: so long may a round's last client be behind its first. */
#define SLOWEST_NS 400e3

#define NEARLY 1e-9 /* shares are no whole numbers */

/* A rate goes on while the machine stalls: what is late begins together. */
#define STALL_NS INT64_C(250000000)

bool pool_is_answered(const struct scenario *s)
{
	enum behaviour b = s->server.behaviour;

	return behaviour_does(b, DOES_SERVE) && !behaviour_does(b, DOES_END) &&
	       s->server.vanish == 0 &&
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

/* A connection that is idle for longer is none that serves again. */
static bool outlasts(const struct load *l)
{
	return l->pool.idle_timeout == 0 ||
	       (!load_is_open(l) && l->pool.idle_timeout > l->request.pause + LIFE_SLACK);
}

static double kept_of(const struct load *l)
{
	return outlasts(l) ? (double)l->pool.max_idle : 0;
}

/* Is the first client's request under way still, when the last one begins? */
static bool begins_together(const struct load *l, const struct life *life)
{
	return !load_is_open(l) && (double)life->live.least > concurrency_of(l) * SLOWEST_NS;
}

/* Of those that are due before the first ends, so many: later ones may find its connection. */
static double surely_under_way(const struct load *l, const struct life *life)
{
	int64_t until = life->live.least - STALL_NS;
	struct shape shape;

	if (!load_is_open(l) || until <= 0)
		return 0;
	shape = shape_make(l);
	return fmin((double)shape_due(&shape, until), (double)until / SLOWEST_NS);
}

/* Does a round end before the next begins, however slow the machine? */
static bool is_in_step(const struct load *l, const struct life *life)
{
	if (!outlasts(l) && 2 * l->pool.idle_timeout > l->request.pause)
		return false;
	return begins_together(l, life) && life->live.least == life->live.most &&
	       (double)l->request.pause > concurrency_of(l) * SLOWEST_NS;
}

struct pool_fate pool_fate_of(const struct scenario *s, const struct budget *b,
			      const struct life *life)
{
	const struct load *l = &s->load;
	bool by_turns = s->network.choose != CHOOSE_SEED;
	bool is_known = (b->pairs == 1 || by_turns) && pool_is_answered(s) && s->server.die == 0 &&
			!l->on_failure.flush_pool;
	struct pool_fate f = {.pools = b->pairs,
			      .at_once = is_known ? under_way(l, life) : INFINITY,
			      .kept = l->pool.max_idle ? kept_of(l) : INFINITY,
			      .is_closed = life->quiet.least > 0};
	double over;

	f.each = load_is_open(l) ? ceil(f.at_once / f.pools) : f.at_once;
	over = f.each - f.kept;
	f.share_most = isinf(f.at_once) ? 1 : over > 0 ? over / f.each : 0;
	f.surely = is_known ? surely_under_way(l, life) : 0;
	f.begins_together = is_known && begins_together(l, life);
	f.in_step =
		is_known && b->pairs == 1 && is_in_step(l, life) && l->request.per_connection == 0;
	return f;
}

double pool_late(const struct load *l)
{
	struct shape shape;

	if (!load_is_open(l))
		return 0;
	shape = shape_make(l);
	return (double)shape_most(&shape, STALL_NS);
}

/* One client, whose connection is there still when it asks again: each serves as many as it may. */
static bool is_by_turns(const struct pool_fate *f, const struct scenario *s)
{
	return !load_is_open(&s->load) && f->at_once <= 1 && f->pools <= 1 && f->kept >= 1 &&
	       s->load.on_failure.retry == 0;
}

double pool_opens_most(const struct pool_fate *f, const struct scenario *s, double n)
{
	double served = (double)s->load.request.per_connection, opens;

	if (served > 0 && is_by_turns(f, s))
		return ceil(n / served);
	if (isinf(f->at_once) || n <= f->at_once)
		return n;
	opens = f->pools * f->each + pool_late(&s->load);
	opens += fmax(ceil((n - f->at_once) * f->share_most - NEARLY), 0);
	if (f->share_most > 0 && !f->in_step) /* the last round may be half of one */
		opens += f->pools * (f->each - f->kept);
	return fmin(n, opens + (served > 0 ? ceil(n / served) : 0));
}

double pool_opens_least(const struct pool_fate *f, const struct scenario *s, double n)
{
	double served = (double)s->load.request.per_connection;
	double first = fmin(n, f->begins_together ? f->at_once : fmax(f->surely, 1));

	if (f->in_step && n > f->at_once)
		return f->at_once + floor((n - f->at_once) * f->share_most + NEARLY);
	if (f->in_step)
		return n;
	return fmax(first, served > 0 ? ceil(n / served) : 0);
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

double pool_edge(const struct pool_fate *f, const struct scenario *s)
{
	double cut = f->share_most > 0 ? f->pools * (f->each - f->kept) : 0;

	return f->in_step ? 0 : 2 * f->pools * f->each + cut + pool_late(&s->load);
}
