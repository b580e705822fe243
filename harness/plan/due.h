/* due.h - when a load of several begins its connections for sure, and when it is over.
 *
 * Units:  nanoseconds since the run began.
 * Errors: none; pure.
 */
#pragma once

#include "plan/plan.h"

/* How many it surely begins by then, and whose time is known: of a closed loop, or a pool, the first. And when
 * the i-th of these is due. */
uint64_t due_known(const struct plan *p, const struct load_plan *lp, double until_ns);
int64_t due_when_ns(const struct load_plan *lp, uint64_t i);

/* By when it has begun its last, however slow the machine, and by when it has given all of its ports
 * back, as another load finds them; INFINITY: that cannot be told. */
double due_begun_ns(const struct plan *p, const struct load_plan *lp);
double due_over_ns(const struct plan *p, const struct load_plan *lp, const struct load_plan *asker);

/* When the far end begins to do other than its behaviour says to any load, or the run ends. */
double due_changes_ns(const struct plan *p);
