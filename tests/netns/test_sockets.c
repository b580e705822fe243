/* What a scenario asks of a socket is what the kernel says of it: options read back from live
 * sockets of the driver with getsockopt(). */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drive/drive.h"
#include "drive/work.h"
#include "drive_help.h"
#include "sys/plain.h"

/* One of the load's sockets, alive still when it is looked at. */
struct look {
	struct help h;
	struct tape tape;
	struct pulse pulse;
	volatile sig_atomic_t interrupted;
	int fd;
	bool ok;
};

/* Of the k-th connection, where one comes after the other and all are leaked: each keeps the slot that
 * it had. -1: it cannot be had. */
static int lend(const struct worker *w, uint32_t k)
{
	return ring_lend(w->rings[k / w->plan->ring_slots], k % w->plan->ring_slots);
}

static void take_first(void *context, struct worker *w)
{
	((struct look *)context)->fd = lend(w, 0);
}

static void look_open(struct look *l, const char *lines)
{
	memset(l, 0, sizeof(*l));
	l->fd = -1;
	if (!help_open(&l->h, lines)) {
		printf("%s: %s\n", lines, l->h.err.what);
		CU_FAIL_FATAL("no lab");
	}
}

static void look_drive(struct look *l)
{
	struct drive_hooks hooks = {&l->interrupted, &l->pulse, -1, -1, 0, take_first, l};

	l->ok = drive_run(&l->tape, &l->h.plan, &l->h.lab, &hooks, &l->h.arena, &l->h.err);
	if (!l->ok)
		printf("%s\n", l->h.err.what);
	CU_ASSERT(l->ok);
	CU_ASSERT(tally_balances(&l->tape.tally));
}

static void look_close(struct look *l)
{
	if (l->fd >= 0)
		close(l->fd);
	help_close(&l->h);
}

static int number_of(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, level, name, &value, &len) == 0 ? value : -errno;
}

/* Why no socket of a ring can be looked at here; NULL: they can. */
static const char *no_look(void)
{
	return help_no_network() ? help_no_network() : help_no_lending();
}

static const char all_options[] =
	"load:\n  total: 1\n  end: leak\n  options:\n    reuseaddr: true\n    reuseport: true\n"
	"    linger: 1s\n    keepalive: {idle: 11s, interval: 3s, count: 4}\n"
	"    user_timeout: 1500ms\n    nodelay: true\n    syn_count: 2\n    device: veth0\n";

static const struct {
	int level, name, set, unset;
} numbers[] = {
	{SOL_SOCKET, SO_REUSEADDR, 1, 0},	  {SOL_SOCKET, SO_REUSEPORT, 1, 0},
	{SOL_SOCKET, SO_KEEPALIVE, 1, 0},	  {IPPROTO_TCP, TCP_KEEPIDLE, 11, 7200},
	{IPPROTO_TCP, TCP_KEEPINTVL, 3, 75},	  {IPPROTO_TCP, TCP_KEEPCNT, 4, 9},
	{IPPROTO_TCP, TCP_USER_TIMEOUT, 1500, 0}, {IPPROTO_TCP, TCP_NODELAY, 1, 0},
	{IPPROTO_TCP, TCP_SYNCNT, 2, 6},	  {IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 0, 0},
};

static void check_numbers(int fd, bool set)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		int is = number_of(fd, numbers[i].level, numbers[i].name),
		    wanted = set ? numbers[i].set : numbers[i].unset;

		if (is != wanted)
			printf("level %d, option %d: %d, not %d\n", numbers[i].level,
			       numbers[i].name, is, wanted);
		CU_ASSERT_EQUAL(is, wanted);
	}
}

static void check_others(int fd, const struct linger *linger_wanted, const char *device_wanted)
{
	struct linger linger = {0};
	char device[16] = {0};
	socklen_t len = sizeof(linger), device_len = sizeof(device);

	CU_ASSERT_EQUAL(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &len), 0);
	CU_ASSERT_EQUAL(linger.l_onoff, linger_wanted->l_onoff);
	CU_ASSERT_EQUAL(linger.l_linger, linger_wanted->l_linger);
	CU_ASSERT_EQUAL(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, &device_len), 0);
	CU_ASSERT_STRING_EQUAL(device, device_wanted);
}

static void each_option_is_what_getsockopt_says(void)
{
	for (int classic = 0; classic < 2; classic++) {
		struct look l;

		look_open(&l, all_options);
		l.h.plan.loads[0].classic_sockets = classic;
		look_drive(&l);
		CU_ASSERT_FATAL(l.fd >= 0);
		check_numbers(l.fd, true);
		check_others(l.fd, &(struct linger){1, 1}, "veth0");
		look_close(&l);
	}
}

static void a_socket_without_options_is_as_the_kernel_makes_it(void)
{
	struct look l;

	look_open(&l, "load: {total: 1, end: leak}");
	look_drive(&l);
	CU_ASSERT_FATAL(l.fd >= 0);
	check_numbers(l.fd, false);
	check_others(l.fd, &(struct linger){0, 0}, "");
	CU_ASSERT_EQUAL(number_of(l.fd, SOL_SOCKET, SO_MARK), 0);
	look_close(&l);
}

/* The load's thread has no capability: the right is the ring's, for this option alone. */
static void a_mark_is_set_by_a_load_without_rights(void)
{
	struct look l;

	look_open(&l, "load: {total: 1, end: leak, options: {mark: 4242, nodelay: true}}");
	look_drive(&l);
	CU_ASSERT_FATAL(l.fd >= 0);
	CU_ASSERT_EQUAL(number_of(l.fd, SOL_SOCKET, SO_MARK), 4242);
	CU_ASSERT_EQUAL(number_of(l.fd, IPPROTO_TCP, TCP_NODELAY), 1);
	look_close(&l);
}

/* Of UDP too, whose sockets are made by system calls. */
static void an_option_of_udp_is_what_getsockopt_says(void)
{
	static const struct {
		int name, set;
	} rows[] = {{SO_REUSEADDR, 1}, {SO_REUSEPORT, 1}, {SO_MARK, 4242}, {SO_PROTOCOL, 17}};
	char device[16] = {0};
	socklen_t len = sizeof(device);
	struct look l;

	look_open(&l, "load: {protocol: udp, total: 1, end: leak, options: {reuseaddr: true, "
		      "reuseport: true, mark: 4242, device: veth0}}");
	look_drive(&l);
	CU_ASSERT_FATAL(l.fd >= 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CU_ASSERT_EQUAL(number_of(l.fd, SOL_SOCKET, rows[i].name), rows[i].set);
	CU_ASSERT_EQUAL(getsockopt(l.fd, SOL_SOCKET, SO_BINDTODEVICE, device, &len), 0);
	CU_ASSERT_STRING_EQUAL(device, "veth0");
	look_close(&l);
	look_open(&l, "load: {protocol: udp, total: 1, end: leak}");
	look_drive(&l);
	CU_ASSERT_FATAL(l.fd >= 0);
	for (size_t i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(number_of(l.fd, SOL_SOCKET, rows[i].name), 0);
	look_close(&l);
}

static void a_socket_of_ipv6_alone_says_so(void)
{
	for (int on = 0; on < 2; on++) {
		char lines[120];
		struct look l;

		snprintf(lines, sizeof(lines),
			 "network: {family: ipv6}\nload: {total: 1, end: leak, options: {v6only: "
			 "%s}}",
			 on ? "true" : "false");
		look_open(&l, lines);
		look_drive(&l);
		CU_ASSERT_FATAL(l.fd >= 0);
		CU_ASSERT_EQUAL(number_of(l.fd, IPPROTO_IPV6, IPV6_V6ONLY), on);
		CU_ASSERT_EQUAL(l.tape.tally.opened, 1);
		look_close(&l);
	}
}

static const char *no_mark(void)
{
	return no_look()		? no_look()
	       : help_host()->ring_bind ? "io_uring cannot bind, so that sockets are classic"
					: NULL;
}

static void linger_of_zero_makes_every_close_a_reset(void)
{
	struct look l;

	look_open(&l, "network: {ports: 40000-40031}\n"
		      "load: {total: 320, concurrency: 4, options: {linger: 0s}}");
	look_drive(&l);
	CU_ASSERT(!l.tape.exhausted);
	CU_ASSERT_EQUAL(l.tape.tally.reset, 320);
	CU_ASSERT_EQUAL(l.tape.tally.closed, 0);
	CU_ASSERT_EQUAL(last_dump(&l.tape)->states[STATE_TIME_WAIT], 0);
	look_close(&l);
}

/* The kernel refuses an interface that is not there, and what is sent by lo never arrives. */
static void a_device_is_the_kernels_to_refuse(void)
{
	static const struct {
		const char *device;
		enum stage stage;
		int error;
	} rows[] = {
		{"nowhere0", STAGE_OPTION, ENODEV},
		{"lo", STAGE_CONNECT, ETIMEDOUT},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[100];
		struct look l;

		snprintf(lines, sizeof(lines),
			 "load: {total: 1, timeout: 50ms, options: {device: %s}}", rows[i].device);
		look_open(&l, lines);
		look_drive(&l);
		CU_ASSERT_EQUAL(l.tape.tally.errors[rows[i].stage][rows[i].error], 1);
		CU_ASSERT(!l.tape.exhausted);
		look_close(&l);
	}
}

static const char *no_window(void)
{
	return help_no_network()	  ? help_no_network()
	       : help_host()->port_window ? "no IP_LOCAL_PORT_RANGE (Linux 6.3)"
					  : NULL;
}

static const char *no_window_look(void)
{
	return no_window() ? no_window() : no_look();
}

/* ---- load.bind ------------------------------------------------------------ */

/* What the kernel's own table says of the client's connections, at the end of the load. */
struct seen {
	struct dump dump;
	uint16_t lo, hi;
	unsigned sockets, ports; /* connections; different ones among their local ports */
	bool used[65536];
};

static void see(void *context, const struct socket_seen *s)
{
	struct seen *seen = context;

	if (s->state != STATE_ESTABLISHED)
		return;
	seen->sockets++;
	seen->ports += !seen->used[s->local_port];
	seen->used[s->local_port] = true;
	seen->lo = seen->lo && seen->lo < s->local_port ? seen->lo : s->local_port;
	seen->hi = seen->hi > s->local_port ? seen->hi : s->local_port;
}

static void see_all(void *context, struct worker *w)
{
	static const struct socket_filter all = {.ports = {1024, 65535}, .domain = AF_INET};
	struct seen *seen = context;
	struct err err = {0};
	bool torn;

	(void)w;
	CU_ASSERT_FATAL(dump_open(&seen->dump, &err));
	CU_ASSERT(dump_run(&seen->dump, &all, see, seen, &torn, &err));
	dump_close(&seen->dump);
}

static void drive_seen(struct look *l, struct seen *seen, const char *lines, bool classic)
{
	struct drive_hooks hooks = {&l->interrupted, &l->pulse, -1, -1, 0, see_all, seen};

	memset(seen, 0, sizeof(*seen));
	look_open(l, lines);
	l->h.plan.loads[0].classic_sockets = classic;
	l->ok = drive_run(&l->tape, &l->h.plan, &l->h.lab, &hooks, &l->h.arena, &l->h.err);
	CU_ASSERT(l->ok);
	CU_ASSERT(tally_balances(&l->tape.tally));
}

static bool has_event(const struct tape *t, enum event_kind kind)
{
	for (size_t i = 0; i < t->event_count; i++)
		if (t->events[i].kind == kind)
			return true;
	return false;
}

/* Facts of the kernel, one a row: how many connections there can be, and who says that there can
 * be no more. */
static void who_takes_the_port_decides_for_what_it_is_taken(void)
{
	static const struct {
		const char *load; /* network: ports 40000-40031, and what is said */
		unsigned opened, ports;
		uint16_t lo, hi; /* within which the ports lie */
		enum stage stage;
		int error;
		bool exhausted;
	} rows[] = {
		/* connect() takes it for a destination, bind() for all of them. */
		{"services: 2}\nload: {bind: none", 64, 32, 40000, 40031, STAGE_CONNECT,
		 EADDRNOTAVAIL, true},
		{"services: 2}\nload: {bind: address-no-port", 64, 32, 40000, 40031, STAGE_CONNECT,
		 EADDRNOTAVAIL, true},
		{"services: 2}\nload: {bind: address", 32, 32, 40000, 40031, STAGE_BIND, EADDRINUSE,
		 true},
		{"services: 2, sources: 2}\nload: {bind: address", 64, 32, 40000, 40031, STAGE_BIND,
		 EADDRINUSE, true},
		{"sources: 4}\nload: {bind: address", 128, 32, 40000, 40031, STAGE_BIND, EADDRINUSE,
		 true},
		/* To all addresses: nobody may have the port on any. */
		{"services: 2}\nload: {bind: any", 32, 32, 40000, 40031, STAGE_BIND, EADDRINUSE,
		 true},
		{"services: 2}\nload: {bind: any, options: {reuseaddr: true}", 32, 32, 40000, 40031,
		 STAGE_BIND, EADDRINUSE, true},
		/* Neither option is the cure. */
		{"services: 2}\nload: {bind: address, options: {reuseaddr: true}", 32, 32, 40000,
		 40031, STAGE_BIND, EADDRINUSE, true},
		{"services: 2}\nload: {bind: address, options: {reuseport: true}", 32, 32, 40000,
		 40031, STAGE_BIND, EADDRINUSE, true},
		/* A port, or an allocator of the program's own; within the range or not. */
		{"services: 2}\nload: {bind: port 45000", 1, 1, 45000, 45000, STAGE_BIND,
		 EADDRINUSE, true},
		{"sources: 3}\nload: {bind: port 40007", 3, 1, 40007, 40007, STAGE_BIND, EADDRINUSE,
		 true},
		{"services: 2}\nload: {bind: ports 45000-45009", 10, 10, 45000, 45009, STAGE_BIND,
		 EADDRINUSE, true},
		{"sources: 2}\nload: {bind: ports 45000-45009", 20, 10, 45000, 45009, STAGE_BIND,
		 EADDRINUSE, true},
		/* With SO_REUSEADDR the very connection is refused, not the port. */
		{"services: 2}\nload: {bind: port 45000, options: {reuseaddr: true}", 2, 1, 45000,
		 45000, STAGE_CONNECT, EADDRNOTAVAIL, false},
		{"services: 1}\nload: {bind: ports 45000-45009, options: {reuseaddr: true}", 10, 10,
		 45000, 45009, STAGE_CONNECT, EADDRNOTAVAIL, false},
		/* All that there can be, however many pairs take turns: each walks by itself. */
		{"services: 2}\nload: {bind: ports 45000-45003, options: {reuseaddr: true}", 8, 4,
		 45000, 45003, STAGE_CONNECT, EADDRNOTAVAIL, false},
		{"sources: 2, servers: 3}\nload: {bind: ports 45000-45003, options: {reuseaddr: "
		 "true}",
		 24, 4, 45000, 45003, STAGE_CONNECT, EADDRNOTAVAIL, false},
		{"sources: 2, servers: 2, services: 2}\nload: {bind: ports 45000-45005, options: "
		 "{reuseport: true}",
		 48, 6, 45000, 45005, STAGE_CONNECT, EADDRNOTAVAIL, false},
		/* IP_LOCAL_PORT_RANGE narrows what connect() chooses of. */
		{"services: 1}\nload: {bind: local-port-range 40004-40013", 10, 10, 40004, 40013,
		 STAGE_CONNECT, EADDRNOTAVAIL, true},
		{"services: 2}\nload: {bind: local-port-range 40005-40007", 6, 3, 40005, 40007,
		 STAGE_CONNECT, EADDRNOTAVAIL, true},
	};
	struct seen *seen = malloc(sizeof(*seen));

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		size_t k = i / 2;
		char lines[200];
		struct look l;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031, %s, end: leak, total: 200}", rows[k].load);
		drive_seen(&l, seen, lines, i % 2);
		if (l.tape.tally.opened != rows[k].opened)
			printf("%s: %llu\n", lines, (unsigned long long)l.tape.tally.opened);
		CU_ASSERT_EQUAL(l.tape.tally.opened, rows[k].opened);
		CU_ASSERT_EQUAL(l.tape.exhausted, rows[k].exhausted);
		CU_ASSERT(!l.tape.exhausted || l.tape.opened_before == rows[k].opened);
		CU_ASSERT(l.tape.tally.errors[rows[k].stage][rows[k].error] >= 1);
		CU_ASSERT_EQUAL(l.tape.tally.errors[rows[k].stage][rows[k].error],
				l.tape.tally.failed);
		CU_ASSERT_EQUAL(has_event(&l.tape, EVENT_TUPLE_TAKEN), !rows[k].exhausted);
		CU_ASSERT_EQUAL(seen->sockets, rows[k].opened);
		CU_ASSERT_EQUAL(seen->ports, rows[k].ports);
		CU_ASSERT(seen->lo >= rows[k].lo && seen->hi <= rows[k].hi);
		look_close(&l);
	}
	free(seen);
}

/* ip_autobind_reuse lets bind() hand out a port that is in use, by chance; then that connection may
 * exist. */
static void what_bind_hands_out_twice_is_refused_by_connect(void)
{
	struct look l;

	look_open(&l, "network: {ports: 40000-40031, services: 2, sysctl: "
		      "{net.ipv4.ip_autobind_reuse: 1}}\n"
		      "load: {bind: address, end: leak, total: 200, options: {reuseaddr: true}}");
	look_drive(&l);
	CU_ASSERT(!l.tape.exhausted);
	CU_ASSERT_EQUAL(l.tape.tally.errors[STAGE_BIND][EADDRINUSE], 0);
	CU_ASSERT(l.tape.tally.errors[STAGE_CONNECT][EADDRNOTAVAIL] >= 1);
	CU_ASSERT(l.tape.tally.opened < 64);
	CU_ASSERT(has_event(&l.tape, EVENT_TUPLE_TAKEN));
	look_close(&l);
}

/* ---- load.order ----------------------------------------------------------- */

enum { WINDOWED = 64, WINDOW = 40000 | (40000 + WINDOWED - 1) << 16 };

/* IP_LOCAL_PORT_RANGE of each connection's socket, in the order in which they were opened. */
static void see_windows(void *context, struct worker *w)
{
	int *windows = context;

	for (uint32_t k = 0; k < WINDOWED; k++) {
		int fd = lend(w, k);

		windows[k] = number_of(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE);
		close(fd);
	}
}

static void drive_windows(const char *order, bool classic, int *windows)
{
	char lines[160];
	struct look l;
	struct drive_hooks hooks = {&l.interrupted, &l.pulse, -1, -1, 0, see_windows, windows};

	snprintf(lines, sizeof(lines),
		 "network: {ports: 40000-40063}\n"
		 "load: {order: %s, concurrency: 1, total: %d, end: leak}",
		 order, WINDOWED);
	look_open(&l, lines);
	l.h.plan.loads[0].classic_sockets = classic;
	CU_ASSERT(drive_run(&l.tape, &l.h.plan, &l.h.lab, &hooks, &l.h.arena, &l.h.err));
	CU_ASSERT_EQUAL(l.tape.tally.opened, WINDOWED);
	look_close(&l);
}

/* Of 64 ports 28 are nearly half: one connection after the other, each from there on has it. */
static void a_range_is_set_from_nearly_half_the_ports_on(void)
{
	static const struct {
		const char *order;
		int first; /* that has it */
	} rows[] = {{"kernel", WINDOWED}, {"fast", 28}};

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		int windows[WINDOWED];

		memset(windows, 0xff, sizeof(windows)); /* -1: no socket */
		drive_windows(rows[i / 2].order, i % 2, windows);
		for (int k = 0; k < WINDOWED; k++)
			CU_ASSERT_EQUAL(windows[k], k < rows[i / 2].first ? 0 : WINDOW);
	}
}

static const struct test tests[] = {
	TEST_UNLESS(no_look, each_option_is_what_getsockopt_says),
	TEST_UNLESS(no_look, a_socket_without_options_is_as_the_kernel_makes_it),
	TEST_UNLESS(no_look, an_option_of_udp_is_what_getsockopt_says),
	TEST_UNLESS(no_look, a_socket_of_ipv6_alone_says_so),
	TEST_UNLESS(no_mark, a_mark_is_set_by_a_load_without_rights),
	TEST_UNLESS(help_no_network, linger_of_zero_makes_every_close_a_reset),
	TEST_UNLESS(help_no_network, a_device_is_the_kernels_to_refuse),
	TEST_UNLESS(no_window, who_takes_the_port_decides_for_what_it_is_taken),
	TEST_UNLESS(help_no_network, what_bind_hands_out_twice_is_refused_by_connect),
	TEST_UNLESS(no_window_look, a_range_is_set_from_nearly_half_the_ports_on),
	TESTS_END,
};

const struct suite suite_sockets = {"sockets", tests};
