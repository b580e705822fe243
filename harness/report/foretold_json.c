#include "report/foretold.h"

#include <math.h>

#include "report/json.h"
#include "report/load.h"

static json_t *json_of(enum measure_kind kind, double n)
{
	if (kind == KIND_FLAG)
		return json_boolean(n != 0);
	if (kind == KIND_TIME)
		return json_real(n / 1e9);
	return json_integer((json_int_t)fmin(n, 0x1p53));
}

static json_t *json_compared(enum prediction what, const struct compared *c, bool *ok)
{
	enum measure_kind kind = prediction_infos[what].kind;
	json_t *o = json_object();

	put(o, "name", json_string(prediction_infos[what].name), ok);
	put(o, "outcome", json_string(outcome_name(c->outcome)), ok);
	if (c->outcome == OUTCOME_UNTOLD)
		return o;
	put(o, "predicted", json_of(kind, c->predicted.likely), ok);
	if (kind != KIND_FLAG) {
		put(o, "least", json_of(kind, c->predicted.least), ok);
	}
	if (kind != KIND_FLAG && isfinite(c->predicted.most))
		put(o, "most", json_of(kind, c->predicted.most), ok);
	if (c->observed.present)
		put(o, "observed", json_of(kind, c->observed.n), ok);
	return o;
}

json_t *foretold_json(const struct measures *m, bool *ok)
{
	json_t *array = json_array();

	for (int i = 0; i < PREDICTIONS; i++)
		append(array, json_compared((enum prediction)i, &m->predictions[i], ok), ok);
	return array;
}

/* Seconds, or a count; beyond what any run comes to. */
static const double number_most = 1e15;

static bool load_number(const struct node *up, const char *key, enum measure_kind kind, double *out)
{
	struct node n = node_member(up, key);
	bool flag = false;

	if (kind == KIND_FLAG) {
		if (!node_flag(&n, &flag))
			return false;
		*out = flag;
		return true;
	}
	if (!node_number(&n, number_most, out))
		return false;
	*out = kind == KIND_TIME ? round(*out * 1e9) : *out;
	return true;
}

static bool load_values(const struct node *n, enum measure_kind kind, struct compared *out)
{
	struct node observed = node_member(n, "observed"), most = node_member(n, "most");

	if (!load_number(n, "predicted", kind, &out->predicted.likely))
		return false;
	out->predicted.least = out->predicted.most = out->predicted.likely;
	if (kind != KIND_FLAG && !load_number(n, "least", kind, &out->predicted.least))
		return false;
	if (kind != KIND_FLAG && !most.json)
		out->predicted.most = INFINITY;
	else if (kind != KIND_FLAG && !load_number(n, "most", kind, &out->predicted.most))
		return false;
	out->observed.present = observed.json != NULL;
	return !observed.json || load_number(n, "observed", kind, &out->observed.n);
}

static bool load_compared(const struct node *n, struct measures *out)
{
	struct node name = node_member(n, "name"), word = node_member(n, "outcome");
	struct text text;
	int what, outcome;

	if (!node_object(n) || !node_text(&name, &text))
		return false;
	what = prediction_find(text);
	if (what < 0)
		return node_refuse(&name, "a prediction that lastport makes");
	if (!node_text(&word, &text))
		return false;
	outcome = outcome_find(text);
	if (outcome < 0)
		return node_refuse(&word, "holds, broken, not reached or cannot be told");
	out->predictions[what].outcome = (enum outcome)outcome;
	return outcome == OUTCOME_UNTOLD ||
	       load_values(n, prediction_infos[what].kind, &out->predictions[what]);
}

bool foretold_load(const struct node *up, struct measures *out)
{
	struct node all = node_member(up, "predictions");
	size_t count;

	if (!all.json)
		return true;
	if (!node_array(&all, &count))
		return false;
	out->foretold = true;
	for (size_t i = 0; i < count; i++) {
		struct node n = node_element(&all, i);

		if (!load_compared(&n, out))
			return false;
	}
	return true;
}
