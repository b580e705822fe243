/* How many ports one load has in use by a time, and opens: by hand. */
#include "plan/use.h"

#include <stdio.h>

#include "plan/predict.h"
#include "plan_help.h"
#include "suites.h"

#define SECOND 1e9

/* A slow machine is 0.1 s behind; a usual one has begun what is due; and at most a port is given back
 * 0.25 s late, and out of TIME_WAIT 2.05 s later still. */
static void a_load_has_what_it_began_within_a_ports_life(void)
{
	static const struct {
		const char *lines;
		double at_s, least, likely, most;
	} rows[] = {
		/* 10/s that stay: those due at 0, 0.1, … 1 s; 0.9 s */
		{"load: {rate: 10/s, end: leak}", 1, 10, 11, 11},
		{"load: {rate: 10/s, end: leak, start: 400ms}", 1, 6, 7, 7},
		{"load: {rate: 10/s, end: leak, duration: 500ms}", 1, 4, 5, 5},
		{"load: {rate: 10/s, end: leak, total: 4}", 1, 4, 4, 4},
		/* free with the close: one is asked for at a time, unless 0.25 s of them come late */
		{"load: {rate: 100/s, end: reset}", 1, 0, 1, 25},
		{"load: {rate: 100/s, end: reset}", 1.005, 0, 0, 25},
		/* 60 s in TIME_WAIT: 701 due by 70 s, of them 101 by 10 s, 78 by 7.7 s; 700 by 69.9 s */
		{"load: {rate: 10/s}\nstop: {time: 2m}", 70, 599, 600, 623},
		/* half of them stay: 51 of 101, and one has just begun */
		{"load: {rate: 10/s, end: reset, mix: {leak: 50%}}", 10, 0, 51, 101},
		{"load: {rate: 10/s, end: reset, mix: {leak: 50%}}", 10.05, 0, 50.5, 101},
		/* four clients with one each; and where a round is over, four others closing */
		{"load: {concurrency: 4, hold: 1s, end: reset}", 0.5, 4, 4, 4},
		{"load: {concurrency: 4, hold: 1s, end: reset}", 1.5, 4, 4, 8},
		{"load: {concurrency: 4, hold: 1s, end: reset}", 9.5, 4, 4, 12},
		/* what each round leaves: 4 clients, 8 rounds by 7.9 s; a slow one takes 1.0016 s */
		{"load: {concurrency: 4, hold: 1s}", 7.5, 32, 32, 32},
		{"load: {concurrency: 4, hold: 1s, total: 10}", 7.5, 10, 10, 10},
		/* a machine that begins one each 0.4 ms has 251 by 0.2 s; the others one in 40 and in 5 us */
		{"load: {end: leak}", 0.2, 250, 5001, 40001},
		/* one request at once; and 51 that are due in 0.25 s */
		{"load: {rate: 200/s, hold: 5ms, pool: {max_idle: 10}}", 1, 1, 1, 52},
		/* gone before the next: of 19 requests nine in ten, of 21 all */
		{"load: {rate: 20/s, pool: {max_idle: 5, idle_timeout: 20ms}}", 1, 11, 21, 21},
		/* answered after 30 ms, one is idle for 20 ms when the next but one comes; after 20 ms, for 5 */
		{"server: {delay: 30ms}\nload: {rate: 40/s, request: {send: 8B, receive: 8B}, "
		 "pool: "
		 "{max_idle: 4, idle_timeout: 10ms}}",
		 1, 1, 41, 41},
		{"server: {delay: 20ms}\nload: {rate: 40/s, request: {send: 8B, receive: 8B}, "
		 "pool: "
		 "{max_idle: 4, idle_timeout: 10ms}}",
		 1, 1, 1, 41},
		/* for ten requests each: of 91, of 101; and 26 that are due in 0.25 s */
		{"load: {rate: 100/s, request: {send: 8B, per_connection: 10}, pool: {max_idle: "
		 "5}}",
		 1, 10, 11, 38},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(rows[i].lines, NULL, 1, &a);
		struct use u = use_make(&p, &p.loads[0], &p.loads[0]);
		double ns = rows[i].at_s * SECOND, least = use_least(&u, ns),
		       likely = use_likely(&u, ns), most = use_most(&u, ns);

		if (least != rows[i].least || likely != rows[i].likely || most != rows[i].most)
			printf("\n%s at %g s: %g, %g, %g\n", rows[i].lines, rows[i].at_s, least,
			       likely, most);
		CU_ASSERT_EQUAL(least, rows[i].least);
		CU_ASSERT_EQUAL(likely, rows[i].likely);
		CU_ASSERT_EQUAL(most, rows[i].most);
		CU_ASSERT(use_peak(&u) >= most);
		arena_close(&a);
	}
}

/* Eight that take 0.2 ms each on one processor: one begins 62 in 0.1 s, and not 250. */
static void loads_on_one_processor_wait_for_each_other(void)
{
	struct arena a = help_arena();
	struct plan p = help_plan("load: {end: leak, rate: 10k/s}\n"
				  "loads: {a: {}, b: {}, c: {}, d: {}, e: {}, f: {}, g: {}, h: {}}",
				  NULL, 1, &a);
	struct use u = use_make(&p, &p.loads[0], &p.loads[0]);

	CU_ASSERT_EQUAL(use_least(&u, 200e6), 62);
	p.load_count = 2;
	u = use_make(&p, &p.loads[0], &p.loads[0]);
	CU_ASSERT_EQUAL(use_least(&u, 200e6), 250);
	arena_close(&a);
}

/* To bind() a port in TIME_WAIT is taken, whatever connect() may do with it. */
static void what_a_port_is_to_another_is_the_others_to_say(void)
{
	struct arena a = help_arena();
	struct plan p = help_plan("network: {sysctl: {net.ipv4.tcp_tw_reuse: 1}}\n"
				  "loads: {a: {rate: 10/s}, b: {bind: address, rate: 1/s}}\n"
				  "stop: {time: 2m}",
				  NULL, 1, &a);
	struct use own = use_make(&p, &p.loads[0], &p.loads[0]),
		   other = use_make(&p, &p.loads[0], &p.loads[1]);

	CU_ASSERT_EQUAL(own.life.quiet.most, INT64_C(1000000000));
	CU_ASSERT_EQUAL(other.life.quiet.most, INT64_C(60000000000));
	CU_ASSERT_EQUAL(use_most(&own, 30e9), 13); /* in 1.25 s */
	CU_ASSERT_EQUAL(use_most(&other, 30e9), 301);
	arena_close(&a);
}

/* What a run opens is bounded by the same ports, the same time and the same descriptors as the rest of its plan. */
static void what_is_opened_is_no_more_than_ports_carry(void)
{
	static const struct {
		const char *lines;
		double elapsed_s;
		enum prediction what;
		struct guess said;
	} rows[] = {
		/* each port once in 60 s, and twice in 61; of a second three times in 3 s, and of 4 s in all four */
		{"load: {rate: 20/s, duration: 3s}", 3, PREDICTION_SUSTAINED, {32, 32, 32}},
		{"load: {rate: 20/s, duration: 100s}\nstop: {time: 2m}",
		 61,
		 PREDICTION_SUSTAINED,
		 {32, 52, 64}},
		{"load: {rate: 40/s, hold: 1s, end: reset, duration: 2500ms}",
		 2.5,
		 PREDICTION_SUSTAINED,
		 {32, 84, 96}},
		{"load: {rate: 40/s, hold: 1s, end: reset, total: 90}",
		 2.5,
		 PREDICTION_SUSTAINED,
		 {32, 84, 90}},
		{"load: {rate: 40/s, total: 50, end: leak, nofile: 20}",
		 2,
		 PREDICTION_SUSTAINED,
		 {0, 17, 17}},
		/* 0.25 s of 50/s come late together; who reads a FIN has its port still */
		{"server: {behaviour: close}\nload: {rate: 50/s, total: 60, end: wait}",
		 2,
		 PREDICTION_OPEN,
		 {0, 13, 13}},
		{"server: {behaviour: close}\nload: {rate: 50/s, total: 40, end: leak}",
		 2,
		 PREDICTION_OPEN,
		 {0, 32, 32}},
		/* each connection serves ten: of 560 that a slow machine comes to, of 640, and 16 that are open */
		{"server: {delay: 30ms}\nload: {concurrency: 16, duration: 2s, request: {send: 8B, "
		 "receive: 8B, "
		 "per_connection: 10, pause: 20ms}, pool: {max_idle: 16, idle_timeout: 200ms}, "
		 "end: reset}",
		 2,
		 PREDICTION_POOL,
		 {32, 64, 80}},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(
			text_format(&a, "network: {ports: 40000-40031}\n%s", rows[i].lines).s, NULL,
			1, &a);
		struct foretold said[PREDICTIONS];
		const struct guess *g = &said[rows[i].what].value;

		predict(said, &p, rows[i].elapsed_s * SECOND);
		CU_ASSERT(said[rows[i].what].told);
		if (g->least != rows[i].said.least || g->likely != rows[i].said.likely ||
		    g->most != rows[i].said.most)
			printf("\n%s: %g, %g, %g\n", rows[i].lines, g->least, g->likely, g->most);
		CU_ASSERT_EQUAL(g->least, rows[i].said.least);
		CU_ASSERT_EQUAL(g->likely, rows[i].said.likely);
		CU_ASSERT_EQUAL(g->most, rows[i].said.most);
		arena_close(&a);
	}
}

/* bind() may hand out a port that is in use, so that the ports carry more: 33 to 35 were seen of 32. */
static void what_may_be_opened_twice_has_no_bound(void)
{
	struct arena a = help_arena();
	struct plan p = help_plan("network: {ports: 40000-40031, services: 2, sysctl: "
				  "{net.ipv4.ip_autobind_reuse: 1}}\n"
				  "load: {bind: address, options: {reuseaddr: true}, end: leak, "
				  "total: 100}",
				  NULL, 1, &a);
	struct foretold said[PREDICTIONS];

	predict(said, &p, 1e9);
	CU_ASSERT(!said[PREDICTION_SUSTAINED].told);
	arena_close(&a);
}

static const struct test tests[] = {
	TEST(a_load_has_what_it_began_within_a_ports_life),
	TEST(loads_on_one_processor_wait_for_each_other),
	TEST(what_a_port_is_to_another_is_the_others_to_say),
	TEST(what_is_opened_is_no_more_than_ports_carry),
	TEST(what_may_be_opened_twice_has_no_bound),
	TESTS_END,
};

const struct suite suite_use = {"use", tests};
