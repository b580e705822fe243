#include "drive/squat.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/plain.h"
#include "sys/ring.h"

enum { BACKLOG = 16 }; /* nobody connects to these */

struct squat {
	const struct plan *plan;
	const struct lab *lab;
	struct arena *arena;
	struct err *err;
	const volatile sig_atomic_t *interrupted;
	struct ring **rings;
	uint32_t ring_count, held; /* sockets so far */
	int64_t until_ns;	   /* when stop.time is over */
	bool ok;
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
	return !*q->interrupted && clock_now() < q->until_ns;
}

static bool refuse(const struct squat *q, const struct wish *w, uint16_t port, int error)
{
	const struct scenario *s = q->plan->scenario;

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

/* A socket, or -errno. */
static int hold(const struct squat *q, bool listens, uint16_t port)
{
	const struct squat_plan *p = &q->plan->squat;
	struct endpoint at = endpoint_make(p->family, p->address, port);
	struct socket_wish wish = {.family = p->family, .source = &at};
	enum stage stage;
	int fd = socket_make(&wish, &stage);

	if (fd >= 0 && listens && listen(fd, BACKLOG) < 0) {
		int e = errno;

		close(fd);
		return -e;
	}
	return fd;
}

static bool take(struct squat *q, const struct wish *w, uint16_t port)
{
	int fd = hold(q, w->listens, port);

	return fd < 0 ? refuse(q, w, port, -fd) : keep(q, fd);
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

/* One pass over them: every so manyeth, or those between. */
static bool take_pass(struct squat *q, const struct wish *w, struct comb c, bool between,
		      uint32_t until)
{
	struct port_range range = q->plan->scenario->network.ports;
	uint32_t size = (range.hi - range.lo + c.step - c.first) / c.step;
	uint32_t count = w->count < size ? w->count : size;

	for (uint32_t i = 0; i < size && q->held < until && goes_on(q); i++) {
		uint16_t port = (uint16_t)(range.lo + c.first + i * c.step);
		bool due = (uint64_t)(i + 1) * count / size > (uint64_t)i * count / size;
		int fd;

		if (due == between || is_reserved(q->plan->scenario, port))
			continue;
		fd = hold(q, w->listens, port);
		if (fd == -EADDRINUSE)
			continue;
		if (fd < 0)
			return refuse(q, w, port, -fd);
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
	return q->held == until || !goes_on(q) || refuse(q, w, 0, EADDRINUSE);
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

	if (q->held == q->plan->squat.sockets || *q->interrupted)
		return true;
	err_set(q->err, ERR_SCENARIO, "%u of %u ports were held when stop.time was over", q->held,
		q->plan->squat.sockets);
	err_hint(q->err, "Raise it, or hold fewer with squat and load.ballast.");
	return s->stop.at.time.line ? err_at(q->err, s->stop.at.time,
					     scenario_line(s->source, s->stop.at.time.line))
				    : false;
}

static void *squat_thread(void *context)
{
	struct squat *q = context;
	const struct scenario *s = q->plan->scenario;
	const struct squat_plan *p = &q->plan->squat;
	const struct wish listen = {"squat.listen", s->squat.at.listen, true, 0},
			  ports = {"squat.ports", s->squat.at.ports, false, 0},
			  bind = {"squat.bind", s->squat.at.bind, false, p->bind},
			  ballast = {"load.ballast", s->load.at.ballast, false, p->ballast};

	q->ok = lab_enter(q->lab, LAB_CLIENT, q->err) && take_list(q, &listen, &s->squat.listen) &&
		take_list(q, &ports, &s->squat.ports) && take_number(q, &bind) &&
		take_ballast(q, &ballast) && is_in_time(q);
	return NULL;
}

bool squat_open(struct squat **out, const struct plan *plan, const struct lab *lab,
		const volatile sig_atomic_t *interrupted, struct arena *arena, struct err *err)
{
	const struct squat_plan *p = &plan->squat;
	struct squat *q;
	pthread_t thread;
	int e;

	*out = NULL;
	if (p->sockets == 0)
		return true;
	q = ARENA_NEW(arena, struct squat);
	*q = (struct squat){
		.plan = plan, .lab = lab, .arena = arena, .err = err, .interrupted = interrupted};
	q->until_ns = clock_now() + plan->scenario->stop.time;
	q->rings = ARENA_ARRAY(arena, struct ring *, p->sockets / p->ring_slots + 1);
	e = pthread_create(&thread, NULL, squat_thread, q);
	if (e)
		return err_sys(err, e, "could not start the thread that holds ports");
	pthread_join(thread, NULL);
	*out = q;
	if (!q->ok)
		squat_close(q);
	return q->ok;
}

void squat_close(struct squat *q)
{
	for (uint32_t i = 0; q && i < q->ring_count; i++)
		ring_close(q->rings[i]);
	if (q)
		q->ring_count = 0;
}
