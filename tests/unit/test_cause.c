#include "judge/cause.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "advice_check.h"
#include "judge/rule.h"
#include "suites.h"
#include "trial.h"

#define SMALL "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"

static bool text_ends(struct text t, const char *end)
{
	size_t len = strlen(end);

	return t.len >= len && memcmp(t.s + t.len - len, end, len) == 0;
}

/* What the fullest dump saw when ports ran out, and which cause that is. */
static void holders_of_the_ports_are_the_cause(void)
{
	static const struct {
		const char *lines;
		uint64_t leaked, closed, open;
		struct {
			int state;
			uint64_t n;
		} seen[2];
		enum cause first;
		size_t causes;
	} rows[] = {
		{SMALL "load: {end: leak}", 32, 0, 0, {{STATE_ESTABLISHED, 32}}, CAUSE_LEAK, 1},
		{SMALL "load: {end: leak}",
		 32,
		 0,
		 0,
		 {{STATE_CLOSE_WAIT, 32}},
		 CAUSE_CLOSE_WAIT_LEAK,
		 1},
		{SMALL "load: {rate: 200/s}",
		 0,
		 32,
		 0,
		 {{STATE_TIME_WAIT, 32}},
		 CAUSE_TIME_WAIT_CHURN,
		 1},
		{SMALL "load: {hold: 5s}",
		 0,
		 0,
		 32,
		 {{STATE_ESTABLISHED, 32}},
		 CAUSE_LIVE_SATURATION,
		 1},
		{SMALL "load: {hold: 5s}",
		 0,
		 0,
		 32,
		 {{STATE_ESTABLISHED, 29}, {STATE_SYN_SENT, 3}},
		 CAUSE_LIVE_SATURATION,
		 1},
		{SMALL "server: {behaviour: drop}",
		 0,
		 0,
		 0,
		 {{STATE_SYN_SENT, 32}},
		 CAUSE_BLACKHOLE,
		 1},
		{SMALL "server: {vanish: 1s}\nload: {hold: 5s}",
		 0,
		 0,
		 16,
		 {{STATE_SYN_SENT, 16}, {STATE_ESTABLISHED, 16}},
		 CAUSE_BLACKHOLE,
		 2},
		{SMALL "server: {behaviour: never-accept}",
		 0,
		 32,
		 0,
		 {{STATE_FIN_WAIT2, 32}},
		 CAUSE_FIN_WAIT_ORPHANS,
		 1},
		{SMALL "load: {hold: 1s}",
		 0,
		 22,
		 10,
		 {{STATE_TIME_WAIT, 22}, {STATE_ESTABLISHED, 10}},
		 CAUSE_TIME_WAIT_CHURN,
		 2},
		{SMALL "load: {hold: 1s}",
		 0,
		 10,
		 22,
		 {{STATE_TIME_WAIT, 10}, {STATE_ESTABLISHED, 22}},
		 CAUSE_LIVE_SATURATION,
		 2},
		{SMALL "load: {hold: 1s}",
		 0,
		 30,
		 2,
		 {{STATE_TIME_WAIT, 30}, {STATE_ESTABLISHED, 2}},
		 CAUSE_TIME_WAIT_CHURN,
		 1},
		{SMALL "load: {hold: 1s}", 20, 0, 12, {{STATE_ESTABLISHED, 32}}, CAUSE_LEAK, 2},
		{SMALL "load: {end: leak}",
		 32,
		 0,
		 0,
		 {{0}},
		 CAUSE_LEAK,
		 1}, /* no dump: by the books */
		{SMALL "load: {rate: 200/s}", 0, 32, 0, {{0}}, CAUSE_TIME_WAIT_CHURN, 1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;

		trial_open(&t, rows[i].lines);
		trial_exhaust(&t, 32);
		t.tape.tally.leaked = rows[i].leaked;
		t.tape.tally.closed = rows[i].closed;
		t.tape.tally.open = rows[i].open;
		if (rows[i].seen[0].state) {
			struct sample *s = trial_dump(&t, 32);

			for (int k = 0; k < 2; k++)
				s->states[rows[i].seen[k].state] += rows[i].seen[k].n;
		}
		trial_judge(&t);
		CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, rows[i].causes);
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause, rows[i].first);
		trial_close(&t);
	}
}

/* 400 of 2,000 ports in use saturate nothing, whatever holds the others. */
static void live_connections_beside_others_are_no_cause_of_their_own(void)
{
#define WIDE "network: {ports: 40000-40999, servers: 2, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
	static const struct {
		const char *lines;
		uint64_t leaked, open, waiting;
		enum cause first;
		size_t causes;
		const char *more;
	} rows[] = {
		{WIDE "load: {rate: 400/s, hold: 1s}", 0, 400, 1600, CAUSE_TIME_WAIT_CHURN, 1,
		 " 400 more connections were in use."},
		{WIDE "load: {rate: 500/s, hold: 1s, end: leak}", 1500, 500, 0, CAUSE_LEAK, 1,
		 " 500 more connections were in use."},
		{WIDE "load: {concurrency: 400, hold: 1s}", 0, 400, 1600, CAUSE_TIME_WAIT_CHURN, 1,
		 " 400 more connections were in use."},
		{WIDE "load: {rate: 400/s, hold: 100ms}", 0, 40, 1960, CAUSE_TIME_WAIT_CHURN, 1,
		 "400/s."},
		{WIDE "load: {rate: 2k/s, hold: 1s}", 0, 1000, 1000, CAUSE_TIME_WAIT_CHURN, 2,
		 "2,000/s."}, /* the load asks for 2,000 at once: it would run out without TIME_WAIT */
		{WIDE "load: {rate: 400/s, hold: 1s}", 0, 1990, 10, CAUSE_LIVE_SATURATION, 1,
		 "come to 400 connections at once."},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;
		struct sample *s;

		trial_open(&t, rows[i].lines);
		trial_exhaust(&t, 2000);
		t.tape.tally.leaked = rows[i].leaked;
		t.tape.tally.closed = rows[i].waiting;
		s = trial_dump(&t, 1000);
		s->states[STATE_ESTABLISHED] = rows[i].leaked + rows[i].open;
		s->states[STATE_TIME_WAIT] = rows[i].waiting;
		trial_judge(&t);
		CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, rows[i].causes);
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause, rows[i].first);
		if (!text_ends(t.verdict.causes[0].why, rows[i].more))
			printf("row %zu: " TEXT_FMT "\n", i, TEXT_ARG(t.verdict.causes[0].why));
		CU_ASSERT(text_ends(t.verdict.causes[0].why, rows[i].more));
		trial_close(&t);
	}
}

/* The cause's words on ports that `states` of the fullest dump hold, each by one connection. */
static const struct finding *one_of(struct trial *t, const char *lines, int state, uint64_t closed,
				    enum cause cause)
{
	const struct finding *f;

	trial_open(t, lines);
	trial_exhaust(t, 1);
	t->tape.tally.leaked = closed ? 0 : 1;
	t->tape.tally.closed = closed;
	trial_dump(t, 1)->states[state] = 1;
	trial_judge(t);
	f = trial_cause(t, cause);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	return f;
}

static void one_is_not_told_as_many(void)
{
#define ONE "network: {ports: 40000-40000, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
	static const struct {
		const char *lines;
		int state;
		uint64_t closed;
		enum cause cause;
		const char *why, *attempt;
	} rows[] = {
		{ONE "load: {end: leak}", STATE_ESTABLISHED, 0, CAUSE_LEAK,
		 "1 connection was opened, and was not closed. Each keeps its port until it is "
		 "closed or its program ends: the 1 port to one destination is used up for good.",
		 "a pool with a limit to one destination"},
		{ONE, STATE_TIME_WAIT, 1, CAUSE_TIME_WAIT_CHURN,
		 "The client closed 1 connection, and it keeps its port for 60 s more (TIME_WAIT). "
		 "1 port / 60 s",
		 "adds 1 port,"},
		{ONE "server: {behaviour: never-accept}", STATE_FIN_WAIT2, 1,
		 CAUSE_FIN_WAIT_ORPHANS, "1 in FIN_WAIT2 keeps its port for", "adds 1 port"},
		{ONE "server: {behaviour: drop}", STATE_SYN_SENT, 1, CAUSE_BLACKHOLE,
		 "1 connect had no answer yet, and keeps its port until it gives up (SYN_SENT), "
		 "here after 2 s. There is 1 port to one destination.",
		 "tcp_syn_retries=1"},
		{ONE "load: {hold: 5s}", STATE_ESTABLISHED, 1, CAUSE_LIVE_SATURATION,
		 "1 connection was in use at once, and there is 1 port to one destination. None is "
		 "in TIME_WAIT",
		 "adds 1 port"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;
		const struct finding *f =
			one_of(&t, rows[i].lines, rows[i].state, rows[i].closed, rows[i].cause);

		if (!text_has(f->why, rows[i].why))
			printf("row %zu: " TEXT_FMT "\n", i, TEXT_ARG(f->why));
		CU_ASSERT(text_has(f->why, rows[i].why));
		CU_ASSERT(lines_have(&f->attempt, rows[i].attempt));
		trial_close(&t);
	}
}

/* What the churn's words are for so many closed, of which so many wait. */
static void who_waits_is_told_by_what_was_seen(void)
{
	static const struct {
		const char *lines;
		uint64_t closed, waiting;
		uint64_t by_then; /* closed when the dump was taken; 0: its books are empty */
		const char *why;
	} rows[] = {
		{SMALL, 64, 32, 32, "The client closed 32 connections, and each"},
		{SMALL, 64, 32, 39, "Of 39 closed connections 32 are in TIME_WAIT"},
		{SMALL, 32, 32, 0,
		 "The client closed 32 connections, and each keeps its port for 60 s more "
		 "(TIME_WAIT). 32"},
		{SMALL, 39, 32, 0,
		 "Of 39 closed connections 32 are in TIME_WAIT, and each keeps its port for 60 s "
		 "more. 32"},
		{"network: {ports: 40000-40031, time_wait: 6s}\n", 32, 32, 0,
		 "each keeps its port for 6 s more (TIME_WAIT). 32 ports / 6 s = 5.33/s is"},
		{"network: {ports: 40000-40031, time_wait: 6s}\n", 32, 32, 0,
		 " network.time_wait made it 6 s here: outside it is 60 s, and the rate 0.533/s; "
		 "what to try is reckoned with that."},
		{"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 1}}\n", 32, 32, 0,
		 "and the port of each can be taken again after 1 s (TIME_WAIT). 32 ports / 1 s"},
		{"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 1}}\n", 39, 32, 0,
		 "32 are in TIME_WAIT, and the port of each can be taken again after 1 s. 32"},
		{"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0, "
		 "net.ipv4.tcp_max_tw_buckets: 20}}\nload: {hold: 1s}",
		 20, 20, 0, "60 s more (TIME_WAIT). No more than 20 wait (tcp_max_tw_buckets)."},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;
		struct sample *s;
		const struct finding *f;

		trial_open(&t, rows[i].lines);
		trial_exhaust(&t, rows[i].closed);
		t.tape.tally.closed = rows[i].closed;
		s = trial_dump(&t, 32);
		s->states[STATE_TIME_WAIT] = rows[i].waiting;
		s->opened = rows[i].by_then;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		if (!text_has(f->why, rows[i].why))
			printf("row %zu: " TEXT_FMT "\n", i, TEXT_ARG(f->why));
		CU_ASSERT(text_has(f->why, rows[i].why));
		trial_close(&t);
	}
}

/* A run whose TIME_WAIT was shortened: what to change is about hosts where it is not. */
static void advice_is_reckoned_with_the_kernels_own_time(void)
{
	static const struct {
		const char *lines, *given, *not_given;
	} rows[] = {
		{"network: {ports: 40000-40031, time_wait: 6s}\nload: {rate: 200/s}",
		 "64,512 ports, 2,016 times as many, 1,075/s (enough)", "5.33/s"},
		{"network: {ports: 40000-40031, time_wait: 500ms}\nload: {rate: 20/s}",
		 "tcp_tw_reuse=1: a connect may take a port that was 1 s in TIME_WAIT, 32/s "
		 "(enough)",
		 "64/s"},
		{"network: {ports: 40000-40031, time_wait: 500ms, sysctl: {net.ipv4.tcp_tw_reuse: "
		 "1}}\nload: {rate: 100/s}",
		 "adds 32 ports, 32/s", "64/s"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;
		const struct finding *f;

		trial_open(&t, rows[i].lines);
		trial_exhaust(&t, 32);
		t.tape.tally.closed = 32;
		trial_dump(&t, 32)->states[STATE_TIME_WAIT] = 32;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(lines_have(&f->attempt, rows[i].given));
		CU_ASSERT(!lines_have(&f->attempt, rows[i].not_given));
		trial_close(&t);
	}
}

/* Connections that were closed since they had served what they may are not the pool's surplus. */
static void a_cap_of_requests_is_no_small_pool(void)
{
	static const struct {
		uint64_t done;
		enum cause cause;
		const char *why, *given;
	} rows[] = {
		{3200, CAUSE_PROXY_NO_KEEPALIVE, "closed after 100 requests", "keepalive_requests"},
		{60, CAUSE_POOL_IDLE_CAP, "10 - 2 = 8 are closed", "have the pool keep as many"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;
		const struct finding *f;

		trial_open(&t, SMALL "load: {concurrency: 10, pool: {max_idle: 2}, request: {send: "
				     "128B, per_connection: 100}}");
		trial_exhaust(&t, 32);
		t.tape.tally.closed = 32;
		t.tape.tally.requests_done = rows[i].done;
		trial_dump(&t, 32)->states[STATE_TIME_WAIT] = 32;
		trial_judge(&t);
		CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 1);
		f = trial_cause(&t, rows[i].cause);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(text_has(f->why, rows[i].why));
		CU_ASSERT(lines_have(&f->attempt, rows[i].given));
		trial_close(&t);
	}
}

/* Until then it was there, and so were its connections. */
static void a_server_that_ended_is_told_with_when(void)
{
	static const struct {
		const char *lines;
		int error;
		enum event_kind kind;
		const char *why;
	} rows[] = {
		{"server: {die: 500ms}", ECONNREFUSED, EVENT_SERVER_DIED,
		 "nothing listens at that address and port any more: the server's process died "
		 "after 0.5 s, and 20 connections were opened."},
		{"server: {vanish: 500ms}", ETIMEDOUT, EVENT_SERVER_GONE,
		 "no answer within 2 s any more: the server's host vanished after 0.5 s, and 20 "
		 "connections were opened."},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;

		trial_open(&t, rows[i].lines);
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 20;
		trial_fail(&t, STAGE_CONNECT, rows[i].error, 3);
		tape_event(&t.tape, (struct event){.kind = rows[i].kind, .t_ns = 500000000});
		trial_judge(&t);
		CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 1);
		if (!text_has(t.verdict.causes[0].why, rows[i].why))
			printf("row %zu: " TEXT_FMT "\n", i, TEXT_ARG(t.verdict.causes[0].why));
		CU_ASSERT(text_has(t.verdict.causes[0].why, rows[i].why));
		trial_close(&t);
	}
}

/* The kernel's range is not asked there. */
static void a_range_of_ones_own_is_not_widened_by_the_sysctl(void)
{
	static const struct {
		const char *bind, *given;
	} rows[] = {
		{"ports 45000-45031", "more ports to name than 45000-45031"},
		{"local-port-range 40000-40031", "a wider IP_LOCAL_PORT_RANGE than 40000-40031"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[120];
		struct trial t;
		const struct finding *f;

		snprintf(lines, sizeof(lines), "network: {ports: 40000-40999}\nload: {bind: %s}",
			 rows[i].bind);
		trial_open(&t, lines);
		trial_exhaust(&t, 32);
		t.tape.tally.closed = 32;
		trial_dump(&t, 32)->states[STATE_TIME_WAIT] = 32;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(lines_have(&f->attempt, rows[i].given));
		CU_ASSERT(!lines_have(&f->attempt, "widen net.ipv4"));
		trial_close(&t);
	}
}

static void what_is_set_already_is_no_advice(void)
{
	static const struct {
		const char *lines, *given, *not_given;
	} rows[] = {
		{"network: {ports: 40000-40063, sysctl: {net.ipv4.tcp_tw_reuse: 1, "
		 "net.ipv4.tcp_timestamps: 0}}\nload: {rate: 1k/s}",
		 "net.ipv4.tcp_timestamps=1: tcp_tw_reuse is set, and does nothing without "
		 "timestamps; with them a connect may take a port that was 1 s in TIME_WAIT, 64/s",
		 "tcp_tw_reuse=1"},
		{"network: {ports: 40000-40063, topology: loopback, sysctl: "
		 "{net.ipv4.tcp_timestamps: 0}}",
		 "tcp_tw_reuse is set", "tcp_tw_reuse=1"},
		{"network: {ports: 40000-40063, sysctl: {net.ipv4.tcp_timestamps: 0}}",
		 "tcp_tw_reuse=1", "is set"},
		{"network: {ports: 40000-40063, sysctl: {net.ipv4.tcp_tw_reuse: 1}}", "keep",
		 "tcp_t"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;
		const struct finding *f;

		trial_open(&t, rows[i].lines);
		trial_exhaust(&t, 64);
		t.tape.tally.closed = 64;
		trial_dump(&t, 64)->states[STATE_TIME_WAIT] = 64;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(lines_have(&f->attempt, rows[i].given));
		CU_ASSERT(!lines_have(&f->attempt, rows[i].not_given));
		CU_ASSERT_EQUAL(lines_have(&f->wont_help, "tcp_tw_reuse=2"), i == 2);
		trial_close(&t);
	}
}

static void look_alikes_say_that_they_are_not_exhaustion(void)
{
	static const struct {
		enum stage stage;
		int error;
		bool no_address;
		enum cause cause;
	} rows[] = {
		{STAGE_SOCKET, EMFILE, false, CAUSE_FD_LIMIT},
		{STAGE_SOCKET, ENFILE, false, CAUSE_FD_LIMIT},
		{STAGE_CONNECT, ECONNREFUSED, false, CAUSE_REFUSED},
		{STAGE_CONNECT, ETIMEDOUT, false, CAUSE_TIMED_OUT},
		{STAGE_BIND, EADDRNOTAVAIL, false, CAUSE_FOREIGN_ADDRESS},
		{STAGE_CONNECT, EADDRNOTAVAIL, true, CAUSE_FOREIGN_ADDRESS},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;
		const struct finding *f;

		trial_open(&t, SMALL);
		trial_fail(&t, rows[i].stage, rows[i].error, 3);
		trial_dump(&t, 20);
		if (rows[i].no_address)
			tape_event(&t.tape, (struct event){.kind = EVENT_NO_ADDRESS, .dest = 0});
		trial_judge(&t);
		CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 1);
		f = &t.verdict.causes[0];
		CU_ASSERT_EQUAL(f->cause, rows[i].cause);
		CU_ASSERT(text_has(f->why, "not port exhaustion"));
		CU_ASSERT(text_has(f->why, errno_name(rows[i].error)));
		CU_ASSERT(text_has(f->why, "3 times"));
		CU_ASSERT(text_has(f->why, "20 of 32 ports"));
		CU_ASSERT(f->attempt.count > 0 && f->wont_help.count > 0);
		trial_close(&t);
	}
}

static void a_connection_that_met_itself_is_told_with_the_ways_out(void)
{
	struct trial t;
	const struct finding *f;

	trial_open(&t, "network: {topology: loopback, ports: 40010-40011, services: [40010]}\n"
		       "server: {behaviour: refuse}\nload: {total: 8, on_failure: continue}");
	t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 2;
	t.tape.tally.self_connects = 2;
	trial_judge(&t);
	CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 1);
	f = trial_cause(&t, CAUSE_SELF_CONNECT);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "2 connections"));
	CU_ASSERT(text_has(f->why, "EADDRINUSE"));
	CU_ASSERT(lines_have(&f->attempt, "outside of net.ipv4.ip_local_port_range"));
	CU_ASSERT(lines_have(&f->attempt, "ip_local_reserved_ports"));
	CU_ASSERT(lines_have(&f->attempt, "getsockname()"));
	CU_ASSERT(text_has(trial_summary(trial_result(&t, TEXT("met")), (struct report_style){0},
					 false, &t.arena),
			   "2 of them self-connected"));
	trial_close(&t);
}

static void without_failures_there_is_no_cause(void)
{
	struct trial t;

	trial_open(&t, SMALL);
	t.tape.tally = (struct tally){.attempted = 12, .opened = 12, .leaked = 6, .closed = 6};
	trial_dump(&t, 12)->states[STATE_TIME_WAIT] = 6;
	trial_judge(&t);
	CU_ASSERT_EQUAL(t.verdict.cause_count, 0);
	trial_close(&t);
}

/* EADDRNOTAVAIL that nobody confirmed is neither a want of a port nor of an address. */
static void of_an_unconfirmed_refusal_it_is_said_what_to_sample(void)
{
	struct trial t;

	trial_open(&t, SMALL);
	trial_fail(&t, STAGE_CONNECT, EADDRNOTAVAIL, 1);
	trial_judge(&t);
	CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 1);
	CU_ASSERT_EQUAL(t.verdict.causes[0].cause, CAUSE_NO_DATA);
	CU_ASSERT(text_has(t.verdict.causes[0].why, "connect() failed 1 time with EADDRNOTAVAIL"));
	CU_ASSERT(lines_have(&t.verdict.causes[0].attempt, "dump the sockets while it happens"));
	trial_close(&t);
}

static void what_explains_most_failures_comes_first(void)
{
	struct trial t;

	trial_open(&t, SMALL);
	trial_exhaust(&t, 32);
	t.tape.tally.closed = 32;
	trial_dump(&t, 32)->states[STATE_TIME_WAIT] = 32;
	trial_fail(&t, STAGE_CONNECT, ECONNREFUSED, 50);
	trial_fail(&t, STAGE_CONNECT, ETIMEDOUT, 60);
	trial_judge(&t);
	CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 3);
	CU_ASSERT_EQUAL(t.verdict.causes[0].cause, CAUSE_TIMED_OUT);
	CU_ASSERT_EQUAL(t.verdict.causes[1].cause, CAUSE_REFUSED);
	CU_ASSERT_EQUAL(t.verdict.causes[2].cause, CAUSE_TIME_WAIT_CHURN);
	CU_ASSERT(text_has(t.verdict.causes[0].why, "not for want of a port"));
	trial_close(&t);
}

/* Churn of 32 ports: 32 / 60 s. The numbers must follow the scenario. */
static void the_arithmetic_is_in_the_texts(void)
{
	static const struct {
		const char *lines;
		const char *why[3];
		const char *attempt[3];
	} rows[] = {
		{SMALL "load: {rate: 200/s}",
		 {"32 ports / 60 s = 0.533/s", "asks for 200/s", "to one destination"},
		 {"64,512 ports, 2,016 times as many, 1,075/s (enough);", "adds 32 ports, 0.533/s",
		  "1 s in TIME_WAIT, 32/s (not enough alone);"}},
		{SMALL "load: {rate: 200/s, hold: 4s}",
		 {"32 ports / (4 s open + 60 s) = 0.5/s", "", ""},
		 {"1 s in TIME_WAIT, 6.4/s", "", ""}},
		{"network: {ports: 40000-40031, servers: 2, services: 2, sources: 3}\nload: {rate: "
		 "200/s}",
		 {"0.533/s", "each of 4 destinations, from each of 3 addresses", "6.4/s in all"},
		 {"", "", ""}},
		{"network: {ports: 40000-40031, servers: 3}\nload: {rate: 200/s, bind: address}",
		 {"32 ports / 60 s = 0.533/s", "to all destinations together; this load asks", ""},
		 {"1,075/s (enough);",
		  "each further source address that sockets are bound to adds "
		  "32 ports, 0.533/s",
		  ""}},
		{"network: {ports: 40000-40031, servers: 3, sources: 2}\nload: {rate: 200/s, bind: "
		 "address}",
		 {"0.533/s is all", "from each of 2 addresses, 1.07/s in all", ""},
		 {"2,150/s (enough);", "", ""}},
		{"load: {rate: 1k/s}",
		 {"28,232 ports / 60 s = 471/s", "", ""},
		 {"64,512 ports, 2.3 times as many", "", ""}},
		{"network: {reserved: [8000-8511], ports: 40000-40031}",
		 {"", "", ""},
		 {"64,000 ports, 2,000 times", "", ""}},
		{"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_timestamps: 0}}",
		 {"", "", ""},
		 {"tcp_timestamps=1", "tcp_tw_reuse=1", ""}},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;

		trial_open(&t, rows[i].lines);
		trial_exhaust(&t, 32);
		t.tape.tally.closed = 32;
		trial_dump(&t, 32)->states[STATE_TIME_WAIT] = 32;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		for (int k = 0; k < 3; k++) {
			if (!text_has(f->why, rows[i].why[k]) ||
			    !lines_have(&f->attempt, rows[i].attempt[k]))
				printf("row %zu, %d: " TEXT_FMT "\n", i, k, TEXT_ARG(f->why));
			CU_ASSERT(text_has(f->why, rows[i].why[k]));
			CU_ASSERT(lines_have(&f->attempt, rows[i].attempt[k]));
		}
		trial_close(&t);
	}
}

/* connect() chooses none of them: neither a destination nor tcp_tw_reuse adds any. */
static void what_only_connect_could_have_is_no_advice_for_bound_ports(void)
{
	static const char *const no[] = {"tcp_tw_reuse", "further destination", "adds as many"};
	const struct finding *f;
	struct trial t;

	trial_open(&t, SMALL "load: {rate: 200/s, bind: address}");
	trial_exhaust(&t, 32);
	t.tape.tally.closed = 32;
	trial_dump(&t, 32)->states[STATE_TIME_WAIT] = 32;
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		CU_ASSERT(!lines_have(&f->attempt, no[i]));
	trial_close(&t);
}

static void what_a_child_keeps_open_is_its_own_cause(void)
{
	const struct finding *f;
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40031}\nload: {end: inherit}");
	trial_exhaust(&t, 32);
	t.tape.tally.inherited = 32;
	trial_dump(&t, 32)->states[STATE_ESTABLISHED] = 32;
	trial_judge(&t);
	CU_ASSERT_EQUAL(t.verdict.cause_count, 1);
	f = trial_cause(&t, CAUSE_INHERITED_FD);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "closed 32 connections whose descriptor another process had"));
	CU_ASSERT(lines_have(&f->attempt, "SOCK_CLOEXEC"));
	trial_close(&t);
}

/* What bind() takes, it takes from every destination: half of what two could have. */
static void bind_before_connect_is_told_with_what_connect_would_do(void)
{
	const struct finding *f;
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40031, services: 2}\n"
		       "load: {bind: address, end: leak}");
	trial_exhaust(&t, 32);
	t.tape.tally.leaked = 32;
	trial_fail(&t, STAGE_BIND, EADDRINUSE, 2);
	trial_dump(&t, 16)->states[STATE_ESTABLISHED] = 32;
	trial_judge(&t);
	f = &t.verdict.causes[0];
	CU_ASSERT_EQUAL_FATAL(f->cause, CAUSE_BIND_FIRST);
	CU_ASSERT(text_has(f->why,
			   "32 ports carry 32 connections in all. Were connect() to choose, "
			   "each of 2 destinations would have them: 64. bind() failed 2 times "
			   "with EADDRINUSE"));
	CU_ASSERT(lines_have(&f->attempt, "IP_BIND_ADDRESS_NO_PORT"));
	CU_ASSERT(lines_have(&f->attempt, "64 connections in place of 32"));
	CU_ASSERT(!lines_have(&f->attempt, "SO_REUSE"));
	CU_ASSERT(lines_have(&f->wont_help, "SO_REUSEADDR"));
	f = trial_cause(&t, CAUSE_LEAK); /* who holds them is told, too */
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "to all destinations together"));
	trial_close(&t);
}

static void bind_before_connect_costs_nothing_with_one_destination(void)
{
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40031}\nload: {bind: address, end: leak}");
	trial_exhaust(&t, 32);
	t.tape.tally.leaked = 32;
	trial_fail(&t, STAGE_BIND, EADDRINUSE, 2);
	trial_judge(&t);
	CU_ASSERT_PTR_NULL(trial_cause(&t, CAUSE_BIND_FIRST));
	CU_ASSERT_EQUAL(t.verdict.causes[0].cause, CAUSE_LEAK);
	trial_close(&t);
}

static void ports_without_a_connection_are_told_by_who_holds_them(void)
{
	static const struct {
		const char *squat;
		enum cause cause;
		uint64_t left;
		const char *why;
	} rows[] = {
		{"squat: {bind: 20}", CAUSE_BOUND_ONLY, 12,
		 "20 ports of the range are bound and never connected"},
		{"squat: {ports: [40003], bind: 9}", CAUSE_BOUND_ONLY, 22,
		 "10 ports of the range are bound"},
		{"squat: {listen: [40010-40019, 7]}", CAUSE_BIND_STARVATION, 22,
		 "Servers listen on 10 ports of the range"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[200];
		const struct finding *f;
		struct trial t;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031}\nload: {end: leak}\n%s", rows[i].squat);
		trial_open(&t, lines);
		CU_ASSERT_EQUAL(t.plan.budget.usable, rows[i].left);
		trial_exhaust(&t, rows[i].left);
		t.tape.tally.leaked = rows[i].left;
		trial_judge(&t);
		f = trial_cause(&t, rows[i].cause);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(text_has(f->why, rows[i].why));
		CU_ASSERT_PTR_NOT_NULL(trial_cause(&t, CAUSE_LEAK));
		trial_close(&t);
	}
}

/* Nobody has said that there are any, and the kernel lists them. */
static void sockets_that_a_dump_finds_bound_are_told(void)
{
	struct sample *s;
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40031}\nload: {end: leak}");
	trial_exhaust(&t, 12);
	t.tape.tally.leaked = 12;
	s = trial_dump(&t, 12);
	s->states[STATE_ESTABLISHED] = 12;
	s->states[STATE_BOUND] = s->bound = 20;
	trial_judge(&t);
	CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 2);
	CU_ASSERT_PTR_NOT_NULL(trial_cause(&t, CAUSE_BOUND_ONLY));
	trial_close(&t);
}

/* It is the load that failed whose words count, not the first of the file. */
static void of_several_loads_the_one_that_failed_is_looked_at(void)
{
	const struct finding *f;
	struct tape loads[2];
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40031}\n"
		       "loads: {first: {total: 4}, second: {bind: ports 45000-45003}}");
	memset(loads, 0, sizeof(loads));
	loads[0].load = TEXT("first");
	loads[0].tally.opened = loads[0].tally.closed = 4;
	loads[1].load = TEXT("second");
	loads[1].tally.opened = 4;
	loads[1].tally.failed = loads[1].tally.errors[STAGE_BIND][EADDRINUSE] = 3;
	t.tape.loads = loads;
	t.tape.load_count = 2;
	t.tape.tally.attempted = t.tape.tally.opened = 8;
	trial_fail(&t, STAGE_BIND, EADDRINUSE, 3);
	trial_judge(&t);
	f = &t.verdict.causes[0];
	CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 1);
	CU_ASSERT_EQUAL(f->cause, CAUSE_FIXED_PORT);
	CU_ASSERT(text_has(f->why, "names the ports itself: 4 ports"));
	trial_close(&t);
}

static void a_port_of_its_own_is_told_by_where_it_is_refused(void)
{
	static const struct {
		const char *load;
		enum stage stage;
		int error;
		bool taken;
		const char *why, *attempt;
	} rows[] = {
		{"{bind: port 45000}", STAGE_BIND, EADDRINUSE, false,
		 "1 port, each for one connection, to whichever destination. bind() failed 3 times",
		 "SO_REUSEADDR"},
		{"{bind: ports 45000-45009, options: {reuseaddr: true}}", STAGE_CONNECT,
		 EADDRNOTAVAIL, true, "exists already.", "let the kernel choose"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[200];
		const struct finding *f;
		struct trial t;

		snprintf(lines, sizeof(lines), "network: {ports: 40000-40031}\nload: %s",
			 rows[i].load);
		trial_open(&t, lines);
		trial_fail(&t, rows[i].stage, rows[i].error, 3);
		if (rows[i].taken)
			tape_event(&t.tape, (struct event){.kind = EVENT_TUPLE_TAKEN});
		trial_judge(&t);
		f = &t.verdict.causes[0];
		CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 1);
		CU_ASSERT_EQUAL(f->cause, CAUSE_FIXED_PORT);
		CU_ASSERT(text_has(f->why, rows[i].why));
		CU_ASSERT(lines_have(&f->attempt, rows[i].attempt));
		CU_ASSERT(lines_have(&f->wont_help, "tcp_tw_reuse"));
		trial_close(&t);
	}
}

/* A trial in which nearly all goes wrong. */
static void check_advice(const char *lines, uint64_t unanswered)
{
	static const int errors[][2] = {
		{STAGE_SOCKET, EMFILE},	       {STAGE_SOCKET, ENFILE},
		{STAGE_SOCKET, ENOBUFS},       {STAGE_CONNECT, ECONNREFUSED},
		{STAGE_CONNECT, ETIMEDOUT},    {STAGE_BIND, EADDRNOTAVAIL},
		{STAGE_CONNECT, EADDRNOTAVAIL}};
	struct trial t;
	struct sample *s;

	trial_open(&t, lines);
	trial_exhaust(&t, 40);
	t.tape.tally.leaked = 10;
	t.tape.tally.inherited = 8;
	t.tape.tally.self_connects = 1;
	t.tape.tally.closed = 30;
	trial_dump(&t, 0)->parts |= SAMPLE_GATEWAY;
	s = trial_dump(&t, 32);
	s->parts |= SAMPLE_GATEWAY;
	s->gateway = (struct tracked){.entries = 32, .insert_failed = 5, .drop = 5};
	s->states[STATE_ESTABLISHED] = 28;
	s->states[STATE_TIME_WAIT] = 10;
	s->states[STATE_FIN_WAIT2] = 10;
	s->states[STATE_SYN_SENT] = unanswered;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		trial_fail(&t, (enum stage)errors[i][0], errors[i][1], 1);
	trial_judge(&t);
	CU_ASSERT(t.verdict.cause_count >= 8);
	for (size_t c = 0; c < t.verdict.cause_count; c++)
		advice_check(&t.verdict.causes[c]);
	trial_close(&t);
}

static void harmful_advice_is_never_given(void)
{
	check_advice("network: {ports: 40000-40031}\nload: {hold: 1s}", 0);
	check_advice("network: {ports: 40000-40031}\nload: {hold: 1s}", 12);
	check_advice("network: {ports: 40000-40063}\nload: {hold: 1s}\n"
		     "squat: {bind: 8, listen: [40000-40007]}",
		     0);
	check_advice("network: {ports: 40000-40031, topology: nat, nat: {ports: 2000-2031, limit: "
		     "32}}\nload: {hold: 1s}",
		     0);
	check_advice("network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 1, "
		     "net.ipv4.tcp_timestamps: 0}}\nload: {bind: ports 40000-40031}",
		     0);
	check_advice("network: {ports: 40000-40031, time_wait: 500ms, reserved: [40000-40015]}\n"
		     "load: {bind: address, options: {reuseaddr: true}, rate: 100/s}",
		     0);
}

/* Whatever the figures are: of every row, and there is one for each word. */
static void each_cause_has_a_rule_whose_words_do_no_harm(void)
{
	for (int i = 0; i < CAUSES; i++) {
		const struct rule *r = rule_find((enum cause)i);
		struct text attempt[ADVICE_MOST], in_vain[ADVICE_MOST];
		struct finding f = {.cause = (enum cause)i,
				    .why = TEXT("why"),
				    .attempt = {attempt, 0},
				    .wont_help = {in_vain, 0}};

		CU_ASSERT_PTR_NOT_NULL_FATAL(r);
		advice_add_all(&f.attempt, r->attempt);
		advice_add_all(&f.wont_help, r->in_vain);
		if (r->advise && f.attempt.count == 0)
			advice_add(&f.attempt, TEXT("what the figures say"));
		CU_ASSERT(r->seen[0] != MEASURE_CONNECTS_ATTEMPTED);
		advice_check(&f);
	}
}

/* What the lab cannot have happen, by its signature; real tapes are in test_tapes.c. */
static void what_no_lab_makes_is_told_by_its_signature(void)
{
	static const struct {
		const char *lines;
		uint64_t opened;
		enum stage stage;
		int error;
		bool no_address;
		struct tracked gateway;
		uint64_t repeated; /* TCPSynRetrans */
		enum cause cause;
		const char *why;
	} rows[] = {
		{SMALL,
		 0,
		 STAGE_BIND,
		 EADDRNOTAVAIL,
		 true,
		 {0},
		 0,
		 CAUSE_FOREIGN_ADDRESS,
		 "the source address is not on this host"},
		{"network: {family: ipv6}",
		 0,
		 STAGE_CONNECT,
		 EADDRNOTAVAIL,
		 true,
		 {0},
		 0,
		 CAUSE_IPV6_DISABLED,
		 "off or the interface is down"},
		{"network: {family: ipv6, sysctl: {net.ipv6.conf.all.disable_ipv6: 1}}",
		 0,
		 STAGE_BIND,
		 EADDRNOTAVAIL,
		 true,
		 {0},
		 0,
		 CAUSE_IPV6_DISABLED,
		 "disable_ipv6 is 1"},
		{"network: {family: ipv6}",
		 5,
		 STAGE_BIND,
		 EADDRNOTAVAIL,
		 true,
		 {0},
		 0,
		 CAUSE_IPV6_TENTATIVE,
		 "Later 5 connections opened"},
		{SMALL,
		 9,
		 STAGE_SOCKET,
		 EMFILE,
		 false,
		 {0},
		 0,
		 CAUSE_FD_LIMIT,
		 "may have no more descriptors"},
		{SMALL,
		 9,
		 STAGE_CONNECT,
		 ENOBUFS,
		 false,
		 {0},
		 0,
		 CAUSE_TCP_MEM,
		 "consider tuning tcp_mem"},
		{SMALL,
		 9,
		 STAGE_SOCKET,
		 ENOMEM,
		 false,
		 {0},
		 0,
		 CAUSE_TCP_MEM,
		 "consider tuning tcp_mem"},
		{"network: {topology: nat, nat: {ports: 2000-2999}}",
		 90,
		 STAGE_CONNECT,
		 ETIMEDOUT,
		 false,
		 {100, 7, 7, 0},
		 0,
		 CAUSE_SNAT_INSERT_RACE,
		 "dropped 7 SYNs (insert_failed) while it tracked no more than 100 connections, "
		 "and "
		 "it has 1,000 ports"},
		{"network: {topology: nat, nat: {ports: 2000-2999}}",
		 990,
		 STAGE_CONNECT,
		 ETIMEDOUT,
		 false,
		 {1000, 7, 7, 0},
		 0,
		 CAUSE_LINUX_SNAT,
		 "dropped 7 SYNs without a word"},
		{SMALL,
		 320,
		 STAGE_CONNECT,
		 0,
		 false,
		 {0},
		 12,
		 CAUSE_FAST_PORT_REUSE,
		 "12 SYNs had to be sent again, a second later, of 320 connections"},
		{SMALL,
		 0,
		 STAGE_CONNECT,
		 EPERM,
		 false,
		 {0},
		 0,
		 CAUSE_NO_DATA,
		 "connect() failed 3 times with EPERM"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;

		trial_open(&t, rows[i].lines);
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = rows[i].opened;
		if (rows[i].error)
			trial_fail(&t, rows[i].stage, rows[i].error, 3);
		if (rows[i].no_address)
			tape_event(&t.tape, (struct event){.kind = EVENT_NO_ADDRESS});
		trial_dump(&t, 0)->parts |= SAMPLE_GATEWAY;
		trial_dump(&t, 2)->parts |= SAMPLE_GATEWAY;
		t.tape.samples[1].gateway = rows[i].gateway;
		t.tape.counters[t.tape.counter_count++] =
			(struct counter){.name = "TCPSynRetrans", .last = rows[i].repeated};
		trial_judge(&t);
		CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 1);
		if (t.verdict.causes[0].cause != rows[i].cause ||
		    !text_has(t.verdict.causes[0].why, rows[i].why))
			printf("row %zu: %s: " TEXT_FMT "\n", i,
			       cause_name(t.verdict.causes[0].cause),
			       TEXT_ARG(t.verdict.causes[0].why));
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause, rows[i].cause);
		CU_ASSERT(text_has(t.verdict.causes[0].why, rows[i].why));
		advice_check(&t.verdict.causes[0]);
		trial_close(&t);
	}
}

/* What is recommended wherever this error is met, each with the cause where it is warned of. */
static void what_is_wrongly_recommended_is_warned_of(void)
{
	static const struct {
		const char *advice;
		enum cause cause;
	} wrong[] = {
		{"tcp_tw_recycle", CAUSE_TIME_WAIT_CHURN},
		{"tcp_fin_timeout", CAUSE_TIME_WAIT_CHURN},
		{"tcp_max_tw_buckets", CAUSE_TIME_WAIT_CHURN},
		{"tcp_max_tw_buckets", CAUSE_TW_OVERFLOW},
		{"ulimit", CAUSE_TIME_WAIT_CHURN},
		{"tcp_tw_reuse on a server", CAUSE_SERVER_TIME_WAIT},
		{"neither is asked without timestamps", CAUSE_TIMESTAMPS_OFF},
		{"the setting on the server", CAUSE_TW_REUSE_SCOPE},
		{"SO_REUSEADDR, SO_REUSEPORT", CAUSE_BIND_FIRST},
		{"SO_REUSEADDR", CAUSE_UDP_SOCKETS},
		{"SO_LINGER", CAUSE_TIME_WAIT_CHURN},
		{"keep-alive off", CAUSE_POOL_IDLE_CAP},
		{"more clients", CAUSE_LINUX_SNAT},
		{"fully-random", CAUSE_LINUX_SNAT},
		{"nf_conntrack_max", CAUSE_LINUX_SNAT},
		{"restarting the client", CAUSE_TIME_WAIT_CHURN},
		{"the sysctl on the host", CAUSE_CONTAINER_RANGE},
		{"TCP_TIMEWAIT_LEN", CAUSE_TIME_WAIT_CHURN},
		{"tcp_syncookies", CAUSE_TIME_WAIT_CHURN},
		{"waiting a minute", CAUSE_SERVER_RESTART},
		{"more tries", CAUSE_RETRY_STORM},
		{"only half can be used", CAUSE_LATENCY_CLIFF},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct text lines[ADVICE_MOST];
		struct line_list in_vain = {lines, 0};

		advice_add_all(&in_vain, rule_find(wrong[i].cause)->in_vain);
		if (!lines_have(&in_vain, wrong[i].advice))
			CU_FAIL(wrong[i].advice);
	}
}

static bool is_named(const char *name)
{
	for (int i = 0; i < CAUSES; i++)
		if (strcmp(cause_name((enum cause)i), name) == 0)
			return true;
	for (const struct cause_alias *a = cause_aliases; a->name; a++)
		if (strcmp(a->name, name) == 0)
			return true;
	return false;
}

/* The 62 that public reports name: each is told, told as another, or said not to be seen. */
static void every_known_class_has_a_name(void)
{
	static const char *const known[] = {
		"connection-per-request",
		"pool-idle-cap",
		"client-per-request",
		"body-not-read",
		"proxy-no-keepalive",
		"single-tuple-funnel",
		"load-generator",
		"health-probes",
		"retry-storm",
		"innocent-victim",
		"live-saturation",
		"close-wait-leak",
		"dead-peer-leak",
		"fin-wait-orphans",
		"syn-sent-blackhole",
		"proxy-loop",
		"inherited-fd",
		"hidden-bound-sockets",
		"bind-before-connect",
		"wrong-reuse-option",
		"no-port-one-dest",
		"fixed-source-port",
		"dial-from-listen-port",
		"reserved-source-ports",
		"bind-starvation",
		"udp-socket-per-query",
		"udp-overshadow",
		"port-parity",
		"latency-cliff",
		"self-connect",
		"container-range",
		"reserved-ports",
		"widened-range",
		"listener-in-range",
		"foreign-time-wait",
		"test-port-picking",
		"published-port-overlap",
		"tw-reuse-scope",
		"timestamps-off",
		"tw-reuse-floor",
		"tw-bucket-overflow",
		"tw-recycle",
		"server-restart",
		"server-side-time-wait",
		"fast-port-reuse",
		"azure-snat",
		"aws-nat-gateway",
		"gcp-cloud-nat",
		"linux-snat",
		"snat-insert-race",
		"conntrack-full",
		"nat-collapse",
		"dns-race",
		"ipv6-disabled",
		"bind-foreign-address",
		"ipv6-tentative",
		"link-local-scope",
		"fd-limit",
		"tcp-mem-orphans",
		"hidden-errno",
		"kernel-bind-regression",
		"other-os",
	};

	CU_ASSERT_EQUAL(sizeof(known) / sizeof(known[0]), 62);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!is_named(known[i]))
			CU_FAIL(known[i]);
}

/* A gateway's timeouts are told from others by what its connection tracking counted. */
static void a_gateways_drops_are_told_from_other_timeouts(void)
{
#define GATEWAY(keys, load) \
	"network: {topology: nat, services: 2, nat: {ports: 2000-2031, " keys "}}\nload: {" load "}"
	static const struct {
		const char *lines;
		struct tracked seen;
		enum cause cause;
		const char *why, *attempt, *in_vain;
	} rows[] = {
		{GATEWAY("addresses: 2", "rate: 5/s"),
		 {128, 7, 7, 0},
		 CAUSE_LINUX_SNAT,
		 "The gateway has 64 ports to each of 2 destinations (2000-2031 of 2 addresses), "
		 "and "
		 "tracked up to 128 connections: it dropped 7 SYNs without a word (conntrack's "
		 "insert_failed, and drop with it). A closed connection can keep its port there "
		 "for 120 s (nf_conntrack_tcp_timeout_time_wait): no more than 1.07/s is sure to "
		 "go on for ever; "
		 "this load asks for 5/s.",
		 "2,016 times as many, 2,150/s (enough)",
		 "fully-random"},
		{GATEWAY("addresses: 2", "end: leak"),
		 {128, 1, 1, 0},
		 CAUSE_LINUX_SNAT,
		 "it dropped 1 SYN without a word (conntrack's insert_failed, and drop with it).",
		 "each adds 32 ports to each destination",
		 "nf_conntrack_max"},
		{GATEWAY("limit: 10", "end: leak"),
		 {10, 0, 0, 0},
		 CAUSE_CONNTRACK_FULL,
		 "The gateway tracked 10 connections, and may track no more (here 10 by "
		 "network.nat.limit, else nf_conntrack_max)",
		 "here it is the rule's limit of 10",
		 "it had ports left"},
		{GATEWAY("addresses: 1", "end: leak"),
		 {60, 0, 3, 0},
		 CAUSE_CONNTRACK_FULL,
		 "may track no more (nf_conntrack_max)",
		 "raise net.netfilter.nf_conntrack_max",
		 "it had ports left"},
		{GATEWAY("limit: 10", "end: leak"),
		 {9, 0, 0, 0},
		 CAUSE_TIMED_OUT,
		 "no answer within 2 s",
		 "look at the far end",
		 "a wider port range"},
		{"load: {end: leak}",
		 {9, 7, 7, 0},
		 CAUSE_TIMED_OUT,
		 "no answer within 2 s",
		 "look at the far end",
		 "a wider port range"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;

		trial_open(&t, rows[i].lines);
		trial_fail(&t, STAGE_CONNECT, ETIMEDOUT, 3);
		trial_dump(&t, 0)->parts |= SAMPLE_GATEWAY;
		trial_dump(&t, 20)->parts |= SAMPLE_GATEWAY;
		t.tape.samples[1].gateway = rows[i].seen;
		trial_judge(&t);
		CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 1);
		f = &t.verdict.causes[0];
		CU_ASSERT_EQUAL(f->cause, rows[i].cause);
		if (!text_has(f->why, rows[i].why) || !lines_have(&f->attempt, rows[i].attempt))
			printf("row %zu: " TEXT_FMT "\n", i, TEXT_ARG(f->why));
		CU_ASSERT(text_has(f->why, rows[i].why));
		CU_ASSERT(lines_have(&f->attempt, rows[i].attempt));
		CU_ASSERT(lines_have(&f->wont_help, rows[i].in_vain));
		trial_close(&t);
	}
}

/* However those that hold the ports are mixed. */
static void every_exhaustion_has_a_cause(void)
{
	for (uint64_t live = 0; live <= 40; live++) {
		for (uint64_t waiting = 0; live + waiting <= 40; waiting++) {
			struct trial t;
			struct sample *s;

			trial_open(&t,
				   "network: {ports: 40000-40039}\nload: {rate: 1k/s, hold: 1ms}");
			trial_exhaust(&t, 40);
			t.tape.tally.open = live;
			t.tape.tally.closed = 40 - live;
			s = trial_dump(&t, 40);
			s->states[STATE_ESTABLISHED] = live;
			s->states[STATE_TIME_WAIT] = waiting;
			s->states[STATE_FIN_WAIT2] = 40 - live - waiting;
			trial_judge(&t);
			CU_ASSERT(t.verdict.cause_count > 0);
			trial_close(&t);
		}
	}
}

static void a_wide_range_is_not_to_be_widened(void)
{
	struct trial t;
	const struct finding *f;

	trial_open(&t, "network: {ports: 1024-65535}");
	trial_exhaust(&t, 64512);
	t.tape.tally.closed = 64512;
	trial_dump(&t, 64512)->states[STATE_TIME_WAIT] = 64512;
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(!lines_have(&f->attempt, "widen"));
	trial_close(&t);
}

static const struct test tests[] = {
	TEST(holders_of_the_ports_are_the_cause),
	TEST(live_connections_beside_others_are_no_cause_of_their_own),
	TEST(one_is_not_told_as_many),
	TEST(who_waits_is_told_by_what_was_seen),
	TEST(advice_is_reckoned_with_the_kernels_own_time),
	TEST(a_cap_of_requests_is_no_small_pool),
	TEST(a_server_that_ended_is_told_with_when),
	TEST(a_range_of_ones_own_is_not_widened_by_the_sysctl),
	TEST(what_is_set_already_is_no_advice),
	TEST(look_alikes_say_that_they_are_not_exhaustion),
	TEST(a_connection_that_met_itself_is_told_with_the_ways_out),
	TEST(without_failures_there_is_no_cause),
	TEST(of_an_unconfirmed_refusal_it_is_said_what_to_sample),
	TEST(what_explains_most_failures_comes_first),
	TEST(the_arithmetic_is_in_the_texts),
	TEST(what_only_connect_could_have_is_no_advice_for_bound_ports),
	TEST(what_a_child_keeps_open_is_its_own_cause),
	TEST(bind_before_connect_is_told_with_what_connect_would_do),
	TEST(bind_before_connect_costs_nothing_with_one_destination),
	TEST(ports_without_a_connection_are_told_by_who_holds_them),
	TEST(sockets_that_a_dump_finds_bound_are_told),
	TEST(of_several_loads_the_one_that_failed_is_looked_at),
	TEST(a_port_of_its_own_is_told_by_where_it_is_refused),
	TEST(harmful_advice_is_never_given),
	TEST(each_cause_has_a_rule_whose_words_do_no_harm),
	TEST(what_is_wrongly_recommended_is_warned_of),
	TEST(what_no_lab_makes_is_told_by_its_signature),
	TEST(every_known_class_has_a_name),
	TEST(a_gateways_drops_are_told_from_other_timeouts),
	TEST(every_exhaustion_has_a_cause),
	TEST(a_wide_range_is_not_to_be_widened),
	TESTS_END,
};

const struct suite suite_cause = {"cause", tests};
