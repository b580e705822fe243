#include "report/look.h"

#include "base/unit.h"
#include "judge/rule.h"
#include "report/draft.h"
#include "report/usage.h"

enum { INDENT = 20, STAMP = 9 };

#define LATE_NS INT64_C(1000000000) /* a look a second is what is shown */

/* That of a cause which goes by the figures of a run is another's that comes of the same. */
const char *look_advice(enum cause cause)
{
	enum cause of = cause == CAUSE_BIND_STARVATION ? CAUSE_HEALTH_PROBES : cause;
	const struct rule *r = of ? rule_find(of) : NULL;

	return r ? r->attempt[0] : NULL;
}

/* "opens 412/s, closes 410/s; full in 41 s"; what is not known is left out. */
static void add_trend(struct out *to, const struct look_row *row)
{
	char rate[UNIT_PRINTED];

	if (row->opens >= 0)
		out_fmt(to, "opens %s", unit_rate_pretty(rate, row->opens));
	if (row->closes > 0)
		out_fmt(to, "%scloses %s", to->len ? ", " : "",
			unit_rate_pretty(rate, row->closes));
	if (row->full_ns == 0)
		out_fmt(to, "%sfull: connect() there fails now", to->len ? "; " : "");
	else if (usage_free(&row->usage) == 0)
		out_fmt(to, "%sno port is free but for tcp_tw_reuse", to->len ? "; " : "");
	else if (row->full_ns == FULL_NEVER)
		out_z(to, "; at this rate never full");
	else if (row->full_ns >= 0)
		draft_time(to, to->len ? "; full in " : "full in ", row->full_ns);
	if (row->full_ns > 0 && row->full_ns != FULL_NEVER && row->kept_ns > 0 &&
	    row->cause != CAUSE_LEAK)
		out_z(to, " if none is closed");
}

/* What is open in use looks as what is forgotten does, until it is closed. */
static void add_maybe(struct out *to, const struct look_row *row)
{
	out_fmt(to, "; or %s: ", cause_name(row->maybe));
	if (row->opens < 0)
		out_z(to, "one look cannot tell what is in use from what was forgotten");
	else
		draft_time(to, "hardly any was closed in the last ", row->kept_ns);
	if (row->opens >= 0)
		out_z(to, ", which is too short a time to tell what is in use from what was "
			  "forgotten");
}

static void write_trend(struct out *out, const struct look_row *row)
{
	char text[LINE_MOST];
	struct out line = out_memory(text, sizeof(text));

	add_trend(&line, row);
	if (line.len)
		page_paragraph(out, "", PAINT_NONE, INDENT, out_written(&line));
}

static void write_cause(struct out *out, const struct look_row *row)
{
	const char *advice = look_advice(row->cause);
	char text[LINE_MOST];
	struct out line = out_memory(text, sizeof(text));

	if (row->cause == CAUSE_NO_DATA)
		return;
	out_fmt(&line, "%s: %s", cause_name(row->cause), cause_lesson(row->cause));
	if (row->maybe != CAUSE_NO_DATA)
		add_maybe(&line, row);
	page_paragraph(out, "               why", PAINT_NONE, INDENT, out_written(&line));
	if (advice)
		page_paragraph(out, "               try", PAINT_NONE, INDENT, text_of(advice));
}

static void write_row(struct out *out, const struct look *l, const struct look_row *row)
{
	const struct usage *u = &row->usage;
	double fill = usage_fill(u, u->usable + u->elsewhere);
	char n[UNIT_PRINTED], share[UNIT_PRINTED], figures[4 * UNIT_PRINTED], text[LINE_MOST];
	struct out line = out_memory(figures, sizeof(figures) - 1);

	if (l->pid)
		out_fmt(&line, "  %7s", unit_count_pretty(n, row->mine));
	out_fmt(&line, "  %7s", unit_count_pretty(n, usage_used(u)));
	out_fmt(&line, "  %7s  ", usage_share(share, fill));
	figures[line.len] = '\0';
	out_paint(out, fill >= 0.9 ? PAINT_BAD : PAINT_NONE, figures);
	usage_way(out, u);
	out_z(out, "\n");
	line = out_memory(text, sizeof(text));
	usage_states(&line, u);
	usage_elsewhere(&line, u);
	usage_holders(&line, u);
	usage_likely(&line, u);
	page_paragraph(out, "", PAINT_NONE, INDENT, out_written(&line));
	write_trend(out, row);
	write_cause(out, row);
}

/* When it was, and why the next comes later than a reader would think. */
static void write_stamp(struct out *out, const struct look *l)
{
	int64_t at_ns = l->totals.known ? l->totals.t_ns : l->t_ns;
	char text[LINE_MOST];
	struct out line = out_memory(text, sizeof(text));

	if (at_ns == 0)
		return;
	draft_time(&line, "", at_ns);
	if (l->next_ns > LATE_NS) {
		draft_time(&line, ": the next look comes in ", l->next_ns);
		draft_time(&line, ", since one takes ", (int64_t)l->sample.dump_ns);
		out_z(&line, " of processor time, and looks may take 2 % of a core");
	}
	page_paragraph(out, "at", PAINT_NONE, STAMP, out_written(&line));
}

/* Between two looks. */
void look_write_totals(struct out *out, const struct look *l)
{
	char n[UNIT_PRINTED], of[UNIT_PRINTED];

	write_stamp(out, l);
	out_fmt(out, "totals   %s sockets of TCP in use and %s in TIME_WAIT in this namespace",
		unit_count_pretty(n, l->totals.inuse), unit_count_pretty(of, l->totals.tw));
	if (l->opens >= 0)
		out_fmt(out, "; %s opened", unit_rate_pretty(n, l->opens));
	out_z(out, "\n");
}

static void write_time(struct out *out, const struct look *l)
{
	char n[UNIT_PRINTED];

	if (!l->totals.known) {
		write_stamp(out, l);
		return;
	}
	look_write_totals(out, l);
	out_fmt(out, "looked   at %s\n", unit_time_pretty(n, l->t_ns));
}

/* Why there are fewer than the range has: ", less 2 reserved, 1 listened on". */
static void write_taken(struct out *out, const struct sample *s)
{
	const struct {
		uint32_t n;
		const char *words;
	} taken[] = {{s->reserved, "reserved"},
		     {s->listening, "listened on"},
		     {s->bound, "bound and not connected"}};
	const char *lead = ", less ";
	char n[UNIT_PRINTED];

	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		if (taken[i].n == 0)
			continue;
		out_fmt(out, "%s%s %s", lead, unit_count_pretty(n, taken[i].n), taken[i].words);
		lead = ", ";
	}
}

static void write_head(struct out *out, const struct look *l)
{
	char n[UNIT_PRINTED];
	bool any = false;

	if (l->pid)
		out_fmt(out, "process  %d%s, and its children\n", l->pid,
			l->pid_ended ? ", which has ended" : "");
	out_fmt(out, "ports    %s usable (%u-%u", unit_count_pretty(n, l->usable), l->range.lo,
		l->range.hi);
	write_taken(out, &l->sample);
	out_z(out, ") to each destination\n");
	if (l->opens >= 0)
		out_fmt(out, "opened   %s by all of this namespace, by the kernel's count\n",
			unit_rate_pretty(n, l->opens));
	out_z(out, "sockets ");
	for (int state = 1; state < STATES; state++) {
		if (l->sample.states[state] == 0)
			continue;
		out_fmt(out, "%s %s %s", any ? "," : "",
			unit_count_pretty(n, l->sample.states[state]), state_name(state));
		any = true;
	}
	out_fmt(out, "%s%s%s\n", any ? "" : " no TCP socket in the range",
		l->to_one ? " to that destination" : "",
		l->overfull	 ? " (at least: there are more than are counted)"
		: l->sample.torn ? " (at least: they moved while counted)"
				 : "");
}

/* What no look can tell, and what no row shows. */
static void write_doubts(struct out *out, const struct look *l)
{
	char n[UNIT_PRINTED], of[UNIT_PRINTED], text[LINE_MOST];
	struct out line = out_memory(text, sizeof(text));

	if (l->sample.from_proc)
		page_paragraph(out, "  but", PAINT_NONE, LABEL,
			       TEXT("sockets were counted from /proc/net/tcp, since there is no "
				    "sock_diag: those that are bound and not connected are not in "
				    "it, and fewer ports may be usable"));
	if (l->rateless) {
		out_fmt(&line, "how fast %s destinations fill is not known: there are too many",
			unit_count_pretty(n, l->rateless));
		page_paragraph(out, "  but", PAINT_NONE, LABEL, out_written(&line));
		line = out_memory(text, sizeof(text));
	}
	if (!l->starves_binds)
		return;
	out_fmt(&line,
		"%s of %s ports are in use towards some destination: a program that binds to port "
		"0 before it connects can have only the others, and connect() skips those that "
		"bind() took",
		unit_count_pretty(n, l->anywhere), unit_count_pretty(of, l->usable));
	page_paragraph(out, "  but", PAINT_NONE, LABEL, out_written(&line));
}

static void write_rows(struct out *out, const struct look *l)
{
	const char *mine = l->pid ? "      its" : "";

	if (l->count == 0)
		return;
	out_fmt(out, "%s     used     full  from -> to\n", mine);
	for (uint32_t i = 0; i < l->count; i++)
		write_row(out, l, &l->rows[i]);
}

/* Who came since then is nobody's yet. */
static void write_owners_age(struct out *out, const struct look *l)
{
	char text[LINE_MOST];
	struct out line = out_memory(text, sizeof(text));

	if (l->count == 0 || l->t_ns - l->owners_ns < LATE_NS)
		return;
	draft_time(&line, "(processes are those of ", l->t_ns - l->owners_ns);
	draft_time(&line, " ago: looking for them takes ", l->owners_cost_ns);
	out_z(&line, ")");
	page_paragraph(out, " ", PAINT_NONE, 2, out_written(&line));
}

void look_write(struct out *out, const struct look *l)
{
	char n[UNIT_PRINTED];

	write_time(out, l);
	write_head(out, l);
	write_doubts(out, l);
	write_rows(out, l);
	if (l->more)
		out_fmt(out, "  and %s more%s\n", unit_count_pretty(n, l->more),
			l->pid ? ", or of others" : "");
	write_owners_age(out, l);
	if (l->count && l->owners_partial)
		out_z(out, "  (there are more descriptors than are looked at: not all owners are "
			   "known)\n");
	if (l->count && !l->sees_all)
		out_z(out, "  (other users' processes are not named: only root sees them)\n");
}
