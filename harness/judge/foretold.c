#include "judge/foretold.h"

#include <errno.h>

#include "judge/late.h"
#include "plan/predict.h"

static const char *const outcome_names[] = {
	[OUTCOME_UNTOLD] = "cannot be told",
	[OUTCOME_HOLDS] = "holds",
	[OUTCOME_BROKEN] = "broken",
	[OUTCOME_UNTRIED] = "not reached",
};

const char *outcome_name(enum outcome outcome)
{
	return outcome_names[outcome];
}

int outcome_find(struct text name)
{
	for (size_t i = 0; i < sizeof(outcome_names) / sizeof(outcome_names[0]); i++)
		if (text_is(name, outcome_names[i]))
			return (int)i;
	return -1;
}

static struct value fixed(const struct measures *m, enum measure what)
{
	return m->fixed[what];
}

/* What a gateway that is full lets down: a connect, or a request of UDP, whose connect asks nobody. */
static enum stage let_down(const struct plan *plan)
{
	return plan_speaks(plan, PROTOCOL_UDP) ? STAGE_RECEIVE : STAGE_CONNECT;
}

static uint64_t errors(const struct measures *m, enum stage stage, int error)
{
	for (size_t i = 0; i < m->error_count; i++)
		if (m->errors[i].stage == stage && m->errors[i].error == error)
			return m->errors[i].count;
	return 0;
}

/* Is it yet to happen? */
static bool waits_for(enum prediction what, const struct compared *c, const struct measures *m,
		      const struct plan *plan)
{
	switch (what) {
	case PREDICTION_EXHAUSTED:
		return c->predicted.likely > c->observed.n;
	case PREDICTION_DROPS:
	case PREDICTION_UNMAPPED:
		return c->observed.n < c->predicted.least;
	case PREDICTION_GATEWAY:
		return errors(m, let_down(plan), ETIMEDOUT) == 0;
	case PREDICTION_DESCRIPTORS:
		return errors(m, STAGE_SOCKET, EMFILE) == 0;
	default:
		return false;
	}
}

static struct value observed(const struct measures *m, enum prediction what,
			     const struct plan *plan)
{
	if (what == PREDICTION_GATEWAY && let_down(plan) == STAGE_RECEIVE)
		return fixed(m, MEASURE_REQUESTS_DONE);
	return fixed(m, prediction_infos[what].measure);
}

/* What a run did not come to contradicts nothing, if something ended it before. */
static bool ended_early(const struct tape *tape)
{
	return tape->interrupted || tape->cut_short || tape->aborted >= 0 || !tape->complete;
}

/* Of a load that its machine could not keep up with, times and what comes of them say nothing: that
 * it did not is told by itself. */
static bool is_excused(enum prediction what, const struct compared *c, const struct measures *m,
		       int64_t life_ns)
{
	enum { SHORT = 16 }; /* a port's life is no more than so many times as long */

	bool is_slow = late_is_lighter(m);
	bool is_close = what == PREDICTION_AFTER && c->predicted.least < c->predicted.most;
	double behind = m->fixed[MEASURE_CONNECTS_BEHIND].n;
	/* What was due meanwhile began together, beside what had its port still. */
	bool is_crowd = behind > (double)BUDGET_BEHIND_NS && behind * SHORT >= (double)life_ns;

	if (what == PREDICTION_EXHAUSTED && c->predicted.most <= 0)
		return is_crowd && c->observed.n > 0;
	if (is_close && behind > (double)BUDGET_BEHIND_NS)
		return c->observed.n < c->predicted.least || c->observed.n > c->predicted.most;
	return is_slow && ((what == PREDICTION_AT && c->observed.n > c->predicted.most) ||
			   (what == PREDICTION_EXHAUSTED && c->predicted.likely > c->observed.n));
}

/* What grows until the end of the run: one that ended before it has not had the rest. */
static bool is_a_sum(enum prediction what)
{
	return what == PREDICTION_POOL || what == PREDICTION_SUSTAINED || what == PREDICTION_USED ||
	       what == PREDICTION_OPEN;
}

static enum outcome outcome_of(enum prediction what, const struct compared *c,
			       const struct measures *m, const struct tape *tape,
			       const struct plan *plan)
{
	bool is_within = c->observed.n >= c->predicted.least && c->observed.n <= c->predicted.most;
	bool waits = waits_for(what, c, m, plan);
	bool is_short = c->observed.n < c->predicted.least && is_a_sum(what);

	/* That ports did not run out is told by itself. */
	bool lacks =
		is_short && what != PREDICTION_POOL && plan->forecast.exhausts && !tape->exhausted;

	if (!c->observed.present || lacks || ((waits || is_short) && ended_early(tape)) ||
	    is_excused(what, c, m, plan->forecast.port_life_ns))
		return OUTCOME_UNTRIED;
	return is_within && !waits ? OUTCOME_HOLDS : OUTCOME_BROKEN;
}

void foretold_compare(struct measures *out, const struct tape *tape, const struct plan *plan)
{
	struct value elapsed = fixed(out, MEASURE_ELAPSED);
	struct foretold said[PREDICTIONS];
	double broken = 0;

	predict(said, plan, elapsed.present ? elapsed.n : 0);
	for (int i = 0; i < PREDICTIONS; i++) {
		struct compared *c = &out->predictions[i];

		if (!said[i].told || predict_is_idle((enum prediction)i, &said[i], plan))
			continue;
		c->predicted = said[i].value;
		c->observed = observed(out, (enum prediction)i, plan);
		c->outcome = outcome_of((enum prediction)i, c, out, tape, plan);
		broken += c->outcome == OUTCOME_BROKEN;
	}
	out->foretold = true;
	out->fixed[MEASURE_PREDICTIONS_BROKEN] = (struct value){true, broken};
}
