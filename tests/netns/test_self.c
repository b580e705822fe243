/* Connections that meet themselves: the kernel's own table has them, and a server that comes later
 * finds its port taken. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "drive_help.h"
#include "sys/plain.h"
#include "sys/sockets.h"

enum { PORT = 40010 };

struct met {
	struct drive d;
	uint64_t seen; /* established, and their own peers, by a dump */
	int server;    /* what a server gets that would listen on the port now: 0, or -errno */
};

static void count_met(void *context, const struct socket_seen *s)
{
	struct met *m = context;

	m->seen += s->state == STATE_ESTABLISHED && s->local_port == s->remote_port &&
		   address_eq(s->local, s->remote);
}

/* Called in the namespace of the client, at the end of the load. */
static void look(void *context, struct worker *worker)
{
	struct met *m = context;
	const struct socket_filter filter = {.ports = {PORT, PORT + 1}};
	struct dump dump;
	struct err err = {0};
	bool torn = false;

	(void)worker;
	CU_ASSERT_FATAL(dump_open(&dump, &err));
	CU_ASSERT(dump_run(&dump, &filter, count_met, m, &torn, &err) && !torn);
	dump_close(&dump);
	m->server = socket_listen(m->d.h.plan.family, PORT, 1, false);
	if (m->server >= 0)
		m->server = close(m->server);
}

static void meet(struct met *m, const char *lines)
{
	memset(m, 0, sizeof(*m));
	drive_open(&m->d, lines);
	drive_looked_at(&m->d, look, m);
	CU_ASSERT(m->d.ok && m->d.tape.complete);
}

/* The port of each of the events, if they are `n`. */
static void check_events(const struct met *m, uint64_t n, uint16_t port)
{
	uint64_t events = 0;

	for (size_t i = 0; i < m->d.tape.event_count; i++) {
		if (m->d.tape.events[i].kind != EVENT_SELF_CONNECT)
			continue;
		events++;
		CU_ASSERT_EQUAL(m->d.tape.events[i].value, port);
		CU_ASSERT_EQUAL(m->d.tape.events[i].dest, 0);
	}
	CU_ASSERT_EQUAL(events, n);
}

#define NET "network: {topology: loopback, ports: 40010-40011, "
#define LEAK "load: {end: leak, concurrency: 1, total: 8, on_failure: continue}\n"

/* connect() looks at the ports of the first one's parity first: of two there is no choice. */
static void a_connect_to_a_closed_port_of_the_range_meets_itself(void)
{
	static const struct {
		const char *lines;
		uint64_t met, failed;
		uint16_t port;
		int server;
	} rows[] = {
		{NET "services: [40010]}\n" LEAK, 1, 7, 40010, -EADDRINUSE},
		{NET "services: [40010], family: ipv6}\n" LEAK, 1, 7, 40010, -EADDRINUSE},
		{NET "services: [40010], family: mapped}\n" LEAK, 1, 7, 40010, -EADDRINUSE},
		{NET "services: [40010], servers: [127.0.0.9], sources: [127.0.0.9]}\n" LEAK, 1, 7,
		 40010, -EADDRINUSE},
		{NET "services: [40011]}\nsquat: {ports: [40010], address: 127.0.0.9}\n" LEAK, 1, 7,
		 40011, -EADDRINUSE},
		{NET "services: [40010]}\nload: {bind: port 40010, end: leak, total: 1}\n", 1, 0,
		 40010, -EADDRINUSE},
		/* Each retry may be the one. */
		{NET "services: [40010]}\nload: {end: leak, concurrency: 1, total: 2, on_failure: "
		     "{retry: 3, wait: 1ms}}\n",
		 1, 4, 40010, -EADDRINUSE},
		{NET "services: [40011]}\n" LEAK, 0, 8, 0, 0},
		{NET "services: [40010], reserved: [40010]}\n" LEAK, 0, 8, 0, 0},
		{NET "services: [40010], servers: [127.0.0.9]}\n" LEAK, 0, 8, 0, 0},
		{NET "services: [30010]}\n" LEAK, 0, 8, 0, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[400];
		struct met m;

		snprintf(lines, sizeof(lines),
			 "%sserver: {behaviour: refuse}\nstop: {when: never}\n", rows[i].lines);
		meet(&m, lines);
		if (m.seen != rows[i].met || m.d.tape.tally.failed != rows[i].failed ||
		    m.server != rows[i].server)
			printf("%s: %llu, %llu failed, %d\n", lines, (unsigned long long)m.seen,
			       (unsigned long long)m.d.tape.tally.failed, m.server);
		CU_ASSERT_EQUAL(m.seen, rows[i].met);
		CU_ASSERT_EQUAL(m.d.tape.tally.self_connects, rows[i].met);
		CU_ASSERT_EQUAL(m.d.tape.tally.opened, rows[i].met);
		CU_ASSERT_EQUAL(m.d.tape.tally.failed, rows[i].failed);
		CU_ASSERT_EQUAL(m.server, rows[i].server);
		check_events(&m, rows[i].met, rows[i].port);
		help_close(&m.d.h);
	}
}

/* A socket of UDP too: the kernel's table has its own port as its peer's, or none where it is not
 * connected; and then what it sends is the one datagram that anybody reads. */
static void count_datagrams(void *context, const struct socket_seen *s)
{
	struct met *m = context;

	m->seen += s->datagrams && s->local_port == PORT &&
		   (s->remote_port == 0 ||
		    (s->remote_port == PORT && address_eq(s->local, s->remote)));
}

static void look_at_datagrams(void *context, struct worker *worker)
{
	struct met *m = context;
	const struct socket_filter filter = {.ports = {PORT, PORT + 1},
					     .protocols = 1U << PROTOCOL_UDP};
	struct dump dump;
	struct err err = {0};
	bool torn = false;

	(void)worker;
	CU_ASSERT_FATAL(dump_open(&dump, &err));
	CU_ASSERT(dump_run(&dump, &filter, count_datagrams, m, &torn, &err) && !torn);
	dump_close(&dump);
}

static void a_datagram_to_a_closed_port_of_the_range_comes_back(void)
{
	static const struct {
		const char *network, *load;
		uint64_t met, refused, timed_out;
	} rows[] = {
		{"", "", 1, 1, 0},
		{", family: ipv6", "", 1, 1, 0},
		{", family: mapped", "", 1, 1, 0},
		{", servers: [127.0.0.9], sources: [127.0.0.9]", "", 1, 1, 0},
		{"", ", connected: false", 1, 0, 1},
		{", family: ipv6", ", connected: false", 1, 0, 1},
		{", servers: [127.0.0.9], sources: [127.0.0.9]", ", connected: false", 1, 0, 1},
		/* From 127.0.0.1, which the socket is connected from. */
		{", servers: [127.0.0.9]", "", 0, 2, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[400];
		struct met m = {0};

		snprintf(lines, sizeof(lines),
			 NET "services: [40010]%s}\nserver: {behaviour: refuse}\n"
			     "load: {protocol: udp, end: leak, concurrency: 1, total: 2, timeout: "
			     "100ms, request: {send: 8B, receive: 8B}, on_failure: continue%s}\n"
			     "stop: {when: never}\n",
			 rows[i].network, rows[i].load);
		drive_open(&m.d, lines);
		drive_looked_at(&m.d, look_at_datagrams, &m);
		CU_ASSERT(m.d.ok && m.d.tape.complete);
		CU_ASSERT_EQUAL(m.d.tape.tally.self_connects, rows[i].met);
		CU_ASSERT_EQUAL(m.d.tape.tally.requests_done, rows[i].met);
		CU_ASSERT_EQUAL(m.d.tape.tally.errors[STAGE_RECEIVE][ECONNREFUSED],
				rows[i].refused);
		CU_ASSERT_EQUAL(m.d.tape.tally.errors[STAGE_RECEIVE][ETIMEDOUT], rows[i].timed_out);
		CU_ASSERT_EQUAL(m.seen, rows[i].met);
		check_events(&m, rows[i].met, PORT);
		help_close(&m.d.h);
	}
}

/* What is looked at is given back: each connection is closed, and meets itself anew. */
static void no_descriptor_is_kept_of_what_was_looked_at(void)
{
	unsigned before = help_descriptors();
	struct met m;

	meet(&m, NET "services: [40010]}\nserver: {behaviour: refuse}\n"
		     "load: {bind: port 40010, end: reset, concurrency: 1, total: 500, "
		     "on_failure: continue}\nstop: {when: never}\n");
	CU_ASSERT_EQUAL(m.d.tape.tally.self_connects, 500);
	CU_ASSERT_EQUAL(m.d.tape.tally.reset, 500);
	CU_ASSERT_EQUAL(m.seen, 0);
	check_events(&m, 256, PORT);
	help_close(&m.d.h);
	CU_ASSERT_EQUAL(help_descriptors(), before);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_lending, a_connect_to_a_closed_port_of_the_range_meets_itself),
	TEST_UNLESS(help_no_lending, a_datagram_to_a_closed_port_of_the_range_comes_back),
	TEST_UNLESS(help_no_lending, no_descriptor_is_kept_of_what_was_looked_at),
	TESTS_END,
};

const struct suite suite_self = {"self", tests};
