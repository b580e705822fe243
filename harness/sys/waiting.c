#include "sys/waiting.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/sock_diag.h>
#include <stdlib.h>

#include "sys/clock.h"
#include "sys/message.h"

enum {
	RECEIVE_ROOM = 32 * 1024,
	STATE_TIME_WAIT = 6, /* TCP_TIME_WAIT, include/net/tcp_states.h */
	TIMER_TIME_WAIT = 3, /* idiag_timer of a timewait socket */
	MESSAGE = NLMSG_HDRLEN + sizeof(struct inet_diag_req_v2),
	BATCH = 64, /* requests a send: more buy nothing, and their answers must fit the socket */
};

bool waiting_open(struct waiting_door *out, int domain, struct err *err)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	int yes = 1;

	*out = (struct waiting_door){.netlink = nl, .domain = domain};
	if (!nl)
		return err_sys(err, errno, "could not open sock_diag");
	mnl_socket_setsockopt(nl, NETLINK_CAP_ACK, &yes, sizeof(yes)); /* short answers */
	out->buffer = malloc(RECEIVE_ROOM);
	if (out->buffer && mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) == 0)
		return true;
	err_sys(err, errno, "could not open sock_diag");
	waiting_close(out);
	return false;
}

void waiting_close(struct waiting_door *d)
{
	if (d->netlink)
		mnl_socket_close(d->netlink);
	free(d->buffer);
	*d = (struct waiting_door){0};
}

static struct inet_diag_req_v2 *put_request(int domain, char *at, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(at);
	struct inet_diag_req_v2 *ask = mnl_nlmsg_put_extra_header(message, sizeof(*ask));

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	ask->sdiag_family = (uint8_t)domain;
	ask->sdiag_protocol = IPPROTO_TCP;
	return ask;
}

static void read_row(const struct nlmsghdr *m, const struct waiting_answers *a)
{
	const struct inet_diag_msg *row = mnl_nlmsg_get_payload(m);
	struct waiting w;

	if (mnl_nlmsg_get_payload_len(m) < sizeof(*row) || row->idiag_state != STATE_TIME_WAIT ||
	    row->idiag_timer != TIMER_TIME_WAIT)
		return;
	w = (struct waiting){
		.until_ns = a->now_ns + row->idiag_expires * INT64_C(1000000),
		.local_port = ntohs(row->id.idiag_sport),
		.remote_port = ntohs(row->id.idiag_dport),
		.domain = row->idiag_family,
		.id = row->id,
	};
	a->each(a->context, &w);
}

/* 0, or an errno value. */
static int read_error(const struct nlmsghdr *m)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(m);

	if (mnl_nlmsg_get_payload_len(m) < sizeof(e->error) || e->error > 0 || e->error < -4095)
		return EBADMSG;
	return -e->error;
}

static void read_message(const struct nlmsghdr *m, struct waiting_answers *a)
{
	if (m->nlmsg_type == NLMSG_DONE) {
		a->ended = true;
	} else if (m->nlmsg_type == SOCK_DIAG_BY_FAMILY && a->each) {
		read_row(m, a);
	} else if (m->nlmsg_type == NLMSG_ERROR) {
		a->error = read_error(m);
		a->errors += a->error != 0;
		a->ended |= a->each || m->nlmsg_seq != 0; /* the last of a batch has a number */
	}
}

void waiting_parse(char *buffer, size_t len, struct waiting_answers *a)
{
	int left = (int)len;

	for (struct nlmsghdr *m = (struct nlmsghdr *)(void *)buffer; message_is_whole(m, left);
	     m = mnl_nlmsg_next(m, &left))
		read_message(m, a);
}

static bool receive(const struct waiting_door *d, struct waiting_answers *a, struct err *err)
{
	ssize_t len = mnl_socket_recvfrom(d->netlink, d->buffer, RECEIVE_ROOM);

	if (len < 0)
		return errno == EINTR ||
		       err_sys(err, errno, "could not read of the sockets in TIME_WAIT");
	a->now_ns = clock_now();
	waiting_parse(d->buffer, (size_t)len, a);
	return true;
}

/* The kernel dumps one domain at a time. */
static bool list_domain(struct waiting_door *d, int domain, struct waiting_answers answers,
			struct err *err)
{
	_Alignas(struct nlmsghdr) char message[MESSAGE] = {0};

	put_request(domain, message, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP)->idiag_states =
		1U << STATE_TIME_WAIT;
	if (mnl_socket_sendto(d->netlink, message, MESSAGE) < 0)
		return err_sys(err, errno, "could not ask for the sockets in TIME_WAIT");
	while (!answers.ended)
		if (!receive(d, &answers, err))
			return false;
	return answers.error == 0 ||
	       err_sys(err, answers.error, "the kernel refused a dump of TIME_WAIT");
}

bool waiting_list(struct waiting_door *d, void (*each)(void *, const struct waiting *),
		  void *context, struct err *err)
{
	static const int domains[] = {AF_INET, AF_INET6};
	const struct waiting_answers answers = {.each = each, .context = context};

	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++)
		if ((d->domain == AF_UNSPEC || d->domain == domains[i]) &&
		    !list_domain(d, domains[i], answers, err))
			return false;
	return true;
}

/* Sends a batch. Without NLM_F_ACK only what fails is answered; so the last of them asks for an
 * answer, and has a number. */
static bool destroy_batch(struct waiting_door *d, const struct waiting *list, size_t count,
			  struct waiting_answers *answers, struct err *err)
{
	_Alignas(struct nlmsghdr) char messages[BATCH * MESSAGE] = {0};

	for (size_t i = 0; i < count; i++) {
		char *at = messages + i * MESSAGE;
		bool last = i + 1 == count;

		put_request(list[i].domain, at, SOCK_DESTROY, last ? NLM_F_ACK : 0)->id =
			list[i].id;
		((struct nlmsghdr *)(void *)at)->nlmsg_seq = last;
	}
	if (mnl_socket_sendto(d->netlink, messages, count * MESSAGE) < 0)
		return err_sys(err, errno, "could not destroy sockets in TIME_WAIT");
	while (!answers->ended)
		if (!receive(d, answers, err))
			return false;
	return true;
}

bool waiting_destroy(struct waiting_door *d, const struct waiting *list, size_t count,
		     size_t *destroyed, struct err *err)
{
	*destroyed = 0;
	while (count > 0) {
		size_t n = count < BATCH ? count : BATCH;
		struct waiting_answers answers = {0};

		if (!destroy_batch(d, list, n, &answers, err))
			return false;
		if (answers.errors && answers.error == EPERM)
			return err_sys(err, EPERM, "could not destroy sockets in TIME_WAIT");
		*destroyed += n - answers.errors; /* ENOENT: it was gone, or taken by a connect */
		list += n;
		count -= n;
	}
	return true;
}

/* No socket has port 0: a kernel that can do it finds none. */
bool waiting_possible(struct waiting_door *d, struct err *err)
{
	const struct waiting nobody = {.domain = AF_INET};
	struct waiting_answers answers = {0};

	if (!destroy_batch(d, &nobody, 1, &answers, err))
		return false;
	if (answers.error != EOPNOTSUPP)
		return true;
	err_set(err, ERR_HOST, "this kernel cannot destroy sockets (SOCK_DESTROY)");
	return err_hint(err, "network.time_wait below 60s takes a kernel built with "
			     "CONFIG_INET_DIAG_DESTROY.");
}
