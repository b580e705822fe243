/* Of several loads to one destination, whose its ports are at the end. */
#include <string.h>

#include "book_help.h"
#include "sense/ledger.h"
#include "suites.h"

static const char *const two_loads = "network: {ports: 40000-40031}\n"
				     "loads: {churn: {total: 30}, poll: {total: 20}}";

/* A run of loads that have done nothing, and of which the kernel has nothing. */
static void open_loads(struct trial *t, const char *lines)
{
	struct err err = {0};
	uint32_t accounts;

	trial_open(t, lines);
	accounts = plan_accounts(&t->plan);
	trial_dump(t, 32)->t_ns = t->tape.end_ns + 1;
	t->tape.loads = ARENA_ARRAY(&t->arena, struct tape, t->plan.load_count);
	t->tape.load_count = t->plan.load_count;
	t->tape.accounts_found = true;
	CU_ASSERT_FATAL(tape_open_accounts(&t->tape, accounts, &t->arena, &err));
	for (uint32_t i = 0; i < t->plan.load_count; i++) {
		CU_ASSERT_FATAL(tape_open(&t->tape.loads[i], 1, 1, 1, &t->arena, &err));
		CU_ASSERT_FATAL(tape_open_accounts(&t->tape.loads[i], accounts, &t->arena, &err));
		t->tape.loads[i].load = scenario_load_name(t->plan.scenario, i);
	}
}

static struct account *books_of(struct trial *t, int load)
{
	return t->tape.loads[load].accounts;
}

static const struct whose_share *share_of(struct trial *t, int load)
{
	trial_judge(t);
	CU_ASSERT_FATAL(t->measures.whose_count > 0);
	return &t->measures.whose[0].shares[load];
}

static bool is_between(struct between n, uint64_t least, uint64_t most)
{
	return n.least == least && n.most == most;
}

/* 28 closed and 5 open: all of what the loads' books have. */
static void open_whole(struct trial *t, const char *lines)
{
	open_loads(t, lines);
	books_of(t, 0)[0] = (struct account){.opened = 23, .closed = 20, .ended = 2};
	books_of(t, 1)[0] = (struct account){.opened = 12, .closed = 8};
	t->tape.accounts[0] = (struct account){.live = 5, .closing = 28, .time_wait = 28};
}

static void what_the_kernel_has_whole_is_known_to_be_whose(void)
{
	struct trial t;

	open_whole(&t, two_loads);
	CU_ASSERT(is_between(share_of(&t, 0)->closing, 20, 20));
	CU_ASSERT(is_between(share_of(&t, 1)->closing, 8, 8));
	CU_ASSERT(is_between(share_of(&t, 0)->live, 1, 1));
	CU_ASSERT(is_between(share_of(&t, 1)->live, 4, 4));
	CU_ASSERT(t.measures.whose[0].closing == 28 && t.measures.whose[0].time_wait == 28 &&
		  t.measures.whose[0].live == 5 && t.measures.whose_more == 0);
	CU_ASSERT_EQUAL(t.measures.whose[0].port, plan_service(&t.plan, 0));
	CU_ASSERT(address_eq(t.measures.whose[0].to, plan_server(&t.plan, 0)));
	trial_close(&t);
}

/* Of those closed 18 are no more: a load has at most what it closed, at least what the other cannot have. */
static void where_less_is_left_there_are_bounds(void)
{
	struct trial t;

	open_whole(&t, two_loads);
	t.tape.accounts[0].closing = 10;
	CU_ASSERT(is_between(share_of(&t, 0)->closing, 2, 10));
	CU_ASSERT(is_between(share_of(&t, 1)->closing, 0, 8));
	t.tape.accounts[0].live = 3;
	CU_ASSERT(is_between(share_of(&t, 0)->live, 0, 1));
	CU_ASSERT(is_between(share_of(&t, 1)->live, 2, 3));
	trial_close(&t);
}

/* What is more than any load can have is nobody's, and takes nothing from what is sure. */
static void what_no_load_can_have_is_no_loads(void)
{
	struct trial t;

	open_whole(&t, two_loads);
	t.tape.accounts[0].closing = 31;
	CU_ASSERT(is_between(share_of(&t, 0)->closing, 20, 20));
	CU_ASSERT(is_between(share_of(&t, 1)->closing, 8, 8));
	trial_close(&t);
}

/* Who is open to the driver may be closing to the kernel, who was closed by the far end first is in no
 * TIME_WAIT here, and where to those in flight go is not known. */
static void books_and_kernel_have_other_words_for_some(void)
{
	struct trial t;

	open_whole(&t, "loads: {churn: {end: shutdown, total: 30}, poll: {total: 20}}");
	CU_ASSERT(is_between(share_of(&t, 0)->closing, 20, 21));
	CU_ASSERT(is_between(share_of(&t, 1)->closing, 7, 8));
	trial_close(&t);
	open_whole(&t, "loads: {churn: {total: 30, mix: {shutdown: 10%}}, poll: {total: 20}}");
	CU_ASSERT(is_between(share_of(&t, 0)->closing, 20, 21));
	trial_close(&t);
	open_whole(&t, two_loads);
	books_of(&t, 0)[0].far_first = 19;
	t.tape.accounts[0].closing = 9;
	CU_ASSERT(is_between(share_of(&t, 0)->closing, 1, 1));
	CU_ASSERT(is_between(share_of(&t, 1)->closing, 8, 8));
	t.tape.loads[1].tally.in_flight = 2;
	CU_ASSERT(is_between(share_of(&t, 0)->live, 0, 1));
	CU_ASSERT(is_between(share_of(&t, 1)->live, 4, 5));
	trial_close(&t);
}

/* On loopback what the far end has opened to itself may be any of them. */
static void what_the_far_end_opened_makes_it_less_sure(void)
{
	struct trial t;

	open_whole(&t, "network: {topology: loopback}\nserver: {behaviour: loop}\n"
		       "loads: {churn: {total: 30}, poll: {total: 20}}");
	t.tape.far_opened = 3;
	CU_ASSERT(is_between(share_of(&t, 0)->closing, 17, 20));
	CU_ASSERT(is_between(share_of(&t, 1)->closing, 5, 8));
	trial_close(&t);
	open_whole(&t, two_loads);
	t.tape.far_opened = 3;
	CU_ASSERT(is_between(share_of(&t, 0)->closing, 20, 20));
	trial_close(&t);
}

static size_t rows_of(struct trial *t)
{
	trial_judge(t);
	return t->measures.whose_count;
}

/* Nobody asks whose they are where one load has opened any, where none is left, or where the kernel was not
 * asked. */
static void where_there_is_nothing_to_tell_apart_nothing_is_told(void)
{
	struct trial t;

	open_whole(&t, two_loads);
	CU_ASSERT_EQUAL(rows_of(&t), 1);
	t.tape.accounts_found = false;
	CU_ASSERT_EQUAL(rows_of(&t), 0);
	t.tape.accounts_found = true;
	t.tape.accounts[0] = (struct account){.live = 0};
	CU_ASSERT_EQUAL(rows_of(&t), 0);
	t.tape.accounts[0].live = 1;
	CU_ASSERT_EQUAL(rows_of(&t), 1);
	books_of(&t, 1)[0].opened = 0;
	CU_ASSERT_EQUAL(rows_of(&t), 0);
	books_of(&t, 1)[0].opened = 1;
	t.tape.loads[1].accounts = NULL;
	CU_ASSERT_EQUAL(rows_of(&t), 0);
	trial_close(&t);
}

/* Ten services: the fullest first, and two that are only counted. */
static void of_many_destinations_the_fullest_are_told(void)
{
	struct trial t;

	open_loads(&t, "network: {services: 10}\nloads: {churn: {total: 90}, poll: {total: 90}}");
	for (uint32_t d = 0; d < 10; d++) {
		books_of(&t, 0)[d] = books_of(&t, 1)[d] = (struct account){.opened = 9};
		t.tape.accounts[d].live = 1 + (d * 3) % 10;
	}
	CU_ASSERT_EQUAL(rows_of(&t), WHOSE_ROWS);
	CU_ASSERT_EQUAL(t.measures.whose_more, 2);
	for (uint64_t i = 0; i < WHOSE_ROWS; i++)
		CU_ASSERT_EQUAL(t.measures.whose[i].live, 10 - i);
	CU_ASSERT_EQUAL(t.measures.whose[1].port, plan_service(&t.plan, 6)); /* 1 + 18 % 10 */
	trial_close(&t);
}

/* Told, and told again of what was written down. */
static void it_is_told_and_read_back(void)
{
	static const struct report_style plain = {0}, all = {.verbose = true};
	struct err err = {0};
	struct result back;
	struct text json, said;
	struct trial t;

	open_loads(&t, "network: {services: 10}\nloads: {churn: {total: 90}, poll: {total: 90}}");
	for (uint32_t d = 0; d < 10; d++) {
		books_of(&t, 0)[d] = (struct account){.opened = 25, .closed = 20};
		books_of(&t, 1)[d] = (struct account){.opened = 8, .closed = 8};
		t.tape.accounts[d] = (struct account){.closing = 28, .time_wait = 28};
	}
	t.tape.accounts[0].live = 5;
	t.tape.accounts[1] = (struct account){.closing = 29, .time_wait = 1};
	t.tape.accounts[2] = (struct account){.closing = 22, .time_wait = 22, .live = 9};
	t.tape.tally = (struct tally){.attempted = 330, .opened = 330, .open = 50, .closed = 280};
	json = trial_json(trial_result(&t, TEXT("x")), &t.arena);
	CU_ASSERT_FATAL(result_load(&back, "result.json", json, &t.arena, &err));
	CU_ASSERT(text_eq(trial_json(&back, &t.arena), json));
	said = trial_summary(&back, plain, false, &t.arena);
	CU_ASSERT(text_has(said, "  whose      to 10.77.128.1:7000 at the end 28 TIME_WAIT: 20 of "
				 "churn, 8 of\n             poll; 5 open: 5 of churn\n"));
	CU_ASSERT(text_has(said,
			   "to 10.77.128.1:7002 at the end 22 TIME_WAIT: 14 to 20 of churn, "
			   "2\n             to 8 of poll; 9 open: 5 of churn, 4 of no load\n"));
	CU_ASSERT(text_has(said,
			   "to 10.77.128.1:7001 at the end 29 closing: 20 of churn, 8 of poll,\n"));
	CU_ASSERT(text_has(said, "             and 7 other destinations\n"));
	CU_ASSERT(text_has(trial_summary(&back, all, false, &t.arena),
			   "             and 2 other destinations\n"));
	trial_close(&t);
}

/* What was written, with one word in the place of another of the same length: it is refused, and why. */
static void refused(struct trial *t, struct text json, const char *word, const char *other,
		    const char *why)
{
	char *copy = text_z(&t->arena, json), *at = strstr(copy, word);
	struct err err = {0};
	struct result back;

	CU_ASSERT_FATAL(at && strlen(word) == strlen(other));
	memcpy(at, other, strlen(other));
	CU_ASSERT(!result_load(&back, "result.json", text_of(copy), &t->arena, &err));
	CU_ASSERT(strstr(err.what, why) != NULL);
}

static void what_cannot_be_is_refused(void)
{
	struct text json;
	struct trial t;

	open_whole(&t, two_loads);
	json = trial_json(trial_result(&t, TEXT("x")), &t.arena);
	refused(&t, json, "\"closing_most\": 20", "\"closing_most\": 19", "no less than the least");
	refused(&t, json, "\"to\": \"10.77.128.1\"", "\"to\": \"10.77.128.x\"", "an address");
	refused(&t, json, "\"protocol\": \"tcp\"", "\"protocol\": \"tcq\"", "tcp or udp");
	trial_close(&t);
}

/* A dump counts its own sockets alone, whatever the one before it had. */
static void a_ledger_begins_with_each_dump(void)
{
	const struct destination to = {{0, 1}, 7000, false};
	struct socket_seen seen = {.remote = {0, 1}, .remote_port = 7000};
	struct arena arena = help_arena();
	struct account accounts[2] = {{0}};
	struct ledger l;

	CU_ASSERT_FATAL(ledger_open(&l, &to, 1, accounts, &arena));
	for (int dump = 0; dump < 2; dump++) {
		ledger_clear(&l);
		for (uint8_t state = STATE_ESTABLISHED; state < STATES; state++) {
			seen.state = state;
			ledger_add(&l, &seen);
		}
		CU_ASSERT(accounts[0].live == 2 && accounts[0].closing == 5);
		CU_ASSERT(accounts[0].time_wait == 1 && accounts[1].live == 0);
	}
	arena_close(&arena);
}

static const struct test tests[] = {
	TEST(what_the_kernel_has_whole_is_known_to_be_whose),
	TEST(where_less_is_left_there_are_bounds),
	TEST(what_no_load_can_have_is_no_loads),
	TEST(books_and_kernel_have_other_words_for_some),
	TEST(what_the_far_end_opened_makes_it_less_sure),
	TEST(where_there_is_nothing_to_tell_apart_nothing_is_told),
	TEST(of_many_destinations_the_fullest_are_told),
	TEST(it_is_told_and_read_back),
	TEST(what_cannot_be_is_refused),
	TEST(a_ledger_begins_with_each_dump),
	TESTS_END,
};

const struct suite suite_whose = {"whose", tests};
