/* intent.h - what is to be done, as a number: the same for the same scenario and seed, whatever comes
 * of it, how fast the machine is, and how many workers do it.
 *
 * A request's number tells which of its load it is, when it is due (in an open model), to which pair of
 * source and destination it would go with ports free everywhere, how its connection is to end, how long
 * each retry would wait, and all that the load's keys say. Those of a load are added up, so that
 * their order does not matter.
 *
 * Errors: none; pure.
 */
#pragma once

#include "plan/plan.h"

enum {
	INTENT_MOST = 10000, /* of a load; a closed loop may go on for as long as it is let */
	INTENT_VERSION =
		2, /* of how the number is made: those of two versions cannot be compared */
};

/* Where request i would go: source × destinations + destination. */
uint64_t intent_pair(const struct plan *p, const struct load_plan *lp, uint64_t i);

/* How many of the load's are told: all that load.total, load.duration and stop.time have an open
 * model begin, and as many as load.total of a closed one; no more than INTENT_MOST. */
uint64_t intent_count(const struct plan *p, const struct load_plan *lp);

/* Of all loads. */
uint64_t intent_sum(const struct plan *p, struct arena scratch);
