/* What a connection goes through, as the plan decides it. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "plan/plan.h"
#include "plan/unanswered.h"
#include "plan_help.h"
#include "suites.h"

#define BIT(op) (1U << OP_##op)

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
		struct plan p = help_plan(rows[i].lines, &host, 1, &a);

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
		struct plan p = help_plan(text_format(&a, "load: {options: %s}", rows[i].options).s,
					  &host, 1, &a);
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
	CU_ASSERT_FALSE(help_plan("load: {end: reset}", &host, 1, &a).loads[0].classic_sockets);
	CU_ASSERT_TRUE(help_plan("network: {sources: 2}", &host, 1, &a).loads[0].classic_sockets);
	host.ring_option = EOPNOTSUPP;
	CU_ASSERT_FALSE(help_plan("load: {end: close}", &host, 1, &a).loads[0].classic_sockets);
	CU_ASSERT_TRUE(help_plan("load: {end: reset}", &host, 1, &a).loads[0].classic_sockets);
	CU_ASSERT_TRUE(help_plan("load: {order: fast}", &host, 1, &a).loads[0].classic_sockets);
	host.ring_socket = EINVAL;
	CU_ASSERT_TRUE(help_plan("load: {end: close}", &host, 1, &a).loads[0].classic_sockets);
	arena_close(&a);
}

static void a_pool_has_slots_for_what_is_idle(void)
{
	struct arena a = help_arena();
	const struct host host = help_host();
	struct plan p = help_plan("load: {concurrency: 10}", &host, 1, &a);
	uint32_t without = p.loads[0].slots;

	CU_ASSERT(!p.asks && !plan_has_requests(&p));
	p = help_plan("load: {concurrency: 10, pool: {max_idle: 4}}", &host, 1, &a);
	CU_ASSERT_EQUAL(p.loads[0].slots, without + 4);
	CU_ASSERT_EQUAL(p.loads[0].idle_most, 4);
	CU_ASSERT_EQUAL(p.loads[0].serves_most, UINT32_MAX);
	CU_ASSERT(!p.asks && plan_has_requests(&p));
	p = help_plan("network: {servers: 3}\n"
		      "load: {concurrency: 10, request: {send: 8B, per_connection: 100}}",
		      &host, 1, &a);
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
		help_plan("load: {total: 1, mix: {leak: 5%, reset: 30%, wait: 0%}}", &host, 1, &a);
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
	struct plan p = help_plan("load: {end: inherit, total: 20}", &host, 1, &a);

	CU_ASSERT_EQUAL(p.loads[0].heirs, 1);
	CU_ASSERT_EQUAL(help_plan("load: {total: 20}", &host, 1, &a).loads[0].heirs, 0);
	p = help_plan("load: {end: inherit}", &host, 1, &a);
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
		{LOOPBACK("services: [40010]") "server: {behaviour: refuse}\nload: {protocol: udp}",
		 true, 32},
		{LOOPBACK("services: [40010]") "load: {protocol: udp}", false, 31},
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
		p = help_plan(rows[i].lines, &host, 1, &a);
		CU_ASSERT_EQUAL(p.loads[0].meets_itself, rows[i].meets);
		CU_ASSERT_EQUAL(p.loads[0].budget.usable, rows[i].usable);
		CU_ASSERT_EQUAL((p.loads[0].steps[END_CLOSE] >> OP_MEET & 1), rows[i].meets);
	}
	host.ring_install = EINVAL; /* this one has no such connection to look at */
	p = help_plan(rows[3].lines, &host, 1, &a);
	CU_ASSERT_FALSE(plan_make(&p, help_scenario(rows[0].lines, &a), &host, 1, &a, &err));
	CU_ASSERT_EQUAL(err.kind, ERR_HOST);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.hint, "network.services out of network.ports"));
	arena_close(&a);
}

/* Each connection failed with EPROTONOSUPPORT, as if that were what the run had found. */
static void a_kernel_without_mptcp_is_told_before(void)
{
	static const char lines[] = "load: {options: {mptcp: true}}";
	struct arena a = help_arena();
	struct host host = help_host();
	struct err err = {0};
	struct plan p = help_plan(lines, &host, 1, &a);

	host.mptcp = EPROTONOSUPPORT;
	CU_ASSERT_FALSE(plan_make(&p, help_scenario(lines, &a), &host, 1, &a, &err));
	CU_ASSERT_EQUAL(err.kind, ERR_HOST);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.hint, "CONFIG_MPTCP"));
	p = help_plan("load: {end: leak}", &host, 1, &a); /* who asks for none needs none */
	arena_close(&a);
}

static void a_kernel_without_the_window_goes_in_its_own_order(void)
{
	struct arena a = help_arena();
	struct host host = help_host();
	struct plan p = help_plan("load: {order: fast}", &host, 1, &a);

	CU_ASSERT_TRUE(p.loads[0].window);
	CU_ASSERT_EQUAL(p.loads[0].window_at, 28232 * 45 / 100);
	host.port_window = ENOPROTOOPT;
	p = help_plan("load: {order: fast}", &host, 1, &a);
	CU_ASSERT_FALSE(p.loads[0].window);
	CU_ASSERT_EQUAL(p.loads[0].steps[END_CLOSE] & BIT(WINDOW), 0);
	arena_close(&a);
}

/* Each is what a kernel took with a far end that drops: tcp_write_timeout(). */
static void a_connect_that_nobody_answers_ends_when_the_kernel_gives_up(void)
{
	static const struct {
		const char *settings, *load;
		double seconds;
	} rows[] = {
		{"", "timeout: 200s", 131},
		{"", "timeout: 10s", 10},
		{"net.ipv4.tcp_syn_linear_timeouts: 0", "timeout: 200s", 127},
		{"net.ipv4.tcp_syn_retries: 1", "timeout: 10s", 3},
		{"net.ipv4.tcp_syn_retries: 2", "timeout: 10s", 7},
		{"net.ipv4.tcp_syn_retries: 3", "timeout: 60s", 19},
		{"net.ipv4.tcp_syn_retries: 1", "timeout: 2s", 2},
		/* refused by the kernel, but read by a plan */
		{"net.ipv4.tcp_syn_retries: -1", "timeout: 10s", 1},
		{"net.ipv4.tcp_syn_linear_timeouts: -5", "timeout: 200s", 127},
		{"net.ipv4.tcp_syn_retries: 6", "timeout: 10s, options: {syn_count: 1}", 3},
		{"net.ipv4.tcp_syn_retries: 1",
		 "timeout: 10s, protocol: udp, request: {send: 8B, receive: 8B}", 10},
		{"", "timeout: 200s, options: {syn_count: 127}", 200},
	};
	struct arena a = help_arena();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text lines = text_format(
			&a, "network: {sysctl: {%s}}\nserver: {behaviour: drop}\nload: {%s}",
			rows[i].settings, rows[i].load);
		const struct scenario *s = help_scenario(lines.s, &a);

		CU_ASSERT_EQUAL((double)unanswered_ns(s, &s->load), rows[i].seconds * 1e9);
	}
	arena_close(&a);
}

static const struct test tests[] = {
	TEST(a_life_has_the_steps_it_needs),
	TEST(each_option_is_a_row_in_the_order_of_the_plan),
	TEST(a_mark_wants_a_ring_that_lends_the_right),
	TEST(sockets_are_classic_only_where_the_ring_cannot_prepare_them),
	TEST(a_pool_has_slots_for_what_is_idle),
	TEST(each_connection_ends_as_the_seed_says_of_its_number),
	TEST(an_heir_has_no_more_than_its_limit_of_descriptors),
	TEST(who_may_meet_itself_is_known_before),
	TEST(a_kernel_without_mptcp_is_told_before),
	TEST(a_kernel_without_the_window_goes_in_its_own_order),
	TEST(a_connect_that_nobody_answers_ends_when_the_kernel_gives_up),
	TESTS_END,
};

const struct suite suite_plan_life = {"plan: life", tests};
