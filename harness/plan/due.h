/* due.h - when connections of several loads are begun: by the clock, surely, and at the latest.
 *
 * Units:  nanoseconds since the run began.
 * Errors: none; pure.
 */
#pragma once

#include "plan/plan.h"

/* When connection n of all loads, counted from 0, is due; of closed loops it is not told: 0. */
double due_ns(const struct plan *p, uint64_t n);

/* How many connections a load has at most; INFINITY: nobody can tell. Of a pool, those that it opens. */
double due_most(const struct plan *p, const struct load_plan *lp);

/* How many it has surely begun by a time, however its connections fare. */
double due_surely(const struct load_plan *lp, double ns);

/* A time at which it surely begins one, the last that is known. */
double due_last_ns(const struct load_plan *lp, double until_ns);

/* By when it has begun its last, however slow the machine, and by when it has given all of its ports
 * back; INFINITY: that cannot be told. */
double due_begun_ns(const struct plan *p, const struct load_plan *lp);
double due_over_ns(const struct plan *p, const struct load_plan *lp);
