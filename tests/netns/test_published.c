/* A published port (DNAT) that is one of the range, too: whose is what comes for it? By what either end
 * receives, the kernel's connection tracking decides: what it knows keeps its packets. No cause can tell
 * this of a tape (words/causes.def, published-port-overlap); so much of it is true. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab_help.h"
#include "suites.h"
#include "sys/endpoint.h"
#include "sys/nft.h"

enum { PATIENCE = 10000 /* ms */, PORT = 40010 };

struct published {
	struct help h;
	int listener, client, server; /* both ends of the connection */
	bool loaded;
};

/* Nothing listens where it leads: what comes is answered with a RST. */
static void *rule_load(void *context)
{
	struct published *p = context;

	p->loaded = lab_visit(&p->h.lab, LAB_CLIENT, &p->h.err) &&
		    nft_load(TEXT("table ip published {\nchain prerouting {\n"
				  "type nat hook prerouting priority -100\n"
				  "tcp dport 40010 redirect to :9\n}\n}\n"),
			     &p->h.err);
	return NULL;
}

static void publish(struct published *p)
{
	pthread_t thread;

	CU_ASSERT_FATAL(pthread_create(&thread, NULL, rule_load, p) == 0);
	pthread_join(thread, NULL);
	CU_ASSERT_FATAL(p->loaded);
}

static void begin_listening(struct help *h, void *context)
{
	struct published *p = context;

	p->listener = help_listen(&h->plan);
}

static void begin_connection(struct help *h, void *context)
{
	struct published *p = context;
	struct endpoint here = endpoint_make(FAMILY_IPV4, h->plan.sources.list[0], PORT);
	struct endpoint there =
		endpoint_make(FAMILY_IPV4, plan_server(&h->plan, 0), plan_service(&h->plan, 0));

	p->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CU_ASSERT_EQUAL(bind(p->client, &here.any, here.len), 0);
	CU_ASSERT_EQUAL(connect(p->client, &there.any, there.len), 0);
}

static void published_open(struct published *p)
{
	memset(p, 0, sizeof(*p));
	if (!help_open(&p->h, "network: {ports: 40000-40031}")) {
		printf("%s\n", p->h.err.what);
		CU_FAIL_FATAL("no lab");
	}
	CU_ASSERT(help_inside(&p->h, LAB_SERVER, begin_listening, p) && p->listener >= 0);
}

static void published_connect(struct published *p)
{
	CU_ASSERT(help_inside(&p->h, LAB_CLIENT, begin_connection, p));
	CU_ASSERT_EQUAL(poll(&(struct pollfd){.fd = p->listener, .events = POLLIN}, 1, PATIENCE),
			1);
	p->server = accept(p->listener, NULL, NULL);
	CU_ASSERT_FATAL(p->server >= 0);
}

static void published_close(struct published *p)
{
	close(p->client);
	close(p->server);
	close(p->listener);
	help_close(&p->h);
}

/* What it receives: 1, or -errno. */
static int sent(int from, int to)
{
	char z;

	CU_ASSERT_EQUAL(send(from, "x", 1, 0), 1);
	if (poll(&(struct pollfd){.fd = to, .events = POLLIN}, 1, PATIENCE) != 1)
		return -ETIMEDOUT;
	return recv(to, &z, 1, 0) == 1 ? 1 : -errno;
}

static void what_is_tracked_keeps_a_published_port(void)
{
	struct published p;

	published_open(&p);
	publish(&p);
	published_connect(&p);
	CU_ASSERT_EQUAL(sent(p.server, p.client), 1);
	CU_ASSERT_EQUAL(sent(p.client, p.server), 1);
	published_close(&p);
}

/* Its first packet makes it known. */
static void what_was_open_before_keeps_it_if_it_speaks_first(void)
{
	struct published p;

	published_open(&p);
	published_connect(&p);
	publish(&p);
	CU_ASSERT_EQUAL(sent(p.client, p.server), 1);
	CU_ASSERT_EQUAL(sent(p.server, p.client), 1);
	published_close(&p);
}

/* To connection tracking a packet of the far end's is the first of another connection: the rule has it,
 * the far end gets a RST, and the client does not learn of either. */
static void what_was_open_before_and_waits_is_hijacked(void)
{
	struct published p;
	char z;

	published_open(&p);
	published_connect(&p);
	publish(&p);
	CU_ASSERT_EQUAL(send(p.server, "x", 1, 0), 1);
	CU_ASSERT_EQUAL(poll(&(struct pollfd){.fd = p.server, .events = POLLIN}, 1, PATIENCE), 1);
	CU_ASSERT(recv(p.server, &z, 1, 0) < 0 && errno == ECONNRESET);
	CU_ASSERT_EQUAL(poll(&(struct pollfd){.fd = p.client, .events = POLLIN}, 1, 0), 0);
	published_close(&p);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_gateway, what_is_tracked_keeps_a_published_port),
	TEST_UNLESS(help_no_gateway, what_was_open_before_keeps_it_if_it_speaks_first),
	TEST_UNLESS(help_no_gateway, what_was_open_before_and_waits_is_hijacked),
	TESTS_END,
};

const struct suite suite_published = {"published", tests};
