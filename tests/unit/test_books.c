/* The books: what balances, what the kernel's own doing explains, and what is missing. */
#include "book_help.h"
#include "suites.h"

static bool is_known(struct trial *t, enum book_kind kind)
{
	trial_judge(t);
	return t->measures.books[kind].known;
}

/* Of three chains, one after the other, 32 ports have no more than 32 at once. */
static void a_loop_explains_no_more_than_there_are_ports(void)
{
	struct trial t;

	trial_open(&t, "network: {topology: loopback, ports: 40000-40031}\n"
		       "server: {behaviour: loop}\nload: {rate: 10/s, total: 3}");
	t.tape.tally = (struct tally){.attempted = 1, .opened = 1, .open = 1};
	t.tape.far_opened = 93;
	book_counter(&t, "ActiveOpens", 94);
	trial_dump(&t, 32)->t_ns = t.tape.end_ns + 1;
	book_dump(&t)->states[STATE_ESTABLISHED] = 33;
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE), 0);
	book_dump(&t)->states[STATE_ESTABLISHED] = 41;
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE), 8);
	trial_close(&t);
}

static void books_that_agree_with_the_kernel_balance(void)
{
	struct trial t;

	book_balanced(&t, "load: {total: 32}");
	for (int i = 0; i < BOOKS; i++)
		CU_ASSERT_EQUAL(book_lacks(&t, (enum book_kind)i), 0);
	trial_close(&t);
}

static void a_lost_connection_is_missing_but_for_those_reset(void)
{
	struct trial t;

	book_balanced(&t, "load: {total: 32, options: {keepalive: 1s}}");
	book_dump(&t)->states[STATE_ESTABLISHED] = 9;
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE), 3);
	book_counter(&t, "EstabResets", 2);
	book_counter(&t, "TCPAbortOnTimeout", 2);
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE), 1);
	t.tape.tally.opened += 2; /* and both of these the driver's own */
	t.tape.tally.attempted += 2;
	t.tape.tally.reset = 2;
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE), 3);
	t.tape.tally.reset = 0;
	t.tape.tally.opened -= 2;
	t.tape.tally.attempted -= 2;
	book_dump(&t)->states[STATE_CLOSE_WAIT] = 3; /* the far end has closed them */
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE), 0);
	trial_close(&t);
}

static void a_connection_that_nobody_opened_is_missing_too(void)
{
	struct trial t;

	book_balanced(&t, "load: {total: 32}");
	book_dump(&t)->states[STATE_ESTABLISHED] = 14;
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE), 2);
	t.tape.tally.in_flight = 2;
	t.tape.tally.attempted += 2;
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE), 0);
	trial_close(&t);
}

static void more_in_time_wait_than_were_closed_is_never_right(void)
{
	struct trial t;

	book_balanced(&t, "load: {total: 32, end: wait}\nserver: {behaviour: close}");
	book_dump(&t)->states[STATE_TIME_WAIT] = 40;
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_CLOSED), 8); /* 12 may have sent their FIN */
	trial_close(&t);
}

static void what_cannot_be_compared_is_not_known(void)
{
	struct trial t;

	book_balanced(&t, "load: {total: 32, end: wait}\nserver: {behaviour: close}");
	CU_ASSERT(!is_known(&t, BOOK_CLOSED) && is_known(&t, BOOK_LIVE));
	trial_close(&t);
	book_balanced(&t, "load: {total: 32}");
	book_dump(&t)->t_ns = t.tape.end_ns + TIME_WAIT_NS;
	CU_ASSERT(!is_known(&t, BOOK_CLOSED) && is_known(&t, BOOK_LIVE));
	book_dump(&t)->t_ns = t.tape.end_ns + 1;
	book_dump(&t)->at_rest = false;
	CU_ASSERT(!is_known(&t, BOOK_LIVE) && is_known(&t, BOOK_OPENED));
	book_dump(&t)->at_rest = true;
	book_dump(&t)->torn = true;
	CU_ASSERT(!is_known(&t, BOOK_LIVE));
	book_dump(&t)->torn = false;
	t.tape.complete = false;
	CU_ASSERT(!is_known(&t, BOOK_LIVE));
	trial_close(&t);
	book_balanced(&t, "network: {sysctl: {net.ipv4.tcp_fin_timeout: 120}}\nload: {total: 32}");
	CU_ASSERT(is_known(&t, BOOK_CLOSED));
	book_dump(&t)->t_ns = t.tape.end_ns + TIME_WAIT_NS; /* which lasts no longer for that */
	CU_ASSERT(!is_known(&t, BOOK_CLOSED));
	trial_close(&t);
}

static void the_drivers_own_books_are_compared_always(void)
{
	struct trial t;

	book_balanced(&t, "load: {total: 32}");
	t.tape.complete = false;
	t.tape.tally.attempted = 40;
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_ATTEMPTED), 7);
	t.tape.tally.attempted = 33;
	t.tape.tally.closed = 18;
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_OPENED), 2);
	trial_close(&t);
}

/* ---- destination by destination ------------------------------------------ */

/* Two services: 16 opened of each; 10 of each are closed, the others open. */
static void trial_of_two(struct trial *t)
{
	struct err err = {0};

	book_balanced(t, "network: {services: 2}\nload: {total: 32, options: {keepalive: 1s}}");
	CU_ASSERT_FATAL(tape_open_accounts(&t->tape, 2, &t->arena, &err));
	for (int d = 0; d < 2; d++)
		t->tape.accounts[d] =
			(struct account){.opened = 16, .closed = 10, .live = 6, .closing = 10};
	t->tape.accounts_found = true;
}

/* One too many to a destination does not make up for one too few to another. */
static void one_destination_does_not_make_up_for_another(void)
{
	const struct book *b;
	struct trial t;

	trial_of_two(&t);
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE) + book_lacks(&t, BOOK_CLOSED), 0);
	CU_ASSERT_EQUAL(book_of(&t, BOOK_LIVE)->row_count, 0);
	t.tape.accounts[0].live = 4;
	t.tape.accounts[1].live = 8;
	b = book_of(&t, BOOK_LIVE);
	CU_ASSERT(b->driver == 12 && b->found == 12 && b->apart == 4 && book_missing(b) == 4);
	CU_ASSERT_FATAL(b->row_count == 2 && b->more_count == 0);
	CU_ASSERT(b->rows[0].driver == 6 && b->rows[0].found == 4);
	CU_ASSERT_EQUAL(b->rows[0].port, plan_service(&t.plan, 0));
	CU_ASSERT(address_eq(b->rows[0].to, plan_server(&t.plan, 0)));
	CU_ASSERT(b->rows[1].driver == 6 && b->rows[1].found == 8);
	t.tape.accounts[0].closing = 9;
	t.tape.accounts[1].closing = 11; /* an open one that has sent its FIN */
	CU_ASSERT_EQUAL(book_missing(book_of(&t, BOOK_CLOSED)), 1);
	book_counter(&t, "TWRecycled", 1);
	CU_ASSERT_EQUAL(book_missing(book_of(&t, BOOK_CLOSED)), 0);
	t.tape.accounts_found = false; /* no dump at rest: the sums alone can be compared */
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE), 0);
	trial_close(&t);
}

/* What explains too few explains nothing of too many. */
static void an_exception_is_of_its_own_side(void)
{
	struct trial t;

	trial_of_two(&t);
	t.tape.accounts[0].live = 4;
	t.tape.accounts[1].live = 8;
	book_counter(&t, "EstabResets", 9);
	book_counter(&t, "TCPAbortOnTimeout", 9);
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE), 2);
	CU_ASSERT_EQUAL(book_of(&t, BOOK_LIVE)->excepted[EXCEPTION_RESET], 9);
	t.tape.tally.in_flight = 1;
	t.tape.tally.attempted++;
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE), 1);
	CU_ASSERT_EQUAL(book_of(&t, BOOK_LIVE)->excepted[EXCEPTION_IN_FLIGHT], 1);
	trial_close(&t);
}

static void sockets_to_nowhere_of_the_loads_are_missing(void)
{
	struct trial t;

	trial_of_two(&t);
	t.tape.accounts[2].live = 3;
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE), 3);
	CU_ASSERT_EQUAL(book_of(&t, BOOK_LIVE)->rows[0].port, 0);
	trial_close(&t);
}

/* Of hundreds that are out the worst are told, and the sum of the others. */
static void many_that_are_out_are_a_few_and_a_sum(void)
{
	const struct book *b;
	struct err err = {0};
	struct trial t;

	book_balanced(&t, "network: {servers: 30, services: 10}\nload: {total: 32}");
	CU_ASSERT_FATAL(tape_open_accounts(&t.tape, 300, &t.arena, &err));
	t.tape.accounts_found = true;
	for (uint32_t d = 0; d < 300; d++)
		t.tape.accounts[d].live = d % 100;
	b = book_of(&t, BOOK_LIVE);
	CU_ASSERT_EQUAL(b->apart, 3 * 99 * 100 / 2);
	CU_ASSERT_FATAL(b->row_count == BOOK_ROWS && b->more_count == 3 * 99 - BOOK_ROWS);
	CU_ASSERT(b->rows[0].found == 99 && b->rows[2].found == 99 && b->rows[3].found == 98);
	CU_ASSERT_EQUAL(b->more_apart, b->apart - 3 * 99 - 98);
	trial_close(&t);
}

static void lost_ones_are_in_the_books(void)
{
	struct trial t;

	book_balanced(&t, "load: {total: 32}");
	book_counter(&t, "EstabResets", 3);
	t.tape.tally.open = 9;
	t.tape.tally.lost = 3;
	book_dump(&t)->states[STATE_ESTABLISHED] = 9;
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_OPENED) + book_lacks(&t, BOOK_LIVE), 0);
	book_dump(&t)->states[STATE_ESTABLISHED] = 8; /* all three resets are accounted for */
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE), 1);
	t.tape.tally.lost = 2;
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_OPENED), 1);
	trial_close(&t);
}

/* Each destination's account is right, and all of them together are not what the dump has. */
static void totals_are_compared_beside_accounts(void)
{
	const struct book *b;
	struct trial t;

	trial_of_two(&t);
	book_dump(&t)->states[STATE_TIME_WAIT] = 16;
	book_dump(&t)->states[STATE_ESTABLISHED] = 15;
	b = book_of(&t, BOOK_CLOSED);
	CU_ASSERT(b->apart == 4 && b->row_count == 0 && book_missing(b) == 4);
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE), 3);
	t.tape.accounts[0].closing = 7; /* one gap, seen twice, is one */
	CU_ASSERT_EQUAL(book_of(&t, BOOK_CLOSED)->apart, 4);
	trial_close(&t);
}

static const struct test tests[] = {
	TEST(a_loop_explains_no_more_than_there_are_ports),
	TEST(books_that_agree_with_the_kernel_balance),
	TEST(a_lost_connection_is_missing_but_for_those_reset),
	TEST(a_connection_that_nobody_opened_is_missing_too),
	TEST(more_in_time_wait_than_were_closed_is_never_right),
	TEST(what_cannot_be_compared_is_not_known),
	TEST(the_drivers_own_books_are_compared_always),
	TEST(one_destination_does_not_make_up_for_another),
	TEST(an_exception_is_of_its_own_side),
	TEST(sockets_to_nowhere_of_the_loads_are_missing),
	TEST(many_that_are_out_are_a_few_and_a_sum),
	TEST(lost_ones_are_in_the_books),
	TEST(totals_are_compared_beside_accounts),
	TESTS_END,
};

const struct suite suite_books = {"books", tests};
