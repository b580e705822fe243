/* When connections begin, and how many: the truth is in the kernel's own counters. */
#include <errno.h>
#include <string.h>

#include "drive/drive.h"
#include "drive_help.h"
#include "suites.h"

struct trial {
	struct help h;
	struct tape tape;
	struct pulse pulse;
	volatile sig_atomic_t interrupted;
};

static void trial_run(struct trial *t, const char *lines)
{
	struct drive_hooks hooks = {.interrupted = &t->interrupted,
				    .pulse = &t->pulse,
				    .samples_fd = -1,
				    .events_fd = -1};

	memset(t, 0, sizeof(*t));
	if (!help_open(&t->h, lines))
		CU_FAIL_FATAL("no lab");
	CU_ASSERT(drive_run(&t->tape, &t->h.plan, &t->h.lab, &hooks, &t->h.arena, &t->h.err));
	CU_ASSERT(t->tape.complete && tally_balances(&t->tape.tally));
	CU_ASSERT_EQUAL(t->tape.lost, 0);
}

/* How far a counter of the client moved. */
/* The integral of the rate, by ActiveOpens. What a stalled machine did not begin is counted too. */
static void as_many_connects_as_the_shape_says(void)
{
	static const struct {
		const char *load;
		uint64_t due;
	} cases[] = {
		{"load: {ramp: [{to: 2k/s, over: 200ms}], duration: 200ms}", 200},
		{"load: {rate: 2k/s, ramp: [{to: 0/s, over: 200ms}]}", 200},
		{"load: {ramp: [{to: 1k/s, over: 0s}, {to: 1k/s, over: 100ms}, {to: 0/s, over: "
		 "100ms}]}",
		 150},
		{"load: {ramp: [{to: 2k/s, over: 200ms}], total: 77}", 77},
		{"load: {burst: {size: 10, every: 20ms}, duration: 100ms}", 50},
		{"load: {burst: {size: 10, every: 20ms}, total: 25}", 25},
		{"load: {rate: 1k/s, start: 50ms, duration: 100ms}", 100},
		{"load: {concurrency: 3, start: 50ms, total: 30}", 30},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct trial t;

		trial_run(&t, cases[i].load);
		CU_ASSERT_EQUAL(t.tape.tally.attempted + t.tape.tally.late, cases[i].due);
		CU_ASSERT_EQUAL(t.tape.tally.opened, t.tape.tally.attempted);
		CU_ASSERT_EQUAL(counter_moved(&t.tape, "ActiveOpens"), t.tape.tally.attempted);
		help_close(&t.h);
	}
}

/* All of a burst are under way at once: the far end has as many at the same time. */
static void a_burst_fills_the_range_at_once(void)
{
	struct trial t;

	trial_run(&t, "network: {ports: 40000-40031}\n"
		      "load: {burst: {size: 33, every: 1h}, end: leak}");
	CU_ASSERT(t.tape.exhausted);
	CU_ASSERT_EQUAL(t.tape.opened_before, 32);
	CU_ASSERT_EQUAL(counter_moved(&t.tape, "ActiveOpens"),
			32); /* a connect without a port opens nothing */
	help_close(&t.h);
}

/* Nothing listens to the load's clock but the load: before its start no connect is made. */
static void a_load_begins_at_its_start_and_is_timed_from_there(void)
{
	struct trial t;

	trial_run(&t, "load: {start: 100ms, total: 10, concurrency: 1}");
	CU_ASSERT_EQUAL(t.tape.begin_ns, 100000000);
	CU_ASSERT_EQUAL(counter_moved(&t.tape, "ActiveOpens"), 10);
	for (size_t i = 0; i < t.tape.sample_count; i++)
		CU_ASSERT(t.tape.samples[i].t_ns >= 100000000 || t.tape.samples[i].opened == 0);
	CU_ASSERT_EQUAL(t.tape.events[0].kind, EVENT_LOAD_BEGIN);
	CU_ASSERT(t.tape.events[0].t_ns >= 100000000);
	help_close(&t.h);
}

/* Each try is a connect that the kernel refused for want of a port, or opened: ActiveOpens has the
 * latter. */
static void a_retry_is_a_connect_of_its_own(void)
{
	static const struct {
		const char *load;
		uint64_t opened, failed, retries, gave_up;
	} cases[] = {
		{"load: {end: leak, concurrency: 1, total: 3, on_failure: {retry: 4, wait: 1ms, "
		 "grow: 2, jitter: 50%}}",
		 2, 5, 4, 1},
		{"load: {end: leak, concurrency: 1, total: 3, on_failure: continue}", 2, 1, 0, 1},
		{"load: {end: leak, concurrency: 4, total: 4, on_failure: {retry: 3, wait: 1ms, "
		 "then: continue}}",
		 2, 8, 6, 2},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char lines[256] = "network: {ports: 40000-40001}\nstop: {when: never}\n";
		struct trial t;
		const struct tally *b = &t.tape.tally;

		trial_run(&t, strcat(lines, cases[i].load));
		CU_ASSERT_EQUAL(b->opened, cases[i].opened);
		CU_ASSERT_EQUAL(b->failed, cases[i].failed);
		CU_ASSERT_EQUAL(b->errors[STAGE_CONNECT][EADDRNOTAVAIL], cases[i].failed);
		CU_ASSERT_EQUAL(b->retries, cases[i].retries);
		CU_ASSERT_EQUAL(b->gave_up, cases[i].gave_up);
		CU_ASSERT_EQUAL(counter_moved(&t.tape, "ActiveOpens"), cases[i].opened);
		help_close(&t.h);
	}
}

/* The third client finds no port until one of the others is done with its own. */
static void a_retry_succeeds_once_a_port_is_back(void)
{
	struct trial t;

	trial_run(&t, "network: {ports: 40000-40001}\nstop: {when: never}\n"
		      "load: {end: reset, hold: 50ms, concurrency: 3, total: 3, on_failure: "
		      "{retry: 100, wait: 20ms}}");
	CU_ASSERT(t.tape.exhausted);
	CU_ASSERT_EQUAL(t.tape.tally.opened, 3);
	CU_ASSERT_EQUAL(t.tape.tally.gave_up, 0);
	CU_ASSERT(t.tape.tally.retries >= 1);
	CU_ASSERT_EQUAL(t.tape.tally.failed, t.tape.tally.retries);
	CU_ASSERT_EQUAL(counter_moved(&t.tape, "ActiveOpens"), 3);
	help_close(&t.h);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, as_many_connects_as_the_shape_says),
	TEST_UNLESS(help_no_network, a_burst_fills_the_range_at_once),
	TEST_UNLESS(help_no_network, a_load_begins_at_its_start_and_is_timed_from_there),
	TEST_UNLESS(help_no_network, a_retry_is_a_connect_of_its_own),
	TEST_UNLESS(help_no_network, a_retry_succeeds_once_a_port_is_back),
	TESTS_END,
};

const struct suite suite_shape = {"shape", tests};
