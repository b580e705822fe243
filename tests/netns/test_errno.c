/* The errno map: which call says what, and what it means. By plain system calls, in a lab of 32
 * ports: whatever lastport makes of an errno stands on these. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "calls.h"
#include "sys/endpoint.h"

static void begin(struct calls *t)
{
	struct endpoint any = endpoint_any(FAMILY_IPV6, SERVICE); /* of both families */

	*t = (struct calls){.listener = -1};
	t->listener = calls_socket(t, AF_INET6, SOCK_STREAM);
	if (t->listener < 0) { /* there is no IPv6 */
		any = endpoint_any(FAMILY_IPV4, SERVICE);
		t->listener = calls_socket(t, AF_INET, SOCK_STREAM);
	}
	calls_set(t->listener, SOL_SOCKET, SO_REUSEADDR);
	CU_ASSERT_FATAL(bind(t->listener, &any.any, any.len) == 0);
	CU_ASSERT_FATAL(listen(t->listener, 4 * PORTS) == 0);
}

/* ---- what there is before the call in question --------------------------- */

static void live(struct calls *t)
{
	for (int i = 0; i < PORTS; i++)
		CU_ASSERT(calls_tcp(t, NULL, 0, "127.0.0.1") >= 0);
}

/* The client closes first; on loopback both FINs are there when the second close returns. */
static void wait_after_close(struct calls *t, int fd)
{
	char c;
	int other = accept(t->listener, NULL, NULL);

	CU_ASSERT(other >= 0 && shutdown(fd, SHUT_WR) == 0);
	CU_ASSERT_EQUAL(read(other, &c, 1), 0);
	close(other);
	CU_ASSERT_EQUAL(read(fd, &c, 1), 0);
	t->count--;
	close(fd);
}

static void waiting(struct calls *t)
{
	for (int i = 0; i < PORTS; i++)
		wait_after_close(t, calls_tcp(t, NULL, 0, "127.0.0.1"));
}

static void udp_live(struct calls *t)
{
	for (int i = 0; i < PORTS; i++)
		CU_ASSERT(calls_connect(t, calls_socket(t, AF_INET, SOCK_DGRAM), "127.0.0.1",
					(uint16_t)(1024 + i)));
}

static void bound_elsewhere(struct calls *t)
{
	for (int i = 0; i < PORTS; i++)
		CU_ASSERT(calls_tcp(t, "127.0.0.2", 0, NULL) >= 0);
}

static void nothing(struct calls *t)
{
	(void)t;
}

static void fixed_live(struct calls *t)
{
	calls_fixed(t, false);
}

static void fixed_live_reuse(struct calls *t)
{
	calls_fixed(t, true);
}

static void fixed_waiting(struct calls *t)
{
	wait_after_close(t, calls_fixed(t, false));
}

static void fixed_waiting_reuse(struct calls *t)
{
	wait_after_close(t, calls_fixed(t, true));
}

/* ---- the map ------------------------------------------------------------- */

#define LOOP "network: {topology: loopback, ports: 40000-40031"
#define NO_REUSE LOOP ", sysctl: {net.ipv4.tcp_tw_reuse: 0}}"

static const struct row {
	const char *what, *network;
	void (*before)(struct calls *t);
	void (*call)(struct calls *t);
	const char *fails; /* the call that does; NULL: none */
	int error;
} rows[] = {
	{"used up for this destination", NO_REUSE, live, call_tcp_connect, "connect",
	 EADDRNOTAVAIL},
	{"in TIME_WAIT, too", NO_REUSE, waiting, call_tcp_connect, "connect", EADDRNOTAVAIL},
	{"another destination", NO_REUSE, live, call_tcp_connect_elsewhere, NULL, 0},
	{"bind-held ports are nobody's", NO_REUSE, bound_elsewhere, call_tcp_connect, "connect",
	 EADDRNOTAVAIL},
	{"this very connection", NO_REUSE, fixed_live_reuse, call_tcp_fixed_reuse, "connect",
	 EADDRNOTAVAIL},
	{"a port that is bound", NO_REUSE, fixed_live, call_tcp_fixed, "bind", EADDRINUSE},
	{"again during TIME_WAIT", NO_REUSE, fixed_waiting_reuse, call_tcp_fixed_reuse, NULL, 0},
	{"the same without SO_REUSEADDR", NO_REUSE, fixed_waiting, call_tcp_fixed, "bind",
	 EADDRINUSE},
	{"the same without timestamps",
	 LOOP ", sysctl: {net.ipv4.tcp_tw_reuse: 0, net.ipv4.tcp_timestamps: 0}}",
	 fixed_waiting_reuse, call_tcp_fixed_reuse, "connect", EADDRNOTAVAIL},
	{"on that address, in total", NO_REUSE, live, call_tcp_bind, "bind", EADDRINUSE},
	{"on all addresses", NO_REUSE, live, call_tcp_bind_any, "bind", EADDRINUSE},
	{"on another address", NO_REUSE, live, call_tcp_bind_other, NULL, 0},
	{"a listener without a port", NO_REUSE, live, call_tcp_listen, "listen", EADDRINUSE},
	{"TIME_WAIT and bind", NO_REUSE, waiting, call_tcp_bind, "bind", EADDRINUSE},
	{"TIME_WAIT and listen", NO_REUSE, waiting, call_tcp_listen, "listen", EADDRINUSE},
	{"TIME_WAIT and both families", NO_REUSE, waiting, call_tcp_bind_both, "bind", EADDRINUSE},
	{"TIME_WAIT and IPv6 alone", NO_REUSE, waiting, call_tcp_bind_ipv6_only, NULL, 0},
	{"a service's port is a client's", NO_REUSE, live, call_service_any, "bind", EADDRINUSE},
	{"on its address", NO_REUSE, live, call_service_own, "bind", EADDRINUSE},
	{"on another", NO_REUSE, live, call_service_other, NULL, 0},
	{"a foreign TIME_WAIT", NO_REUSE, fixed_waiting, call_service_any, "bind", EADDRINUSE},
	{"one with SO_REUSEADDR", NO_REUSE, fixed_waiting_reuse, call_service_any, NULL, 0},
	{"UDP, whatever the destination", NO_REUSE, udp_live, call_udp_connect, "connect", EAGAIN},
	{"UDP, unbound", NO_REUSE, udp_live, call_udp_send, "sendto", EAGAIN},
	{"UDP bind", NO_REUSE, udp_live, call_udp_bind, "bind", EADDRINUSE},
	{"UDP beside a full TCP", NO_REUSE, live, call_udp_connect, NULL, 0},
	{"TCP beside a full UDP", NO_REUSE, udp_live, call_tcp_connect, NULL, 0},
	{"no IPv6, connect", NO_REUSE, nothing, call_ipv6_connect, "connect", EADDRNOTAVAIL},
	{"no IPv6, bind", NO_REUSE, nothing, call_ipv6_bind, "bind", EADDRNOTAVAIL},
	{"not this host's", NO_REUSE, nothing, call_foreign_bind, "bind", EADDRNOTAVAIL},
	{"no scope, connect", LOOP ", family: ipv6}", nothing, call_link_local_connect, "connect",
	 EINVAL},
	{"no scope, bind", LOOP ", family: ipv6}", nothing, call_link_local_bind, "bind", EINVAL},
	{"another's scope", LOOP ", family: ipv6}", nothing, call_scoped_bind, "bind",
	 EADDRNOTAVAIL},
	{"nobody listens", NO_REUSE, nothing, call_refused, "connect", ECONNREFUSED},
	{"2,000 times", NO_REUSE, nothing, call_refused_often, "connect", ECONNREFUSED},
	{"port 0", NO_REUSE, nothing, call_port_0, "connect", ECONNREFUSED},
	{"address 0 is this host", NO_REUSE, nothing, call_address_0, NULL, 0},
	{"no route", NO_REUSE, nothing, call_no_route, "connect", ENETUNREACH},
	{"broadcast", NO_REUSE, nothing, call_broadcast, "connect", ENETUNREACH},
	{"from loopback to elsewhere", NO_REUSE, nothing, call_from_loopback, "connect",
	 ENETUNREACH},
};

static void try_row(struct help *h, void *context)
{
	const struct row *row = context;
	struct calls t;
	bool same;

	(void)h;
	begin(&t);
	row->before(&t);
	CU_ASSERT(!t.call);
	t.call = NULL;
	row->call(&t);
	same = row->fails ? t.call && strcmp(t.call, row->fails) == 0 : !t.call;
	CU_ASSERT(same);
	CU_ASSERT_EQUAL(t.error, row->error);
	if (!same || t.error != row->error)
		printf("%s: %s %s\n", row->what, t.call ? t.call : "nothing",
		       t.error ? errno_name(t.error) : "");
	calls_end(&t);
}

static void each_call_says_what_the_map_says(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct help h;
		struct row row = rows[i];

		if (!help_open(&h, row.network))
			CU_FAIL_FATAL("no lab");
		CU_ASSERT(help_inside(&h, LAB_CLIENT, try_row, &row));
		help_close(&h);
	}
}

/* In a child, whose limit is its own. ENFILE has no test: fs.file-max is the whole machine's, which
 * no namespace has of its own, and whoever has CAP_SYS_ADMIN passes it. */
static int socket_without_descriptors(void)
{
	const struct rlimit few = {8, 8};

	if (setrlimit(RLIMIT_NOFILE, &few) < 0)
		return 100;
	while (socket(AF_INET, SOCK_STREAM, 0) >= 0)
		;
	return errno;
}

static void a_socket_too_many_is_emfile(void)
{
	CU_ASSERT_EQUAL(help_child(socket_without_descriptors), EMFILE);
}

/* No counter of the kernel's moves when a connect or a bind is refused for want of a port: who
 * does not count it himself has lost it. */
static void count_nothing(struct help *h, void *context)
{
	char before[2][16384], after[2][16384];
	static const char *const files[] = {"/proc/thread-self/net/snmp",
					    "/proc/thread-self/net/netstat"};
	struct calls t;

	(void)h, (void)context;
	begin(&t);
	live(&t);
	for (int k = 0; k < 2; k++) {
		struct text text = help_file(files[k], before[k], sizeof(before[k]) - 1);

		before[k][text.len] = '\0';
	}
	for (int i = 0; i < 1000; i++) {
		int count = t.count;

		call_tcp_connect(&t);
		call_tcp_bind(&t);
		while (t.count > count)
			close(t.fds[--t.count]);
	}
	for (int k = 0; k < 2; k++) {
		struct text text = help_file(files[k], after[k], sizeof(after[k]) - 1);

		after[k][text.len] = '\0';
		CU_ASSERT_STRING_EQUAL(before[k], after[k]);
	}
	calls_end(&t);
}

static void no_counter_moves_when_ports_run_out(void)
{
	struct help h;

	if (!help_open(&h, NO_REUSE))
		CU_FAIL_FATAL("no lab");
	CU_ASSERT(help_inside(&h, LAB_CLIENT, count_nothing, NULL));
	help_close(&h);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, each_call_says_what_the_map_says),
	TEST(a_socket_too_many_is_emfile),
	TEST_UNLESS(help_no_network, no_counter_moves_when_ports_run_out),
	TESTS_END,
};

const struct suite suite_errno = {"errno", tests};
