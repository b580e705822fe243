/* A look at somebody else's load: the test's own sockets, and those of its children, in a lab. */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab_help.h"
#include "report/look.h"
#include "report/usage.h"
#include "sys/clock.h"
#include "sys/endpoint.h"
#include "watch/watch.h"

enum { FIRST = 12, SECOND = 5 };

struct seen {
	struct watch watch;
	int fds[FIRST + SECOND];
	bool only_second, from_proc; /* what is asked for, and how */
	bool ok;
};

static bool open_watch(struct watch *out, struct help *h, const struct host *host,
		       const struct remote *to)
{
	const struct watch_wish wish = {.host = host, .to = to, .most = 10};

	return watch_open(out, &wish, &h->arena, &h->err);
}

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
	s->ok = open_watch(&s->watch, h, &host, s->only_second ? &second : NULL) &&
		watch_look(&s->watch, &h->err);
}

static void listen_there(struct help *h, void *listener)
{
	*(int *)listener = help_listen(&h->plan);
}

/* Each server of a lab of these lines listens, until the descriptor is closed. */
static int open_served(struct help *h, const char *lines)
{
	int listener = -1;

	if (!help_open(h, lines))
		CU_FAIL_FATAL("no lab");
	CU_ASSERT(help_inside(h, LAB_SERVER, listen_there, &listener));
	return listener;
}

#define RESERVED "network: {ports: 40000-40031, reserved: [40000-40003], servers: 2}"

static void destinations_are_shown_the_fullest_first(void)
{
	struct help h;
	struct seen s = {0};
	int listener;

	listener = open_served(&h, RESERVED);
	CU_ASSERT(help_inside(&h, LAB_CLIENT, connect_and_look, &s));
	CU_ASSERT_FATAL(s.ok && s.watch.look.count == 2);
	CU_ASSERT_EQUAL(s.watch.look.usable, 28);
	CU_ASSERT_EQUAL(usage_used(&s.watch.rows[0].usage), FIRST);
	CU_ASSERT(address_eq(s.watch.rows[0].usage.remote, h.plan.servers.list[0]));
	CU_ASSERT(address_eq(s.watch.rows[0].usage.local, h.plan.sources.list[0]));
	CU_ASSERT_EQUAL(s.watch.rows[0].usage.remote_port, h.plan.service_first);
	CU_ASSERT_EQUAL(usage_used(&s.watch.rows[1].usage), SECOND);
	CU_ASSERT_EQUAL(s.watch.look.sample.states[STATE_ESTABLISHED], FIRST + SECOND);
	for (int i = 0; i < FIRST + SECOND; i++)
		close(s.fds[i]);
	close(listener);
	watch_close(&s.watch);
	help_close(&h);
}

/* What can be had of the range is told all the same, and by /proc as by sock_diag. */
static void one_destination_is_shown_alone(void)
{
	for (int from_proc = 0; from_proc < 2; from_proc++) {
		struct seen s = {.only_second = true, .from_proc = from_proc};
		struct help h;
		int listener;

		listener = open_served(&h, RESERVED);
		CU_ASSERT(help_inside(&h, LAB_CLIENT, connect_and_look, &s));
		CU_ASSERT_FATAL(s.ok && s.watch.look.count == 1 && s.watch.look.more == 0);
		CU_ASSERT_EQUAL(usage_used(&s.watch.rows[0].usage), SECOND);
		CU_ASSERT(address_eq(s.watch.rows[0].usage.remote, h.plan.servers.list[1]));
		CU_ASSERT_EQUAL(s.watch.look.sample.states[STATE_ESTABLISHED], SECOND);
		CU_ASSERT_EQUAL(s.watch.look.usable, 28);
		for (int i = 0; i < FIRST + SECOND; i++)
			close(s.fds[i]);
		close(listener);
		watch_close(&s.watch);
		help_close(&h);
	}
}

/* ---- ports that somebody has towards everybody --------------------------- */

enum { LISTENED = 40010, BOUND = 40012, BIND_FIRST = 20, PORTS = 32 };

/* A port of the client's that somebody has; to listen there, too, or not. */
static int take_port(const struct plan *p, uint16_t port, bool listens)
{
	struct endpoint here = endpoint_make(p->family, p->sources.list[0], port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CU_ASSERT_FATAL(fd >= 0 && bind(fd, &here.any, here.len) == 0);
	CU_ASSERT(!listens || listen(fd, 1) == 0);
	return fd;
}

static void take_and_look(struct help *h, void *context)
{
	struct seen *s = context;
	int fds[] = {take_port(&h->plan, LISTENED, true), take_port(&h->plan, BOUND, false)};

	connect_and_look(h, s);
	close(fds[0]);
	close(fds[1]);
}

static bool tells(const struct watch *w, const char *words)
{
	static char text[8192];
	struct out to = out_memory(text, sizeof(text) - 1);

	look_write(&to, &w->look);
	text[to.len] = '\0';
	return strstr(text, words);
}

/* /proc has no socket that is bound alone, which is told. It goes to no destination, not to the one that is
 * asked for. */
static void what_is_listened_on_or_bound_is_not_usable(void)
{
	for (int i = 0; i < 4; i++) {
		bool from_proc = i % 2, to_one = i / 2;
		struct seen s = {.from_proc = from_proc, .only_second = to_one};
		struct help h;
		int listener;

		listener = open_served(&h, RESERVED);
		CU_ASSERT(help_inside(&h, LAB_CLIENT, take_and_look, &s));
		CU_ASSERT_FATAL(s.ok);
		CU_ASSERT_EQUAL(s.watch.look.sample.states[STATE_BOUND], !from_proc && !to_one);
		CU_ASSERT_EQUAL(s.watch.look.usable, from_proc ? 28 - 1 : 28 - 2);
		CU_ASSERT_EQUAL(s.watch.rows[0].usage.usable, s.watch.look.usable);
		CU_ASSERT(tells(&s.watch, from_proc ? "27 usable" : "26 usable"));
		CU_ASSERT_EQUAL(tells(&s.watch, "counted from /proc/net/tcp"), from_proc);
		CU_ASSERT(s.watch.look.sample.dump_ns > 0);
		CU_ASSERT_EQUAL(s.watch.cost_ns + s.watch.owners_cost_ns,
				(int64_t)s.watch.look.sample.dump_ns);
		for (int k = 0; k < FIRST + SECOND; k++)
			close(s.fds[k]);
		close(listener);
		watch_close(&s.watch);
		help_close(&h);
	}
}

struct fill {
	struct watch watch;
	int fds[PORTS], count;
	bool binds;
};

/* Some to one server, and to the other until there is no port. */
static void fill_and_look(struct help *h, void *context)
{
	const struct plan *p = &h->plan;
	struct host host = *help_host();
	struct fill *f = context;
	int fd;

	host.ports = p->scenario->network.ports;
	for (f->count = 0; f->count < BIND_FIRST; f->count++) {
		fd = help_connection(p->family, f->binds ? &p->sources.list[0] : NULL,
				     p->servers.list[0], p->service_first);
		CU_ASSERT_FATAL(fd >= 0);
		f->fds[f->count] = fd;
	}
	while (f->binds &&
	       (fd = help_connection(p->family, NULL, p->servers.list[1], p->service_first)) >= 0) {
		CU_ASSERT_FATAL(f->count < PORTS);
		f->fds[f->count++] = fd;
	}
	CU_ASSERT(!f->binds || fd == -EADDRNOTAVAIL);
	CU_ASSERT(open_watch(&f->watch, h, &host, NULL) && watch_look(&f->watch, &h->err));
}

/* The kernel gives no port any more, and no destination has them all: only together they do. */
static void who_binds_first_is_told_to_be_near_the_end(void)
{
	for (int binds = 0; binds < 2; binds++) {
		struct fill f = {.binds = binds};
		struct help h;
		int listener;

		listener = open_served(&h, "network: {ports: 40000-40031, servers: 2}");
		CU_ASSERT(help_inside(&h, LAB_CLIENT, fill_and_look, &f));
		CU_ASSERT_EQUAL(usage_used(&f.watch.rows[0].usage),
				binds ? PORTS - BIND_FIRST : BIND_FIRST);
		CU_ASSERT_EQUAL(f.watch.rows[0].usage.usable, binds ? PORTS - BIND_FIRST : PORTS);
		CU_ASSERT_EQUAL(f.watch.rows[0].full_ns, binds ? 0 : -1);
		CU_ASSERT_EQUAL(f.watch.rows[0].cause,
				binds ? CAUSE_BIND_STARVATION : CAUSE_LIVE_SATURATION);
		CU_ASSERT_EQUAL(tells(&f.watch, "bind() seems to have taken 20 others"), binds);
		CU_ASSERT_EQUAL(tells(&f.watch, "set IP_BIND_ADDRESS_NO_PORT"), binds);
		CU_ASSERT_EQUAL(f.watch.look.anywhere, binds ? PORTS : BIND_FIRST);
		CU_ASSERT_EQUAL(f.watch.look.starves_binds, binds);
		CU_ASSERT_EQUAL(tells(&f.watch, "32 of 32 ports are in use towards some"), binds);
		for (int i = 0; i < f.count; i++)
			close(f.fds[i]);
		close(listener);
		watch_close(&f.watch);
		help_close(&h);
	}
}

/* ---- whose process is no more -------------------------------------------- */

enum { KNOWN = 5, UNSEEN = 3 };

/* A client of its own, that has so many connections, waits for a byte, and ends. */
struct client {
	struct help *h;
	const char *name;
	int connections, ask[2], answer[2];
	pid_t pid;
};

static int be_client(const struct client *c)
{
	char byte = 0;

	prctl(PR_SET_NAME, c->name);
	close(c->ask[1]);
	for (int i = 0; i < c->connections; i++)
		if (help_connection(c->h->plan.family, NULL, c->h->plan.servers.list[0],
				    c->h->plan.service_first) < 0)
			return 1;
	return write(c->answer[1], &byte, 1) != 1 || read(c->ask[0], &byte, 1) != 1;
}

static void start_client(struct help *h, void *context)
{
	struct client *c = context;
	char byte;

	c->h = h;
	CU_ASSERT_FATAL(pipe(c->ask) == 0 && pipe(c->answer) == 0);
	fflush(stdout);
	c->pid = fork();
	if (c->pid == 0)
		_exit(be_client(c));
	CU_ASSERT(c->pid > 0 && read(c->answer[0], &byte, 1) == 1);
}

/* It is gone, and nobody has its descriptors any more. */
static void end_client(struct client *c)
{
	int status = -1;

	CU_ASSERT(write(c->ask[1], "", 1) == 1);
	CU_ASSERT(waitpid(c->pid, &status, 0) == c->pid && status == 0);
	for (int i = 0; i < 2; i++) {
		close(c->ask[i]);
		close(c->answer[i]);
	}
}

struct glance {
	struct watch watch;
	struct help *h;
};

/* In a thread that has entered the client's namespace and kept its rights: it may look into other
 * processes. */
static void *look_thread(void *context)
{
	struct glance *l = context;

	CU_ASSERT(setns(l->h->lab.client_ns, CLONE_NEWNET) == 0);
	CU_ASSERT(watch_look(&l->watch, &l->h->err));
	return NULL;
}

static void look(struct glance *l)
{
	pthread_t thread;

	CU_ASSERT_FATAL(pthread_create(&thread, NULL, look_thread, l) == 0);
	pthread_join(thread, NULL);
	CU_ASSERT_FATAL(l->watch.look.count == 1);
}

static void await_time_wait(struct glance *l, uint32_t n)
{
	for (int i = 0; i < 5000; i++) {
		look(l);
		if (l->watch.rows[0].usage.states[STATE_TIME_WAIT] == n)
			return;
		clock_sleep(1000000);
	}
	CU_FAIL("not all came into TIME_WAIT");
}

/* Of whom it was seen to be it still is, though the process has ended; of the other nobody knows. */
static void time_wait_is_of_who_was_seen_to_have_the_connection(void)
{
	struct client known = {.name = "known", .connections = KNOWN},
		      unseen = {.name = "unseen", .connections = UNSEEN};
	char text[256], wanted[256];
	struct out to = out_memory(text, sizeof(text) - 1);
	struct host host = *help_host();
	const struct holder *holder;
	int listener = -1;
	struct help h;
	struct glance l = {.h = &h};

	if (!help_open(&h, "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}"))
		CU_FAIL_FATAL("no lab");
	host.ports = h.plan.scenario->network.ports;
	CU_ASSERT(open_watch(&l.watch, &h, &host, NULL));
	holder = &l.watch.rows[0].usage.holders[0];
	CU_ASSERT(help_inside(&h, LAB_SERVER, listen_there, &listener));
	CU_ASSERT(help_inside(&h, LAB_CLIENT, start_client, &known));
	look(&l);
	CU_ASSERT(holder->pid == known.pid && holder->sockets == KNOWN);
	CU_ASSERT(holder->fd_highest - holder->fd_lowest >= KNOWN - 1);
	end_client(&known);
	CU_ASSERT(help_inside(&h, LAB_CLIENT, start_client, &unseen));
	end_client(&unseen);
	for (int i = 0; i < KNOWN + UNSEEN; i++)
		close(accept(listener, NULL, NULL));
	await_time_wait(&l, KNOWN + UNSEEN);
	usage_holders(&to, &l.watch.rows[0].usage);
	text[to.len] = '\0';
	snprintf(wanted, sizeof(wanted), "%d of known (pid %d), %d whose process is not known",
		 KNOWN, (int)known.pid, UNSEEN);
	CU_ASSERT_STRING_EQUAL(text, wanted);
	close(listener);
	watch_close(&l.watch);
	help_close(&h);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, destinations_are_shown_the_fullest_first),
	TEST_UNLESS(help_no_network, one_destination_is_shown_alone),
	TEST_UNLESS(help_no_network, what_is_listened_on_or_bound_is_not_usable),
	TEST_UNLESS(help_no_network, who_binds_first_is_told_to_be_near_the_end),
	TEST_UNLESS(help_no_network, time_wait_is_of_who_was_seen_to_have_the_connection),
	TESTS_END,
};

const struct suite suite_watch = {"watch", tests};
