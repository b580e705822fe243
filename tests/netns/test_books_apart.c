/* The driver's books against the kernel: each destination, family and protocol by itself. */
#include <pthread.h>
#include <stdio.h>

#include "book_help.h"
#include "suites.h"

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
		struct book_scene s;

		snprintf(lines, sizeof(lines),
			 "network: {topology: loopback, ports: 40010-40011, services: [40010]}\n"
			 "server: {behaviour: refuse}\nload: {bind: port 40010, total: 1, %s}",
			 cases[i].load);
		drive_open(&s.d, lines);
		drive_plan(&s.d);
		book_look(&s);
		CU_ASSERT(s.d.tape.tally.self_connects == 1 && s.d.tape.complete);
		CU_ASSERT_EQUAL(books_now(&s)[BOOK_LIVE].found, cases[i].live);
		CU_ASSERT_EQUAL(books_now(&s)[BOOK_CLOSED].found, cases[i].closing);
		/* What was open is closed when the load has ended. */
		CU_ASSERT(cases[i].live || s.states[STATE_TIME_WAIT] == cases[i].closing);
		for (int b = 0; b < BOOKS; b++)
			CU_ASSERT(book_missing(&books_now(&s)[b]) == 0);
		help_close(&s.d.h);
	}
}

/* While the loads' sockets live; of the last of their threads all are there. */
static void look_at_both(void *context, struct worker *worker)
{
	static const unsigned both = 1U << PROTOCOL_TCP | 1U << PROTOCOL_UDP;
	struct book_scene *s = context;
	const struct socket_filter filter = {.ports = s->d.h.plan.watched, .protocols = both};
	struct err err = {0};
	struct dump dump;
	bool torn = false;

	(void)worker;
	pthread_mutex_lock(&s->lock);
	s->count = 0;
	CU_ASSERT(dump_open(&dump, &err) && dump_run(&dump, &filter, book_see, s, &torn, &err) &&
		  !torn);
	dump_close(&dump);
	pthread_mutex_unlock(&s->lock);
}

/* Of the sockets that were seen, those of an account, in this state. */
static uint64_t seen_of(const struct book_scene *s, struct account_place at, int state)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < s->count; i++)
		n += s->seen[i].state == state && s->seen[i].remote_port == at.port &&
		     s->seen[i].datagrams == at.datagrams &&
		     address_eq(s->seen[i].remote, at.address);
	return n;
}

/* Each destination has in the kernel what the driver has, of each family and protocol by itself. */
static void accounts_are_apart(struct book_scene *s, const char *lines, uint32_t accounts)
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
		CU_ASSERT(book_missing(&books_now(s)[b]) == 0);
	CU_ASSERT(books_now(s)[BOOK_LIVE].known && books_now(s)[BOOK_LIVE].apart == 0);
	CU_ASSERT(!closing ||
		  (books_now(s)[BOOK_CLOSED].known && books_now(s)[BOOK_CLOSED].driver == closing));
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
		struct book_scene s = {.lock = PTHREAD_MUTEX_INITIALIZER};
		char lines[400];

		snprintf(lines, sizeof(lines), "network: {ports: 40000-40031, services: 2}\n%s",
			 cases[i].loads);
		accounts_are_apart(&s, lines, cases[i].accounts);
	}
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, one_that_meets_itself_is_counted_once),
	TEST_UNLESS(help_no_network, books_of_udp_and_of_both_families_are_apart),
	TESTS_END,
};

const struct suite suite_books_apart = {"books: apart", tests};
