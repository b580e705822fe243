/* What the summary says of how a run went, and of what ended it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "report/page.h"
#include "suites.h"
#include "trial.h"

static const struct report_style plain = {0}, quiet = {.quiet = true};

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
		CU_ASSERT_EQUAL(text_has(said, "not exhausted yet: the ports last 10 s;"),
				rows[i].said != NULL);
		r->runs[0].plan.rate = 0; /* a closed loop */
		said = trial_summary(r, plain, false, &t.arena);
		CU_ASSERT_EQUAL(text_has(said, "at this pace the ports last 10 s;"),
				rows[i].said != NULL);
		r->runs[0].measures.fixed[MEASURE_EXHAUSTED].n = 1;
		CU_ASSERT(!text_has(trial_summary(r, plain, false, &t.arena), "  but "));
		trial_close(&t);
		arena_close(&a);
	}
}

static void a_load_that_fell_behind_is_marked(void)
{
	struct text said, line;
	struct result *r;
	struct trial t;

	trial_open(&t, "load: {rate: 3k/s, duration: 12s}\nexpect: [exhausted == false]");
	t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 17761;
	t.tape.tally.late = 18239;
	trial_dump(&t, 17761);
	trial_judge(&t);
	r = trial_result(&t, TEXT("late"));
	said = trial_summary(r, plain, false, &t.arena);
	CU_ASSERT(text_has(said, "  but        18,239 of 36,000 connections were due and not "
				 "begun"));
	CU_ASSERT(text_has(said, "`load.order: fast`"));
	t.tape.samples[0].used_max = 1118; /* 3.96 % in use: no connect was slow for that */
	trial_judge(&t);
	r = trial_result(&t, TEXT("late"));
	said = trial_summary(r, plain, false, &t.arena);
	CU_ASSERT(!text_has(said, "over the full half"));
	CU_ASSERT(text_has(said,
			   "asked for. 17,761/s is what this machine carried\n             in "
			   "one thread: ask for less, or share it (`--workers`)"));
	r->runs[0].plan.workers = 2;
	said = trial_summary(r, plain, false, &t.arena);
	CU_ASSERT(text_has(said, "carried: ask for less\n"));
	r->runs[0].measures.fixed[MEASURE_REQUESTS_DONE] =
		(struct value){true, 50000}; /* a connection serves many: it is not what costs */
	said = trial_summary(r, plain, false, &t.arena);
	CU_ASSERT(text_has(said, "50,000/s is what this machine"));
	r->runs[0].interrupted = SIGINT; /* it was not to be carried at all */
	said = trial_summary(r, plain, false, &t.arena);
	CU_ASSERT(!text_has(said, "not begun: this was not the load"));
	r->runs[0].interrupted = 0;
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

/* 300 clients that hold for 100 ms are 3,000/s: 791/s was told as if it had been all. */
static void a_closed_loop_that_fell_behind_is_marked(void)
{
	struct text said;
	struct result *r;
	struct trial t;

	trial_open(&t, "network: {ports: 1024-65535}\n"
		       "load: {concurrency: 300, hold: 100ms, duration: 45s}\nstop: {time: 1m}\n"
		       "expect: [exhausted == false]");
	t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 35595;
	t.tape.end_ns = 45000000000;
	trial_dump(&t, 35595)->states[STATE_TIME_WAIT] = 35595;
	trial_judge(&t);
	r = trial_result(&t, TEXT("workers300"));
	said = trial_summary(r, plain, false, &t.arena);
	CU_ASSERT(text_has(said, "INCOMPLETE  workers300/workers300  791/s, of 3,000/s by its own "
				 "arithmetic\n"));
	CU_ASSERT(text_has(said, "  but        791/s of 3,000/s, which 300 at once come to if each "
				 "takes 0.1 s:\n"));
	CU_ASSERT(text_has(said, "`load.order: fast`"));
	CU_ASSERT(text_has(said, "The load came to 791/s, of 3,000/s that it asks for. connect()"));
	t.tape.samples[0].used_max = 900;
	trial_judge(&t);
	r = trial_result(&t, TEXT("workers300"));
	said = trial_summary(r, plain, false, &t.arena);
	CU_ASSERT(!text_has(said, "over the full half"));
	CU_ASSERT(text_has(said, "or share it\n             (`--workers`)"));
	t.plan.scenario = help_scenario("load: {concurrency: 300, hold: 100ms}\n"
					"expect: [rounds.rate > 700/s]",
					&t.arena);
	trial_judge(&t);
	said = trial_summary(trial_result(&t, TEXT("workers300")),
			     (struct report_style){.quiet = true}, false, &t.arena);
	CU_ASSERT(text_has(said, "35,595 opened, not exhausted; 791/s, of 3,000/s by its own"));
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
		{"load: {total: 1}", false, NULL}, /* nothing is left to go on with */
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

/* Of 400 connections wanted the first was reset, and the run had passed. */
static void a_load_that_a_failure_ended_says_so(void)
{
	struct text said;
	struct trial t;

	trial_open(&t, "load: {total: 400}");
	t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.reset = t.tape.tally.stopped =
		1;
	trial_judge(&t);
	said = trial_summary(trial_result(&t, TEXT("end")), plain, false, &t.arena);
	CU_ASSERT(text_starts(said, TEXT("INCOMPLETE  end/end  a failure ended the load, and "
					 "nothing was expected\n")));
	CU_ASSERT(text_has(said,
			   "the first failure ended the load (load.on_failure: stop), with 1\n"));
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
			CU_ASSERT(text_has(said, rows[i].said));
		trial_close(&t);
	}
}

/* The kernel looks for no other port, so that none is wanting; but that there are some left is not said. */
static void connections_that_exist_already_leave_no_port_to_speak_of(void)
{
	static const struct {
		const char *options;
		const char *said;
	} rows[] = {
		{"reuseaddr: true", "16 opened, 24 of 40 failed (EADDRNOTAVAIL): these very "
				    "connections exist already"},
		{"reuseport: true", "16 opened, 24 of 40 failed (EADDRNOTAVAIL): these very "
				    "connections exist already"},
		{"keepalive: 5s", "16 opened, 24 of 40 failed (EADDRNOTAVAIL), not exhausted"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[300];
		struct text said;
		struct trial t;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031, servers: 2}\n"
			 "load: {concurrency: 1, total: 40, end: leak, bind: ports 41000-41007, "
			 "options: {%s}, on_failure: continue}\n",
			 rows[i].options);
		trial_open(&t, lines);
		t.tape.tally.attempted = 16;
		t.tape.tally.opened = t.tape.tally.leaked = 16;
		trial_fail(&t, STAGE_CONNECT, EADDRNOTAVAIL, 24);
		tape_event(&t.tape, (struct event){.kind = EVENT_TUPLE_TAKEN});
		trial_judge(&t);
		said = trial_summary(trial_result(&t, TEXT("s5.yaml")), plain, false, &t.arena);
		CU_ASSERT(row_says(i, said, rows[i].said));
		CU_ASSERT(i > 0 || text_has(trial_cause(&t, CAUSE_FIXED_PORT)->why,
					    "8 ports, for one connection to a destination each, 16 "
					    "at once in all. connect()"));
		trial_close(&t);
	}
}

static const struct test tests[] = {
	TEST(connections_that_exist_already_leave_no_port_to_speak_of),
	TEST(an_aborted_run_says_who_ended_it),
	TEST(a_run_too_short_to_run_out_says_so),
	TEST(a_load_that_fell_behind_is_marked),
	TEST(a_closed_loop_that_fell_behind_is_marked),
	TEST(what_ended_the_load_is_told),
	TEST(a_load_that_a_failure_ended_says_so),
	TEST(what_became_of_the_server_is_told),
	TESTS_END,
};

const struct suite suite_summary_ends = {"summary: ends", tests};
