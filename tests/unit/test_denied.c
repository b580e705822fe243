#include "judge/denied.h"

#include <stdio.h>

#include "plan_help.h"
#include "suites.h"

#define CHURN \
	"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n" \
	"load: {rate: 200/s, total: 320}\n"
#define FITS "network: {ports: 40000-40031}\nload: {rate: 200/s, total: 20}\n"

/* Either side of what is predicted; and what nothing is predicted of. */
static void a_line_is_denied_where_no_outcome_keeps_it(void)
{
	static const struct {
		const char *load, *line;
		bool denied;
	} rows[] = {
		{CHURN, "exhausted == false", true},
		{CHURN, "exhausted == true", false},
		{CHURN, "exhausted != false", false},
		{CHURN, "exhausted.after == 32", false},
		{CHURN, "exhausted.after != 32", true},
		{CHURN, "exhausted.after < 33", false},
		{CHURN, "exhausted.after < 32", true},
		{CHURN, "exhausted.after >= 33", true},
		{CHURN, "exhausted.after in 30..40", false},
		{CHURN, "exhausted.after in 33..40", true},
		{CHURN, "exhausted.at > 160ms", false},
		{CHURN, "exhausted.at < 100ms", true},
		{CHURN, "exhausted.at > 1m", true},
		{CHURN, "connects.failed == 0", true},
		{CHURN, "connects.failed <= 9000", false},
		{CHURN, "predicted.rate >= 200/s", true},
		{CHURN, "predicted.rate >= 30/min", false},
		{CHURN, "requests.done == 7", false},
		{FITS, "exhausted == false", false},
		{FITS, "exhausted == true", true},
		{FITS, "connects.failed == 0", false},
		{FITS, "ports.used.max <= 20", false},
		{FITS, "ports.used.max > 20", true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		const struct host host = help_host();
		char lines[400];
		struct plan p;
		struct err err = {0};
		struct denial denied[2];
		size_t n;

		snprintf(lines, sizeof(lines), "%sexpect: [%s]", rows[i].load, rows[i].line);
		CU_ASSERT_FATAL(plan_make(&p, help_scenario(lines, &a), &host, 1, &a, &err));
		n = denied_find(denied, 2, &p);
		if (n != rows[i].denied)
			printf("%s: %zu\n", rows[i].line, n);
		CU_ASSERT_EQUAL(n, rows[i].denied);
		arena_close(&a);
	}
}

/* Of one of several loads nothing is predicted by itself. */
static void no_more_are_told_than_there_is_room_for(void)
{
	struct arena a = help_arena();
	const struct host host = help_host();
	struct plan p;
	struct err err = {0};
	struct denial denied[3];

	CU_ASSERT_FATAL(
		plan_make(&p,
			  help_scenario(CHURN "expect: [exhausted == false, exhausted.after < 32, "
					      "connects.failed == 0]",
					&a),
			  &host, 1, &a, &err));
	CU_ASSERT_EQUAL(denied_find(denied, 2, &p), 2);
	CU_ASSERT_EQUAL(denied_find(denied, 3, &p), 3);
	CU_ASSERT_PTR_EQUAL(denied[2].line, &p.scenario->expect.list[2]);
	arena_close(&a);
}

static const struct test tests[] = {
	TEST(a_line_is_denied_where_no_outcome_keeps_it),
	TEST(no_more_are_told_than_there_is_room_for),
	TESTS_END,
};

const struct suite suite_denied = {"denied", tests};
