#include "scenario/schema_expect.h"

#include "base/text.h"
#include "scenario/pattern.h"
#include "words/words.h"

/* What is behind the comparison, by the kind of the measure. */
static const char *const values[] = {
	[KIND_COUNT] = COUNT, [KIND_SHARE] = SHARE, [KIND_TIME] = TIME,
	[KIND_RATE] = RATE,   [KIND_RATIO] = SHARE, [KIND_FLAG] = "(true|false)",
};

enum { KINDS = sizeof(values) / sizeof(values[0]) };

static void put_dotted(struct out *out, const char *name)
{
	for (; *name; name++)
		out_fmt(out, "%s%c", *name == '.' ? "\\\\" : "", *name);
}

static void put_family(struct out *out, enum measure measure)
{
	if (measure == MEASURE_COUNTER) {
		out_z(out, "[A-Za-z0-9]+");
		return;
	}
	for (int i = 0; i < STAGES; i++)
		out_fmt(out, "%s%s", i ? "|" : "(", stage_name((enum stage)i));
	out_z(out, ")\\\\.(");
	for (int error = 1, n = 0; error < ERRNOS; error++)
		if (errno_find(text_of(errno_name(error))) == error)
			out_fmt(out, "%s%s", n++ ? "|" : "", errno_name(error));
	out_z(out, ")");
}

/* "(exhausted.after|…) *(== *COUNT|in +COUNT..COUNT)", for the measures of a kind. */
static void put_lines(struct out *out, enum measure_kind kind)
{
	const char *value = values[kind];
	bool first = true;

	out_z(out, "(");
	for (int i = 0; i < MEASURES; i++) {
		if (measure_infos[i].kind != kind)
			continue;
		out_z(out, first ? "" : "|");
		if (measure_is_of_load((enum measure)i))
			out_z(out, "(" NAME "/)?");
		put_dotted(out, measure_infos[i].name);
		if (measure_infos[i].family)
			put_family(out, (enum measure)i);
		first = false;
	}
	if (kind == KIND_FLAG)
		out_fmt(out, ") *[=!]= *%s", value);
	else
		out_fmt(out, ") *([=!]= *%s|[<>]=? *%s|in  *%s *\\\\.\\\\. *%s)", value, value,
			value, value);
}

void schema_expect(struct out *out)
{
	out_z(out, "\"line\": {\"type\": \"string\", \"maxLength\": 200, \"pattern\": \"^ *(");
	for (int kind = 0; kind < KINDS; kind++) {
		out_z(out, kind ? "|" : "");
		put_lines(out, (enum measure_kind)kind);
	}
	out_z(out, ") *$\"},\n    \"expect\": {\"type\": \"array\", \"description\": \"lines of "
		   "MEASURE OP VALUE; lastport help measures\", \"items\": {\"anyOf\": [{\"$ref\": "
		   "\"#/definitions/line\"}, {\"type\": \"object\", \"required\": [\"expr\"], "
		   "\"additionalProperties\": false, \"properties\": {\"expr\": {\"$ref\": "
		   "\"#/definitions/line\"}, \"abort\": {\"enum\": [true, false, \"true\", "
		   "\"false\"]}, \"after\": " A_STRING(
			   TIME) "}, \"dependencies\": {\"after\": "
				 "{\"required\": [\"abort\"], \"properties\": {\"abort\": "
				 "{\"enum\": [true, "
				 "\"true\"]}}}}}]}}");
}
