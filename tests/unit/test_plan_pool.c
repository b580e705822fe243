#include "plan/pool.h"

#include <math.h>
#include <stdio.h>

#include "plan/predict.h"
#include "plan_help.h"
#include "report/plan.h"
#include "suites.h"
#include "trial.h"

/* Ten clients in step, forty ports: the knee is where the pool keeps as many as there are clients
 * (idle cap 0 to 10 against concurrency 10). */
static void the_hidden_churn_ends_where_the_pool_keeps_all(void)
{
	for (uint64_t idle = 1; idle <= 11; idle++) {
		struct arena a = help_arena();
		const struct host host = help_host();
		char lines[200];
		struct plan p;
		struct err err = {0};
		struct foretold said[PREDICTIONS];
		double each = idle < 10 ? 10 - (double)idle : 0;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40999}\nload: {concurrency: 10, total: 100, hold: "
			 "50ms, request: {send: 8B, pause: 50ms}, pool: {max_idle: %u}}",
			 (unsigned)idle);
		CU_ASSERT_FATAL(plan_make(&p, help_scenario(lines, &a), &host, 1, &a, &err));
		predict(said, &p, 0);
		CU_ASSERT(p.forecast.known && !p.forecast.exhausts);
		CU_ASSERT(said[PREDICTION_POOL].told);
		CU_ASSERT_DOUBLE_EQUAL(said[PREDICTION_POOL].value.least, 10 + 9 * each, 1e-6);
		CU_ASSERT_DOUBLE_EQUAL(said[PREDICTION_POOL].value.most, 10 + 9 * each, 1e-6);
		CU_ASSERT(each > 0 ? fabs(p.forecast.pool_rate -
					  (980 - each) / 62.1 / (each / 10)) < 1e-6
				   : isinf(p.forecast.pool_rate));
		arena_close(&a);
	}
}

/* In step a pool of 5 for 10 clients opens 755 connections for 1,500 requests. Who
 * opens one is later each time, so that after some rounds the others leave theirs to
 * it: of rounds of 20 ms 700 and 620 were seen, of rounds of 60 ms 745. */
static void rounds_drift_apart(void)
{
	static const struct {
		const char *each;
		double least, likely;
	} rows[] = {{"5ms", 1, 673}, {"10ms", 1, 755}, {"50ms", 100, 755}, {"5s", 255, 755}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		const char *lines =
			text_format(&a,
				    "load: {concurrency: 10, total: 1500, hold: %s, pool: "
				    "{max_idle: 5}, request: {send: 8B, pause: %s}}\n"
				    "stop: {time: 1h}",
				    rows[i].each, rows[i].each)
				.s;
		struct plan p = help_plan(lines, NULL, 1, &a);
		struct foretold said[PREDICTIONS];
		const struct foretold *f = &said[PREDICTION_POOL];

		predict(said, &p, 0);
		CU_ASSERT(f->told);
		CU_ASSERT_EQUAL(f->value.least, rows[i].least);
		CU_ASSERT_EQUAL(f->value.likely, rows[i].likely);
		CU_ASSERT(f->value.most >= 755 && f->value.most <= 760);
		arena_close(&a);
	}
}

/* lines, opened at least and at most for all of its requests; -1: not told. */
static void what_a_pool_opens_lies_between_two_bounds(void)
{
	static const struct {
		const char *lines;
		double least, most;
	} rows[] = {
		/* the first ten, and six of ten of the others; or none of those */
		{"load: {concurrency: 10, total: 100, hold: 50ms, pool: {max_idle: 4}, request: "
		 "{send: 8B}}",
		 10, 10 + 54 + 6},
		/* 5 at once, and what a stall makes of 100/s */
		{"load: {rate: 100/s, total: 1000, hold: 50ms, pool: {max_idle: 64}}", 1, 5 + 26},
		/* a hundred requests each: ten, and one more for each hundred */
		{"load: {concurrency: 10, total: 1000, hold: 50ms, request: {send: 8B, "
		 "per_connection: 100}}",
		 10, 10 + 10},
		/* past half full a connect may take long: a slow machine comes to fewer */
		{"network: {ports: 20000-59999}\nload: {concurrency: 3000, total: 39000, hold: 2s, "
		 "pool: {max_idle: 500}, request: {send: 8B, pause: 1s}}\nstop: {time: 20s}",
		 2941, 20500},
		/* in step, of whose last round the first four find one */
		{"server: {delay: 300ms}\nload: {concurrency: 10, total: 15, timeout: 2s, pool: "
		 "{max_idle: 4}, request: {send: 8B, receive: 8B, pause: 400ms}}",
		 11, 11},
		{"server: {delay: 300ms}\nload: {concurrency: 10, total: 33, timeout: 2s, pool: "
		 "{max_idle: 4}, request: {send: 8B, receive: 8B, pause: 400ms}}",
		 22, 22},
		/* none is opened without a descriptor: 21 of 30 */
		{"load: {concurrency: 30, total: 120, hold: 200ms, nofile: 24, pool: {max_idle: "
		 "30}, request: {send: 8B}}",
		 21, 21},
		/* no answer is waited for, and no FIN: each request is over at once */
		{"server: {delay: 300ms}\nload: {rate: 50/s, total: 100, request: {send: 8B}, "
		 "pool: {max_idle: 64}}",
		 1, 14},
		{"server: {behaviour: hold}\nload: {rate: 50/s, total: 100, end: shutdown, "
		 "timeout: "
		 "1s, pool: {max_idle: 64}}",
		 1, 14},
		/* clients that come to ask by turns find each other's connections */
		{"load: {concurrency: 10, total: 100, pool: {max_idle: 10, idle_timeout: 150ms}, "
		 "request: {send: 8B, pause: 1s}}",
		 1, 100},
		{"load: {concurrency: 1, total: 20, pool: {max_idle: 10, idle_timeout: 150ms}, "
		 "request: {send: 8B, pause: 1s}}",
		 18, 20},
		{"load: {concurrency: 10, total: 100, hold: 50ms, pool: {max_idle: 4}, request: "
		 "{send: 8B}}\n"
		 "server: {die: 5s}",
		 -1, -1},
		{"load: {concurrency: 10, total: 100, hold: 50ms, request: {send: 8B}}", -1, -1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		const struct host host = help_host();
		struct plan p;
		struct err err = {0};
		struct foretold said[PREDICTIONS];
		const struct foretold *f = &said[PREDICTION_POOL];

		CU_ASSERT_FATAL(
			plan_make(&p, help_scenario(rows[i].lines, &a), &host, 1, &a, &err));
		predict(said, &p, 0);
		CU_ASSERT_EQUAL(f->told, rows[i].most >= 0);
		if (f->told && (f->value.least != rows[i].least || f->value.most != rows[i].most))
			printf("row %zu: %g to %g\n", i, f->value.least, f->value.most);
		CU_ASSERT(!f->told ||
			  (f->value.least == rows[i].least && f->value.most == rows[i].most));
		arena_close(&a);
	}
}

/* What it closes keeps its port: likely, if half of those that may end together do. Of 64 ports. */
static void a_pool_that_keeps_too_few_likely_has_no_port_left(void)
{
	static const struct {
		const char *lines;
		double opened;	 /* likely, of all requests; -1: it is not told */
		double likely_s; /* when the last port is in use; 0: never */
	} rows[] = {
		/* 15 at once, and 12 of 15 of each, halved: 65 with the 125th */
		{"server: {delay: 100ms, jitter: 50%}\nload: {rate: 100/s, duration: 8s, request: "
		 "{send: 8B, receive: 8B}, pool: {max_idle: 3}}",
		 64, 1.24},
		/* 20, and one of eight of each: 65 in the 18th round of 20 */
		{"server: {delay: 50ms}\nload: {concurrency: 20, total: 400, request: {send: 8B, "
		 "receive: 8B}, pool: {max_idle: 15}}",
		 64, 0.85},
		/* its 200 are not enough for that */
		{"server: {delay: 50ms}\nload: {concurrency: 20, total: 200, request: {send: 8B, "
		 "receive: 8B}, pool: {max_idle: 15}}",
		 20 + 23, 0},
		/* as many as there are at once, and the dead answer nobody */
		{"server: {delay: 50ms}\nload: {concurrency: 20, total: 400, request: {send: 8B, "
		 "receive: 8B}, pool: {max_idle: 20}}",
		 20, 0},
		{"server: {delay: 50ms, die: 700ms}\nload: {rate: 20/s, duration: 3s, request: "
		 "{send: 8B, receive: 8B, per_connection: 3}}",
		 -1, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		const char *lines =
			text_format(&a, "network: {ports: 40000-40063}\n%s\n", rows[i].lines).s;
		struct plan p = help_plan(lines, NULL, 1, &a);
		struct foretold said[PREDICTIONS];
		double at = (double)p.forecast.likely_run_ns / 1e9;

		predict(said, &p, 0);
		if (said[PREDICTION_POOL].told
			    ? said[PREDICTION_POOL].value.likely != rows[i].opened
			    : rows[i].opened >= 0)
			printf("row %zu: %g\n", i, said[PREDICTION_POOL].value.likely);
		CU_ASSERT_EQUAL(said[PREDICTION_POOL].told, rows[i].opened >= 0);
		CU_ASSERT(!said[PREDICTION_POOL].told ||
			  said[PREDICTION_POOL].value.likely == rows[i].opened);
		if (rows[i].likely_s > 0)
			CU_ASSERT_DOUBLE_EQUAL(at, rows[i].likely_s, 0.02);
		CU_ASSERT(rows[i].likely_s > 0 || p.forecast.likely_run_ns == FOR_EVER ||
			  p.forecast.likely_run_ns == 0);
		arena_close(&a);
	}
}

#define IGNORED \
	"network: {ports: 40000-40031}\nserver: {behaviour: ignore}\nload: {rate: 20/s, " \
	"duration: " \
	"3s, timeout: 500ms, request: {send: 10B, receive: 10B}, pool: {max_idle: 4}"

/* Each request's time is over before its answer comes: none is kept, and of 32 ports
 * the 33rd finds none; unless the first to fail ends the load. */
static void a_pool_of_a_far_end_that_never_answers_is_none(void)
{
	struct arena a = help_arena();
	struct plan p = help_plan(IGNORED ", on_failure: continue}", NULL, 1, &a);

	CU_ASSERT(p.forecast.exhausts && p.forecast.counted);
	CU_ASSERT_EQUAL(p.forecast.after, 32);
	CU_ASSERT_DOUBLE_EQUAL(p.forecast.at.likely, 1.6e9, 1e6);
	p = help_plan(IGNORED "}", NULL, 1, &a);
	CU_ASSERT_FALSE(p.forecast.exhausts);
	arena_close(&a);
}

/* Eight pools of a hundred clients: a machine that takes 1.6 ms for each has the first
 * answers, after 45 ms, before a third of them have asked. */
static void a_slow_machine_has_all_pools_at_once(void)
{
	static const char lines[] =
		"network: {ports: 40000-40789}\nserver: {delay: 45ms}\nload: {concurrency: 100, "
		"request: {send: 8B, receive: 8B}, pool: {max_idle: 100}, timeout: 5s}\nstop: "
		"{time: 10s}\n";
	static const char many[] =
		"loads: {a: {}, b: {}, c: {}, d: {}, e: {}, f: {}, g: {}, h: {}}";
	struct arena a = help_arena();
	struct plan one = help_plan(lines, NULL, 1, &a);
	struct plan all = help_plan(text_format(&a, "%s%s", lines, many).s, NULL, 1, &a);

	CU_ASSERT(one.forecast.known && !one.forecast.exhausts);
	CU_ASSERT(!all.forecast.known && all.forecast.likely_run_ns < FOR_EVER);
	arena_close(&a);
}

/* lines, whether it is told that ports run out, and whether they do; after how many,
 * and when. Of 64 ports. */
static void what_a_pool_throws_away_is_counted(void)
{
	static const struct {
		const char *load;
		bool known, exhausts;
		double at_s, sustained;
	} rows[] = {
		/* 20 ms idle, and 50 ms from one request to the next: each opens one */
		{"rate: 20/s, duration: 8s, pool: {max_idle: 5, idle_timeout: 20ms}", true, true,
		 3.2, 55 / 62.07}, /* less two, one of a cut round, and six of a stall */
		{"rate: 20/s, duration: 2s, pool: {max_idle: 5, idle_timeout: 20ms}", true, false,
		 0, 55 / 62.07},
		/* a second idle: one, and a stall's six each ten seconds */
		{"rate: 20/s, duration: 20s, pool: {max_idle: 5, idle_timeout: 1s}", true, false, 0,
		 INFINITY},
		/* within what a machine is late by it is not told */
		{"rate: 20/s, duration: 8s, pool: {max_idle: 5, idle_timeout: 50ms}", false, false,
		 0, 55 / 62.1},
		/* ten requests each: connection 65 is opened for the 640th */
		{"rate: 100/s, duration: 8s, request: {send: 8B, per_connection: 10}, pool: "
		 "{max_idle: 5}",
		 true, true, 6.39, (64 - 2 - 26) / 62.05 * 10},
		{"rate: 10/s, duration: 8s, request: {send: 8B, per_connection: 10}, pool: "
		 "{max_idle: "
		 "5}",
		 true, false, 0, (64 - 2 - 3) / 62.05 * 10},
		/* 20 clients that ask together each 0.2 s, after 50 ms idle */
		{"concurrency: 20, hold: 100ms, duration: 3s, request: {send: 8B, pause: 200ms}, "
		 "pool: "
		 "{max_idle: 20, idle_timeout: 50ms}",
		 true, true, 0.9, (64 - 3 * 20) / 62.2},
		{"concurrency: 20, hold: 100ms, duration: 3s, request: {send: 8B, pause: 200ms}, "
		 "pool: "
		 "{max_idle: 20, idle_timeout: 300ms}",
		 true, false, 0, INFINITY},
		/* sockets of UDP, which leave no port to wait, and are kept */
		{"protocol: udp, concurrency: 32, total: 640, pool: {max_idle: 32}, "
		 "request: {send: 8B, receive: 8B}",
		 true, false, 0, INFINITY},
		/* more at once than there are ports */
		{"concurrency: 100, hold: 100ms, total: 300, pool: {max_idle: 100}", true, true,
		 0.0026, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(
			text_format(&a, "network: {ports: 40000-40063}\nload: {%s}", rows[i].load)
				.s,
			NULL, 1, &a);
		const struct forecast *f = &p.forecast;
		double at_s = f->exhausts ? f->at.likely / 1e9 : 0;

		if (f->known != rows[i].known || f->exhausts != rows[i].exhausts ||
		    fabs(at_s - rows[i].at_s) > 0.02 ||
		    (isfinite(rows[i].sustained) && fabs(f->pool_rate - rows[i].sustained) > 1e-6))
			printf("\n%s: %d %d, at %g s, %g/s\n", rows[i].load, f->known, f->exhausts,
			       at_s, f->pool_rate);
		CU_ASSERT_EQUAL(f->known, rows[i].known);
		CU_ASSERT_EQUAL(f->exhausts, rows[i].exhausts);
		CU_ASSERT_DOUBLE_EQUAL(at_s, rows[i].at_s, 0.02);
		CU_ASSERT(!f->exhausts || (f->counted && f->after_most == 64));
		CU_ASSERT(isinf(rows[i].sustained) ? isinf(f->pool_rate)
						   : fabs(f->pool_rate - rows[i].sustained) < 1e-6);
		arena_close(&a);
	}
}

/* What cannot be otherwise is no prediction: 600 connections are no more than 600. */
static void what_cannot_fail_is_no_prediction(void)
{
	static const struct {
		const char *lines;
		bool is_idle;
	} rows[] = {
		{"net.ipv4.tcp_tw_reuse: 1}}\nload: {rate: 200/s, total: 600}", true},
		{"net.ipv4.tcp_tw_reuse: 0}}\nload: {rate: 1k/s, total: 200}", true},
		{"net.ipv4.tcp_tw_reuse: 0}}\nload: {rate: 1k/s, total: 2000, on_failure: "
		 "continue}\nstop: {when: never}",
		 false},
	};
	const struct host host = help_host();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		const char *lines =
			text_format(&a, "network: {ports: 40000-40255, sysctl: {%s", rows[i].lines)
				.s;
		struct plan p = help_plan(lines, &host, 1, &a);
		struct foretold said[PREDICTIONS];

		predict(said, &p, 3e9);
		CU_ASSERT(said[PREDICTION_SUSTAINED].told && said[PREDICTION_USED].told);
		CU_ASSERT_EQUAL(
			predict_is_idle(PREDICTION_SUSTAINED, &said[PREDICTION_SUSTAINED], &p),
			rows[i].is_idle);
		CU_ASSERT_EQUAL(predict_is_idle(PREDICTION_USED, &said[PREDICTION_USED], &p),
				rows[i].is_idle);
		arena_close(&a);
	}
}

/* A machine may be slow past half full; whether it is, the clock does not know. */
static void a_load_that_wants_more_than_there_is_may_run_out(void)
{
	struct arena a = help_arena();
	struct plan p =
		help_plan("network: {sysctl: {net.ipv4.tcp_tw_reuse: 1}}\nload: {rate: 50000/s, "
			  "on_failure: continue}\nstop: {when: never}",
			  NULL, 1, &a);

	CU_ASSERT(!p.forecast.known && !p.forecast.exhausts);
	arena_close(&a);
}

static void a_pool_that_keeps_all_needs_no_more(void)
{
	struct arena a = help_arena();
	struct plan p = help_plan("load: {concurrency: 100, pool: {max_idle: 100}}", NULL, 1, &a);

	CU_ASSERT_EQUAL(p.needs.live, 100);
	CU_ASSERT_EQUAL(p.needs.waiting, 0);
	arena_close(&a);
}

/* That half of the requests which may end together do is a rule of thumb, of several
 * loads as of one. */
static void what_pools_that_keep_too_few_open_has_a_condition(void)
{
	static const char few[] = "rate: 200/s, duration: 2s, hold: 50ms, pool: {max_idle: 2}",
			  enough[] = "rate: 200/s, duration: 2s, hold: 50ms, pool: {max_idle: 99}";
	struct arena a = help_arena();

	for (int churns = 0; churns <= 1; churns++) {
		struct plan p = help_plan(
			text_format(&a, "network: {ports: 40000-40063}\nloads: {a: {%s}, b: {%s}}",
				    churns ? few : enough, enough)
				.s,
			NULL, 1, &a);
		struct text said = plan_doubt(&p, &a);

		CU_ASSERT(text_has(said, "if half of the requests that may end together do, ") ==
			  churns);
		CU_ASSERT(text_has(said, "likely the ports do not run out") == !churns);
	}
	arena_close(&a);
}

/* What is reset, or refused, at once gives its port back, whatever the pool would keep of it, and for how long. */
static void a_pool_keeps_nothing_that_is_reset(void)
{
	static const struct {
		const char *server;
		bool exhausts;
	} rows[] = {{"reset", false}, {"refuse", false}, {"answer", true}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		const char *lines =
			text_format(&a,
				    "network: {ports: 40000-40007}\nserver: {behaviour: %s}\n"
				    "load: {rate: 100/s, total: 73, hold: 1100ms, pool: {max_idle: "
				    "64}}\nstop: {time: 1500ms}",
				    rows[i].server)
				.s;
		struct plan p = help_plan(lines, NULL, 1, &a);

		CU_ASSERT_EQUAL(p.forecast.known && p.forecast.exhausts, rows[i].exhausts);
		arena_close(&a);
	}
}

static const struct test tests[] = {
	TEST(the_hidden_churn_ends_where_the_pool_keeps_all),
	TEST(rounds_drift_apart),
	TEST(what_pools_that_keep_too_few_open_has_a_condition),
	TEST(what_a_pool_opens_lies_between_two_bounds),
	TEST(a_pool_that_keeps_too_few_likely_has_no_port_left),
	TEST(a_pool_of_a_far_end_that_never_answers_is_none),
	TEST(a_slow_machine_has_all_pools_at_once),
	TEST(what_a_pool_throws_away_is_counted),
	TEST(what_cannot_fail_is_no_prediction),
	TEST(a_load_that_wants_more_than_there_is_may_run_out),
	TEST(a_pool_that_keeps_all_needs_no_more),
	TEST(a_pool_keeps_nothing_that_is_reset),
	TESTS_END,
};

const struct suite suite_plan_pool = {"plan: pools", tests};
