#include "lab/timewait.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/order.h"
#include "sys/clock.h"
#include "sys/endpoint.h"
#include "sys/waiting.h"

/* A dump's cost, 50 times over, must pass before the next: 2 % of a processor's time. By the wall
 * clock a busy machine would make it seconds in which no socket is ended. The kernel's ages are in ticks
 * of up to 10 ms (HZ=100): waking up more often buys nothing. */
enum { DUMP_SHARE = 50, TICK_NS = 5000000 };

/* More sockets than these are not remembered at once: what is beyond them is in the next dump.
 */
enum { ROOM_MOST = 1 << 20, ROOM_SLACK = 1024 };

struct timewait {
	const struct plan *plan;
	const struct lab *lab;
	_Atomic bool *broken;
	pthread_t thread;

	/* What the lock guards. */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool ready, opened, quit;
	struct err err; /* read by others once the thread is gone */

	/* The thread's own. */
	struct waiting_door door;
	struct waiting *list; /* of the last dump, the oldest first */
	size_t room, count;
	size_t next;	  /* the first of them that is there still */
	int64_t look_ns;  /* when to dump again: what came since is not due before */
	int64_t early_ns; /* how much sooner than the kernel's own end */
	uint64_t ended;
};

/* ---- looking ------------------------------------------------------------- */

/* On loopback a server that closes first has sockets in TIME_WAIT too, at its own ports. */
static bool is_server(const struct plan *p, const struct waiting *w)
{
	if (p->scenario->network.topology != TOPOLOGY_LOOPBACK)
		return false;
	for (uint32_t dest = 0; dest < p->services; dest++)
		if (plan_service(p, dest) == w->local_port)
			return true;
	return false;
}

static void remember(void *context, const struct waiting *w)
{
	struct timewait *t = context;

	if (t->count < t->room && !is_server(t->plan, w))
		t->list[t->count++] = *w;
}

static int by_time(const void *a, const void *b)
{
	const struct waiting *x = a, *y = b;

	return (x->until_ns > y->until_ns) - (x->until_ns < y->until_ns);
}

static bool look(struct timewait *t, struct err *err)
{
	int64_t begin_ns = clock_now(), before_ns = clock_spent(), cost_ns;

	t->count = t->next = 0;
	if (!waiting_list(&t->door, remember, t, err))
		return false;
	if (t->count > 1)
		qsort(t->list, t->count, sizeof(*t->list), by_time);
	cost_ns = (clock_spent() - before_ns) * DUMP_SHARE;
	t->look_ns = begin_ns + (t->count == t->room
					 ? cost_ns
					 : later(cost_ns, t->plan->scenario->network.time_wait));
	return true;
}

static bool destroy_due(struct timewait *t, struct err *err)
{
	int64_t now_ns = clock_now();
	size_t end = t->next, destroyed = 0;
	bool good;

	while (end < t->count && t->list[end].until_ns - t->early_ns <= now_ns)
		end++;
	good = end == t->next ||
	       waiting_destroy(&t->door, &t->list[t->next], end - t->next, &destroyed, err);
	t->ended += destroyed;
	t->next = end;
	return good;
}

/* ---- the thread ---------------------------------------------------------- */

/* Waits, with the lock held, until a socket or a dump is due. */
static void wait_for_work(struct timewait *t)
{
	int64_t due = t->look_ns, soonest = clock_now() + TICK_NS;
	struct timespec until;

	if (t->next < t->count && t->list[t->next].until_ns - t->early_ns < due)
		due = t->list[t->next].until_ns - t->early_ns;
	due = later(due, soonest);
	until = (struct timespec){.tv_sec = due / 1000000000, .tv_nsec = due % 1000000000};
	while (!t->quit)
		if (pthread_cond_timedwait(&t->wake, &t->lock, &until) == ETIMEDOUT)
			break;
}

static bool turn(struct timewait *t, struct err *err)
{
	return (clock_now() < t->look_ns || look(t, err)) && destroy_due(t, err);
}

static void *timewait_thread(void *context)
{
	struct timewait *t = context;
	struct err err = {0};
	bool ok = lab_enter_admin(t->lab, LAB_CLIENT, &err) &&
		  waiting_open(&t->door, lab_domain(t->plan), &err) &&
		  waiting_possible(&t->door, &err);

	pthread_mutex_lock(&t->lock);
	t->ready = true;
	t->opened = ok;
	pthread_cond_broadcast(&t->wake);
	while (ok && !t->quit) {
		pthread_mutex_unlock(&t->lock);
		ok = turn(t, &err);
		pthread_mutex_lock(&t->lock);
		if (ok)
			wait_for_work(t);
	}
	t->err = err;
	if (!ok)
		atomic_store(t->broken, true);
	pthread_mutex_unlock(&t->lock);
	waiting_close(&t->door);
	return NULL;
}

/* ---- from outside -------------------------------------------------------- */

static void lock_open(struct timewait *t)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static size_t room_of(const struct plan *p)
{
	uint64_t room = p->budget.capacity + ROOM_SLACK;

	return room < ROOM_MOST ? (size_t)room : ROOM_MOST;
}

bool timewait_start(struct timewait **out, const struct plan *plan, const struct lab *lab,
		    _Atomic bool *broken, struct arena *arena, struct err *err)
{
	struct timewait *t;
	uint64_t ended;
	bool good;
	int e;

	*out = NULL;
	if (plan->scenario->network.time_wait >= TIME_WAIT_NS)
		return true;
	t = ARENA_NEW(arena, struct timewait);
	*t = (struct timewait){.plan = plan, .lab = lab, .broken = broken, .room = room_of(plan)};
	t->early_ns = TIME_WAIT_NS - plan->scenario->network.time_wait;
	t->list = ARENA_TRY(arena, struct waiting, t->room);
	if (!t->list)
		return err_sys(err, ENOMEM, "could not reserve memory for %zu sockets in TIME_WAIT",
			       t->room);
	lock_open(t);
	e = pthread_create(&t->thread, NULL, timewait_thread, t);
	if (e) {
		pthread_cond_destroy(&t->wake);
		pthread_mutex_destroy(&t->lock);
		return err_sys(err, e, "could not start the thread that ends TIME_WAIT");
	}
	pthread_mutex_lock(&t->lock);
	while (!t->ready)
		pthread_cond_wait(&t->wake, &t->lock);
	good = t->opened;
	pthread_mutex_unlock(&t->lock);
	*out = good ? t : NULL;
	return good || timewait_stop(t, &ended, err);
}

bool timewait_stop(struct timewait *t, uint64_t *ended, struct err *err)
{
	*ended = 0;
	if (!t)
		return true;
	pthread_mutex_lock(&t->lock);
	t->quit = true;
	pthread_cond_broadcast(&t->wake);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
	pthread_cond_destroy(&t->wake);
	pthread_mutex_destroy(&t->lock);
	*ended = t->ended;
	if (t->err.kind && err->kind == ERR_NONE)
		*err = t->err;
	return t->err.kind == ERR_NONE;
}
