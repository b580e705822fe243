/* datagram.h - a server's socket of UDP: what comes, and answers from the address that was asked.
 *
 * One socket has a port of all addresses, so that as many of them as there may be take one
 * descriptor. A client that is connected takes an answer from the very address that it asked:
 * which one that was comes with each datagram, and goes with its answer.
 *
 * Units:   bytes.
 * Errors:  -errno.
 * Source:  IP_PKTINFO, ip(7); IPV6_RECVPKTINFO, ipv6(7), which has an IPv4 address as ::ffff:a.b.c.d.
 */
#pragma once

#include "sys/endpoint.h"

enum { DATAGRAM_HEAD_BYTES = 8, DATAGRAMS_MOST = 32 };

struct datagram {
	struct endpoint from;
	union {
		struct in_pktinfo ipv4; /* of a socket of AF_INET */
		struct in6_pktinfo ipv6;
	} to;
	uint32_t bytes;				 /* of all of it, however few are kept */
	unsigned char head[DATAGRAM_HEAD_BYTES]; /* the first of them */
};

/* Bound to the port on all addresses of the family, and on those of IPv4. It never waits. */
int datagram_socket(enum family family, uint16_t port);

/* Up to DATAGRAMS_MOST; how many. 0: there are none now. */
int datagrams_receive(int fd, struct datagram *out);

/* An answer to where it came from, from where it went to. */
int datagram_answer(int fd, const struct datagram *asked, const void *head, const void *rest,
		    uint32_t bytes);
