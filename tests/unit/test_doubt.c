#include "plan/doubt.h"

#include "plan/predict.h"
#include "plan_help.h"
#include "suites.h"

/* Named ports are shared by all destinations of a source: so is what a pool keeps of each. */
static void a_pool_of_named_ports_has_them_for_all_destinations(void)
{
	static const struct {
		const char *lines;
		bool known;
	} rows[] = {
		{"network: {servers: 5, choose: seed}\nload: {bind: port 45000, ", false},
		{"network: {servers: 5}\nload: {bind: ports 45000-45003, ", false},
		{"network: {servers: 5, choose: seed}\nload: {bind: ports 45000-45004, ", true},
		{"network: {servers: 5, sources: 3, choose: seed}\nload: {bind: ports "
		 "45000-45004, ",
		 true},
		{"network: {ports: 45000-45001, servers: 5, choose: seed}\nload: {", true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(text_format(&a,
						      "%sconcurrency: 1, total: 50, pool: "
						      "{max_idle: 10}}\nserver: {delay: 20ms}",
						      rows[i].lines)
						  .s,
					  NULL, 1, &a);

		CU_ASSERT_EQUAL(p.forecast.known, rows[i].known);
		CU_ASSERT(!p.forecast.exhausts);
		arena_close(&a);
	}
}

/* Who is refused has asked for each named port: others are opened meanwhile. bind() to an address asks
 * once. */
static void who_asks_for_each_port_is_passed_by(void)
{
	static const struct {
		const char *bind;
		uint64_t least, most;
	} rows[] = {{"ports 40000-40009", 18, 20}, {"address", 18, 18}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(
			text_format(&a,
				    "network: {ports: 40000-40009, sources: 2, servers: 5, "
				    "services: 3, choose: seed}\n"
				    "load: {concurrency: 40, total: 120, hold: 1ms, bind: %s}",
				    rows[i].bind)
				.s,
			NULL, 1, &a);

		CU_ASSERT(p.forecast.known && p.forecast.exhausts);
		CU_ASSERT_EQUAL(p.forecast.after_least, rows[i].least);
		CU_ASSERT_EQUAL(p.forecast.after_most, rows[i].most);
		arena_close(&a);
	}
}

/* lines; whether connects may come to a full backlog; whether it is told that ports run out, or not. */
static void a_full_backlog_is_a_matter_of_speed(void)
{
	static const struct {
		const char *lines;
		bool doubted, known;
	} rows[] = {
		{"load: {concurrency: 40, end: leak}", false, true},
		{"server: {backlog: 2}\nload: {concurrency: 40, end: leak}", true, false},
		{"server: {backlog: 2}\nload: {concurrency: 40, mix: {reset: 50%, leak: 50%}}",
		 true, false},
		{"server: {backlog: 2}\nload: {concurrency: 1, ballast: 50%, total: 40}", true,
		 false},
		{"server: {backlog: 2}\nload: {concurrency: 1, total: 32}", true, true},
		{"server: {backlog: 40}\nload: {concurrency: 40, end: leak, total: 40}", false,
		 true},
		{"server: {backlog: 8}\nload: {rate: 100/s, end: leak}", true, false},
		{"server: {backlog: 64}\nload: {rate: 100/s, end: leak}", false, true},
		/* the queue is that of all loads that are there together */
		{"server: {backlog: 8}\nloads: {a: {concurrency: 4, end: leak, total: 5}, "
		 "b: {concurrency: 4, end: leak, total: 4}}",
		 true, false},
		{"server: {backlog: 8}\nloads: {a: {concurrency: 4, end: leak, total: 5}, "
		 "b: {start: 2s, concurrency: 4, end: leak, total: 4}}",
		 false, true},
		/* never emptied: counted (plan/forecast.c) */
		{"server: {backlog: 2, behaviour: never-accept}\nload: {rate: 100/s, end: leak}",
		 false, true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(
			text_format(&a, "network: {ports: 40000-40031}\n%s", rows[i].lines).s, NULL,
			1, &a);

		CU_ASSERT_EQUAL(doubt_backlog(&p), rows[i].doubted);
		CU_ASSERT_EQUAL(p.forecast.known, rows[i].known);
		CU_ASSERT(rows[i].known || !p.forecast.counted);
		arena_close(&a);
	}
}

/* Which end first is told; but not where some of the few hang meanwhile. */
static void descriptors_that_end_at_a_full_backlog_are_not_counted(void)
{
	static const struct {
		const char *server;
		bool told;
	} rows[] = {{"backlog: 16", true}, {"backlog: 1", false}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(
			text_format(&a,
				    "server: {%s}\nload: {burst: {size: 60, every: 300ms}, "
				    "total: 16, nofile: 7, end: leak, on_failure: continue}",
				    rows[i].server)
				.s,
			NULL, 1, &a);
		struct foretold said[PREDICTIONS];

		predict(said, &p, 1e9);
		CU_ASSERT(p.forecast.known && !p.forecast.exhausts);
		CU_ASSERT_EQUAL(said[PREDICTION_DESCRIPTORS].told, rows[i].told);
		arena_close(&a);
	}
}

/* A load that has all its ports before squat begins is told of. */
static void ports_that_squat_takes_before_a_load_begins_are_not_told(void)
{
	struct arena a = help_arena();
	static const char lines[] =
		"network: {ports: 40000-40031}\nsquat: {bind: 1, start: 700ms}\n"
		"load: {start: %s, end: leak, rate: 1k/s}";
	struct plan before = help_plan(text_format(&a, lines, "500ms").s, NULL, 1, &a);
	struct plan after = help_plan(text_format(&a, lines, "800ms").s, NULL, 1, &a);

	CU_ASSERT(before.forecast.known && before.forecast.exhausts);
	CU_ASSERT(!after.forecast.known && !after.forecast.counted);
	arena_close(&a);
}

/* By the clock: who is open, and who hangs until its timeout. */
static void what_hangs_at_a_full_backlog_is_counted(void)
{
	static const struct {
		const char *lines;
		bool known;
		uint64_t after, refused; /* opened before, and begun; 0: none is refused */
		int64_t hangs_ms;
		bool later; /* what hangs may be open when it is asked again, after 1 s */
	} rows[] = {
		{"server: {accept_every: 100ms, backlog: 4}\n"
		 "load: {rate: 200/s, timeout: 700ms, on_failure: continue}",
		 true, 9, 64, 730, false},
		{"server: {accept_every: 200ms, backlog: 8}\n"
		 "load: {rate: 200/s, timeout: 1200ms, on_failure: continue}",
		 true, 11, 64, 1250, true},
		{"server: {behaviour: never-accept, backlog: 8}\n"
		 "load: {rate: 200/s, timeout: 1200ms, on_failure: continue}",
		 true, 9, 64, 1245, false},
		{"server: {behaviour: never-accept, backlog: 8}\n"
		 "load: {rate: 100/s, end: leak, timeout: 500ms, on_failure: continue}",
		 true, 0, 0, 590, false}, /* 9 + 50 of 64 */
		{"server: {behaviour: never-accept, backlog: 8}\n"
		 "load: {rate: 100/s, end: leak, timeout: 600ms, on_failure: continue}",
		 true, 9, 64, 690, false},
		{"server: {behaviour: never-accept, backlog: 8}\n"
		 "load: {rate: 100/s, end: leak, timeout: 540ms, on_failure: continue}",
		 false, 0, 0, 0, false}, /* 9 + 54, and a machine that is late */
		{"server: {behaviour: never-accept, backlog: 8}\n"
		 "load: {rate: 100/s, end: leak, timeout: 500ms}",
		 true, 0, 0, 590, false}, /* the first that times out ends it */
		/* 22 of a burst, and all that has ports of the next: what hangs is not accepted meanwhile */
		{"server: {accept_every: 20ms, backlog: 20}\n"
		 "load: {burst: {size: 40, every: 500ms}, timeout: 700ms, on_failure: continue}",
		 true, 46, 64, 700, false},
		/* a backlog that outlasts the ports, by one or not: none hangs but the 64th of 63 */
		{"server: {behaviour: never-accept, backlog: 70}\n"
		 "load: {rate: 100/s, end: leak, timeout: 1s, on_failure: continue}",
		 true, 64, 64, 0, false},
		{"server: {behaviour: never-accept, backlog: 63}\n"
		 "load: {rate: 100/s, end: leak, timeout: 1s, on_failure: continue}",
		 true, 64, 64, 0, false},
		{"server: {behaviour: never-accept, backlog: 62}\n"
		 "load: {rate: 100/s, end: leak, timeout: 1s, on_failure: continue}",
		 true, 63, 64, 1630, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(
			text_format(&a, "network: {ports: 40000-40063}\n%s", rows[i].lines).s, NULL,
			1, &a);
		const struct forecast *f = &p.forecast;

		CU_ASSERT_EQUAL(f->known, rows[i].known);
		CU_ASSERT_EQUAL(f->exhausts, rows[i].refused > 0);
		CU_ASSERT_EQUAL(f->after, rows[i].after);
		CU_ASSERT_EQUAL(f->refused.likely, (double)rows[i].refused);
		CU_ASSERT_EQUAL(f->hangs_ns, rows[i].hangs_ms * 1000000);
		CU_ASSERT_EQUAL(f->after_most > f->after + 2, rows[i].later);
		CU_ASSERT_FALSE(f->gone);
		arena_close(&a);
	}
}

/* A request that fails ends its connection: the pool opens another, or the load is over. */
static void what_a_pool_opens_for_requests_that_fail_is_not_told(void)
{
	static const struct {
		const char *lines;
		bool told;
	} rows[] = {
		{"server: {delay: 20ms}", true},       {"server: {behaviour: ignore}", false},
		{"server: {behaviour: close}", false}, {"server: {vanish: 100ms}", false},
		{"server: {delay: 49ms}", true},       {"server: {delay: 50ms}", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(
			text_format(&a,
				    "load: {concurrency: 1, total: 5, timeout: 300ms, request: "
				    "{send: 1KiB, receive: 8B, per_connection: 3}}\n%s",
				    rows[i].lines)
				.s,
			NULL, 1, &a);
		struct foretold said[PREDICTIONS];

		predict(said, &p, 1e9);
		CU_ASSERT_EQUAL(said[PREDICTION_POOL].told, rows[i].told);
		arena_close(&a);
	}
}

/* Nobody can have one that is reserved but by its number. */
static void where_all_ports_are_reserved_the_first_finds_none(void)
{
	static const struct {
		const char *load;
		uint64_t capacity;
		bool exhausts;
	} rows[] = {
		{"rate: 100/s", 0, true},
		{"concurrency: 10, end: leak", 0, true},
		{"concurrency: 10, pool: {max_idle: 10}", 0, true},
		{"bind: address", 0, true},
		{"protocol: udp", 0, true},
		{"total: 1", 0, true},
		{"bind: ports 40000-40031, total: 32", 32, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(text_format(&a,
						      "network: {ports: 40000-40031, reserved: "
						      "[39000-40010, 40011-41000]}\nload: {%s}",
						      rows[i].load)
						  .s,
					  NULL, 1, &a);

		CU_ASSERT_EQUAL(p.budget.capacity, rows[i].capacity);
		CU_ASSERT(p.forecast.known);
		CU_ASSERT_EQUAL(p.forecast.exhausts, rows[i].exhausts);
		CU_ASSERT_EQUAL(p.forecast.counted, rows[i].exhausts);
		CU_ASSERT_EQUAL(p.forecast.after_most, 0);
		arena_close(&a);
	}
}

/* lines; what is opened of IPv6, where the scenario has turned it off. */
static void without_ipv6_no_port_of_it_is_wanted_for(void)
{
	static const struct {
		const char *lines;
		bool nowhere, known, exhausts;
	} rows[] = {
		{"disable_ipv6: 1}, family: ipv6}\nload: {rate: 50/s, total: 40}", true, true,
		 false},
		{"disable_ipv6: 0}, family: ipv6}\nload: {rate: 50/s, total: 40}", false, true,
		 true},
		{"disable_ipv6: 1}}\nload: {rate: 50/s, total: 40}", false, true, true},
		/* the ones have no port, and the others' are by the clock */
		{"disable_ipv6: 1}}\nloads: {a: {family: ipv4, total: 8}, b: {family: ipv6, total: "
		 "8}}",
		 false, true, false},
		{"disable_ipv6: 1}}\nloads: {a: {rate: 40/s, total: 80}, b: {family: ipv6, rate: "
		 "10/s}}",
		 false, true, true},
		{"disable_ipv6: 1}}\nloads: {a: {rate: 40/s, total: 80}, b: {bind: address "
		 "203.0.113.9}}",
		 false, true, true},
		{"disable_ipv6: 1}}\nloads: {a: {rate: 40/s, total: 30}, b: {bind: address "
		 "203.0.113.9, "
		 "rate: 10/s}}",
		 false, true, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(text_format(&a,
						      "network: {ports: 40000-40031, sysctl: "
						      "{net.ipv6.conf.all.%s",
						      rows[i].lines)
						  .s,
					  NULL, 1, &a);

		CU_ASSERT_EQUAL(plan_binds_nowhere(&p), rows[i].nowhere);
		CU_ASSERT_EQUAL(p.forecast.rate == 0, rows[i].nowhere);
		CU_ASSERT_EQUAL(p.forecast.known, rows[i].known);
		CU_ASSERT_EQUAL(p.forecast.exhausts, rows[i].exhausts);
		arena_close(&a);
	}
}

/* 32 ports; whether a descriptor may be wanted for, and when it is for sure. */
static void which_of_descriptors_and_ports_ends_first_is_by_the_clock(void)
{
	static const struct {
		const char *lines;
		int64_t at_ms; /* 0: not to be told */
		bool may;
		bool counted; /* as a prediction */
		bool known;   /* whether ports run out */
	} rows[] = {
		{"load: {nofile: 10, hold: 500ms, rate: 20/s, total: 60}", 350, true, false, false},
		{"load: {nofile: 10, hold: 300ms, rate: 20/s, total: 60}", 0, true, false, false},
		{"load: {nofile: 15, hold: 300ms, rate: 20/s, total: 60}", 0, false, false, true},
		{"load: {nofile: 10, end: leak, rate: 20/s, total: 60}", 350, true, true, true},
		/* no more connections than ports, whatever is closed */
		{"load: {nofile: 10, hold: 500ms, rate: 20/s, total: 32}", 350, true, false, true},
		{"load: {nofile: 10, hold: 500ms, rate: 20/s, total: 33}", 350, true, false, false},
		/* what hangs has one too, and is none that was opened */
		{"server: {vanish: 300ms}\nload: {nofile: 10, end: leak, rate: 20/s, total: 60}", 0,
		 true, false, false},
		{"server: {vanish: 1s}\nload: {nofile: 10, end: leak, rate: 20/s, total: 60}", 0,
		 true, true, true},
		/* a pool that keeps all, or not */
		{"load: {nofile: 10, hold: 100ms, concurrency: 20, total: 60, pool: {max_idle: "
		 "20}}",
		 0, true, false, true},
		{"load: {nofile: 10, hold: 100ms, concurrency: 20, total: 60, pool: {max_idle: "
		 "19}}",
		 0, true, false, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(
			text_format(&a, "network: {ports: 40000-40031}\n%s", rows[i].lines).s, NULL,
			1, &a);
		int64_t at = doubt_descriptors_ns(&p, &p.loads[0]);
		struct foretold said[PREDICTIONS];

		predict(said, &p, 1e9);
		CU_ASSERT_EQUAL(doubt_descriptors(&p, &p.loads[0]), rows[i].may);
		CU_ASSERT_EQUAL(at == FOR_EVER ? 0 : at, rows[i].at_ms * 1000000);
		CU_ASSERT_EQUAL(said[PREDICTION_DESCRIPTORS].told, rows[i].counted);
		CU_ASSERT_EQUAL(p.forecast.known, rows[i].known);
		arena_close(&a);
	}
}

/* A load that ends with its first failure, and of which each fails, does not come to its ports. */
static void who_fails_at_once_wants_no_port(void)
{
	static const struct {
		const char *lines;
		bool known, exhausts;
	} rows[] = {
		{"server: {behaviour: refuse}\nload: {protocol: udp, rate: 50/s, end: leak, "
		 "request: "
		 "{send: 8B, receive: 8B}, timeout: 300ms}",
		 true, false},
		{"server: {behaviour: drop}\nload: {rate: 50/s, timeout: 500ms}", true, false},
		/* 30 by then; but its timer may be late */
		{"server: {behaviour: drop}\nload: {rate: 50/s, timeout: 600ms}", false, false},
		{"server: {behaviour: drop}\nload: {rate: 50/s, timeout: 700ms}", true, true},
		{"server: {behaviour: drop}\nload: {rate: 50/s, timeout: 700ms, on_failure: "
		 "continue}",
		 true, true},
		/* a closed loop waits for who hangs at the backlog */
		{"server: {backlog: 8, accept_every: 20ms}\nload: {concurrency: 20, timeout: "
		 "200ms}",
		 false, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(
			text_format(&a, "network: {ports: 40000-40031}\n%s", rows[i].lines).s, NULL,
			1, &a);

		if (p.forecast.known != rows[i].known || p.forecast.exhausts != rows[i].exhausts)
			printf("%s: known %d, exhausts %d\n", rows[i].lines, p.forecast.known,
			       p.forecast.exhausts);
		CU_ASSERT_EQUAL(p.forecast.known, rows[i].known);
		CU_ASSERT_EQUAL(p.forecast.exhausts, rows[i].exhausts);
		CU_ASSERT_FALSE(p.forecast.cut_short);
		arena_close(&a);
	}
}

static const struct test tests[] = {
	TEST(which_of_descriptors_and_ports_ends_first_is_by_the_clock),
	TEST(who_fails_at_once_wants_no_port),
	TEST(without_ipv6_no_port_of_it_is_wanted_for),
	TEST(where_all_ports_are_reserved_the_first_finds_none),
	TEST(a_pool_of_named_ports_has_them_for_all_destinations),
	TEST(who_asks_for_each_port_is_passed_by),
	TEST(a_full_backlog_is_a_matter_of_speed),
	TEST(descriptors_that_end_at_a_full_backlog_are_not_counted),
	TEST(ports_that_squat_takes_before_a_load_begins_are_not_told),
	TEST(what_hangs_at_a_full_backlog_is_counted),
	TEST(what_a_pool_opens_for_requests_that_fail_is_not_told),
	TESTS_END,
};

const struct suite suite_doubt = {"plan: doubt", tests};
