/* Several loads that use the same ports: who holds them, and who is refused. */
#include "judge/cause.h"

#include <errno.h>
#include <stdio.h>

#include "suites.h"
#include "trial.h"

#define FEW "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"

/* What one of several loads has opened and closed, and was refused. */
struct part {
	uint64_t opened, refused;
};

static void parts_put(struct trial *t, const struct part *parts, size_t count)
{
	static const char *const names[] = {"a", "b", "c"};
	struct tape *loads;
	uint64_t opened = 0, refused = 0;

	loads = ARENA_ARRAY(&t->arena, struct tape, count);
	for (size_t i = 0; i < count; i++) {
		loads[i].load = text_of(names[i]);
		loads[i].tally.opened = loads[i].tally.closed = parts[i].opened;
		loads[i].tally.failed = parts[i].refused;
		loads[i].tally.errors[STAGE_CONNECT][EADDRNOTAVAIL] = parts[i].refused;
		loads[i].exhausted = parts[i].refused > 0;
		opened += parts[i].opened;
		refused += parts[i].refused;
	}
	t->tape.loads = loads;
	t->tape.load_count = count;
	t->tape.exhausted = true;
	t->tape.tally = (struct tally){.attempted = opened, .opened = opened, .closed = opened};
	trial_fail(t, STAGE_CONNECT, EADDRNOTAVAIL, refused);
}

static void parts_judge(struct trial *t, const char *lines, const struct part *parts, size_t count)
{
	trial_open(t, lines);
	parts_put(t, parts, count);
	trial_dump(t, 32)->states[STATE_TIME_WAIT] = t->tape.tally.opened;
	trial_judge(t);
}

/* The victim has a quarter of the ports at most, whichever load it is, and the culprit half of them. */
static void a_victim_has_few_ports_and_a_culprit_many(void)
{
	static const struct {
		struct part parts[2];
		bool told;
	} rows[] = {
		{{{8, 1}, {24, 0}}, true}, {{{24, 0}, {8, 1}}, true},  {{{9, 1}, {23, 0}}, false},
		{{{8, 1}, {16, 0}}, true}, {{{8, 1}, {15, 0}}, false}, {{{8, 1}, {24, 1}}, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;

		parts_judge(&t, FEW "loads: {a: {}, b: {}}", rows[i].parts, 2);
		if ((trial_cause(&t, CAUSE_INNOCENT_VICTIM) != NULL) != rows[i].told)
			printf("row %zu\n", i);
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_INNOCENT_VICTIM) != NULL, rows[i].told);
		trial_close(&t);
	}
}

/* By what the culprit had when the ports ran out, closed or open: not by what became of it until the end. */
static void whose_ports_they_are_is_told_of_the_failure(void)
{
	static const struct {
		uint64_t open, waiting;
		const char *why;
	} rows[] = {
		{24, 8, "Most of its sockets were open then: `ss -tunp` named it"},
		{8, 24, "A port in TIME_WAIT has no process"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sample *full;
		struct trial t;

		trial_open(&t, FEW "loads: {a: {hold: 1s}, b: {}}");
		parts_put(&t, (const struct part[]){{24, 0}, {8, 1}}, 2);
		full = trial_dump(&t, 32);
		full->states[STATE_ESTABLISHED] = rows[i].open;
		full->states[STATE_TIME_WAIT] = rows[i].waiting;
		trial_judge(&t);
		CU_ASSERT_FATAL(t.verdict.cause_count > 0);
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause, CAUSE_INNOCENT_VICTIM);
		row_says(i, t.verdict.causes[0].why, rows[i].why);
		CU_ASSERT(text_has(t.verdict.causes[0].why, rows[i].why));
		CU_ASSERT_EQUAL(lines_have(&t.verdict.causes[0].attempt, "opens and keeps"),
				i == 0);
		trial_close(&t);
	}
}

/* Of what it resets it has nothing in the end: what it had open at once is held against all there is. */
static void who_resets_had_what_was_open_at_once(void)
{
	for (uint64_t open = 8; open <= 9; open++) {
		struct trial t;

		trial_open(&t, FEW "loads: {a: {}, b: {rate: 40/s, end: reset, hold: 300ms}}");
		parts_put(&t, (const struct part[]){{24, 0}, {40, 1}}, 2);
		t.tape.loads[1].tally.reset = 40;
		t.tape.loads[1].open_peak = open;
		trial_fail(&t, STAGE_CONNECT, EADDRNOTAVAIL, 1);
		t.tape.exhausted = true;
		trial_dump(&t, 32)->states[STATE_TIME_WAIT] = 24;
		trial_judge(&t);
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_INNOCENT_VICTIM) != NULL, open == 8);
		trial_close(&t);
	}
}

/* Three loads at least, and one destination. */
static void a_funnel_is_of_three_loads_and_one_destination(void)
{
	static const struct part parts[] = {{11, 0}, {11, 0}, {10, 1}};
	const struct finding *f;
	struct trial t;

	parts_judge(&t, FEW "loads: {a: {}, b: {}, c: {}}", parts, 3);
	f = trial_cause(&t, CAUSE_SINGLE_TUPLE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "3 loads go to one address and port, and share its 32 ports: "
				   "none of them has used more than 11."));
	CU_ASSERT(text_has(f->why, "there would be 96."));
	trial_close(&t);
	parts_judge(&t, FEW "loads: {a: {}, b: {}}", (const struct part[]){{16, 0}, {16, 1}}, 2);
	CU_ASSERT_PTR_NULL(trial_cause(&t, CAUSE_SINGLE_TUPLE));
	trial_close(&t);
	parts_judge(&t, "network: {ports: 40000-40031, servers: 2}\nloads: {a: {}, b: {}, c: {}}",
		    parts, 3);
	CU_ASSERT_PTR_NULL(trial_cause(&t, CAUSE_SINGLE_TUPLE));
	trial_close(&t);
}

/* What the culprit keeps open ends with its process; what it closed outlives that. */
static void restarting_the_culprit_helps_where_it_keeps_its_ports(void)
{
	static const struct {
		const char *protocol;
		uint64_t leaked;
		const char *why, *attempt, *in_vain;
	} rows[] = {
		{"tcp", 32, "`ss -tunp` names it",
		 "until then restart a: its sockets are closed with it, and their ports come back, "
		 "after 60 s",
		 "restarting the one that fails"},
		{"udp", 32, "`ss -tunp` names it", "ports come back at once",
		 "restarting the one that fails"},
		{"tcp", 15, "`ss -p` names nobody", "what it opens and closes",
		 "TIME_WAIT outlives its process"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[200];
		const struct finding *f;
		struct tally *hog;
		struct trial t;

		snprintf(lines, sizeof(lines), FEW "load: {protocol: %s}\nloads: {a: {}, b: {}}",
			 rows[i].protocol);
		trial_open(&t, lines);
		parts_put(&t, (const struct part[]){{32, 0}, {0, 1}}, 2);
		hog = &t.tape.loads[0].tally;
		t.tape.tally.leaked = hog->leaked = rows[i].leaked;
		t.tape.tally.closed = hog->closed = 32 - rows[i].leaked;
		trial_dump(&t, 32)->states[STATE_ESTABLISHED] = rows[i].leaked;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_INNOCENT_VICTIM);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(text_has(f->why, rows[i].why));
		CU_ASSERT(lines_have(&f->attempt, rows[i].attempt));
		CU_ASSERT(lines_have(&f->wont_help, rows[i].in_vain));
		CU_ASSERT_EQUAL(lines_have(&f->wont_help, "outlives"), rows[i].leaked < 16);
		trial_close(&t);
	}
}

/* Of those that were refused and of those that were not, it is the one with most. */
static void the_victim_and_the_culprit_are_those_with_most(void)
{
	static const struct {
		struct part parts[3];
		const char *why; /* NULL: it is not told */
	} rows[] = {
		{{{2, 1}, {3, 4}, {27, 0}},
		 "b was refused after 3 connections, and c has used 27 of 32"},
		{{{3, 4}, {2, 1}, {27, 0}},
		 "a was refused after 3 connections, and c has used 27 of 32"},
		{{{9, 0}, {20, 0}, {3, 1}},
		 "c was refused after 3 connections, and b has used 20 of 32"},
		{{{20, 0}, {9, 0}, {3, 1}},
		 "c was refused after 3 connections, and a has used 20 of 32"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;

		parts_judge(&t, FEW "loads: {a: {}, b: {}, c: {}}", rows[i].parts, 3);
		f = trial_cause(&t, CAUSE_INNOCENT_VICTIM);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(text_has(f->why, rows[i].why));
		trial_close(&t);
	}
}

/* What it has used of all that there is: to two destinations twice as much. */
static void a_culprit_is_held_against_all_destinations(void)
{
	static const struct part parts[] = {{4, 8}, {60, 0}};
	const struct finding *f;
	struct trial t;

	parts_judge(&t, "network: {ports: 40000-40031, servers: 2}\nloads: {a: {}, b: {}}", parts,
		    2);
	f = trial_cause(&t, CAUSE_INNOCENT_VICTIM);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "b has used 60 of 64 ports without a failure"));
	trial_close(&t);
}

/* A load that has opened nothing shares nothing; and none that has half of the ports by itself is one of
 * many. */
static void a_funnel_is_of_loads_that_have_ports(void)
{
	static const struct {
		struct part parts[3];
		bool told;
	} rows[] = {
		{{{11, 0}, {10, 0}, {11, 1}}, true},  {{{16, 0}, {1, 0}, {15, 1}}, true},
		{{{17, 0}, {1, 0}, {14, 1}}, false},  {{{16, 0}, {0, 0}, {16, 1}}, false},
		{{{11, 0}, {10, 0}, {10, 1}}, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;

		parts_judge(&t, FEW "loads: {a: {}, b: {}, c: {}}", rows[i].parts, 3);
		if ((trial_cause(&t, CAUSE_SINGLE_TUPLE) != NULL) != rows[i].told)
			printf("row %zu\n", i);
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_SINGLE_TUPLE) != NULL, rows[i].told);
		trial_close(&t);
	}
}

/* A load that binds first beside one that connects to three destinations, 20 of 32 ports to each: its
 * bind() is refused, or the other's connect(); two destinations are no probes. */
static void probes_starve_a_load_that_binds_and_no_other(void)
{
	static const struct {
		const char *bind;
		int servers;
		uint64_t used_max, waiting, at_bind, at_connect;
		bool told;
	} rows[] = {
		{"address", 3, 20, 40, 3, 0, true},  {"address", 3, 20, 32, 3, 0, true},
		{"address", 3, 20, 31, 3, 0, false}, {"address", 3, 32, 40, 3, 0, false},
		{"address", 3, 31, 40, 3, 0, true},  {"address", 3, 20, 40, 0, 0, false},
		{"none", 3, 20, 40, 3, 0, false},    {"address", 2, 20, 40, 3, 0, false},
		{"address", 3, 20, 40, 3, 1, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[200];
		struct trial t;

		snprintf(
			lines, sizeof(lines),
			"network: {ports: 40000-40031, servers: %d}\nloads: {a: {}, b: {bind: %s}}",
			rows[i].servers, rows[i].bind);
		trial_open(&t, lines);
		parts_put(&t, (const struct part[]){{40, 0}, {2, 0}}, 2);
		t.tape.loads[0].tally.errors[STAGE_CONNECT][EADDRNOTAVAIL] = rows[i].at_connect;
		t.tape.loads[1].tally.errors[STAGE_BIND][EADDRINUSE] = rows[i].at_bind;
		t.tape.loads[1].tally.failed = rows[i].at_bind;
		trial_fail(&t, STAGE_BIND, EADDRINUSE, rows[i].at_bind);
		if (rows[i].at_connect)
			trial_fail(&t, STAGE_CONNECT, EADDRNOTAVAIL, rows[i].at_connect);
		trial_dump(&t, rows[i].used_max)->states[STATE_TIME_WAIT] = rows[i].waiting;
		trial_judge(&t);
		if ((trial_cause(&t, CAUSE_HEALTH_PROBES) != NULL) != rows[i].told)
			printf("row %zu\n", i);
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_HEALTH_PROBES) != NULL, rows[i].told);
		CU_ASSERT(rows[i].servers > 2 ||
			  t.verdict.causes[0].cause == CAUSE_BIND_STARVATION);
		trial_close(&t);
	}
}

/* Of what one load holds open another's rate says nothing; and what was closed outside of the range is none of
 * its ports. */
static void churn_is_reckoned_of_those_that_have_the_range(void)
{
	static const struct {
		const char *loads;
		uint64_t first, second; /* closed */
		uint64_t reset;		/* by the time when 20 wait */
		const char *why;
	} rows[] = {
		{"hold: {rate: 20/s, end: reset, hold: 600ms}, churn: {rate: 30/s}", 0, 32, 0,
		 "The client closed 32 connections, and each keeps its port for 60 s more "
		 "(TIME_WAIT). 32 ports / 36.2 s (the mean of these loads) = 0.883/s is all"},
		{"half: {rate: 20/s, mix: {reset: 50%}}, other: {rate: 40/s, end: reset}", 0, 32, 0,
		 "32 ports / 10 s (the mean of these loads) = 3.2/s is all that can go on for ever "
		 "to one destination; these loads ask for 60/s."},
		{"slow: {rate: 0.2/s}, fast: {rate: 0.3/s}", 0, 32, 0,
		 "32 ports / 60 s = 0.533/s is all that can go on for ever to one destination; "
		 "these loads ask for 0.5/s, no more than that, but unevenly."},
		{"two: {concurrency: 2}, four: {concurrency: 4}", 0, 32, 0,
		 "; these loads opened 200/s until the first was refused."},
		{"two: {concurrency: 2, start: 100ms}, four: {concurrency: 4, start: 100ms}", 0, 32,
		 0, "; these loads opened 200/s until the first was refused."},
		{"leak: {rate: 20/s, end: leak}, churn: {rate: 30/s, hold: 100ms}", 0, 32, 0,
		 "32 ports / (0.1 s open + 60 s) = 0.532/s is all"},
		{"own: {bind: ports 50000-50003, rate: 10/s}, api: {rate: 50/s}", 4, 32, 0,
		 "The client closed 32 connections, and each keeps its port"},
		{"hold: {rate: 20/s, end: reset, hold: 600ms}, churn: {rate: 30/s}", 0, 32, 8,
		 "the client had closed 20 connections, and each keeps its port for 60 s more"},
		{"hold: {rate: 20/s, end: reset, hold: 600ms}, churn: {rate: 30/s}", 0, 32, 8,
		 "these loads ask for 50/s. In all, second closed 32."},
		{"hold: {rate: 20/s, end: reset, hold: 600ms}, churn: {rate: 30/s}", 0, 32, 0,
		 "these loads ask for 50/s. second closed 32."},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint64_t closed[] = {rows[i].first, rows[i].second};
		const struct finding *f;
		struct sample *dump;
		struct trial t;
		char lines[200];

		snprintf(lines, sizeof(lines), "network: {ports: 40000-40031}\nloads: {%s}",
			 rows[i].loads);
		trial_open(&t, lines);
		trial_exhaust(&t, closed[0] + closed[1]);
		t.tape.tally.closed = closed[0] + closed[1];
		t.tape.loads = ARENA_ARRAY(&t.arena, struct tape, 2);
		t.tape.load_count = 2;
		for (size_t k = 0; k < 2; k++)
			t.tape.loads[k] =
				(struct tape){.load = k ? TEXT("second") : TEXT("first"),
					      .tally = {.opened = closed[k], .closed = closed[k]}};
		t.tape.tally.reset = rows[i].reset;
		dump = trial_dump(&t, 32);
		dump->states[STATE_TIME_WAIT] = rows[i].reset ? 20 : closed[0] + closed[1];
		dump->states[STATE_ESTABLISHED] = rows[i].reset ? 12 : 0;
		dump->opened = closed[0] + closed[1] + rows[i].reset;
		dump->open = dump->states[STATE_ESTABLISHED];
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(row_says(i, f->why, rows[i].why));
		trial_close(&t);
	}
}

/* One load has the range, and closes nothing; what waits is at ports of the other's own choice. */
static void what_waits_outside_of_the_range_holds_none_of_it(void)
{
	const struct finding *f;
	struct sample *dump;
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40031}\nloads: {web: {rate: 100/s, hold: 2s, end: "
		       "reset}, own: {rate: 100/s, bind: ports 50000-50007}}");
	trial_exhaust(&t, 40);
	t.tape.tally.open = 32;
	t.tape.tally.closed = 8;
	t.tape.loads = ARENA_ARRAY(&t.arena, struct tape, 2);
	t.tape.load_count = 2;
	t.tape.loads[0].tally = (struct tally){.opened = 32, .open = 32};
	t.tape.loads[1].tally = (struct tally){.opened = 8, .closed = 8};
	dump = trial_dump(&t, 32);
	dump->states[STATE_ESTABLISHED] = 32;
	dump->states[STATE_TIME_WAIT] = 8;
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_LIVE_SATURATION);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(row_says(0, f->why, "None is in TIME_WAIT"));
	CU_ASSERT(!lines_have(&f->seen, "of 40 ports in use"));
	CU_ASSERT_PTR_NULL(trial_cause(&t, CAUSE_TIME_WAIT_CHURN));
	trial_close(&t);
}

/* Half of a third is closed: what more ports, or a shorter wait, bring is reckoned with that as well. */
static void advice_is_of_the_mean_of_what_is_opened(void)
{
	static const struct {
		const char *network, *why, *wide, *reuse;
	} rows[] = {
		{"", "32 ports / 10.2 s (the mean of these loads) = 3.14/s is all",
		 "64,512 ports, 2,016 times as many, 6,325/s (enough)",
		 "1 s in TIME_WAIT, 87.3/s (enough)"},
		{", time_wait: 6s",
		 "outside it is 60 s, and the rate 3.14/s; what to try is reckoned with that.",
		 "64,512 ports, 2,016 times as many, 6,325/s (enough)",
		 "1 s in TIME_WAIT, 87.3/s (enough)"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		char lines[300];
		struct trial t;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031%s}\nloads: {a: {rate: 20/s, mix: {reset: "
			 "50%%}}, b: {rate: 40/s, end: reset, hold: 300ms}}",
			 rows[i].network);
		trial_churned(&t, lines);
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(text_has(f->why, rows[i].why));
		CU_ASSERT(lines_have(&f->attempt, rows[i].wide));
		CU_ASSERT(lines_have(&f->attempt, rows[i].reuse));
		if (!text_has(f->why, rows[i].why) || !lines_have(&f->attempt, rows[i].reuse))
			for (size_t k = 0; k < f->attempt.count; k++)
				printf(TEXT_FMT "\n", TEXT_ARG(f->attempt.list[k]));
		trial_close(&t);
	}
}

static const struct test tests[] = {
	TEST(a_victim_has_few_ports_and_a_culprit_many),
	TEST(whose_ports_they_are_is_told_of_the_failure),
	TEST(who_resets_had_what_was_open_at_once),
	TEST(a_funnel_is_of_three_loads_and_one_destination),
	TEST(restarting_the_culprit_helps_where_it_keeps_its_ports),
	TEST(the_victim_and_the_culprit_are_those_with_most),
	TEST(a_culprit_is_held_against_all_destinations),
	TEST(a_funnel_is_of_loads_that_have_ports),
	TEST(probes_starve_a_load_that_binds_and_no_other),
	TEST(churn_is_reckoned_of_those_that_have_the_range),
	TEST(what_waits_outside_of_the_range_holds_none_of_it),
	TEST(advice_is_of_the_mean_of_what_is_opened),
	TESTS_END,
};

const struct suite suite_cause_share = {"cause: loads that share", tests};
