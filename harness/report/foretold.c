#include "report/foretold.h"

#include <math.h>
#include <string.h>

#include "base/unit.h"
#include "report/block.h"
#include "report/draft.h"

static const char *say(char text[UNIT_PRINTED], enum measure_kind kind, double n)
{
	if (kind == KIND_TIME)
		return unit_time_pretty(text, (int64_t)n);
	if (kind == KIND_FLAG)
		return strcpy(text, n != 0 ? "true" : "false");
	return unit_count_pretty(text, (uint64_t)n);
}

/* "32", "0.16 s (0.16 s to 1.2 s)", "at most 32" */
static void add_predicted(struct out *to, enum measure_kind kind, const struct guess *g)
{
	char least[UNIT_PRINTED], likely[UNIT_PRINTED], most[UNIT_PRINTED];

	if (isinf(g->most))
		out_fmt(to, "at least %s", say(least, kind, g->least));
	else if (g->least == g->most)
		out_z(to, say(likely, kind, g->likely));
	else if (g->least == 0 && g->likely == g->most)
		out_fmt(to, "at most %s", say(most, kind, g->most));
	else
		out_fmt(to, "%s (%s to %s)", say(likely, kind, g->likely),
			say(least, kind, g->least), say(most, kind, g->most));
}

/* ", 2 fewer": by how much what was observed lies beyond the nearer bound. */
static void add_distance(struct out *to, enum measure_kind kind, const struct compared *c)
{
	double beyond = fmax(c->predicted.least - c->observed.n, c->observed.n - c->predicted.most);
	bool is_time = kind == KIND_TIME, is_less = c->observed.n < c->predicted.least;
	char by[UNIT_PRINTED];

	if (kind != KIND_FLAG && beyond > 0)
		out_fmt(to, ", %s %s", say(by, kind, beyond),
			is_time	  ? is_less ? "sooner" : "later"
			: is_less ? "fewer"
				  : "more");
}

static void add_compared(struct out *to, enum prediction what, const struct compared *c)
{
	const struct prediction_info *info = &prediction_infos[what];
	char seen[UNIT_PRINTED];

	out_fmt(to, "%s: predicted ", info->name);
	add_predicted(to, info->kind, &c->predicted);
	if (c->observed.present)
		out_fmt(to, "; observed %s", say(seen, info->kind, c->observed.n));
	if (c->outcome == OUTCOME_BROKEN)
		add_distance(to, info->kind, c);
}

/* "none", of "none; but of more than 128 ports …": what follows is of a prediction that is not exact. */
static struct text tolerance_of(enum prediction what, const struct compared *c)
{
	struct text all = text_of(prediction_infos[what].tolerance), first;

	if (c->predicted.least != c->predicted.most)
		return all;
	text_cut(&all, ';', &first);
	return first;
}

/* Why it may be, where the run itself tells: TIME_WAIT is what gives ports back by the clock alone. */
static void add_reason(struct out *to, enum prediction what, const struct result_run *run)
{
	const struct compared *c = &run->measures.predictions[what];
	const char *lead = "";

	if (what != PREDICTION_RECOVERED || c->observed.n >= c->predicted.least)
		return;
	for (int i = 1; i < STATES; i++) {
		if (i == STATE_TIME_WAIT || run->used_states[i].n < 1)
			continue;
		out_z(to,
		      *lead ? lead : ". Some ports were not in TIME_WAIT, and came back sooner: ");
		draft_count(to, (uint64_t)run->used_states[i].n);
		out_fmt(to, " %s", state_name(i));
		lead = ", ";
	}
}

void block_broken(struct out *out, const struct result_run *run)
{
	for (int i = 0; i < PREDICTIONS; i++) {
		const struct compared *c = &run->measures.predictions[i];
		struct draft d;
		struct out *to = draft_begin(&d);

		if (c->outcome != OUTCOME_BROKEN)
			continue;
		add_compared(to, (enum prediction)i, c);
		out_fmt(to, ", beyond the tolerance (" TEXT_FMT ")",
			TEXT_ARG(tolerance_of((enum prediction)i, c)));
		add_reason(to, (enum prediction)i, run);
		draft_print(&d, out, "  but");
	}
}

void block_foretold(struct out *out, const struct result_run *run)
{
	const char *label = "  foretold";

	for (int i = 0; i < PREDICTIONS; i++) {
		const struct compared *c = &run->measures.predictions[i];
		struct draft d;
		struct out *to = draft_begin(&d);

		if (c->outcome == OUTCOME_UNTOLD)
			continue;
		add_compared(to, (enum prediction)i, c);
		out_fmt(to, ": %s", outcome_name(c->outcome));
		draft_print(&d, out, label);
		label = "";
	}
}

void foretold_tally(struct out *to, const struct result_run *run)
{
	unsigned counts[OUTCOME_UNTRIED + 1] = {0}, all;

	for (int i = 0; i < PREDICTIONS; i++)
		counts[run->measures.predictions[i].outcome]++;
	all = counts[OUTCOME_HOLDS] + counts[OUTCOME_BROKEN];
	if (all)
		out_fmt(to, "%s%u of %s%u predictions %s", to->len ? "; " : "",
			counts[OUTCOME_HOLDS], run->plan.doubt.len ? "the other " : "", all,
			counts[OUTCOME_HOLDS] == 1 ? "holds" : "hold");
}
