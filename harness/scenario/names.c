#include "scenario/names.h"

#include <stdlib.h>
#include <string.h>

#include "scenario/source.h"

/* The nearest so far; path is what to write in full. */
struct guess {
	unsigned distance;
	const char *section, *name;
};

static void consider(struct guess *best, struct text word, const char *section, const char *name)
{
	unsigned d = text_distance(word, text_of(name), best->distance);

	if (d < best->distance)
		*best = (struct guess){d, section, name};
}

/* The section around it; empty at the top. */
static struct text section_up(const struct section *s)
{
	size_t len = (size_t)(section_name(s->path) - s->path);

	return (struct text){s->path, len ? len - 1 : 0};
}

/* Neighbours first: of two names as near, the one in the section that was written is meant. */
static struct guess guess(const char *section, struct text word)
{
	struct guess best = {.distance = text_slip(word) + 1};

	for (size_t i = 0; i < keys_count; i++)
		if (strcmp(keys[i].section, section) == 0)
			consider(&best, word, section, keys[i].name);
	for (const struct section *s = sections; s->path; s++)
		if (text_eq(section_up(s), text_of(section)))
			consider(&best, word, section, section_name(s->path));
	if (!section[0]) {
		consider(&best, word, "", "expect");
		consider(&best, word, "", "cases");
		consider(&best, word, "", "loads");
	}
	for (size_t i = 0; i < keys_count; i++)
		consider(&best, word, keys[i].section, keys[i].name);
	return best;
}

/* The same word, known in another place; NULL if there is none. */
static const char *home(struct text word, struct arena *a)
{
	for (size_t i = 0; i < keys_count; i++)
		if (text_is(word, keys[i].name))
			return keys[i].section;
	for (const struct section *s = sections; s->path; s++)
		if (text_is(word, section_name(s->path)))
			return text_keep(a, section_up(s)).s;
	return text_is(word, "expect") || text_is(word, "cases") || text_is(word, "loads") ? ""
											   : NULL;
}

const char *names_list(const char *section, struct arena *a)
{
	const char *list = "";

	for (size_t i = 0; i < keys_count; i++)
		if (strcmp(keys[i].section, section) == 0)
			list = text_format(a, "%s%s%s", list, list[0] ? ", " : "", keys[i].name).s;
	for (const struct section *s = sections; section[0] && s->path; s++)
		if (text_is(section_up(s), section))
			list = text_format(a, "%s, %s", list, section_name(s->path)).s;
	return list;
}

/* What others call it: the words of other tools and libraries, and where they stand here. */
static const struct {
	const char *theirs, *ours;
} synonyms[] = {
	{"destinations", "network.servers"},
	{"backends", "network.servers"},
	{"upstreams", "network.servers"},
	{"targets", "network.servers"},
	{"clients", "load.concurrency"},
	{"workers", "load.concurrency"},
	{"requests", "load.total"},
	{"connections", "load.total"},
	{"count", "load.total"},
	{"rps", "load.rate"},
	{"pool_size", "load.pool.max_idle"},
	{"max_idle_conns", "load.pool.max_idle"},
	{"retries", "load.on_failure.retry"},
	{"sysctls", "network.sysctl"},
	{"port_range", "network.ports"},
	{"ip_local_port_range", "network.ports"},
	{"ip_local_reserved_ports", "network.reserved"},
};

/* In one of several loads it stands there. */
static const char *synonym(const struct reading *r, struct text word)
{
	for (size_t i = 0; i < sizeof(synonyms) / sizeof(synonyms[0]); i++) {
		const char *ours = synonyms[i].ours, *key = strchr(ours, '.');

		if (text_is(word, synonyms[i].theirs) && strncmp(ours, "load.", 5) == 0)
			return text_format(r->arena, "%s%s", section_path(r, "load"), key).s;
		if (text_is(word, synonyms[i].theirs))
			return ours;
	}
	return NULL;
}

static bool give_hint(const struct reading *r, struct err *err, const char *section,
		      struct text word)
{
	const char *belongs = home(word, r->arena), *ours = synonym(r, word);
	struct guess best;

	if (!belongs && ours)
		return err_hint(err, "Did you mean %s?", ours);
	if (belongs)
		return belongs[0]
			       ? err_hint(err, "It belongs under %s:.", belongs)
			       : err_hint(err, "It belongs at the top of the file, not indented.");
	best = guess(section, word);
	if (best.name)
		return err_hint(err, "Did you mean %s%s%s?", section_path(r, best.section),
				best.section[0] ? "." : "", best.name);
	if (section[0])
		return err_hint(err, "The keys of %s are %s.", section,
				names_list(section, r->arena));
	return err_hint(err, "The keys here are name, title, about, refs, network, server, load, "
			     "loads, sample, stop, "
			     "expect, cases.");
}

bool names_unknown(const struct reading *r, const char *section, const struct node *n)
{
	struct err *err = errs_next(r->errs);
	struct text path;

	if (!err) /* the list is full: no need to look for what was meant */
		return false;
	path = text_format(r->arena, "%s%s" TEXT_FMT, section_path(r, section),
			   section[0] ? "." : "", TEXT_ARG(n->key));
	source_err(err, r->source, n->key_at, "there is no key %s", source_quote(path).z);
	return give_hint(r, err, section, n->key);
}

struct entry {
	const struct node *node;
};

static int by_key(const void *a, const void *b)
{
	const struct node *x = ((const struct entry *)a)->node,
			  *y = ((const struct entry *)b)->node;
	size_t len = x->key.len < y->key.len ? x->key.len : y->key.len;
	int order = len ? memcmp(x->key.s, y->key.s, len) : 0;

	if (order == 0)
		order = (x->key.len > y->key.len) - (x->key.len < y->key.len);
	if (order == 0)
		order = x->key_at.line != y->key_at.line ? (x->key_at.line > y->key_at.line) * 2 - 1
							 : (x->key_at.col > y->key_at.col) * 2 - 1;
	return order;
}

static bool map_twice(const struct reading *r, const struct node *map, struct arena scratch)
{
	struct entry *sorted = ARENA_ARRAY(&scratch, struct entry, map->count);
	bool ok = true;
	size_t i = 0;

	for (const struct node *n = map->first; n; n = n->next)
		sorted[i++].node = n;
	if (i)
		qsort(sorted, i, sizeof(sorted[0]), by_key);
	for (i = 1; i < map->count; i++) {
		struct err *err;

		if (!text_eq(sorted[i - 1].node->key, sorted[i].node->key))
			continue;
		err = errs_next(r->errs);
		source_err(err, r->source, sorted[i].node->key_at, "the key %s is here twice",
			   source_quote(sorted[i].node->key).z);
		ok = err_hint(err, "The first is on line %u: keep one.",
			      sorted[i - 1].node->key_at.line);
	}
	return ok;
}

bool names_twice(const struct reading *r, const struct node *root, struct arena scratch)
{
	bool ok = root->shape != SHAPE_MAP || map_twice(r, root, scratch);

	for (const struct node *n = root->first; n; n = n->next)
		ok = names_twice(r, n, scratch) && ok;
	return ok;
}
