/* predict.h - what the plan says of a run, as values that the run is held against, each between two
 * bounds.
 *
 * Units:  those of the prediction's kind (words/predictions.def): counts, nanoseconds, 0 or 1.
 * Errors: none. What cannot be told is not told.
 */
#pragma once

#include "plan/plan.h"

struct foretold {
	bool told;
	struct guess value;
};

/* Of a load that took so long: what the ports sustain grows with it. */
void predict(struct foretold out[PREDICTIONS], const struct plan *p, double elapsed_ns);

/* The same of loads that want the same ports; or of all, as if they did. */
void predict_part(struct foretold out[PREDICTIONS], const struct plan *p, double elapsed_ns);

/* Is it a bound that nothing can be beyond, whoever is right: no more ports than there are, no more
 * connections than the load begins? A run that stays within it has not confirmed anything. */
bool predict_is_idle(enum prediction what, const struct foretold *said, const struct plan *p);
