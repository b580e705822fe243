/* Endpoint-independent mapping: what passes a gateway that has one port for all destinations, by nft's own
 * words about its set and its counter, and by the sockets on either side. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nat_help.h"
#include "suites.h"
#include "sys/clock.h"

#define CONE(keys) \
	"network: {topology: nat, ports: 40000-40999, services: 2, nat: {mapping: " \
	"endpoint-independent, " keys "}}"

#define ONE(keys) \
	"network: {topology: nat, ports: 40000-40999, services: 2, nat: {redirect: true, " keys "}}"

/* ---- what nft says ------------------------------------------------------- */

/* Each with its address and port: "10.77.0.1 . 40000", below the type, which has a dot as well. */
static unsigned mappings(struct help *h, const char *protocol)
{
	unsigned n = 0;

	for (const char *z = nft_mappings(h, protocol); (z = strstr(z, " . ")); z++)
		n++;
	return n;
}

static unsigned long unmapped(struct help *h)
{
	const char *packets = strstr(nft_says(h, "counter ip lastport unmapped"), "packets ");

	CU_ASSERT_FATAL(packets != NULL);
	return strtoul(packets + strlen("packets "), NULL, 10);
}

static bool await_unmapped(struct help *h, unsigned long n)
{
	for (int i = 0; i < PATIENCE / 10; i++) {
		if (unmapped(h) >= n)
			return true;
		clock_sleep(10000000);
	}
	return false;
}

static bool await_mappings(struct help *h, unsigned n)
{
	for (int i = 0; i < PATIENCE / 10; i++) {
		if (mappings(h, "tcp") == n)
			return true;
		clock_sleep(10000000);
	}
	return false;
}

/* ---- connections through it ---------------------------------------------- */

/* A second destination, which has all ports of Linux's NAT, has none of these. */
static void all_destinations_share_the_ports(void)
{
	static const struct {
		const char *lines;
		unsigned passing;
	} rows[] = {
		{CONE("ports: 2000-2031"), 32},
		{CONE("ports: 2000-2031, random: true"), 32},
		{CONE("ports: 2000-2015, addresses: 4"), 64},
		{CONE("ports: 2000-2031, limit: 40"), 32},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct crowd c = {0};
		struct listeners l;
		struct help h;

		gateway_open(&h, &l, rows[i].lines);
		for (uint32_t dest = 0; dest < 2; dest++) {
			crowd_begin(&h, &c, dest, rows[i].passing / 2);
			CU_ASSERT(crowd_await(&h, &c, rows[i].passing / 2, 0));
		}
		CU_ASSERT_EQUAL(mappings(&h, "tcp"), rows[i].passing);
		CU_ASSERT_EQUAL(unmapped(&h), 0);
		for (uint32_t dest = 0; dest < 2; dest++) {
			crowd_begin(&h, &c, dest, 3);
			CU_ASSERT(await_unmapped(&h, 3 * (dest + 1)));
			CU_ASSERT_EQUAL(crowd_established(&c), 0);
		}
		CU_ASSERT_EQUAL(mappings(&h, "tcp"), rows[i].passing);
		CU_ASSERT_EQUAL(tracked(&h).entries, rows[i].passing);
		CU_ASSERT_EQUAL(tracked(&h).insert_failed, 0);
		gateway_close(&h, &l, &c);
	}
}

/* To either destination, from one port of the client's. */
static void connect_from_one_port(struct help *h, void *context)
{
	struct crowd *c = context;
	struct sockaddr_in here = {.sin_family = AF_INET}, there = {.sin_family = AF_INET};
	uint8_t bytes[16];

	c->to = 2;
	here.sin_port = htons(40000);
	address_bytes(h->plan.sources.list[0], bytes);
	memcpy(&here.sin_addr, bytes + 12, 4);
	for (uint32_t i = 0; i < 2; i++) {
		address_bytes(plan_server(&h->plan, i), bytes);
		memcpy(&there.sin_addr, bytes + 12, 4);
		there.sin_port = htons(plan_service(&h->plan, i));
		c->fd[i] = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(c->fd[i], SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
		CU_ASSERT_EQUAL(bind(c->fd[i], (struct sockaddr *)&here, sizeof(here)), 0);
		CU_ASSERT_EQUAL(connect(c->fd[i], (struct sockaddr *)&there, sizeof(there)), 0);
	}
}

static uint16_t accepted_from(const struct listeners *l, uint32_t dest, int *fd)
{
	struct sockaddr_in peer = {0};

	*fd = -1;
	if (poll(&(struct pollfd){.fd = l->fd[dest], .events = POLLIN}, 1, PATIENCE) == 1)
		*fd = accept(l->fd[dest], (struct sockaddr *)&peer, &(socklen_t){sizeof(peer)});
	CU_ASSERT_FATAL(*fd >= 0);
	return ntohs(peer.sin_port);
}

/* Where the gateway makes one destination of both, source NAT tells them apart by another port, at
 * once: nothing clashes, and no SYN is sent again. */
static void one_port_to_one_backend_becomes_two(void)
{
	struct crowd c = {0};
	struct listeners l;
	struct help h;
	uint16_t ports[2];
	int fd;

	gateway_open(&h, &l, ONE("ports: 2000-2001"));
	CU_ASSERT(help_inside(&h, LAB_CLIENT, connect_from_one_port, &c));
	for (uint32_t i = 0; i < 2; i++) {
		struct tcp_info info = {0};

		CU_ASSERT_EQUAL(getsockopt(c.fd[i], IPPROTO_TCP, TCP_INFO, &info,
					   &(socklen_t){sizeof(info)}),
				0);
		CU_ASSERT_EQUAL(info.tcpi_total_retrans, 0);
		ports[i] = accepted_from(&l, 0, &fd);
		close(fd);
	}
	CU_ASSERT(ports[0] != ports[1]);
	CU_ASSERT_EQUAL(poll(&(struct pollfd){.fd = l.fd[1], .events = POLLIN}, 1, 0), 0);
	CU_ASSERT(tracked(&h).entries == 2 && tracked(&h).insert_failed == 0);
	gateway_close(&h, &l, &c);
}

/* And it is one at the servers, too. */
static void one_port_of_a_client_has_one_mapping(void)
{
	struct crowd c = {0};
	struct listeners l;
	struct help h;
	uint16_t ports[2];
	int fd;

	gateway_open(&h, &l, CONE("ports: 2000-2001"));
	CU_ASSERT(help_inside(&h, LAB_CLIENT, connect_from_one_port, &c));
	for (uint32_t i = 0; i < 2; i++) {
		ports[i] = accepted_from(&l, i, &fd);
		close(fd);
	}
	CU_ASSERT(ports[0] == 2000 || ports[0] == 2001);
	CU_ASSERT_EQUAL(ports[0], ports[1]);
	CU_ASSERT_EQUAL(mappings(&h, "tcp"), 1);
	CU_ASSERT_EQUAL(tracked(&h).entries, 2);
	gateway_close(&h, &l, &c);
}

/* Closed or open: the gateway goes by its packets. */
static void what_is_silent_gives_its_mapping_back(void)
{
	struct crowd c = {0};
	struct listeners l;
	struct help h;

	gateway_open(&h, &l, CONE("ports: 2000-2007, mapping_time: 300ms"));
	crowd_begin(&h, &c, 0, 8);
	CU_ASSERT(crowd_await(&h, &c, 8, 0));
	for (unsigned i = 0; i < 4; i++)
		shutdown(c.fd[i], SHUT_RDWR);
	CU_ASSERT(await_mappings(&h, 0));
	CU_ASSERT_EQUAL(unmapped(&h), 0);
	/* What has expired may have its place until the set is swept (nft_rhash_gc(),
	 * net/netfilter/nft_set_hash.c): a SYN too early comes again. */
	crowd_begin(&h, &c, 1, 8);
	CU_ASSERT(crowd_await(&h, &c, 8, 0));
	gateway_close(&h, &l, &c);
}

static bool has_come(int fd, int patience_ms)
{
	char z;

	return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, patience_ms) == 1 &&
	       recv(fd, &z, 1, 0) == 1;
}

/* Nothing reaches a client through a mapping that is gone, until it makes a new one. */
static void without_a_mapping_no_packet_reaches_the_client(void)
{
	struct crowd c = {0};
	struct listeners l;
	struct help h;
	int fd;

	gateway_open(&h, &l, CONE("ports: 2000-2007, mapping_time: 300ms"));
	crowd_begin(&h, &c, 0, 1);
	CU_ASSERT(crowd_await(&h, &c, 1, 0));
	accepted_from(&l, 0, &fd);
	CU_ASSERT_EQUAL(send(fd, "a", 1, 0), 1);
	CU_ASSERT(has_come(c.fd[0], PATIENCE));
	CU_ASSERT(await_mappings(&h, 0));
	CU_ASSERT_EQUAL(send(fd, "b", 1, 0), 1);
	CU_ASSERT_FALSE(has_come(c.fd[0], 300));
	CU_ASSERT_EQUAL(send(c.fd[0], "c", 1, 0), 1);
	CU_ASSERT(has_come(c.fd[0], PATIENCE));
	close(fd);
	gateway_close(&h, &l, &c);
}

/* 32 ports to what two destinations are behind it: the next of either is dropped, for want of one. */
static void all_destinations_are_the_first(void)
{
	struct crowd c = {0};
	struct listeners l;
	struct help h;
	int fd;

	gateway_open(&h, &l, ONE("ports: 2000-2031"));
	for (uint32_t dest = 0; dest < 2; dest++) {
		crowd_begin(&h, &c, dest, 16);
		CU_ASSERT(crowd_await(&h, &c, 16, 0));
	}
	CU_ASSERT(tracked(&h).entries == 32 && tracked(&h).insert_failed == 0);
	for (uint32_t dest = 0; dest < 2; dest++) {
		crowd_begin(&h, &c, dest, 3);
		CU_ASSERT(crowd_await(&h, &c, 0, 3 * (dest + 1)));
		CU_ASSERT_EQUAL(crowd_established(&c), 0);
	}
	CU_ASSERT_EQUAL(tracked(&h).insert_failed, tracked(&h).drop);
	for (unsigned i = 0; i < 32; i++) {
		accepted_from(&l, 0, &fd);
		close(fd);
	}
	CU_ASSERT_EQUAL(poll(&(struct pollfd){.fd = l.fd[0], .events = POLLIN}, 1, 0), 0);
	CU_ASSERT_EQUAL(poll(&(struct pollfd){.fd = l.fd[1], .events = POLLIN}, 1, 0), 0);
	gateway_close(&h, &l, &c);
}

/* ---- a load behind it ---------------------------------------------------- */

#define LOAD ", end: leak, concurrency: 12, total: 76, timeout: 500ms, on_failure: continue}"

static void what_finds_no_mapping_times_out_and_is_counted(void)
{
	static const struct {
		const char *lines, *protocol;
		enum stage stage;
		uint64_t least, most;
	} rows[] = {
		{CONE("ports: 2000-2031") "\nload: {bind: address" LOAD, "tcp", STAGE_CONNECT, 32,
		 32},
		{CONE("ports: 2000-2007, addresses: 4") "\nload: {bind: address" LOAD, "tcp",
		 STAGE_CONNECT, 32, 32},
		{CONE("ports: 2000-2015") "\nload: {order: kernel" LOAD, "tcp", STAGE_CONNECT, 16,
		 32},
		{CONE("ports: 2000-2031") "\nload: {protocol: udp, request: {send: 64B, receive: "
					  "64B}" LOAD,
		 "udp", STAGE_RECEIVE, 32, 32},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct behind b;
		uint64_t lost, dropped;

		behind_run(&b, rows[i].lines);
		lost = b.tape.tally.errors[rows[i].stage][ETIMEDOUT];
		dropped = unmapped(&b.h);
		CU_ASSERT(b.tape.complete && !b.tape.exhausted);
		CU_ASSERT(lost <= 76 - rows[i].least && lost >= 76 - rows[i].most);
		CU_ASSERT(dropped >= lost);
		CU_ASSERT_EQUAL(behind_measured(&b, MEASURE_NAT_UNMAPPED), dropped);
		CU_ASSERT_EQUAL(behind_measured(&b, MEASURE_NAT_INSERT_FAILED), 0);
		CU_ASSERT_EQUAL(mappings(&b.h, rows[i].protocol), rows[i].least);
		CU_ASSERT_EQUAL(b.h.plan.forecast.times_out_least, rows[i].least);
		CU_ASSERT_EQUAL(b.h.plan.forecast.times_out_after, rows[i].most);
		CU_ASSERT_EQUAL(b.measures.predictions[PREDICTION_GATEWAY].outcome, OUTCOME_HOLDS);
		help_close(&b.h);
	}
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_gateway, all_destinations_share_the_ports),
	TEST_UNLESS(help_no_gateway, one_port_of_a_client_has_one_mapping),
	TEST_UNLESS(help_no_gateway, one_port_to_one_backend_becomes_two),
	TEST_UNLESS(help_no_gateway, all_destinations_are_the_first),
	TEST_UNLESS(help_no_gateway, what_is_silent_gives_its_mapping_back),
	TEST_UNLESS(help_no_gateway, without_a_mapping_no_packet_reaches_the_client),
	TEST_UNLESS(help_no_gateway, what_finds_no_mapping_times_out_and_is_counted),
	TESTS_END,
};

const struct suite suite_nat_mapping = {"nat_mapping", tests};
