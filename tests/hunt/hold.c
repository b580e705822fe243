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

static double number_of(const json_t *n)
{
	if (json_is_boolean(n))
		return json_is_true(n);
	return json_is_number(n) ? json_number_value(n) : (double)NAN;
}

/* NAN: there is none, and need not be. */
static double number(const json_t *o, const char *key)
{
	return number_of(json_object_get(o, key));
}

/* What is told of any case: a check of what is not there would pass whatever comes. */
static json_t *told(struct trouble *f, const json_t *o, const char *key)
{
	json_t *one = json_object_get(o, key);

	if (!one)
		found(f, WORD_SURE, "%s is not told", key);
	return one;
}

/* NAN: it is told to be none. */
static double figure(struct trouble *f, const json_t *o, const char *key)
{
	return number_of(told(f, o, key));
}

/* ---- predictions ----------------------------------------------------------- */

/* Of an outcome that nobody knows nothing has been held. */
static enum fate fate_of(struct trouble *f, const json_t *prediction)
{
	static const enum fate fates[] = {
		[OUTCOME_UNTOLD] = FATE_NOT_TOLD,
		[OUTCOME_HOLDS] = FATE_HELD,
		[OUTCOME_BROKEN] = FATE_BROKEN,
		[OUTCOME_UNTRIED] = FATE_NOT_REACHED,
	};
	const char *outcome = json_string_value(told(f, prediction, "outcome"));
	int at = outcome ? outcome_find(text_of(outcome)) : -1;

	if (at < 0)
		found(f, WORD_SURE, "an outcome is %s", outcome ? outcome : "no text");
	return at < 0 ? FATE_NOT_TOLD : fates[at];
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
	const char *name = json_string_value(told(f, prediction, "name"));
	int at = name ? prediction_find(text_of(name)) : -1;
	bool is_time = at >= 0 && prediction_infos[at].kind == KIND_TIME;
	enum word word = is_time ? WORD_LIKELY : WORD_SURE;
	enum fate fate = fate_of(f, prediction);
	char predicted[128];

	if (at < 0)
		found(f, WORD_SURE, "a prediction is of %s", name ? name : "nothing");

	t->predictions[word][fate]++;
	if (fate != FATE_BROKEN)
		return;
	print_predicted(predicted, prediction);
	found(f, word, "%s: predicted %s, observed %g", name, predicted,
	      number(prediction, "observed"));
}

static void hold_predictions(struct trouble *f, struct score *t, const json_t *run)
{
	const json_t *prediction, *list = told(f, run, "predictions");
	const char *doubt = json_string_value(json_object_get(told(f, run, "plan"), "doubt"));
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
	const json_t *needs = told(f, plan, "needs"), *measures = told(f, run, "measures");
	double used = figure(f, measures, "ports.used.max"), ports = figure(f, needs, "ports");
	double begun = figure(f, measures, "connects.attempted") - figure(f, measures, "retries");
	double connections = figure(f, needs, "connections"); /* null: no such number */
	bool is_cut = figure(f, measures, "connects.failed") > 0;

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
	double balance = figure(f, told(f, run, "measures"), "reconciled");
	double lost = figure(f, run, "lost");
	const char *name;
	json_t *book;

	if (balance != 1)
		found(f, WORD_SURE, "books: they do not balance");
	if (lost != 0)
		found(f, WORD_SURE, "books: %g events were lost", lost);
	json_object_foreach(told(f, run, "books"), name, book) if (figure(f, book, "missing") != 0)
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
