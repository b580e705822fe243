#include "report/destinations.h"

#include <stdio.h>

#include "base/unit.h"
#include "report/draft.h"
#include "report/page.h"
#include "report/usage.h"

enum { TABLE = 43, CELLS = 58 };

static void dump_of(struct result_dump *out, const struct tape *tape, const struct sample *s,
		    const struct portmap *map, struct arena *a)
{
	if (!s)
		return;
	*out = (struct result_dump){
		.present = true,
		.torn = s->torn,
		.from_proc = s->from_proc,
		.at_ns = s->t_ns,
		.reserved = s->reserved,
		.listening = s->listening,
		.bound = s->bound,
		.count = s->usage_count,
		.more_count = s->more_count,
		.more_used = s->more_used,
		.map = map && map->known && map->used_max == s->used_max ? map : NULL,
	};
	out->usages = ARENA_ARRAY(a, struct usage, s->usage_count);
	for (uint32_t i = 0; i < s->usage_count; i++)
		out->usages[i] = sample_usages(tape, s)[i];
}

void destinations_of(struct result_run *out, const struct tape *tape, struct arena *a)
{
	dump_of(&out->fullest, tape, tape_fullest(tape), tape->fullest_map, a);
	dump_of(&out->end, tape, tape_last_dump(tape), tape->last_map, a);
}

/* ---- to a reader --------------------------------------------------------- */

/* Where there is one destination alone, the lines about ports and sockets have said it. */
void block_fullest(struct out *out, const struct result_run *run)
{
	char buffer[LINE_MOST];
	struct out to = out_memory(buffer, sizeof(buffer));
	const struct usage *u = run->fullest.usages;

	if (!run->fullest.present || run->fullest.count + run->fullest.more_count < 2)
		return;
	usage_way(&to, u);
	out_z(&to, ": ");
	draft_count(&to, usage_used(u));
	out_z(&to, " of ");
	draft_count(&to, u->usable);
	out_z(&to, " ports, ");
	usage_states(&to, u);
	usage_elsewhere(&to, u);
	page_paragraph(out, "  fullest", PAINT_NONE, LABEL, out_written(&to));
}

/* A number at the right of its column. */
static void add_right(struct out *to, int wide, const char *text)
{
	out_fmt(to, "%*s", wide, text);
}

static void print_usage(struct out *out, const struct usage *u)
{
	double fill = u->usable ? (double)usage_used(u) / u->usable : 1;
	uint32_t used = usage_used(u);
	char lead[LINE_MOST], buffer[LINE_MOST], text[UNIT_PRINTED];
	struct out to = out_memory(lead, sizeof(lead) - 1);

	add_right(&to, 9, unit_count_pretty(text, used));
	add_right(&to, 8, unit_count_pretty(text, usage_free(u)));
	add_right(&to, 8, usage_share(text, fill));
	add_right(&to, 8, unit_count_pretty(text, u->lower));
	add_right(&to, 8, unit_count_pretty(text, used > u->lower ? used - u->lower : 0));
	lead[to.len] = '\0';
	to = out_memory(buffer, sizeof(buffer));
	usage_way(&to, u);
	out_z(&to, ": ");
	usage_states(&to, u);
	usage_elsewhere(&to, u);
	if (!usage_is_ours(u))
		usage_holders(&to, u);
	page_paragraph(out, lead, PAINT_NONE, TABLE, out_written(&to));
}

/* "the fullest, at 0.32 s; of the range, 1 reserved, 2 listened on" */
static void add_head(struct out *to, const struct result_dump *d, const char *which)
{
	const struct {
		uint32_t n;
		const char *words;
	} taken[] = {{d->reserved, "reserved"},
		     {d->listening, "listened on"},
		     {d->bound, "bound and not connected"}};
	const char *lead = "; of the range, ";

	out_z(to, which);
	if (d->at_ns >= 0)
		draft_time(to, ", at ", d->at_ns);
	if (d->torn)
		out_z(to, ", at least: sockets moved while they were counted");
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		if (taken[i].n == 0)
			continue;
		out_z(to, lead);
		draft_count(to, taken[i].n);
		out_fmt(to, " %s", taken[i].words);
		lead = ", ";
	}
}

/* A cell of the map: of `all` ports, so many are in use, and so many no connect can have. */
static char cell_of(uint32_t all, uint32_t used, uint32_t taken)
{
	if (used == 0)
		return taken == all ? 'x' : '.';
	if (used + taken >= all)
		return '#';
	return 2 * used >= all ? '+' : '-';
}

/* The ports of one parity, `first` and every second one, in at most CELLS cells. */
static void add_half(struct out *to, const struct portmap *m, uint32_t first)
{
	uint32_t size = m->range.hi >= first ? (m->range.hi - first) / 2 + 1 : 0;
	uint32_t each = (size + CELLS - 1) / CELLS;

	for (uint32_t begin = 0; begin < size; begin += each) {
		uint32_t used = 0, taken = 0, all = 0;

		for (uint32_t i = begin; i < begin + each && i < size; i++, all++) {
			uint16_t port = (uint16_t)(first + 2 * i);

			used += portset_has(&m->used, port);
			taken += portset_has(&m->taken, port) && !portset_has(&m->used, port);
		}
		out_fmt(to, "%c", cell_of(all, used, taken));
	}
}

/* The two halves below each other: connect() fills the first before it takes of the second. */
static void print_map(struct out *out, const struct portmap *m)
{
	for (uint32_t half = 0; half < 2; half++) {
		uint32_t first = m->range.lo + half;
		char buffer[LINE_MOST];
		struct out to = out_memory(buffer, sizeof(buffer));

		add_half(&to, m, first);
		if (to.len == 0)
			continue;
		out_z(out, half ? "" : "    the first: ");
		out_pad(out, half ? 15 : 0);
		out_z(out, first % 2 ? "odd  " : "even ");
		out_text(out, out_written(&to));
		out_z(out, "\n");
	}
	page_paragraph(out, "", PAINT_NONE, 15,
		       TEXT("# all in use, + half or more, - fewer, . none, x not available"));
}

static void print_dump(struct out *out, const struct result_dump *d, const char *label,
		       const char *which)
{
	char buffer[LINE_MOST];
	struct out to = out_memory(buffer, sizeof(buffer));

	add_head(&to, d, which);
	page_paragraph(out, label, PAINT_NONE, LABEL, out_written(&to));
	if (d->count)
		out_z(out, "     used    free    full   lower   upper  from -> to\n");
	for (uint32_t i = 0; i < d->count; i++)
		print_usage(out, &d->usages[i]);
	if (d->map && d->count)
		print_map(out, d->map);
	if (d->more_count == 0)
		return;
	to = out_memory(buffer, sizeof(buffer));
	draft_count(&to, d->more_used);
	out_z(&to, d->more_used == 1 ? " port to " : " ports to ");
	draft_count(&to, d->more_count);
	out_z(&to, d->more_count == 1 ? " other destination" : " other destinations");
	page_paragraph(out, "    ", PAINT_NONE, 4, out_written(&to));
}

void block_destinations(struct out *out, const struct result_run *run)
{
	if (run->fullest.present && run->fullest.count)
		print_dump(out, &run->fullest, "  dumps", "the fullest");
	if (run->end.present && (run->end.at_ns != run->fullest.at_ns || run->fullest.count == 0))
		print_dump(out, &run->end, run->fullest.count ? "" : "  dumps", "the last");
}
