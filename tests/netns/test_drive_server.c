/* What a server does to a load, and the load's books of it, on the real kernel. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drive_help.h"
#include "sys/clock.h"

/* What is open stays so, and what is begun later has no answer: nobody says that nobody is
 * there. */
static void a_server_that_vanishes_says_nothing(void)
{
	static const char *const families[] = {"ipv4", "ipv6"};

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		char lines[256];
		struct tally *t;
		struct drive d;

		snprintf(lines, sizeof(lines),
			 "network: {family: %s, ports: 40000-40999, servers: 3}\n"
			 "server: {vanish: 1s}\n"
			 "load: {rate: 100/s, end: leak, on_failure: continue, timeout: 300ms}",
			 families[i]);
		drive_open(&d, lines);
		drive_start(&d);
		CU_ASSERT(drive_await(&d.pulse.failed, 20));
		drive_end(&d, SIGINT);
		t = &d.tape.tally;
		CU_ASSERT(d.ok && !d.tape.exhausted);
		CU_ASSERT(t->opened > 0 && t->failed >= 20);
		CU_ASSERT_EQUAL(t->errors[STAGE_CONNECT][ETIMEDOUT], t->failed);
		CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_ESTABLISHED], t->opened);
		CU_ASSERT_EQUAL(events_of(&d.tape, EVENT_SERVER_GONE), 1);
		help_close(&d.h);
	}
}

static void a_full_backlog_is_told_by_the_server(void)
{
	static const struct {
		const char *server, *load;
		uint64_t opened;
		unsigned told;
	} cases[] = {
		{"behaviour: never-accept, backlog: 4", "rate: 200/s", 5, 1},
		{"backlog: 4, accept_every: 10s", "rate: 200/s", 6, 1},
		/* Who has an answer was accepted. */
		{"backlog: 4", "concurrency: 1, request: {send: 8B, receive: 8B}", 20, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char lines[256];
		struct drive d;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031}\nserver: {%s}\n"
			 "load: {%s, total: 20, end: leak, on_failure: continue, timeout: 2s}",
			 cases[i].server, cases[i].load);
		drive_lines(&d, lines);
		CU_ASSERT(d.ok && d.tape.complete && !d.tape.exhausted);
		CU_ASSERT_EQUAL(d.tape.tally.opened, cases[i].opened);
		CU_ASSERT_EQUAL(d.tape.tally.errors[STAGE_CONNECT][ETIMEDOUT],
				20 - cases[i].opened);
		CU_ASSERT_EQUAL(events_of(&d.tape, EVENT_SERVER_DROPPED), cases[i].told);
		help_close(&d.h);
	}
}

static void a_server_that_dies_closes_all_and_refuses(void)
{
	struct tally *t;
	struct drive d;

	drive_lines(&d, "network: {ports: 40000-40999}\nserver: {die: 200ms}\n"
			"load: {rate: 200/s, total: 80, end: leak, on_failure: continue}");
	t = &d.tape.tally;
	CU_ASSERT(d.ok && d.tape.complete && !d.tape.exhausted);
	CU_ASSERT(t->opened > 0 && t->errors[STAGE_CONNECT][ECONNREFUSED] > 0);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_ESTABLISHED], 0);
	CU_ASSERT_EQUAL(events_of(&d.tape, EVENT_SERVER_DIED), 1);
	help_close(&d.h);
}

/* A peer that has vanished holds the client's ports for ever, or as long as keep-alive lets it:
 * idle + interval × count. */
static void keepalive_frees_the_ports_of_a_dead_peer(void)
{
	static const struct {
		const char *options, *time;
		uint64_t left;
	} cases[] = {
		{"", "1s", 32},
		{", options: {keepalive: {idle: 1s, interval: 1s, count: 1}}", "3s", 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char lines[300];
		struct drive d;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031}\nserver: {vanish: 500ms}\n"
			 "load: {rate: 200/s, end: leak, on_failure: continue, timeout: 100ms%s}\n"
			 "stop: {when: never, time: %s}",
			 cases[i].options, cases[i].time);
		drive_lines(&d, lines);
		CU_ASSERT(d.ok && d.tape.exhausted);
		CU_ASSERT_EQUAL(d.tape.opened_before, 32);
		CU_ASSERT_EQUAL(tape_fullest(&d.tape)->states[STATE_ESTABLISHED], 32);
		CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_ESTABLISHED], cases[i].left);
		help_close(&d.h);
	}
}

/* The one state that tcp_fin_timeout is about. */
static void fin_wait2_is_over_after(const char *timeout, int64_t ns)
{
	char lines[512];
	const uint64_t *states;
	struct drive d;

	snprintf(lines, sizeof(lines),
		 "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_fin_timeout: %s}}\n"
		 "server: {behaviour: hold}\n"
		 "load: {rate: 1k/s, on_failure: continue}\nstop: {when: never, time: 10s}\n"
		 "expect: [{expr: recovered == false, abort: true}]",
		 timeout);
	drive_lines(&d, lines);
	CU_ASSERT(d.ok && d.tape.exhausted);
	CU_ASSERT_EQUAL(d.tape.opened_before, 32);
	states = tape_fullest(&d.tape)->states; /* the last FIN may be on its way */
	CU_ASSERT_EQUAL(states[STATE_FIN_WAIT1] + states[STATE_FIN_WAIT2], 32);
	CU_ASSERT(d.tape.recovered_ns >= ns - 50000000 && d.tape.recovered_ns < ns + 1000000000);
	CU_ASSERT_EQUAL(d.h.plan.forecast.quiet_ns, ns);
	help_close(&d.h);
}

/* What is more than 60 s is waited for twice, and the 60 s are not. */
static void fin_wait2_is_over_after_tcp_fin_timeout(void)
{
	fin_wait2_is_over_after("1", 1000000000);
	fin_wait2_is_over_after("61", 2000000000);
}

static void a_server_that_resets_is_counted_as_such(void)
{
	struct drive d;

	drive_lines(&d, "network: {ports: 40000-40031}\nserver: {behaviour: reset}\n"
			"load: {end: wait, total: 100, concurrency: 1, on_failure: continue}");
	CU_ASSERT(d.ok && !d.tape.exhausted);
	/* A RST may come before the connect's answer has been fetched: it was open all the same. */
	CU_ASSERT_EQUAL(d.tape.tally.opened, 100);
	CU_ASSERT_EQUAL(d.tape.tally.reset, 100);
	CU_ASSERT_EQUAL(counter_moved(&d.tape, "EstabResets"), 100);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_TIME_WAIT], 0);
	help_close(&d.h);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, a_server_that_vanishes_says_nothing),
	TEST_UNLESS(help_no_network, a_full_backlog_is_told_by_the_server),
	TEST_UNLESS(help_no_network, a_server_that_dies_closes_all_and_refuses),
	TEST_UNLESS(help_no_network, keepalive_frees_the_ports_of_a_dead_peer),
	TEST_UNLESS(help_no_network, fin_wait2_is_over_after_tcp_fin_timeout),
	TEST_UNLESS(help_no_network, a_server_that_resets_is_counted_as_such),
	TESTS_END,
};

const struct suite suite_drive_server = {"drive: the server", tests};
