/* alarm.h - a thread that is made ready before the load, begins with it, and does something at a time of
 * the load's.
 *
 * Its work calls alarm_ready() when all that can fail beforehand is done, alarm_await() until the load
 * begins, and then alarm_until() as often as it likes. Who made it calls the others.
 *
 * Units:   nanoseconds on sys/clock.h.
 * Errors:  ERR_SYS where there is no thread to be had. What the work comes to is its context's to tell.
 * Threads: alarm_start(), alarm_begin() and alarm_stop() from one.
 */
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct alarm {
	pthread_t thread;
	sem_t ready, begin, quit;
};

/* Back once the work is ready; `does` completes "could not start the thread that …". */
bool alarm_start(struct alarm *a, void *(*work)(void *), void *context, const char *does,
		 struct err *err);
void alarm_begin(struct alarm *a);
void alarm_stop(struct alarm *a); /* once; it may never have begun */

void alarm_ready(struct alarm *a);
void alarm_await(struct alarm *a);
bool alarm_until(struct alarm *a, int64_t ns); /* false if it is to end before that */
