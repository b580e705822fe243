#include "judge/gate.h"

#include <math.h>

#include "judge/gate_topic.h"
#include "judge/rule.h"

/* On which side a line of `expect` fails. */
enum miss {
	MISS_NONE, /* it holds; or it ended the run, and holds again */
	MISS_MORE, /* more was observed than it allows */
	MISS_LESS,
	MISS_SAME, /* just what it forbids (!=) */
	MISS_DATA, /* there was none */
};

static enum miss miss_of(const struct expectation *e, const struct judged *j)
{
	if (j->pass || (j->observed.present && expectation_holds(e, j->observed.n)))
		return MISS_NONE;
	if (!j->observed.present)
		return MISS_DATA;
	if (e->compare == COMPARE_NE)
		return MISS_SAME;
	return j->observed.n > e->high || (j->observed.n == e->high && e->compare == COMPARE_LT)
		       ? MISS_MORE
		       : MISS_LESS;
}

bool gate_fills(const struct verdict *v, const struct plan *plan)
{
	const struct expectation *list = plan->scenario->expect.list;

	for (size_t i = 0; i < v->expect_count; i++)
		if (measure_infos[list[i].what.measure].topic == TOPIC_SOCKETS &&
		    miss_of(&list[i], &v->expect[i]) == MISS_MORE)
			return true;
	return false;
}

/* ---- the lines that no other cause is about ------------------------------ */

static bool is_told(const struct evidence *e, enum cause cause)
{
	for (size_t i = 0; i < e->told_count; i++)
		if (e->told[i].cause == cause)
			return true;
	return false;
}

/* A cause that is no mere note. */
static bool any_cause(const struct evidence *e)
{
	for (size_t i = 0; i < e->told_count; i++)
		if (cause_sort(e->told[i].cause) != SORT_NOTE)
			return true;
	return false;
}

static enum measure_topic topic_of(const struct evidence *e, size_t i)
{
	return measure_infos[e->plan->scenario->expect.list[i].what.measure].topic;
}

static bool is_open(const struct evidence *e, size_t i)
{
	const struct judged *j = &e->judged->expect[i];
	enum measure_topic topic = topic_of(e, i);

	if (j->pass || (topic == TOPIC_LATENCY && is_told(e, CAUSE_LATENCY_CLIFF)))
		return false;
	return !gate_topics[topic].has_cause || !any_cause(e);
}

/* "`ports.fill.max < 50%`: 62.5 % was observed, 12.5 % more than that." */
static const char *say_line(const struct evidence *e, size_t i)
{
	const struct expectation *line = &e->plan->scenario->expect.list[i];
	const struct judged *j = &e->judged->expect[i];
	enum miss miss = miss_of(line, j);
	double bound = miss == MISS_MORE ? line->high : line->low;
	const char *seen = say_measure(e->a, j->kind, j->observed.n), *by = "";

	if (miss == MISS_DATA)
		return text_format(e->a, "`" TEXT_FMT "`: there is no such figure, for %s.",
				   TEXT_ARG(j->text), gate_why_no_data(e, line->what.measure))
			.s;
	if (miss == MISS_NONE)
		return text_format(e->a,
				   "`" TEXT_FMT "` was broken, and ended the run; by then %s.",
				   TEXT_ARG(j->text), seen)
			.s;
	if (j->kind != KIND_FLAG && miss != MISS_SAME && j->observed.n != bound)
		by = text_format(e->a, ", %s %s",
				 say_measure(e->a, j->kind, fabs(j->observed.n - bound)),
				 miss == MISS_MORE ? "more" : "less")
			     .s;
	return text_format(e->a, "`" TEXT_FMT "`: observed %s%s.", TEXT_ARG(j->text), seen, by).s;
}

/* Each line, and of each topic once what there is to say. */
static struct claim gate_missed(const struct evidence *e)
{
	bool said[TOPICS] = {false};
	struct text all = {0};

	for (size_t i = 0; e->told && i < e->judged->expect_count; i++) {
		enum measure_topic topic = topic_of(e, i);

		if (!is_open(e, i))
			continue;
		all = text_format(e->a, TEXT_FMT "%s%s%s%s", TEXT_ARG(all), all.len ? " " : "",
				  say_line(e, i), said[topic] ? "" : " ",
				  said[topic] ? "" : gate_topics[topic].say(e));
		said[topic] = true;
	}
	return all.len ? (struct claim){.weight = 0.25, .why = all} : no_claim;
}

static void advise_gate(struct finding *f, const struct evidence *e)
{
	bool said[TOPICS] = {false};

	for (size_t i = 0; e->told && i < e->judged->expect_count; i++) {
		enum measure_topic topic = topic_of(e, i);

		if (!is_open(e, i) || said[topic])
			continue;
		said[topic] = true;
		advice_add(&f->attempt, text_of(gate_topics[topic].attempt));
	}
}

// clang-format off
const struct rule gate_rules[] = {
	{
		.cause = CAUSE_GATE_MISSED,
		.claim = gate_missed,
		.advise = advise_gate,
		.seen = {MEASURE_CONNECTS_OPENED, MEASURE_CONNECTS_FAILED, MEASURE_PORTS_USED_MAX, MEASURE_PORTS_USABLE},
		.in_vain = {
			"a wider line, before it is known which of the two is wrong: the load, or what was expected of it",
			"the same run once more: its counts do not hang on luck, but for those of speed",
		},
	},
	RULES_END,
};
// clang-format on
