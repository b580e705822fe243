#include "sense/sense.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "sense/look.h"
#include "sys/clock.h"

struct sense {
	pthread_t thread;

	/* What the lock guards: wishes of other threads, and how far they have been met. */
	pthread_mutex_t lock;
	pthread_cond_t wake, met;
	bool ready, quit, ended;
	bool asked;		   /* a dump soon */
	unsigned edges, edges_met; /* dumps now: how many were wished for and done */
	int64_t settle_ns;
	bool zeroed;
	int64_t zero_ns;
	struct err err; /* read by others once the thread is gone */

	struct looks looks; /* the thread's own */
};

/* ---- the thread ---------------------------------------------------------- */

/* Waits, with the lock held, until something is wished for or due. */
static void wait_for_work(struct sense *s)
{
	int64_t due = looks_due_ns(&s->looks);
	struct timespec until = {.tv_sec = due / 1000000000, .tv_nsec = due % 1000000000};

	while (!s->quit && !s->asked && s->edges == s->edges_met)
		if (pthread_cond_timedwait(&s->wake, &s->lock, &until) == ETIMEDOUT)
			break;
}

static bool sense_turn(struct sense *s, struct err *err)
{
	bool asked = s->asked, ok = true;
	unsigned edges = s->edges;
	int64_t settle_ns = s->settle_ns;

	s->asked = false;
	s->looks.counting = s->zeroed;
	s->looks.base_ns = s->zero_ns;
	pthread_mutex_unlock(&s->lock);
	if (ok && edges != s->edges_met)
		ok = looks_settle(&s->looks, settle_ns, err);
	else if (ok)
		ok = looks_turn(&s->looks, asked, err);
	if (s->looks.wish.pulse)
		atomic_store(&s->looks.wish.pulse->spent_ns, clock_spent());
	pthread_mutex_lock(&s->lock);
	if (edges != s->edges_met) {
		s->edges_met = edges;
		pthread_cond_broadcast(&s->met);
	}
	return ok;
}

static void *sense_thread(void *context)
{
	struct sense *s = context;
	struct err err = {0};
	bool ok = looks_open(&s->looks, &err);

	pthread_mutex_lock(&s->lock);
	looks_begin(&s->looks, clock_now());
	s->err = err;
	s->ready = true;
	s->ended = !ok;
	pthread_cond_broadcast(&s->met);
	while (ok && !s->quit && !s->looks.tape->write_error) {
		wait_for_work(s);
		if (!s->quit)
			ok = sense_turn(s, &s->err);
	}
	s->ended = true;
	if (s->looks.wish.pulse && (s->err.kind || s->looks.tape->write_error))
		atomic_store(&s->looks.wish.pulse->broken, true);
	pthread_cond_broadcast(&s->met);
	pthread_mutex_unlock(&s->lock);
	looks_close(&s->looks);
	return NULL;
}

/* ---- from outside -------------------------------------------------------- */

bool sense_start(struct sense **out, const struct sense_wish *wish, struct tape *tape,
		 struct arena *arena, struct err *err)
{
	struct sense *s = ARENA_NEW(arena, struct sense);
	pthread_condattr_t monotonic;
	bool good;
	int e;

	if (!looks_reserve(&s->looks, wish, tape, arena))
		return err_sys(err, ENOMEM, "could not reserve memory to count %u pairs",
			       wish->pairs);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, &monotonic);
	pthread_cond_init(&s->met, &monotonic);
	pthread_condattr_destroy(&monotonic);
	e = pthread_create(&s->thread, NULL, sense_thread, s);
	if (e)
		return err_sys(err, e, "could not start the sampler's thread");
	pthread_mutex_lock(&s->lock);
	while (!s->ready)
		pthread_cond_wait(&s->met, &s->lock);
	good = !s->ended;
	pthread_mutex_unlock(&s->lock);
	*out = s;
	return good || sense_stop(s, err);
}

void sense_zero(struct sense *s, int64_t now_ns)
{
	pthread_mutex_lock(&s->lock);
	s->zero_ns = now_ns;
	s->zeroed = true;
	pthread_mutex_unlock(&s->lock);
}

void sense_ask(struct sense *s)
{
	pthread_mutex_lock(&s->lock);
	s->asked = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

void sense_edge(struct sense *s, int64_t settle_ns)
{
	unsigned mine;

	pthread_mutex_lock(&s->lock);
	s->settle_ns = settle_ns;
	mine = ++s->edges;
	pthread_cond_signal(&s->wake);
	while (!s->ended && (int)(s->edges_met - mine) < 0)
		pthread_cond_wait(&s->met, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

bool sense_stop(struct sense *s, struct err *err)
{
	pthread_mutex_lock(&s->lock);
	s->quit = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->wake);
	pthread_cond_destroy(&s->met);
	pthread_mutex_destroy(&s->lock);
	if (s->err.kind == ERR_NONE)
		return true;
	if (err->kind == ERR_NONE)
		*err = s->err;
	return false;
}
