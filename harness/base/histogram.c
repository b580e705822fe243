#include "base/histogram.h"

#include <math.h>

enum { CUT_BITS = 6, EXACT = 2 * HISTOGRAM_CUTS /* values with a bucket each */ };

/* The power of two that a value of two cuts or more has, by its highest bit. */
static unsigned power_of(uint64_t value)
{
	return 63 - (unsigned)__builtin_clzll(value);
}

static unsigned bucket_of(uint64_t value)
{
	unsigned shift;

	if (value < EXACT)
		return (unsigned)value;
	shift = power_of(value) - CUT_BITS;
	if (shift + CUT_BITS >= HISTOGRAM_TOP)
		return HISTOGRAM_BUCKETS - 1;
	return shift * HISTOGRAM_CUTS + (unsigned)(value >> shift);
}

void histogram_add(struct histogram *h, uint64_t value)
{
	h->count++;
	h->buckets[bucket_of(value)]++;
	if (value > h->max)
		h->max = value;
}

void histogram_merge(struct histogram *into, const struct histogram *more)
{
	into->count += more->count;
	if (more->max > into->max)
		into->max = more->max;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->buckets[i] += more->buckets[i];
}

/* bucket_of() the other way: of the cuts of one power, the first is shift × 64 + 64. */
uint64_t histogram_floor(unsigned bucket)
{
	unsigned shift = bucket / HISTOGRAM_CUTS;

	if (bucket < EXACT)
		return bucket;
	shift--;
	return (uint64_t)(bucket - shift * HISTOGRAM_CUTS) << shift;
}

bool histogram_find(uint64_t floor, unsigned *bucket)
{
	*bucket = bucket_of(floor);
	return histogram_floor(*bucket) == floor;
}

static uint64_t middle_of(unsigned bucket)
{
	uint64_t floor = histogram_floor(bucket);

	return floor + (histogram_floor(bucket + 1) - floor - 1) / 2;
}

uint64_t histogram_at(const struct histogram *h, double share)
{
	uint64_t rank = (uint64_t)ceil(share * (double)h->count), seen = 0, value = 0;

	if (rank == 0)
		rank = h->count > 0;
	for (unsigned i = 0; seen < rank && i < HISTOGRAM_BUCKETS; i++) {
		seen += h->buckets[i];
		value = middle_of(i);
	}
	return value < h->max ? value : h->max;
}
