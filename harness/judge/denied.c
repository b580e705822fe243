#include "judge/denied.h"

#include <math.h>

#include "plan/predict.h"

/* What is predicted of a measure, and no run has beyond it. */
static bool foretold_of(struct guess *out, enum measure what,
			const struct foretold said[PREDICTIONS])
{
	for (int i = 0; i < PREDICTIONS; i++) {
		if (prediction_infos[i].measure != what || !prediction_infos[i].ever ||
		    !said[i].told)
			continue;
		*out = said[i].value;
		return true;
	}
	return false;
}

/* Of a measure that a prediction is of, or the arithmetic itself is. */
static bool bounds_of(struct guess *out, enum measure what, const struct plan *p,
		      const struct foretold said[PREDICTIONS])
{
	const struct foretold *exhausted = &said[PREDICTION_EXHAUSTED];
	bool fails = exhausted->told && exhausted->value.least > 0;

	if (foretold_of(out, what, said))
		return true;
	if (what == MEASURE_PREDICTED_RATE && isfinite(p->forecast.rate))
		*out = (struct guess){p->forecast.rate, p->forecast.rate, p->forecast.rate};
	else if (what == MEASURE_CONNECTS_FAILED && fails)
		*out = (struct guess){1, 1, INFINITY};
	else
		return false;
	return true;
}

/* Is there a figure between the bounds that it holds for? Where there is, it is one of theirs, or of its
 * own. */
static bool may_hold(const struct expectation *e, const struct guess *g)
{
	const double ends[] = {g->least, g->most, fmin(fmax(e->low, g->least), g->most),
			       fmin(fmax(e->high, g->least), g->most)};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (expectation_holds(e, ends[i]))
			return true;
	return false;
}

void denied_find(struct denial_list *out, const struct plan *plan, struct arena *a)
{
	const struct expectation_list *expect = &plan->scenario->expect;
	struct foretold said[PREDICTIONS];

	*out = (struct denial_list){ARENA_ARRAY(a, struct denial, expect->count), 0};
	predict(said, plan, 0);
	for (size_t i = 0; i < expect->count; i++) {
		const struct expectation *e = &expect->list[i];
		struct guess bounds;

		if (e->what.load == 0 && bounds_of(&bounds, e->what.measure, plan, said) &&
		    !may_hold(e, &bounds))
			out->list[out->count++] = (struct denial){e, bounds};
	}
}
