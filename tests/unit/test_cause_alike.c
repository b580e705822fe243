/* What is not exhaustion, told from it: look-alikes, gateways, servers that are gone. */
#include <errno.h>
#include <stdio.h>

#include "advice_check.h"
#include "judge/cause.h"
#include "suites.h"
#include "trial.h"

#define SMALL "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"

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

/* By the addresses, and by what the kernel says of them. */
static void a_link_local_address_is_told_by_its_scope(void)
{
	static const struct {
		const char *load;
		enum stage stage;
		int error;
		const char *why;
	} rows[] = {
		{"{}", STAGE_CONNECT, EINVAL, "the program named none"},
		{"{bind: address}", STAGE_BIND, EINVAL, "the program named none"},
		{"{bind: address, scope: lo}", STAGE_BIND, EADDRNOTAVAIL, "the program named lo"},
		{"{scope: lo}", STAGE_CONNECT, ENETUNREACH, "the program named lo"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[200];
		struct trial t;
		const struct finding *f;

		snprintf(lines, sizeof(lines),
			 "network: {family: ipv6, servers: [\"fe80::2\"]}\nload: %s", rows[i].load);
		trial_open(&t, lines);
		trial_fail(&t, rows[i].stage, rows[i].error, 3);
		trial_judge(&t);
		CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 1);
		f = trial_cause(&t, CAUSE_LINK_LOCAL);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(text_has(f->why, "not port exhaustion"));
		CU_ASSERT(text_has(f->why, rows[i].why));
		CU_ASSERT(lines_have(&f->attempt, "sin6_scope_id"));
		trial_close(&t);
	}
}

#define LINK_LOCAL "network: {family: ipv6, servers: [\"fe80::2\"], ports: 40000-40031}\n"

/* Who names the link lacks ports as elsewhere, and an address that the client does not have. */
static void the_right_scope_is_nothing_that_fails(void)
{
	struct trial t;

	trial_open(&t, LINK_LOCAL "load: {scope: veth0, end: leak}");
	trial_exhaust(&t, 32);
	t.tape.tally.opened = t.tape.tally.leaked = 32;
	trial_dump(&t, 32)->states[STATE_ESTABLISHED] = 32;
	trial_judge(&t);
	CU_ASSERT_PTR_NULL(trial_cause(&t, CAUSE_LINK_LOCAL));
	CU_ASSERT_PTR_NOT_NULL(trial_cause(&t, CAUSE_LEAK));
	trial_close(&t);
	trial_open(&t, LINK_LOCAL "load: {scope: veth0, bind: address fe80::9}");
	trial_fail(&t, STAGE_BIND, EADDRNOTAVAIL, 3);
	trial_judge(&t);
	CU_ASSERT_PTR_NULL(trial_cause(&t, CAUSE_LINK_LOCAL));
	CU_ASSERT_PTR_NOT_NULL(trial_cause(&t, CAUSE_FOREIGN_ADDRESS));
	trial_close(&t);
}

static void other_addresses_have_no_scope_to_lack(void)
{
	struct trial t;

	trial_open(&t, "network: {family: ipv6}\nload: {bind: address}");
	trial_fail(&t, STAGE_BIND, EADDRNOTAVAIL, 3);
	trial_judge(&t);
	CU_ASSERT(!trial_cause(&t, CAUSE_LINK_LOCAL));
	CU_ASSERT_PTR_NOT_NULL(trial_cause(&t, CAUSE_FOREIGN_ADDRESS));
	trial_close(&t);
}

/* The limit is the load's own, where it has one. */
static void the_limit_of_descriptors_is_told(void)
{
	struct trial t;
	const struct finding *f;

	trial_open(&t, SMALL "load: {nofile: 20, end: leak, on_failure: continue}");
	trial_fail(&t, STAGE_SOCKET, EMFILE, 3);
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_FD_LIMIT);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(lines_have(&f->attempt, "here it is 20 (load.nofile)"));
	trial_close(&t);
}

/* By what the far end has opened, where its ports are the client's, and where they are its own. */
static void a_proxy_that_is_its_own_upstream_is_told_by_what_it_opened(void)
{
	struct trial t;
	const struct finding *f;

	trial_open(&t, "network: {topology: loopback, ports: 40000-40031}\n"
		       "server: {behaviour: loop}\nload: {rate: 10/s}");
	trial_exhaust(&t, 1);
	t.tape.tally.opened = t.tape.tally.open = 1;
	t.tape.far_opened = 31;
	t.tape.far_errors[STAGE_CONNECT][EADDRNOTAVAIL] = 1;
	trial_dump(&t, 32)->states[STATE_ESTABLISHED] = 32;
	trial_judge(&t);
	f = &t.verdict.causes[0];
	CU_ASSERT_FATAL(t.verdict.cause_count > 0);
	CU_ASSERT_EQUAL(f->cause, CAUSE_PROXY_LOOP);
	CU_ASSERT(text_has(f->why, "opened 31 connections to itself for 1 connection"));
	CU_ASSERT(text_has(f->why, "their ports are the client's"));
	CU_ASSERT(!text_has(f->why, "in use"));
	CU_ASSERT(!trial_cause(&t, CAUSE_LIVE_SATURATION));
	CU_ASSERT(lines_have(&f->attempt, "Max-Forwards"));
	trial_close(&t);
}

/* One connection, done after 4 ms: the chain was cut, and a loop it was all the same. And where the far
 * end found no port of the client's, they ran out, though the client was refused none. */
static void a_loop_is_told_whatever_ends_it(void)
{
	static const struct {
		const char *network;
		int error;
		bool exhausted;
		const char *why;
	} rows[] = {
		{"{}", 0, false, "here the client was done before that, after 1 s"},
		{"{}", EADDRNOTAVAIL, false, "(1 could not be had)"},
		{"{topology: loopback}", 0, false, "here the client was done before that"},
		{"{topology: loopback}", EADDRNOTAVAIL, true, "(1 could not be had)"},
		{"{topology: loopback}", EMFILE, false, "(1 could not be had)"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;
		char lines[200];

		snprintf(lines, sizeof(lines), "network: %s\nserver: {behaviour: loop}",
			 rows[i].network);
		trial_open(&t, lines);
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 1;
		t.tape.far_opened = 152;
		if (rows[i].error)
			t.tape.far_errors[STAGE_CONNECT][rows[i].error] = 1;
		trial_dump(&t, 3); /* between two chains */
		trial_judge(&t);
		CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 1);
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause, CAUSE_PROXY_LOOP);
		CU_ASSERT(text_has(t.verdict.causes[0].why, "opened 152 connections to itself"));
		CU_ASSERT(text_has(t.verdict.causes[0].why, rows[i].why));
		CU_ASSERT_EQUAL(t.measures.fixed[MEASURE_EXHAUSTED].n, rows[i].exhausted);
		CU_ASSERT_EQUAL(t.measures.fixed[MEASURE_PORTS_USED_MAX].n,
				rows[i].exhausted ? 28232 : 3);
		advice_check(&t.verdict.causes[0]);
		trial_close(&t);
	}
}

/* The leak is what a higher limit does not mend: it is told, beside the limit, and to be mended first. */
static void a_leak_that_ends_with_the_descriptors_is_told_as_one(void)
{
	static const struct {
		uint64_t leaked, open;
		int error;
		bool is_leak;
	} rows[] = {
		{17, 0, EMFILE, true}, {9, 8, EMFILE, true},   {9, 8, ENFILE, true},
		{8, 8, EMFILE, false}, {0, 17, EMFILE, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f, *leak;
		struct trial t;

		trial_open(&t, SMALL "load: {nofile: 20, on_failure: continue}");
		t.tape.tally.attempted = t.tape.tally.opened = rows[i].leaked + rows[i].open;
		t.tape.tally.leaked = rows[i].leaked;
		t.tape.tally.open = rows[i].open;
		trial_fail(&t, STAGE_SOCKET, rows[i].error, 3);
		trial_judge(&t);
		f = &t.verdict.causes[0];
		CU_ASSERT_FATAL(t.verdict.cause_count > 0);
		CU_ASSERT_EQUAL(f->cause, CAUSE_FD_LIMIT);
		leak = trial_cause(&t, CAUSE_LEAK);
		CU_ASSERT_EQUAL(leak != NULL, rows[i].is_leak);
		CU_ASSERT_EQUAL(text_has(f->attempt.list[0], "first of all"), rows[i].is_leak);
		if (leak)
			CU_ASSERT(
				text_has(leak->why, "those ended first: socket() failed 3 times"));
		if (leak)
			CU_ASSERT(text_has(leak->why, errno_name(rows[i].error)));
		advice_check(f);
		trial_close(&t);
	}
}

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
	CU_ASSERT(text_has(f->why, "So did recv() of UDP, 4 times. The gateway has 32 ports"));
	trial_close(&t);
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

/* Of UDP, where the others are refused after their connect, that is not what RFC 9293 says. */
static void a_datagram_that_met_its_sender_is_told_first(void)
{
	struct trial t;
	const struct finding *f;

	trial_open(&t, "network: {topology: loopback, ports: 40010-40011, services: [40010]}\n"
		       "server: {behaviour: refuse}\nload: {protocol: udp, total: 20, request: "
		       "{send: 8B, receive: 8B}, on_failure: continue}");
	t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 20;
	t.tape.tally.requests_failed = t.tape.tally.errors[STAGE_RECEIVE][ECONNREFUSED] = 18;
	t.tape.tally.requests_done = t.tape.tally.self_connects = 2;
	trial_judge(&t);
	CU_ASSERT_FATAL(t.verdict.cause_count > 0);
	f = &t.verdict.causes[0];
	CU_ASSERT_EQUAL(f->cause, CAUSE_SELF_CONNECT);
	CU_ASSERT(text_has(f->why, "a request may pass for its answer"));
	CU_ASSERT_FALSE(text_has(f->why, "RFC 9293"));
	trial_close(&t);
}

/* Few are told so, by an ICMP: the others wait for an answer until their time is up. */
static void a_server_of_udp_that_died_is_told_by_both_of_its_errors(void)
{
	const struct finding *f;
	struct trial t;

	trial_open(&t, SMALL "server: {die: 300ms}\nload: {protocol: udp, rate: 50/s, total: 60, "
			     "request: {send: 8B, receive: 8B}}");
	t.tape.tally.opened = 60;
	trial_fail(&t, STAGE_RECEIVE, ETIMEDOUT, 39);
	trial_fail(&t, STAGE_RECEIVE, ECONNREFUSED, 6);
	tape_event(&t.tape, (struct event){.kind = EVENT_SERVER_DIED, .t_ns = 300000000});
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_REQUEST_FAILED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "recv() failed 39 times with ETIMEDOUT"));
	CU_ASSERT(text_has(f->why, "recv() failed 6 times with ECONNREFUSED"));
	CU_ASSERT(text_has(f->why, "The server's process died after 0.3 s."));
	CU_ASSERT(text_has(f->why, "net.ipv4.icmp_ratelimit"));
	CU_ASSERT(!text_has(f->why, "Others failed"));
	CU_ASSERT(text_has(f->attempt.list[0], "start the server"));
	trial_close(&t);
}

/* Descriptors and ports, both: the one is not told as if the other had not. */
static void descriptors_that_ran_out_beside_the_ports_are_no_word_about_those(void)
{
	const struct finding *f;
	struct text told;
	struct trial t;

	trial_open(&t, SMALL "load: {nofile: 20, end: leak, on_failure: continue}");
	trial_exhaust(&t, 32);
	t.tape.tally.leaked = 32;
	trial_fail(&t, STAGE_SOCKET, EMFILE, 3);
	trial_dump(&t, 32)->states[STATE_ESTABLISHED] = 32;
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_FD_LIMIT);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "These failures are not for want of a port"));
	told = trial_summary(trial_result(&t, TEXT("both")), (struct report_style){0}, false,
			     &t.arena);
	CU_ASSERT(text_has(told, "why: descriptors ran out (fd-limit)"));
	CU_ASSERT(!text_has(told, "did not run out"));
	trial_close(&t);
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
		 {100, 7, 7, 0, 0},
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
		 {1000, 7, 7, 0, 0},
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
		 "12 SYNs had to be sent again, of 320 connections"},
		/* of each connection that had a port before: 320 by the first of 32 */
		{SMALL,
		 320,
		 STAGE_CONNECT,
		 0,
		 false,
		 {0},
		 288,
		 CAUSE_FAST_PORT_REUSE,
		 "288 SYNs had to be sent again, of 320 connections"},
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

static const struct test tests[] = {
	TEST(look_alikes_say_that_they_are_not_exhaustion),
	TEST(a_link_local_address_is_told_by_its_scope),
	TEST(the_right_scope_is_nothing_that_fails),
	TEST(other_addresses_have_no_scope_to_lack),
	TEST(the_limit_of_descriptors_is_told),
	TEST(a_proxy_that_is_its_own_upstream_is_told_by_what_it_opened),
	TEST(a_loop_is_told_whatever_ends_it),
	TEST(a_leak_that_ends_with_the_descriptors_is_told_as_one),
	TEST(what_a_gateway_drops_of_both_protocols_is_told_of_both),
	TEST(a_connection_that_met_itself_is_told_with_the_ways_out),
	TEST(a_datagram_that_met_its_sender_is_told_first),
	TEST(a_server_that_ended_is_told_with_when),
	TEST(a_server_of_udp_that_died_is_told_by_both_of_its_errors),
	TEST(descriptors_that_ran_out_beside_the_ports_are_no_word_about_those),
	TEST(a_gateways_drops_are_told_from_other_timeouts),
	TEST(what_no_lab_makes_is_told_by_its_signature),
	TESTS_END,
};

const struct suite suite_cause_alike = {"cause: look-alikes", tests};
