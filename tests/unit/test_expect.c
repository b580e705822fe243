#include <stdio.h>

#include "scenario_help.h"
#include "suites.h"

static void lines_are_read_in_the_unit_of_their_measure(void)
{
	static const struct {
		const char *line;
		enum measure measure;
		enum compare compare;
		double low, high;
	} rows[] = {
		{"exhausted.after == 32", MEASURE_EXHAUSTED_AFTER, COMPARE_EQ, 32, 32},
		{"connects.opened >= 10k", MEASURE_CONNECTS_OPENED, COMPARE_GE, 10000, 10000},
		{"connects.opened<=4", MEASURE_CONNECTS_OPENED, COMPARE_LE, 4, 4},
		{"  leaked   !=   0  ", MEASURE_LEAKED, COMPARE_NE, 0, 0},
		{"ports.fill.max < 80%", MEASURE_PORTS_FILL_MAX, COMPARE_LT, 0.8, 0.8},
		{"ports.fill.max < 0.8", MEASURE_PORTS_FILL_MAX, COMPARE_LT, 0.8, 0.8},
		{"recovery < 5ms", MEASURE_RECOVERY, COMPARE_LT, 5e6, 5e6},
		{"connects.rate > 30k/min", MEASURE_CONNECTS_RATE, COMPARE_GT, 500, 500},
		{"exhausted == true", MEASURE_EXHAUSTED, COMPARE_EQ, 1, 1},
		{"recovered != false", MEASURE_RECOVERED, COMPARE_NE, 0, 0},
		{"exhausted.after in 30..34", MEASURE_EXHAUSTED_AFTER, COMPARE_IN, 30, 34},
		{"recovery in 1.5s .. 2s", MEASURE_RECOVERY, COMPARE_IN, 1.5e9, 2e9},
		{"ports.fill.max in 0.5..1", MEASURE_PORTS_FILL_MAX, COMPARE_IN, 0.5, 1},
		{"errors.connect.EADDRNOTAVAIL >= 1", MEASURE_ERRORS, COMPARE_GE, 1, 1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char yaml[200];
		struct read r;
		struct expectation e;

		snprintf(yaml, sizeof(yaml), "version: 1\nname: a\nexpect: ['%s']\n", rows[i].line);
		read_yaml(&r, yaml);
		CU_ASSERT_FATAL(r.ok && r.file.cases[0].expect.count == 1);
		e = r.file.cases[0].expect.list[0];
		CU_ASSERT_EQUAL(e.what.measure, rows[i].measure);
		CU_ASSERT_EQUAL(e.compare, rows[i].compare);
		CU_ASSERT(e.low == rows[i].low && e.high == rows[i].high);
		CU_ASSERT(!e.abort && e.after_ns == 0);
		CU_ASSERT(e.text.s[0] != ' ' && e.text.s[e.text.len - 1] != ' ');
		read_close(&r);
	}
}

static void the_long_form_can_end_a_run(void)
{
	struct read r;
	struct expectation e;

	read_yaml(&r,
		  "version: 1\nname: a\nexpect: [{abort: true, after: 5s, expr: leaked == 0}]\n");
	CU_ASSERT_FATAL(r.ok && r.file.cases[0].expect.count == 1);
	e = r.file.cases[0].expect.list[0];
	CU_ASSERT(e.abort && e.after_ns == 5000000000);
	CU_ASSERT(text_is(e.text, "leaked == 0"));
	read_close(&r);
}

static void a_comparison_holds_or_does_not(void)
{
	static const struct {
		enum compare compare;
		bool below, at, above; /* of 31, 32, 33 against 32 */
	} rows[] = {
		{COMPARE_EQ, false, true, false}, {COMPARE_NE, true, false, true},
		{COMPARE_LT, true, false, false}, {COMPARE_LE, true, true, false},
		{COMPARE_GT, false, false, true}, {COMPARE_GE, false, true, true},
		{COMPARE_IN, false, true, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct expectation e = {.compare = rows[i].compare, .low = 32, .high = 32};

		CU_ASSERT_EQUAL(expectation_holds(&e, 31), rows[i].below);
		CU_ASSERT_EQUAL(expectation_holds(&e, 32), rows[i].at);
		CU_ASSERT_EQUAL(expectation_holds(&e, 33), rows[i].above);
	}
}

static const struct test tests[] = {
	TEST(lines_are_read_in_the_unit_of_their_measure),
	TEST(the_long_form_can_end_a_run),
	TEST(a_comparison_holds_or_does_not),
	TESTS_END,
};

const struct suite suite_expect = {"expect", tests};
