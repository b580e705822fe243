/* due.h - when a load of several begins its connections for sure, and when it is over.
 *
 * Units:  nanoseconds since the run began.
 * Errors: none; pure.
 */
#pragma once

#include "plan/plan.h"

/* A time at which it surely begins one, the last that is known. */
int64_t due_last_ns(const struct load_plan *lp, double until_ns);

/* By when it has begun its last, however slow the machine, and by when it has given all of its ports
 * back; INFINITY: that cannot be told. */
double due_begun_ns(const struct plan *p, const struct load_plan *lp);
double due_over_ns(const struct plan *p, const struct load_plan *lp);
