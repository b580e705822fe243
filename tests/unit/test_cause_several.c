/* Several loads with a cause each: whose it is, and how much of it. Real runs are in test_tapes.c. */
#include "judge/cause.h"

#include <errno.h>
#include <stdio.h>

#include "suites.h"
#include "trial.h"

#define SMALL "network: {ports: 40000-40063, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"

/* Two loads, with books of their own, which sum up to those of the run. */
static struct tape *two_loads(struct trial *t, const struct tally *a, const struct tally *b)
{
	struct tape *loads = ARENA_ARRAY(&t->arena, struct tape, 2);
	struct tally *all = &t->tape.tally;

	loads[0] = (struct tape){.load = TEXT("a"), .refused_at_ns = -1, .tally = *a};
	loads[1] = (struct tape){.load = TEXT("b"), .refused_at_ns = -1, .tally = *b};
	t->tape.loads = loads;
	t->tape.load_count = 2;
	*all = *a;
	all->attempted += b->attempted;
	all->opened += b->opened;
	all->closed += b->closed;
	all->leaked += b->leaked;
	all->failed += b->failed;
	all->open += b->open;
	all->requests_done += b->requests_done;
	all->requests_reused += b->requests_reused;
	for (int i = 0; i < STAGES * ERRNOS; i++)
		all->errors[i / ERRNOS][i % ERRNOS] += b->errors[i / ERRNOS][i % ERRNOS];
	return loads;
}

/* Of 64 that were closed and wait: a closer name is of those that its load has closed, and what is left is
 * churn, where it is an eighth or more. */
static void a_pool_is_told_for_what_it_has_closed(void)
{
	static const struct {
		const char *pool;
		uint64_t closed, done;
		enum cause closer;
		size_t pool_at, churn_at; /* from 1; 0: it is not told */
		const char *own;
	} rows[] = {
		{"max_idle: 2", 40, 90, CAUSE_POOL_IDLE_CAP, 1, 2,
		 "Of 64 connections that were closed 40 are of a."},
		{"max_idle: 2", 20, 90, CAUSE_POOL_IDLE_CAP, 2, 1,
		 "Of 64 connections that were closed 20 are of a."},
		{"max_idle: 2", 57, 90, CAUSE_POOL_IDLE_CAP, 1, 0, "57 are of a."},
		{"max_idle: 2", 7, 90, CAUSE_POOL_IDLE_CAP, 0, 1, NULL},
		{"max_idle: 2", 64, 90, CAUSE_POOL_IDLE_CAP, 1, 0, NULL},
		{"max_idle: 10}, request: {per_connection: 2", 40, 80, CAUSE_PROXY_NO_KEEPALIVE, 1,
		 2,
		 "So 64 ports last for 128 requests. Of 64 connections that were closed 40 are of "
		 "a."},
		{"max_idle: 10, idle_timeout: 5ms}, request: {pause: 50ms", 40, 80,
		 CAUSE_POOL_IDLE_TIMEOUT, 1, 2, "40 are of a."},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f, *churn;
		struct tally a = {0}, b = {0};
		char lines[300];
		struct trial t;

		snprintf(lines, sizeof(lines),
			 SMALL "loads: {a: {concurrency: 10, pool: {%s}}, b: {rate: 100/s}}",
			 rows[i].pool);
		trial_open(&t, lines);
		a.opened = a.attempted = a.closed = rows[i].closed;
		a.requests_done = rows[i].done;
		b.opened = b.attempted = b.closed = 64 - rows[i].closed;
		two_loads(&t, &a, &b);
		t.tape.exhausted = true;
		trial_fail(&t, STAGE_CONNECT, EADDRNOTAVAIL, 9);
		trial_dump(&t, 64)->states[STATE_TIME_WAIT] = 64;
		trial_judge(&t);
		f = trial_cause(&t, rows[i].closer);
		churn = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
		if (f && rows[i].own && !text_has(f->why, rows[i].own))
			printf("row %zu: " TEXT_FMT "\n", i, TEXT_ARG(f->why));
		CU_ASSERT_EQUAL(f ? (size_t)(f - t.verdict.causes) + 1 : 0, rows[i].pool_at);
		CU_ASSERT_EQUAL(churn ? (size_t)(churn - t.verdict.causes) + 1 : 0,
				rows[i].churn_at);
		CU_ASSERT(!f || text_has(f->why, rows[i].own ? rows[i].own : "64 connections"));
		CU_ASSERT(rows[i].own || !f || !text_has(f->why, "are of a"));
		trial_close(&t);
	}
}

/* connect() says of an address what it says of ports: beside a want of those it is of the load that IPv6 was
 * taken from. */
static void a_load_without_an_address_wants_no_port(void)
{
	static const struct {
		const char *first;
		enum cause too;
		uint64_t opened; /* by the load of IPv6 */
		bool told;
	} rows[] = {
		{"{bind: address, rate: 90/s}", CAUSE_BIND_FIRST, 0, true},
		{"{rate: 90/s}", CAUSE_TIME_WAIT_CHURN, 0, true},
		{"{rate: 90/s}", CAUSE_TIME_WAIT_CHURN, 1, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tally a = {.attempted = 74, .opened = 64, .closed = 64, .failed = 10},
			     b = {.attempted = 20, .failed = 20, .opened = rows[i].opened};
		bool binds = rows[i].too == CAUSE_BIND_FIRST;
		const struct finding *f;
		char lines[300];
		struct trial t;

		snprintf(
			lines, sizeof(lines),
			"network: {ports: 40000-40063, servers: 2, sysctl: {net.ipv4.tcp_tw_reuse: "
			"0, net.ipv6.conf.all.disable_ipv6: 1}}\n"
			"loads: {a: %s, b: {family: ipv6, rate: 20/s}}",
			rows[i].first);
		trial_open(&t, lines);
		a.errors[STAGE_BIND][EADDRINUSE] = binds ? 8 : 0;
		a.errors[STAGE_CONNECT][EADDRNOTAVAIL] = 10 - a.errors[STAGE_BIND][EADDRINUSE];
		b.errors[STAGE_CONNECT][EADDRNOTAVAIL] = 20;
		two_loads(&t, &a, &b)[0].exhausted = true;
		t.tape.exhausted = true;
		trial_dump(&t, 64)->states[STATE_TIME_WAIT] = 64;
		tape_event(&t.tape, (struct event){.kind = EVENT_NO_ADDRESS});
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_IPV6_DISABLED);
		CU_ASSERT_EQUAL(f != NULL, rows[i].told);
		CU_ASSERT(!f || text_has(f->why, "connect() failed 20 times with EADDRNOTAVAIL"));
		CU_ASSERT(!f || !text_has(f->why, " a failed")); /* for want of a port */
		CU_ASSERT_PTR_NOT_NULL(trial_cause(&t, rows[i].too));
		CU_ASSERT_PTR_NULL(trial_cause(&t, CAUSE_BIND_STARVATION));
		trial_close(&t);
	}
}

/* Of the loads each says what it did by its own books. */
static void whose_the_ports_are_is_told_of_several_loads(void)
{
	static const struct {
		const char *loads, *says; /* a and b */
		uint64_t closed_a, closed_b, open_a, open_b, leaked_a, leaked_b, waits_a, waits_b;
		enum cause cause;
		int state; /* of all 64 */
	} rows[] = {
		{"a: {rate: 90/s}, b: {rate: 20/s}",
		 "these loads ask for 110/s. a closed 50, b 14.", 50, 14, 0, 0, 0, 0, 0, 0,
		 CAUSE_TIME_WAIT_CHURN, STATE_TIME_WAIT},
		{"a: {rate: 90/s}, b: {rate: 20/s, end: reset}", ". a closed 64.", 64, 0, 0, 0, 0,
		 0, 0, 0, CAUSE_TIME_WAIT_CHURN, STATE_TIME_WAIT},
		{"a: {rate: 90/s}, b: {bind: port 41000}", ". a closed 64.", 64, 1, 0, 0, 0, 0, 0,
		 0, CAUSE_TIME_WAIT_CHURN, STATE_TIME_WAIT},
		{"a: {rate: 90/s}, b: {rate: 20/s}", ". a closed 50, b 14.", 50, 14, 0, 0, 0, 0, 0,
		 0, CAUSE_FIN_WAIT_ORPHANS, STATE_FIN_WAIT2},
		{"a: {hold: 9s}, b: {hold: 9s}", ". a had up to 40 open at once, b 24.", 0, 0, 40,
		 24, 0, 0, 0, 0, CAUSE_LIVE_SATURATION, STATE_ESTABLISHED},
		{"a: {hold: 9s}, b: {hold: 9s, bind: port 41000}", ". a had up to 64 open at once.",
		 0, 0, 64, 1, 0, 0, 0, 0, CAUSE_LIVE_SATURATION, STATE_ESTABLISHED},
		{"a: {end: leak}, b: {end: leak}", ". a never closed 44, b 20.", 0, 0, 0, 0, 44, 20,
		 0, 0, CAUSE_LEAK, STATE_ESTABLISHED},
		{"a: {end: leak}, b: {hold: 9s}", ". b had up to 44 open at once.", 0, 0, 0, 44, 20,
		 0, 0, 0, CAUSE_LIVE_SATURATION, STATE_ESTABLISHED},
		{"a: {rate: 90/s}, b: {rate: 20/s}", ". a had no answer 60 times, b 4.", 0, 0, 0, 0,
		 0, 0, 60, 4, CAUSE_BLACKHOLE, STATE_SYN_SENT},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tally a = {.closed = rows[i].closed_a,
				  .open = rows[i].open_a,
				  .leaked = rows[i].leaked_a,
				  .in_flight = rows[i].waits_a},
			     b = {.closed = rows[i].closed_b,
				  .open = rows[i].open_b,
				  .leaked = rows[i].leaked_b,
				  .in_flight = rows[i].waits_b};
		const struct finding *f;
		struct tape *loads;
		char lines[300];
		struct trial t;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40063, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
			 "loads: {%s}",
			 rows[i].loads);
		trial_open(&t, lines);
		a.opened = a.closed + a.open + a.leaked;
		b.opened = b.closed + b.open + b.leaked;
		loads = two_loads(&t, &a, &b);
		loads[0].open_peak = a.open + a.leaked;
		loads[1].open_peak = b.open + b.leaked;
		t.tape.exhausted = true;
		trial_fail(&t, STAGE_CONNECT, EADDRNOTAVAIL, 9);
		trial_dump(&t, 64)->states[rows[i].state] = 64;
		trial_judge(&t);
		f = trial_cause(&t, rows[i].cause);
		CU_ASSERT_FATAL(f != NULL);
		CU_ASSERT(row_says(i, f->why, rows[i].says));
		trial_close(&t);
	}
}

/* Who tries again at once, beside one that closes: whoever closed more of what waits comes first, and a storm
 * that has closed none of it is told all the same, for it makes the failures. */
static void a_storm_is_told_beside_what_others_close(void)
{
	static const struct {
		uint64_t closed, tries, done; /* of b, of 64 */
		size_t storm_at, churn_at;    /* from 1; 0: not told */
		const char *own;
	} rows[] = {
		{64, 100, 0, 1, 0, "100 of 101 failures of b were tries again"},
		{57, 100, 0, 1, 0, "Of 64 connections that were closed 57 are of b."},
		{56, 100, 0, 1, 2, "Of 64 connections that were closed 56 are of b."},
		{33, 100, 0, 1, 2, "closed 33 are of b."},
		{31, 100, 0, 2, 1, "closed 31 are of b."},
		{0, 100, 0, 2, 1, "closed 0 are of b."},
		{33, 63, 0, 0, 1, NULL},   /* fewer than there are ports */
		{33, 100, 33, 0, 1, NULL}, /* they do what they are for */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tally a = {.failed = 10}, b = {.failed = rows[i].tries + 1};
		const struct finding *storm, *churn;
		struct trial t;

		trial_open(&t, "network: {ports: 40000-40063, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
			       "loads: {a: {rate: 90/s}, b: {concurrency: 1, request: {send: 8B}, "
			       "on_failure: {retry: 100, wait: 2ms}}}");
		a.opened = a.closed = 64 - rows[i].closed;
		b.opened = b.closed = rows[i].closed;
		b.retries = rows[i].tries;
		b.requests_done = rows[i].done;
		two_loads(&t, &a, &b);
		t.tape.exhausted = true;
		trial_fail(&t, STAGE_CONNECT, EADDRNOTAVAIL, a.failed + b.failed);
		trial_dump(&t, 64)->states[STATE_TIME_WAIT] = 64;
		trial_judge(&t);
		storm = trial_cause(&t, CAUSE_RETRY_STORM);
		churn = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
		CU_ASSERT_EQUAL(storm ? (size_t)(storm - t.verdict.causes) + 1 : 0,
				rows[i].storm_at);
		CU_ASSERT_EQUAL(churn ? (size_t)(churn - t.verdict.causes) + 1 : 0,
				rows[i].churn_at);
		CU_ASSERT(!storm || !rows[i].own || row_says(i, storm->why, rows[i].own));
		trial_close(&t);
	}
}

/* Who binds first is named, and who lets connect() choose is not. */
static void who_binds_first_of_several_loads_is_named(void)
{
	struct tally a = {.opened = 40, .open = 40}, b = {.opened = 24, .open = 24},
		     c = {.opened = 9, .closed = 9};
	const struct finding *f;
	struct tape *loads;
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40063, servers: 2}\n"
		       "loads: {a: {bind: address}, b: {bind: any}, c: {rate: 9/s}}");
	loads = ARENA_ARRAY(&t.arena, struct tape, 3);
	loads[0] = (struct tape){.load = TEXT("a"), .exhausted = true, .tally = a};
	loads[1] = (struct tape){.load = TEXT("b"), .tally = b};
	loads[2] = (struct tape){.load = TEXT("c"), .tally = c};
	loads[0].tally.errors[STAGE_BIND][EADDRINUSE] = loads[0].tally.failed = 5;
	t.tape.loads = loads;
	t.tape.load_count = 3;
	t.tape.exhausted = true;
	t.tape.tally.opened = 73;
	trial_fail(&t, STAGE_BIND, EADDRINUSE, 5);
	trial_dump(&t, 64)->states[STATE_ESTABLISHED] = 64;
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_BIND_FIRST);
	CU_ASSERT_FATAL(f != NULL);
	CU_ASSERT(row_says(0, text_format(&t.arena, TEXT_FMT "\n", TEXT_ARG(f->why)),
			   " a opened 40 with bind(), b 24.\n"));
	trial_close(&t);
}

/* The first four of those that did it by name. */
static void of_many_loads_four_are_named(void)
{
	const struct finding *f;
	struct tape *loads;
	struct trial t;

	trial_open(&t, SMALL "loads: {a: {rate: 9/s}, b: {rate: 9/s}, c: {rate: 9/s}, d: {rate: "
			     "9/s}, e: {rate: 9/s}, f: {rate: 9/s}}");
	loads = ARENA_ARRAY(&t.arena, struct tape, 6);
	for (unsigned i = 0; i < 6; i++)
		loads[i] = (struct tape){.load = scenario_load_name(t.plan.scenario, i),
					 .tally = {.opened = i + 1, .failed = 3}};
	for (unsigned i = 0; i < 6; i++) {
		loads[i].tally.errors[STAGE_SOCKET][EMFILE] = i == 1 ? 0 : 3;
		loads[i].tally.closed = i == 1 ? 0 : i + 1;
	}
	t.tape.loads = loads;
	t.tape.load_count = 6;
	trial_exhaust(&t, 32);
	t.tape.tally.closed = 32;
	trial_fail(&t, STAGE_SOCKET, EMFILE, 15);
	trial_dump(&t, 32)->states[STATE_TIME_WAIT] = 32;
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
	CU_ASSERT_FATAL(f != NULL);
	CU_ASSERT(row_says(0, f->why, ". a closed 1, c 3, d 4, e 5, others 6."));
	f = trial_cause(&t, CAUSE_FD_LIMIT);
	CU_ASSERT_FATAL(f != NULL);
	CU_ASSERT(row_says(1, f->why, ". a failed 3 times, c 3, d 3, e 3, others 3."));
	trial_close(&t);
}

/* "up to 28 here" was what all had open; it is the one that has the limit who may have fewer. */
static void a_limit_of_descriptors_is_of_one_load(void)
{
	const struct tally a = {.attempted = 20, .opened = 20, .open = 20};
	struct tally b = {.attempted = 30, .opened = 17, .open = 17, .failed = 13};
	const struct finding *f;
	struct trial t;

	trial_open(&t, SMALL "loads: {a: {hold: 9s}, b: {hold: 9s, nofile: 20}}");
	b.errors[STAGE_SOCKET][EMFILE] = 13;
	two_loads(&t, &a, &b)[1].open_peak = 17;
	trial_dump(&t, 37)->states[STATE_ESTABLISHED] = 37;
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_FD_LIMIT);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(lines_have(&f->attempt, "have fewer open at once, up to 17 here"));
	CU_ASSERT(text_has(f->why, "no more descriptors (20 by load.nofile): up to 17 connections "
				   "were open at once, each with one. b failed 13 times."));
	trial_close(&t);
}

/* A pool that is to show a leak has fewer than what ends first: the gateway's ports, or its limit. */
static void a_leak_behind_a_gateway_comes_to_its_limit(void)
{
	static const struct {
		const char *nat, *limit;
		struct tracked gateway;
		uint64_t close_wait;
		enum cause told;
	} rows[] = {
		{"ports: 2000-2023", "a limit below 24", {24, 26, 26, 0, 0}, 0, CAUSE_LEAK},
		{"ports: 2000-2023", "a limit below 24", {24, 26, 26, 0, 0}, 12, CAUSE_LEAK},
		{"ports: 2000-2023",
		 "a limit below 24",
		 {24, 26, 26, 0, 0},
		 13,
		 CAUSE_CLOSE_WAIT_LEAK},
		{"ports: 2000-2023, limit: 20",
		 "a limit below 20",
		 {20, 0, 0, 0, 0},
		 0,
		 CAUSE_LEAK},
		{"ports: 2000-2099", "a limit below 64", {24, 26, 26, 0, 0}, 0, CAUSE_LEAK},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		char lines[300];
		struct trial t;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40063, topology: nat, nat: {%s}}\n"
			 "load: {rate: 60/s, total: 50, end: leak}",
			 rows[i].nat);
		trial_open(&t, lines);
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.leaked = 24;
		trial_fail(&t, STAGE_CONNECT, ETIMEDOUT, 26);
		trial_dump(&t, 0)->parts |= SAMPLE_GATEWAY;
		trial_dump(&t, 50)->parts |= SAMPLE_GATEWAY;
		t.tape.samples[1].states[STATE_CLOSE_WAIT] = rows[i].close_wait;
		t.tape.samples[1].states[STATE_ESTABLISHED] = 24 - rows[i].close_wait;
		t.tape.samples[1].gateway = rows[i].gateway;
		trial_judge(&t);
		f = trial_cause(&t, rows[i].told);
		if (!f)
			printf("row %zu: %zu causes\n", i, t.verdict.cause_count);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(lines_have(&f->attempt, rows[i].limit));
		CU_ASSERT(rows[i].told == CAUSE_LEAK ||
			  text_has(f->why, "The far end has closed 13 connections, and the client "
					   "has not: CLOSE_WAIT has no timer. Of 24 connections"));
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_LEAK) != NULL, rows[i].told == CAUSE_LEAK);
		trial_close(&t);
	}
}

/* "16 were in use … 48 are in TIME_WAIT: the ports are held by live connections". */
static void who_has_more_of_the_ports_is_said_to(void)
{
	static const struct {
		uint64_t live;
		const char *why;
	} rows[] = {
		{16, "48 are in TIME_WAIT besides."},
		{33, "31 are in TIME_WAIT: most ports are held by live connections."},
		{63, "1 is in TIME_WAIT: most ports are held by live connections."},
		{64, "None is in TIME_WAIT: the ports are held by live connections."},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct sample *dump;
		struct trial t;

		trial_open(&t, SMALL "load: {rate: 40/s, hold: 3s}");
		trial_exhaust(&t, 64);
		t.tape.tally.open = rows[i].live;
		t.tape.tally.closed = 64 - rows[i].live;
		dump = trial_dump(&t, 64);
		dump->states[STATE_ESTABLISHED] = rows[i].live;
		dump->states[STATE_TIME_WAIT] = 64 - rows[i].live;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_LIVE_SATURATION);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(text_has(f->why, rows[i].why));
		trial_close(&t);
	}
}

/* What failed of requests is asked of no part by itself: it is for want of any other cause. */
static void requests_of_one_protocol_are_no_cause_beside_another(void)
{
	struct tally a = {.attempted = 30, .failed = 30},
		     b = {.attempted = 30, .opened = 30, .closed = 30, .requests_failed = 30};

	for (int refused = 0; refused < 2; refused++) {
		struct trial t;

		trial_open(&t, SMALL "loads: {a: {}, b: {protocol: udp, request: {send: 8B, "
				     "receive: 8B}}}");
		a.errors[STAGE_CONNECT][ECONNREFUSED] = refused ? 30 : 0;
		b.errors[STAGE_RECEIVE][ETIMEDOUT] = 30;
		two_loads(&t, &a, &b);
		trial_judge(&t);
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_REFUSED) != NULL, refused == 1);
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_REQUEST_FAILED) != NULL, refused == 0);
		trial_close(&t);
	}
}

static const struct test tests[] = {
	TEST(a_pool_is_told_for_what_it_has_closed),
	TEST(a_load_without_an_address_wants_no_port),
	TEST(a_storm_is_told_beside_what_others_close),
	TEST(whose_the_ports_are_is_told_of_several_loads),
	TEST(who_binds_first_of_several_loads_is_named),
	TEST(of_many_loads_four_are_named),
	TEST(a_limit_of_descriptors_is_of_one_load),
	TEST(a_leak_behind_a_gateway_comes_to_its_limit),
	TEST(who_has_more_of_the_ports_is_said_to),
	TEST(requests_of_one_protocol_are_no_cause_beside_another),
	TESTS_END,
};

const struct suite suite_cause_several = {"cause: several loads", tests};
