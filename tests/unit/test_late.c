/* Answers that wait: the next due first, and of those due together whoever came first. */
#include "drive/late.h"

#include "base/draw.h"
#include "plan/budget.h"
#include "plan/life.h"
#include "plan_help.h"
#include "suites.h"

enum { ALL = 500 };

static void the_next_due_comes_first(void)
{
	struct arena a = help_arena();
	struct late late;
	int64_t last_ns = 0;
	uint32_t i, n = 0;
	bool taken[ALL] = {false};

	CU_ASSERT_FATAL(late_open(&late, ALL, &a));
	CU_ASSERT_EQUAL(late_due(&late), FOR_EVER);
	for (uint32_t k = 0; k < ALL; k++)
		late_add(&late, (int64_t)draw_below(1, 0, k, 1000) + 1, k);
	while (late.count > 0) {
		int64_t due_ns = late_due(&late);

		CU_ASSERT(due_ns >= last_ns);
		CU_ASSERT_FALSE(late_take(&late, due_ns - 1, &i));
		CU_ASSERT_FATAL(late_take(&late, due_ns, &i) && i < ALL);
		CU_ASSERT_EQUAL(due_ns, (int64_t)draw_below(1, 0, i, 1000) + 1);
		CU_ASSERT_FALSE(taken[i]);
		taken[i] = true;
		last_ns = due_ns;
		n++;
	}
	CU_ASSERT_EQUAL(n, ALL);
	CU_ASSERT_FALSE(late_take(&late, INT64_MAX, &i));
	arena_close(&a);
}

/* As a queue, where all wait equally long. */
static void those_due_together_come_as_they_came(void)
{
	struct arena a = help_arena();
	struct late late;
	uint32_t i, next = 0;

	CU_ASSERT_FATAL(late_open(&late, ALL, &a));
	for (uint32_t k = 0; k < ALL; k++) {
		late_add(&late, 100 + k / 50, k);
		if (k % 7 == 6 && late_take(&late, 1000, &i))
			CU_ASSERT_EQUAL(i, next++);
	}
	while (late_take(&late, 1000, &i))
		CU_ASSERT_EQUAL(i, next++);
	CU_ASSERT_EQUAL(next, ALL);
	arena_close(&a);
}

/* What the plan reckons with: the shortest, and the longest, that can be drawn. */
static void an_answer_that_varies_is_open_for_two_times(void)
{
#define ASKS "load: {hold: 1ms, timeout: 1s, request: {send: 8B, receive: 8B}}\n"
#define WAITS "load: {hold: 1ms, timeout: 1s, end: wait, request: {send: 8B, receive: 8B}}\n"
#define UDP "load: {hold: 1ms, timeout: 1s, protocol: udp, request: {send: 8B, receive: 8B}}\n"
	static const struct {
		const char *lines;
		int64_t least_ms, most_ms;
	} rows[] = {
		{ASKS "server: {delay: 100ms}", 101, 101},
		{ASKS "server: {delay: 100ms, jitter: 40%}", 61, 141},
		{ASKS "server: {delay: 100ms, jitter: 100%}", 1, 201},
		{ASKS "server: {delay: 800ms, jitter: 50%}", 401, 1001},
		/* as late as the timeout: either may be first */
		{ASKS "server: {delay: 900ms}", 901, 1001},
		{ASKS "server: {delay: 1s}", 1000, 1001},
		/* what has no answer is not held */
		{ASKS "server: {delay: 4s, jitter: 50%}", 1000, 1000},
		{ASKS "server: {behaviour: ignore}", 1000, 1000},
		/* but waits for the far end's close: until the answer, or for another second */
		{WAITS "server: {behaviour: close, delay: 1500ms}", 1500, 1500},
		{WAITS "server: {behaviour: close, delay: 4s}", 2000, 2000},
		{UDP "server: {delay: 100ms, jitter: 40%}", 61, 141},
		{UDP "server: {delay: 800ms, jitter: 50%}", 401, 1001},
		{UDP "server: {delay: 4s, jitter: 50%}", 1000, 1000},
	};
	struct arena a = help_arena();
	const struct host host = help_host();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct plan p = help_plan(rows[i].lines, &host, 1, &a);
		struct life life = life_of(p.scenario, &p.budget, &host);

		CU_ASSERT_EQUAL(life.live.least, rows[i].least_ms * 1000000);
		CU_ASSERT_EQUAL(life.live.most, rows[i].most_ms * 1000000);
	}
	arena_close(&a);
}

static const struct test tests[] = {
	TEST(the_next_due_comes_first),
	TEST(those_due_together_come_as_they_came),
	TEST(an_answer_that_varies_is_open_for_two_times),
	TESTS_END,
};

const struct suite suite_late = {"late", tests};
