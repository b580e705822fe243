/* Datagrams through a gateway: what passes it, and what it drops without a word, by its own connection
 * tracking and by the sockets on either side. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nat_help.h"
#include "suites.h"
#include "sys/clock.h"
#include "sys/endpoint.h"

enum { MOST = 256, SERVICES = 2 };

#define NAT(keys) "network: {topology: nat, ports: 40000-40999, services: 2, nat: {" keys "}}"
#define QUERY "protocol: udp, request: {send: 64B, receive: 64B}"
#define LOAD "\nload: {" QUERY ", "

#define TOTAL "end: leak, concurrency: 12, total: 76, timeout: 500ms, on_failure: continue}"

struct resolvers {
	struct help h;
	int server[SERVICES];
	unsigned from, to; /* of fd */
	uint32_t dest;
	int fd[MOST];
	unsigned arrived; /* at the servers */
};

static void servers_bind(struct help *h, void *context)
{
	struct resolvers *r = context;

	for (uint32_t i = 0; i < SERVICES; i++) {
		struct sockaddr_in any = {.sin_family = AF_INET,
					  .sin_port = htons(plan_service(&h->plan, i))};

		r->server[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		CU_ASSERT_EQUAL(bind(r->server[i], (struct sockaddr *)&any, sizeof(any)), 0);
	}
}

static void resolvers_open(struct resolvers *r, const char *lines)
{
	memset(r, 0, sizeof(*r));
	if (!help_open(&r->h, lines)) {
		printf("%s\n", r->h.err.what);
		CU_FAIL_FATAL("no lab");
	}
	CU_ASSERT(help_inside(&r->h, LAB_SERVER, servers_bind, r));
}

static void resolvers_close(struct resolvers *r)
{
	for (unsigned i = 0; i < r->to; i++)
		close(r->fd[i]);
	for (uint32_t i = 0; i < SERVICES; i++)
		close(r->server[i]);
	help_close(&r->h);
}

static void connect_all(struct help *h, void *context)
{
	struct resolvers *r = context;
	struct endpoint to = endpoint_make(FAMILY_IPV4, plan_server(&h->plan, r->dest),
					   plan_service(&h->plan, r->dest));

	for (unsigned i = r->from; i < r->to; i++) {
		r->fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		CU_ASSERT_EQUAL(connect(r->fd[i], &to.any, to.len), 0);
	}
}

/* A datagram each of all since the last call. */
static void send_all(const struct resolvers *r)
{
	for (unsigned i = r->from; i < r->to; i++)
		CU_ASSERT_EQUAL(send(r->fd[i], "query", 5, 0), 5);
}

/* `n` more sockets, each with a query to one destination. */
static void ask(struct resolvers *r, uint32_t dest, unsigned n)
{
	r->from = r->to;
	r->to += n;
	r->dest = dest;
	CU_ASSERT(help_inside(&r->h, LAB_CLIENT, connect_all, r));
	send_all(r);
}

/* What has come to the servers goes back to where it came from. */
static void answer(struct resolvers *r)
{
	for (uint32_t i = 0; i < SERVICES; i++) {
		struct sockaddr_in peer;
		socklen_t len = sizeof(peer);
		char what[16];
		ssize_t n;

		while ((n = recvfrom(r->server[i], what, sizeof(what), 0, (struct sockaddr *)&peer,
				     &len)) > 0) {
			CU_ASSERT_EQUAL(sendto(r->server[i], what, (size_t)n, 0,
					       (struct sockaddr *)&peer, len),
					n);
			r->arrived++;
		}
	}
}

static unsigned answered(const struct resolvers *r)
{
	unsigned n = 0;

	for (unsigned i = r->from; i < r->to; i++) {
		struct pollfd p = {.fd = r->fd[i], .events = POLLIN};

		n += poll(&p, 1, 0) == 1 && p.revents == POLLIN;
	}
	return n;
}

/* Until so many have their answer, and the gateway has dropped so many. */
static bool await(struct resolvers *r, unsigned answers, unsigned dropped)
{
	for (int i = 0; i < PATIENCE; i++) {
		answer(r);
		if (answered(r) >= answers && tracked(&r->h).insert_failed >= dropped)
			return true;
		clock_sleep(1000000);
	}
	return false;
}

/* So many fit and no more. What is beyond them is sent, and lost: each is counted twice over, once. */
static void as_many_datagrams_pass_as_the_gateway_has_ports(void)
{
	static const struct {
		const char *lines;
		unsigned passing;
	} rows[] = {
		{NAT("ports: 2000-2031") LOAD "total: 1}", 32},
		{NAT("ports: 2000-2031, random: true") LOAD "total: 1}", 32},
		{NAT("ports: 2000-2031, addresses: 2") LOAD "total: 1}", 64},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct resolvers r;
		struct tracked_now t;

		resolvers_open(&r, rows[i].lines);
		ask(&r, 0, rows[i].passing);
		CU_ASSERT(await(&r, rows[i].passing, 0));
		t = tracked(&r.h);
		CU_ASSERT(t.entries == rows[i].passing && t.insert_failed == 0 && t.drop == 0);
		ask(&r, 0, 4);
		CU_ASSERT(await(&r, 0, 4));
		CU_ASSERT_EQUAL(answered(&r), 0);
		ask(&r, 1, 4); /* another port of the server has all of them again */
		CU_ASSERT(await(&r, 4, 4));
		CU_ASSERT_EQUAL(r.arrived, rows[i].passing + 4);
		t = tracked(&r.h);
		CU_ASSERT_EQUAL(t.insert_failed, 4);
		CU_ASSERT_EQUAL(t.drop, 4);
		CU_ASSERT_EQUAL(t.entries, rows[i].passing + 4);
		resolvers_close(&r);
	}
}

/* Both destinations are the first behind the gateway, which has 32 ports towards that one. */
static void redirected_datagrams_share_the_ports_to_one(void)
{
	struct resolvers r;

	resolvers_open(&r, NAT("ports: 2000-2031, redirect: true") LOAD "total: 1}");
	for (uint32_t dest = 0; dest < SERVICES; dest++) {
		ask(&r, dest, 16);
		CU_ASSERT(await(&r, 16, 0));
	}
	for (uint32_t dest = 0; dest < SERVICES; dest++) {
		ask(&r, dest, 3);
		CU_ASSERT(await(&r, 0, 3 * (dest + 1)));
		CU_ASSERT_EQUAL(answered(&r), 0);
	}
	CU_ASSERT_EQUAL(r.arrived, 32);
	resolvers_close(&r);
}

/* The gateway learns of no close: the port is another's once the last datagram is old enough. */
static void a_silent_socket_gives_its_port_back_open_or_closed(void)
{
	struct resolvers r;
	bool passed = false;

	resolvers_open(&r, NAT("ports: 2000-2001, sysctl: {net.netfilter.nf_conntrack_udp_timeout: "
			       "1}") LOAD "total: 1}");
	ask(&r, 0, 2);
	CU_ASSERT(await(&r, 2, 0));
	close(r.fd[0]); /* the other stays open */
	r.fd[0] = dup(r.fd[1]);
	ask(&r, 0, 2);
	CU_ASSERT(await(&r, 0, 2));
	CU_ASSERT_EQUAL(answered(&r), 0);
	for (int i = 0; i < PATIENCE / 100 && !passed; i++) {
		clock_sleep(100000000);
		send_all(&r);
		answer(&r);
		passed = answered(&r) == 2;
	}
	CU_ASSERT(passed);
	resolvers_close(&r);
}

/* connect() of UDP finds nothing out, and neither does send(): the request's own timeout does. */
static void requests_beyond_the_gateways_ports_time_out(void)
{
	static const struct {
		const char *lines;
		unsigned done;
		bool counts; /* the gateway does, what it dropped */
	} rows[] = {
		{NAT("ports: 2000-2031") LOAD TOTAL, 64, true}, /* two services */
		{NAT("ports: 2000-2007, addresses: 4") LOAD TOTAL, 64, true},
		{NAT("limit: 10") LOAD TOTAL, 10, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct behind b;
		struct tracked_now now;

		behind_run(&b, rows[i].lines);
		now = tracked(&b.h);
		CU_ASSERT(b.tape.complete && !b.tape.exhausted);
		CU_ASSERT_EQUAL(b.tape.tally.opened, 76);
		CU_ASSERT_EQUAL(b.tape.tally.requests_done, rows[i].done);
		CU_ASSERT_EQUAL(b.tape.tally.errors[STAGE_RECEIVE][ETIMEDOUT], 76 - rows[i].done);
		CU_ASSERT_EQUAL(b.h.plan.forecast.times_out_after, rows[i].done);
		CU_ASSERT_EQUAL(b.measures.predictions[PREDICTION_GATEWAY].outcome, OUTCOME_HOLDS);
		CU_ASSERT_EQUAL(now.insert_failed, rows[i].counts ? 76 - rows[i].done : 0);
		CU_ASSERT_EQUAL(behind_measured(&b, MEASURE_NAT_INSERT_FAILED), now.insert_failed);
		CU_ASSERT_EQUAL(behind_measured(&b, MEASURE_NAT_DROP), now.drop);
		CU_ASSERT_EQUAL(now.entries, rows[i].done);
		help_close(&b.h);
	}
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_gateway, as_many_datagrams_pass_as_the_gateway_has_ports),
	TEST_UNLESS(help_no_gateway, redirected_datagrams_share_the_ports_to_one),
	TEST_UNLESS(help_no_gateway, a_silent_socket_gives_its_port_back_open_or_closed),
	TEST_UNLESS(help_no_gateway, requests_beyond_the_gateways_ports_time_out),
	TESTS_END,
};

const struct suite suite_nat_udp = {"nat_udp", tests};
