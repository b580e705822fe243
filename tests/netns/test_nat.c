/* A gateway: what passes it, and what it drops, by its own connection tracking and by the sockets
 * on either side. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nat_help.h"
#include "suites.h"
#include "sys/clock.h"
#include "sys/nft.h"
#include "sys/sysctl.h"

/* ---- tests --------------------------------------------------------------- */

#define NAT(keys) "network: {topology: nat, ports: 40000-40999, services: 2, nat: {" keys "}}"

struct kept {
	const struct lab *lab;
	unsigned long most; /* seconds that the gateway will still keep what is in TIME_WAIT */
	bool listed;
};

/* The list is root's to read. */
static void *kept_read(void *context)
{
	struct kept *k = context;
	FILE *f = lab_visit(k->lab, LAB_GATEWAY, NULL)
			  ? fopen("/proc/thread-self/net/nf_conntrack", "r")
			  : NULL;
	unsigned long seconds;
	char line[512], state[16];

	k->listed = f;
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %*u tcp %*u %lu %15s", &seconds, state) == 2 &&
		    strcmp(state, "TIME_WAIT") == 0 && seconds > k->most)
			k->most = seconds;
	if (f)
		fclose(f);
	return NULL;
}

static unsigned long kept_seconds(const struct lab *lab)
{
	struct kept k = {.lab = lab};
	pthread_t thread;

	CU_ASSERT_FATAL(pthread_create(&thread, NULL, kept_read, &k) == 0);
	pthread_join(thread, NULL);
	CU_ASSERT(k.listed);
	return k.most;
}

static void a_closed_connection_is_kept_as_its_sysctl_says(void)
{
	static const struct {
		const char *lines;
		unsigned long least, most;
	} rows[] = {
		{NAT("ports: 2000-2031"), 100, 120},
		{NAT("sysctl: {net.netfilter.nf_conntrack_tcp_timeout_time_wait: 40}"), 20, 40},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tape tape;
		struct pulse pulse = {0};
		volatile sig_atomic_t interrupted = 0;
		struct drive_hooks hooks = {&interrupted, &pulse, -1, -1, 0, NULL, NULL};
		char lines[300];
		unsigned long most;
		struct help h;

		snprintf(lines, sizeof(lines), "%s\nload: {total: 8}", rows[i].lines);
		CU_ASSERT_FATAL(help_open(&h, lines));
		CU_ASSERT(drive_run(&tape, &h.plan, &h.lab, &hooks, &h.arena, &h.err));
		CU_ASSERT_EQUAL(tape.tally.closed, 8);
		most = kept_seconds(&h.lab);
		CU_ASSERT(most >= rows[i].least && most <= rows[i].most);
		help_close(&h);
	}
}

/* So many fit and no more; SYNs beyond them are dropped, each counted twice over. */
static void as_many_pass_as_the_gateway_has_ports(void)
{
	static const struct {
		const char *lines;
		unsigned passing;
	} rows[] = {
		{NAT("ports: 2000-2031"), 32},
		{NAT("ports: 2000-2031, random: true"), 32},
		{NAT("ports: 2000-2127, random: true"), 128},
		{NAT("ports: 2000-2031, addresses: 2"), 64},
		{NAT("ports: 2000-2031, addresses: 3, random: true"), 96},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct crowd c = {0};
		struct listeners l;
		struct help h;
		struct tracked_now t;

		gateway_open(&h, &l, rows[i].lines);
		crowd_begin(&h, &c, 0, rows[i].passing);
		CU_ASSERT(crowd_await(&h, &c, rows[i].passing, 0));
		t = tracked(&h);
		CU_ASSERT(t.insert_failed == 0 && t.drop == 0);
		crowd_begin(&h, &c, 0, 4);
		CU_ASSERT(crowd_await(&h, &c, 0, 4));
		CU_ASSERT_EQUAL(crowd_established(&c), 0);
		t = tracked(&h);
		CU_ASSERT_EQUAL(t.insert_failed, t.drop);
		CU_ASSERT_EQUAL(t.entries, rows[i].passing);
		crowd_begin(&h, &c, 1, 4); /* another port of the server */
		CU_ASSERT(crowd_await(&h, &c, 4, 0));
		CU_ASSERT_EQUAL(tracked(&h).entries, rows[i].passing + 4);
		gateway_close(&h, &l, &c);
	}
}

/* Neither the gateway nor the client has a word for it: no RST, no ICMP, no EADDRNOTAVAIL. */
static void the_next_one_times_out(void)
{
	struct crowd c = {0};
	struct listeners l;
	struct help h;
	int error = 0;
	socklen_t len = sizeof(error);

	gateway_open(&h, &l,
		     "network: {topology: nat, ports: 40000-40999, services: 2, nat: {ports: "
		     "2000-2031}, sysctl: {net.ipv4.tcp_syn_retries: 1, "
		     "net.ipv4.tcp_syn_linear_timeouts: 0}}");
	crowd_begin(&h, &c, 0, 32);
	CU_ASSERT(crowd_await(&h, &c, 32, 0));
	crowd_begin(&h, &c, 0, 1);
	CU_ASSERT_EQUAL(poll(&(struct pollfd){.fd = c.fd[32], .events = POLLOUT}, 1, 60000), 1);
	CU_ASSERT_EQUAL(getsockopt(c.fd[32], SOL_SOCKET, SO_ERROR, &error, &len), 0);
	CU_ASSERT_EQUAL(error, ETIMEDOUT);
	CU_ASSERT_EQUAL(tracked(&h).insert_failed, 2); /* the SYN and its repetition */
	CU_ASSERT_EQUAL(tracked(&h).drop, 2);
	gateway_close(&h, &l, &c);
}

/* A round of destinations has one address, the next round the next: so that each destination
 * has all of them. */
static void each_destination_has_all_addresses(void)
{
	struct crowd c = {0};
	struct listeners l;
	struct help h;

	gateway_open(&h, &l, NAT("ports: 2000-2031, addresses: 2"));
	for (unsigned i = 0; i < 128; i++) {
		crowd_begin(&h, &c, i % 2, 1);
		CU_ASSERT_FATAL(crowd_await(&h, &c, 1, 0));
	}
	CU_ASSERT_EQUAL(tracked(&h).entries, 128);
	CU_ASSERT_EQUAL(tracked(&h).insert_failed, 0);
	gateway_close(&h, &l, &c);
}

/* 10 pass whatever the destination, and conntrack itself counts no drop: its rule does that. */
static void a_limit_is_of_all_destinations(void)
{
	struct crowd c = {0};
	struct listeners l;
	struct help h;
	struct tracked_now t;

	gateway_open(&h, &l, NAT("limit: 10"));
	crowd_begin(&h, &c, 0, 6);
	CU_ASSERT(crowd_await(&h, &c, 6, 0));
	crowd_begin(&h, &c, 1, 4);
	CU_ASSERT(crowd_await(&h, &c, 4, 0));
	crowd_begin(&h, &c, 0, 4);
	CU_ASSERT_EQUAL(poll(&(struct pollfd){.fd = c.fd[10], .events = POLLOUT}, 1, 300), 0);
	CU_ASSERT_EQUAL(crowd_established(&c), 0);
	t = tracked(&h);
	CU_ASSERT(t.entries == 10 && t.insert_failed == 0 && t.drop == 0);
	gateway_close(&h, &l, &c);
}

/* What the server sees: addresses and ports of the gateway, each pair once. */
static void the_server_sees_the_gateway(void)
{
	bool seen[2][32] = {{false}};
	struct crowd c = {0};
	struct listeners l;
	struct help h;
	unsigned n = 0;

	gateway_open(&h, &l, NAT("ports: 2000-2031, addresses: 2"));
	crowd_begin(&h, &c, 0, 64);
	CU_ASSERT(crowd_await(&h, &c, 64, 0));
	for (;;) {
		struct sockaddr_in peer;
		socklen_t len = sizeof(peer);
		int fd = accept(l.fd[0], (struct sockaddr *)&peer, &len);
		uint32_t address, port;

		if (fd < 0)
			break;
		close(fd);
		address = ntohl(peer.sin_addr.s_addr) - 0x0a4dc001; /* 10.77.192.1 */
		port = ntohs(peer.sin_port) - 2000U;
		CU_ASSERT_FATAL(address < 2 && port < 32);
		CU_ASSERT_FALSE(seen[address][port]);
		seen[address][port] = true;
		n++;
	}
	CU_ASSERT_EQUAL(n, 64);
	gateway_close(&h, &l, &c);
}

/* Accepts `n` connections, and counts those that come from one of the client's own ports. */
static unsigned kept_of(const struct listeners *l, const struct crowd *c, unsigned n)
{
	static bool own[65536];
	struct sockaddr_in a;
	unsigned kept = 0;

	memset(own, 0, sizeof(own));
	for (unsigned i = 0; i < n; i++) {
		CU_ASSERT_EQUAL(
			getsockname(c->fd[i], (struct sockaddr *)&a, &(socklen_t){sizeof(a)}), 0);
		own[ntohs(a.sin_port)] = true;
	}
	for (unsigned i = 0; i < n; i++) {
		int fd = -1;

		if (poll(&(struct pollfd){.fd = l->fd[0], .events = POLLIN}, 1, PATIENCE) == 1)
			fd = accept(l->fd[0], (struct sockaddr *)&a, &(socklen_t){sizeof(a)});
		CU_ASSERT_FATAL(fd >= 0);
		close(fd);
		kept += own[ntohs(a.sin_port)];
	}
	return kept;
}

/* The gateway's ports are those that the client has, and more than enough: each is free. At random
 * one of 1000 is the client's own by chance. */
static void a_port_is_the_clients_own_unless_it_is_random(void)
{
	static const struct {
		const char *lines;
		unsigned least, most;
	} rows[] = {
		{NAT("ports: 40000-40999"), 32, 32},
		{NAT("ports: 40000-40999, random: false"), 32, 32},
		{NAT("ports: 40000-40999, random: true"), 0, 31},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct crowd c = {0};
		struct listeners l;
		struct help h;
		unsigned kept;

		gateway_open(&h, &l, rows[i].lines);
		crowd_begin(&h, &c, 0, 32);
		CU_ASSERT(crowd_await(&h, &c, 32, 0));
		kept = kept_of(&l, &c, 32);
		CU_ASSERT(kept >= rows[i].least && kept <= rows[i].most);
		gateway_close(&h, &l, &c);
	}
}

/* Hosts behind one gateway share its ports, however many local ones each has. */
static void clients_share_the_gateways_ports(void)
{
	struct crowd c = {0};
	struct listeners l;
	struct help h;

	gateway_open(&h, &l, NAT("ports: 2000-2031, clients: 4"));
	CU_ASSERT_EQUAL(h.plan.sources.count, 4);
	for (c.source = 0; c.source < 4; c.source++) {
		crowd_begin(&h, &c, 0, 8);
		CU_ASSERT(crowd_await(&h, &c, 8, 0));
	}
	c.source = 0;
	crowd_begin(&h, &c, 0, 1);
	CU_ASSERT(crowd_await(&h, &c, 0, 1));
	CU_ASSERT_EQUAL(crowd_established(&c), 0);
	gateway_close(&h, &l, &c);
}

static void every_address_is_reached_through_it(void)
{
	struct help h;

	CU_ASSERT_FATAL(help_open(&h, "network: {topology: nat, sources: 30, servers: 40, nat: "
				      "{addresses: 20, clients: 10}}"));
	CU_ASSERT_EQUAL(help_cross(&h, &h.plan.sources.list[0]), 0);
	CU_ASSERT_EQUAL(help_cross(&h, &h.plan.sources.list[299]), 0);
	help_close(&h);
}

static int load_nonsense(void)
{
	struct err err = {0};

	if (nft_load(TEXT("table ip a {\nchain \x1b[31m {\n}\n}\n"), &err))
		return 1;
	if (err.kind != ERR_HOST || !strstr(err.what, "syntax error"))
		return 2;
	return nft_load(TEXT("table ip a {\n}\n"), &err) ? 0 : 3;
}

/* In a child: the right to change the network, once passed on, stays with the thread. */
static void what_nft_refuses_is_told_in_its_words(void)
{
	CU_ASSERT_EQUAL(help_child(load_nonsense), 0);
}

/* ---- a load behind it ---------------------------------------------------- */

/* The driver's timeouts are the connections that the gateway let down, and what the sampler has
 * of the gateway is what the gateway says. */
static void timeouts_are_counted_and_the_gateway_is_sampled(void)
{
#define LOAD "\nload: {end: leak, concurrency: 12, total: 76, timeout: 200ms, on_failure: continue}"
	static const struct {
		const char *lines;
		unsigned opened;
		bool counts; /* the gateway does, what it dropped */
	} rows[] = {
		{NAT("ports: 2000-2031") LOAD, 64, true}, /* two services */
		{NAT("ports: 2000-2007, addresses: 4") LOAD, 64, true},
		{NAT("limit: 10") LOAD, 10, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct behind b;
		struct tracked_now now;

		behind_run(&b, rows[i].lines);
		now = tracked(&b.h);
		CU_ASSERT(b.tape.complete && !b.tape.exhausted);
		CU_ASSERT_EQUAL(b.tape.tally.opened, rows[i].opened);
		CU_ASSERT_EQUAL(b.tape.tally.errors[STAGE_CONNECT][ETIMEDOUT], 76 - rows[i].opened);
		CU_ASSERT_EQUAL(b.h.plan.forecast.times_out_after, rows[i].opened);
		CU_ASSERT_EQUAL(behind_measured(&b, MEASURE_NAT_INSERT_FAILED), now.insert_failed);
		CU_ASSERT_EQUAL(behind_measured(&b, MEASURE_NAT_DROP), now.drop);
		CU_ASSERT(behind_measured(&b, MEASURE_NAT_ENTRIES_MAX) >= rows[i].opened);
		CU_ASSERT_EQUAL(now.entries, rows[i].opened);
		CU_ASSERT(rows[i].counts ? now.insert_failed >= 76 - rows[i].opened
					 : now.insert_failed == 0);
		help_close(&b.h);
	}
}

/* The kernel does not try them all, and no connect finds one once all are taken. */
static void a_gateway_of_many_ports_is_full_as_foretold(void)
{
	struct behind b;
	const struct compared *c = &b.measures.predictions[PREDICTION_GATEWAY];
	struct tracked_now now;

	behind_run(
		&b,
		NAT("ports: 2000-2149") "\nload: {end: leak, concurrency: 12, total: 320, timeout: "
					"200ms, on_failure: continue}");
	now = tracked(&b.h);
	CU_ASSERT_EQUAL(c->predicted.least, 150);
	CU_ASSERT_EQUAL(c->predicted.most, 300); /* two services */
	CU_ASSERT_EQUAL(c->outcome, OUTCOME_HOLDS);
	CU_ASSERT_EQUAL(now.entries, b.tape.tally.opened);
	CU_ASSERT_EQUAL(b.tape.tally.errors[STAGE_CONNECT][ETIMEDOUT], 320 - now.entries);
	help_close(&b.h);
}

/* The look at the gateway ends the load as well as a dump of sockets does. */
static void a_drop_can_end_the_load(void)
{
	struct behind b;

	behind_run(
		&b,
		NAT("ports: 2000-2031") "\nsample: {every: 10ms}\n"
					"load: {end: leak, rate: 500/s, timeout: 5s, on_failure: "
					"continue}\n"
					"expect: [{expr: nat.insert_failed == 0, abort: true}]");
	CU_ASSERT_EQUAL(b.tape.aborted, 0);
	CU_ASSERT(behind_measured(&b, MEASURE_NAT_INSERT_FAILED) > 0);
	help_close(&b.h);
}

static void without_a_gateway_there_is_no_data(void)
{
	struct behind b;

	behind_run(&b, "network: {ports: 40000-40031}\nload: {total: 4}");
	CU_ASSERT_FALSE(b.measures.fixed[MEASURE_NAT_ENTRIES_MAX].present);
	CU_ASSERT_FALSE(b.measures.fixed[MEASURE_NAT_INSERT_FAILED].present);
	CU_ASSERT_FALSE(b.measures.fixed[MEASURE_NAT_DROP].present);
	help_close(&b.h);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_gateway, a_closed_connection_is_kept_as_its_sysctl_says),
	TEST_UNLESS(help_no_gateway, as_many_pass_as_the_gateway_has_ports),
	TEST_UNLESS(help_no_gateway, the_next_one_times_out),
	TEST_UNLESS(help_no_gateway, each_destination_has_all_addresses),
	TEST_UNLESS(help_no_gateway, a_limit_is_of_all_destinations),
	TEST_UNLESS(help_no_gateway, the_server_sees_the_gateway),
	TEST_UNLESS(help_no_gateway, a_port_is_the_clients_own_unless_it_is_random),
	TEST_UNLESS(help_no_gateway, clients_share_the_gateways_ports),
	TEST_UNLESS(help_no_gateway, every_address_is_reached_through_it),
	TEST_UNLESS(help_no_gateway, timeouts_are_counted_and_the_gateway_is_sampled),
	TEST_UNLESS(help_no_gateway, a_gateway_of_many_ports_is_full_as_foretold),
	TEST_UNLESS(help_no_gateway, a_drop_can_end_the_load),
	TEST_UNLESS(help_no_network, without_a_gateway_there_is_no_data),
	TEST_UNLESS(help_no_gateway, what_nft_refuses_is_told_in_its_words),
	TESTS_END,
};

const struct suite suite_nat = {"nat", tests};
