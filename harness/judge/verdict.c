#include "judge/judge.h"

#include "judge/cause.h"
#include "judge/late.h"

static const char *const verdict_names[] = {
	[VERDICT_PASS] = "pass",
	[VERDICT_FAIL] = "fail",
	[VERDICT_SKIP] = "skip",
	[VERDICT_ERROR] = "error",
	[VERDICT_INCOMPLETE] = "incomplete",
};

enum { VERDICTS = sizeof(verdict_names) / sizeof(verdict_names[0]) };

const char *verdict_name(enum verdict_word word)
{
	return verdict_names[word];
}

int verdict_find(struct text name)
{
	for (int i = 0; i < VERDICTS; i++)
		if (text_is(name, verdict_names[i]))
			return i;
	return -1;
}

static struct judged judge_line(const struct expectation *e, const struct measures *m)
{
	struct judged j = {
		.text = e->text,
		.at = e->at,
		.kind = measure_infos[e->what.measure].kind,
		.observed = measures_get(m, &e->what),
	};

	j.pass = j.observed.present && expectation_holds(e, j.observed.n);
	return j;
}

/* A line that is about the pace of the load has judged it. */
static bool judges_pace(const struct expectation_list *expect)
{
	for (size_t i = 0; i < expect->count; i++) {
		enum measure what = expect->list[i].what.measure;

		if (what == MEASURE_CONNECTS_LATE || what == MEASURE_CONNECTS_BEHIND ||
		    what == MEASURE_CONNECTS_RATE)
			return true;
	}
	return false;
}

/* That a load is survived is not shown by another that was lighter; but ports that ran out have
 * run out. */
static bool is_proven(const struct expectation_list *expect, const struct tape *tape,
		      const struct measures *m)
{
	bool is_lighter = late_is_short(m) || late_is_behind(m);

	return expect->count == 0 || tape->exhausted || !is_lighter || judges_pace(expect);
}

/* A line of `expect` that ended the run has failed, whatever became of the rest; but a run that
 * a signal or stop.time broke off says nothing, good or bad, about what it did not get to. */
static enum verdict_word word_of(const struct verdict *v, const struct expectation_list *expect,
				 const struct tape *tape, const struct measures *m)
{
	if (tape->interrupted || tape->cut_short || tape->lost ||
	    (!tape->complete && tape->aborted < 0))
		return VERDICT_INCOMPLETE;
	if (tape->aborted >= 0)
		return VERDICT_FAIL;
	for (size_t i = 0; i < v->expect_count; i++)
		if (!v->expect[i].pass)
			return VERDICT_FAIL;
	return is_proven(expect, tape, m) ? VERDICT_PASS : VERDICT_INCOMPLETE;
}

void judge(struct verdict *out, const struct plan *plan, const struct tape *tape,
	   const struct measures *m, struct arena *a)
{
	const struct expectation_list *expect = &plan->scenario->expect;

	*out = (struct verdict){.expect = ARENA_ARRAY(a, struct judged, expect->count)};
	for (size_t i = 0; i < expect->count; i++)
		out->expect[out->expect_count++] = judge_line(&expect->list[i], m);
	/* It may hold again by now; but it was broken, and ended the run. */
	if (tape->aborted >= 0 && (size_t)tape->aborted < out->expect_count)
		out->expect[tape->aborted].pass = false;
	out->word = word_of(out, expect, tape, m);
	causes_find(out, plan, tape, m, a);
}
