/* make bench: what rounds come to, and how that compares with what was kept. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../bench/reference.h"
#include "runner.h"
#include "suites.h"

static const struct figure *const cpu = &figures[FIGURE_CPU], *const rate = &figures[FIGURE_RATE],
				  *const memory = &figures[FIGURE_MEMORY];

static struct round cpu_round(double base, double again, double ours)
{
	return (struct round){{.cpu_us = base}, {.cpu_us = again}, {.cpu_us = ours}};
}

static void ratios_are_taken_within_a_round(void)
{
	/* By medians of each it were 20 / 20: the machine was slow in the second. */
	const struct round r[] = {cpu_round(20, 20, 10), cpu_round(40, 40, 20),
				  cpu_round(20, 20, 20)};
	struct telling t = telling_of(cpu, r, 3);

	CU_ASSERT_DOUBLE_EQUAL(t.value, 2, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(t.base, 20, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(t.ours, 20, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(t.noise, 1, 1e-9);
}

static void more_is_better_of_a_rate_and_less_of_cpu(void)
{
	const struct round r = {
		{.cpu_us = 20, .rate = 50}, {.cpu_us = 20, .rate = 50}, {.cpu_us = 10, .rate = 25}};

	CU_ASSERT_DOUBLE_EQUAL(telling_of(cpu, &r, 1).value, 2, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(telling_of(rate, &r, 1).value, 0.5, 1e-9);
}

static void of_an_even_number_the_median_is_between_two(void)
{
	const struct round r[] = {cpu_round(10, 10, 10), cpu_round(30, 30, 10)};

	CU_ASSERT_DOUBLE_EQUAL(telling_of(cpu, r, 2).value, 2, 1e-9);
}

static void the_spread_is_what_the_base_differs_by_from_itself(void)
{
	const struct round r[] = {cpu_round(20, 25, 20), cpu_round(20, 16, 20),
				  cpu_round(20, 25, 20)};
	struct telling t = telling_of(cpu, r, 3);

	CU_ASSERT_DOUBLE_EQUAL(t.noise, 0.8, 1e-9); /* 20 / 25 */
	CU_ASSERT_DOUBLE_EQUAL(t.spread, 0.2, 1e-9);
}

static void a_figure_alone_is_judged_by_itself(void)
{
	const struct round r[] = {
		{.ours.held_bytes = 9}, {.ours.held_bytes = 10}, {.ours.held_bytes = 14}};
	struct telling t = telling_of(memory, r, 3);

	CU_ASSERT_DOUBLE_EQUAL(t.value, 10, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(t.noise, 1, 1e-9); /* JSON has no NaN: the row were lost */
	CU_ASSERT_DOUBLE_EQUAL(t.spread, 0.1, 1e-9);
	CU_ASSERT_TRUE(goal_holds(memory, (struct goal){32, 12}, 32));
	CU_ASSERT_FALSE(goal_holds(memory, (struct goal){32, 12}, 33));
	CU_ASSERT_STRING_EQUAL(goal_mark(memory, (struct goal){32, 12}, 12), "aim");
	CU_ASSERT_STRING_EQUAL(goal_mark(memory, (struct goal){32, 12}, 13), "ok");
}

/* 2 % less is not to be told by rounds of which half are 5 % off. */
static void a_goal_within_the_noise_cannot_be_told(void)
{
	CU_ASSERT_FALSE(goal_can_be_told(rate, (struct goal){0.98, 1}, 0.05));
	CU_ASSERT_TRUE(goal_can_be_told(rate, (struct goal){0.98, 1}, 0.01));
	CU_ASSERT_TRUE(goal_can_be_told(rate, (struct goal){1.3, 1.5}, 0.2));
	CU_ASSERT_TRUE(goal_can_be_told(rate, (struct goal){0}, 0.2));
	CU_ASSERT_TRUE(goal_can_be_told(&figures[FIGURE_SAMPLER], (struct goal){2, 1}, 0.2));
}

static void the_samplers_share_is_a_figure_alone(void)
{
	const struct round r[] = {{.ours.sampler_percent = 1.5},
				  {.ours.sampler_percent = 1.7},
				  {.ours.sampler_percent = 1.6}};
	const struct figure *f = &figures[FIGURE_SAMPLER];

	CU_ASSERT_DOUBLE_EQUAL(telling_of(f, r, 3).value, 1.6, 1e-9);
	CU_ASSERT_TRUE(goal_holds(f, (struct goal){2, 1}, 1.6));
	CU_ASSERT_FALSE(goal_holds(f, (struct goal){2, 1}, 2.1));
}

static void a_goal_is_met_at_its_least_and_none_always(void)
{
	CU_ASSERT_STRING_EQUAL(goal_mark(cpu, (struct goal){1.1, 1.2}, 1.09), "below");
	CU_ASSERT_STRING_EQUAL(goal_mark(cpu, (struct goal){1.1, 1.2}, 1.1), "ok");
	CU_ASSERT_STRING_EQUAL(goal_mark(cpu, (struct goal){1.1, 1.2}, 1.2), "aim");
	CU_ASSERT_STRING_EQUAL(goal_mark(cpu, (struct goal){0}, 0.1), "");
	CU_ASSERT_TRUE(goal_holds(cpu, (struct goal){0}, 0.1));
}

static enum standing standing(const struct figure *f, double now, double spread, double kept,
			      double kept_spread)
{
	return standing_of(f, &(struct telling){.value = now, .spread = spread},
			   &(struct kept){kept, kept_spread});
}

static void a_ratio_fell_by_more_than_the_noise_or_not_at_all(void)
{
	CU_ASSERT_EQUAL(standing(cpu, 0.98, 0, 1, 0), AS_KEPT); /* within the slack of CPU: 3 % */
	CU_ASSERT_EQUAL(standing(cpu, 0.96, 0, 1, 0), FELL);
	CU_ASSERT_EQUAL(standing(cpu, 1.04, 0, 1, 0), ROSE);
	CU_ASSERT_EQUAL(standing(rate, 0.96, 0, 1, 0), AS_KEPT);  /* of a rate: 6 % */
	CU_ASSERT_EQUAL(standing(cpu, 0.92, 0.1, 1, 0), AS_KEPT); /* today's noise */
	CU_ASSERT_EQUAL(standing(cpu, 0.92, 0, 1, 0.1), AS_KEPT); /* that of then */
	CU_ASSERT_EQUAL(standing(cpu, 0.88, 0.1, 1, 0.1), FELL);
}

static void of_a_figure_alone_more_is_worse(void)
{
	CU_ASSERT_EQUAL(standing(memory, 12, 0, 10, 0), FELL);
	CU_ASSERT_EQUAL(standing(memory, 8, 0, 10, 0), ROSE);
	CU_ASSERT_EQUAL(standing(memory, 10.5, 0, 10, 0), AS_KEPT);
}

static void what_is_no_figure_stands_nowhere(void)
{
	CU_ASSERT_EQUAL(standing(cpu, 1, 0, 0, 0), NOT_KEPT);
	CU_ASSERT_EQUAL(standing(cpu, 0, 0, 1, 0), NOT_KEPT);
	CU_ASSERT_EQUAL(standing(cpu, 1, 0, -1, 0), NOT_KEPT);
}

static void a_reference_has_a_row_for_each_contest_and_figure(void)
{
	json_t *r =
		json_pack("{s:[{s:s,s:s,s:f,s:f},{s:s,s:s,s:f},{s:s,s:s}]}", "figures", "bench",
			  "reset", "figure", "cpu", "value", 1.2, "spread", 0.02, "bench", "reset",
			  "figure", "rate", "value", 1.1, "bench", "wrk", "missing", "yes");
	struct kept kept;

	CU_ASSERT_TRUE(reference_find(r, "reset", cpu, &kept));
	CU_ASSERT_DOUBLE_EQUAL(kept.value, 1.2, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(kept.spread, 0.02, 1e-9);
	CU_ASSERT_TRUE(reference_find(r, "reset", rate, &kept));
	CU_ASSERT_DOUBLE_EQUAL(kept.value, 1.1, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(kept.spread, 0, 1e-9);
	CU_ASSERT_FALSE(reference_find(r, "reset", memory, &kept));
	CU_ASSERT_FALSE(reference_find(r, "wrk", cpu, &kept));
	CU_ASSERT_FALSE(reference_find(NULL, "reset", cpu, &kept));
	json_decref(r);
}

static json_t *reference_of(const char *words, char *why, size_t room)
{
	char file[] = "/tmp/lastport-unit-XXXXXX";
	int fd = mkstemp(file);
	json_t *r;

	CU_ASSERT_TRUE_FATAL(fd >= 0 && write(fd, words, strlen(words)) == (ssize_t)strlen(words));
	close(fd);
	r = reference_load(file, why, room);
	unlink(file);
	return r;
}

static void a_file_that_is_no_reference_is_told_with_the_reason(void)
{
	char why[200] = "";
	json_t *r = reference_of("{\"figures\": []}", why, sizeof(why));

	CU_ASSERT_PTR_NOT_NULL(r);
	json_decref(r);
	CU_ASSERT_PTR_NULL(reference_of("{\"figures\":\n oops}", why, sizeof(why)));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, ":2: "));
	CU_ASSERT_PTR_NULL(reference_of("[1]", why, sizeof(why)));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "has no figures"));
}

static const struct test tests[] = {
	TEST(ratios_are_taken_within_a_round),
	TEST(more_is_better_of_a_rate_and_less_of_cpu),
	TEST(of_an_even_number_the_median_is_between_two),
	TEST(the_spread_is_what_the_base_differs_by_from_itself),
	TEST(a_figure_alone_is_judged_by_itself),
	TEST(a_goal_within_the_noise_cannot_be_told),
	TEST(the_samplers_share_is_a_figure_alone),
	TEST(a_goal_is_met_at_its_least_and_none_always),
	TEST(a_ratio_fell_by_more_than_the_noise_or_not_at_all),
	TEST(of_a_figure_alone_more_is_worse),
	TEST(what_is_no_figure_stands_nowhere),
	TEST(a_reference_has_a_row_for_each_contest_and_figure),
	TEST(a_file_that_is_no_reference_is_told_with_the_reason),
	TESTS_END,
};

const struct suite suite_bench = {"bench", tests};
