/* same.h - do two scenarios say the same? For tests and fuzzers: what is written must read back.
 *
 * Places do not count: files, lines and the name of the case may differ.
 */
#pragma once

#include <string.h>

#include "base/arena.h"
#include "scenario/expect.h"
#include "scenario/keys.h"

/* An escape takes at most three times what it stands for; defaults and units fit the rest. */
static inline size_t same_room(const struct scenario *s)
{
	return 4 * s->source.len * (s->loads.count + 1) + 8192 * (s->loads.count + 1);
}

static inline struct text same_value(const struct scenario *s, const struct key *key,
				     struct arena *a)
{
	struct out out = out_memory(ARENA_ARRAY(a, char, same_room(s)), same_room(s));

	key->kind->write(&out, (const char *)s + key->field);
	return out_written(&out);
}

/* As text, which covers lists; numbers bit by bit too, since a printer might round. */
static inline bool same_key(const struct scenario *a, const struct scenario *b,
			    const struct key *key, struct arena scratch)
{
	const char *x = (const char *)a + key->field, *y = (const char *)b + key->field;

	if (key->kind->number && memcmp(x, y, sizeof(uint64_t)) != 0)
		return false;
	return text_eq(same_value(a, key, &scratch), same_value(b, key, &scratch));
}

static inline bool same_expectation(const struct expectation *a, const struct expectation *b)
{
	return text_eq(a->text, b->text) && a->what.measure == b->what.measure &&
	       a->what.load == b->what.load && a->what.stage == b->what.stage &&
	       a->what.error == b->what.error && text_eq(a->what.counter, b->what.counter) &&
	       a->compare == b->compare && memcmp(&a->low, &b->low, sizeof(double)) == 0 &&
	       memcmp(&a->high, &b->high, sizeof(double)) == 0 && a->abort == b->abort &&
	       a->after_ns == b->after_ns;
}

/* The first key that differs; NULL if all are the same. */
static inline const char *scenario_difference(const struct scenario *a, const struct scenario *b,
					      struct arena scratch)
{
	for (size_t i = 0; i < keys_count; i++)
		if (!same_key(a, b, &keys[i], scratch))
			return keys[i].name;
	if (a->loads.count != b->loads.count)
		return "loads";
	for (size_t i = 0; i < a->loads.count; i++) {
		struct scenario x = *a, y = *b;

		x.load = a->loads.list[i].load;
		y.load = b->loads.list[i].load;
		for (size_t k = 0; k < keys_count; k++)
			if (!same_key(&x, &y, &keys[k], scratch))
				return keys[k].name;
		if (!text_eq(a->loads.list[i].name, b->loads.list[i].name))
			return "loads";
	}
	if (a->expect.count != b->expect.count)
		return "expect";
	for (size_t i = 0; i < a->expect.count; i++)
		if (!same_expectation(&a->expect.list[i], &b->expect.list[i]))
			return "expect";
	return NULL;
}
