/* Connections in use: a want of ports of their own, or beside what else holds them. */
#include <errno.h>
#include <stdio.h>

#include "suites.h"
#include "trial.h"

#define FEW "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"

enum other { WAITING, LEAKED, INHERITED, HALF_CLOSED, UNANSWERED };

/* So many in use, and so many that hold their ports for another reason. */
static void held_judge(struct trial *t, const char *load, uint64_t live, enum other kind,
		       uint64_t others, bool refused)
{
	struct sample *s;

	trial_open(t, load);
	if (refused)
		trial_exhaust(t, live + others);
	else
		t->tape.tally.attempted = t->tape.tally.opened = live + others;
	t->tape.tally.open = live;
	t->tape.tally.leaked = kind == LEAKED ? others : 0;
	t->tape.tally.inherited = kind == INHERITED ? others : 0;
	t->tape.tally.closed = kind == WAITING || kind == HALF_CLOSED ? others : 0;
	s = trial_dump(t, live + others);
	s->states[STATE_ESTABLISHED] = live + (kind == LEAKED || kind == INHERITED ? others : 0);
	s->states[STATE_TIME_WAIT] = kind == WAITING ? others : 0;
	s->states[STATE_FIN_WAIT2] = kind == HALF_CLOSED ? others : 0;
	s->states[STATE_SYN_SENT] = kind == UNANSWERED ? others : 0;
	trial_judge(t);
}

static void connections_in_use_are_a_cause_where_no_other_is_or_they_want_all(void)
{
	static const struct {
		const char *load;
		uint64_t live;
		enum other kind;
		uint64_t others;
		bool refused, told;
	} rows[] = {
		{"rate: 10/s", 32, WAITING, 0, true, true},
		/* Each other kind is a cause by itself from an eighth on. */
		{"rate: 10/s", 24, WAITING, 8, true, false},
		{"rate: 10/s", 24, LEAKED, 8, true, false},
		{"rate: 10/s", 24, INHERITED, 8, true, false},
		{"rate: 10/s", 24, HALF_CLOSED, 8, true, false},
		{"rate: 10/s", 24, UNANSWERED, 8, true, false},
		{"rate: 10/s", 28, WAITING, 4, true, false},
		{"rate: 10/s", 29, WAITING, 3, true, true},
		/* By what the load asks for: nine tenths of the ports, or more. */
		{"rate: 10/s, hold: 2.88s", 24, WAITING, 8, true, true},
		{"rate: 10/s, hold: 2.87s", 24, WAITING, 8, true, false},
		{"concurrency: 29", 24, WAITING, 8, true, true},
		{"concurrency: 28", 24, WAITING, 8, true, false},
		{"burst: {size: 29, every: 10s}, hold: 1ms", 24, WAITING, 8, true, true},
		{"burst: {size: 28, every: 10s}, hold: 1ms", 24, WAITING, 8, true, false},
		{"burst: {size: 29, every: 10s}", 24, WAITING, 8, true, false},
		/* Before any failure most of them is enough. */
		{"rate: 10/s, total: 99", 17, WAITING, 15, false, true},
		{"rate: 10/s, total: 99", 16, WAITING, 16, false, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[300];
		struct trial t;

		snprintf(lines, sizeof(lines), FEW "load: {%s}\n%s", rows[i].load,
			 rows[i].refused ? "" : "expect: [ports.fill.max < 10%]");
		held_judge(&t, lines, rows[i].live, rows[i].kind, rows[i].others, rows[i].refused);
		if ((trial_cause(&t, CAUSE_LIVE_SATURATION) != NULL) != rows[i].told)
			printf("row %zu\n", i);
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_LIVE_SATURATION) != NULL, rows[i].told);
		CU_ASSERT(rows[i].told ||
			  text_has(t.verdict.causes[0].why, "more connections were in use"));
		trial_close(&t);
	}
}

/* Who waits to be accepted has its port, and is more than who was: that the far end is slow is told. */
static void a_far_end_that_accepts_slowly_is_told_of(void)
{
	static const struct {
		const char *every;
		bool told;
	} rows[] = {{"50ms", true}, {"20ms", false}, {"0s", false}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[300];
		struct trial t;

		snprintf(lines, sizeof(lines),
			 FEW "server: {accept_every: %s}\nload: {rate: 50/s, request: {send: 20B, "
			     "receive: 20B}}",
			 rows[i].every);
		held_judge(&t, lines, 18, WAITING, 14, true);
		CU_ASSERT_FATAL(t.verdict.cause_count > 0);
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause == CAUSE_LIVE_SATURATION, rows[i].told);
		CU_ASSERT_EQUAL(text_has(t.verdict.causes[0].why,
					 "The far end accepts 20/s, of 50/s: the others wait for "
					 "it, each with its port."),
				rows[i].told);
		CU_ASSERT_EQUAL(lines_have(&t.verdict.causes[0].attempt, "accept sooner"),
				rows[i].told);
		trial_close(&t);
	}
}

static void what_is_closed_before_it_is_accepted_is_told_so(void)
{
	struct trial t;
	const struct finding *f;

	held_judge(&t, FEW "server: {accept_every: 200ms}\nload: {rate: 20/s, hold: 20ms}", 13,
		   HALF_CLOSED, 19, true);
	f = trial_cause(&t, CAUSE_FIN_WAIT_ORPHANS);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "The far end accepts 5/s, of 20/s"));
	trial_close(&t);
}

/* What others bind once the load has begun is none that it could have: 34 in use of 34. */
static void those_in_use_are_told_of_what_was_left(void)
{
	const struct finding *f;
	struct sample *full;
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40063}\nsquat: {bind: 30, start: 300ms}\n"
		       "load: {rate: 20/s, hold: 10s}");
	trial_exhaust(&t, 34);
	t.tape.tally.open = 34;
	full = trial_dump(&t, 34);
	full->states[STATE_ESTABLISHED] = 34;
	full->states[STATE_BOUND] = full->bound = 30;
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_LIVE_SATURATION);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(
		text_has(f->why, "34 connections were in use at once, and there are 34 ports to"));
	trial_close(&t);
}

/* By Little's law, or of a burst as many as it has; of several loads, and of none that holds, nothing. */
static void what_is_asked_for_at_once_has_its_sum(void)
{
	static const struct {
		const char *lines, *why; /* NULL: no sum */
	} rows[] = {
		{"load: {rate: 20/s, hold: 2s}",
		 "20/s, each held for 2 s, come to 40 connections at once."},
		{"load: {burst: {size: 40, every: 10s}, hold: 1s}",
		 "40 connections every 10 s, each held for 1 s, come to 40 connections at once."},
		{"load: {rate: 20/s}", NULL},
		{"load: {concurrency: 40, hold: 2s}", NULL},
		{"loads: {a: {rate: 20/s, hold: 2s}, b: {rate: 20/s, hold: 2s}}", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		char lines[300];
		struct trial t;

		snprintf(lines, sizeof(lines), FEW "%s", rows[i].lines);
		held_judge(&t, lines, 32, WAITING, 0, true);
		f = trial_cause(&t, CAUSE_LIVE_SATURATION);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(text_has(f->why, "32 connections were in use at once, and there are 32 "
					   "ports to one destination. None is in TIME_WAIT"));
		CU_ASSERT_EQUAL(text_has(f->why, "come to"), rows[i].why != NULL);
		CU_ASSERT(!rows[i].why || text_has(f->why, rows[i].why));
		trial_close(&t);
	}
}

/* What was open when the host vanished, if ports ran out after that. */
static void connections_to_a_host_that_is_gone_are_told_as_that(void)
{
	static const struct {
		int64_t gone_ns; /* ports ran out at 160 ms; below 0: it is there */
		bool told;
	} rows[] = {{100000000, true}, {160000000, true}, {160000001, false}, {-1, false}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;

		trial_open(&t, FEW "server: {vanish: 100ms}\nload: {rate: 200/s, hold: 9s}");
		trial_exhaust(&t, 32);
		t.tape.tally.open = 32;
		trial_dump(&t, 32)->states[STATE_ESTABLISHED] = 32;
		if (rows[i].gone_ns >= 0)
			tape_event(&t.tape, (struct event){.kind = EVENT_SERVER_GONE,
							   .t_ns = rows[i].gone_ns});
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_DEAD_PEER_LEAK);
		CU_ASSERT_EQUAL(f != NULL, rows[i].told);
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_LIVE_SATURATION) != NULL, !rows[i].told);
		CU_ASSERT(!f || lines_have(&f->attempt, "7200 s + 75 s x 9 = 7875 s"));
		CU_ASSERT(i > 0 || (f && text_has(f->why, "after 0.1 s, and ports ran out 60 ms "
							  "later")));
		trial_close(&t);
	}
}

static const struct test tests[] = {
	TEST(a_far_end_that_accepts_slowly_is_told_of),
	TEST(what_is_closed_before_it_is_accepted_is_told_so),
	TEST(those_in_use_are_told_of_what_was_left),
	TEST(connections_in_use_are_a_cause_where_no_other_is_or_they_want_all),
	TEST(what_is_asked_for_at_once_has_its_sum),
	TEST(connections_to_a_host_that_is_gone_are_told_as_that),
	TESTS_END,
};

const struct suite suite_cause_live = {"cause: connections in use", tests};
