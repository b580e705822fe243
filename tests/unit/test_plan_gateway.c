#include <math.h>
#include <stdio.h>

#include "plan/predict.h"
#include "plan_help.h"
#include "suites.h"

#define BEHIND "network: {topology: nat, nat: {ports: 40000-40063}}\n"
#define CONE \
	"network: {topology: nat, servers: 4, nat: {ports: 40000-40063, mapping: " \
	"endpoint-independent, mapping_time: 1s}}\n"

/* A SYN that the full gateway drops is sent again a second later, by when a port may have come back. */
static const struct {
	const char *lines;
	uint64_t least, full; /* 0: it is not full for sure */
	uint64_t after;	      /* 0: more than those pass, until the end */
	bool times_out;
	bool known; /* that the client has ports enough */
} rows[] = {
	{BEHIND "load: {rate: 70/s, duration: 6s, hold: 1s, timeout: 4s}", 64, 64, 0, false, true},
	{BEHIND "load: {rate: 70/s, duration: 6s, hold: 10s, timeout: 4s}", 64, 64, 64, true, true},
	{BEHIND "load: {rate: 70/s, duration: 6s, hold: 4s, timeout: 4s}", 64, 64, 0, false, true},
	{BEHIND "load: {rate: 70/s, duration: 6s, hold: 4s, timeout: 500ms}", 64, 64, 64, true,
	 true},
	{BEHIND "load: {rate: 70/s, duration: 6s, hold: 4s, timeout: 500ms, on_failure: continue}",
	 64, 64, 0, true, true},
	{BEHIND "load: {rate: 70/s, total: 80, hold: 4s, timeout: 500ms, on_failure: continue}", 64,
	 64, 64, true, true},
	{BEHIND "load: {rate: 60/s, duration: 6s, hold: 1s, timeout: 4s}", 0, 0, 0, false, true},
	{BEHIND "load: {rate: 70/s, total: 64, hold: 1s}", 0, 0, 0, false, true},
	{BEHIND "load: {concurrency: 70, total: 90, hold: 5s, timeout: 200ms, on_failure: "
		"continue}",
	 64, 64, 64, true, true},
	{BEHIND "load: {concurrency: 70, total: 900, hold: 5s, timeout: 200ms, on_failure: "
		"continue}",
	 64, 64, 0, true, true},
	/* a pool opens one for each request that is under way at once, and keeps it */
	{BEHIND "server: {delay: 100ms}\nload: {concurrency: 70, duration: 3s, timeout: 500ms, "
		"request: {send: 8B, receive: 8B}, pool: {max_idle: 70}, on_failure: continue}",
	 64, 64, 64, true, true},
	{BEHIND "server: {delay: 100ms}\nload: {concurrency: 70, duration: 3s, timeout: 500ms, "
		"request: {send: 8B, receive: 8B}, pool: {max_idle: 8}, on_failure: continue}",
	 64, 64, 0, true, false},
	{BEHIND "server: {delay: 100ms}\nload: {concurrency: 60, duration: 3s, timeout: 500ms, "
		"request: {send: 8B, receive: 8B}, pool: {max_idle: 60}, on_failure: continue}",
	 0, 0, 0, false, true},
	/* 256 have one if each port of the client's is had four times, and that is not so */
	{CONE "load: {rate: 200/s, duration: 4s, hold: 1s, timeout: 500ms}", 64, 128, 0, true,
	 true},
	{CONE "load: {rate: 200/s, duration: 4s, end: leak, bind: address, timeout: 100ms}", 64, 64,
	 64, true, true},
};

static void a_syn_that_is_sent_again_may_find_a_port(void)
{
	const struct host host = help_host();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(rows[i].lines, &host, 1, &a);
		const struct forecast *f = &p.forecast;

		if (f->full_after != rows[i].full || f->times_out_after != rows[i].after ||
		    f->times_out != rows[i].times_out || f->known != rows[i].known)
			printf("%s: full %d, times out %d, after %d, known %d\n", rows[i].lines,
			       (int)f->full_after, f->times_out, (int)f->times_out_after, f->known);
		CU_ASSERT_EQUAL(f->full_least, rows[i].least);
		CU_ASSERT_EQUAL(f->full_after, rows[i].full);
		CU_ASSERT_EQUAL(f->times_out, rows[i].times_out);
		CU_ASSERT_EQUAL(f->times_out_after, rows[i].after);
		CU_ASSERT_EQUAL(f->known, rows[i].known);
		CU_ASSERT_FALSE(f->exhausts);
		arena_close(&a);
	}
}

/* What it has no port for it drops, and no more are open than it has ports. */
static void what_is_foretold_of_a_full_gateway_can_be_broken(void)
{
	const struct host host = help_host();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(rows[i].lines, &host, 1, &a);
		bool is_cone = nat_maps_for_all(&p.scenario->network.nat);
		struct foretold said[PREDICTIONS];

		predict(said, &p, 1e9);
		CU_ASSERT_EQUAL(said[PREDICTION_DROPS].told, rows[i].full > 0 && !is_cone);
		CU_ASSERT_EQUAL(said[PREDICTION_UNMAPPED].told, rows[i].full > 0 && is_cone);
		CU_ASSERT_EQUAL(said[PREDICTION_GATEWAY].told, rows[i].after > 0);
		CU_ASSERT(said[PREDICTION_OPEN].value.most <= p.nat.carriage.at_once ||
			  (is_cone && p.destinations > 1));
		arena_close(&a);
	}
}

#define OWN \
	"network: {topology: nat, ports: 40000-40007, sources: 4, servers: 2, nat: {ports: " \
	"2000-2015}}\n"

static void what_two_threads_have_open_is_not_counted_at_once(void)
{
	static const struct {
		const char *lines;
		double most;
	} open[] = {
		{BEHIND "load: {concurrency: 80, total: 900, end: reset}", 64},
		{BEHIND "loads: {a: {concurrency: 80, total: 900, end: reset}, b: {rate: 10/s, "
			"total: 20}}",
		 80},
	};
	const struct host host = help_host();

	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(open[i].lines, &host, 1, &a);
		struct foretold said[PREDICTIONS];

		predict(said, &p, 1e9);
		CU_ASSERT_EQUAL(said[PREDICTION_OPEN].value.most, open[i].most);
		arena_close(&a);
	}
}

/* It never comes to the gateway, which has as many; but where connects hang at a host that is gone, it
 * tracks them for longer than they have their ports. */
static void what_lacks_a_port_of_its_own_fills_no_gateway(void)
{
	static const struct {
		const char *lines;
		bool known;
	} own[] = {
		{OWN "load: {bind: ports 40000-40007, rate: 200/s, total: 90, end: leak}", true},
		{OWN "server: {vanish: 100ms}\nload: {bind: ports 40000-40007, rate: 200/s, total: "
		     "90, end: leak}",
		 false},
	};
	const struct host host = help_host();

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(own[i].lines, &host, 1, &a);

		CU_ASSERT_EQUAL(p.forecast.full_after, 0);
		CU_ASSERT_EQUAL(p.forecast.known, own[i].known);
		CU_ASSERT_EQUAL(p.forecast.exhausts, own[i].known);
		CU_ASSERT_EQUAL(p.forecast.after, own[i].known ? 32 : 0);
		arena_close(&a);
	}
}

#define FEW "network: {topology: nat, ports: 40000-40063, nat: {ports: 2000-2015}}\n"

/* What is open at once of several loads, each by its clock; and whose server is gone meanwhile. */
static void several_loads_fill_a_gateway_together(void)
{
	static const struct {
		const char *lines;
		bool is_full, times_out;
	} several[] = {
		{FEW "loads: {a: {rate: 40/s, duration: 2s, end: leak, on_failure: continue}, b: "
		     "{rate: "
		     "20/s, duration: 2s, end: leak, on_failure: continue}}",
		 true, true},
		{FEW
		 "loads: {a: {rate: 40/s, duration: 2s, hold: 1s, on_failure: continue}, b: {rate: "
		 "20/s, duration: 2s, end: leak, on_failure: continue}}",
		 true, false},
		/* what is closed may give its port to another */
		{FEW "loads: {a: {rate: 40/s, duration: 2s}, b: {rate: 20/s, duration: 2s}}", false,
		 false},
		{FEW
		 "loads: {a: {rate: 2/s, duration: 2s, end: leak}, b: {rate: 2/s, duration: 2s, "
		 "end: leak}}",
		 false, false},
		{FEW "server: {vanish: 200ms}\nload: {rate: 50/s, total: 60, end: leak, timeout: "
		     "500ms, on_failure: continue}",
		 true, false},
		/* who has eight ports of the client's fills no more of the gateway's */
		{FEW "loads: {a: {rate: 400/s, duration: 2s, end: leak, bind: ports 40000-40007, "
		     "on_failure: continue}, b: {rate: 2/s, duration: 2s}}",
		 false, false},
		/* the first refusal of a port of the client's ends it before */
		{FEW "load: {rate: 50/s, total: 80, end: leak, timeout: 2s}", true, false},
	};
	const struct host host = help_host();

	for (size_t i = 0; i < sizeof(several) / sizeof(several[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(several[i].lines, &host, 1, &a);
		struct foretold said[PREDICTIONS];

		predict(said, &p, 1e9);
		if ((p.forecast.full_after > 0) != several[i].is_full)
			printf("%s: full after %d\n", several[i].lines, (int)p.forecast.full_after);
		CU_ASSERT_EQUAL(p.forecast.full_after > 0, several[i].is_full);
		CU_ASSERT_EQUAL(p.forecast.times_out, several[i].times_out);
		CU_ASSERT_EQUAL(said[PREDICTION_DROPS].told, several[i].is_full);
		arena_close(&a);
	}
}

/* By its ports, which is the least, or by a limit; of one load, or of several in their shares. */
static void what_a_gateway_carries_is_by_its_ports_or_its_limit(void)
{
	static const struct {
		const char *lines;
		double rate;
		bool is_least, is_limit;
		bool fits; /* each has a port for sure */
	} carried[] = {
		/* a RST that answers the SYN deletes what it tracks */
		{FEW "server: {behaviour: refuse}\nload: {rate: 200/s, total: 300}", INFINITY,
		 false, false, true},
		{FEW "load: {rate: 2/s, total: 300, end: reset}", 1.6, true, false, false},
		/* no more than the client's 32 ports, and yet no limit */
		{"network: {topology: nat, ports: 40000-40031, nat: {ports: 2000-2031, sysctl: "
		 "{net.netfilter.nf_conntrack_tcp_timeout_time_wait: 60}}}\nload: {rate: 1/s}",
		 32 / 60., false, false, true},
		{"network: {topology: nat, nat: {limit: 25}}\nload: {rate: 10/s, hold: 2s}", 12.5,
		 false, true, false},
		/* 10/s for 10.1 s are 101, and three more after a stall */
		{"network: {topology: nat, nat: {ports: 1000-1102}}\nload: {rate: 10/s, hold: "
		 "100ms, end: reset}",
		 103 / 10.1, true, false, false},
		{"network: {topology: nat, nat: {ports: 1000-1103}}\nload: {rate: 10/s, hold: "
		 "100ms, end: reset}",
		 104 / 10.1, true, false, true},
		/* 20/s, half of them for 2 s and half for 0.5 s */
		{"network: {topology: nat, nat: {limit: 25}}\nloads: {a: {rate: 10/s, hold: 2s}, "
		 "b: "
		 "{rate: 10/s, end: reset, hold: 500ms}}",
		 25 / 1.25, false, true, false},
		{FEW "loads: {a: {rate: 10/s, end: reset}, b: {rate: 10/s}}", 16 / 65., true, false,
		 false},
	};
	const struct host host = help_host();

	for (size_t i = 0; i < sizeof(carried) / sizeof(carried[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(carried[i].lines, &host, 1, &a);
		const struct forecast *f = &p.forecast;

		if (fabs(f->rate - carried[i].rate) > 1e-9)
			printf("%s: %g/s\n", carried[i].lines, f->rate);
		CU_ASSERT(isinf(carried[i].rate) ? isinf(f->rate)
						 : fabs(f->rate - carried[i].rate) < 1e-9);
		CU_ASSERT_EQUAL(f->rate_is_least, carried[i].is_least);
		CU_ASSERT_EQUAL(f->rate_is_limit, carried[i].is_limit);
		if (p.nat.fits != carried[i].fits)
			printf("%s: fits %d\n", carried[i].lines, p.nat.fits);
		CU_ASSERT_EQUAL(p.nat.fits, carried[i].fits);
		CU_ASSERT(!p.nat.fits || (f->known && !f->exhausts && f->full_after == 0));
		arena_close(&a);
	}
}

/* The gateway is there before any forecast, and none hangs on one that was made before. */
static void a_forecast_that_is_made_again_is_the_same(void)
{
	static const char *const loads[] = {"concurrency: 17, duration: 100ms", "concurrency: 10",
					    "rate: 10/s, duration: 1s"};

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		struct arena a = help_arena();
		const char *lines = text_format(&a,
						FEW "load: {%s, request: {send: 8B, receive: 8B}, "
						    "pool: {max_idle: 4}}",
						loads[i])
					    .s;
		struct plan p = help_plan(lines, NULL, 1, &a);
		const struct forecast first = p.forecast;

		plan_foresee(&p);
		CU_ASSERT_EQUAL(p.forecast.known, first.known);
		CU_ASSERT_EQUAL(p.forecast.likely_run_ns, first.likely_run_ns);
		arena_close(&a);
	}
}

/* Of an odd range a client may miss one port, and have no more than its gateway has. */
static void a_gateway_is_full_when_more_come_for_sure(void)
{
	static const struct {
		const char *ports, *loads;
		uint64_t full;
	} odd[] = {
		{"40000-40064", "load: {rate: 1k/s, total: 179, hold: 1s}", 0},
		{"40000-40065", "load: {rate: 1k/s, total: 179, hold: 1s}", 64},
		{"40000-40064",
		 "loads: {a: {rate: 1k/s, total: 90, hold: 1s}, b: {rate: 1k/s, total: 90, hold: "
		 "1s}}",
		 0},
		{"40000-40065",
		 "loads: {a: {rate: 1k/s, total: 90, hold: 1s}, b: {rate: 1k/s, total: 90, hold: "
		 "1s}}",
		 64},
	};

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(
			text_format(
				&a,
				"network: {topology: nat, ports: %s, nat: {ports: 2000-2063}}\n%s",
				odd[i].ports, odd[i].loads)
				.s,
			NULL, 1, &a);

		CU_ASSERT_EQUAL(p.forecast.full_after, odd[i].full);
		arena_close(&a);
	}
}

/* Ports of the gateway, what it is told, and whether the client can want for one there. */
static void with_as_many_ports_as_its_clients_it_lacks_none(void)
{
	static const struct {
		const char *nat, *load;
		bool lacks;
	} few[] = {
		{"servers: 2, nat: {ports: 2000-2063}", "rate: 1/s", false},
		{"servers: 2, nat: {ports: 2000-2062}", "rate: 1/s", true},
		{"servers: 2, nat: {ports: 2000-2063, redirect: true}", "rate: 1/s", true},
		/* a port of UDP is one for both, and two connections to what is one behind it */
		{"servers: 2, nat: {ports: 2000-2063, redirect: true}",
		 "protocol: udp, rate: 1/s, request: {send: 8B, receive: 8B}", true},
		{"servers: 2, nat: {ports: 2000-2063, mapping: endpoint-independent}",
		 "protocol: udp, rate: 1/s, request: {send: 8B, receive: 8B}", false},
		{"sources: 2, nat: {ports: 2000-2063}", "rate: 1/s", true},
	};

	for (size_t i = 0; i < sizeof(few) / sizeof(few[0]); i++) {
		struct arena a = help_arena();
		struct plan p =
			help_plan(text_format(&a,
					      "network: {topology: nat, ports: 40000-40063, "
					      "%s}\nload: {%s}",
					      few[i].nat, few[i].load)
					  .s,
				  NULL, 1, &a);

		CU_ASSERT_EQUAL(carriage_lacks(&p.nat.carriage), few[i].lacks);
		arena_close(&a);
	}
}

static const struct test tests[] = {
	TEST(a_gateway_is_full_when_more_come_for_sure),
	TEST(a_forecast_that_is_made_again_is_the_same),
	TEST(what_two_threads_have_open_is_not_counted_at_once),
	TEST(what_lacks_a_port_of_its_own_fills_no_gateway),
	TEST(several_loads_fill_a_gateway_together),
	TEST(what_a_gateway_carries_is_by_its_ports_or_its_limit),
	TEST(with_as_many_ports_as_its_clients_it_lacks_none),
	TEST(a_syn_that_is_sent_again_may_find_a_port),
	TEST(what_is_foretold_of_a_full_gateway_can_be_broken),
	TESTS_END,
};

const struct suite suite_plan_gateway = {"plan: gateway", tests};
