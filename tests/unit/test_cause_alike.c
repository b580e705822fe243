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

/* What another load opened, from another address, says nothing of one that is not there. */
static void a_missing_address_of_ipv6_is_not_tentative(void)
{
	for (size_t i = 0; i < 4; i++) {
		bool late = i & 1, out_of_ports = i & 2;
		struct trial t;

		trial_open(&t, "network: {family: ipv6}\nloads: {six: {bind: address fd77::9}, "
			       "seven: {rate: 20/s}}");
		t.tape.loads = ARENA_ARRAY(&t.arena, struct tape, 2);
		t.tape.load_count = 2;
		t.tape.loads[0].tally.errors[STAGE_BIND][EADDRNOTAVAIL] = 3;
		t.tape.loads[0].tally.failed = 3;
		t.tape.loads[!late].tally.opened = t.tape.tally.opened = 10;
		trial_fail(&t, STAGE_BIND, EADDRNOTAVAIL, 3);
		if (out_of_ports) { /* the same errno, for another reason */
			trial_exhaust(&t, 10);
			t.tape.loads[1].tally.errors[STAGE_CONNECT][EADDRNOTAVAIL] = 1;
		}
		trial_judge(&t);
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_IPV6_TENTATIVE) != NULL, late);
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_FOREIGN_ADDRESS) != NULL, !late);
		trial_close(&t);
	}
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

/* The client closed one, and the far end those that it had opened to itself: what waits is the loop's. */
static void a_loop_that_is_over_waits_and_is_no_churn(void)
{
	struct trial t;
	const struct finding *f;

	trial_open(&t, "network: {topology: loopback, ports: 40000-40031}\n"
		       "server: {behaviour: loop}\nload: {rate: 1/s}");
	trial_exhaust(&t, 1);
	t.tape.tally.opened = t.tape.tally.closed = 1;
	t.tape.far_opened = 31;
	t.tape.far_errors[STAGE_CONNECT][EADDRNOTAVAIL] = 1;
	trial_dump(&t, 32)->states[STATE_TIME_WAIT] = 32;
	trial_judge(&t);
	f = &t.verdict.causes[0];
	CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 1);
	CU_ASSERT_EQUAL(f->cause, CAUSE_PROXY_LOOP);
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
		t.tape.tally.open = t.tape.open_peak = rows[i].open;
		trial_fail(&t, STAGE_SOCKET, rows[i].error, 3);
		trial_judge(&t);
		f = &t.verdict.causes[0];
		CU_ASSERT_FATAL(t.verdict.cause_count > 0);
		CU_ASSERT_EQUAL(f->cause, CAUSE_FD_LIMIT);
		leak = trial_cause(&t, CAUSE_LEAK);
		CU_ASSERT_EQUAL(leak != NULL, rows[i].is_leak);
		CU_ASSERT_EQUAL(text_has(f->attempt.list[0], "first of all"), rows[i].is_leak);
		CU_ASSERT_EQUAL(lines_have(&f->attempt, "have fewer open at once, up to 17 here"),
				!rows[i].is_leak && rows[i].open == 17);
		if (leak)
			CU_ASSERT(
				text_has(leak->why, "those ended first: socket() failed 3 times"));
		if (leak)
			CU_ASSERT(text_has(leak->why, errno_name(rows[i].error)));
		advice_check(f);
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
		CU_ASSERT(row_says(i, t.verdict.causes[0].why, rows[i].why));
		trial_close(&t);
	}
}

/* IPv6 that has opened a connection is not off, whatever connect() said of the others. */
static void ipv6_that_has_worked_is_not_disabled(void)
{
	for (uint64_t opened = 0; opened < 2; opened++) {
		struct trial t;

		trial_open(&t, "network: {family: ipv6}\nload: {rate: 20/s}");
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.open = opened;
		t.tape.events[t.tape.event_count++] =
			(struct event){.kind = EVENT_NO_ADDRESS, .dest = NOWHERE};
		trial_fail(&t, STAGE_CONNECT, EADDRNOTAVAIL, 3);
		trial_judge(&t);
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_IPV6_DISABLED) != NULL, opened == 0);
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_IPV6_TENTATIVE) != NULL, opened == 1);
		trial_close(&t);
	}
}

static const struct test tests[] = {
	TEST(look_alikes_say_that_they_are_not_exhaustion),
	TEST(a_link_local_address_is_told_by_its_scope),
	TEST(the_right_scope_is_nothing_that_fails),
	TEST(other_addresses_have_no_scope_to_lack),
	TEST(a_missing_address_of_ipv6_is_not_tentative),
	TEST(the_limit_of_descriptors_is_told),
	TEST(a_proxy_that_is_its_own_upstream_is_told_by_what_it_opened),
	TEST(a_loop_that_is_over_waits_and_is_no_churn),
	TEST(a_loop_is_told_whatever_ends_it),
	TEST(a_leak_that_ends_with_the_descriptors_is_told_as_one),
	TEST(a_connection_that_met_itself_is_told_with_the_ways_out),
	TEST(a_datagram_that_met_its_sender_is_told_first),
	TEST(a_server_that_ended_is_told_with_when),
	TEST(a_server_of_udp_that_died_is_told_by_both_of_its_errors),
	TEST(descriptors_that_ran_out_beside_the_ports_are_no_word_about_those),
	TEST(ipv6_that_has_worked_is_not_disabled),
	TESTS_END,
};

const struct suite suite_cause_alike = {"cause: look-alikes", tests};
