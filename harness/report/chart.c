#include "report/chart.h"

#include <math.h>

enum { KEYS = 506 /* the first line of the legend */, ROW = 22, SWATCH = 44 };

/* Colours come again, dash patterns do not. */
static const struct style {
	const char *colour, *dash;
} styles[CHART_STYLES] = {
	{"#0072b2", "none"},	{"#d55e00", "9 3"},	 {"#009e73", "2 3"},
	{"#cc79a7", "9 3 2 3"}, {"#b58900", "14 4 4 4"}, {"#555555", "4 4"},
	{"#0072b2", "1 5"},	{"#d55e00", "20 5"},	 {"#009e73", "9 3 2 3 2 3"},
	{"#cc79a7", "4 9"},	{"#b58900", "14 4 2 4"}, {"#555555", "20 4 9 4"},
};

static const struct style *style_of(unsigned n)
{
	return &styles[n % CHART_STYLES];
}

/* ---- axes ---------------------------------------------------------------- */

void axis_decades(struct axis *axis, double low, double high)
{
	int from = (int)floor(log10(fmax(low, 1))), to = (int)ceil(log10(fmax(high, 1)));

	to = to > from ? to : from + 1;
	axis->log = true;
	axis->low = pow(10, from);
	axis->high = pow(10, to);
	axis->tick_count = 0;
	for (int i = from; i <= to && axis->tick_count < CHART_TICKS; i++)
		axis->ticks[axis->tick_count++] = pow(10, i);
}

const char *axis_time(char z[UNIT_PRINTED], double ns)
{
	return unit_time_pretty(z, (int64_t)ns);
}

const char *axis_count(char z[UNIT_PRINTED], double n)
{
	return unit_count_pretty(z, (uint64_t)n);
}

const char *axis_share(char z[UNIT_PRINTED], double share)
{
	return unit_share_pretty(z, share);
}

/* 0 to 1. */
static double axis_at(const struct axis *a, double value)
{
	double at = a->log ? log(fmax(value, a->low) / a->low) / log(a->high / a->low)
			   : (value - a->low) / (a->high - a->low);

	return fmin(fmax(at, 0), 1);
}

double chart_x(const struct chart *c, double value)
{
	return CHART_LEFT + axis_at(&c->x, value) * (CHART_RIGHT - CHART_LEFT);
}

double chart_y(const struct chart *c, double value)
{
	return CHART_BOTTOM - axis_at(&c->y, value) * (CHART_BOTTOM - CHART_TOP);
}

static void print_y_axis(const struct chart *c)
{
	for (int i = 0; i < c->y.tick_count; i++) {
		char z[UNIT_PRINTED];
		double y = chart_y(c, c->y.ticks[i]);

		out_fmt(c->out,
			"<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#e2e2e2\"/>\n"
			"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
			CHART_LEFT, CHART_RIGHT, y, y, CHART_LEFT - 8, y + 5,
			c->y.print(z, c->y.ticks[i]));
	}
	out_fmt(c->out, "<text x=\"%d\" y=\"%d\" fill=\"#444444\" font-size=\"13\">%s</text>\n",
		CHART_EDGE, CHART_TOP - 14, c->y.title);
}

static void print_x_axis(const struct chart *c)
{
	for (int i = 0; i < c->x.tick_count; i++) {
		char z[UNIT_PRINTED];
		double x = chart_x(c, c->x.ticks[i]);

		out_fmt(c->out,
			"<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" stroke=\"#444444\"/>\n"
			"<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
			x, x, CHART_BOTTOM, CHART_BOTTOM + 5, x, CHART_BOTTOM + 21,
			c->x.print(z, c->x.ticks[i]));
	}
	out_fmt(c->out,
		"<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\" stroke=\"#444444\"/>\n"
		"<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" fill=\"#444444\" "
		"font-size=\"13\">%s</text>\n",
		CHART_LEFT, CHART_RIGHT, CHART_BOTTOM, CHART_BOTTOM, (CHART_LEFT + CHART_RIGHT) / 2,
		CHART_BOTTOM + 42, c->x.title);
}

/* ---- the picture --------------------------------------------------------- */

void chart_words(struct out *out, struct text t, struct arena scratch)
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

void chart_begin(const struct chart *c, struct text title, struct text about, unsigned rows,
		 struct arena scratch)
{
	unsigned height = KEYS + rows * ROW;

	out_fmt(c->out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %u\" role=\"img\" "
		"font-family=\"sans-serif\" font-size=\"14\" fill=\"#1a1a1a\">\n<title>",
		CHART_WIDTH, height);
	chart_words(c->out, title, scratch);
	out_fmt(c->out,
		"</title>\n"
		"<rect x=\"0.5\" y=\"0.5\" width=\"%d\" height=\"%u\" rx=\"8\" fill=\"#ffffff\" "
		"stroke=\"#c8c8c8\"/>\n<text x=\"%d\" y=\"30\" font-size=\"19\">",
		CHART_WIDTH - 1, height - 1, CHART_EDGE);
	chart_words(c->out, title, scratch);
	out_fmt(c->out, "</text>\n<text x=\"%d\" y=\"52\" fill=\"#444444\">", CHART_EDGE);
	chart_words(c->out, about, scratch);
	out_z(c->out, "</text>\n");
	print_y_axis(c);
	print_x_axis(c);
}

void chart_end(const struct chart *c)
{
	out_z(c->out, "</svg>\n");
}

static void print_points(const struct chart *c, const struct point *points, int count, bool back)
{
	for (int i = 0; i < count; i++) {
		const struct point *p = &points[back ? count - 1 - i : i];

		out_fmt(c->out, "%.1f,%.1f ", chart_x(c, p->x), chart_y(c, p->y));
	}
}

void chart_line(const struct chart *c, unsigned style, const struct point *points, int count)
{
	const struct style *s = style_of(style);

	out_fmt(c->out,
		"<polyline fill=\"none\" stroke=\"%s\" stroke-dasharray=\"%s\" "
		"stroke-width=\"2.5\" points=\"",
		s->colour, s->dash);
	print_points(c, points, count, false);
	out_z(c->out, "\"/>\n");
}

void chart_band(const struct chart *c, unsigned style, const struct point *low,
		const struct point *high, int count)
{
	const struct style *s = style_of(style);

	out_fmt(c->out, "<polygon fill=\"%s\" fill-opacity=\"0.06\" points=\"", s->colour);
	print_points(c, low, count, false);
	print_points(c, high, count, true);
	out_fmt(c->out,
		"\"/>\n<polyline fill=\"none\" stroke=\"%s\" stroke-opacity=\"0.6\" "
		"stroke-dasharray=\"%s\" points=\"",
		s->colour, s->dash);
	print_points(c, high, count, false);
	out_z(c->out, "\"/>\n");
}

void chart_dots(const struct chart *c, unsigned style, const struct point *points, int count)
{
	for (int i = 0; i < count; i++)
		out_fmt(c->out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>\n",
			chart_x(c, points[i].x), chart_y(c, points[i].y), style_of(style)->colour);
}

void chart_cross(const struct chart *c, unsigned style, double x_px, double value)
{
	out_fmt(c->out,
		"<path d=\"M%.1f %.1fl10 10m0 -10l-10 10\" stroke=\"%s\" stroke-width=\"2.5\"/>\n",
		x_px - 5, chart_y(c, value) - 5, style_of(style)->colour);
}

void chart_arrow(const struct chart *c, unsigned style, struct point at)
{
	out_fmt(c->out,
		"<path d=\"M%.1f %.1fv-20m-5 6l5 -7l5 7\" fill=\"none\" stroke=\"%s\" "
		"stroke-width=\"2\"/>\n",
		chart_x(c, at.x), chart_y(c, at.y), style_of(style)->colour);
}

void chart_key_begin(const struct chart *c, unsigned style, unsigned row)
{
	const struct style *s = style_of(style);
	unsigned y = KEYS + row * ROW;

	out_fmt(c->out,
		"<line x1=\"%d\" x2=\"%d\" y1=\"%u\" y2=\"%u\" stroke=\"%s\" "
		"stroke-dasharray=\"%s\" stroke-width=\"2.5\"/>\n<text x=\"%d\" y=\"%u\" "
		"font-size=\"13\">",
		CHART_EDGE, CHART_EDGE + SWATCH, y - 5, y - 5, s->colour, s->dash,
		CHART_EDGE + SWATCH + 10, y);
}

void chart_key_end(const struct chart *c)
{
	out_z(c->out, "</text>\n");
}
