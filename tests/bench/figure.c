#include "figure.h"

#include <stdlib.h>
#include <string.h>

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *values, int n)
{
	double sorted[ROUNDS_MOST];

	memcpy(sorted, values, sizeof(*values) * (size_t)n);
	qsort(sorted, (size_t)n, sizeof(*sorted), by_value);
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

static double cpu_of(const struct cost *c)
{
	return c->cpu_us;
}

static double rate_of(const struct cost *c)
{
	return c->rate;
}

static double latency_of(const struct cost *c)
{
	return c->latency_us;
}

const struct figure figures[FIGURES] = {
	{"cpu", "us of CPU a connection", cpu_of, false},
	{"rate", "connections/s", rate_of, true},
	{"latency", "us, p50 of a connect by itself", latency_of, false},
};

/* Above 1: b is better. */
static double ratio(const struct figure *f, const struct cost *a, const struct cost *b)
{
	return f->more_is_better ? f->of(b) / f->of(a) : f->of(a) / f->of(b);
}

struct telling telling_of(const struct figure *f, const struct round *r, int n)
{
	double base[ROUNDS_MOST], ours[ROUNDS_MOST], ratios[ROUNDS_MOST], noise[ROUNDS_MOST];

	for (int i = 0; i < n; i++) {
		base[i] = f->of(&r[i].base);
		ours[i] = f->of(&r[i].ours);
		ratios[i] = ratio(f, &r[i].base, &r[i].ours);
		noise[i] = ratio(f, &r[i].base, &r[i].again);
	}
	return (struct telling){median(base, n), median(ours, n), median(ratios, n),
				median(noise, n)};
}

const char *goal_mark(struct goal goal, double ratio)
{
	return ratio >= goal.aim ? "aim" : ratio >= goal.least ? "ok" : "below";
}
