#include "plan/outline.h"

#include <math.h>
#include <stdio.h>

#include "plan_help.h"
#include "suites.h"

#define SECOND 1e9
#define FEW "network: {ports: 40000-40031}\n"
#define NEVER -1

struct row {
	const char *lines;
	double wanted, at_s, recovery_s; /* NEVER: nobody is refused, or no port comes back */
	double half_at_s;		 /* NEVER: it is not reached */
	double begun, ends_s;
};

static bool is(double a, double b)
{
	return isinf(a) || isinf(b) ? isinf(a) && isinf(b) : fabs(a - b) < 1e-6;
}

static bool row_holds(const struct row *row, const struct outline *o)
{
	double recovery = o->recovery_ns == FOR_EVER ? NEVER : (double)o->recovery_ns / SECOND;

	return is(row->wanted, o->wanted) &&
	       is(row->at_s, o->exhausts ? o->at_ns.likely / SECOND : NEVER) &&
	       is(row->recovery_s, recovery) &&
	       is(row->half_at_s, o->half_reached ? o->half_at_ns / SECOND : NEVER) &&
	       is(row->begun, o->begun) && is(row->ends_s, o->ends_ns.likely / SECOND);
}

// clang-format off
static const struct row rows[] = {
	/* lines, ports wanted, refused at, recovery, half full at, begun, ends */
	{FEW "load: {rate: 200/s, total: 320}", 12000, 0.16, 59.84, 0.08, 33, 0.16},
	{FEW "load: {rate: 200/s, total: 320, on_failure: continue}\nstop: {when: never}",
	 12000, 0.16, 59.84, 0.08, 320, 1.595},
	{FEW "load: {rate: 200/s, on_failure: continue}\nstop: {after: 1s}", 12000, 0.16, 59.84, 0.08, 233, 1.16},
	{FEW "load: {rate: 30/min, duration: 20s, hold: 1s}", 30.5, NEVER, NEVER, NEVER, 10, 21},
	{FEW "load: {rate: 30/min, duration: 40s, hold: 1s}\nstop: {time: 1m}", 30.5, NEVER, NEVER, 32, 20, 41},
	{"network: {ports: 40000-40031, time_wait: 6s}\nload: {rate: 20/s, duration: 10s}",
	 120, 1.6, 4.4, 0.8, 33, 1.6},
	{FEW "load: {end: leak}", INFINITY, 0.001291776, NEVER, 0.00064, 33, 0.001291776},
	{FEW "load: {end: leak, rate: 10/s}", INFINITY, 3.2, NEVER, 1.6, 33, 3.2},
	{FEW "load: {concurrency: 4, hold: 1s, total: 320}", 244, 8.00132096, 52.99867904, 4, 33, 8.00132096},
	/* a load that begins later is later by that in all that has a time, and in no length */
	{FEW "load: {rate: 200/s, total: 320, start: 5s}", 12000, 5.16, 59.84, 5.08, 33, 5.16},
	{FEW "load: {concurrency: 4, hold: 1s, total: 320, start: 5s}", 244, 13.00132096, 52.99867904, 9, 33, 13.00132096},
	/* no connect is slow, and yet 25,000 a second are what one thread begins */
	{"network: {ports: 1024-65535, servers: 16}\nload: {order: fast, end: leak, rate: 240k/s, total: 480k}\n"
	 "stop: {time: 60s}", INFINITY, NEVER, NEVER, NEVER, 480000, 19.19996},
	{FEW "load: {concurrency: 8, hold: 1s, end: reset}", 8, NEVER, NEVER, NEVER, 240, 30},
	{FEW "load: {rate: 100/s, end: reset, total: 10}", 0, NEVER, NEVER, NEVER, 10, 0.09},
	/* what ends before: those that may wait at once, descriptors, the backlog */
	{"network: {ports: 40000-40255, sysctl: {net.ipv4.tcp_max_tw_buckets: 50}}\nload: {rate: 200/s, duration: 3s}",
	 12000, NEVER, NEVER, NEVER, 600, 3},
	{FEW "load: {rate: 200/s, total: 32, hold: 2s, nofile: 18}", 12400, NEVER, NEVER, NEVER, 32, 2.155},
	{"network: {ports: 40000-40127}\nserver: {accept_every: 50ms, backlog: 8}\n"
	 "load: {rate: 50/s, duration: 3s, timeout: 400ms, request: {send: 20B, receive: 20B}, on_failure: continue}",
	 3040, NEVER, NEVER, NEVER, 150, 3.8},
	/* a burst is there at once, however seldom it comes; and two of them, if they last */
	{"network: {ports: 40000-40255}\nload: {burst: {size: 100, every: 400ms}, end: reset, hold: 5ms, total: 300}",
	 100, NEVER, NEVER, NEVER, 300, 0.805},
	{"network: {ports: 40000-40255}\nload: {burst: {size: 100, every: 400ms}, end: reset, hold: 500ms, total: 300}",
	 200, NEVER, NEVER, 0.4, 300, 1.3},
	{"network: {ports: 40000-40031, servers: 2}\nload: {rate: 200/s}", 12000, 0.32, 59.68, 0.16, 65, 0.32},
};
// clang-format on

static void the_arithmetic_is_told_in_numbers(void)
{
	struct arena a = help_arena();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct plan p;
		struct outline o;

		p = help_plan(rows[i].lines, NULL, 1, &a);
		o = outline_of(&p);
		if (row_holds(&rows[i], &o))
			continue;
		printf("\n%s\n  wanted %g, at %g s, recovery %g s, half at %g s (%d), begun %g, "
		       "ends %g s\n",
		       rows[i].lines, o.wanted, o.at_ns.likely / SECOND,
		       (double)o.recovery_ns / SECOND, o.half_at_ns / SECOND, o.half_reached,
		       o.begun, o.ends_ns.likely / SECOND);
		CU_FAIL("an outline is not as the arithmetic says");
	}
	arena_close(&a);
}

/* 0.65 ms more were measured at 28,232 ports, half of them connected; 2.3 ms where they wait. */
static void the_cliff_costs_what_was_measured(void)
{
	struct arena a = help_arena();
	static const struct {
		const char *lines;
		double cost_us;
	} cases[] = {
		{"load: {end: leak}", 649.336},
		{"load: {rate: 500/s}", 2258.56},
		{"load: {end: leak, order: fast}", 0},
		{"load: {end: leak, bind: address}", 4347.728},
		{"load: {end: leak, bind: ports 40000-60000}", 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct plan p;

		p = help_plan(cases[i].lines, NULL, 1, &a);
		CU_ASSERT_DOUBLE_EQUAL(outline_of(&p).half_cost_ns.likely / 1e3, cases[i].cost_us,
				       1e-3);
	}
	arena_close(&a);
}

/* 28,232 ports in kernel order took 11 to 64 s on one machine: no clock says when they are full. */
static void past_half_full_the_clock_says_too_little(void)
{
	static const struct {
		const char *lines;
		bool known;
		double least_s, most_s; /* when it is refused */
	} cases[] = {
		{"load: {end: leak}", true, 3, 25},
		{"load: {rate: 1k/s, end: reset, hold: 1m}\nstop: {time: 1h}", true, 28.2, 36},
		{"load: {rate: 3k/s, hold: 20ms}", false, 0, 0},
		{"load: {rate: 3k/s, hold: 20ms}\nstop: {time: 1h}", false, 0, 0},
		{"load: {rate: 500/s, hold: 2s}\nstop: {time: 1h}", false, 0, 0},
		{"load: {rate: 3k/s, hold: 20ms, order: fast}", true, 9.4, 9.5},
	};
	struct arena a = help_arena();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outline o;
		struct plan p;

		p = help_plan(cases[i].lines, NULL, 1, &a);
		o = outline_of(&p);
		CU_ASSERT_EQUAL(o.known, cases[i].known);
		CU_ASSERT(!o.known || o.at_ns.least >= cases[i].least_s * SECOND);
		CU_ASSERT(!o.known || (o.at_ns.most <= cases[i].most_s * SECOND &&
				       o.ends_ns.most >= o.at_ns.most));
	}
	arena_close(&a);
}

static void a_run_that_stop_time_ends_says_what_would_come(void)
{
	static const struct {
		const char *lines;
		bool known, cut_short;
		double at_s;
	} cases[] = {
		{FEW "load: {rate: 1/s, hold: 1m}\nstop: {time: 10s}", true, true, 32},
		{FEW "load: {rate: 1/s, hold: 1m}\nstop: {time: 40s}", true, false, 32},
		{FEW "load: {rate: 1/s, hold: 1m, duration: 10s}", true, false, 0},
		{FEW "load: {rate: 1/s, hold: 1m, total: 20}\nstop: {time: 10s}", true, false, 0},
		{"network: {ports: 1024-65535}\nload: {end: leak}", false, true, 52.4},
	};
	struct arena a = help_arena();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outline o;
		struct plan p;

		p = help_plan(cases[i].lines, NULL, 1, &a);
		o = outline_of(&p);
		CU_ASSERT_EQUAL(o.known, cases[i].known);
		CU_ASSERT_EQUAL(o.cut_short, cases[i].cut_short);
		CU_ASSERT_DOUBLE_EQUAL(o.at_ns.likely / SECOND, cases[i].at_s, 2);
	}
	arena_close(&a);
}

/* 28,096 closed ones were reckoned beside 6,500 ports at once at most. */
static void no_more_are_open_or_closed_than_there_are_ports_for(void)
{
	static const char *const loads[] = {
		"load: {concurrency: 100, hold: 1s}",
		"load: {rate: 100/s, pool: {max_idle: 10}}",
		"network: {ports: 40000-40000}\nload: {total: 2}",
		"load: {rate: 500/s}",
	};

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(loads[i], NULL, 1, &a);

		CU_ASSERT(p.needs.live > 0);
		CU_ASSERT_EQUAL(p.needs.live + p.needs.waiting, outline_of(&p).ports);
		arena_close(&a);
	}
}

static void what_is_needed_is_told_even_where_it_is_not_there(void)
{
	struct arena a = help_arena();
	struct host host = help_host();
	struct err err = {0};
	struct plan p;

	host.memory = 1000000;
	CU_ASSERT_FALSE(plan_make(&p, help_scenario("load: {end: leak}", &a), &host, 1, &a, &err));
	CU_ASSERT_EQUAL(err.kind, ERR_HOST);
	CU_ASSERT_EQUAL(p.needs.bytes, UINT64_C(28232) * 8000);
	CU_ASSERT(p.needs.slots > 2 * 28232 && p.needs.rings == 4);
	CU_ASSERT_EQUAL(p.needs.descriptors, 4 + 1 + 1 + 64); /* a worker has counters */
	arena_close(&a);
}

/* 500 × 64 KiB that nobody reads were measured to take 35.8 MB. */
static void what_lies_in_buffers_is_memory_too(void)
{
	static const struct {
		const char *lines;
		double least_mb, most_mb;
	} cases[] = {
		{"load: {rate: 2k/s, total: 500, hold: 3s}", 0, 0},
		{"server: {behaviour: ignore}\nload: {rate: 2k/s, total: 500, hold: 3s, request: "
		 "{send: 64KiB, receive: 0B}}",
		 35.8, 45},
		{"load: {concurrency: 4, total: 500, request: {send: 64KiB, receive: 64KiB}}", 0.5,
		 1},
		{"load: {rate: 2k/s, total: 500, hold: 3s, request: {send: 64B, receive: 64KiB, "
		 "read: false}}",
		 33.8, 45},
	};
	struct arena a = help_arena();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct plan p;
		double mb;

		p = help_plan(cases[i].lines, NULL, 1, &a);
		mb = (double)p.needs.buffered / 1e6;
		CU_ASSERT(mb >= cases[i].least_mb && mb <= cases[i].most_mb);
		CU_ASSERT(p.needs.bytes > p.needs.buffered);
	}
	arena_close(&a);
}

static const struct test tests[] = {
	TEST(the_arithmetic_is_told_in_numbers),
	TEST(the_cliff_costs_what_was_measured),
	TEST(past_half_full_the_clock_says_too_little),
	TEST(a_run_that_stop_time_ends_says_what_would_come),
	TEST(no_more_are_open_or_closed_than_there_are_ports_for),
	TEST(what_is_needed_is_told_even_where_it_is_not_there),
	TEST(what_lies_in_buffers_is_memory_too),
	TESTS_END,
};

const struct suite suite_outline = {"outline", tests};
