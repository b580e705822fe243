#include "report/ports.h"

#include <math.h>

#include "plan/part.h"
#include "report/json.h"
#include "report/load.h"

static json_t *json_gateway(const struct result_run *run, bool *ok)
{
	json_t *o = json_object();

	put(o, "ports", json_range(run->plan.gateway.ports), ok);
	put(o, "addresses", json_integer(run->plan.gateway.addresses), ok);
	put(o, "each", json_integer(run->plan.gateway.each), ok);
	put(o, "at_once", json_count(run->plan.gateway.at_once), ok);
	if (run->plan.gateway.limit)
		put(o, "limit", json_count(run->plan.gateway.limit), ok);
	if (run->plan.gateway.times_out_after)
		put(o, "times_out_after", json_count(run->plan.gateway.times_out_after), ok);
	if (run->plan.gateway.times_out_least)
		put(o, "times_out_least", json_count(run->plan.gateway.times_out_least), ok);
	if (run->plan.gateway.mapping == MAPPING_INDEPENDENT)
		put(o, "mapping", json_string(mapping_words[MAPPING_INDEPENDENT].word), ok);
	if (run->plan.gateway.redirect)
		put(o, "redirect", json_true(), ok);
	if (run->plan.gateway.datagrams)
		put(o, "datagrams", json_true(), ok);
	return o;
}

static void put_unknown(json_t *o, enum doubt why, bool *ok)
{
	if (why)
		put(o, "unknown", json_string(doubt_name(why)), ok);
}

/* Null: without an end, or a bound. What cannot be told is not there. */
static json_t *json_parts(const struct result_run *run, bool *ok)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < run->plan.part_count; i++) {
		const struct result_part *p = &run->plan.parts[i];
		json_t *o = json_object();

		put(o, "of", json_text(p->name), ok);
		put(o, "port_life",
		    p->port_life_ns == FOR_EVER ? json_null()
						: json_seconds((double)p->port_life_ns),
		    ok);
		if (!isnan(p->sustained))
			put(o, "sustained",
			    isinf(p->sustained) ? json_null() : json_real(p->sustained), ok);
		if (p->rate > 0)
			put(o, "rate", json_real(p->rate), ok);
		if (p->lasts_ns)
			put(o, "lasts", json_seconds((double)p->lasts_ns), ok);
		if (p->tw_buckets)
			put(o, "tw_buckets", json_count(p->tw_buckets), ok);
		put_unknown(o, p->unknown, ok);
		append(array, o, ok);
	}
	return array;
}

json_t *ports_json(const struct result_run *run, bool *ok)
{
	json_t *o = json_object();
	bool for_ever = run->plan.port_life_ns == FOR_EVER;

	put(o, "ports", json_range(run->plan.range), ok);
	put(o, "usable", json_integer(run->plan.usable), ok);
	put(o, "sources", json_integer(run->plan.sources), ok);
	put(o, "destinations", json_integer(run->plan.destinations), ok);
	if (run->plan.workers)
		put(o, "workers", json_integer(run->plan.workers), ok);
	if (run->plan.whole.len)
		put(o, "whole", json_text(run->plan.whole), ok);
	put(o, "capacity", json_count(run->plan.capacity), ok);
	put(o, "may_lose_one", json_boolean(run->plan.may_lose_one), ok);
	put(o, "order", json_text(run->plan.order), ok);
	put(o, "window", json_boolean(run->plan.window), ok);
	put(o, "port_life", for_ever ? json_null() : json_seconds((double)run->plan.port_life_ns),
	    ok);
	if (run->plan.rate > 0)
		put(o, "rate", json_real(run->plan.rate), ok);
	if (run->plan.lasts_ns)
		put(o, "lasts", json_seconds((double)run->plan.lasts_ns), ok);
	if (run->plan.doubt.len)
		put(o, "doubt", json_text(run->plan.doubt), ok);
	put_unknown(o, run->plan.unknown, ok);
	if (run->plan.rate_sure > 0)
		put(o, "sustained_sure", json_real(run->plan.rate_sure), ok);
	if (run->plan.rate_is_least)
		put(o, "sustained_is_least", json_true(), ok);
	if (run->plan.part_count)
		put(o, "parts", json_parts(run, ok), ok);
	if (run->plan.tw_buckets)
		put(o, "tw_buckets", json_count(run->plan.tw_buckets), ok);
	if (run->plan.gateway.addresses)
		put(o, "gateway", json_gateway(run, ok), ok);
	return o;
}

static bool load_port_life(const struct node *up, int64_t *out)
{
	struct node n = node_member(up, "port_life");
	double ns;

	*out = FOR_EVER;
	if (json_is_null(n.json))
		return true;
	if (!load_seconds(&n, &ns))
		return false;
	*out = (int64_t)ns;
	return true;
}

/* Null: any rate; absent: it cannot be told. */
static bool load_sustained(const struct node *up, double *out)
{
	struct node rate = node_member(up, "sustained");

	*out = rate.json ? INFINITY : NAN;
	return !rate.json || json_is_null(rate.json) || node_number(&rate, rate_most, out);
}

static bool load_unknown(const struct node *up, enum doubt *out)
{
	struct node n = node_member(up, "unknown");
	struct text word;
	int found;

	if (!n.json)
		return true;
	if (!node_text(&n, &word))
		return false;
	found = doubt_find(word);
	if (found < 0)
		return node_refuse(&n, "a reason that a plan has: harness/words/doubts.def");
	*out = (enum doubt)found;
	return true;
}

static bool load_part(const struct node *n, struct result_part *out)
{
	struct node rate = node_member(n, "rate"), lasts = node_member(n, "lasts");
	struct node buckets = node_member(n, "tw_buckets");
	double ns = 0;

	if (!node_object(n) || !member_text(n, "of", &out->name) ||
	    !load_port_life(n, &out->port_life_ns) || !load_sustained(n, &out->sustained) ||
	    (rate.json && !node_number(&rate, rate_most, &out->rate)) ||
	    (lasts.json && !load_seconds(&lasts, &ns)) || !load_unknown(n, &out->unknown))
		return false;
	out->lasts_ns = (int64_t)ns;
	return node_count_if(&buckets, count_most, &out->tw_buckets);
}

static bool load_parts(const struct node *up, struct result_run *out)
{
	struct node all = node_member(up, "parts");
	size_t count;

	if (!all.json)
		return true;
	if (!node_array(&all, &count))
		return false;
	if (count > PARTS_MOST)
		return node_refuse(&all, "a list of four parts at most");
	out->plan.parts = ARENA_ARRAY(up->of->a, struct result_part, count);
	for (; out->plan.part_count < count; out->plan.part_count++) {
		struct node n = node_element(&all, out->plan.part_count);

		out->plan.parts[out->plan.part_count] = (struct result_part){0};
		if (!load_part(&n, &out->plan.parts[out->plan.part_count]))
			return false;
	}
	return true;
}

/* What the arithmetic says of the load; each is absent where there is nothing to tell. */
static bool load_outlook(const struct node *up, struct result_run *out)
{
	struct node rate = node_member(up, "rate"), lasts = node_member(up, "lasts");
	struct node buckets = node_member(up, "tw_buckets");
	struct node least = node_member(up, "sustained_is_least");
	struct node sure = node_member(up, "sustained_sure"), doubt = node_member(up, "doubt");
	double ns = 0;

	if ((rate.json && !node_number(&rate, rate_most, &out->plan.rate)) ||
	    (lasts.json && !load_seconds(&lasts, &ns)) ||
	    (sure.json && !node_number(&sure, rate_most, &out->plan.rate_sure)) ||
	    (least.json && !node_flag(&least, &out->plan.rate_is_least)) || !load_parts(up, out) ||
	    !node_text_if(&doubt, &out->plan.doubt) || !load_unknown(up, &out->plan.unknown))
		return false;
	out->plan.lasts_ns = (int64_t)ns;
	return node_count_if(&buckets, count_most, &out->plan.tw_buckets);
}

static bool load_mapping(const struct node *gateway, struct result_run *out)
{
	struct node n = node_member(gateway, "mapping");
	struct text word = {0};
	int found;

	if (!n.json)
		return true;
	if (!node_text(&n, &word))
		return false;
	found = choice_find(mapping_words, word);
	if (found < 0)
		return node_refuse(&n, "a mapping: `lastport help keys` lists them");
	out->plan.gateway.mapping = (enum mapping)found;
	return true;
}

static bool load_gateway(const struct node *up, struct result_run *out)
{
	struct node n = node_member(up, "gateway"), ports = node_member(&n, "ports");
	struct node at_once = node_member(&n, "at_once"), limit = node_member(&n, "limit");
	struct node after = node_member(&n, "times_out_after");
	struct node least = node_member(&n, "times_out_least");
	struct node datagrams = node_member(&n, "datagrams");
	struct node redirect = node_member(&n, "redirect");

	if (!n.json)
		return true;
	return node_object(&n) && node_range(&ports, &out->plan.gateway.ports) &&
	       member_u32(&n, "addresses", &out->plan.gateway.addresses) &&
	       member_u32(&n, "each", &out->plan.gateway.each) &&
	       node_count_if(&at_once, count_most, &out->plan.gateway.at_once) &&
	       node_count_if(&limit, count_most, &out->plan.gateway.limit) &&
	       node_count_if(&after, count_most, &out->plan.gateway.times_out_after) &&
	       node_count_if(&least, count_most, &out->plan.gateway.times_out_least) &&
	       load_mapping(&n, out) &&
	       (!redirect.json || node_flag(&redirect, &out->plan.gateway.redirect)) &&
	       (!datagrams.json || node_flag(&datagrams, &out->plan.gateway.datagrams));
}

/* Older results do not say who carried the load. */
static bool load_workers(const struct node *plan, struct result_run *out)
{
	struct node workers = node_member(plan, "workers"), whole = node_member(plan, "whole");
	uint64_t n = 0;

	if (!node_count_if(&workers, UINT32_MAX, &n) || !node_text_if(&whole, &out->plan.whole))
		return false;
	out->plan.workers = (uint32_t)n;
	return true;
}

bool ports_load(const struct node *up, struct result_run *out)
{
	struct node n = node_member(up, "plan"), ports = node_member(&n, "ports");
	struct node capacity = node_member(&n, "capacity");

	if (!n.json)
		return true;
	return node_object(&n) && node_range(&ports, &out->plan.range) &&
	       member_u32(&n, "usable", &out->plan.usable) &&
	       member_u32(&n, "sources", &out->plan.sources) &&
	       member_u32(&n, "destinations", &out->plan.destinations) &&
	       node_count_if(&capacity, count_most, &out->plan.capacity) &&
	       member_flag(&n, "may_lose_one", &out->plan.may_lose_one) &&
	       member_text(&n, "order", &out->plan.order) &&
	       member_flag(&n, "window", &out->plan.window) &&
	       load_port_life(&n, &out->plan.port_life_ns) && load_outlook(&n, out) &&
	       load_gateway(&n, out) && load_workers(&n, out);
}
