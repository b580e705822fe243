#include "judge/cause.h"

#include "judge/rule.h"

/* What a cause must hold of the ports in the fullest dump to be named beside others. */
static const double share_least = 1 / 8.;

static const struct rule *const families[] = {
	leak_rules,  live_rules,  churn_rules,	  pool_rules,  knob_rules,
	share_rules, bound_rules, fixed_rules,	  range_rules, data_rules,
	start_rules, nat_rules,	  datagram_rules, alike_rules, address_rules,
};

double claim_explains(const struct evidence *e, uint64_t held, uint64_t all)
{
	double share = all ? (double)held / (double)all : 0;

	if (!e->tape->exhausted || share < share_least)
		return 0;
	return share * (double)(e->wanted ? e->wanted : 1);
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

static struct finding *find(const struct verdict *v, enum cause cause)
{
	for (size_t i = 0; i < v->cause_count; i++)
		if (v->causes[i].cause == cause)
			return &v->causes[i];
	return NULL;
}

/* Live connections that are no cause of their own, beside the first that is one. */
static void add_bystanders(struct verdict *v, const struct evidence *e)
{
	struct holders h = evidence_holders(e);

	if (find(v, CAUSE_LIVE_SATURATION) || find(v, CAUSE_DEAD_PEER_LEAK) ||
	    find(v, CAUSE_UDP_SOCKETS) || claim_explains(e, h.live, h.all) == 0)
		return;
	for (size_t i = 0; i < v->cause_count; i++) {
		struct finding *f = &v->causes[i];

		if (cause_sort(f->cause) != SORT_HOLDS)
			continue;
		f->why = text_format(e->a, TEXT_FMT " %s more %s in use.", TEXT_ARG(f->why),
				     say_count(e->a, h.live),
				     say_either(h.live, "connection was", "connections were"));
		return;
	}
}

/* Behind those that explain as much or more. */
static void add_finding(struct verdict *out, double weights[CAUSES], const struct rule *r,
			const struct claim *c, const struct evidence *e)
{
	size_t at = out->cause_count++;

	for (; at > 0 && weights[at - 1] < c->weight; at--) {
		weights[at] = weights[at - 1];
		out->causes[at] = out->causes[at - 1];
	}
	weights[at] = c->weight;
	out->causes[at] = (struct finding){.cause = r->cause, .why = c->why};
	seen_give(&out->causes[at], r, e);
	advice_give(&out->causes[at], r, e);
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

void causes_find(struct verdict *out, const struct plan *plan, const struct tape *tape,
		 const struct measures *m, struct arena *a)
{
	struct evidence e = evidence_of(plan, tape, m, a);
	struct claim claims[CAUSES];
	double weights[CAUSES] = {0};

	claims_make(claims, &e);
	out->causes = ARENA_ARRAY(a, struct finding, CAUSES);
	for (int i = CAUSE_NO_DATA + 1; i < CAUSES; i++)
		if (claims[i].weight > 0)
			add_finding(out, weights, rule_find((enum cause)i), &claims[i], &e);
	if (out->cause_count == 0 && claims[CAUSE_NO_DATA].weight > 0)
		add_finding(out, weights, rule_find(CAUSE_NO_DATA), &claims[CAUSE_NO_DATA], &e);
	add_bystanders(out, &e);
}
