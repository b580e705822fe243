#include "scenario/schema.h"

#include <string.h>

#include "base/unit.h"
#include "scenario/keys.h"
#include "scenario/pattern.h"
#include "scenario/schema_expect.h"

/* ---- what each kind takes ------------------------------------------------ */

#define PORT \
	"(0*([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]" \
	")" \
	"|[0-9]+(\\\\.[0-9]+)?k)"
#define PORT_RANGE PORT "-" PORT
#define ADDRESS "[0-9a-fA-F:.]+"
#define NO_CONTROL "[^\\u0000-\\u001f\\u007f]"

#define WHOLE(lo, hi) "{\"type\": \"integer\", \"minimum\": " lo ", \"maximum\": " hi "}"
#define EITHER(...) "\"anyOf\": [" __VA_ARGS__ "]"

/* Plain words that YAML reads as something else are text all the same. */
#define OR_ANY_WORD "{\"type\": [\"number\", \"boolean\"]}"

/* A row a kind; for what begins with "@" see blanks[]. */
static const struct {
	const struct kind *kind;
	const char *takes;
} takings[] = {
	{&kind_COUNT, EITHER(WHOLE("@lo", "@hi") ", " A_STRING(COUNT))},
	{&kind_TIME, STRING(TIME)},
	{&kind_SECONDS, STRING(TIME)},
	{&kind_LINGER, STRING("none|" TIME)},
	{&kind_RATE, STRING(RATE)},
	{&kind_SIZE, STRING(NUMBER "(B|KiB|MiB|GiB)")},
	{&kind_SHARE,
	 EITHER("{\"type\": \"number\", \"minimum\": @lo, \"maximum\": @hi}, " A_STRING(SHARE))},
	{&kind_FLAG, "\"enum\": [true, false, \"true\", \"false\"]"},
	{&kind_SLUG, EITHER(A_STRING("[a-z0-9][a-z0-9-]{0,62}") ", {\"type\": \"integer\", "
								"\"minimum\": 0}, {\"type\": "
								"\"boolean\"}")},
	{&kind_LINE, EITHER(A_STRING(NO_CONTROL "{0,200}") ", " OR_ANY_WORD)},
	{&kind_PROSE,
	 EITHER(A_STRING("[^\\u0000-\\u0008\\u000b-\\u001f\\u007f]*") ", " OR_ANY_WORD)},
	{&kind_LINES, "\"type\": \"array\", \"items\": {" EITHER(
			      A_STRING(NO_CONTROL "{1,200}") ", " OR_ANY_WORD) "}"},
	{&kind_RANGE, STRING(PORT_RANGE)},
	{&kind_PORTS, "\"type\": \"array\", \"items\": {" EITHER(
			      WHOLE("@lo", "@hi") ", " A_STRING(PORT "|" PORT_RANGE)) "}"},
	{&kind_SYSCTL,
	 "\"type\": \"object\", \"maxProperties\": 64, \"propertyNames\": {\"pattern\": "
	 "\"^net(\\\\.[a-z0-9_-]+)+$\", \"maxLength\": 128@owned}, "
	 "\"additionalProperties\": {" EITHER(A_STRING(NO_CONTROL "{1,64}") ", " OR_ANY_WORD) "}"},
	{&kind_BIND, STRING("@ways")},
	{&kind_ADDRESS, STRING("any|" ADDRESS)},
	{&kind_DEVICE, EITHER(A_STRING("[^/: \\u0000-\\u001f\\u007f]{1,15}") ", " OR_ANY_WORD)},
	{&kind_RAMP,
	 "\"type\": \"array\", \"maxItems\": 64, \"items\": {\"type\": \"object\", \"required\": "
	 "[\"to\", \"over\"], \"additionalProperties\": false, \"properties\": {\"to\": " A_STRING(
		 RATE) ", \"over\": " A_STRING(TIME) "}}"},
	{&kind_MIX,
	 "\"type\": \"object\", \"propertyNames\": {\"enum\": [@ends]}, "
	 "\"additionalProperties\": {" EITHER(
		 "{\"type\": \"number\", \"minimum\": 0, \"maximum\": 1}, " A_STRING(SHARE)) "}"},
	{&kind_ADDRESSES,
	 EITHER(WHOLE("@lo", "@hi") ", " A_STRING(
		 COUNT) ", {\"type\": \"array\", \"minItems\": @lo, \"maxItems\": @hi, "
			"\"uniqueItems\": true, \"items\": " A_STRING(ADDRESS) "}")},
	{&kind_SERVICES,
	 EITHER(WHOLE("@lo", "@hi") ", " A_STRING(
		 COUNT) ", {\"type\": \"array\", \"minItems\": @lo, \"maxItems\": @hi, "
			"\"uniqueItems\": true, \"items\": {" EITHER(
				WHOLE("1", "65535") ", " A_STRING(PORT)) "}}")},
};

/* Of a kind that has no row: its shape. */
static const char *const shapes[] = {
	[SHAPE_SCALAR] = "\"type\": [\"string\", \"number\", \"boolean\"]",
	[SHAPE_LIST] = "\"type\": \"array\"",
	[SHAPE_MAP] = "\"type\": \"object\"",
};

static const char *takes(const struct kind *kind)
{
	for (size_t i = 0; i < sizeof(takings) / sizeof(takings[0]); i++)
		if (takings[i].kind == kind)
			return takings[i].takes;
	return shapes[kind->shape];
}

/* ---- writing ------------------------------------------------------------- */

static void put_string(struct out *out, const char *z)
{
	out_z(out, "\"");
	for (; *z; z++)
		out_fmt(out, "%s%c", *z == '"' || *z == '\\' ? "\\" : "", *z);
	out_z(out, "\"");
}

/* A bound as a plain number: "10k" is 10000, "80%" is 0.8. */
static void put_bound(struct out *out, const struct key *key, const char *bound)
{
	uint64_t count = 0;
	double n = 0;

	if (key->kind->number && key->kind->number(text_of(bound), &n))
		out_fmt(out, "%.15g", n);
	else if (unit_read_count(text_of(bound), &count))
		out_fmt(out, "%llu", (unsigned long long)count);
}

static void put_lowest(struct out *out, const struct key *key)
{
	put_bound(out, key, key->lowest);
}

static void put_highest(struct out *out, const struct key *key)
{
	put_bound(out, key, key->highest);
}

static void put_ends(struct out *out, const struct key *key)
{
	(void)key;
	for (const struct choice *c = end_words; c->word; c++) {
		out_z(out, c == end_words ? "" : ", ");
		put_string(out, c->word);
	}
}

/* "port N", "ports A-B": a word, and what stands for a port or a range of them; or an address,
 * which may be left out. */
static void put_ways(struct out *out, const struct key *key)
{
	(void)key;
	for (const struct choice *c = bind_words; c->word; c++) {
		size_t word = strcspn(c->word, " ");

		out_fmt(out, "%s%.*s", c == bind_words ? "" : "|", (int)word, c->word);
		if (c == &bind_words[BIND_ADDRESS])
			out_z(out, "( +" ADDRESS ")?");
		else if (c->word[word])
			out_z(out, strchr(c->word + word, '-') ? " +" PORT_RANGE : " +" PORT);
	}
}

/* What the map cannot set, if there is any. */
static void put_owned(struct out *out, const struct key *key)
{
	const char *lead = ", \"not\": {\"enum\": [", *end = "";

	for (const struct owned_setting *o = owned_settings; o->name; o++) {
		if (strcmp(o->section, key->section) != 0)
			continue;
		out_z(out, lead);
		put_string(out, o->name);
		lead = ", ";
		end = "]}";
	}
	out_z(out, end);
}

/* What stands in a row for what lies elsewhere: the key's bounds, and the lists in words/. */
static const struct {
	const char *name;
	void (*put)(struct out *out, const struct key *key);
} blanks[] = {
	{"@lo", put_lowest}, {"@hi", put_highest},  {"@ends", put_ends},
	{"@ways", put_ways}, {"@owned", put_owned},
};

/* Fills one; its length, or 0 where none begins. */
static size_t put_blank(struct out *out, const struct key *key, const char *z)
{
	for (size_t i = 0; *z == '@' && i < sizeof(blanks) / sizeof(blanks[0]); i++) {
		size_t len = strlen(blanks[i].name);

		if (strncmp(z, blanks[i].name, len) == 0) {
			blanks[i].put(out, key);
			return len;
		}
	}
	return 0;
}

static void put_takes(struct out *out, const struct key *key)
{
	for (const char *z = takes(key->kind); *z;) {
		size_t len = put_blank(out, key, z);

		if (len == 0)
			out_fmt(out, "%c", *z);
		z += len ? len : 1;
	}
}

static void put_words(struct out *out, const struct choice *words)
{
	out_z(out, "\"enum\": [");
	for (const struct choice *c = words; c->word; c++) {
		out_z(out, c == words ? "" : ", ");
		put_string(out, c->word);
	}
	out_z(out, "], \"enumDescriptions\": [");
	for (const struct choice *c = words; c->word; c++) {
		out_z(out, c == words ? "" : ", ");
		put_string(out, c->meaning);
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
		put_string(out, fallback);
}

/* A choice by its words, unless these take more behind them (kind_BIND). */
static void put_key(struct out *out, const struct key *key)
{
	bool chosen = key->kind->words && takes(key->kind) == shapes[key->kind->shape];

	out_z(out, "{\"description\": ");
	put_string(out, key->meaning);
	out_z(out, ", ");
	if (chosen)
		put_words(out, key->kind->words);
	else
		put_takes(out, key);
	if (key->section[0])
		put_default(out, key->fallback);
	out_z(out, "}");
}

static void put_line(struct out *out, unsigned depth, bool first, const char *name)
{
	out_fmt(out, "%s\n%*s", first ? "" : ",", (int)(2 * depth), "");
	put_string(out, name);
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
		put_string(out, s->path);
		out_z(out, ": ");
		put_section(out, s, 2);
		out_z(out, ",\n    ");
	}
	out_z(out, "\"case\": {\"type\": \"object\", \"additionalProperties\": false, "
		   "\"properties\": {");
	put_top(out, 3, true);
	out_z(out, "\n    }},\n    ");
	schema_expect(out);
	out_z(out, "\n  }\n}\n");
}
