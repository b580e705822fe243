#include "report/result.h"

#include <math.h>
#include <string.h>

#include "plan/doubt.h"
#include "plan/intent.h"
#include "plan/lasts.h"
#include "plan/part.h"
#include "report/destinations.h"
#include "report/plan.h"
#include "report/plan_say.h"
#include "report/words.h"

enum verdict_word result_word(const struct result *r)
{
	static const enum verdict_word worst_first[] = {VERDICT_ERROR, VERDICT_INCOMPLETE,
							VERDICT_FAIL, VERDICT_SKIP, VERDICT_PASS};

	for (size_t w = 0; w < sizeof(worst_first) / sizeof(worst_first[0]); w++)
		for (size_t i = 0; i < r->run_count; i++)
			if (r->runs[i].word == worst_first[w])
				return worst_first[w];
	return VERDICT_INCOMPLETE;
}

static void keep_value(struct result_run *out, const struct key_view *view, const char *section,
		       struct text value, struct arena *a)
{
	out->effective[out->effective_count++] = (struct result_value){
		.key = section[0] ? text_format(a, "%s.%s", section, view->key)
				  : text_of(view->key),
		.value = value,
		.line = view->at.line,
	};
}

/* "loads.victim.on_failure.retry", and so every key of each. */
static void keep_load(struct result_run *out, const struct scenario *s, size_t load,
		      struct out *value, struct arena *a)
{
	for (size_t i = 0; i < scenario_keys(); i++) {
		char *start = value->buffer + value->len;
		struct key_view view;
		const char *section;

		if (!scenario_load_key(s, load, i, &view, value))
			continue;
		section = text_format(a, "loads." TEXT_FMT "%s", TEXT_ARG(s->loads.list[load].name),
				      view.section + strlen("load"))
				  .s;
		keep_value(out, &view, section,
			   (struct text){start, (size_t)(value->buffer + value->len - start)}, a);
	}
}

static void keep_effective(struct result_run *out, const struct scenario *s, struct arena *a)
{
	size_t times = s->loads.count + 1, keys = scenario_keys();
	/* values of the file, each byte escaped, and defaults */
	size_t room = times * (4 * s->source.len + 8192);
	char *buffer = ARENA_ARRAY(a, char, room);
	struct out value = out_memory(buffer, room);

	out->effective = ARENA_ARRAY(a, struct result_value, keys * times);
	for (size_t i = 0; i < keys; i++) {
		size_t start = value.len;
		struct key_view view;

		scenario_key(s, i, &view, &value);
		keep_value(out, &view, view.section ? view.section : "",
			   (struct text){buffer + start, value.len - start}, a);
	}
	for (size_t i = 0; i < s->loads.count; i++)
		keep_load(out, s, i, &value, a);
}

static void keep_gateway(struct result_run *out, const struct plan *plan)
{
	const struct nat *nat = &plan->scenario->network.nat;

	if (plan->nat.outside.count == 0)
		return;
	out->plan.gateway.ports = nat->ports;
	out->plan.gateway.addresses = plan->nat.outside.count;
	out->plan.gateway.each = plan->nat.carriage.each;
	out->plan.gateway.at_once = plan->nat.carriage.at_once;
	out->plan.gateway.limit = nat->limit;
	out->plan.gateway.times_out_after = plan->forecast.times_out_after;
	out->plan.gateway.times_out_least = plan->forecast.times_out_least;
	out->plan.gateway.mapping = nat->mapping;
	out->plan.gateway.redirect = nat->redirect;
	out->plan.gateway.datagrams = plan_speaks(plan, PROTOCOL_UDP);
}

/* "kernel"; "kernel, fast" of loads that differ. */
static void keep_order(struct result_run *out, const struct plan *plan, struct arena *a)
{
	for (size_t order = 0; order_words[order].word; order++) {
		bool has = false;

		for (uint32_t i = 0; i < plan->load_count; i++) {
			has |= plan->loads[i].load->order == order;
			out->plan.window |= plan->loads[i].window;
		}
		if (has)
			out->plan.order = text_format(a, TEXT_FMT "%s%s", TEXT_ARG(out->plan.order),
						      out->plan.order.len ? ", " : "",
						      order_words[order].word);
	}
}

/* The first load that is not shared as was asked tells why. */
static void keep_workers(struct result_run *out, const struct plan *plan, struct arena *a)
{
	out->plan.workers = plan_workers(plan);
	for (uint32_t i = 0; i < plan->load_count && out->plan.whole.len == 0; i++) {
		const struct load_plan *lp = &plan->loads[i];

		if (lp->workers >= plan->workers)
			continue;
		out->plan.whole = lp->whole ? text_of(lp->whole)
					    : text_format(a, "there are no more %s to share out",
							  lp->workers == lp->budget.spaces
								  ? "destinations"
								  : "connections at once");
	}
}

/* What is told of the whole is told of each, where its loads want nothing of each other's. */
static void keep_parts(struct result_run *out, const struct plan *plan, struct arena *a)
{
	struct load_plan *loads = ARENA_ARRAY(a, struct load_plan, plan->load_count);
	struct part parts[PARTS_MOST];
	uint32_t count = parts_of(parts, plan);

	if (count == 1)
		return;
	out->plan.parts = ARENA_ARRAY(a, struct result_part, count);
	out->plan.part_count = count;
	for (uint32_t i = 0; i < count; i++) {
		struct outline o;
		struct plan p;

		part_of(&p, plan, parts[i], loads);
		o = outline_of(&p);
		out->plan.parts[i] = (struct result_part){
			.name = text_of(part_name(parts[i], plan)),
			.unknown = doubt_of(&p, &o),
			.sustained = p.forecast.rate,
			.rate = plan_rate(&p),
			.lasts_ns = lasts_ns(&p),
			.tw_buckets = p.forecast.buckets,
			.port_life_ns = p.forecast.port_life_ns,
		};
	}
}

static void keep_plan(struct result_run *out, const struct plan *plan, struct arena *a)
{
	const struct outline o = outline_of(plan);

	out->plan.range = plan->loads[plan->widest].ports;
	out->plan.usable = plan->budget.usable;
	out->plan.sources = plan->sources.count;
	out->plan.destinations = plan->destinations;
	out->plan.capacity = plan->budget.capacity;
	out->plan.may_lose_one = plan->budget.may_lose_one;
	keep_workers(out, plan, a);
	keep_order(out, plan, a);
	out->plan.port_life_ns = plan->forecast.port_life_ns;
	if (acceleration_of(plan->scenario) > 1)
		out->plan.time_wait_ns = plan->scenario->network.time_wait;
	out->plan.rate = plan_rate(plan);
	out->plan.lasts_ns = lasts_ns(plan);
	out->plan.tw_buckets = plan->forecast.buckets;
	out->plan.doubt = plan_doubt(plan, a);
	out->plan.rate_is_least = plan->forecast.rate_is_least;
	out->plan.rate_sure = plan_rate_sure(plan, &o);
	keep_parts(out, plan, a);
	out->plan.unknown = out->plan.part_count ? DOUBT_NONE : doubt_of(plan, &o);
	keep_gateway(out, plan);
}

/* A dump as full whose sockets had come to rest, where there is one: in the first of those a close may
 * be under way still. */
static const struct sample *settled_as(const struct tape *tape, const struct sample *full)
{
	for (size_t i = 0; i < tape->sample_count; i++) {
		const struct sample *s = &tape->samples[i];

		if ((s->parts & SAMPLE_SOCKETS) && s->used_max == full->used_max && s->at_rest)
			return s;
	}
	return full;
}

void result_of(struct result_run *out, const struct plan *plan, const struct tape *tape,
	       struct arena *a)
{
	const struct sample *full = tape_peak(tape);

	keep_effective(out, plan->scenario, a);
	keep_plan(out, plan, a);
	measure(&out->measures, tape, plan, a);
	judge(&out->verdict, plan, tape, &out->measures, a);
	out->word = out->verdict.word;
	out->complete = out->word == VERDICT_PASS || out->word == VERDICT_FAIL;
	out->interrupted = tape->interrupted;
	out->cut_short = tape->cut_short;
	out->stopped = tape->tally.stopped > 0;
	out->aborted = tape->aborted < 0 ? 0 : (unsigned)tape->aborted + 1;
	out->intended = text_format(a, "%d:%016llx", INTENT_VERSION,
				    (unsigned long long)intent_sum(plan, *a));
	out->lost = tape->lost;
	destinations_of(out, tape, a);
	out->latency = tape->latency;
	full = full ? settled_as(tape, full) : NULL;
	for (int i = 1; full && i < STATES; i++)
		if (full->states[i])
			out->used_states[i] = (struct value){true, (double)full->states[i]};
}

static const char *const kind_words[] = {
	[KIND_COUNT] = "count", [KIND_SHARE] = "share", [KIND_TIME] = "time",
	[KIND_RATE] = "rate",	[KIND_RATIO] = "ratio", [KIND_FLAG] = "flag",
};

const char *settings_word(enum setting_where where)
{
	static const char *const words[WHERES] = {"sysctl", "server_sysctl", "gateway_sysctl"};

	return words[where];
}

const char *kind_word(enum measure_kind kind)
{
	return kind_words[kind];
}

int kind_find(struct text word)
{
	for (size_t i = 0; i < sizeof(kind_words) / sizeof(kind_words[0]); i++)
		if (text_is(word, kind_words[i]))
			return (int)i;
	return -1;
}
