/* sum.h - what a load finds in its ports: the connections of all loads that may have them, by a time.
 *
 * Each counts as it is in one space of the load: least, if it has no other ports than these; likely, the part
 * of its ports that are of these; most, all of them.
 *
 * Input:  a plan whose loads are made.
 * Units:  ports are counted, of one space; times are nanoseconds since the run began.
 * Errors: none; pure.
 */
#pragma once

#include "plan/plan.h"
#include "plan/use.h"

struct sum {
	const struct plan *p;
	const struct load_plan *me;
	struct use uses[SCENARIO_LOADS_MOST];
	bool within[SCENARIO_LOADS_MOST]; /* such have no other ports than these, and share none */
	double part[SCENARIO_LOADS_MOST]; /* of another's ports, those that are of these; 0: none */
	double most
		[SCENARIO_LOADS_MOST]; /* ports that it can have of all its spaces; INFINITY: the very same,
					     so that those that it asks for count, and not what it has */
	struct use
		seen; /* of a load whose sockets share their ports: what the others find of it in them */
	bool alike; /* all loads want the very same */
	bool alone; /* the others are over before, or begin after it */
};

enum bound { SUM_LEAST, SUM_LIKELY, SUM_MOST, SUMS };

/* Of the load that is `own`-th in the plan. */
void sum_make(struct sum *out, const struct plan *p, uint32_t own);

double sum_at(const struct sum *s, enum bound which, double ns);
double sum_peak(const struct sum *s); /* at most, at any time of the run */

/* Of what the i-th load has in use in its own spaces, so many are in one of these. */
double sum_in_space(const struct sum *s, uint32_t i, enum bound which, double n);

/* When more than `ports` are in use for the first time; FOR_EVER: never before `until`. What grows is found
 * to the nanosecond; what comes and goes, if it is there as a connection is due that is looked at: each, where
 * there are few. */
int64_t sum_passed_ns(const struct sum *s, enum bound which, double ports, int64_t until);

/* As many as are in use together until then, at any time that is looked at. */
double sum_reached(const struct sum *s, enum bound which, int64_t until);

/* May its sockets have a port that is in use? */
bool sum_may_share(const struct plan *p, const struct load *l);
