/* What several loads come to, and what the seed decides of one. */
#include "plan/together.h"

#include <math.h>
#include <stdio.h>

#include "plan/fill.h"
#include "plan/part.h"
#include "plan_help.h"
#include "suites.h"

enum says { HOLDS, REFUSES, CANNOT_TELL };

static void loads_want_each_others_ports_only_where_they_may_have_them(void)
{
	static const struct {
		const char *loads;
		enum says says;
		uint64_t after, capacity;
	} rows[] = {
		{"{a: {end: leak, total: 20}, b: {end: leak, total: 20}}", REFUSES, 32, 32},
		{"{a: {end: leak, total: 16}, b: {end: leak, total: 16}}", HOLDS, 0, 32},
		/* the kernel keeps the ports of TCP and of UDP apart */
		{"{a: {end: leak, total: 20}, b: {protocol: udp, end: leak, total: 20}}", HOLDS, 0,
		 64},
		{"{a: {end: leak, total: 20}, b: {protocol: udp, end: leak, total: 40}}", REFUSES,
		 52, 64},
		{"{a: {protocol: udp, end: leak, total: 20}, b: {protocol: udp, end: leak, total: "
		 "20}}",
		 REFUSES, 32, 32},
		/* and those of IPv4 and of IPv6, but for what bind() takes */
		{"{a: {end: leak, total: 20}, b: {family: ipv6, end: leak, total: 20}}", HOLDS, 0,
		 64},
		{"{a: {end: leak, total: 20}, b: {family: mapped, end: leak, total: 20}}", REFUSES,
		 32, 32},
		{"{a: {end: leak, total: 20}, b: {family: ipv6, end: leak, total: 40}}", REFUSES,
		 52, 64},
		{"{a: {end: leak, bind: address, total: 32}, b: {start: 1s, family: ipv6, end: "
		 "leak, total: 1}}",
		 REFUSES, 32, 64},
		/* which takes them whatever the other's connect() has */
		{"{a: {end: leak, bind: address, total: 20}, b: {family: ipv6, end: leak, total: "
		 "20}}",
		 CANNOT_TELL, 0, 64},
		{"{a: {start: 2s, end: leak, bind: address, total: 20}, b: {family: ipv6, end: "
		 "leak, total: 20}}",
		 HOLDS, 0, 64},
		/* to all addresses it passes over the ports of both, which may be the same */
		{"{a: {family: ipv6, end: leak, total: 20}, b: {start: 2s, end: leak, bind: any, "
		 "total: 1}, c: {start: 2s, end: leak, total: 20}}",
		 CANNOT_TELL, 0, 64},
		{"{a: {end: leak, bind: address, total: 20}, b: {family: ipv6, end: leak, bind: "
		 "address, total: 20}}",
		 HOLDS, 0, 64},
		/* bind() to another address has the ports of ballast too */
		{"{a: {bind: ports 40000-40007, end: leak, total: 6}, b: {start: 1s, end: leak, "
		 "total: 2, ballast: 25%}}",
		 HOLDS, 0, 32},
		{"{a: {bind: address, end: leak, total: 25}, b: {start: 1s, end: leak, total: 1, "
		 "ballast: 25%}}",
		 CANNOT_TELL, 0, 32},
		{"{a: {bind: address, end: leak, total: 32}, b: {start: 1s, end: leak, total: 1, "
		 "ballast: 25%}}",
		 REFUSES, 32, 32},
		/* ports of their own */
		{"{a: {end: leak, bind: ports 50000-50031, total: 20}, b: {end: leak, total: 20}}",
		 HOLDS, 0, 64},
		{"{a: {end: leak, bind: ports 50000-50031, total: 20}, b: {end: leak, bind: ports "
		 "51000-51031, total: 33}}",
		 REFUSES, 52, 64},
		/* the ports of one are some of the other's: a quarter of what that has, likely */
		{"{a: {end: leak, total: 20}, b: {end: leak, bind: local-port-range 40000-40007, "
		 "total: 20}}",
		 REFUSES, 12, 32},
		/* what is begun by the clock is bounded too */
		{"{a: {end: leak, total: 2}, b: {end: leak, rate: 10/s, duration: 2s}}", HOLDS, 0,
		 32},
		/* hang in a backlog, whatever protocol the file's own section names */
		{"{a: {protocol: tcp, rate: 20/s, total: 200, end: reset}, b: {protocol: tcp, "
		 "rate: "
		 "20/s, total: 200, end: reset}}\nload: {protocol: udp}\nserver: {behaviour: "
		 "never-accept, backlog: 40}",
		 CANNOT_TELL, 0, 32},
		/* what shares a port leaves it in TIME_WAIT to the others; and one more between the same
		 * addresses and ports is refused, but for no want of a port */
		{"{srv: {bind: port 40006, rate: 10/s, total: 3, options: {reuseaddr: true}}, "
		 "other: {start: 1s, rate: 100/s, total: 32, end: leak}}",
		 CANNOT_TELL, 0, 32},
		{"{srv: {bind: port 40006, rate: 10/s, total: 3, options: {reuseaddr: true}}, "
		 "other: {start: 1s, rate: 100/s, total: 31, end: leak}}",
		 HOLDS, 0, 32},
		{"{dial: {bind: port 45000, rate: 20/s, total: 12, end: leak, options: {reuseaddr: "
		 "true}}, churn: {rate: 100/s, total: 50}}",
		 REFUSES, 33, 33},
		{"{dial: {bind: port 45000, rate: 20/s, total: 12, end: leak, options: {reuseaddr: "
		 "true}}, churn: {rate: 100/s, total: 32}}",
		 HOLDS, 0, 33},
		/* a pool opens what it does not keep: requests are no connections */
		{"{a: {total: 300, request: {send: 8B}, pool: {max_idle: 2}}, b: {total: 9}}",
		 CANNOT_TELL, 0, 32},
		{"{a: {total: 320}, b: {end: leak, total: 20}}", REFUSES, 32, 32},
		{"{a: {end: reset, total: 320}, b: {end: leak, total: 20}}", CANNOT_TELL, 0, 32},
		/* by the time that one asks, the other surely has them all, and keeps them */
		{"{a: {end: leak, total: 32}, b: {start: 1s, end: reset, total: 5}}", REFUSES, 32,
		 32},
		{"{a: {end: leak, total: 31}, b: {start: 1s, end: reset, total: 5}}", CANNOT_TELL,
		 0, 32},
		{"{a: {end: leak, total: 32}, b: {start: 50ms, end: reset, total: 5}}", CANNOT_TELL,
		 0, 32},
		{"{a: {total: 32}, b: {start: 1s, bind: port 40010, total: 1, "
		 "options: {reuseaddr: true}}}",
		 REFUSES, 32, 32},
		{"{a: {total: 32, options: {reuseaddr: true}}, b: {start: 1s, bind: port 40010, "
		 "total: 1, options: {reuseaddr: true}}}",
		 HOLDS, 0, 32},
		/* or has given them back */
		{"{a: {end: reset, concurrency: 4, total: 320}, b: {start: 2s, end: leak, total: "
		 "32}}",
		 HOLDS, 0, 32},
		{"{a: {end: reset, concurrency: 4, total: 320}, b: {start: 100ms, end: leak, "
		 "total: "
		 "32}}",
		 CANNOT_TELL, 0, 32},
		{"{a: {end: reset, total: 320}, b: {start: 2s, end: leak, total: 32}}", CANNOT_TELL,
		 0, 32},
		/* a client's connection that lasts is its only one, and a pool that keeps all has no more
		 * than its clients */
		{"{a: {hold: 40s, concurrency: 16}, b: {hold: 40s, concurrency: 16}}", HOLDS, 0,
		 32},
		{"{a: {hold: 40s, concurrency: 16}, b: {hold: 40s, concurrency: 17}}", REFUSES, 32,
		 32},
		{"{a: {hold: 20s, concurrency: 16}, b: {hold: 20s, concurrency: 16}}", REFUSES, 32,
		 32}, /* what each leaves in TIME_WAIT is in the way of its next */
		{"{a: {hold: 20s, end: reset, concurrency: 16}, b: {hold: 20s, end: reset, "
		 "concurrency: 16}}",
		 CANNOT_TELL, 0, 32},
		{"{a: {hold: 20s, end: reset, concurrency: 8}, b: {hold: 20s, end: reset, "
		 "concurrency: 8}}",
		 HOLDS, 0, 32},
		/* five rounds of 4 and four of 2, and then four of 4 */
		{"{a: {hold: 200ms, concurrency: 4, duration: 1s}, b: {hold: 300ms, concurrency: "
		 "2, duration: 1s}}",
		 HOLDS, 0, 32},
		{"{a: {hold: 200ms, concurrency: 4, duration: 1s}, b: {hold: 300ms, concurrency: "
		 "4, duration: 1s}}",
		 CANNOT_TELL, 0, 32},
		{"{a: {concurrency: 2, total: 300, request: {send: 8B}, pool: {max_idle: 2}}, b: "
		 "{total: 9}}",
		 HOLDS, 0, 32},
	};
	struct arena a = help_arena();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *lines =
			text_format(&a, "network: {ports: 40000-40031}\nloads: %s", rows[i].loads)
				.s;
		struct plan p = help_plan(lines, NULL, 1, &a);
		const struct forecast *f = &p.forecast;
		enum says says = !f->known ? CANNOT_TELL : !f->exhausts ? HOLDS : REFUSES;

		CU_ASSERT_EQUAL(f->counted, says == REFUSES);

		if (says != rows[i].says || f->after != rows[i].after)
			printf("\n%s: %d, %llu\n", lines, says, (unsigned long long)f->after);
		CU_ASSERT_EQUAL(says, rows[i].says);
		CU_ASSERT_EQUAL(f->after, rows[i].after);
		CU_ASSERT_EQUAL(together_capacity(&p), rows[i].capacity);
	}
	arena_close(&a);
}

/* Twelve of IPv6 and ten of IPv4 may have the same ports, and who finds those of both has asked before. */
static void who_has_asked_before_is_likely_refused_none(void)
{
	struct arena a = help_arena();
	struct plan p = help_plan(
		"network: {ports: 40000-40015}\nloads: {six: {family: ipv6, rate: 100/s, total: "
		"12, end: "
		"leak}, any: {rate: 100/s, total: 1, bind: any, end: leak, start: 200ms}, "
		"four: {rate: 100/s, total: 10, end: leak, start: 300ms}}",
		NULL, 1, &a);

	CU_ASSERT(!p.forecast.known && p.forecast.likely_run_ns == FOR_EVER);
	CU_ASSERT_EQUAL(fill_wanted(&p).likely, 13);
	arena_close(&a);
}

static void a_reserved_port_is_nobodys_but_who_names_it(void)
{
	struct arena a = help_arena();
	struct plan p =
		help_plan("network: {ports: 40000-40031, reserved: [40010]}\n"
			  "loads: {a: {end: leak, total: 31}, b: {end: leak, bind: port 40010, "
			  "total: 1}}",
			  NULL, 1, &a);

	CU_ASSERT(p.forecast.known && !p.forecast.exhausts);
	CU_ASSERT_EQUAL(together_capacity(&p), 32);
	arena_close(&a);
}

/* A service in the range is the load's own port, for as long as somebody listens there. */
static void who_dies_gives_its_port_up(void)
{
	struct arena a = help_arena();
	struct plan p =
		help_plan("network: {topology: loopback, ports: 40000-40031, services: "
			  "[30010]}\nserver: {die: 300ms}\nloads: {client: {concurrency: 4, "
			  "total: 16}, server: {start: 500ms, bind: port 30010, total: 1}}",
			  NULL, 1, &a);

	CU_ASSERT(!p.forecast.known && !p.forecast.exhausts);
	arena_close(&a);
}

/* A far end that closes once it has answered waits for a request wherever any load sends one. */
static void who_sends_nothing_beside_requests_closes_first(void)
{
	static const struct {
		const char *request;
		bool runs_out;
	} rows[] = {{", end: wait", false},
		    {", end: wait, request: {send: 8B, receive: 8B}", true}};
	struct arena a = help_arena();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct plan p = help_plan(
			text_format(&a,
				    "network: {ports: 40000-40031}\nserver: {behaviour: close}\n"
				    "loads: {beside: {rate: 10/s, total: "
				    "2%s}, waits: {rate: 100/s, total: "
				    "60, end: wait}}",
				    rows[i].request)
				.s,
			NULL, 1, &a);

		CU_ASSERT_EQUAL(p.forecast.exhausts, rows[i].runs_out);
		CU_ASSERT(p.forecast.known);
	}
	arena_close(&a);
}

/* Two loads that each begin with the first pair give that one a connection more. */
static void a_pair_may_have_a_connection_more_than_the_others(void)
{
	struct arena a = help_arena();
	struct plan p = help_plan("network: {ports: 40000-40001, servers: 2}\n"
				  "loads: {a: {end: leak, total: 1}, b: {end: leak, total: 3}}",
				  NULL, 1, &a);

	CU_ASSERT(!p.forecast.known); /* 4 connections, 4 ports; but 1 + 2 of them to the first */
	p = help_plan("network: {ports: 40000-40001, servers: 2}\n"
		      "loads: {a: {end: leak, total: 2}, b: {end: leak, total: 2}}",
		      NULL, 1, &a);
	CU_ASSERT(p.forecast.known && !p.forecast.exhausts);
	arena_close(&a);
}

/* Those that are reset give their ports back; those that leak take the range, one by one. */
static void leaks_among_others_end_the_ports_when_the_seed_says(void)
{
	const char *lines = "network: {ports: 40000-40031}\n"
			    "load: {concurrency: 4, end: reset, mix: {leak: 10%}, total: 2000}";
	struct arena a = help_arena();

	for (uint64_t seed = 0; seed < 8; seed++) {
		struct plan p = help_plan(lines, NULL, seed, &a);
		uint64_t leaked = 0, n = 0;

		while (leaked < 32)
			leaked += plan_end(&p, &p.loads[0], n++) == END_LEAK;
		CU_ASSERT(p.forecast.known && p.forecast.exhausts && p.forecast.counted);
		CU_ASSERT_EQUAL(p.forecast.after, n);
		CU_ASSERT_EQUAL(p.forecast.after_most, n);
		CU_ASSERT(p.forecast.after_least > n / 2 && p.forecast.after_least < n);
	}
	arena_close(&a);
}

/* Of 150 a second half leak, and the others have their ports for a second: 75 at any time. */
static void leaks_and_ports_that_come_back_are_counted_together(void)
{
	struct arena a = help_arena();

	for (uint64_t seed = 0; seed < 8; seed++) {
		struct plan p = help_plan(
			"network: {ports: 40000-40255, sysctl: {net.ipv4.tcp_tw_reuse: 1}}\n"
			"load: {rate: 150/s, total: 600, mix: {leak: 50%}}",
			NULL, seed, &a);
		const struct forecast *f = &p.forecast;
		uint64_t leaked = 0, waiting = 0;

		for (uint64_t i = 0; i < f->after; i++)
			if (plan_end(&p, &p.loads[0], i) == END_LEAK)
				leaked++;
			else
				waiting += i + 150 > f->after;
		CU_ASSERT(f->known && f->exhausts && f->counted);
		CU_ASSERT_EQUAL(leaked + waiting, 256);
		CU_ASSERT(f->after_least <= f->after && f->after <= f->after_most);
		CU_ASSERT(f->after_least > f->after - 40);
		CU_ASSERT(f->after_most < f->after + 40);
	}
	arena_close(&a);
}

/* Whose ports come back is no matter before the first of them does; and what is bound for all destinations
 * meets each of the others' ports once for each of them. */
static void loads_fill_their_ports_before_any_comes_back(void)
{
	static const struct {
		const char *lines;
		bool known, exhausts;
		uint64_t after;
	} rows[] = {
		{"network: {ports: 40000-40063}\nserver: {behaviour: drop}\n"
		 "loads: {a: {rate: 50/s, timeout: 2s}, b: {rate: 50/s, timeout: 1200ms}}",
		 true, true, 0},
		{"network: {ports: 40000-40063}\n"
		 "loads: {a: {rate: 50/s, hold: 2s, end: reset}, b: {rate: 50/s, hold: 1200ms, "
		 "end: "
		 "reset}}",
		 true, true, 64},
		{"network: {ports: 40000-40063}\nserver: {behaviour: drop}\n"
		 "loads: {a: {rate: 50/s, timeout: 2s}, b: {rate: 50/s, timeout: 500ms}}",
		 true, true, 0},
		/* the second gives up with its first connect, after 0.5 s: 25, and what the first has by then */
		{"network: {ports: 40000-40159}\nserver: {behaviour: drop}\n"
		 "loads: {a: {rate: 50/s, timeout: 2s}, b: {rate: 50/s, timeout: 500ms}}",
		 true, false, 0},
		/* but its timer may be 0.25 s late */
		{"network: {ports: 40000-40039}\nserver: {behaviour: drop}\n"
		 "load: {rate: 20/s, timeout: 1s}\nloads: {a: {}, b: {}}",
		 false, false, 0},
		{"network: {ports: 40000-40127}\nserver: {behaviour: drop}\n"
		 "load: {on_failure: continue}\n"
		 "loads: {a: {rate: 50/s, timeout: 2s}, b: {rate: 100/s, timeout: 500ms}}",
		 true, true, 0},
		/* 30 are bound, and then 25 are opened to each of four */
		{"network: {ports: 40000-40063, servers: 4}\n"
		 "loads: {a: {bind: address, rate: 20/s, total: 30, end: leak}, "
		 "b: {rate: 50/s, total: 100, end: leak, start: 2s}}",
		 true, false, 0},
		{"network: {ports: 40000-40063, servers: 4}\n"
		 "loads: {a: {bind: address, rate: 20/s, total: 40, end: leak}, "
		 "b: {rate: 50/s, total: 120, end: leak, start: 3s}}",
		 true, true, 136}, /* 40 + 24 to each of four */
		/* the second would ask again after 1 s, and is over by then */
		{"network: {ports: 40000-40031}\nloads: {a: {rate: 1k/s, total: 32, start: 500ms, "
		 "end: leak}, "
		 "b: {rate: 1/s, duration: 1s, end: reset}}",
		 false, false, 0},
		{"network: {ports: 40000-40031}\nloads: {a: {rate: 1k/s, total: 32, start: 500ms, "
		 "end: leak}, "
		 "b: {rate: 1/s, duration: 1001ms, end: reset}}",
		 true, true, 33}, /* with its first */
		/* 22 and 6 to each of two, if all answers took as long: else up to 40 to one */
		{"network: {ports: 40000-40027, servers: 2}\nserver: {delay: 100ms}\n"
		 "load: {end: reset, request: {send: 8B, receive: 8B}}\n"
		 "loads: {a: {concurrency: 36}, b: {concurrency: 4}}",
		 true, false, 0},
		{"network: {ports: 40000-40027, servers: 2}\nserver: {delay: 100ms, jitter: 95%}\n"
		 "load: {end: reset, request: {send: 8B, receive: 8B}}\n"
		 "loads: {a: {concurrency: 36}, b: {concurrency: 4}}",
		 false, false, 0},
		/* 30 to each of two, if they took turns: drawn, one may have more than 32 */
		{"network: {ports: 40000-40031, servers: 2, choose: seed}\n"
		 "loads: {a: {rate: 100/s, total: 30, end: leak}, "
		 "b: {rate: 100/s, total: 30, end: leak}}",
		 false, false, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(rows[i].lines, NULL, 1, &a);

		if (p.forecast.known != rows[i].known || p.forecast.exhausts != rows[i].exhausts)
			printf("\n%s: %d %d\n", rows[i].lines, p.forecast.known,
			       p.forecast.exhausts);
		CU_ASSERT_EQUAL(p.forecast.known, rows[i].known);
		CU_ASSERT_EQUAL(p.forecast.exhausts, rows[i].exhausts);
		CU_ASSERT_EQUAL(p.forecast.after, rows[i].after);
		arena_close(&a);
	}
}

/* 2 ms apart until 0.256 s; but the second load begins the last of them, at 0.3 s. */
/* 30 wait of both, and so 15 of each: the 20 ports of neither are used up, though each alone would wait with all
 * of them. */
static void what_may_wait_at_once_all_loads_share(void)
{
#define TWO(buckets) \
	"network: {services: 2, sysctl: {net.ipv4.tcp_max_tw_buckets: " buckets "}}\n" \
	"loads: {a: {rate: 200/s, total: 100, bind: ports 40000-40019}, " \
	"b: {rate: 200/s, total: 100, bind: ports 41000-41019}}"
	struct arena a = help_arena();
	struct plan p = help_plan(TWO("30"), NULL, 1, &a);

	CU_ASSERT_FALSE(p.forecast.known);
	CU_ASSERT_EQUAL(p.forecast.buckets, 30);
	p = help_plan(TWO("40"), NULL, 1, &a);
	CU_ASSERT(p.forecast.known && p.forecast.exhausts);
	CU_ASSERT_EQUAL(p.forecast.buckets, 0);
	arena_close(&a);
#undef TWO
}

static void a_load_that_starts_late_is_waited_for(void)
{
	struct arena a = help_arena();
	struct plan p =
		help_plan("network: {ports: 40000-40127}\nloads: {hog: {rate: 500/s, total: "
			  "128, end: leak}, victim: {rate: 20/s, total: 20, start: 300ms}}",
			  NULL, 1, &a);

	CU_ASSERT(p.forecast.exhausts && p.forecast.counted);
	CU_ASSERT_EQUAL(p.forecast.at.least, 300e6);
	CU_ASSERT_EQUAL(p.forecast.at.likely, 300e6);
	CU_ASSERT(p.forecast.at.most > 300e6 && p.forecast.at.most < 500e6);
	arena_close(&a);
}

static void what_a_load_draws_is_counted_of_that_load(void)
{
	struct arena a = help_arena();
	struct plan p = help_plan("network: {ports: 40000-40031, servers: 8, choose: seed}\n"
				  "loads: {a: {total: 10}, b: {end: leak}}",
				  NULL, 1, &a);

	CU_ASSERT(p.loads[0].budget.first > 0 && p.loads[0].budget.first < 256);
	CU_ASSERT(p.loads[1].budget.first > 0 && p.loads[1].budget.first < 256);
	CU_ASSERT_NOT_EQUAL(p.loads[0].budget.first, p.loads[1].budget.first);
	arena_close(&a);
}

/* Of TCP's ports it is not, for how often a connection is used again decides; of UDP's it is. */
static void what_one_load_does_not_tell_is_not_told_of_all(void)
{
	struct arena a = help_arena();
	struct plan p = help_plan("loads: {a: {pool: {max_idle: 2}}, b: {end: reset}, "
				  "c: {protocol: udp, end: leak}}",
				  NULL, 1, &a);

	struct load_plan loads[3];
	struct part parts[PARTS_MOST];
	struct plan part;

	CU_ASSERT(isnan(p.forecast.rate));
	CU_ASSERT_EQUAL_FATAL(parts_of(parts, &p), 2);
	part_of(&part, &p, parts[0], loads);
	CU_ASSERT(isnan(part.forecast.rate));
	part_of(&part, &p, parts[1], loads);
	CU_ASSERT_EQUAL(part.forecast.rate, 0);
	CU_ASSERT_STRING_EQUAL(part_name(parts[1], &p), "UDP");
	arena_close(&a);
}

/* The rates were 32/s, that of who has fewest ports by itself; a run carried 205/s, and no refusal. */
static void loads_that_want_not_the_very_same_carry_so_much_at_least(void)
{
	static const struct {
		const char *loads;
		double rate;
		bool is_least;
	} rows[] = {
		{"{a: {rate: 200/s}, b: {rate: 5/s, bind: address}}", 32, true},
		/* 64 ports of the one, and half a second longer of the other */
		{"{a: {rate: 200/s, hold: 500ms}, b: {rate: 5/s, bind: address}}", 25.6, true},
		{"{a: {rate: 200/s}, b: {concurrency: 1, hold: 500ms}}", 512, true},
		{"{a: {rate: 200/s}, b: {rate: 5/s}}", 640, false},
		{"{a: {rate: 200/s}, b: {concurrency: 1}}", 640, false},
		{"{a: {rate: 200/s}, b: {rate: 5/s, bind: address, end: leak}}", 0, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(text_format(&a,
						      "network: {ports: 40000-40063, servers: 20, "
						      "time_wait: 2s}\nloads: %s",
						      rows[i].loads)
						  .s,
					  NULL, 1, &a);

		if (p.forecast.rate_is_least != rows[i].is_least)
			printf("\n%s: %g\n", rows[i].loads, p.forecast.rate);
		CU_ASSERT_DOUBLE_EQUAL(p.forecast.rate, rows[i].rate, 1e-6);
		CU_ASSERT_EQUAL(p.forecast.rate_is_least, rows[i].is_least);
		arena_close(&a);
	}
}

/* One load's ports end before their time (tcp_max_tw_buckets), another's never come back: no rate is sustained,
 * whichever stands first. */
static void what_leaks_sustains_nothing_in_either_order(void)
{
	static const char *const loads[] = {
		"a: {rate: 300/s, end: leak}, b: {rate: 400/s}",
		"b: {rate: 400/s}, a: {rate: 300/s, end: leak}",
	};

	for (size_t i = 0; i < 2; i++) {
		struct arena a = help_arena();
		const char *lines = text_format(&a,
						"network: {ports: 40000-40063, sysctl: "
						"{net.ipv4.tcp_max_tw_buckets: 49}}\nloads: {%s}",
						loads[i])
					    .s;
		struct plan p = help_plan(lines, NULL, 1, &a);

		CU_ASSERT_EQUAL(p.forecast.rate, 0);
		CU_ASSERT(!p.forecast.rate_is_least);
		arena_close(&a);
	}
}

static const struct test tests[] = {
	TEST(loads_fill_their_ports_before_any_comes_back),
	TEST(loads_want_each_others_ports_only_where_they_may_have_them),
	TEST(who_has_asked_before_is_likely_refused_none),
	TEST(a_reserved_port_is_nobodys_but_who_names_it),
	TEST(who_dies_gives_its_port_up),
	TEST(who_sends_nothing_beside_requests_closes_first),
	TEST(a_pair_may_have_a_connection_more_than_the_others),
	TEST(leaks_among_others_end_the_ports_when_the_seed_says),
	TEST(leaks_and_ports_that_come_back_are_counted_together),
	TEST(what_may_wait_at_once_all_loads_share),
	TEST(a_load_that_starts_late_is_waited_for),
	TEST(what_a_load_draws_is_counted_of_that_load),
	TEST(what_one_load_does_not_tell_is_not_told_of_all),
	TEST(loads_that_want_not_the_very_same_carry_so_much_at_least),
	TEST(what_leaks_sustains_nothing_in_either_order),
	TESTS_END,
};

const struct suite suite_together = {"together", tests};
