#include "../unit/runner.h"

#include <CUnit/Basic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Is the test one of those wished for: by a part of its own name, or of its suite's? */
static bool is_wanted(const struct suite *s, const struct test *t, char *const *words)
{
	for (char *const *word = words; *word; word++)
		if (strstr(s->name, *word) || strstr(t->name, *word))
			return true;
	return *words == NULL;
}

static void test_add(CU_pSuite suite, const struct test *t)
{
	CU_pTest test = CU_add_test(suite, t->name, t->run);
	const char *why = t->unless ? t->unless() : NULL;

	if (why) {
		CU_set_test_active(test, CU_FALSE);
		printf("skipped: %s: %s\n", t->name, why);
	}
}

static void suite_add(const struct suite *s, char *const *words, void (*before)(void),
		      void (*after)(void))
{
	CU_pSuite suite = CU_add_suite_with_setup_and_teardown(s->name, NULL, NULL, before, after);

	for (const struct test *t = s->tests; t->name; t++)
		if (is_wanted(s, t, words))
			test_add(suite, t);
}

int suites_run(const char *runner, const struct suite *suites, size_t n, char *const *words,
	       void (*before)(void), void (*after)(void))
{
	unsigned run, failed, skipped;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (CU_initialize_registry() != CUE_SUCCESS)
		return 2;
	CU_set_fail_on_inactive(CU_FALSE); /* a test set inactive is a skip */
	for (size_t i = 0; i < n; i++)
		suite_add(&suites[i], words, before, after);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	run = CU_get_number_of_tests_run(); /* before the clean-up, which forgets them */
	failed = CU_get_number_of_tests_failed();
	skipped = CU_get_number_of_tests_inactive();
	CU_cleanup_registry();
	printf("%s: %u passed, %u failed, %u skipped\n", runner, run - failed, failed, skipped);
	return failed || run + skipped == 0;
}
