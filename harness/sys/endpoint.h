/* endpoint.h - an address and a port as the socket calls take them, of whichever family.
 *
 * Errors: none. An IPv4 address in a family of AF_INET6 sockets is IPv4-mapped, as it is held
 *         (base/address.h).
 */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/address.h"
#include "words/words.h"

struct endpoint {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t len;
};

/* What socket() takes. */
static inline int family_domain(enum family family)
{
	return family == FAMILY_IPV4 ? AF_INET : AF_INET6;
}

static inline struct endpoint endpoint_make(enum family family, struct address a, uint16_t port)
{
	struct endpoint e = {.len = sizeof(e.in)};

	if (family == FAMILY_IPV4) {
		e.in.sin_family = AF_INET;
		e.in.sin_port = htons(port);
		e.in.sin_addr.s_addr = htonl((uint32_t)a.low);
		return e;
	}
	e.len = sizeof(e.in6);
	e.in6.sin6_family = AF_INET6;
	e.in6.sin6_port = htons(port);
	address_bytes(a, e.in6.sin6_addr.s6_addr);
	return e;
}

/* Which interface a link-local address is of: what the kernel has no address of without it (EINVAL).
 * Its index is sys/plain.h's link_find()'s; 0: none is named. */
static inline void endpoint_scope(struct endpoint *e, uint32_t link)
{
	if (e->any.sa_family == AF_INET6)
		e->in6.sin6_scope_id = link;
}

static inline void endpoint_port(struct endpoint *e, uint16_t port)
{
	e->in.sin_port = htons(port); /* in6 has it at the same place */
}

/* Of every address of the family: where listeners are bound. With IPV6_V6ONLY off, :: is 0.0.0.0
 * too. */
static inline struct endpoint endpoint_any(enum family family, uint16_t port)
{
	return endpoint_make(family, (struct address){0, 0}, port);
}
