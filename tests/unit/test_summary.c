#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "report/page.h"
#include "report/result.h"
#include "suites.h"
#include "trial.h"

#define NASTY "\033]52;c;x\a\r\n\t\0 \x7f \xc2\x9b \xe2\x80\xae \xff\xc3( \xe2\x80\xa8"

static const struct report_style plain = {0}, verbose = {.verbose = true}, quiet = {.quiet = true};

static void trial_churn(struct trial *t)
{
	trial_open(t, "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
		      "load: {rate: 200/s, total: 320}\n"
		      "expect: [exhausted.after == 32, time_wait.end == 0, recovery < 1s]");
	trial_exhaust(t, 32);
	t->tape.tally.closed = 32;
	trial_dump(t, 32)->states[STATE_TIME_WAIT] = 32;
	t->tape.counters[t->tape.counter_count++] = (struct counter){"ActiveOpens", 1, 33};
}

static void nothing_that_a_terminal_obeys_comes_out(void)
{
	struct result *r;
	struct text said;
	struct trial t;

	trial_churn(&t);
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

	trial_churn(&t);
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

	trial_churn(&t);
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
		"32 opened in 1 s (32/s), 32 closed, 1 failed\n",
		"1 at connect(): EADDRNOTAVAIL \"Cannot assign requested address\"\n",
		("  predicted  exhausted after 32, as observed; sustainable: 0.533/s; 6 of 6\n"
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

	trial_churn(&t);
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

		trial_churn(&t);
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

/* A line of `expect` with abort leaves its trace; what was predicted was not refuted. */
static void an_aborted_run_says_who_ended_it(void)
{
	struct result *r;
	struct text said;
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
		       "load: {rate: 200/s, total: 320}\n"
		       "expect:\n"
		       "- exhausted.after == 32\n"
		       "- {expr: connects.opened < 20, abort: true}\n");
	t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 20;
	t.tape.end_ns = 100000000;
	t.tape.aborted = 1;
	r = trial_result(&t, TEXT("s5.yaml"));
	said = trial_summary(r, plain, false, &t.arena);
	CU_ASSERT(
		text_has(said, "FAIL  s5.yaml/s5.yaml  20 opened, ended at 0.1 s by s5.yaml:7\n"));
	CU_ASSERT(text_has(said, "  predicted  exhausted after 32, not reached; sustainable: "));
	CU_ASSERT(text_has(said, "  ?  exhausted.after == 32 "));
	CU_ASSERT(text_has(said, "  x  connects.opened < 20 "));
	CU_ASSERT(!text_has(said, "not exhausted") && !text_has(said, "  but "));
	r->runs[0].measures.fixed[MEASURE_EXHAUSTED] = (struct value){true, 1};
	r->runs[0].measures.fixed[MEASURE_EXHAUSTED_AFTER] = (struct value){true, 1};
	r->runs[0].measures.fixed[MEASURE_EXHAUSTED_AT] = (struct value){true, 5e7};
	CU_ASSERT(text_has(trial_summary(r, plain, false, &t.arena),
			   "exhausted after 1 connection, 50 ms, ended at 0.1 s by s5.yaml:7\n"));
	trial_close(&t);
}

/* A pass that was only too short to run out says so. */
static void a_run_too_short_to_run_out_says_so(void)
{
	static const struct {
		const char *lines;
		int64_t end_ns;
		const char *said; /* NULL: nothing */
	} rows[] = {
		{"load: {rate: 100/s, duration: 3s}", 3000000000,
		 "  but        at 100/s the ports last 10 s; this run took 3 s\n"},
		{"load: {rate: 100/s, total: 300}", 3000000000,
		 "  but        at 100/s the ports last 10 s; this run took 3 s\n"},
		{"load: {rate: 100/s, end: leak, total: 300}", 3000000000, "ports last 10 s;"},
		{"load: {rate: 16/s, duration: 3s}", 3000000000, NULL}, /* it is sustainable */
		{"load: {rate: 100/s, end: reset, duration: 3s}", 3000000000, NULL},
		{"load: {concurrency: 8, duration: 3s}", 3000000000, NULL}, /* asks for no rate */
		{"load: {rate: 10k/s, duration: 3s}", 3000000000, NULL},    /* was not attained */
		{"load: {rate: 100/s, duration: 3s}\nserver: {behaviour: close}", 3000000000, NULL},
		{"load: {rate: 100/s, duration: 3s}\nserver: {vanish: 1s}", 3000000000, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct result *r;
		struct text said;
		struct trial t;

		trial_open(&t, text_format(&a,
					   "network: {ports: 40000-40999, sysctl: "
					   "{net.ipv4.tcp_tw_reuse: 0}}\n%s",
					   rows[i].lines)
				       .s);
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 300;
		t.tape.end_ns = rows[i].end_ns;
		r = trial_result(&t, TEXT("short"));
		memset(r->runs[0].measures.predictions, 0,
		       sizeof(r->runs[0].measures.predictions)); /* of another test */
		said = trial_summary(r, plain, false, &t.arena);
		CU_ASSERT_EQUAL(text_has(said, "  but "), rows[i].said != NULL);
		CU_ASSERT(!rows[i].said || text_has(said, rows[i].said));
		said = trial_summary(r, quiet, false, &t.arena);
		CU_ASSERT_EQUAL(text_has(said, "not exhausted yet: the ports last 10 s\n"),
				rows[i].said != NULL);
		r->runs[0].measures.fixed[MEASURE_EXHAUSTED].n = 1;
		CU_ASSERT(!text_has(trial_summary(r, plain, false, &t.arena), "  but "));
		trial_close(&t);
		arena_close(&a);
	}
}

static void a_limit_of_time_wait_is_told_instead_of_a_rate(void)
{
	struct text said;
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40099, sysctl: {net.ipv4.tcp_tw_reuse: 0, "
		       "net.ipv4.tcp_max_tw_buckets: 50}}\n"
		       "load: {rate: 500/s, duration: 3s}");
	said = trial_summary(trial_result(&t, TEXT("buckets")), plain, false, &t.arena);
	CU_ASSERT(text_has(said,
			   "  predicted  sustainable: cannot be told, tcp_max_tw_buckets (50) "
			   "ends\n             TIME_WAIT early (counter TCPTimeWaitOverflow)"));
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

	trial_churn(&t);
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

static void a_load_that_fell_behind_is_marked(void)
{
	struct text said, line;
	struct result *r;
	struct trial t;

	trial_open(&t, "load: {rate: 3k/s, duration: 12s}\nexpect: [exhausted == false]");
	t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 17761;
	t.tape.tally.late = 18239;
	trial_judge(&t);
	r = trial_result(&t, TEXT("late"));
	said = trial_summary(r, plain, false, &t.arena);
	CU_ASSERT(text_has(said, "  but        18,239 of 36,000 connections were due and not "
				 "begun"));
	CU_ASSERT(text_has(said, "`load.order: fast`"));
	line = trial_summary(r, (struct report_style){.quiet = true}, false, &t.arena);
	CU_ASSERT(text_has(line, "INCOMPLETE"));
	CU_ASSERT(text_has(line, "18,239 connections were due and not begun"));
	t.tape.tally.late = 170;
	t.tape.behind_ns = 9600000000;
	t.tape.end_ns = 12000000000;
	said = trial_summary(trial_result(&t, TEXT("behind")), plain, false, &t.arena);
	CU_ASSERT(text_has(said, "  but        connections were begun up to 9.6 s after they were "
				 "due"));
	t.tape.behind_ns = 20000000;
	said = trial_summary(trial_result(&t, TEXT("on time")), plain, false, &t.arena);
	CU_ASSERT(!text_has(said, "due and not begun"));
	CU_ASSERT(!text_has(said, "after they were due"));
	trial_close(&t);
}

static void what_ended_the_load_is_told(void)
{
	static const struct {
		const char *load;
		bool exhausted;
		const char *said;
	} rows[] = {
		{"load: {total: 30}", false, "the first failure ended the load"},
		{"load: {total: 30, on_failure: continue}", false, NULL},
		{"load: {total: 30}", true, NULL},
		{"load: {total: 30, on_failure: continue}", true, NULL},
		{"load: {total: 30, on_failure: {retry: 3}}", true, NULL},
		{"load: {total: 30, on_failure: continue}\nstop: {when: exhausted}", true,
		 "exhaustion ended the load"},
		{"load: {total: 30, on_failure: {retry: 3}}\nstop: {after: 1s}", true,
		 "exhaustion ended the load"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text said;
		struct trial t;

		trial_open(&t, rows[i].load);
		if (rows[i].exhausted)
			trial_exhaust(&t, 10);
		else
			trial_fail(&t, STAGE_CONNECT, ETIMEDOUT, 1);
		said = trial_summary(trial_result(&t, TEXT("end")), plain, false, &t.arena);
		CU_ASSERT_EQUAL(text_has(said, "ended the load"), rows[i].said != NULL);
		if (rows[i].said)
			CU_ASSERT(text_has(said, rows[i].said));
		trial_close(&t);
	}
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

static void what_became_of_the_server_is_told(void)
{
	static const struct {
		enum event_kind kind;
		const char *said;
	} rows[] = {
		{EVENT_SERVER_DIED, "  server     its process died after 0.25 s\n"},
		{EVENT_SERVER_GONE, "  server     its host vanished after 0.25 s\n"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text said;
		struct trial t;

		trial_open(&t, "load: {total: 20}");
		CU_ASSERT(!text_has(
			trial_summary(trial_result(&t, TEXT("far")), plain, false, &t.arena),
			"  server"));
		tape_event(&t.tape, (struct event){.t_ns = 250000000, .kind = rows[i].kind});
		said = trial_summary(trial_result(&t, TEXT("far")), plain, false, &t.arena);
		if (!text_has(said, rows[i].said))
			printf(TEXT_FMT, TEXT_ARG(said));
		CU_ASSERT(text_has(said, rows[i].said));
		trial_close(&t);
	}
}

static void recovery_is_told_with_the_connects(void)
{
	struct text said;
	struct trial t;

	trial_churn(&t);
	said = trial_summary(trial_result(&t, TEXT("churn")), plain, false, &t.arena);
	CU_ASSERT(!text_has(said, "recovered"));
	t.tape.recovered_ns = 535000000;
	said = trial_summary(trial_result(&t, TEXT("churn")), plain, false, &t.arena);
	CU_ASSERT(text_has(said, "1 failed, recovered after\n             0.535 s\n") ||
		  text_has(said, "1 failed, recovered\n             after 0.535 s\n"));
	trial_close(&t);
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

		trial_churn(&t);
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
	CU_ASSERT(text_is(trial_summary(&r, plain, false, &a),
			  "PASS  leak      1,000 opened, not exhausted\n"
			  "\n"
			  "FAIL  leak/cure  1,001 opened, not exhausted\n"
			  "  connects   1,001 opened\n"
			  "  expected   nothing: the scenario has no `expect`\n"
			  "\n"
			  "INCOMPLETE  leak/cut  stop.time came before the load was done\n"
			  "  connects   1,002 opened\n"
			  "  expected   nothing: the scenario has no `expect`\n"
			  "\n"
			  "PASS  leak/two  1,003 opened, not exhausted\n"
			  "4 runs: 2 passed, 1 failed, 1 incomplete\n"));
	CU_ASSERT(text_is(trial_summary(&r, quiet, false, &a),
			  "PASS        leak       1,000 opened, not exhausted\n"
			  "FAIL        leak/cure  1,001 opened, not exhausted\n"
			  "INCOMPLETE  leak/cut   stop.time came before the load was done\n"
			  "PASS        leak/two   1,003 opened, not exhausted\n"
			  "4 runs: 2 passed, 1 failed, 1 incomplete\n"));
	runs[1].word = VERDICT_PASS;
	r.run_count = 2;
	r.complete = false;
	CU_ASSERT(text_has(trial_summary(&r, plain, false, &a), "2 runs: 2 passed\nINCOMPLETE: "));
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
	TEST(an_aborted_run_says_who_ended_it),
	TEST(a_run_too_short_to_run_out_says_so),
	TEST(a_limit_of_time_wait_is_told_instead_of_a_rate),
	TEST(a_pass_by_overflow_is_marked),
	TEST(what_no_dump_saw_is_told_by_the_books),
	TEST(an_error_that_was_told_is_not_told_again),
	TEST(a_load_that_fell_behind_is_marked),
	TEST(what_ended_the_load_is_told),
	TEST(without_overflow_nothing_is_said_of_it),
	TEST(what_became_of_the_server_is_told),
	TEST(recovery_is_told_with_the_connects),
	TEST(a_run_not_started_says_only_that),
	TEST(what_did_not_end_is_never_told_as_a_pass),
	TEST(skips_and_errors_say_why_first),
	TEST(many_runs_are_a_line_each_but_for_those_that_failed),
	TEST(paragraphs_hang_and_keep_units_with_their_numbers),
	TEST(widths_are_those_of_escaped_text),
	TESTS_END,
};

const struct suite suite_summary = {"summary", tests};
