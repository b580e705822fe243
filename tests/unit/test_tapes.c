/* Tapes of real runs, each of a known cause (scripts/record-tapes.sh): judged anew, the right one
 * is told first. A table of what was told for what is printed. */
#include <stdio.h>
#include <string.h>

#include "advice_check.h"
#include "recorded.h"
#include "stored.h"
#include "suites.h"

static bool is_recorded(enum cause cause)
{
	for (size_t i = 0; i < tape_count; i++)
		if (tapes[i].first == cause)
			return true;
	return false;
}

/* Of each there is one or the other. */
static void each_cause_has_a_tape_or_a_reason_why_not(void)
{
	printf("\n");
	for (int i = 0; i < CAUSES; i++) {
		const char *why = why_unmade((enum cause)i);
		bool has_one = is_recorded((enum cause)i) != (why != NULL);

		if (why || !has_one)
			printf("%-24s no tape: %s\n", cause_name((enum cause)i), why ? why : "?");
		CU_ASSERT(has_one);
	}
}

/* How often each cause was told of tapes of each (rows): first, where the last column is none, and besides. */
struct table {
	unsigned first[CAUSES][CAUSES + 1], too[CAUSES][CAUSES];
};

static void besides_print(const unsigned too[CAUSES])
{
	const char *lead = "; besides";

	for (int as = 0; as < CAUSES; as++) {
		if (too[as] == 0)
			continue;
		printf("%s %u %s", lead, too[as], cause_name((enum cause)as));
		lead = ",";
	}
	printf("\n");
}

static void table_print(const struct table *told)
{
	unsigned right = 0, all = 0;

	printf("\n%-24s %s\n", "tapes of", "told first");
	for (int of = 0; of < CAUSES; of++) {
		bool has = false;

		for (int as = 0; as <= CAUSES; as++) {
			if (told->first[of][as] == 0)
				continue;
			printf("%-24s %2u %s%s", has ? "" : cause_name((enum cause)of),
			       told->first[of][as],
			       as < CAUSES ? cause_name((enum cause)as) : "nothing",
			       as == of ? "" : "  <--");
			besides_print(told->too[of]);
			has = true;
			all += told->first[of][as];
			right += as == of ? told->first[of][as] : 0;
		}
	}
	printf("%u of %u as they are\n", right, all);
}

static void the_right_cause_is_told_first(void)
{
	static struct table told;

	memset(&told, 0, sizeof(told));
	for (size_t i = 0; i < tape_count; i++) {
		struct stored s;
		int first;

		stored_open(&s, tapes[i].tape);
		first = s.verdict.cause_count ? (int)s.verdict.causes[0].cause : CAUSES;
		told.first[tapes[i].first][first]++;
		for (size_t c = 1; c < s.verdict.cause_count; c++)
			told.too[tapes[i].first][s.verdict.causes[c].cause]++;
		if (first != (int)tapes[i].first)
			printf("%s is told as %s\n", tapes[i].tape,
			       first < CAUSES ? cause_name((enum cause)first) : "nothing");
		CU_ASSERT_EQUAL(first, (int)tapes[i].first);
		stored_close(&s);
	}
	table_print(&told);
}

static size_t too_count(size_t i)
{
	size_t n = 0;

	while (n < TOO_MOST && tapes[i].too[n])
		n++;
	return n;
}

/* Of each tape all causes that there are: what is not in its row is not told of it. */
static void no_other_cause_is_told(void)
{
	for (size_t i = 0; i < tape_count; i++) {
		struct stored s;
		bool same;

		stored_open(&s, tapes[i].tape);
		same = s.verdict.cause_count == 1 + too_count(i);
		for (size_t c = 1; same && c < s.verdict.cause_count; c++)
			same = s.verdict.causes[c].cause == tapes[i].too[c - 1];
		for (size_t c = 0; !same && c < s.verdict.cause_count; c++)
			printf("%s is told as %s\n", tapes[i].tape,
			       cause_name(s.verdict.causes[c].cause));
		CU_ASSERT(same);
		stored_close(&s);
	}
}

static void advice_of_real_runs_does_no_harm(void)
{
	for (size_t i = 0; i < tape_count; i++) {
		struct stored s;

		stored_open(&s, tapes[i].tape);
		for (size_t c = 0; c < s.verdict.cause_count; c++) {
			advice_check(&s.verdict.causes[c]);
			CU_ASSERT(s.verdict.causes[c].seen.count > 0);
		}
		stored_close(&s);
	}
}

static const struct test tests[] = {
	TEST(each_cause_has_a_tape_or_a_reason_why_not),
	TEST(the_right_cause_is_told_first),
	TEST(no_other_cause_is_told),
	TEST(advice_of_real_runs_does_no_harm),
	TESTS_END,
};

const struct suite suite_tapes = {"tapes", tests};
