/* calls.h - what a program does by plain system calls, on loopback, and which of them fails first and
 * why. Nothing of lastport is between it and the kernel.
 */
#pragma once

#include "lab_help.h"

enum { PORTS = 32, FDS_MOST = 4 * PORTS, SERVICE = 7000, FIXED = 40010 };

/* What one try has open, and the first call that failed in it. */
struct calls {
	int fds[FDS_MOST];
	int count;
	int listener;
	const char *call;
	int error;
};

int calls_socket(struct calls *t, int domain, int type);
void calls_set(int fd, int level, int name); /* the option is on */
bool calls_connect(struct calls *t, int fd, const char *address, uint16_t port);

/* A socket of TCP that is bound to the address and connected; NULL: not so. */
int calls_tcp(struct calls *t, const char *from, uint16_t port, const char *to);

int calls_fixed(struct calls *t, bool reuse); /* a connection from the port FIXED */
void calls_end(struct calls *t);	      /* closes all */

/* The calls in question. */
void call_tcp_connect(struct calls *t);
void call_tcp_connect_elsewhere(struct calls *t);
void call_tcp_bind(struct calls *t);
void call_tcp_bind_any(struct calls *t);
void call_tcp_bind_both(struct calls *t);
void call_tcp_bind_ipv6_only(struct calls *t);
void call_tcp_bind_other(struct calls *t);
void call_tcp_listen(struct calls *t);
void call_tcp_fixed(struct calls *t);
void call_tcp_fixed_reuse(struct calls *t);
void call_service_any(struct calls *t);
void call_service_own(struct calls *t);
void call_service_other(struct calls *t);
void call_udp_connect(struct calls *t);
void call_udp_send(struct calls *t);
void call_udp_bind(struct calls *t);
void call_ipv6_connect(struct calls *t);
void call_ipv6_bind(struct calls *t);
void call_link_local_connect(struct calls *t);
void call_link_local_bind(struct calls *t);
void call_scoped_bind(struct calls *t);
void call_scoped_connect(struct calls *t);
void call_foreign_bind(struct calls *t);
void call_foreign_connect(struct calls *t);
void call_refused(struct calls *t);
void call_refused_often(struct calls *t);
void call_port_0(struct calls *t);
void call_address_0(struct calls *t);
void call_no_route(struct calls *t);
void call_broadcast(struct calls *t);
void call_from_loopback(struct calls *t);
