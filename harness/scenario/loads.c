#include "scenario/loads.h"

#include <string.h>

#include "scenario/source.h"

unsigned load_find(const struct load_list *loads, struct text name)
{
	for (size_t i = 0; i < loads->count; i++)
		if (text_eq(loads->list[i].name, name))
			return (unsigned)i + 1;
	return 0;
}

static bool refuse(const struct reading *r, struct mark at, const char *what, const char *hint)
{
	struct err *err = errs_next(r->errs);

	source_err(err, r->source, at, "%s", what);
	return err_hint(err, "%s", hint);
}

/* The load of this name, which begins as `load` has it; NULL: it cannot be. */
static struct named_load *load_of(const struct reading *r, const struct node *n,
				  struct load_list *loads, const struct load *load)
{
	unsigned known = load_find(loads, n->key);
	struct named_load *new;

	if (known)
		return &loads->list[known - 1];
	if (!slug_is(n->key) || yaml_word_is(n->key)) {
		struct err *err = errs_next(r->errs);

		source_err(err, r->source, n->key_at, "a load cannot be called %s",
			   source_quote(n->key).z);
		err_hint(err, yaml_word_is(n->key)
				      ? "Other readers of YAML take that for true, false or "
					"nothing: choose another name."
				      : "Write up to 63 of a-z, 0-9 and -, such as victim.");
		return NULL;
	}
	if (loads->count == SCENARIO_LOADS_MOST) {
		refuse(r, n->key_at, "there are too many loads", "A run has at most 64.");
		return NULL;
	}
	new = &loads->list[loads->count++];
	*new = (struct named_load){.name = n->key, .at = n->key_at, .load = *load};
	return new;
}

/* Read as if it were the scenario's only one. */
static bool read_load(const struct reading *r, const struct node *n, struct load_list *loads,
		      const struct scenario *s)
{
	struct named_load *named = load_of(r, n, loads, &s->load);
	struct scenario alone = *s;
	struct reading within = *r;
	bool ok;

	if (!named)
		return false;
	within.load_path = text_format(r->arena, "loads." TEXT_FMT, TEXT_ARG(n->key)).s;
	alone.load = named->load;
	ok = section_read(&within, section_find("", TEXT("load")), n, &alone);
	named->load = alone.load;
	return ok;
}

static bool read_map(const struct reading *r, const struct node *map, struct load_list *loads,
		     const struct scenario *s)
{
	bool ok = true;

	for (const struct node *n = map ? map->first : NULL; n; n = n->next)
		ok = read_load(r, n, loads, s) && ok;
	return ok;
}

bool loads_read(const struct reading *r, const struct node *base, const struct node *own,
		struct scenario *s)
{
	size_t room = (base ? base->count : 0) + (own ? own->count : 0);
	struct load_list loads = {NULL, 0};
	struct errs told = {0};
	struct reading again = *r;

	if (own && own->shape != SHAPE_MAP)
		return err_hint(value_refuse(r, "loads", own),
				"Write names below it, and below each what differs from load.");
	if (base && base->shape != SHAPE_MAP)
		base = NULL;
	if (room == 0)
		return true;
	loads.list = ARENA_ARRAY(r->arena, struct named_load,
				 room < SCENARIO_LOADS_MOST ? room : SCENARIO_LOADS_MOST);
	again.errs = &told;
	read_map(&again, base, &loads, s);
	if (!read_map(r, own, &loads, s))
		return false;
	s->loads = loads;
	return true;
}
