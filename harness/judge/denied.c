#include "judge/denied.h"

#include <math.h>

#include "judge/foretold.h"
#include "plan/predict.h"

/* Of a measure that a prediction is of, or the arithmetic itself is. */
static bool bounds_of(struct guess *out, enum measure what, const struct plan *p,
		      const struct foretold said[PREDICTIONS])
{
	static const enum prediction known[] = {
		PREDICTION_EXHAUSTED, PREDICTION_AFTER, PREDICTION_AT,	 PREDICTION_POOL,
		PREDICTION_USED,      PREDICTION_OPEN,	PREDICTION_CLIFF};
	bool fails = said[PREDICTION_EXHAUSTED].told && said[PREDICTION_EXHAUSTED].value.least > 0;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (foretold_measure(known[i]) != what || !said[known[i]].told)
			continue;
		*out = said[known[i]].value;
		return true;
	}
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

size_t denied_find(struct denial *out, size_t most, const struct plan *plan)
{
	const struct expectation_list *expect = &plan->scenario->expect;
	struct foretold said[PREDICTIONS];
	size_t n = 0;

	predict(said, plan, 0);
	for (size_t i = 0; i < expect->count && n < most; i++) {
		const struct expectation *e = &expect->list[i];
		struct guess bounds;

		if (e->what.load == 0 && bounds_of(&bounds, e->what.measure, plan, said) &&
		    !may_hold(e, &bounds))
			out[n++] = (struct denial){e, bounds};
	}
	return n;
}
