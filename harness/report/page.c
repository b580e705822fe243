#include "report/page.h"

#include <string.h>

#include "base/utf8.h"

static bool is_unit(struct text word)
{
	static const char *const units[] = {"us", "ms", "s", "min", "%"};

	while (word.len && (word.s[word.len - 1] == ',' || word.s[word.len - 1] == '.' ||
			    word.s[word.len - 1] == ';' || word.s[word.len - 1] == ':' ||
			    word.s[word.len - 1] == ')'))
		word.len--;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (text_is(word, units[i]))
			return true;
	return false;
}

/* The next word of *rest, and the unit behind it. */
static struct text next_word(struct text *rest)
{
	struct text after = *rest, word, unit;
	size_t len;

	if (!text_cut(&after, ' ', &word))
		after = (struct text){0};
	len = word.len;
	text_cut(&after, ' ', &unit);
	if (is_unit(unit))
		len += 1 + unit.len;
	word = (struct text){rest->s, len};
	*rest = text_skip(*rest, len + 1);
	return word;
}

void page_paragraph(struct out *out, const char *lead, enum paint paint, unsigned indent,
		    struct text t)
{
	unsigned column = page_width(text_of(lead)), blanks = column < indent ? indent - column : 0;

	out_paint(out, paint, lead);
	column += blanks;
	while (t.len) {
		struct text word = next_word(&t);
		unsigned wide = page_width(word);

		if (word.len == 0)
			continue;
		if (column > indent && column + blanks + wide > PAGE_WIDTH) {
			out_z(out, "\n");
			column = indent;
			out_pad(out, indent);
		} else {
			out_pad(out, blanks);
			column += column > indent ? blanks : 0;
		}
		out_escaped(out, word);
		column += wide;
		blanks = 1;
	}
	out_z(out, "\n");
}

void page_cell(struct out *out, struct text t, unsigned wide)
{
	unsigned width = page_width(t);

	out_escaped(out, t);
	out_pad(out, width < wide ? wide - width : 0);
}

/* As wide as out_escaped() writes it: \xNN, or \u{NNNN} and longer. */
unsigned page_width(struct text t)
{
	unsigned wide = 0;

	while (t.len) {
		size_t len;
		int32_t point = utf8_first(t, &len);

		if (point < 0 || (point < 0x80 && utf8_is_hostile(point)))
			wide += 4;
		else if (utf8_is_hostile(point))
			wide += point > 0xfffff ? 10 : point > 0xffff ? 9 : 8;
		else
			wide += utf8_width(point);
		t = text_skip(t, len);
	}
	return wide;
}

/* Columns of what a terminal is sent: neither the end of a colour's sequence nor what continues a character
 * has any. */
static unsigned shown_width(struct text line)
{
	unsigned width = 0;
	bool paints = false;

	for (size_t i = 0; i < line.len; i++) {
		unsigned char byte = (unsigned char)line.s[i];

		if (byte == '\033')
			paints = true;
		width += !paints && (byte & 0xc0) != 0x80;
		paints &= byte != 'm';
	}
	return width;
}

size_t page_fit(struct text t, unsigned rows, unsigned columns)
{
	size_t fits = 0;

	while (fits < t.len) {
		const char *line = t.s + fits, *end = memchr(line, '\n', t.len - fits);
		size_t len = end ? (size_t)(end - line) : t.len - fits;
		unsigned width = shown_width((struct text){line, len});
		unsigned takes = width ? (width + columns - 1) / columns : 1;

		if (takes > rows)
			break;
		rows -= takes;
		fits += len + (end != NULL);
	}
	return fits;
}
