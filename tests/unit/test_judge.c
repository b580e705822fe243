#include "judge/judge.h"

#include <errno.h>
#include <stdio.h>

#include "suites.h"
#include "trial.h"

/* A complete run that opened 32 and was then refused, against other lines of `expect`. */
static void each_line_is_held_against_its_measure(void)
{
	static const struct {
		const char *line;
		bool present, pass;
	} rows[] = {
		{"exhausted.after == 32", true, true},
		{"exhausted.after == 33", true, false},
		{"exhausted.after in 30..32", true, true},
		{"exhausted == true", true, true},
		{"exhausted != true", true, false},
		{"exhausted.at < 1s", true, true},
		{"exhausted.at < 100ms", true, false},
		{"errors.connect.EADDRNOTAVAIL >= 1", true, true},
		{"errors.connect.ECONNREFUSED == 0", true, true},
		{"connects.rate <= 32/s", true, true},
		{"time_wait.max == 0", false, false}, /* no dump: not even == 0 holds */
		{"ports.fill.max <= 100%", false, false},
		{"recovery < 1h", false, false},
		{"recovered == false", true, true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct trial t;

		trial_open(&t, text_format(&a, "expect: [\"%s\"]", rows[i].line).s);
		trial_exhaust(&t, 32);
		t.tape.tally.closed = 32;
		trial_judge(&t);
		CU_ASSERT_EQUAL_FATAL(t.verdict.expect_count, 1);
		if (t.verdict.expect[0].pass != rows[i].pass)
			printf("%s\n", rows[i].line);
		CU_ASSERT_EQUAL(t.verdict.expect[0].pass, rows[i].pass);
		CU_ASSERT_EQUAL(t.verdict.expect[0].observed.present, rows[i].present);
		CU_ASSERT_EQUAL(t.verdict.word, rows[i].pass ? VERDICT_PASS : VERDICT_FAIL);
		CU_ASSERT(text_is(t.verdict.expect[0].text, rows[i].line));
		CU_ASSERT_EQUAL(t.verdict.expect[0].at.line, 3);
		trial_close(&t);
		arena_close(&a);
	}
}

/* There was "no data" for it. */
static void who_was_never_exhausted_has_not_recovered(void)
{
	struct trial t;

	trial_open(&t, "expect: [recovered == false]");
	trial_judge(&t);
	CU_ASSERT_EQUAL(t.verdict.word, VERDICT_PASS);
	trial_close(&t);
}

static void one_broken_line_fails_the_run(void)
{
	struct trial t;

	trial_open(&t, "expect: [exhausted == false, connects.opened == 1, connects.failed == 0]");
	t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 2;
	trial_judge(&t);
	CU_ASSERT_EQUAL(t.verdict.word, VERDICT_FAIL);
	CU_ASSERT(t.verdict.expect[0].pass && !t.verdict.expect[1].pass &&
		  t.verdict.expect[2].pass);
	trial_close(&t);
}

static void nothing_expected_passes_what_was_carried(void)
{
	struct trial t;

	trial_open(&t, "load: {total: 1}");
	trial_judge(&t);
	CU_ASSERT_EQUAL(t.verdict.word, VERDICT_PASS);
	/* A reset connection, of which no request was wanted, ended 400 of them with the first. */
	t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.reset = 1;
	t.tape.tally.stopped = 1;
	trial_judge(&t);
	CU_ASSERT_EQUAL(t.verdict.word, VERDICT_INCOMPLETE);
	trial_close(&t);
}

static void what_broke_off_is_never_a_pass(void)
{
	static const struct {
		bool complete;
		int interrupted;
		bool cut_short;
		int aborted;
		uint64_t lost;
		enum verdict_word word;
	} rows[] = {
		{true, 0, false, -1, 0, VERDICT_PASS},
		{false, 0, false, -1, 0, VERDICT_INCOMPLETE},
		{true, 2, false, -1, 0, VERDICT_INCOMPLETE},
		{false, 15, false, -1, 0, VERDICT_INCOMPLETE},
		{true, 0, true, -1, 0, VERDICT_INCOMPLETE},
		{true, 0, false, -1, 1, VERDICT_INCOMPLETE},
		{false, 0, false, 0, 0, VERDICT_FAIL}, /* a line of `expect` with abort */
		{true, 0, false, 1, 0, VERDICT_FAIL},
		{false, 2, false, 0, 0, VERDICT_INCOMPLETE},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;

		trial_open(&t, "expect: [exhausted == false]");
		t.tape.complete = rows[i].complete;
		t.tape.interrupted = rows[i].interrupted;
		t.tape.cut_short = rows[i].cut_short;
		t.tape.aborted = rows[i].aborted;
		t.tape.lost = rows[i].lost;
		trial_judge(&t);
		CU_ASSERT_EQUAL(t.verdict.expect[0].pass,
				rows[i].aborted != 0); /* broken when it ended the run */
		CU_ASSERT_EQUAL(t.verdict.word, rows[i].word);
		trial_close(&t);
	}
}

/* A gate of 3,000/s passed with half of the connections never begun. */
static void a_load_that_was_not_made_proves_nothing(void)
{
	static const struct {
		const char *expect;
		uint64_t late;
		int64_t behind_ns;
		bool exhausted;
		enum verdict_word word;
	} rows[] = {
		{"connects.failed == 0", 0, 0, false, VERDICT_PASS},
		{"connects.failed == 0", 9, 0, false, VERDICT_PASS},
		{"connects.failed == 0", 11, 0, false, VERDICT_INCOMPLETE},
		{"connects.failed == 0", 0, 900000000, false, VERDICT_PASS},
		{"connects.failed == 0", 0, 1900000000, false, VERDICT_INCOMPLETE},
		{"connects.failed == 1", 11, 0, false, VERDICT_FAIL},
		{"exhausted == true", 11, 1900000000, true, VERDICT_PASS},
		/* Whoever looks at the pace has judged it. */
		{"connects.late <= 11", 11, 0, false, VERDICT_PASS},
		{"connects.behind < 2s", 11, 1900000000, false, VERDICT_PASS},
		{"connects.rate >= 100/s", 11, 1900000000, false, VERDICT_PASS},
		/* A run that expects nothing has no more to show than that it was carried. */
		{NULL, 0, 0, false, VERDICT_PASS},
		{NULL, 11, 0, false, VERDICT_INCOMPLETE},
		{NULL, 0, 1900000000, false, VERDICT_INCOMPLETE},
		{NULL, 11, 1900000000, true, VERDICT_PASS},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct trial t;

		trial_open(&t, text_format(&a, "expect: [%s%s%s]", rows[i].expect ? "\"" : "",
					   rows[i].expect ? rows[i].expect : "",
					   rows[i].expect ? "\"" : "")
				       .s);
		if (rows[i].exhausted)
			trial_exhaust(&t, 32);
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 1000;
		t.tape.tally.late = rows[i].late;
		t.tape.behind_ns = rows[i].behind_ns;
		t.tape.end_ns = t.tape.begin_ns + 5000000000;
		trial_judge(&t);
		if (t.verdict.word != rows[i].word)
			printf("row %zu\n", i);
		CU_ASSERT_EQUAL(t.verdict.word, rows[i].word);
		trial_close(&t);
		arena_close(&a);
	}
}

/* 300 clients that hold for 100 ms are 3,000/s: 791/s passed without a word. */
static void a_closed_loop_far_below_its_own_arithmetic_proves_nothing(void)
{
	static const struct {
		const char *load, *expect;
		uint64_t opened;
		enum verdict_word word;
		double behind_s; /* below 0: there is no arithmetic */
	} rows[] = {
		{"concurrency: 300, hold: 100ms", "exhausted == false", 14700, VERDICT_INCOMPLETE,
		 5.1},
		{"concurrency: 300, hold: 100ms", "exhausted == false", 15000, VERDICT_INCOMPLETE,
		 5},
		{"concurrency: 300, hold: 100ms", "exhausted == false", 15001, VERDICT_PASS, 4.9},
		{"concurrency: 300, hold: 100ms", "connects.rate > 1/s", 14700, VERDICT_PASS, 5.1},
		{"concurrency: 300, hold: 100ms", "rounds.rate > 1/s", 14700, VERDICT_PASS, 5.1},
		{"concurrency: 300, hold: 100ms", "rounds.behind < 6s", 14700, VERDICT_PASS, 5.1},
		{"concurrency: 300, hold: 100ms", "exhausted == true", 14700, VERDICT_FAIL, 5.1},
		{"concurrency: 3, hold: 10s", "exhausted == false", 3, VERDICT_PASS, 0},
		{"concurrency: 3, hold: 11s", "exhausted == false", 3, VERDICT_PASS, 0},
		{"concurrency: 300", "exhausted == false", 14700, VERDICT_PASS, -1},
		{"concurrency: 300, request: {pause: 50ms}", "exhausted == false", 14700,
		 VERDICT_INCOMPLETE, 7.55},
		{"rate: 3k/s, hold: 100ms", "exhausted == false", 14700, VERDICT_PASS, -1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct value *behind;
		struct trial t;
		char lines[200];

		snprintf(lines, sizeof(lines), "load: {%s}\nexpect: [\"%s\"]", rows[i].load,
			 rows[i].expect);
		trial_open(&t, lines);
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = rows[i].opened;
		t.tape.end_ns = 10000000000;
		trial_judge(&t);
		behind = &t.measures.fixed[MEASURE_ROUNDS_BEHIND];
		if (t.verdict.word != rows[i].word)
			printf("%s: %s\n", rows[i].load, rows[i].expect);
		CU_ASSERT_EQUAL(t.verdict.word, rows[i].word);
		CU_ASSERT_EQUAL(behind->present, rows[i].behind_s >= 0);
		if (behind->present)
			CU_ASSERT_DOUBLE_EQUAL(behind->n, rows[i].behind_s * 1e9, 1);
		trial_close(&t);
	}
}

/* What hangs on others has no arithmetic of its own; nor has what failed. */
static void a_loop_that_waits_for_others_has_no_arithmetic(void)
{
	static const struct {
		const char *lines;
		uint64_t failed;
		double asked; /* 0: none */
	} rows[] = {
		{"load: {concurrency: 4, hold: 20ms}", 0, 200},
		{"load: {concurrency: 4, hold: 20ms}", 1, 0},
		{"load: {concurrency: 4, hold: 20ms}\nserver: {delay: 20ms}", 0, 200},
		{"load: {concurrency: 4, hold: 20ms, request: {send: 8B, receive: 8B}}\n"
		 "server: {delay: 20ms}",
		 0, 100},
		{"load: {concurrency: 4, hold: 20ms}\nserver: {accept_every: 1s}", 0, 0},
		{"load: {concurrency: 4, hold: 20ms}\nserver: {behaviour: close}", 0, 0},
		{"load: {concurrency: 4, hold: 20ms}\nserver: {die: 5s}", 0, 0},
		{"load: {concurrency: 4, hold: 20ms, request: {send: 8B, receive: 8B, "
		 "per_connection: 3}}",
		 0, 200},
		{"load: {concurrency: 4, hold: 20ms, pool: {max_idle: 4}}", 0, 200},
		{"load: {hold: 20ms}\nloads: {a: {concurrency: 4}}", 0, 200},
		{"load: {hold: 20ms}\nloads: {a: {concurrency: 4}, b: {concurrency: 4}}", 0, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct value *asked;
		struct trial t;

		trial_open(&t, rows[i].lines);
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 8;
		t.tape.tally.requests_done = 8;
		if (rows[i].failed)
			trial_fail(&t, STAGE_CONNECT, ETIMEDOUT, rows[i].failed);
		trial_judge(&t);
		asked = &t.measures.fixed[MEASURE_ROUNDS_ASKED];
		if (asked->present != (rows[i].asked > 0) || asked->n != rows[i].asked)
			printf("row %zu: %g\n", i, asked->n);
		CU_ASSERT_EQUAL(asked->present, rows[i].asked > 0);
		CU_ASSERT_DOUBLE_EQUAL(asked->n, rows[i].asked, 0.001);
		trial_close(&t);
	}
}

/* exhausted == false passed where a NAT had dropped 252 connects, and the load had ended with the
 * first of them. */
static void a_load_that_a_failure_ended_proves_nothing_of_the_rest(void)
{
	static const struct {
		const char *lines;
		uint64_t gave_up;
		bool exhausted;
		enum verdict_word word;
	} rows[] = {
		{"expect: [exhausted == false]", 0, false, VERDICT_PASS},
		{"expect: [exhausted == false]", 1, false, VERDICT_INCOMPLETE},
		{"expect: [exhausted == true]", 1, true, VERDICT_PASS},
		{"expect: [exhausted == false, connects.failed <= 1]", 1, false, VERDICT_PASS},
		{"expect: [errors.connect.ETIMEDOUT == 1]", 1, false, VERDICT_PASS},
		{"expect: [errors.connect.ECONNREFUSED == 0]", 1, false, VERDICT_INCOMPLETE},
		{"load: {on_failure: continue}\nexpect: [exhausted == false]", 1, false,
		 VERDICT_PASS},
		{"", 0, false, VERDICT_PASS},
		{"", 1, false, VERDICT_INCOMPLETE},
		{"", 1, true, VERDICT_PASS},
		{"load: {on_failure: continue}", 1, false, VERDICT_PASS},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;

		trial_open(&t, rows[i].lines);
		if (rows[i].exhausted)
			trial_exhaust(&t, 32);
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 100;
		t.tape.tally.failed = t.tape.tally.gave_up = rows[i].gave_up;
		t.tape.tally.stopped =
			!text_has(text_of(rows[i].lines), "continue") && rows[i].gave_up;
		t.tape.tally.errors[STAGE_CONNECT][ETIMEDOUT] = rows[i].gave_up;
		t.tape.end_ns = t.tape.begin_ns + 1000000000;
		trial_judge(&t);
		if (t.verdict.word != rows[i].word)
			printf("row %zu\n", i);
		CU_ASSERT_EQUAL(t.verdict.word, rows[i].word);
		trial_close(&t);
	}
}

/* It passed with 8 of 300 connections begun, and no request done: only connects were asked. */
static void a_load_that_a_failed_request_ended_proves_nothing_either(void)
{
	static const struct {
		const char *expect;
		enum verdict_word word;
	} rows[] = {
		{"exhausted == false", VERDICT_INCOMPLETE},
		{"connects.failed == 0", VERDICT_INCOMPLETE},
		{"errors.connect.ECONNREFUSED == 0", VERDICT_INCOMPLETE},
		{"requests.failed == 8", VERDICT_PASS},
		{"errors.receive.ECONNRESET == 8", VERDICT_PASS},
		{"connects.opened == 8", VERDICT_PASS},
		{"connects.attempted == 8", VERDICT_PASS},
		{"retries == 0", VERDICT_INCOMPLETE},
		{"requests.failed == 0", VERDICT_FAIL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct trial t;

		trial_open(&t, text_format(&a,
					   "load: {request: {send: 10B, receive: 10B}}\n"
					   "expect: [\"%s\"]",
					   rows[i].expect)
				       .s);
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.reset = 8;
		t.tape.tally.requests_failed = 8;
		t.tape.tally.stopped = 1;
		t.tape.tally.errors[STAGE_RECEIVE][ECONNRESET] = 8;
		trial_judge(&t);
		if (t.verdict.word != rows[i].word)
			printf("%s\n", rows[i].expect);
		CU_ASSERT_EQUAL(t.verdict.word, rows[i].word);
		CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 1);
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause, CAUSE_REQUEST_FAILED);
		CU_ASSERT(text_has(t.verdict.causes[0].why, "recv() failed 8 times"));
		trial_close(&t);
		arena_close(&a);
	}
}

/* The gate that the README recommends failed, and did not say of what. */
static void a_gate_of_fill_that_fails_says_who_has_the_ports(void)
{
	static const struct {
		const char *expect;
		uint64_t waiting;
		enum cause first; /* CAUSE_NO_DATA: none */
	} rows[] = {
		{"ports.fill.max < 50%", 24, CAUSE_TIME_WAIT_CHURN},
		{"ports.fill.max < 80%", 24, CAUSE_NO_DATA},
		{"connects.opened == 1", 24, CAUSE_GATE_MISSED},
		{"ports.fill.max < 50%", 8, CAUSE_LIVE_SATURATION}, /* most of them do not wait */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct sample *s;
		struct trial t;

		trial_open(&t, text_format(&a,
					   "network: {ports: 40000-40031}\n"
					   "load: {rate: 30/s, duration: 1s}\nexpect: [\"%s\"]",
					   rows[i].expect)
				       .s);
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 24;
		s = trial_dump(&t, 24);
		s->states[STATE_TIME_WAIT] = rows[i].waiting;
		s->states[STATE_ESTABLISHED] = 24 - rows[i].waiting;
		trial_judge(&t);
		CU_ASSERT_EQUAL((t.verdict.cause_count > 0), (rows[i].first != CAUSE_NO_DATA));
		if (t.verdict.cause_count > 0)
			CU_ASSERT_EQUAL(t.verdict.causes[0].cause, rows[i].first);
		trial_close(&t);
		arena_close(&a);
	}
}

static void each_verdict_has_a_name_that_finds_it(void)
{
	for (int i = VERDICT_PASS; i <= VERDICT_INCOMPLETE; i++)
		CU_ASSERT_EQUAL(verdict_find(text_of(verdict_name((enum verdict_word)i))), i);
	CU_ASSERT_EQUAL(verdict_find(TEXT("PASS")), -1);
}

static const struct test tests[] = {
	TEST(each_line_is_held_against_its_measure),
	TEST(who_was_never_exhausted_has_not_recovered),
	TEST(one_broken_line_fails_the_run),
	TEST(nothing_expected_passes_what_was_carried),
	TEST(what_broke_off_is_never_a_pass),
	TEST(a_load_that_was_not_made_proves_nothing),
	TEST(a_closed_loop_far_below_its_own_arithmetic_proves_nothing),
	TEST(a_loop_that_waits_for_others_has_no_arithmetic),
	TEST(a_load_that_a_failure_ended_proves_nothing_of_the_rest),
	TEST(a_load_that_a_failed_request_ended_proves_nothing_either),
	TEST(a_gate_of_fill_that_fails_says_who_has_the_ports),
	TEST(each_verdict_has_a_name_that_finds_it),
	TESTS_END,
};

const struct suite suite_judge = {"judge", tests};
