#include "figure.h"

#include <math.h>
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

static double user_of(const struct cost *c)
{
	return c->user_percent;
}

static double memory_of(const struct cost *c)
{
	return c->held_bytes;
}

static double core_of(const struct cost *c)
{
	return c->core_percent;
}

static double start_of(const struct cost *c)
{
	return c->start_ms;
}

static double sampler_of(const struct cost *c)
{
	return c->sampler_percent;
}

/* slack: by A/A runs of 8 rounds on a quiet machine, rounded up. */
const struct figure figures[FIGURES] = {
	[FIGURE_CPU] = {"cpu", "us of CPU a connection", cpu_of, .slack = 0.03},
	[FIGURE_RATE] = {"rate", "connections/s", rate_of, .more_is_better = true, .slack = 0.06},
	[FIGURE_LATENCY] = {"latency", "us, p50 of a connect by itself", latency_of, .slack = 0.1},
	[FIGURE_USER] = {"user", "% of its CPU in user space", user_of, .alone = true,
			 .slack = 0.5},
	[FIGURE_MEMORY] = {"memory", "bytes of user space a held connection", memory_of,
			   .alone = true, .slack = 0.1},
	[FIGURE_CORE] = {"core", "% of a core while no port is free", core_of, .alone = true,
			 .slack = 0.3},
	[FIGURE_SAMPLER] = {"sampler", "% of a core by the sampler", sampler_of, .alone = true,
			    .slack = 0.2},
	[FIGURE_START] = {"start", "ms from exec to exit", start_of, .alone = true, .slack = 0.3},
};

/* Above 1: b is better. */
static double ratio(const struct figure *f, const struct cost *a, const struct cost *b)
{
	return f->more_is_better ? f->of(b) / f->of(a) : f->of(a) / f->of(b);
}

/* How far half of them are off `from`, at least, as a share of it. */
static double spread(const double *values, int n, double from)
{
	double off[ROUNDS_MOST];

	for (int i = 0; i < n; i++)
		off[i] = from > 0 ? fabs(values[i] / from - 1) : 0;
	return median(off, n);
}

struct telling telling_of(const struct figure *f, const struct round *r, int n)
{
	double base[ROUNDS_MOST], ours[ROUNDS_MOST], ratios[ROUNDS_MOST], noise[ROUNDS_MOST];
	struct telling t;

	for (int i = 0; i < n; i++) {
		base[i] = f->of(&r[i].base);
		ours[i] = f->of(&r[i].ours);
		ratios[i] = ratio(f, &r[i].base, &r[i].ours);
		noise[i] = ratio(f, &r[i].base, &r[i].again);
	}
	t.base = median(base, n);
	t.ours = median(ours, n);
	t.value = f->alone ? t.ours : median(ratios, n);
	t.noise = f->alone ? 1 : median(noise, n); /* without a base it is no number */
	t.spread = f->alone ? spread(ours, n, t.ours)
			    : fmax(spread(noise, n, 1), spread(ratios, n, t.value));
	return t;
}

bool goal_holds(const struct figure *f, struct goal goal, double value)
{
	if (goal.least == 0)
		return true;
	return f->alone ? value <= goal.least : value >= goal.least;
}

bool goal_can_be_told(const struct figure *f, struct goal goal, double spread)
{
	return f->alone || goal.least == 0 || goal.least >= 1 || spread <= 1 - goal.least;
}

const char *goal_mark(const struct figure *f, struct goal goal, double value)
{
	if (goal.least == 0)
		return "";
	if (!goal_holds(f, goal, value))
		return "below";
	return goal_holds(f, (struct goal){goal.aim, goal.aim}, value) ? "aim" : "ok";
}
