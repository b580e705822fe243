/* Settings about TIME_WAIT that are not what they were taken for; and notes, each at its edge. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "suites.h"
#include "trial.h"

static void counter(struct trial *t, const char *name, uint64_t n)
{
	struct counter *c = &t->tape.counters[t->tape.counter_count++];

	*c = (struct counter){.last = n};
	strncpy(c->name, name, sizeof(c->name) - 1);
}

/* 32 ports ran out, all of them in one state. */
static void run_out(struct trial *t, const char *lines, int state)
{
	trial_open(t, lines);
	trial_exhaust(t, 32);
	t->tape.tally.closed = 32;
	trial_dump(t, 32)->states[state] = 32;
}

static void a_setting_is_told_before_the_churn_that_it_was_to_prevent(void)
{
	static const struct {
		const char *network, *load;
		int state;
		enum cause cause; /* of the three; CAUSE_NO_DATA: none */
		const char *why;
	} rows[] = {
		{"sysctl: {net.ipv4.tcp_tw_reuse: 2}", "rate: 100/s", STATE_TIME_WAIT,
		 CAUSE_TW_REUSE_SCOPE,
		 "it did so 3 times (TWRecycled). Between two hosts 32 ports carry 0.533/s; with 1 "
		 "a port could be taken after 1 s, and they would carry 32/s; this load asks for "
		 "100/s."},
		{"sysctl: {}", "rate: 100/s", STATE_TIME_WAIT, CAUSE_NO_DATA, ""},
		{"sysctl: {net.ipv4.tcp_tw_reuse: 0}", "rate: 100/s", STATE_TIME_WAIT,
		 CAUSE_NO_DATA, ""},
		{"sysctl: {net.ipv4.tcp_tw_reuse: 2}", "rate: 100/s", STATE_FIN_WAIT2,
		 CAUSE_NO_DATA, ""},
		{"sysctl: {net.ipv4.tcp_tw_reuse: 2, net.ipv4.tcp_tw_reuse_delay: 60000}",
		 "rate: 100/s", STATE_TIME_WAIT, CAUSE_NO_DATA, ""},
		{"sysctl: {net.ipv4.tcp_tw_reuse: 2}", "rate: 100/s, bind: address",
		 STATE_TIME_WAIT, CAUSE_NO_DATA, ""},
		{"topology: loopback, sysctl: {net.ipv4.tcp_tw_reuse: 2}", "rate: 100/s",
		 STATE_TIME_WAIT, CAUSE_TW_REUSE_FLOOR,
		 "gives no port back before it was 1 s in TIME_WAIT: 32 ports / 1 s = 32/s for "
		 "ever "
		 "is all; this load asks for 100/s. This load had them used up after 0.16 s."},
		{"sysctl: {net.ipv4.tcp_tw_reuse: 1}", "rate: 100/s, hold: 1s", STATE_TIME_WAIT,
		 CAUSE_TW_REUSE_FLOOR, "32 ports / (1 s open + 1 s) = 16/s for ever is all"},
		{"sysctl: {net.ipv4.tcp_tw_reuse: 1}", "rate: 100/s", STATE_FIN_WAIT2,
		 CAUSE_NO_DATA, ""},
		{"sysctl: {net.ipv4.tcp_tw_reuse: 1, net.ipv4.tcp_timestamps: 0}", "rate: 100/s",
		 STATE_TIME_WAIT, CAUSE_TIMESTAMPS_OFF,
		 "net.ipv4.tcp_timestamps=0 takes away what tells the segments of two connections "
		 "apart (RFC 6191): TWRecycled moved by 3, and each of 32 ports waits for the "
		 "whole "
		 "of its TIME_WAIT. They carry 0.533/s so, and 32/s with timestamps; this load "
		 "asks for 100/s."},
		{"sysctl: {net.ipv4.tcp_tw_reuse: 1}}\nserver: {sysctl: {net.ipv4.tcp_timestamps: "
		 "0}",
		 "rate: 100/s", STATE_TIME_WAIT, CAUSE_TIMESTAMPS_OFF,
		 "net.ipv4.tcp_timestamps=0 on the server takes away"},
		{"sysctl: {net.ipv4.tcp_tw_reuse: 0, net.ipv4.tcp_timestamps: 0}", "rate: 100/s",
		 STATE_TIME_WAIT, CAUSE_NO_DATA, ""},
		{"sysctl: {net.ipv4.tcp_tw_reuse: 1, net.ipv4.tcp_timestamps: 0}", "rate: 100/s",
		 STATE_FIN_WAIT2, CAUSE_NO_DATA, ""},
	};
	static const enum cause knobs[] = {CAUSE_TW_REUSE_SCOPE, CAUSE_TIMESTAMPS_OFF,
					   CAUSE_TW_REUSE_FLOOR};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;
		char lines[300];

		snprintf(lines, sizeof(lines), "network: {ports: 40000-40031, %s}\nload: {%s}",
			 rows[i].network, rows[i].load);
		run_out(&t, lines, rows[i].state);
		t.host.tw_reuse_delay = 5000; /* which a new namespace does not take over */
		counter(&t, "TWRecycled", 3);
		trial_judge(&t);
		for (size_t k = 0; k < sizeof(knobs) / sizeof(knobs[0]); k++) {
			const struct finding *f = trial_cause(&t, knobs[k]);

			if ((f != NULL) != (knobs[k] == rows[i].cause) ||
			    (f && !text_has(f->why, rows[i].why)))
				printf("row %zu, %s: " TEXT_FMT "\n", i, cause_name(knobs[k]),
				       TEXT_ARG(f ? f->why : TEXT("none")));
			CU_ASSERT_EQUAL(f != NULL, knobs[k] == rows[i].cause);
			CU_ASSERT(!f || text_has(f->why, rows[i].why));
			CU_ASSERT(!f || f == &t.verdict.causes[0]);
		}
		trial_close(&t);
	}
}

/* Since Linux 6.14. */
static void a_delay_is_named_where_the_kernel_has_one(void)
{
	static const struct {
		int64_t delay_ms;
		bool named;
	} rows[] = {{-1, false}, {0, true}, {1000, true}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;

		run_out(&t,
			"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 1}}\n"
			"load: {rate: 100/s}",
			STATE_TIME_WAIT);
		t.host.tw_reuse_delay = rows[i].delay_ms;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_TW_REUSE_FLOOR);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT_EQUAL(lines_have(&f->attempt, "tcp_tw_reuse_delay, in ms"),
				rows[i].named);
		trial_close(&t);
	}
}

/* Of 40 connections through 32 ports 8 had one that was used before: their SYNs, twice at most. */
static void a_port_that_came_round_too_soon_is_told_by_repeated_syns(void)
{
	static const struct {
		const char *network;
		uint64_t opened, again, timeouts;
		int event; /* -1: none */
		bool told;
	} rows[] = {
		{"", 40, 1, 0, -1, true},
		{"", 40, 16, 0, -1, true},
		{"", 40, 17, 0, -1, false},
		{"", 40, 0, 0, -1, false},
		{"", 33, 2, 0, -1, true},
		{"", 32, 1, 0, -1, false},
		{"", 40, 1, 1, -1, false},
		{"", 40, 1, 0, EVENT_SERVER_DROPPED, false},
		{"", 40, 1, 0, EVENT_SERVER_GONE, false},
		{"topology: nat, nat: {ports: 2000-2999}, ", 40, 1, 0, -1, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;
		char lines[200];

		snprintf(lines, sizeof(lines), "network: {%sports: 40000-40031}", rows[i].network);
		trial_open(&t, lines);
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = rows[i].opened;
		if (rows[i].timeouts)
			trial_fail(&t, STAGE_CONNECT, ETIMEDOUT, rows[i].timeouts);
		counter(&t, "TCPSynRetrans", rows[i].again);
		if (rows[i].event >= 0)
			tape_event(&t.tape, (struct event){.kind = (enum event_kind)rows[i].event,
							   .value = 1,
							   .t_ns = 1});
		trial_judge(&t);
		if ((trial_cause(&t, CAUSE_FAST_PORT_REUSE) != NULL) != rows[i].told)
			printf("row %zu\n", i);
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_FAST_PORT_REUSE) != NULL, rows[i].told);
		trial_close(&t);
	}
}

/* Timestamps only where there are none; and a far end that has not closed is asked to. */
static void a_port_that_came_round_too_soon_has_the_advice_that_is_left(void)
{
	for (int i = 0; i < 4; i++) {
		const struct finding *f;
		struct trial t;

		trial_open(&t, i & 1 ? "network: {ports: 40000-40031, sysctl: "
				       "{net.ipv4.tcp_timestamps: 0}}"
				     : "network: {ports: 40000-40031}");
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 40;
		counter(&t, "TCPSynRetrans", 8);
		trial_dump(&t, 8)->states[i & 2 ? STATE_FIN_WAIT2 : STATE_TIME_WAIT] = 8;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_FAST_PORT_REUSE);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT_EQUAL(lines_have(&f->attempt, "TCP timestamps on both sides"),
				(i & 1) != 0);
		CU_ASSERT_EQUAL(lines_have(&f->attempt, "have the far end close"), (i & 2) != 0);
		trial_close(&t);
	}
}

/* Eight or more that sockstat has and no port of the client's does, and as many as wait at those. */
static void time_wait_of_the_server_is_told_from_eight_on(void)
{
	static const struct {
		uint64_t all, waiting, half_closed;
		unsigned parts;
		bool refused;
		const char *why; /* NULL: not told */
	} rows[] = {
		{8, 0, 0, SAMPLE_TOTALS | SAMPLE_SOCKETS, false,
		 "8 sockets are in TIME_WAIT here, and not at a port of the client's range"},
		{8, 0, 0, SAMPLE_TOTALS | SAMPLE_SOCKETS, false, "and never ran out."},
		{8, 0, 0, SAMPLE_TOTALS | SAMPLE_SOCKETS, true, "and ran out for another reason."},
		{7, 0, 0, SAMPLE_TOTALS | SAMPLE_SOCKETS, false, NULL},
		{8, 0, 1, SAMPLE_TOTALS | SAMPLE_SOCKETS, false, NULL},
		{9, 0, 1, SAMPLE_TOTALS | SAMPLE_SOCKETS, false, "8 sockets"},
		{20, 10, 0, SAMPLE_TOTALS | SAMPLE_SOCKETS, false, "10 sockets"},
		{20, 11, 0, SAMPLE_TOTALS | SAMPLE_SOCKETS, false, NULL},
		{8, 0, 0, SAMPLE_SOCKETS, false, NULL},
		{8, 0, 0, SAMPLE_TOTALS, false, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct sample *s;
		struct trial t;

		trial_open(&t, "network: {ports: 40000-40031}");
		if (rows[i].refused)
			trial_exhaust(&t, 32);
		s = trial_dump(&t, 12);
		s->parts = rows[i].parts;
		s->tw = rows[i].all;
		s->states[STATE_TIME_WAIT] = rows[i].waiting;
		s->states[STATE_FIN_WAIT2] = rows[i].half_closed;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_SERVER_TIME_WAIT);
		if ((f != NULL) != (rows[i].why != NULL))
			printf("row %zu\n", i);
		CU_ASSERT_EQUAL(f != NULL, rows[i].why != NULL);
		CU_ASSERT(!f || text_has(f->why, rows[i].why));
		trial_close(&t);
	}
}

/* Without a timed connect: more than half in use, of ports enough, and a load that fell behind. */
static void a_load_that_fell_behind_past_half_full_is_told_the_step(void)
{
	static const struct {
		const char *ports, *load;
		uint64_t used, late;
		int64_t behind_ms;
		bool told;
	} rows[] = {
		{"40000-40999", "rate: 1k/s", 501, 1, 0, true},
		{"40000-40999", "rate: 1k/s", 500, 1, 0, false},
		{"40000-40999", "rate: 1k/s", 501, 0, 100, true},
		{"40000-40999", "rate: 1k/s", 501, 0, 99, false},
		{"40000-40998", "rate: 1k/s", 999, 1, 0, false},
		{"40000-40999", "rate: 1k/s, order: fast", 501, 1, 0, false},
		{"40000-41999", "rate: 1k/s, bind: local-port-range 40000-40999", 501, 1, 0, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;
		char lines[200];

		snprintf(lines, sizeof(lines), "network: {ports: %s}\nload: {%s}", rows[i].ports,
			 rows[i].load);
		trial_open(&t, lines);
		t.tape.tally.late = rows[i].late;
		t.tape.behind_ns = rows[i].behind_ms * 1000000;
		trial_dump(&t, rows[i].used);
		trial_judge(&t);
		if ((trial_cause(&t, CAUSE_LATENCY_CLIFF) != NULL) != rows[i].told)
			printf("row %zu\n", i);
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_LATENCY_CLIFF) != NULL, rows[i].told);
		trial_close(&t);
	}
}

static const struct test tests[] = {
	TEST(a_setting_is_told_before_the_churn_that_it_was_to_prevent),
	TEST(a_delay_is_named_where_the_kernel_has_one),
	TEST(a_port_that_came_round_too_soon_is_told_by_repeated_syns),
	TEST(a_port_that_came_round_too_soon_has_the_advice_that_is_left),
	TEST(time_wait_of_the_server_is_told_from_eight_on),
	TEST(a_load_that_fell_behind_past_half_full_is_told_the_step),
	TESTS_END,
};

const struct suite suite_cause_knob = {"cause: settings", tests};
