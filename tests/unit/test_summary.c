/* What a person reads of a run, and how it fits a terminal. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "base/utf8.h"
#include "report/page.h"
#include "report/result.h"
#include "suites.h"
#include "trial.h"

#define NASTY "\033]52;c;x\a\r\n\t\0 \x7f \xc2\x9b \xe2\x80\xae \xff\xc3( \xe2\x80\xa8"

static const struct report_style plain = {0}, verbose = {.verbose = true}, quiet = {.quiet = true};

static void nothing_that_a_terminal_obeys_comes_out(void)
{
	struct result *r;
	struct text said;
	struct trial t;

	trial_run_out(&t);
	r = trial_result(&t, (struct text){NASTY, sizeof(NASTY) - 1});
	r->runs[0].error = r->runs[0].hint = (struct text){NASTY, sizeof(NASTY) - 1};
	for (int word = VERDICT_PASS; word <= VERDICT_INCOMPLETE; word++) {
		r->runs[0].word = (enum verdict_word)word;
		said = trial_summary(r, verbose, false, &t.arena);
		CU_ASSERT(said.len > 0);
		while (said.len) {
			size_t len;
			int32_t point = utf8_first(said, &len);

			CU_ASSERT_FATAL(point == '\n' ||
					(point >= 0x20 && !utf8_is_hostile(point)));
			said = text_skip(said, len);
		}
	}
	trial_close(&t);
}

static void lines_fit_a_terminal(void)
{
	struct text said, line;
	struct trial t;

	trial_run_out(&t);
	said = trial_summary(trial_result(&t, TEXT("churn")), verbose, false, &t.arena);
	while (text_cut(&said, '\n', &line)) {
		if (page_width(line) > PAGE_WIDTH)
			printf(TEXT_FMT "\n", TEXT_ARG(line));
		CU_ASSERT(page_width(line) <= PAGE_WIDTH);
		CU_ASSERT(line.len == 0 || line.s[line.len - 1] != ' ');
	}
	trial_close(&t);
}

/* Colour adds to what is said: without it, not a letter is missing. */
static void colour_tells_nothing_alone(void)
{
	struct text said, coloured;
	struct result *r;
	struct trial t;
	char *bare;
	size_t len = 0;

	trial_run_out(&t);
	r = trial_result(&t, TEXT("churn"));
	said = trial_summary(r, plain, false, &t.arena);
	coloured = trial_summary(r, plain, true, &t.arena);
	CU_ASSERT(coloured.len > said.len);
	bare = ARENA_ARRAY(&t.arena, char, coloured.len);
	for (size_t i = 0; i < coloured.len; i++) {
		if (coloured.s[i] == '\033')
			while (i < coloured.len && coloured.s[i] != 'm')
				i++;
		else
			bare[len++] = coloured.s[i];
	}
	CU_ASSERT(text_eq(said, (struct text){bare, len}));
	trial_close(&t);
}

static void a_run_is_told_in_full(void)
{
	static const char *const parts[] = {
		"FAIL  churn  exhausted after 32 connections, 0.16 s\n",
		"32 usable (40000-40031), peak 32 in use: 100 %\n",
		"  sockets    32 TIME_WAIT\n",
		"32 opened in 1 s, 32 closed, 1 failed\n", /* of so few no rate */
		"1 at connect(): EADDRNOTAVAIL \"Cannot assign requested address\"\n",
		("  predicted  exhausted after 32, as observed; sustainable: 0.533/s; 5 of 5\n"
		 "             predictions hold\n"),
		"  ok exhausted.after == 32  observed 32       churn:5\n",
		"  x  time_wait.end == 0     observed 32       churn:5\n",
		"  x  recovery < 1s                   no data  churn:5\n",
		"why: closed connections keep their ports in TIME_WAIT (connection-per-request)\n",
		"try: 1. ",
		"won't help:\n     - ",
	};
	struct text said;
	struct trial t;
	struct result *r;

	trial_run_out(&t);
	r = trial_result(&t, TEXT("churn"));
	r->runs[0].case_name = TEXT("base");
	said = trial_summary(r, plain, false, &t.arena);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!text_has(said, parts[i]))
			printf("not there: %s\n" TEXT_FMT, parts[i], TEXT_ARG(said));
		CU_ASSERT(text_has(said, parts[i]));
	}
	CU_ASSERT(!text_has(said, "ActiveOpens"));
	CU_ASSERT(text_has(trial_summary(r, verbose, false, &t.arena), "ActiveOpens"));
	CU_ASSERT(text_is(trial_summary(r, quiet, false, &t.arena),
			  "FAIL  churn  exhausted after 32, 0.16 s\n"));
	CU_ASSERT(!text_has(said, "results: "));
	r->kept = TEXT("results/runs/x");
	said = trial_summary(r, plain, false, &t.arena);
	CU_ASSERT(text_has(said, "\nresults: results/runs/x\n"));
	CU_ASSERT(!text_has(trial_summary(r, quiet, false, &t.arena), "results: "));
	trial_close(&t);
}

static void a_difference_from_the_prediction_is_told(void)
{
	static const struct {
		double predicted, observed;
		bool exhausted, may_lose_one;
		const char *said;
	} rows[] = {
		{32, 32, true, false, "exhausted after 32, as observed;"},
		{32, 31, true, false, "exhausted after 32; observed after 31, 1 fewer;"},
		{32, 40, true, false, "exhausted after 32; observed after 40, 8 more;"},
		{31, 30, true, true, "1 fewer (a range of an odd"},
		{32, 0, false, false, "exhausted after 32; observed: not exhausted;"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct result *r;
		struct value *m;
		struct trial t;

		trial_run_out(&t);
		r = trial_result(&t, TEXT("churn"));
		m = r->runs[0].measures.fixed;
		m[MEASURE_PREDICTED_AFTER] = (struct value){true, rows[i].predicted};
		m[MEASURE_EXHAUSTED_AFTER] = (struct value){rows[i].exhausted, rows[i].observed};
		m[MEASURE_EXHAUSTED] = (struct value){true, rows[i].exhausted};
		r->runs[0].plan.may_lose_one = rows[i].may_lose_one;
		CU_ASSERT(text_has(trial_summary(r, plain, false, &t.arena), rows[i].said));
		trial_close(&t);
	}
}

/* A run that was not started has expected nothing yet: its scenario is not blamed. */
static void a_run_not_started_says_only_that(void)
{
	struct result_run run = {.scenario = {"long", 4}, .word = VERDICT_INCOMPLETE};
	struct result r = {.runs = &run, .run_count = 1, .word = VERDICT_INCOMPLETE};
	struct arena a = help_arena();

	run.error = TEXT(RESULT_NOT_STARTED);
	CU_ASSERT(text_is(trial_summary(&r, plain, false, &a),
			  "INCOMPLETE  long\n  it was not started\n"));
	arena_close(&a);
}

static void what_did_not_end_is_never_told_as_a_pass(void)
{
	static const struct {
		int interrupted;
		bool cut_short;
		uint64_t lost;
		const char *said;
	} rows[] = {
		{SIGINT, false, 0, "INCOMPLETE  churn/churn  interrupted by SIGINT\n"},
		{0, true, 0, "INCOMPLETE  churn/churn  stop.time came before the load was done\n"},
		{0, false, 9, "INCOMPLETE  churn/churn  9 records did not fit"},
		{0, false, 0, "INCOMPLETE  churn/churn  it did not come to its end\n"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct result *r;
		struct text said;
		struct trial t;

		trial_run_out(&t);
		r = trial_result(&t, TEXT("churn"));
		r->complete = r->runs[0].complete = false;
		r->runs[0].word = VERDICT_PASS; /* as no run would leave it */
		r->runs[0].interrupted = rows[i].interrupted;
		r->runs[0].cut_short = rows[i].cut_short;
		r->runs[0].lost = rows[i].lost;
		said = trial_summary(r, plain, false, &t.arena);
		CU_ASSERT(text_has(said, rows[i].said));
		CU_ASSERT(!text_has(said, "PASS"));
		CU_ASSERT(text_has(said, "  ?  time_wait.end == 0 ")); /* it might have come true */
		trial_close(&t);
	}
}

static void skips_and_errors_say_why_first(void)
{
	static const struct {
		enum verdict_word word;
		const char *said;
	} rows[] = {
		{VERDICT_SKIP, "SKIP  churn\n  no rights here\n  hint: Ask for them.\n"},
		{VERDICT_ERROR, "ERROR  churn\n  no rights here\n  hint: Ask for them.\n"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct result_run run = {.scenario = TEXT("churn"), .word = rows[i].word};
		struct result r = {.complete = true, .runs = &run, .run_count = 1};
		struct arena a = help_arena();

		run.error = TEXT("no rights here");
		run.hint = TEXT("Ask for them.");
		CU_ASSERT(text_is(trial_summary(&r, plain, false, &a), rows[i].said));
		arena_close(&a);
	}
}

static void many_runs_are_a_line_each_but_for_those_that_failed(void)
{
	struct result_run runs[4] = {
		{.scenario = {"leak", 4},
		 .case_name = {"base", 4},
		 .word = VERDICT_PASS,
		 .complete = true},
		{.scenario = {"leak", 4},
		 .case_name = {"cure", 4},
		 .word = VERDICT_FAIL,
		 .complete = true},
		{.scenario = {"leak", 4},
		 .case_name = {"cut", 3},
		 .word = VERDICT_INCOMPLETE,
		 .cut_short = true},
		{.scenario = {"leak", 4},
		 .case_name = {"two", 3},
		 .word = VERDICT_PASS,
		 .complete = true},
	};
	struct result r = {.complete = true, .runs = runs, .run_count = 4};
	struct arena a = help_arena();

	for (int i = 0; i < 4; i++)
		runs[i].measures.fixed[MEASURE_CONNECTS_OPENED] = (struct value){true, 1000 + i};
	CU_ASSERT(text_is(
		trial_summary(&r, plain, false, &a),
		"PASS  leak      1,000 opened, not exhausted; nothing expected\n"
		"\n"
		"FAIL  leak/cure  1,001 opened, not exhausted\n"
		"  connects   1,001 opened\n"
		"  expected   nothing: the scenario has no `expect`, so a run that did what it\n"
		"             was asked passes\n"
		"\n"
		"INCOMPLETE  leak/cut  stop.time came before the load was done\n"
		"  connects   1,002 opened\n"
		"  expected   nothing: the scenario has no `expect`, so a run that did what it\n"
		"             was asked passes\n"
		"\n"
		"PASS  leak/two  1,003 opened, not exhausted; nothing expected\n"
		"4 runs: 2 passed (2 expected nothing), 1 failed, 1 incomplete\n"));
	CU_ASSERT(text_is(trial_summary(&r, quiet, false, &a),
			  "PASS        leak       1,000 opened, not exhausted; nothing expected\n"
			  "FAIL        leak/cure  1,001 opened, not exhausted\n"
			  "INCOMPLETE  leak/cut   stop.time came before the load was done\n"
			  "PASS        leak/two   1,003 opened, not exhausted; nothing expected\n"
			  "4 runs: 2 passed (2 expected nothing), 1 failed, 1 incomplete\n"));
	runs[1].word = VERDICT_PASS;
	r.run_count = 2;
	r.complete = false;
	runs[0].verdict.expect_count = 1; /* and it holds */
	CU_ASSERT(text_has(trial_summary(&r, quiet, false, &a),
			   "PASS  leak       1,000 opened, not exhausted\n"
			   "PASS  leak/cure  1,001 opened, not exhausted; nothing expected\n"
			   "2 runs: 2 passed (1 expected nothing)\nINCOMPLETE: "));
	arena_close(&a);
}

static void paragraphs_hang_and_keep_units_with_their_numbers(void)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{"", "a:\n"},
		{"x", "a:   x\n"},
		{"1234567890123456789012345678901234567890123456789012345678901234567890 1234 60 "
		 "s.",
		 "a:   1234567890123456789012345678901234567890123456789012345678901234567890\n    "
		 " 1234 60 s.\n"},
		{"12345678901234567890123456789012345678901234567890123456789012345678901 60 s",
		 "a:   12345678901234567890123456789012345678901234567890123456789012345678901\n   "
		 "  60 s\n"},
		{"1 "
		 "123456789012345678901234567890123456789012345678901234567890123456789012345678901"
		 "234567890",
		 "a:   1\n     "
		 "123456789012345678901234567890123456789012345678901234567890123456789012345678901"
		 "234567890\n"},
		{"a\nb", "a:   a\\x0ab\n"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char buffer[400];
		struct out out = out_memory(buffer, sizeof(buffer));

		page_paragraph(&out, "a:", PAINT_NONE, 5, text_of(rows[i].text));
		if (!text_is(out_written(&out), rows[i].said))
			printf("row %zu: " TEXT_FMT, i, TEXT_ARG(out_written(&out)));
		CU_ASSERT(text_is(out_written(&out), rows[i].said));
	}
}

/* What page_width() foretells is what out_escaped() writes. */
static void widths_are_those_of_escaped_text(void)
{
	static const struct {
		struct text text;
		unsigned wide;
	} rows[] = {
		{{"abc", 3}, 3},      {{"\xc3\xbc", 2}, 1},	{{"\033", 1}, 4},
		{{"\xff\xfe", 2}, 8}, {{"\xe2\x80\xae", 3}, 8}, {{"\xf3\xa0\x80\x81", 4}, 9},
		{{"\xc2\x9b", 2}, 8},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char buffer[64];
		struct out out = out_memory(buffer, sizeof(buffer));

		out_escaped(&out, rows[i].text);
		CU_ASSERT_EQUAL(page_width(rows[i].text), rows[i].wide);
		CU_ASSERT_EQUAL(page_width(out_written(&out)), rows[i].wide);
	}
}

static const struct test tests[] = {
	TEST(nothing_that_a_terminal_obeys_comes_out),
	TEST(lines_fit_a_terminal),
	TEST(colour_tells_nothing_alone),
	TEST(a_run_is_told_in_full),
	TEST(a_difference_from_the_prediction_is_told),
	TEST(a_run_not_started_says_only_that),
	TEST(what_did_not_end_is_never_told_as_a_pass),
	TEST(skips_and_errors_say_why_first),
	TEST(many_runs_are_a_line_each_but_for_those_that_failed),
	TEST(paragraphs_hang_and_keep_units_with_their_numbers),
	TEST(widths_are_those_of_escaped_text),
	TESTS_END,
};

const struct suite suite_summary = {"summary", tests};
