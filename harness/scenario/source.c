#include "scenario/source.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "scenario/scenario.h"

/* The length of the line end at the front of t; 0 if there is none. YAML 1.1 (5.4) knows three
 * more than LF and CR. */
static size_t line_end(struct text t)
{
	static const char *const ends[] = {"\r\n",     "\n",	       "\r",
					   "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};

	if (!t.len)
		return 0;
	if (t.s[0] == '\n') /* nearly all, and this is asked of every byte */
		return 1;
	if (t.s[0] != '\r' && t.s[0] != '\xc2' && t.s[0] != '\xe2')
		return 0;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (text_starts(t, text_of(ends[i])))
			return strlen(ends[i]);
	return 0;
}

struct text scenario_line(struct text source, unsigned line)
{
	struct text rest = source;
	size_t len = 0, end;

	for (unsigned n = 1; n < line && rest.len; n++) {
		while (rest.len && (end = line_end(rest)) == 0)
			rest = text_skip(rest, 1);
		rest = text_skip(rest, rest.len ? end : 0);
	}
	while (len < rest.len && line_end(text_skip(rest, len)) == 0)
		len++;
	return (struct text){rest.s, len};
}

bool scenario_blame(const struct scenario *s, struct mark at, struct err *err)
{
	return at.line ? err_at(err, at, scenario_line(s->source, at.line)) : false;
}

struct mark source_mark(const char *file, struct text source, size_t offset)
{
	struct mark at = {file, 1, 1};
	size_t len;

	for (size_t i = 0; i < offset && i < source.len; i += len) {
		len = line_end(text_skip(source, i));
		if (len) {
			at.line++;
			at.col = 1;
		} else {
			utf8_first(text_skip(source, i), &len);
			at.col++;
		}
	}
	return at;
}

bool source_err(struct err *err, struct text source, struct mark at, const char *what, ...)
{
	char line[sizeof((struct err){0}.what)];
	va_list args;

	if (!err) /* one too many to be told */
		return false;
	va_start(args, what);
	vsnprintf(line, sizeof(line), what, args);
	va_end(args);
	err_set(err, ERR_SCENARIO, "%s", line);
	return err_at(err, at, scenario_line(source, at.line));
}

static const char *fault(int32_t point)
{
	if (point < 0)
		return "the file is not UTF-8 text";
	if (point == 0)
		return "the file contains a NUL byte";
	if (point == '\t' || point == '\n' || point == '\r' || point == 0x85)
		return NULL;
	if (point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0xfffe || point == 0xffff)
		return "the file contains a control character";
	return NULL;
}

bool source_check(const char *file, struct text source, struct err *err)
{
	size_t len;

	for (size_t i = 0; i < source.len; i += len) {
		const char *what = fault(utf8_first(text_skip(source, i), &len));

		if (what) {
			source_err(err, source, source_mark(file, source, i), "%s", what);
			return err_hint(err, "A scenario is YAML: save it as plain UTF-8 text.");
		}
	}
	return true;
}

struct quoted source_quote(struct text words)
{
	enum { SHOWN = 40 };
	struct quoted q;
	size_t n = 0, len;
	bool cut;

	while (n < words.len) {
		utf8_first(text_skip(words, n), &len);
		if (n + len > SHOWN)
			break;
		n += len;
	}
	cut = n < words.len;
	snprintf(q.z, sizeof(q.z), "\"%.*s%s\"", (int)n, n ? words.s : "", cut ? "…" : "");
	return q;
}
