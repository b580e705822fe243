/* drive_help.h - a load on the real kernel, from a scenario's lines to its tape. */
#pragma once

#include <pthread.h>

#include "drive/drive.h"
#include "lab_help.h"

struct drive {
	struct help h;
	struct tape tape;
	struct pulse pulse;
	volatile sig_atomic_t interrupted;
	pthread_t thread;
	bool ok;
};

void drive_open(struct drive *d, const char *lines);  /* the lab alone */
void drive_plan(struct drive *d);		      /* the load */
void drive_lines(struct drive *d, const char *lines); /* both */

/* The load; at its end, while its sockets live, `look` is called in the client's namespace, in each
 * thread that carries it. */
void drive_looked_at(struct drive *d, void (*look)(void *context, struct worker *worker),
		     void *context);

/* The load in a thread of its own, ended by the signal; 0: by itself. */
void drive_start(struct drive *d);
void drive_end(struct drive *d, int signal);
bool drive_await(const _Atomic uint64_t *figure, uint64_t least); /* for at most 5 s */

const struct sample *last_dump(const struct tape *t);
uint64_t counter_moved(const struct tape *t, const char *name);
unsigned events_of(const struct tape *t, enum event_kind kind);

/* Sockets of a namespace in a state, whichever their port, by the kernel's own table; and those that are
 * open, and have so many bytes that nobody has read. */
unsigned sockets_in(struct drive *d, enum lab_role role, unsigned state);
unsigned unread_in(struct drive *d, enum lab_role role, unsigned bytes);
