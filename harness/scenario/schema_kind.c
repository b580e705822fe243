#include "scenario/schema_kind.h"

#include <string.h>

#include "base/unit.h"
#include "base/unit_pattern.h"
#include "scenario/pattern.h"

#define PORT \
	"([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
#define PORT_RANGE PORT "-" PORT

/* Of two numbers the first is not the greater: fewer digits, or as many and lower. */
#define ORDERED "\"$ref\": \"#/definitions/ordered\""

enum { PORT_DIGITS = 5 };

#define NO_CONTROL "[^\\u0000-\\u001f\\u007f]"

#define WHOLE(lo, hi) "{\"type\": \"integer\", \"minimum\": " lo ", \"maximum\": " hi "}"
#define EITHER(...) "\"anyOf\": [" __VA_ARGS__ "]"

/* Plain words that YAML reads as something else are text all the same. */
#define OR_ANY_WORD "{\"type\": [\"number\", \"boolean\"]}"
#define OR_NONE "{\"type\": \"null\"}"

/* A row a kind; for what begins with "@" see blanks[]. */
static const struct {
	const struct kind *kind;
	const char *takes;
} takings[] = {
	{&kind_COUNT, EITHER(WHOLE("@lo", "@hi") ", " A_STRING("@range"))},
	{&kind_TIME, STRING("@range")},
	{&kind_MILLIS, STRING("@range")},
	{&kind_SECONDS, STRING("@range")},
	{&kind_LINGER, STRING("none|@range")},
	{&kind_RATE, STRING("@range")},
	{&kind_SIZE, STRING("@range")},
	{&kind_SHARE,
	 EITHER("{\"type\": \"number\", \"minimum\": @lo, \"maximum\": @hi}, " A_STRING("@range"))},
	{&kind_FLAG, "\"enum\": [true, false, \"true\", \"false\"]"},
	{&kind_SLUG, EITHER(A_STRING("[a-z0-9][a-z0-9-]{0,62}") ", {\"type\": \"integer\", "
								"\"minimum\": 0}, {\"type\": "
								"\"boolean\"}")},
	{&kind_LINE, EITHER(A_STRING(NO_CONTROL "{0,200}") ", " OR_ANY_WORD ", " OR_NONE)},
	{&kind_PROSE, EITHER(A_STRING("[^\\u0000-\\u0008\\u000b-\\u001f\\u007f]*") ", " OR_ANY_WORD
										   ", " OR_NONE)},
	{&kind_LINES, "\"type\": \"array\", \"items\": {" EITHER(
			      A_STRING(NO_CONTROL "{1,200}") ", " OR_ANY_WORD) "}"},
	{&kind_RANGE, STRING(PORT_RANGE) ", \"allOf\": [{" ORDERED "}]"},
	{&kind_PORTS,
	 "\"type\": \"array\", \"items\": {" EITHER(WHOLE("@lo", "@hi") ", " A_STRING(
		 "@port") ", {\"allOf\": [" A_STRING(PORT_RANGE) ", {" ORDERED "}]}") "}"},
	{&kind_SYSCTL,
	 "\"type\": \"object\", \"maxProperties\": 64, \"propertyNames\": {\"pattern\": "
	 "\"^net(\\\\.[a-z0-9_-]+)+$\", \"maxLength\": 128@owned}, \"properties\": "
	 "{\"net.ipv4.tcp_tw_reuse\": {\"enum\": [0, 1, 2, \"0\", \"1\", \"2\"]}}, "
	 "\"additionalProperties\": {" EITHER(A_STRING(NO_CONTROL "{1,64}") ", " OR_ANY_WORD) "}"},
	{&kind_BIND, STRING("@ways") ", \"allOf\": [{\"not\": {\"pattern\": \"^address +(" NOBODYS
				     ")$\"}}, {" ORDERED "}]"},
	{&kind_ADDRESS, STRING("any|" ADDRESS)},
	{&kind_DEVICE, EITHER(A_STRING("[a-zA-Z0-9_.@-]{1,15}") ", " OR_ANY_WORD)},
	{&kind_RAMP,
	 "\"type\": \"array\", \"maxItems\": 64, \"items\": {\"type\": \"object\", \"required\": "
	 "[\"to\", \"over\"], \"additionalProperties\": false, \"properties\": {\"to\": " A_STRING(
		 "@range") ", \"over\": " A_STRING("@over") "}}"},
	{&kind_MIX, "\"type\": \"object\", \"propertyNames\": {\"enum\": [@ends]}, "
		    "\"additionalProperties\": {" EITHER(
			    "{\"type\": \"number\", \"minimum\": 0, \"maximum\": 1}, " A_STRING(
				    "@share")) "}"},
	{&kind_ADDRESSES,
	 EITHER(WHOLE("@lo", "@hi") ", " A_STRING(
		 "@range") ", {\"type\": \"array\", \"minItems\": @lo, \"maxItems\": @hi, "
			   "\"uniqueItems\": true, \"items\": {" STRING(
				   ADDRESS) ", \"not\": {\"pattern\": \"^(" NOBODYS ")$\"}}}")},
	{&kind_SERVICES,
	 EITHER(WHOLE("@lo", "@hi") ", " A_STRING(
		 "@range") ", {\"type\": \"array\", \"minItems\": @lo, \"maxItems\": @hi, "
			   "\"uniqueItems\": true, \"items\": {" EITHER(
				   WHOLE("1", "65535") ", " A_STRING("@port")) "}}")},
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
	return NULL;
}

bool schema_kind_is_known(const struct kind *kind)
{
	return takes(kind) != NULL;
}

/* ---- what fills the blanks of a row ---------------------------------------- */

void schema_string(struct out *out, const char *z)
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
		schema_string(out, c->word);
	}
}

static void put_port(struct out *out, const struct key *key)
{
	(void)key;
	unit_pattern(out, unit_ones, 1, UINT16_MAX);
}

static void put_rest(struct out *out, const struct key *key, bool is_range)
{
	out_z(out, is_range ? " +" PORT_RANGE : " +(");
	if (is_range)
		return;
	put_port(out, key);
	out_z(out, ")");
}

/* What is within the key's bounds, as text. */
static void put_range(struct out *out, const struct key *key)
{
	const struct kind *kind = key->kind;
	const struct unit *units = kind->units ? kind->units : unit_counts;
	double share[2] = {0, 1};
	uint64_t bounds[2] = {0, 0};

	if (units == unit_shares) {
		kind->number(text_of(key->lowest), &share[0]);
		kind->number(text_of(key->highest), &share[1]);
		unit_pattern_share(out, share[0], share[1]);
		return;
	}
	unit_read(text_of(key->lowest), units, &bounds[0]); /* `none` is none of them */
	unit_read(text_of(key->highest), units, &bounds[1]);
	unit_pattern(out, units, bounds[0], bounds[1]);
}

static void put_over(struct out *out, const struct key *key)
{
	(void)key;
	unit_pattern(out, unit_times, 0, RAMP_OVER_MOST);
}

static void put_share(struct out *out, const struct key *key)
{
	(void)key;
	unit_pattern_share(out, 0, 1);
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
			put_rest(out, key, strchr(c->word + word, '-'));
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
		schema_string(out, o->name);
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
	{"@ways", put_ways}, {"@owned", put_owned}, {"@range", put_range},
	{"@over", put_over}, {"@share", put_share}, {"@port", put_port},
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

void schema_kind(struct out *out, const struct key *key)
{
	const char *row = takes(key->kind);

	for (const char *z = row ? row : shapes[key->kind->shape]; *z;) {
		size_t len = put_blank(out, key, z);

		if (len == 0)
			out_fmt(out, "%c", *z);
		z += len ? len : 1;
	}
}

/* Of two numbers in a text, A-B, the first is not the greater: it has fewer digits, or as many, and
 * behind those they share a lower one. ECMA-262's expressions can look back at what was matched. */
void schema_ordered(struct out *out)
{
	out_z(out,
	      "{\"anyOf\": [{\"not\": {\"pattern\": \"[0-9]-[0-9]\"}}, {\"pattern\": \"^(.* )?(");
	for (unsigned n = 1; n < PORT_DIGITS; n++)
		out_fmt(out, "%s[0-9]{%u}-[0-9]{%u,}", n == 1 ? "" : "|", n, n + 1);
	out_z(out, ")$\"}, {\"allOf\": [{\"pattern\": \"^(.* )?(");
	for (unsigned n = 1; n <= PORT_DIGITS; n++)
		out_fmt(out, "%s[0-9]{%u}-[0-9]{%u}", n == 1 ? "" : "|", n, n);
	out_z(out, ")$\"}, {\"pattern\": \"^(.* )?([0-9]*)(-\\\\2");
	for (unsigned digit = 0; digit < 9; digit++)
		out_fmt(out, "|%u[0-9]*-\\\\2[%u-9][0-9]*", digit, digit + 1);
	out_z(out, ")$\"}]}]}");
}
