/* Which cause a run that ran out of ports has, and in which words. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "judge/cause.h"
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
	TEST(live_connections_beside_others_are_no_cause_of_their_own),
	TEST(one_is_not_told_as_many),
	TEST(who_waits_is_told_by_what_was_seen),
	TEST(a_cap_of_requests_is_no_small_pool),
	TEST(without_failures_there_is_no_cause),
	TEST(of_an_unconfirmed_refusal_it_is_said_what_to_sample),
	TEST(what_explains_most_failures_comes_first),
	TEST(the_arithmetic_is_in_the_texts),
	TEST(of_several_loads_the_one_that_failed_is_looked_at),
	TEST(a_late_service_is_no_failure_of_the_load),
	TEST(every_known_class_has_a_name),
	TEST(every_exhaustion_has_a_cause),
	TESTS_END,
};

const struct suite suite_cause = {"cause", tests};
