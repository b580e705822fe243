#include "judge/judge.h"

#include "judge/cause.h"

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

/* A line of `expect` that ended the run has failed, whatever became of the rest; but a run that
 * a signal or stop.time broke off says nothing, good or bad, about what it did not get to. */
static enum verdict_word word_of(const struct verdict *v, const struct tape *tape)
{
	if (tape->interrupted || tape->cut_short || tape->lost ||
	    (!tape->complete && tape->aborted < 0))
		return VERDICT_INCOMPLETE;
	if (tape->aborted >= 0)
		return VERDICT_FAIL;
	for (size_t i = 0; i < v->expect_count; i++)
		if (!v->expect[i].pass)
			return VERDICT_FAIL;
	return VERDICT_PASS;
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
	out->word = word_of(out, tape);
	causes_find(out, plan, tape, m, a);
}
