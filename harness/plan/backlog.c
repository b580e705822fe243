#include "plan/backlog.h"

#include "base/order.h"
#include "plan/retry.h"
#include "plan/shape.h"
#include "plan/speed.h"
#include "plan/unanswered.h"

#define SECOND INT64_C(1000000000)

enum { LOOKED_MOST = 1 << 20 /* connections */ };

/* How it is reckoned: by the clock, or by a machine that is late with the one or the other. */
struct way {
	int64_t room;	    /* connections more than the backlog's own that it takes */
	int64_t timeout_ns; /* for how long a connect has its port */
	int64_t late_ns;    /* of the server */
	bool asks_again;    /* what hangs may be open once its SYN has been sent again */
};

/* Connections so far, in the order of the clock: begun, and open. */
struct queue {
	uint64_t begun, open;
};

static uint64_t begun_by(const struct scenario *s, const struct shape *shape, int64_t ns)
{
	uint64_t due = ns < 0 ? 0 : shape_due(shape, ns);

	return s->load.total ? least(due, s->load.total) : due;
}

/* The backlog's, one more, and what was accepted, the first at once. */
static uint64_t room_by(const struct scenario *s, const struct way *w, int64_t ns)
{
	int64_t every = s->server.accept_every, at = later(ns - w->late_ns, 0);

	return (uint64_t)later(
		(int64_t)s->server.backlog + 1 + w->room + (every ? at / every + 1 : 0), 0);
}

/* What finds no room as it comes hangs, however much is accepted later. */
static void queue_next(struct queue *q, const struct scenario *s, const struct shape *shape,
		       const struct way *w, uint64_t begun)
{
	for (; q->begun < begun; q->begun++)
		q->open = least(q->open + 1, room_by(s, w, shape_when(shape, q->begun)));
}

/* Of the first so many, by a time. Both queues go on from call to call: as it is, and as it was when SYNs were
 * sent that have been sent again by now, TCP_TIMEOUT_INIT later. */
static uint64_t open_of(struct queue q[2], const struct scenario *s, const struct shape *shape,
			const struct way *w, uint64_t begun, int64_t ns)
{
	queue_next(&q[0], s, shape, w, begun);
	if (!w->asks_again)
		return q[0].open;
	queue_next(&q[1], s, shape, w, begun_by(s, shape, ns - SECOND + LIFE_SLACK));
	return least(q[0].open + (q[1].begun - q[1].open), room_by(s, w, ns));
}

/* The first connection, counted from 0, that finds all ports in use; 0: none does. */
static uint64_t refused_of(const struct scenario *s, const struct shape *shape,
			   const struct budget *b, const struct way *w, int64_t until)
{
	uint64_t all = least(begun_by(s, shape, until), LOOKED_MOST);
	struct queue q[2] = {{0, 0}, {0, 0}};

	for (uint64_t i = b->usable; i < all; i++) {
		int64_t before = shape_when(shape, i) - w->timeout_ns;
		uint64_t begun = begun_by(s, shape, before);

		if (i - begun + open_of(q, s, shape, w, begun, before) >= b->usable)
			return i;
	}
	return 0;
}

/* When the first connect is begun that finds the backlog full. */
static int64_t first_hang_ns(const struct scenario *s, const struct shape *shape,
			     const struct way *w, int64_t until)
{
	uint64_t all = least(begun_by(s, shape, until), LOOKED_MOST);

	for (uint64_t i = 0; i < all; i++)
		if (room_by(s, w, shape_when(shape, i)) <= i)
			return shape_when(shape, i);
	return FOR_EVER;
}

/* What hangs is asked again after a second, TCP_TIMEOUT_INIT, when the server may have room for some. */
static bool may_open_later(const struct scenario *s)
{
	return s->server.accept_every > 0 && s->load.timeout >= SECOND - LIFE_SLACK;
}

/* One listener, and ports that stay with what is open for as long as the run lasts. */
static bool is_told(const struct scenario *s, const struct budget *b, const struct life *life)
{
	return load_is_open(&s->load) && b->pairs == 1 && b->usable > 0 && b->first == b->usable &&
	       !load_is_pooled(&s->load) && s->server.die == 0 && s->server.vanish == 0 &&
	       s->load.on_failure.retry == 0 && s->sample.latency == 0 && !b->may_lose_one &&
	       life_sum(life->live.least, life->quiet.least) > s->stop.time;
}

static void keep(struct forecast *f, const struct scenario *s, const struct shape *shape,
		 const struct way ways[3], const uint64_t refused[3])
{
	uint64_t open[3];

	for (int i = 0; i < 3; i++) { /* the one that is refused is not one of them */
		struct queue q[2] = {{0, 0}, {0, 0}};

		open[i] = open_of(q, s, shape, &ways[i], refused[i], shape_when(shape, refused[i]));
	}
	if (open[1] == refused[1]) /* the ports end before the backlog does */
		f->hangs_ns = 0;
	f->exhausts = f->known = f->counted = true;
	f->cut_short = false;
	f->after_least = least(open[0], open[2]);
	f->after = open[1];
	f->after_most = may_open_later(s) ? most(refused[0], refused[2]) : most(open[0], open[2]);
	f->at = (struct guess){(double)shape_when(shape, refused[0]),
			       (double)shape_when(shape, refused[1]),
			       (double)(shape_when(shape, refused[2]) + LIFE_SLACK)};
	f->refused = (struct guess){(double)refused[0], (double)refused[1], (double)refused[2]};
}

bool backlog_foresee(struct forecast *f, const struct scenario *s, const struct budget *b,
		     const struct life *life)
{
	const struct way ways[] = {
		{1, unanswered_ns(s, &s->load) + LIFE_SLACK, 0, may_open_later(s)},
		{0, unanswered_ns(s, &s->load), 0, may_open_later(s)},
		{-1, later(unanswered_ns(s, &s->load) - LIFE_SLACK, 0), SPEED_STALL_NS, false},
	};
	struct shape shape = shape_make(&s->load);
	int64_t until = load_lasts_ns(&s->load, s->stop.time), hangs;
	uint64_t refused[3];

	if (!is_told(s, b, life))
		return false;
	hangs = first_hang_ns(s, &shape, &ways[1], until);
	if (hangs != FOR_EVER && s->load.on_failure.then == ON_FAILURE_STOP)
		until = sooner(until, hangs + unanswered_ns(s, &s->load));
	for (int i = 0; i < 3; i++)
		refused[i] = refused_of(s, &shape, b, &ways[i], until);
	if (refused[2] == 0 && (refused[0] > 0 || begun_by(s, &shape, until) > LOOKED_MOST))
		return false;
	f->known = true;
	f->exhausts = f->counted = f->cut_short = false;
	f->hangs_ns = hangs == FOR_EVER ? 0 : hangs + unanswered_ns(s, &s->load);
	if (refused[0] == 0)
		return true;
	keep(f, s, &shape, ways, refused);
	return true;
}
