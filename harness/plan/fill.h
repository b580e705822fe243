/* fill.h - when the loads together have the ports of one of them in use, and more than there are: the sum of
 * plan/use.h by the clock.
 *
 * They are refused one for certain when the least that each has comes to more than there are; never, when
 * the most does not; and between these it is told when that is likely.
 *
 * Units:  ports are counted, of one space; times are nanoseconds since the run began.
 * Errors: none; pure.
 */
#pragma once

#include "plan/plan.h"

/* Fills in what becomes of all: whether they run out, when, and after how many connections. `each` has the
 * forecast of each load by itself. */
void fill_foresee(struct forecast *all, const struct plan *p, const struct forecast *each);

/* The first load whose connects are slow, since half of its ports are likely to be in use, and from when on;
 * FOR_EVER: not in this run. NULL: no connect of any gets slower. */
struct half {
	const struct load_plan *of;
	int64_t at_ns;
};

struct half fill_half(const struct plan *p);

/* Of one space of the load that may find the most in its ports, of those that others want, too: how many there are,
 * and what is in use at once, likely and at most. None, where each load has its own. */
struct wanted {
	uint32_t usable;
	double likely, most;
	bool slowed; /* more would be, but that connects are slow past half full */
};

struct wanted fill_wanted(const struct plan *p);

/* Ports that all loads have in use at once, at most, and those of connections that are not closed yet; INFINITY:
 * nobody can tell. */
double fill_ports_most(const struct plan *p);
double fill_open_most(const struct plan *p);

/* When more than there are is likely to be wanted, if the loads go on as they are, in ns since the first of
 * them began; 0: never, or it cannot be told. */
int64_t fill_lasts_ns(const struct plan *p);
