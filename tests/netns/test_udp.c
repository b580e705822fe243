/* Sockets of UDP on the real kernel: each has its port towards all destinations. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drive_help.h"
#include "sense/census.h"
#include "sys/endpoint.h"

/* What the kernel says while the sockets live, in the client's namespace. */
struct look {
	struct drive d;
	struct census udp;
	struct socket_seen all[700];
	uint32_t sockets, distinct; /* by their addresses and ports */
	uint32_t remotes;	    /* that they are connected to */
	struct address seen[64];
	int tcp; /* the errno of a TCP connect: ECONNREFUSED is one that had a port */
};

static bool is_new(const struct look *l, const struct socket_seen *s)
{
	for (uint32_t i = 0; i < l->sockets; i++)
		if (l->all[i].local_port == s->local_port &&
		    l->all[i].remote_port == s->remote_port &&
		    address_eq(l->all[i].local, s->local) &&
		    address_eq(l->all[i].remote, s->remote))
			return false;
	return true;
}

static void add(void *context, const struct socket_seen *s)
{
	struct look *l = context;
	uint32_t i = 0;

	census_add(&l->udp, s);
	l->distinct += is_new(l, s);
	if (l->sockets < sizeof(l->all) / sizeof(l->all[0]))
		l->all[l->sockets++] = *s;
	while (i < l->remotes && !address_eq(l->seen[i], s->remote))
		i++;
	if (i == l->remotes && i < 64)
		l->seen[l->remotes++] = s->remote;
}

static void look(void *context, struct worker *worker)
{
	struct look *l = context;
	const struct plan *p = &l->d.h.plan;
	const struct socket_filter filter = {.ports = p->watched, .protocols = 1U << PROTOCOL_UDP};
	struct err err = {0};
	struct dump dump;
	bool torn;
	int fd;

	(void)worker;
	CU_ASSERT_FATAL(census_open(&l->udp, 0, &l->d.h.arena) && dump_open(&dump, &err));
	l->udp.range = p->watched;
	CU_ASSERT(dump_run(&dump, &filter, add, l, &torn, &err));
	dump_close(&dump);
	fd = help_connection(p->family, NULL, p->servers.list[0], p->service_first);
	l->tcp = fd < 0 ? -fd : 0;
	if (fd >= 0)
		close(fd);
}

static void look_lines(struct look *l, const char *lines)
{
	memset(l, 0, sizeof(*l));
	drive_open(&l->d, lines);
	drive_looked_at(&l->d, look, l);
	CU_ASSERT(l->d.ok);
}

/* TCP counts its ports by destination; UDP has those of the range once. */
static void many_destinations_have_no_more_ports_than_one(void)
{
	static const struct {
		const char *network;
		uint64_t opened;
		uint32_t remotes;
	} rows[] = {
		{"servers: 50", 32, 32},
		{"servers: 5", 32, 5},
		{"family: ipv6, servers: 50", 32, 32},
		{"family: mapped, servers: 50", 32, 32},
		{"topology: loopback, servers: 50", 32, 32},
		{"reserved: [40000-40027], servers: 50", 4, 4},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[256];
		struct look l;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031, %s}\nload: {protocol: udp, end: leak}",
			 rows[i].network);
		look_lines(&l, lines);
		CU_ASSERT(l.d.tape.exhausted && l.d.tape.complete);
		CU_ASSERT_EQUAL(l.d.tape.opened_before, rows[i].opened);
		CU_ASSERT_EQUAL(l.d.h.plan.forecast.after, rows[i].opened);
		CU_ASSERT_EQUAL(l.d.tape.tally.errors[STAGE_CONNECT][EAGAIN], 1);
		CU_ASSERT_EQUAL(l.udp.states[STATE_ESTABLISHED], rows[i].opened);
		CU_ASSERT_EQUAL(l.udp.used_max, rows[i].opened);
		CU_ASSERT_EQUAL(l.remotes, rows[i].remotes);
		CU_ASSERT_EQUAL(l.tcp, ECONNREFUSED); /* TCP has all its ports still */
		CU_ASSERT_EQUAL(last_dump(&l.d.tape)->used_max, rows[i].opened);
		CU_ASSERT_EQUAL(last_dump(&l.d.tape)->inuse, rows[i].opened);
		help_close(&l.d.h);
	}
}

/* Whoever takes the port: each source address has the range, and no destination adds to it. */
static void each_source_has_the_range_once(void)
{
	static const struct {
		const char *lines;
		uint64_t opened;
		enum stage stage;
		int error;
	} rows[] = {
		{"network: {ports: 40000-40031, sources: 4, servers: 3}\n"
		 "load: {protocol: udp, end: leak}",
		 128, STAGE_CONNECT, EAGAIN},
		{"network: {ports: 40000-40031, sources: 4, servers: 3}\n"
		 "load: {protocol: udp, end: leak, bind: address}",
		 128, STAGE_BIND, EADDRINUSE},
		{"network: {ports: 40000-40031, servers: 3}\n"
		 "load: {protocol: udp, end: leak, bind: any}",
		 32, STAGE_BIND, EADDRINUSE},
		{"network: {ports: 40000-40031, family: ipv6, sources: 4}\n"
		 "load: {protocol: udp, end: leak}",
		 128, STAGE_CONNECT, EAGAIN},
		{"network: {ports: 40000-40031, sources: 2, servers: 3}\n"
		 "load: {protocol: udp, end: leak, bind: ports 50000-50009}",
		 20, STAGE_BIND, EADDRINUSE},
		{"network: {ports: 40000-40031, servers: 3}\n"
		 "load: {protocol: udp, end: leak, bind: local-port-range 40000-40015}",
		 16, STAGE_CONNECT, EAGAIN},
		/* TCP might lose one of an odd range. */
		{"network: {ports: 40000-40032}\nload: {protocol: udp, end: leak}", 33,
		 STAGE_CONNECT, EAGAIN},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct look l;

		look_lines(&l, rows[i].lines);
		CU_ASSERT(l.d.tape.exhausted);
		CU_ASSERT_EQUAL(l.d.tape.opened_before, rows[i].opened);
		CU_ASSERT_EQUAL(l.d.h.plan.forecast.after, rows[i].opened);
		CU_ASSERT(l.d.tape.tally.errors[rows[i].stage][rows[i].error] >= 1);
		CU_ASSERT_EQUAL(l.udp.states[STATE_ESTABLISHED], rows[i].opened);
		CU_ASSERT_EQUAL(l.udp.used_max, l.d.h.plan.budget.usable);
		if (l.d.tape.opened_before != rows[i].opened)
			printf("%s: %llu\n", rows[i].lines,
			       (unsigned long long)l.d.tape.opened_before);
		help_close(&l.d.h);
	}
}

static void a_closed_socket_leaves_its_port(void)
{
	struct look l;

	look_lines(&l, "network: {ports: 40000-40031}\n"
		       "load: {protocol: udp, total: 3200, concurrency: 32}");
	CU_ASSERT(!l.d.tape.exhausted && l.d.h.plan.forecast.known &&
		  !l.d.h.plan.forecast.exhausts);
	CU_ASSERT_EQUAL(l.d.tape.tally.closed, 3200);
	CU_ASSERT_EQUAL(l.d.tape.tally.failed, 0);
	CU_ASSERT_EQUAL(l.udp.states[STATE_ESTABLISHED], 0);
	help_close(&l.d.h);
}

/* Each refusal goes through all ports, and costs no more of a core than one percent. */
static void refusals_are_few_and_recovery_is_noticed(void)
{
	struct look l;

	look_lines(&l, "network: {ports: 40000-40031}\n"
		       "load: {protocol: udp, rate: 2k/s, hold: 100ms, on_failure: continue}\n"
		       "stop: {when: never}\n"
		       "expect: [{expr: recovered == false, abort: true}]");
	CU_ASSERT(l.d.tape.exhausted && l.d.tape.recovered_ns > 0);
	CU_ASSERT_EQUAL(l.d.tape.opened_before, 32);
	CU_ASSERT(l.d.tape.tally.held_back > l.d.tape.tally.failed);
	help_close(&l.d.h);
}

/* Shared ports never run out; that several sockets have the same addresses and ports no errno tells.
 * 640 through 32 ports leave none of them out, but for one time in 20 million. */
static void sockets_that_share_ports_overshadow_each_other(void)
{
	static const struct {
		const char *network, *load;
		uint32_t distinct; /* 0: as the kernel chooses */
	} rows[] = {
		{"servers: 1", "options: {reuseaddr: true}", 32},
		{"servers: 1", "options: {reuseport: true}", 32},
		{"servers: 1", "bind: address, options: {reuseaddr: true}", 32},
		{"sources: 2", "options: {reuseaddr: true}", 0},
		{"servers: 50", "options: {reuseaddr: true}", 0},
		{"family: ipv6", "options: {reuseaddr: true}", 32},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct sample *dump;
		char lines[256];
		struct look l;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031, %s}\n"
			 "load: {protocol: udp, end: leak, total: 640, %s}",
			 rows[i].network, rows[i].load);
		look_lines(&l, lines);
		dump = last_dump(&l.d.tape);
		CU_ASSERT(!l.d.tape.exhausted && l.d.h.plan.forecast.known &&
			  !l.d.h.plan.forecast.exhausts);
		CU_ASSERT_EQUAL(l.sockets, 640);
		CU_ASSERT_EQUAL(dump->states[STATE_ESTABLISHED], 640);
		CU_ASSERT_EQUAL(dump->overshadowed, 640 - l.distinct);
		CU_ASSERT_EQUAL(dump->used_max, 32);
		CU_ASSERT(rows[i].distinct == 0 || rows[i].distinct == l.distinct);
		CU_ASSERT(l.distinct >= 32 && l.distinct < 640);
		help_close(&l.d.h);
	}
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, many_destinations_have_no_more_ports_than_one),
	TEST_UNLESS(help_no_network, each_source_has_the_range_once),
	TEST_UNLESS(help_no_network, a_closed_socket_leaves_its_port),
	TEST_UNLESS(help_no_network, refusals_are_few_and_recovery_is_noticed),
	TEST_UNLESS(help_no_network, sockets_that_share_ports_overshadow_each_other),
	TESTS_END,
};

const struct suite suite_udp = {"udp", tests};
