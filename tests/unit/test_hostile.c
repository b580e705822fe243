#include <stdio.h>
#include <stdlib.h>

#include "cmd/errors.h"
#include "scenario_help.h"
#include "suites.h"

/* Files of the largest size that are made to cost much. What they may cost is counted in the
 * arena: a clock would make this test a gamble. libyaml's own heap is bounded by the depth and
 * the size of one scalar. */

enum { SIZE = SCENARIO_SIZE_MOST, COST_MOST = 8 << 20 };

static char *filled(const char *head, const char *unit)
{
	char *text = malloc(SIZE + 1);
	size_t at = strlen(head), len = strlen(unit);

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	memcpy(text, head, at);
	while (at + len <= SIZE) {
		memcpy(text + at, unit, len);
		at += len;
	}
	text[at] = '\0';
	return text;
}

/* Refused with these words, at a price. */
static void check_refused(char *text, const char *what)
{
	struct read r;
	char *start;

	memset(&r, 0, sizeof(r));
	CU_ASSERT_FATAL(arena_open(&r.arena, (size_t)256 << 20));
	start = r.arena.at;
	CU_ASSERT(!scenario_read(&r.file, "hostile.yaml", text_of(text), &r.arena, &r.errs));
	CU_ASSERT(r.arena.at - start <= COST_MOST);
	CU_ASSERT_FATAL(r.errs.count > 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(r.errs.list[0].what, what));
	if (!strstr(r.errs.list[0].what, what))
		printf("\nit says: %s\n", r.errs.list[0].what);
	read_close(&r);
	free(text);
}

static void a_megabyte_of_brackets_is_refused(void)
{
	check_refused(filled("", "["), "nested too deep");
	check_refused(filled("", "{"), "cannot be a key");
	check_refused(filled("", "[{"), "cannot be a key");
	check_refused(filled("", "- "), "nested too deep");
	check_refused(filled("", "? "), "cannot be a key");
	check_refused(filled("", "[\n"), "nested too deep");
	check_refused(filled("", "{a: "), "nested too deep");
}

static void an_alias_bomb_is_refused(void)
{
	check_refused(filled("a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n", "d: [*c, *c]\n"),
		      "anchors or aliases");
	check_refused(filled("", "&a "), "");
	check_refused(filled("", "*a\n"), "anchors or aliases");
}

/* 10^5 of each. */
static void numbers_of_keys_and_cases_are_bounded(void)
{
	char *text = malloc(SIZE), *end = text;

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	for (int i = 0; i < 100000; i++)
		end += sprintf(end, "k%d: \n", i);
	check_refused(text, "too many values");
	text = malloc(2 * SIZE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	end = text + sprintf(text, "version: 1\nname: a\ncases:\n");
	for (int i = 0; i < 100000; i++)
		end += sprintf(end, " c%d:\n", i);
	check_refused(text, "too many values");
	text = malloc(SIZE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	end = text + sprintf(text, "version: 1\nname: a\ncases:\n");
	for (int i = 0; i < 256; i++)
		end += sprintf(end, " c%d: {}\n", i);
	check_refused(text, "there are 256 cases");
	text = malloc(SIZE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	end = text + sprintf(text, "version: 1\nname: a\n");
	for (int i = 0; i < 9000; i++)
		end += sprintf(end, "key%d: x\n", i);
	check_refused(text, "there is no key");
	text = malloc(SIZE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	end = text + sprintf(text, "version: 1\nname: a\nnetwork:\n  sysctl:\n");
	for (int i = 0; i < 9000; i++)
		end += sprintf(end, "    net.k%d: x\n", i);
	check_refused(text, "too many sysctls");
}

/* The list of errors holds 16: the others must not cost what nobody is told. */
static void thousands_of_mistakes_are_counted(void)
{
	char *text = malloc(SIZE), *end = text;

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	end += sprintf(end, "version: 1\nname: a\nexpect:\n");
	for (int i = 0; i < 19000; i++)
		end += sprintf(end, " - zzzzzzzzzz%d == 1\n", i);
	check_refused(text, "no measure \"zzzzzzzzzz0\"");
	check_refused(filled("version: 1\nname: a\n",
			     "k: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"),
		      "\"k\" is here twice");
}

static void long_scalars_are_told_in_short(void)
{
	check_refused(filled("version: 1\nname: ", "x"), "name cannot be \"xxxx");
	check_refused(filled("", "x"), "a scenario cannot be \"xxxx");
	check_refused(filled("\"", "x"), "never closed");
	check_refused(filled("", "x: "), "a key cannot stand here");
	check_refused(filled("version: 1\nname: a\nload: {hold: ", "9"), "");
	check_refused(filled("version: 1\nname: a\nexpect: [\"", "9"), "never closed");
}

static void broken_bytes_and_lengths_are_refused(void)
{
	struct read r;
	char *text = filled("version: 1\nname: a\n#", "\xff");

	check_refused(text, "not UTF-8");
	text = malloc(SIZE + 2);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	memset(text, '#', SIZE + 1);
	text[SIZE + 1] = '\0';
	check_refused(text, "longer than 1 MiB");
	text = calloc(1, SIZE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	read_text(&r, (struct text){text, SIZE});
	CU_ASSERT(!r.ok);
	CU_ASSERT_STRING_EQUAL(r.errs.list[0].what, "the file contains a NUL byte");
	read_close(&r);
	free(text);
}

/* Lines of comments to the brim: large is not wrong. */
static void the_largest_file_is_read(void)
{
	char *text = filled("version: 1\nname: a\n", "# a comment\n");
	struct read r;

	read_yaml(&r, text);
	CU_ASSERT(r.ok);
	read_close(&r);
	free(text);
}

static const struct test tests[] = {
	TEST(a_megabyte_of_brackets_is_refused),
	TEST(an_alias_bomb_is_refused),
	TEST(numbers_of_keys_and_cases_are_bounded),
	TEST(thousands_of_mistakes_are_counted),
	TEST(long_scalars_are_told_in_short),
	TEST(broken_bytes_and_lengths_are_refused),
	TEST(the_largest_file_is_read),
	TESTS_END,
};

const struct suite suite_hostile = {"hostile", tests};
