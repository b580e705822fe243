/* What a look at somebody else's load comes to: what fills ports, and its words. */
#include <string.h>

#include "report/look.h"
#include "report/page.h"
#include "report/usage.h"
#include "runner.h"
#include "watch/why.h"

#define SECOND INT64_C(1000000000)

/* ---- what fills it ------------------------------------------------------- */

static struct look_row row_of(int state, uint32_t n, uint32_t usable)
{
	struct look_row row = {.opens = -1, .grows = -1, .full_ns = -1};

	row.usage = (struct usage){.local = address_ipv4(0x0a000001),
				   .remote = address_ipv4(0x0a000002),
				   .remote_port = 443,
				   .usable = usable,
				   .next_free_ns = -1,
				   .all_free_ns = -1};
	row.usage.states[state] = n;
	return row;
}

static void what_fills_it_is_told_by_its_states(void)
{
	static const struct {
		int state;
		uint32_t n, elsewhere;
		double opens, kept;
		int64_t full_ns;
		enum cause cause;
	} rows[] = {
		{STATE_TIME_WAIT, 50, 0, -1, 0, -1, CAUSE_TIME_WAIT_CHURN},
		{STATE_TIME_WAIT, 49, 0, -1, 0, -1, CAUSE_NO_DATA}, /* not half full */
		{STATE_TIME_WAIT, 49, 0, -1, 0, 3599 * SECOND, CAUSE_TIME_WAIT_CHURN},
		{STATE_TIME_WAIT, 49, 0, -1, 0, 3600 * SECOND, CAUSE_NO_DATA},
		{STATE_FIN_WAIT1, 50, 0, -1, 0, -1, CAUSE_FIN_WAIT_ORPHANS},
		{STATE_FIN_WAIT2, 50, 0, -1, 0, -1, CAUSE_FIN_WAIT_ORPHANS},
		{STATE_SYN_SENT, 50, 0, -1, 0, -1, CAUSE_BLACKHOLE},
		{STATE_ESTABLISHED, 50, 0, -1, 0, -1, CAUSE_LIVE_SATURATION},
		{STATE_ESTABLISHED, 50, 0, 10, 60, -1, CAUSE_LEAK},
		{STATE_ESTABLISHED, 50, 0, 10, 59, -1, CAUSE_LIVE_SATURATION},
		{STATE_ESTABLISHED, 50, 0, 0, 0, -1, CAUSE_LIVE_SATURATION},
		{STATE_CLOSE_WAIT, 10, 0, -1, 0, -1, CAUSE_CLOSE_WAIT_LEAK},
		{STATE_CLOSE_WAIT, 9, 0, -1, 0, -1, CAUSE_NO_DATA},
		{STATE_ESTABLISHED, 50, 101, -1, 0, -1, CAUSE_BIND_STARVATION},
		{STATE_ESTABLISHED, 50, 100, -1, 0, -1, CAUSE_LIVE_SATURATION},
		{STATE_ESTABLISHED, 49, 101, -1, 0, -1, CAUSE_NO_DATA},
	};
	enum cause maybe;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct look_row row = row_of(rows[i].state, rows[i].n, 100);

		row.usage.elsewhere = rows[i].elsewhere;
		row.opens = rows[i].opens;
		row.kept_ns = (int64_t)rows[i].kept * SECOND;
		row.full_ns = rows[i].full_ns;
		CU_ASSERT_EQUAL(look_cause(&row), rows[i].cause);
		maybe = rows[i].cause == CAUSE_LIVE_SATURATION && (row.opens < 0 || row.kept_ns > 0)
				? CAUSE_LEAK
				: CAUSE_NO_DATA;
		CU_ASSERT_EQUAL(look_maybe(&row), maybe);
	}
}

/* By the same words as a run's, of the same list. */
static void all_that_it_tells_of_has_something_to_do_about_it(void)
{
	static const enum cause causes[] = {
		CAUSE_TIME_WAIT_CHURN, CAUSE_CLOSE_WAIT_LEAK, CAUSE_LEAK,
		CAUSE_LIVE_SATURATION, CAUSE_BLACKHOLE,	      CAUSE_BIND_STARVATION,
	};

	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		CU_ASSERT(look_advice(causes[i]) != NULL);
	CU_ASSERT(look_advice(CAUSE_NO_DATA) == NULL);
}

/* ---- its words ----------------------------------------------------------- */

static const char *told(const struct look *l, bool json)
{
	static char text[8192];
	struct out to = out_memory(text, sizeof(text) - 1);

	if (!json)
		look_write(&to, l);
	CU_ASSERT(!json || look_write_json(&to, l));
	text[to.len] = '\0';
	return text;
}

static struct look look_of(struct look_row *row)
{
	struct look l = {.range = {32768, 60999},
			 .usable = 28232,
			 .anywhere = 300,
			 .opens = -1,
			 .sees_all = true,
			 .rows = row,
			 .count = 1};

	l.sample.states[STATE_CLOSE_WAIT] = 300;
	return l;
}

static void a_look_is_told_in_words(void)
{
	struct look_row row = row_of(STATE_CLOSE_WAIT, 300, 28232);
	struct look l = look_of(&row);

	row.usage.holders_known = true;
	row.usage.holders[0] = (struct holder){4711, "python3", 300, 5, 304};
	row.opens = row.grows = 2;
	row.full_ns = 13966 * SECOND;
	row.cause = CAUSE_CLOSE_WAIT_LEAK;
	CU_ASSERT_STRING_EQUAL(
		told(&l, false),
		"ports    28,232 usable (32768-60999) to each destination\n"
		"sockets  300 CLOSE_WAIT\n"
		"     used     full  from -> to\n"
		"      300   1.06 %  10.0.0.1 -> 10.0.0.2:443\n"
		"                    300 CLOSE_WAIT; 300 of python3 (pid 4711, descriptors 5 to\n"
		"                    304)\n"
		"                    opens 2/s; full in 233 min\n"
		"               why  close-wait-leak: the far end has closed, and the client has\n"
		"                    not: CLOSE_WAIT\n"
		"               try  close when recv() returns 0, on the paths of errors and\n"
		"                    timeouts too: the far end is done with them; `ss -tnp state\n"
		"                    close-wait` names who holds them\n");
	l.sample.reserved = 2;
	CU_ASSERT(strstr(told(&l, false), "(32768-60999, less 2 reserved) to each") != NULL);
	l.sample.listening = l.sample.bound = 1;
	CU_ASSERT(strstr(told(&l, false), "less 2 reserved, 1 listened on, 1 bound and not "
					  "connected) to") != NULL);
	CU_ASSERT(strstr(told(&l, false), "not all owners are known") == NULL);
	l.owners_partial = true;
	CU_ASSERT(strstr(told(&l, false), "not all owners are known") != NULL);
	CU_ASSERT(strstr(told(&l, true), "\"owners_partial\":true") != NULL);
	l.owners_ns = l.t_ns;
	CU_ASSERT(strstr(told(&l, false), "looking for them") == NULL);
	CU_ASSERT(strstr(told(&l, true), "owners_at") == NULL);
	l.t_ns += 23 * SECOND;
	l.owners_cost_ns = 230000000;
	CU_ASSERT(strstr(told(&l, false), "\n  (processes are those of 23 s ago: looking for them "
					  "takes 0.23 s)\n") != NULL);
	CU_ASSERT(strstr(told(&l, true), "\"owners_at\":") != NULL);
	l.t_ns = l.owners_ns;
	l.sees_all = false;
	CU_ASSERT(strstr(told(&l, false), "only root sees them") != NULL);
	l.pid = 4711;
	row.mine = 300;
	row.full_ns = FULL_NEVER;
	CU_ASSERT(strstr(told(&l, false), "process  4711, and its children\n") != NULL);
	CU_ASSERT(strstr(told(&l, false), "      300      300   1.06 %  10.0.0.1") != NULL);
	CU_ASSERT(strstr(told(&l, false), "opens 2/s; at this rate never full") != NULL);
	l.pid_ended = true;
	CU_ASSERT(strstr(told(&l, false), "4711, which has ended, and") != NULL);
}

/* In TIME_WAIT: its one client's, where there is one that is seen there, and no other. */
static void whose_a_closed_connection_likely_was_is_said(void)
{
	static const struct {
		uint32_t live, waiting, known; /* by the first holder */
		int32_t fd;		       /* -1: it has none any more */
		uint32_t second, others;
		bool likely;
	} rows[] = {
		{3, 17, 3, 5, 0, 0, true},   {3, 17, 20, 5, 0, 0, false},
		{3, 17, 3, -1, 0, 0, false}, {3, 17, 2, 5, 1, 0, false},
		{3, 17, 2, 5, 0, 1, false},  {5, 15, 4, 5, 0, 0, false},
		{3, 17, 4, 5, 0, 0, true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct look_row row = row_of(STATE_ESTABLISHED, rows[i].live, 40);
		struct look l = look_of(&row);
		const char *text;

		row.usage.states[STATE_TIME_WAIT] = rows[i].waiting;
		row.usage.holders_known = true;
		row.usage.holders[0] =
			(struct holder){4711, "nginx", rows[i].known, rows[i].fd, rows[i].fd};
		row.usage.holders[1] = (struct holder){4712, "curl", rows[i].second, 7, 7};
		row.usage.held_by_others = rows[i].others;
		text = told(&l, false);
		CU_ASSERT_EQUAL(strstr(text, "likely nginx") != NULL, rows[i].likely);
		CU_ASSERT(!rows[i].likely || strstr(text, "whose process is not known: likely"));
	}
}

/* Nor does the kernel name anybody of those that are on their way there. */
static void of_whom_one_on_its_way_to_the_end_likely_is_is_said(void)
{
	static const int closing[] = {STATE_FIN_WAIT1, STATE_FIN_WAIT2, STATE_CLOSING,
				      STATE_LAST_ACK};

	for (size_t i = 0; i < sizeof(closing) / sizeof(closing[0]); i++) {
		struct look_row row = row_of(STATE_ESTABLISHED, 3, 40);
		char text[128];
		struct out to = out_memory(text, sizeof(text));

		row.usage.states[closing[i]] = 17;
		row.usage.holders_known = true;
		row.usage.holders[0] = (struct holder){4711, "nginx", 3, 5, 9};
		row.usage.states[STATE_CLOSE_WAIT] = 1;
		usage_likely(&to, &row.usage);
		CU_ASSERT_EQUAL(to.len, 0);
		row.usage.states[STATE_CLOSE_WAIT] = 0;
		usage_likely(&to, &row.usage);
		CU_ASSERT(text_starts(out_written(&to), TEXT(": likely nginx as well")));
	}
}

/* Whole lines, colours without room, and of one that is wider than the terminal all of its rows. */
static void a_terminal_is_given_what_it_can_show(void)
{
	static const struct text text =
		TEXT("one\n\nthree, which is wide\n\033[31mfo\303\274r\033[m\nfive");
	static const struct {
		unsigned rows, columns;
		size_t fits;
	} rows[] = {
		{0, 80, 0},  {1, 80, 4},  {2, 80, 5},  {3, 80, 26}, {3, 20, 26}, {3, 19, 5},
		{4, 19, 26}, {4, 80, 40}, {4, 20, 40}, {5, 19, 40}, {5, 80, 44}, {6, 4, 5},
		{7, 4, 26},  {8, 4, 40},  {9, 4, 44},  {10, 3, 26}, {11, 3, 40},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CU_ASSERT_EQUAL(page_fit(text, rows[i].rows, rows[i].columns), rows[i].fits);
}

/* A look that costs much leaves the next for later; until then totals come, and when it was is told. */
static void each_look_has_its_time(void)
{
	struct look_row row = row_of(STATE_ESTABLISHED, 20, 40);
	struct look l = look_of(&row);

	CU_ASSERT_PTR_EQUAL(strstr(told(&l, false), "at "), NULL); /* the first */
	l.t_ns = 3 * SECOND;
	l.next_ns = SECOND;
	CU_ASSERT(strncmp(told(&l, false), "at       3 s\nports ", 18) == 0);
	l.next_ns = 7 * SECOND;
	l.sample.dump_ns = 140000000;
	CU_ASSERT(strncmp(told(&l, false), "at       3 s: the next look comes in 7 s, since one ",
			  52) == 0);
	CU_ASSERT(strstr(told(&l, false), "0.14 s") != NULL);
	l.totals = (struct look_totals){4 * SECOND, 31, 17, true};
	l.next_ns = 6 * SECOND;
	l.opens = 12;
	CU_ASSERT(strncmp(told(&l, false), "at       4 s: the next look comes in 6 s,", 41) == 0);
	CU_ASSERT(strstr(told(&l, false),
			 "totals   31 sockets of TCP in use and 17 in TIME_WAIT in "
			 "this namespace; 12/s opened\nlooked   at 3 s\nports ") != NULL);
	CU_ASSERT_STRING_EQUAL(told(&l, true),
			       "{\"schema\":1,\"at\":4.0,\"looked_at\":3.0,\"inuse\":31,"
			       "\"time_wait\":17,\"opens\":12.0,\"next_look\":6.0}\n");
}

/* What a look cannot know it says: in words, and to a program. */
static void what_is_not_sure_is_said(void)
{
	static const struct {
		int64_t full_ns;
		uint32_t used;
		bool torn, overfull;
		const char *words, *json;
	} rows[] = {
		{0, 40, false, false, "full: connect() there fails now\n", "\"full_in\":0.0"},
		{-1, 40, false, false, "no port is free but for tcp_tw_reuse\n", "\"used\":40"},
		{-1, 20, true, false, "(at least: they moved while counted)", "\"torn\":true"},
		{-1, 20, true, true, "(at least: there are more than are counted)",
		 "\"torn\":true,\"overfull\":true,\"rateless\":9"},
		{-1, 20, true, true, "how fast 9 destinations fill is not known",
		 "\"maybe\":\"leak\""},
		{-1, 20, false, false,
		 "live connections hold the ports; or leak:", "\"cause\":\"live-saturation\""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct look_row row = row_of(STATE_ESTABLISHED, rows[i].used, 40);
		struct look l = look_of(&row);

		row.full_ns = rows[i].full_ns;
		row.closes = -1;
		row.cause = CAUSE_LIVE_SATURATION;
		row.maybe = CAUSE_LEAK;
		l.sample.torn = rows[i].torn;
		l.overfull = rows[i].overfull;
		l.rateless = rows[i].overfull ? 9 : 0;
		CU_ASSERT(strstr(told(&l, false), rows[i].words) != NULL);
		CU_ASSERT(strstr(told(&l, true), rows[i].json) != NULL);
		CU_ASSERT(strstr(told(&l, true), "closes") == NULL);
	}
}

/* What lives for longer than it was watched looks as a leak does. */
static void a_leak_wants_time(void)
{
	struct look_row row = row_of(STATE_ESTABLISHED, 80, 100);
	struct look l = look_of(&row);

	row.opens = row.grows = 20;
	row.kept_ns = 4 * SECOND;
	row.full_ns = SECOND;
	row.cause = look_cause(&row);
	row.maybe = look_maybe(&row);
	CU_ASSERT(strstr(told(&l, false), "opens 20/s; full in 1 s if none is closed\n") != NULL);
	CU_ASSERT(strstr(told(&l, false), "or leak:") != NULL);
	row.kept_ns = 60 * SECOND;
	row.cause = look_cause(&row);
	row.maybe = look_maybe(&row);
	CU_ASSERT(strstr(told(&l, false), "opens 20/s; full in 1 s\n") != NULL);
	CU_ASSERT(strstr(told(&l, false), "why  leak: ") != NULL);
}

static void a_look_is_told_to_a_program(void)
{
	struct look_row row = row_of(STATE_TIME_WAIT, 20, 40);
	struct look l = look_of(&row);

	row.usage.elsewhere = 8;
	row.usage.guessed = true;
	row.usage.next_free_ns = SECOND;
	row.usage.all_free_ns = 2 * SECOND;
	row.closes = 0.5;
	l.t_ns = l.owners_ns = SECOND / 2;
	l.sample.dump_ns = SECOND / 4;
	l.next_ns = 25 * SECOND / 2;
	CU_ASSERT_STRING_EQUAL(
		told(&l, true),
		"{\"schema\":1,\"at\":0.5,\"ports\":\"32768-60999\",\"usable\":28232,"
		"\"anywhere\":300,\"taken\":{\"reserved\":0,\"listening\":0,\"bound\":0},"
		"\"states\":{\"CLOSE_WAIT\":300},\"sees_all\":true,\"destinations\":[{"
		"\"from\":\"10.0.0.1\",\"to\":\"10.0.0.2\",\"port\":443,\"protocol\":\"tcp\","
		"\"usable\":40,\"elsewhere\":8,\"guessed\":true,\"used\":20,\"free\":20,"
		"\"lower\":0,\"states\":{\"TIME_WAIT\":20},\"fill\":0.5,\"closes\":0.5,"
		"\"next_free\":1.0,\"all_free\":2.0}],\"more\":0,\"cost\":0.25,"
		"\"next_look\":12.5}\n");
	row.cause = CAUSE_LEAK;
	row.opens = row.grows = 3;
	row.full_ns = FULL_NEVER;
	l.opens = 4;
	l.pid = 7;
	l.pid_ended = l.sample.torn = l.sample.from_proc = true;
	CU_ASSERT(strstr(told(&l, true), "\"opens\":4.0,\"pid\":7,\"pid_ended\":true,\"torn\":true,"
					 "\"from_proc\":true") != NULL);
	CU_ASSERT(strstr(told(&l, true), "\"own\":0,\"opens\":3.0,\"grows\":3.0") != NULL);
	CU_ASSERT(strstr(told(&l, true), "\"full_in\":null,\"cause\":\"leak\",\"try\":\"close") !=
		  NULL);
}

static const struct test tests[] = {
	TEST(what_fills_it_is_told_by_its_states),
	TEST(all_that_it_tells_of_has_something_to_do_about_it),
	TEST(a_look_is_told_in_words),
	TEST(whose_a_closed_connection_likely_was_is_said),
	TEST(of_whom_one_on_its_way_to_the_end_likely_is_is_said),
	TEST(a_terminal_is_given_what_it_can_show),
	TEST(each_look_has_its_time),
	TEST(what_is_not_sure_is_said),
	TEST(a_leak_wants_time),
	TEST(a_look_is_told_to_a_program),
	TESTS_END,
};

const struct suite suite_look = {"look", tests};
