/* The errno map: which call says what, and what it means. By plain system calls, in a lab of 32
 * ports: whatever lastport makes of an errno stands on these. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lab_help.h"
#include "sys/endpoint.h"

enum { PORTS = 32, FDS_MOST = 4 * PORTS, SERVICE = 7000, FIXED = 40010 };

/* What one try has open, and the first call that failed in it. */
struct trial {
	int fds[FDS_MOST];
	int count;
	int listener;
	const char *call;
	int error;
};

static int opened(struct trial *t, int fd)
{
	if (fd >= 0 && t->count < FDS_MOST)
		t->fds[t->count++] = fd;
	return fd;
}

static int socket_of(struct trial *t, int domain, int type)
{
	return opened(t, socket(domain, type | SOCK_CLOEXEC, 0));
}

/* Keeps what the first failing call says; true: it did not fail. */
static bool went(struct trial *t, const char *call, int result)
{
	if (result < 0 && !t->call) {
		t->call = call;
		t->error = errno;
	}
	return result >= 0;
}

static struct endpoint at_address(const char *address, uint16_t port)
{
	struct address a;

	CU_ASSERT_FATAL(address_read(text_of(address), &a));
	return endpoint_make(address_is_ipv4(a) ? FAMILY_IPV4 : FAMILY_IPV6, a, port);
}

static bool binds(struct trial *t, int fd, const char *address, uint16_t port)
{
	struct endpoint e = at_address(address, port);

	return went(t, "bind", bind(fd, &e.any, e.len));
}

static bool connects(struct trial *t, int fd, const char *address, uint16_t port)
{
	struct endpoint e = at_address(address, port);

	return went(t, "connect", connect(fd, &e.any, e.len));
}

static void set_on(int fd, int level, int name)
{
	const int on = 1;

	CU_ASSERT_EQUAL(setsockopt(fd, level, name, &on, sizeof(on)), 0);
}

/* A socket of the kind that is bound to the address and connected; NULL: not so. */
static int tcp(struct trial *t, const char *from, uint16_t port, const char *to)
{
	int fd = socket_of(t, strchr(to ? to : from, ':') ? AF_INET6 : AF_INET, SOCK_STREAM);

	if (from && !binds(t, fd, from, port))
		return -1;
	return !to || connects(t, fd, to, SERVICE) ? fd : -1;
}

static void begin(struct trial *t)
{
	struct endpoint any = endpoint_any(FAMILY_IPV6, SERVICE); /* of both families */

	*t = (struct trial){.listener = -1};
	t->listener = socket_of(t, AF_INET6, SOCK_STREAM);
	if (t->listener < 0) { /* there is no IPv6 */
		any = endpoint_any(FAMILY_IPV4, SERVICE);
		t->listener = socket_of(t, AF_INET, SOCK_STREAM);
	}
	set_on(t->listener, SOL_SOCKET, SO_REUSEADDR);
	CU_ASSERT_FATAL(bind(t->listener, &any.any, any.len) == 0);
	CU_ASSERT_FATAL(listen(t->listener, 4 * PORTS) == 0);
}

static void end(struct trial *t)
{
	while (t->count)
		close(t->fds[--t->count]);
}

/* ---- what there is before the call in question --------------------------- */

static void live(struct trial *t)
{
	for (int i = 0; i < PORTS; i++)
		CU_ASSERT(tcp(t, NULL, 0, "127.0.0.1") >= 0);
}

/* The client closes first; on loopback both FINs are there when the second close returns. */
static void wait_after_close(struct trial *t, int fd)
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

static void waiting(struct trial *t)
{
	for (int i = 0; i < PORTS; i++)
		wait_after_close(t, tcp(t, NULL, 0, "127.0.0.1"));
}

static void udp_live(struct trial *t)
{
	for (int i = 0; i < PORTS; i++)
		CU_ASSERT(connects(t, socket_of(t, AF_INET, SOCK_DGRAM), "127.0.0.1",
				   (uint16_t)(1024 + i)));
}

static void bound_elsewhere(struct trial *t)
{
	for (int i = 0; i < PORTS; i++)
		CU_ASSERT(tcp(t, "127.0.0.2", 0, NULL) >= 0);
}

static void nothing(struct trial *t)
{
	(void)t;
}

/* A connection from a port of its own. */
static int from_fixed(struct trial *t, bool reuse)
{
	int fd = socket_of(t, AF_INET, SOCK_STREAM);

	if (reuse)
		set_on(fd, SOL_SOCKET, SO_REUSEADDR);
	return binds(t, fd, "127.0.0.1", FIXED) && connects(t, fd, "127.0.0.1", SERVICE) ? fd : -1;
}

static void fixed_live(struct trial *t)
{
	from_fixed(t, false);
}

static void fixed_live_reuse(struct trial *t)
{
	from_fixed(t, true);
}

static void fixed_waiting(struct trial *t)
{
	wait_after_close(t, from_fixed(t, false));
}

static void fixed_waiting_reuse(struct trial *t)
{
	wait_after_close(t, from_fixed(t, true));
}

/* ---- the call in question ------------------------------------------------ */

static void tcp_connect(struct trial *t)
{
	tcp(t, NULL, 0, "127.0.0.1");
}

static void tcp_connect_elsewhere(struct trial *t)
{
	tcp(t, NULL, 0, "127.0.0.3");
}

static void tcp_bind(struct trial *t)
{
	tcp(t, "127.0.0.1", 0, NULL);
}

static void tcp_bind_any(struct trial *t)
{
	tcp(t, "0.0.0.0", 0, NULL);
}

static void tcp_bind_both(struct trial *t)
{
	tcp(t, "::", 0, NULL);
}

static void tcp_bind_ipv6_only(struct trial *t)
{
	int fd = socket_of(t, AF_INET6, SOCK_STREAM);

	set_on(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	binds(t, fd, "::", 0);
}

static void tcp_bind_other(struct trial *t)
{
	tcp(t, "127.0.0.9", 0, NULL);
}

static void tcp_listen(struct trial *t)
{
	went(t, "listen", listen(socket_of(t, AF_INET, SOCK_STREAM), 1));
}

static void tcp_fixed(struct trial *t)
{
	from_fixed(t, false);
}

static void tcp_fixed_reuse(struct trial *t)
{
	from_fixed(t, true);
}

static void service_at(struct trial *t, const char *address)
{
	int fd = socket_of(t, AF_INET, SOCK_STREAM);

	set_on(fd, SOL_SOCKET, SO_REUSEADDR);
	if (binds(t, fd, address, FIXED))
		went(t, "listen", listen(fd, 1));
}

static void service_any(struct trial *t)
{
	service_at(t, "0.0.0.0");
}

static void service_own(struct trial *t)
{
	service_at(t, "127.0.0.1");
}

static void service_other(struct trial *t)
{
	service_at(t, "127.0.0.5");
}

static void udp_connect(struct trial *t)
{
	connects(t, socket_of(t, AF_INET, SOCK_DGRAM), "127.0.0.77", 9);
}

static void udp_send(struct trial *t)
{
	struct endpoint to = at_address("127.0.0.77", 9);
	int fd = socket_of(t, AF_INET, SOCK_DGRAM);

	went(t, "sendto", (int)sendto(fd, "x", 1, 0, &to.any, to.len));
}

static void udp_bind(struct trial *t)
{
	binds(t, socket_of(t, AF_INET, SOCK_DGRAM), "0.0.0.0", 0);
}

static void ipv6_connect(struct trial *t)
{
	tcp(t, NULL, 0, "::1");
}

static void ipv6_bind(struct trial *t)
{
	tcp(t, "::1", 0, NULL);
}

static void link_local_connect(struct trial *t)
{
	tcp(t, NULL, 0, "fe80::1");
}

static void link_local_bind(struct trial *t)
{
	tcp(t, "fe80::1", 0, NULL);
}

/* With a scope, that of lo, which has another address. */
static void scoped_bind(struct trial *t)
{
	struct endpoint e = at_address("fe80::1", 0);

	e.in6.sin6_scope_id = if_nametoindex("lo");
	went(t, "bind", bind(socket_of(t, AF_INET6, SOCK_STREAM), &e.any, e.len));
}

static void foreign_bind(struct trial *t)
{
	tcp(t, "192.0.2.1", 0, NULL);
}

static void refused(struct trial *t)
{
	connects(t, socket_of(t, AF_INET, SOCK_STREAM), "127.0.0.1", 9);
}

/* None of them leaves anything behind: 60 times the range. */
static void refused_often(struct trial *t)
{
	for (int i = 0; i < 2000; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		t->call = NULL;
		CU_ASSERT(!connects(t, fd, "127.0.0.1", 9) && t->error == ECONNREFUSED);
		close(fd);
	}
}

static void port_0(struct trial *t)
{
	connects(t, socket_of(t, AF_INET, SOCK_STREAM), "127.0.0.1", 0);
}

static void address_0(struct trial *t)
{
	tcp(t, NULL, 0, "0.0.0.0");
}

static void no_route(struct trial *t)
{
	tcp(t, NULL, 0, "192.0.2.1");
}

static void broadcast(struct trial *t)
{
	tcp(t, NULL, 0, "255.255.255.255");
}

static void from_loopback(struct trial *t)
{
	tcp(t, "127.0.0.1", 0, "8.8.8.8");
}

#define LOOP "network: {topology: loopback, ports: 40000-40031"
#define NO_REUSE LOOP ", sysctl: {net.ipv4.tcp_tw_reuse: 0}}"

static const struct row {
	const char *what, *network;
	void (*before)(struct trial *t);
	void (*call)(struct trial *t);
	const char *fails; /* the call that does; NULL: none */
	int error;
} rows[] = {
	{"used up for this destination", NO_REUSE, live, tcp_connect, "connect", EADDRNOTAVAIL},
	{"in TIME_WAIT, too", NO_REUSE, waiting, tcp_connect, "connect", EADDRNOTAVAIL},
	{"another destination", NO_REUSE, live, tcp_connect_elsewhere, NULL, 0},
	{"bind-held ports are nobody's", NO_REUSE, bound_elsewhere, tcp_connect, "connect",
	 EADDRNOTAVAIL},
	{"this very connection", NO_REUSE, fixed_live_reuse, tcp_fixed_reuse, "connect",
	 EADDRNOTAVAIL},
	{"a port that is bound", NO_REUSE, fixed_live, tcp_fixed, "bind", EADDRINUSE},
	{"again during TIME_WAIT", NO_REUSE, fixed_waiting_reuse, tcp_fixed_reuse, NULL, 0},
	{"the same without SO_REUSEADDR", NO_REUSE, fixed_waiting, tcp_fixed, "bind", EADDRINUSE},
	{"the same without timestamps",
	 LOOP ", sysctl: {net.ipv4.tcp_tw_reuse: 0, net.ipv4.tcp_timestamps: 0}}",
	 fixed_waiting_reuse, tcp_fixed_reuse, "connect", EADDRNOTAVAIL},
	{"on that address, in total", NO_REUSE, live, tcp_bind, "bind", EADDRINUSE},
	{"on all addresses", NO_REUSE, live, tcp_bind_any, "bind", EADDRINUSE},
	{"on another address", NO_REUSE, live, tcp_bind_other, NULL, 0},
	{"a listener without a port", NO_REUSE, live, tcp_listen, "listen", EADDRINUSE},
	{"TIME_WAIT and bind", NO_REUSE, waiting, tcp_bind, "bind", EADDRINUSE},
	{"TIME_WAIT and listen", NO_REUSE, waiting, tcp_listen, "listen", EADDRINUSE},
	{"TIME_WAIT and both families", NO_REUSE, waiting, tcp_bind_both, "bind", EADDRINUSE},
	{"TIME_WAIT and IPv6 alone", NO_REUSE, waiting, tcp_bind_ipv6_only, NULL, 0},
	{"a service's port is a client's", NO_REUSE, live, service_any, "bind", EADDRINUSE},
	{"on its address", NO_REUSE, live, service_own, "bind", EADDRINUSE},
	{"on another", NO_REUSE, live, service_other, NULL, 0},
	{"a foreign TIME_WAIT", NO_REUSE, fixed_waiting, service_any, "bind", EADDRINUSE},
	{"one with SO_REUSEADDR", NO_REUSE, fixed_waiting_reuse, service_any, NULL, 0},
	{"UDP, whatever the destination", NO_REUSE, udp_live, udp_connect, "connect", EAGAIN},
	{"UDP, unbound", NO_REUSE, udp_live, udp_send, "sendto", EAGAIN},
	{"UDP bind", NO_REUSE, udp_live, udp_bind, "bind", EADDRINUSE},
	{"UDP beside a full TCP", NO_REUSE, live, udp_connect, NULL, 0},
	{"TCP beside a full UDP", NO_REUSE, udp_live, tcp_connect, NULL, 0},
	{"no IPv6, connect", NO_REUSE, nothing, ipv6_connect, "connect", EADDRNOTAVAIL},
	{"no IPv6, bind", NO_REUSE, nothing, ipv6_bind, "bind", EADDRNOTAVAIL},
	{"not this host's", NO_REUSE, nothing, foreign_bind, "bind", EADDRNOTAVAIL},
	{"no scope, connect", LOOP ", family: ipv6}", nothing, link_local_connect, "connect",
	 EINVAL},
	{"no scope, bind", LOOP ", family: ipv6}", nothing, link_local_bind, "bind", EINVAL},
	{"another's scope", LOOP ", family: ipv6}", nothing, scoped_bind, "bind", EADDRNOTAVAIL},
	{"nobody listens", NO_REUSE, nothing, refused, "connect", ECONNREFUSED},
	{"2,000 times", NO_REUSE, nothing, refused_often, "connect", ECONNREFUSED},
	{"port 0", NO_REUSE, nothing, port_0, "connect", ECONNREFUSED},
	{"address 0 is this host", NO_REUSE, nothing, address_0, NULL, 0},
	{"no route", NO_REUSE, nothing, no_route, "connect", ENETUNREACH},
	{"broadcast", NO_REUSE, nothing, broadcast, "connect", ENETUNREACH},
	{"from loopback to elsewhere", NO_REUSE, nothing, from_loopback, "connect", ENETUNREACH},
};

static void try_row(struct help *h, void *context)
{
	const struct row *row = context;
	struct trial t;
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
	end(&t);
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
	struct trial t;

	(void)h, (void)context;
	begin(&t);
	live(&t);
	for (int k = 0; k < 2; k++) {
		struct text text = help_file(files[k], before[k], sizeof(before[k]) - 1);

		before[k][text.len] = '\0';
	}
	for (int i = 0; i < 1000; i++) {
		int count = t.count;

		tcp_connect(&t);
		tcp_bind(&t);
		while (t.count > count)
			close(t.fds[--t.count]);
	}
	for (int k = 0; k < 2; k++) {
		struct text text = help_file(files[k], after[k], sizeof(after[k]) - 1);

		after[k][text.len] = '\0';
		CU_ASSERT_STRING_EQUAL(before[k], after[k]);
	}
	end(&t);
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
