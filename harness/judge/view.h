/* view.h - a run as if its loads of one part had been all of it (plan/part.h): what they did, what the dumps saw
 * of theirs, and what was planned for them.
 *
 * Ownership: borrows from the whole run; what differs is in the arena.
 * Errors:    none. What is nobody's alone stays: events, counters, what was timed.
 */
#pragma once

#include "judge/judge.h"
#include "plan/part.h"

struct view {
	struct plan plan;
	struct tape tape;
	struct measures measures;
};

void view_make(struct view *out, const struct plan *plan, const struct tape *tape, struct part part,
	       struct arena *);
