/* What a summary marks: whatever a verdict alone would hide. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report/page.h"
#include "suites.h"
#include "trial.h"

static const struct report_style plain = {0}, quiet = {.quiet = true};

/* "the ports last 113 s" was said of the client's, where the gateway's had run out. */
static void a_line_alone_tells_of_failures_before_how_long_ports_last(void)
{
	struct result *r;
	struct text said;
	struct trial t;

	trial_open(&t, "load: {rate: 5/s, total: 200, end: leak}\nexpect: [connects.failed == 0]");
	t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.leaked = 64;
	trial_fail(&t, STAGE_CONNECT, ETIMEDOUT, 136);
	trial_judge(&t);
	r = trial_result(&t, TEXT("s"));
	r->runs[0].measures.fixed[MEASURE_NAT_DROP] = (struct value){true, 408};
	said = trial_summary(r, quiet, false, &t.arena);
	CU_ASSERT(text_has(said, "64 opened, 136 failed (ETIMEDOUT), not exhausted: the gateway "
				 "dropped 408 packets"));
	CU_ASSERT(!text_has(said, "last"));
	trial_close(&t);
}

/* A SYN that was dropped comes again: no connect failed, and the load has no requests. */
static void what_a_gateway_dropped_is_told_of_failures_that_there_are(void)
{
	static const struct {
		bool datagrams;
		uint64_t failed, overflow;
		const char *told;
	} rows[] = {
		{false, 0, 0, "40 opened, not exhausted: the gateway dropped 7 packets\n"},
		{false, 0, 9, "40 opened, not exhausted: TIME_WAIT overflowed\n"},
		{true, 8, 0,
		 "40 opened, 8 requests failed, not exhausted: the gateway dropped 7 packets\n"},
		{true, 0, 0, "40 opened, not exhausted: the gateway dropped 7 packets\n"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct result_run *run;
		struct result *r;
		struct text said;
		struct trial t;

		trial_open(&t, "load: {end: leak, total: 40}\nexpect: [exhausted == false]");
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.leaked = 40;
		trial_judge(&t);
		r = trial_result(&t, TEXT("s"));
		run = &r->runs[0];
		run->plan.gateway.datagrams = rows[i].datagrams;
		run->measures.fixed[MEASURE_NAT_DROP] = (struct value){true, 7};
		run->measures.fixed[MEASURE_REQUESTS_FAILED] =
			(struct value){true, (double)rows[i].failed};
		run->measures.fixed[MEASURE_TIME_WAIT_OVERFLOW] =
			(struct value){true, (double)rows[i].overflow};
		said = trial_summary(r, quiet, false, &t.arena);
		if (!text_has(said, rows[i].told))
			printf("row %zu: " TEXT_FMT, i, TEXT_ARG(said));
		CU_ASSERT(text_has(said, rows[i].told));
		trial_close(&t);
	}
}

/* The forecast is a span, where two connections may have one port of the client's. */
static void timeouts_within_their_span_are_as_observed(void)
{
	static const struct {
		uint64_t least, opened;
		const char *told;
	} rows[] = {
		{64, 64, " 64, as observed"},
		{16, 40, "connects time out after 16 to 64, as\n"},
		{16, 12, " 16 to 64;\n             observed: 12 opened"},
		{0, 64, " 64, as observed"}, /* of an older result */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct result_run *run;
		struct result *r;
		struct text said;
		struct trial t;

		trial_open(&t, "load: {end: leak, total: 99}");
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.leaked = rows[i].opened;
		trial_fail(&t, STAGE_CONNECT, ETIMEDOUT, 3);
		trial_judge(&t);
		r = trial_result(&t, TEXT("s"));
		run = &r->runs[0];
		run->measures.fixed[MEASURE_CONNECTS_OPENED] =
			(struct value){true, (double)rows[i].opened};
		run->plan.gateway.times_out_least = rows[i].least;
		run->plan.gateway.times_out_after = 64;
		said = trial_summary(r, plain, false, &t.arena);
		if (!text_has(said, rows[i].told))
			printf("row %zu: " TEXT_FMT, i, TEXT_ARG(said));
		CU_ASSERT(text_has(said, rows[i].told));
		trial_close(&t);
	}
}

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
	t.plan.scenario = help_scenario("load: {concurrency: 300, hold: 100ms}", &t.arena);
	trial_judge(&t);
	said = trial_summary(trial_result(&t, TEXT("workers300")),
			     (struct report_style){.quiet = true}, false, &t.arena);
	CU_ASSERT(text_has(said, "35,595 opened, not exhausted; 791/s, of 3,000/s by its own"));
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
			CU_ASSERT(text_has(said, rows[i].said));
		trial_close(&t);
	}
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
	CU_ASSERT(text_has(said, "1 failed, recovered after\n             0.535 s\n") ||
		  text_has(said, "1 failed, recovered\n             after 0.535 s\n"));
	trial_close(&t);
}

static const struct test tests[] = {
	TEST(it_says_what_took_the_ports_that_are_not_usable),
	TEST(what_a_dump_cannot_have_seen_is_said),
	TEST(a_line_alone_tells_of_failures_before_how_long_ports_last),
	TEST(what_a_gateway_dropped_is_told_of_failures_that_there_are),
	TEST(timeouts_within_their_span_are_as_observed),
	TEST(an_aborted_run_says_who_ended_it),
	TEST(a_run_too_short_to_run_out_says_so),
	TEST(a_limit_of_time_wait_is_told_instead_of_a_rate),
	TEST(a_pass_by_overflow_is_marked),
	TEST(what_no_dump_saw_is_told_by_the_books),
	TEST(an_error_that_was_told_is_not_told_again),
	TEST(a_load_that_fell_behind_is_marked),
	TEST(a_closed_loop_that_fell_behind_is_marked),
	TEST(sockets_are_told_as_they_came_to_rest),
	TEST(what_ended_the_load_is_told),
	TEST(without_overflow_nothing_is_said_of_it),
	TEST(what_became_of_the_server_is_told),
	TEST(recovery_is_told_with_the_connects),
	TESTS_END,
};

const struct suite suite_summary_marks = {"summary: marks", tests};
