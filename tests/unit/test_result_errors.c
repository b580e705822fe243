/* Documents that are no result, or one with a mistake, and what is said of them. */
#include "report/result.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "suites.h"
#include "trial.h"

#define RUN \
	"{\"scenario\": \"s\", \"case\": \"c\", \"title\": \"t\", \"file\": \"f\", \"sha256\": " \
	"\"0\",\n" \
	"\"verdict\": \"pass\", \"complete\": true, \"cut_short\": false, \"lost\": 0,\n" \
	"\"effective\": {}, \"sysctl\": {}, \"measures\": {\"leaked\": 0},\n" \
	"\"sockets\": {}, \"expect\": [], \"causes\": []}"
#define DOCUMENT \
	"{\"schema\": 1, \"lastport\": \"v\", \"complete\": true, \"verdict\": \"pass\",\n" \
	"\"argv\": [], \"seed\": 1,\n\"runs\": [" RUN "]}"

/* The document with its first `from` made `to`. */
static struct text changed(const char *from, const char *to, struct arena *a)
{
	struct text whole = TEXT(DOCUMENT);
	char *at = memmem(whole.s, whole.len, from, strlen(from));

	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	return text_format(a, TEXT_FMT "%s%s", (int)(at - whole.s), whole.s, to, at + strlen(from));
}

static void mistakes_are_told_with_their_place(void)
{
	static const struct {
		const char *from, *to;
		unsigned line, col;
		const char *what;
	} rows[] = {
		{"{\"schema\": 1,", "[", 1, 13, "this is no JSON"},
		{"\"schema\": 1", "\"schema\": 2", 1, 12, "schema must be 1"},
		{"\"schema\": 1, ", "", 1, 1, "schema must be 1"},
		{"\"lastport\": \"v\"", "\"lastport\": 7", 1, 27, "lastport must be a text"},
		{"\"complete\": true", "\"complete\": 1", 1, 44, "complete must be true or false"},
		{"\"verdict\": \"pass\"", "\"verdict\": \"good\"", 1, 61,
		 "verdict must be pass, fail"},
		{"\"argv\": []", "\"argv\": [\"a\", [\"],\"], 7]", 2, 15, "argv[1] must be a text"},
		{"\"argv\": []", "\"argv\": {}", 2, 9, "argv must be a list"},
		{"\"argv\": []", "\"argv\": [\"\xc3\xbc\", 7]", 2, 15, "argv[1] must be a text"},
		{"\"seed\": 1", "\"seed\": -1", 2, 21, "seed must be a whole number"},
		{"\"seed\": 1", "\"seed\": \"1\"", 2, 21, "seed must be a number"},
		{"\"seed\": 1", "\"seed\": 1, \"seed\": 2", 2, 29, "this is no JSON"},
		{"\"seed\": 1", "\"seed\": 1, \"host\": {\"cpus\": \"x\"}", 2, 41,
		 "host.cpus must be a whole number"},
		{"\"seed\": 1", "\"seed\": 1, \"host\": {\"io_uring\": \"EOK\"}", 2, 45,
		 "host.io_uring must be ok"},
		{"\"seed\": 1", "\"seed\": 1, \"host\": {\"ip_local_port_range\": \"9-1\"}", 2, 56,
		 "must be a range"},
		{"\"runs\": [", "\"runs\": [7, ", 3, 10, "runs[0] must be an object"},
		{"\"effective\": {}", "\"effective\": {\"a\": {\"value\": 1}}", 5, 30,
		 "runs[0].effective.a.value must be a text"},
		{"\"effective\": {}, ", "", 3, 10, "runs[0].effective must be an object"},
		{"\"leaked\": 0", "\"leaked\": 0.5", 5, 55,
		 "runs[0].measures.leaked must be a whole number"},
		{"\"leaked\": 0", "\"leaks\": 0", 5, 54, "must be a measure that lastport knows"},
		{"\"leaked\": 0", "\"elapsed\": 1e30", 5, 56, "must be a number from 0 to 9000000"},
		{"\"leaked\": 0", "\"ports.fill.max\": -0.1", 5, 63, "must be a number"},
		{"\"leaked\": 0", "\"errors.connect.ENOSUCH\": 1", 5, 71, "must be a measure"},
		{"\"sockets\": {}", "\"sockets\": {\"OPEN\": 1}", 6, 21,
		 "must be a count of a TCP state"},
		{"\"expect\": []",
		 "\"expect\": [{\"text\": \"\", \"file\": \"\", \"line\": 1, \"kind\": \"odd\", "
		 "\"pass\": true}]",
		 6, 71, "must be count, share, time, rate or flag"},
		{"\"lost\": 0", "\"lost\": 0, \"aborted\": 0", 4, 80,
		 "aborted must be the index of a line of expect"},
		{"\"lost\": 0", "\"lost\": 0, \"predictions\": [{\"name\": \"luck\"}]", 4, 94,
		 "must be a prediction that lastport makes"},
		{"\"lost\": 0",
		 "\"lost\": 0, \"predictions\": [{\"name\": \"exhausted\", \"outcome\": \"won\"}]",
		 4, 118, "must be holds, broken, not reached or cannot be told"},
		{"\"lost\": 0",
		 "\"lost\": 0, \"predictions\": [{\"name\": \"exhausted\", \"outcome\": "
		 "\"holds\"}]",
		 4, 85, "predicted must be true or false"},
		{"\"lost\": 0",
		 "\"lost\": 0, \"books\": {\"live\": {\"driver\": 1, \"found\": 2, \"apart\": 1, "
		 "\"balanced\": false, \"destinations\": [{\"driver\": 1, \"found\": 2, "
		 "\"protocol\": \"tcp\"}]}}",
		 4, 199, "protocol must be \"udp\""},
		{"\"causes\": []", "\"causes\": [{\"name\": \"bad luck\"}]", 6, 50,
		 "must be a cause that lastport knows"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct result r;
		struct err err = {0};
		bool same;

		CU_ASSERT(!result_load(&r, "f.json", changed(rows[i].from, rows[i].to, &a), &a,
				       &err));
		same = err.at.line == rows[i].line && err.at.col == rows[i].col &&
		       strstr(err.what, rows[i].what);
		if (!same)
			printf("row %zu: %u:%u: %s\n", i, err.at.line, err.at.col, err.what);
		CU_ASSERT(same);
		CU_ASSERT_EQUAL(err.kind, ERR_SCENARIO);
		CU_ASSERT_STRING_EQUAL(err.at.file, "f.json");
		arena_close(&a);
	}
}

static void the_smallest_document_loads(void)
{
	struct arena a = help_arena();
	struct result r;
	struct err err = {0};

	CU_ASSERT(result_load(&r, "f", TEXT(DOCUMENT), &a, &err));
	CU_ASSERT_EQUAL(r.run_count, 1);
	CU_ASSERT(r.runs[0].measures.fixed[MEASURE_LEAKED].present);
	CU_ASSERT(!r.runs[0].measures.fixed[MEASURE_ELAPSED].present);
	CU_ASSERT_EQUAL(r.runs[0].plan.order.len, 0);
	arena_close(&a);
}

static void what_is_no_result_is_refused(void)
{
	static const char *const rows[] = {
		"", "{", "null", "[]", "7", "{}", "\"\\u0000\"", "{\"schema\": 1}", "\xff"};
	struct arena a = help_arena();
	char *deep = ARENA_ARRAY(&a, char, 100000),
	     *many = ARENA_ARRAY(&a, char, RESULT_VALUES_MOST + 2);
	struct result r;

	memset(deep, '[', 100000);
	memset(many, ',', RESULT_VALUES_MOST + 2);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) + 2; i++) {
		struct err err = {0};
		struct text src = i == 0   ? (struct text){deep, 100000}
				  : i == 1 ? (struct text){many, RESULT_VALUES_MOST + 2}
					   : text_of(rows[i - 2]);

		CU_ASSERT(!result_load(&r, "f", src, &a, &err));
		CU_ASSERT_EQUAL(err.kind, ERR_SCENARIO);
		CU_ASSERT(err.at.line > 0);
	}
	arena_close(&a);
}

static const struct test tests[] = {
	TEST(mistakes_are_told_with_their_place),
	TEST(the_smallest_document_loads),
	TEST(what_is_no_result_is_refused),
	TESTS_END,
};

const struct suite suite_result_errors = {"result: errors", tests};
