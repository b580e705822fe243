/* invent.h - a scenario file made of a seed: few ports, few connections, a few seconds at most.
 *
 * Each load is drawn from a stream of its own: what it is does not depend on their order.
 *
 * Errors: none. What is invented may be refused by the reader: keys are drawn apart from each other.
 */
#pragma once

#include <stdint.h>

#include "base/out.h"

/* In what order its loads stand. */
enum turn { TURN_WRITTEN, TURN_BACKWARDS };

struct sketch {
	uint64_t seed;
	uint64_t attempt; /* what the reader refuses is drawn anew */
	enum turn turn;
};

void invent(struct out *, const struct sketch *);
