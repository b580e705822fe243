/* Where a rule ends: what it says nothing of, though it looks much the same. */
#include "judge/cause.h"

#include <errno.h>
#include <stdio.h>

#include "suites.h"
#include "trial.h"

#define FEW "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"

/* What was seen of 32 ports. */
struct seen {
	const char *lines;
	enum cause cause;
	bool told;
	const char *says; /* NULL: nothing in particular */
	void (*add)(struct trial *t);
};

static void add_closed(struct trial *t, int state)
{
	trial_exhaust(t, 32);
	t->tape.tally.closed = 32;
	trial_dump(t, 32)->states[state] = 32;
}

static void waiting(struct trial *t)
{
	add_closed(t, STATE_TIME_WAIT);
}

static void waiting_after_many_tries(struct trial *t)
{
	waiting(t);
	trial_fail(t, STAGE_CONNECT, EADDRNOTAVAIL, 100);
	t->tape.tally.retries = 100;
}

/* A port is back within 0.1 s: of FIN_WAIT1 that is a FIN under way, of FIN_WAIT2 a far end that is slow. */
static void unheard_for_a_moment(struct trial *t)
{
	add_closed(t, STATE_FIN_WAIT1);
	t->tape.recovered_ns = 100000000;
}

static void heard_for_a_moment(struct trial *t)
{
	add_closed(t, STATE_FIN_WAIT2);
	t->tape.recovered_ns = 100000000;
}

static void unheard(struct trial *t)
{
	add_closed(t, STATE_FIN_WAIT1);
}

static void half_of_them_ended(struct trial *t)
{
	trial_exhaust(t, 32);
	t->tape.tally.open = 32;
	trial_dump(t, 32)->states[STATE_ESTABLISHED] = 16;
	t->tape.samples[0].states[STATE_CLOSE_WAIT] = 16;
}

static void leaked(struct trial *t)
{
	trial_exhaust(t, 32);
	t->tape.tally.leaked = 32;
	trial_dump(t, 32)->states[STATE_ESTABLISHED] = 32;
}

static void live(struct trial *t)
{
	trial_exhaust(t, 32);
	t->tape.tally.open = 32;
	trial_dump(t, 32)->states[STATE_ESTABLISHED] = 32;
}

static void sends(struct trial *t, int error)
{
	t->tape.tally.attempted = t->tape.tally.opened = t->tape.tally.closed = 9;
	t->tape.tally.errors[STAGE_SEND][error] = 9;
}

static void sends_that_are_reset(struct trial *t)
{
	sends(t, ECONNRESET);
}

static void sends_without_a_port(struct trial *t)
{
	sends(t, EAGAIN);
}

static void sends_without_memory(struct trial *t)
{
	sends(t, ENOBUFS);
}

static void sends_without_memory_nor_port(struct trial *t)
{
	waiting(t);
	t->tape.tally.errors[STAGE_SEND][ENOBUFS] = 9;
	t->tape.tally.errors[STAGE_SEND][ENOMEM] = 9;
}

static void sends_without_any_memory(struct trial *t)
{
	sends(t, ENOMEM);
}

static void a_service_that_is_late(struct trial *t)
{
	struct event e = {.kind = EVENT_SQUAT_REFUSED,
			  .value = 40010,
			  .stage = STAGE_BIND,
			  .error = EADDRINUSE};

	tape_event(&t->tape, e);
	t->tape.squat_refused = 1;
	trial_dump(t, 9)->states[STATE_ESTABLISHED] = 9;
}

static void each_rule_ends_where_it_should(void)
{
	static const struct seen rows[] = {
		{FEW "load: {rate: 50/s}", CAUSE_FIN_WAIT_ORPHANS, false, NULL,
		 unheard_for_a_moment},
		{FEW "load: {rate: 50/s}", CAUSE_FIN_WAIT_ORPHANS, true, "32 in FIN_WAIT2 keep",
		 heard_for_a_moment},
		{FEW "load: {rate: 50/s}", CAUSE_FIN_WAIT_ORPHANS, true, "32 in FIN_WAIT1 keep",
		 unheard},
		{FEW "load: {rate: 50/s, hold: 1s}", CAUSE_CLOSE_WAIT_LEAK, false, NULL,
		 half_of_them_ended},
		{FEW "load: {rate: 50/s, hold: 1s}", CAUSE_LIVE_SATURATION, true,
		 "32 connections were in use at once", half_of_them_ended},
		{FEW "load: {request: {send: 8B}}", CAUSE_REQUEST_FAILED, true,
		 "send() failed 9 times with ECONNRESET", sends_that_are_reset},
		{FEW "load: {protocol: udp, request: {send: 8B}}", CAUSE_REQUEST_FAILED, false,
		 NULL, sends_without_a_port},
		{FEW "load: {request: {send: 8B}}", CAUSE_REQUEST_FAILED, false, NULL,
		 sends_without_memory},
		{FEW "load: {request: {send: 8B}}", CAUSE_REQUEST_FAILED, false, NULL,
		 sends_without_memory_nor_port},
		{FEW "load: {request: {send: 8B}}", CAUSE_REQUEST_FAILED, false, NULL,
		 sends_without_any_memory},
		{FEW "load: {request: {send: 8B}}", CAUSE_TCP_MEM, true,
		 "send() failed 9 times with ENOMEM", sends_without_any_memory},
		{FEW
		 "load: {concurrency: 1, request: {send: 8B}, on_failure: {retry: 100, wait: 2ms}}",
		 CAUSE_RETRY_STORM, true,
		 "100 of 101 failures were tries again, up to 500/s, where",
		 waiting_after_many_tries},
		{FEW "squat: {listen: [40010], start: 1s}\nload: {bind: address}",
		 CAUSE_LISTENER_IN_RANGE, true, "for bind() may take any of",
		 a_service_that_is_late},
		{FEW "squat: {listen: [40010], start: 1s}\nload: {bind: ports 40000-40015}",
		 CAUSE_LISTENER_IN_RANGE, true, "for bind() may take any of",
		 a_service_that_is_late},
		{FEW "squat: {listen: [40010], start: 1s}\nload: {rate: 9/s}",
		 CAUSE_LISTENER_IN_RANGE, true, "for connect() may take any of",
		 a_service_that_is_late},
		{FEW "load: {rate: 50/s, hold: 100ms, mix: {reset: 50%, shutdown: 50%}}",
		 CAUSE_LIVE_SATURATION, true, "come to 5 connections at once.\n", live},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;

		trial_open(&t, rows[i].lines);
		rows[i].add(&t);
		trial_judge(&t);
		f = trial_cause(&t, rows[i].cause);
		if ((f != NULL) != rows[i].told)
			printf("row %zu is %stold\n", i, f ? "" : "not ");
		CU_ASSERT_EQUAL(f != NULL, rows[i].told);
		CU_ASSERT(!f || !rows[i].says ||
			  row_says(i, text_format(&t.arena, TEXT_FMT "\n", TEXT_ARG(f->why)),
				   rows[i].says));
		trial_close(&t);
	}
}

/* The same of what is advised. */
static void advice_ends_where_it_should(void)
{
	static const struct {
		struct seen seen;
		const char *never;
	} rows[] = {
		{{FEW "load: {end: leak}", CAUSE_LEAK, true,
		  "a pool with a limit below 32 to one destination", leaked},
		 "to all destinations together"},
		{{"network: {ports: 40000-40031, servers: 2}\nload: {bind: address, end: leak}",
		  CAUSE_LEAK, true, "a pool with a limit below 32 to all destinations together",
		  leaked},
		 "to one destination"},
		{{"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_orphan_retries: 0}}",
		  CAUSE_FIN_WAIT_ORPHANS, true, "after some 3 s, in place of 102 s", unheard},
		 "in place of 0"},
		{{"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_orphan_retries: 3}}",
		  CAUSE_FIN_WAIT_ORPHANS, true, "look at the far end", unheard},
		 "tcp_orphan_retries"},
		{{"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0, "
		  "net.ipv4.tcp_max_tw_buckets: 20}}\nload: {rate: 9/s, hold: 1s}",
		  CAUSE_TIME_WAIT_CHURN, true, "64,512 ports, 2,016 times as many;", waiting},
		 "1,0"},
		{{FEW "load: {rate: 9/s}", CAUSE_TIME_WAIT_CHURN, true,
		  "2,016 times as many, 1,075/s (enough)", waiting},
		 "not enough"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;

		trial_open(&t, rows[i].seen.lines);
		rows[i].seen.add(&t);
		trial_judge(&t);
		f = trial_cause(&t, rows[i].seen.cause);
		CU_ASSERT_FATAL(f != NULL);
		CU_ASSERT(lines_have(&f->attempt, rows[i].seen.says));
		CU_ASSERT(!lines_have(&f->attempt, rows[i].never));
		if (!lines_have(&f->attempt, rows[i].seen.says) ||
		    lines_have(&f->attempt, rows[i].never))
			printf("row %zu\n", i);
		trial_close(&t);
	}
}

/* Of two loads that name their ports it is the one that was refused most; and not one whose ports others have. */
static void a_namer_is_the_one_that_is_refused_most(void)
{
	static const struct {
		const char *options;
		uint64_t refused_a, refused_b, opened_b;
		const char *says; /* NULL: it is not told */
	} rows[] = {
		{"", 9, 3, 8, "a names the ports itself: 8 ports"},
		{"", 3, 9, 8, "b names the ports itself: 8 ports"},
		{"", 0, 9, 7, NULL}, /* the others' are in its way */
		{", options: {reuseaddr: true}", 0, 9, 1, "b names the ports itself: 8 ports"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool shares = rows[i].options[0] != 0;
		enum stage stage = shares ? STAGE_CONNECT : STAGE_BIND;
		int error = shares ? EADDRNOTAVAIL : EADDRINUSE;
		const struct finding *f;
		struct tape *loads;
		char lines[300];
		struct trial t;

		snprintf(lines, sizeof(lines),
			 FEW
			 "loads: {a: {bind: ports 41000-41007}, b: {bind: ports 42000-42007%s}}",
			 rows[i].options);
		trial_open(&t, lines);
		loads = ARENA_ARRAY(&t.arena, struct tape, 2);
		loads[0] = (struct tape){.load = TEXT("a"), .tally = {.opened = 8, .closed = 8}};
		loads[1] = (struct tape){.load = TEXT("b"), .tally = {.opened = rows[i].opened_b}};
		loads[0].tally.errors[STAGE_BIND][EADDRINUSE] = rows[i].refused_a;
		loads[1].tally.errors[stage][error] = rows[i].refused_b;
		t.tape.loads = loads;
		t.tape.load_count = 2;
		trial_fail(&t, STAGE_BIND, EADDRINUSE, rows[i].refused_a);
		trial_fail(&t, stage, error, rows[i].refused_b);
		tape_event(&t.tape, (struct event){.kind = EVENT_TUPLE_TAKEN});
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_FIXED_PORT);
		CU_ASSERT_EQUAL(f != NULL, rows[i].says != NULL);
		CU_ASSERT(!f || row_says(i, f->why, rows[i].says));
		trial_close(&t);
	}
}

static const struct test tests[] = {
	TEST(each_rule_ends_where_it_should),
	TEST(advice_ends_where_it_should),
	TEST(a_namer_is_the_one_that_is_refused_most),
	TESTS_END,
};

const struct suite suite_cause_limits = {"cause: limits", tests};
