#include "drive/squat.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

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
	bool ok;
};

/* What is asked for, and where; for errors. */
struct wish {
	const char *key;
	struct mark at;
	bool listens;
};

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
	return w->at.line ? err_at(q->err, w->at, scenario_line(s->source, w->at.line)) : false;
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

/* A socket, or -errno. Port 0: one that the kernel chooses. */
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
		for (uint32_t port = ports->list[i].lo;
		     port <= ports->list[i].hi && !*q->interrupted; port++)
			if (!take(q, w, (uint16_t)port))
				return false;
	return true;
}

static bool take_number(struct squat *q, const struct wish *w, uint32_t count)
{
	for (uint32_t i = 0; i < count && !*q->interrupted; i++)
		if (!take(q, w, 0))
			return false;
	return true;
}

static bool is_reserved(const struct scenario *s, uint16_t port)
{
	return ports_within(&s->network.reserved, (struct port_range){port, port}) > 0;
}

/* One pass over the range: every so manyeth port, or those between them. */
static bool take_pass(struct squat *q, const struct wish *w, bool between, uint32_t count,
		      uint32_t until)
{
	struct port_range range = q->plan->scenario->network.ports;
	uint32_t size = range.hi - range.lo + 1U;

	for (uint32_t i = 0; i < size && q->held < until && !*q->interrupted; i++) {
		uint16_t port = (uint16_t)(range.lo + i);
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

/* Ballast is spread evenly, so that a search finds a free port as soon anywhere, and bound by
 * name: of 28,232 ports the kernel took 56 s of a processor to choose 27,949 (Linux 6.18). What is
 * squatted already is passed over. */
static bool take_spread(struct squat *q, const struct wish *w, uint32_t count)
{
	uint32_t until = q->held + count;

	return take_pass(q, w, false, count, until) && take_pass(q, w, true, count, until) &&
	       (q->held == until || *q->interrupted || refuse(q, w, 0, EADDRINUSE));
}

static void *squat_thread(void *context)
{
	struct squat *q = context;
	const struct scenario *s = q->plan->scenario;
	const struct wish listen = {"squat.listen", s->squat.at.listen, true},
			  ports = {"squat.ports", s->squat.at.ports, false},
			  bind = {"squat.bind", s->squat.at.bind, false},
			  ballast = {"load.ballast", s->load.at.ballast, false};

	q->ok = lab_enter(q->lab, LAB_CLIENT, q->err) && take_list(q, &listen, &s->squat.listen) &&
		take_list(q, &ports, &s->squat.ports) &&
		take_number(q, &bind, q->plan->squat.bind) &&
		take_spread(q, &ballast, q->plan->squat.ballast);
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
