/* lasts.h - how long the ports last, if a load goes on as it is: beyond the run that is made of it.
 *
 * Units:  nanoseconds since the load began, or the first of them.
 * Errors: none; pure.
 */
#pragma once

#include "plan/plan.h"

/* Until none is left: from the first connect on; 0: for ever, or it cannot be told. */
int64_t lasts_ns(const struct plan *p);
