/* Pictures: where a value is on an axis, and what a curve of make bench draws. */
#include "report/chart.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../bench/curve.h"
#include "runner.h"
#include "suites.h"

static void decades_hold_what_is_to_be_shown(void)
{
	struct axis a = {0};

	axis_decades(&a, 20, 3000);
	CU_ASSERT_DOUBLE_EQUAL(a.low, 10, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(a.high, 10000, 1e-6);
	CU_ASSERT_EQUAL(a.tick_count, 4);
	axis_decades(&a, 100, 100);
	CU_ASSERT_DOUBLE_EQUAL(a.low, 100, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(a.high, 1000, 1e-6);
}

static void an_axis_goes_by_its_values_or_by_their_logarithms(void)
{
	struct chart c = {.x = {.low = 0, .high = 1}, .y = {.low = 10, .high = 1000, .log = true}};

	CU_ASSERT_DOUBLE_EQUAL(chart_x(&c, 0), CHART_LEFT, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(chart_x(&c, 0.5), (CHART_LEFT + CHART_RIGHT) / 2., 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(chart_y(&c, 10), CHART_BOTTOM, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(chart_y(&c, 100), (CHART_BOTTOM + CHART_TOP) / 2., 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(chart_y(&c, 1e9), CHART_TOP, 1e-9); /* never beyond the picture */
	CU_ASSERT_DOUBLE_EQUAL(chart_y(&c, 0), CHART_BOTTOM, 1e-9);
}

static void no_two_lines_of_a_chart_have_the_same_dashes(void)
{
	const struct point points[] = {{0, 0}, {1, 1}};
	char lines[CHART_STYLES][512];

	for (unsigned i = 0; i < CHART_STYLES; i++) {
		struct out out = out_memory(lines[i], sizeof(lines[i]) - 1);
		struct chart c = {.out = &out, .x = {.high = 1}, .y = {.high = 1}};
		char *dashes;

		chart_line(&c, i, points, 2);
		lines[i][out.len] = '\0';
		dashes = strstr(lines[i], "stroke-dasharray");
		CU_ASSERT_PTR_NOT_NULL_FATAL(dashes);
		*strstr(dashes, "stroke-width") = '\0';
		memmove(lines[i], dashes, strlen(dashes) + 1);
		for (unsigned k = 0; k < i; k++)
			CU_ASSERT_STRING_NOT_EQUAL(lines[i], lines[k]);
	}
}

static double time_of(const struct curve_point *p)
{
	return p->time_ns;
}

static const struct curve_picture picture = {"t", "T", "x", "y", time_of};

/* How often a word is in what is drawn of a curve; -1: nothing is. */
static int times_drawn(const struct curve *c, const char *word)
{
	static char svg[32 * 1024];
	struct out out = out_memory(svg, sizeof(svg) - 1);
	struct arena scratch;
	bool drawn;
	int times = 0;

	CU_ASSERT_TRUE_FATAL(arena_open(&scratch, 1 << 20));
	drawn = curve_draw(&out, &picture, c, 1, "", scratch);
	arena_close(&scratch);
	svg[out.len] = '\0';
	for (const char *at = svg; (at = strstr(at, word)); at++)
		times++;
	return drawn ? times : -1;
}

static void a_point_that_was_not_run_is_not_drawn(void)
{
	struct curve c = {.order = "fast",
			  .says = "fast",
			  .count = 3,
			  .points = {{.x = 10, .time_ns = 1e6},
				     {.x = 100, .time_ns = 2e6},
				     {.x = 1000, .time_ns = 3e6, .skipped = "too much"}}};

	CU_ASSERT_EQUAL(times_drawn(&c, "<circle"), 2);
	CU_ASSERT_EQUAL(times_drawn(&c, "<path"), 0);
	CU_ASSERT_EQUAL(times_drawn(&c, ">1,000<"), 1); /* but its tick is there */
}

static void a_point_that_was_cut_short_has_an_arrow(void)
{
	struct curve c = {.order = "kernel",
			  .says = "kernel",
			  .count = 2,
			  .points = {{.x = 10, .time_ns = 1e6},
				     {.x = 100, .time_ns = 2e6, .more_than = true}}};

	CU_ASSERT_EQUAL(times_drawn(&c, "<path"), 1);
}

static void without_a_point_nothing_is_drawn(void)
{
	struct curve none = {.says = ""};
	struct curve skipped = {.says = "", .count = 1, .points = {{.x = 10, .skipped = "why"}}};

	CU_ASSERT_EQUAL(times_drawn(&none, "<svg"), -1);
	CU_ASSERT_EQUAL(times_drawn(&skipped, "<svg"), -1);
}

/* And what was drawn the last time is not lost to it. */
static void a_file_that_cannot_be_drawn_is_told(void)
{
	struct curve c = {.says = "", .count = 1, .points = {{.x = 10, .time_ns = 1e6}}};
	char file[] = "/tmp/lastport-XXXXXX";
	struct stat is;

	close(mkstemp(file));
	CU_ASSERT_TRUE(curve_save(file, &picture, &c, 1, ""));
	c.points[0].time_ns = 0;
	CU_ASSERT_FALSE(curve_save(file, &picture, &c, 1, ""));
	CU_ASSERT_EQUAL(errno, ENODATA);
	CU_ASSERT_EQUAL(stat(file, &is), 0);
	CU_ASSERT(is.st_size > 100);
	c.points[0].time_ns = 1e6;
	CU_ASSERT_FALSE(curve_save("/dev/full", &picture, &c, 1, ""));
	CU_ASSERT_EQUAL(errno, ENOSPC);
	CU_ASSERT_FALSE(curve_save("/nowhere/there", &picture, &c, 1, ""));
	unlink(file);
}

static const struct test tests[] = {
	TEST(decades_hold_what_is_to_be_shown),
	TEST(an_axis_goes_by_its_values_or_by_their_logarithms),
	TEST(no_two_lines_of_a_chart_have_the_same_dashes),
	TEST(a_point_that_was_not_run_is_not_drawn),
	TEST(a_point_that_was_cut_short_has_an_arrow),
	TEST(without_a_point_nothing_is_drawn),
	TEST(a_file_that_cannot_be_drawn_is_told),
	TESTS_END,
};

const struct suite suite_chart = {"chart", tests};
