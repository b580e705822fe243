#include "drive/squat.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drive/alarm.h"
#include "sys/clock.h"
#include "sys/plain.h"
#include "sys/ring.h"

enum {
	BACKLOG = 16, /* nobody connects to these */
	LOOK_NS = 1000000,
	EVENTS_MOST = 256, /* of ports that could not be had: the first tell enough */
};

struct squat {
	const struct plan *plan;
	const struct lab *lab;
	const struct drive_hooks *hooks;
	struct arena *arena;
	struct err *err; /* of who opens it; once that is done, &late_err */
	struct ring **rings;
	uint32_t ring_count, held; /* sockets so far */
	uint32_t link;		   /* that squat.address is of; 0: any */
	int64_t until_ns;	   /* when stop.time is over; squat_zero() sets it anew */
	bool ok;

	struct alarm alarm; /* of squat.start; its thread lives until squat_close() */
	sem_t done;
	_Atomic bool ending;
	int64_t zero_ns; /* written before alarm_begin(), as are those that squat_zero() changes */
	bool is_late;	 /* what cannot be had is counted, and no error */
	struct tape tape;
	uint64_t refused;
	struct err late_err;
};

/* What is asked for, and where; for errors. */
struct wish {
	const char *key;
	struct mark at;
	bool listens;
	uint32_t count; /* of ports that have no name */
};

/* Neither a signal nor stop.time waits for the last of tens of thousands. */
static bool goes_on(const struct squat *q)
{
	return !*q->hooks->interrupted && !atomic_load(&q->ending) && clock_now() < q->until_ns;
}

/* Of a service that starts late this is what comes of it: none of the load's failures. */
static bool note_refusal(struct squat *q, uint16_t port, enum stage stage, int error, uint32_t n)
{
	if (q->refused < EVENTS_MOST)
		tape_event(&q->tape, (struct event){.t_ns = clock_now() - q->zero_ns,
						    .value = port,
						    .dest = NOWHERE,
						    .kind = EVENT_SQUAT_REFUSED,
						    .stage = stage,
						    .error = (uint16_t)error});
	q->tape.squat_errors[stage][error < ERRNOS ? error : 0] += n;
	q->refused += n;
	return true;
}

static bool refuse(struct squat *q, const struct wish *w, uint16_t port, enum stage stage,
		   int error)
{
	const struct scenario *s = q->plan->scenario;

	if (q->is_late)
		return note_refusal(q, port, stage, error, 1);
	if (port)
		err_set(q->err, ERR_SCENARIO, "%s cannot have port %u: %s", w->key, port,
			errno_words(error));
	else
		err_set(q->err, ERR_SCENARIO, "%s cannot have so many ports: %s", w->key,
			errno_words(error));
	if (error == EADDRNOTAVAIL)
		err_hint(q->err, "The address is not one of the client's.");
	else if (error == EADDRINUSE)
		err_hint(q->err, "Somebody else holds it; ask for others.");
	return scenario_blame(s, w->at, q->err);
}

/* The slot that the next socket has; a table that is full is followed by another. */
static bool keep(struct squat *q, int fd)
{
	uint32_t slots = q->plan->squat.ring_slots, slot = q->held % slots;
	int e;

	if (slot == 0) {
		if (!ring_open(&q->rings[q->ring_count], slots, q->arena, q->err)) {
			close(fd);
			return false;
		}
		q->ring_count++;
	}
	e = ring_adopt(q->rings[q->ring_count - 1], slot, fd);
	q->held++;
	return e == 0 || err_sys(q->err, -e, "could not keep a socket");
}

/* A socket, or -errno and *stage. Without a port it is not bound: listen() gives it one. */
static int hold(const struct squat *q, bool listens, uint16_t port, enum stage *stage)
{
	const struct squat_plan *p = &q->plan->squat;
	struct endpoint at = endpoint_make(p->family, p->address, port);
	struct socket_wish wish = {.family = p->family,
				   .protocol = q->plan->scenario->squat.protocol,
				   .source = port ? &at : NULL};
	int fd;

	endpoint_scope(&at, q->link);
	fd = socket_make(&wish, stage);
	if (fd >= 0 && listens && listen(fd, BACKLOG) < 0) {
		int e = errno;

		*stage = STAGE_LISTEN;
		close(fd);
		return -e;
	}
	return fd;
}

static bool take(struct squat *q, const struct wish *w, uint16_t port)
{
	enum stage stage;
	int fd = hold(q, w->listens, port, &stage);

	return fd < 0 ? refuse(q, w, port, stage, -fd) : keep(q, fd);
}

static bool take_unbound(struct squat *q, const struct wish *w)
{
	for (uint32_t i = 0; i < w->count && goes_on(q); i++)
		if (!take(q, w, 0))
			return false;
	return true;
}

static bool take_list(struct squat *q, const struct wish *w, const struct port_list *ports)
{
	for (size_t i = 0; i < ports->count; i++)
		for (uint32_t port = ports->list[i].lo; port <= ports->list[i].hi && goes_on(q);
		     port++)
			if (!take(q, w, (uint16_t)port))
				return false;
	return true;
}

static bool is_reserved(const struct scenario *s, uint16_t port)
{
	return ports_within(&s->network.reserved, (struct port_range){port, port}) > 0;
}

/* Ports of the range: the first, and each `step` further. */
struct comb {
	uint32_t first, step;
};

/* One pass over them: every so many-th, or those between. */
static bool take_pass(struct squat *q, const struct wish *w, struct comb c, bool between,
		      uint32_t until)
{
	struct port_range range = q->plan->scenario->network.ports;
	uint32_t size = (range.hi - range.lo + c.step - c.first) / c.step;
	uint32_t count = w->count < size ? w->count : size;

	for (uint32_t i = 0; i < size && q->held < until && goes_on(q); i++) {
		uint16_t port = (uint16_t)(range.lo + c.first + i * c.step);
		bool due = (uint64_t)(i + 1) * count / size > (uint64_t)i * count / size;
		enum stage stage;
		int fd;

		if (due == between || is_reserved(q->plan->scenario, port))
			continue;
		fd = hold(q, w->listens, port, &stage);
		if (fd == -EADDRINUSE)
			continue;
		if (fd < 0)
			return refuse(q, w, port, stage, -fd);
		if (!keep(q, fd))
			return false;
	}
	return true;
}

/* Evenly, so that a search finds a free port as soon anywhere; what is held already is passed over.
 * All of them are bound by name: of 28,232 ports the kernel took 56 s of a processor to choose
 * 27,949 (Linux 6.18). */
static bool take_spread(struct squat *q, const struct wish *w, const struct comb *combs, size_t n)
{
	uint32_t until = q->held + w->count;

	for (size_t i = 0; i < n; i++)
		if (!take_pass(q, w, combs[i], false, until) ||
		    !take_pass(q, w, combs[i], true, until))
			return false;
	if (q->held == until || !goes_on(q))
		return true;
	return q->is_late ? note_refusal(q, 0, STAGE_BIND, EADDRINUSE, until - q->held)
			  : refuse(q, w, 0, STAGE_BIND, EADDRINUSE);
}

static bool take_ballast(struct squat *q, const struct wish *w)
{
	static const struct comb all = {0, 1};

	return take_spread(q, w, &all, 1);
}

/* bind(address, 0) has ports of the other parity than connect() while there are any
 * (inet_csk_find_open_port() in net/ipv4/inet_connection_sock.c). */
static bool take_number(struct squat *q, const struct wish *w)
{
	static const struct comb halves[] = {{1, 2}, {0, 2}};

	return take_spread(q, w, halves, sizeof(halves) / sizeof(halves[0]));
}

/* There is nothing to say of who was interrupted. */
static bool is_in_time(struct squat *q)
{
	const struct scenario *s = q->plan->scenario;

	if (q->held == q->plan->squat.early || *q->hooks->interrupted)
		return true;
	err_set(q->err, ERR_SCENARIO, "%u of %u ports were held when stop.time was over", q->held,
		q->plan->squat.early);
	err_hint(q->err, "Raise it, or hold fewer with squat and load.ballast.");
	return s->stop.at.time.line ? err_at(q->err, s->stop.at.time,
					     scenario_line(s->source, s->stop.at.time.line))
				    : false;
}

/* All that is no ballast. */
static bool take_wishes(struct squat *q)
{
	const struct scenario *s = q->plan->scenario;
	const struct squat_plan *p = &q->plan->squat;
	const struct wish listen = {"squat.listen", s->squat.at.listen, true, 0},
			  unbound = {"squat.unbound", s->squat.at.unbound, true, p->unbound},
			  ports = {"squat.ports", s->squat.at.ports, false, 0},
			  bind = {"squat.bind", s->squat.at.bind, false, p->bind};

	return take_list(q, &listen, &s->squat.listen) && take_list(q, &ports, &s->squat.ports) &&
	       take_number(q, &bind) && take_unbound(q, &unbound);
}

static void take_late(struct squat *q)
{
	int64_t start_ns;

	alarm_await(&q->alarm);
	start_ns = q->zero_ns + q->plan->scenario->squat.start;
	if (alarm_until(&q->alarm, start_ns) && !take_wishes(q))
		atomic_store(&q->hooks->pulse->broken, true);
	sem_post(&q->done);
}

static void *squat_thread(void *context)
{
	struct squat *q = context;
	const struct scenario *s = q->plan->scenario;
	const struct wish ballast = {"load.ballast", s->load.at.ballast, false,
				     q->plan->squat.ballast};

	q->ok = lab_enter(q->lab, LAB_CLIENT, q->err) &&
		link_find(&q->link, address_link(s, q->plan->squat.address), q->err) &&
		(s->squat.start > 0 || take_wishes(q)) && take_ballast(q, &ballast) &&
		is_in_time(q);
	alarm_ready(&q->alarm);
	if (q->ok && s->squat.start > 0)
		take_late(q);
	return NULL;
}

bool squat_open(struct squat **out, const struct plan *plan, const struct lab *lab,
		const struct drive_hooks *hooks, struct arena *arena, struct err *err)
{
	const struct squat_plan *p = &plan->squat;
	struct squat *q;

	*out = NULL;
	if (p->sockets == 0)
		return true;
	q = ARENA_NEW(arena, struct squat);
	*q = (struct squat){.plan = plan, .lab = lab, .hooks = hooks, .arena = arena, .err = err};
	if (!tape_open(&q->tape, EVENTS_MOST, 0, 0, arena, err))
		return false;
	tape_live(&q->tape, -1, hooks->events_fd, hooks->run);
	q->until_ns = clock_now() + plan->scenario->stop.time;
	q->rings = ARENA_ARRAY(arena, struct ring *, p->sockets / p->ring_slots + 1);
	sem_init(&q->done, 0, 0);
	if (!alarm_start(&q->alarm, squat_thread, q, "holds ports", err)) {
		sem_destroy(&q->done);
		return false;
	}
	*out = q;
	return q->ok;
}

void squat_zero(struct squat *q, int64_t now_ns)
{
	if (!q)
		return;
	q->zero_ns = now_ns;
	q->until_ns = now_ns + q->plan->scenario->stop.time;
	q->err = &q->late_err;
	q->is_late = true;
	alarm_begin(&q->alarm);
}

void squat_await(struct squat *q)
{
	while (q && q->plan->scenario->squat.start > 0 && goes_on(q) && sem_trywait(&q->done) < 0)
		clock_sleep(LOOK_NS);
}

bool squat_close(struct squat *q, struct tape *out, struct err *err)
{
	if (!q)
		return true;
	if (q->zero_ns == 0) /* it never began: nothing is taken any more */
		q->zero_ns = clock_now();
	atomic_store(&q->ending, true);
	alarm_stop(&q->alarm);
	sem_destroy(&q->done);
	for (uint32_t i = 0; i < q->ring_count; i++)
		ring_close(q->rings[i]);
	tape_merge(out, &q->tape);
	out->squat_held = q->held;
	out->squat_refused = q->refused;
	memcpy(out->squat_errors, q->tape.squat_errors, sizeof(out->squat_errors));
	if (q->late_err.kind && err->kind == ERR_NONE)
		*err = q->late_err;
	return q->late_err.kind == ERR_NONE;
}
