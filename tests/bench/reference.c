#include "reference.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum standing standing_of(const struct figure *f, const struct telling *now,
			  const struct kept *kept)
{
	double noise = fmax(f->slack, fmax(now->spread, kept->spread));
	double gain = f->alone ? kept->value / now->value : now->value / kept->value;

	if (!(kept->value > 0) || !(now->value > 0))
		return NOT_KEPT;
	return gain < 1 - noise ? FELL : gain > 1 + noise ? ROSE : AS_KEPT;
}

const char *standing_mark(enum standing standing)
{
	return standing == FELL ? "fell" : standing == ROSE ? "rose" : "";
}

json_t *reference_load(const char *file, char *why, size_t room)
{
	json_error_t e;
	json_t *all = json_load_file(file, 0, &e);

	if (all && json_is_array(json_object_get(all, "figures")))
		return all;
	if (all)
		snprintf(why, room, "%s has no figures", file);
	else if (e.line > 0)
		snprintf(why, room, "%s:%d: %s", file, e.line, e.text);
	else
		snprintf(why, room, "%s", e.text); /* it names the file */
	json_decref(all);
	return NULL;
}

static bool is_word(const json_t *row, const char *key, const char *word)
{
	const char *is = json_string_value(json_object_get(row, key));

	return is && strcmp(is, word) == 0;
}

bool reference_find(const json_t *reference, const char *contest, const struct figure *f,
		    struct kept *out)
{
	size_t i;
	json_t *row;

	json_array_foreach(json_object_get(reference, "figures"), i, row)
	{
		if (!is_word(row, "bench", contest) || !is_word(row, "figure", f->name))
			continue;
		out->value = json_number_value(json_object_get(row, "value"));
		out->spread = json_number_value(json_object_get(row, "spread"));
		return out->value > 0;
	}
	return false;
}
