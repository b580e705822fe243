/* Which cause a run that ran out of ports has, and in which words. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "judge/cause.h"
#include "suites.h"
#include "trial.h"

#define SMALL "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"

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

		trial_open(&t, SMALL "server: {delay: 2s}\nload: {concurrency: 10, pool: "
				     "{max_idle: 2}, request: {send: 128B, receive: 8B, "
				     "per_connection: 100}}");
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
		/* 62 s each: 2 s open, and TIME_WAIT */
		CU_ASSERT(lines_have(&f->attempt, "64,512 ports, 2,016 times as many, 1,041/s"));
		trial_close(&t);
	}
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

/* Nobody knows why, and yet it is known what it is not: few errnos are of ports. */
static void an_errno_that_is_not_of_ports_is_told_so(void)
{
	static const struct {
		int error;
		const char *says;
	} rows[] = {
		{ENETUNREACH, "This is not port exhaustion: connect() failed 3 times with "
			      "ENETUNREACH (Network is unreachable), with at most 1 of 32 ports in "
			      "use to one destination. Nothing that was recorded tells why."},
		{EADDRINUSE, "connect() failed 3 times with EADDRINUSE (Address already in use), "
			     "and nothing that was recorded tells why."},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;

		trial_open(&t, "network: {ports: 40000-40031}\nload: {rate: 40/s}");
		trial_fail(&t, STAGE_CONNECT, rows[i].error, 3);
		trial_dump(&t, 1);
		trial_judge(&t);
		CU_ASSERT_FATAL(t.verdict.cause_count == 1);
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause, CAUSE_NO_DATA);
		CU_ASSERT(row_says(i, t.verdict.causes[0].why, rows[i].says));
		trial_close(&t);
	}
}

static void what_explains_most_failures_comes_first(void)
{
	struct trial t;

	trial_churned(&t, SMALL);
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

/* What a service was refused is none of the load's failures; who has its port is said by the call that
 * gave it. */
static void a_late_service_is_no_failure_of_the_load(void)
{
	static const struct {
		const char *load, *why;
	} rows[] = {
		{"load: {end: leak, total: 32}", "for connect() may take any of 40000-40031"},
		{"load: {bind: address, end: leak, total: 32}",
		 "for bind() may take any of 40000-40031"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[256];
		struct trial t;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031}\nsquat: {listen: [40010], start: 1s}\n%s",
			 rows[i].load);
		trial_open(&t, lines);
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.leaked = 32;
		t.tape.squat_refused = t.tape.squat_errors[STAGE_BIND][EADDRINUSE] = 1;
		tape_event(&t.tape, (struct event){.value = 40010,
						   .dest = NOWHERE,
						   .kind = EVENT_SQUAT_REFUSED,
						   .stage = STAGE_BIND,
						   .error = EADDRINUSE});
		trial_judge(&t);
		CU_ASSERT_EQUAL(t.measures.error_count, 0);
		CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 1);
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause, CAUSE_LISTENER_IN_RANGE);
		CU_ASSERT(text_has(t.verdict.causes[0].why, rows[i].why));
		trial_close(&t);
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

static const struct test tests[] = {
	TEST(holders_of_the_ports_are_the_cause),
	TEST(a_cap_of_requests_is_no_small_pool),
	TEST(without_failures_there_is_no_cause),
	TEST(of_an_unconfirmed_refusal_it_is_said_what_to_sample),
	TEST(what_explains_most_failures_comes_first),
	TEST(of_several_loads_the_one_that_failed_is_looked_at),
	TEST(a_late_service_is_no_failure_of_the_load),
	TEST(every_known_class_has_a_name),
	TEST(every_exhaustion_has_a_cause),
	TEST(an_errno_that_is_not_of_ports_is_told_so),
	TESTS_END,
};

const struct suite suite_cause = {"cause", tests};
