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

/* What a scenario's lines make: `lines` stand below version and name. `count` connections are to
 * have been opened. Of several loads the last, which is to end last, is what is told of. */
struct cost run_ours(const char *lines, uint32_t count);
struct cost run_floor(const char *lines, struct floor_wish wish);
struct cost run_probe(const char *lines, uint32_t count); /* blocking connects, each timed */

void run_begin(void); /* first of all, in a process of one thread */
