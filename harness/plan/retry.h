/* retry.h - how long a failed connection waits until it is tried again: pure arithmetic.
 *
 * Before retry k, counted from 0, wait × grow^k goes by, longer or shorter by up to the jitter's
 * share. What is drawn for it depends on the seed, the load, the connection and k alone.
 *
 * Units: nanoseconds.
 */
#pragma once

#include "plan/plan.h"

/* The worker would do nothing else, were it less; and none waits longer than the longest run. */
#define RETRY_WAIT_LEAST INT64_C(1000000)
#define RETRY_WAIT_MOST (3600 * INT64_C(1000000000))

enum { RETRIES_MOST = 100 }; /* words/keys.def says so */

/* `draw`: from 0 to below 1. */
int64_t retry_wait_ns(const struct load *load, unsigned k, double draw);

/* Of the load's i-th request, as the seed draws it. */
int64_t retry_wait_of(const struct plan *p, const struct load_plan *lp, uint64_t i, unsigned k);

/* The most that all waits of a connection come to. */
int64_t retry_most_ns(const struct load *load);

/* Connects of each connection, where a connect takes a port for as long as it goes on, and fails for
 * sure: each retry takes one anew. Else 1. */
unsigned retry_tries(const struct scenario *s, const struct load *load);
