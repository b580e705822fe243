/* How long an endpoint-independent mapping is kept: since its client's last packet, by what nft says of its
 * expiry; and what comes for a client without one, of UDP. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nat_help.h"
#include "suites.h"
#include "sys/clock.h"

#define CONE(keys) \
	"network: {topology: nat, ports: 40000-40999, nat: {mapping: endpoint-independent, " \
	"ports: 2000-2007, " keys "}}"

enum { SECOND_MS = 1000, TRIES = 20 };

struct talk {
	struct help h;
	int type, client, server, listener;
};

static struct sockaddr_in service_of(struct help *h)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(plan_service(&h->plan, 0))};
	uint8_t bytes[16];

	address_bytes(plan_server(&h->plan, 0), bytes);
	memcpy(&to.sin_addr, bytes + 12, 4);
	return to;
}

static void server_open(struct help *h, void *context)
{
	struct talk *t = context;
	struct sockaddr_in at = service_of(h);

	t->listener = socket(AF_INET, t->type | SOCK_CLOEXEC, 0);
	CU_ASSERT_EQUAL(bind(t->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	if (t->type == SOCK_STREAM)
		CU_ASSERT_EQUAL(listen(t->listener, 1), 0);
}

static void client_open(struct help *h, void *context)
{
	struct talk *t = context;
	struct sockaddr_in to = service_of(h);

	t->client = socket(AF_INET, t->type | SOCK_CLOEXEC, 0);
	CU_ASSERT_EQUAL(connect(t->client, (struct sockaddr *)&to, sizeof(to)), 0);
}

static bool comes(int fd, int patience_ms)
{
	return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, patience_ms) == 1;
}

/* The server hears its client, and talks to it from then on. */
static void talk_open(struct talk *t, const char *lines, int type)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	char z;

	*t = (struct talk){.type = type};
	if (!help_open(&t->h, lines))
		CU_FAIL_FATAL("no lab");
	CU_ASSERT(help_inside(&t->h, LAB_SERVER, server_open, t));
	CU_ASSERT(help_inside(&t->h, LAB_CLIENT, client_open, t));
	CU_ASSERT_EQUAL(send(t->client, "a", 1, 0), 1);
	CU_ASSERT_FATAL(comes(t->listener, PATIENCE));
	t->server = t->listener;
	if (type == SOCK_STREAM) {
		t->server = accept(t->listener, NULL, NULL);
		return;
	}
	CU_ASSERT_EQUAL(recvfrom(t->listener, &z, 1, 0, (struct sockaddr *)&peer, &len), 1);
	CU_ASSERT_EQUAL(connect(t->listener, (struct sockaddr *)&peer, len), 0);
}

static void talk_close(struct talk *t)
{
	close(t->client);
	close(t->listener);
	if (t->server != t->listener)
		close(t->server);
	help_close(&t->h);
}

static const char *protocol_of(const struct talk *t)
{
	return t->type == SOCK_STREAM ? "tcp" : "udp";
}

/* "expires 9s996ms" of the only one; 0: there is none. */
static long expires_ms(struct talk *t)
{
	static const struct {
		const char *unit;
		long ms;
	} units[] = {{"ms", 1}, {"s", SECOND_MS}, {"m", 60 * SECOND_MS}};
	const char *z = strstr(nft_mappings(&t->h, protocol_of(t)), "expires ");
	long ms = 0;

	for (z = z ? z + strlen("expires ") : ""; *z >= '0' && *z <= '9';) {
		char *end;
		long n = strtol(z, &end, 10);

		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
			if (strncmp(end, units[i].unit, strlen(units[i].unit)) == 0) {
				ms += n * units[i].ms;
				end += strlen(units[i].unit);
				break;
			}
		z = end;
	}
	return ms;
}

/* Soon after a packet it is as long as it was at first: of 20 s no less than 19, once. */
static void each_packet_of_its_client_keeps_a_mapping(void)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct talk t;
		long first, ms = 0;

		talk_open(&t, CONE("mapping_time: 20s"), types[i]);
		first = expires_ms(&t);
		CU_ASSERT(first > 0 && first <= 20 * SECOND_MS);
		while (expires_ms(&t) > 18 * SECOND_MS)
			clock_sleep(20000000);
		for (int try = 0; try < TRIES && ms <= 19 * SECOND_MS; try++) {
			CU_ASSERT_EQUAL(send(t.client, "b", 1, 0), 1);
			ms = expires_ms(&t);
		}
		CU_ASSERT(ms > 19 * SECOND_MS && ms <= 20 * SECOND_MS);
		talk_close(&t);
	}
}

/* The server's packets keep none; and once it is gone they are dropped, until the client sends. */
static void no_datagram_reaches_a_client_without_a_mapping(void)
{
	struct talk t;
	char z;

	talk_open(&t, CONE("mapping_time: 300ms"), SOCK_DGRAM);
	for (int i = 0; i < PATIENCE / 10 && expires_ms(&t) > 0; i++) {
		send(t.server, "b", 1, 0);
		clock_sleep(10000000);
	}
	CU_ASSERT_EQUAL(expires_ms(&t), 0);
	while (comes(t.client, 100)) /* what had come before */
		CU_ASSERT_EQUAL(recv(t.client, &z, 1, 0), 1);
	CU_ASSERT_EQUAL(send(t.server, "c", 1, 0), 1);
	CU_ASSERT_FALSE(comes(t.client, 300));
	CU_ASSERT_EQUAL(send(t.client, "d", 1, 0), 1);
	CU_ASSERT(comes(t.server, PATIENCE) && recv(t.server, &z, 1, 0) == 1);
	CU_ASSERT_EQUAL(send(t.server, "e", 1, 0), 1);
	CU_ASSERT(comes(t.client, PATIENCE) && recv(t.client, &z, 1, 0) == 1 && z == 'e');
	talk_close(&t);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_gateway, each_packet_of_its_client_keeps_a_mapping),
	TEST_UNLESS(help_no_gateway, no_datagram_reaches_a_client_without_a_mapping),
	TESTS_END,
};

const struct suite suite_nat_kept = {"nat_kept", tests};
