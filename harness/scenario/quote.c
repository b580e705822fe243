#include "scenario/keys.h"

#include "base/utf8.h"

/* Text as YAML writes it: bare where that reads back to itself anywhere, in "[a, b]" as well,
 * else in double quotes. */

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* A letter first; no blank last, and none before a "#". */
static bool is_bare(struct text t)
{
	if (text_span(t, LETTERS) == 0 || text_span(t, LETTERS " _./()+=<>;%!#-") < t.len ||
	    t.s[t.len - 1] == ' ')
		return false;
	for (size_t i = 1; i < t.len; i++)
		if (t.s[i] == '#' && t.s[i - 1] == ' ')
			return false;
	return true;
}

static void write_point(struct out *out, int32_t point, struct text as_is)
{
	if (point == '\n')
		out_z(out, "\\n");
	else if (point == '\t')
		out_z(out, "\\t");
	else if (point == '"' || point == '\\')
		out_fmt(out, "\\%c", (int)point);
	else if (!utf8_is_hostile(point))
		out_text(out, as_is);
	else
		out_fmt(out,
			point < 0x100	  ? "\\x%02x"
			: point < 0x10000 ? "\\u%04x"
					  : "\\U%08x",
			(unsigned)point);
}

void quote_write(struct out *out, struct text t)
{
	if (is_bare(t)) {
		out_text(out, t);
		return;
	}
	out_z(out, "\"");
	while (t.len) {
		size_t len;
		int32_t point = utf8_first(t, &len);

		write_point(out, point, (struct text){t.s, len});
		t = text_skip(t, len);
	}
	out_z(out, "\"");
}
