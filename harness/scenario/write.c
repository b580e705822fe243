#include "scenario/scenario.h"

#include <string.h>

#include "base/utf8.h"
#include "scenario/expect.h"
#include "scenario/keys.h"

enum { ORIGIN_COL = 38, VALUE_MOST = 512 };

static void write_origin(struct out *out, struct mark at, size_t col)
{
	out_pad(out, col < ORIGIN_COL ? ORIGIN_COL - col : 1);
	if (at.line) {
		out_z(out, "# ");
		out_escaped(out, text_of(at.file));
		out_fmt(out, ":%u", at.line);
	} else {
		out_z(out, "# default");
	}
}

/* Columns that a value takes; what does not fit a short buffer is longer than any column to
 * align to. */
static size_t width_of(const struct key *key, const void *field)
{
	char buffer[VALUE_MOST];
	struct out memory = out_memory(buffer, sizeof(buffer));

	key->kind->write(&memory, field);
	return memory.len;
}

/* Can t be the lines of a block, "key: |"? Nothing in it needs an escape, and no blank at its
 * front takes part in its indentation. */
static bool is_block(struct text t)
{
	size_t len;

	if (!memchr(t.len ? t.s : "", '\n', t.len) || t.s[0] == ' ' || t.s[0] == '\n')
		return false;
	if (t.len >= 2 && t.s[t.len - 1] == '\n' &&
	    (t.s[t.len - 2] == '\n' || t.s[t.len - 2] == ' '))
		return false;
	for (; t.len; t = text_skip(t, len)) {
		int32_t point = utf8_first(t, &len);

		if (point != '\n' && utf8_is_hostile(point))
			return false;
	}
	return true;
}

static void write_block(struct out *out, const char *name, struct text t, const struct mark *origin)
{
	bool ends = t.s[t.len - 1] == '\n';
	struct text line;
	bool more;

	out_fmt(out, "%s: %s", name, ends ? "|" : "|-");
	if (origin)
		write_origin(out, *origin, strlen(name) + 2 + (ends ? 1 : 2));
	out_z(out, "\n");
	if (ends)
		t.len--;
	do {
		more = text_cut(&t, '\n', &line);
		if (line.len)
			out_z(out, "  ");
		out_text(out, line);
		out_z(out, "\n");
	} while (more);
}

static void write_key(struct out *out, const struct scenario *s, const struct key *key,
		      unsigned within, bool origins)
{
	const void *field = (const char *)s + key->field;
	const struct mark *at = (const void *)((const char *)s + key->at);
	unsigned indent = 2 * (section_depth(key->section) + within);

	if (key->kind == &kind_PROSE && is_block(*(const struct text *)field)) {
		write_block(out, key->name, *(const struct text *)field, origins ? at : NULL);
		return;
	}
	out_fmt(out, "%*s%s: ", (int)indent, "", key->name);
	key->kind->write(out, field);
	if (origins)
		write_origin(out, *at, indent + strlen(key->name) + 2 + width_of(key, field));
	out_z(out, "\n");
}

static void write_expect(struct out *out, const struct expectation_list *expect, bool origins)
{
	out_z(out, expect->count ? "expect:\n" : "expect: []\n");
	for (size_t i = 0; i < expect->count; i++) {
		char buffer[VALUE_MOST];
		struct out memory = out_memory(buffer, sizeof(buffer));

		out_z(out, "  - ");
		expect_write(out, &expect->list[i]);
		if (origins) {
			expect_write(&memory, &expect->list[i]);
			write_origin(out, expect->list[i].at, 4 + memory.len);
		}
		out_z(out, "\n");
	}
}

static void write_header(struct out *out, const char *section, unsigned within)
{
	out_fmt(out, "%*s%s:\n", 2 * (int)(section_depth(section) + within) - 2, "",
		section_name(section));
}

/* Is it that section, or around it? */
static bool is_around(const char *outer, const char *section)
{
	size_t len = strlen(outer);

	return strncmp(outer, section, len) == 0 && (section[len] == '\0' || section[len] == '.');
}

/* The sections that the last key was not in. keys.def has those around others before them. */
static void write_headers(struct out *out, const char *last, const char *section, unsigned within)
{
	for (const struct section *s = sections; s->path; s++)
		if (is_around(s->path, section) && !is_around(s->path, last))
			write_header(out, s->path, within);
}

static bool is_own(const struct named_load *named, const struct scenario *s, const struct key *key)
{
	const struct mark *own = load_at(&named->load, key->at),
			  *all = (const void *)((const char *)s + key->at);

	return own->line != all->line || own->col != all->col;
}

/* One of `loads`: the keys that it does not have of `load`. */
static void write_load(struct out *out, const struct scenario *s, const struct named_load *named,
		       bool origins)
{
	const char *section = "load";
	struct scenario alone = *s;
	bool any = false;

	alone.load = named->load;
	out_z(out, "  ");
	quote_write(out, named->name);
	for (size_t i = 0; i < keys_count; i++) {
		if (!key_is_of_load(&keys[i]) || !is_own(named, s, &keys[i]))
			continue;
		out_z(out, any ? "" : ":\n");
		any = true;
		write_headers(out, section, keys[i].section, 1);
		section = keys[i].section;
		write_key(out, &alone, &keys[i], 1, origins);
	}
	out_z(out, any ? "" : ": {}\n");
}

static void write_loads(struct out *out, const struct scenario *s, bool origins)
{
	out_z(out, s->loads.count ? "loads:\n" : "");
	for (size_t i = 0; i < s->loads.count; i++)
		write_load(out, s, &s->loads.list[i], origins);
}

void scenario_load_write(struct out *out, const struct scenario *s, size_t i)
{
	const struct load *l = scenario_load(s, i);

	for (size_t k = 0; k < keys_count; k++) {
		if (!key_is_of_load(&keys[k]))
			continue;
		out_fmt(out, "%s.%s: ", keys[k].section, keys[k].name);
		keys[k].kind->write(out, load_at(l, keys[k].field));
		out_z(out, "\n");
	}
}

void scenario_write(struct out *out, const struct scenario *s, bool origins)
{
	const char *section = "";

	if (origins && s->case_at.line) {
		out_z(out, "# case ");
		out_escaped(out, s->case_name);
		out_z(out, "\n");
	}
	for (size_t i = 0; i < keys_count; i++) {
		write_headers(out, section, keys[i].section, 0);
		section = keys[i].section;
		write_key(out, s, &keys[i], 0, origins);
	}
	write_loads(out, s, origins);
	write_expect(out, &s->expect, origins);
}
