#include "turn.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Sums of the same numbers in another order. */
#define ROUNDING 1e-9

static bool is_number_alike(const json_t *a, const json_t *b)
{
	double x = json_number_value(a), y = json_number_value(b);

	return fabs(x - y) <= ROUNDING * fmax(fabs(x), fabs(y));
}

/* Loads stand in the scenario's order: one is known by its name. */
static json_t *namesake(const json_t *list, const json_t *of, size_t i)
{
	const char *name = json_string_value(json_object_get(of, "name"));
	json_t *one;
	size_t k;

	json_array_foreach(list, k, one)
	{
		const char *its = json_string_value(json_object_get(one, "name"));

		if (name && its && strcmp(name, its) == 0)
			return one;
	}
	return json_array_get(list, i);
}

struct path {
	char text[256];
	size_t len;
};

static struct path path_on(const struct path *up, const char *key)
{
	struct path to = *up;

	to.len += (size_t)snprintf(to.text + to.len, sizeof(to.text) - to.len, "%s%s",
				   to.len ? "." : "", key);
	return to;
}

static void hold_alike(struct trouble *f, const struct path *at, json_t *a, json_t *b);

static void hold_objects(struct trouble *f, const struct path *at, json_t *a, json_t *b)
{
	const char *key;
	json_t *one;

	json_object_foreach(a, key, one)
	{
		struct path to = path_on(at, key);

		if (strcmp(key, "unknown_load") == 0)
			continue; /* of those that are told of alike the first */
		hold_alike(f, &to, one, json_object_get(b, key));
	}
	json_object_foreach(b, key, one) if (!json_object_get(a, key)) found(
		f, WORD_SURE, "%s.%s is told where the loads stand backwards alone", at->text, key);
}

static void hold_arrays(struct trouble *f, const struct path *at, json_t *a, json_t *b)
{
	json_t *one;
	size_t i;

	if (json_array_size(a) != json_array_size(b))
		found(f, WORD_SURE, "%s has %zu, and %zu where the loads stand backwards", at->text,
		      json_array_size(a), json_array_size(b));
	json_array_foreach(a, i, one) hold_alike(f, at, one, namesake(b, one, i));
}

static void hold_alike(struct trouble *f, const struct path *at, json_t *a, json_t *b)
{
	if (!b) {
		found(f, WORD_SURE, "%s is not told where the loads stand backwards", at->text);
	} else if (json_is_object(a) && json_is_object(b)) {
		hold_objects(f, at, a, b);
	} else if (json_is_array(a) && json_is_array(b)) {
		hold_arrays(f, at, a, b);
	} else if (json_is_number(a) && json_is_number(b)) {
		if (!is_number_alike(a, b))
			found(f, WORD_SURE,
			      "%s is %.12g, and %.12g where the loads stand backwards", at->text,
			      json_number_value(a), json_number_value(b));
	} else if (!json_equal(a, b)) {
		found(f, WORD_SURE, "%s is another where the loads stand backwards", at->text);
	}
}

void turn_hold(struct trouble *f)
{
	json_t *a = json_load_file(slot_file(f->slot, "scenario-plan.json"), 0, NULL);
	json_t *b = json_load_file(slot_file(f->slot, "turned-plan.json"), 0, NULL);
	json_t *one = json_array_get(json_object_get(a, "plans"), 0);
	json_t *other = json_array_get(json_object_get(b, "plans"), 0);

	json_object_del(one, "file");
	json_object_del(other, "file");
	if (one && other)
		hold_alike(f, &(struct path){0}, one, other);
	else
		found(f, WORD_SURE, "a plan cannot be read");
	json_decref(a);
	json_decref(b);
}
