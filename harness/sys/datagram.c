#include "sys/datagram.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "sys/plain.h"

/* Room for what comes while the thread has no turn; the kernel gives at most twice
 * net.core.rmem_max, 416 KiB by default: about 550 small ones. */
enum { RECEIVE_BYTES = 4 << 20 };

static bool prepare(int fd, const struct endpoint *all)
{
	const int on = 1, off = 0, room = RECEIVE_BYTES;
	bool is_ipv4 = all->any.sa_family == AF_INET;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (is_ipv4 && setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) < 0)
		return false;
	if (!is_ipv4 && (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0 ||
			 setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) < 0))
		return false;
	return bind(fd, &all->any, all->len) == 0;
}

int datagram_socket(enum family family, uint16_t port)
{
	struct endpoint all = endpoint_any(family, port);
	int fd = socket(all.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (!prepare(fd, &all)) {
		int e = errno;

		close(fd);
		return -e;
	}
	return fd;
}

/* What the kernel fills in for one of several. */
struct tray {
	struct iovec piece;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} control;
};

static void lay_out(struct mmsghdr *message, struct tray *tray, struct datagram *d)
{
	d->from.len = sizeof(d->from.in6);
	tray->piece = (struct iovec){d->head, sizeof(d->head)};
	message->msg_hdr = (struct msghdr){
		.msg_name = &d->from.any,
		.msg_namelen = d->from.len,
		.msg_iov = &tray->piece,
		.msg_iovlen = 1,
		.msg_control = tray->control.bytes,
		.msg_controllen = sizeof(tray->control.bytes),
	};
}

static void take(struct datagram *d, struct mmsghdr *message)
{
	struct msghdr *m = &message->msg_hdr;

	d->from.len = m->msg_namelen;
	d->bytes = message->msg_len; /* MSG_TRUNC: the whole */
	memset(&d->to, 0, sizeof(d->to));
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
			memcpy(&d->to.ipv4, CMSG_DATA(c), sizeof(d->to.ipv4));
		else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
			memcpy(&d->to.ipv6, CMSG_DATA(c), sizeof(d->to.ipv6));
	}
}

int datagrams_receive(int fd, struct datagram *out)
{
	struct mmsghdr messages[DATAGRAMS_MOST];
	struct tray trays[DATAGRAMS_MOST];
	int n;

	for (int i = 0; i < DATAGRAMS_MOST; i++)
		lay_out(&messages[i], &trays[i], &out[i]);
	n = recvmmsg(fd, messages, DATAGRAMS_MOST, MSG_DONTWAIT | MSG_TRUNC, NULL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++)
		take(&out[i], &messages[i]);
	return n;
}

/* The source; by which device, its address says. */
static void name_source(struct msghdr *m, const struct datagram *asked)
{
	bool is_ipv4 = asked->from.any.sa_family == AF_INET;
	struct in_pktinfo ipv4 = {.ipi_spec_dst = asked->to.ipv4.ipi_addr};
	struct in6_pktinfo ipv6 = {.ipi6_addr = asked->to.ipv6.ipi6_addr};
	size_t len = is_ipv4 ? sizeof(ipv4) : sizeof(ipv6);
	struct cmsghdr *c;

	m->msg_controllen = CMSG_SPACE(len);
	c = CMSG_FIRSTHDR(m);
	c->cmsg_level = is_ipv4 ? IPPROTO_IP : IPPROTO_IPV6;
	c->cmsg_type = is_ipv4 ? IP_PKTINFO : IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), is_ipv4 ? (const void *)&ipv4 : (const void *)&ipv6, len);
}

int datagram_answer(int fd, const struct datagram *asked, const void *head, const void *rest,
		    uint32_t bytes)
{
	uint32_t first = bytes < DATAGRAM_HEAD_BYTES ? bytes : DATAGRAM_HEAD_BYTES;
	struct iovec pieces[] = {{(void *)(uintptr_t)head, first},
				 {(void *)(uintptr_t)rest, bytes - first}};
	struct tray tray = {0};
	struct msghdr m = {
		.msg_name = (void *)(uintptr_t)&asked->from.any,
		.msg_namelen = asked->from.len,
		.msg_iov = pieces,
		.msg_iovlen = 2,
		.msg_control = tray.control.bytes,
		.msg_controllen = sizeof(tray.control.bytes),
	};

	name_source(&m, asked);
	return sendmsg(fd, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}
