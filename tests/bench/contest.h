/* contest.h - who is held against whom: a line a contest.
 *
 * Contestants take turns within a round, each in a network of its own. A new one is a line of
 * contests[], and, if it works in a way of its own, a function beside those of contest.c.
 */
#pragma once

#include "figure.h"
#include "peer.h"
#include "run.h"

struct contestant {
	struct cost (*run)(const struct contestant *);
	struct run_wish wish; /* its network, and our load */
	enum floor_end end;
	uint32_t window;	 /* of a floor: IP_LOCAL_PORT_RANGE, lo | hi << 16 */
	struct run_wish few;	 /* of a memory: what the rest is more than */
	const struct peer *peer; /* of a peer */
};

struct contest {
	const char *name;
	unsigned figures; /* of enum CPU, RATE, … */
	struct contestant base, ours;
	struct goal goals[FIGURES]; /* of each figure; both 0: none was set */
};

extern const struct contest contests[];
extern const int contest_count;

/* The n-th round: who is first changes, so that whatever warms up or tires does so for all. False:
 * the base is a peer that is not installed. */
bool contest_round(const struct contest *contest, struct round *out, int n);
