/* When connections begin, and how many: the truth is in the kernel's own counters. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "drive_help.h"
#include "judge/judge.h"
#include "suites.h"

static void shape_run(struct drive *d, const char *lines)
{
	drive_lines(d, lines);
	CU_ASSERT(d->ok && d->tape.complete);
}

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
		struct drive d;

		shape_run(&d, cases[i].load);
		CU_ASSERT_EQUAL(d.tape.tally.attempted + d.tape.tally.late, cases[i].due);
		CU_ASSERT_EQUAL(d.tape.tally.opened, d.tape.tally.attempted);
		CU_ASSERT_EQUAL(counter_moved(&d.tape, "ActiveOpens"), d.tape.tally.attempted);
		help_close(&d.h);
	}
}

/* All of a burst are under way at once: the far end has as many at the same time. */
static void a_burst_fills_the_range_at_once(void)
{
	struct drive d;

	shape_run(&d, "network: {ports: 40000-40031}\n"
		      "load: {burst: {size: 33, every: 1h}, end: leak}");
	CU_ASSERT(d.tape.exhausted);
	CU_ASSERT_EQUAL(d.tape.opened_before, 32);
	CU_ASSERT_EQUAL(counter_moved(&d.tape, "ActiveOpens"),
			32); /* a connect without a port opens nothing */
	help_close(&d.h);
}

/* Between two dumps a burst comes and goes, and its TIME_WAIT with it: a gate at 50 % held with 0 %
 * observed. The first has 60 ports open for a second in which nobody looks, and the driver knows; of the second
 * about 50 are in TIME_WAIT for a second, and the totals, ten times as often, tell that there is more to
 * see. At the end there are few. */
static void what_a_burst_takes_is_seen_though_no_dump_is_due(void)
{
#define SELDOM "network: {ports: 40000-40063, time_wait: 1s}\nsample: {sockets: 1h%s}\n"
	static const struct {
		const char *every, *load;
		double least, most;
	} cases[] = {
		{", every: 1m",
		 "{burst: {size: 60, every: 1200ms}, start: 200ms, hold: 1s, end: reset, total: "
		 "65}",
		 60, 60},
		{"",
		 "{ramp: [{to: 1k/s, over: 0s}, {to: 1k/s, over: 50ms}, {to: 5/s, over: 0s}, "
		 "{to: 5/s, over: 2s}], duration: 2050ms}",
		 50, 57},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct value used, fill;
		struct measures m;
		char lines[400];
		struct drive d;

		snprintf(lines, sizeof(lines), SELDOM "load: %s", cases[i].every, cases[i].load);
		shape_run(&d, lines);
		measure(&m, &d.tape, &d.h.plan, &d.h.arena);
		used = m.fixed[MEASURE_PORTS_USED_MAX];
		fill = m.fixed[MEASURE_PORTS_FILL_MAX];
		CU_ASSERT_EQUAL(d.tape.tally.opened, d.tape.tally.attempted);
		CU_ASSERT(used.n + (double)d.tape.tally.late >= cases[i].least);
		CU_ASSERT(used.n <= cases[i].most);
		CU_ASSERT_EQUAL(fill.n, used.n / 64);
		CU_ASSERT(last_dump(&d.tape)->used_max < used.n);
		help_close(&d.h);
	}
}

/* Nothing listens to the load's clock but the load: before its start no connect is made. */
static void a_load_begins_at_its_start_and_is_timed_from_there(void)
{
	struct drive d;

	shape_run(&d, "load: {start: 100ms, total: 10, concurrency: 1}");
	CU_ASSERT_EQUAL(d.tape.begin_ns, 100000000);
	CU_ASSERT_EQUAL(counter_moved(&d.tape, "ActiveOpens"), 10);
	for (size_t i = 0; i < d.tape.sample_count; i++)
		CU_ASSERT(d.tape.samples[i].t_ns >= 100000000 || d.tape.samples[i].opened == 0);
	CU_ASSERT_EQUAL(d.tape.events[0].kind, EVENT_LOAD_BEGIN);
	CU_ASSERT(d.tape.events[0].t_ns >= 100000000);
	help_close(&d.h);
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
		struct drive d;
		const struct tally *b = &d.tape.tally;

		shape_run(&d, strcat(lines, cases[i].load));
		CU_ASSERT_EQUAL(b->opened, cases[i].opened);
		CU_ASSERT_EQUAL(b->failed, cases[i].failed);
		CU_ASSERT_EQUAL(b->errors[STAGE_CONNECT][EADDRNOTAVAIL], cases[i].failed);
		CU_ASSERT_EQUAL(b->retries, cases[i].retries);
		CU_ASSERT_EQUAL(b->gave_up, cases[i].gave_up);
		CU_ASSERT_EQUAL(counter_moved(&d.tape, "ActiveOpens"), cases[i].opened);
		help_close(&d.h);
	}
}

/* The third client finds no port until one of the others is done with its own. */
static void a_retry_succeeds_once_a_port_is_back(void)
{
	struct drive d;

	shape_run(&d, "network: {ports: 40000-40001}\nstop: {when: never}\n"
		      "load: {end: reset, hold: 50ms, concurrency: 3, total: 3, on_failure: "
		      "{retry: 100, wait: 20ms}}");
	CU_ASSERT(d.tape.exhausted);
	CU_ASSERT_EQUAL(d.tape.tally.opened, 3);
	CU_ASSERT_EQUAL(d.tape.tally.gave_up, 0);
	CU_ASSERT(d.tape.tally.retries >= 1);
	CU_ASSERT_EQUAL(d.tape.tally.failed, d.tape.tally.retries);
	CU_ASSERT_EQUAL(counter_moved(&d.tape, "ActiveOpens"), 3);
	help_close(&d.h);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, as_many_connects_as_the_shape_says),
	TEST_UNLESS(help_no_network, a_burst_fills_the_range_at_once),
	TEST_UNLESS(help_no_network, what_a_burst_takes_is_seen_though_no_dump_is_due),
	TEST_UNLESS(help_no_network, a_load_begins_at_its_start_and_is_timed_from_there),
	TEST_UNLESS(help_no_network, a_retry_is_a_connect_of_its_own),
	TEST_UNLESS(help_no_network, a_retry_succeeds_once_a_port_is_back),
	TESTS_END,
};

const struct suite suite_shape = {"shape", tests};
