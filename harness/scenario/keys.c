#include "scenario/keys.h"

#include <string.h>

const struct key keys[] = {
#define ROW(part, section, field, key, kind, fallback, lowest, highest, meaning) \
	{section, \
	 key, \
	 &KIND_OF(kind), \
	 offsetof(struct scenario, part.field), \
	 offsetof(struct scenario, part.at.field), \
	 fallback, \
	 lowest, \
	 highest, \
	 meaning},
#define TOP(...) ROW(top, "", __VA_ARGS__)
#define NETWORK(...) ROW(network, "network", __VA_ARGS__)
#define NAT(...) ROW(network.nat, "network.nat", __VA_ARGS__)
#define SERVER(...) ROW(server, "server", __VA_ARGS__)
#define LOAD(...) ROW(load, "load", __VA_ARGS__)
#define OPTION(...) ROW(load.options, "load.options", __VA_ARGS__)
#define KEEPALIVE(...) ROW(load.options.keepalive, "load.options.keepalive", __VA_ARGS__)
#define BURST(...) ROW(load.burst, "load.burst", __VA_ARGS__)
#define REQUEST(...) ROW(load.request, "load.request", __VA_ARGS__)
#define POOL(...) ROW(load.pool, "load.pool", __VA_ARGS__)
#define FAILURE(...) ROW(load.on_failure, "load.on_failure", __VA_ARGS__)
#define SQUAT(...) ROW(squat, "squat", __VA_ARGS__)
#define SAMPLE(...) ROW(sample, "sample", __VA_ARGS__)
#define STOP(...) ROW(stop, "stop", __VA_ARGS__)
#include "words/keys.def"
};
const size_t keys_count = sizeof(keys) / sizeof(keys[0]);

const struct section sections[] = {
	{"network", NULL},	{"network.nat", NULL},
	{"server", NULL},	{"load", NULL},
	{"load.options", NULL}, {"load.options.keepalive", "idle"},
	{"load.burst", NULL},	{"load.request", NULL},
	{"load.pool", NULL},	{"load.on_failure", "then"},
	{"squat", NULL},	{"sample", NULL},
	{"stop", NULL},		{NULL, NULL},
};

const struct section *section_find(const char *path, struct text name)
{
	struct text up = text_of(path);

	for (const struct section *s = sections; s->path; s++) {
		struct text last = text_of(section_name(s->path));
		size_t before = (size_t)(last.s - s->path);

		if (text_eq(last, name) && before == up.len + (up.len > 0) &&
		    text_starts(text_of(s->path), up))
			return s;
	}
	return NULL;
}

const char *section_name(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot ? dot + 1 : path;
}

unsigned section_depth(const char *path)
{
	unsigned depth = path[0] != '\0';

	for (; *path; path++)
		depth += *path == '.';
	return depth;
}

/* Is the key what a bare word in place of its section stands for? */
static bool is_word(const struct key *key)
{
	for (const struct section *s = sections; s->path; s++)
		if (strcmp(s->path, key->section) == 0)
			return s->word && strcmp(s->word, key->name) == 0;
	return false;
}

const struct key *key_find(const char *section, struct text name)
{
	for (size_t i = 0; i < keys_count; i++)
		if (strcmp(keys[i].section, section) == 0 && text_is(name, keys[i].name))
			return &keys[i];
	return NULL;
}

const void *load_at(const struct load *load, size_t offset)
{
	return (const char *)load + offset - offsetof(struct scenario, load);
}

static bool is_of_load(const char *section)
{
	return strcmp(section, "load") == 0 || strncmp(section, "load.", strlen("load.")) == 0;
}

bool key_is_of_load(const struct key *key)
{
	return is_of_load(key->section);
}

const char *section_path(const struct reading *r, const char *section)
{
	if (!r->load_path || !is_of_load(section))
		return section;
	return text_format(r->arena, "%s%s", r->load_path, section + strlen("load")).s;
}

const char *key_path(const struct reading *r, const struct key *key)
{
	const char *section = section_path(r, key->section);

	if (!key->section[0])
		return key->name;
	if (is_word(key))
		return section;
	return text_format(r->arena, "%s.%s", section, key->name).s;
}

bool key_read(const struct reading *r, const struct key *key, const struct node *n,
	      struct scenario *s)
{
	char *base = (char *)s;

	if (n->shape != key->kind->shape && !(n->shape == SHAPE_LIST && key->kind->list_too))
		return key_refuse(r, key, n);
	if (!key->kind->read(r, key, n, base + key->field))
		return false;
	*(struct mark *)(void *)(base + key->at) = n->at;
	return true;
}

/* Defaults are text, and go through the users' reader: one that nobody could write cannot exist. */
void keys_default(struct scenario *s, struct arena *a)
{
	struct errs errs = {0};
	struct reading r = {.arena = a, .errs = &errs};

	for (size_t i = 0; i < keys_count; i++) {
		struct node n = {.shape = keys[i].kind->shape, .text = text_of(keys[i].fallback)};

		keys[i].kind->read(&r, &keys[i], &n, (char *)s + keys[i].field);
	}
}

size_t scenario_keys(void)
{
	return keys_count;
}

void scenario_key_about(size_t i, struct key_view *view)
{
	const struct key *key = &keys[i];

	*view = (struct key_view){.section = key->section,
				  .section_name = section_name(key->section),
				  .depth = section_depth(key->section),
				  .key = key->name,
				  .fallback = key->fallback,
				  .lowest = key->lowest,
				  .highest = key->highest,
				  .meaning = key->meaning,
				  .words = key->kind->words};
}

void scenario_key(const struct scenario *s, size_t i, struct key_view *view, struct out *value)
{
	const char *base = (const char *)s;

	scenario_key_about(i, view);
	view->at = *(const struct mark *)(const void *)(base + keys[i].at);
	keys[i].kind->write(value, base + keys[i].field);
}

bool scenario_load_key(const struct scenario *s, size_t load, size_t i, struct key_view *view,
		       struct out *value)
{
	const struct load *of = &s->loads.list[load].load;

	if (!key_is_of_load(&keys[i]))
		return false;
	scenario_key_about(i, view);
	view->at = *(const struct mark *)load_at(of, keys[i].at);
	keys[i].kind->write(value, load_at(of, keys[i].field));
	return true;
}
