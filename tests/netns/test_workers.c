/* A load over several threads: what each destination has is in the kernel's table. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "drive/drive.h"
#include "drive_help.h"
#include "judge/judge.h"
#include "suites.h"
#include "sys/clock.h"

enum { DESTINATIONS = 4 };

struct trial {
	struct help h;
	struct tape tape;
	struct pulse pulse;
	struct measures measures;
	volatile sig_atomic_t interrupted;
	bool ok;
	_Atomic unsigned looks;		/* of threads: each of them once */
	unsigned holding[DESTINATIONS]; /* connections in any state, at the end */
};

/* Called in each worker's thread at its end; of the last of them, when nobody changes the table any
 * more, /proc/net/tcp of the client. */
static void look(void *context, struct worker *worker)
{
	struct trial *t = context;
	bool is_last = atomic_fetch_add(&t->looks, 1) + 1 == plan_workers(&t->h.plan);
	FILE *table = is_last ? fopen("/proc/thread-self/net/tcp", "re") : NULL;
	char line[256];
	unsigned port;

	(void)worker;
	while (table && fgets(line, sizeof(line), table))
		if (sscanf(line, " %*d: %*8x:%*x %*8x:%x", &port) == 1 &&
		    port - t->h.plan.service_first < DESTINATIONS)
			t->holding[port - t->h.plan.service_first]++;
	if (table)
		fclose(table);
}

static void trial_open(struct trial *t, const char *lines, uint32_t workers)
{
	memset(t, 0, sizeof(*t));
	if (!help_plan_by(&t->h, lines, workers) ||
	    !lab_build(&t->h.lab, &t->h.plan, &t->h.arena, &t->h.err)) {
		printf("%s: %s\n", lines, t->h.err.what);
		CU_FAIL_FATAL("no lab");
	}
}

static void *trial_run(void *context)
{
	struct trial *t = context;
	struct drive_hooks hooks = {.interrupted = &t->interrupted,
				    .pulse = &t->pulse,
				    .samples_fd = -1,
				    .events_fd = -1,
				    .look = look,
				    .context = t};

	t->ok = drive_run(&t->tape, &t->h.plan, &t->h.lab, &hooks, &t->h.arena, &t->h.err);
	CU_ASSERT(tally_balances(&t->tape.tally));
	CU_ASSERT_EQUAL(t->tape.lost, 0);
	measure(&t->measures, &t->tape, &t->h.plan, &t->h.arena);
	return NULL;
}

static void trial_close(struct trial *t)
{
	help_close(&t->h);
}

static unsigned events(const struct tape *t, enum event_kind kind)
{
	unsigned n = 0;

	for (size_t i = 0; i < t->event_count; i++)
		n += t->events[i].kind == kind;
	return n;
}

static double figure(const struct trial *t, enum measure what)
{
	struct value v = t->measures.fixed[what];

	return v.present ? v.n : -1;
}

#define FOUR "network: {ports: 40000-40031, services: 4, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"

/* Whoever opens them, each destination has its own: by the kernel's table, and by ActiveOpens. */
static void each_destination_has_the_same_from_any_number_of_workers(void)
{
	static const struct {
		const char *lines;
		unsigned holding[DESTINATIONS];
		uint64_t opened;
		bool exhausted;
	} cases[] = {
		{FOUR "load: {end: leak, total: 90, concurrency: 7}", {23, 23, 22, 22}, 90, false},
		{FOUR "load: {end: leak, concurrency: 16}", {32, 32, 32, 32}, 128, true},
		{FOUR "load: {concurrency: 5, total: 103}", {26, 26, 26, 25}, 103, false},
		{FOUR "load: {rate: 2k/s}", {32, 32, 32, 32}, 128, true},
		{FOUR "load: {rate: 2k/s, end: leak, on_failure: continue}\n"
		      "stop: {when: exhausted}",
		 {32, 32, 32, 32},
		 128,
		 true},
		{FOUR "load: {burst: {size: 10, every: 5ms}, total: 45, end: leak}",
		 {12, 11, 11, 11},
		 45,
		 false},
		{FOUR "load: {ramp: [{to: 2k/s, over: 100ms}], end: leak, total: 25}",
		 {7, 6, 6, 6},
		 25,
		 false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (uint32_t workers = 1; workers <= 4; workers++) {
			struct trial t;

			trial_open(&t, cases[i].lines, workers);
			trial_run(&t);
			CU_ASSERT(t.ok && t.tape.complete);
			CU_ASSERT_EQUAL(t.looks, workers);
			for (int d = 0; d < DESTINATIONS; d++)
				CU_ASSERT_EQUAL(t.holding[d], cases[i].holding[d]);
			CU_ASSERT_EQUAL(t.tape.tally.opened, cases[i].opened);
			CU_ASSERT_EQUAL(counter_moved(&t.tape, "ActiveOpens"), cases[i].opened);
			CU_ASSERT_EQUAL(t.tape.exhausted, cases[i].exhausted);
			CU_ASSERT_EQUAL(figure(&t, MEASURE_PREDICTIONS_BROKEN), 0);
			if (cases[i].exhausted)
				CU_ASSERT_EQUAL(figure(&t, MEASURE_EXHAUSTED_AFTER),
						cases[i].opened);
			CU_ASSERT_EQUAL(t.tape.load_count, 0);
			CU_ASSERT_EQUAL(events(&t.tape, EVENT_LOAD_BEGIN), 1);
			CU_ASSERT_EQUAL(events(&t.tape, EVENT_LOAD_END), 1);
			CU_ASSERT(events(&t.tape, EVENT_FAILED) <= 1);
			trial_close(&t);
		}
}

/* What a busy machine did not begin in time is counted, whoever was to begin it. */
static void what_is_late_is_late_by_the_number_of_the_load(void)
{
	for (uint32_t workers = 1; workers <= 3; workers++) {
		struct trial t;

		trial_open(&t, FOUR "load: {rate: 2k/s, end: leak, duration: 25500us}", workers);
		trial_run(&t);
		CU_ASSERT(t.ok && t.tape.complete);
		CU_ASSERT_EQUAL(t.tape.tally.attempted + t.tape.tally.late, 51);
		CU_ASSERT_EQUAL(counter_moved(&t.tape, "ActiveOpens"), t.tape.tally.opened);
		trial_close(&t);
	}
}

/* The peak is of the load: neither of its workers has more than half of them. */
static void the_most_that_are_open_are_of_the_whole_load(void)
{
	struct trial t;

	trial_open(&t, FOUR "load: {rate: 1k/s, total: 24, end: leak}", 2);
	trial_run(&t);
	CU_ASSERT_EQUAL(t.tape.open_peak, 24);
	CU_ASSERT_EQUAL(figure(&t, MEASURE_ESTABLISHED_MAX), 24);
	trial_close(&t);
}

/* Between two asks goes a hundred times what the last cost, a millisecond at least, and each wait is
 * twice the one before: 1 that is refused, 3 that confirm it, 10 until a second is over, and what was
 * under way. An application would have failed 4,000 times. */
static void while_out_of_ports_each_destination_is_asked_a_few_times(void)
{
	enum { ASKS_MOST = 18 };

	for (uint32_t workers = 1; workers <= 2; workers++) {
		struct trial t;

		trial_open(&t,
			   FOUR "load: {rate: 4k/s, end: leak, on_failure: continue}\n"
				"stop: {when: exhausted, after: 1s}",
			   workers);
		trial_run(&t);
		CU_ASSERT(t.ok && t.tape.complete && t.tape.exhausted);
		CU_ASSERT_EQUAL(counter_moved(&t.tape, "ActiveOpens"), 128);
		CU_ASSERT(t.tape.tally.failed <= DESTINATIONS * ASKS_MOST);
		CU_ASSERT(t.tape.tally.held_back > 1000);
		trial_close(&t);
	}
}

static void a_signal_keeps_what_two_workers_have_done(void)
{
	struct trial t;
	pthread_t thread;

	trial_open(&t, FOUR "load: {total: 100, concurrency: 100, hold: 1h}\nstop: {time: 1h}", 2);
	CU_ASSERT_FATAL(pthread_create(&thread, NULL, trial_run, &t) == 0);
	CU_ASSERT(drive_await(&t.pulse.opened, 100));
	t.interrupted = SIGINT;
	pthread_join(thread, NULL);
	CU_ASSERT(t.ok && !t.tape.complete);
	CU_ASSERT_EQUAL(t.tape.interrupted, SIGINT);
	CU_ASSERT_EQUAL(t.tape.tally.opened, 100);
	CU_ASSERT_EQUAL(t.tape.tally.open, 100);
	CU_ASSERT_EQUAL(counter_moved(&t.tape, "ActiveOpens"), 100);
	CU_ASSERT_EQUAL(events(&t.tape, EVENT_INTERRUPTED), 1);
	trial_close(&t);
}

/* Lines that end the run are about all workers' books together. */
static void a_line_that_ends_the_load_is_about_all_its_workers(void)
{
	struct trial t;

	trial_open(&t,
		   FOUR "loads:\n  a: {end: leak, rate: 500/s}\n  b: {end: leak, rate: 1/min}\n"
			"stop: {time: 1h}\n"
			"expect: [{expr: a/connects.opened <= 60, abort: true}]\n",
		   2);
	trial_run(&t);
	CU_ASSERT(t.ok && t.tape.complete);
	CU_ASSERT_EQUAL(t.tape.aborted, 0);
	CU_ASSERT_EQUAL(t.looks, 4);
	CU_ASSERT_EQUAL(t.tape.load_count, 2);
	CU_ASSERT(t.tape.loads[0].tally.opened > 60);
	CU_ASSERT(t.tape.tally.opened < 128);
	CU_ASSERT_EQUAL(counter_moved(&t.tape, "ActiveOpens"), t.tape.tally.opened);
	trial_close(&t);
}

static void a_pool_is_shared_by_destination(void)
{
	for (uint32_t workers = 1; workers <= 3; workers++) {
		struct trial t;

		trial_open(&t,
			   FOUR "load: {concurrency: 8, total: 400, request: {send: 64B, receive: "
				"64B}, pool: {max_idle: 8}}",
			   workers);
		trial_run(&t);
		CU_ASSERT(t.ok && t.tape.complete);
		CU_ASSERT_EQUAL(t.tape.tally.requests_done, 400);
		CU_ASSERT_EQUAL(t.tape.tally.requests_failed, 0);
		CU_ASSERT(t.tape.tally.opened <= 32);
		CU_ASSERT_EQUAL(counter_moved(&t.tape, "ActiveOpens"), t.tape.tally.opened);
		trial_close(&t);
	}
}

/* What cannot be shared is carried by one, and why is in the plan. */
static void what_is_about_all_destinations_is_carried_by_one(void)
{
	static const char *const cases[] = {
		"load: {end: leak, total: 10}",
		"network: {ports: 40000-40031, services: 4, choose: seed}\n"
		"load: {end: leak, total: 10}",
		FOUR "load: {total: 10, on_failure: {flush_pool: true}, pool: {max_idle: 2}}",
		FOUR "load: {total: 10, concurrency: 1}",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct trial t;

		trial_open(&t, cases[i], 3);
		CU_ASSERT(t.h.plan.loads[0].workers == 1 && t.h.plan.loads[0].whole);
		trial_run(&t);
		CU_ASSERT_EQUAL(t.looks, 1);
		CU_ASSERT_EQUAL(t.tape.tally.opened, 10);
		trial_close(&t);
	}
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, each_destination_has_the_same_from_any_number_of_workers),
	TEST_UNLESS(help_no_network, what_is_late_is_late_by_the_number_of_the_load),
	TEST_UNLESS(help_no_network, the_most_that_are_open_are_of_the_whole_load),
	TEST_UNLESS(help_no_network, while_out_of_ports_each_destination_is_asked_a_few_times),
	TEST_UNLESS(help_no_network, a_signal_keeps_what_two_workers_have_done),
	TEST_UNLESS(help_no_network, a_line_that_ends_the_load_is_about_all_its_workers),
	TEST_UNLESS(help_no_network, a_pool_is_shared_by_destination),
	TEST_UNLESS(help_no_network, what_is_about_all_destinations_is_carried_by_one),
	TESTS_END,
};

const struct suite suite_workers = {"workers", tests};
