/* Who holds a port: named while it is open, and remembered afterwards. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scene.h"
#include "sense/holders.h"
#include "suites.h"
#include "sys/clock.h"

#define SECOND INT64_C(1000000000)

static void listen_there(struct help *h, void *listener)
{
	*(int *)listener = help_listen(&h->plan);
}

enum { KEPT = 3, CLOSED = 2 };

/* A process that has connections and, asked by a byte, closes some; then it waits for its end. */
static int be_client(struct help *h, int ask, int answer)
{
	char byte = 0;

	for (int i = 0; i < KEPT + CLOSED; i++) {
		int fd = help_connection(h->plan.family, NULL, h->plan.servers.list[0],
					 h->plan.service_first);

		if (fd < 0 || dup2(fd, 100 + i) < 0 || close(fd) < 0)
			return 1;
	}
	if (write(answer, &byte, 1) != 1 || read(ask, &byte, 1) != 1)
		return 1;
	for (int i = KEPT; i < KEPT + CLOSED; i++)
		close(100 + i);
	return write(answer, &byte, 1) != 1 || read(ask, &byte, 1) != 0;
}

struct others {
	struct help h;
	int ask[2], answer[2], listener;
	pid_t pid;
};

static void start_client(struct help *h, void *context)
{
	struct others *o = context;

	fflush(stdout);
	o->pid = fork();
	if (o->pid == 0) {
		prctl(PR_SET_NAME, "evil\x1b[31m");
		close(o->ask[1]);
		_exit(be_client(h, o->ask[0], o->answer[1]));
	}
}

static void holders_look(struct others *o, struct holders *holders, struct scene_look *l)
{
	CU_ASSERT_FATAL(help_inside(&o->h, LAB_CLIENT, scene_look_inside, l) && l->ok);
	holders_scan(holders);
	holders_tell(holders, l->census, l->usages, l->sample.usage_count);
}

static void await_time_wait(struct others *o, struct holders *holders, struct scene_look *l)
{
	for (int i = 0; i < 2000; i++) {
		holders_look(o, holders, l);
		if (l->usages[0].states[STATE_TIME_WAIT] == CLOSED)
			return;
		clock_sleep(SECOND / 1000);
	}
	CU_FAIL("nothing came into TIME_WAIT");
}

/* Seen before it closes, a connection in TIME_WAIT is still of whom it was; else of nobody. */
static void who_holds_a_port_is_named_and_remembered(void)
{
	struct others o = {0};
	struct holders seen, late;
	struct scene_look l = {0};
	char byte = 0;
	int status = -1;

	if (!help_open(&o.h, "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}"))
		CU_FAIL_FATAL("no lab");
	CU_ASSERT_FATAL(pipe2(o.ask, O_CLOEXEC) == 0 && pipe2(o.answer, O_CLOEXEC) == 0);
	CU_ASSERT_FATAL(holders_open(&seen, false, &o.h.arena) &&
			holders_open(&late, false, &o.h.arena));
	CU_ASSERT(help_inside(&o.h, LAB_SERVER, listen_there, &o.listener));
	CU_ASSERT(help_inside(&o.h, LAB_CLIENT, start_client, &o));
	CU_ASSERT_FATAL(o.pid > 0 && read(o.answer[0], &byte, 1) == 1);
	holders_look(&o, &seen, &l);
	CU_ASSERT(l.usages[0].holders_known && l.usages[0].holders[0].sockets == KEPT + CLOSED);
	CU_ASSERT(l.usages[0].holders[0].pid == o.pid);
	CU_ASSERT_STRING_EQUAL(l.usages[0].holders[0].command, "evil\\x1b[31m");
	CU_ASSERT_EQUAL(write(o.ask[1], &byte, 1), 1);
	CU_ASSERT_EQUAL(read(o.answer[0], &byte, 1), 1);
	for (int i = 0; i < KEPT + CLOSED; i++)
		close(accept(o.listener, NULL, NULL));
	await_time_wait(&o, &seen, &l);
	CU_ASSERT_EQUAL(l.usages[0].holders[0].sockets, KEPT + CLOSED);
	await_time_wait(&o, &late, &l);
	CU_ASSERT_EQUAL(l.usages[0].holders[0].sockets, KEPT);
	CU_ASSERT_EQUAL(usage_used(&l.usages[0]), KEPT + CLOSED);
	close(o.ask[1]);
	CU_ASSERT(waitpid(o.pid, &status, 0) == o.pid && status == 0);
	close(o.ask[0]);
	close(o.answer[0]);
	close(o.answer[1]);
	close(o.listener);
	help_close(&o.h);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, who_holds_a_port_is_named_and_remembered),
	TESTS_END,
};

const struct suite suite_owners = {"owners", tests};
