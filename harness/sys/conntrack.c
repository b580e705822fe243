#include "sys/conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "sys/message.h"
#include "sys/netfilter.h"

enum { RECEIVE_ROOM = 8192, ASK_BYTES = 64 };

static const char could_not_ask[] = "could not ask about tracked connections";

/* An attribute of a message, and the figure that it adds to. */
struct figure {
	uint16_t attribute;
	size_t field;
};

static const struct figure of_cpu[] = {
	{CTA_STATS_INSERT_FAILED, offsetof(struct conntrack_counts, insert_failed)},
	{CTA_STATS_DROP, offsetof(struct conntrack_counts, drop)},
	{CTA_STATS_EARLY_DROP, offsetof(struct conntrack_counts, early_drop)},
	{0, 0},
};
static const struct figure of_all[] = {
	{CTA_STATS_GLOBAL_ENTRIES, offsetof(struct conntrack_counts, entries)},
	{0, 0},
};

/* What is asked, in this order: each processor's counters are a message. */
static const struct question {
	uint8_t message;
	uint16_t flags;
	const struct figure *figures;
} questions[] = {
	{IPCTNL_MSG_CT_GET_STATS_CPU, NLM_F_DUMP, of_cpu},
	{IPCTNL_MSG_CT_GET_STATS, NLM_F_ACK, of_all},
};

enum { QUESTIONS = sizeof(questions) / sizeof(questions[0]) };

static uint16_t type_of(const struct question *q)
{
	return (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | q->message);
}

bool conntrack_open(struct conntrack_door *out, struct err *err)
{
	out->netlink = netfilter_open(could_not_ask, err);
	return out->netlink;
}

void conntrack_close(struct conntrack_door *d)
{
	netfilter_close(&d->netlink);
}

static bool question_send(struct mnl_socket *nl, const struct question *q)
{
	_Alignas(struct nlmsghdr) char buffer[ASK_BYTES] = {0};
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *what = mnl_nlmsg_put_extra_header(m, sizeof(*what));

	m->nlmsg_type = type_of(q);
	m->nlmsg_flags = NLM_F_REQUEST | q->flags;
	what->nfgen_family = AF_INET;
	what->version = NFNETLINK_V0;
	return mnl_socket_sendto(nl, m, m->nlmsg_len) >= 0;
}

static void figure_add(const struct figure *figures, const struct nlattr *attr,
		       struct conntrack_counts *out)
{
	for (const struct figure *f = figures; f->attribute; f++)
		if (mnl_attr_get_type(attr) == f->attribute &&
		    mnl_attr_get_payload_len(attr) == sizeof(uint32_t))
			*(uint64_t *)(void *)((char *)out + f->field) +=
				ntohl(mnl_attr_get_u32(attr));
}

/* A message of another kind, or one that is too short, says nothing. */
static void message_read(const struct nlmsghdr *m, struct conntrack_counts *out)
{
	const struct nlattr *attr;

	if (mnl_nlmsg_get_payload_len(m) < sizeof(struct nfgenmsg))
		return;
	for (size_t i = 0; i < QUESTIONS; i++) {
		if (m->nlmsg_type != type_of(&questions[i]))
			continue;
		mnl_attr_for_each (attr, m, sizeof(struct nfgenmsg)) {
			figure_add(questions[i].figures, attr, out);
		}
	}
}

/* An errno value of 0 acknowledges: what was asked for is there. */
static enum conntrack_part end_read(const struct nlmsghdr *m, struct err *err)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(m);
	int error = mnl_nlmsg_get_payload_len(m) < sizeof(e->error) ? EBADMSG : -e->error;

	if (error == 0)
		return CONNTRACK_END;
	err_sys(err, error > 0 ? error : EBADMSG,
		"the kernel refused a look at tracked connections");
	return CONNTRACK_BROKEN;
}

enum conntrack_part conntrack_parse(const char *buffer, size_t len, struct conntrack_counts *out,
				    struct err *err)
{
	int left = (int)len;

	for (const struct nlmsghdr *m = (const void *)buffer; message_is_whole(m, left);
	     m = mnl_nlmsg_next(m, &left)) {
		if (m->nlmsg_type == NLMSG_DONE)
			return CONNTRACK_END;
		if (m->nlmsg_type == NLMSG_ERROR)
			return end_read(m, err);
		message_read(m, out);
	}
	return CONNTRACK_MORE;
}

static bool question_ask(struct mnl_socket *nl, const struct question *q,
			 struct conntrack_counts *out, struct err *err)
{
	_Alignas(struct nlmsghdr) char buffer[RECEIVE_ROOM];
	enum conntrack_part part = CONNTRACK_MORE;

	if (!question_send(nl, q))
		return err_sys(err, errno, "%s", could_not_ask);
	while (part == CONNTRACK_MORE) {
		ssize_t n = mnl_socket_recvfrom(nl, buffer, sizeof(buffer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "%s", could_not_ask);
		part = conntrack_parse(buffer, (size_t)n, out, err);
	}
	return part == CONNTRACK_END;
}

bool conntrack_read(const struct conntrack_door *d, struct conntrack_counts *out, struct err *err)
{
	*out = (struct conntrack_counts){0};
	for (size_t i = 0; i < QUESTIONS; i++)
		if (!question_ask(d->netlink, &questions[i], out, err))
			return false;
	return true;
}
