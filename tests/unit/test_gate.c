/* A line of `expect` that fails has a reason, with its arithmetic, and something to try. */
#include "judge/gate.h"

#include <errno.h>
#include <stdio.h>

#include "advice_check.h"
#include "judge/gate_topic.h"
#include "suites.h"
#include "trial.h"

#define SMALL "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"

/* Twenty of 32 ports in use, and no connect has failed: who has them is why the line fails. */
static void a_fill_that_is_too_much_is_told_with_who_holds_it(void)
{
	static const struct {
		const char *load, *line;
		uint64_t leaked, closed;
		int state;
		enum cause first;
		const char *why;
	} rows[] = {
		{"load: {end: leak}", "ports.fill.max <= 50%", 20, 0, STATE_ESTABLISHED, CAUSE_LEAK,
		 "of 20 ports in use 20 are used up for good, and if it goes on all are: 32 after "
		 "32 connections"},
		{"load: {end: leak}", "leaked == 0", 20, 0, STATE_ESTABLISHED, CAUSE_LEAK,
		 "none of them was closed"},
		{"load: {end: leak}", "close_wait.max < 10", 20, 0, STATE_CLOSE_WAIT,
		 CAUSE_CLOSE_WAIT_LEAK, "The far end has closed 20 connections"},
		{"load: {hold: 5s}", "ports.fill.max < 50%", 0, 0, STATE_ESTABLISHED,
		 CAUSE_LIVE_SATURATION, "20 connections were in use at once, and there are 32"},
		{"load: {hold: 5s}", "established.max in 1..10", 0, 0, STATE_ESTABLISHED,
		 CAUSE_LIVE_SATURATION, "20 connections were in use at once"},
		{"load: {rate: 200/s}", "time_wait.max == 10", 0, 20, STATE_TIME_WAIT,
		 CAUSE_TIME_WAIT_CHURN, "32 ports / 60 s = 0.533/s"},
		{"load: {rate: 200/s}", "ports.used.max < 20", 0, 20, STATE_FIN_WAIT2,
		 CAUSE_FIN_WAIT_ORPHANS, "20 in FIN_WAIT2 keep their ports"},
		{"server: {behaviour: drop}", "syn_sent.max < 20", 0, 0, STATE_SYN_SENT,
		 CAUSE_BLACKHOLE, "20 connects had no answer yet"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[300];
		struct trial t;

		snprintf(lines, sizeof(lines), SMALL "%s\nexpect: [\"%s\"]", rows[i].load,
			 rows[i].line);
		trial_open(&t, lines);
		t.tape.tally.attempted = t.tape.tally.opened = 20;
		t.tape.tally.leaked = rows[i].leaked;
		t.tape.tally.closed = rows[i].closed;
		t.tape.tally.open = 20 - rows[i].leaked - rows[i].closed;
		trial_dump(&t, 20)->states[rows[i].state] = 20;
		trial_judge(&t);
		CU_ASSERT_EQUAL(t.verdict.word, VERDICT_FAIL);
		CU_ASSERT_FATAL(t.verdict.cause_count > 0);
		if (t.verdict.causes[0].cause != rows[i].first ||
		    !text_has(t.verdict.causes[0].why, rows[i].why))
			printf("\n%s: %s: " TEXT_FMT "\n", rows[i].line,
			       cause_name(t.verdict.causes[0].cause),
			       TEXT_ARG(t.verdict.causes[0].why));
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause, rows[i].first);
		CU_ASSERT(text_has(t.verdict.causes[0].why, rows[i].why));
		CU_ASSERT_PTR_NULL(trial_cause(&t, CAUSE_GATE_MISSED));
		advice_check(&t.verdict.causes[0]);
		trial_close(&t);
	}
}

static const struct {
	const char *lines, *line, *why[3];
} misses[] = {
	{"load: {rate: 10/s, total: 20, hold: 2s}",
	 "exhausted == true",
	 {"`exhausted == true`: observed false. 20 connections opened, and at most 20 of 32 ports "
	  "were "
	  "in use at once to one destination: no connect lacked one.",
	  "Each has its port for 62 s, so that 10/s want 620 ports at once", NULL}},
	{"load: {end: leak, total: 20}",
	 "exhausted.after == 32",
	 {"there is no such figure, for the ports did not run out.", "20 connections opened",
	  NULL}},
	{"load: {end: leak, total: 20}",
	 "errors.connect.EADDRNOTAVAIL >= 1",
	 {"observed 0, 1 less.", NULL}},
	{"load: {rate: 30/s, total: 20}",
	 "connects.rate >= 30/s",
	 {"observed 20/s, 10/s less. 20 connections were opened in 1 s, 20/s; this load asks for "
	  "30/s."}},
	{"load: {total: 20}", "elapsed < 0.5s", {"observed 1 s, 0.5 s more."}},
	{"load: {total: 20}\nsample: {latency: 20ms}",
	 "latency.p99 < 1ms",
	 {"no such figure, for no connect that was timed came to that."}},
	{"load: {total: 20, request: {send: 8B}}",
	 "reuse.ratio >= 50%",
	 {"for no request was done"}},
	{"load: {total: 20}",
	 "predicted.rate >= 1/s",
	 {"observed 0.533/s, 0.467/s less.",
	  "There are 32 ports to one destination, and each is taken for "
	  "up to 60 s by a connection."}},
	{"load: {total: 20}",
	 "connects.closed == 3",
	 {"observed 20, 17 more. Of 20 connections begun 20 opened and 0 failed; of those opened "
	  "20 were "
	  "closed"}},
	{"load: {total: 20}", "connects.opened != 20", {"`connects.opened != 20`: observed 20."}},
	{"load: {total: 20}",
	 "time_wait.max >= 32",
	 {"observed 20, 12 less. In the fullest dump 20 ports were in use; there are 32 ports"}},
	{"load: {total: 20}", "server.died < 1s", {"nothing of the run makes it"}},
	{"load: {total: 20}",
	 "server.dropped > 3",
	 {"observed 0, 3 less. Of the far end: its backlog dropped 0; the client had 20 "
	  "connections."}},
	{"load: {total: 20}", "server.errors.connect.EADDRNOTAVAIL == 1", {"there is no such"}},
	{"load: {total: 20}", "squat.held == 4", {"for nothing squats"}},
	{"load: {total: 20}\nsquat: {bind: 4}",
	 "squat.held == 4",
	 {"observed 0, 4 less. Of 4 sockets of squat 0 have their ports; 0 were refused after"}},
	{"load: {total: 20}", "connects.opened == 21", {"Of 20 connections begun 20 opened"}},
	{"load: {total: 20}", "retries == 1", {"Of 20 connections begun 20 opened"}},
};

/* None of the others is about it: the line itself, and what there is to say of its measure. */
static void what_nothing_else_is_told_of_has_the_arithmetic_of_its_measure(void)
{
	for (size_t i = 0; i < sizeof(misses) / sizeof(misses[0]); i++) {
		const struct finding *f;
		char lines[300];
		struct trial t;

		snprintf(lines, sizeof(lines), SMALL "%s\nexpect: [\"%s\"]", misses[i].lines,
			 misses[i].line);
		trial_open(&t, lines);
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 20;
		trial_dump(&t, 20)->states[STATE_TIME_WAIT] = 20;
		trial_judge(&t);
		CU_ASSERT_EQUAL(t.verdict.word, VERDICT_FAIL);
		f = trial_cause(&t, CAUSE_GATE_MISSED);
		if (!f)
			printf("\n%s: nothing is told\n", misses[i].line);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		for (int k = 0; k < 3 && misses[i].why[k]; k++) {
			if (!text_has(f->why, misses[i].why[k]))
				printf("\n" TEXT_FMT "\n", TEXT_ARG(f->why));
			CU_ASSERT(text_has(f->why, misses[i].why[k]));
		}
		advice_check(f);
		trial_close(&t);
	}
}

/* By what its ports are for, and by the counter of the rule that drops what finds none. */
static void what_a_gateway_dropped_is_told_with_its_ports(void)
{
	const struct finding *f;
	struct trial t;

	trial_open(&t, "network: {topology: nat, services: 2, nat: {ports: 2000-2031, mapping: "
		       "endpoint-independent}}\nload: {total: 20}\nexpect: [nat.unmapped == 0]");
	t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 20;
	trial_dump(&t, 0)->parts |= SAMPLE_GATEWAY;
	trial_dump(&t, 20)->parts |= SAMPLE_GATEWAY;
	t.tape.samples[1].gateway = (struct tracked){32, 0, 0, 0, 7};
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_GATE_MISSED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "observed 7, 7 more. The gateway has 32 ports to 2 destinations "
				   "together (2000-2031), tracked up to 32 connections at once, "
				   "and dropped 0 SYNs (insert_failed 0), and 7 SYNs without a "
				   "mapping."));
	if (f && !text_has(f->why, "without a mapping"))
		printf("\n" TEXT_FMT "\n", TEXT_ARG(f->why));
	trial_close(&t);
}

/* By how much, and on which side: at the bound itself, and of what a range allows. */
static void a_line_is_missed_on_the_side_that_it_is(void)
{
	static const struct {
		const char *line, *said; /* of 20 that opened */
	} rows[] = {
		{"connects.closed < 20", "observed 20. Of 20"},
		{"connects.closed < 19", "observed 20, 1 more."},
		{"connects.closed <= 19", "observed 20, 1 more."},
		{"connects.closed > 20", "observed 20. Of 20"},
		{"connects.closed >= 23", "observed 20, 3 less."},
		{"connects.closed in 3..5", "observed 20, 15 more."},
		{"connects.closed in 23..25", "observed 20, 3 less."},
		{"connects.closed == 19", "observed 20, 1 more."},
		{"connects.closed != 20", "observed 20. Of 20"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		char lines[300];
		struct trial t;

		snprintf(lines, sizeof(lines), SMALL "load: {total: 20}\nexpect: [\"%s\"]",
			 rows[i].line);
		trial_open(&t, lines);
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 20;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_GATE_MISSED);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		if (!text_has(f->why, rows[i].said))
			printf("%s: " TEXT_FMT "\n", rows[i].line, TEXT_ARG(f->why));
		CU_ASSERT(text_has(f->why, rows[i].said));
		trial_close(&t);
	}
}

/* The step tells it; a note about something else does not. */
static void a_line_of_latency_is_told_by_the_step_or_by_itself(void)
{
	static const struct {
		uint64_t late, waiting;
		bool told;
	} rows[] = {{1, 0, false}, {0, 0, true}, {0, 8, true}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sample *s;
		struct trial t;

		trial_open(&t, "network: {ports: 40000-40999}\nload: {rate: 1k/s}\nsample: "
			       "{latency: 20ms}\n"
			       "expect: [latency.p99 < 1ms, connects.closed == 3]");
		t.tape.tally.late = rows[i].late;
		s = trial_dump(&t, 501);
		s->parts |= SAMPLE_TOTALS;
		s->tw = rows[i].waiting;
		trial_judge(&t);
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_SERVER_TIME_WAIT) != NULL,
				rows[i].waiting > 0);
		CU_ASSERT_PTR_NOT_NULL_FATAL(trial_cause(&t, CAUSE_GATE_MISSED));
		CU_ASSERT_EQUAL(text_has(trial_cause(&t, CAUSE_GATE_MISSED)->why, "latency.p99"),
				rows[i].told);
		CU_ASSERT(text_has(trial_cause(&t, CAUSE_GATE_MISSED)->why, "connects.closed"));
		trial_close(&t);
	}
}

/* Which holds all lines together, and what each topic has to say once. */
static void lines_of_one_topic_are_told_together(void)
{
	const struct finding *f;
	struct trial t;

	trial_open(&t,
		   SMALL "load: {total: 20}\nexpect: [exhausted == true, exhausted.after == 32, "
			 "connects.opened == 20, reconciled == false]");
	t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 20;
	trial_dump(&t, 20)->states[STATE_TIME_WAIT] = 20;
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_GATE_MISSED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why,
			   "no connect lacked one. `exhausted.after == 32`: there is no such"));
	CU_ASSERT(
		text_has(f->why, "`reconciled == false`: observed true. Of 20 connections begun"));
	CU_ASSERT(!text_has(f->why, "connects.opened"));
	CU_ASSERT_EQUAL(f->attempt.count, 2);
	trial_close(&t);
}

/* What a run that broke off has not kept, it might have; and one that passed has nothing to tell. */
static void a_line_that_may_hold_still_is_told_nothing_of(void)
{
	struct trial t;

	trial_open(&t, SMALL "load: {total: 20}\nexpect: [exhausted == true]");
	t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 20;
	t.tape.cut_short = true;
	trial_judge(&t);
	CU_ASSERT_PTR_NULL(trial_cause(&t, CAUSE_GATE_MISSED));
	t.tape.cut_short = false;
	trial_judge(&t);
	CU_ASSERT_PTR_NOT_NULL(trial_cause(&t, CAUSE_GATE_MISSED));
	trial_close(&t);
}

/* A refusal that was not to be has its cause: the line adds nothing. But what a cause says nothing of is
 * told beside it. */
static void a_cause_speaks_for_the_lines_that_it_is_about(void)
{
	struct trial t;

	trial_run_out(&t);
	trial_judge(&t);
	CU_ASSERT_PTR_NULL(trial_cause(&t, CAUSE_GATE_MISSED));
	trial_close(&t);
	trial_churned(&t, SMALL "load: {rate: 200/s, total: 320}\n"
				"expect: [exhausted == false, connects.rate >= 200/s]");
	trial_judge(&t);
	CU_ASSERT_EQUAL(t.verdict.causes[0].cause, CAUSE_TIME_WAIT_CHURN);
	CU_ASSERT_PTR_NOT_NULL_FATAL(trial_cause(&t, CAUSE_GATE_MISSED));
	CU_ASSERT(!text_has(trial_cause(&t, CAUSE_GATE_MISSED)->why, "exhausted"));
	CU_ASSERT(text_has(trial_cause(&t, CAUSE_GATE_MISSED)->why, "32/s, 168/s less."));
	trial_close(&t);
}

static void a_line_that_ended_the_run_is_told_though_it_holds_again(void)
{
	const struct finding *f;
	struct trial t;

	trial_open(&t,
		   SMALL "load: {total: 20}\nexpect: [{expr: connects.opened < 30, abort: true}]");
	t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 20;
	t.tape.aborted = 0;
	t.tape.complete = false;
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_GATE_MISSED);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "was broken, and ended the run; by then 20."));
	trial_close(&t);
}

static const struct test tests[] = {
	TEST(a_fill_that_is_too_much_is_told_with_who_holds_it),
	TEST(what_nothing_else_is_told_of_has_the_arithmetic_of_its_measure),
	TEST(what_a_gateway_dropped_is_told_with_its_ports),
	TEST(a_line_is_missed_on_the_side_that_it_is),
	TEST(a_line_of_latency_is_told_by_the_step_or_by_itself),
	TEST(lines_of_one_topic_are_told_together),
	TEST(a_line_that_may_hold_still_is_told_nothing_of),
	TEST(a_cause_speaks_for_the_lines_that_it_is_about),
	TEST(a_line_that_ended_the_run_is_told_though_it_holds_again),
	TESTS_END,
};

const struct suite suite_gate = {"gate", tests};
