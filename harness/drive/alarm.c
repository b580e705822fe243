#include "drive/alarm.h"

#include <errno.h>
#include <time.h>

static void wait_for(sem_t *sem)
{
	while (sem_wait(sem) < 0)
		;
}

static void sems_destroy(struct alarm *a)
{
	sem_destroy(&a->ready);
	sem_destroy(&a->begin);
	sem_destroy(&a->quit);
}

bool alarm_start(struct alarm *a, void *(*work)(void *), void *context, const char *does,
		 struct err *err)
{
	int e;

	sem_init(&a->ready, 0, 0);
	sem_init(&a->begin, 0, 0);
	sem_init(&a->quit, 0, 0);
	e = pthread_create(&a->thread, NULL, work, context);
	if (e) {
		sems_destroy(a);
		return err_sys(err, e, "could not start the thread that %s", does);
	}
	wait_for(&a->ready);
	return true;
}

void alarm_begin(struct alarm *a)
{
	sem_post(&a->begin);
}

void alarm_stop(struct alarm *a)
{
	sem_post(&a->quit);
	sem_post(&a->begin);
	pthread_join(a->thread, NULL);
	sems_destroy(a);
}

void alarm_ready(struct alarm *a)
{
	sem_post(&a->ready);
}

void alarm_await(struct alarm *a)
{
	wait_for(&a->begin);
}

bool alarm_until(struct alarm *a, int64_t ns)
{
	const struct timespec until = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

	while (sem_clockwait(&a->quit, CLOCK_MONOTONIC, &until) < 0)
		if (errno == ETIMEDOUT)
			return true;
	return false;
}
