/* company.h - what the workers of a run tell each other: when all of them are to stop, that a port
 * was refused, and their books, where a line of `expect` is about more than one of them.
 *
 * A worker alone has none: NULL does no harm, and tells nothing. What those of one load have to tell
 * each other besides is a team's business (team.h).
 *
 * Units:   nanoseconds since the run began.
 * Threads: every function, from any worker's. The books are under a lock, and only workers that
 *          watch such a line take it.
 */
#pragma once

#include <stdatomic.h>

#include "plan/plan.h"
#include "tape/tape.h"

struct company;

/* Of all workers of the plan's loads, those of the first load seated first; NULL: no memory. */
struct company *company_open(const struct plan *plan, struct arena *arena);
void company_close(struct company *c);

/* All are to begin stopping at that time, if none said so earlier. */
void company_stop(struct company *c, int64_t ns);
int64_t company_stop_ns(const struct company *c); /* INT64_MAX: nobody said so */

/* A port was refused: what is asked from here on did not come before that. */
void company_refused(struct company *c);
bool company_was_refused(const struct company *c);

/* Puts a worker's books beside the others', and gives the sum of those of a load, from 1; 0: of
 * all. */
void company_books(struct company *c, uint32_t seat, const struct tape *own, unsigned load,
		   struct tape *all);
