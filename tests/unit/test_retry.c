/* What failed is tried again: how long it waits, and who is next. */
#include "base/draw.h"
#include "drive/heap.h"
#include "plan/retry.h"
#include "plan_help.h"
#include "suites.h"

#define MS INT64_C(1000000)
#define S (1000 * MS)

static const struct load *load_of(const char *lines, struct arena *a)
{
	return &help_scenario(lines, a)->load;
}

static void each_wait_is_so_many_times_the_last(void)
{
	static const struct {
		const char *lines;
		unsigned k;
		double draw;
		int64_t ns;
	} cases[] = {
		{"load: {on_failure: {retry: 3}}", 0, 0.5, 100 * MS},
		{"load: {on_failure: {retry: 3}}", 2, 0.5, 100 * MS},
		{"load: {on_failure: {retry: 3, wait: 5ms, grow: 2}}", 3, 0, 40 * MS},
		{"load: {on_failure: {retry: 9, wait: 10ms, jitter: 20%}}", 0, 0, 8 * MS},
		{"load: {on_failure: {retry: 9, wait: 10ms, jitter: 20%}}", 0, 0.5, 10 * MS},
		{"load: {on_failure: {retry: 9, wait: 10ms, jitter: 20%}}", 0, 0.75, 11 * MS},
		/* Bounds: so that no worker spins, and none waits for ever. */
		{"load: {on_failure: {retry: 9, wait: 10ms, jitter: 100%}}", 0, 0, 1 * MS},
		{"load: {on_failure: {retry: 100, wait: 1h, grow: 10}}", 99, 0.5, 3600 * S},
	};
	struct arena a = help_arena();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_EQUAL(
			retry_wait_ns(load_of(cases[i].lines, &a), cases[i].k, cases[i].draw),
			cases[i].ns);
	CU_ASSERT_EQUAL(retry_most_ns(load_of("load: {on_failure: stop}", &a)), 0);
	CU_ASSERT_EQUAL(
		retry_most_ns(load_of("load: {on_failure: {retry: 3, wait: 10ms, grow: 2}}", &a)),
		70 * MS);
	arena_close(&a);
}

static void whoever_is_due_first_is_taken_first(void)
{
	enum { FLOWS = 500 };
	struct flow flows[FLOWS] = {{0}};
	struct arena a = help_arena();
	struct heap h;
	int64_t last = -1;

	CU_ASSERT_FATAL(heap_open(&h, FLOWS, &a));
	for (uint32_t i = 0; i < FLOWS; i++) {
		flows[i].due_ns = (int64_t)draw_below(1, 0, i, 100);
		heap_add(&h, flows, i);
	}
	/* Half of them, one more for each, and the rest: as load and retries mix. */
	for (uint32_t i = 0; i < FLOWS / 2; i++) {
		uint32_t first = heap_take(&h, flows);

		CU_ASSERT(flows[first].due_ns >= last);
		last = flows[first].due_ns;
		flows[first].due_ns += 100;
		heap_add(&h, flows, first);
	}
	while (h.count) {
		uint32_t first = heap_take(&h, flows);

		CU_ASSERT(flows[first].due_ns >= last);
		last = flows[first].due_ns;
		flows[first].seq++; /* each once */
	}
	for (uint32_t i = 0; i < FLOWS; i++)
		CU_ASSERT_EQUAL(flows[i].seq, 1);
	arena_close(&a);
}

static const struct test tests[] = {
	TEST(each_wait_is_so_many_times_the_last),
	TEST(whoever_is_due_first_is_taken_first),
	TESTS_END,
};

const struct suite suite_retry = {"retry", tests};
