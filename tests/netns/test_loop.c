/* server.behaviour: loop, by the kernel's table of sockets: both ends of what the far end opens to
 * itself, and that nothing is left once the chain is closed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drive/far.h"
#include "drive/work.h"
#include "drive_help.h"
#include "sys/clock.h"
#include "sys/plain.h"
#include "sys/sockets.h"

#define LOOP "network: {topology: loopback, ports: 40000-40031, services: [9000]}\n"

enum { SERVICE = 9000, PORTS = 32 };

/* Of all open sockets of the namespace: towards the listener, and at it; by their ports. */
struct seen {
	unsigned towards, at, others;
	uint64_t ports_towards, ports_at; /* bit i: port 40000 + i */
};

static void see(void *context, const struct socket_seen *s)
{
	struct seen *seen = context;
	bool towards = s->remote_port == SERVICE, at = s->local_port == SERVICE;
	uint16_t port = at ? s->remote_port : s->local_port;

	if (s->state != STATE_ESTABLISHED)
		return;
	if (towards == at || port < 40000 || port >= 40000 + PORTS) {
		seen->others++;
		return;
	}
	seen->towards += towards;
	seen->at += at;
	if (towards)
		seen->ports_towards |= UINT64_C(1) << (port - 40000);
	if (at)
		seen->ports_at |= UINT64_C(1) << (port - 40000);
}

static void look(struct seen *seen)
{
	static const struct socket_filter all = {.ports = {1024, 65535}, .domain = AF_INET};
	struct dump dump;
	struct err err = {0};
	bool torn;

	memset(seen, 0, sizeof(*seen));
	CU_ASSERT_FATAL(dump_open(&dump, &err));
	CU_ASSERT(dump_run(&dump, &all, see, seen, &torn, &err));
	dump_close(&dump);
}

static void look_at_end(void *context, struct worker *w)
{
	(void)w;
	look(context);
}

/* One request: each port of the range is one of a connection whose other end is there too. */
static void one_connection_takes_every_port_of_the_range(void)
{
	struct seen seen;
	struct drive d;

	drive_open(&d, LOOP "server: {behaviour: loop, delay: 20s}\n"
			    "load: {concurrency: 1, total: 2, end: leak, hold: 300ms}");
	drive_looked_at(&d, look_at_end, &seen);
	CU_ASSERT_EQUAL(d.tape.tally.opened, 1);
	CU_ASSERT(d.tape.exhausted);
	CU_ASSERT_EQUAL(d.tape.far_opened, PORTS - 1);
	CU_ASSERT_EQUAL(d.tape.far_errors[STAGE_CONNECT][EADDRNOTAVAIL], 1);
	CU_ASSERT_EQUAL(seen.towards, PORTS);
	CU_ASSERT_EQUAL(seen.at, PORTS);
	CU_ASSERT_EQUAL(seen.others, 0);
	CU_ASSERT_EQUAL(seen.ports_towards, UINT32_MAX);
	CU_ASSERT_EQUAL(seen.ports_at, UINT32_MAX);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->used_max, PORTS);
	help_close(&d.h);
}

static void count_services(void *context, const struct socket_seen *s)
{
	unsigned *towards = context;

	if (s->state == STATE_ESTABLISHED && (unsigned)(s->remote_port - SERVICE) < 2)
		towards[s->remote_port - SERVICE]++;
}

static void look_at_services(void *context, struct worker *w)
{
	static const struct socket_filter all = {.ports = {1024, 65535}, .domain = AF_INET};
	struct dump dump;
	struct err err = {0};
	bool torn;

	(void)w;
	CU_ASSERT_FATAL(dump_open(&dump, &err));
	CU_ASSERT(dump_run(&dump, &all, count_services, context, &torn, &err));
	dump_close(&dump);
}

/* Its upstream is the listener that it was accepted at: each has all ports towards it. */
static void each_listener_is_its_own_upstream(void)
{
	unsigned towards[2] = {0, 0};
	struct drive d;

	drive_open(&d, "network: {topology: loopback, ports: 40000-40031, services: [9000, 9001]}\n"
		       "server: {behaviour: loop, delay: 20s}\n"
		       "load: {concurrency: 1, total: 3, end: leak, hold: 300ms}");
	drive_looked_at(&d, look_at_services, towards);
	CU_ASSERT_EQUAL(d.tape.tally.opened, 2);
	CU_ASSERT_EQUAL(d.tape.far_opened, 2 * (PORTS - 1));
	CU_ASSERT_EQUAL(towards[0], PORTS);
	CU_ASSERT_EQUAL(towards[1], PORTS);
	help_close(&d.h);
}

/* What the last of them cannot have closes all that are before it, and the client's. Each of three takes
 * all ports again. */
static void a_chain_that_breaks_is_closed_back_to_the_client(void)
{
	struct seen seen;
	struct drive d;

	drive_open(&d, LOOP "server: {behaviour: loop}\n"
			    "load: {concurrency: 1, total: 3, end: wait}");
	drive_looked_at(&d, look_at_end, &seen);
	CU_ASSERT_EQUAL(d.tape.tally.opened, 3);
	CU_ASSERT_EQUAL(d.tape.tally.closed, 3);
	CU_ASSERT_EQUAL(d.tape.tally.failed, 0);
	CU_ASSERT_EQUAL(d.tape.far_opened, 3 * (PORTS - 1));
	CU_ASSERT_EQUAL(d.tape.far_errors[STAGE_CONNECT][EADDRNOTAVAIL], 3);
	CU_ASSERT_EQUAL(seen.towards, 0); /* the client's is the last to be closed */
	CU_ASSERT_EQUAL(seen.others, 0);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_ESTABLISHED], 0);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_CLOSE_WAIT], 0);
	help_close(&d.h);
}

/* A client that closes first closes the chain from the other end: its port, and those of all but the
 * last, are in TIME_WAIT. */
static void a_client_that_closes_takes_the_chain_along(void)
{
	struct drive d;

	drive_lines(&d, LOOP "server: {behaviour: loop, delay: 20s}\n"
			     "load: {concurrency: 1, total: 1, hold: 300ms}");
	CU_ASSERT_EQUAL(d.tape.tally.closed, 1);
	CU_ASSERT_EQUAL(d.tape.far_opened, PORTS - 1);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_ESTABLISHED], 0);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_TIME_WAIT] +
				last_dump(&d.tape)->states[STATE_FIN_WAIT2],
			PORTS);
	help_close(&d.h);
}

/* Who asks from inside. */
struct asker {
	struct far *far;
	uint64_t early; /* how many the far end says it is done with before the client has closed */
};

/* Opens a connection, waits until it is closed, and closes it. */
static void ask_once(struct help *h, void *context)
{
	struct asker *a = context;
	const struct endpoint to = endpoint_make(FAMILY_IPV4, h->plan.servers.list[0], SERVICE);
	const struct socket_wish wish = {.family = FAMILY_IPV4, .destination = &to};
	enum stage stage;
	char byte;
	int fd = socket_make(&wish, &stage);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(read(fd, &byte, 1), 0);
	a->early = far_served(a->far);
	close(fd);
}

/* Of the chain only the client's own is the client's. */
static void what_it_opened_to_itself_is_not_served(void)
{
	struct pulse pulse = {0};
	struct drive_hooks hooks = {.pulse = &pulse, .events_fd = -1, .samples_fd = -1};
	struct tape tape = {0};
	struct asker a = {0};
	struct far_wish wish;
	struct drive d;

	drive_open(&d, LOOP "server: {behaviour: loop}\nload: {concurrency: 1, end: wait}");
	wish = (struct far_wish){&d.h.plan, &d.h.lab, &hooks};
	CU_ASSERT_FATAL(far_start(&a.far, &wish, &d.h.arena, &d.h.err));
	CU_ASSERT(help_inside(&d.h, LAB_CLIENT, ask_once, &a));
	CU_ASSERT(a.early <= 1);
	for (int i = 0; i < 5000 && far_served(a.far) == 0; i++)
		clock_sleep(1000000);
	CU_ASSERT(far_stop(a.far, &tape, &d.h.err));
	CU_ASSERT_EQUAL(far_served(a.far), 1);
	CU_ASSERT_EQUAL(tape.far_opened, PORTS - 1);
	help_close(&d.h);
}

/* Where it has no slot for another upstream the chain stands, and its end is heard of. */
static void a_chain_without_room_ends_with_its_client(void)
{
	struct drive d;

	drive_open(&d, LOOP "server: {behaviour: loop, delay: 20s}\n"
			    "load: {concurrency: 1, total: 1, hold: 300ms}");
	d.h.plan.far_slots = d.h.plan.far_accepts;
	drive_plan(&d);
	CU_ASSERT_EQUAL(d.tape.tally.closed, 1);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_ESTABLISHED], 0);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_FIN_WAIT2], 0);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_TIME_WAIT], 1);
	help_close(&d.h);
}

/* On a host of its own: the range is the server's, and the client's is left alone. */
static void a_proxy_on_another_host_takes_its_own_ports(void)
{
	static const char *const families[] = {"ipv4", "ipv6", "mapped"};

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		char lines[300];
		struct drive d;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031, family: %s}\n"
			 "server: {behaviour: loop, sysctl: {net.ipv4.ip_local_port_range: 50000 "
			 "50015}}\nload: {concurrency: 1, total: 2, end: wait}",
			 families[i]);
		drive_lines(&d, lines);
		CU_ASSERT_EQUAL(d.tape.tally.opened, 2);
		CU_ASSERT(!d.tape.exhausted);
		CU_ASSERT_EQUAL(d.tape.far_opened, 32);
		CU_ASSERT_EQUAL(d.tape.far_errors[STAGE_CONNECT][EADDRNOTAVAIL], 2);
		help_close(&d.h);
	}
}

/* Several clients at once share what there is; and a server that dies takes all along. */
static void many_chains_end_as_one(void)
{
	struct drive d;

	drive_lines(&d, LOOP "server: {behaviour: loop, delay: 20s, die: 600ms}\n"
			     "load: {concurrency: 8, total: 8, end: wait, timeout: 5s, "
			     "on_failure: continue}\nstop: {when: never}");
	CU_ASSERT_EQUAL(d.tape.tally.opened + d.tape.far_opened, PORTS);
	CU_ASSERT_EQUAL(d.tape.tally.opened + d.tape.tally.failed, 8);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_ESTABLISHED], 0);
	help_close(&d.h);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, one_connection_takes_every_port_of_the_range),
	TEST_UNLESS(help_no_network, each_listener_is_its_own_upstream),
	TEST_UNLESS(help_no_network, a_chain_that_breaks_is_closed_back_to_the_client),
	TEST_UNLESS(help_no_network, a_client_that_closes_takes_the_chain_along),
	TEST_UNLESS(help_no_network, what_it_opened_to_itself_is_not_served),
	TEST_UNLESS(help_no_network, a_chain_without_room_ends_with_its_client),
	TEST_UNLESS(help_no_network, a_proxy_on_another_host_takes_its_own_ports),
	TEST_UNLESS(help_no_network, many_chains_end_as_one),
	TESTS_END,
};

const struct suite suite_loop = {"loop", tests};
