/* speed.h - when a load's connections are begun, if the machine is quick and if it is slow.
 *
 * Input:  a scenario whose `load` is the one that is asked about.
 * Units:  nanoseconds since the load began.
 * Errors: none; pure.
 */
#pragma once

#include "plan/life.h"

/* When connection n, counted from 0, is begun: in an open loop by the clock, in a closed one
 * after those before it. */
struct pace {
	double quick, slow;
};

struct pace speed_pace(const struct scenario *s, const struct budget *b, const struct life *life,
		       uint64_t n);

/* For how long connections are begun. */
double speed_ends_ns(const struct scenario *s);

/* When the far end begins to do other than its behaviour says: it dies, or its backlog is full. */
double speed_changes_ns(const struct scenario *s);
