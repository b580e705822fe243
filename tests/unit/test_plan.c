#include "plan/plan.h"

#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "plan_help.h"
#include "suites.h"

#define BIT(op) (1U << OP_##op)

static struct plan plan_of(const char *lines, const struct host *host, struct arena *a)
{
	struct err err = {0};
	struct plan p = {0};

	if (!plan_make(&p, help_scenario(lines, a), host, 1, a, &err)) {
		printf("\n%s\n  %s\n", lines, err.what);
		CU_FAIL_FATAL("a test's plan cannot be made");
	}
	return p;
}

static void veth_and_loopback_have_networks_of_their_own(void)
{
	struct arena a = help_arena();
	const struct host host = help_host();
	struct plan p = plan_of("network: {sources: 3, servers: 2, services: 4}", &host, &a);

	CU_ASSERT(address_eq(p.sources.list[0], address_ipv4(0x0a4d0001)));
	CU_ASSERT_EQUAL(p.sources.count, 3);
	CU_ASSERT(address_eq(p.servers.list[0], address_ipv4(0x0a4d8001)));
	CU_ASSERT_EQUAL(p.destinations, 8);
	CU_ASSERT_EQUAL(p.budget.pairs, 24);
	CU_ASSERT(address_eq(plan_server(&p, 0), address_ipv4(0x0a4d8001)));
	CU_ASSERT_EQUAL(plan_service(&p, 0), 7000);
	CU_ASSERT(address_eq(plan_server(&p, 7), address_ipv4(0x0a4d8002)));
	CU_ASSERT_EQUAL(plan_service(&p, 7), 7003);
	p = plan_of("network: {topology: loopback}", &host, &a);
	CU_ASSERT(address_eq(p.sources.list[0], address_ipv4(0x7f000001)));
	CU_ASSERT(address_eq(p.servers.list[0], address_ipv4(0x7f000001)));
	arena_close(&a);
}

static void a_gateway_has_addresses_between_them(void)
{
	struct arena a = help_arena();
	const struct host host = help_host();
	struct plan p = plan_of(
		"network: {topology: nat, sources: 2, nat: {clients: 3, addresses: 4}}", &host, &a);

	CU_ASSERT_EQUAL(p.sources.count, 6);
	CU_ASSERT(p.loads[0].bind_source);
	CU_ASSERT(address_eq(p.nat.inside.list[0], address_ipv4(0x0a4d4001)));
	CU_ASSERT_EQUAL(p.nat.inside.count, 1);
	CU_ASSERT(address_eq(p.nat.outside.list[3], address_ipv4(0x0a4dc004)));
	CU_ASSERT_EQUAL(p.nat.outside.count, 4);
	p = plan_of("network: {sources: 2}", &host, &a);
	CU_ASSERT_EQUAL(p.nat.outside.count, 0);
	arena_close(&a);
}

/* What of a load a gateway lets through, and what the client's own ports have to do with it. */
static void a_gateway_ends_sooner_than_the_ports(void)
{
#define BEHIND(keys) "network: {topology: nat, ports: 40000-40999, nat: {" keys "}}\n"
	static const struct {
		const char *lines;
		uint64_t after; /* 0: no timeouts for sure */
		bool known;	/* what becomes of the client's own ports */
		double rate;
	} rows[] = {
		{BEHIND("ports: 2000-2031") "load: {end: leak}", 32, false, 0},
		{BEHIND("ports: 2000-2031") "load: {end: leak, total: 32}", 0, true, 0},
		{BEHIND("ports: 2000-2031") "load: {end: leak, total: 33}", 32, false, 0},
		{BEHIND("ports: 2000-2031, addresses: 2") "load: {end: leak}", 64, false, 0},
		{BEHIND("ports: 2000-2199") "load: {end: leak}", 0, false, 0},
		{BEHIND("limit: 10") "load: {end: leak}", 10, false, 0},
		{BEHIND("limit: 5k") "load: {end: leak}", 0, true, 0},
		{BEHIND("ports: 2000-2031") "load: {rate: 100/s, hold: 10s}", 32, false, 32 / 130.},
		{BEHIND("ports: 2000-2031") "load: {rate: 100/s, hold: 10s, end: reset}", 32, false,
		 32 / 20.},
		{BEHIND("ports: 2000-2031") "load: {rate: 100/s}", 0, false, 32 / 120.},
		{BEHIND("ports: 2000-2031, sysctl: "
			"{net.netfilter.nf_conntrack_tcp_timeout_time_wait: 8}") "load: {rate: "
										 "100/s}",
		 0, false, 32 / 8.},
		{BEHIND("ports: 2000-2031, sysctl: {net.netfilter.nf_conntrack_tcp_timeout_close: "
			"2}") "load: {rate: 100/s, end: reset}",
		 0, false, 32 / 2.},
		{BEHIND("limit: 10") "load: {rate: 100/s, hold: 1s}", 10, false, 10},
		{BEHIND("limit: 10") "load: {rate: 5/s, hold: 1s, duration: 1s}", 0, true, 10},
		{BEHIND("ports: 2000-2031") "load: {rate: 100/s, end: reset, mix: {close: 99%}}", 0,
		 false, 32 / 118.9},
		{BEHIND("ports: 2000-2031") "load: {rate: 100/s, mix: {leak: 1%}}", 0, false, 0},
		{BEHIND("ports: 2000-2031") "loads: {a: {rate: 100/s, hold: 10s}}", 32, false,
		 32 / 130.},
		{BEHIND("ports: 2000-2031") "loads: {a: {end: leak, total: 32}}", 0, true, 0},
	};
	struct arena a = help_arena();
	const struct host host = help_host();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct plan p = plan_of(rows[i].lines, &host, &a);

		if (p.forecast.times_out_after != rows[i].after ||
		    p.forecast.known != rows[i].known ||
		    fabs(p.forecast.rate - rows[i].rate) > 1e-6)
			printf("\n%s: after %llu, known %d, rate %g\n", rows[i].lines,
			       (unsigned long long)p.forecast.times_out_after, p.forecast.known,
			       p.forecast.rate);
		CU_ASSERT_EQUAL(p.forecast.times_out_after, rows[i].after);
		CU_ASSERT_EQUAL(p.forecast.known, rows[i].known);
		/* the kernel may give the port of a closed connection up early */
		CU_ASSERT_EQUAL(p.forecast.rate_is_least, rows[i].rate > 0 && rows[i].rate != 10);
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
		plan_of("network: {topology: veth}", &host, &a); /* which needs none of it */
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
	struct plan p = plan_of("network: {family: ipv6, sources: [\"fd00::9\"], servers: "
				"[\"2001:db8::1\", \"fd00::2\"], services: [9, 40000]}",
				&host, &a);
	char z[ADDRESS_PRINTED];

	CU_ASSERT_STRING_EQUAL(address_print(z, p.sources.list[0]), "fd00::9");
	CU_ASSERT_STRING_EQUAL(address_print(z, plan_server(&p, 3)), "fd00::2");
	CU_ASSERT(p.destinations == 4 && plan_service(&p, 2) == 9 && plan_service(&p, 3) == 40000);
	CU_ASSERT(!p.bind_source);
	CU_ASSERT_EQUAL(p.budget.usable, 28232); /* the far end has ports of its own */
	p = plan_of("network: {topology: loopback, ports: 40000-40031, reserved: [40001], "
		    "sources: [127.0.0.9], services: [40000, 40001, 40002, 7000]}",
		    &host, &a);
	CU_ASSERT(p.bind_source); /* 127.0.0.1 it would be */
	CU_ASSERT_EQUAL(p.budget.usable, 29);
	CU_ASSERT_EQUAL(p.budget.capacity, 4 * 29);
	p = plan_of("network: {family: ipv6, servers: 3}", &host, &a);
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
	struct plan p = plan_of(lines, &host, &a), again = plan_of(lines, &host, &a);

	CU_ASSERT_EQUAL(p.budget.capacity, 256);
	CU_ASSERT(p.budget.first > 32 && p.budget.first < 256);
	CU_ASSERT_EQUAL(p.forecast.after, p.budget.first);
	CU_ASSERT_EQUAL(again.budget.first, p.budget.first);
	p = plan_of("network: {ports: 40000-40031, choose: seed}\nload: {end: leak}", &host, &a);
	CU_ASSERT_EQUAL(p.forecast.after, 32); /* there is but one to draw */
	/* A rate that turns sustain for ever: draws may come to one server again and again. */
	p = plan_of("network: {ports: 40000-40031, servers: 8, choose: seed}\n"
		    "load: {rate: 100/s, hold: 1s, end: reset}",
		    &host, &a);
	CU_ASSERT(!p.forecast.known);
	p = plan_of("network: {ports: 40000-40031, servers: 8}\n"
		    "load: {rate: 100/s, hold: 1s, end: reset}",
		    &host, &a);
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
		struct plan p = plan_of(rows[i].lines, &host, &a);

		if (p.service_first != rows[i].first)
			printf("\n%s: %u\n", rows[i].lines, p.service_first);
		CU_ASSERT_EQUAL(p.service_first, rows[i].first);
	}
	arena_close(&a);
}

static void a_life_has_the_steps_it_needs(void)
{
	static const struct {
		const char *lines;
		enum end end;
		uint32_t steps;
	} rows[] = {
		{"load: {total: 1}", END_CLOSE, BIT(CLOSE)},
		{"load: {end: leak}", END_LEAK, 0},
		{"load: {end: reset}", END_RESET, BIT(LINGER) | BIT(CLOSE)},
		{"server: {behaviour: close}\nload: {end: wait}", END_WAIT,
		 BIT(AWAIT) | BIT(CLOSE)},
		{"load: {end: shutdown}", END_SHUTDOWN, BIT(SHUT) | BIT(AWAIT) | BIT(CLOSE)},
		{"load: {end: disconnect}", END_DISCONNECT, BIT(DISCONNECT) | BIT(CLEAR)},
		{"load: {end: inherit}", END_INHERIT, BIT(INHERIT) | BIT(CLOSE)},
		{"load: {hold: 1s}", END_CLOSE, BIT(HOLD) | BIT(CLOSE)},
		{"load: {request: {send: 8B}}", END_CLOSE, BIT(SEND) | BIT(CLOSE)},
		{"load: {request: {send: 8B, receive: 1KiB}, pool: {max_idle: 4}}", END_CLOSE,
		 BIT(CHECK) | BIT(RENEW) | BIT(SEND) | BIT(RECEIVE) | BIT(IDLE) | BIT(CLOSE)},
		{"load: {request: {send: 8B, per_connection: 2}}", END_CLOSE,
		 BIT(CHECK) | BIT(RENEW) | BIT(SEND) | BIT(IDLE) | BIT(CLOSE)},
		{"load: {order: fast}", END_CLOSE, BIT(WINDOW) | BIT(CLOSE)},
		{"network: {sources: 2}", END_CLOSE, BIT(OPTION) | BIT(BIND) | BIT(CLOSE)},
	};
	struct arena a = help_arena();
	const struct host host = help_host();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct plan p = plan_of(rows[i].lines, &host, &a);

		for (enum end end = 0; end < ENDS; end++)
			CU_ASSERT_EQUAL(p.loads[0].steps[end],
					end == rows[i].end ? rows[i].steps | BIT(SOCKET) |
								     BIT(CONNECT) | BIT(UNDO)
							   : 0);
		CU_ASSERT_EQUAL(p.loads[0].bind_source, (rows[i].steps & BIT(BIND)) != 0);
		CU_ASSERT_FALSE(p.loads[0].classic_sockets);
	}
	arena_close(&a);
}

static void each_option_is_a_row_in_the_order_of_the_plan(void)
{
	static const struct {
		const char *options;
		uint32_t count;
		int level, name; /* of the last */
		bool needs_rights, closes_with_rst;
	} rows[] = {
		{"{}", 0, 0, 0, false, false},
		{"{reuseaddr: true}", 1, SOL_SOCKET, SO_REUSEADDR, false, false},
		{"{reuseport: true, nodelay: true}", 2, IPPROTO_TCP, TCP_NODELAY, false, false},
		{"{mark: 7}", 1, SOL_SOCKET, SO_MARK, true, false},
		{"{linger: 0s}", 1, SOL_SOCKET, SO_LINGER, false, true},
		{"{linger: 1s}", 1, SOL_SOCKET, SO_LINGER, false, false},
		{"{keepalive: 5s}", 2, IPPROTO_TCP, TCP_KEEPIDLE, false, false},
		{"{keepalive: {idle: 5s, interval: 1s, count: 3}}", 4, IPPROTO_TCP, TCP_KEEPCNT,
		 false, false},
		{"{device: lo, syn_count: 2, user_timeout: 5ms}", 3, IPPROTO_TCP, TCP_USER_TIMEOUT,
		 false, false},
	};
	struct arena a = help_arena();
	const struct host host = help_host();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct plan p = plan_of(text_format(&a, "load: {options: %s}", rows[i].options).s,
					&host, &a);
		const struct load_plan *lp = &p.loads[0];

		CU_ASSERT_EQUAL_FATAL(lp->option_count, rows[i].count);
		CU_ASSERT_EQUAL(lp->needs_rights, rows[i].needs_rights);
		CU_ASSERT_EQUAL(lp->closes_with_rst, rows[i].closes_with_rst);
		if (lp->option_count == 0)
			continue;
		CU_ASSERT_EQUAL(lp->options[lp->option_count - 1].level, rows[i].level);
		CU_ASSERT_EQUAL(lp->options[lp->option_count - 1].name, rows[i].name);
	}
	arena_close(&a);
}

static void a_mark_wants_a_ring_that_lends_the_right(void)
{
	struct arena a = help_arena();
	struct host host = help_host();
	struct plan p;
	struct err err = {0};

	host.ring_option = EOPNOTSUPP;
	CU_ASSERT_FALSE(
		plan_make(&p, help_scenario("load: {options: {mark: 1}}", &a), &host, 1, &a, &err));
	CU_ASSERT_EQUAL(err.kind, ERR_HOST);
	CU_ASSERT_EQUAL(err.at.line, 3);
	arena_close(&a);
}

static void sockets_are_classic_only_where_the_ring_cannot_prepare_them(void)
{
	struct arena a = help_arena();
	struct host host = help_host();

	host.ring_bind = EINVAL;
	CU_ASSERT_FALSE(plan_of("load: {end: reset}", &host, &a).loads[0].classic_sockets);
	CU_ASSERT_TRUE(plan_of("network: {sources: 2}", &host, &a).loads[0].classic_sockets);
	host.ring_option = EOPNOTSUPP;
	CU_ASSERT_FALSE(plan_of("load: {end: close}", &host, &a).loads[0].classic_sockets);
	CU_ASSERT_TRUE(plan_of("load: {end: reset}", &host, &a).loads[0].classic_sockets);
	CU_ASSERT_TRUE(plan_of("load: {order: fast}", &host, &a).loads[0].classic_sockets);
	host.ring_socket = EINVAL;
	CU_ASSERT_TRUE(plan_of("load: {end: close}", &host, &a).loads[0].classic_sockets);
	arena_close(&a);
}

static void a_pool_has_slots_for_what_is_idle(void)
{
	struct arena a = help_arena();
	const struct host host = help_host();
	struct plan p = plan_of("load: {concurrency: 10}", &host, &a);
	uint32_t without = p.loads[0].slots;

	CU_ASSERT(!p.asks && !plan_has_requests(&p));
	p = plan_of("load: {concurrency: 10, pool: {max_idle: 4}}", &host, &a);
	CU_ASSERT_EQUAL(p.loads[0].slots, without + 4);
	CU_ASSERT_EQUAL(p.loads[0].idle_most, 4);
	CU_ASSERT_EQUAL(p.loads[0].serves_most, UINT32_MAX);
	CU_ASSERT(!p.asks && plan_has_requests(&p));
	p = plan_of("network: {servers: 3}\n"
		    "load: {concurrency: 10, request: {send: 8B, per_connection: 100}}",
		    &host, &a);
	CU_ASSERT_EQUAL(p.loads[0].slots, without + 30);
	CU_ASSERT_EQUAL(p.loads[0].serves_most, 100);
	CU_ASSERT(p.asks && plan_has_requests(&p));
	arena_close(&a);
}

static void each_connection_ends_as_the_seed_says_of_its_number(void)
{
	static const double shares[ENDS] = {
		[END_CLOSE] = 0.65, [END_LEAK] = 0.05, [END_RESET] = 0.3};
	struct arena a = help_arena();
	const struct host host = help_host();
	struct plan p =
		plan_of("load: {total: 1, mix: {leak: 5%, reset: 30%, wait: 0%}}", &host, &a);
	uint64_t n[ENDS] = {0};

	for (uint64_t i = 0; i < 100000; i++)
		n[plan_end(&p, &p.loads[0], i)]++;
	for (enum end end = 0; end < ENDS; end++) {
		CU_ASSERT((double)n[end] >= 98000 * shares[end]);
		CU_ASSERT((double)n[end] <= 102000 * shares[end]);
		CU_ASSERT_EQUAL(p.loads[0].steps[end] != 0, shares[end] > 0);
		CU_ASSERT(load_share(p.loads[0].load, end) - shares[end] < 1e-9);
	}
	arena_close(&a);
}

static void an_heir_has_no_more_than_its_limit_of_descriptors(void)
{
	struct arena a = help_arena();
	struct host host = help_host();
	struct err err = {0};
	struct plan p = plan_of("load: {end: inherit, total: 20}", &host, &a);

	CU_ASSERT_EQUAL(p.loads[0].heirs, 1);
	CU_ASSERT_EQUAL(plan_of("load: {total: 20}", &host, &a).loads[0].heirs, 0);
	p = plan_of("load: {end: inherit}", &host, &a);
	CU_ASSERT_EQUAL(p.loads[0].heirs, 2); /* 28,232 ports, 20,000 descriptors */
	CU_ASSERT(p.far_slots >= 28232);
	host.nofile = 1024;
	CU_ASSERT_FALSE(
		plan_make(&p, help_scenario("load: {end: inherit}", &a), &host, 1, &a, &err));
	CU_ASSERT_EQUAL(err.kind, ERR_HOST);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.what, "28296 connections would be inherited"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.what, "RLIMIT_NOFILE is 1024"));
	host = help_host();
	host.ring_install = EINVAL;
	err = (struct err){0};
	CU_ASSERT_FALSE(plan_make(&p, help_scenario("load: {end: inherit, total: 20}", &a), &host,
				  1, &a, &err));
	CU_ASSERT_EQUAL(err.kind, ERR_HOST);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.hint, "Linux 6.8"));
	arena_close(&a);
}

static void who_may_meet_itself_is_known_before(void)
{
#define LOOPBACK(keys) "network: {topology: loopback, ports: 40000-40031, " keys "}\n"
	static const struct {
		const char *lines;
		bool meets;
		uint32_t usable;
	} rows[] = {
		{LOOPBACK("services: [40010]") "server: {behaviour: refuse}", true, 32},
		{LOOPBACK("services: [40010]") "server: {die: 1s}", true, 31},
		{LOOPBACK("services: [40010], reserved: [40010]") "server: {behaviour: refuse}\n"
								  "load: {bind: port 40010}",
		 true, 1},
		{LOOPBACK("services: [40010]"), false, 31},
		{LOOPBACK("services: [40010], reserved: [40010]") "server: {behaviour: refuse}",
		 false, 31},
		{LOOPBACK("services: [40032]") "server: {behaviour: refuse}", false, 32},
		{LOOPBACK("services: [40010]") "server: {behaviour: refuse}\n"
					       "load: {bind: ports 40012-40019}",
		 false, 8},
		{"network: {ports: 40000-40031, services: [40010]}\nserver: {behaviour: refuse}",
		 false, 32},
	};
	struct arena a = help_arena();
	struct host host = help_host();
	struct err err = {0};
	struct plan p;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		p = plan_of(rows[i].lines, &host, &a);
		CU_ASSERT_EQUAL(p.loads[0].meets_itself, rows[i].meets);
		CU_ASSERT_EQUAL(p.loads[0].budget.usable, rows[i].usable);
		CU_ASSERT_EQUAL((p.loads[0].steps[END_CLOSE] >> OP_MEET & 1), rows[i].meets);
	}
	host.ring_install = EINVAL; /* this one has no such connection to look at */
	p = plan_of(rows[3].lines, &host, &a);
	CU_ASSERT_FALSE(plan_make(&p, help_scenario(rows[0].lines, &a), &host, 1, &a, &err));
	CU_ASSERT_EQUAL(err.kind, ERR_HOST);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.hint, "network.services out of network.ports"));
	arena_close(&a);
}

static void a_kernel_without_the_window_goes_in_its_own_order(void)
{
	struct arena a = help_arena();
	struct host host = help_host();
	struct plan p = plan_of("load: {order: fast}", &host, &a);

	CU_ASSERT_TRUE(p.loads[0].window);
	CU_ASSERT_EQUAL(p.loads[0].window_at, 28232 * 45 / 100);
	host.port_window = ENOPROTOOPT;
	p = plan_of("load: {order: fast}", &host, &a);
	CU_ASSERT_FALSE(p.loads[0].window);
	CU_ASSERT_EQUAL(p.loads[0].steps[END_CLOSE] & BIT(WINDOW), 0);
	arena_close(&a);
}

static void a_leak_has_a_slot_for_each_port(void)
{
	struct arena a = help_arena();
	const struct host host = help_host();
	struct plan p = plan_of("load: {end: leak, order: fast}", &host, &a);

	CU_ASSERT_EQUAL(p.loads[0].concurrency, 64);
	CU_ASSERT(p.loads[0].slots >= 28232 + 64);
	CU_ASSERT(p.loads[0].slots < 29000);
	CU_ASSERT_EQUAL(p.ring_slots, 20000 - 64);
	CU_ASSERT(p.far_slots >= p.loads[0].slots);
	CU_ASSERT(p.backlog >= 28232);
	CU_ASSERT_EQUAL(p.hash_entries, 131072);
	arena_close(&a);
}

static void a_churn_has_slots_for_what_is_under_way(void)
{
	struct arena a = help_arena();
	const struct host host = help_host();
	struct plan p = plan_of("load: {concurrency: 100, total: 1000000}", &host, &a);

	CU_ASSERT_EQUAL(p.loads[0].concurrency, 100);
	CU_ASSERT(p.loads[0].slots >= 100);
	CU_ASSERT(p.loads[0].slots <= 256);
	p = plan_of("load: {rate: 10k/s, timeout: 1s}", &host, &a);
	CU_ASSERT_EQUAL(p.loads[0].concurrency, 0);
	CU_ASSERT(p.loads[0].slots >= 10000);
	p = plan_of("network: {ports: 40000-40031}\nload: {rate: 1M/s, timeout: 5m}", &host, &a);
	CU_ASSERT(p.loads[0].slots >= 32);
	CU_ASSERT(p.loads[0].slots < 512);
	CU_ASSERT_EQUAL(p.hash_entries, 4096);
	CU_ASSERT_EQUAL(p.backlog, 4096);
	arena_close(&a);
}

static void held_connections_have_a_slot_each(void)
{
	struct arena a = help_arena();
	const struct host host = help_host();

	CU_ASSERT(plan_of("load: {rate: 100/s, hold: 5s, timeout: 1s}", &host, &a).loads[0].slots >=
		  600);
	CU_ASSERT(plan_of("load: {rate: 100/s, hold: 5s, timeout: 1s}", &host, &a).loads[0].slots <
		  800);
	CU_ASSERT(plan_of("load: {rate: 1M/s, hold: 1h, total: 50}", &host, &a).loads[0].slots <=
		  256);
	arena_close(&a);
}

static void a_server_that_resets_leaves_the_client_more_descriptors_than_ports(void)
{
	struct arena a = help_arena();
	const struct host host = help_host();
	struct plan p = plan_of("network: {ports: 40000-40031}\nserver: {behaviour: reset}\n"
				"load: {end: leak, total: 5000}",
				&host, &a);

	CU_ASSERT(p.loads[0].slots >= 5000);
	arena_close(&a);
}

static void a_server_that_never_accepts_queues_all(void)
{
	struct arena a = help_arena();
	const struct host host = help_host();
	struct plan p = plan_of("network: {ports: 40000-40031}\nserver: {behaviour: never-accept}\n"
				"load: {end: reset, total: 100k}",
				&host, &a);

	CU_ASSERT_EQUAL(p.far_slots, 0);
	CU_ASSERT(p.backlog >= 100000);
	arena_close(&a);
}

static void a_far_end_has_a_descriptor_for_all_that_it_keeps(void)
{
	static const struct {
		const char *server;
		uint32_t least, most;
	} rows[] = {
		{"server: {behaviour: hold}", 5000, 7500},
		{"server: {behaviour: ignore}", 5000, 7500},
		{"server: {delay: 1s}", 5000, 7500}, /* answers to clients that have gone */
		{"server: {behaviour: answer}", 32, 1500},
		{"server: {behaviour: accept-close}", 32, 1500},
		{"server: {behaviour: never-accept}", 0, 0},
		{"server: {behaviour: refuse}", 0, 0},
		{"server: {behaviour: drop}", 0, 0},
	};
	struct arena a = help_arena();
	const struct host host = help_host();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[200];
		struct plan p;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031}\n%s\nload: {end: reset, total: 5000}",
			 rows[i].server);
		p = plan_of(lines, &host, &a);
		if (p.far_slots < rows[i].least || p.far_slots > rows[i].most)
			printf("%s: %u\n", rows[i].server, p.far_slots);
		CU_ASSERT(p.far_slots >= rows[i].least && p.far_slots <= rows[i].most);
	}
	arena_close(&a);
}

static void a_backlog_is_as_the_scenario_says(void)
{
	struct arena a = help_arena();
	const struct host host = help_host();

	CU_ASSERT_EQUAL(plan_of("server: {backlog: 5}", &host, &a).backlog, 5);
	/* All may wait for a slow accept. */
	CU_ASSERT(plan_of("network: {ports: 40000-40031}\nserver: {accept_every: 1s}\n"
			  "load: {total: 50k}",
			  &host, &a)
			  .backlog >= 50000);
	CU_ASSERT_EQUAL(
		plan_of("network: {ports: 40000-40031}\nserver: {accept_every: 1s}", &host, &a)
			.far_accepts,
		1);
	arena_close(&a);
}

static void a_shared_hash_is_not_sized(void)
{
	struct arena a = help_arena();
	struct host host = help_host();

	host.private_hash = ENOENT;
	CU_ASSERT_EQUAL(plan_of("load: {end: leak}", &host, &a).hash_entries, 0);
	arena_close(&a);
}

struct refusal {
	const char *lines;
	enum err_kind kind;
	unsigned line; /* 0: about no file */
	const char *what;
};

static void refusals_check(const struct refusal *rows, size_t count, const struct host *host)
{
	struct arena a = help_arena();

	for (size_t i = 0; i < count; i++) {
		const struct refusal *r = &rows[i];
		struct err err = {0};
		struct plan p;

		CU_ASSERT_FALSE(plan_make(&p, help_scenario(r->lines, &a), host, 1, &a, &err));
		if (err.kind != r->kind || err.at.line != r->line || strcmp(err.what, r->what) != 0)
			printf("\n%s\n  %u: %s\n", r->lines, err.at.line, err.what);
		CU_ASSERT_EQUAL(err.kind, r->kind);
		CU_ASSERT_EQUAL(err.at.line, r->line);
		CU_ASSERT_STRING_EQUAL(err.what, r->what);
		CU_ASSERT(err.hint[0] != '\0');
	}
	arena_close(&a);
}

static void what_cannot_be_is_refused_at_its_line(void)
{
	static const struct refusal rows[] = {
		{"network:\n  ports: 1-65535", ERR_SCENARIO, 4,
		 "network.services cannot be 1: the client's range 1-65535 leaves no room for "
		 "them"},
		{"network:\n  ports: 20-65500\n  services: 40", ERR_SCENARIO, 5,
		 "network.services cannot be 40: the client's range 20-65500 leaves no room for "
		 "them"},
		{"network:\n  sources: [10.77.128.3]\n  servers: 4", ERR_SCENARIO, 4,
		 "10.77.128.3 is one of network.sources and of network.servers"},
		{"expect:\n  - exhausted == true\n  - counter.NoSuchThing == 0", ERR_SCENARIO, 5,
		 "this kernel has no counter NoSuchThing"},
		{"network: {sources: 2}\nloads: {a: {}, b: {bind: address}}\n"
		 "squat:\n  address: 10.77.0.1\n  bind: 2",
		 ERR_SCENARIO, 6, "squat.address is one of several sources that are bound"},
	};
	struct host host = help_host();

	strcpy(host.counters, "ActiveOpens TCPTimeouts");
	refusals_check(rows, sizeof(rows) / sizeof(rows[0]), &host);
}

static void a_counter_that_the_kernel_has_may_be_expected(void)
{
	struct arena a = help_arena();
	struct host host = help_host();
	struct plan p;

	strcpy(host.counters, "ActiveOpens TCPTimeouts");
	p = plan_of("expect: [counter.TCPTimeouts == 0]", &host, &a);
	CU_ASSERT_EQUAL(p.scenario->expect.count, 1);
	arena_close(&a);
}

static void a_host_without_io_uring_is_told_why_and_what_to_do(void)
{
	static const struct {
		int error;
		const char *mend;
	} rows[] = {
		{EPERM, "seccomp"},
		{ENOSYS, "Podman"},
		{ENOMEM, "RLIMIT_MEMLOCK"},
		{EINVAL, "doctor"},
	};
	struct arena a = help_arena();
	struct host host = help_host();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = {0};
		struct plan p;

		host.io_uring = rows[i].error;
		CU_ASSERT_FALSE(
			plan_make(&p, help_scenario("load: {total: 1}", &a), &host, 1, &a, &err));
		CU_ASSERT_EQUAL(err.kind, ERR_HOST);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.hint, rows[i].mend));
	}
	arena_close(&a);
}

static void a_host_with_too_little_is_told_both_numbers(void)
{
	static const struct refusal memory[] = {
		{"network: {sources: 10}\nload: {end: leak}", ERR_HOST, 0,
		 "282384 connections take about 2259 MB of memory, and 100 MB are free"},
	};
	static const struct refusal files[] = {
		{"load: {total: 1}", ERR_HOST, 0, "RLIMIT_NOFILE is 255, and lastport needs 256"},
	};
	struct host host = help_host();

	host.memory = 100 * 1000 * 1000;
	refusals_check(memory, 1, &host);
	host.nofile = 255;
	refusals_check(files, 1, &host);
}

static void samples_have_room_for_the_longest_run(void)
{
	struct arena a = help_arena();
	const struct host host = help_host();

	CU_ASSERT(plan_of("stop: {time: 10s}", &host, &a).samples >= 10 * 10 + 10);
	CU_ASSERT(plan_of("sample: {every: 10ms}\nstop: {time: 1h}", &host, &a).samples >= 360000);
	arena_close(&a);
}

static const struct test tests[] = {
	TEST(veth_and_loopback_have_networks_of_their_own),
	TEST(a_gateway_has_addresses_between_them),
	TEST(a_gateway_ends_sooner_than_the_ports),
	TEST(a_host_without_nat_is_told_so),
	TEST(listed_places_are_taken_as_they_are),
	TEST(what_the_seed_draws_is_foreseen),
	TEST(services_listen_outside_of_the_range),
	TEST(a_life_has_the_steps_it_needs),
	TEST(each_option_is_a_row_in_the_order_of_the_plan),
	TEST(a_mark_wants_a_ring_that_lends_the_right),
	TEST(sockets_are_classic_only_where_the_ring_cannot_prepare_them),
	TEST(a_pool_has_slots_for_what_is_idle),
	TEST(each_connection_ends_as_the_seed_says_of_its_number),
	TEST(an_heir_has_no_more_than_its_limit_of_descriptors),
	TEST(who_may_meet_itself_is_known_before),
	TEST(a_kernel_without_the_window_goes_in_its_own_order),
	TEST(a_leak_has_a_slot_for_each_port),
	TEST(a_churn_has_slots_for_what_is_under_way),
	TEST(held_connections_have_a_slot_each),
	TEST(a_server_that_resets_leaves_the_client_more_descriptors_than_ports),
	TEST(a_server_that_never_accepts_queues_all),
	TEST(a_far_end_has_a_descriptor_for_all_that_it_keeps),
	TEST(a_backlog_is_as_the_scenario_says),
	TEST(a_shared_hash_is_not_sized),
	TEST(what_cannot_be_is_refused_at_its_line),
	TEST(a_counter_that_the_kernel_has_may_be_expected),
	TEST(a_host_without_io_uring_is_told_why_and_what_to_do),
	TEST(a_host_with_too_little_is_told_both_numbers),
	TEST(samples_have_room_for_the_longest_run),
	TESTS_END,
};

const struct suite suite_plan = {"plan", tests};
