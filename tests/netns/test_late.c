/* Answers of the far end that wait unequally long (server.jitter): they overtake each other, in the order
 * that the seed draws, and none is lost; seen by sockets of the test's own. */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/draw.h"
#include "drive/far.h"
#include "drive/wire.h"
#include "lab_help.h"
#include "suites.h"
#include "sys/endpoint.h"

enum { ASKERS = 16, PATIENCE_MS = 10000 };

struct askers {
	struct help h;
	struct far *far;
	struct pulse pulse;
	int fd[ASKERS];
	int type;
	int answered[ASKERS]; /* who was answered when */
	int count;
};

static void connect_all(struct help *h, void *context)
{
	struct askers *a = context;
	struct endpoint to =
		endpoint_make(h->plan.family, h->plan.servers.list[0], h->plan.service_first);

	for (int i = 0; i < ASKERS; i++) {
		a->fd[i] = socket(family_domain(h->plan.family), a->type | SOCK_CLOEXEC, 0);
		CU_ASSERT_EQUAL(connect(a->fd[i], &to.any, to.len), 0);
	}
}

static void askers_open(struct askers *a, const char *lines, int type)
{
	struct drive_hooks hooks = {.pulse = &a->pulse, .samples_fd = -1, .events_fd = -1};
	struct far_wish wish = {&a->h.plan, &a->h.lab, &hooks};

	memset(a, 0, sizeof(*a));
	a->type = type;
	if (!help_open(&a->h, lines) || !far_start(&a->far, &wish, &a->h.arena, &a->h.err))
		CU_FAIL_FATAL("no far end");
	CU_ASSERT(help_inside(&a->h, LAB_CLIENT, connect_all, a));
}

static void askers_close(struct askers *a)
{
	for (int i = 0; i < ASKERS; i++)
		close(a->fd[i]);
	CU_ASSERT(far_stop(a->far, NULL, &a->h.err));
	help_close(&a->h);
}

static void ask(const struct askers *a, int i)
{
	unsigned char request[WIRE_HEAD_BYTES];

	if (a->type == SOCK_STREAM)
		wire_write(request, (struct wire_head){WIRE_HEAD_BYTES, WIRE_HEAD_BYTES, false});
	else
		wire_query_write(request, (struct wire_query){.receive_bytes = WIRE_HEAD_BYTES});
	CU_ASSERT_EQUAL(send(a->fd[i], request, sizeof(request), MSG_NOSIGNAL), sizeof(request));
}

/* All ask, one after the other; who is answered is noted in the order that answers come in. */
static void ask_all(struct askers *a)
{
	struct pollfd p[ASKERS];

	for (int i = 0; i < ASKERS; i++) {
		p[i] = (struct pollfd){.fd = a->fd[i], .events = POLLIN};
		ask(a, i);
	}
	while (a->count < ASKERS && poll(p, ASKERS, PATIENCE_MS) > 0)
		for (int i = 0; i < ASKERS; i++)
			if (p[i].revents) {
				a->answered[a->count++] = i;
				p[i].fd = -1;
			}
	CU_ASSERT_EQUAL(a->count, ASKERS);
}

/* Of all pairs of answers, those of which the later asker was answered first. */
static int overtaken(const struct askers *a)
{
	int n = 0;

	for (int i = 0; i < a->count; i++)
		for (int k = i + 1; k < a->count; k++)
			n += a->answered[i] > a->answered[k];
	return n;
}

#define NET "network: {ports: 40000-40999}\n"
#define TCP "load: {request: {send: 8B, receive: 8B}}\n"
#define UDP "load: {protocol: udp, request: {send: 8B, receive: 8B}}\n"

static void answers_that_vary_overtake_each_other(void)
{
	static const struct {
		const char *lines;
		int type;
		bool varies;
	} rows[] = {
		{NET TCP "server: {delay: 200ms}", SOCK_STREAM, false},
		{NET UDP "server: {delay: 200ms}", SOCK_DGRAM, false},
		{NET TCP "server: {delay: 200ms, jitter: 100%}", SOCK_STREAM, true},
		{NET UDP "server: {delay: 200ms, jitter: 100%}", SOCK_DGRAM, true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct askers a;

		askers_open(&a, rows[i].lines, rows[i].type);
		ask_all(&a);
		CU_ASSERT_EQUAL(overtaken(&a) > ASKERS, rows[i].varies);
		if (!rows[i].varies && rows[i].type == SOCK_DGRAM) /* one socket reads them all */
			CU_ASSERT_EQUAL(overtaken(&a), 0);
		askers_close(&a);
	}
}

/* How long each is to wait by the seed, in the order in which they ask. */
static int64_t wait_of(const struct askers *a, int i)
{
	return (int64_t)(2e9 *
			 draw_share(a->h.plan.seed, plan_far_stream(&a->h.plan), (uint64_t)i));
}

/* Who is answered first is who has drawn the shortest wait. They ask one after the other, so that who
 * draws what is known; of two whose waits are within CLOSE_NS nothing is asked. */
static void the_seed_draws_how_long_each_waits(void)
{
	enum { CLOSE_NS = 200000000 };
	struct askers a;
	int pairs = 0, wrong = 0;

	askers_open(&a, NET TCP "server: {delay: 1s, jitter: 100%}", SOCK_STREAM);
	ask_all(&a);
	for (int i = 0; i < a.count; i++)
		for (int k = i + 1; k < a.count; k++) {
			int64_t later = wait_of(&a, a.answered[k]) - wait_of(&a, a.answered[i]);

			pairs += later > CLOSE_NS;
			wrong += later < -CLOSE_NS;
		}
	CU_ASSERT(pairs > ASKERS);
	CU_ASSERT_EQUAL(wrong, 0);
	askers_close(&a);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, answers_that_vary_overtake_each_other),
	TEST_UNLESS(help_no_network, the_seed_draws_how_long_each_waits),
	TESTS_END,
};

const struct suite suite_late = {"late", tests};
