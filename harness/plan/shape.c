#include "plan/shape.h"

#include <math.h>

#include "base/order.h"
#include "plan/budget.h"

#define SECOND 1e9

/* Beyond this nothing is counted: a thousand times what a load can have in all. */
static const double count_most = 1e12;

bool load_is_open(const struct load *load)
{
	return load->rate > 0 || load->ramp.count > 0 || load->burst.size > 0;
}

/* How many are due in a step until `seconds` after it began. */
static double step_due(const struct shape_step *s, double seconds)
{
	return s->from * seconds + s->slope * seconds * seconds / 2;
}

/* Adds a step at the end of the last, which took `seconds` to come to `rate`. */
static void step_add(struct shape *s, double seconds, double rate)
{
	struct shape_step *last = &s->steps[s->count - 1], *next = &s->steps[s->count];

	if (seconds == 0) { /* a jump */
		last->from = rate;
		return;
	}
	last->slope = (rate - last->from) / seconds;
	*next = (struct shape_step){
		.begin_ns = last->begin_ns + seconds * SECOND,
		.from = rate,
		.before = last->before + step_due(last, seconds),
	};
	s->count++;
}

struct shape shape_make(const struct load *load)
{
	struct shape s = {.burst = load->burst.size, .every_ns = load->burst.every};

	if (s.burst || !load_is_open(load))
		return s;
	s.steps[0] = (struct shape_step){.from = load->rate};
	s.count = 1;
	for (size_t i = 0; i < load->ramp.count; i++)
		step_add(&s, (double)load->ramp.list[i].over / SECOND, load->ramp.list[i].to);
	return s;
}

/* The step that is under way at a time. */
static const struct shape_step *step_at(const struct shape *s, double ns)
{
	uint32_t i = s->count - 1;

	while (i > 0 && s->steps[i].begin_ns > ns)
		i--;
	return &s->steps[i];
}

/* The step in which connection i is due: each has those from its `before` on, up to the next's. */
static const struct shape_step *step_of(const struct shape *s, double i)
{
	const struct shape_step *last = &s->steps[s->count - 1];

	for (const struct shape_step *step = s->steps; step < last; step++)
		if (i < step[1].before)
			return step;
	return last;
}

int64_t shape_when(const struct shape *s, uint64_t i)
{
	const struct shape_step *step;
	double left, root, ns;

	if (s->burst)
		return i / s->burst < (uint64_t)(FOR_EVER / s->every_ns)
			       ? (int64_t)(i / s->burst) * s->every_ns
			       : FOR_EVER;
	if (s->count == 0)
		return FOR_EVER;
	step = step_of(s, (double)i);
	left = fmax((double)i - step->before, 0);
	if (step->from == 0 && step->slope == 0)
		return FOR_EVER;
	/* The root of step_due(x) = left that is exact for a slope of 0 too. */
	root = sqrt(fmax(step->from * step->from + 2 * step->slope * left, 0));
	ns = step->begin_ns + (left > 0 ? 2 * left / (step->from + root) * SECOND : 0);
	/* A hundredth of a nanosecond is what a double has lost by then, not a later time. */
	return ns < 9e18 ? (int64_t)ceil(ns - 0.01) : FOR_EVER;
}

uint64_t shape_due(const struct shape *s, int64_t ns)
{
	const struct shape_step *step;
	uint64_t due;
	double about;

	if (ns < 0 || (s->count == 0 && s->burst == 0))
		return 0;
	if (s->burst)
		return ((uint64_t)(ns / s->every_ns) + 1) * s->burst;
	step = step_at(s, (double)ns);
	about = step->before + step_due(step, ((double)ns - step->begin_ns) / SECOND);
	if (about >= count_most)
		return (uint64_t)count_most;
	due = (uint64_t)about;
	/* The times decide: so both ways of asking give one answer. */
	while (due > 0 && shape_when(s, due - 1) > ns)
		due--;
	while (shape_when(s, due) <= ns)
		due++;
	return due;
}

int64_t load_lasts_ns(const struct load *l, int64_t stop_ns)
{
	int64_t left_ns = stop_ns - l->start;

	if (left_ns <= 0)
		return 0;
	return l->duration ? sooner(left_ns, l->duration) : left_ns;
}

/* What is due as the time ends does not begin. */
uint64_t load_begins_most(const struct load *l, const struct shape *s, int64_t stop_ns)
{
	uint64_t due = load_is_open(l) ? shape_due(s, load_lasts_ns(l, stop_ns) - 1) : UINT64_MAX;

	return l->total ? least(l->total, due) : due;
}

/* No step is faster than its two ends. */
static double rate_most(const struct shape *s)
{
	double most = 0;

	for (uint32_t i = 0; i < s->count; i++)
		most = fmax(most, s->steps[i].from);
	return most;
}

uint64_t shape_most(const struct shape *s, int64_t ns)
{
	if (s->burst)
		return shape_due(s, ns);
	return s->count ? (uint64_t)fmin(rate_most(s) * (double)ns / SECOND + 1, count_most) : 0;
}

double shape_rate(const struct shape *s)
{
	if (s->burst)
		return (double)s->burst * SECOND / (double)s->every_ns;
	return s->count ? s->steps[s->count - 1].from : 0;
}

double shape_asks(const struct shape *s)
{
	return s->burst ? shape_rate(s) : rate_most(s);
}

static double within(const struct shape *s, double at_ns, double ns, double until_ns)
{
	double at = fmax(fmin(at_ns, until_ns), 0);

	return (double)shape_due(s, (int64_t)at) - (double)shape_due(s, (int64_t)(at - ns));
}

/* When the rate of one step is what that of the other was `ns` before; 0: at no one time. */
static double even_ns(const struct shape_step *now, const struct shape_step *then, double ns)
{
	double steeper = now->slope - then->slope;
	double apart = then->from - now->from +
		       (now->slope * now->begin_ns - then->slope * (then->begin_ns + ns)) / SECOND;

	return steeper == 0 ? 0 : apart / steeper * SECOND;
}

/* There are most of them where a step begins, as long after it, or where as many come as go. */
uint64_t shape_within(const struct shape *s, int64_t ns, int64_t until_ns)
{
	double until = (double)until_ns, most = within(s, until, (double)ns, until);

	for (uint32_t i = 0; i < s->count; i++) {
		double begin = s->steps[i].begin_ns;

		most = fmax(most, within(s, begin, (double)ns, until));
		most = fmax(most, within(s, begin + (double)ns, (double)ns, until));
		for (uint32_t k = 0; k < s->count; k++)
			most = fmax(most, within(s, even_ns(&s->steps[i], &s->steps[k], (double)ns),
						 (double)ns, until));
	}
	return (uint64_t)most + 1;
}
