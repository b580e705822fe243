#include "base/text.h"

#include "suites.h"

static void text_is_cut_at_the_first_mark(void)
{
	struct text rest = TEXT("a.b.c"), head;

	CU_ASSERT(text_cut(&rest, '.', &head));
	CU_ASSERT(text_is(head, "a"));
	CU_ASSERT(text_is(rest, "b.c"));
	CU_ASSERT(!text_cut(&rest, '/', &head));
	CU_ASSERT(text_is(head, "b.c"));
}

static void distance_counts_slips_of_the_fingers(void)
{
	static const struct {
		const char *a, *b;
		unsigned distance;
	} rows[] = {
		{"", "", 0},	    {"rate", "rate", 0},   {"rate", "rtae", 1},
		{"rate", "rat", 1}, {"rate", "crate", 1},  {"holt", "hold", 1},
		{"", "abc", 3},	    {"total", "title", 3}, {"abcdef", "ghijkl", 5},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CU_ASSERT_EQUAL(text_distance(text_of(rows[i].a), text_of(rows[i].b), 5),
				rows[i].distance);
}

static void trim_takes_blanks_off_both_ends(void)
{
	CU_ASSERT(text_is(text_trim(TEXT(" \t a b\r\n")), "a b"));
	CU_ASSERT_EQUAL(text_trim(TEXT(" \n ")).len, 0);
	CU_ASSERT_EQUAL(text_trim((struct text){0}).len, 0);
}

static const struct test tests[] = {
	TEST(text_is_cut_at_the_first_mark),
	TEST(distance_counts_slips_of_the_fingers),
	TEST(trim_takes_blanks_off_both_ends),
	TESTS_END,
};

const struct suite suite_text = {"text", tests};
