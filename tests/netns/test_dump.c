/* Socket dumps: what their bytes say, and what comes of a door that is disturbed. */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab_help.h"
#include "sys/endpoint.h"
#include "sys/sockets.h"
#include "tape/tape.h"

#define SECOND INT64_C(1000000000)

/* ---- the bytes, as a kernel sent them once (tests/data) ------------------ */

struct record {
	_Alignas(struct nlmsghdr) char bytes[8192];
	size_t len;
	unsigned states[STATES];
	struct err err;
	bool torn;
};

static struct nlmsghdr *record_open(struct record *r)
{
	memset(r, 0, sizeof(*r));
	r->len = help_file("tests/data/dump", r->bytes, sizeof(r->bytes)).len;
	CU_ASSERT_FATAL(r->len > sizeof(struct nlmsghdr));
	return (struct nlmsghdr *)(void *)r->bytes;
}

static void count_states(void *record, const struct socket_seen *seen)
{
	((struct record *)record)->states[seen->state]++;
}

static enum dump_part record_read(struct record *r, const struct dump_ask *ask, size_t len)
{
	memset(r->states, 0, sizeof(r->states));
	r->torn = false;
	return dump_parse(r->bytes, len, ask, count_states, r, &r->torn, &r->err);
}

static const struct dump_ask any = {0};

/* Six connections from ports 40000 to 40005, three of them closed; and a socket that is bound
 * to 40020. */
static void a_recorded_dump_is_read_as_it_was(void)
{
	struct record r;

	record_open(&r);
	CU_ASSERT_EQUAL(record_read(&r, &any, r.len), DUMP_END);
	CU_ASSERT(!r.torn && r.err.kind == ERR_NONE);
	CU_ASSERT_EQUAL(r.states[STATE_ESTABLISHED], 3);
	CU_ASSERT_EQUAL(r.states[STATE_TIME_WAIT], 3);
	CU_ASSERT_EQUAL(r.states[STATE_BOUND], 1);
	CU_ASSERT_EQUAL(r.states[STATE_LISTEN], 0);
	CU_ASSERT_EQUAL(record_read(&r, &any, 200), DUMP_MORE);
}

/* Every socket has a cookie; one in TIME_WAIT has an end and nobody's inode, the others the
 * reverse. */
static void look_at_rest_of_it(void *wrong, const struct socket_seen *seen)
{
	bool waits = seen->state == STATE_TIME_WAIT;
	bool ends = seen->gone_ns > 0 && seen->gone_ns <= 60 * SECOND;

	*(unsigned *)wrong += seen->cookie == 0 || waits != ends || waits != (seen->inode == 0);
}

static void what_waits_has_an_end_and_what_lives_an_inode(void)
{
	struct record r;
	unsigned wrong = 0;

	record_open(&r);
	CU_ASSERT_EQUAL(
		dump_parse(r.bytes, r.len, &any, look_at_rest_of_it, &wrong, &r.torn, &r.err),
		DUMP_END);
	CU_ASSERT_EQUAL(wrong, 0);
}

static void sockets_that_moved_tear_a_dump(void)
{
	struct record r;

	record_open(&r)->nlmsg_flags |= NLM_F_DUMP_INTR;
	CU_ASSERT_EQUAL(record_read(&r, &any, r.len), DUMP_END);
	CU_ASSERT(r.torn && r.states[STATE_ESTABLISHED] == 3);
}

static void number(struct record *r, uint32_t sequence, uint32_t port_id)
{
	for (size_t at = 0; at + sizeof(struct nlmsghdr) <= r->len;) {
		struct nlmsghdr *m = (struct nlmsghdr *)(void *)(r->bytes + at);

		m->nlmsg_seq = sequence;
		m->nlmsg_pid = port_id;
		at += NLMSG_ALIGN(m->nlmsg_len);
	}
}

/* Neither the end of another dump, nor its torn rows, are anything to this one. */
static void what_answers_another_question_is_passed_over(void)
{
	static const struct {
		uint32_t sequence, port_id;
		enum dump_part part;
		unsigned sockets;
	} rows[] = {{7, 4711, DUMP_END, 3},
		    {6, 4711, DUMP_MORE, 0},
		    {8, 4711, DUMP_MORE, 0},
		    {7, 4712, DUMP_MORE, 0}};
	struct record r;

	record_open(&r)->nlmsg_flags |= NLM_F_DUMP_INTR;
	number(&r, 7, 4711);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct dump_ask ask = {rows[i].sequence, rows[i].port_id, false};

		CU_ASSERT_EQUAL(record_read(&r, &ask, r.len), rows[i].part);
		CU_ASSERT_EQUAL(r.states[STATE_ESTABLISHED], rows[i].sockets);
		CU_ASSERT(r.torn == (rows[i].sockets > 0) && r.err.kind == ERR_NONE);
	}
}

static void a_refused_dump_is_told_from_a_busy_door(void)
{
	static const struct {
		int error;
		enum dump_part part;
	} rows[] = {{EBUSY, DUMP_BUSY}, {ENOENT, DUMP_BROKEN}, {EINVAL, DUMP_BROKEN}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct {
			struct nlmsghdr head;
			struct nlmsgerr error;
		} m = {{sizeof(m), NLMSG_ERROR, 0, 0, 0}, {.error = -rows[i].error}};
		struct record r = {.len = sizeof(m)};

		memcpy(r.bytes, &m, sizeof(m));
		CU_ASSERT_EQUAL(record_read(&r, &any, r.len), rows[i].part);
		CU_ASSERT_EQUAL(r.err.kind == ERR_NONE, rows[i].part == DUMP_BUSY);
		CU_ASSERT(r.err.sys == (rows[i].part == DUMP_BUSY ? 0 : rows[i].error));
	}
}

/* ---- the door ------------------------------------------------------------ */

enum { LISTENERS = 400 /* more than the kernel sends at a time */, FIRST_PORT = 40000 };

struct listeners {
	int fds[LISTENERS];
	unsigned seen;
	struct dump dump;
	struct err err;
	bool torn;
};

static void listen_at_all(struct listeners *l)
{
	for (int i = 0; i < LISTENERS; i++) {
		struct endpoint at = endpoint_any(FAMILY_IPV4, (uint16_t)(FIRST_PORT + i));

		l->fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		CU_ASSERT_FATAL(bind(l->fds[i], &at.any, at.len) == 0);
		CU_ASSERT_FATAL(listen(l->fds[i], 1) == 0);
	}
}

static void count(void *listeners, const struct socket_seen *seen)
{
	((struct listeners *)listeners)->seen += seen->state == STATE_LISTEN;
}

static bool dump_all(struct listeners *l)
{
	const struct socket_filter filter = {.ports = {FIRST_PORT, FIRST_PORT + LISTENERS - 1},
					     .domain = AF_INET};

	l->seen = 0;
	return dump_run(&l->dump, &filter, count, l, &l->torn, &l->err);
}

static void send_to(struct dump *d, uint16_t type, uint16_t flags)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 of;
	} ask = {{sizeof(ask), type, NLM_F_REQUEST | flags, 4711, 0},
		 {.sdiag_family = AF_INET,
		  .sdiag_protocol = IPPROTO_TCP,
		  .idiag_states = 1U << STATE_LISTEN}};

	CU_ASSERT(mnl_socket_sendto(d->netlink, &ask, sizeof(ask)) == sizeof(ask));
}

/* In a namespace that has listeners, and a door to it. */
static void with_listeners(void (*work)(struct help *, void *))
{
	struct listeners l = {0};
	struct help h;

	if (!help_open(&h, "network: {ports: 32768-32799}"))
		CU_FAIL_FATAL("no lab");
	CU_ASSERT(help_inside(&h, LAB_CLIENT, work, &l));
	for (int i = 0; i < LISTENERS; i++)
		close(l.fds[i]);
	dump_close(&l.dump);
	help_close(&h);
}

static void give_up_and_dump(struct help *h, void *context)
{
	struct listeners *l = context;

	listen_at_all(l);
	CU_ASSERT_FATAL(dump_open(&l->dump, &h->err));
	for (int i = 0; i < 2; i++) { /* the second dump, too, is whole */
		send_to(&l->dump, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP);
		CU_ASSERT(dump_all(l) && !l->torn && l->err.kind == ERR_NONE);
		CU_ASSERT_EQUAL(l->seen, LISTENERS);
	}
}

static void the_rest_of_a_dump_given_up_is_none_of_the_next(void)
{
	with_listeners(give_up_and_dump);
}

/* Answers that nobody has asked to be read fill the door's buffer, and the kernel says so once
 * (ENOBUFS). */
static void crowd_and_dump(struct help *h, void *context)
{
	struct listeners *l = context;
	int least = 0;

	listen_at_all(l);
	CU_ASSERT_FATAL(dump_open(&l->dump, &h->err));
	CU_ASSERT(mnl_socket_setsockopt(l->dump.netlink, NETLINK_NO_ENOBUFS, &least,
					sizeof(least)) == 0);
	CU_ASSERT(setsockopt(mnl_socket_get_fd(l->dump.netlink), SOL_SOCKET, SO_RCVBUF, &least,
			     sizeof(least)) == 0);
	for (int i = 0; i < 100; i++)
		send_to(&l->dump, NLMSG_MIN_TYPE, NLM_F_ACK);
	CU_ASSERT(dump_all(l) && l->err.kind == ERR_NONE);
	CU_ASSERT(l->torn);
	CU_ASSERT_EQUAL(l->seen, LISTENERS);
	CU_ASSERT(dump_all(l) && !l->torn && l->seen == LISTENERS);
}

static void what_the_kernel_had_no_room_for_tears_a_dump(void)
{
	with_listeners(crowd_and_dump);
}

static const struct test tests[] = {
	TEST(a_recorded_dump_is_read_as_it_was),
	TEST(what_waits_has_an_end_and_what_lives_an_inode),
	TEST(sockets_that_moved_tear_a_dump),
	TEST(what_answers_another_question_is_passed_over),
	TEST(a_refused_dump_is_told_from_a_busy_door),
	TEST_UNLESS(help_no_network, the_rest_of_a_dump_given_up_is_none_of_the_next),
	TEST_UNLESS(help_no_network, what_the_kernel_had_no_room_for_tears_a_dump),
	TESTS_END,
};

const struct suite suite_dump = {"dump", tests};
