#include "report/plan.h"

#include <jansson.h>
#include <math.h>

#include "base/unit.h"
#include "plan/outline.h"
#include "report/page.h"

enum { LABEL = 13, LINE_MOST = 1024 };

/* ---- for a person -------------------------------------------------------- */

static const char *say_count(struct arena *a, double n)
{
	return unit_count_pretty(ARENA_ARRAY(a, char, UNIT_PRINTED), (uint64_t)n);
}

static const char *say_time(struct arena *a, double ns)
{
	return unit_time_pretty(ARENA_ARRAY(a, char, UNIT_PRINTED), (int64_t)ns);
}

static const char *say_rate(struct arena *a, double per_s)
{
	return unit_rate_pretty(ARENA_ARRAY(a, char, UNIT_PRINTED), per_s);
}

/* "1 source", "3 sources" */
static const char *say_number(struct arena *a, uint64_t n, const char *one)
{
	return text_format(a, "%s %s%s", say_count(a, (double)n), one, n == 1 ? "" : "s").s;
}

static const char *say_addresses(struct arena *a, uint64_t n)
{
	return n == 1 ? "1 address" : text_format(a, "%s addresses", say_count(a, (double)n)).s;
}

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

static struct text say_ports(const struct plan *p, struct arena *a)
{
	const struct budget *b = &p->budget;
	struct port_range range = p->loads[p->widest].ports;
	const char *odd =
		b->may_lose_one ? "; the range is odd: one port may stay out of reach" : "";

	return text_format(a, "%s usable (%u-%u)%s = %s at once%s", say_count(a, b->usable),
			   range.lo, range.hi, say_spaces(p, a),
			   say_number(a, b->capacity, "connection"), odd);
}

/* The parts of a port's life, in brackets where there are two: "(2 s + 60 s)". */
static const char *say_parts(const struct outline *o, struct arena *a)
{
	if (o->live_ns == 0 || o->quiet_ns == 0)
		return say_time(a, (double)(o->live_ns + o->quiet_ns));
	return text_format(a, "(%s + %s)", say_time(a, (double)o->live_ns),
			   say_time(a, (double)o->quiet_ns))
		.s;
}

static bool is_kept(const struct outline *o)
{
	return o->live_ns == FOR_EVER || o->quiet_ns == FOR_EVER;
}

static struct text say_life(const struct plan *p, const struct outline *o, struct arena *a)
{
	const char *live = say_time(a, (double)o->live_ns), *quiet = "", *own = "";

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

/* Requests that find no idle connection open one; those that find no place in the pool end it. */
static struct text say_pool(const struct plan *p, const struct outline *o, struct arena *a)
{
	const struct load_plan *lp = &p->loads[0];
	const char *requests = say_rate(a, o->rate), *kept = "", *serves = "", *churn = "";

	if (o->rate <= 0)
		requests = text_format(a, "%s at once", say_count(a, o->under_way)).s;
	if (lp->load->pool.max_idle)
		kept = text_format(a, ", %s kept idle to a destination",
				   say_number(a, lp->idle_most, "connection"))
			       .s;
	if (lp->load->request.per_connection)
		serves = text_format(a, ", each for %s", say_number(a, lp->serves_most, "request"))
				 .s;
	if (o->rate <= 0 && lp->load->pool.max_idle && o->under_way > lp->idle_most)
		churn = text_format(a, ": %s in each round end after one use",
				    say_count(a, o->under_way - lp->idle_most))
				.s;
	return text_format(a, "requests: %s%s%s%s; %s to be had", requests, kept, serves, churn,
			   say_number(a, p->budget.capacity, "port"));
}

/* How many ports the load wants at once: Little's law, or what bounds a closed loop. */
static struct text say_wanted(const struct plan *p, const struct outline *o, struct arena *a)
{
	const char *there = say_count(a, (double)p->budget.capacity);

	if (o->pooled)
		return say_pool(p, o, a);
	if (is_kept(o))
		return text_format(a, "%s, each with a port of its own; %s to be had",
				   say_begun(o, a), there);
	if (!isfinite(o->wanted))
		return text_format(a,
				   "%s under way, as fast as they come: all of %s ports are wanted",
				   say_count(a, o->under_way), there);
	if (o->rate > 0 && o->wanted <= 0)
		return text_format(a, "%s, and each port is free at once", say_rate(a, o->rate));
	if (o->rate > 0)
		return text_format(a, "%s × %s = %s ports at once; %s to be had",
				   say_rate(a, o->rate), say_parts(o, a),
				   say_count(a, ceil(o->wanted)), there);
	if (o->quiet_ns == 0)
		return text_format(a, "%s under way, a port each; %s to be had",
				   say_count(a, o->under_way), there);
	return text_format(a, "%s under way × %s / %s = %s ports at once; %s to be had",
			   say_count(a, o->under_way), say_parts(o, a),
			   say_time(a, (double)o->round_ns), say_count(a, ceil(o->wanted)), there);
}

/* Is it the gateway that bounds the rate? */
static bool is_gateway_narrow(const struct plan *p)
{
	double own = (double)p->budget.capacity * 1e9 / (double)p->forecast.port_life_ns;

	return p->nat.outside.count && p->forecast.rate < own;
}

static struct text say_rates(const struct plan *p, const struct outline *o, struct arena *a)
{
	const char *ports = say_number(a, p->budget.capacity, "port");

	if (isnan(p->forecast.rate))
		return TEXT("cannot be told: how often a connection is used again decides");
	if (is_kept(o))
		return TEXT("no rate: what was opened stays");
	if (!isfinite(p->forecast.rate))
		return TEXT("any rate");
	if (is_gateway_narrow(p))
		return text_format(a,
				   "%s for ever: the gateway may keep the port of a closed "
				   "connection for 120 s, of one that was reset for 10 s",
				   say_rate(a, p->forecast.rate));
	return text_format(a, "%s / %s = %s for ever", ports, say_parts(o, a),
			   say_rate(a, p->forecast.rate));
}

static struct text say_failure(const struct plan *p, const struct outline *o, struct arena *a)
{
	const char *when = "", *after = "no port comes back";

	if (!o->known && o->pooled)
		return TEXT("cannot be told: how many connections the pool opens decides");
	if (!o->known && p->forecast.times_out_after)
		return TEXT("the gateway's ports end first: connects time out");
	if (!o->known)
		return TEXT("cannot be told: how fast the machine is decides");
	if (!o->exhausts)
		return TEXT("the ports do not run out");
	if (o->rate > 0 || o->at_ns > 0)
		when = text_format(a, ", at %s", say_time(a, o->at_ns)).s;
	if (o->recovery_ns != FOR_EVER)
		after = text_format(a, "the first port is free again %s later",
				    say_time(a, (double)o->recovery_ns))
				.s;
	return text_format(a, "connection %s finds no port%s; %s",
			   say_count(a, (double)o->after + 1), when, after);
}

static struct text say_half(const struct outline *o, struct arena *a)
{
	const char *when = "";

	if (o->half == 0)
		return TEXT("no connect is slower");
	if (o->pooled)
		return TEXT("cannot be told, as above");
	if (!o->half_reached)
		return TEXT("not reached: no connect is slower");
	if (o->rate > 0 || o->half_at_ns > 0)
		when = text_format(a, ", at %s", say_time(a, o->half_at_ns)).s;
	return text_format(a,
			   "from %s towards a destination on%s: each connect passes over as many, "
			   "about %s more",
			   say_number(a, o->half, "port"), when, say_time(a, o->half_cost_ns));
}

static uint64_t ports_used(const struct plan *p, const struct outline *o)
{
	uint64_t used = p->budget.capacity;

	if (o->begun < (double)used)
		used = (uint64_t)o->begun;
	return o->wanted < (double)used ? (uint64_t)ceil(o->wanted) : used;
}

static struct text say_needs(const struct plan *p, const struct outline *o, struct arena *a)
{
	const struct needs *n = &p->needs;

	return text_format(a,
			   "%s, %s at once at most; %s in %s, and %s of RLIMIT_NOFILE; %.1f MB for "
			   "sockets; %s at most",
			   say_begun(o, a), say_number(a, ports_used(p, o), "port"),
			   say_number(a, n->slots, "descriptor"), say_number(a, n->rings, "ring"),
			   say_count(a, (double)n->descriptors), (double)n->bytes / 1e6,
			   say_time(a, o->ends_ns));
}

static uint64_t gateway_ports(const struct plan *p)
{
	return p->nat.carriage.each / p->nat.outside.count;
}

/* Where the gateway has no port either, a connect hangs: nothing says no. */
static struct text say_gateway(const struct plan *p, struct arena *a)
{
	uint64_t limit = p->scenario->network.nat.limit, after = p->forecast.times_out_after;
	const char *tracked = "", *fate = "";

	if (p->nat.outside.count == 0)
		return (struct text){0};
	if (limit)
		tracked = text_format(a, "; %s tracked at once", say_count(a, (double)limit)).s;
	if (after)
		fate = text_format(a, ": this load comes to that after %s",
				   say_count(a, (double)after))
			       .s;
	return text_format(a,
			   "%s × %s × %s = %s open at once%s; a connect beyond that hangs until "
			   "its timeout%s",
			   say_number(a, gateway_ports(p), "port"),
			   say_addresses(a, p->nat.outside.count),
			   say_number(a, p->destinations, "destination"),
			   say_number(a, p->nat.carriage.ports, "connection"), tracked, fate);
}

static void print_facts(struct out *out, const struct plan *p, struct arena a)
{
	const struct outline o = outline_of(p);
	const struct {
		const char *label;
		struct text text;
	} lines[] = {
		{"  ports", say_ports(p, &a)},	   {"  port life", say_life(p, &o, &a)},
		{"  load", say_wanted(p, &o, &a)}, {"  sustained", say_rates(p, &o, &a)},
		{"  gateway", say_gateway(p, &a)}, {"  predicted", say_failure(p, &o, &a)},
		{"  half full", say_half(&o, &a)}, {"  needs", say_needs(p, &o, &a)},
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (lines[i].text.len)
			page_paragraph(out, lines[i].label, PAINT_NONE, LABEL, lines[i].text);
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
	if (p->plan.needs.rings) /* all but the machine's limits was looked at */
		print_facts(out, &p->plan, scratch);
	if (p->err.kind)
		page_paragraph(out, "  refused", PAINT_BAD, LABEL, text_of(p->err.what));
	if (p->err.hint[0])
		page_paragraph(out, "  hint:", PAINT_NONE, 8, text_of(p->err.hint));
}

/* ---- as JSON ------------------------------------------------------------- */

/* Seconds; null for what has no end. */
static json_t *seconds(double ns)
{
	return ns < (double)FOR_EVER ? json_real(ns / 1e9) : json_null();
}

static json_t *real_or_null(double n)
{
	return isfinite(n) ? json_real(n) : json_null();
}

static json_t *count_or_null(double n)
{
	return isfinite(n) ? json_integer((json_int_t)ceil(n)) : json_null();
}

static json_t *json_ports(const struct plan *p)
{
	const struct budget *b = &p->budget;
	struct port_range range = p->loads[p->widest].ports;

	return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:b}", "range",
			 json_sprintf("%u-%u", range.lo, range.hi), "usable", (json_int_t)b->usable,
			 "sources", (json_int_t)p->sources.count, "destinations",
			 (json_int_t)p->destinations, "spaces", (json_int_t)b->spaces, "capacity",
			 (json_int_t)b->capacity, "may_lose_one", b->may_lose_one);
}

static json_t *json_life(const struct plan *p, const struct outline *o)
{
	json_t *life = json_pack("{s:o, s:o, s:o}", "open", seconds((double)o->live_ns), "quiet",
				 seconds((double)o->quiet_ns), "all",
				 seconds((double)p->forecast.port_life_ns));

	if (acceleration_of(p->scenario) > 1)
		json_object_set_new(life, "accelerated", json_real(acceleration_of(p->scenario)));
	return life;
}

static json_t *json_predicted(const struct outline *o)
{
	json_t *f = json_object();

	json_object_set_new(f, "exhausted", o->known ? json_boolean(o->exhausts) : json_null());
	if (!o->exhausts)
		return f;
	json_object_set_new(f, "after", json_integer((json_int_t)o->after));
	if (o->at_ns > 0)
		json_object_set_new(f, "at", seconds(o->at_ns));
	json_object_set_new(f, "recovery", seconds((double)o->recovery_ns));
	return f;
}

static json_t *json_half(const struct outline *o)
{
	json_t *half = json_pack("{s:I, s:b, s:o}", "ports", (json_int_t)o->half, "reached",
				 o->half_reached, "connect_slower", seconds(o->half_cost_ns));

	if (o->half_at_ns > 0)
		json_object_set_new(half, "at", seconds(o->half_at_ns));
	return half;
}

static json_t *json_needs(const struct plan *p, const struct outline *o)
{
	const struct needs *n = &p->needs;

	return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:o}", "connections",
			 count_or_null(o->begun), "ports", (json_int_t)ports_used(p, o), "slots",
			 (json_int_t)n->slots, "rings", (json_int_t)n->rings, "descriptors",
			 (json_int_t)n->descriptors, "bytes", (json_int_t)n->bytes, "time",
			 seconds(o->ends_ns));
}

static json_t *json_gateway(const struct plan *p)
{
	json_t *o = json_pack("{s:I, s:I, s:I, s:I}", "ports", (json_int_t)gateway_ports(p),
			      "addresses", (json_int_t)p->nat.outside.count, "capacity",
			      (json_int_t)p->nat.carriage.ports, "limit",
			      (json_int_t)p->scenario->network.nat.limit);

	if (p->forecast.times_out_after)
		json_object_set_new(o, "times_out_after",
				    json_integer((json_int_t)p->forecast.times_out_after));
	return o;
}

static void put_facts(json_t *one, const struct plan *p)
{
	const struct outline o = outline_of(p);

	json_object_set_new(one, "ports", json_ports(p));
	if (p->scenario->network.topology == TOPOLOGY_NAT)
		json_object_set_new(one, "gateway", json_gateway(p));
	json_object_set_new(one, "port_life", json_life(p, &o));
	json_object_set_new(one, "wanted", count_or_null(o.wanted));
	json_object_set_new(one, "sustained", real_or_null(p->forecast.rate));
	json_object_set_new(one, "predicted", json_predicted(&o));
	json_object_set_new(one, "half_full", o.half ? json_half(&o) : json_null());
	json_object_set_new(one, "needs", json_needs(p, &o));
}

static json_t *json_text(struct text t)
{
	return json_stringn(t.len ? t.s : "", t.len);
}

static json_t *json_planned(const struct planned *p)
{
	json_t *one = json_object();

	json_object_set_new(one, "scenario", json_text(p->scenario->top.name));
	json_object_set_new(one, "case", json_text(p->scenario->case_name));
	json_object_set_new(one, "file", json_string(p->scenario->file));
	if (p->plan.needs.rings)
		put_facts(one, &p->plan);
	if (p->err.kind) {
		json_object_set_new(one, "error", json_string(p->err.what));
		json_object_set_new(one, "hint", json_string(p->err.hint));
	}
	return one;
}

static int to_out(const char *text, size_t len, void *out)
{
	out_text(out, (struct text){text, len});
	return 0;
}

bool plan_write_json(struct out *out, const struct planned *list, size_t count)
{
	json_t *plans = json_array(), *all = json_object();
	bool ok = true;

	json_object_set_new(all, "schema", json_integer(1));
	for (size_t i = 0; i < count; i++)
		ok = json_array_append_new(plans, json_planned(&list[i])) == 0 && ok;
	ok = json_object_set_new(all, "plans", plans) == 0 && ok &&
	     json_dump_callback(all, to_out, out,
				JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15)) == 0;
	json_decref(all);
	out_z(out, "\n");
	return ok;
}
