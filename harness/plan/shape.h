/* shape.h - when a load's connections are due, by its rate, ramp or burst: pure arithmetic.
 *
 * An open model never waits for the far end: so many connections are due by a time, however those
 * before them fare. Their number is the integral of the rate, and connection i, counted from 0, is
 * due when that integral reaches i; the first is due at once.
 *
 * Units:  nanoseconds since the load began (load.start is past); rates are per second.
 * Errors: none. A shape of no steps and no bursts is a closed loop: nothing is due by the clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "scenario/scenario.h"

/* The rate goes from one to another, evenly; or stays. */
struct shape_step {
	double begin_ns;
	double from;   /* the rate as it begins */
	double slope;  /* per second, each second */
	double before; /* connections due before it, as the integral has it */
};

struct shape {
	struct shape_step steps[SCENARIO_RAMP_MOST + 1]; /* the last has no end, and no slope */
	uint32_t count;
	uint64_t burst; /* connections at once; 0: none */
	int64_t every_ns;
};

struct shape shape_make(const struct load *load);

/* Does the load say when connections begin, not how many are under way? */
bool load_is_open(const struct load *load);

/* How many are due by a time, that moment included. */
uint64_t shape_due(const struct shape *s, int64_t ns);

/* When connection i is due; FOR_EVER: never. */
int64_t shape_when(const struct shape *s, uint64_t i);

/* The most that fall due within any time of this length. */
uint64_t shape_most(const struct shape *s, int64_t ns);

/* For how long connections begin, in a run that ends at stop.time; 0: for no time. */
int64_t load_lasts_ns(const struct load *load, int64_t stop_ns);

/* How many begin by then, at most; UINT64_MAX: a closed loop, of which the clock tells nothing. */
uint64_t load_begins_most(const struct load *load, const struct shape *s, int64_t stop_ns);

double shape_rate(const struct shape *s); /* what it comes to in the end; 0: a closed loop */

/* The same; of a ramp, the most that it comes to. */
double shape_asks(const struct shape *s);

/* Of a ramp, no more than so many begin within any time of this length until then. */
uint64_t shape_within(const struct shape *s, int64_t ns, int64_t until_ns);
