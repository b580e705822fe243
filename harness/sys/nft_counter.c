#include "sys/nft_counter.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "sys/message.h"
#include "sys/netfilter.h"

enum { RECEIVE_ROOM = 8192, ASK_BYTES = 512, TABLES = NFNL_SUBSYS_NFTABLES << 8 };

static const char could_not_ask[] = "could not ask about the gateway's rules";

bool nft_counter_open(struct nft_counter_door *out, struct nft_name name, struct err *err)
{
	*out = (struct nft_counter_door){netfilter_open(could_not_ask, err), name};
	return out->netlink;
}

void nft_counter_close(struct nft_counter_door *d)
{
	netfilter_close(&d->netlink);
}

static bool counter_ask(const struct nft_counter_door *d)
{
	_Alignas(struct nlmsghdr) char buffer[ASK_BYTES] = {0};
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *what = mnl_nlmsg_put_extra_header(m, sizeof(*what));

	m->nlmsg_type = TABLES | NFT_MSG_GETOBJ;
	m->nlmsg_flags = NLM_F_REQUEST;
	what->nfgen_family = NFPROTO_IPV4;
	what->version = NFNETLINK_V0;
	mnl_attr_put_strz(m, NFTA_OBJ_TABLE, d->name.table);
	mnl_attr_put_strz(m, NFTA_OBJ_NAME, d->name.object);
	mnl_attr_put_u32(m, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
	return mnl_socket_sendto(d->netlink, m, m->nlmsg_len) >= 0;
}

static bool packets_find(const struct nlattr *data, uint64_t *packets)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested (attr, data) {
		if (mnl_attr_get_type(attr) != NFTA_COUNTER_PACKETS ||
		    mnl_attr_get_payload_len(attr) != sizeof(uint64_t))
			continue;
		*packets = be64toh(mnl_attr_get_u64(attr));
		return true;
	}
	return false;
}

/* A message of another kind, or one that is too short, says nothing. */
static bool message_tells(const struct nlmsghdr *m, uint64_t *packets)
{
	const struct nlattr *attr;

	if (m->nlmsg_type != (TABLES | NFT_MSG_NEWOBJ) ||
	    mnl_nlmsg_get_payload_len(m) < sizeof(struct nfgenmsg))
		return false;
	mnl_attr_for_each (attr, m, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) == NFTA_OBJ_DATA && packets_find(attr, packets))
			return true;
	}
	return false;
}

/* What the kernel refuses it with; EBADMSG where it is not to be told. */
static int refusal_of(const struct nlmsghdr *m)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(m);
	int error = mnl_nlmsg_get_payload_len(m) < sizeof(e->error) ? EBADMSG : -e->error;

	return error > 0 ? error : EBADMSG;
}

bool nft_counter_parse(const char *buffer, size_t len, uint64_t *packets, struct err *err)
{
	int left = (int)len;

	for (const struct nlmsghdr *m = (const void *)buffer; message_is_whole(m, left);
	     m = mnl_nlmsg_next(m, &left)) {
		if (message_tells(m, packets))
			return true;
		if (m->nlmsg_type == NLMSG_ERROR)
			return err_sys(err, refusal_of(m),
				       "the kernel refused a look at the gateway's rules");
	}
	return err_sys(err, EBADMSG, "there is no counter in the answer about the gateway's rules");
}

bool nft_counter_read(const struct nft_counter_door *d, uint64_t *packets, struct err *err)
{
	_Alignas(struct nlmsghdr) char buffer[RECEIVE_ROOM];
	ssize_t n;

	if (!counter_ask(d))
		return err_sys(err, errno, "%s", could_not_ask);
	do {
		n = mnl_socket_recvfrom(d->netlink, buffer, sizeof(buffer));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(err, errno, "%s", could_not_ask);
	return nft_counter_parse(buffer, (size_t)n, packets, err);
}
