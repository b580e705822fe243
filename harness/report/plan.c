#include "report/plan.h"

#include <math.h>

#include "plan/bind.h"
#include "plan/part.h"
#include "plan/size.h"
#include "plan/together.h"
#include "report/block.h"
#include "report/page.h"
#include "report/plan_say.h"

enum { LABEL = 13, LINE_MOST = 1024 };

/* " × 2 sources × 3 destinations"; of ports that bind() or UDP takes, each is for all
 * destinations. */
static const char *say_spaces(const struct plan *p, struct arena *a)
{
	const struct budget *b = &p->budget;
	const char *sources = say_number(a, p->sources.count, "source");
	const char *destinations = say_number(a, p->destinations, "destination");

	if (b->spaces == b->pairs)
		return text_format(a, " × %s × %s", sources, destinations).s;
	if (b->spaces == p->sources.count)
		return text_format(a, " × %s (to %s together)", sources, destinations).s;
	return text_format(a, " (from %s to %s together)", sources, destinations).s;
}

/* ": 32 - 4 reserved - 10 held", where not all of the range is usable. */
static const char *say_taken(const struct plan *p, struct arena *a)
{
	struct port_range range = p->loads[p->widest].ports;
	uint32_t size = range.hi - range.lo + 1U, taken = size - p->budget.usable;
	uint32_t reserved = bind_names_port(p->loads[p->widest].bind)
				    ? 0
				    : ports_within(&p->scenario->network.reserved, range);
	const char *held = "", *kept = "";

	if (taken == 0)
		return "";
	if (reserved)
		kept = text_format(a, " − %s reserved", say_count(a, reserved)).s;
	if (taken > reserved)
		held = text_format(a, " − %s held by others", say_count(a, taken - reserved)).s;
	return text_format(a, ": %s%s%s", say_count(a, size), kept, held).s;
}

/* "client: 32 of tcp; server: 1 of tcp; 32 connections at once in all" */
static struct text say_ports_of_loads(const struct plan *p, struct arena *a)
{
	struct text all = {0};

	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct load_plan *lp = &p->loads[i];

		all = text_format(a, TEXT_FMT TEXT_FMT ": %s of %s (%u-%u) × %s; ", TEXT_ARG(all),
				  TEXT_ARG(p->scenario->loads.list[i].name),
				  say_number(a, lp->budget.usable, "port"),
				  protocol_words[lp->load->protocol].word, lp->ports.lo,
				  lp->ports.hi, say_number(a, lp->budget.spaces, "pair"));
	}
	return text_format(a, TEXT_FMT "in all %s at once", TEXT_ARG(all),
			   say_number(a, together_capacity(p), "connection"));
}

static struct text say_ports(const struct plan *p, const struct outline *o, struct arena *a)
{
	const struct budget *b = &p->budget;
	struct port_range range = p->loads[p->widest].ports;
	const char *odd =
		b->may_lose_one ? "; the range is odd: one port may stay out of reach" : "";

	(void)o;
	if (p->load_count > 1)
		return say_ports_of_loads(p, a);
	return text_format(a, "%s usable (%u-%u%s)%s = %s at once%s", say_count(a, b->usable),
			   range.lo, range.hi, say_taken(p, a), say_spaces(p, a),
			   say_number(a, b->capacity, "connection"), odd);
}

/* Whatever holds the machine up, stop.time ends the run. */
static const char *say_ends(const struct plan *p, const struct outline *o, struct arena *a)
{
	const struct guess *g = &o->ends_ns;

	if (g->likely >= (double)p->scenario->stop.time)
		return text_format(a, "%s at most", say_time(a, g->likely)).s;
	if (is_narrow(g))
		return text_format(a, "about %s", say_time(a, g->likely)).s;
	return text_format(a, "about %s, up to %s on a slow machine", say_time(a, g->likely),
			   say_time(a, g->most))
		.s;
}

/* "0.8 MB = 97 open × 8 KB", and what waits, is squatted and is carried besides. */
static const char *say_memory(const struct plan *p, struct arena *a)
{
	const struct needs *n = &p->needs;
	const struct {
		uint64_t bytes;
		const char *text;
	} parts[] = {
		{n->live, text_format(a, "%s open × %.1f KB", say_count(a, (double)n->live),
				      PAIR_BYTES / 1e3)
				  .s},
		{n->waiting, text_format(a, "%s closed × %.2f KB", say_count(a, (double)n->waiting),
					 WAIT_BYTES / 1e3)
				     .s},
		{p->squat.sockets,
		 text_format(a, "%s bound × %.1f KB", say_count(a, (double)p->squat.sockets),
			     BOUND_BYTES / 1e3)
			 .s},
		{n->buffered,
		 text_format(a, "%.2f MB that they carry", (double)n->buffered / 1e6).s},
	};
	struct text sum = {0};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i].bytes)
			sum = text_format(a, TEXT_FMT "%s%s", TEXT_ARG(sum),
					  sum.len ? " + " : " = ", parts[i].text);
	return text_format(a, "%.2f MB for sockets" TEXT_FMT, (double)n->bytes / 1e6, TEXT_ARG(sum))
		.s;
}

static struct text say_needs(const struct plan *p, const struct outline *o, struct arena *a)
{
	const struct needs *n = &p->needs;

	return text_format(a, "%s, %s at once at most; %s in %s, and %s of RLIMIT_NOFILE; %s; %s",
			   plan_say_begun(o, o->begun, a), say_number(a, o->ports, "port"),
			   say_number(a, n->slots, "descriptor"), say_number(a, n->rings, "ring"),
			   say_count(a, (double)n->descriptors), say_memory(p, a),
			   say_ends(p, o, a));
}

/* A plan, or what it is of those loads that want nothing of the others' ports. */
struct facet {
	const char *name;
	struct plan plan;
	struct outline outline;
};

/* "of TCP: …; of UDP: …", where there are several. */
static struct text say_each(const struct facet *list, uint32_t count,
			    struct text (*say)(const struct plan *, const struct outline *,
					       struct arena *),
			    struct arena *a)
{
	struct text all = {0};

	if (count == 1)
		return say(&list->plan, &list->outline, a);
	for (uint32_t i = 0; i < count; i++) {
		struct text one = say(&list[i].plan, &list[i].outline, a);

		all = text_format(a, TEXT_FMT "%sof %s: " TEXT_FMT, TEXT_ARG(all), i ? "; " : "",
				  list[i].name, TEXT_ARG(one));
	}
	return all;
}

static struct facet *facets_of(const struct plan *p, uint32_t *count, struct arena *a)
{
	struct facet *list = ARENA_ARRAY(a, struct facet, PARTS_MOST);
	struct part parts[PARTS_MOST];

	*count = parts_of(parts, p);
	for (uint32_t i = 0; i < *count; i++) {
		struct facet *f = &list[i];

		f->name = part_name(parts[i], p);
		f->plan = *p;
		if (*count > 1)
			part_of(&f->plan, p, parts[i],
				ARENA_ARRAY(a, struct load_plan, p->load_count));
		f->outline = outline_of(&f->plan);
	}
	return list;
}

// clang-format off
static const struct {
	const char *label;
	struct text (*say)(const struct plan *, const struct outline *, struct arena *);
	bool of_part;
} facts[] = {
	{"  ports", say_ports, false},
	{"  port life", plan_say_life, true},
	{"  load", plan_say_wanted, true},
	{"  sustained", plan_say_rates, true},
	{"  gateway", plan_say_gateway, false},
	{"  far end", plan_say_loop, false},
	{"  sockets", plan_say_descriptors, false},
	{"  predicted", plan_say_failure, true},
	{"  half full", plan_say_half, true},
	{"  needs", say_needs, false},
};
// clang-format on

static void print_facts(struct out *out, const struct plan *p, struct arena a)
{
	const struct facet whole = {.plan = *p, .outline = outline_of(p)};
	uint32_t count;
	const struct facet *parts = facets_of(p, &count, &a);

	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		struct text said = facts[i].of_part ? say_each(parts, count, facts[i].say, &a)
						    : say_each(&whole, 1, facts[i].say, &a);

		if (said.len)
			page_paragraph(out, facts[i].label, PAINT_NONE, LABEL, said);
	}
}

static const char *say_bound(enum measure_kind kind, double n, struct arena *a)
{
	return block_value(ARENA_ARRAY(a, char, UNIT_PRINTED), kind, (struct value){true, n});
}

/* "predicted 33 to 40"; of what no run has, why. */
static const char *say_predicted(const struct denial *d, struct arena *a)
{
	enum measure what = d->line->what.measure;
	enum measure_kind kind = measure_infos[what].kind;
	const struct guess *g = &d->predicted;
	bool recovers = what == MEASURE_RECOVERY || what == MEASURE_RECOVERED_AT;
	const char *to = isinf(g->most) ? " or more"
			 : g->least == g->most
				 ? ""
				 : text_format(a, " to %s", say_bound(kind, g->most, a)).s;

	if (d->absent)
		return recovers ? "no exhausted destination takes a connection again, and it has "
				  "no value"
				: "no connect is refused for want of a port, and it has no value";
	return text_format(a, "predicted %s%s", say_bound(kind, g->least, a), to).s;
}

/* "exhausted == false, file.yaml:12, cannot hold: predicted true" */
static void print_denied(struct out *out, const struct denial_list *denied, struct arena a)
{
	for (size_t i = 0; i < denied->count; i++) {
		const struct expectation *e = denied->list[i].line;

		page_paragraph(out, "  but", PAINT_BAD, LABEL,
			       text_format(&a, "%s:%u expects " TEXT_FMT ", which cannot hold: %s",
					   e->at.file, e->at.line, TEXT_ARG(e->text),
					   say_predicted(&denied->list[i], &a)));
	}
}

void plan_write_text(struct out *out, const struct planned *p, struct arena scratch)
{
	const struct scenario *s = p->scenario;

	out_escaped(out, s->top.name);
	if (!text_is(s->case_name, "base")) {
		out_z(out, "/");
		out_escaped(out, s->case_name);
	}
	out_z(out, "\n");
	if (s->top.title.len)
		page_paragraph(out, " ", PAINT_NONE, 2, s->top.title);
	if (p->plan.needs.rings) { /* all but the machine's limits was looked at */
		print_facts(out, &p->plan, scratch);
		print_denied(out, &p->denied, scratch);
	}
	if (p->err.kind)
		page_paragraph(out, "  refused", PAINT_BAD, LABEL, text_of(p->err.what));
	if (p->err.hint[0])
		page_paragraph(out, "  hint:", PAINT_NONE, 8, text_of(p->err.hint));
}
