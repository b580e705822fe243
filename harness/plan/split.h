/* split.h - a load over several threads: each has some of its spaces of ports to itself, and with
 * them the requests that go there, so that no two threads fight for one range.
 *
 * Requests have the numbers that one thread would give them, and request i goes to space
 * i % spaces. Worker k of n has spaces k, k + n, k + 2n, … and their requests, with the times and
 * ends of their numbers: rate, ramp, bursts, concurrency and total come to the scenario's exactly,
 * and so does what each source and destination has, whatever n is.
 *
 * Errors: none; pure.
 */
#pragma once

#include "plan/plan.h"

/* A worker's share. */
struct split {
	uint32_t spaces, workers, worker; /* of all; of how many; which one, from 0 */
};

static inline struct split split_of(const struct load_plan *lp, uint32_t worker)
{
	return (struct split){lp->budget.spaces, lp->workers, worker};
}

/* How many spaces are its own; which of all is its i-th, and the i of one that is its own. */
uint32_t split_spaces(const struct split *s);

static inline uint32_t split_space(const struct split *s, uint32_t i)
{
	return i * s->workers + s->worker;
}

static inline uint32_t split_own(const struct split *s, uint32_t space)
{
	return space / s->workers;
}

/* The number of its i-th request, from 0; and how many of the first n requests are its own. So it
 * is with whatever is shared out in turn: the places of a closed loop. */
uint64_t split_index(const struct split *s, uint64_t i);
uint64_t split_count(const struct split *s, uint64_t n);

/* Descriptors of a worker, and connections that it has anything to do with yet: its part of the
 * load's, and what each needs that is just closing. */
uint32_t split_slots(const struct load_plan *lp, uint32_t worker);
uint32_t split_flows(const struct load_plan *lp, uint32_t worker);

/* Processors of this machine that are left to the load: the far end has one of its own, if it has anything to
 * do. */
uint32_t split_processors(const struct plan *p);

/* Fills in how many workers carry the load: as many as are asked for, but for what cannot be split;
 * where nobody asks, more than one if this machine has processors for them, the plan has so many
 * connections that it pays, and nothing is refused, so that no count hangs on who came first. */
void split_choose(struct load_plan *lp, const struct plan *p);
