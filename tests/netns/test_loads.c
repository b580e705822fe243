/* Several loads in one namespace: what each did is in the kernel's table, by the ports it bound. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "drive/drive.h"
#include "drive_help.h"
#include "judge/judge.h"
#include "suites.h"

enum { FIRST_LO = 50000, SECOND_LO = 51000, EACH = 1000 };

struct trial {
	struct help h;
	struct tape tape;
	struct pulse pulse;
	struct measures measures;
	volatile sig_atomic_t interrupted;
	bool ok;
	pthread_mutex_t lock;
	unsigned first, second; /* connections with a local port of each, the most seen */
};

/* Called in the namespace of the client, once for each load at its end: /proc/net/tcp. */
static void look(void *context, struct worker *worker)
{
	struct trial *t = context;
	FILE *table = fopen("/proc/thread-self/net/tcp", "re");
	unsigned first = 0, second = 0, port, state;
	char line[256];

	(void)worker;
	while (table && fgets(line, sizeof(line), table)) {
		if (sscanf(line, " %*d: %*8x:%x %*8x:%*x %x", &port, &state) != 2 ||
		    state != STATE_ESTABLISHED)
			continue;
		first += port >= FIRST_LO && port < FIRST_LO + EACH;
		second += port >= SECOND_LO && port < SECOND_LO + EACH;
	}
	if (table)
		fclose(table);
	pthread_mutex_lock(&t->lock);
	t->first = first > t->first ? first : t->first;
	t->second = second > t->second ? second : t->second;
	pthread_mutex_unlock(&t->lock);
}

static void trial_run(struct trial *t, const char *lines)
{
	struct drive_hooks hooks = {.interrupted = &t->interrupted,
				    .pulse = &t->pulse,
				    .samples_fd = -1,
				    .events_fd = -1,
				    .look = look,
				    .context = t};

	memset(&t->tape, 0, sizeof(t->tape));
	memset(&t->pulse, 0, sizeof(t->pulse));
	t->first = t->second = 0;
	pthread_mutex_init(&t->lock, NULL);
	if (!help_open(&t->h, lines))
		CU_FAIL_FATAL("no lab");
	t->ok = drive_run(&t->tape, &t->h.plan, &t->h.lab, &hooks, &t->h.arena, &t->h.err);
	CU_ASSERT(tally_balances(&t->tape.tally));
	CU_ASSERT_EQUAL(t->tape.lost, 0);
	measure(&t->measures, &t->tape, &t->h.plan, &t->h.arena);
	pthread_mutex_destroy(&t->lock);
}

static double of_load(const struct trial *t, unsigned load, enum measure what)
{
	const struct measure_ref ref = {.measure = what, .load = load};
	struct value v = measures_get(&t->measures, &ref);

	return v.present ? v.n : -1;
}

static void each_load_does_its_own(void)
{
	struct trial t = {.interrupted = 0};

	trial_run(&t, "load: {end: leak, concurrency: 4}\n"
		      "loads:\n"
		      "  first: {bind: ports 50000-50999, total: 10}\n"
		      "  second: {bind: ports 51000-51999, total: 20, start: 20ms}\n");
	CU_ASSERT(t.ok && t.tape.complete);
	CU_ASSERT_EQUAL(t.first, 10);
	CU_ASSERT_EQUAL(t.second, 20);
	CU_ASSERT_EQUAL(counter_moved(&t.tape, "ActiveOpens"), 30);
	CU_ASSERT_EQUAL(t.tape.tally.opened, 30);
	CU_ASSERT_EQUAL(of_load(&t, 1, MEASURE_CONNECTS_OPENED), 10);
	CU_ASSERT_EQUAL(of_load(&t, 2, MEASURE_CONNECTS_OPENED), 20);
	CU_ASSERT_EQUAL(of_load(&t, 0, MEASURE_CONNECTS_OPENED), 30);
	CU_ASSERT_EQUAL(of_load(&t, 3, MEASURE_CONNECTS_OPENED), -1);
	CU_ASSERT_EQUAL(atomic_load(&t.pulse.opened), 30); /* the sum, for the progress line */
	CU_ASSERT_EQUAL(atomic_load(&t.pulse.open), 30);
	help_close(&t.h);
}

/* The first takes all ports but two, and is done; who comes later fails at its third. */
static void who_comes_later_fails_for_what_others_did(void)
{
	struct trial t = {.interrupted = 0};

	trial_run(&t, "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
		      "loads:\n"
		      "  churn: {total: 30, concurrency: 2}\n"
		      "  victim: {total: 9, concurrency: 1, start: 1s}\n");
	CU_ASSERT(t.ok && t.tape.complete && t.tape.exhausted);
	CU_ASSERT_EQUAL(of_load(&t, 1, MEASURE_CONNECTS_FAILED), 0);
	CU_ASSERT_EQUAL(of_load(&t, 1, MEASURE_EXHAUSTED), 0);
	CU_ASSERT_EQUAL(of_load(&t, 2, MEASURE_EXHAUSTED_AFTER), 2);
	CU_ASSERT_EQUAL(of_load(&t, 2, MEASURE_CONNECTS_FAILED), 1);
	CU_ASSERT_EQUAL(of_load(&t, 0, MEASURE_EXHAUSTED_AFTER), 32);
	CU_ASSERT_EQUAL(of_load(&t, 0, MEASURE_PREDICTED_AFTER), 32);
	CU_ASSERT_EQUAL(counter_moved(&t.tape, "ActiveOpens"), 32);
	help_close(&t.h);
}

/* Whatever ends the run ends all of it: the others would go on for an hour. */
static void what_ends_the_run_ends_all_loads(void)
{
	static const struct {
		const char *lines;
		int aborted;
		bool exhausted;
	} cases[] = {
		{"network: {ports: 40000-40031}\n"
		 "loads:\n"
		 "  all: {end: leak, on_failure: continue}\n"
		 "  idle: {start: 10m}\n"
		 "  slow: {rate: 1/min, duration: 1h, on_failure: continue}\n",
		 -1, true},
		{"loads:\n  a: {end: leak, total: 15}\n  b: {end: leak, total: 15}\n"
		 "  slow: {rate: 1/min, duration: 1h}\n"
		 "expect: [leaked >= 0, {expr: connects.opened <= 20, abort: true}]\n",
		 1, false},
		{"loads:\n  a: {end: leak, total: 15}\n  slow: {rate: 1/min, duration: 1h}\n"
		 "expect: [{expr: a/connects.opened <= 10, abort: true}]\n",
		 0, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char lines[512];
		struct trial t = {.interrupted = 0};

		snprintf(lines, sizeof(lines), "%sstop: {when: exhausted, time: 1h}\n",
			 cases[i].lines);
		trial_run(&t, lines);
		CU_ASSERT(t.ok && t.tape.complete);
		CU_ASSERT_EQUAL(t.tape.aborted, cases[i].aborted);
		CU_ASSERT_EQUAL(t.tape.exhausted, cases[i].exhausted);
		help_close(&t.h);
	}
}

static void a_signal_and_the_time_end_all_loads(void)
{
	struct trial t = {.interrupted = SIGINT};

	trial_run(&t, "loads: {a: {rate: 1/s, duration: 1m}, b: {start: 10m, total: 5}}\n"
		      "stop: {time: 1h}\n");
	CU_ASSERT(t.ok && !t.tape.complete);
	CU_ASSERT_EQUAL(t.tape.interrupted, SIGINT);
	help_close(&t.h);

	t.interrupted = 0;
	trial_run(&t, "loads: {a: {total: 1}, b: {rate: 1/min, total: 100}}\n"
		      "stop: {time: 50ms}\n");
	CU_ASSERT(t.ok && !t.tape.complete && t.tape.cut_short);
	CU_ASSERT_EQUAL(t.tape.tally.opened, 2);
	help_close(&t.h);
}

/* As many as there can be, each with a ring and a thread of its own. */
static void sixty_four_loads_run_together(void)
{
	char lines[4096] = "load: {concurrency: 1, total: 3}\nloads:\n";
	struct trial t = {.interrupted = 0};

	for (int i = 0; i < SCENARIO_LOADS_MOST; i++)
		snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines), "  l%d: {}\n", i);
	trial_run(&t, lines);
	CU_ASSERT(t.ok && t.tape.complete);
	CU_ASSERT_EQUAL(t.tape.load_count, SCENARIO_LOADS_MOST);
	CU_ASSERT_EQUAL(t.tape.tally.opened, SCENARIO_LOADS_MOST * 3);
	CU_ASSERT_EQUAL(counter_moved(&t.tape, "ActiveOpens"), SCENARIO_LOADS_MOST * 3);
	help_close(&t.h);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, each_load_does_its_own),
	TEST_UNLESS(help_no_network, who_comes_later_fails_for_what_others_did),
	TEST_UNLESS(help_no_network, what_ends_the_run_ends_all_loads),
	TEST_UNLESS(help_no_network, a_signal_and_the_time_end_all_loads),
	TEST_UNLESS(help_no_network, sixty_four_loads_run_together),
	TESTS_END,
};

const struct suite suite_loads = {"loads", tests};
