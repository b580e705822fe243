/* draft.h - a line of the summary that is put together first, and broken where it is printed.
 *
 * Ownership: the text is in the draft.
 * Errors:    what does not fit it is left out.
 */
#pragma once

#include "base/unit.h"
#include "report/page.h"

enum { LABEL = 13, LINE_MOST = 2048 }; /* columns of what stands before a line */

struct draft {
	struct out text;
	char buffer[LINE_MOST];
};

static inline struct out *draft_begin(struct draft *d)
{
	d->text = out_memory(d->buffer, sizeof(d->buffer));
	return &d->text;
}

/* Nothing at all of an empty one. */
static inline void draft_print(const struct draft *d, struct out *out, const char *label)
{
	if (d->text.len)
		page_paragraph(out, label, PAINT_NONE, LABEL, out_written(&d->text));
}

static inline void draft_count(struct out *to, uint64_t n)
{
	char text[UNIT_PRINTED];

	out_z(to, unit_count_pretty(text, n));
}

/* With the words before it. */
static inline void draft_time(struct out *to, const char *words, int64_t ns)
{
	char text[UNIT_PRINTED];

	out_fmt(to, "%s%s", words, unit_time_pretty(text, ns));
}
