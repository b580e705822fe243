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
	static const bool is_of_pace[MEASURES] = {
		[MEASURE_CONNECTS_LATE] = true, [MEASURE_CONNECTS_BEHIND] = true,
		[MEASURE_CONNECTS_RATE] = true, [MEASURE_ROUNDS_RATE] = true,
		[MEASURE_ROUNDS_BEHIND] = true,
	};

	for (size_t i = 0; i < expect->count; i++)
		if (is_of_pace[expect->list[i].what.measure])
			return true;
	return false;
}

/* Of connections that could not be had; and of requests that failed on one that was. */
static const struct {
	enum measure what;
	bool of_requests;
} about_failures[] = {
	{MEASURE_CONNECTS_ATTEMPTED, true}, {MEASURE_CONNECTS_OPENED, true},
	{MEASURE_CONNECTS_FAILED, false},   {MEASURE_RETRIES, false},
	{MEASURE_GAVE_UP, false},	    {MEASURE_REQUESTS_DONE, true},
	{MEASURE_REQUESTS_FAILED, true},
};

/* A line about an error that did not occur says nothing of the one that did. */
static bool judges_failure(const struct judged *line, const struct measure_ref *what,
			   bool of_requests)
{
	if (what->measure == MEASURE_ERRORS)
		return line->observed.n > 0;
	for (size_t i = 0; i < sizeof(about_failures) / sizeof(about_failures[0]); i++)
		if (about_failures[i].what == what->measure)
			return about_failures[i].of_requests || !of_requests;
	return false;
}

/* A line that is about what was opened, or failed, has judged a failure. */
static bool judges_failures(const struct verdict *v, const struct expectation_list *expect,
			    bool of_requests)
{
	for (size_t i = 0; i < v->expect_count; i++)
		if (judges_failure(&v->expect[i], &expect->list[i].what, of_requests))
			return true;
	return false;
}

/* A failure ends a load that does not go on after one: what came after it was never tried. The
 * requests of a connection that could not be had have failed as well. */
static bool is_stopped(const struct verdict *v, const struct plan *plan, const struct tape *tape)
{
	const struct tally *t = &tape->tally;
	const struct expectation_list *expect = &plan->scenario->expect;
	bool of_connects = t->gave_up > 0, of_requests = t->requests_failed > t->gave_up;

	if (t->stopped == 0)
		return false;
	return (of_connects && !judges_failures(v, expect, false)) ||
	       ((of_requests || !of_connects) && !judges_failures(v, expect, true));
}

/* That a load is survived is not shown by another that was lighter, nor is anything where no more was
 * wanted than that it be carried; but ports that ran out have run out. */
static bool is_proven(const struct verdict *v, const struct plan *plan, const struct tape *tape,
		      const struct measures *m)
{
	const struct expectation_list *expect = &plan->scenario->expect;
	bool is_lighter = late_is_lighter(m);

	if (tape->exhausted)
		return true;
	return (!is_lighter || judges_pace(expect)) && !is_stopped(v, plan, tape);
}

/* A line of `expect` that ended the run has failed, whatever became of the rest; but a run that
 * a signal or stop.time broke off says nothing, good or bad, about what it did not get to. */
static enum verdict_word word_of(const struct verdict *v, const struct plan *plan,
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
	return is_proven(v, plan, tape, m) ? VERDICT_PASS : VERDICT_INCOMPLETE;
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
	out->word = word_of(out, plan, tape, m);
	causes_find(out, plan, tape, m, a);
}
