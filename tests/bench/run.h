/* run.h - one run of a contestant, in a network of its own: what it took.
 *
 * Units:  CPU is that of the thread that connects: getrusage(RUSAGE_THREAD).
 * Errors: exits with 1 and says why: a benchmark with a hole in it is none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cost.h"
#include "floor.h"
#include "web.h"

/* What a scenario's lines make. */
struct run_wish {
	const char *lines;   /* below version and name */
	uint32_t count;	     /* connections that are to have been opened */
	enum web_manner web; /* a server of the bench's own on the first port; NO_WEB: none */
	uint32_t workers;    /* that share the load; 0: as many as pay */
	bool whole;	     /* the CPU of all threads, the far end's too */
};

/* Of several loads the last, which is to end last, is what is told of. */
struct cost run_ours(const struct run_wish *wish);
struct cost run_floor(const char *lines, struct floor_wish wish);
struct cost run_probe(const char *lines, uint32_t count); /* blocking connects, each timed */

/* User space for a connection that is held: what the peak of the process's memory comes to for
 * each of those that the second holds more than the first. */
struct cost run_memory(const struct run_wish *few, const struct run_wish *many);
