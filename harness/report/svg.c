#include "report/svg.h"

#include <math.h>

#include "report/block.h"
#include "report/chart.h"
#include "report/latency.h"

enum {
	RUNS_MOST = CHART_STYLES,
	REFUSED_X = CHART_RIGHT + 44, /* pixels: beyond the last port */
	STEPS = FILLS + 2,	      /* two more where it is half full */
};

static bool is_shown(const struct result_run *run)
{
	return run->latency && run->latency->all.count + run->latency->refused.count > 0;
}

static void widen(double *low, double *high, const struct histogram *h)
{
	if (h->count == 0)
		return;
	*low = fmin(*low, (double)histogram_at(h, 0.5));
	*high = fmax(*high, (double)histogram_at(h, 0.9));
}

static void times_scale(struct axis *axis, const struct result *r)
{
	double low = 1e12, high = 1;

	for (size_t i = 0; i < r->run_count; i++) {
		const struct latency *l = r->runs[i].latency;

		for (int k = 0; l && k < FILLS; k++)
			widen(&low, &high, &l->fills[k]);
		if (l)
			widen(&low, &high, &l->refused);
	}
	axis_decades(axis, fmin(low, high), high);
}

static void fills_scale(struct axis *axis)
{
	for (int percent = 0; percent <= 100; percent += 10)
		axis->ticks[axis->tick_count++] = percent / 100.;
	axis->high = 1;
}

/* At half full a line has two points: what the twentieth before it came to, and the one behind. */
static int steps_of(const struct latency *l, double share, struct point *out)
{
	int n = 0;

	for (int i = 0; i < FILLS; i++) {
		double y = (double)histogram_at(&l->fills[i], share);

		if (l->fills[i].count == 0)
			continue;
		if (i == FILLS / 2)
			out[n++] = (struct point){0.5, y};
		out[n++] = (struct point){(i + 0.5) / FILLS, y};
		if (i == FILLS / 2 - 1)
			out[n++] = (struct point){0.5, y};
	}
	return n;
}

/* What the halves are, which only those who know the kernel expect. */
static void print_halves(const struct chart *c)
{
	double half = chart_x(c, 0.5);

	out_fmt(c->out,
		"<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" stroke=\"#888888\" "
		"stroke-dasharray=\"3 3\"/>\n"
		"<g fill=\"#666666\" font-size=\"12\" text-anchor=\"middle\">\n"
		"<text x=\"%.1f\" y=\"%d\">ports of one parity are free: found at once</text>\n"
		"<text x=\"%.1f\" y=\"%d\">they are full: each connect walks all of them "
		"first</text>\n</g>\n",
		half, half, CHART_TOP, CHART_BOTTOM, (CHART_LEFT + half) / 2, CHART_TOP + 14,
		(half + CHART_RIGHT) / 2, CHART_TOP + 14);
}

static void print_refused_label(const struct chart *c)
{
	out_fmt(c->out,
		"<text x=\"%d\" y=\"%d\" fill=\"#444444\" font-size=\"13\" "
		"text-anchor=\"end\">no port left</text>\n",
		CHART_WIDTH - CHART_EDGE, CHART_BOTTOM + 42);
}

/* ---- the legend ---------------------------------------------------------- */

/* The state that most of its ports were in, at their fullest; NULL: nobody looked. */
static const char *holder_of(const struct result_run *run)
{
	int most = 0;

	for (int i = 1; i < STATES; i++)
		if (run->used_states[i].present &&
		    (!most || run->used_states[i].n > run->used_states[most].n))
			most = i;
	return most ? state_name(most) : NULL;
}

static bool has_window(const struct result_run *run)
{
	const struct text way = TEXT("local-port-range");

	for (size_t i = 0; i < run->effective_count; i++)
		if (text_is(run->effective[i].key, "load.bind"))
			return text_starts(run->effective[i].value, way);
	return false;
}

static void print_halves_of(struct out *out, const struct result_run *run)
{
	const struct value *v = run->measures.fixed;
	char lower[UNIT_PRINTED], upper[UNIT_PRINTED], times[UNIT_PRINTED];

	if (!v[MEASURE_LATENCY_CLIFF].present)
		return;
	out_fmt(out, ": %s, from half full on %s",
		unit_time_pretty(lower, (int64_t)v[MEASURE_LATENCY_LOWER].n),
		unit_time_pretty(upper, (int64_t)v[MEASURE_LATENCY_UPPER].n));
	if (latency_has_cliff(&run->measures))
		out_fmt(out, ", %s times", unit_ratio_pretty(times, v[MEASURE_LATENCY_CLIFF].n));
	else
		out_z(out, ": no step");
}

static void print_key(const struct chart *c, const struct result_run *run, unsigned n,
		      struct arena scratch)
{
	const char *holder = holder_of(run);

	chart_key_begin(c, n, n);
	chart_words(c->out, run->scenario, scratch);
	if (run->case_name.len && !text_is(run->case_name, "base")) {
		out_z(c->out, "/");
		chart_words(c->out, run->case_name, scratch);
	}
	if (holder)
		out_fmt(c->out, ", %s%s", holder, has_window(run) ? ", IP_LOCAL_PORT_RANGE" : "");
	print_halves_of(c->out, run);
	chart_key_end(c);
}

/* ---- the picture --------------------------------------------------------- */

static void print_run(const struct chart *c, const struct result_run *run, unsigned n,
		      struct arena scratch)
{
	struct point median[STEPS], high[STEPS];
	const struct latency *l = run->latency;
	int count = steps_of(l, 0.5, median);

	steps_of(l, 0.9, high);
	chart_band(c, n, median, high, count);
	chart_line(c, n, median, count);
	if (l->refused.count)
		chart_cross(c, n, REFUSED_X, (double)histogram_at(&l->refused, 0.5));
	print_key(c, run, n, scratch);
}

/* The lesson of the scenario, where all are of one, and it has room. */
static struct text title(const struct result *r)
{
	const struct text other = TEXT("How long a connect takes, by how full the port range is");
	const struct result_run *first = NULL;

	for (size_t i = 0; i < r->run_count; i++) {
		if (!is_shown(&r->runs[i]))
			continue;
		first = first ? first : &r->runs[i];
		if (!text_eq(first->scenario, r->runs[i].scenario))
			return other;
	}
	return first && first->title.len && first->title.len <= CHART_TITLE ? first->title : other;
}

/* How many ports, where all runs have as many, and whose kernel it was. */
static struct text about(const struct result *r, struct arena *a)
{
	const char *what = "time of one connect by how full the port range is: the median, "
			   "shaded up to the 90th percentile";
	uint32_t usable = 0;
	char ports[UNIT_PRINTED];

	for (size_t i = 0; i < r->run_count; i++)
		if (is_shown(&r->runs[i])) {
			if (usable && usable != r->runs[i].plan.usable)
				return text_of(what);
			usable = r->runs[i].plan.usable;
		}
	return usable ? text_format(a, "%s; %s ports", what, unit_count_pretty(ports, usable))
		      : text_of(what);
}

bool result_write_svg(struct out *out, const struct result *r, struct arena scratch)
{
	struct chart c = {.out = out,
			  .x = {.title = "ports in use", .print = axis_share},
			  .y = {.title = "time of a connect()", .print = axis_time}};
	unsigned runs = 0, n = 0;

	for (size_t i = 0; i < r->run_count; i++)
		runs += is_shown(&r->runs[i]);
	if (runs == 0)
		return false;
	runs = runs < RUNS_MOST ? runs : RUNS_MOST;
	times_scale(&c.y, r);
	fills_scale(&c.x);
	chart_begin(&c, title(r), about(r, &scratch), runs, scratch);
	print_halves(&c);
	print_refused_label(&c);
	for (size_t i = 0; i < r->run_count && n < runs; i++)
		if (is_shown(&r->runs[i]))
			print_run(&c, &r->runs[i], n++, scratch);
	chart_end(&c);
	return true;
}
