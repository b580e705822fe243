/* outline.h - what a plan says before anything runs, for people: how long a port is taken, how
 * many the load wants at once, when the first connect fails, and what comes after.
 *
 * Input:  a plan; nothing is read from the kernel.
 * Units:  ports and connections are counted; times are nanoseconds, rates per second.
 * Errors: none. What cannot be told is 0, or as the field says.
 */
#pragma once

#include "plan/plan.h"

struct outline {
	int64_t live_ns, quiet_ns; /* of a port's life: until the close, and after; or FOR_EVER */
	double rate;		   /* that the loads come to together; 0: one is a closed loop */
	int64_t round_ns; /* of a closed loop: from one connection of a client to its next */
	double under_way; /* connections at once, of closed loops */
	double wanted;	  /* ports at once that the load asks for; INFINITY: without bound */
	bool pooled;	  /* how many connections are opened is the pool's: wanted is NAN then */
	bool exhausts, known;
	uint64_t after;	     /* connections that have a port before the first is refused one */
	double at_ns;	     /* when that is; by the machine's speed alone: 0 */
	int64_t recovery_ns; /* from it until a port is free again; FOR_EVER: never */
	uint64_t half;	     /* ports in use towards a destination, from where connects are slow */
	bool half_reached;
	double half_at_ns;   /* when that is, as at_ns */
	double half_cost_ns; /* by how much a connect is slower then */
	double begun;	     /* connections in all; INFINITY: as many as the machine can */
	double ends_ns;	     /* the run takes no longer, about */
};

struct outline outline_of(const struct plan *p);
