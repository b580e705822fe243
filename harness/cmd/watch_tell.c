#include "cmd/watch_tell.h"

#include <unistd.h>

#include "base/unit.h"
#include "report/page.h"
#include "report/usage.h"

enum { INDENT = 20, LABEL = 9, LINE_MOST = 2048 };

static void write_row(struct out *out, const struct usage *row)
{
	double fill = row->usable ? (double)usage_used(row) / row->usable : 1;
	char used[UNIT_PRINTED], share[UNIT_PRINTED], figures[2 * UNIT_PRINTED + 8],
		text[LINE_MOST];
	struct out line = out_memory(figures, sizeof(figures) - 1);

	out_fmt(&line, "  %7s  %7s  ", unit_count_pretty(used, usage_used(row)),
		unit_share_pretty(share, fill));
	figures[line.len] = '\0';
	out_paint(out, fill >= 0.9 ? PAINT_BAD : PAINT_NONE, figures);
	usage_way(out, row);
	out_z(out, "\n");
	line = out_memory(text, sizeof(text));
	usage_states(&line, row);
	usage_holders(&line, row);
	page_paragraph(out, "", PAINT_NONE, INDENT, out_written(&line));
}

static void write_head(struct out *out, const struct watch *w)
{
	char n[UNIT_PRINTED];
	bool any = false;

	out_fmt(out, "ports    %s usable (%u-%u) to each destination\n",
		unit_count_pretty(n, w->usable), w->range.lo, w->range.hi);
	out_z(out, "sockets ");
	for (int state = 1; state < STATES; state++) {
		if (w->sample.states[state] == 0)
			continue;
		out_fmt(out, "%s %s %s", any ? "," : "",
			unit_count_pretty(n, w->sample.states[state]), state_name(state));
		any = true;
	}
	out_fmt(out, "%s%s%s\n", any ? "" : " none in the range",
		w->to_one ? " to that destination" : "",
		w->sample.torn ? " (at least: they moved while counted)" : "");
}

/* What no look can tell, and what no row shows. */
static void write_doubts(struct out *out, const struct watch *w)
{
	char n[UNIT_PRINTED], of[UNIT_PRINTED], text[LINE_MOST];
	struct out line = out_memory(text, sizeof(text));

	if (w->from_proc)
		page_paragraph(out, "  but", PAINT_NONE, LABEL,
			       TEXT("sockets were counted from /proc/net/tcp, since there is no "
				    "sock_diag: those that are bound and not connected are not in "
				    "it, and fewer ports may be usable"));
	if (!watch_starves_binds(w))
		return;
	out_fmt(&line,
		"%s of %s ports are in use towards some destination or other: who binds to port 0 "
		"before it connects has no more than the rest, and connect() passes over ports "
		"that "
		"were had so",
		unit_count_pretty(n, w->anywhere), unit_count_pretty(of, w->usable));
	page_paragraph(out, "  but", PAINT_NONE, LABEL, out_written(&line));
}

void watch_tell(struct out *out, const struct watch *w)
{
	char n[UNIT_PRINTED];

	write_head(out, w);
	write_doubts(out, w);
	if (w->count)
		out_z(out, "     used     full  from -> to\n"
			   "                    sockets, by state; and whose they are\n");
	for (size_t i = 0; i < w->count; i++)
		write_row(out, &w->rows[i]);
	if (w->more)
		out_fmt(out, "  and %s more\n", unit_count_pretty(n, w->more));
	if (w->count && geteuid() != 0)
		out_z(out, "  (to root alone are the processes of other users shown)\n");
}
