/* How fast somebody else's load fills its ports, whose it is, and where: the test's own sockets, those of
 * its children, and namespaces that it made. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab_help.h"
#include "suites.h"
#include "sys/clock.h"
#include "sys/netns.h"
#include "watch/watch.h"

enum { PORTS = 32, OPENED = 8, CLOSED = 6, OTHERS = 3 };
#define NEXT_NS INT64_C(1050000000)
enum { CHILDREN_MANY = 1 << 15 }; /* PROCESSES_MOST of sys/kin.c */

struct paced {
	struct watch watch;
	struct host host;
	struct arena scratch;
	int fds[PORTS], count, listener;
};

static void listen_there(struct help *h, void *context)
{
	struct paced *p = context;

	p->listener = help_listen(&h->plan);
}

static void open_some(struct help *h, struct paced *p, int n, uint32_t server)
{
	for (int i = 0; i < n; i++) {
		int fd = help_connection(h->plan.family, NULL, h->plan.servers.list[server],
					 h->plan.service_first);

		CU_ASSERT_FATAL(fd >= 0 && p->count < PORTS);
		p->fds[p->count++] = fd;
	}
}

static void open_watch(struct help *h, struct paced *p, int32_t pid)
{
	struct watch_wish wish = {.host = &p->host, .most = 10, .pid = pid};

	p->host = *help_host();
	p->scratch = h->arena; /* each watch has its tables where the last had them */
	p->host.ports = h->plan.scenario->network.ports;
	CU_ASSERT_FATAL(watch_open(&p->watch, &wish, &p->scratch, &h->err));
}

/* The first look finds nothing, the second all of them; once half a second has gone by, that is a rate, but none
 * by which the ports end. */
static void fill_as_it_looks(struct help *h, void *context)
{
	struct paced *p = context;
	const struct look *l = &p->watch.look;
	double seconds;
	int64_t read_ns;

	open_watch(h, p, 0);
	CU_ASSERT(watch_look(&p->watch, &h->err) && l->count == 0 && l->opens < 0);
	read_ns = clock_now() - p->watch.first_ns;
	open_some(h, p, OPENED, 0);
	CU_ASSERT_FATAL(watch_look(&p->watch, &h->err) && l->count == 1);
	CU_ASSERT(l->rows[0].opens < 0 && l->rows[0].full_ns < 0);
	while ((l->rows[0].opens < 0 || l->opens < 0) && watch_look(&p->watch, &h->err))
		clock_sleep(10000000);
	seconds = (double)l->t_ns / 1e9;
	CU_ASSERT_DOUBLE_EQUAL(l->rows[0].opens * seconds, OPENED, 1e-6);
	CU_ASSERT_DOUBLE_EQUAL(l->rows[0].grows * seconds, OPENED, 1e-6);
	/* between two readings, each at the end of its look */
	CU_ASSERT(l->opens * (seconds - (double)read_ns / 1e9) <= OPENED);
	CU_ASSERT(l->opens * (double)(clock_now() - p->watch.first_ns) / 1e9 > OPENED);
	for (int i = 0; i < COUNTS_KEPT; i++)
		CU_ASSERT(!p->watch.counts[i].known || p->watch.counts[i].at_ns > 0);
	CU_ASSERT(l->rows[0].full_ns < 0 && l->rows[0].cause == CAUSE_NO_DATA);
	clock_sleep(NEXT_NS - l->t_ns);
	CU_ASSERT(watch_look(&p->watch, &h->err));
	clock_sleep(NEXT_NS);
	open_some(h, p, OPENED, 0);
	CU_ASSERT(watch_look(&p->watch, &h->err));
	CU_ASSERT(l->rows[0].full_ns > 0 && l->rows[0].full_ns != FULL_NEVER);
	CU_ASSERT_DOUBLE_EQUAL((double)l->rows[0].full_ns / 1e9,
			       (PORTS - 2 * OPENED) / l->rows[0].grows, 1.01);
	CU_ASSERT(l->rows[0].kept_ns > 0 && l->rows[0].cause == CAUSE_LIVE_SATURATION);
	CU_ASSERT_EQUAL(l->rows[0].maybe, CAUSE_LEAK);
	open_some(h, p, PORTS - 2 * OPENED, 0);
	CU_ASSERT_EQUAL(help_connection(h->plan.family, NULL, h->plan.servers.list[0],
					h->plan.service_first),
			-EADDRNOTAVAIL);
	CU_ASSERT(watch_look(&p->watch, &h->err));
	CU_ASSERT(usage_free(&l->rows[0].usage) == 0 && l->rows[0].full_ns == 0);
	watch_close(&p->watch);
}

static void a_leak_has_a_rate_and_an_end(void)
{
	struct paced p = {.listener = -1};
	struct help h;

	if (!help_open(&h, "network: {ports: 40000-40031}"))
		CU_FAIL_FATAL("no lab");
	CU_ASSERT(help_inside(&h, LAB_SERVER, listen_there, &p));
	CU_ASSERT(help_inside(&h, LAB_CLIENT, fill_as_it_looks, &p));
	for (int i = 0; i < p.count; i++)
		close(p.fds[i]);
	close(p.listener);
	help_close(&h);
}

static void open_and_close(struct help *h, struct paced *p, int n)
{
	open_some(h, p, n, 0);
	while (p->count)
		close(p->fds[--p->count]);
	for (int i = 0; i < n; i++)
		close(accept(p->listener, NULL, NULL));
}

/* By a watch that has not looked before; true: so many are in TIME_WAIT, the first for so long. */
static bool is_waiting(struct help *h, struct paced *p, uint32_t n, int seconds)
{
	const struct look *l = &p->watch.look;

	open_watch(h, p, 0);
	CU_ASSERT(watch_look(&p->watch, &h->err));
	watch_close(&p->watch);
	return l->count && l->rows[0].usage.states[STATE_TIME_WAIT] == n &&
	       l->rows[0].usage.next_free_ns < (60 - seconds) * INT64_C(1000000000);
}

/* How many were closed in ten seconds one look tells, by how long the kernel says that each has still; and that
 * ports end of it, once some were in each half of that time. */
static void close_and_look(struct help *h, void *context)
{
	struct paced *p = context;
	const struct look_row *row;
	int looks = 0;

	open_and_close(h, p, CLOSED / 2);
	while (!is_waiting(h, p, CLOSED / 2, 1) && looks++ < 500)
		clock_sleep(10000000);
	row = p->watch.rows;
	CU_ASSERT(row->closes == CLOSED / 20. && row->full_ns < 0);
	CU_ASSERT_EQUAL(row->cause, CAUSE_NO_DATA);
	while (!is_waiting(h, p, CLOSED / 2, 6) && looks++ < 1500)
		clock_sleep(10000000);
	open_and_close(h, p, CLOSED / 2);
	while (!is_waiting(h, p, CLOSED, 6) && looks++ < 1500)
		clock_sleep(10000000);
	CU_ASSERT_FATAL(p->watch.look.count == 1 && row->opens < 0);
	CU_ASSERT_DOUBLE_EQUAL(row->closes, CLOSED / 10., 1e-9);
	/* 0.6/s for a minute want 36 ports of 32. */
	CU_ASSERT(row->full_ns > 0 && row->full_ns < 60 * INT64_C(1000000000));
	CU_ASSERT_EQUAL(row->cause, CAUSE_TIME_WAIT_CHURN);
}

static void churn_is_told_by_one_look(void)
{
	struct paced p = {.listener = -1};
	struct help h;

	if (!help_open(&h, "network: {ports: 40000-40031}"))
		CU_FAIL_FATAL("no lab");
	CU_ASSERT(help_inside(&h, LAB_SERVER, listen_there, &p));
	CU_ASSERT(help_inside(&h, LAB_CLIENT, close_and_look, &p));
	close(p.listener);
	help_close(&h);
}

/* ---- of one process ------------------------------------------------------ */

struct child {
	int connections, ask[2], answer[2];
	pid_t pid;
};

static void start_child(struct help *h, void *context)
{
	struct child *c = context;
	char byte = 0;

	CU_ASSERT_FATAL(pipe(c->ask) == 0 && pipe(c->answer) == 0);
	fflush(stdout);
	c->pid = fork();
	if (c->pid == 0) {
		bool ok = true;

		close(c->ask[1]);
		for (int i = 0; i < c->connections; i++)
			ok &= help_connection(h->plan.family, NULL, h->plan.servers.list[0],
					      h->plan.service_first) >= 0;
		_exit(!ok || write(c->answer[1], &byte, 1) != 1 || read(c->ask[0], &byte, 1) < 0);
	}
	CU_ASSERT(c->pid > 0 && read(c->answer[0], &byte, 1) == 1);
}

static void end_child(struct child *c)
{
	int status = -1;

	close(c->ask[1]);
	CU_ASSERT(waitpid(c->pid, &status, 0) == c->pid && status == 0);
	close(c->ask[0]);
	close(c->answer[0]);
	close(c->answer[1]);
}

struct visit {
	struct help *h;
	struct paced *p;
	int32_t pid, of; /* in whose namespace; and whose sockets */
};

/* In a thread that goes where the process is, as the command does. */
static void *visit_thread(void *context)
{
	struct visit *v = context;

	CU_ASSERT_FATAL(netns_join_process(v->pid, &v->h->err));
	open_watch(v->h, v->p, v->of);
	CU_ASSERT_FATAL(watch_look(&v->p->watch, &v->h->err));
	watch_close(&v->p->watch);
	return NULL;
}

static const struct look *visit(struct help *h, struct paced *p, int32_t pid, int32_t of)
{
	struct visit v = {h, p, pid, of};
	pthread_t thread;

	CU_ASSERT_FATAL(pthread_create(&thread, NULL, visit_thread, &v) == 0);
	pthread_join(thread, NULL);
	return &p->watch.look;
}

static void open_elsewhere(struct help *h, void *context)
{
	open_some(h, context, OTHERS, 1);
}

/* Towards a destination all ports count; its own are told, and destinations where it has none are not. */
static void a_process_is_watched_with_its_children(void)
{
	struct child one = {.connections = OPENED}, other = {.connections = CLOSED};
	struct paced p = {.listener = -1};
	const struct look *l;
	struct help h;

	if (!help_open(&h, "network: {ports: 40000-40031, servers: 2}"))
		CU_FAIL_FATAL("no lab");
	CU_ASSERT(help_inside(&h, LAB_SERVER, listen_there, &p));
	CU_ASSERT(help_inside(&h, LAB_CLIENT, start_child, &one));
	CU_ASSERT(help_inside(&h, LAB_CLIENT, start_child, &other));
	CU_ASSERT(help_inside(&h, LAB_CLIENT, open_elsewhere, &p));
	l = visit(&h, &p, one.pid, one.pid);
	CU_ASSERT_FATAL(l->count == 1 && l->more == 1);
	CU_ASSERT(l->pid == one.pid && !l->pid_ended && l->rows[0].mine == OPENED);
	CU_ASSERT_EQUAL(usage_used(&l->rows[0].usage), OPENED + CLOSED);
	l = visit(&h, &p, one.pid, getpid());
	CU_ASSERT(l->count == 1 && l->rows[0].mine == OPENED + CLOSED);
	l = visit(&h, &p, one.pid, 0);
	CU_ASSERT(l->count == 2 && l->rows[0].mine == 0);
	end_child(&other);
	l = visit(&h, &p, one.pid, other.pid);
	CU_ASSERT(l->count == 0 && l->pid_ended);
	end_child(&one);
	for (int i = 0; i < p.count; i++)
		close(p.fds[i]);
	close(p.listener);
	help_close(&h);
}

/* ---- where there is nothing to look at ----------------------------------- */

static enum err_kind refusal(bool (*join)(const char *, struct err *), const char *name)
{
	struct err err = {0};

	CU_ASSERT(!join(name, &err) && err.hint[0] + err.what[0] != 0);
	return err.kind;
}

static void what_is_no_namespace_is_refused(void)
{
	struct err err = {0};

	CU_ASSERT_EQUAL(refusal(netns_join, "lastport-has-none"), ERR_USAGE);
	CU_ASSERT_EQUAL(refusal(netns_join, "/proc/self/no-such"), ERR_USAGE);
	CU_ASSERT_EQUAL(refusal(netns_join, "/dev/null"), ERR_USAGE);
	CU_ASSERT_EQUAL(refusal(netns_join, "/proc/self/ns/uts"), ERR_USAGE);
	CU_ASSERT(netns_join("/proc/self/ns/net", &err));
	CU_ASSERT(!netns_join_process(1 << 22, &err) && err.kind == ERR_USAGE);
}

/* A process of another user, in a namespace of its own, as nobody. */
static int be_nobody(void)
{
	struct err err = {0};
	char path[64];
	int pid = (int)getppid();

	if (setgid(65534) < 0 || setuid(65534) < 0)
		return 77;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	return netns_join_process(pid, &err) || err.kind != ERR_HOST || !err.hint[0];
}

/* A process names itself as it likes. */
static void a_line_of_a_process_is_read_whatever_its_name_is(void)
{
	static const char rest[] = " 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 1 2";
	static const char *const names[] = {"a", "a b", "x) R 1 (y", "((", ") S 99 1"};
	struct kinsman k;
	char line[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(line, sizeof(line), "4711 (%s) S 42%s", names[i], rest);
		CU_ASSERT(kin_parse(line, &k) && k.pid == 4711 && k.parent == 42);
		CU_ASSERT_EQUAL(k.began, 12345);
	}
	CU_ASSERT(!kin_parse("", &k) && !kin_parse("4711 a S 1", &k));
	CU_ASSERT(!kin_parse("4711 (a) S 42", &k) && !kin_parse("x (a) S 42 1 2 3", &k));
}

/* A server that forks for days has had more children than are remembered: those that ended long ago are
 * forgotten, and no others. */
static void who_has_had_many_children_is_watched_still(void)
{
	static const int64_t ended_ns[] = {119, 121}; /* seconds ago */

	for (size_t n = 0; n < sizeof(ended_ns) / sizeof(ended_ns[0]); n++) {
		bool forgotten = ended_ns[n] > 120;
		struct arena arena;
		struct kin k;
		int child;

		CU_ASSERT_FATAL(arena_open(&arena, 8 << 20) && kin_open(&k, getpid(), &arena));
		kin_look(&k);
		CU_ASSERT(!k.partial && k.known_count > 0 && k.known_count < CHILDREN_MANY);
		while (k.known_count < CHILDREN_MANY) {
			int32_t pid = INT32_MAX - (int)k.known_count;

			k.known[k.known_count++] =
				(struct kinsman){.pid = pid,
						 .began = 1,
						 .seen_ns = clock_now() - ended_ns[n] * 1000000000};
		}
		child = fork();
		if (child == 0) {
			pause();
			_exit(0);
		}
		kin_look(&k);
		CU_ASSERT(k.partial && !k.ended && kin_has(&k, getpid()) && kin_has(&k, child));
		kin_look(&k);
		CU_ASSERT(k.partial == !forgotten && !k.ended && kin_has(&k, child));
		CU_ASSERT_EQUAL(kin_has(&k, INT32_MAX - CHILDREN_MANY + 1), !forgotten);
		kill(child, SIGKILL);
		CU_ASSERT_EQUAL(waitpid(child, NULL, 0), child);
		kin_look(&k);
		CU_ASSERT_EQUAL(kin_has(&k, child), forgotten);
		arena_close(&arena);
	}
}

static void without_rights_it_is_said_so(void)
{
	int status = help_child(be_nobody);

	CU_ASSERT(status == 0 || status == 77);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, a_leak_has_a_rate_and_an_end),
	TEST_UNLESS(help_no_network, churn_is_told_by_one_look),
	TEST_UNLESS(help_no_network, a_process_is_watched_with_its_children),
	TEST(what_is_no_namespace_is_refused),
	TEST(a_line_of_a_process_is_read_whatever_its_name_is),
	TEST(who_has_had_many_children_is_watched_still),
	TEST(without_rights_it_is_said_so),
	TESTS_END,
};

const struct suite suite_watch_pace = {"watch_pace", tests};
