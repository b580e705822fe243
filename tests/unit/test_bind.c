/* What load.bind makes of the ports, by arithmetic. */
#include "plan/bind.h"

#include <math.h>

#include "plan/outline.h"
#include "plan/plan.h"
#include "plan/predict.h"
#include "plan_help.h"
#include "suites.h"

static void who_takes_the_port_decides_how_many_there_are(void)
{
	static const struct {
		const char *lines;
		uint32_t usable, spaces;
		uint64_t capacity;
		bool may_lose_one;
	} rows[] = {
		{"network: {ports: 40000-40031, services: 2}", 32, 2, 64, false},
		{"network: {ports: 40000-40031, services: 2}\nload: {bind: address-no-port}", 32, 2,
		 64, false},
		{"network: {ports: 40000-40031, services: 2}\nload: {bind: address}", 32, 1, 32,
		 false},
		{"network: {ports: 40000-40031, services: 2, sources: 3}\nload: {bind: address}",
		 32, 3, 96, false},
		{"network: {ports: 40000-40030}\nload: {bind: address}", 31, 1, 31, true},
		{"network: {ports: 40000-40031, services: 2}\nload: {bind: any}", 32, 1, 32, false},
		{"network: {ports: 40000-40031, services: 2}\nload: {bind: port 45000}", 1, 1, 1,
		 false},
		{"network: {reserved: [45000-45004], services: 2}\nload: {bind: ports 45000-45009}",
		 10, 1, 10, false},
		{"network: {services: 2}\nload: {bind: ports 45000-45009, options: {reuseaddr: "
		 "true}}",
		 10, 2, 20, false},
		{"network: {reserved: [45000-45003], services: 2}\nload: {bind: local-port-range "
		 "45000-45008}",
		 5, 2, 10, false},
	};
	struct arena a = help_arena();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct scenario *s = help_scenario(rows[i].lines, &a);
		struct budget b = bind_budget(s, &s->load, (uint32_t)s->network.sources.count,
					      (uint32_t)s->network.services.count);

		CU_ASSERT_EQUAL(b.usable, rows[i].usable);
		CU_ASSERT_EQUAL(b.spaces, rows[i].spaces);
		CU_ASSERT_EQUAL(b.capacity, rows[i].capacity);
		CU_ASSERT_EQUAL(b.may_lose_one, rows[i].may_lose_one);
	}
	arena_close(&a);
}

/* tcp_tw_reuse is about ports that connect() chooses; a socket with a port of its own may take
 * over its own TIME_WAIT, whatever it says. */
static void what_bind_takes_stays_taken_for_the_whole_of_time_wait(void)
{
	static const struct {
		const char *load;
		int64_t quiet_ns;
		bool known, exhausts;
		uint64_t after;
	} rows[] = {
		{"{rate: 100/s}", 1000000000, true, true, 32},
		{"{rate: 100/s, bind: address}", TIME_WAIT_NS, true, true, 32},
		{"{rate: 100/s, bind: any}", TIME_WAIT_NS, true, true, 32},
		{"{rate: 100/s, bind: ports 45000-45009}", TIME_WAIT_NS, true, true, 10},
		{"{rate: 100/s, bind: ports 45000-45009, options: {reuseaddr: true}}", 0, true,
		 false, 0},
		{"{end: leak, bind: port 45000}", FOR_EVER, true, true, 1},
		{"{end: leak, bind: local-port-range 40001-40003}", FOR_EVER, true, true, 3},
	};
	struct arena a = help_arena();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct plan p = help_plan(text_format(&a,
						      "network: {ports: 40000-40031, sysctl: "
						      "{net.ipv4.tcp_tw_reuse: 1}}\nload: %s",
						      rows[i].load)
						  .s,
					  NULL, 1, &a);

		CU_ASSERT_EQUAL(p.forecast.quiet_ns, rows[i].quiet_ns);
		CU_ASSERT_EQUAL(p.forecast.known, rows[i].known);
		CU_ASSERT_EQUAL(p.forecast.exhausts, rows[i].exhausts);
		CU_ASSERT_EQUAL(p.forecast.after, rows[i].after);
	}
	arena_close(&a);
}

/* What bind() refuses is no want of a port; where it is told not to look, nobody knows how long
 * connect() takes. */
static void an_address_that_the_client_lacks_is_no_want_of_a_port(void)
{
	static const struct {
		const char *network, *load;
		bool nowhere, known, exhausts;
	} rows[] = {
		{"", "bind: address 192.0.2.1", true, true, false},
		{"", "bind: address 10.77.0.1", false, true, true},
		{"", "bind: address", false, true, true},
		{", sources: [192.0.2.1]", "bind: address 192.0.2.1", false, true, true},
		{", sysctl: {net.ipv4.ip_nonlocal_bind: 1}", "bind: address 192.0.2.1", false,
		 false, false},
		{", sysctl: {net.ipv4.ip_nonlocal_bind: 0}", "bind: address 192.0.2.1", true, true,
		 false},
		{", family: ipv6, sysctl: {net.ipv4.ip_nonlocal_bind: 1}",
		 "bind: \"address fd99::1\"", true, true, false},
		{", topology: nat", "bind: address 192.0.2.1", true, true, false},
		{", family: ipv6", "bind: address", false, true, true},
		{", family: ipv6, dad: true", "bind: address", false, false, false},
		{", family: ipv6, dad: true", "bind: address, total: 10", false, true, false},
	};
	struct arena a = help_arena();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct plan p = help_plan(text_format(&a,
						      "network: {ports: 40000-40031%s}\n"
						      "load: {rate: 100/s, %s}",
						      rows[i].network, rows[i].load)
						  .s,
					  NULL, 1, &a);
		struct foretold told[PREDICTIONS];

		predict(told, &p, 1e9);
		CU_ASSERT_EQUAL(plan_binds_nowhere(&p), rows[i].nowhere);
		CU_ASSERT_EQUAL(p.forecast.known, rows[i].known);
		CU_ASSERT_EQUAL(p.forecast.exhausts, rows[i].exhausts);
		CU_ASSERT_EQUAL(told[PREDICTION_SUSTAINED].told &&
					told[PREDICTION_SUSTAINED].value.most <= 0,
				rows[i].nowhere);
		CU_ASSERT(!rows[i].nowhere || !told[PREDICTION_GATEWAY].told);
	}
	arena_close(&a);
}

static void sockets_are_counted_where_the_load_has_its_ports(void)
{
	struct arena a = help_arena();
	struct plan p = help_plan("load: {bind: ports 20000-20009}", NULL, 1, &a);

	CU_ASSERT(p.watched.lo == 20000 && p.watched.hi == 20009);
	p = help_plan("network: {ports: 40000-40031}\nload: {bind: address}", NULL, 1, &a);
	CU_ASSERT(p.watched.lo == 40000 && p.watched.hi == 40031);
	arena_close(&a);
}

/* Where one load's connect() chooses, its ports count for each destination. */
static void a_port_is_one_for_all_destinations_where_each_load_binds_it(void)
{
	static const struct {
		const char *lines;
		bool together;
	} rows[] = {
		{"network: {servers: 3}\nload: {bind: address}", true},
		{"network: {servers: 3}\nload: {bind: address-no-port}", false},
		{"network: {servers: 3}", false},
		{"load: {bind: address}", false}, /* there is but one */
		{"network: {servers: 3}\nloads: {a: {bind: address}, b: {bind: ports 5000-5010}}",
		 true},
		{"network: {servers: 3}\nloads: {a: {bind: address}, b: {}}", false},
		{"network: {servers: 3, sysctl: {net.ipv4.ip_autobind_reuse: 1}}\n"
		 "load: {bind: address, options: {reuseaddr: true}}",
		 false},
	};
	struct arena a = help_arena();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct plan p = help_plan(rows[i].lines, NULL, 1, &a);

		CU_ASSERT_EQUAL(plan_shares_ports(&p), rows[i].together);
	}
	arena_close(&a);
}

/* Each load has lost of its own ports what is held of those; then the widest is chosen. */
static void what_is_held_is_taken_from_the_loads_that_want_it(void)
{
	static const struct {
		const char *lines;
		uint64_t capacity;
		uint32_t listening, widest;
	} rows[] = {
		{"loads: {a: {bind: ports 40000-40003}, b: {}}\nsquat: {listen: [40020-40022]}", 29,
		 3, 1},
		{"loads: {b: {}, a: {bind: ports 40000-40003}}\nsquat: {listen: [40020-40022]}", 29,
		 3, 0},
		/* The wider of them is no longer. */
		{"loads: {a: {bind: ports 50000-50039}, b: {}}\nsquat: {listen: [50000-50019]}", 32,
		 0, 1},
	};
	struct arena a = help_arena();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct plan p = help_plan(
			text_format(&a, "network: {ports: 40000-40031}\n%s", rows[i].lines).s, NULL,
			1, &a);

		CU_ASSERT_EQUAL(p.budget.capacity, rows[i].capacity);
		CU_ASSERT_EQUAL(p.squat.listening, rows[i].listening);
		CU_ASSERT_EQUAL(p.widest, rows[i].widest);
	}
	arena_close(&a);
}

/* To say that several sources are there is to say that they are bound. */
static void several_sources_are_bound_without_a_port(void)
{
	struct arena a = help_arena();
	struct plan p = help_plan("network: {sources: 2}", NULL, 1, &a);

	CU_ASSERT_EQUAL(p.loads[0].bind, BIND_ADDRESS_NO_PORT);
	CU_ASSERT(p.loads[0].bind_source);
	p = help_plan("network: {sources: 2}\nload: {bind: address}", NULL, 1, &a);
	CU_ASSERT_EQUAL(p.loads[0].bind, BIND_ADDRESS);
	CU_ASSERT_EQUAL(p.loads[0].option_count, 0);
	p = help_plan("load: {total: 1}", NULL, 1, &a);
	CU_ASSERT_EQUAL(p.loads[0].bind, BIND_NONE);
	CU_ASSERT(!p.loads[0].bind_source);
	arena_close(&a);
}

/* What its sockets share is taken over where it waits, in FIN_WAIT2 as in TIME_WAIT, and in use until then; but
 * in FIN_WAIT1 it is not. */
static void a_shared_port_is_free_when_its_close_is_acknowledged(void)
{
	static const struct {
		const char *behaviour, *load;
		int64_t life_ns;
		bool is_told;
		double sure;
		uint64_t ports;
	} rows[] = {
		{"answer", "end: close", 0, false, 32, 8},
		{"hold", "end: close", 0, false, 32, 8},
		{"close", "end: close", 0, false, 32, 8},
		{"answer", "end: close, hold: 250ms", 250000000, true, 16, 8},
		{"answer", "end: shutdown", 0, true, INFINITY, 8},
		{"answer", "end: reset, total: 6", 0, true, INFINITY, 6},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(
			text_format(&a,
				    "server: {behaviour: %s}\nload: {bind: ports 41000-41007, "
				    "options: {reuseaddr: true}, rate: 20/s, %s}",
				    rows[i].behaviour, rows[i].load)
				.s,
			NULL, 1, &a);

		CU_ASSERT_EQUAL(p.forecast.port_life_ns, rows[i].life_ns);
		CU_ASSERT_EQUAL(isnan(p.forecast.rate), !rows[i].is_told);
		CU_ASSERT(isinf(rows[i].sure) ? isinf(p.forecast.rate_sure)
					      : fabs(p.forecast.rate_sure - rows[i].sure) < 1e-6);
		CU_ASSERT_EQUAL(outline_of(&p).ports, rows[i].ports);
		arena_close(&a);
	}
}

static void a_shared_port_that_the_far_end_listens_on_carries_nothing(void)
{
	struct arena a = help_arena();
	struct plan p = help_plan("network: {topology: loopback}\nload: {bind: port 7000, options: "
				  "{reuseaddr: true}}",
				  NULL, 1, &a);

	CU_ASSERT_EQUAL(p.forecast.rate, 0);
	arena_close(&a);
}

static const struct test tests[] = {
	TEST(who_takes_the_port_decides_how_many_there_are),
	TEST(what_bind_takes_stays_taken_for_the_whole_of_time_wait),
	TEST(an_address_that_the_client_lacks_is_no_want_of_a_port),
	TEST(sockets_are_counted_where_the_load_has_its_ports),
	TEST(a_port_is_one_for_all_destinations_where_each_load_binds_it),
	TEST(what_is_held_is_taken_from_the_loads_that_want_it),
	TEST(several_sources_are_bound_without_a_port),
	TEST(a_shared_port_is_free_when_its_close_is_acknowledged),
	TEST(a_shared_port_that_the_far_end_listens_on_carries_nothing),
	TESTS_END,
};

const struct suite suite_bind = {"bind", tests};
