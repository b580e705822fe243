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

#include "drive_help.h"
#include "judge/books.h"
#include "suites.h"
#include "sys/clock.h"
#include "sys/sockets.h"

enum { SEEN_MOST = 64 };

/* The client's sockets, as a dump of the test's own has them. */
struct scene {
	struct drive d;
	struct socket_seen seen[SEEN_MOST];
	unsigned count, states[STATES];
	unsigned want; /* so many are to be ended from outside */
	bool ok;
	pthread_mutex_t lock;
};

static void see(void *context, const struct socket_seen *seen)
{
	struct scene *s = context;

	if (seen->state == STATE_LISTEN || s->count == SEEN_MOST)
		return;
	s->states[seen->state]++;
	s->seen[s->count++] = *seen;
}

static void look_there(struct help *h, void *context)
{
	struct socket_filter filter = {.ports = h->plan.watched};
	struct scene *s = context;
	struct dump dump;
	bool torn = false;

	s->count = 0;
	memset(s->states, 0, sizeof(s->states));
	s->ok = dump_open(&dump, &h->err) && dump_run(&dump, &filter, see, s, &torn, &h->err) &&
		!torn;
	dump_close(&dump);
}

static void look(struct scene *s)
{
	CU_ASSERT_FATAL(help_inside(&s->d.h, LAB_CLIENT, look_there, s) && s->ok);
}

static void await_state(struct scene *s, int state, unsigned n)
{
	for (int i = 0; i < 5000; i++) {
		look(s);
		if (s->states[state] == n)
			return;
		clock_sleep(1000000);
	}
	printf("%u %s, not %u\n", s->states[state], state_name(state), n);
	CU_FAIL("the sockets never came into that state");
}

/* ---- from outside -------------------------------------------------------- */

/* The first few that are established are ended by SOCK_DESTROY, as by `ss -K`. */
static void destroy_there(struct help *h, void *context)
{
	struct scene *s = context;
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

		if (seen->state != STATE_ESTABLISHED)
			continue;
		CU_ASSERT(send(nl, &ask, sizeof(ask), 0) == sizeof(ask));
		CU_ASSERT(recv(nl, &answer, sizeof(answer), 0) > 0 && answer.error.error == 0);
		left--;
	}
	CU_ASSERT_EQUAL(left, 0);
	close(nl);
}

static void destroy(struct scene *s, unsigned n)
{
	look(s);
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
	struct scene *s = context;
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

static void kill_time_wait(struct scene *s, unsigned n)
{
	pthread_t thread;

	look(s);
	s->want = n;
	CU_ASSERT_FATAL(pthread_create(&thread, NULL, kill_waiting, s) == 0);
	pthread_join(thread, NULL);
}

/* ---- the books ----------------------------------------------------------- */

static const struct book *books(struct scene *s)
{
	static struct measures m;

	measure(&m, &s->d.tape, &s->d.h.plan, &s->d.h.arena);
	return m.books;
}

/* Each destination has in the kernel what the test's own dump says. */
static void accounts_are_the_kernels(const struct scene *s)
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
		struct scene s;

		snprintf(lines, sizeof(lines), "network: {ports: 40000-40031, services: 2}\n%s",
			 cases[i].lines);
		drive_open(&s.d, lines);
		drive_start(&s.d);
		await_state(&s, STATE_ESTABLISHED, 8);
		CU_ASSERT(drive_await(&s.d.pulse.opened, 8));
		destroy(&s, cases[i].lost);
		drive_end(&s.d, cases[i].signal);
		CU_ASSERT_EQUAL(s.d.tape.tally.lost, cases[i].lost);
		CU_ASSERT_EQUAL(s.d.tape.tally.open, 8 - cases[i].lost);
		CU_ASSERT(s.d.tape.complete == (cases[i].signal == 0));
		for (int b = 0; b < BOOKS && s.d.tape.complete; b++)
			CU_ASSERT(books(&s)[b].known && book_missing(&books(&s)[b]) == 0);
		help_close(&s.d.h);
	}
}

/* Eight are closed, and in TIME_WAIT; a ninth holds the load until it is interrupted. */
#define WAITING(rfc1337) \
	"network: {ports: 40000-40031, services: 2, sysctl: {net.ipv4.tcp_tw_reuse: 0, " \
	"net.ipv4.tcp_rfc1337: " rfc1337 "}}\nloads:\n" \
	"  closed: {total: 8}\n  held: {total: 1, hold: 1m}\n"

/* As by a sampler that passes one over: the kernel has counted it, and nothing else explains it. */
static void a_dump_without_one_of_them_is_told(struct scene *s)
{
	struct sample *rest = (struct sample *)tape_last_dump(&s->d.tape);

	CU_ASSERT_EQUAL(rest->tw, s->states[STATE_TIME_WAIT]);
	rest->states[STATE_TIME_WAIT]--;
	CU_ASSERT_EQUAL(book_missing(&books(s)[BOOK_CLOSED]), 1);
	s->d.tape.accounts[0].closing--;
	CU_ASSERT_EQUAL(book_missing(&books(s)[BOOK_CLOSED]), 1);
}

static void what_a_rst_has_killed_in_time_wait_is_an_exception(void)
{
	static const struct {
		const char *lines;
		unsigned killed;
	} cases[] = {{WAITING("0"), 3}, {WAITING("1"), 0}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct book *closed;
		struct scene s;

		drive_open(&s.d, cases[i].lines);
		drive_start(&s.d);
		CU_ASSERT(drive_await(&s.d.pulse.opened, 9)); /* before the table is looked at */
		await_state(&s, STATE_TIME_WAIT, 8);
		kill_time_wait(&s, 3);
		await_state(&s, STATE_TIME_WAIT, 8 - cases[i].killed);
		drive_end(&s.d, SIGINT);
		s.d.tape.complete = true; /* as if it had ended by itself, all being at rest */
		closed = &books(&s)[BOOK_CLOSED];
		CU_ASSERT(s.d.ok && s.d.tape.tally.lost == 0);
		CU_ASSERT(closed->known && closed->driver == 8);
		CU_ASSERT_EQUAL(closed->found, 8 - cases[i].killed);
		CU_ASSERT_EQUAL(closed->apart, cases[i].killed);
		CU_ASSERT_EQUAL(closed->excepted[EXCEPTION_KILLED], cases[i].killed);
		CU_ASSERT_EQUAL(book_missing(closed), 0);
		CU_ASSERT_EQUAL(book_missing(&books(&s)[BOOK_LIVE]), 0);
		accounts_are_the_kernels(&s);
		a_dump_without_one_of_them_is_told(&s);
		help_close(&s.d.h);
	}
}

/* One that has met itself is one socket to the driver and to the kernel: it needs no exception, open or
 * closed, though its port is the server's. */
static void one_that_meets_itself_is_counted_once(void)
{
	static const struct {
		const char *load;
		unsigned live, closing;
	} cases[] = {{"end: leak", 1, 0}, {"end: close", 0, 1}, {"end: reset", 0, 0}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char lines[256];
		struct scene s;

		snprintf(lines, sizeof(lines),
			 "network: {topology: loopback, ports: 40010-40011, services: [40010]}\n"
			 "server: {behaviour: refuse}\nload: {bind: port 40010, total: 1, %s}",
			 cases[i].load);
		drive_open(&s.d, lines);
		drive_plan(&s.d);
		look(&s);
		CU_ASSERT(s.d.tape.tally.self_connects == 1 && s.d.tape.complete);
		CU_ASSERT_EQUAL(books(&s)[BOOK_LIVE].found, cases[i].live);
		CU_ASSERT_EQUAL(books(&s)[BOOK_CLOSED].found, cases[i].closing);
		/* What was open is closed when the load has ended. */
		CU_ASSERT(cases[i].live || s.states[STATE_TIME_WAIT] == cases[i].closing);
		for (int b = 0; b < BOOKS; b++)
			CU_ASSERT(book_missing(&books(&s)[b]) == 0);
		help_close(&s.d.h);
	}
}

/* While the loads' sockets live; of the last of their threads all are there. */
static void look_at_both(void *context, struct worker *worker)
{
	static const unsigned both = 1U << PROTOCOL_TCP | 1U << PROTOCOL_UDP;
	struct scene *s = context;
	const struct socket_filter filter = {.ports = s->d.h.plan.watched, .protocols = both};
	struct err err = {0};
	struct dump dump;
	bool torn = false;

	(void)worker;
	pthread_mutex_lock(&s->lock);
	s->count = 0;
	CU_ASSERT(dump_open(&dump, &err) && dump_run(&dump, &filter, see, s, &torn, &err) && !torn);
	dump_close(&dump);
	pthread_mutex_unlock(&s->lock);
}

/* Of the sockets that were seen, those of an account, in this state. */
static uint64_t seen_of(const struct scene *s, struct account_place at, int state)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < s->count; i++)
		n += s->seen[i].state == state && s->seen[i].remote_port == at.port &&
		     s->seen[i].datagrams == at.datagrams &&
		     address_eq(s->seen[i].remote, at.address);
	return n;
}

/* Each destination has in the kernel what the driver has, of each family and protocol by itself. */
static void accounts_are_apart(struct scene *s, const char *lines, uint32_t accounts)
{
	const struct plan *p = &s->d.h.plan;
	uint64_t live = 0, closing = 0;

	drive_open(&s->d, lines);
	CU_ASSERT_EQUAL_FATAL(plan_accounts(p), accounts);
	drive_looked_at(&s->d, look_at_both, s);
	CU_ASSERT_FATAL(s->d.ok && s->d.tape.accounts_found);
	for (uint32_t i = 0; i < accounts; i++) {
		const struct account *a = &s->d.tape.accounts[i];
		struct account_place at = plan_account_place(p, i);

		CU_ASSERT_EQUAL(a->live, seen_of(s, at, STATE_ESTABLISHED));
		CU_ASSERT_EQUAL(a->live, a->opened - a->closed - a->ended);
		CU_ASSERT_EQUAL(a->closing, a->closed);
		live += a->live;
		closing += a->closing;
	}
	CU_ASSERT(s->d.tape.accounts[accounts].live == 0 && live == s->d.tape.tally.leaked);
	for (int b = 0; b < BOOKS; b++)
		CU_ASSERT(book_missing(&books(s)[b]) == 0);
	CU_ASSERT(books(s)[BOOK_LIVE].known && books(s)[BOOK_LIVE].apart == 0);
	CU_ASSERT(!closing ||
		  (books(s)[BOOK_CLOSED].known && books(s)[BOOK_CLOSED].driver == closing));
	help_close(&s->d.h);
}

static void books_of_udp_and_of_both_families_are_apart(void)
{
	static const struct {
		const char *loads;
		uint32_t accounts;
	} cases[] = {
		{"load: {protocol: udp, end: leak, total: 11}", 2},
		{"load: {end: leak}\nloads: {four: {total: 7}, six: {family: ipv6, total: 10}}", 4},
		{"loads: {tcp: {end: leak, total: 5}, udp: {protocol: udp, end: leak, total: 9}, "
		 "gone: {protocol: udp, total: 3}, closed: {total: 7}}",
		 4},
		{"load: {end: leak}\nloads: {tcp: {total: 5}, six: {family: ipv6, total: 3}, "
		 "udp: {protocol: udp, total: 9}, both: {family: ipv6, protocol: udp, total: 7}}",
		 8},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene s = {.lock = PTHREAD_MUTEX_INITIALIZER};
		char lines[400];

		snprintf(lines, sizeof(lines), "network: {ports: 40000-40031, services: 2}\n%s",
			 cases[i].loads);
		accounts_are_apart(&s, lines, cases[i].accounts);
	}
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, one_that_somebody_else_destroys_is_lost),
	TEST_UNLESS(help_no_network, what_a_rst_has_killed_in_time_wait_is_an_exception),
	TEST_UNLESS(help_no_network, one_that_meets_itself_is_counted_once),
	TEST_UNLESS(help_no_network, books_of_udp_and_of_both_families_are_apart),
	TESTS_END,
};

const struct suite suite_books = {"books", tests};
