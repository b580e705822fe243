/* denied.h - lines of `expect` that cannot hold, whatever the run is like: what is predicted lies on the
 * other side of them, tolerance and all. Pure; nothing is run.
 */
#pragma once

#include "judge/judge.h"

enum { DENIED_MOST = 64 }; /* more are neither told nor counted */

struct denial {
	const struct expectation *line;
	struct guess predicted; /* in the unit of the measure's kind; most may be INFINITY */
};

/* The first `most` of the plan's; how many they are. */
size_t denied_find(struct denial *out, size_t most, const struct plan *plan);
