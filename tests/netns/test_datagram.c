/* Requests of UDP on the real kernel: what is sent, answered and lost, by its own counters on either
 * side. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "drive_help.h"
#include "packets.h"
#include "sys/counters.h"

/* What the server's namespace has had, of either family. */
struct server {
	uint64_t in, out, nobody; /* datagrams read, sent, and come to a port without a socket */
};

static void add(void *context, struct text name, uint64_t value)
{
	struct server *s = context;

	s->in += text_is(name, "UdpInDatagrams") * value;
	s->out += text_is(name, "UdpOutDatagrams") * value;
	s->nobody += text_is(name, "UdpNoPorts") * value;
}

static void add_ipv6(struct server *s)
{
	FILE *file = fopen("/proc/thread-self/net/snmp6", "re");
	unsigned long long value;
	char name[64];

	while (file && fscanf(file, "%63s %llu", name, &value) == 2) {
		s->in += strcmp(name, "Udp6InDatagrams") == 0 ? value : 0;
		s->out += strcmp(name, "Udp6OutDatagrams") == 0 ? value : 0;
		s->nobody += strcmp(name, "Udp6NoPorts") == 0 ? value : 0;
	}
	if (file)
		fclose(file);
}

static void read_server(struct help *h, void *context)
{
	struct proc_door proc;

	CU_ASSERT_FATAL(proc_open(&proc, &h->err));
	CU_ASSERT(proc_counters(&proc, add, context, &h->err));
	proc_close(&proc);
	add_ipv6(context);
}

static struct server server_of(struct drive *d)
{
	struct server s = {0};

	CU_ASSERT(help_inside(&d->h, LAB_SERVER, read_server, &s));
	return s;
}

static void each_request_is_a_datagram_and_so_is_its_answer(void)
{
	static const struct {
		const char *network, *request;
		uint64_t answers; /* of 200 */
	} rows[] = {
		{"servers: 1", "{send: 8B, receive: 8B}", 200},
		{"servers: 1", "{send: 100B, receive: 3B}", 200},
		{"servers: 1", "{send: 65507B, receive: 65507B}", 200},
		{"servers: 1", "{send: 100B}", 0},
		{"servers: 3, services: 2, sources: 2", "{send: 100B, receive: 1KiB}", 200},
		{"family: mapped, servers: 3", "{send: 100B, receive: 1KiB}", 200},
		{"family: ipv6, servers: 3", "{send: 65527B, receive: 65527B}", 200},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[256];
		struct server s;
		struct drive d;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031, %s}\n"
			 "load: {protocol: udp, concurrency: 4, total: 200, request: %s}",
			 rows[i].network, rows[i].request);
		drive_lines(&d, lines);
		s = server_of(&d);
		CU_ASSERT(d.ok && d.tape.complete);
		CU_ASSERT_EQUAL(d.tape.tally.requests_done, 200);
		CU_ASSERT_EQUAL(d.tape.tally.closed, 200);
		CU_ASSERT_EQUAL(s.in, 200);
		CU_ASSERT_EQUAL(s.out, rows[i].answers);
		CU_ASSERT_EQUAL(s.nobody, 0);
		if (!strstr(rows[i].network, "ipv6"))
			CU_ASSERT_EQUAL(counter_moved(&d.tape, "UdpOutDatagrams"), 200);
		help_close(&d.h);
	}
}

/* On the wire, either way. */
static void a_datagram_is_as_long_as_the_scenario_says(void)
{
	static struct packets packets;
	uint64_t sent = 0, received = 0;
	struct drive d;

	drive_open(&d, "network: {ports: 40000-40031}\n"
		       "load: {protocol: udp, concurrency: 4, total: 20, request: {send: 100B, "
		       "receive: 345B}}");
	packets_of(&packets, &d);
	for (size_t i = 0; i < packets.count; i++) {
		const struct packet *p = &packets.list[i];

		sent += p->sent && p->bytes == 100;
		received += !p->sent && p->bytes == 345;
	}
	CU_ASSERT(packets.count == 40 && sent == 20 && received == 20);
	help_close(&d.h);
}

static void a_pool_keeps_sockets_as_it_keeps_connections(void)
{
	struct drive d;

	drive_lines(&d, "network: {ports: 40000-40031}\n"
			"load: {protocol: udp, concurrency: 4, total: 100, pool: {max_idle: 4}, "
			"request: {send: 100B, receive: 100B}}");
	CU_ASSERT(d.ok && d.tape.complete);
	CU_ASSERT_EQUAL(d.tape.tally.requests_done, 100);
	CU_ASSERT_EQUAL(d.tape.tally.requests_reused, 96);
	CU_ASSERT_EQUAL(d.tape.tally.opened, 4);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_ESTABLISHED], 4);
	CU_ASSERT_EQUAL(server_of(&d).in, 100);
	help_close(&d.h);
	drive_lines(&d, "network: {ports: 40000-40031}\n"
			"load: {protocol: udp, concurrency: 1, total: 50, "
			"request: {send: 100B, receive: 100B, per_connection: 10}}");
	CU_ASSERT_EQUAL(d.tape.tally.requests_done, 50);
	CU_ASSERT_EQUAL(d.tape.tally.opened, 5);
	CU_ASSERT_EQUAL(server_of(&d).in, 50);
	help_close(&d.h);
}

/* What becomes of 20 requests that nobody answers; on loopback the kernel sends each ICMP. */
static void a_request_without_an_answer_fails_as_the_kernel_says(void)
{
	static const struct {
		const char *lines;
		int error;
		uint64_t in, nobody; /* of the server's namespace */
	} rows[] = {
		{"network: {ports: 40000-40031, topology: loopback}\nserver: {behaviour: refuse}\n",
		 ECONNREFUSED, 0, 20},
		{"network: {ports: 40000-40031}\nserver: {behaviour: drop}\n", ETIMEDOUT, 0, 0},
		{"network: {ports: 40000-40031}\nserver: {behaviour: ignore}\n", ETIMEDOUT, 0, 0},
		{"network: {ports: 40000-40031}\nserver: {delay: 1s}\n", ETIMEDOUT, 20, 0},
		{"network: {ports: 40000-40031}\nserver: {vanish: 1ms}\n", ETIMEDOUT, 0, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[400];
		struct server s;
		struct drive d;

		snprintf(lines, sizeof(lines),
			 "%sload: {protocol: udp, start: 50ms, concurrency: 20, total: 20, "
			 "timeout: 100ms, on_failure: continue, request: {send: 9B, receive: 9B}}",
			 rows[i].lines);
		drive_lines(&d, lines);
		s = server_of(&d);
		CU_ASSERT(d.ok && d.tape.complete && !d.tape.exhausted);
		CU_ASSERT_EQUAL(d.tape.tally.opened, 20); /* connect asks nobody */
		CU_ASSERT_EQUAL(d.tape.tally.failed, 0);
		CU_ASSERT_EQUAL(d.tape.tally.requests_done, 0);
		CU_ASSERT_EQUAL(d.tape.tally.requests_failed, 20);
		CU_ASSERT_EQUAL(d.tape.tally.errors[STAGE_RECEIVE][rows[i].error], 20);
		CU_ASSERT_EQUAL(counter_moved(&d.tape, "UdpOutDatagrams"), 20);
		CU_ASSERT_EQUAL(s.in, rows[i].in);
		CU_ASSERT_EQUAL(s.nobody, rows[i].nobody);
		help_close(&d.h);
	}
}

/* Two ports, and answers that come when their socket has been closed: the next that has the port
 * gets them, and waits on for its own. */
static void a_late_answer_is_not_taken_for_another(void)
{
	struct drive d;

	drive_lines(&d, "network: {ports: 40000-40001}\nserver: {delay: 150ms}\n"
			"load: {protocol: udp, concurrency: 1, total: 40, timeout: 20ms, "
			"on_failure: continue, request: {send: 8B, receive: 8B}}");
	CU_ASSERT(d.ok && d.tape.complete);
	CU_ASSERT(counter_moved(&d.tape, "UdpInDatagrams") > 0);
	CU_ASSERT_EQUAL(d.tape.tally.requests_done, 0);
	CU_ASSERT_EQUAL(d.tape.tally.errors[STAGE_RECEIVE][ETIMEDOUT], 40);
	help_close(&d.h);
}

/* A server that dies closes its socket: from then on the kernel says that nobody is there. The
 * clients pause over it. */
static void a_server_that_dies_refuses_from_then_on(void)
{
	struct drive d;

	drive_lines(&d, "network: {ports: 40000-40031, topology: loopback}\nserver: {die: 200ms}\n"
			"load: {protocol: udp, concurrency: 5, total: 10, on_failure: continue, "
			"request: {send: 8B, receive: 8B, pause: 800ms}}");
	CU_ASSERT(d.ok && d.tape.complete);
	CU_ASSERT_EQUAL(d.tape.tally.requests_done, 5);
	CU_ASSERT_EQUAL(d.tape.tally.requests_failed, 5);
	CU_ASSERT_EQUAL(d.tape.tally.errors[STAGE_RECEIVE][ECONNREFUSED], 5);
	CU_ASSERT_EQUAL(d.tape.tally.failed, 0);
	help_close(&d.h);
}

/* A resolver: each socket waits for its answer, and has its port so long, whatever it asks. */
static void sockets_that_wait_for_answers_use_up_the_ports(void)
{
	struct drive d;

	drive_lines(&d, "network: {ports: 40000-40031, servers: 50}\nserver: {behaviour: drop}\n"
			"load: {protocol: udp, rate: 1k/s, timeout: 10s, total: 200, "
			"request: {send: 40B, receive: 512B}}\n"
			"stop: {when: exhausted, time: 20s}");
	CU_ASSERT(d.ok && d.tape.exhausted);
	CU_ASSERT_EQUAL(d.tape.opened_before, 32);
	CU_ASSERT_EQUAL(d.h.plan.forecast.after, 32);
	CU_ASSERT_EQUAL(d.tape.tally.errors[STAGE_CONNECT][EAGAIN], 1);
	CU_ASSERT_EQUAL(counter_moved(&d.tape, "UdpOutDatagrams"), 32);
	help_close(&d.h);
}

/* A socket that never connects: its first sendto() takes the port, or says that there is none. */
static void a_sendto_without_connect_takes_the_port(void)
{
	struct server s;
	struct drive d;

	drive_lines(&d, "network: {ports: 40000-40031, servers: 50}\nserver: {behaviour: drop}\n"
			"load: {protocol: udp, connected: false, rate: 1k/s, timeout: 10s, "
			"total: 200, request: {send: 40B, receive: 512B}}\n"
			"stop: {when: exhausted, time: 20s}");
	CU_ASSERT(d.ok && d.tape.exhausted);
	CU_ASSERT_EQUAL(d.tape.opened_before, 32);
	CU_ASSERT_EQUAL(d.h.plan.forecast.after, 32);
	CU_ASSERT_EQUAL(d.tape.tally.errors[STAGE_SEND][EAGAIN], 1);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->used_max, 32);
	CU_ASSERT_EQUAL(counter_moved(&d.tape, "UdpOutDatagrams"), 32);
	help_close(&d.h);
	drive_lines(&d, "network: {ports: 40000-40031, servers: 3, sources: 2}\n"
			"load: {protocol: udp, connected: false, concurrency: 4, total: 200, "
			"pool: {max_idle: 1}, request: {send: 100B, receive: 1KiB}}");
	s = server_of(&d);
	CU_ASSERT(d.ok && d.tape.complete);
	CU_ASSERT_EQUAL(d.tape.tally.requests_done, 200);
	CU_ASSERT(d.tape.tally.requests_reused > 0);
	CU_ASSERT(s.in == 200 && s.out == 200);
	help_close(&d.h);
}

/* The ICMP has no socket to go to that is connected to where it comes from. */
static void a_socket_without_connect_is_not_told_of_an_icmp(void)
{
	struct drive d;

	drive_lines(&d, "network: {ports: 40000-40031, topology: loopback}\n"
			"server: {behaviour: refuse}\n"
			"load: {protocol: udp, connected: false, concurrency: 20, total: 20, "
			"timeout: 100ms, on_failure: continue, request: {send: 9B, receive: 9B}}");
	CU_ASSERT(d.ok && d.tape.complete);
	CU_ASSERT_EQUAL(server_of(&d).nobody, 20);
	CU_ASSERT_EQUAL(d.tape.tally.errors[STAGE_RECEIVE][ETIMEDOUT], 20);
	help_close(&d.h);
}

/* One far end for both: each protocol has its ports, and its answers. */
static void loads_of_udp_and_tcp_are_served_side_by_side(void)
{
	struct drive d;

	drive_lines(&d, "network: {ports: 40000-40063, servers: 2}\n"
			"load: {concurrency: 4, request: {send: 100B, receive: 1KiB}}\n"
			"loads: {web: {total: 50}, dns: {protocol: udp, total: 70}}");
	CU_ASSERT(d.ok && d.tape.complete);
	CU_ASSERT_EQUAL(d.tape.tally.requests_done, 120);
	CU_ASSERT_EQUAL(counter_moved(&d.tape, "ActiveOpens"), 50);
	CU_ASSERT_EQUAL(server_of(&d).in, 70);
	CU_ASSERT_EQUAL(server_of(&d).out, 70);
	help_close(&d.h);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, each_request_is_a_datagram_and_so_is_its_answer),
	TEST_UNLESS(help_no_network, a_datagram_is_as_long_as_the_scenario_says),
	TEST_UNLESS(help_no_network, a_pool_keeps_sockets_as_it_keeps_connections),
	TEST_UNLESS(help_no_network, a_request_without_an_answer_fails_as_the_kernel_says),
	TEST_UNLESS(help_no_network, a_late_answer_is_not_taken_for_another),
	TEST_UNLESS(help_no_network, a_server_that_dies_refuses_from_then_on),
	TEST_UNLESS(help_no_network, sockets_that_wait_for_answers_use_up_the_ports),
	TEST_UNLESS(help_no_network, a_sendto_without_connect_takes_the_port),
	TEST_UNLESS(help_no_network, a_socket_without_connect_is_not_told_of_an_icmp),
	TEST_UNLESS(help_no_network, loads_of_udp_and_tcp_are_served_side_by_side),
	TESTS_END,
};

const struct suite suite_datagram = {"datagram", tests};
