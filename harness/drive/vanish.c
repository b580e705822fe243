#include "drive/vanish.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#include "sys/clock.h"

struct vanish {
	struct far_wish wish;
	struct tape tape;
	pthread_t thread;
	sem_t ready, begin, quit;
	int64_t zero_ns; /* written before `begin` */
	bool good;	 /* it may; written before `ready` */
	struct err err;
};

/* False if it is to end before that. */
static bool wait_until(struct vanish *v, int64_t ns)
{
	const struct timespec until = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

	while (sem_clockwait(&v->quit, CLOCK_MONOTONIC, &until) < 0)
		if (errno == ETIMEDOUT)
			return true;
	return false;
}

static void vanish_now(struct vanish *v)
{
	if (!lab_vanish(v->wish.plan, &v->err)) {
		atomic_store(&v->wish.hooks->pulse->broken, true);
		return;
	}
	tape_event(&v->tape, (struct event){.t_ns = clock_now() - v->zero_ns,
					    .dest = NOWHERE,
					    .kind = EVENT_SERVER_GONE});
}

static void *vanish_thread(void *context)
{
	struct vanish *v = context;

	v->good = lab_enter_admin(v->wish.lab, LAB_SERVER, &v->err);
	sem_post(&v->ready);
	while (sem_wait(&v->begin) < 0)
		;
	if (v->good && wait_until(v, v->zero_ns + v->wish.plan->scenario->server.vanish))
		vanish_now(v);
	return NULL;
}

bool vanish_start(struct vanish **out, const struct far_wish *wish, struct arena *arena,
		  struct err *err)
{
	struct vanish *v;
	int e;

	*out = NULL;
	if (wish->plan->scenario->server.vanish == 0)
		return true;
	v = ARENA_NEW(arena, struct vanish);
	v->wish = *wish;
	if (!tape_open(&v->tape, 1, 0, 0, arena, err))
		return false;
	tape_live(&v->tape, -1, wish->hooks->events_fd, wish->hooks->run);
	sem_init(&v->ready, 0, 0);
	sem_init(&v->begin, 0, 0);
	sem_init(&v->quit, 0, 0);
	e = pthread_create(&v->thread, NULL, vanish_thread, v);
	if (e) {
		sem_destroy(&v->ready);
		sem_destroy(&v->begin);
		sem_destroy(&v->quit);
		return err_sys(err, e, "could not start the thread that has the server vanish");
	}
	while (sem_wait(&v->ready) < 0)
		;
	*out = v->good ? v : NULL;
	return v->good || vanish_stop(v, NULL, err);
}

void vanish_zero(struct vanish *v, int64_t now_ns)
{
	if (!v)
		return;
	v->zero_ns = now_ns;
	sem_post(&v->begin);
}

bool vanish_stop(struct vanish *v, struct tape *out, struct err *err)
{
	if (!v)
		return true;
	sem_post(&v->quit);
	sem_post(&v->begin); /* it may never have begun */
	pthread_join(v->thread, NULL);
	sem_destroy(&v->ready);
	sem_destroy(&v->begin);
	sem_destroy(&v->quit);
	if (out)
		tape_merge(out, &v->tape);
	if (v->err.kind && err->kind == ERR_NONE)
		*err = v->err;
	return v->err.kind == ERR_NONE;
}
