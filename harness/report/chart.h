/* chart.h - a picture of lines over two axes: what all pictures of results have in common.
 *
 * Each line has a style: a colour that those who do not see all colours can tell apart (Okabe and
 * Ito's), and a dash pattern of its own, so that nothing is told by colour alone. The picture has
 * a white ground and a border, so that it can stand on a dark page.
 *
 * Output: one SVG 1.1 document.
 * Units:  values are the axes' own; pixels are of the picture.
 */
#pragma once

#include "base/arena.h"
#include "base/out.h"
#include "base/unit.h"

enum {
	CHART_WIDTH = 900,
	CHART_EDGE = 16,
	CHART_LEFT = 76,
	CHART_RIGHT = 816,
	CHART_TOP = 88,
	CHART_BOTTOM = 432,
	CHART_TICKS = 24,
	CHART_TITLE = 90,  /* letters of a title that have room */
	CHART_STYLES = 12, /* lines beyond these look like the first ones again */
};

struct axis {
	const char *title;
	double low, high;
	bool log;
	const char *(*print)(char[UNIT_PRINTED], double value);
	double ticks[CHART_TICKS]; /* within low to high */
	int tick_count;
};

struct chart {
	struct out *out;
	struct axis x, y;
};

struct point {
	double x, y;
};

/* The powers of ten that hold both, with a tick for each. */
void axis_decades(struct axis *axis, double low, double high);

const char *axis_time(char z[UNIT_PRINTED], double ns);
const char *axis_count(char z[UNIT_PRINTED], double n);
const char *axis_share(char z[UNIT_PRINTED], double share);

/* Ground, title and axes; `rows` lines of a legend are to stand below. */
void chart_begin(const struct chart *chart, struct text title, struct text about, unsigned rows,
		 struct arena scratch);
void chart_end(const struct chart *chart);

double chart_x(const struct chart *chart, double value); /* pixels */
double chart_y(const struct chart *chart, double value);

void chart_line(const struct chart *chart, unsigned style, const struct point *points, int count);

/* Between two lines, shaded, with the higher one drawn thinly, so that several that overlap can be told
 * apart; points of both at the same x. */
void chart_band(const struct chart *chart, unsigned style, const struct point *low,
		const struct point *high, int count);
void chart_dots(const struct chart *chart, unsigned style, const struct point *points, int count);
void chart_cross(const struct chart *chart, unsigned style, double x_px, double value);
void chart_arrow(const struct chart *chart, unsigned style, struct point at); /* and beyond */

/* A line of the legend; what is written between the two stands in it, by way of chart_words(). */
void chart_key_begin(const struct chart *chart, unsigned style, unsigned row);
void chart_key_end(const struct chart *chart);

/* What a terminal may see, and with XML's own characters by their names. */
void chart_words(struct out *out, struct text t, struct arena scratch);
