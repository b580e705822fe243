/* denied.h - lines of `expect` that cannot hold, whatever the run is like: what is predicted lies on the
 * other side of them, tolerance and all, or there is nothing to measure. Pure; nothing is run.
 *
 * Ownership: the list is in the arena, and borrows the lines.
 */
#pragma once

#include "judge/judge.h"

struct denial {
	const struct expectation *line;
	bool absent; /* since no connect is refused, or none comes back, it has no value */
	struct guess predicted; /* in the unit of the measure's kind; most may be INFINITY */
};

struct denial_list {
	struct denial *list;
	size_t count;
};

void denied_find(struct denial_list *out, const struct plan *plan, struct arena *);
