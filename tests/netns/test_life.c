/* A connection's life on the real kernel: how it ends, and what that leaves behind on either
 * side. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "drive_help.h"
#include "sys/clock.h"
#include "sys/netns.h"
#include "sys/nft.h"

/* Until so many of the client's are. */
static bool come_to(struct drive *d, unsigned state, unsigned n)
{
	for (int i = 0; i < 5000; i++) {
		if (sockets_in(d, LAB_CLIENT, state) == n)
			return true;
		clock_sleep(1000000);
	}
	return false;
}

/* ---- ends ---------------------------------------------------------------- */

static void a_disconnect_sends_a_reset_each_time(void)
{
	struct drive d;

	drive_lines(&d, "network: {ports: 40000-40031}\n"
			"load: {end: disconnect, concurrency: 4, total: 320}");
	CU_ASSERT(d.ok && d.tape.complete && !d.tape.exhausted);
	CU_ASSERT_EQUAL(d.tape.tally.reset, 320);
	CU_ASSERT_EQUAL(counter_moved(&d.tape, "OutRsts"), 320);
	CU_ASSERT_EQUAL(counter_moved(&d.tape, "ActiveOpens"), 320);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->used_max, 0);
	help_close(&d.h);
	/* Each from the source whose turn it is, though the socket was another's before. */
	drive_lines(&d, "network: {ports: 40000-40031, sources: 3}\n"
			"load: {end: disconnect, concurrency: 7, total: 300}");
	CU_ASSERT(d.ok && d.tape.complete);
	CU_ASSERT_EQUAL(d.tape.tally.reset, 300);
	CU_ASSERT_EQUAL(d.tape.tally.failed, 0);
	help_close(&d.h);
}

static void a_half_close_is_answered_or_waited_for(void)
{
	struct drive d;

	drive_lines(&d, "network: {ports: 40000-40031}\nserver: {behaviour: answer}\n"
			"load: {end: shutdown, total: 20}");
	CU_ASSERT(d.ok && d.tape.complete);
	CU_ASSERT_EQUAL(d.tape.tally.errors[STAGE_RECEIVE][ETIMEDOUT], 0);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_TIME_WAIT], 20);
	help_close(&d.h);
	/* While the client waits for a FIN that does not come, it is in FIN_WAIT2, and no
	 * tcp_fin_timeout ends that: it is an orphan's. One that comes later and is an orphan has
	 * its end before them. */
	drive_open(&d, "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_fin_timeout: 1}}\n"
		       "server: {behaviour: hold}\nload: {timeout: 1m}\n"
		       "loads: {halves: {end: shutdown, total: 20}, "
		       "orphan: {total: 1, start: 200ms}}\nstop: {time: 1m}");
	drive_start(&d);
	CU_ASSERT(come_to(&d, STATE_FIN_WAIT2, 21));
	CU_ASSERT(come_to(&d, STATE_FIN_WAIT2, 20));
	CU_ASSERT_EQUAL(sockets_in(&d, LAB_SERVER, STATE_CLOSE_WAIT), 21);
	drive_end(&d, SIGTERM);
	help_close(&d.h);
}

static struct tape mixed(struct drive *d, uint64_t seed)
{
	drive_open(d, "network: {ports: 40000-40999, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
		      "load: {concurrency: 7, total: 300, mix: {leak: 10%, reset: 20%, "
		      "shutdown: 10%, disconnect: 10%, inherit: 10%}}");
	d->h.plan.seed = seed;
	drive_plan(d);
	CU_ASSERT(d->ok && d->tape.complete);
	return d->tape;
}

/* How many of them are to end so, by the seed. */
static uint64_t drawn(const struct drive *d, enum end end)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < 300; i++)
		n += plan_end(&d->h.plan, &d->h.plan.loads[0], i) == end;
	return n;
}

/* Each connection ends as the seed says of its number, whatever the others do and when. */
static void a_mix_is_the_same_for_the_same_seed(void)
{
	static const uint64_t seeds[] = {1, 1, 2};
	uint64_t leaked[3];

	for (size_t i = 0; i < 3; i++) {
		struct drive d;
		struct tape t = mixed(&d, seeds[i]);
		const uint64_t *states = last_dump(&t)->states;

		leaked[i] = t.tally.leaked;
		CU_ASSERT_EQUAL(t.tally.leaked, drawn(&d, END_LEAK));
		CU_ASSERT_EQUAL(t.tally.inherited, drawn(&d, END_INHERIT));
		CU_ASSERT_EQUAL(counter_moved(&t, "OutRsts"),
				drawn(&d, END_RESET) + drawn(&d, END_DISCONNECT));
		CU_ASSERT_EQUAL(states[STATE_ESTABLISHED],
				drawn(&d, END_LEAK) + drawn(&d, END_INHERIT));
		CU_ASSERT_EQUAL(states[STATE_TIME_WAIT],
				drawn(&d, END_CLOSE) + drawn(&d, END_SHUTDOWN));
		/* 60 of 300, and seven by chance; not 120, nor 30. */
		CU_ASSERT(states[STATE_ESTABLISHED] > 40 && states[STATE_ESTABLISHED] < 85);
		help_close(&d.h);
	}
	CU_ASSERT(leaked[0] == leaked[1]);
}

/* Two loads, whose connections end and go as the seed says of each: those that are closed are in
 * TIME_WAIT, by the kernel's table. */
static void two_loads_end_as_the_seed_says_of_each(void)
{
	for (uint64_t seed = 1; seed <= 2; seed++) {
		struct drive d;
		uint64_t closed = 0;

		drive_open(&d, "network: {ports: 40000-40999, servers: 4, choose: seed, "
			       "sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
			       "load: {total: 150, mix: {reset: 40%}}\n"
			       "loads: {one: {concurrency: 7}, other: {concurrency: 3, start: "
			       "1ms}}");
		d.h.plan.seed = seed;
		drive_plan(&d);
		CU_ASSERT(d.ok && d.tape.complete);
		for (size_t k = 0; k < 2; k++)
			for (uint64_t i = 0; i < 150; i++)
				closed += plan_end(&d.h.plan, &d.h.plan.loads[k], i) == END_CLOSE;
		CU_ASSERT_EQUAL(counter_moved(&d.tape, "ActiveOpens"), 300);
		CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_TIME_WAIT], closed);
		help_close(&d.h);
	}
}

/* ---- requests and pools --------------------------------------------------- */

#define TO_64_PORTS "network: {ports: 40000-40063, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"

/* Ten clients, in rounds: what the pool does not keep is closed after one use, and waits in
 * TIME_WAIT. The knee is where it keeps as many as there are clients. Rounds are apart: a hold and a
 * pause are longer than a busy machine needs for ten. */
static void the_hidden_churn_of_a_pool_ends_where_it_keeps_all(void)
{
	static const unsigned caps[] = {0, 1, 5, 9, 10};

	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		unsigned cap = caps[i];
		char lines[300];
		struct drive d;

		snprintf(lines, sizeof(lines),
			 TO_64_PORTS "load: {concurrency: 10, total: 30, hold: 250ms, pool: "
				     "{max_idle: %u}, request: {send: 128B, receive: 512B, "
				     "pause: 250ms}}",
			 cap);
		drive_lines(&d, lines);
		CU_ASSERT(d.ok && d.tape.complete);
		CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_TIME_WAIT], 3 * (10 - cap));
		CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_ESTABLISHED], cap);
		CU_ASSERT_EQUAL(counter_moved(&d.tape, "ActiveOpens"), 30 - 2 * cap);
		CU_ASSERT_EQUAL(d.tape.tally.requests_done, 30);
		CU_ASSERT_EQUAL(d.tape.tally.requests_reused, 2 * cap);
		help_close(&d.h);
	}
}

/* Of 4 ports a pool keeps 3 and one waits: a connection more fails, and each try of it either
 * leaves the idle ones alone, or throws them away. */
static void a_failure_flushes_the_pool_where_it_is_asked_to(void)
{
	static const struct {
		const char *flush;
		uint64_t idle;
	} cases[] = {{"false", 3}, {"true", 0}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char lines[512];
		struct drive d;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40003, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
			 "load: {burst: {size: 4, every: 50ms}, total: 8, hold: 10ms, pool: "
			 "{max_idle: 3}, on_failure: {retry: 5, wait: 20ms, "
			 "then: continue, flush_pool: %s}}\nstop: {when: never}",
			 cases[i].flush);
		drive_lines(&d, lines);
		CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_ESTABLISHED], cases[i].idle);
		CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_TIME_WAIT], 4 - cases[i].idle);
		help_close(&d.h);
	}
}

static int server_ns;

/* The second request of a connection gets no answer: of each port the server's host lets in the
 * first that is as long as one. */
static int answer_first_only(void)
{
	struct err err = {0};
	struct text rules = TEXT("table ip deaf {\nset served {\ntype inet_service\nsize 64\n"
				 "flags dynamic\n}\nchain in {\n"
				 "type filter hook input priority 0\n"
				 "meta length < 512 accept\ntcp sport @served drop\n"
				 "add @served { tcp sport }\n}\n}\n");

	if (netns_enter(server_ns, &err) && nft_load(rules, &err))
		return 0;
	printf("%s\n", err.what);
	return 1;
}

/* The fifth of four clients' requests is the first on a connection that has served one. Until it
 * times out the other three have come to be idle. */
static void a_failed_request_flushes_the_pool_where_it_is_asked_to(void)
{
	static const struct {
		const char *flush;
		uint64_t idle;
	} cases[] = {{"false", 3}, {"true", 0}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char lines[512];
		struct drive d;

		snprintf(lines, sizeof(lines),
			 TO_64_PORTS "load: {concurrency: 4, total: 5, timeout: 2s, pool: "
				     "{max_idle: 4}, request: {send: 512B, receive: 8B}, "
				     "on_failure: {then: continue, flush_pool: %s}}",
			 cases[i].flush);
		drive_open(&d, lines);
		server_ns = d.h.lab.server_ns;
		CU_ASSERT_EQUAL(help_child(answer_first_only), 0);
		drive_plan(&d);
		CU_ASSERT_EQUAL(counter_moved(&d.tape, "ActiveOpens"), 4);
		CU_ASSERT_EQUAL(d.tape.tally.errors[STAGE_RECEIVE][ETIMEDOUT], 1);
		CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_ESTABLISHED], cases[i].idle);
		help_close(&d.h);
	}
}

static void a_connection_ends_after_its_last_request(void)
{
	static const struct {
		const char *request;
		uint64_t opened;
	} cases[] = {
		{"{send: 100B, receive: 1KiB, per_connection: 1}", 50},
		{"{send: 100B, receive: 1KiB, per_connection: 10}", 5},
		{"{send: 300KiB, receive: 1MiB, per_connection: 25}", 2},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char lines[300];
		struct drive d;

		snprintf(lines, sizeof(lines),
			 TO_64_PORTS "load: {concurrency: 1, total: 50, request: %s}",
			 cases[i].request);
		drive_lines(&d, lines);
		CU_ASSERT(d.ok && d.tape.complete);
		CU_ASSERT_EQUAL(d.tape.tally.requests_done, 50);
		CU_ASSERT_EQUAL(counter_moved(&d.tape, "ActiveOpens"), cases[i].opened);
		CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_TIME_WAIT], cases[i].opened);
		help_close(&d.h);
	}
}

/* A far end that closes first does so after the last request of a connection: TIME_WAIT is its. */
static void a_far_end_that_closes_first_waits_for_the_last_request(void)
{
	struct drive d;

	drive_lines(&d, TO_64_PORTS "server: {behaviour: close}\n"
				    "load: {concurrency: 1, total: 500, end: wait, "
				    "request: {send: 100B, receive: 100B, per_connection: 5}}");
	CU_ASSERT(d.ok && d.tape.complete && !d.tape.exhausted);
	CU_ASSERT_EQUAL(d.tape.tally.requests_done, 500);
	CU_ASSERT_EQUAL(d.tape.tally.requests_reused, 400);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_TIME_WAIT], 0);
	help_close(&d.h);
}

static void what_is_sent_is_as_long_as_the_scenario_says(void)
{
	struct drive d;

	drive_open(&d, TO_64_PORTS "server: {behaviour: ignore}\n"
				   "load: {concurrency: 20, timeout: 1m, "
				   "request: {send: 777B, receive: 1KiB}}\nstop: {time: 1m}");
	drive_start(&d);
	CU_ASSERT(drive_await(&d.pulse.opened, 20));
	for (int i = 0; i < 5000 && unread_in(&d, LAB_SERVER, 777) < 20; i++)
		clock_sleep(1000000);
	CU_ASSERT_EQUAL(unread_in(&d, LAB_SERVER, 777), 20);
	drive_end(&d, SIGTERM);
	CU_ASSERT_EQUAL(d.tape.tally.requests_done, 0);
	help_close(&d.h);
}

/* The tell-tale of an answer that is not read is Recv-Q; a close then is a RST, so that few
 * sockets in TIME_WAIT do not mean little churn. */
static void an_answer_that_is_not_read_is_in_the_socket(void)
{
	struct drive d;

	drive_open(&d, TO_64_PORTS "load: {concurrency: 20, hold: 1m, end: leak, request: "
				   "{send: 8B, receive: 1000B, read: false}}\nstop: {time: 1m}");
	drive_start(&d);
	CU_ASSERT(drive_await(&d.pulse.opened, 20));
	for (int i = 0; i < 5000 && unread_in(&d, LAB_CLIENT, 1000) < 20; i++)
		clock_sleep(1000000);
	CU_ASSERT_EQUAL(unread_in(&d, LAB_CLIENT, 1000), 20);
	drive_end(&d, SIGTERM);
	help_close(&d.h);
	drive_lines(&d, TO_64_PORTS "load: {concurrency: 4, total: 200, request: "
				    "{send: 8B, receive: 64KiB, read: false}}");
	CU_ASSERT(d.ok && d.tape.complete && !d.tape.exhausted);
	CU_ASSERT_EQUAL(counter_moved(&d.tape, "TCPAbortOnClose"), 200);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_TIME_WAIT], 0);
	CU_ASSERT_EQUAL(d.tape.tally.reset, 200);
	help_close(&d.h);
}

static void an_idle_connection_ends_after_its_time(void)
{
	struct drive d;

	drive_lines(&d, TO_64_PORTS "load: {concurrency: 5, total: 15, pool: {max_idle: 5, "
				    "idle_timeout: 5ms}, request: {send: 8B, pause: 50ms}}");
	CU_ASSERT(d.ok && d.tape.complete);
	CU_ASSERT_EQUAL(d.tape.tally.requests_reused, 0);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_TIME_WAIT], 10);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_ESTABLISHED], 5);
	help_close(&d.h);
}

/* The server's process dies while the connections are idle: none of them is used again, and what
 * fails is the connect of the next. */
static void a_connection_that_died_while_idle_is_not_used_again(void)
{
	struct drive d;

	drive_lines(&d, TO_64_PORTS "server: {die: 100ms}\n"
				    "load: {concurrency: 5, total: 10, pool: {max_idle: 5}, "
				    "on_failure: continue, "
				    "request: {send: 8B, receive: 8B, pause: 500ms}}");
	CU_ASSERT(d.ok && d.tape.complete);
	CU_ASSERT_EQUAL(d.tape.tally.requests_done, 5);
	CU_ASSERT_EQUAL(d.tape.tally.requests_failed, 5);
	CU_ASSERT_EQUAL(d.tape.tally.errors[STAGE_CONNECT][ECONNREFUSED], 5);
	CU_ASSERT_EQUAL(d.tape.tally.closed, 5); /* the far end closed first */
	CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_TIME_WAIT], 0);
	help_close(&d.h);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, a_disconnect_sends_a_reset_each_time),
	TEST_UNLESS(help_no_network, a_half_close_is_answered_or_waited_for),
	TEST_UNLESS(help_no_network, a_mix_is_the_same_for_the_same_seed),
	TEST_UNLESS(help_no_network, two_loads_end_as_the_seed_says_of_each),
	TEST_UNLESS(help_no_network, the_hidden_churn_of_a_pool_ends_where_it_keeps_all),
	TEST_UNLESS(help_no_network, a_failure_flushes_the_pool_where_it_is_asked_to),
	TEST_UNLESS(help_no_gateway, a_failed_request_flushes_the_pool_where_it_is_asked_to),
	TEST_UNLESS(help_no_network, a_connection_ends_after_its_last_request),
	TEST_UNLESS(help_no_network, a_far_end_that_closes_first_waits_for_the_last_request),
	TEST_UNLESS(help_no_network, what_is_sent_is_as_long_as_the_scenario_says),
	TEST_UNLESS(help_no_network, an_answer_that_is_not_read_is_in_the_socket),
	TEST_UNLESS(help_no_network, an_idle_connection_ends_after_its_time),
	TEST_UNLESS(help_no_network, a_connection_that_died_while_idle_is_not_used_again),
	TESTS_END,
};

const struct suite suite_life = {"life", tests};
