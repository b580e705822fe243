#include "curve.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

static bool is_there(const struct curve_picture *picture, const struct curve_point *p)
{
	return !p->skipped[0] && picture->of(p) > 0;
}

/* A tick for each x that there is, whichever curve has it first. */
static void scale_x(struct axis *axis, const struct curve *c)
{
	axis->log = true;
	axis->low = axis->high = c->points[0].x;
	for (int i = 0; i < c->count; i++) {
		axis->ticks[axis->tick_count++] = c->points[i].x;
		axis->high = fmax(axis->high, c->points[i].x);
	}
}

static bool scale_y(struct axis *axis, const struct curve_picture *picture,
		    const struct curve *curves, int count)
{
	double low = INFINITY, high = 0;

	for (int i = 0; i < count; i++)
		for (int k = 0; k < curves[i].count; k++)
			if (is_there(picture, &curves[i].points[k])) {
				low = fmin(low, picture->of(&curves[i].points[k]));
				high = fmax(high, picture->of(&curves[i].points[k]));
			}
	if (high > 0)
		axis_decades(axis, low, high);
	return high > 0;
}

static void draw_one(const struct chart *chart, const struct curve_picture *picture,
		     const struct curve *c, unsigned n)
{
	struct point points[POINTS_MOST];
	int count = 0;

	for (int i = 0; i < c->count; i++) {
		const struct curve_point *p = &c->points[i];

		if (!is_there(picture, p))
			continue;
		points[count++] = (struct point){p->x, picture->of(p)};
		if (p->more_than)
			chart_arrow(chart, n, points[count - 1]);
	}
	chart_line(chart, n, points, count);
	chart_dots(chart, n, points, count);
	chart_key_begin(chart, n, n);
	out_fmt(chart->out, "order: %s", c->says);
	chart_key_end(chart);
}

bool curve_draw(struct out *out, const struct curve_picture *picture, const struct curve *curves,
		int count, const char *about, struct arena scratch)
{
	struct chart chart = {.out = out,
			      .x = {.title = picture->x, .print = axis_count},
			      .y = {.title = picture->y, .print = axis_time}};

	if (count == 0 || curves[0].count == 0 || !scale_y(&chart.y, picture, curves, count))
		return false;
	scale_x(&chart.x, &curves[0]);
	chart_begin(&chart, text_of(picture->title), text_of(about), (unsigned)count, scratch);
	for (int i = 0; i < count; i++)
		draw_one(&chart, picture, &curves[i], (unsigned)i);
	chart_end(&chart);
	return true;
}

static bool file_write(const char *file, struct text t)
{
	FILE *f = fopen(file, "we");
	bool ok;

	if (!f)
		return false;
	ok = fwrite(t.s, 1, t.len, f) == t.len;
	return fclose(f) == 0 && ok;
}

bool curve_save(const char *file, const struct curve_picture *picture, const struct curve *curves,
		int count, const char *about)
{
	enum { SVG_MOST = 256 * 1024 };
	struct arena a;
	struct out out;
	bool ok = false;

	if (!arena_open(&a, 1 << 20))
		return false;
	out = out_memory(ARENA_ARRAY(&a, char, SVG_MOST), SVG_MOST);
	if (!curve_draw(&out, picture, curves, count, about, a))
		errno = ENODATA;
	else if (!out_flush(&out))
		errno = out.sys;
	else
		ok = file_write(file, out_written(&out));
	arena_close(&a);
	return ok;
}

static json_t *point_json(const struct curve_point *p)
{
	if (p->skipped[0])
		return json_pack("{s:f, s:s}", "x", p->x, "skipped", p->skipped);
	return json_pack("{s:f, s:f, s:f, s:b, s:f, s:f}", "x", p->x, "connections", p->connections,
			 "seconds", p->time_ns / 1e9, "more_than", p->more_than, "cpu_us",
			 p->cpu_ns / 1e3, "dump_ms", p->dump_ns / 1e6);
}

json_t *curve_json(const struct curve *c)
{
	json_t *points = json_array();

	for (int i = 0; i < c->count; i++)
		json_array_append_new(points, point_json(&c->points[i]));
	return json_pack("{s:s, s:s, s:o}", "curve", c->name, "order", c->order, "points", points);
}
