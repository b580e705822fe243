#include "base/out.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "suites.h"

static void hostile_text_is_escaped(void)
{
	static const struct {
		const char *text, *told;
	} rows[] = {
		{"plain é 世 🙂", "plain é 世 🙂"},
		{"a\033[31mb\n", "a\\x1b[31mb\\x0a"},
		{"\x7f\xc2\x9b", "\\x7f\\u{009b}"},
		{"a\xe2\x80\xae\xe2\x80\x8b", "a\\u{202e}\\u{200b}"},
		{"\xff\xc0\xaf\xed\xa0\x80", "\\xff\\xc0\\xaf\\xed\\xa0\\x80"},
		{"cut \xe2\x82", "cut \\xe2\\x82"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char buffer[200];
		struct out out = out_memory(buffer, sizeof(buffer));

		out_escaped(&out, text_of(rows[i].text));
		CU_ASSERT(text_is(out_written(&out), rows[i].told));
	}
}

static void memory_that_is_full_says_so(void)
{
	char buffer[4];
	struct out out = out_memory(buffer, sizeof(buffer));

	out_z(&out, "abcd");
	CU_ASSERT(out_flush(&out));
	out_z(&out, "e");
	CU_ASSERT(!out_flush(&out));
	CU_ASSERT_EQUAL(out.sys, ENOSPC);
	CU_ASSERT(text_is(out_written(&out), "abcd"));
}

static void the_first_failed_write_is_kept(void)
{
	char buffer[4];
	int fd = open("/dev/full", O_WRONLY);
	struct out out = out_to(fd, buffer, sizeof(buffer));

	CU_ASSERT_FATAL(fd >= 0);
	out_z(&out, "more than fits the buffer");
	CU_ASSERT(!out_flush(&out));
	CU_ASSERT_EQUAL(out.sys, ENOSPC);
	close(fd);
}

static void code_points_are_told_by_width(void)
{
	CU_ASSERT_EQUAL(utf8_width('a'), 1);
	CU_ASSERT_EQUAL(utf8_width(0x301), 0);
	CU_ASSERT_EQUAL(utf8_width(0x4e16), 2);
	CU_ASSERT_EQUAL(utf8_width(0x1f642), 2);
	CU_ASSERT(!utf8_is_hostile('~') && utf8_is_hostile(0) && utf8_is_hostile(0x202e));
}

static const struct test tests[] = {
	TEST(hostile_text_is_escaped),
	TEST(memory_that_is_full_says_so),
	TEST(the_first_failed_write_is_kept),
	TEST(code_points_are_told_by_width),
	TESTS_END,
};

const struct suite suite_out = {"out", tests};
