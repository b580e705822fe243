/* When connections are due: the integral of the rate, exactly, and its inverse. */
#include "plan/shape.h"

#include "plan/budget.h"
#include "plan_help.h"
#include "suites.h"

#define MS INT64_C(1000000)
#define S (1000 * MS)

static struct shape shape_of(const char *lines, struct arena *a)
{
	return shape_make(&help_scenario(lines, a)->load);
}

/* Before the load's end, and the run's; what is due at that moment does not begin. */
static void so_many_a_load_begins_at_most(void)
{
	static const struct {
		const char *lines;
		uint64_t most;
	} cases[] = {
		{"load: {rate: 1k/s}\nstop: {time: 10s}", 10000},
		{"load: {rate: 1k/s, duration: 2s}\nstop: {time: 10s}", 2000},
		{"load: {rate: 1k/s, start: 7s}\nstop: {time: 10s}", 3000},
		{"load: {rate: 1k/s, total: 50}\nstop: {time: 10s}", 50},
		{"load: {burst: {size: 8}, duration: 2s}\nstop: {time: 10s}", 16},
		{"load: {concurrency: 4, total: 50}\nstop: {time: 10s}", 50},
		{"load: {concurrency: 4}\nstop: {time: 10s}", UINT64_MAX},
	};
	struct arena a = help_arena();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct scenario *s = help_scenario(cases[i].lines, &a);
		struct shape shape = shape_make(&s->load);

		CU_ASSERT_EQUAL(load_begins_most(&s->load, &shape, s->stop.time), cases[i].most);
	}
	arena_close(&a);
}

/* `due` are begun before that time, the next at it or later. */
static void as_many_are_due_as_the_rate_comes_to(void)
{
	static const struct {
		const char *lines;
		int64_t ns;
		uint64_t due;
	} cases[] = {
		{"load: {rate: 1k/s}", 1 * S, 1000},
		{"load: {rate: 300/s}", 1 * S, 300},
		{"load: {rate: 7/min}", 60 * S, 7},
		{"load: {rate: 1M/s}", 3600 * S, 3600000000},
		{"load: {ramp: [{to: 1k/s, over: 1s}]}", 1 * S, 500},
		{"load: {ramp: [{to: 1k/s, over: 1s}]}", 500 * MS, 125},
		{"load: {ramp: [{to: 1k/s, over: 1s}]}", 3 * S, 2500},
		{"load: {rate: 1k/s, ramp: [{to: 3k/s, over: 2s}]}", 2 * S, 4000},
		{"load: {rate: 1k/s, ramp: [{to: 0/s, over: 1s}]}", 1 * S, 500},
		{"load: {rate: 1k/s, ramp: [{to: 0/s, over: 1s}]}", 3600 * S, 500},
		{"load: {ramp: [{to: 1k/s, over: 1s}, {to: 1k/s, over: 2s}, {to: 0/s, over: 1s}]}",
		 4 * S, 3000},
		/* Up at once, a rest, and up again. */
		{"load: {ramp: [{to: 1k/s, over: 0s}, {to: 1k/s, over: 1s}, {to: 0/s, over: 0s}, "
		 "{to: 0/s, over: 5s}, {to: 1k/s, over: 0s}]}",
		 6 * S, 1000},
		{"load: {ramp: [{to: 1k/s, over: 0s}, {to: 1k/s, over: 1s}, {to: 0/s, over: 0s}, "
		 "{to: 0/s, over: 5s}, {to: 1k/s, over: 0s}]}",
		 6 * S + 10 * MS, 1010},
		{"load: {burst: {size: 100}}", 1, 100},
		{"load: {burst: {size: 100}}", 1 * S, 100},
		{"load: {burst: {size: 100}}", 1 * S + 1, 200},
		{"load: {burst: {size: 3, every: 250ms}}", 1 * S, 12},
		{"load: {concurrency: 4}", 1 * S, 0},
	};
	struct arena a = help_arena();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct shape s = shape_of(cases[i].lines, &a);

		CU_ASSERT_EQUAL(shape_due(&s, cases[i].ns - 1), cases[i].due);
		CU_ASSERT(cases[i].due == 0 || shape_when(&s, cases[i].due - 1) < cases[i].ns);
		CU_ASSERT(shape_when(&s, cases[i].due) >= cases[i].ns);
	}
	arena_close(&a);
}

/* 8.64e12 in 100 days: it was counted one by one from 1e12 on. */
static void more_than_a_load_can_have_is_not_counted(void)
{
	struct arena a = help_arena();
	struct shape s = shape_of("load: {rate: 1M/s}", &a);

	CU_ASSERT_EQUAL(shape_due(&s, 100 * 86400 * S), UINT64_C(1000000000000));
	arena_close(&a);
}

static void each_is_due_when_the_integral_reaches_it(void)
{
	struct arena a = help_arena();
	struct shape up = shape_of("load: {ramp: [{to: 1k/s, over: 1s}]}", &a);
	struct shape down = shape_of("load: {rate: 1k/s, ramp: [{to: 0/s, over: 1s}]}", &a);
	struct shape bursts = shape_of("load: {burst: {size: 100, every: 1s}}", &a);
	struct shape closed = shape_of("load: {concurrency: 4}", &a);

	CU_ASSERT_EQUAL(shape_when(&up, 0), 0);
	CU_ASSERT_EQUAL(shape_when(&up, 125), 500 * MS);
	CU_ASSERT_EQUAL(shape_when(&up, 500), 1 * S);
	CU_ASSERT_EQUAL(shape_when(&up, 501), 1001 * MS);
	CU_ASSERT_EQUAL(shape_when(&down, 375), 500 * MS);
	CU_ASSERT(shape_when(&down, 499) < 1 * S);
	CU_ASSERT_EQUAL(shape_when(&down, 500), FOR_EVER);
	CU_ASSERT_EQUAL(shape_when(&bursts, 99), 0);
	CU_ASSERT_EQUAL(shape_when(&bursts, 100), 1 * S);
	CU_ASSERT_EQUAL(shape_when(&bursts, UINT64_MAX), FOR_EVER);
	CU_ASSERT_EQUAL(shape_when(&closed, 0), FOR_EVER);
	arena_close(&a);
}

/* At every time and for every connection. */
static void the_two_ways_of_asking_agree(void)
{
	static const char *const loads[] = {
		"load: {rate: 333/s}",
		"load: {rate: 7/min, ramp: [{to: 900/s, over: 3s}, {to: 11/s, over: 700ms}]}",
		("load: {ramp: [{to: 1k/s, over: 333ms}, {to: 0/s, over: 11ms}, "
		 "{to: 9/s, over: 1s}]}"),
		"load: {burst: {size: 7, every: 13ms}}",
	};
	struct arena a = help_arena();

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		struct shape s = shape_of(loads[i], &a);
		uint64_t before = 0;

		for (int64_t ns = 0; ns < 5 * S; ns += 1234567) {
			uint64_t due = shape_due(&s, ns);

			CU_ASSERT(due >= before && due <= shape_most(&s, ns) + 1);
			CU_ASSERT(due == 0 || shape_when(&s, due - 1) <= ns);
			CU_ASSERT(shape_when(&s, due) > ns);
			before = due;
		}
	}
	arena_close(&a);
}

static void what_a_run_needs_is_counted_from_the_fastest_part(void)
{
	struct arena a = help_arena();
	struct shape ramp = shape_of(
		"load: {rate: 10/s, ramp: [{to: 2k/s, over: 1s}, {to: 0/s, over: 1s}]}", &a);
	struct shape bursts = shape_of("load: {burst: {size: 100, every: 100ms}}", &a);

	CU_ASSERT_EQUAL(shape_most(&ramp, 1 * S), 2001);
	CU_ASSERT_EQUAL(shape_rate(&ramp), 0);
	CU_ASSERT_EQUAL(shape_asks(&ramp), 2000);
	/* 2,005 in all, and one that is due in both; from 1,002.5/s up and down again in a second */
	CU_ASSERT_EQUAL(shape_within(&ramp, 2 * S, 9 * S), 2006);
	CU_ASSERT_EQUAL(shape_within(&ramp, 1 * S, 9 * S), 1502);
	CU_ASSERT_EQUAL(shape_most(&bursts, 99 * MS), 100);
	CU_ASSERT_EQUAL(shape_most(&bursts, 100 * MS), 200);
	CU_ASSERT_EQUAL(shape_rate(&bursts), 1000);
	arena_close(&a);
}

static const struct test tests[] = {
	TEST(so_many_a_load_begins_at_most),
	TEST(as_many_are_due_as_the_rate_comes_to),
	TEST(more_than_a_load_can_have_is_not_counted),
	TEST(each_is_due_when_the_integral_reaches_it),
	TEST(the_two_ways_of_asking_agree),
	TEST(what_a_run_needs_is_counted_from_the_fastest_part),
	TESTS_END,
};

const struct suite suite_shape = {"shape", tests};
