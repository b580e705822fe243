#include "tape/latency.h"

static unsigned twentieth_of(double fill)
{
	double n = fill * FILLS;

	return n < 0 ? 0 : n >= FILLS ? FILLS - 1 : (unsigned)n;
}

void latency_add(struct latency *l, enum half half, double fill, int64_t took_ns)
{
	uint64_t took = took_ns > 0 ? (uint64_t)took_ns : 0;

	histogram_add(&l->all, took);
	histogram_add(&l->halves[half], took);
	histogram_add(&l->fills[twentieth_of(fill)], took);
}

void latency_merge(struct latency *into, const struct latency *more)
{
	histogram_merge(&into->all, &more->all);
	histogram_merge(&into->refused, &more->refused);
	for (int i = 0; i < HALVES; i++)
		histogram_merge(&into->halves[i], &more->halves[i]);
	for (int i = 0; i < FILLS; i++)
		histogram_merge(&into->fills[i], &more->fills[i]);
}
