/* Who is where: addresses, ports and places of the plan. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plan/plan.h"
#include "plan/predict.h"
#include "plan_help.h"
#include "suites.h"

static void veth_and_loopback_have_networks_of_their_own(void)
{
	struct arena a = help_arena();
	const struct host host = help_host();
	struct plan p = help_plan("network: {sources: 3, servers: 2, services: 4}", &host, 1, &a);

	CU_ASSERT(address_eq(p.sources.list[0], address_ipv4(0x0a4d0001)));
	CU_ASSERT_EQUAL(p.sources.count, 3);
	CU_ASSERT(address_eq(p.servers.list[0], address_ipv4(0x0a4d8001)));
	CU_ASSERT_EQUAL(p.destinations, 8);
	CU_ASSERT_EQUAL(p.budget.pairs, 24);
	CU_ASSERT(address_eq(plan_server(&p, 0), address_ipv4(0x0a4d8001)));
	CU_ASSERT_EQUAL(plan_service(&p, 0), 7000);
	CU_ASSERT(address_eq(plan_server(&p, 7), address_ipv4(0x0a4d8002)));
	CU_ASSERT_EQUAL(plan_service(&p, 7), 7003);
	p = help_plan("network: {topology: loopback}", &host, 1, &a);
	CU_ASSERT(address_eq(p.sources.list[0], address_ipv4(0x7f000001)));
	CU_ASSERT(address_eq(p.servers.list[0], address_ipv4(0x7f000001)));
	arena_close(&a);
}

static void a_gateway_has_addresses_between_them(void)
{
	struct arena a = help_arena();
	const struct host host = help_host();
	struct plan p =
		help_plan("network: {topology: nat, sources: 2, nat: {clients: 3, addresses: 4}}",
			  &host, 1, &a);

	CU_ASSERT_EQUAL(p.sources.count, 6);
	CU_ASSERT(p.loads[0].bind_source);
	CU_ASSERT(address_eq(p.nat.inside.list[0], address_ipv4(0x0a4d4001)));
	CU_ASSERT_EQUAL(p.nat.inside.count, 1);
	CU_ASSERT(address_eq(p.nat.outside.list[3], address_ipv4(0x0a4dc004)));
	CU_ASSERT_EQUAL(p.nat.outside.count, 4);
	p = help_plan("network: {sources: 2}", &host, 1, &a);
	CU_ASSERT_EQUAL(p.nat.outside.count, 0);
	arena_close(&a);
}

/* What of a load a gateway lets through, and what the client's own ports have to do with it. */
static void a_gateway_ends_sooner_than_the_ports(void)
{
#define BEHIND(keys) "network: {topology: nat, ports: 40000-40999, nat: {" keys "}}\n"
#define CONE(keys) \
	"network: {topology: nat, ports: 40000-40999, services: 2, nat: {ports: 2000-2031, " \
	"mapping: endpoint-independent" keys "}}\n"
#define ONE \
	"network: {topology: nat, ports: 40000-40999, servers: 4, nat: {ports: 2000-2031, " \
	"redirect: true}}\n"
#define QUERY "protocol: udp, request: {send: 64B, receive: 64B}"
	static const struct {
		const char *lines;
		uint64_t after; /* 0: no timeouts for sure */
		bool known;	/* what becomes of the client's own ports */
		double rate;
	} rows[] = {
		{BEHIND("ports: 2000-2031") "load: {end: leak}", 32, false, 0},
		{BEHIND("ports: 2000-2031") "load: {end: leak, total: 32}", 0, true, 0},
		{BEHIND("ports: 2000-2031") "load: {end: leak, total: 33}", 32, true, 0},
		{BEHIND("ports: 2000-2031, addresses: 2") "load: {end: leak}", 64, false, 0},
		{BEHIND("ports: 2000-2199") "load: {end: leak}", 200, false, 0},
		{BEHIND("ports: 2000-2255") "load: {end: leak, rate: 100/s}", 256, false, 0},
		{BEHIND("ports: 2000-2255") "load: {rate: 100/s, hold: 30s}", 256, false,
		 256 / 150.},
		{BEHIND("limit: 10") "load: {end: leak}", 10, false, 0},
		{BEHIND("limit: 5k") "load: {end: leak}", 0, true, 0},
		{BEHIND("ports: 2000-2031") "load: {rate: 100/s, hold: 10s}", 32, false, 32 / 130.},
		{BEHIND("ports: 2000-2031") "load: {rate: 100/s, hold: 10s, end: reset}", 32, false,
		 32 / 20.},
		{BEHIND("ports: 2000-2031") "load: {rate: 100/s}", 0, false, 32 / 120.},
		{BEHIND("ports: 2000-2031, sysctl: "
			"{net.netfilter.nf_conntrack_tcp_timeout_time_wait: 8}") "load: "
										 "{rate: "
										 "100/s}",
		 0, false, 32 / 8.},
		{BEHIND("ports: 2000-2031, sysctl: "
			"{net.netfilter.nf_conntrack_tcp_timeout_close: "
			"2}") "load: {rate: 100/s, end: reset}",
		 0, false, 32 / 2.},
		{BEHIND("ports: 2000-2031, sysctl: "
			"{net.netfilter.nf_conntrack_tcp_timeout_time_wait: "
			"9999999999999}") "load:"
					  " {"
					  "rate:"
					  " 100/"
					  "s}",
		 0, false, 32. / INT32_MAX},
		{BEHIND("ports: 2000-2031, sysctl: "
			"{net.netfilter.nf_conntrack_tcp_timeout_time_wait: -1}") "load: "
										  "{rate: "
										  "100/s, "
										  "hold: "
										  "10s}",
		 32, false, 3.2},
		{BEHIND("limit: 10") "load: {rate: 100/s, hold: 1s}", 0, false, 10},
		{BEHIND("limit: 10") "load: {rate: 5/s, hold: 1s, duration: 1s}", 0, true, 10},
		{BEHIND("ports: 2000-2031") "load: {rate: 100/s, end: reset, mix: {close: "
					    "99%}}",
		 0, false, 32 / 118.9},
		{BEHIND("ports: 2000-2031") "load: {rate: 100/s, mix: {leak: 1%}}", 0, false, 0},
		{BEHIND("ports: 2000-2031") "loads: {a: {rate: 100/s, hold: 10s}}", 32, false,
		 32 / 130.},
		{BEHIND("ports: 2000-2031") "loads: {a: {end: leak, total: 32}}", 0, true, 0},
		{BEHIND("ports: 2000-2031") "load: {" QUERY ", rate: 100/s, end: leak}", 32, false,
		 0},
		{BEHIND("ports: 2000-2031") "load: {" QUERY ", rate: 100/s, hold: 5s}", 32, false,
		 32 / 30.},
		{BEHIND("ports: 2000-2031") "load: {" QUERY ", rate: 100/s}", 0, false, 32 / 30.},
		{BEHIND("ports: 2000-2031") "load: {" QUERY ", total: 32, hold: 5s}", 0, true,
		 32 / 30.},
		{BEHIND("ports: 2000-2031") "load: {protocol: udp, request: {send: 64B}, "
					    "end: "
					    "leak}",
		 0, false, 0},
		{BEHIND("ports: 2000-2031") "server: {behaviour: ignore}\nload: {" QUERY
					    ", end: leak}",
		 0, false, 0},
		{BEHIND("ports: 2000-2031") "server: {delay: 2s}\nload: {" QUERY
					    ", rate: 100/s, hold: 5s, timeout: 3s}",
		 32, false, 32 / 32.},
		{BEHIND("ports: 2000-2031, sysctl: "
			"{net.netfilter.nf_conntrack_udp_timeout: 1}") ""
								       "load: {" QUERY
								       ", rate: 100/s, "
								       "hold: 5s}",
		 0, false, 32},
		{BEHIND("ports: 2000-2131, sysctl: "
			"{net.netfilter.nf_conntrack_udp_timeout: 1}") ""
								       "load: {" QUERY
								       ", rate: 100/s, "
								       "hold: 5s}",
		 0, false, 132},
		{BEHIND("limit: 10") "load: {" QUERY ", rate: 100/s, hold: 5s}", 10, false,
		 10 / 30.},
		/* a socket more has no descriptor, before the gateway has no port; and the reverse */
		{BEHIND("ports: 2000-2063") "load: {end: leak, nofile: 67}", 0, true, 0},
		{BEHIND("ports: 2000-2063") "load: {end: leak, nofile: 68}", 64, false, 0},
	};
	struct arena a = help_arena();
	const struct host host = help_host();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct plan p = help_plan(rows[i].lines, &host, 1, &a);

		if (p.forecast.times_out_after != rows[i].after ||
		    p.forecast.known != rows[i].known ||
		    fabs(p.forecast.rate - rows[i].rate) > 1e-6)
			printf("\n%s: after %llu, known %d, rate %g\n", rows[i].lines,
			       (unsigned long long)p.forecast.times_out_after, p.forecast.known,
			       p.forecast.rate);
		CU_ASSERT_EQUAL(p.forecast.times_out_after, rows[i].after);
		/* of more than 128 ports the last ones are found by luck */
		CU_ASSERT_EQUAL(p.forecast.times_out_least,
				rows[i].after >= 200 ? rows[i].after / 2 : rows[i].after);
		CU_ASSERT_EQUAL(p.forecast.known, rows[i].known);
		/* the kernel may give the port of a closed connection up early */
		CU_ASSERT_EQUAL(p.forecast.rate_is_least,
				rows[i].rate > 0 && rows[i].rate != 10 && rows[i].rate != 10 / 30.);
		CU_ASSERT(fabs(p.forecast.rate - rows[i].rate) <= 1e-6);
	}
	arena_close(&a);
}

/* One port is for both destinations: two connections have it only where the client gave both one. */
static void a_mapping_for_all_destinations_is_counted_once(void)
{
	static const struct {
		const char *lines;
		uint64_t least, after; /* 0: no timeouts for sure */
		double rate;
	} rows[] = {
		{CONE("") "load: {end: leak, bind: address}", 32, 32, 0},
		{CONE("") "load: {end: leak}", 32, 64, 0},
		{CONE("") "load: {end: leak, total: 33}", 0, 0, 0},
		{CONE("") "load: {" QUERY ", end: leak}", 32, 32, 0},
		{CONE(", redirect: true") "load: {end: leak}", 32, 32, 0},
		{ONE "load: {end: leak}", 32, 32, 0},
		{ONE "load: {rate: 100/s, hold: 10s}", 32, 32, 32 / 130.},
		{CONE("") "load: {bind: address, rate: 100/s, hold: 10s}", 32, 32, 32 / 130.},
		{CONE(", mapping_time: 10m") "load: {bind: address, rate: 100/s, hold: 10s}", 32,
		 32, 32 / 610.},
		{CONE(", mapping_time: 200ms") "load: {bind: address, rate: 100/s, hold: 10s}", 0,
		 0, 64 / 130.},
		{CONE("") "load: {" QUERY ", rate: 100/s, hold: 5s}", 32, 32, 32 / 120.},
	};
	struct arena a = help_arena();
	const struct host host = help_host();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct plan p = help_plan(rows[i].lines, &host, 1, &a);

		CU_ASSERT_EQUAL(p.forecast.times_out_least, rows[i].least);
		CU_ASSERT_EQUAL(p.forecast.times_out_after, rows[i].after);
		CU_ASSERT(fabs(p.forecast.rate - rows[i].rate) <= 1e-6);
	}
	arena_close(&a);
}

/* With what to install or load. */
static void a_host_without_nat_is_told_so(void)
{
	static const struct {
		size_t offset;
		int sys;
		const char *what, *hint;
	} rows[] = {
		{offsetof(struct host, nft), ENOENT, "program nft", "package nftables"},
		{offsetof(struct host, nat), ENOPROTOOPT, "kernel's NAT", "nf_tables"},
	};
	struct arena a = help_arena();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct host host = help_host();
		struct err err = {0};
		struct plan p;

		memcpy((char *)&host + rows[i].offset, &rows[i].sys, sizeof(rows[i].sys));
		help_plan("network: {topology: veth}", &host, 1, &a); /* which needs none of it */
		CU_ASSERT_FALSE(plan_make(&p, help_scenario("network: {topology: nat}", &a), &host,
					  1, &a, &err));
		CU_ASSERT_EQUAL(err.kind, ERR_HOST);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.what, rows[i].what));
		CU_ASSERT_PTR_NOT_NULL(strstr(err.hint, rows[i].hint));
	}
	arena_close(&a);
}

static void listed_places_are_taken_as_they_are(void)
{
	struct arena a = help_arena();
	const struct host host = help_host();
	struct plan p = help_plan("network: {family: ipv6, sources: [\"fd00::9\"], servers: "
				  "[\"2001:db8::1\", \"fd00::2\"], services: [9, 40000]}",
				  &host, 1, &a);
	char z[ADDRESS_PRINTED];

	CU_ASSERT_STRING_EQUAL(address_print(z, p.sources.list[0]), "fd00::9");
	CU_ASSERT_STRING_EQUAL(address_print(z, plan_server(&p, 3)), "fd00::2");
	CU_ASSERT(p.destinations == 4 && plan_service(&p, 2) == 9 && plan_service(&p, 3) == 40000);
	CU_ASSERT(!p.bind_source);
	CU_ASSERT_EQUAL(p.budget.usable, 28232); /* the far end has ports of its own */
	p = help_plan("network: {topology: loopback, ports: 40000-40031, reserved: [40001], "
		      "sources: [127.0.0.9], services: [40000, 40001, 40002, 7000]}",
		      &host, 1, &a);
	CU_ASSERT(p.bind_source); /* 127.0.0.1 it would be */
	CU_ASSERT_EQUAL(p.budget.usable, 29);
	CU_ASSERT_EQUAL(p.budget.capacity, 4 * 29);
	p = help_plan("network: {family: ipv6, servers: 3}", &host, 1, &a);
	CU_ASSERT_STRING_EQUAL(address_print(z, p.sources.list[0]), "fd77::1");
	CU_ASSERT_STRING_EQUAL(address_print(z, plan_server(&p, 2)), "fd77:0:0:1::3");
	arena_close(&a);
}

/* Balls into bins: a bin is full long before all are, and after more draws than one bin holds. */
static void what_the_seed_draws_is_foreseen(void)
{
	struct arena a = help_arena();
	const struct host host = help_host();
	const char *lines = "network: {ports: 40000-40031, servers: 8, choose: seed}\n"
			    "load: {end: leak}";
	struct plan p = help_plan(lines, &host, 1, &a), again = help_plan(lines, &host, 1, &a);

	CU_ASSERT_EQUAL(p.budget.capacity, 256);
	CU_ASSERT(p.budget.first > 32 && p.budget.first < 256);
	CU_ASSERT_EQUAL(p.forecast.after, p.budget.first);
	CU_ASSERT_EQUAL(again.budget.first, p.budget.first);
	p = help_plan("network: {ports: 40000-40031, choose: seed}\nload: {end: leak}", &host, 1,
		      &a);
	CU_ASSERT_EQUAL(p.forecast.after, 32); /* there is but one to draw */
	/* A rate that turns sustain for ever: draws may come to one server again and again, and the
	 * seed says of which ports that is too much. */
	p = help_plan("network: {ports: 40000-40031, servers: 8, choose: seed}\n"
		      "load: {rate: 100/s, hold: 1s, end: reset}",
		      &host, 1, &a);
	CU_ASSERT(p.forecast.known && !p.forecast.exhausts);
	CU_ASSERT(p.budget.kept.used > 13 && p.budget.kept.used < 32);
	p = help_plan("network: {ports: 40000-40015, servers: 8, choose: seed}\n"
		      "load: {rate: 100/s, hold: 1s, end: reset}",
		      &host, 1, &a);
	CU_ASSERT(p.forecast.known && p.forecast.exhausts);
	CU_ASSERT(p.forecast.after_least > 16 && p.forecast.after_most < 3000);
	p = help_plan("network: {ports: 40000-40031, servers: 8, choose: seed}\n"
		      "load: {concurrency: 100, hold: 1s, end: reset}",
		      &host, 1, &a);
	CU_ASSERT(!p.forecast.known); /* a closed loop has no clock */
	p = help_plan("network: {ports: 40000-40031, servers: 8}\n"
		      "load: {rate: 100/s, hold: 1s, end: reset}",
		      &host, 1, &a);
	CU_ASSERT(p.forecast.known && !p.forecast.exhausts);
	arena_close(&a);
}

static void services_listen_outside_of_the_range(void)
{
	static const struct {
		const char *lines;
		uint16_t first;
	} rows[] = {
		{"network: {ports: 32768-60999}", 7000},
		{"network: {ports: 7001-7100}", 7000},
		{"network: {ports: 7001-7100, services: 2}", 6999},
		{"network: {ports: 6000-7255, services: 256}", 5744},
		{"network: {ports: 1024-60999}", 61000},
		{"network: {ports: 1024-65535, services: 2}", 1022},
		{"network: {ports: 1000-65535, services: 2}", 998},
		{"network: {ports: 2-65535}", 1},
		{"network: {ports: 1-65534}", 65535},
	};
	struct arena a = help_arena();
	const struct host host = help_host();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct plan p = help_plan(rows[i].lines, &host, 1, &a);

		if (p.service_first != rows[i].first)
			printf("\n%s: %u\n", rows[i].lines, p.service_first);
		CU_ASSERT_EQUAL(p.service_first, rows[i].first);
	}
	arena_close(&a);
}

static void nothing_is_opened_where_nobody_listens(void)
{
	static const struct {
		const char *behaviour;
		bool none;
	} rows[] = {{"drop", true}, {"refuse", true}, {"ignore", false}, {"answer", false}};
	struct arena a = help_arena();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text lines = text_format(
			&a,
			"network: {ports: 40000-40031}\nserver: {behaviour: %s}\n"
			"load: {rate: 40/s, duration: 3s, timeout: 1s, on_failure: continue}",
			rows[i].behaviour);
		struct plan p = help_plan(lines.s, NULL, 1, &a);
		struct foretold told[PREDICTIONS];

		predict(told, &p, 3e9);
		CU_ASSERT(told[PREDICTION_SUSTAINED].told);
		CU_ASSERT_EQUAL(told[PREDICTION_SUSTAINED].value.most == 0, rows[i].none);
	}
	arena_close(&a);
}

static const struct test tests[] = {
	TEST(veth_and_loopback_have_networks_of_their_own),
	TEST(a_gateway_has_addresses_between_them),
	TEST(a_gateway_ends_sooner_than_the_ports),
	TEST(a_mapping_for_all_destinations_is_counted_once),
	TEST(a_host_without_nat_is_told_so),
	TEST(listed_places_are_taken_as_they_are),
	TEST(what_the_seed_draws_is_foreseen),
	TEST(services_listen_outside_of_the_range),
	TEST(nothing_is_opened_where_nobody_listens),
	TESTS_END,
};

const struct suite suite_plan = {"plan", tests};
