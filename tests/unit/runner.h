/* runner.h - a CUnit main's body that fails when a test fails, and counts what was skipped.
 *
 * A suite is a table: rows of TEST(sentence), where sentence is the name of a function, or
 * TEST_UNLESS(why_not, sentence), where why_not() returns NULL, or why the test cannot run here.
 */
#pragma once

#include <CUnit/CUnit.h>
#include <stddef.h>

struct test {
	const char *name;
	void (*run)(void);
	const char *(*unless)(void);
};

struct suite {
	const char *name;
	const struct test *tests; /* ends in {NULL} */
};

// clang-format off
#define TEST(sentence) {#sentence, sentence, NULL}
#define TEST_UNLESS(why_not, sentence) {#sentence, sentence, why_not}
#define TESTS_END {NULL, NULL, NULL}
// clang-format on

/* Prints what CUnit prints, then "RUNNER: N passed, N failed, N skipped"; its return value is
 * main's. `words`, ended by a NULL, are parts of names: of the suites or tests to run; none: all
 * of them. `before` and `after` stand around each test, and are part of it; NULL: nothing. */
int suites_run(const char *runner, const struct suite *suites, size_t n, char *const *words,
	       void (*before)(void), void (*after)(void));
