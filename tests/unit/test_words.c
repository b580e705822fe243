#include "words/words.h"

#include <errno.h>
#include <string.h>

#include "plan_help.h"
#include "suites.h"

static void every_measure_finds_itself(void)
{
	for (int i = 0; i < MEASURES; i++) {
		struct measure_ref ref;

		if (measure_infos[i].family)
			continue;
		CU_ASSERT(measure_find(text_of(measure_infos[i].name), &ref));
		CU_ASSERT_EQUAL((int)ref.measure, i);
		CU_ASSERT(measure_infos[i].meaning[0] != '\0');
	}
}

static void rows_of_families_are_found(void)
{
	struct measure_ref ref;

	CU_ASSERT(measure_find(TEXT("errors.connect.EADDRNOTAVAIL"), &ref));
	CU_ASSERT(ref.measure == MEASURE_ERRORS && ref.stage == STAGE_CONNECT &&
		  ref.error == EADDRNOTAVAIL);
	CU_ASSERT(measure_find(TEXT("squat.errors.bind.EADDRINUSE"), &ref));
	CU_ASSERT(ref.measure == MEASURE_SQUAT_ERRORS && ref.stage == STAGE_BIND &&
		  ref.error == EADDRINUSE);
	CU_ASSERT(measure_find(TEXT("server.errors.connect.EADDRNOTAVAIL"), &ref));
	CU_ASSERT(ref.measure == MEASURE_SERVER_ERRORS && ref.stage == STAGE_CONNECT &&
		  ref.error == EADDRNOTAVAIL);
	CU_ASSERT(measure_find(TEXT("counter.TCPTimeWaitOverflow"), &ref));
	CU_ASSERT(ref.measure == MEASURE_COUNTER && text_is(ref.counter, "TCPTimeWaitOverflow"));
	CU_ASSERT(!measure_find(TEXT("errors.connect"), &ref));
	CU_ASSERT(!measure_find(TEXT("errors.conect.EIO"), &ref));
	CU_ASSERT(!measure_find(TEXT("errors.connect.EWHAT"), &ref));
	CU_ASSERT(!measure_find(TEXT("counter."), &ref));
	CU_ASSERT(!measure_find(TEXT("counter.a b"), &ref));
	CU_ASSERT(!measure_find(TEXT(""), &ref));
	CU_ASSERT(!measure_find(TEXT("leaked "), &ref));
}

static void slips_find_what_was_meant(void)
{
	static const struct {
		const char *slip, *meant; /* "": nothing is near */
	} rows[] = {
		{"exhausted.aftr", "exhausted.after"},
		{"nothing-like-it", ""},
		{"errors.connect.EADDRNOTAVIAL", "errors.connect.EADDRNOTAVAIL"},
		{"errors.conect.EADDRINUSE", "errors.connect.EADDRINUSE"},
		{"squat.errors.listen.EADRINUSE", "squat.errors.listen.EADDRINUSE"},
		{"errors.connect.ENOTHINGLIKEIT", ""},
		{"errors.nowhere.EMFILE", ""},
		{"errors.connect", ""},
		{"counter.a b", ""},
	};
	struct arena a = help_arena();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CU_ASSERT(text_is(measure_near(text_of(rows[i].slip), &a), rows[i].meant));
	arena_close(&a);
	CU_ASSERT_STRING_EQUAL(choice_near(end_words, TEXT("clsoe")), "close");
	CU_ASSERT_PTR_NULL(choice_near(end_words, TEXT("politely")));
	CU_ASSERT_EQUAL(choice_find(end_words, TEXT("leak")), END_LEAK);
	CU_ASSERT_EQUAL(choice_find(end_words, TEXT("Leak")), -1);
}

static void errno_names_go_both_ways(void)
{
	CU_ASSERT_EQUAL(errno_find(text_of(errno_name(EADDRNOTAVAIL))), EADDRNOTAVAIL);
	CU_ASSERT_EQUAL(errno_find(TEXT("EWHAT")), 0);
	CU_ASSERT_STRING_EQUAL(errno_name(0), "E?");
	CU_ASSERT_STRING_EQUAL(errno_name(99999), "E?");
	CU_ASSERT_STRING_EQUAL(errno_words(EADDRNOTAVAIL), "Cannot assign requested address");
}

static const struct test tests[] = {
	TEST(every_measure_finds_itself),
	TEST(rows_of_families_are_found),
	TEST(slips_find_what_was_meant),
	TEST(errno_names_go_both_ways),
	TESTS_END,
};

const struct suite suite_words = {"words", tests};
