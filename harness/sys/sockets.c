#include "sys/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/message.h"
#include "sys/procnet.h"
#include "sys/sysctl.h"

enum {
	RECEIVE_ROOM =
		32 * 1024, /* larger buys nothing: the kernel fills at most this much at a time */
	STATE_LISTENING = 10,  /* TCP_LISTEN, include/net/tcp_states.h */
	STATE_BOUND_ONLY = 12, /* ours for a TCP_CLOSE row: bound, not connected */
	STATE_CLOSED = 7,
	ALL_STATES = 0x3fff, /* up to TCPF_BOUND_INACTIVE; ignored before Linux 6.8 */
	STATES_HOLDING = 1 << STATE_LISTENING | 1 << 13, /* a port towards everybody */
	TIMER_TIME_WAIT = 3,				 /* of idiag_timer: inet_twsk_diag_fill() */
	RESERVED_ROOM = 1 << 16, /* the kernel prints the list whole, longer than a page */
};

bool dump_open(struct dump *out, struct err *err)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);

	*out = (struct dump){0};
	if (!nl)
		return err_sys(err, errno, "could not open sock_diag");
	out->buffer = malloc(RECEIVE_ROOM);
	if (!out->buffer || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		err_sys(err, errno, "could not open sock_diag");
		free(out->buffer);
		mnl_socket_close(nl);
		*out = (struct dump){0};
		return false;
	}
	out->netlink = nl;
	return true;
}

bool dump_open_proc(struct dump *out, struct err *err)
{
	*out = (struct dump){.buffer = malloc(RECEIVE_ROOM)};
	return out->buffer || err_sys(err, errno, "could not list sockets");
}

void dump_close(struct dump *d)
{
	if (d->netlink)
		mnl_socket_close(d->netlink);
	free(d->buffer);
	*d = (struct dump){0};
}

/* What is dumped at once: sockets of one domain and protocol, in some states. */
struct part {
	int domain;
	enum protocol protocol;
	unsigned states;
};

/* Asking for listeners alone is cheap (0.03 ms among 500,000 sockets, Linux 6.18), and asking
 * twice walks no table twice: each state is in one. */
static const struct part parts[] = {
	{AF_INET, PROTOCOL_TCP, STATES_HOLDING},
	{AF_INET6, PROTOCOL_TCP, STATES_HOLDING},
	{AF_INET, PROTOCOL_TCP, ALL_STATES & ~STATES_HOLDING},
	{AF_INET6, PROTOCOL_TCP, ALL_STATES & ~STATES_HOLDING},
	{AF_INET, PROTOCOL_UDP, ALL_STATES},
	{AF_INET6, PROTOCOL_UDP, ALL_STATES},
};

/* For inet_diag_bc_run(): tests, each of which goes on with the next, or refuses the socket: by a jump
 * to 4 bytes behind the end. */
struct program {
	char bytes[64];
	size_t len;
};

static void add_bytes(struct program *p, const void *from, size_t n)
{
	memcpy(p->bytes + p->len, from, n);
	p->len += n;
}

/* What it is tested against is added after it. */
static void add_test(struct program *p, uint8_t code, size_t operand)
{
	struct inet_diag_bc_op op = {.code = code, .yes = (uint8_t)(sizeof(op) + operand)};

	add_bytes(p, &op, sizeof(op));
}

static void add_port_test(struct program *p, uint8_t code, uint16_t port)
{
	struct inet_diag_bc_op operand = {.no = port};

	add_test(p, code, sizeof(operand));
	add_bytes(p, &operand, sizeof(operand));
}

/* An IPv4 address fits that of a mapped socket, too. */
static void add_remote_test(struct program *p, const struct remote *to)
{
	bool is_ipv4 = address_is_ipv4(to->address);
	size_t bytes = is_ipv4 ? 4 : 16;
	const struct inet_diag_hostcond condition = {
		.family = is_ipv4 ? AF_INET : AF_INET6,
		.prefix_len = (uint8_t)(8 * bytes),
		.port = to->port ? to->port : -1,
	};
	uint8_t address[16];

	address_bytes(to->address, address);
	add_test(p, INET_DIAG_BC_D_COND, sizeof(condition) + bytes);
	add_bytes(p, &condition, sizeof(condition));
	add_bytes(p, address + sizeof(address) - bytes, bytes);
}

static void end_tests(struct program *p)
{
	for (size_t at = 0; at < p->len;) {
		struct inet_diag_bc_op op;

		memcpy(&op, p->bytes + at, sizeof(op));
		op.no = (uint16_t)(p->len - at + 4);
		memcpy(p->bytes + at, &op, sizeof(op));
		at += op.yes;
	}
}

static struct program program_of(const struct socket_filter *filter, const struct part *part)
{
	struct program p = {.len = 0};

	add_port_test(&p, INET_DIAG_BC_S_GE, filter->ports.lo);
	add_port_test(&p, INET_DIAG_BC_S_LE, filter->ports.hi);
	if (filter->to && part->states != STATES_HOLDING)
		add_remote_test(&p, filter->to);
	end_tests(&p);
	return p;
}

static bool request_dump(struct dump *d, const struct part *part,
			 const struct socket_filter *filter)
{
	const struct program program = program_of(filter, part);
	_Alignas(struct nlmsghdr) char buffer[256] = {0};
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *ask;

	message->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	d->sequence +=
		d->sequence == UINT32_MAX ? 2 : 1; /* never 0: that is any (struct dump_ask) */
	message->nlmsg_seq = d->sequence;
	ask = mnl_nlmsg_put_extra_header(message, sizeof(*ask));
	ask->sdiag_family = (uint8_t)part->domain;
	ask->sdiag_protocol = part->protocol == PROTOCOL_UDP ? IPPROTO_UDP : IPPROTO_TCP;
	ask->idiag_states = part->states;
	mnl_attr_put(message, INET_DIAG_REQ_BYTECODE, program.len, program.bytes);
	return mnl_socket_sendto(d->netlink, message, message->nlmsg_len) >= 0;
}

static struct address address_of(const struct inet_diag_msg *row, const __be32 words[4])
{
	uint8_t bytes[16];

	if (row->idiag_family == AF_INET)
		return address_ipv4(ntohl(words[0]));
	memcpy(bytes, words, sizeof(bytes));
	return address_of_bytes(bytes);
}

static struct socket_seen seen_of(const struct inet_diag_msg *row)
{
	return (struct socket_seen){
		.local = address_of(row, row->id.idiag_src),
		.remote = address_of(row, row->id.idiag_dst),
		.local_port = ntohs(row->id.idiag_sport),
		.remote_port = ntohs(row->id.idiag_dport),
		.state = row->idiag_state == STATE_CLOSED ? STATE_BOUND_ONLY : row->idiag_state,
		.gone_ns = row->idiag_timer == TIMER_TIME_WAIT
				   ? row->idiag_expires * INT64_C(1000000)
				   : -1,
		.cookie = row->id.idiag_cookie[0] | (uint64_t)row->id.idiag_cookie[1] << 32,
		.inode = row->idiag_inode,
	};
}

static enum dump_part read_error(const struct nlmsghdr *m, struct err *err)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(m);
	int error = mnl_nlmsg_get_payload_len(m) < sizeof(e->error) ? EBADMSG : -e->error;

	if (error == EBUSY)
		return DUMP_BUSY;
	err_sys(err, error > 0 ? error : EBADMSG, "the kernel refused a socket dump");
	if (error == ENOENT)
		err_hint(err, "Load the kernel's modules tcp_diag and udp_diag.");
	return DUMP_BROKEN;
}

static void read_row(const struct nlmsghdr *m, bool datagrams,
		     void (*each)(void *, const struct socket_seen *), void *context)
{
	struct socket_seen seen;

	if (m->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    mnl_nlmsg_get_payload_len(m) < sizeof(struct inet_diag_msg))
		return;
	seen = seen_of(mnl_nlmsg_get_payload(m));
	seen.datagrams = datagrams;
	each(context, &seen);
}

enum dump_part dump_parse(char *buffer, size_t len, const struct dump_ask *ask,
			  void (*each)(void *, const struct socket_seen *), void *context,
			  bool *torn, struct err *err)
{
	int left = (int)len;

	for (struct nlmsghdr *m = (struct nlmsghdr *)(void *)buffer; message_is_whole(m, left);
	     m = mnl_nlmsg_next(m, &left)) {
		if (!mnl_nlmsg_seq_ok(m, ask->sequence) || !mnl_nlmsg_portid_ok(m, ask->port_id))
			continue;
		if (m->nlmsg_flags & NLM_F_DUMP_INTR)
			*torn = true;
		if (m->nlmsg_type == NLMSG_DONE)
			return DUMP_END;
		if (m->nlmsg_type == NLMSG_ERROR)
			return read_error(m, err);
		read_row(m, ask->datagrams, each, context);
	}
	return DUMP_MORE;
}

static enum dump_part receive(struct dump *d, const struct dump_ask *ask,
			      void (*each)(void *, const struct socket_seen *), void *context,
			      bool *torn, struct err *err)
{
	ssize_t len = mnl_socket_recvfrom(d->netlink, d->buffer, RECEIVE_ROOM);
	int e = errno;

	if (len >= 0)
		return dump_parse(d->buffer, (size_t)len, ask, each, context, torn, err);
	if (e == ENOBUFS)
		*torn = true;
	if (e == ENOBUFS || e == EINTR)
		return DUMP_MORE;
	err_sys(err, e, "could not read a socket dump");
	return DUMP_BROKEN;
}

static void nobody(void *context, const struct socket_seen *seen)
{
	(void)context;
	(void)seen;
}

/* A dump that was given up goes on as long as somebody reads, and until its end the kernel begins no
 * other for this door: what is left of it is read, and left out. */
static bool pass_over_rest(struct dump *d, struct err *err)
{
	static const struct dump_ask any = {0};
	enum dump_part part = DUMP_MORE;
	bool torn = false;

	while (part == DUMP_MORE)
		part = receive(d, &any, nobody, NULL, &torn, err);
	if (part == DUMP_BUSY)
		return err_sys(err, EBUSY, "could not ask for a socket dump");
	return part == DUMP_END;
}

static enum dump_part ask_and_read(struct dump *d, const struct part *p,
				   const struct socket_filter *filter,
				   void (*each)(void *, const struct socket_seen *), void *context,
				   bool *torn, struct err *err)
{
	struct dump_ask ask = {.port_id = mnl_socket_get_portid(d->netlink),
			       .datagrams = p->protocol == PROTOCOL_UDP};
	enum dump_part part = DUMP_MORE;

	if (!request_dump(d, p, filter)) {
		err_sys(err, errno, "could not ask for a socket dump");
		return DUMP_BROKEN;
	}
	ask.sequence = d->sequence;
	while (part == DUMP_MORE)
		part = receive(d, &ask, each, context, torn, err);
	return part;
}

static bool part_run(struct dump *d, const struct part *p, const struct socket_filter *filter,
		     void (*each)(void *, const struct socket_seen *), void *context, bool *torn,
		     struct err *err)
{
	enum dump_part part = ask_and_read(d, p, filter, each, context, torn, err);

	while (part == DUMP_BUSY)
		part = pass_over_rest(d, err) ? ask_and_read(d, p, filter, each, context, torn, err)
					      : DUMP_BROKEN;
	return part == DUMP_END;
}

static bool is_wanted(const struct socket_filter *filter, const struct part *p)
{
	unsigned protocols = filter->protocols ? filter->protocols : 1U << PROTOCOL_TCP;

	return protocols >> p->protocol & 1 &&
	       (filter->domain == AF_UNSPEC || filter->domain == p->domain ||
		p->states == STATES_HOLDING);
}

static bool part_read(struct dump *d, const struct part *p, const struct socket_filter *filter,
		      void (*each)(void *, const struct socket_seen *), void *context, bool *torn,
		      struct err *err)
{
	const struct procnet_wish wish = {
		.domain = p->domain,
		.datagrams = p->protocol == PROTOCOL_UDP,
		.states = p->states == STATES_HOLDING ? 1U << STATE_LISTENING : p->states,
		.ports = filter->ports,
		.to = p->states == STATES_HOLDING ? NULL : filter->to,
	};

	return procnet_read(&wish, d->buffer, RECEIVE_ROOM, each, context, torn, err);
}

bool dump_run(struct dump *d, const struct socket_filter *filter,
	      void (*each)(void *, const struct socket_seen *), void *context, bool *torn,
	      struct err *err)
{
	*torn = false;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (is_wanted(filter, &parts[i]) &&
		    !(d->netlink ? part_run : part_read)(d, &parts[i], filter, each, context, torn,
							 err))
			return false;
	return true;
}

bool reserved_read(struct portset *reserved, struct err *err)
{
	static const char name[] = "net.ipv4.ip_local_reserved_ports";
	char *list = malloc(RESERVED_ROOM);
	int sys = list ? sysctl_read(text_of(name), list, RESERVED_ROOM) : ENOMEM;

	if (sys == 0)
		portset_read(reserved, text_of(list));
	free(list);
	return sys == 0 || err_sys(err, sys, "could not read %s", name);
}
