/* The books: what balances, what the kernel's own doing explains, and what is missing. */
#include "judge/books.h"

#include <string.h>

#include "suites.h"
#include "trial.h"

static void counter(struct trial *t, const char *name, uint64_t n)
{
	struct counter *c = &t->tape.counters[t->tape.counter_count++];

	strncpy(c->name, name, sizeof(c->name) - 1);
	c->last = n;
}

/* 32 opened, of which 20 are closed and in TIME_WAIT, and 12 open. */
static void trial_balanced(struct trial *t, const char *lines)
{
	struct sample *s;

	trial_open(t, lines);
	t->tape.tally = (struct tally){
		.attempted = 33, .opened = 32, .failed = 1, .open = 12, .closed = 20};
	counter(t, "ActiveOpens", 32);
	s = trial_dump(t, 32);
	s->t_ns = t->tape.end_ns + 1;
	s->states[STATE_TIME_WAIT] = 20;
	s->states[STATE_ESTABLISHED] = 12;
}

static struct sample *dump_of(struct trial *t)
{
	return &t->tape.samples[0];
}

static uint64_t missing(struct trial *t, enum book_kind kind)
{
	trial_judge(t);
	CU_ASSERT(t->measures.books[kind].known);
	CU_ASSERT_EQUAL(t->measures.fixed[MEASURE_RECONCILED].n,
			book_missing(&t->measures.books[kind]) == 0);
	return book_missing(&t->measures.books[kind]);
}

static bool is_known(struct trial *t, enum book_kind kind)
{
	trial_judge(t);
	return t->measures.books[kind].known;
}

static void books_that_agree_with_the_kernel_balance(void)
{
	struct trial t;

	trial_balanced(&t, "load: {total: 32}");
	for (int i = 0; i < BOOKS; i++)
		CU_ASSERT_EQUAL(missing(&t, (enum book_kind)i), 0);
	trial_close(&t);
}

static void a_lost_connection_is_missing_but_for_those_reset(void)
{
	struct trial t;

	trial_balanced(&t, "load: {total: 32}");
	dump_of(&t)->states[STATE_ESTABLISHED] = 9;
	CU_ASSERT_EQUAL(missing(&t, BOOK_LIVE), 3);
	counter(&t, "EstabResets", 2);
	CU_ASSERT_EQUAL(missing(&t, BOOK_LIVE), 1);
	t.tape.tally.opened += 2; /* and both of these the driver's own */
	t.tape.tally.attempted += 2;
	t.tape.tally.reset = 2;
	CU_ASSERT_EQUAL(missing(&t, BOOK_LIVE), 3);
	t.tape.tally.reset = 0;
	t.tape.tally.opened -= 2;
	t.tape.tally.attempted -= 2;
	dump_of(&t)->states[STATE_CLOSE_WAIT] = 3; /* the far end has closed them */
	CU_ASSERT_EQUAL(missing(&t, BOOK_LIVE), 0);
	trial_close(&t);
}

static void a_connection_that_nobody_opened_is_missing_too(void)
{
	struct trial t;

	trial_balanced(&t, "load: {total: 32}");
	dump_of(&t)->states[STATE_ESTABLISHED] = 14;
	CU_ASSERT_EQUAL(missing(&t, BOOK_LIVE), 2);
	t.tape.tally.in_flight = 2;
	t.tape.tally.attempted += 2;
	CU_ASSERT_EQUAL(missing(&t, BOOK_LIVE), 0);
	trial_close(&t);
}

static void time_wait_that_is_missing_is_explained_by_its_counters(void)
{
	struct trial t;

	trial_balanced(&t, "load: {total: 32}");
	dump_of(&t)->states[STATE_TIME_WAIT] = 12;
	CU_ASSERT_EQUAL(missing(&t, BOOK_CLOSED), 8);
	counter(&t, "TCPTimeWaitOverflow", 3);
	CU_ASSERT_EQUAL(missing(&t, BOOK_CLOSED), 5);
	counter(&t, "TWRecycled", 4);
	CU_ASSERT_EQUAL(missing(&t, BOOK_CLOSED), 1);
	t.tape.destroyed = 1;
	CU_ASSERT_EQUAL(missing(&t, BOOK_CLOSED), 0);
	trial_close(&t);
}

static void more_in_time_wait_than_were_closed_is_never_right(void)
{
	struct trial t;

	trial_balanced(&t, "load: {total: 32, end: wait}\nserver: {behaviour: close}");
	dump_of(&t)->states[STATE_TIME_WAIT] = 40;
	CU_ASSERT_EQUAL(missing(&t, BOOK_CLOSED), 8); /* 12 may have sent their FIN */
	trial_close(&t);
}

static void what_cannot_be_compared_is_not_known(void)
{
	struct trial t;

	trial_balanced(&t, "load: {total: 32, end: wait}\nserver: {behaviour: close}");
	CU_ASSERT(!is_known(&t, BOOK_CLOSED) && is_known(&t, BOOK_LIVE));
	trial_close(&t);
	trial_balanced(&t, "load: {total: 32}");
	dump_of(&t)->t_ns = t.tape.end_ns + TIME_WAIT_NS;
	CU_ASSERT(!is_known(&t, BOOK_CLOSED) && is_known(&t, BOOK_LIVE));
	dump_of(&t)->t_ns = t.tape.end_ns + 1;
	dump_of(&t)->at_rest = false;
	CU_ASSERT(!is_known(&t, BOOK_LIVE) && is_known(&t, BOOK_OPENED));
	dump_of(&t)->at_rest = true;
	dump_of(&t)->torn = true;
	CU_ASSERT(!is_known(&t, BOOK_LIVE));
	dump_of(&t)->torn = false;
	t.tape.complete = false;
	CU_ASSERT(!is_known(&t, BOOK_LIVE));
	trial_close(&t);
}

static void the_drivers_own_books_are_compared_always(void)
{
	struct trial t;

	trial_balanced(&t, "load: {total: 32}");
	t.tape.complete = false;
	t.tape.tally.attempted = 40;
	CU_ASSERT_EQUAL(missing(&t, BOOK_ATTEMPTED), 7);
	t.tape.tally.attempted = 33;
	t.tape.tally.closed = 18;
	CU_ASSERT_EQUAL(missing(&t, BOOK_OPENED), 2);
	trial_close(&t);
}

static const struct test tests[] = {
	TEST(books_that_agree_with_the_kernel_balance),
	TEST(a_lost_connection_is_missing_but_for_those_reset),
	TEST(a_connection_that_nobody_opened_is_missing_too),
	TEST(time_wait_that_is_missing_is_explained_by_its_counters),
	TEST(more_in_time_wait_than_were_closed_is_never_right),
	TEST(what_cannot_be_compared_is_not_known),
	TEST(the_drivers_own_books_are_compared_always),
	TESTS_END,
};

const struct suite suite_books = {"books", tests};
