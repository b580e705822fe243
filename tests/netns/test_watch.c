/* A look at somebody else's load: the test's own sockets, and those of its children, in a lab. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab_help.h"
#include "watch/watch.h"

enum { FIRST = 12, SECOND = 5 };

struct seen {
	struct watch watch;
	int fds[FIRST + SECOND];
	bool only_second, from_proc; /* what is asked for, and how */
	bool ok;
};

static void connect_and_look(struct help *h, void *context)
{
	struct seen *s = context;
	struct host host = *help_host();
	const struct remote second = {h->plan.servers.list[1], h->plan.service_first};

	for (int i = 0; i < FIRST + SECOND; i++) {
		s->fds[i] = help_connection(h->plan.family, NULL, h->plan.servers.list[i >= FIRST],
					    h->plan.service_first);
		CU_ASSERT_FATAL(s->fds[i] >= 0);
	}
	host.ports = h->plan.scenario->network.ports;
	host.sock_diag = s->from_proc ? ENOENT : 0;
	s->ok = watch_open(&s->watch, &host, s->only_second ? &second : NULL, 10, &h->arena,
			   &h->err) &&
		watch_look(&s->watch, &h->err);
}

static void listen_there(struct help *h, void *listener)
{
	*(int *)listener = help_listen(&h->plan);
}

static void destinations_are_shown_the_fullest_first(void)
{
	struct help h;
	struct seen s = {0};
	int listener = -1;

	if (!help_open(&h, "network: {ports: 40000-40031, reserved: [40000-40003], servers: 2}"))
		CU_FAIL_FATAL("no lab");
	CU_ASSERT(help_inside(&h, LAB_SERVER, listen_there, &listener));
	CU_ASSERT(help_inside(&h, LAB_CLIENT, connect_and_look, &s));
	CU_ASSERT_FATAL(s.ok && s.watch.count == 2);
	CU_ASSERT_EQUAL(s.watch.usable, 28);
	CU_ASSERT_EQUAL(usage_used(&s.watch.rows[0]), FIRST);
	CU_ASSERT(address_eq(s.watch.rows[0].remote, h.plan.servers.list[0]));
	CU_ASSERT(address_eq(s.watch.rows[0].local, h.plan.sources.list[0]));
	CU_ASSERT_EQUAL(s.watch.rows[0].remote_port, h.plan.service_first);
	CU_ASSERT_EQUAL(usage_used(&s.watch.rows[1]), SECOND);
	CU_ASSERT_EQUAL(s.watch.sample.states[STATE_ESTABLISHED], FIRST + SECOND);
	for (int i = 0; i < FIRST + SECOND; i++)
		close(s.fds[i]);
	close(listener);
	help_close(&h);
}

/* What can be had of the range is told all the same, and by /proc as by sock_diag. */
static void one_destination_is_shown_alone(void)
{
	for (int from_proc = 0; from_proc < 2; from_proc++) {
		struct seen s = {.only_second = true, .from_proc = from_proc};
		struct help h;
		int listener = -1;

		if (!help_open(&h, "network: {ports: 40000-40031, reserved: [40000-40003], "
				   "servers: 2}"))
			CU_FAIL_FATAL("no lab");
		CU_ASSERT(help_inside(&h, LAB_SERVER, listen_there, &listener));
		CU_ASSERT(help_inside(&h, LAB_CLIENT, connect_and_look, &s));
		CU_ASSERT_FATAL(s.ok && s.watch.count == 1 && s.watch.more == 0);
		CU_ASSERT_EQUAL(usage_used(&s.watch.rows[0]), SECOND);
		CU_ASSERT(address_eq(s.watch.rows[0].remote, h.plan.servers.list[1]));
		CU_ASSERT_EQUAL(s.watch.sample.states[STATE_ESTABLISHED], SECOND);
		CU_ASSERT_EQUAL(s.watch.usable, 28);
		for (int i = 0; i < FIRST + SECOND; i++)
			close(s.fds[i]);
		close(listener);
		help_close(&h);
	}
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, destinations_are_shown_the_fullest_first),
	TEST_UNLESS(help_no_network, one_destination_is_shown_alone),
	TESTS_END,
};

const struct suite suite_watch = {"watch", tests};
