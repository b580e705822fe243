/* What a summary marks: whatever a verdict alone would hide. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report/page.h"
#include "report/usage.h"
#include "suites.h"
#include "trial.h"

static const struct report_style plain = {0};

/* A dump of 64 ports, of which not all can be had. */
static struct text told_of(struct trial *t, const struct sample *dump)
{
	static const struct usage one = {
		.remote_port = 7000, .usable = 61, .next_free_ns = -1, .all_free_ns = -1};

	trial_open(t, "network: {ports: 40000-40063, reserved: [40000-40001]}\n"
		      "load: {total: 1}\nsquat: {listen: [40010]}");
	t->tape.tally.attempted = t->tape.tally.opened = t->tape.tally.closed = 1;
	trial_usages(t, *dump, &one);
	trial_judge(t);
	return trial_summary(trial_result(t, TEXT("s")), (struct report_style){.verbose = true},
			     false, &t->arena);
}

static void it_says_what_took_the_ports_that_are_not_usable(void)
{
	static const struct {
		struct sample dump;
		const char *told;
	} rows[] = {
		{{.usage_count = 1, .reserved = 2, .listening = 1},
		 "61 usable (40000-40063, less 2 reserved, less 1 listened on)"},
		{{.usage_count = 1, .reserved = 2, .bound = 5},
		 "61 usable (40000-40063, less 3 that are taken)"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;

		CU_ASSERT(text_has(told_of(&t, &rows[i].dump), rows[i].told));
		trial_close(&t);
	}
}

/* How many are in use is told of the destination that the share is of: there are fewer where bind() took
 * some for others, or squat came late; and of whom there are more in use beside it. */
static void the_peak_and_the_share_are_of_one_destination(void)
{
	static const struct {
		const char *lines;
		uint32_t there, other, elsewhere, bound;
		const char *told;
	} rows[] = {
		{"loads: {six: {family: ipv6}, four: {bind: address}}", 16, 30, 16, 0,
		 "32 usable (40000-40031), 16 to the fullest, for bind() took 16 for\n"
		 "             others, peak 16 in use: 100 %; to another 30\n"},
		{"loads: {six: {family: ipv6}, four: {bind: address}}", 8, 30, 16, 0,
		 "32 usable (40000-40031), peak 30 in use: 93.8 %\n"},
		{"squat: {bind: 12, start: 500ms}", 20, 0, 0, 12,
		 "32 usable (40000-40031), 20 after 12 more were bound or listened\n"
		 "             on, peak 20 in use: 100 %\n"},
		/* as many as squat took when all of them were in use */
		{"loads: {six: {family: ipv6}, four: {bind: address}}\n"
		 "squat: {bind: 8, start: 500ms}",
		 16, 16, 8, 8,
		 "32 usable (40000-40031), 24 to the fullest, for bind() took 8 for\n"
		 "             others, peak 16 in use: 66.7 %\n"},
		{"squat: {bind: 12, start: 500ms}\nload: {bind: address}", 20, 0, 0, 12,
		 "32 usable (40000-40031), peak 20 in use: 62.5 %\n"},
		{"squat: {bind: 12}", 20, 0, 0, 12,
		 "20 usable (40000-40031, less 12 bound and not connected), peak 20\n"
		 "             in use: 100 %\n"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct usage each[2], one = {.remote_port = 7000, .next_free_ns = -1};
		char lines[200];
		struct text said;
		struct trial t;

		snprintf(lines, sizeof(lines), "network: {ports: 40000-40031}\n%s", rows[i].lines);
		trial_open(&t, lines);
		each[0] = each[1] = one;
		each[0].elsewhere = rows[i].elsewhere;
		each[0].usable = 32 - rows[i].elsewhere - rows[i].bound;
		each[0].states[STATE_ESTABLISHED] = rows[i].there;
		each[0].local = address_ipv4(0x0a4d0001);
		each[1].local = each[0].local;
		each[1].usable = 32;
		each[1].states[STATE_TIME_WAIT] = rows[i].other;
		trial_usages(
			&t,
			(struct sample){.usage_count = rows[i].other ? 2 : 1,
					.used_max = rows[i].other ? rows[i].other : rows[i].there,
					.bound = rows[i].bound},
			each);
		trial_judge(&t);
		said = trial_summary(trial_result(&t, TEXT("s")), plain, false, &t.arena);
		CU_ASSERT(row_says(i, said, rows[i].told));
		trial_close(&t);
	}
}

static void what_a_dump_cannot_have_seen_is_said(void)
{
	static const struct {
		struct sample dump;
		bool proc, torn;
	} rows[] = {{{.usage_count = 1}, false, false},
		    {{.usage_count = 1, .from_proc = true}, true, false},
		    {{.usage_count = 1, .torn = true}, false, true}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;
		struct text said = told_of(&t, &rows[i].dump);

		CU_ASSERT_EQUAL(text_has(said, "sockets were counted from /proc/net/tcp, since"),
				rows[i].proc);
		CU_ASSERT_EQUAL(text_has(said, "those that are bound and not connected are"),
				rows[i].proc);
		CU_ASSERT_EQUAL(text_has(said, "at least: sockets"), rows[i].torn);
		CU_ASSERT_EQUAL(text_has(said, "not all sockets were counted"), rows[i].torn);
		trial_close(&t);
	}
}

static void a_limit_of_time_wait_is_told_with_the_rate(void)
{
	struct text said;
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40099, sysctl: {net.ipv4.tcp_tw_reuse: 0, "
		       "net.ipv4.tcp_max_tw_buckets: 50}}\n"
		       "load: {rate: 500/s, duration: 3s}");
	said = trial_summary(trial_result(&t, TEXT("buckets")), plain, false, &t.arena);
	CU_ASSERT(text_has(said,
			   "  predicted  cannot be told for sure: by the clock the ports suffice, "
			   "since no\n             more than 50 of 100 ports can wait at once "
			   "(tcp_max_tw_buckets);"));
	CU_ASSERT(text_has(
		said, "sustainable: at least 1.67/s, since no more than 50 ports can wait\n"
		      "             at once (tcp_max_tw_buckets; counter TCPTimeWaitOverflow)"));
	CU_ASSERT(!text_has(said, "  but "));
	trial_close(&t);
}

static void a_pass_by_overflow_is_marked(void)
{
	struct text said, line;
	struct result *r;
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_max_tw_buckets: 10}}\n"
		       "load: {total: 300}\nexpect: [exhausted == false]");
	t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 300;
	t.tape.counters[t.tape.counter_count++] = (struct counter){"TCPTimeWaitOverflow", 5, 295};
	trial_judge(&t);
	CU_ASSERT_EQUAL(t.measures.fixed[MEASURE_TIME_WAIT_OVERFLOW].n, 290);
	r = trial_result(&t, TEXT("overflow"));
	said = trial_summary(r, plain, false, &t.arena);
	CU_ASSERT(text_has(said, "  but        290 closed connections were never in TIME_WAIT: "
				 "tcp_max_tw_buckets\n             was reached, and the run has "
				 "passed by that overflow."));
	line = trial_summary(r, (struct report_style){.quiet = true}, false, &t.arena);
	CU_ASSERT(text_has(line, "not exhausted: TIME_WAIT overflowed"));
	trial_close(&t);
}

static void what_no_dump_saw_is_told_by_the_books(void)
{
	struct result *r;
	struct trial t;
	struct text said;

	trial_open(&t, "network: {ports: 40000-40031}\nload: {total: 20}");
	t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 20;
	trial_dump(&t, 0);
	t.tape.open_peak = 7;
	trial_judge(&t);
	r = trial_result(&t, TEXT("short"));
	said = trial_summary(r, plain, false, &t.arena);
	CU_ASSERT(text_has(said, "usable (40000-40031), peak 7 by the driver's books"));
	CU_ASSERT(!text_has(said, "peak 0"));
	trial_close(&t);
}

static void an_error_that_was_told_is_not_told_again(void)
{
	struct result *r;
	struct trial t;
	struct text said;

	trial_run_out(&t);
	trial_judge(&t);
	r = trial_result(&t, TEXT("refused"));
	r->runs[0].word = VERDICT_ERROR;
	r->runs[0].error = TEXT("no such sysctl");
	r->runs[0].hint = TEXT("Take another.");
	said = trial_summary(r, plain, false, &t.arena);
	CU_ASSERT(text_has(said, "no such sysctl") && text_has(said, "Take another."));
	said = trial_summary(r, (struct report_style){.told = true}, false, &t.arena);
	CU_ASSERT(text_has(said, "ERROR  refused"));
	CU_ASSERT(!text_has(said, "no such sysctl") && !text_has(said, "Take another."));
	trial_close(&t);
}

/* "64 FIN_WAIT2" stood beside a reason that was TIME_WAIT: the first of the fullest dumps was amid the
 * closing. */
static void sockets_are_told_as_they_came_to_rest(void)
{
	struct sample *s;
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40031}\nload: {total: 32}");
	t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 32;
	s = trial_dump(&t, 32);
	s->states[STATE_FIN_WAIT2] = 32;
	s->at_rest = false;
	trial_dump(&t, 31)->states[STATE_TIME_WAIT] = 31;
	trial_judge(&t);
	CU_ASSERT(text_has(trial_summary(trial_result(&t, TEXT("rest")), plain, false, &t.arena),
			   "sockets    32 FIN_WAIT2\n"));
	trial_dump(&t, 32)->states[STATE_TIME_WAIT] = 32;
	trial_dump(&t, 32)->states[STATE_CLOSE_WAIT] = 32;
	CU_ASSERT(text_has(trial_summary(trial_result(&t, TEXT("rest")), plain, false, &t.arena),
			   "sockets    32 TIME_WAIT\n"));
	trial_close(&t);
}

static void without_overflow_nothing_is_said_of_it(void)
{
	struct trial t;

	trial_open(&t, "load: {total: 300}\nexpect: [exhausted == false]");
	CU_ASSERT(!text_has(trial_summary(trial_result(&t, TEXT("none")), plain, false, &t.arena),
			    "overflow"));
	CU_ASSERT_FALSE(t.measures.fixed[MEASURE_TIME_WAIT_OVERFLOW].present);
	trial_close(&t);
}

static void recovery_is_told_with_the_connects(void)
{
	struct text said;
	struct trial t;

	trial_run_out(&t);
	said = trial_summary(trial_result(&t, TEXT("churn")), plain, false, &t.arena);
	CU_ASSERT(!text_has(said, "recovered"));
	t.tape.recovered_ns = 535000000;
	said = trial_summary(trial_result(&t, TEXT("churn")), plain, false, &t.arena);
	CU_ASSERT(text_has(said, "1 failed, recovered after 0.535 s\n"));
	trial_close(&t);
}

/* `and:` between two reasons read as if it were about the first. */
static void a_note_stands_behind_all_reasons(void)
{
	struct finding causes[] = {{.cause = CAUSE_LEAK, .why = {"a", 1}},
				   {.cause = CAUSE_TW_OVERFLOW, .why = {"b", 1}},
				   {.cause = CAUSE_LIVE_SATURATION, .why = {"c", 1}}};
	struct result_run run = {.scenario = {"s", 1},
				 .word = VERDICT_FAIL,
				 .complete = true,
				 .verdict = {.causes = causes, .cause_count = 3}};
	struct result r = {.complete = true, .runs = &run, .run_count = 1};
	struct arena a = help_arena();
	const char *said = trial_summary(&r, plain, false, &a).s, *note = strstr(said, "and: ");

	CU_ASSERT_FATAL(note != NULL);
	CU_ASSERT(!strstr(note, "why: "));
	CU_ASSERT(strstr(said, "(leak)") < strstr(said, "(live-saturation)"));
	arena_close(&a);
}

/* "28,2180.0496 %" were two columns in one. */
static void a_share_fits_its_column(void)
{
	static const struct {
		double share;
		const char *said;
	} rows[] = {{0, "0 %"},
		    {1 / 28232., "< 0.1 %"},
		    {0.000999, "< 0.1 %"},
		    {0.001, "0.1 %"},
		    {0.00123456, "0.123 %"},
		    {0.12345, "12.3 %"},
		    {0.99999, "99.9 %"},
		    {1, "100 %"}};
	char text[UNIT_PRINTED];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CU_ASSERT_STRING_EQUAL(usage_share(text, rows[i].share), rows[i].said);
}

static const struct test tests[] = {
	TEST(it_says_what_took_the_ports_that_are_not_usable),
	TEST(the_peak_and_the_share_are_of_one_destination),
	TEST(what_a_dump_cannot_have_seen_is_said),
	TEST(a_limit_of_time_wait_is_told_with_the_rate),
	TEST(a_pass_by_overflow_is_marked),
	TEST(what_no_dump_saw_is_told_by_the_books),
	TEST(an_error_that_was_told_is_not_told_again),
	TEST(sockets_are_told_as_they_came_to_rest),
	TEST(without_overflow_nothing_is_said_of_it),
	TEST(recovery_is_told_with_the_connects),
	TEST(a_note_stands_behind_all_reasons),
	TEST(a_share_fits_its_column),
	TESTS_END,
};

const struct suite suite_summary_marks = {"summary: marks", tests};
