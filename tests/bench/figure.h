/* figure.h - what a contest is told by: of several rounds the median of their ratios, turned so
 * that above 1 is better.
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

enum figure_kind { FIGURE_CPU, FIGURE_RATE, FIGURE_LATENCY, FIGURES };

/* Those that are told of a contest. */
enum {
	CPU = 1 << FIGURE_CPU,
	RATE = 1 << FIGURE_RATE,
	LATENCY = 1 << FIGURE_LATENCY,
	SLOW = 1 << FIGURES, /* the base is not run twice */
};

/* What is compared, and which way is better. */
struct figure {
	const char *name, *unit;
	double (*of)(const struct cost *);
	bool more_is_better;
};

extern const struct figure figures[FIGURES];

/* The medians over the rounds of what one figure comes to. */
struct telling {
	double base, ours, ratio;
	double noise; /* the base by itself: what a ratio of nothing looks like */
};

struct telling telling_of(const struct figure *f, const struct round *rounds, int n);

/* What a ratio should come to. */
struct goal {
	double least, aim;
};

const char *goal_mark(struct goal goal, double ratio); /* "aim", "ok", "below" */
