/* together.h - what several loads come to: a forecast of all of them, known only where it can be
 * told.
 *
 * Each takes ports of the others, so that what is foreseen of one alone says little of it. Two
 * things can be told: that all of them begin no more connections than there are ports; and that
 * they begin more while none gives a port back.
 */
#pragma once

#include "plan/plan.h"

/* Of one load it is forecast_make(). */
struct forecast together_foresee(const struct plan *p);
