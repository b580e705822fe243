/* The books of a run in result.json, and to a reader. */
#include <string.h>

#include "suites.h"
#include "trial.h"

/* A book that is out, with its exceptions and its destinations, is the same when it is read back, and
 * told to a reader with its numbers. */
static void a_book_that_is_out_is_told_and_read_back(void)
{
	struct text json, said;
	struct result *r, back;
	const struct book *was, *is;
	struct err err = {0};
	struct trial t;

	trial_open(&t, "network: {services: 6}\nload: {total: 32}");
	CU_ASSERT_FATAL(tape_open_accounts(&t.tape, 6, &t.arena, &err));
	t.tape.accounts_found = true;
	t.tape.tally = (struct tally){
		.attempted = 33, .opened = 32, .in_flight = 1, .open = 31, .lost = 1};
	trial_dump(&t, 32)->t_ns = t.tape.end_ns + 1;
	t.tape.samples[0].states[STATE_ESTABLISHED] = 40;
	for (uint32_t d = 0; d < 7; d++)
		t.tape.accounts[d].live = d + 1;
	r = trial_result(&t, TEXT("x"));
	json = trial_json(r, &t.arena);
	CU_ASSERT_FATAL(result_load(&back, "result.json", json, &t.arena, &err));
	was = &r->runs[0].measures.books[BOOK_LIVE];
	is = &back.runs[0].measures.books[BOOK_LIVE];
	CU_ASSERT(was->known && was->row_count == BOOK_ROWS && was->more_count == 3);
	CU_ASSERT_EQUAL(memcmp(was->excepted, is->excepted, sizeof(was->excepted)), 0);
	CU_ASSERT(is->apart == was->apart && is->explained == 1 && is->driver == was->driver);
	CU_ASSERT(is->row_count == BOOK_ROWS && is->more_count == 3 && is->more_apart == 1 + 2 + 3);
	for (uint32_t i = 0; i < BOOK_ROWS; i++)
		CU_ASSERT(address_eq(is->rows[i].to, was->rows[i].to) &&
			  is->rows[i].port == was->rows[i].port &&
			  is->rows[i].driver == was->rows[i].driver &&
			  is->rows[i].found == was->rows[i].found);
	said = trial_summary(&back, (struct report_style){0}, false, &t.arena);
	CU_ASSERT(
		text_has(said, "the books do not balance: 31 open to the driver, 40 open to the"));
	CU_ASSERT(text_has(said, "1 in flight when the load ended"));
	CU_ASSERT(text_has(said, "elsewhere:"));
	CU_ASSERT(text_has(said, "3 other destinations: out by 6"));
	trial_close(&t);
}

/* What neither end has ended is told with its number; what is explained, where all is to be told. */
static void who_ended_them_is_told_and_what_is_explained(void)
{
	static const struct report_style all = {.verbose = true};
	struct result back;
	struct err err = {0};
	struct text said;
	struct trial t;

	trial_open(&t, "load: {total: 32}");
	t.tape.tally = (struct tally){.attempted = 32, .opened = 32, .open = 12, .closed = 20};
	strcpy(t.tape.counters[t.tape.counter_count].name, "EstabResets");
	t.tape.counters[t.tape.counter_count++].last = 2;
	strcpy(t.tape.counters[t.tape.counter_count].name, "TWRecycled");
	t.tape.counters[t.tape.counter_count++].last = 5;
	trial_dump(&t, 32)->t_ns = t.tape.end_ns + 1;
	t.tape.samples[0].states[STATE_ESTABLISHED] = 9;
	t.tape.samples[0].states[STATE_TIME_WAIT] = 15;
	CU_ASSERT_FATAL(result_load(&back, "result.json",
				    trial_json(trial_result(&t, TEXT("x")), &t.arena), &t.arena,
				    &err));
	CU_ASSERT_EQUAL(back.runs[0].measures.books[BOOK_LIVE].foreign, 2);
	said = trial_summary(&back, all, false, &t.arena);
	CU_ASSERT(text_has(said, "; 2 were ended by neither end:"));
	CU_ASSERT(text_has(said, "  books      20 closed by the driver, 15 closing to the kernel"));
	CU_ASSERT(text_has(said, "5 explained (at most 12 half closed"));
	said = trial_summary(&back, (struct report_style){0}, false, &t.arena);
	CU_ASSERT(!text_has(said, "books balance, with"));
	trial_close(&t);
}

/* From 60 s on a TIME_WAIT that is gone may have expired; where there was none, nothing is to be told. */
static void what_expires_is_not_told_from_what_was_destroyed(void)
{
	static const struct {
		double elapsed_ns, waiting;
		bool verbose, told;
	} rows[] = {
		{60e9, 1, true, true},
		{59e9, 1, true, false},
		{60e9, 0, true, false},
		{60e9, 1, false, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct report_style style = {.verbose = rows[i].verbose};
		struct result *r;
		struct trial t;

		trial_open(&t, "load: {total: 32}");
		trial_judge(&t);
		r = trial_result(&t, TEXT("x"));
		r->runs[0].measures.fixed[MEASURE_ELAPSED] =
			(struct value){true, rows[i].elapsed_ns};
		r->runs[0].measures.fixed[MEASURE_TIME_WAIT_MAX] =
			(struct value){true, rows[i].waiting};
		CU_ASSERT_EQUAL(text_has(trial_summary(r, style, false, &t.arena),
					 "a run of 60 s or more: a TIME_WAIT that"),
				rows[i].told);
		trial_close(&t);
	}
}

static const struct test tests[] = {
	TEST(a_book_that_is_out_is_told_and_read_back),
	TEST(who_ended_them_is_told_and_what_is_explained),
	TEST(what_expires_is_not_told_from_what_was_destroyed),
	TESTS_END,
};

const struct suite suite_result_books = {"result: books", tests};
