/* Families of addresses on the real kernel: which of them have ports of their own, and which
 * share them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "drive_help.h"
#include "plan/choose.h"
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

	CU_ASSERT_FATAL(census_open(&l->census, 0, &h->arena));
	l->census.range = filter.ports;
	l->ok = dump_open(&dump, &h->err) &&
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

/* ---- whose ports are whose ----------------------------------------------- */

enum { MOST = 40 };

/* What the kernel still gives in the client's namespace while the load's connections live. */
struct more {
	struct drive d;
	enum family families[2];
	unsigned opened[2]; /* of each, one after the other, until it is refused */
	int refused[2];	    /* with which errno */
};

static void open_more(void *context, struct worker *worker)
{
	struct more *m = context;
	const struct plan *p = &m->d.h.plan;
	int fds[2 * MOST];
	unsigned n = 0;

	(void)worker;
	for (int k = 0; k < 2; k++) {
		enum family family = m->families[k];
		struct address to =
			family == FAMILY_IPV6 ? (struct address){0, 1} : address_ipv4(0x7f000001);

		while (m->refused[k] == 0 && m->opened[k] < MOST) {
			int fd = help_connection(family, NULL, to, p->service_first);

			if (fd >= 0) {
				fds[n++] = fd;
				m->opened[k]++;
			} else {
				m->refused[k] = -fd;
			}
		}
	}
	while (n)
		close(fds[--n]);
}

/* 32 ports of IPv6 in use leave IPv4 its 32; a mapped socket has none but those of IPv4. */
static void a_family_has_ports_apart_and_mapped_has_those_of_ipv4(void)
{
	static const struct {
		const char *family;
		enum family then[2];
		unsigned opened[2];
	} rows[] = {
		{"ipv6", {FAMILY_IPV4, FAMILY_MAPPED}, {32, 0}},
		{"ipv6", {FAMILY_MAPPED, FAMILY_IPV4}, {32, 0}},
		{"ipv6", {FAMILY_IPV6, FAMILY_IPV4}, {0, 32}},
		{"mapped", {FAMILY_IPV4, FAMILY_MAPPED}, {0, 0}},
		{"ipv4", {FAMILY_MAPPED, FAMILY_IPV4}, {0, 0}},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct more m = {.families = {rows[i].then[0], rows[i].then[1]}};
		char lines[160];

		snprintf(lines, sizeof(lines),
			 "network: {topology: loopback, family: %s, ports: 40000-40031}\n"
			 "load: {end: leak}",
			 rows[i].family);
		drive_open(&m.d, lines);
		drive_looked_at(&m.d, open_more, &m);
		CU_ASSERT(m.d.ok);
		CU_ASSERT_EQUAL(m.d.tape.opened_before, 32);
		for (int k = 0; k < 2; k++) {
			CU_ASSERT_EQUAL(m.opened[k], rows[i].opened[k]);
			CU_ASSERT_EQUAL(m.refused[k], EADDRNOTAVAIL);
		}
		help_close(&m.d.h);
	}
}

/* ---- who is chosen ------------------------------------------------------- */

enum { SERVERS = 8 };

struct chosen {
	struct drive d;
	struct census census;
};

static void count_chosen(void *context, struct worker *worker)
{
	struct chosen *c = context;
	const struct socket_filter filter = {.ports = c->d.h.plan.watched};
	struct err err = {0};
	struct dump dump;
	bool torn;

	(void)worker;
	CU_ASSERT_FATAL(census_open(&c->census, SERVERS, &c->d.h.arena) && dump_open(&dump, &err));
	c->census.range = filter.ports;
	CU_ASSERT(dump_run(&dump, &filter, add, &c->census, &torn, &err));
	dump_close(&dump);
}

static uint32_t connections_to(const struct census *c, struct address server)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i <= c->mask; i++)
		n += c->rows[i].used && address_eq(c->rows[i].usage.remote, server)
			     ? c->rows[i].used
			     : 0;
	return n;
}

/* As many to each server, by the kernel's table, as were drawn for it; and the first want of a port
 * is where the draws say. */
static void the_seed_says_which_server_is_next(void)
{
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct chosen c = {0};
		const struct plan *p = &c.d.h.plan;
		uint32_t drawn[SERVERS] = {0};

		drive_open(&c.d, "network: {ports: 40000-40031, servers: 8, choose: seed}\n"
				 "load: {end: leak}");
		CU_ASSERT_FATAL(plan_make(&c.d.h.plan, p->scenario, p->host, seed, &c.d.h.arena,
					  &c.d.h.err));
		drive_looked_at(&c.d, count_chosen, &c);
		CU_ASSERT(c.d.ok);
		CU_ASSERT(c.d.tape.exhausted && p->forecast.exhausts && p->forecast.known);
		CU_ASSERT_EQUAL(c.d.tape.opened_before, p->forecast.after);
		/* The rest of the batch that the refusal was in has opened, too. */
		for (uint64_t i = 0; i < c.d.tape.tally.attempted; i++)
			drawn[choose_draw(p, &p->loads[0], i, SERVERS)]++;
		for (uint32_t i = 0; i < SERVERS; i++)
			CU_ASSERT_EQUAL(connections_to(&c.census, p->servers.list[i]),
					drawn[i] < 32 ? drawn[i] : 32);
		help_close(&c.d.h);
	}
}

/* ---- what is not exhaustion ---------------------------------------------- */

/* Sockets in use of a version of IP, at most in any dump. */
static uint64_t most_of(const struct tape *t, bool is_ipv6)
{
	uint64_t most = 0;

	for (size_t i = 0; i < t->sample_count; i++) {
		const struct usage *u = sample_usages(t, &t->samples[i]);
		uint64_t n = 0;

		for (uint32_t k = 0; k < t->samples[i].usage_count; k++)
			n += address_is_ipv4(u[k].local) == is_ipv6 ? 0 : usage_used(&u[k]);
		most = n > most ? n : most;
	}
	return most;
}

/* One load has 20 of the 32 ports; what is there for another, that begins later? What was seen of
 * plain system calls (Linux 6.18), and what the plan says of it. */
static void loads_of_two_families_share_what_bind_takes(void)
{
	static const struct {
		const char *first, *second;
		uint64_t opened;
		enum stage stage;
		int error;
	} rows[] = {
		{"", "family: ipv6", 32, STAGE_CONNECT, EADDRNOTAVAIL},
		{"", "family: mapped", 12, STAGE_CONNECT, EADDRNOTAVAIL},
		{"", "family: ipv6, bind: address", 32, STAGE_BIND, EADDRINUSE},
		{"", "family: ipv6, bind: any", 12, STAGE_BIND, EADDRINUSE},
		{"", "family: ipv6, bind: any, options: {v6only: true}", 32, STAGE_BIND,
		 EADDRINUSE},
		{"bind: address", "family: ipv6", 12, STAGE_CONNECT, EADDRNOTAVAIL},
		{"bind: address", "family: ipv6, bind: address", 32, STAGE_BIND, EADDRINUSE},
		{"family: ipv6", "bind: any", 12, STAGE_BIND, EADDRINUSE},
		{"family: ipv6, bind: address", "bind: any", 32, STAGE_BIND, EADDRINUSE},
		{"protocol: udp", "protocol: udp, family: ipv6", 12, STAGE_CONNECT, EAGAIN},
		{"protocol: udp", "protocol: udp, family: ipv6, bind: address", 32, STAGE_BIND,
		 EADDRINUSE},
		{"protocol: udp, family: ipv6, bind: address", "protocol: udp", 32, STAGE_CONNECT,
		 EAGAIN},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[400];
		struct drive d;
		const struct tally *second;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031}\n"
			 "loads:\n  a: {end: leak, total: 20%s%s}\n"
			 "  b: {start: 500ms, end: leak, total: 60, %s}",
			 rows[i].first[0] ? ", " : "", rows[i].first, rows[i].second);
		drive_lines(&d, lines);
		second = &d.tape.loads[1].tally;
		if (second->opened != rows[i].opened)
			printf("%s: %llu\n", lines, (unsigned long long)second->opened);
		CU_ASSERT_EQUAL(d.tape.loads[0].tally.opened, 20);
		CU_ASSERT_EQUAL(second->opened, rows[i].opened);
		CU_ASSERT(second->errors[rows[i].stage][rows[i].error] >= 1);
		CU_ASSERT(!d.h.plan.forecast.known || d.h.plan.forecast.exhausts);
		CU_ASSERT_EQUAL(most_of(&d.tape, false) + most_of(&d.tape, true),
				20 + rows[i].opened);
		CU_ASSERT(most_of(&d.tape, true) == (strstr(rows[i].first, "ipv6") ? 20
						     : strstr(rows[i].second, "ipv6")
							     ? rows[i].opened
							     : 0));
		help_close(&d.h);
	}
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, every_family_opens_exactly_its_ports),
	TEST_UNLESS(help_no_network, listed_places_are_where_they_should_be),
	TEST_UNLESS(help_no_network, thousands_of_destinations_are_served_in_turn),
	TEST_UNLESS(help_no_network, a_family_has_ports_apart_and_mapped_has_those_of_ipv4),
	TEST_UNLESS(help_no_network, loads_of_two_families_share_what_bind_takes),
	TEST_UNLESS(help_no_network, the_seed_says_which_server_is_next),
	TESTS_END,
};

const struct suite suite_family = {"family", tests};
