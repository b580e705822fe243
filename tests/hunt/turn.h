/* turn.h - a plan is the same in whatever order the scenario has its loads.
 *
 * Input: the plans of one scenario, written so and so.
 */
#pragma once

#include "score.h"

/* Both have ended well. */
void turn_hold(struct trouble *);
