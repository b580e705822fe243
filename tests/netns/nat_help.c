#include "nat_help.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/nft.h"
#include "sys/rights.h"

/* A line of hexadecimal numbers a processor, below their names; `entries` is the same in each. */
static void tracked_line(struct tracked_now *t, char *names, char *values)
{
	char *rest_names = NULL, *rest_values = NULL;
	char *name = strtok_r(names, " ", &rest_names);
	char *value = strtok_r(values, " ", &rest_values);

	for (; name && value;
	     name = strtok_r(NULL, " ", &rest_names), value = strtok_r(NULL, " ", &rest_values)) {
		if (strcmp(name, "entries") == 0)
			t->entries = strtoul(value, NULL, 16);
		else if (strcmp(name, "insert_failed") == 0)
			t->insert_failed += strtoul(value, NULL, 16);
		else if (strcmp(name, "drop") == 0)
			t->drop += strtoul(value, NULL, 16);
	}
}

static void tracked_read(struct help *h, void *context)
{
	char names[512], again[512], values[512];
	FILE *f = fopen("/proc/thread-self/net/stat/nf_conntrack", "r");
	struct tracked_now *t = context;

	(void)h;
	*t = (struct tracked_now){0};
	if (!f || !fgets(names, sizeof(names), f))
		CU_FAIL_FATAL("no figures of conntrack's");
	while (fgets(values, sizeof(values), f)) {
		memcpy(again, names, sizeof(again));
		tracked_line(t, again, values);
	}
	fclose(f);
}

struct tracked_now tracked(struct help *h)
{
	struct tracked_now t;

	CU_ASSERT(help_inside(h, LAB_GATEWAY, tracked_read, &t));
	return t;
}

static void begin_connects(struct help *h, void *context)
{
	struct crowd *c = context;
	struct sockaddr_in here = {.sin_family = AF_INET}, there = {.sin_family = AF_INET};
	uint8_t bytes[16];

	address_bytes(plan_server(&h->plan, c->dest), bytes);
	memcpy(&there.sin_addr, bytes + 12, 4);
	there.sin_port = htons(plan_service(&h->plan, c->dest));
	address_bytes(h->plan.sources.list[c->source], bytes);
	memcpy(&here.sin_addr, bytes + 12, 4);
	for (unsigned i = c->from; i < c->to; i++) {
		c->fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		CU_ASSERT_EQUAL(bind(c->fd[i], (struct sockaddr *)&here, sizeof(here)), 0);
		CU_ASSERT(connect(c->fd[i], (struct sockaddr *)&there, sizeof(there)) < 0 &&
			  errno == EINPROGRESS);
	}
}

unsigned crowd_established(const struct crowd *c)
{
	unsigned n = 0;

	for (unsigned i = c->from; i < c->to; i++) {
		struct pollfd p = {.fd = c->fd[i], .events = POLLOUT};

		n += poll(&p, 1, 0) == 1 && p.revents == POLLOUT;
	}
	return n;
}

bool crowd_await(struct help *h, const struct crowd *c, unsigned open, unsigned dropped)
{
	for (int i = 0; i < PATIENCE; i++) {
		if (crowd_established(c) >= open && tracked(h).insert_failed >= dropped)
			return true;
		clock_sleep(1000000);
	}
	return false;
}

void crowd_begin(struct help *h, struct crowd *c, uint32_t dest, unsigned n)
{
	c->from = c->to;
	c->to += n;
	c->dest = dest;
	CU_ASSERT(help_inside(h, LAB_CLIENT, begin_connects, c));
}

static void crowd_close(struct crowd *c)
{
	for (unsigned i = 0; i < c->to; i++)
		close(c->fd[i]);
}

static void listen_all(struct help *h, void *context)
{
	struct listeners *l = context;

	for (uint32_t i = 0; i < h->plan.services; i++) {
		struct sockaddr_in any = {.sin_family = AF_INET,
					  .sin_port = htons(plan_service(&h->plan, i))};

		l->fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		CU_ASSERT(bind(l->fd[i], (struct sockaddr *)&any, sizeof(any)) == 0 &&
			  listen(l->fd[i], CROWD_MOST) == 0);
	}
}

void gateway_open(struct help *h, struct listeners *l, const char *lines)
{
	if (!help_open(h, lines)) {
		printf("%s\n", h->err.what);
		CU_FAIL_FATAL("no lab");
	}
	CU_ASSERT(help_inside(h, LAB_SERVER, listen_all, l));
}

void gateway_close(struct help *h, struct listeners *l, struct crowd *c)
{
	crowd_close(c);
	for (uint32_t i = 0; i < h->plan.services; i++)
		close(l->fd[i]);
	help_close(h);
}

void behind_run(struct behind *b, const char *lines)
{
	volatile sig_atomic_t interrupted = 0;
	struct drive_hooks hooks = {
		.interrupted = &interrupted, .pulse = &b->pulse, .samples_fd = -1, .events_fd = -1};

	memset(b, 0, sizeof(*b));
	if (!help_open(&b->h, lines) ||
	    !drive_run(&b->tape, &b->h.plan, &b->h.lab, &hooks, &b->h.arena, &b->h.err)) {
		printf("%s\n", b->h.err.what);
		CU_FAIL_FATAL("no load");
	}
	CU_ASSERT(tally_balances(&b->tape.tally));
	measure(&b->measures, &b->tape, &b->h.plan, &b->h.arena);
}

uint64_t behind_measured(const struct behind *b, enum measure what)
{
	CU_ASSERT(b->measures.fixed[what].present);
	return (uint64_t)b->measures.fixed[what].n;
}

/* ---- what nft says ------------------------------------------------------- */

struct question {
	struct help *h;
	const char *object; /* "set ip lastport tcp_mappings" */
	char answer[64 << 10];
};

/* With all rights: who enters a lab has given them up. */
static void *nft_run(void *context)
{
	struct question *q = context;
	char line[256];
	FILE *nft;

	CU_ASSERT(lab_visit(&q->h->lab, LAB_GATEWAY, &q->h->err) &&
		  rights_pass_network(&q->h->err));
	snprintf(line, sizeof(line), "%s list %s", nft_find(), q->object);
	nft = popen(line, "re");
	CU_ASSERT(nft != NULL); /* no answer is none of no mappings */
	if (!nft)
		return NULL;
	q->answer[fread(q->answer, 1, sizeof(q->answer) - 1, nft)] = '\0';
	CU_ASSERT_EQUAL(pclose(nft), 0);
	return NULL;
}

const char *nft_says(struct help *h, const char *object)
{
	static struct question q;
	pthread_t thread;

	q = (struct question){.h = h, .object = object};
	CU_ASSERT_FATAL(pthread_create(&thread, NULL, nft_run, &q) == 0);
	pthread_join(thread, NULL);
	return q.answer;
}

const char *nft_mappings(struct help *h, const char *protocol)
{
	char object[64];
	const char *elements;

	snprintf(object, sizeof(object), "set ip lastport %s_mappings", protocol);
	elements = strstr(nft_says(h, object), "elements");
	return elements ? elements : "";
}
