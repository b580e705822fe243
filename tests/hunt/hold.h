/* hold.h - a run of a case held against what its plan said, and its books against themselves.
 *
 * Input: scenario-plan.json and scenario-run.json, as the program wrote them.
 */
#pragma once

#include "score.h"

/* Both have ended well. */
void hold_run(struct trouble *, struct score *);
