/* plain.h - sockets made by plain system calls: where a ring cannot prepare one, and to tell
 * why a connect was refused.
 *
 * Units:  answers are 0 or more, or -errno.
 * Errors: -errno, with the stage at which it came.
 */
#pragma once

#include "base/err.h"
#include "base/option.h"
#include "base/ports.h"
#include "sys/endpoint.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51 /* Linux 6.3; include/uapi/linux/in.h */
#endif

struct socket_wish {
	enum family family;
	enum protocol protocol;
	bool multipath;		      /* of TCP: IPPROTO_MPTCP */
	const struct option *options; /* set before the bind */
	uint32_t option_count;
	const struct endpoint *source;	    /* bound; NULL: not */
	bool reset_on_close;		    /* SO_LINGER of 0 s */
	uint32_t window;		    /* IP_LOCAL_PORT_RANGE: lo | hi << 16; 0: not set */
	const struct endpoint *destination; /* connected to; NULL: not */
	const struct msghdr *first;	    /* sent, after all that; NULL: nothing is */
	int64_t look_ns; /* a connect returns with -EINPROGRESS after so long; 0: it waits */
};

/* A socket as wished for; on failure -errno, and *stage. */
int socket_make(const struct socket_wish *wish, enum stage *stage);

/* A socket that is there already becomes one as wished for: it, or -errno and *stage, and it is closed. */
int socket_prepare(int fd, const struct socket_wish *wish, enum stage *stage);

/* Binds a socket (NULL: not) and connects it: 0, or -errno and *stage. -EINPROGRESS and -EALREADY:
 * it is under way; to ask again waits on. */
int socket_open(int fd, const struct endpoint *source, const struct endpoint *destination,
		enum stage *stage);

/* The index of an interface, in the namespace of the calling thread; NULL: none, which is 0. */
bool link_find(uint32_t *index, const char *link, struct err *err);

/* The local port of a socket; 0: it has none. */
uint16_t socket_port(int fd);

/* What the kernel calls a socket, in a dump, too; false: nothing. */
struct socket_name {
	struct address address;
	uint16_t port;
	uint64_t cookie;
};
bool socket_named(int fd, struct socket_name *out);

/* A listening socket on all addresses of the family, and on those of IPv4; reset: what it accepts is
 * reset when closed (SO_LINGER is inherited, sk_clone_lock(), net/core/sock.c). */
int socket_listen(enum family family, uint16_t port, int backlog, bool reset);

/* Of a socket whose local address and port are its peer's as well, that port; else 0. The peer is what it
 * is connected to, or where it sends to; a socket of any address has that one too. */
uint16_t socket_meets_itself(int fd, const struct endpoint *sent_to); /* NULL: connected */

/* What a UDP connect from the source (NULL: any) to the destination says: no packet is sent, and no port
 * of TCP or of the range is used. Of any other the kernel would say EAGAIN first while UDP has no port left
 * (inet_dgram_connect(), net/ipv4/af_inet.c). 0: both addresses are fine, so that a TCP connect's
 * EADDRNOTAVAIL, or a UDP connect's EAGAIN, was for want of a port. EAGAIN: none outside of the range was
 * free, or the range is of all ports, and full. Else an address is the trouble, or what a socket needs
 * besides. */
int address_error(const struct endpoint *source, const struct endpoint *destination,
		  struct port_range range);
