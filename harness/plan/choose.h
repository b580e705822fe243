/* choose.h - which pair of source and destination a connection goes to, where the seed says it.
 *
 * The i-th connection's pair is drawn by itself: it depends on nothing that came before.
 *
 * Errors: none; pure.
 */
#pragma once

#include "plan/plan.h"

/* Of n, for connection i of the load. */
uint64_t choose_draw(const struct plan *p, const struct load_plan *lp, uint64_t i, uint64_t n);

/* How many connections of the load open before one is drawn to a pair that is full, if none gives
 * its port back; 0: too many to count beforehand. */
uint64_t choose_first(const struct plan *p, const struct load_plan *lp, struct arena scratch);
