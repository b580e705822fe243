#include "judge/denied.h"

#include <math.h>

#include "plan/alone.h"
#include "plan/answer.h"
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

/* Of the only load, at a server that does not listen. */
static bool never_opens(const struct plan *p, const struct load_plan *lp)
{
	return p->load_count == 1 && lp->load->protocol == PROTOCOL_TCP &&
	       !behaviour_does(p->scenario->server.behaviour, DOES_LISTEN);
}

/* For want of a port, of the gateway's or of a descriptor; or nobody is there. */
static bool connects_fail(const struct plan *p, const struct foretold said[PREDICTIONS])
{
	const struct load_plan *lp = &p->loads[0];
	const struct foretold *exhausted = &said[PREDICTION_EXHAUSTED];
	bool gateway = p->nat.outside.count && p->forecast.times_out;

	return (exhausted->told && exhausted->value.least > 0) ||
	       (gateway && !plan_speaks(p, PROTOCOL_UDP)) || said[PREDICTION_DESCRIPTORS].told ||
	       never_opens(p, lp);
}

/* What waits for an answer that nobody gives; of TCP, that has no connection either. */
static bool requests_fail(const struct plan *p)
{
	const struct load_plan *lp = &p->loads[0];
	struct scenario alone = alone_of(p->scenario, lp->load);

	return p->load_count == 1 && answer_fails(&alone) &&
	       load_begins_most(lp->load, &lp->shape, p->scenario->stop.time) > 0;
}

/* A destination takes a connection again when a port is back and somebody asks: not in a run that is over
 * before, nor where none was exhausted. */
static bool never_recovers(const struct plan *p, const struct foretold said[PREDICTIONS])
{
	const struct foretold *exhausted = &said[PREDICTION_EXHAUSTED];
	const struct load *l = p->loads[0].load;
	double lasts = (double)load_lasts_ns(l, p->scenario->stop.time);

	if (exhausted->told && exhausted->value.most <= 0)
		return true;
	return p->load_count == 1 && said[PREDICTION_RECOVERED].told &&
	       said[PREDICTION_RECOVERED].value.least > lasts;
}

/* Has a measure no value in any run of it? */
static bool is_absent(enum measure what, const struct plan *p,
		      const struct foretold said[PREDICTIONS])
{
	const struct foretold *exhausted = &said[PREDICTION_EXHAUSTED];
	bool never = exhausted->told && exhausted->value.most <= 0;

	if (what == MEASURE_EXHAUSTED_AFTER || what == MEASURE_EXHAUSTED_AT)
		return never;
	return (what == MEASURE_RECOVERY || what == MEASURE_RECOVERED_AT) &&
	       never_recovers(p, said);
}

/* Shares of what is known: ports in use, by those that there are. */
static bool fill_of(struct guess *out, const struct plan *p,
		    const struct foretold said[PREDICTIONS])
{
	const struct guess *used = &said[PREDICTION_USED].value;
	double usable = p->budget.usable;

	if (!said[PREDICTION_USED].told || usable <= 0)
		return false;
	*out = (struct guess){used->least / usable, used->likely / usable,
			      fmin(used->most / usable, 1)};
	return true;
}

/* Of a measure that a prediction is of, or the arithmetic itself is. */
static bool bounds_of(struct guess *out, enum measure what, const struct plan *p,
		      const struct foretold said[PREDICTIONS])
{
	if (foretold_of(out, what, said))
		return true;
	if (what == MEASURE_PREDICTED_RATE && isfinite(p->forecast.rate))
		*out = (struct guess){p->forecast.rate, p->forecast.rate, p->forecast.rate};
	else if ((what == MEASURE_CONNECTS_FAILED && connects_fail(p, said)) ||
		 (what == MEASURE_REQUESTS_FAILED && requests_fail(p)))
		*out = (struct guess){1, 1, INFINITY};
	else if (what == MEASURE_RECOVERED && never_recovers(p, said))
		*out = (struct guess){0, 0, 0};
	else
		return what == MEASURE_PORTS_FILL_MAX && fill_of(out, p, said);
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
		struct denial d = {.line = e};

		d.absent = is_absent(e->what.measure, plan, said);
		if (e->what.load == 0 &&
		    (d.absent || (bounds_of(&d.predicted, e->what.measure, plan, said) &&
				  !may_hold(e, &d.predicted))))
			out->list[out->count++] = d;
	}
}
