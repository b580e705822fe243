/* clock.h - what a load's connections make of the ports, each by itself: begun when it is due, and with
 * its port for as long as its end says.
 *
 * Input:  a load whose budget is made.
 * Units:  connections and ports are counted; times are nanoseconds since the load began.
 * Errors: none; pure. What is too much to draw, or is not begun by the clock, is not told.
 */
#pragma once

#include "plan/plan.h"

/* Fills in what is kept of the load's budget: of the first `begun` connections. */
void clock_count(const struct plan *p, struct load_plan *lp, uint64_t begun, struct arena scratch);
