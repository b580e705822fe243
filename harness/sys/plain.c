#include "sys/plain.h"

#include <errno.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static bool set(int fd, int level, int name, const void *value, socklen_t len)
{
	return setsockopt(fd, level, name, value, len) == 0;
}

static bool set_all(int fd, const struct option *options, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (!set(fd, options[i].level, options[i].name, options[i].value, options[i].len))
			return false;
	return true;
}

static bool prepare(int fd, const struct socket_wish *wish, enum stage *stage)
{
	const struct linger now = {.l_onoff = 1};
	const struct timeval look = {.tv_sec = wish->look_ns / 1000000000,
				     .tv_usec = wish->look_ns % 1000000000 / 1000};

	*stage = STAGE_OPTION;
	if (!set_all(fd, wish->options, wish->option_count))
		return false;
	if (wish->reset_on_close && !set(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)))
		return false;
	if (wish->window &&
	    !set(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &wish->window, sizeof(wish->window)))
		return false;
	if (wish->look_ns && !set(fd, SOL_SOCKET, SO_SNDTIMEO, &look, sizeof(look)))
		return false;
	if (socket_open(fd, wish->source, wish->destination, stage) < 0)
		return false;
	if (!wish->first)
		return true;
	*stage = STAGE_SEND;
	return sendmsg(fd, wish->first, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

int socket_open(int fd, const struct endpoint *source, const struct endpoint *destination,
		enum stage *stage)
{
	*stage = STAGE_BIND;
	if (source && bind(fd, &source->any, source->len) < 0)
		return -errno;
	*stage = STAGE_CONNECT;
	return destination && connect(fd, &destination->any, destination->len) < 0 ? -errno : 0;
}

bool link_find(uint32_t *index, const char *link, struct err *err)
{
	*index = link ? if_nametoindex(link) : 0;
	return !link || *index || err_sys(err, errno, "could not find the link %s", link);
}

uint16_t socket_port(int fd)
{
	struct endpoint own = {.len = sizeof(own.in6)};

	return getsockname(fd, &own.any, &own.len) < 0 ? 0 : ntohs(own.in.sin_port);
}

int socket_prepare(int fd, const struct socket_wish *wish, enum stage *stage)
{
	int e;

	if (prepare(fd, wish, stage))
		return fd;
	e = errno;
	close(fd);
	return -e;
}

int socket_make(const struct socket_wish *wish, enum stage *stage)
{
	int type = wish->protocol == PROTOCOL_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int fd = socket(family_domain(wish->family), type | SOCK_CLOEXEC,
			wish->multipath ? IPPROTO_MPTCP : 0);

	*stage = STAGE_SOCKET;
	return fd < 0 ? -errno : socket_prepare(fd, wish, stage);
}

int socket_listen(enum family family, uint16_t port, int backlog, bool reset)
{
	struct endpoint all = endpoint_any(family, port);
	enum stage stage;
	int fd = socket_make(&(struct socket_wish){.family = family, .reset_on_close = reset},
			     &stage);
	const int on = 1, off = 0;

	if (fd < 0)
		return fd;
	if (!set(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    (all.any.sa_family == AF_INET6 &&
	     !set(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off))) ||
	    bind(fd, &all.any, all.len) < 0 || listen(fd, backlog) < 0) {
		int e = errno;

		close(fd);
		return -e;
	}
	return fd;
}

static struct address address_of(const struct endpoint *e)
{
	return e->any.sa_family == AF_INET ? address_ipv4(ntohl(e->in.sin_addr.s_addr))
					   : address_of_bytes(e->in6.sin6_addr.s6_addr);
}

bool socket_named(int fd, struct socket_name *out)
{
	struct endpoint own = {.len = sizeof(own.in6)};
	socklen_t len = sizeof(out->cookie);

	if (getsockname(fd, &own.any, &own.len) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_COOKIE, &out->cookie, &len) < 0)
		return false;
	out->address = address_of(&own);
	out->port = ntohs(own.in.sin_port);
	return true;
}

/* Does `own` get what is sent to `peer`? */
static bool is_within(const struct endpoint *peer, const struct endpoint *own)
{
	const struct in6_addr *theirs = &peer->in6.sin6_addr, *ours = &own->in6.sin6_addr;

	if (own->any.sa_family != peer->any.sa_family || own->in.sin_port != peer->in.sin_port)
		return false;
	if (own->any.sa_family == AF_INET)
		return own->in.sin_addr.s_addr == INADDR_ANY ||
		       own->in.sin_addr.s_addr == peer->in.sin_addr.s_addr;
	return IN6_IS_ADDR_UNSPECIFIED(ours) || IN6_ARE_ADDR_EQUAL(ours, theirs);
}

uint16_t socket_meets_itself(int fd, const struct endpoint *sent_to)
{
	struct endpoint own = {.len = sizeof(own.in6)}, peer = {.len = sizeof(peer.in6)};

	if (getsockname(fd, &own.any, &own.len) < 0)
		return 0;
	if (sent_to)
		peer = *sent_to;
	else if (getpeername(fd, &peer.any, &peer.len) < 0)
		return 0; /* it has ended already */
	return is_within(&peer, &own) ? ntohs(own.in.sin_port) : 0;
}

/* Ports that nobody is given: below the range, then above it; where the range is all of them, 0: any. */
static uint16_t port_outside(struct port_range range, uint32_t nth)
{
	enum { FIRST = 1024, LAST = 65535 }; /* below the first a right is needed */
	uint32_t below = range.lo > FIRST ? range.lo - (uint32_t)FIRST : 0;

	if (nth < below)
		return (uint16_t)(range.lo - 1 - nth);
	nth -= below;
	return nth < LAST - (uint32_t)range.hi ? (uint16_t)(range.hi + 1 + nth) : 0;
}

/* Binds to the source, or to any address, and to a port that is outside of the range and that nobody has. */
static int bind_outside(int fd, const struct endpoint *source, int domain, struct port_range range)
{
	enum { TRIES = 256 };
	struct endpoint own =
		source ? *source : endpoint_any(domain == AF_INET ? FAMILY_IPV4 : FAMILY_IPV6, 0);
	uint16_t port = 1;

	for (uint32_t i = 0; i < TRIES && port != 0; i++) {
		port = port_outside(range, i);
		endpoint_port(&own, port);
		if (bind(fd, &own.any, own.len) == 0)
			return 0;
		if (errno != EADDRINUSE && errno != EACCES)
			return errno;
	}
	return EAGAIN;
}

int address_error(const struct endpoint *source, const struct endpoint *destination,
		  struct port_range range)
{
	int domain = destination->any.sa_family, fd = socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int e;

	if (fd < 0)
		return errno;
	e = bind_outside(fd, source, domain, range);
	if (e == 0 && connect(fd, &destination->any, destination->len) < 0)
		e = errno;
	close(fd);
	return e;
}
