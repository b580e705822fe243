/* foretold.h - what was predicted of a run beside what was observed.
 *
 * Units:  those of words/predictions.def.
 * Errors: none; pure.
 */
#pragma once

#include "judge/judge.h"

/* Fills out->predictions and predictions.broken; its other measures are there. */
void foretold_compare(struct measures *out, const struct tape *tape, const struct plan *plan);
