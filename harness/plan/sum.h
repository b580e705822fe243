/* sum.h - how many ports one load finds in use: of its own connections, and of those of
 * all loads that may have the same ports.
 *
 * It is counted in one space of that load (see plan/budget.h), where a connect looks
 * for a port. Another load's ports are in it
 *   SUM_LEAST   if the other has no ports but these, and shares none with any that counts;
 *   SUM_LIKELY  in the part of its range and of its spaces that is in this one;
 *   SUM_MOST    all of them, if any may be.
 *
 * Input:  a plan whose loads are made.
 * Units:  ports, in one space; times are nanoseconds since the run began.
 * Errors: none; pure.
 */
#pragma once

#include "plan/plan.h"
#include "plan/use.h"

struct sum {
	const struct plan *p;
	const struct load_plan *me;
	struct use uses[SCENARIO_LOADS_MOST];
	bool within
		[SCENARIO_LOADS_MOST]; /* such have no other ports than these, and no two of them one */
	double part[SCENARIO_LOADS_MOST]; /* of another's ports, those that are of these; 0: none */
	double most
		[SCENARIO_LOADS_MOST]; /* ports that it can have of all its spaces; INFINITY: the very same,
					     so that those that it asks for count, and not what it has */
	struct use
		seen; /* of a load whose sockets share their ports: what the others find of it in them */
	bool alone; /* the others are over before, or begin after it */
};

enum bound { SUM_LEAST, SUM_LIKELY, SUM_MOST, SUMS };

/* What the load p->loads[own] finds. */
void sum_make(struct sum *out, const struct plan *p, uint32_t own);

double sum_peak(const struct sum *s); /* at any one time of the run, at most */

/* Of `n` ports that the i-th load has in use, in all spaces of its own, those that are
 * in one space of this load. */
double sum_in_space(const struct sum *s, uint32_t i, enum bound which, double n);

/* The first time before `until` at which more than `ports` are in use; FOR_EVER: there
 * is none. Looked at are 257 times, and those at which connections are due: each of the
 * first thousand or so, and evenly many of more. What only grows is found to the
 * nanosecond. */
int64_t sum_passed_ns(const struct sum *s, enum bound which, double ports, int64_t until);

/* The most ports in use at any of these times. */
double sum_reached(const struct sum *s, enum bound which, int64_t until);

/* From half full on connects are slow: on a slow machine as soon as that can be before
 * `until`, on a usual one when it is likely. What is asked of it after this reckons
 * with that. */
void sum_slow_down(struct sum *s, int64_t until);
