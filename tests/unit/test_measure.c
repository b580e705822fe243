#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "judge/judge.h"
#include "suites.h"
#include "trial.h"

static const char *const churn =
	"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
	"load: {rate: 200/s, total: 320}";

/* A measure by the name that users write. */
static struct value get(const struct trial *t, const char *name)
{
	struct measure_ref ref;

	CU_ASSERT_FATAL(measure_find(text_of(name), &ref));
	return measures_get(&t->measures, &ref);
}

struct row {
	const char *name;
	bool present;
	double n;
};

static void expect_rows(const struct trial *t, const struct row *rows)
{
	for (; rows->name; rows++) {
		struct value v = get(t, rows->name);
		bool same = v.present == rows->present &&
			    (!v.present || fabs(v.n - rows->n) < 1e-9 * fabs(rows->n) + 1e-12);

		if (!same)
			printf("%s: %s %.15g\n", rows->name, v.present ? "is" : "absent", v.n);
		CU_ASSERT(same);
	}
}

/* Of the first range where there are two; what is asked of one load is of that. */
static void of_several_loads_each_has_measures_of_its_own(void)
{
	struct measure_ref ref;
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
		       "loads:\n  tcp: {rate: 5/s}\n"
		       "  udp: {rate: 5/s, protocol: udp, request: {send: 8B, receive: 8B}}");
	t.tape.loads = ARENA_ARRAY(&t.arena, struct tape, 2);
	t.tape.load_count = 2;
	t.tape.loads[0].tally.opened = 3;
	t.tape.loads[1].tally.opened = 4;
	t.tape.tally.opened = 7;
	trial_judge(&t);
	expect_rows(&t, (const struct row[]){{"connects.opened", true, 7},
					     {"predicted.rate", true, 32 / 60.},
					     {NULL, false, 0}});
	CU_ASSERT_FATAL(measure_find(TEXT("connects.opened"), &ref));
	for (uint32_t load = 1; load <= 2; load++) {
		ref.load = load;
		CU_ASSERT_EQUAL(measures_get(&t.measures, &ref).n, load + 2.);
	}
	ref.load = 3;
	CU_ASSERT(!measures_get(&t.measures, &ref).present);
	trial_close(&t);
}

static void a_run_out_of_ports_is_measured(void)
{
	static const struct row rows[] = {
		{"connects.attempted", true, 33},
		{"connects.opened", true, 32},
		{"connects.failed", true, 1},
		{"connects.in_flight", true, 0},
		{"connects.closed", true, 32},
		{"connects.rate", true, 64}, /* 32 in half a second */
		{"elapsed", true, 5e8},
		{"reconciled", true, 1},
		{"exhausted", true, 1},
		{"exhausted.after", true, 32},
		{"exhausted.at", true, 160000000},
		{"recovered", true, 0},
		{"recovery", false, 0},
		{"ports.usable", true, 32},
		{"ports.used.max", true, 32},
		{"ports.fill.max", true, 1},
		{"time_wait.max", true, 32},
		{"time_wait.end", true, 30},
		{"established.max", true, 4},
		{"close_wait.end", true, 0},
		{"predicted.after", true, 32},
		{"predicted.rate", true, 32 / 60.},
		{"errors.connect.EADDRNOTAVAIL", true, 1},
		{"errors.connect.ETIMEDOUT", true, 0},
		{"counter.TWRecycled", false, 0}, /* no counters were read */
		{NULL, false, 0},
	};
	struct trial t;
	struct sample *s;

	trial_open(&t, churn);
	trial_exhaust(&t, 32);
	t.tape.tally.closed = 32;
	t.tape.end_ns = 500000000;
	trial_dump(&t, 3)->states[STATE_ESTABLISHED] = 4;
	s = trial_dump(&t, 32);
	s->states[STATE_TIME_WAIT] = 32;
	s->torn = true; /* a lower bound still raises a maximum */
	trial_dump(&t, 30)->states[STATE_TIME_WAIT] = 30;
	trial_judge(&t);
	expect_rows(&t, rows);
	trial_close(&t);
}

/* established.max was 0 while 50 connections were open, but at no dump. */
static void what_was_open_between_dumps_counts(void)
{
	static const struct {
		uint64_t seen, peak;
		bool dumped;
		struct row rows[2];
	} cases[] = {
		{0, 50, true, {{"established.max", true, 50}, {NULL, false, 0}}},
		{60, 50, true, {{"established.max", true, 60}, {NULL, false, 0}}},
		{0, 50, false, {{"established.max", true, 50}, {NULL, false, 0}}},
		{0, 0, true, {{"established.max", true, 0}, {NULL, false, 0}}},
		{0, 0, false, {{"established.max", false, 0}, {NULL, false, 0}}},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct trial t;

		trial_open(&t, churn);
		if (cases[i].dumped)
			trial_dump(&t, 9)->states[STATE_ESTABLISHED] = cases[i].seen;
		t.tape.open_peak = cases[i].peak;
		trial_judge(&t);
		expect_rows(&t, cases[i].rows);
		trial_close(&t);
	}
}

/* ports.fill.max was 0 % while 60 of 64 ports were taken, but at no dump; without a dump nobody knows
 * who else has any. */
static void ports_in_use_between_dumps_count(void)
{
	static const struct {
		uint64_t peak;
		bool dumped;
		struct row rows[3];
	} cases[] = {
		{24,
		 true,
		 {{"ports.used.max", true, 24}, {"ports.fill.max", true, 0.75}, {NULL, false, 0}}},
		{8,
		 true,
		 {{"ports.used.max", true, 9},
		  {"ports.fill.max", true, 9 / 32.},
		  {NULL, false, 0}}},
		{24,
		 false,
		 {{"ports.used.max", false, 0}, {"ports.fill.max", false, 0}, {NULL, false, 0}}},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct trial t;

		trial_open(&t, churn);
		if (cases[i].dumped)
			trial_dump(&t, 9);
		t.tape.used_peak = cases[i].peak;
		trial_judge(&t);
		expect_rows(&t, cases[i].rows);
		trial_close(&t);
	}
}

/* With 50 buckets 500/s went on for ever, and 1.67/s was said to be all: it is the least. */
static void the_least_rate_is_predicted_where_time_wait_ends_early(void)
{
	static const struct {
		const char *buckets;
		struct row rows[2];
	} cases[] = {
		{"31", {{"predicted.rate", true, 32 / 60.}, {NULL, false, 0}}},
		{"32", {{"predicted.rate", true, 32 / 60.}, {NULL, false, 0}}},
		{"131072", {{"predicted.rate", true, 32 / 60.}, {NULL, false, 0}}},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena a = help_arena();
		struct trial t;

		trial_open(&t, text_format(&a,
					   "network: {ports: 40000-40031, sysctl: "
					   "{net.ipv4.tcp_tw_reuse: 0, "
					   "net.ipv4.tcp_max_tw_buckets: %s}}",
					   cases[i].buckets)
				       .s);
		trial_judge(&t);
		expect_rows(&t, cases[i].rows);
		trial_close(&t);
		arena_close(&a);
	}
}

static void what_was_not_looked_at_has_no_data(void)
{
	static const struct row rows[] = {
		{"ports.used.max", false, 0},
		{"ports.fill.max", false, 0},
		{"time_wait.max", false, 0},
		{"time_wait.end", false, 0},
		{"established.max", false, 0},
		{"exhausted", true, 0},
		{"exhausted.after", false, 0},
		{"exhausted.at", false, 0},
		{"recovered", true, 0},
		{"predicted.after", false, 0},
		{"predicted.rate", false, 0},
		{"elapsed", false, 0},
		{"connects.rate", false, 0},
		{"connects.opened", true, 0},
		{"ports.usable", true, 28232},
		{"errors.bind.EINVAL", true, 0},
		{NULL, false, 0},
	};
	struct trial t;

	trial_open(&t,
		   "load: {total: 9, end: reset}"); /* a reset frees the port at once: any rate */
	t.tape.end_ns = 0;
	tape_sample(&t.tape, (struct sample){.parts = SAMPLE_TOTALS, .tw = 5, .used_max = 7});
	trial_judge(&t);
	expect_rows(&t, rows);
	trial_close(&t);
}

static void a_torn_last_dump_does_not_tell_the_end(void)
{
	static const struct row rows[] = {{"time_wait.max", true, 9},
					  {"time_wait.end", false, 0},
					  {"close_wait.end", false, 0},
					  {NULL, false, 0}};
	struct trial t;

	trial_open(&t, churn);
	trial_dump(&t, 9)->states[STATE_TIME_WAIT] = 9;
	trial_dump(&t, 3)->torn = true;
	trial_judge(&t);
	expect_rows(&t, rows);
	trial_close(&t);
}

static void an_unconfirmed_refusal_is_no_exhaustion(void)
{
	static const struct row rows[] = {{"exhausted", true, 0},
					  {"exhausted.after", false, 0},
					  {"recovery", false, 0},
					  {NULL, false, 0}};
	struct trial t;

	trial_open(&t, churn);
	trial_exhaust(&t, 3);
	t.tape.exhausted = false;
	t.tape.recovered_ns = 5;
	trial_judge(&t);
	expect_rows(&t, rows);
	trial_close(&t);
}

static void recovery_counts_from_the_first_want(void)
{
	static const struct row rows[] = {
		{"recovered", true, 1}, {"recovery", true, 61e9}, {NULL, false, 0}};
	struct trial t;

	trial_open(&t, churn);
	trial_exhaust(&t, 32);
	t.tape.recovered_ns = 61000000000;
	trial_judge(&t);
	expect_rows(&t, rows);
	trial_close(&t);
}

static void errors_come_most_frequent_first(void)
{
	struct trial t;

	trial_open(&t, churn);
	trial_fail(&t, STAGE_CONNECT, ETIMEDOUT, 2);
	trial_fail(&t, STAGE_SOCKET, EMFILE, 7);
	trial_fail(&t, STAGE_CONNECT, ECONNREFUSED, 2);
	trial_judge(&t);
	CU_ASSERT_EQUAL_FATAL(t.measures.error_count, 3);
	CU_ASSERT_EQUAL(t.measures.errors[0].error, EMFILE);
	CU_ASSERT_EQUAL(t.measures.errors[0].count, 7);
	CU_ASSERT_EQUAL(t.measures.errors[1].error, ETIMEDOUT); /* ties: by stage, then by number */
	CU_ASSERT_EQUAL(t.measures.errors[2].error, ECONNREFUSED);
	trial_close(&t);
}

static void a_known_counter_that_did_not_move_is_zero(void)
{
	static const struct row rows[] = {{"counter.ActiveOpens", true, 33},
					  {"counter.TWRecycled", true, 0},
					  {"counter.CurrEstab", true, 0},
					  {NULL, false, 0}};
	struct trial t;

	trial_open(&t, churn);
	t.tape.counters[t.tape.counter_count++] = (struct counter){"TWRecycled", 4, 4};
	t.tape.counters[t.tape.counter_count++] = (struct counter){"ActiveOpens", 7, 40};
	t.tape.counters[t.tape.counter_count++] =
		(struct counter){"CurrEstab", 9, 2}; /* a gauge that fell */
	trial_judge(&t);
	expect_rows(&t, rows);
	CU_ASSERT_EQUAL(t.measures.counter_count, 1);
	trial_close(&t);
}

static void books_that_do_not_balance_are_told(void)
{
	struct trial t;

	trial_open(&t, churn);
	t.tape.tally.attempted = 1;
	trial_judge(&t);
	CU_ASSERT_EQUAL(get(&t, "reconciled").n, 0);
	trial_close(&t);
}

static const struct test tests[] = {
	TEST(of_several_loads_each_has_measures_of_its_own),
	TEST(a_run_out_of_ports_is_measured),
	TEST(what_was_open_between_dumps_counts),
	TEST(ports_in_use_between_dumps_count),
	TEST(the_least_rate_is_predicted_where_time_wait_ends_early),
	TEST(what_was_not_looked_at_has_no_data),
	TEST(a_torn_last_dump_does_not_tell_the_end),
	TEST(an_unconfirmed_refusal_is_no_exhaustion),
	TEST(recovery_counts_from_the_first_want),
	TEST(errors_come_most_frequent_first),
	TEST(a_known_counter_that_did_not_move_is_zero),
	TEST(books_that_do_not_balance_are_told),
	TESTS_END,
};

const struct suite suite_measure = {"measure", tests};
