#include "report/block.h"

#include <stdio.h>

#include "base/unit.h"
#include "report/page.h"

enum { LINE_MOST = 2048 };

/* In order of effect, so numbered. */
static void print_attempts(struct out *out, const struct line_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		char lead[UNIT_PRINTED];

		snprintf(lead, sizeof(lead), "%s%zu.", i ? "     " : "try: ", i + 1);
		page_paragraph(out, lead, PAINT_NONE, 8, list->list[i]);
	}
}

static void print_in_vain(struct out *out, const struct line_list *list)
{
	if (list->count)
		out_z(out, "won't help:\n");
	for (size_t i = 0; i < list->count; i++)
		page_paragraph(out, "     -", PAINT_NONE, 7, list->list[i]);
}

/* "seen: time_wait.max 32, ports.usable 32" */
static void print_seen(struct out *out, const struct line_list *seen)
{
	char line[LINE_MOST];
	struct out to = out_memory(line, sizeof(line));

	for (size_t i = 0; i < seen->count; i++) {
		out_z(&to, i ? ", " : "");
		out_text(&to, seen->list[i]);
	}
	if (seen->count)
		page_paragraph(out, "seen:", PAINT_NONE, 6, out_written(&to));
}

/* Beside what failed, or would: a note is no reason. */
static const char *lead_of(const struct finding *f)
{
	return cause_sort(f->cause) == SORT_NOTE ? "and:" : "why:";
}

static void print_cause(struct out *out, const struct finding *f)
{
	char line[LINE_MOST];
	struct out to = out_memory(line, sizeof(line));

	out_fmt(&to, "%s (%s)", cause_lesson(f->cause), cause_name(f->cause));
	page_paragraph(out, lead_of(f), PAINT_NONE, 5, out_written(&to));
	page_paragraph(out, "", PAINT_NONE, 5, f->why);
	print_seen(out, &f->seen);
	print_attempts(out, &f->attempt);
	print_in_vain(out, &f->wont_help);
	if (cause_refs(f->cause)[0])
		page_paragraph(out, "see:", PAINT_NONE, 5, text_of(cause_refs(f->cause)));
}

static void print_causes(struct out *out, const struct verdict *v, bool notes)
{
	for (size_t i = 0; i < v->cause_count; i++)
		if ((cause_sort(v->causes[i].cause) == SORT_NOTE) == notes)
			print_cause(out, &v->causes[i]);
}

/* Between two reasons a note would read as if it were about the first alone. */
void block_causes(struct out *out, const struct result_run *run)
{
	print_causes(out, &run->verdict, false);
	print_causes(out, &run->verdict, true);
}
