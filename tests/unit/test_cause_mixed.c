/* Mixtures: loads of both protocols, ends of several kinds, and a gateway behind the client. */
#include "judge/cause.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "suites.h"
#include "trial.h"

#define BOTH \
	"network: {ports: 40000-40063, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n" \
	"loads:\n" \
	"  web: {rate: 200/s, total: 100}\n" \
	"  dns: {protocol: udp, rate: 100/s, total: 100, end: leak}\n"

/* 64 connections that were closed, and `udp` sockets that were not; who of them was refused. */
static void both_open(struct trial *t, uint64_t udp, bool tcp_refused, bool udp_refused)
{
	struct tape *loads;
	struct sample *s;

	trial_open(t, BOTH);
	loads = ARENA_ARRAY(&t->arena, struct tape, 2);
	loads[0] = (struct tape){.load = TEXT("web"), .refused_at_ns = -1, .recovered_ns = -1};
	loads[1] = (struct tape){.load = TEXT("dns"), .refused_at_ns = -1, .recovered_ns = -1};
	loads[0].tally = (struct tally){.attempted = 64, .opened = 64, .closed = 64};
	loads[1].tally = (struct tally){.attempted = udp, .opened = udp, .leaked = udp};
	loads[0].exhausted = tcp_refused;
	loads[1].exhausted = udp_refused;
	if (tcp_refused)
		loads[0].tally.errors[STAGE_CONNECT][EADDRNOTAVAIL] = loads[0].tally.failed = 1;
	if (udp_refused)
		loads[1].tally.errors[STAGE_CONNECT][EAGAIN] = loads[1].tally.failed = 1;
	t->tape.loads = loads;
	t->tape.load_count = 2;
	t->tape.exhausted = true;
	t->tape.refused_at_ns = 0;
	t->tape.tally = (struct tally){.opened = 64 + udp, .closed = 64, .leaked = udp};
	trial_fail(t, STAGE_CONNECT, EADDRNOTAVAIL, tcp_refused);
	trial_fail(t, STAGE_CONNECT, EAGAIN, udp_refused);
	s = trial_dump(t, 64);
	s->states[STATE_TIME_WAIT] = 64;
	s->states[STATE_ESTABLISHED] = udp;
	s->datagrams.states[STATE_ESTABLISHED] = s->datagrams.used_max = udp;
	s->datagrams.others_max = 64;
	trial_judge(t);
}

/* The ports of TCP and of UDP are two ranges. */
static void a_leak_of_udp_is_no_cause_of_what_tcp_lacks(void)
{
	const struct finding *f;
	struct trial t;

	both_open(&t, 20, true, false);
	CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 1);
	f = &t.verdict.causes[0];
	CU_ASSERT_EQUAL(f->cause, CAUSE_TIME_WAIT_CHURN);
	CU_ASSERT(text_has(f->why, "The client closed 64 connections"));
	CU_ASSERT(text_has(f->why, "64 ports of TCP / 60 s = 1.07/s is all"));
	CU_ASSERT(text_has(f->why, "asks for 200/s"));
	CU_ASSERT(!lines_have(&f->seen, "never closed"));
	CU_ASSERT(lines_have(&f->attempt, "1,075/s (enough)"));
	trial_close(&t);
}

static void what_tcp_closed_is_no_cause_of_what_udp_lacks(void)
{
	const struct finding *f;
	struct trial t;

	both_open(&t, 64, false, true);
	CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 2);
	f = &t.verdict.causes[0];
	CU_ASSERT_EQUAL(f->cause, CAUSE_LEAK);
	CU_ASSERT(text_has(f->why, "64 sockets were opened, and none of them was closed."));
	CU_ASSERT(text_has(f->why, "the 64 ports of UDP towards all destinations are used up"));
	CU_ASSERT(lines_have(&f->attempt, "to all destinations together"));
	CU_ASSERT(lines_have(&f->seen, "established.max 64"));
	CU_ASSERT_EQUAL(t.verdict.causes[1].cause, CAUSE_UDP_SOCKETS);
	CU_ASSERT(text_has(t.verdict.causes[1].why, "TCP's ports are others"));
	CU_ASSERT(lines_have(&t.verdict.causes[1].attempt, "one socket for many destinations"));
	CU_ASSERT(!lines_have(&t.verdict.causes[1].attempt, "widen"));
	CU_ASSERT(!lines_have(&t.verdict.causes[1].attempt, "adds"));
	trial_close(&t);
}

static void where_both_run_out_either_has_its_cause(void)
{
	struct trial t;

	both_open(&t, 64, true, true);
	CU_ASSERT_EQUAL(t.verdict.cause_count, 3);
	CU_ASSERT_PTR_NOT_NULL(trial_cause(&t, CAUSE_TIME_WAIT_CHURN));
	CU_ASSERT_PTR_NOT_NULL(trial_cause(&t, CAUSE_LEAK));
	CU_ASSERT_PTR_NOT_NULL(trial_cause(&t, CAUSE_UDP_SOCKETS));
	trial_close(&t);
}

#define FAMILIES(more) \
	"network: {ports: 40000-40063, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n" \
	"loads:\n" \
	"  four: {family: ipv4, rate: 200/s, end: leak" more "}\n" \
	"  six: {family: ipv6, rate: 100/s}\n"

/* 64 connections of IPv4 that leaked, and one that was refused; 30 of IPv6 that were closed. */
static void families_open(struct trial *t, const char *lines)
{
	struct sample dump = {.used_max = 64, .at_rest = true};
	struct usage usages[] = {{.usable = 64}, {.usable = 64}};
	struct tape *loads;

	trial_open(t, lines);
	loads = ARENA_ARRAY(&t->arena, struct tape, 2);
	loads[0] = (struct tape){.load = TEXT("four"), .exhausted = true, .recovered_ns = -1};
	loads[1] = (struct tape){.load = TEXT("six"), .refused_at_ns = -1, .recovered_ns = -1};
	loads[0].tally = (struct tally){.attempted = 65, .opened = 64, .leaked = 64, .failed = 1};
	loads[0].tally.errors[STAGE_CONNECT][EADDRNOTAVAIL] = 1;
	loads[1].tally = (struct tally){.attempted = 30, .opened = 30, .closed = 30};
	t->tape.loads = loads;
	t->tape.load_count = 2;
	t->tape.exhausted = true;
	t->tape.tally = (struct tally){.attempted = 94, .opened = 94, .closed = 30, .leaked = 64};
	trial_fail(t, STAGE_CONNECT, EADDRNOTAVAIL, 1);
	dump.states[STATE_ESTABLISHED] = usages[0].states[STATE_ESTABLISHED] = 64;
	dump.states[STATE_TIME_WAIT] = usages[1].states[STATE_TIME_WAIT] = 30;
	usages[0].local = usages[0].remote = address_ipv4(0x0a4d0001);
	usages[1].local = usages[1].remote = (struct address){1, 1};
	dump.usage_count = 2;
	trial_usages(t, dump, usages);
	trial_judge(t);
}

/* IPv4 and IPv6 have the range each for itself. */
static void what_ipv6_closed_is_no_cause_of_what_ipv4_lacks(void)
{
	const struct finding *f;
	struct trial t;

	families_open(&t, FAMILIES(""));
	CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 1);
	f = &t.verdict.causes[0];
	CU_ASSERT_EQUAL(f->cause, CAUSE_LEAK);
	CU_ASSERT(text_has(f->why, "64 connections were opened, and none of them was closed."));
	CU_ASSERT(text_has(f->why, "the 64 ports of IPv4 to one destination are used up for good"));
	CU_ASSERT(!lines_have(&f->seen, "TIME_WAIT"));
	trial_close(&t);
}

/* IPv6 is off: 30 connects fail from the first on, whatever those of IPv4 come to. */
static void off_open(struct trial *t, bool four_exhausted)
{
	struct tape *loads;

	trial_open(t, "network: {ports: 40000-40031, sysctl: {net.ipv6.conf.all.disable_ipv6: 1}}\n"
		      "loads: {four: {rate: 100/s}, six: {family: ipv6, rate: 50/s}}");
	loads = ARENA_ARRAY(&t->arena, struct tape, 2);
	loads[0] = (struct tape){.load = TEXT("four"), .exhausted = four_exhausted};
	loads[1] = (struct tape){.load = TEXT("six"), .refused_at_ns = -1, .recovered_ns = -1};
	loads[0].refused_at_ns = loads[0].recovered_ns = -1;
	loads[0].tally = (struct tally){.attempted = 32, .opened = 32, .closed = 32};
	loads[1].tally = (struct tally){.attempted = 30, .failed = 30};
	loads[1].tally.errors[STAGE_CONNECT][EADDRNOTAVAIL] = 30;
	t->tape.loads = loads;
	t->tape.load_count = 2;
	t->tape.exhausted = four_exhausted;
	t->tape.tally = (struct tally){.attempted = 32, .opened = 32, .closed = 32};
	trial_fail(t, STAGE_CONNECT, EADDRNOTAVAIL, 30);
	if (four_exhausted) {
		loads[0].tally.errors[STAGE_CONNECT][EADDRNOTAVAIL] = loads[0].tally.failed = 9;
		trial_fail(t, STAGE_CONNECT, EADDRNOTAVAIL, 9);
	}
	tape_event(&t->tape, (struct event){.kind = EVENT_NO_ADDRESS});
	trial_judge(t);
}

static void an_address_that_ipv6_lacks_is_not_told_by_what_ipv4_opened(void)
{
	for (int exhausted = 0; exhausted < 2; exhausted++) {
		const struct finding *f;
		struct trial t;

		off_open(&t, exhausted);
		CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 1u + (unsigned)exhausted);
		f = &t.verdict.causes[0];
		CU_ASSERT_EQUAL(f->cause, CAUSE_IPV6_DISABLED);
		CU_ASSERT(text_has(f->why, "These failures of IPv6 are not for want of a port: "
					   "connect() failed 30 times with EADDRNOTAVAIL"));
		CU_ASSERT(lines_have(&f->seen, "connects.opened 0"));
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_TIME_WAIT_CHURN) != NULL, exhausted);
		trial_close(&t);
	}
}

/* UDP says that no port is left before it asks for an address: what has none is not told with the others. */
static void an_address_that_udp_of_ipv6_lacks_is_no_want_of_a_port(void)
{
	const struct tally four = {.attempted = 35, .opened = 32, .open = 32, .failed = 3};
	struct tally six = {.attempted = 10, .failed = 10};
	const struct finding *f;
	struct tape *loads;
	struct trial t;

	trial_open(&t,
		   "network: {ports: 40000-40031, sysctl: {net.ipv6.conf.all.disable_ipv6: 1}}\n"
		   "loads: {four: {protocol: udp, rate: 100/s, request: {send: 8B}}, six: "
		   "{protocol: udp, family: ipv6, rate: 50/s}}");
	loads = ARENA_ARRAY(&t.arena, struct tape, 2);
	loads[0] = (struct tape){.load = TEXT("four"), .exhausted = true, .tally = four};
	loads[1] = (struct tape){.load = TEXT("six"), .tally = six};
	loads[0].tally.errors[STAGE_CONNECT][EAGAIN] = 3;
	loads[1].tally.errors[STAGE_CONNECT][EAGAIN] = 10;
	t.tape.loads = loads;
	t.tape.load_count = 2;
	t.tape.exhausted = true;
	t.tape.tally = four;
	trial_fail(&t, STAGE_CONNECT, EAGAIN, 13);
	tape_event(&t.tape, (struct event){.kind = EVENT_NO_ADDRESS});
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_IPV6_DISABLED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "connect() failed 10 times with EAGAIN"));
	CU_ASSERT(text_has(f->why, "Without a port UDP says so before it looks for an address"));
	CU_ASSERT(!text_has(f->why, "UDP connect"));
	CU_ASSERT_PTR_EQUAL(f, t.verdict.causes); /* 10 failures, and 3 for want of a port */
	f = trial_cause(&t, CAUSE_UDP_SOCKETS);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "connect() failed 3 times with EAGAIN"));
	trial_close(&t);
}

/* But bind() takes a port of either from the connect() of the other. */
static void families_of_which_one_binds_are_not_told_apart(void)
{
	struct trial t;

	families_open(&t, FAMILIES(", bind: address"));
	CU_ASSERT_PTR_NOT_NULL(trial_cause(&t, CAUSE_TIME_WAIT_CHURN));
	trial_close(&t);
}

static void each_protocols_ports_sustain_a_rate_of_their_own(void)
{
	struct trial t;
	struct text told;

	both_open(&t, 20, true, false);
	CU_ASSERT_DOUBLE_EQUAL(t.measures.fixed[MEASURE_PREDICTED_RATE].n, 64 / 60., 1e-9);
	told = trial_summary(trial_result(&t, TEXT("both")), (struct report_style){0}, false,
			     &t.arena);
	CU_ASSERT(text_has(told, "1.07/s of TCP, no rate of UDP"));
	told = trial_json(trial_result(&t, TEXT("both")), &t.arena);
	CU_ASSERT(text_has(told, "\"of\": \"UDP\""));
	CU_ASSERT(text_has(told, "\"sustained\": 0.0"));
	trial_close(&t);
}

/* Half of the connections leak, as the seed draws them: the order is not the seed's. */
static void of_a_leak_and_a_churn_the_leak_is_first_unless_the_churn_holds_more(void)
{
	static const struct {
		uint64_t leaked;
		enum cause first;
	} rows[] = {{20, CAUSE_LEAK},
		    {16, CAUSE_LEAK},
		    {14, CAUSE_LEAK},
		    {13, CAUSE_TIME_WAIT_CHURN},
		    {6, CAUSE_TIME_WAIT_CHURN}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;
		struct sample *s;

		trial_open(&t, "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
			       "load: {rate: 200/s, mix: {leak: 50%}}");
		trial_exhaust(&t, 32);
		t.tape.tally.leaked = rows[i].leaked;
		t.tape.tally.closed = 32 - rows[i].leaked;
		s = trial_dump(&t, 32);
		s->states[STATE_ESTABLISHED] = rows[i].leaked;
		s->states[STATE_TIME_WAIT] = 32 - rows[i].leaked;
		trial_judge(&t);
		CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 2);
		if (t.verdict.causes[0].cause != rows[i].first)
			printf("row %zu: %s\n", i, cause_name(t.verdict.causes[0].cause));
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause, rows[i].first);
		trial_close(&t);
	}
}

/* 8 of 32 leaked: a quarter of all, so that 32 have leaked after 128 connections. */
static void a_share_that_leaks_has_all_ports_in_the_end(void)
{
	const struct finding *f;
	struct trial t;
	struct sample *s;

	trial_open(&t, "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
		       "load: {rate: 200/s, mix: {leak: 25%}}");
	trial_exhaust(&t, 32);
	t.tape.tally.leaked = 8;
	t.tape.tally.closed = 24;
	s = trial_dump(&t, 32);
	s->states[STATE_ESTABLISHED] = 8;
	s->states[STATE_TIME_WAIT] = 24;
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_LEAK);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "32 connections were opened, and 8 of them never closed."));
	CU_ASSERT(text_has(f->why,
			   "of 32 ports in use 8 are used up for good, and so are the others, "
			   "once they are free again: 32 after 128 connections, by this share."));
	CU_ASSERT(lines_have(&f->seen, "of 32 ports in use 8 never closed, 24 in TIME_WAIT"));
	f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "0.533/s would be all that could go on for ever, were each"));
	CU_ASSERT(!lines_have(&f->attempt, "enough"));
	CU_ASSERT(lines_have(&f->attempt, "1,075/s (later: those never closed have them all after "
					  "258,048 connections)"));
	CU_ASSERT(lines_have(&f->attempt, "32/s (later: those never closed have them all after 128 "
					  "connections)"));
	trial_close(&t);
}

/* With tcp_tw_reuse a port is for one second what another has for 60: whatever else leaks. */
static void of_a_leak_and_a_churn_the_churn_is_told_with_its_reuse(void)
{
	const struct finding *f;
	struct trial t;
	struct sample *s;

	trial_open(&t, "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 1}}\n"
		       "load: {rate: 30/s, mix: {leak: 50%}}");
	trial_exhaust(&t, 44);
	t.tape.tally.leaked = 22;
	t.tape.tally.closed = 22;
	s = trial_dump(&t, 32);
	s->states[STATE_ESTABLISHED] = 22;
	s->states[STATE_TIME_WAIT] = 10;
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "the port of each can be taken again after 1 s"));
	CU_ASSERT(text_has(f->why, "32 ports / 1 s = 32/s would be all"));
	CU_ASSERT_PTR_NULL(trial_cause(&t, CAUSE_TW_REUSE_FLOOR));
	trial_close(&t);
}

/* A port that bind() took is one of all destinations: what is used up is counted so, too. */
static void a_leak_of_bound_sockets_is_counted_over_all_destinations(void)
{
	static const char lines[] =
		"network: {ports: 40000-40063, servers: 2, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
		"loads: {plain: {rate: 200/s}, bound: {rate: 200/s, end: leak, bind: address}}";
	const struct finding *f;
	struct tape *loads;
	struct trial t;
	struct sample *s;

	trial_open(&t, lines);
	loads = ARENA_ARRAY(&t.arena, struct tape, 2);
	loads[0] = (struct tape){.load = TEXT("plain"), .refused_at_ns = -1};
	loads[1] = (struct tape){.load = TEXT("bound"), .exhausted = true};
	loads[0].tally = (struct tally){.attempted = 40, .opened = 40, .closed = 40};
	loads[1].tally = (struct tally){.attempted = 43, .opened = 35, .leaked = 35, .failed = 8};
	loads[1].tally.errors[STAGE_BIND][EADDRINUSE] = 8;
	t.tape.loads = loads;
	t.tape.load_count = 2;
	t.tape.exhausted = true;
	t.tape.tally = (struct tally){.attempted = 75, .opened = 75, .closed = 40, .leaked = 35};
	trial_fail(&t, STAGE_BIND, EADDRINUSE, 8);
	s = trial_dump(&t, 38);
	s->states[STATE_ESTABLISHED] = 35;
	s->states[STATE_TIME_WAIT] = 40;
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_LEAK);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "64 after 137 connections, by this share"));
	f = trial_cause(&t, CAUSE_BIND_STARVATION);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why,
			   "has had 40, on the other 29 of 64 ports, since connections to 2 "
			   "destinations may share one, and bind() failed 8 times"));
	CU_ASSERT(lines_have(&f->attempt, "bind to another local address than connect() has"));
	CU_ASSERT(!lines_have(&f->attempt, "have servers listen"));
	CU_ASSERT(!lines_have(&f->wont_help, "another local address"));
	trial_close(&t);
}

/* Both ways: sockets that ask, each a query, and those that nobody closes. */
static void a_socket_of_udp_for_each_query_is_told_from_a_leak(void)
{
	static const struct {
		const char *load;
		uint64_t leaked;
		enum cause first;
		size_t causes;
	} rows[] = {
		{"request: {send: 40B, receive: 40B}, end: leak", 32, CAUSE_UDP_SOCKETS, 2},
		{"request: {send: 40B, receive: 40B}", 0, CAUSE_UDP_SOCKETS, 1},
		{"hold: 5s", 0, CAUSE_UDP_SOCKETS, 1},
		{"end: leak", 32, CAUSE_LEAK, 2},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[200];
		struct trial t;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031}\nload: {protocol: udp, rate: 200/s, %s}",
			 rows[i].load);
		trial_open(&t, lines);
		t.tape.exhausted = true;
		t.tape.tally = (struct tally){.attempted = 32, .opened = 32, .requests_done = 32};
		trial_fail(&t, STAGE_CONNECT, EAGAIN, 1);
		t.tape.tally.leaked = rows[i].leaked;
		t.tape.tally.open = 32 - rows[i].leaked;
		trial_dump(&t, 32)->states[STATE_ESTABLISHED] = 32;
		trial_judge(&t);
		CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, rows[i].causes);
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause, rows[i].first);
		trial_close(&t);
	}
}

/* More ports of the client than the gateway has entries for bring nothing, and the reverse. */
static void what_a_gateway_carries_bounds_what_is_enough(void)
{
	static const struct {
		const char *lines;
		const char *given;
	} rows[] = {
		{"network: {ports: 40000-40031, topology: nat, nat: {ports: 2000-2999}, sysctl: "
		 "{net.ipv4.tcp_tw_reuse: 0}}\nload: {rate: 200/s}",
		 "1,075/s (not enough: the gateway carries 8.33/s for sure)"},
		{"network: {ports: 40000-40031, topology: nat, nat: {ports: 1024-65535}, sysctl: "
		 "{net.ipv4.tcp_tw_reuse: 0}}\nload: {rate: 200/s}",
		 "1,075/s (enough)"},
		{"network: {ports: 40000-40031, topology: nat, nat: {ports: 1024-65535, limit: "
		 "100}, "
		 "sysctl: {net.ipv4.tcp_tw_reuse: 0}}\nload: {rate: 200/s, hold: 1s}",
		 "1,058/s (not enough: the gateway carries 100/s for sure)"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;

		trial_churned(&t, rows[i].lines);
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		if (!lines_have(&f->attempt, rows[i].given))
			printf("row %zu: " TEXT_FMT "\n", i, TEXT_ARG(f->attempt.list[1]));
		CU_ASSERT(lines_have(&f->attempt, rows[i].given));
		trial_close(&t);
	}
}

static const struct test tests[] = {
	TEST(a_leak_of_udp_is_no_cause_of_what_tcp_lacks),
	TEST(what_tcp_closed_is_no_cause_of_what_udp_lacks),
	TEST(where_both_run_out_either_has_its_cause),
	TEST(what_ipv6_closed_is_no_cause_of_what_ipv4_lacks),
	TEST(an_address_that_ipv6_lacks_is_not_told_by_what_ipv4_opened),
	TEST(an_address_that_udp_of_ipv6_lacks_is_no_want_of_a_port),
	TEST(families_of_which_one_binds_are_not_told_apart),
	TEST(each_protocols_ports_sustain_a_rate_of_their_own),
	TEST(of_a_leak_and_a_churn_the_leak_is_first_unless_the_churn_holds_more),
	TEST(a_share_that_leaks_has_all_ports_in_the_end),
	TEST(of_a_leak_and_a_churn_the_churn_is_told_with_its_reuse),
	TEST(a_leak_of_bound_sockets_is_counted_over_all_destinations),
	TEST(a_socket_of_udp_for_each_query_is_told_from_a_leak),
	TEST(what_a_gateway_carries_bounds_what_is_enough),
	TESTS_END,
};

const struct suite suite_cause_mixed = {"cause: mixtures", tests};
