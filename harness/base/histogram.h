/* histogram.h - how many values there were of each size, by log-linear buckets.
 *
 * Values below 128 have a bucket each; from there on every power of two is cut into 64, so that a
 * bucket is at most 1/64 (1.6 %) as wide as what is in it. Histograms are added bucket by bucket,
 * which is exact: percentiles of a sum are right, where an average of percentiles is not.
 *
 * Units:  the caller's; of times, nanoseconds, up to 2^40 (18 minutes). What is larger is counted
 *         in the last bucket, and in `max` as it is.
 * Errors: none. Nothing is allocated.
 * Source: the layout of HdrHistogram (G. Tene), without its generality.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	HISTOGRAM_CUTS = 64, /* of a power of two */
	HISTOGRAM_TOP = 40,  /* the power of two that ends the last of them */
	HISTOGRAM_BUCKETS = (HISTOGRAM_TOP - 5) * HISTOGRAM_CUTS,
};

struct histogram {
	uint64_t count, max;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t value);
void histogram_merge(struct histogram *into, const struct histogram *more);

/* The least value that a bucket counts. */
uint64_t histogram_floor(unsigned bucket);

/* The bucket whose least value this is; false: it is no bucket's. */
bool histogram_find(uint64_t floor, unsigned *bucket);

/* What the share of all values (0 to 1) does not exceed: the middle of its bucket, at most the
 * largest value there was; 0 of an empty one. */
uint64_t histogram_at(const struct histogram *h, double share);
