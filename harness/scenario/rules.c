#include "scenario/rules.h"

#include "scenario/places.h"
#include "scenario/rule.h"
#include "scenario/source.h"

static const struct rules *const all[] = {&rules_of_load, &rules_of_server,  &rules_of_ports,
					  &rules_of_udp,  &rules_of_network, &rules_of_samples};

/* The latest of them: what was written last made the trouble, and a default never did. */
static struct mark place(const struct rule *rule, const struct scenario *s)
{
	struct mark latest = {0};

	for (size_t i = 0; i < sizeof(rule->at) / sizeof(rule->at[0]) && rule->at[i]; i++) {
		struct mark at =
			*(const struct mark *)(const void *)((const char *)s + rule->at[i]);

		if (is_later(at, latest))
			latest = at;
	}
	return latest;
}

/* Do any of its loads, the first `count`, break the rule at this place? */
static bool is_known(const struct rule *rule, const struct scenario *s, size_t count,
		     struct mark at)
{
	for (size_t i = 0; i < count; i++) {
		struct scenario alone = *s;
		struct mark before;

		alone.load = *scenario_load(s, i);
		before = place(rule, &alone);
		if (before.line == at.line && before.col == at.col && rule->broken(&alone))
			return true;
	}
	return false;
}

/* A scenario of the i-th of its loads alone. */
static void check_load(const struct reading *r, const struct rules *rules, const struct scenario *s,
		       const struct scenario *base, size_t load)
{
	struct scenario alone = *s;

	alone.load = *scenario_load(s, load);
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->list[i];
		struct mark at = place(rule, &alone);
		struct err *err;

		if (!rule->broken(&alone) || is_known(rule, s, load, at) ||
		    (base && is_known(rule, base, scenario_loads(base), at)))
			continue;
		err = errs_next(r->errs);
		source_err(err, r->source, at, "%s", rule->what);
		err_hint(err, "%s", rule->hint);
	}
}

static bool is_untimed(const struct scenario *s, unsigned load)
{
	(void)load;
	return s->sample.latency == 0;
}

static bool has_no_gateway(const struct scenario *s, unsigned load)
{
	(void)load;
	return s->network.topology != TOPOLOGY_NAT;
}

/* As plan.c has it: does no connection of the load carry a request? Of load 0: of any. */
static bool asks_nothing(const struct scenario *s, unsigned load)
{
	for (size_t i = 0; i < scenario_loads(s); i++) {
		const struct load *l = scenario_load(s, i);

		if ((load == 0 || load == i + 1) &&
		    (l->request.send > 0 || l->pool.max_idle > 0 || l->request.per_connection > 0))
			return false;
	}
	return true;
}

/* What is measured only of a scenario that has it: a line about it would have no data. */
static const struct dataless {
	enum measure first, last;
	bool (*lacks)(const struct scenario *s, unsigned load);
	const char *what, *hint;
} dataless[] = {
	{MEASURE_LATENCY_COUNT, MEASURE_LATENCY_REFUSED, is_untimed,
	 "needs connects that are timed, and none is",
	 "Add sample: {latency: 20ms}: one is then timed every 20 ms."},
	{MEASURE_NAT_ENTRIES_MAX, MEASURE_NAT_UNMAPPED, has_no_gateway,
	 "needs a gateway, and there is none", "Add one: network: {topology: nat}."},
	{MEASURE_REQUESTS_DONE, MEASURE_REUSE_RATIO, asks_nothing,
	 "needs requests, and the load makes none",
	 "Let the load send something, such as load.request: {send: 8B}, or use a pool."},
};

static const struct dataless *dataless_of(const struct scenario *s, const struct measure_ref *what)
{
	for (size_t k = 0; k < sizeof(dataless) / sizeof(dataless[0]); k++)
		if (what->measure >= dataless[k].first && what->measure <= dataless[k].last &&
		    dataless[k].lacks(s, what->load))
			return &dataless[k];
	return NULL;
}

static void check_data(const struct reading *r, const struct scenario *s,
		       const struct scenario *base)
{
	for (size_t i = 0; i < s->expect.count; i++) {
		const struct expectation *e = &s->expect.list[i];
		const struct dataless *lack = dataless_of(s, &e->what);
		bool is_same = base && base->expect.list == s->expect.list;
		struct err *err;

		if (!lack || (is_same && dataless_of(base, &e->what)))
			continue;
		err = errs_next(r->errs);
		source_err(err, r->source, e->at, "%s %s", measure_infos[e->what.measure].name,
			   lack->what);
		err_hint(err, "%s", lack->hint);
	}
}

/* A line that could end the run only once stop.time has. */
static void check_aborts(const struct reading *r, const struct scenario *s)
{
	for (size_t i = 0; i < s->expect.count; i++) {
		const struct expectation *e = &s->expect.list[i];
		struct err *err;

		if (!e->abort || e->after_ns < s->stop.time)
			continue;
		err = errs_next(r->errs);
		source_err(err, r->source, e->at,
			   "abort begins with `after`, when stop.time is over");
		err_hint(err, "Shorten `after`, or raise stop.time.");
	}
}

void rules_check(const struct reading *r, const struct scenario *s, const struct scenario *base)
{
	for (size_t load = 0; load < scenario_loads(s); load++)
		for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
			check_load(r, all[k], s, base, load);
	places_check(r, s, base);
	check_data(r, s, base);
	if (!base || base->expect.list != s->expect.list || base->stop.time != s->stop.time)
		check_aborts(r, s);
}
