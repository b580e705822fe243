/* Where one cause ends and the next begins: a step to either side of what decides it. */
#include "judge/cause.h"

#include <errno.h>
#include <stdio.h>

#include "suites.h"
#include "trial.h"

#define FEW "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"

/* Nine tenths of all that hold a port, or of all there are by what is asked for. */
static void live_connections_beside_a_churn_are_a_want_of_their_own_from_nine_tenths_on(void)
{
	static const struct {
		const char *load;
		uint64_t live;
		bool told;
	} rows[] = {
		{FEW "load: {rate: 10/s, hold: 1s}", 16, false},
		{FEW "load: {rate: 10/s, hold: 1s}", 28, false},
		{FEW "load: {rate: 10/s, hold: 1s}", 29, true},
		{FEW "load: {rate: 28/s, hold: 1s}", 16, false},
		{FEW "load: {rate: 29/s, hold: 1s}", 16, true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;
		struct sample *s;

		trial_open(&t, rows[i].load);
		trial_exhaust(&t, 32);
		t.tape.tally.open = rows[i].live;
		t.tape.tally.closed = 32 - rows[i].live;
		s = trial_dump(&t, 32);
		s->states[STATE_ESTABLISHED] = rows[i].live;
		s->states[STATE_TIME_WAIT] = 32 - rows[i].live;
		trial_judge(&t);
		if ((trial_cause(&t, CAUSE_LIVE_SATURATION) != NULL) != rows[i].told)
			printf("row %zu\n", i);
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_LIVE_SATURATION) != NULL, rows[i].told);
		trial_close(&t);
	}
}

/* Whose connects all had an answer has not waited for as long as it would have. */
static void patience_is_of_those_who_waited_in_vain(void)
{
	static const struct {
		uint64_t a, b;
		const char *why;
	} rows[] = {
		{1, 0, "no answer within 2 s"},
		{0, 1, "no answer within 0.3 s"},
		{1, 1, "no answer within 0.3 s to 2 s"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;

		trial_open(&t, FEW "loads: {a: {timeout: 2s}, b: {timeout: 300ms}}");
		trial_fail(&t, STAGE_CONNECT, ETIMEDOUT, rows[i].a + rows[i].b);
		t.tape.loads = ARENA_ARRAY(&t.arena, struct tape, 2);
		t.tape.load_count = 2;
		t.tape.loads[0].tally.errors[STAGE_CONNECT][ETIMEDOUT] = rows[i].a;
		t.tape.loads[1].tally.errors[STAGE_CONNECT][ETIMEDOUT] = rows[i].b;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_TIMED_OUT);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(text_has(f->why, rows[i].why));
		trial_close(&t);
	}
}

/* Either gives up when its own time is up. */
static void a_connect_waits_as_long_as_its_own_load_has_it(void)
{
	static const struct {
		const char *loads, *why;
	} rows[] = {
		{FEW "loads: {a: {timeout: 2s}, b: {timeout: 1s}}", "here after 1 s to 2 s. There"},
		{FEW "loads: {a: {timeout: 2s}, b: {timeout: 2s}}", "here after 2 s. There"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;

		trial_open(&t, rows[i].loads);
		trial_exhaust(&t, 0);
		trial_dump(&t, 32)->states[STATE_SYN_SENT] = 32;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_BLACKHOLE);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(text_has(f->why, rows[i].why));
		trial_close(&t);
	}
}

/* Each failure may throw the pool away; or as many tries as there are ports, for few requests. */
static void a_storm_is_of_tries_or_of_flushed_pools(void)
{
#define POOL(more) \
	FEW "load: {concurrency: 10, pool: {max_idle: 10}, request: {send: 8B}, on_failure: " \
	    "{retry: " \
	    "3" more "}}"
#define RATE(wait) \
	"load: {rate: 40/s, request: {send: 8B}, on_failure: {retry: 99, wait: " wait "}}"
#define TWICE "network: {ports: 40000-40031, sources: 2, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
#define TRIES FEW "load: {concurrency: 10, request: {send: 8B}, on_failure: {retry: 99}}"
	static const struct {
		const char *lines;
		uint64_t retries, failed, done;
		bool told;
	} rows[] = {
		{POOL(", flush_pool: true"), 1, 3, 32, true},
		{POOL(", flush_pool: true"), 0, 3, 32, false},
		{POOL(""), 1, 3, 32, false},
		{TRIES, 32, 64, 16, true},
		{TRIES, 31, 62, 16, false},
		{FEW "load: {concurrency: 10, on_failure: {retry: 99}}", 32, 64, 0,
		 false}, /* it asks nothing, and none was in vain */
		{TRIES, 32, 65, 16, false},
		{TRIES, 32, 64, 17, false},
		/* 32 ports / 60 s come back: 0.533/s; of two addresses twice as many */
		{FEW RATE("1800ms"), 32, 64, 16, true},
		{FEW RATE("1900ms"), 32, 64, 16, false},
		{TWICE RATE("1s"), 32, 64, 16, false},
		{TWICE RATE("900ms"), 32, 64, 16, true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;

		trial_open(&t, rows[i].lines);
		trial_exhaust(&t, 32);
		trial_fail(&t, STAGE_CONNECT, EADDRNOTAVAIL, rows[i].failed - 1);
		t.tape.tally.closed = 32;
		t.tape.tally.retries = rows[i].retries;
		t.tape.tally.requests_done = rows[i].done;
		trial_dump(&t, 32)->states[STATE_TIME_WAIT] = 32;
		trial_judge(&t);
		if ((trial_cause(&t, CAUSE_RETRY_STORM) != NULL) != rows[i].told)
			printf("row %zu\n", i);
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_RETRY_STORM) != NULL, rows[i].told);
		trial_close(&t);
	}
}

/* A handshake that is all but done has a port as well; and half of what was closed twice over. */
static void what_holds_ports_is_added_up(void)
{
	const struct finding *f;
	struct trial t;
	struct sample *s;

	trial_open(&t, FEW "load: {hold: 5s}");
	trial_exhaust(&t, 32);
	t.tape.tally.open = 32;
	s = trial_dump(&t, 32);
	s->states[STATE_ESTABLISHED] = 29;
	s->states[STATE_SYN_RECV] = 3;
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_LIVE_SATURATION);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "32 connections were in use at once"));
	trial_close(&t);

	trial_open(&t, FEW "load: {mix: {leak: 25%, inherit: 25%}}");
	trial_exhaust(&t, 32);
	t.tape.tally.leaked = t.tape.tally.inherited = 8;
	t.tape.tally.closed = 16;
	s = trial_dump(&t, 32);
	s->states[STATE_ESTABLISHED] = s->states[STATE_TIME_WAIT] = 16;
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "would be all that could go on"));
	trial_close(&t);
}

/* FIN_WAIT1 and FIN_WAIT2 have a timer each: the cure is that of the one in which most are. */
static void what_waits_in_fin_wait_1_has_a_cure_of_its_own(void)
{
	static const struct {
		uint64_t unheard, heard;
		const char *why, *attempt, *never;
	} rows[] = {
		{32, 0, "32 in FIN_WAIT1 keep their ports",
		 "tcp_orphan_retries=3: FIN_WAIT1 is what it governs; a port comes back after some "
		 "3 s, in place of 102 s",
		 "far end close"},
		{20, 12, "20 in FIN_WAIT1 keep their ports", "tcp_orphan_retries=3",
		 "tcp_fin_timeout"},
		{12, 20,
		 "20 in FIN_WAIT2 keep their ports for up to 60 s (tcp_fin_timeout), and 12 in "
		 "FIN_WAIT1 have not come to that yet.",
		 "tcp_fin_timeout=10", "tcp_orphan_retries"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;
		struct sample *s;

		trial_open(&t, FEW "load: {hold: 1ms}");
		trial_exhaust(&t, 32);
		t.tape.tally.closed = 32;
		s = trial_dump(&t, 32);
		s->states[STATE_FIN_WAIT1] = rows[i].unheard;
		s->states[STATE_FIN_WAIT2] = rows[i].heard;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_FIN_WAIT_ORPHANS);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(text_has(f->why, rows[i].why));
		CU_ASSERT(lines_have(&f->attempt, rows[i].attempt));
		CU_ASSERT(!lines_have(&f->attempt, rows[i].never));
		trial_close(&t);
	}
}

static void a_lower_fin_timeout_is_told_with_its_gain(void)
{
	const struct finding *f;
	struct trial t;

	trial_open(&t, FEW "server: {behaviour: never-accept}");
	trial_exhaust(&t, 32);
	t.tape.tally.closed = 32;
	trial_dump(&t, 32)->states[STATE_FIN_WAIT2] = 32;
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_FIN_WAIT_ORPHANS);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(lines_have(&f->attempt, "ports come back 6 times sooner"));
	trial_close(&t);
}

static void one_dropped_syn_is_told(void)
{
	const struct finding *f;
	struct trial t;

	trial_open(&t, FEW "server: {behaviour: never-accept, backlog: 4}");
	trial_fail(&t, STAGE_CONNECT, ETIMEDOUT, 3);
	tape_event(&t.tape, (struct event){.kind = EVENT_SERVER_DROPPED, .value = 1});
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_TIMED_OUT);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "The server's backlog was full: 1 time it dropped"));
	trial_close(&t);
}

/* 32 ports in FIN_WAIT2 for 5 s are 6.4/s; with 62 s they are there for 4 s. What the kernel forgets otherwise has no such sum. */
static void what_waits_in_fin_wait_2_has_its_sum(void)
{
	static const struct {
		const char *server;
		int seconds;
		const char *why;
		bool told;
	} rows[] = {
		{"behaviour: hold", 5,
		 "for up to 5 s (tcp_fin_timeout). 32 ports / 5 s = 6.4/s is all that can go on "
		 "for ever to one destination; this load asks for 100/s.",
		 true},
		{"behaviour: answer", 5, "is all that can go on for ever", false},
		{"behaviour: hold", 62,
		 "for up to 4 s (tcp_fin_timeout, which is 62 s: the kernel waits twice for what "
		 "is more than 60 s). 32 ports / 4 s = 8/s",
		 true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[200];
		struct trial t;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_fin_timeout: %d}}\n"
			 "server: {%s}\nload: {rate: 100/s}",
			 rows[i].seconds, rows[i].server);
		trial_open(&t, lines);
		trial_exhaust(&t, 32);
		t.tape.tally.closed = 32;
		trial_dump(&t, 32)->states[STATE_FIN_WAIT2] = 32;
		trial_judge(&t);
		CU_ASSERT_FATAL(t.verdict.cause_count > 0);
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause, CAUSE_FIN_WAIT_ORPHANS);
		CU_ASSERT_EQUAL(text_has(t.verdict.causes[0].why, rows[i].why), rows[i].told);
		trial_close(&t);
	}
}

/* A burst each second wants its ports just before they come back: 32/s of 32/s are not enough. Nor are they
 * for an even rate, of which a close may be 50 ms late: 32 ports / 1.05 s = 30.5/s. */
static void a_burst_has_enough_only_if_it_finds_them_free(void)
{
	static const struct {
		const char *load;
		bool enough;
	} rows[] = {
		{"rate: 30/s", true},
		{"rate: 31/s", false},
		{"rate: 32/s", false},
		{"burst: {size: 32, every: 1s}", false},
		{"burst: {size: 16, every: 1s}", true},
		{"burst: {size: 17, every: 1s}", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[200];
		struct trial t;

		snprintf(lines, sizeof(lines), FEW "load: {%s}", rows[i].load);
		trial_churned(&t, lines);
		trial_judge(&t);
		CU_ASSERT_FATAL(t.verdict.cause_count > 0);
		if (lines_have(&t.verdict.causes[0].attempt, "TIME_WAIT, 32/s (enough)") !=
		    rows[i].enough)
			printf("row %zu\n", i);
		CU_ASSERT_EQUAL(
			lines_have(&t.verdict.causes[0].attempt, "TIME_WAIT, 32/s (enough)"),
			rows[i].enough);
		trial_close(&t);
	}
}

/* 32 ports / 120 s, below one a second; and of a closed loop nothing is enough, or is not. */
static void a_gateway_of_few_ports_is_told_with_its_rate(void)
{
	static const struct {
		const char *load, *why;
		bool judges;
	} rows[] = {
		{"rate: 5/s", "32 ports / 120 s = 0.267/s is all that is sure to go on for ever",
		 true},
		{"concurrency: 4",
		 "32 ports / 120 s = 0.267/s is all that is sure to go on for ever", false},
		{"end: leak", "conntrack's insert_failed, and drop with it).", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		char lines[200];
		struct trial t;

		snprintf(lines, sizeof(lines),
			 "network: {topology: nat, nat: {ports: 2000-2031}}\nload: {%s}",
			 rows[i].load);
		trial_open(&t, lines);
		trial_fail(&t, STAGE_CONNECT, ETIMEDOUT, 3);
		trial_dump(&t, 0)->parts |= SAMPLE_GATEWAY;
		trial_dump(&t, 20)->parts |= SAMPLE_GATEWAY;
		t.tape.samples[1].gateway = (struct tracked){32, 7, 7, 0, 0};
		t.tape.tally.opened += 32;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_LINUX_SNAT);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(row_says(i, f->why, rows[i].why));
		CU_ASSERT_EQUAL(lines_have(&f->attempt, "enough"), rows[i].judges);
		trial_close(&t);
	}
}

/* A closed loop asks for no rate that could be enough; and one request a connection is a cap of one. */
static void of_a_closed_loop_nothing_is_said_to_be_enough(void)
{
	const struct finding *f;
	struct trial t;

	trial_open(&t, FEW
		   "load: {concurrency: 4, request: {send: 8B, receive: 8B, per_connection: 1}}");
	trial_exhaust(&t, 32);
	t.tape.tally.closed = t.tape.tally.requests_done = 32;
	trial_dump(&t, 32)->states[STATE_TIME_WAIT] = 32;
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_PROXY_NO_KEEPALIVE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "A connection is closed after 1 request: 32 connections"));
	CU_ASSERT(text_has(f->why, "So 32 ports last for 32 requests."));
	CU_ASSERT(!lines_have(&f->attempt, "enough"));
	trial_close(&t);
}

static const struct test tests[] = {
	TEST(live_connections_beside_a_churn_are_a_want_of_their_own_from_nine_tenths_on),
	TEST(patience_is_of_those_who_waited_in_vain),
	TEST(a_connect_waits_as_long_as_its_own_load_has_it),
	TEST(a_storm_is_of_tries_or_of_flushed_pools),
	TEST(what_holds_ports_is_added_up),
	TEST(what_waits_in_fin_wait_1_has_a_cure_of_its_own),
	TEST(a_lower_fin_timeout_is_told_with_its_gain),
	TEST(one_dropped_syn_is_told),
	TEST(what_waits_in_fin_wait_2_has_its_sum),
	TEST(a_burst_has_enough_only_if_it_finds_them_free),
	TEST(a_gateway_of_few_ports_is_told_with_its_rate),
	TEST(of_a_closed_loop_nothing_is_said_to_be_enough),
	TESTS_END,
};

const struct suite suite_cause_edges = {"cause: edges", tests};
