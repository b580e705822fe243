/* Families of addresses on the real kernel: which of them have ports of their own, and which
 * share them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "drive_help.h"
#include "sense/census.h"
#include "sys/endpoint.h"

/* ---- what the kernel has, by its own table ------------------------------- */

struct look {
	int domain;
	struct census census;
	bool ok;
};

static void add(void *census, const struct socket_seen *seen)
{
	census_add(census, seen);
}

static void look_inside(struct help *h, void *context)
{
	const struct socket_filter filter = {.ports = h->plan.scenario->network.ports,
					     .domain = ((struct look *)context)->domain};
	struct look *l = context;
	struct dump dump;
	bool torn;

	l->ok = census_open(&l->census, 0, &h->arena) && dump_open(&dump, &h->err) &&
		dump_run(&dump, &filter, add, &l->census, &torn, &h->err);
	dump_close(&dump);
}

/* Sockets of this domain in this state, in the client's range. */
static uint64_t sockets_of(struct help *h, int domain, int state)
{
	struct look l = {.domain = domain};

	CU_ASSERT_FATAL(help_inside(h, LAB_CLIENT, look_inside, &l) && l.ok);
	return l.census.states[state];
}

/* ---- the driver ---------------------------------------------------------- */

static void every_family_opens_exactly_its_ports(void)
{
	static const struct {
		const char *lines;
		uint64_t opened;
		int domain, state;
	} cases[] = {
		{"network: {family: ipv6, ports: 40000-40031}\nload: {end: leak}", 32, AF_INET6,
		 STATE_ESTABLISHED},
		{"network: {family: mapped, ports: 40000-40031}\nload: {end: leak}", 32, AF_INET6,
		 STATE_ESTABLISHED},
		{"network: {family: ipv6, topology: loopback, ports: 40000-40031}\n"
		 "load: {end: leak}",
		 32, AF_INET6, STATE_ESTABLISHED},
		{"network: {family: mapped, topology: loopback, ports: 40000-40031}\n"
		 "load: {end: leak}",
		 32, AF_INET6, STATE_ESTABLISHED},
		{"network: {family: ipv6, ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}",
		 32, AF_INET6, STATE_TIME_WAIT},
		{"network: {family: mapped, ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: "
		 "0}}",
		 32, AF_INET6, STATE_TIME_WAIT},
		{"network: {family: ipv6, ports: 40000-40031, servers: 3}\nload: {end: leak}", 96,
		 AF_INET6, STATE_ESTABLISHED},
		{"network: {family: ipv6, ports: 40000-40031, sources: 3, services: 2}\n"
		 "load: {end: leak}",
		 192, AF_INET6, STATE_ESTABLISHED},
		{"network: {family: mapped, ports: 40000-40031, sources: 3}\nload: {end: leak}", 96,
		 AF_INET6, STATE_ESTABLISHED},
		{"network: {family: ipv6, ports: 40000-40999}\nload: {end: leak, order: fast}",
		 1000, AF_INET6, STATE_ESTABLISHED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int other = cases[i].domain == AF_INET6 ? AF_INET : AF_INET6;
		struct drive d;

		drive_open(&d, cases[i].lines);
		drive_plan(&d);
		CU_ASSERT(d.ok && d.tape.complete && d.tape.exhausted);
		CU_ASSERT_EQUAL(d.tape.opened_before, cases[i].opened);
		CU_ASSERT(d.tape.tally.errors[STAGE_CONNECT][EADDRNOTAVAIL] >= 1);
		CU_ASSERT_EQUAL(last_dump(&d.tape)->states[cases[i].state], cases[i].opened);
		CU_ASSERT_EQUAL(last_dump(&d.tape)->used_max, d.h.plan.budget.usable);
		if (d.tape.opened_before != cases[i].opened)
			printf("%s: %llu\n", cases[i].lines,
			       (unsigned long long)d.tape.opened_before);
		if (cases[i].state == STATE_TIME_WAIT) /* others end with the driver */
			CU_ASSERT_EQUAL(sockets_of(&d.h, other, STATE_TIME_WAIT), 0);
		help_close(&d.h);
	}
}

/* Addresses anywhere, and listeners where they take ports of the client's. */
static void listed_places_are_where_they_should_be(void)
{
	static const struct {
		const char *lines;
		uint64_t opened;
	} cases[] = {
		{"network: {ports: 40000-40031, sources: [192.0.2.7], servers: [198.51.100.1, "
		 "10.0.0.1, 10.77.0.1]}\nload: {end: leak}",
		 96},
		{"network: {ports: 40000-40031, family: ipv6, sources: [\"2001:db8::7\", "
		 "\"fd00::1\"], servers: [\"2001:db8:ffff::1\"]}\nload: {end: leak}",
		 64},
		{"network: {ports: 40000-40031, services: [9, 40007, 65535]}\nload: {end: leak}",
		 96},
		{"network: {ports: 40000-40031, topology: loopback, sources: [127.5.5.5], "
		 "servers: [127.9.9.9, 127.0.0.1]}\nload: {end: leak}",
		 64},
		/* Ten listeners in the range leave 22 of 32 ports to each of them. */
		{"network: {ports: 40000-40031, topology: loopback, services: [40000, 40001, "
		 "40002, 40003, 40004, 40011, 40013, 40015, 40017, 40019]}\nload: {end: leak}",
		 220},
		{"network: {ports: 40000-40031, topology: loopback, reserved: [40010-40011], "
		 "services: [40010, 40012, 7000]}\nload: {end: leak}",
		 87},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct drive d;

		drive_open(&d, cases[i].lines);
		drive_plan(&d);
		CU_ASSERT(d.ok && d.tape.complete && d.tape.exhausted);
		CU_ASSERT_EQUAL(d.tape.opened_before, cases[i].opened);
		CU_ASSERT_EQUAL(d.h.plan.forecast.after, cases[i].opened);
		if (d.tape.opened_before != cases[i].opened)
			printf("%s: %llu\n", cases[i].lines,
			       (unsigned long long)d.tape.opened_before);
		help_close(&d.h);
	}
}

/* By the kernel's table: every destination has one connection, and then a second. */
static void thousands_of_destinations_are_served_in_turn(void)
{
	static const char *const networks[] = {
		"network: {ports: 40000-40001, servers: 4000}",
		"network: {ports: 40000-40001, servers: 4000, family: ipv6}",
		"network: {ports: 40000-40001, servers: 16, services: 250}",
	};

	for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
		char lines[256];
		struct drive d;

		snprintf(lines, sizeof(lines), "%s\nload: {end: leak, total: 4000}", networks[i]);
		drive_open(&d, lines);
		drive_plan(&d);
		CU_ASSERT(d.ok && !d.tape.exhausted);
		CU_ASSERT_EQUAL(d.tape.tally.opened, 4000);
		CU_ASSERT_EQUAL(last_dump(&d.tape)->used_max, 1);
		CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_ESTABLISHED], 4000);
		help_close(&d.h);
		snprintf(lines, sizeof(lines), "%s\nload: {end: leak}", networks[i]);
		drive_open(&d, lines);
		drive_plan(&d);
		CU_ASSERT(d.ok && d.tape.exhausted);
		CU_ASSERT_EQUAL(d.tape.opened_before, 8000);
		CU_ASSERT_EQUAL(last_dump(&d.tape)->used_max, 2);
		help_close(&d.h);
	}
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, every_family_opens_exactly_its_ports),
	TEST_UNLESS(help_no_network, listed_places_are_where_they_should_be),
	TEST_UNLESS(help_no_network, thousands_of_destinations_are_served_in_turn),
	TESTS_END,
};

const struct suite suite_family = {"family", tests};
