#include "hold.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "judge/judge.h"
#include "words/words.h"

static json_t *load(struct trouble *f, const char *name, const char *list)
{
	json_error_t why;
	json_t *all = json_load_file(slot_file(f->slot, name), 0, &why);

	if (!all)
		found(f, WORD_SURE, "%s cannot be read: %s", name, why.text);
	else if (json_array_size(json_object_get(all, list)) != 1)
		found(f, WORD_SURE, "%s tells of no case, or of several", name);
	return all;
}

static const json_t *member(const json_t *all, const char *list)
{
	return json_array_get(json_object_get(all, list), 0);
}

/* NAN: there is none. */
static double number(const json_t *o, const char *key)
{
	const json_t *n = json_object_get(o, key);

	if (json_is_boolean(n))
		return json_is_true(n);
	return json_is_number(n) ? json_number_value(n) : (double)NAN;
}

/* ---- predictions ----------------------------------------------------------- */

static enum fate fate_of(const json_t *prediction)
{
	static const enum fate fates[] = {
		[OUTCOME_UNTOLD] = FATE_NOT_TOLD,
		[OUTCOME_HOLDS] = FATE_HELD,
		[OUTCOME_BROKEN] = FATE_BROKEN,
		[OUTCOME_UNTRIED] = FATE_NOT_REACHED,
	};
	const char *outcome = json_string_value(json_object_get(prediction, "outcome"));

	return fates[outcome_find(text_of(outcome))];
}

/* "32 (31 to 32)": what is a flag, or has no end, has no such bound. */
static void print_predicted(char to[128], const json_t *prediction)
{
	double least = number(prediction, "least"), most = number(prediction, "most");
	int n = snprintf(to, 128, "%g", number(prediction, "predicted"));

	if (!isnan(least) && isnan(most))
		snprintf(to + n, 128 - (size_t)n, " (at least %g)", least);
	else if (!isnan(least))
		snprintf(to + n, 128 - (size_t)n, " (%g to %g)", least, most);
}

static void hold_prediction(struct trouble *f, struct score *t, const json_t *prediction)
{
	const char *name = json_string_value(json_object_get(prediction, "name"));
	enum measure_kind kind = prediction_infos[prediction_find(text_of(name))].kind;
	enum word word = kind == KIND_TIME ? WORD_LIKELY : WORD_SURE;
	enum fate fate = fate_of(prediction);
	char predicted[128];

	t->predictions[word][fate]++;
	if (fate != FATE_BROKEN)
		return;
	print_predicted(predicted, prediction);
	found(f, word, "%s: predicted %s, observed %g", name, predicted,
	      number(prediction, "observed"));
}

static void hold_predictions(struct trouble *f, struct score *t, const json_t *run)
{
	const json_t *prediction, *list = json_object_get(run, "predictions");
	const char *doubt =
		json_string_value(json_object_get(json_object_get(run, "plan"), "doubt"));
	size_t i;

	json_array_foreach(list, i, prediction) hold_prediction(f, t, prediction);
	if (doubt)
		score_reason(t, "of a run", doubt);
}

/* ---- what a plan needs ------------------------------------------------------- */

/* The plan's `needs` are at most; a run has of each no more. Of connections one that is refused a port ends the
 * load, with others on their way. */
static void hold_needs(struct trouble *f, const json_t *plan, const json_t *run)
{
	const json_t *needs = json_object_get(plan, "needs");
	const json_t *measures = json_object_get(run, "measures");
	double used = number(measures, "ports.used.max"), ports = number(needs, "ports");
	double begun = number(measures, "connects.attempted") - number(measures, "retries");
	double connections = number(needs, "connections");
	bool is_cut = number(measures, "connects.failed") > 0;

	if (used > ports)
		found(f, WORD_SURE, "needs: %g ports at once at most, and %g were in use", ports,
		      used);
	if (begun > connections && !is_cut)
		found(f, WORD_SURE, "needs: %g connections at most, and %g were begun", connections,
		      begun);
}

/* ---- books ------------------------------------------------------------------- */

static void hold_books(struct trouble *f, json_t *run)
{
	const json_t *measures = json_object_get(run, "measures");
	const char *name;
	json_t *book;

	if (number(measures, "reconciled") == 0)
		found(f, WORD_SURE, "books: they do not balance");
	if (number(run, "lost") > 0)
		found(f, WORD_SURE, "books: %g events were lost", number(run, "lost"));
	json_object_foreach(json_object_get(run, "books"), name,
			    book) if (number(book, "missing") != 0)
		found(f, WORD_SURE, "books: of %s %g are missing", name, number(book, "missing"));
}

void hold_run(struct trouble *f, struct score *t)
{
	json_t *plans = load(f, "scenario-plan.json", "plans");
	json_t *runs = load(f, "scenario-run.json", "runs");

	if (!f->sure) {
		json_t *run = json_array_get(json_object_get(runs, "runs"), 0);

		t->runs++;
		hold_predictions(f, t, run);
		hold_needs(f, member(plans, "plans"), run);
		hold_books(f, run);
	}
	json_decref(plans);
	json_decref(runs);
}
