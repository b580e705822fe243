#include "scenario/schema.h"

#include <string.h>

#include "scenario/keys.h"
#include "scenario/pattern.h"
#include "scenario/schema_expect.h"
#include "scenario/schema_kind.h"

/* ---- writing ------------------------------------------------------------- */

static void put_words(struct out *out, const struct choice *words)
{
	out_z(out, "\"enum\": [");
	for (const struct choice *c = words; c->word; c++) {
		out_z(out, c == words ? "" : ", ");
		schema_string(out, c->word);
	}
	out_z(out, "], \"enumDescriptions\": [");
	for (const struct choice *c = words; c->word; c++) {
		out_z(out, c == words ? "" : ", ");
		schema_string(out, c->meaning);
	}
	out_z(out, "]");
}

/* As a value of JSON: what a user writes without quotes there stands without them here. */
static void put_default(struct out *out, const char *fallback)
{
	bool plain = strchr("[{", fallback[0]) || strcmp(fallback, "true") == 0 ||
		     strcmp(fallback, "false") == 0 ||
		     (fallback[0] && strspn(fallback, "0123456789") == strlen(fallback));

	out_z(out, ", \"default\": ");
	if (plain && fallback[0])
		out_z(out, fallback);
	else
		schema_string(out, fallback);
}

/* A choice by its words, unless these take more behind them (kind_BIND). */
static void put_key(struct out *out, const struct key *key)
{
	bool chosen = key->kind->words && !schema_kind_is_known(key->kind);

	out_z(out, "{\"description\": ");
	schema_string(out, key->meaning);
	out_z(out, ", ");
	if (chosen)
		put_words(out, key->kind->words);
	else
		schema_kind(out, key);
	if (key->section[0])
		put_default(out, key->fallback);
	out_z(out, "}");
}

static void put_line(struct out *out, unsigned depth, bool first, const char *name)
{
	out_fmt(out, "%s\n%*s", first ? "" : ",", (int)(2 * depth), "");
	schema_string(out, name);
	out_z(out, ": ");
}

static void put_section(struct out *out, const struct section *section, unsigned depth);

/* Is it right below `path`? */
static bool is_within(const struct section *s, const char *path)
{
	return section_find(path, text_of(section_name(s->path))) == s;
}

static void put_members(struct out *out, const char *path, unsigned depth)
{
	bool first = true;

	for (size_t i = 0; i < keys_count; i++) {
		if (strcmp(keys[i].section, path) != 0)
			continue;
		put_line(out, depth, first, keys[i].name);
		put_key(out, &keys[i]);
		first = false;
	}
	for (const struct section *s = sections; s->path; s++) {
		if (!is_within(s, path))
			continue;
		put_line(out, depth, first, section_name(s->path));
		put_section(out, s, depth);
		first = false;
	}
}

/* A map of keys; or, where it has one, the bare word in its place. */
static void put_section(struct out *out, const struct section *section, unsigned depth)
{
	const struct key *word =
		section->word ? key_find(section->path, text_of(section->word)) : NULL;

	if (word) {
		out_z(out, "{\"anyOf\": [");
		put_key(out, word);
		out_z(out, ", ");
	}
	out_z(out, "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {");
	put_members(out, section->path, depth + 1);
	out_fmt(out, "\n%*s}}%s", (int)(2 * depth), "", word ? "]}" : "");
}

/* ---- the whole ----------------------------------------------------------- */

/* version and name are the file's alone (scenario.c). */
static bool is_of_cases(const struct key *key)
{
	return strcmp(key->name, "version") != 0 && strcmp(key->name, "name") != 0;
}

/* What a case or a load may be called. */
static void put_names(struct out *out, const char *another)
{
	out_z(out, "\"propertyNames\": {\"pattern\": \"^" NAME "$\", \"not\": {\"enum\": [");
	for (const char *const *word = yaml_words; *word; word++)
		out_fmt(out, "%s\"%s\"", word == yaml_words ? "" : ", ", *word);
	out_fmt(out, "%s]}}", another);
}

static void put_top(struct out *out, unsigned depth, bool of_case)
{
	bool first = true;

	for (size_t i = 0; i < keys_count; i++) {
		if (keys[i].section[0] || (of_case && !is_of_cases(&keys[i])))
			continue;
		put_line(out, depth, first, keys[i].name);
		put_key(out, &keys[i]);
		first = false;
	}
	for (const struct section *s = sections; s->path; s++) {
		if (!is_within(s, ""))
			continue;
		put_line(out, depth, false, s->path);
		out_fmt(out, "{\"$ref\": \"#/definitions/%s\"}", s->path);
	}
	put_line(out, depth, false, "loads");
	out_fmt(out,
		"{\"type\": \"object\", \"description\": \"names, and below each the keys of load "
		"that differ\", \"maxProperties\": %d, ",
		SCENARIO_LOADS_MOST);
	put_names(out, "");
	out_z(out, ", \"additionalProperties\": {\"$ref\": \"#/definitions/load\"}}");
	put_line(out, depth, false, "expect");
	out_z(out, "{\"$ref\": \"#/definitions/expect\"}");
}

void scenario_schema(struct out *out)
{
	out_z(out, "{\n  \"$schema\": \"http://json-schema.org/draft-07/schema#\",\n"
		   "  \"title\": \"lastport scenario, version 1\",\n"
		   "  \"type\": \"object\",\n"
		   "  \"required\": [\"version\", \"name\"],\n"
		   "  \"additionalProperties\": false,\n  \"properties\": {");
	put_top(out, 2, false);
	out_fmt(out,
		",\n    \"cases\": {\"type\": \"object\", \"description\": \"names, and below each "
		"the keys that differ\", \"maxProperties\": %d, ",
		SCENARIO_CASES_MOST - 1);
	put_names(out, ", \"base\"");
	out_z(out, ", \"additionalProperties\": {\"$ref\": \"#/definitions/case\"}}\n  },\n"
		   "  \"definitions\": {\n    ");
	for (const struct section *s = sections; s->path; s++) {
		if (!is_within(s, ""))
			continue;
		schema_string(out, s->path);
		out_z(out, ": ");
		put_section(out, s, 2);
		out_z(out, ",\n    ");
	}
	out_z(out, "\"case\": {\"type\": \"object\", \"additionalProperties\": false, "
		   "\"properties\": {");
	put_top(out, 3, true);
	out_z(out, "\n    }},\n    ");
	schema_expect(out);
	out_z(out, ",\n    \"ordered\": ");
	schema_ordered(out);
	out_z(out, "\n  }\n}\n");
}
