#include "judge/cause.h"

#include <math.h>

#include "judge/gate.h"
#include "judge/rule.h"
#include "judge/view.h"

static const struct rule *const families[] = {
	leak_rules,	live_rules,  churn_rules,   pool_rules, knob_rules,  share_rules,
	bound_rules,	fixed_rules, range_rules,   data_rules, start_rules, nat_rules,
	datagram_rules, alike_rules, address_rules, gate_rules,
};

static double share_of(uint64_t held, uint64_t all)
{
	return all ? (double)held / (double)all : 0;
}

/* By the share of `held` in all. */
static double explains(const struct evidence *e, uint64_t held, uint64_t all)
{
	double share = share_of(held, all);
	bool ran_out = e->tape->exhausted && (e->wanted > 0 || e->named == 0);

	if ((!ran_out && !e->fills) || share < SHARE_LEAST)
		return 0;
	return share * (double)(e->wanted ? e->wanted : 1);
}

double claim_holds(const struct evidence *e, uint64_t held, const struct holders *h)
{
	double own = explains(e, held, h->own);

	return own * share_of(h->own, h->all);
}

double claim_takes(const struct evidence *e, uint64_t taken)
{
	uint64_t all = taken + e->plan->budget.usable;
	double own = explains(e, taken, all), churn = claim_churn(e);

	return churn > 0 && evidence_outruns(e, all) ? fmin(own, churn / 2) : own;
}

double claim_first(const struct evidence *e)
{
	return (double)e->wanted + 1;
}

const struct rule *rule_find(enum cause cause)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		for (const struct rule *r = families[i]; r->claim; r++)
			if (r->cause == cause)
				return r;
	return NULL;
}

/* "time_wait.max 32", of each measure that the rule goes by. */
static void seen_give(struct finding *f, const struct rule *r, const struct evidence *e)
{
	f->seen.list = ARENA_ARRAY(e->a, struct text, RULE_SEEN_MOST + 1);
	for (int i = 0; i < RULE_SEEN_MOST && r->seen[i]; i++) {
		const struct value *v = &e->measures->fixed[r->seen[i]];
		const struct measure_info *m = &measure_infos[r->seen[i]];

		if (v->present)
			f->seen.list[f->seen.count++] = text_format(
				e->a, "%s %s", m->name, say_measure(e->a, m->kind, v->n));
	}
	if (!e->full && cause_sort(f->cause) == SORT_HOLDS)
		f->seen.list[f->seen.count++] = TEXT("no dump of the sockets: by the books alone");
	else if (cause_sort(f->cause) == SORT_HOLDS && say_holders(e)[0])
		f->seen.list[f->seen.count++] = text_of(say_holders(e));
}

static void advice_give(struct finding *f, const struct rule *r, const struct evidence *e)
{
	f->attempt.list = ARENA_ARRAY(e->a, struct text, ADVICE_MOST);
	f->wont_help.list = ARENA_ARRAY(e->a, struct text, ADVICE_MOST);
	advice_add_all(&f->attempt, r->attempt);
	if (r->advise)
		r->advise(f, e);
	advice_add_all(&f->wont_help, r->in_vain);
}

enum { FINDINGS_MOST = (PARTS_MOST + 1) * CAUSES };

/* Findings, those first that explain most. */
struct ranking {
	struct finding *list;
	double weights[FINDINGS_MOST];
	size_t count;
};

static bool is_ranked(const struct ranking *r, enum cause cause)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->list[i].cause == cause)
			return true;
	return false;
}

/* Live connections that are no cause of their own, beside the first that is one. */
static void add_bystanders(struct ranking *r, const struct evidence *e)
{
	struct holders h = evidence_holders(e);

	h.live -= is_ranked(r, CAUSE_CLOSE_WAIT_LEAK) ? h.ended : 0;
	if (is_ranked(r, CAUSE_LIVE_SATURATION) || is_ranked(r, CAUSE_DEAD_PEER_LEAK) ||
	    is_ranked(r, CAUSE_UDP_SOCKETS) || is_ranked(r, CAUSE_PROXY_LOOP) ||
	    claim_holds(e, h.live, &h) == 0)
		return;
	for (size_t i = 0; i < r->count; i++) {
		struct finding *f = &r->list[i];

		if (cause_sort(f->cause) != SORT_HOLDS)
			continue;
		f->why = text_format(e->a, TEXT_FMT " %s more %s in use.", TEXT_ARG(f->why),
				     say_count(e->a, h.live),
				     say_either(h.live, "connection was", "connections were"));
		return;
	}
}

/* Behind those that explain as much or more. */
static void add_finding(struct ranking *r, const struct finding *f, double weight)
{
	size_t at = r->count++;

	for (; at > 0 && r->weights[at - 1] < weight; at--) {
		r->weights[at] = r->weights[at - 1];
		r->list[at] = r->list[at - 1];
	}
	r->weights[at] = weight;
	r->list[at] = *f;
}

static void add_claim(struct ranking *r, enum cause cause, const struct claim *c,
		      const struct evidence *e)
{
	const struct rule *rule = rule_find(cause);
	struct finding f = {.cause = cause, .why = c->why};

	if (!rule)
		return;
	seen_give(&f, rule, e);
	advice_give(&f, rule, e);
	add_finding(r, &f, c->weight);
}

/* What each rule claims; nothing of one that another is a closer name of. */
static void claims_make(struct claim out[CAUSES], const struct evidence *e)
{
	bool is_told[CAUSES] = {false};

	for (int i = 0; i < CAUSES; i++) {
		const struct rule *r = rule_find((enum cause)i);

		out[i] = r->claim(e);
		if (out[i].weight > 0)
			is_told[r->instead] = true;
	}
	for (int i = 1; i < CAUSES; i++)
		if (is_told[i])
			out[i] = no_claim;
}

/* What is about ports: who holds them, and who takes them away. */
static bool is_of_ports(enum cause cause)
{
	return cause_sort(cause) == SORT_HOLDS || cause_sort(cause) == SORT_TAKES;
}

static bool is_last_resort(enum cause cause)
{
	return cause == CAUSE_NO_DATA || cause == CAUSE_REQUEST_FAILED;
}

static bool is_of_all(enum cause cause)
{
	return !is_last_resort(cause);
}

/* What is of the loads of one part: the ports, and what only looks like a want of them. */
static bool is_of_a_part(enum cause cause)
{
	return is_of_ports(cause) || (cause_sort(cause) == SORT_ALIKE && !is_last_resort(cause));
}

static bool is_of_no_part(enum cause cause)
{
	return is_of_all(cause) && !is_of_a_part(cause);
}

/* Of the causes that `asks` is true of. */
static void rank(struct ranking *out, const struct evidence *e, bool (*asks)(enum cause))
{
	struct claim claims[CAUSES];
	struct ranking own = {.list = ARENA_ARRAY(e->a, struct finding, CAUSES)};

	claims_make(claims, e);
	for (int i = 0; i < CAUSES; i++)
		if (claims[i].weight > 0 && asks((enum cause)i))
			add_claim(&own, (enum cause)i, &claims[i], e);
	add_bystanders(&own, e);
	for (size_t i = 0; i < own.count; i++)
		add_finding(out, &own.list[i], own.weights[i]);
}

/* The ports of TCP and of UDP, of IPv4 and of IPv6, are ranges of their own: who holds those of the one
 * is none of the other's business, nor what failed of the one for another reason. */
static void rank_parts(struct ranking *out, const struct evidence *whole, const struct part *parts,
		       uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct view *v = ARENA_NEW(whole->a, struct view);
		struct evidence e;

		view_make(v, whole->plan, whole->tape, parts[i], whole->a);
		e = evidence_of(&v->plan, &v->tape, &v->measures, whole->a);
		e.fills = whole->fills;
		e.ports_of = text_format(whole->a, " of %s", part_name(parts[i], whole->plan)).s;
		rank(out, &e, is_of_a_part);
	}
	rank(out, whole, is_of_no_part);
}

/* Beside a want of ports: what was sent on those that were had. */
static bool is_of_requests(enum cause cause)
{
	return cause == CAUSE_REQUEST_FAILED;
}

static bool is_gate(enum cause cause)
{
	return cause == CAUSE_GATE_MISSED;
}

/* A line of `expect` that none of them is about. */
static void rank_gates(struct ranking *all, const struct evidence *whole, const struct verdict *v)
{
	struct evidence e = *whole;

	e.judged = v;
	e.told = all->list;
	e.told_count = all->count;
	rank(all, &e, is_gate);
}

void causes_find(struct verdict *out, const struct plan *plan, const struct tape *tape,
		 const struct measures *m, struct arena *a)
{
	struct evidence e = evidence_of(plan, tape, m, a);
	struct ranking all = {.list = ARENA_ARRAY(a, struct finding, FINDINGS_MOST)};
	struct part parts[PARTS_MOST];
	uint32_t count = parts_of(parts, plan);

	e.fills = gate_fills(out, plan);
	if (count > 1)
		rank_parts(&all, &e, parts, count);
	else
		rank(&all, &e, is_of_all);
	if (tape->exhausted)
		rank(&all, &e, is_of_requests);
	if (all.count == 0)
		rank(&all, &e, is_last_resort);
	if (out->word == VERDICT_FAIL)
		rank_gates(&all, &e, out);
	out->causes = all.list;
	out->cause_count = all.count;
}
