#include "report/plan.h"

#include <math.h>

#include "judge/denied.h"
#include "plan/bind.h"
#include "plan/part.h"
#include "plan/size.h"
#include "plan/together.h"
#include "plan/upstream.h"
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

static struct text say_ports(const struct plan *p, struct arena *a)
{
	const struct budget *b = &p->budget;
	struct port_range range = p->loads[p->widest].ports;
	const char *odd =
		b->may_lose_one ? "; the range is odd: one port may stay out of reach" : "";

	if (p->load_count > 1)
		return say_ports_of_loads(p, a);
	return text_format(a, "%s usable (%u-%u%s)%s = %s at once%s", say_count(a, b->usable),
			   range.lo, range.hi, say_taken(p, a), say_spaces(p, a),
			   say_number(a, b->capacity, "connection"), odd);
}

double plan_mean_ns(const struct plan *p, const struct outline *o)
{
	const struct forecast *f = &p->forecast;
	double all = (double)o->live_ns + (double)o->quiet_ns, mean;

	if (p->load_count > 1 || is_kept(o) || f->rate_is_least || !isfinite(f->rate) ||
	    f->rate <= 0)
		return 0;
	mean = (double)p->budget.capacity / f->rate * 1e9;
	return mean < 0.99 * all ? mean : 0;
}

/* The parts of a port's life, in brackets where there are two: "(2 s + 60 s)". */
static const char *say_parts(const struct plan *p, const struct outline *o, struct arena *a)
{
	double mean = plan_mean_ns(p, o);

	if (mean > 0)
		return text_format(a, "%s (the mean of load.mix)", say_time(a, mean)).s;
	if (o->live_ns == 0 || o->quiet_ns == 0)
		return say_time(a, (double)(o->live_ns + o->quiet_ns));
	return text_format(a, "(%s + %s)", say_time(a, (double)o->live_ns),
			   say_time(a, (double)o->quiet_ns))
		.s;
}

static struct text say_life(const struct plan *p, const struct outline *o, struct arena *a)
{
	const char *live = say_time(a, (double)o->live_ns), *quiet = "", *own = "";

	if (is_kept(o) && o->kept_share < 1)
		return text_format(a,
				   "%.3g %% of the connections never give their port back; the "
				   "others, after %s at most",
				   100 * o->kept_share, say_time(a, (double)o->others_ns));
	if (is_kept(o))
		return TEXT("a port is never given back");
	if (acceleration_of(p->scenario) > 1)
		own = text_format(a, "; network.time_wait makes TIME_WAIT %s instead of %s",
				  say_time(a, (double)p->scenario->network.time_wait),
				  say_time(a, (double)TIME_WAIT_NS))
			      .s;
	if (o->quiet_ns == 0)
		return text_format(a, "%s%sthe port is free with the close%s",
				   o->live_ns ? live : "", o->live_ns ? " open; " : "", own);
	quiet = say_time(a, (double)o->quiet_ns);
	if (o->live_ns == 0)
		return text_format(a, "%s after the close%s", quiet, own);
	return text_format(a, "%s open + %s after the close = %s%s", live, quiet,
			   say_time(a, (double)(o->live_ns + o->quiet_ns)), own);
}

/* Connections begun; of a closed loop nothing but the machine bounds them. */
static const char *say_begun(const struct outline *o, struct arena *a)
{
	const char *what = o->pooled ? "request" : "connection";

	return isfinite(o->begun) ? say_number(a, (uint64_t)o->begun, what)
				  : text_format(a, "as many %ss as the machine can", what).s;
}

/* " × 4 tries", " / 4 tries": where each connect fails. */
static const char *say_tries(const struct outline *o, struct arena *a)
{
	return o->tries > 1 ? text_format(a, " × %u tries", o->tries).s : "";
}

static const char *say_per_try(const struct outline *o, struct arena *a)
{
	return o->tries > 1 ? text_format(a, " / %u tries", o->tries).s : "";
}

/* How many ports the load wants at once: Little's law, or what bounds a closed loop. */
static struct text say_wanted(const struct plan *p, const struct outline *o, struct arena *a)
{
	const char *there = say_count(a, (double)together_capacity(p));
	double mean = plan_mean_ns(p, o);

	if (o->pooled)
		return plan_say_pool(p, o, a);
	if (is_kept(o) && o->kept_share < 1)
		return text_format(a, "%s, %.3g %% of them with a port for good; %s to be had",
				   say_begun(o, a), 100 * o->kept_share, there);
	if (is_kept(o))
		return text_format(a, "%s, each with a port of its own; %s to be had",
				   say_begun(o, a), there);
	if (!isfinite(o->wanted))
		return text_format(a,
				   "%s under way, as fast as they come: all of %s ports are wanted",
				   say_count(a, o->under_way), there);
	if (o->rate > 0 && o->wanted <= 0)
		return text_format(a, "%s, and each port is free at once", say_rate(a, o->rate));
	if (p->load_count == 1 && p->loads[0].shape.burst)
		return text_format(a, "%s every %s × %s = %s ports at once; %s to be had",
				   say_number(a, p->loads[0].shape.burst, "connection"),
				   say_time(a, (double)p->loads[0].shape.every_ns),
				   say_parts(p, o, a), say_count(a, ceil(o->wanted)), there);
	if (o->rate > 0)
		return text_format(a, "%s%s × %s = %s ports at once; %s to be had",
				   say_rate(a, o->rate), say_tries(o, a), say_parts(p, o, a),
				   say_count(a, ceil(mean > 0 ? o->rate * mean / 1e9 : o->wanted)),
				   there);
	if (o->quiet_ns == 0)
		return text_format(a, "%s under way, a port each; %s to be had",
				   say_count(a, o->under_way), there);
	return text_format(a, "%s under way × %s / %s = %s ports at once; %s to be had",
			   say_count(a, o->under_way), say_parts(p, o, a),
			   say_time(a, (double)o->round_ns), say_count(a, ceil(o->wanted)), there);
}

static const char *say_any_rate(double rate, struct arena *a)
{
	return isnan(rate)   ? "a rate that cannot be told"
	       : isinf(rate) ? "any rate"
	       : rate > 0    ? text_format(a, "%s for ever", say_rate(a, rate)).s
			     : "no rate";
}

static struct text say_rates(const struct plan *p, const struct outline *o, struct arena *a)
{
	const char *ports = say_number(a, p->budget.capacity, "port");

	if (part_is_mixed(p))
		return text_format(
			a, "of TCP's ports %s, of UDP's %s: each by the load whose carry least",
			say_any_rate(p->forecast.rates[PROTOCOL_TCP], a),
			say_any_rate(p->forecast.rates[PROTOCOL_UDP], a));
	if (upstreams_are_clients(p))
		return TEXT("no rate: the far end's connections to itself take all ports");
	if (p->forecast.pool_ns > 0)
		return plan_say_pool_rate(p, o, a);
	if (isnan(p->forecast.rate))
		return TEXT("cannot be told: how often a connection is used again decides");
	if (is_kept(o))
		return TEXT("no rate: what was opened stays");
	if (!isfinite(p->forecast.rate))
		return TEXT("any rate");
	if (p->load_count > 1)
		return text_format(a, "%s for ever, by the load whose ports carry least",
				   say_rate(a, p->forecast.rate));
	if (p->forecast.rate_is_least)
		return plan_say_gateway_rate(p, a);
	return text_format(a, "%s%s / %s = %s for ever", ports, say_per_try(o, a),
			   say_parts(p, o, a), say_rate(a, p->forecast.rate));
}

static const char *say_ends(const struct outline *o, struct arena *a)
{
	const struct guess *g = &o->ends_ns;

	if (is_narrow(g))
		return text_format(a, "%s at most", say_time(a, g->most)).s;
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
			   say_begun(o, a), say_number(a, o->ports, "port"),
			   say_number(a, n->slots, "descriptor"), say_number(a, n->rings, "ring"),
			   say_count(a, (double)n->descriptors), say_memory(p, a), say_ends(o, a));
}

static void print_facts(struct out *out, const struct plan *p, struct arena a)
{
	const struct outline o = outline_of(p);
	const struct {
		const char *label;
		struct text text;
	} lines[] = {
		{"  ports", say_ports(p, &a)},
		{"  port life", say_life(p, &o, &a)},
		{"  load", say_wanted(p, &o, &a)},
		{"  sustained", say_rates(p, &o, &a)},
		{"  gateway", plan_say_gateway(p, &o, &a)},
		{"  far end", plan_say_loop(p, &a)},
		{"  sockets", plan_say_descriptors(p, &a)},
		{"  predicted", plan_say_failure(p, &o, &a)},
		{"  half full", plan_say_half(p, &o, &a)},
		{"  needs", say_needs(p, &o, &a)},
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (lines[i].text.len)
			page_paragraph(out, lines[i].label, PAINT_NONE, LABEL, lines[i].text);
}

size_t plan_denied(const struct planned *p)
{
	struct denial denied[DENIED_MOST];

	return p->plan.needs.rings ? denied_find(denied, DENIED_MOST, &p->plan) : 0;
}

static const char *say_bound(enum measure_kind kind, double n, struct arena *a)
{
	return block_value(ARENA_ARRAY(a, char, UNIT_PRINTED), kind, (struct value){true, n});
}

/* "exhausted == false, file.yaml:12, cannot hold: predicted true" */
static void print_denied(struct out *out, const struct plan *p, struct arena a)
{
	struct denial denied[DENIED_MOST];
	size_t count = denied_find(denied, DENIED_MOST, p);

	for (size_t i = 0; i < count; i++) {
		const struct expectation *e = denied[i].line;
		const struct guess *g = &denied[i].predicted;
		enum measure_kind kind = measure_infos[e->what.measure].kind;
		const char *to =
			isinf(g->most) ? " or more"
			: g->least == g->most
				? ""
				: text_format(&a, " to %s", say_bound(kind, g->most, &a)).s;

		page_paragraph(out, "  but", PAINT_BAD, LABEL,
			       text_format(&a,
					   "%s:%u expects " TEXT_FMT
					   ", which cannot hold: predicted %s%s",
					   e->at.file, e->at.line, TEXT_ARG(e->text),
					   say_bound(kind, g->least, &a), to));
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
		print_denied(out, &p->plan, scratch);
	}
	if (p->err.kind)
		page_paragraph(out, "  refused", PAINT_BAD, LABEL, text_of(p->err.what));
	if (p->err.hint[0])
		page_paragraph(out, "  hint:", PAINT_NONE, 8, text_of(p->err.hint));
}
