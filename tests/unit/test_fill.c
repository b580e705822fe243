/* When several loads together want for a port, and how many have had one by then: by hand. */
#include "plan/fill.h"

#include <math.h>
#include <stdio.h>

#include "plan/outline.h"
#include "plan/predict.h"
#include "plan_help.h"
#include "suites.h"

#define SECOND 1e9

/* lines, whether a port is wanted for and when that is likely; how long the ports last; wanted at once. */
static void several_loads_are_the_sum_of_each_by_the_clock(void)
{
	static const struct {
		const char *lines;
		bool known, exhausts;
		double at_s, lasts_s, wanted;
	} rows[] = {
		/* 1 of the pool and 8/s: 63 of those are there by 7.75 s, and the next one is too many */
		{"loads: {svc: {rate: 200/s, hold: 5ms, pool: {max_idle: 10}}, "
		 "leaky: {rate: 8/s, end: leak}}",
		 true, true, 7.875, 7.875, INFINITY},
		/* 20/s and 1 */
		{"loads: {svc: {rate: 200/s, hold: 5ms, pool: {max_idle: 10}}, churn: {rate: "
		 "20/s}}",
		 true, true, 3.15, 3.15, 1201},
		/* resets have theirs for a moment */
		{"loads: {a: {rate: 10/s, duration: 3s}, b: {rate: 100/s, end: reset, duration: "
		 "3s}}",
		 true, false, 0, 6.3, 600},
		{"loads: {a: {rate: 10/s, duration: 3s}, b: {rate: 10/s, end: reset, hold: 2s}}",
		 true, false, 0, 4.4, 620},
		/* 64 before the first of either is back; and each has them for a second */
		{"loads: {a: {rate: 40/s, hold: 1s, end: reset}, b: {rate: 40/s, hold: 1s, end: "
		 "reset}}",
		 true, true, 0.8, 0.8, 80},
		{"loads: {a: {rate: 10/s, hold: 1s, end: reset}, b: {rate: 20/s, hold: 1s, end: "
		 "reset}}",
		 true, false, 0, 0, 30},
		/* the one is there for a while before the other begins; alone it would go on to 6.4 s */
		{"loads: {a: {rate: 10/s, end: leak, total: 40}, b: {rate: 20/s, end: leak, start: "
		 "8s}}",
		 true, true, 9.2, 6.4, INFINITY},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(
			text_format(&a, "network: {ports: 40000-40063}\n%s", rows[i].lines).s, NULL,
			1, &a);
		struct outline o = outline_of(&p);
		double at_s = o.at_ns.likely / SECOND, lasts_s = (double)o.lasts_ns / SECOND;

		if (fabs(at_s - rows[i].at_s) > 1e-3 || fabs(lasts_s - rows[i].lasts_s) > 1e-3 ||
		    (o.wanted != rows[i].wanted) || o.known != rows[i].known)
			printf("\n%s: %d %d, at %g s, last %g s, %g wanted\n", rows[i].lines,
			       o.known, o.exhausts, at_s, lasts_s, o.wanted);
		CU_ASSERT_EQUAL(o.known, rows[i].known);
		CU_ASSERT_EQUAL(o.exhausts, rows[i].exhausts);
		CU_ASSERT_DOUBLE_EQUAL(at_s, rows[i].at_s, 1e-3);
		CU_ASSERT_DOUBLE_EQUAL(lasts_s, rows[i].lasts_s, 1e-3);
		CU_ASSERT_EQUAL(o.wanted, rows[i].wanted);
		arena_close(&a);
	}
}

/* What is wanted of the ports that several want: who names one has no more than that. */
static void who_has_few_ports_wants_no_more_of_the_others(void)
{
	static const struct {
		const char *loads;
		struct wanted wanted;
	} rows[] = {
		{"{tiny: {bind: port 40010, rate: 5/s, total: 5, end: reset}, "
		 "big: {rate: 40/s, total: 31, end: leak}}",
		 {32, 32, 32, NULL, false}},
		{"{fixed: {bind: port 40005, rate: 20/s, total: 20, end: leak}, "
		 "leak: {rate: 100/s, total: 30, end: leak}}",
		 {32, 31, 31, NULL, false}},
		/* neither wants the other's */
		{"{fixed: {bind: port 50000, rate: 20/s, total: 20}, ok: {rate: 20/s, end: reset}}",
		 {0, 0, 0, NULL, false}},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(
			text_format(&a, "network: {ports: 40000-40031}\nloads: %s", rows[i].loads)
				.s,
			NULL, 1, &a);
		struct wanted wanted = fill_wanted(&p);

		if (wanted.likely != rows[i].wanted.likely || wanted.most != rows[i].wanted.most)
			printf("\n%s: %g, %g\n", rows[i].loads, wanted.likely, wanted.most);
		CU_ASSERT_EQUAL(wanted.usable, rows[i].wanted.usable);
		CU_ASSERT_EQUAL(wanted.likely, rows[i].wanted.likely);
		CU_ASSERT_EQUAL(wanted.most, rows[i].wanted.most);
		arena_close(&a);
	}
}

/* A run that was off by 24 times had "3 of 3 predictions hold". */
static void when_several_loads_lack_a_port_is_predicted(void)
{
	struct arena a = help_arena();
	struct plan p = help_plan("network: {ports: 40000-40063}\n"
				  "loads: {a: {rate: 10/s, end: leak, start: 2s}, "
				  "b: {rate: 10/s, end: leak, start: 1s}}",
				  NULL, 1, &a);
	struct foretold said[PREDICTIONS];

	predict(said, &p, 0);
	CU_ASSERT_FATAL(said[PREDICTION_AT].told && said[PREDICTION_AFTER].told);
	/* 10 by 1.9 s, 54 of both since: the 65th is due with the 64th, 2.7 s after that; since the first began */
	CU_ASSERT_DOUBLE_EQUAL(said[PREDICTION_AT].value.likely / SECOND, 3.7, 1e-6);
	CU_ASSERT_DOUBLE_EQUAL(said[PREDICTION_AT].value.least / SECOND, 3.7, 1e-6);
	CU_ASSERT(said[PREDICTION_AT].value.most < 6e9);
	CU_ASSERT_EQUAL(said[PREDICTION_AFTER].value.likely, 64);
	CU_ASSERT_DOUBLE_EQUAL(outline_of(&p).at_ns.likely / SECOND, 4.7, 1e-6);
	CU_ASSERT(said[PREDICTION_USED].told && said[PREDICTION_USED].value.least == 64);
	/* 10/s and 20/s for a second; 0.25 s late, and 0.75 s of both, and 16 that are closing */
	p = help_plan("network: {ports: 40000-40127}\n"
		      "loads: {a: {rate: 10/s, hold: 1s, end: reset}, "
		      "b: {rate: 20/s, hold: 1s, end: reset}}",
		      NULL, 1, &a);
	predict(said, &p, 0);
	CU_ASSERT(said[PREDICTION_EXHAUSTED].told && said[PREDICTION_EXHAUSTED].value.most == 0);
	CU_ASSERT_EQUAL(said[PREDICTION_USED].value.least, 0);
	CU_ASSERT_EQUAL(said[PREDICTION_USED].value.most, 13 + 26 + 23 + 16);
	arena_close(&a);
}

/* Of 64 ports `a` has 50 when `b` asks for one of them, and may have that one: nobody else is refused before
 * all 64 are in use. */
static void who_has_fewer_ports_may_be_refused_before(void)
{
	struct arena a = help_arena();
	struct plan p = help_plan("network: {ports: 40000-40063}\n"
				  "loads: {a: {rate: 100/s, end: leak}, "
				  "b: {bind: port 40010, rate: 1/s, start: 495ms, end: leak}}",
				  NULL, 1, &a);

	CU_ASSERT_FATAL(p.forecast.exhausts && p.forecast.counted);
	CU_ASSERT(p.forecast.after_least <= 50);
	CU_ASSERT(p.forecast.after_most >= 64);
	arena_close(&a);
}

/* Resets give their ports back, but for those of a pool that keeps all of its connections. */
static void pools_that_keep_all_give_no_port_back(void)
{
	struct arena a = help_arena();
	struct plan p = help_plan(
		"network: {ports: 40000-40007}\nloads: {"
		"a: {concurrency: 4, total: 60, hold: 10ms, end: reset, pool: {max_idle: 4}, "
		"request: {send: 8B, receive: 8B, pause: 50ms}}, "
		"b: {concurrency: 20, total: 2k, end: reset, pool: {max_idle: 1k}, "
		"request: {send: 8B, receive: 8B, pause: 300ms}}}\n"
		"server: {delay: 50ms}",
		NULL, 1, &a);

	CU_ASSERT_FATAL(p.forecast.exhausts && p.forecast.counted);
	CU_ASSERT_EQUAL(p.forecast.after_least, 8);
	CU_ASSERT_EQUAL(p.forecast.after_most, 8);
	arena_close(&a);
}

/* When it is likely, in s; NEVER: it is not. */
#define NEVER -1

static void when_a_port_is_likely_wanted_for_is_told(void)
{
	static const struct {
		const char *lines;
		double least_s, likely_s, recovery_s;
	} rows[] = {
		/* 16 each to 8 destinations are those of one parity, and 24 nearly all */
		{"network: {ports: 40000-40031, servers: 8}\nloads: {a: {rate: 100/s, total: 128, "
		 "end: leak}, b: {bind: address, total: 1, start: 3s, end: leak}}",
		 NEVER, NEVER, NEVER},
		{"network: {ports: 40000-40031, servers: 8}\nloads: {a: {rate: 100/s, total: 192, "
		 "end: leak}, b: {bind: address, total: 1, start: 3s, end: leak}}",
		 NEVER, 3, NEVER},
		/* one of the two has all ports of the other, long before that asks */
		{"network: {ports: 40000-40031}\nloads: {a: {total: 32}, b: {start: 1s, bind: port "
		 "40010, total: 1}}",
		 1, 1, 59},
		/* one that has none gives none back */
		{"network: {ports: 40000-40031}\nloads: {a: {total: 32, end: leak}, b: {start: 1s, "
		 "rate: 10/s, end: reset}}",
		 1, 1, NEVER},
		{"network: {ports: 40000-40031}\nloads: {a: {total: 32, end: leak}, b: {start: 1s, "
		 "rate: 10/s, hold: 200ms, end: reset}}",
		 1, 1, NEVER},
		/* a port of 32 is taken when 16 are, at 0.375 s; its load asks for it at 0.4 s, unless it has
		 * left it in TIME_WAIT for itself */
		{"network: {ports: 40000-40031}\nloads: {tiny: {bind: port 40010, rate: 5/s, "
		 "total: 5, end: reset}, big: {rate: 40/s, total: 31, end: leak}}",
		 NEVER, 0.4, NEVER},
		{"network: {ports: 40000-40031}\nloads: {srv: {bind: port 40006, rate: 10/s, "
		 "total: 6, options: {reuseaddr: true}}, other: {rate: 50/s, total: 30, end: "
		 "leak}}",
		 NEVER, NEVER, NEVER},
		{"network: {ports: 40000-40031}\nloads: {srv: {start: 350ms, bind: port 40006, "
		 "rate: 10/s, total: 6, options: {reuseaddr: true}}, other: {rate: 50/s, total: "
		 "30, "
		 "end: leak}}",
		 NEVER, 0.35, NEVER},
		/* who asks once a second asks at no other time */
		{"network: {ports: 40000-40031}\nloads: {a: {rate: 1k/s, total: 32, start: 500ms, "
		 "end: leak}, b: {rate: 1/s, end: reset}}",
		 1, 1, NEVER},
		/* 25,000 a second in all, of one processor: what 64,512 take is 2.58 s */
		{"network: {ports: 1024-65535}\nload: {rate: 12500/s, order: fast, end: leak}\n"
		 "loads: {a: {}, b: {}, c: {}, d: {}}",
		 1.29, 2.58, NEVER},
		/* half of them by 2.353 s; then each connect takes 0.65 ms more: 7,058 of each load */
		{"loads: {a: {rate: 3k/s, end: leak}, b: {rate: 3k/s, end: leak}}", 4.705, 7.218,
		 NEVER},
		/* and they do, whichever of them is the first in the file: one that is never slow is not */
		{"loads: {fast: {rate: 1/s, order: fast, end: leak}, a: {rate: 3k/s, end: leak}, "
		 "b: "
		 "{rate: 3k/s, end: leak}}",
		 4.704, 7.216, NEVER},
		/* a port that the server has is none for it, though it would share one with whoever it was */
		{"network: {topology: loopback, ports: 40000-40031}\nloads: {a: {rate: 10/s, end: "
		 "leak}, "
		 "b: {rate: 10/s, start: 1s, bind: port 7000, options: {reuseaddr: true}}}",
		 1, 1, NEVER},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(rows[i].lines, NULL, 1, &a);
		const struct forecast *f = &p.forecast;
		struct outline o = outline_of(&p);
		double likely_s =
			f->likely_run_ns == FOR_EVER ? NEVER : (double)f->likely_run_ns / SECOND;
		double back_s = o.recovery_ns == FOR_EVER ? NEVER : (double)o.recovery_ns / SECOND;

		if (fabs(likely_s - rows[i].likely_s) > 1e-2)
			printf("\n%s: likely at %g s, back after %g s\n", rows[i].lines, likely_s,
			       back_s);
		CU_ASSERT_DOUBLE_EQUAL(likely_s, rows[i].likely_s, 1e-2);
		CU_ASSERT_DOUBLE_EQUAL(back_s, rows[i].recovery_s, 1e-2);
		CU_ASSERT_EQUAL(f->exhausts, rows[i].least_s > 0);
		CU_ASSERT(!f->exhausts || fabs(o.at_ns.least / SECOND - rows[i].least_s) < 1e-2);
		arena_close(&a);
	}
}

static bool is_alike(const struct plan *p, const struct plan *q)
{
	const struct forecast *f = &p->forecast, *g = &q->forecast;
	struct outline o = outline_of(p), r = outline_of(q);
	struct wanted w = fill_wanted(p), x = fill_wanted(q);

	return f->exhausts == g->exhausts && f->known == g->known &&
	       f->likely_run_ns == g->likely_run_ns && o.after == r.after &&
	       o.after_least == r.after_least && o.after_most == r.after_most &&
	       o.at_ns.least == r.at_ns.least && o.at_ns.likely == r.at_ns.likely &&
	       o.at_ns.most == r.at_ns.most && o.half == r.half &&
	       o.half_reached == r.half_reached && o.half_at_ns == r.half_at_ns &&
	       o.half_cost_ns.likely == r.half_cost_ns.likely && w.likely == x.likely &&
	       w.most == x.most && o.lasts_ns == r.lasts_ns && f->rate_is_least == g->rate_is_least;
}

/* Two loads are the same two, whichever of them is written first. */
static void no_forecast_hangs_on_the_order_of_the_loads(void)
{
	static const struct {
		const char *lines, *one, *other;
	} rows[] = {
		{"network: {ports: 40000-40031}\nload: {rate: 10/s, total: 20, "
		 "bind: ports 40000-40009, hold: 5s}\nstop: {time: 20s}",
		 "{options: {reuseaddr: true}}", "{}"},
		/* the one searches, the other names its ports; or binds, which takes longer */
		{"stop: {time: 60s}", "{bind: ports 32768-60999, rate: 1/s}", "{rate: 400/s}"},
		{"stop: {time: 60s}", "{bind: address, rate: 100/s}", "{rate: 400/s}"},
		/* who is over before has no half of its own */
		{"network: {ports: 40000-40031}\nstop: {time: 60s}",
		 "{rate: 10/s, total: 10, end: reset}", "{start: 30s, rate: 2/s}"},
		/* those of one load run out first */
		{"network: {ports: 40000-40063, servers: 9, time_wait: 100ms, topology: loopback}\n"
		 "stop: {time: 2500ms}",
		 "{rate: 1514/s, total: 147, start: 1300ms, hold: 1300ms, end: shutdown, mix: "
		 "{reset: "
		 "30%}}",
		 "{rate: 512/s, total: 93, hold: 80ms}"},
		/* and who gives none back has none that a full table frees */
		{"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_max_tw_buckets: 8}}",
		 "{end: leak}", "{rate: 10/s}"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan plans[2];

		for (int k = 0; k < 2; k++)
			plans[k] = help_plan(text_format(&a, "%s\nloads: {a: %s, b: %s}",
							 rows[i].lines,
							 k ? rows[i].other : rows[i].one,
							 k ? rows[i].one : rows[i].other)
						     .s,
					     NULL, 1, &a);
		if (!is_alike(&plans[0], &plans[1]))
			printf("\n%s: %s, %s\n", rows[i].lines, rows[i].one, rows[i].other);
		CU_ASSERT(is_alike(&plans[0], &plans[1]));
		arena_close(&a);
	}
}

/* 600,300 by the clock, of 28,232 ports; and a closed loop is no busier for the answers that it waits for. */
static void connects_that_are_slow_want_no_more_than_they_can_begin(void)
{
#define OTHER "b: {rate: 20k/s, hold: 1s, timeout: 5s}}\n"
	static const char *const lines[] = {
		"loads: {a: {concurrency: 10, hold: 1s, timeout: 5s}, " OTHER,
		"server: {delay: 1s}\nloads: {a: {concurrency: 10, "
		"request: {send: 10B, receive: 10B}, timeout: 5s}, " OTHER,
	};
	double half_ns[2];

	for (size_t i = 0; i < 2; i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(lines[i], NULL, 1, &a);
		struct wanted wanted = fill_wanted(&p);

		CU_ASSERT(wanted.likely <= wanted.usable && wanted.most > wanted.usable);
		CU_ASSERT(wanted.slowed);
		half_ns[i] = outline_of(&p).half_at_ns;
		arena_close(&a);
	}
	CU_ASSERT_DOUBLE_EQUAL(half_ns[0], half_ns[1], 5e6);
}

/* Each that never opens has had a port. */
static void what_never_opens_is_counted_among_those_before(void)
{
	struct arena a = help_arena();
	struct plan p =
		help_plan("network: {ports: 40000-40015}\nserver: {behaviour: drop}\n"
			  "load: {rate: 10/s, on_failure: continue}\nloads: {a: {}, b: {}}\n"
			  "stop: {time: 5s}",
			  NULL, 1, &a);
	struct outline o = outline_of(&p);

	CU_ASSERT(o.exhausts && p.forecast.after_most == 0);
	CU_ASSERT_EQUAL(o.after, 16);
	arena_close(&a);
}

/* 65 ports, of which bind() may miss one; and a connect that is timed is seen among those that are open. */
static void what_a_search_may_miss_is_not_reckoned_with(void)
{
	struct arena a = help_arena();
	struct plan p = help_plan("network: {ports: 40000-40064}\n"
				  "loads: {a: {concurrency: 61, total: 83, bind: any}, "
				  "b: {concurrency: 79, total: 103, start: 1200ms}, "
				  "c: {rate: 102/s, total: 117, bind: address, hold: 100ms, end: "
				  "reset, start: 200ms}, d: {rate: 256/s, total: 93, start: 600ms, "
				  "family: ipv6, end: leak}}",
				  NULL, 1, &a);
	struct foretold said[PREDICTIONS];

	CU_ASSERT(p.forecast.exhausts && p.forecast.counted);
	CU_ASSERT_EQUAL(p.forecast.after_least, 64);
	p = help_plan("network: {ports: 40000-40064}\n"
		      "loads: {a: {total: 60, end: leak}, b: {total: 5, end: leak}}",
		      NULL, 1, &a);
	CU_ASSERT(!p.forecast.known);
	p = help_plan("load: {concurrency: 2, total: 86, pool: {max_idle: 10}, "
		      "request: {send: 64B, receive: 64B, pause: 300ms}}\nsample: {latency: 20ms}",
		      NULL, 1, &a);
	predict(said, &p, 1e9);
	CU_ASSERT_EQUAL(said[PREDICTION_OPEN].value.most, 3);
	arena_close(&a);
}

/* Its own sockets take a port of TIME_WAIT over, which another's bind() is refused: 60 connections through 16
 * ports, and then as many as are left. */
static void who_shares_ports_opens_more_than_there_are(void)
{
	struct arena a = help_arena();
	struct plan p =
		help_plan("network: {ports: 40000-40031}\n"
			  "loads: {a: {bind: ports 40000-40015, options: {reuseaddr: true}, "
			  "end: shutdown, concurrency: 12, total: 60}, "
			  "b: {bind: address, end: leak, rate: 200/s, total: 40}}",
			  NULL, 1, &a);

	CU_ASSERT(p.forecast.exhausts && p.forecast.counted);
	CU_ASSERT(p.forecast.after_least <= 32 && p.forecast.after_most >= 76);
	arena_close(&a);
}

/* Of UDP a round is as long as its answer takes, until the server dies: then as long as its timeout. */
static void the_quickest_round_is_the_shortest(void)
{
	struct arena a = help_arena();
	struct plan p =
		help_plan("network: {ports: 40000-40007}\nserver: {die: 800ms}\n"
			  "load: {protocol: udp, concurrency: 5, total: 176, duration: 900ms, "
			  "timeout: 400ms, end: leak, request: {send: 64B, receive: 64B}}",
			  NULL, 1, &a);

	CU_ASSERT(p.forecast.at.least < 1e6);
	arena_close(&a);
}

static const struct test tests[] = {
	TEST(several_loads_are_the_sum_of_each_by_the_clock),
	TEST(who_has_few_ports_wants_no_more_of_the_others),
	TEST(when_several_loads_lack_a_port_is_predicted),
	TEST(who_has_fewer_ports_may_be_refused_before),
	TEST(pools_that_keep_all_give_no_port_back),
	TEST(when_a_port_is_likely_wanted_for_is_told),
	TEST(no_forecast_hangs_on_the_order_of_the_loads),
	TEST(connects_that_are_slow_want_no_more_than_they_can_begin),
	TEST(what_never_opens_is_counted_among_those_before),
	TEST(what_a_search_may_miss_is_not_reckoned_with),
	TEST(the_quickest_round_is_the_shortest),
	TEST(who_shares_ports_opens_more_than_there_are),
	TESTS_END,
};

const struct suite suite_fill = {"fill", tests};
