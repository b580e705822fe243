/* The books: what explains a difference, on whose side, and what does not. */
#include "book_help.h"
#include "suites.h"

static void time_wait_that_is_missing_is_explained_by_its_counters(void)
{
	struct trial t;

	book_balanced(&t, "load: {total: 32}");
	book_dump(&t)->states[STATE_TIME_WAIT] = 12;
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_CLOSED), 8);
	book_counter(&t, "TCPTimeWaitOverflow", 3);
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_CLOSED), 5);
	book_counter(&t, "TWRecycled", 4);
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_CLOSED), 1);
	t.tape.destroyed = 1;
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_CLOSED), 0);
	trial_close(&t);
}

/* The kernel can have all of a close behind it, before the driver has. */
static void what_has_sent_its_fin_may_be_open_to_the_driver(void)
{
	static const unsigned states[] = {STATE_TIME_WAIT, STATE_FIN_WAIT2, STATE_FIN_WAIT1,
					  STATE_LAST_ACK, STATE_CLOSING};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct trial t;

		book_balanced(&t, "load: {total: 32, end: shutdown}");
		book_dump(&t)->states[STATE_ESTABLISHED] = 9;
		CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE), 3);
		book_dump(&t)->states[states[i]] += 3;
		CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE), 0);
		CU_ASSERT_EQUAL(book_lacks(&t, BOOK_CLOSED), 0);
		CU_ASSERT_EQUAL(book_of(&t, BOOK_LIVE)->excepted[EXCEPTION_HALF_CLOSED], 3);
		t.tape.tally.open = 0; /* all are the kernel's: none is half closed */
		t.tape.tally.closed = 32;
		CU_ASSERT_EQUAL(book_lacks(&t, BOOK_CLOSED), 9);
		trial_close(&t);
	}
}

/* Of those closed, 3 are gone: as many that are half closed stand in their place. */
static void a_time_wait_that_we_have_ended_hides_nothing_half_closed(void)
{
	struct trial t;

	book_balanced(&t, "load: {total: 32, end: shutdown}");
	book_dump(&t)->states[STATE_ESTABLISHED] = 9;
	for (uint32_t ended = 0; ended <= 3; ended++) {
		t.tape.destroyed = ended;
		CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE), 3 - ended);
	}
	trial_close(&t);
}

/* What was closed of UDP is not in TIME_WAIT, and hides none that is. */
static void closed_sockets_of_udp_hide_nothing_half_closed(void)
{
	struct trial t;

	book_balanced(&t, "loads: {a: {total: 32, end: shutdown}, b: {protocol: udp, total: 140}}");
	t.tape.tally.attempted += 140;
	t.tape.tally.opened += 140;
	t.tape.tally.closed += 140;
	book_dump(&t)->states[STATE_ESTABLISHED] = 9;
	book_dump(&t)->states[STATE_TIME_WAIT] = 23;
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE), 0);
	trial_close(&t);
}

/* A far end that closes first leaves nothing of it, and its RST no EstabResets. */
static void what_has_sent_its_fin_may_be_gone(void)
{
	static const struct {
		const char *lines;
		uint64_t missing;
	} cases[] = {
		{"load: {total: 32, end: shutdown}", 3},
		{"server: {behaviour: close}\nload: {total: 32, end: shutdown}", 0},
		{"server: {behaviour: reset}\nload: {total: 32, mix: {shutdown: 50%}}", 0},
		{"server: {behaviour: close}\nload: {total: 32}", 3},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct trial t;

		book_balanced(&t, cases[i].lines);
		book_dump(&t)->states[STATE_ESTABLISHED] = 9;
		CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE), cases[i].missing);
		trial_close(&t);
	}
}

/* Three are gone, beside 5 that were reset, of which the driver knows: it counts each, and of
 * who had sent a FIN by then, or of the far end's halves on loopback, the kernel need not. */
static void what_a_far_end_resets_is_counted_at_least_where_no_fin_was(void)
{
	static const struct {
		const char *lines;
		uint64_t resets, missing;
	} cases[] = {
		{"load: {total: 32}", 8, 0},
		{"load: {total: 32}", 7, 1},
		{"load: {total: 32}", 3, 3},
		{"loads: {a: {total: 5, end: shutdown}, b: {total: 27, end: inherit}}", 3, 0},
		{"loads: {a: {total: 5, end: inherit}, b: {total: 27, end: shutdown}}", 6, 2},
		{"network: {topology: loopback}\nload: {total: 32}", 8, 0},
		{"network: {topology: loopback}\nload: {total: 32}", 7, 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tape loads[2] = {{.tally = {.reset = 5}}};
		char lines[200];
		struct trial t;

		snprintf(lines, sizeof(lines), "server: {behaviour: reset}\n%s", cases[i].lines);
		book_balanced(&t, lines);
		t.tape.loads = loads;
		t.tape.load_count = t.plan.load_count > 1 ? 2 : 0;
		t.tape.tally.attempted += 5;
		t.tape.tally.opened += 5;
		t.tape.tally.reset = 5;
		book_dump(&t)->states[STATE_ESTABLISHED] = 9;
		book_counter(&t, "EstabResets", cases[i].resets);
		CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE), cases[i].missing);
		if (book_lacks(&t, BOOK_LIVE) != cases[i].missing)
			printf("row %zu\n", i);
		trial_close(&t);
	}
}

/* Put into TIME_WAIT and gone, though nobody has taken it over: a RST has killed it, where it may. */
static void what_a_rst_has_killed_is_told_by_what_is_there(void)
{
	struct trial t;

	book_balanced(&t, "network: {sysctl: {net.ipv4.tcp_rfc1337: 0}}\nload: {total: 32}");
	book_dump(&t)->states[STATE_TIME_WAIT] = book_dump(&t)->tw = 15;
	book_counter(&t, "TW", 18);
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_CLOSED), 2); /* two never came there */
	CU_ASSERT_EQUAL(book_of(&t, BOOK_CLOSED)->excepted[EXCEPTION_KILLED], 3);
	book_counter(&t, "TWKilled", 2);
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_CLOSED), 0);
	book_counter(&t, "TWRecycled", 1); /* is one of the five */
	CU_ASSERT_EQUAL(book_of(&t, BOOK_CLOSED)->excepted[EXCEPTION_KILLED], 4);
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_CLOSED), 0);
	trial_close(&t);
}

/* Of 20 in TIME_WAIT 15 are left. net.ipv4.tcp_rfc1337 is 1, as lastport has it, unless the scenario says
 * otherwise: a RST has ended FIN_WAIT2 alone, where something may have been left unread. */
static void time_wait_that_outlasts_resets_was_destroyed_from_outside(void)
{
	static const struct {
		const char *lines;
		uint64_t failed, missing;
	} cases[] = {
		{"load: {total: 32}", 0, 5},
		{"network: {sysctl: {net.ipv4.tcp_rfc1337: 1}}\nload: {total: 32}", 0, 5},
		{"network: {sysctl: {net.ipv4.tcp_rfc1337: 0}}\nload: {total: 32}", 0, 0},
		{"server: {behaviour: ignore}\nload: {total: 32}", 0, 5},
		{"server: {behaviour: ignore}\nload: {total: 32, request: {send: 8B, receive: 8B}}",
		 0, 0},
		{"load: {total: 32, request: {send: 8B, receive: 8B}}", 0, 5},
		{"load: {total: 32, request: {send: 8B, receive: 8B}}", 3, 2},
		{"load: {total: 32, request: {send: 8B, receive: 8B, read: false}}", 0, 0},
		{"network: {time_wait: 60s}\nload: {total: 32}", 0, 5},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct trial t;

		book_balanced(&t, cases[i].lines);
		book_dump(&t)->states[STATE_TIME_WAIT] = book_dump(&t)->tw = 15;
		book_counter(&t, "TW", 20);
		t.tape.tally.requests_failed = cases[i].failed;
		CU_ASSERT_EQUAL(book_lacks(&t, BOOK_CLOSED), cases[i].missing);
		CU_ASSERT_EQUAL(book_of(&t, BOOK_CLOSED)->foreign, cases[i].missing);
		book_dump(&t)->t_ns = t.tape.end_ns + TIME_WAIT_NS; /* it may have expired */
		CU_ASSERT_EQUAL(book_of(&t, BOOK_CLOSED)->foreign, 0);
		trial_close(&t);
	}
}

#define ALIVE "load: {total: 32, options: {keepalive: 1s}}"

/* Three of those open are gone: what has a right to end them is an exception, and no other. */
static void a_live_connection_ended_by_neither_end_was_destroyed_from_outside(void)
{
	static const struct {
		const char *lines;
		uint64_t resets, timeouts, missing, foreign;
	} cases[] = {
		{"load: {total: 32}", 3, 0, 3, 3},
		{"load: {total: 32}", 3, 3, 3, 3}, /* idle: what was given up are others' FINs */
		{ALIVE, 3, 1, 2, 2},
		{ALIVE, 3, 3, 0, 0},
		{"load: {total: 32, end: shutdown}", 3, 3, 0, 0},
		{"load: {total: 32, mix: {shutdown: 10%}}", 3, 3, 0, 0},
		{"load: {total: 32, request: {send: 8B, receive: 8B}}", 3, 3, 0, 0},
		{"load: {total: 32}", 2, 0, 3, 2}, /* the third has not been counted at all */
		{"load: {total: 32}", 9, 0, 3, 3},
		{"server: {die: 500ms}\nload: {total: 32}", 3, 0, 0, 0},
		{"server: {behaviour: close}\nload: {total: 32}", 3, 0, 0, 0},
		{"server: {behaviour: ignore}\nload: {total: 32}", 3, 0, 3, 3},
		{"network: {topology: nat}\nload: {total: 32}", 3, 0, 0, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct trial t;

		book_balanced(&t, cases[i].lines);
		book_dump(&t)->states[STATE_ESTABLISHED] = 9;
		book_counter(&t, "EstabResets", cases[i].resets);
		book_counter(&t, "TCPAbortOnTimeout", cases[i].timeouts);
		CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE), cases[i].missing);
		CU_ASSERT_EQUAL(book_of(&t, BOOK_LIVE)->foreign, cases[i].foreign);
		trial_close(&t);
	}
}

/* One that it dropped was a reason for any number that were reset. */
static void a_full_backlog_forgets_no_more_than_it_drops(void)
{
	struct trial t;
	struct event *dropped;

	book_balanced(&t, "load: {total: 32}");
	book_dump(&t)->states[STATE_ESTABLISHED] = 9;
	book_counter(&t, "EstabResets", 3);
	dropped = &t.tape.events[t.tape.event_count++];
	*dropped = (struct event){.kind = EVENT_SERVER_DROPPED, .value = 1, .dest = NOWHERE};
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE), 2);
	CU_ASSERT_EQUAL(book_of(&t, BOOK_LIVE)->foreign, 2);
	dropped->value = 3;
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE), 0);
	trial_close(&t);
}

/* Whose FIN is never answered is given up, and was never in TIME_WAIT. */
static void what_was_given_up_before_time_wait_is_an_exception(void)
{
	struct trial t;

	book_balanced(&t, "load: {total: 32}");
	book_dump(&t)->states[STATE_TIME_WAIT] = book_dump(&t)->tw = 18;
	book_counter(&t, "TW", 18);
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_CLOSED), 2);
	CU_ASSERT_EQUAL(book_of(&t, BOOK_CLOSED)->foreign, 0);
	book_counter(&t, "TCPAbortOnTimeout", 1);
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_CLOSED), 1);
	CU_ASSERT_EQUAL(book_of(&t, BOOK_CLOSED)->excepted[EXCEPTION_UNHEARD], 1);
	t.tape.events[t.tape.event_count++] =
		(struct event){.kind = EVENT_SERVER_DROPPED, .value = 1, .dest = NOWHERE};
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_CLOSED), 0);
	trial_close(&t);
}

/* 3 FINs that nobody acknowledged were given up, and 3 live connections destroyed: one count of those that
 * went unanswered is no reason for both. A FIN that still waits for its answer was not given up. */
static void what_went_unanswered_explains_once(void)
{
	static const struct {
		const char *lines;
		uint64_t timeouts, fin_wait1, last_ack, overflow;
		uint64_t unheard, foreign;
	} rows[] = {
		{"load: {total: 32}", 6, 0, 0, 0, 3, 3},
		{ALIVE, 3, 0, 0, 0, 3, 3},
		{ALIVE, 4, 0, 0, 0, 3, 2},
		{ALIVE, 6, 0, 0, 0, 3, 0},
		{ALIVE, 3, 3, 0, 0, 0, 0},
		{ALIVE, 3, 1, 1, 0, 1, 1},
		{ALIVE, 3, 0, 0, 2, 1, 1},
		{"server: {delay: 10ms}\nload: {total: 32, request: {send: 8B, receive: 8B}}", 3, 0,
		 0, 0, 3, 0},
		{"server: {behaviour: ignore}\nload: {total: 32, request: {send: 8B, receive: 8B}}",
		 3, 0, 0, 0, 3, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;
		struct sample *dump;

		book_balanced(&t, rows[i].lines);
		t.tape.tally.open = 0; /* leaked: none of them has sent a FIN */
		t.tape.tally.leaked = 12;
		dump = book_dump(&t);
		dump->states[STATE_ESTABLISHED] = 9;
		dump->states[STATE_TIME_WAIT] = dump->tw = 17;
		dump->states[STATE_FIN_WAIT1] = rows[i].fin_wait1;
		dump->states[STATE_LAST_ACK] = rows[i].last_ack;
		book_counter(&t, "TW", 17);
		book_counter(&t, "EstabResets", 3);
		book_counter(&t, "TCPAbortOnTimeout", rows[i].timeouts);
		book_counter(&t, "TCPTimeWaitOverflow", rows[i].overflow);
		CU_ASSERT_EQUAL(book_of(&t, BOOK_LIVE)->foreign, rows[i].foreign);
		CU_ASSERT_EQUAL(book_of(&t, BOOK_CLOSED)->excepted[EXCEPTION_UNHEARD],
				rows[i].unheard);
		trial_close(&t);
	}
}

/* The kernel counts them: no RST has killed what the dump alone has not. */
static void what_the_dump_has_missed_was_not_killed(void)
{
	struct trial t;

	book_balanced(&t, "network: {sysctl: {net.ipv4.tcp_rfc1337: 0}}\nload: {total: 32}");
	book_dump(&t)->states[STATE_TIME_WAIT] = 15;
	book_dump(&t)->tw = 18;
	book_counter(&t, "TW", 20);
	CU_ASSERT_EQUAL(book_lacks(&t, BOOK_CLOSED), 3);
	CU_ASSERT_EQUAL(book_of(&t, BOOK_CLOSED)->excepted[EXCEPTION_KILLED], 2);
	trial_close(&t);
}

/* The prober's own end with a RST, and on loopback each is counted at both of its ends. */
static void resets_of_our_own_explain_nothing(void)
{
	static const struct {
		const char *lines;
		uint64_t missing;
	} cases[] = {{ALIVE, 1}, {"network: {topology: loopback}\n" ALIVE, 3}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct latency latency = {.all.count = 4};
		struct trial t;

		book_balanced(&t, cases[i].lines);
		t.tape.latency = &latency;
		book_dump(&t)->states[STATE_ESTABLISHED] = 9;
		book_counter(&t, "EstabResets", 6);
		book_counter(&t, "TCPAbortOnTimeout", 6);
		CU_ASSERT_EQUAL(book_lacks(&t, BOOK_LIVE), cases[i].missing);
		trial_close(&t);
	}
}

static const struct test tests[] = {
	TEST(time_wait_that_is_missing_is_explained_by_its_counters),
	TEST(what_has_sent_its_fin_may_be_open_to_the_driver),
	TEST(a_time_wait_that_we_have_ended_hides_nothing_half_closed),
	TEST(closed_sockets_of_udp_hide_nothing_half_closed),
	TEST(what_has_sent_its_fin_may_be_gone),
	TEST(what_a_far_end_resets_is_counted_at_least_where_no_fin_was),
	TEST(what_a_rst_has_killed_is_told_by_what_is_there),
	TEST(time_wait_that_outlasts_resets_was_destroyed_from_outside),
	TEST(a_live_connection_ended_by_neither_end_was_destroyed_from_outside),
	TEST(a_full_backlog_forgets_no_more_than_it_drops),
	TEST(what_was_given_up_before_time_wait_is_an_exception),
	TEST(what_went_unanswered_explains_once),
	TEST(what_the_dump_has_missed_was_not_killed),
	TEST(resets_of_our_own_explain_nothing),
	TESTS_END,
};

const struct suite suite_books_excepted = {"books: exceptions", tests};
