#include "calls.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "sys/endpoint.h"

static int opened(struct calls *t, int fd)
{
	if (fd >= 0 && t->count < FDS_MOST)
		t->fds[t->count++] = fd;
	return fd;
}

int calls_socket(struct calls *t, int domain, int type)
{
	return opened(t, socket(domain, type | SOCK_CLOEXEC, 0));
}

/* Keeps what the first failing call says; true: it did not fail. */
static bool went(struct calls *t, const char *call, int result)
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

static bool binds(struct calls *t, int fd, const char *address, uint16_t port)
{
	struct endpoint e = at_address(address, port);

	return went(t, "bind", bind(fd, &e.any, e.len));
}

bool calls_connect(struct calls *t, int fd, const char *address, uint16_t port)
{
	struct endpoint e = at_address(address, port);

	return went(t, "connect", connect(fd, &e.any, e.len));
}

void calls_set(int fd, int level, int name)
{
	const int on = 1;

	CU_ASSERT_EQUAL(setsockopt(fd, level, name, &on, sizeof(on)), 0);
}

/* A socket of the kind that is bound to the address and connected; NULL: not so. */
int calls_tcp(struct calls *t, const char *from, uint16_t port, const char *to)
{
	int fd = calls_socket(t, strchr(to ? to : from, ':') ? AF_INET6 : AF_INET, SOCK_STREAM);

	if (from && !binds(t, fd, from, port))
		return -1;
	return !to || calls_connect(t, fd, to, SERVICE) ? fd : -1;
}

void calls_end(struct calls *t)
{
	while (t->count)
		close(t->fds[--t->count]);
}

/* A connection from a port of its own. */
int calls_fixed(struct calls *t, bool reuse)
{
	int fd = calls_socket(t, AF_INET, SOCK_STREAM);

	if (reuse)
		calls_set(fd, SOL_SOCKET, SO_REUSEADDR);
	return binds(t, fd, "127.0.0.1", FIXED) && calls_connect(t, fd, "127.0.0.1", SERVICE) ? fd
											      : -1;
}

void call_tcp_connect(struct calls *t)
{
	calls_tcp(t, NULL, 0, "127.0.0.1");
}

void call_tcp_connect_elsewhere(struct calls *t)
{
	calls_tcp(t, NULL, 0, "127.0.0.3");
}

void call_tcp_bind(struct calls *t)
{
	calls_tcp(t, "127.0.0.1", 0, NULL);
}

void call_tcp_bind_any(struct calls *t)
{
	calls_tcp(t, "0.0.0.0", 0, NULL);
}

void call_tcp_bind_both(struct calls *t)
{
	calls_tcp(t, "::", 0, NULL);
}

void call_tcp_bind_ipv6_only(struct calls *t)
{
	int fd = calls_socket(t, AF_INET6, SOCK_STREAM);

	calls_set(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	binds(t, fd, "::", 0);
}

void call_tcp_bind_other(struct calls *t)
{
	calls_tcp(t, "127.0.0.9", 0, NULL);
}

void call_tcp_listen(struct calls *t)
{
	went(t, "listen", listen(calls_socket(t, AF_INET, SOCK_STREAM), 1));
}

void call_tcp_fixed(struct calls *t)
{
	calls_fixed(t, false);
}

void call_tcp_fixed_reuse(struct calls *t)
{
	calls_fixed(t, true);
}

static void service_at(struct calls *t, const char *address)
{
	int fd = calls_socket(t, AF_INET, SOCK_STREAM);

	calls_set(fd, SOL_SOCKET, SO_REUSEADDR);
	if (binds(t, fd, address, FIXED))
		went(t, "listen", listen(fd, 1));
}

void call_service_any(struct calls *t)
{
	service_at(t, "0.0.0.0");
}

void call_service_own(struct calls *t)
{
	service_at(t, "127.0.0.1");
}

void call_service_other(struct calls *t)
{
	service_at(t, "127.0.0.5");
}

void call_udp_connect(struct calls *t)
{
	calls_connect(t, calls_socket(t, AF_INET, SOCK_DGRAM), "127.0.0.77", 9);
}

void call_udp_send(struct calls *t)
{
	struct endpoint to = at_address("127.0.0.77", 9);
	int fd = calls_socket(t, AF_INET, SOCK_DGRAM);

	went(t, "sendto", (int)sendto(fd, "x", 1, 0, &to.any, to.len));
}

void call_udp_bind(struct calls *t)
{
	binds(t, calls_socket(t, AF_INET, SOCK_DGRAM), "0.0.0.0", 0);
}

void call_ipv6_connect(struct calls *t)
{
	calls_tcp(t, NULL, 0, "::1");
}

void call_ipv6_bind(struct calls *t)
{
	calls_tcp(t, "::1", 0, NULL);
}

void call_link_local_connect(struct calls *t)
{
	calls_tcp(t, NULL, 0, "fe80::1");
}

void call_link_local_bind(struct calls *t)
{
	calls_tcp(t, "fe80::1", 0, NULL);
}

/* With a scope, that of lo, which has another address. */
void call_scoped_bind(struct calls *t)
{
	struct endpoint e = at_address("fe80::1", 0);

	e.in6.sin6_scope_id = if_nametoindex("lo");
	went(t, "bind", bind(calls_socket(t, AF_INET6, SOCK_STREAM), &e.any, e.len));
}

void call_scoped_connect(struct calls *t)
{
	struct endpoint e = at_address("fe80::2", SERVICE);

	e.in6.sin6_scope_id = if_nametoindex("lo");
	went(t, "connect", connect(calls_socket(t, AF_INET6, SOCK_STREAM), &e.any, e.len));
}

void call_foreign_bind(struct calls *t)
{
	calls_tcp(t, "192.0.2.1", 0, NULL);
}

/* With ip_nonlocal_bind. */
void call_foreign_connect(struct calls *t)
{
	calls_tcp(t, "192.0.2.1", 0, "127.0.0.1");
}

void call_refused(struct calls *t)
{
	calls_connect(t, calls_socket(t, AF_INET, SOCK_STREAM), "127.0.0.1", 9);
}

/* None of them leaves anything behind: 60 times the range. */
void call_refused_often(struct calls *t)
{
	for (int i = 0; i < 2000; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		t->call = NULL;
		CU_ASSERT(!calls_connect(t, fd, "127.0.0.1", 9) && t->error == ECONNREFUSED);
		close(fd);
	}
}

void call_port_0(struct calls *t)
{
	calls_connect(t, calls_socket(t, AF_INET, SOCK_STREAM), "127.0.0.1", 0);
}

void call_address_0(struct calls *t)
{
	calls_tcp(t, NULL, 0, "0.0.0.0");
}

void call_no_route(struct calls *t)
{
	calls_tcp(t, NULL, 0, "192.0.2.1");
}

void call_broadcast(struct calls *t)
{
	calls_tcp(t, NULL, 0, "255.255.255.255");
}

void call_from_loopback(struct calls *t)
{
	calls_tcp(t, "127.0.0.1", 0, "8.8.8.8");
}
