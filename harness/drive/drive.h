/* drive.h - our own load: opens, holds and ends connections as the plan says, and keeps the
 * books.
 *
 * Input:   a plan, and the lab built for it.
 * Output:  a tape: events, samples, counters, tallies. A failed connect is on the tape, not in
 *          err.
 * Units:   nanoseconds since the load began.
 * Errors:  ERR_HOST where io_uring is blocked; ERR_SYS where lastport or the kernel fails.
 *          Whatever happened until then is on the tape.
 * Threads: the workers (of each load one or more), the far end (listens), the sampler; the calling
 *          thread waits and settles. All of them run without capabilities inside the lab, but those that keep
 *          CAP_NET_ADMIN: who ends TIME_WAIT, who has the server vanish, and with a gateway the
 *          sampler. A worker has it until it is ready, if an option of its load needs it; one of
 *          UDP, as long as it works.
 */
#pragma once

#include <signal.h>

#include "lab/lab.h"
#include "plan/plan.h"
#include "sense/sense.h"
#include "tape/tape.h"

struct worker;

struct drive_hooks {
	const volatile sig_atomic_t *interrupted; /* a signal's number once it came */
	struct pulse *pulse;			  /* for a progress line */
	int samples_fd, events_fd;		  /* -1, or where the tape goes while running */
	unsigned run;				  /* its index there */
	/* For tests: once a load is over, while its sockets live, in each of its workers' threads; NULL:
	 * nobody looks. */
	void (*look)(void *context, struct worker *worker);
	void *context;
};

bool drive_run(struct tape *out, const struct plan *plan, const struct lab *lab,
	       const struct drive_hooks *hooks, struct arena *, struct err *);
