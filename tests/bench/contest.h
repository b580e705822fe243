/* contest.h - who is held against whom: a line a contest.
 *
 * Contestants take turns within a round, each in a network of its own. A new one is a line of
 * contests[], and, if it works in a way of its own, a function beside those of contest.c.
 */
#pragma once

#include "figure.h"
#include "floor.h"

struct contestant {
	struct cost (*run)(const struct contestant *);
	const char *lines; /* of a scenario, below version and name: its network, and our load */
	uint32_t count;	   /* connections */
	enum floor_end end;
};

struct contest {
	const char *name;
	unsigned figures; /* of enum CPU, RATE, … */
	struct contestant base, ours;
	struct goal goals[FIGURES]; /* of each figure; all 0: none was set */
};

extern const struct contest contests[];
extern const int contest_count;

/* The n-th round: who is first changes, so that whatever warms up or tires does so for all. */
void contest_round(const struct contest *contest, struct round *out, int n);
