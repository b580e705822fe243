#include "cmd/errors.h"

#include <stdio.h>
#include <string.h>

#include "cmd/command.h"
#include "suites.h"

static const char *told(const struct errs *errs)
{
	static char buffer[2000];
	struct out out = out_memory(buffer, sizeof(buffer) - 1);

	errors_write(&out, errs);
	buffer[out.len] = '\0';
	return buffer;
}

static struct errs one(const char *line, unsigned col)
{
	struct errs errs = {0};
	struct err *err = errs_next(&errs);

	err_set(err, ERR_SCENARIO, "what");
	err_hint(err, "Hint.");
	err_at(err, (struct mark){"f.yaml", 14, col}, text_of(line));
	return errs;
}

static void the_caret_stands_below_its_word(void)
{
	static const struct {
		const char *line;
		unsigned col;
		const char *shown;
	} rows[] = {
		{"  hold: 5 days", 9, "  14 |   hold: 5 days\n     |         ^\n"},
		{"", 1, "  14 | \n     | ^\n"},
		{"abc", 4, "  14 | abc\n     |    ^\n"},
		{"abc", 99, "  14 | abc\n     |    ^\n"},
		{"é: x", 4, "  14 | é: x\n     |    ^\n"},
		{"世: x", 4, "  14 | 世: x\n     |     ^\n"},
		{"\033[31m: x", 8, "  14 | \\x1b[31m: x\n     |           ^\n"},
		{"\xe2\x80\xae: x", 4, "  14 | \\u{202e}: x\n     |           ^\n"},
		{"\xff\xfe: x", 5, "  14 | \\xff\\xfe: x\n     |           ^\n"},
		{"a:\tx", 4, "  14 | a:      x\n     |         ^\n"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct errs errs = one(rows[i].line, rows[i].col);

		CU_ASSERT_PTR_NOT_NULL(strstr(told(&errs), rows[i].shown));
		if (!strstr(told(&errs), rows[i].shown))
			printf("\n%s", told(&errs));
	}
}

static void long_lines_are_cut_around_the_caret(void)
{
	char line[1001] = "";
	struct errs errs;
	const char *text, *caret, *begin;

	memset(line, '.', 1000);
	line[500] = 'X';
	errs = one(line, 501);
	text = told(&errs);
	begin = strstr(text, "  14 | …");
	CU_ASSERT_PTR_NOT_NULL_FATAL(begin);
	caret = strstr(begin, "\n");
	CU_ASSERT(caret - begin < 140);
	/* the three bytes of … are one column */
	CU_ASSERT_EQUAL(strchr(begin, 'X') - begin - 2, strchr(caret + 1, '^') - (caret + 1));
	CU_ASSERT_PTR_NOT_NULL(strstr(begin, "…\n"));
}

static void words_of_a_file_are_escaped(void)
{
	struct errs errs = {0};

	err_set(errs_next(&errs), ERR_USAGE, "there is no \"%s\"", "\033[2J\n");
	CU_ASSERT_STRING_EQUAL(told(&errs), "lastport: there is no \"\\x1b[2J\\x0a\"\n");
}

static void the_kind_makes_the_status(void)
{
	static const int statuses[] = {
		[ERR_USAGE] = 2, [ERR_SCENARIO] = 2, [ERR_HOST] = 3, [ERR_SYS] = 4};
	struct errs errs = {0};

	CU_ASSERT_EQUAL(errors_status(&errs), 0);
	for (int kind = ERR_USAGE; kind <= ERR_SYS; kind++) {
		err_set(errs_next(&errs), (enum err_kind)kind, "x");
		CU_ASSERT_EQUAL(error_status(&errs.list[errs.count - 1]), statuses[kind]);
		CU_ASSERT_EQUAL(errors_status(&errs), statuses[kind]);
	}
}

static void what_does_not_fit_is_counted(void)
{
	struct errs errs = {0};

	for (int i = 0; i < 20; i++)
		err_set(errs_next(&errs), ERR_USAGE, "x");
	CU_ASSERT_PTR_NOT_NULL(strstr(told(&errs), "and 4 more\n"));
}

static const struct test tests[] = {
	TEST(the_caret_stands_below_its_word), TEST(long_lines_are_cut_around_the_caret),
	TEST(words_of_a_file_are_escaped),     TEST(the_kind_makes_the_status),
	TEST(what_does_not_fit_is_counted),    TESTS_END,
};

const struct suite suite_errors = {"errors", tests};
