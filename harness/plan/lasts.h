/* lasts.h - how long the ports last, if a load goes on as it is: beyond the run that is made of it.
 *
 * Units:  nanoseconds since the load began, or the first of them.
 * Errors: none; pure.
 */
#pragma once

#include "plan/plan.h"

/* Until so many are in use, of a load that is the only one and has a rate; INFINITY: never. */
double lasts_for_ns(const struct plan *p, double ports);

/* Until none is left: from the first connect on; 0: for ever, or it cannot be told. */
int64_t lasts_ns(const struct plan *p);
