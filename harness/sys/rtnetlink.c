#include "sys/rtnetlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>

#include "sys/clock.h"
#include "sys/message.h"

enum {
	MESSAGE_BYTES = 512,
	BATCH_BYTES =
		8192, /* the kernel's answers to one batch of small requests fit into its receive buffer */
	ANSWER_BYTES = 8192,
};

/* Requests that are sent at once. */
struct batch {
	_Alignas(struct nlmsghdr) char bytes[BATCH_BYTES];
	size_t used;
	unsigned count;
};

bool rtnetlink_open(struct rtnetlink *out, struct err *err)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int on = 1;

	*out = (struct rtnetlink){0};
	if (!socket)
		return err_sys(err, errno, "could not open a netlink socket");
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		err_sys(err, errno, "could not bind a netlink socket");
		mnl_socket_close(socket);
		return false;
	}
	mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &on,
			      sizeof(on)); /* without it: fewer words */
	mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &on, sizeof(on));
	out->socket = socket;
	return true;
}

void rtnetlink_close(struct rtnetlink *rt)
{
	if (rt->socket)
		mnl_socket_close(rt->socket);
	rt->socket = NULL;
}

/* A request and its header of `bytes`, zeroed, at the batch's end. There must be MESSAGE_BYTES
 * left. */
static struct nlmsghdr *batch_begin(struct batch *b, struct rtnetlink *rt, uint16_t type,
				    uint16_t flags, size_t bytes, void **header)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(b->bytes + b->used);

	m->nlmsg_type = type;
	m->nlmsg_flags = NLM_F_REQUEST | flags;
	m->nlmsg_seq = ++rt->seq;
	*header = mnl_nlmsg_put_extra_header(m, bytes);
	return m;
}

static void batch_end(struct batch *b, const struct nlmsghdr *m)
{
	b->used += MNL_ALIGN(m->nlmsg_len);
	b->count++;
}

/* What the kernel adds to an errno value: "Invalid prefix for given prefix length". */
static const char *kernel_words(const struct nlmsghdr *answer)
{
	size_t skip = MNL_ALIGN(sizeof(struct nlmsgerr));
	const struct nlattr *attr;

	if (!(answer->nlmsg_flags & NLM_F_ACK_TLVS) || mnl_nlmsg_get_payload_len(answer) < skip)
		return NULL;
	mnl_attr_for_each (attr, answer, (unsigned)skip) {
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
			return mnl_attr_get_str(attr);
	}
	return NULL;
}

/* One answer: false, and *err, if it refuses. */
static bool answer_accepts(const struct nlmsghdr *answer, const char *what, struct err *err)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(answer);
	const char *words;

	if (answer->nlmsg_type != NLMSG_ERROR || mnl_nlmsg_get_payload_len(answer) < sizeof(*e))
		return err_sys(err, EPROTO, "%s", what);
	if (e->error == 0)
		return true;
	err_sys(err, -e->error, "%s", what);
	words = kernel_words(answer);
	if (words)
		err_hint(err, "The kernel says: %s.", words);
	return false;
}

/* Sends the batch, and takes the answer to each of its requests. `what` is an err's words. */
static bool batch_send(struct batch *b, struct rtnetlink *rt, const char *what, struct err *err)
{
	_Alignas(struct nlmsghdr) char answers[ANSWER_BYTES];
	bool good = true;

	if (mnl_socket_sendto(rt->socket, b->bytes, b->used) < 0)
		return err_sys(err, errno, "%s", what);
	while (b->count) {
		ssize_t n = mnl_socket_recvfrom(rt->socket, answers, sizeof(answers));
		const struct nlmsghdr *answer = (const void *)answers;
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_sys(err, n < 0 ? errno : EPROTO, "%s", what);
		for (; b->count && message_is_whole(answer, left);
		     answer = mnl_nlmsg_next(answer, &left)) {
			good = answer_accepts(answer, what, err) && good;
			b->count--;
		}
	}
	b->used = 0;
	return good;
}

/* Of nobody's make (IEEE 802, locally administered). */
static const uint8_t hardware[][ETH_ALEN] = {
	[VETH_HERE] = {2, 0, 0, 0, 0, 1},
	[VETH_THERE] = {2, 0, 0, 0, 0, 2},
};

bool rtnetlink_veth(struct rtnetlink *rt, const char *name, const char *peer, int peer_ns,
		    struct err *err)
{
	struct batch b = {.used = 0};
	void *header;
	struct nlmsghdr *m = batch_begin(&b, rt, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK,
					 sizeof(struct ifinfomsg), &header);
	struct nlattr *info, *data, *other;

	mnl_attr_put_strz(m, IFLA_IFNAME, name);
	mnl_attr_put(m, IFLA_ADDRESS, ETH_ALEN, hardware[VETH_HERE]);
	info = mnl_attr_nest_start(m, IFLA_LINKINFO);
	mnl_attr_put_strz(m, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(m, IFLA_INFO_DATA);
	other = mnl_attr_nest_start(m, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(m, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(m, IFLA_IFNAME, peer);
	mnl_attr_put(m, IFLA_ADDRESS, ETH_ALEN, hardware[VETH_THERE]);
	mnl_attr_put_u32(m, IFLA_NET_NS_FD, (uint32_t)peer_ns);
	mnl_attr_nest_end(m, other);
	mnl_attr_nest_end(m, data);
	mnl_attr_nest_end(m, info);
	batch_end(&b, m);
	return batch_send(&b, rt, "could not make a veth pair", err);
}

static bool link_find(const char *link, unsigned *index, struct err *err)
{
	*index = if_nametoindex(link);
	if (*index == 0)
		return err_sys(err, errno, "could not find the link %s", link);
	return true;
}

static uint8_t family_of(struct address a)
{
	return address_is_ipv4(a) ? AF_INET : AF_INET6;
}

static uint8_t bits_of(struct address a)
{
	return address_is_ipv4(a) ? 32 : 128;
}

static void put_address(struct nlmsghdr *m, uint16_t type, struct address a)
{
	size_t len = bits_of(a) / 8;
	uint8_t bytes[16];

	address_bytes(a, bytes);
	mnl_attr_put(m, type, len, bytes + sizeof(bytes) - len);
}

/* What a request does: type and flags of its message, and an err's words. */
struct deed {
	uint16_t type, flags;
	const char *what;
	uint8_t ifa_flags; /* of IPv6 */
};

static void ask_address(struct batch *b, struct rtnetlink *rt, const struct deed *deed,
			unsigned index, struct address a)
{
	void *header;
	struct nlmsghdr *m =
		batch_begin(b, rt, deed->type, deed->flags, sizeof(struct ifaddrmsg), &header);

	*(struct ifaddrmsg *)header = (struct ifaddrmsg){
		.ifa_family = family_of(a),
		.ifa_prefixlen = bits_of(a),
		.ifa_flags = address_is_ipv4(a) ? 0 : deed->ifa_flags,
		.ifa_index = index,
	};
	put_address(m, IFA_LOCAL, a);
	put_address(m, IFA_ADDRESS, a);
	batch_end(b, m);
}

static bool each_address(struct rtnetlink *rt, const struct deed *deed, const char *link,
			 const struct address_list *all, struct err *err)
{
	struct batch b = {.used = 0};
	unsigned index;

	if (!link_find(link, &index, err))
		return false;
	for (uint32_t i = 0; i < all->count; i++) {
		ask_address(&b, rt, deed, index, all->list[i]);
		if (b.used > BATCH_BYTES - MESSAGE_BYTES || i + 1 == all->count) {
			if (!batch_send(&b, rt, deed->what, err))
				return false;
		}
	}
	return true;
}

bool rtnetlink_addresses(struct rtnetlink *rt, const char *link, const struct address_list *all,
			 struct err *err)
{
	static const struct deed add = {RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK,
					"could not add an address", IFA_F_NODAD};

	return each_address(rt, &add, link, all, err);
}

bool rtnetlink_addresses_tentative(struct rtnetlink *rt, const char *link,
				   const struct address_list *all, struct err *err)
{
	static const struct deed add = {RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK,
					"could not add an address", 0};

	return each_address(rt, &add, link, all, err);
}

bool rtnetlink_addresses_remove(struct rtnetlink *rt, const char *link,
				const struct address_list *all, struct err *err)
{
	static const struct deed remove = {RTM_DELADDR, NLM_F_ACK, "could not remove an address",
					   0};

	return each_address(rt, &remove, link, all, err);
}

bool rtnetlink_up(struct rtnetlink *rt, const char *link, struct err *err)
{
	struct batch b = {.used = 0};
	struct nlmsghdr *m;
	struct ifinfomsg *i;
	void *header;
	unsigned index;

	if (!link_find(link, &index, err))
		return false;
	m = batch_begin(&b, rt, RTM_NEWLINK, NLM_F_ACK, sizeof(*i), &header);
	i = header;
	*i = (struct ifinfomsg){.ifi_index = (int)index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	batch_end(&b, m);
	return batch_send(&b, rt, "could not bring a link up", err);
}

/* IFF_RUNNING, which the kernel sets after it has given the link a queue that does not drop:
 * before that a first packet would be lost, and the ARP request repeated after a second
 * (linkwatch_do_dev(), net/core/link_watch.c). */
static bool link_runs(struct rtnetlink *rt, unsigned index, bool *runs, struct err *err)
{
	_Alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
	const struct nlmsghdr *m = (const void *)answer;
	struct batch b = {.used = 0};
	struct ifinfomsg *i;
	void *header;
	ssize_t n;

	batch_end(&b, batch_begin(&b, rt, RTM_GETLINK, 0, sizeof(*i), &header));
	i = header;
	*i = (struct ifinfomsg){.ifi_index = (int)index};
	if (mnl_socket_sendto(rt->socket, b.bytes, b.used) < 0)
		return err_sys(err, errno, "could not ask for the state of a link");
	do
		n = mnl_socket_recvfrom(rt->socket, answer, sizeof(answer));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(err, errno, "could not ask for the state of a link");
	if (!message_is_whole(m, (int)n))
		return err_sys(err, EPROTO, "could not read the state of a link");
	if (m->nlmsg_type != RTM_NEWLINK)
		return answer_accepts(m, "could not ask for the state of a link", err);
	i = mnl_nlmsg_get_payload(m);
	*runs = i->ifi_flags & IFF_RUNNING;
	return true;
}

bool rtnetlink_await(struct rtnetlink *rt, const char *link, struct err *err)
{
	const int64_t most_ns = INT64_C(5000000000), pause_ns = 50000;
	int64_t begin = clock_now();
	bool runs = false;
	unsigned index;

	if (!link_find(link, &index, err))
		return false;
	for (;;) {
		if (!link_runs(rt, index, &runs, err))
			return false;
		if (runs)
			return true;
		if (clock_now() - begin > most_ns)
			return err_sys(err, ETIMEDOUT, "the link %s did not come up", link);
		clock_sleep(pause_ns);
	}
}

static bool route_do(struct rtnetlink *rt, const struct deed *deed, const char *link,
		     struct address to, uint8_t prefix, const struct address *via, struct err *err)
{
	struct batch b = {.used = 0};
	void *header;
	struct nlmsghdr *m =
		batch_begin(&b, rt, deed->type, deed->flags, sizeof(struct rtmsg), &header);
	unsigned index;

	if (!link_find(link, &index, err))
		return false;
	*(struct rtmsg *)header = (struct rtmsg){
		.rtm_family = family_of(to),
		.rtm_dst_len = prefix,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = via ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
		.rtm_type = RTN_UNICAST,
	};
	if (prefix)
		put_address(m, RTA_DST, to);
	if (via)
		put_address(m, RTA_GATEWAY, *via);
	mnl_attr_put_u32(m, RTA_OIF, index);
	batch_end(&b, m);
	return batch_send(&b, rt, deed->what, err);
}

bool rtnetlink_neighbour(struct rtnetlink *rt, const char *link, struct address a,
			 enum veth_end other, struct err *err)
{
	struct batch b = {.used = 0};
	void *header;
	struct nlmsghdr *m = batch_begin(&b, rt, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_ACK,
					 sizeof(struct ndmsg), &header);
	unsigned index;

	if (!link_find(link, &index, err))
		return false;
	*(struct ndmsg *)header = (struct ndmsg){
		.ndm_family = family_of(a), .ndm_ifindex = (int)index, .ndm_state = NUD_PERMANENT};
	put_address(m, NDA_DST, a);
	mnl_attr_put(m, NDA_LLADDR, ETH_ALEN, hardware[other]);
	batch_end(&b, m);
	return batch_send(&b, rt, "could not add a neighbour", err) &&
	       rtnetlink_route(rt, link, a, bits_of(a), NULL, err);
}

bool rtnetlink_route(struct rtnetlink *rt, const char *link, struct address to, uint8_t prefix,
		     const struct address *via, struct err *err)
{
	static const struct deed add = {RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK,
					"could not add a route", 0};

	return route_do(rt, &add, link, to, prefix, via, err);
}

bool rtnetlink_route_remove(struct rtnetlink *rt, const char *link, struct address to,
			    uint8_t prefix, const struct address *via, struct err *err)
{
	static const struct deed remove = {RTM_DELROUTE, NLM_F_ACK, "could not remove a route", 0};

	return route_do(rt, &remove, link, to, prefix, via, err);
}
