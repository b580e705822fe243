/* Keys that cannot mean anything together, and what is said of them. */

#include "mistake.h"
#include "suites.h"

static void keys_that_exclude_each_other_are_told(void)
{
	static const struct mistake rows[] = {
		{HEAD "load: {rate: 5/s, concurrency: 5}\n", 3, 32, "exclude each other",
		 "rate: 0/s"},
		{HEAD "load: {end: wait}\n", 3, 13, "closes first", "close, accept-close or reset"},
		{HEAD "load: {end: wait}\nserver: {behaviour: never-accept}\n", 4, 21,
		 "closes first", "close, accept-close or reset"},
		{HEAD "network: {topology: loopback}\nserver: {behaviour: drop}\n", 4, 21,
		 "between two hosts", "topology: veth"},
		{HEAD "server: {vanish: 1s}\nnetwork: {topology: loopback}\n", 4, 21,
		 "between two hosts", "topology: veth"},
		{HEAD "server: {behaviour: drop, vanish: 1s}\n", 3, 35, "that is there",
		 "keep one"},
		{HEAD "server: {behaviour: refuse, backlog: 5}\n", 3, 38, "that listens",
		 "refuse or drop"},
		{HEAD "server: {behaviour: never-accept, accept_every: 1s}\n", 3, 49,
		 "that accepts", "keep one"},
		{HEAD "server: {behaviour: ignore, delay: 1s}\n", 3, 36, "answers requests",
		 "answer, hold or close"},
		{HEAD "server: {die: 1s, behaviour: drop}\n", 3, 30, "that listens", "no process"},
		{HEAD "stop: {after: 1m}\n", 3, 15, "longer than stop.time", "raise it"},
		{HEAD "load: {duration: 31s}\n", 3, 18, "longer than stop.time", "raise it"},
		{HEAD "load: {duration: 5s}\nstop: {time: 1s}\n", 4, 14, "longer than stop.time",
		 "raise it"},
		{HEAD "load: {on_failure: {grow: 2}}\n", 3, 27, "means nothing without retry",
		 "retry"},
		{HEAD "load: {on_failure: {wait: 5ms}}\n", 3, 27, "means nothing without retry",
		 "retry"},
		{HEAD "load: {burst: {every: 2s}}\n", 3, 23, "means nothing without size", "size"},
		{HEAD "load: {end: leak, mix: {leak: 5%}}\n", 3, 24, "no other end than load.end",
		 "leave load.mix out"},
		{HEAD "load: {mix: {close: 5%}}\n", 3, 13, "no other end than load.end", ""},
		{HEAD "stop: {when: never, after: 1s}\n", 3, 28, "with stop.when: never",
		 "leave one"},
		{HEAD "network: {sources: [10.9.0.1, 10.9.0.2], servers: [10.9.0.2]}\n", 3, 52,
		 "10.9.0.2 is one of network.sources and of network.servers", "two hosts"},
		{HEAD "expect: [{expr: leaked == 0, abort: true, after: 30s}]\n", 3, 17,
		 "stop.time is over", "raise stop.time"},
		{HEAD "load: {on_failure: {jitter: 5%}}\n", 3, 29, "means nothing without retry",
		 "retry"},
		{HEAD "load: {on_failure: {retry: 3, flush_pool: true}}\n", 3, 43, "needs a pool",
		 "leave it out"},
		{HEAD "load: {options: {keepalive: {count: 3}}}\n", 3, 37, "has no idle",
		 "add idle"},
		{HEAD "load: {options: {keepalive: {interval: 1s}}}\n", 3, 40, "has no idle",
		 "add idle"},
		{HEAD "load: {burst: {size: 9, every: 2s}, rate: 1/min}\n", 3, 43,
		 "exclude each other", "keep one"},
		/* a case breaks it, by a key of its own; the base's fault is told once */
		{HEAD "load: {rate: 5/s}\ncases: {b: {load: {concurrency: 5}}}\n", 4, 33, "exclude",
		 "rate: 0/s"},
		{HEAD "load: {end: wait}\ncases: {b: {load: {hold: 5s}}, c: {}}\n", 3, 13,
		 "closes first", ""},
	};
	static const char *const fine[] = {
		HEAD "load: {rate: 5/s}\ncases: {b: {load: {rate: 0/s, concurrency: 5}}}\n",
		HEAD "network: {ports: 5-9, reserved: [1-6, 8-20]}\n",
	};

	CHECK(rows);
	CHECK_FINE(fine);
}

static void what_squats_is_of_one_protocol(void)
{
	static const struct mistake rows[] = {
		{HEAD "squat: {protocol: udp}\n", 3, 19, "squat holds nothing", "load.ballast"},
		{HEAD "load: {protocol: udp, ballast: 50%}\n", 3, 32,
		 "load.ballast and the load differ in protocol", "one protocol"},
		{HEAD "squat: {protocol: udp, listen: [40010]}\n", 3, 32,
		 "a UDP socket does not listen", "squat.ports"},
		{HEAD "squat: {protocol: udp, bind: 1}\nload: {protocol: udp, connected: false, "
		      "request: {send: 8B}}\n",
		 4, 34, "exclude each other", "socket table"},
		{HEAD "squat: {protocol: udp}\nload: {protocol: udp, ballast: 50%, bind: "
		      "address-no-port}\n",
		 4, 43, "load.ballast means nothing to a load.bind that takes ports by bind()",
		 "squat"},
	};

	CHECK(rows);
}

static void what_squats_late_is_something_in_time(void)
{
	static const struct mistake rows[] = {
		{HEAD "squat: {start: 1s}\n", 3, 16, "squat holds nothing", "unbound"},
		{HEAD "squat: {listen: [40010], start: 30s}\n", 3, 33,
		 "squat.start is not before stop.time", "lower"},
		{HEAD "squat: {unbound: 1, address: 127.0.0.2}\n", 3, 30,
		 "squat.unbound is bound to no address", "listen"},
	};

	CHECK(rows);
}

static void a_load_has_addresses_of_its_family(void)
{
	static const struct mistake rows[] = {
		{HEAD "network: {servers: [10.77.128.9]}\nloads: {a: {}, b: {family: ipv6}}\n", 4,
		 28, "no addresses of load.family", "how many"},
		{HEAD "network: {topology: nat}\nloads: {a: {}, b: {family: ipv6}}\n", 4, 28,
		 "nat is for IPv4", "mapped"},
		{HEAD "network: {topology: loopback, sources: 2}\nload: {family: ipv6}\n", 4, 16,
		 "one loopback address", ""},
		{HEAD "load: {options: {v6only: true}, family: mapped}\n", 3, 41, "v6only is for",
		 ""},
		{HEAD "load: {family: ipv5}\n", 3, 16, "load.family cannot be \"ipv5\"",
		 "Did you mean"},
	};
	static const char *const fine[] = {
		HEAD "network: {servers: [10.77.128.9]}\nload: {family: mapped}\n",
		HEAD "load: {options: {v6only: true}, family: ipv6}\n",
	};

	CHECK(rows);
	CHECK_FINE(fine);
}

static void who_names_no_source_has_one(void)
{
	static const struct mistake rows[] = {
		{HEAD "network: {sources: 2}\nload: {bind: any}\n", 4, 14,
		 "load.bind: any has one source address, which the route decides", "bind: address"},
		{HEAD "network: {topology: loopback, sources: [127.0.0.5]}\nload: {bind: any}\n", 4,
		 14, "bind: any has one source", ""},
		{HEAD "network: {topology: nat, nat: {clients: 2}}\nload: {bind: any}\n", 4, 14,
		 "bind: any has one source", ""},
		{HEAD "load: {bind: any, order: fast}\n", 3, 26, "order: fast needs connect()", ""},
		{HEAD "network: {sources: 2}\nload: {bind: address 10.77.0.1}\n", 4, 14,
		 "load.bind names one address, and network.sources are several", "its own"},
		{HEAD "network: {topology: nat, nat: {clients: 2}}\n"
		      "load: {bind: address 10.77.0.1}\n",
		 4, 14, "load.bind names one address", ""},
		{HEAD "load: {bind: \"address fd77::1\"}\n", 3, 14,
		 "load.bind: the address is not of the load's family", "mapped"},
		{HEAD "load: {bind: address 10.77.0.1, family: ipv6}\n", 3, 41,
		 "address is not of the load", ""},
		{HEAD "load: {bind: address 224.0.0.1}\n", 3, 14,
		 "load.bind cannot be \"address 224.0.0.1\"", "multicast"},
		{HEAD "load: {bind: \"address fe80::1\"}\n", 3, 14, "is not of the load's family",
		 "family"},
		{HEAD "load: {scope: lo}\n", 3, 15, "load.scope needs link-local", "fe80::2"},
		{HEAD "load: {nofile: 3}\n", 3, 16, "leaves no descriptor", "4 or more"},
		{HEAD "load: {bind: address 0.0.0.0}\n", 3, 14, "load.bind cannot be", ""},
		{HEAD "load: {bind: address here}\n", 3, 14, "load.bind cannot be", "address"},
		{HEAD "load: {bind: any 10.77.0.1}\n", 3, 14, "load.bind cannot be", ""},
	};

	CHECK(rows);
}

static void an_address_is_asked_for_on_a_link_of_ipv6(void)
{
	static const struct mistake rows[] = {
		{HEAD "network: {dad: true}\n", 3, 16, "network.dad is for IPv6", "family: ipv6"},
		{HEAD "network: {dad: true, family: mapped}\n", 3, 30, "network.dad is for IPv6",
		 ""},
		{HEAD "network: {dad: true, family: ipv6, topology: loopback}\n", 3, 46,
		 "network.dad needs a network", "veth"},
		{HEAD "network: {dad: true, family: ipv6}\n"
		      "squat: {bind: 2, family: ipv6, address: \"fd77::1\"}\n",
		 4, 41, "bound to squat.address", "::1"},
	};
	static const char *const fine[] = {
		HEAD "network: {dad: true, family: ipv6}\n",
		HEAD "network: {dad: true}\nloads: {a: {}, b: {family: ipv6}}\n",
		HEAD "network: {dad: true, family: ipv6}\ncases: {a: {network: {family: ipv4}}}\n",
		HEAD "network: {dad: true, family: ipv6}\n"
		     "squat: {bind: 2, family: ipv6, address: \"::1\"}\n",
	};

	CHECK(rows);
	CHECK_FINE(fine);
}

static void a_gateway_is_of_its_topology(void)
{
	static const struct mistake rows[] = {
		{HEAD "network: {nat: {ports: 2000-2031}}\n", 3, 24,
		 "network.nat.ports needs topology: nat", "no gateway"},
		{HEAD "network: {nat: {addresses: 2}}\n", 3, 28, "nat.addresses needs", ""},
		{HEAD "network: {nat: {random: true}}\n", 3, 25, "nat.random needs", ""},
		{HEAD "network: {nat: {limit: 10}}\n", 3, 24, "nat.limit needs", ""},
		{HEAD "network: {nat: {sysctl: {net.a: 1}}}\n", 3, 25, "nat.sysctl needs", ""},
		{HEAD "network: {nat: {mapping: endpoint-independent}}\n", 3, 26,
		 "nat.mapping needs", ""},
		{HEAD "network: {nat: {mapping_time: 1s}}\n", 3, 31, "nat.mapping_time needs", ""},
		{HEAD "network: {topology: nat, nat: {mapping_time: 1s}}\n", 3, 46,
		 "mapping_time needs mapping: endpoint-independent", "nf_conntrack"},
		{HEAD "network: {nat: {redirect: true}, servers: 2}\n", 3, 27, "nat.redirect needs",
		 ""},
		{HEAD "network: {topology: nat, nat: {redirect: true}}\n", 3, 42,
		 "redirect needs more than one destination", "network.servers or"},
		{HEAD "network: {topology: nat, nat: {mapping: cone}}\n", 3, 41,
		 "mapping cannot be", "endpoint-independent"},
		{HEAD "network: {topology: nat, nat: {sysctl: {vm.a: 1}}}\n", 3, 41,
		 "network.nat.sysctl cannot set", "network sysctl"},
		{HEAD "server: {sysctl: {net.ipv4.a: 1}}\nnetwork: {topology: loopback}\n", 4, 21,
		 "server.sysctl needs a namespace", "network.sysctl"},
		{HEAD "network: {nat: {clients: 2}, topology: loopback}\n", 3, 40,
		 "nat.clients needs", ""},
		{HEAD "network: {topology: nat, family: ipv6}\n", 3, 34, "nat is for IPv4",
		 "mapped"},
		{HEAD "network: {topology: nat, sources: 100, nat: {clients: 11}}\n", 3, 55,
		 "more than 1,024", "fewer"},
		{HEAD "network: {topology: nat, servers: 1024, services: 64, nat: {clients: "
		      "20}}\n",
		 3, 35, "more than 524,288", "fewer"},
		{HEAD "network: {topology: nat, nat: {ports: 2031-2000}}\n", 3, 39, "ports cannot",
		 "range"},
		{HEAD "cases: {b: {network: {nat: {limit: 10}}}}\n", 3, 36, "nat.limit needs", ""},
	};
	static const char *const fine[] = {
		HEAD "network: {topology: nat, family: mapped, nat: {ports: 2000-2031}}\n",
		HEAD "network: {topology: nat, nat: {ports: 2000-2031}}\n"
		     "cases: {b: {network: {topology: veth}}}\n",
		HEAD "network: {nat: {addresses: 1, limit: 0}}\n",
		HEAD "network: {topology: nat, nat: {mapping: endpoint-independent, mapping_time: "
		     "1s}}\ncases: {b: {network: {nat: {mapping: address-and-port-dependent}}}}\n",
		HEAD "server: {sysctl: {net.ipv4.ip_local_port_range: 2000 2001}}\n"
		     "cases: {b: {network: {topology: loopback}}}\n",
	};

	CHECK(rows);
	CHECK_FINE(fine);
}

/* What `show` prints of a case that takes retries back is read again as well. */
static void what_is_taken_back_may_keep_its_words(void)
{
	static const char *const fine[] = {
		HEAD "load: {on_failure: {wait: 5ms, grow: 2, jitter: 5%, retry: 0}}\n",
		HEAD "load: {on_failure: {retry: 3, wait: 5ms, grow: 2, jitter: 5%}}\n"
		     "cases: {b: {load: {on_failure: {retry: 0}}}}\n",
		HEAD "load: {on_failure: {retry: 3, wait: 5ms}}\n"
		     "loads: {a: {}, b: {on_failure: {retry: 0}}}\n",
		HEAD "load: {burst: {size: 9, every: 2s}}\n"
		     "cases: {b: {load: {burst: {size: 0}, rate: 5/s}}}\n",
		HEAD "load: {mix: {close: 50%, reset: 50%}}\n",
		HEAD "load: {end: reset, options: {linger: 0s}}\n", /* which is what it does */
		HEAD "load: {duration: 30s}\n",
		HEAD "load: {start: 5s, duration: 25s}\n",
		HEAD "network: {topology: nat, servers: 2, nat: {redirect: true}}\n"
		     "cases: {b: {network: {servers: 1}}}\n",
		HEAD "stop: {after: 1s}\ncases: {b: {stop: {when: never}}}\n",
		HEAD "network: {topology: loopback, sources: [127.0.0.1], servers: [127.0.0.1]}\n",
	};

	CHECK_FINE(fine);
}

static const struct test tests[] = {
	TEST(keys_that_exclude_each_other_are_told),
	TEST(what_squats_is_of_one_protocol),
	TEST(what_squats_late_is_something_in_time),
	TEST(a_load_has_addresses_of_its_family),
	TEST(who_names_no_source_has_one),
	TEST(an_address_is_asked_for_on_a_link_of_ipv6),
	TEST(a_gateway_is_of_its_topology),
	TEST(what_is_taken_back_may_keep_its_words),
	TESTS_END,
};

const struct suite suite_scenario_rules = {"scenario rules", tests};
