/* The driver's books against the kernel: what ends without the driver, and without a counter, is
 * lost or has an exception of its own, and the books balance. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "book_help.h"
#include "suites.h"

/* ---- from outside -------------------------------------------------------- */

/* The first few that are in that state are ended by SOCK_DESTROY, as by `ss -K`. */
static void destroy_there(struct help *h, void *context)
{
	struct book_scene *s = context;
	int nl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	unsigned left = s->want;

	(void)h;
	for (unsigned i = 0; i < s->count && left; i++) {
		const struct socket_seen *seen = &s->seen[i];
		struct {
			struct nlmsghdr head;
			struct inet_diag_req_v2 of;
		} ask = {{sizeof(ask), SOCK_DESTROY, NLM_F_REQUEST | NLM_F_ACK, 0, 0},
			 {.sdiag_family = AF_INET,
			  .sdiag_protocol = IPPROTO_TCP,
			  .idiag_states = ~0U,
			  .id = {.idiag_sport = htons(seen->local_port),
				 .idiag_dport = htons(seen->remote_port),
				 .idiag_src = {htonl((uint32_t)seen->local.low)},
				 .idiag_dst = {htonl((uint32_t)seen->remote.low)},
				 .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}}};
		struct {
			struct nlmsghdr head;
			struct nlmsgerr error;
			char rest[512];
		} answer;

		if (seen->state != s->state)
			continue;
		CU_ASSERT(send(nl, &ask, sizeof(ask), 0) == sizeof(ask));
		CU_ASSERT(recv(nl, &answer, sizeof(answer), 0) > 0 && answer.error.error == 0);
		left--;
	}
	CU_ASSERT_EQUAL(left, 0);
	close(nl);
}

static void destroy(struct book_scene *s, int state, unsigned n)
{
	book_look(s);
	s->state = state;
	s->want = n;
	CU_ASSERT(help_inside_admin(&s->d.h, LAB_CLIENT, destroy_there, s));
}

static uint16_t sum_of(const struct tcphdr *t, uint32_t from_be, uint32_t to_be)
{
	const struct {
		uint32_t from, to;
		uint16_t protocol, length;
	} head = {from_be, to_be, htons(IPPROTO_TCP), htons(sizeof(*t))};
	uint16_t words[(sizeof(head) + sizeof(*t)) / 2];
	uint32_t sum = 0;

	memcpy(words, &head, sizeof(head));
	memcpy((char *)words + sizeof(head), t, sizeof(*t));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

/* A segment from long ago, of the server's: TIME_WAIT answers it with an ACK, which the server, whose
 * connection is no more, answers with a RST (RFC 1337). */
static void send_old_segment(int raw, const struct socket_seen *seen)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl((uint32_t)seen->local.low)};
	struct tcphdr t = {.source = htons(seen->remote_port),
			   .dest = htons(seen->local_port),
			   .seq = htonl(1),
			   .ack_seq = htonl(1),
			   .doff = sizeof(t) / 4,
			   .ack = 1,
			   .window = htons(100)};

	t.check = sum_of(&t, htonl((uint32_t)seen->remote.low), to.sin_addr.s_addr);
	CU_ASSERT(sendto(raw, &t, sizeof(t), 0, (struct sockaddr *)&to, sizeof(to)) == sizeof(t));
}

/* In a thread of its own, which has the test's rights and stays there. */
static void *kill_waiting(void *context)
{
	struct book_scene *s = context;
	unsigned left = s->want;
	int raw;

	CU_ASSERT(setns(s->d.h.lab.server_ns, CLONE_NEWNET) == 0);
	raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP);
	CU_ASSERT(raw >= 0);
	for (unsigned i = 0; i < s->count && left; i++)
		if (s->seen[i].state == STATE_TIME_WAIT) {
			send_old_segment(raw, &s->seen[i]);
			left--;
		}
	close(raw);
	return NULL;
}

static void kill_time_wait(struct book_scene *s, unsigned n)
{
	pthread_t thread;

	book_look(s);
	s->want = n;
	CU_ASSERT_FATAL(pthread_create(&thread, NULL, kill_waiting, s) == 0);
	pthread_join(thread, NULL);
}

/* ---- the books ----------------------------------------------------------- */

/* Each destination has in the kernel what the test's own dump says. */
static void accounts_are_the_kernels(const struct book_scene *s)
{
	const struct plan *p = &s->d.h.plan;
	const struct tape *t = &s->d.tape;

	CU_ASSERT_FATAL(t->accounts && t->accounts_found &&
			t->account_count == p->destinations + 1);
	for (uint32_t d = 0; d < p->destinations; d++) {
		uint64_t live = 0, closing = 0;

		for (unsigned i = 0; i < s->count; i++) {
			if (s->seen[i].remote_port != plan_service(p, d))
				continue;
			live += s->seen[i].state == STATE_ESTABLISHED;
			closing += s->seen[i].state == STATE_TIME_WAIT;
		}
		CU_ASSERT(t->accounts[d].live == live && t->accounts[d].closing == closing);
	}
	CU_ASSERT_EQUAL(t->accounts[p->destinations].live, 0);
}

static void one_that_somebody_else_destroys_is_lost(void)
{
	static const struct {
		const char *lines;
		int signal;
		unsigned lost;
	} cases[] = {
		/* A request that is under way fails, and ends the load; who is held is found. */
		{"server: {behaviour: ignore}\nload: {total: 8, concurrency: 8, "
		 "timeout: 1m, request: {send: 8B, receive: 8B}}",
		 0, 1},
		{"load: {total: 8, concurrency: 8, hold: 1m}", SIGINT, 3},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char lines[256];
		struct book_scene s;

		snprintf(lines, sizeof(lines), "network: {ports: 40000-40031, services: 2}\n%s",
			 cases[i].lines);
		drive_open(&s.d, lines);
		drive_start(&s.d);
		book_await(&s, STATE_ESTABLISHED, 8);
		CU_ASSERT(drive_await(&s.d.pulse.opened, 8));
		destroy(&s, STATE_ESTABLISHED, cases[i].lost);
		drive_end(&s.d, cases[i].signal);
		CU_ASSERT_EQUAL(s.d.tape.tally.lost, cases[i].lost);
		CU_ASSERT_EQUAL(s.d.tape.tally.open, 8 - cases[i].lost);
		CU_ASSERT(s.d.tape.complete == (cases[i].signal == 0));
		for (int b = 0; b < BOOKS && s.d.tape.complete; b++)
			CU_ASSERT(books_now(&s)[b].known && book_missing(&books_now(&s)[b]) == 0);
		help_close(&s.d.h);
	}
}

/* Eight are closed, and in TIME_WAIT; a ninth holds the load until it is interrupted. */
#define WAITING(rfc1337) \
	"network: {ports: 40000-40031, services: 2, sysctl: {net.ipv4.tcp_tw_reuse: 0, " \
	"net.ipv4.tcp_rfc1337: " rfc1337 "}}\nloads:\n" \
	"  closed: {total: 8}\n  held: {total: 1, hold: 1m}\n"

/* As by a sampler that passes one over: the kernel has counted it, and nothing else explains it. */
static void a_dump_without_one_of_them_is_told(struct book_scene *s)
{
	struct sample *rest = (struct sample *)tape_last_dump(&s->d.tape);

	CU_ASSERT_EQUAL(rest->tw, s->states[STATE_TIME_WAIT]);
	rest->states[STATE_TIME_WAIT]--;
	CU_ASSERT_EQUAL(book_missing(&books_now(s)[BOOK_CLOSED]), 1);
	s->d.tape.accounts[0].closing--;
	CU_ASSERT_EQUAL(book_missing(&books_now(s)[BOOK_CLOSED]), 1);
}

static void what_a_rst_has_killed_in_time_wait_is_an_exception(void)
{
	static const struct {
		const char *lines;
		unsigned killed;
	} cases[] = {{WAITING("0"), 3}, {WAITING("1"), 0}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct book *closed;
		struct book_scene s;

		drive_open(&s.d, cases[i].lines);
		drive_start(&s.d);
		CU_ASSERT(drive_await(&s.d.pulse.opened, 9)); /* before the table is looked at */
		book_await(&s, STATE_TIME_WAIT, 8);
		kill_time_wait(&s, 3);
		book_await(&s, STATE_TIME_WAIT, 8 - cases[i].killed);
		drive_end(&s.d, SIGINT);
		s.d.tape.complete = true; /* as if it had ended by itself, all being at rest */
		closed = &books_now(&s)[BOOK_CLOSED];
		CU_ASSERT(s.d.ok && s.d.tape.tally.lost == 0);
		CU_ASSERT(closed->known && closed->driver == 8);
		CU_ASSERT_EQUAL(closed->found, 8 - cases[i].killed);
		CU_ASSERT_EQUAL(closed->apart, cases[i].killed);
		CU_ASSERT_EQUAL(closed->excepted[EXCEPTION_KILLED], cases[i].killed);
		CU_ASSERT_EQUAL(book_missing(closed), 0);
		CU_ASSERT_EQUAL(book_missing(&books_now(&s)[BOOK_LIVE]), 0);
		accounts_are_the_kernels(&s);
		a_dump_without_one_of_them_is_told(&s);
		help_close(&s.d.h);
	}
}

/* Of 8 in TIME_WAIT and 6 that are open for good, which nobody looks at again, some are gone at rest: what
 * did not end them does not explain it. */
static void what_is_destroyed_at_rest_is_missing_with_its_number(void)
{
	static const char lines[] =
		"network: {ports: 40000-40031, services: 2, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
		"loads:\n  closed: {total: 8}\n  leaked: {total: 6, end: leak}\n"
		"  held: {protocol: udp, total: 1, hold: 1m}\n";
	static const struct {
		unsigned live, closed;
	} cases[] = {{0, 0}, {2, 0}, {0, 3}, {6, 8}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct book *live, *closed;
		struct book_scene s;

		drive_open(&s.d, lines);
		drive_start(&s.d);
		CU_ASSERT(drive_await(&s.d.pulse.opened, 15));
		book_await(&s, STATE_TIME_WAIT, 8);
		destroy(&s, STATE_ESTABLISHED, cases[i].live);
		destroy(&s, STATE_TIME_WAIT, cases[i].closed);
		book_look(&s);
		CU_ASSERT_EQUAL(s.states[STATE_ESTABLISHED], 6 - cases[i].live);
		CU_ASSERT_EQUAL(s.states[STATE_TIME_WAIT], 8 - cases[i].closed);
		drive_end(&s.d, SIGINT);
		s.d.tape.complete = true; /* as if it had ended by itself, all being at rest */
		live = &books_now(&s)[BOOK_LIVE];
		closed = &books_now(&s)[BOOK_CLOSED];
		CU_ASSERT(s.d.ok && s.d.tape.tally.lost == 0 && live->known && closed->known);
		CU_ASSERT_EQUAL(book_missing(live), cases[i].live);
		CU_ASSERT_EQUAL(live->foreign, cases[i].live);
		CU_ASSERT_EQUAL(book_missing(closed), cases[i].closed);
		CU_ASSERT_EQUAL(closed->foreign, cases[i].closed);
		help_close(&s.d.h);
	}
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, one_that_somebody_else_destroys_is_lost),
	TEST_UNLESS(help_no_network, what_a_rst_has_killed_in_time_wait_is_an_exception),
	TEST_UNLESS(help_no_network, what_is_destroyed_at_rest_is_missing_with_its_number),
	TESTS_END,
};

const struct suite suite_books = {"books", tests};
