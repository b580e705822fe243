/* What a gateway drops, told from other timeouts by what its connection tracking counted. */
#include <errno.h>
#include <stdio.h>

#include "judge/cause.h"
#include "suites.h"
#include "trial.h"

/* A gateway in the way of TCP and of UDP: both are told, with their own numbers. */
static void what_a_gateway_drops_of_both_protocols_is_told_of_both(void)
{
	const struct finding *f;
	struct trial t;

	trial_open(&t, "network: {topology: nat, nat: {ports: 2000-2031}}\nloads:\n"
		       "  tcp: {rate: 5/s}\n"
		       "  udp: {rate: 5/s, protocol: udp, request: {send: 8B, receive: 8B}}");
	trial_fail(&t, STAGE_CONNECT, ETIMEDOUT, 5);
	trial_fail(&t, STAGE_RECEIVE, ETIMEDOUT, 4);
	trial_dump(&t, 0)->parts |= SAMPLE_GATEWAY;
	trial_dump(&t, 20)->parts |= SAMPLE_GATEWAY;
	t.tape.samples[1].gateway = (struct tracked){32, 9, 9, 0, 0};
	trial_judge(&t);
	CU_ASSERT_FATAL(t.verdict.cause_count > 0);
	f = &t.verdict.causes[0];
	CU_ASSERT_EQUAL(f->cause, CAUSE_LINUX_SNAT);
	CU_ASSERT(text_has(f->why, "connect() failed 5 times with ETIMEDOUT"));
	CU_ASSERT(text_has(f->why, "So did recv() of UDP, 4 times. The gateway has 32 ports of "
				   "TCP, and as many of UDP"));
	CU_ASSERT(!text_has(f->why, "for ever")); /* no rate is that of both */
	trial_close(&t);
}

/* A gateway's timeouts are told from others by what its connection tracking counted. */
static void a_gateways_drops_are_told_from_other_timeouts(void)
{
#define CONE "mapping: endpoint-independent"
#define UDP "protocol: udp, request: {send: 64B, receive: 64B}, "
#define GATEWAY(keys, load) \
	"network: {topology: nat, services: 2, nat: {ports: 2000-2031, " keys "}}\nload: {" load "}"
	static const struct {
		const char *lines;
		struct tracked seen;
		enum cause cause;
		const char *why, *attempt, *in_vain;
	} rows[] = {
		{GATEWAY("addresses: 2", "rate: 5/s"),
		 {128, 7, 7, 0, 0},
		 CAUSE_LINUX_SNAT,
		 "The gateway has 64 ports to each of 2 destinations (2000-2031 of 2 addresses), "
		 "and "
		 "tracked up to 128 connections: it dropped 7 SYNs without a word (conntrack's "
		 "insert_failed, and drop with it). A closed connection can keep its port there "
		 "for 120 s (nf_conntrack_tcp_timeout_time_wait): 128 ports / 120 s = 1.07/s is "
		 "all "
		 "that is sure to go on for ever; this load asks for 5/s.",
		 "2,016 times as many, 2,150/s (enough)",
		 "fully-random"},
		{GATEWAY("addresses: 2", "end: leak"),
		 {128, 1, 1, 0, 0},
		 CAUSE_LINUX_SNAT,
		 "it dropped 1 SYN without a word (conntrack's insert_failed, and drop with it).",
		 "each adds 32 ports to each destination",
		 "nf_conntrack_max"},
		{GATEWAY("limit: 10", "end: leak"),
		 {10, 0, 0, 0, 0},
		 CAUSE_CONNTRACK_FULL,
		 "The gateway tracked 10 connections, and may track no more (here 10 by "
		 "network.nat.limit, else nf_conntrack_max)",
		 "here it is the rule's limit of 10",
		 "it had ports left"},
		{GATEWAY("addresses: 1", "end: leak"),
		 {60, 0, 3, 0, 0},
		 CAUSE_CONNTRACK_FULL,
		 "may track no more (nf_conntrack_max)",
		 "raise net.netfilter.nf_conntrack_max",
		 "it had ports left"},
		{GATEWAY("limit: 64", "end: leak"),
		 {64, 0, 0, 0, 0},
		 CAUSE_CONNTRACK_FULL,
		 "The gateway tracked 64 connections",
		 "give the NAT more ports with it: it has no more than it tracked",
		 "another destination"},
		{GATEWAY("limit: 10", "end: leak"),
		 {11, 0, 0, 0, 0},
		 CAUSE_CONNTRACK_FULL,
		 "The gateway tracked up to 11 connections, and may have no more than 10 open "
		 "(here "
		 "by network.nat.limit; nf_conntrack_max counts closed ones, too): it drops a SYN",
		 "here it is the rule's limit of 10",
		 "it had ports left"},
		{GATEWAY("limit: 10", "end: leak"),
		 {9, 0, 0, 0, 0},
		 CAUSE_TIMED_OUT,
		 "no answer within 2 s",
		 "look at the far end",
		 "a wider port range"},
		{"load: {end: leak}",
		 {9, 7, 7, 0, 0},
		 CAUSE_TIMED_OUT,
		 "no answer within 2 s",
		 "look at the far end",
		 "a wider port range"},
		{GATEWAY("addresses: 2", UDP "rate: 5/s"),
		 {128, 7, 7, 0, 0},
		 CAUSE_LINUX_SNAT,
		 "The gateway has 64 "
		 "ports to each of 2 destinations (2000-2031 of 2 addresses), and tracked up to "
		 "128 "
		 "connections: it dropped 7 datagrams without a word (conntrack's insert_failed, "
		 "and drop with it). A closed socket keeps its port there for 30 s "
		 "(nf_conntrack_udp_timeout): 128 ports / 30 s = 4.27/s is all that is sure to go "
		 "on "
		 "for ever; this load asks for 5/s.",
		 "2,016 times as many, 8,602/s (enough)",
		 "fully-random"},
		/* of UDP no port of the client waits once its socket is closed: its 1,024 are enough */
		{"network: {topology: nat, ports: 40000-41023, nat: {ports: 2000-2031}}\n"
		 "load: {" UDP "rate: 100/s}",
		 {32, 7, 7, 0, 0},
		 CAUSE_LINUX_SNAT,
		 "it dropped 7 datagrams without a word",
		 "2,016 times as many, 2,150/s (enough)",
		 "fully-random"},
		{GATEWAY(CONE, "rate: 5/s"),
		 {32, 0, 0, 0, 7},
		 CAUSE_CLOUD_NAT,
		 "kept for 120 s after the client's last packet. It has 32 ports to 2 destinations "
		 "together (2000-2031): all were in use, and it dropped 7 SYNs without a word; its "
		 "connection tracking had room (insert_failed 0). So 32 ports / 120 s = 0.267/s is "
		 "all that is sure to go on for ever; this load asks for 5/s.",
		 "each destination then has all 32 ports",
		 "more destinations"},
		{GATEWAY(CONE, UDP "end: leak"),
		 {32, 0, 0, 0, 1},
		 CAUSE_CLOUD_NAT,
		 "it dropped 1 datagram without a word",
		 "each adds 32 ports",
		 "closing at once"},
		{GATEWAY(CONE, "end: leak"),
		 {64, 1, 1, 0, 0},
		 CAUSE_LINUX_SNAT,
		 "The gateway has 32 ports to 2 destinations together",
		 "each adds 32 ports, to all destinations together",
		 "nf_conntrack_max"},
		{GATEWAY(CONE, "rate: 5/s, hold: 8s"),
		 {64, 1, 1, 0, 0},
		 CAUSE_LINUX_SNAT,
		 "So 32 ports / (8 s open + 120 s) = 0.25/s is all that is sure to go on for ever",
		 "64,512, to all destinations together, 2,016 times as many, 504/s",
		 "nf_conntrack_max"},
		{GATEWAY("addresses: 1", "rate: 5/s, hold: 3s"),
		 {64, 1, 1, 0, 0},
		 CAUSE_LINUX_SNAT,
		 "64 ports / (3 s open + 120 s) = 0.52/s is all that is sure to go on for ever",
		 "each further destination",
		 "nf_conntrack_max"},
		{GATEWAY("redirect: true", "rate: 5/s"),
		 {32, 7, 7, 0, 0},
		 CAUSE_NAT_COLLAPSE,
		 "The client has 2 destinations, and the gateway sends what is for any of them to "
		 "one (DNAT): there a connection is told from another by address and port alone. "
		 "It "
		 "has 32 ports to 2 destinations together (2000-2031), and tracked up to 32 "
		 "connections: it dropped 7 SYNs without a word (conntrack's insert_failed, and "
		 "drop with it). A closed connection can keep its port there for 120 s "
		 "(nf_conntrack_tcp_timeout_time_wait): 32 ports / 120 s = 0.267/s is all that is "
		 "sure to go on for ever; this load asks for 5/s.",
		 "adds all 32",
		 "more destinations"},
		{GATEWAY("redirect: true", "end: leak"),
		 {20, 7, 7, 0, 0},
		 CAUSE_SNAT_INSERT_RACE,
		 "The gateway dropped 7 SYNs (insert_failed) while it tracked no more than 20 "
		 "connections, and it has 32 ports",
		 "fully-random",
		 "it had ports left"},
		{GATEWAY("limit: 10", UDP "end: leak"),
		 {10, 0, 0, 0, 0},
		 CAUSE_CONNTRACK_FULL,
		 "it drops a datagram beyond that without a word",
		 "here it is the rule's limit of 10",
		 "it had ports left"},
		{GATEWAY("addresses: 2", UDP "end: leak"),
		 {9, 7, 7, 0, 0},
		 CAUSE_SNAT_INSERT_RACE,
		 "a resolver waits 5 s for its answer",
		 "fully-random",
		 "it had ports left"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;
		bool is_udp;

		trial_open(&t, rows[i].lines);
		is_udp = plan_speaks(&t.plan, PROTOCOL_UDP);
		trial_fail(&t, is_udp ? STAGE_RECEIVE : STAGE_CONNECT, ETIMEDOUT, 3);
		trial_dump(&t, 0)->parts |= SAMPLE_GATEWAY;
		trial_dump(&t, 20)->parts |= SAMPLE_GATEWAY;
		t.tape.samples[1].gateway = rows[i].seen;
		t.tape.tally.opened = rows[i].seen.entries;
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

/* All that the gateway tracks was never closed: that is the cure, and a cause; and of what came again in
 * time there is no failure, but a cause all the same. */
static void what_a_gateways_ports_are_kept_by_is_told(void)
{
	static const struct {
		uint64_t leaked, failed;
		bool leak;
		const char *why, *attempt;
	} rows[] = {
		{16, 44, true, "connect() failed 44 times with ETIMEDOUT",
		 "close what is done with, first of all: 16 of 16 connections opened were never "
		 "closed"},
		{9, 44, true, "connect() failed 44 times with ETIMEDOUT",
		 "9 of 16 connections opened"},
		{8, 44, false, "connect() failed 44 times with ETIMEDOUT", "keep connections open"},
		{0, 0, false,
		 "The gateway was full now and then: it has 16 ports to one destination "
		 "(2000-2015), and "
		 "tracked up to 16 connections: it dropped 7 SYNs",
		 "keep connections open"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;

		trial_open(&t, "network: {topology: nat, nat: {ports: 2000-2015}}\n"
			       "load: {rate: 50/s, mix: {leak: 50%}}");
		t.tape.tally.attempted = t.tape.tally.opened = 16;
		t.tape.tally.leaked = rows[i].leaked;
		t.tape.tally.closed = 16 - rows[i].leaked;
		trial_fail(&t, STAGE_CONNECT, ETIMEDOUT, rows[i].failed);
		trial_dump(&t, 0)->parts |= SAMPLE_GATEWAY;
		trial_dump(&t, 16)->parts |= SAMPLE_GATEWAY;
		t.tape.samples[1].states[STATE_ESTABLISHED] = 16;
		t.tape.samples[1].gateway = (struct tracked){16, 7, 7, 0, 0};
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_LINUX_SNAT);
		CU_ASSERT_FATAL(f && f == &t.verdict.causes[0]);
		CU_ASSERT(row_says(i, f->why, rows[i].why));
		CU_ASSERT(text_has(f->attempt.list[0], rows[i].attempt));
		f = trial_cause(&t, CAUSE_LEAK);
		CU_ASSERT_EQUAL(f != NULL, rows[i].leak);
		CU_ASSERT(!f || text_has(f->why,
					 "keeps its port of the gateway, which tracked up to 16"));
		trial_close(&t);
	}
}

/* A rule's limit counts what is open: those that are never closed have it, beside many that were. */
static void what_a_gateways_table_is_full_of_is_told(void)
{
	static const struct {
		uint64_t leaked;
		bool told;
	} rows[] = {{20, true}, {11, true}, {10, false}, {0, false}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;

		trial_open(&t, "network: {topology: nat, nat: {ports: 2000-2063, limit: 20}}\n"
			       "load: {rate: 50/s, mix: {leak: 50%}}");
		t.tape.tally.attempted = t.tape.tally.opened = 40;
		t.tape.tally.leaked = rows[i].leaked;
		t.tape.tally.closed = 40 - rows[i].leaked;
		trial_fail(&t, STAGE_CONNECT, ETIMEDOUT, 4);
		trial_dump(&t, 0)->parts |= SAMPLE_GATEWAY;
		trial_dump(&t, 40)->parts |= SAMPLE_GATEWAY;
		t.tape.samples[1].gateway = (struct tracked){40, 0, 0, 0, 0};
		trial_judge(&t);
		CU_ASSERT_EQUAL(t.verdict.cause_count, rows[i].told ? 2 : 1);
		CU_ASSERT_PTR_EQUAL(trial_cause(&t, CAUSE_CONNTRACK_FULL), &t.verdict.causes[0]);
		f = trial_cause(&t, CAUSE_LEAK);
		CU_ASSERT_EQUAL(f != NULL, rows[i].told);
		CU_ASSERT(!f || text_has(f->why, "keeps its entry of the gateway, which tracked "
						 "up to 40: used up for good, however many "
						 "entries"));
		trial_close(&t);
	}
}

/* What is reused already is not to be reused, but to be fewer; where it is not reused that takes the ports,
 * it is to be reused. */
static void a_pool_behind_a_gateway_is_to_be_bounded(void)
{
	static const struct {
		uint64_t reused, open;
		bool bounded;
	} rows[] = {{48, 32, true}, {47, 32, false}, {48, 31, false}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;
		const struct finding *f;

		trial_open(&t, "network: {topology: nat, nat: {ports: 2000-2031}}\n"
			       "load: {concurrency: 50, request: {send: 8B, receive: 8B}, "
			       "pool: {max_idle: 50}}");
		t.tape.tally.attempted = t.tape.tally.opened = 32;
		t.tape.tally.open = t.tape.open_peak = rows[i].open;
		t.tape.tally.closed = 32 - rows[i].open;
		t.tape.tally.requests_done = 96;
		t.tape.tally.requests_reused = rows[i].reused;
		trial_fail(&t, STAGE_CONNECT, ETIMEDOUT, 108);
		trial_dump(&t, 0)->parts |= SAMPLE_GATEWAY;
		trial_dump(&t, 50)->parts |= SAMPLE_GATEWAY;
		t.tape.samples[1].states[STATE_ESTABLISHED] = rows[i].open;
		t.tape.samples[1].gateway = (struct tracked){32, 108, 108, 0, 0};
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_LINUX_SNAT);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT_EQUAL(lines_have(&f->attempt, "has ports, 32 to each destination"),
				rows[i].bounded);
		CU_ASSERT_EQUAL(lines_have(&f->attempt, "keep connections open and reuse them"),
				!rows[i].bounded);
		trial_close(&t);
	}
}

/* Nobody answers: of what the gateway tracks an eighth was never open, or the far end was gone before it
 * dropped anything. */
static void connects_that_nobody_answers_take_a_gateways_ports(void)
{
	static const struct {
		uint64_t opened, dropped_before;
		int64_t gone_ns; /* 0: it stays */
		bool told;
	} rows[] = {
		{0, 0, 0, true},   {14, 0, 0, true},	     {15, 0, 0, false},
		{16, 0, 0, false}, {16, 0, 500000000, true}, {16, 3, 500000000, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct sample *s;
		struct trial t;

		trial_open(&t, "network: {topology: nat, nat: {ports: 2000-2015}}\n"
			       "server: {vanish: 500ms}\nload: {rate: 50/s, end: reset}");
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.reset = rows[i].opened;
		trial_fail(&t, STAGE_CONNECT, ETIMEDOUT, 44);
		if (rows[i].gone_ns)
			tape_event(&t.tape, (struct event){.kind = EVENT_SERVER_GONE,
							   .t_ns = rows[i].gone_ns});
		s = trial_dump(&t, 16);
		s->parts |= SAMPLE_GATEWAY;
		s->t_ns = 400000000;
		s->gateway = (struct tracked){16, rows[i].dropped_before, 0, 0, 0};
		s = trial_dump(&t, 16);
		s->parts |= SAMPLE_GATEWAY;
		s->t_ns = 900000000;
		s->gateway = (struct tracked){16, 44, 44, 0, 0};
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_LINUX_SNAT);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT_EQUAL(lines_have(&f->attempt, "have the far end answer"), rows[i].told);
		if (lines_have(&f->attempt, "have the far end answer") != rows[i].told)
			printf("row %zu\n", i);
		trial_close(&t);
	}
}

static const struct test tests[] = {
	TEST(what_a_gateway_drops_of_both_protocols_is_told_of_both),
	TEST(a_gateways_drops_are_told_from_other_timeouts),
	TEST(what_a_gateways_ports_are_kept_by_is_told),
	TEST(what_a_gateways_table_is_full_of_is_told),
	TEST(a_pool_behind_a_gateway_is_to_be_bounded),
	TEST(connects_that_nobody_answers_take_a_gateways_ports),
	TESTS_END,
};

const struct suite suite_cause_gateway = {"cause: gateways", tests};
