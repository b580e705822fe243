#include "report/svg.h"

#include <math.h>

#include "base/unit.h"
#include "report/block.h"

/* Of the picture, in its own units; the plot is a box in it, and names stand below. */
enum { WIDTH = 900, LEFT = 80, RIGHT = 870, TOP = 70, BOTTOM = 420, ROW = 24, RUNS_MOST = 12 };

/* Okabe and Ito's colours, which those who do not see all colours can tell apart. */
static const struct style {
	const char *colour, *dash;
} styles[] = {
	{"#0072b2", "none"},	{"#d55e00", "8 3"},	 {"#009e73", "2 3"},
	{"#cc79a7", "8 3 2 3"}, {"#b58900", "12 4 4 4"}, {"#555555", "4 4"},
};

enum { STYLES = sizeof(styles) / sizeof(styles[0]) };

/* Decades of nanoseconds that hold all there is to show. */
struct scale {
	int from, to;
};

static double x_of(double fill)
{
	return LEFT + fill * (RIGHT - LEFT);
}

static double y_of(const struct scale *s, double ns)
{
	double share = (log10(fmax(ns, 1)) - s->from) / (s->to - s->from);

	return BOTTOM - share * (BOTTOM - TOP);
}

static void widen(double *low, double *high, const struct histogram *h)
{
	if (h->count == 0)
		return;
	*low = fmin(*low, (double)histogram_at(h, 0.5));
	*high = fmax(*high, (double)histogram_at(h, 0.99));
}

static struct scale scale_of(const struct result *r)
{
	double low = 1e12, high = 1;

	for (size_t i = 0; i < r->run_count; i++) {
		const struct latency *l = r->runs[i].latency;

		for (int k = 0; l && k < FILLS; k++)
			widen(&low, &high, &l->fills[k]);
		if (l)
			widen(&low, &high, &l->refused);
	}
	low = floor(log10(fmax(low, 1)));
	high = ceil(log10(fmax(high, 1)));
	return (struct scale){(int)low, (int)fmax(high, low + 1)};
}

/* What a terminal may see, and with XML's own characters by their names. */
static void print_text(struct out *out, struct text t, struct arena scratch)
{
	size_t room = 10 * t.len + 1;
	struct out plain = out_memory(ARENA_ARRAY(&scratch, char, room), room);

	out_escaped(&plain, t);
	for (size_t i = 0; i < plain.len; i++) {
		char c = plain.buffer[i];

		if (c == '&')
			out_z(out, "&amp;");
		else if (c == '<')
			out_z(out, "&lt;");
		else if (c == '>')
			out_z(out, "&gt;");
		else
			out_text(out, (struct text){&plain.buffer[i], 1});
	}
}

static void print_head(struct out *out, int height)
{
	out_fmt(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" "
		"font-family=\"sans-serif\" font-size=\"14\">\n"
		"<title>How long a connect takes, by how full the port range is</title>\n"
		"<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n"
		"<text x=\"%d\" y=\"30\" font-size=\"19\">How long a connect takes, by how full "
		"the port range is</text>\n"
		"<text x=\"%d\" y=\"52\" fill=\"#444444\">one at a time: median, 99th percentile "
		"(thin), and the connect that finds no port (&#215;)</text>\n",
		WIDTH, height, WIDTH, height, LEFT, LEFT);
}

static void print_decades(struct out *out, const struct scale *s)
{
	for (int decade = s->from; decade <= s->to; decade++) {
		char text[UNIT_PRINTED];
		double ns = pow(10, decade), y = y_of(s, ns);

		out_fmt(out,
			"<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#dddddd\"/>\n"
			"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
			LEFT, RIGHT, y, y, LEFT - 8, y + 5, unit_time_pretty(text, (int64_t)ns));
	}
}

static void print_fills(struct out *out)
{
	for (int percent = 0; percent <= 100; percent += 10) {
		bool half = percent == 50;

		out_fmt(out,
			"<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" stroke=\"%s\"%s/>\n"
			"<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d %%</text>\n",
			x_of(percent / 100.), x_of(percent / 100.), half ? TOP : BOTTOM, BOTTOM + 5,
			half ? "#888888" : "#444444", half ? " stroke-dasharray=\"3 3\"" : "",
			x_of(percent / 100.), BOTTOM + 22, percent);
	}
	out_fmt(out,
		"<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\" stroke=\"#444444\"/>\n"
		"<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">ports in use</text>\n",
		LEFT, RIGHT, BOTTOM, BOTTOM, (LEFT + RIGHT) / 2, BOTTOM + 42);
}

static void print_curve(struct out *out, const struct scale *s, const struct latency *l,
			const struct style *style, double share, double width)
{
	out_fmt(out,
		"<polyline fill=\"none\" stroke=\"%s\" stroke-dasharray=\"%s\" "
		"stroke-width=\"%.1f\" points=\"",
		style->colour, style->dash, width);
	for (int i = 0; i < FILLS; i++)
		if (l->fills[i].count)
			out_fmt(out, "%.1f,%.1f ", x_of((i + 0.5) / FILLS),
				y_of(s, (double)histogram_at(&l->fills[i], share)));
	out_z(out, "\"/>\n");
}

static void print_refused(struct out *out, const struct scale *s, const struct latency *l,
			  const struct style *style)
{
	double x = x_of(1), y;

	if (l->refused.count == 0)
		return;
	y = y_of(s, (double)histogram_at(&l->refused, 0.5));
	out_fmt(out,
		"<path d=\"M%.1f %.1fl10 10m0 -10l-10 10\" stroke=\"%s\" stroke-width=\"2.5\"/>\n",
		x - 5, y - 5, style->colour);
}

static void print_legend(struct out *out, const struct result_run *run, const struct style *style,
			 int y, struct arena scratch)
{
	const struct value *v = run->measures.fixed;
	char lower[UNIT_PRINTED], upper[UNIT_PRINTED], times[UNIT_PRINTED];
	bool named = run->case_name.len && !text_is(run->case_name, "base");

	out_fmt(out,
		"<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\" stroke=\"%s\" "
		"stroke-dasharray=\"%s\" stroke-width=\"2.5\"/>\n<text x=\"%d\" y=\"%d\">",
		LEFT, LEFT + 44, y - 5, y - 5, style->colour, style->dash, LEFT + 54, y);
	print_text(out, run->scenario, scratch);
	if (named) {
		out_z(out, "/");
		print_text(out, run->case_name, scratch);
	}
	if (v[MEASURE_LATENCY_CLIFF].present)
		out_fmt(out, ": %s in the first half, %s in the second: %s times",
			unit_time_pretty(lower, (int64_t)v[MEASURE_LATENCY_LOWER].n),
			unit_time_pretty(upper, (int64_t)v[MEASURE_LATENCY_UPPER].n),
			unit_ratio_pretty(times, v[MEASURE_LATENCY_CLIFF].n));
	out_z(out, "</text>\n");
}

static void print_run(struct out *out, const struct scale *s, const struct result_run *run, int n,
		      struct arena scratch)
{
	const struct style *style = &styles[n % STYLES];

	print_curve(out, s, run->latency, style, 0.99, 0.8);
	print_curve(out, s, run->latency, style, 0.5, 2.5);
	print_refused(out, s, run->latency, style);
	print_legend(out, run, style, BOTTOM + 74 + n * ROW, scratch);
}

static bool is_shown(const struct result_run *run)
{
	return run->latency && run->latency->all.count + run->latency->refused.count > 0;
}

bool result_write_svg(struct out *out, const struct result *r, struct arena scratch)
{
	struct scale scale = scale_of(r);
	int runs = 0, n = 0;

	for (size_t i = 0; i < r->run_count; i++)
		runs += is_shown(&r->runs[i]);
	if (runs == 0)
		return false;
	runs = runs < RUNS_MOST ? runs : RUNS_MOST;
	print_head(out, BOTTOM + 74 + runs * ROW);
	print_decades(out, &scale);
	print_fills(out);
	for (size_t i = 0; i < r->run_count && n < runs; i++)
		if (is_shown(&r->runs[i]))
			print_run(out, &scale, &r->runs[i], n++, scratch);
	out_z(out, "</svg>\n");
	return true;
}
