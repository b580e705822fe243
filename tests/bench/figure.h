/* figure.h - what a contest is told by: of several rounds the median of their ratios, turned so
 * that above 1 is better; or, of what nothing is held against, the median itself.
 *
 * Units: those of struct cost; a ratio has none.
 * Errors: none. Rounds are 1 to ROUNDS_MOST.
 */
#pragma once

#include <stdbool.h>

#include "cost.h"

enum { ROUNDS_MOST = 99 };

/* Of one round: the base, the base again, ours. */
struct round {
	struct cost base, again, ours;
};

enum figure_kind {
	FIGURE_CPU,
	FIGURE_RATE,
	FIGURE_LATENCY,
	FIGURE_USER,
	FIGURE_MEMORY,
	FIGURE_CORE,
	FIGURE_START,
	FIGURE_SAMPLER,
	FIGURES
};

/* Those that are told of a contest, and how it is run. */
enum {
	CPU = 1 << FIGURE_CPU,
	RATE = 1 << FIGURE_RATE,
	LATENCY = 1 << FIGURE_LATENCY,
	USER = 1 << FIGURE_USER,
	MEMORY = 1 << FIGURE_MEMORY,
	CORE = 1 << FIGURE_CORE,
	START = 1 << FIGURE_START,
	SAMPLER = 1 << FIGURE_SAMPLER,
	SLOW = 1 << FIGURES,	    /* the base is not run twice */
	ALONE = 1 << (FIGURES + 1), /* there is no base */
	NAMED = 1 << (FIGURES + 2), /* only where it is asked for by name */
};

/* What is compared, and which way is better. */
struct figure {
	const char *name, *unit;
	double (*of)(const struct cost *);
	bool more_is_better;
	bool alone;   /* a bound is of the figure itself, not of a ratio: the less the better */
	double slack; /* what two medians differ by at least where nothing has changed, as a share */
};

extern const struct figure figures[FIGURES];

struct telling {
	double base, ours;
	double value;  /* what is judged: the median of the ratios; of a figure alone, ours */
	double noise;  /* the base by itself: what a ratio of nothing looks like */
	double spread; /* how far a round by itself is off, its ratio or its noise, as a share */
};

struct telling telling_of(const struct figure *f, const struct round *rounds, int n);

/* What a value should come to; of a figure alone at most, of a ratio at least. */
struct goal {
	double least, aim; /* both 0: none was set */
};

bool goal_holds(const struct figure *f, struct goal goal, double value);

/* False: rounds of this spread cannot tell whether a ratio is as little below 1 as it may be. */
bool goal_can_be_told(const struct figure *f, struct goal goal, double spread);
const char *goal_mark(const struct figure *f, struct goal goal, double value);
