#include "report/plan.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "plan/doubt.h"
#include "plan/outline.h"
#include "plan/part.h"
#include "report/plan_say.h"

static json_t *json_text(struct text t)
{
	return json_stringn(t.len ? t.s : "", t.len);
}

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

/* Without a bound it is null; what cannot be told is not there. */
static void put_bound(json_t *o, const char *key, double n, json_t *(*json)(double))
{
	if (!isnan(n))
		json_object_set_new(o, key, json(n));
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

/* KEY, and between which bounds it lies. */
static void put_guess(json_t *o, const char *key, const struct guess *g)
{
	const struct {
		const char *suffix;
		double ns;
	} bounds[] = {{"", g->likely}, {"_least", g->least}, {"_most", g->most}};

	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		char name[32];

		snprintf(name, sizeof(name), "%s%s", key, bounds[i].suffix);
		json_object_set_new(o, name, seconds(bounds[i].ns));
	}
}

/* Where it cannot be told: which reason, and of several loads whose it is. */
static void put_doubt(json_t *o, const char *key, const struct plan *p, enum doubt why)
{
	const struct load_plan *of = why ? doubt_load(p, why) : NULL;

	if (why)
		json_object_set_new(o, key, json_string(doubt_name(why)));
	if (of && p->load_count > 1)
		json_object_set_new(o, "unknown_load", json_text(plan_load_name(p, of)));
}

static json_t *json_predicted(const struct plan *p, const struct outline *o, struct arena *a)
{
	json_t *f = json_object();

	if (o->known)
		json_object_set_new(f, "exhausted", json_boolean(o->exhausts));
	put_doubt(f, "unknown", p, doubt_of(p, o));
	if (!o->known)
		json_object_set_new(f, "doubt", json_text(plan_say_unknown(p, o, a)));
	if (o->cut_short && o->known)
		json_object_set_new(f, "stop_time_first", json_true());
	if (!p->forecast.counted)
		return f;
	json_object_set_new(f, "after", json_integer((json_int_t)o->after));
	json_object_set_new(f, "after_least", json_integer((json_int_t)o->after_least));
	json_object_set_new(f, "after_most", json_integer((json_int_t)o->after_most));
	put_guess(f, "at", &o->at_ns);
	json_object_set_new(f, "recovery", seconds((double)o->recovery_ns));
	return f;
}

static json_t *json_half(const struct plan *p, const struct outline *o)
{
	json_t *half = json_pack("{s:I}", "ports", (json_int_t)o->half);
	enum doubt why = doubt_half(p, o);

	if (!why)
		json_object_set_new(half, "reached", json_boolean(o->half_reached));
	put_doubt(half, "unknown", p, why);
	json_object_set_new(half, "rate", json_real(o->half_rate));
	put_guess(half, "connect_slower", &o->half_cost_ns);
	if (o->half_at_ns > 0)
		json_object_set_new(half, "at", seconds(o->half_at_ns));
	return half;
}

static json_t *json_needs(const struct plan *p, const struct outline *o)
{
	const struct needs *n = &p->needs;
	uint32_t sockets_most = UINT32_MAX;
	json_t *needs = json_pack(
		"{s:o, s:I, s:I, s:I, s:I, s:I}", "connections", count_or_null(o->begun), "ports",
		(json_int_t)o->ports, "slots", (json_int_t)n->slots, "rings", (json_int_t)n->rings,
		"descriptors", (json_int_t)n->descriptors, "bytes", (json_int_t)n->bytes);

	put_guess(needs, "time", &o->ends_ns);
	if (p->far_upstreams)
		json_object_set_new(needs, "far_upstreams",
				    json_integer((json_int_t)p->far_upstreams));
	for (uint32_t i = 0; i < p->load_count; i++)
		if (p->loads[i].sockets_most < sockets_most)
			sockets_most = p->loads[i].sockets_most;
	if (sockets_most < UINT32_MAX)
		json_object_set_new(needs, "sockets_most", json_integer(sockets_most));
	return needs;
}

static json_t *json_gateway(const struct plan *p, const struct outline *o)
{
	json_t *g = json_pack("{s:I, s:I, s:I, s:I}", "ports", (json_int_t)o->gateway_ports,
			      "addresses", (json_int_t)p->nat.outside.count, "capacity",
			      (json_int_t)p->nat.carriage.ports, "limit",
			      (json_int_t)p->scenario->network.nat.limit);

	if (nat_maps_for_all(&p->scenario->network.nat))
		json_object_set_new(g, "mapping",
				    json_string(mapping_words[MAPPING_INDEPENDENT].word));
	if (p->scenario->network.nat.redirect)
		json_object_set_new(g, "redirect", json_true());
	if (!p->forecast.times_out_after && !p->forecast.full_after)
		put_doubt(g, "unknown", p, doubt_gateway(p, o));
	if (p->forecast.full_after) {
		json_object_set_new(g, "full_least",
				    json_integer((json_int_t)p->forecast.full_least));
		json_object_set_new(g, "full_after",
				    json_integer((json_int_t)p->forecast.full_after));
		json_object_set_new(g, "times_out", json_boolean(p->forecast.times_out));
	}
	if (p->forecast.times_out_least)
		json_object_set_new(g, "times_out_least",
				    json_integer((json_int_t)p->forecast.times_out_least));
	if (p->forecast.times_out_after)
		json_object_set_new(g, "times_out_after",
				    json_integer((json_int_t)p->forecast.times_out_after));
	return g;
}

static json_t *json_pool(const struct plan *p, const struct outline *o)
{
	json_t *pool = json_object();

	json_object_set_new(pool, "at_once", real_or_null(o->pool.at_once));
	json_object_set_new(pool, "kept", real_or_null(o->pool.kept));
	json_object_set_new(pool, "churn_most", json_real(o->pool.share_most));
	json_object_set_new(pool, "in_step", json_boolean(pool_is_in_step(&o->pool, o->requests)));
	if (p->forecast.pool_rate > 0)
		json_object_set_new(pool, "sustained", real_or_null(p->forecast.pool_rate));
	if (!isfinite(o->requests))
		return pool;
	json_object_set_new(pool, "opens_least",
			    count_or_null(pool_opens_least(&o->pool, o->requests)));
	json_object_set_new(pool, "opens_most",
			    count_or_null(pool_opens_most(&o->pool, o->requests)));
	return pool;
}

/* What each of several loads is by itself. */
static json_t *json_each_load(const struct plan *p)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < p->load_count; i++) {
		struct text name = plan_load_name(p, &p->loads[i]);
		json_t *one = json_object();
		struct load_plan room;
		struct outline o;
		struct plan alone;

		part_of_load(&alone, p, i, &room);
		o = outline_of(&alone);
		json_object_set_new(one, "name", json_stringn(name.s, name.len));
		json_object_set_new(one, "port_life", json_life(&alone, &o));
		put_bound(one, "wanted", o.wanted, count_or_null);
		put_bound(one, "sustained", alone.forecast.rate, real_or_null);
		put_doubt(one, "sustained_unknown", &alone, doubt_rate(&alone, &o));
		if (o.pooled)
			json_object_set_new(one, "pool", json_pool(&alone, &o));
		json_array_append_new(list, one);
	}
	return list;
}

/* Of a plan, or of a part of it. */
static void put_fate(json_t *one, const struct plan *p, const struct outline *o, struct arena *a)
{
	json_object_set_new(one, "ports", json_ports(p));
	if (p->load_count > 1)
		json_object_set_new(one, "loads", json_each_load(p));
	else
		json_object_set_new(one, "port_life", json_life(p, o));
	put_bound(one, "wanted", o->wanted, count_or_null);
	put_bound(one, "sustained", p->forecast.rate, real_or_null);
	put_doubt(one, "sustained_unknown", p, doubt_rate(p, o));
	if (plan_rate_sure(p, o) > 0)
		json_object_set_new(one, "sustained_sure", json_real(plan_rate_sure(p, o)));
	if (o->lasts_ns)
		json_object_set_new(one, "lasts", seconds((double)o->lasts_ns));
	if (o->pooled && p->load_count == 1)
		json_object_set_new(one, "pool", json_pool(p, o));
	if (p->forecast.rate_is_least)
		json_object_set_new(one, "sustained_is_least", json_true());
	json_object_set_new(one, "predicted", json_predicted(p, o, a));
	json_object_set_new(one, "half_full", o->half ? json_half(p, o) : json_null());
}

/* Loads that want nothing of each other's ports: what is said of ports, is said of each. */
static json_t *json_parts(const struct plan *p, const struct part *parts, uint32_t count,
			  struct arena *a)
{
	struct load_plan loads[SCENARIO_LOADS_MOST];
	json_t *list = json_array();

	for (uint32_t i = 0; i < count; i++) {
		json_t *one = json_pack("{s:s}", "of", part_name(parts[i], p));
		struct outline o;
		struct plan part;

		part_of(&part, p, parts[i], loads);
		o = outline_of(&part);
		put_fate(one, &part, &o, a);
		json_array_append_new(list, one);
	}
	return list;
}

static void put_facts(json_t *one, const struct plan *p, struct arena *a)
{
	const struct outline o = outline_of(p);
	struct part parts[PARTS_MOST];
	uint32_t count = parts_of(parts, p);

	if (p->scenario->network.topology == TOPOLOGY_NAT)
		json_object_set_new(one, "gateway", json_gateway(p, &o));
	if (count == 1)
		put_fate(one, p, &o, a);
	else
		json_object_set_new(one, "parts", json_parts(p, parts, count, a));
	json_object_set_new(one, "needs", json_needs(p, &o));
}

/* Lines of `expect`, and between what the prediction lies. */
static json_t *json_denied(const struct denial_list *denied)
{
	json_t *list = json_array();

	for (size_t i = 0; i < denied->count; i++) {
		const struct denial *d = &denied->list[i];
		bool is_time = measure_infos[d->line->what.measure].kind == KIND_TIME;
		double unit = is_time ? 1e9 : 1;
		struct guess g =
			d->absent ? (struct guess){INFINITY, INFINITY, INFINITY} : d->predicted;

		json_array_append_new(
			list, json_pack("{s:o, s:I, s:o, s:o}", "text", json_text(d->line->text),
					"line", (json_int_t)d->line->at.line, "predicted_least",
					real_or_null(g.least / unit), "predicted_most",
					real_or_null(g.most / unit)));
	}
	return list;
}

/* By value: what is said of one is gone before the next. */
static json_t *json_planned(const struct planned *p, struct arena scratch)
{
	json_t *one = json_object();

	json_object_set_new(one, "scenario", json_text(p->scenario->top.name));
	json_object_set_new(one, "case", json_text(p->scenario->case_name));
	json_object_set_new(one, "file", json_string(p->scenario->file));
	if (p->plan.needs.rings) {
		put_facts(one, &p->plan, &scratch);
		json_object_set_new(one, "denied", json_denied(&p->denied));
	}
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

bool plan_write_json(struct out *out, const struct planned *list, size_t count,
		     struct arena scratch)
{
	json_t *plans = json_array(), *all = json_object();
	bool ok = true;

	json_object_set_new(all, "schema", json_integer(1));
	for (size_t i = 0; i < count; i++)
		ok = json_array_append_new(plans, json_planned(&list[i], scratch)) == 0 && ok;
	ok = json_object_set_new(all, "plans", plans) == 0 && ok &&
	     json_dump_callback(all, to_out, out,
				JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15)) == 0;
	json_decref(all);
	out_z(out, "\n");
	return ok;
}
