#include "judge/cause.h"

#include "judge/rule.h"

/* What a cause must hold of the ports in the fullest dump to be named beside others. */
static const double share_least = 1 / 8.;

static const struct rule *const families[] = {live_rules, churn_rules, bound_rules, nat_rules,
					      alike_rules};

double claim_explains(const struct evidence *e, uint64_t held, uint64_t all)
{
	double share = all ? (double)held / (double)all : 0;

	if (!e->tape->exhausted || share < share_least)
		return 0;
	return share * (double)(e->wanted ? e->wanted : 1);
}

/* Of all families, in the order of words/causes.def. */
static void rules_gather(const struct rule *rules[CAUSES])
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		for (const struct rule *r = families[i]; r->claim; r++)
			rules[r->cause] = r;
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

static bool is_found(const struct verdict *v, enum cause cause)
{
	for (size_t i = 0; i < v->cause_count; i++)
		if (v->causes[i].cause == cause)
			return true;
	return false;
}

/* Live connections that are no cause of their own, beside the first that is one. */
static void add_bystanders(struct verdict *v, const struct evidence *e)
{
	struct holders h = evidence_holders(e);

	if (is_found(v, CAUSE_LIVE_SATURATION) || claim_explains(e, h.live, h.all) == 0)
		return;
	for (size_t i = 0; i < v->cause_count; i++) {
		struct finding *f = &v->causes[i];

		if (f->cause > CAUSE_LIVE_SATURATION)
			continue;
		f->why = text_format(e->a, TEXT_FMT " %s more %s in use.", TEXT_ARG(f->why),
				     say_count(e->a, h.live),
				     say_either(h.live, "connection was", "connections were"));
		return;
	}
}

void causes_find(struct verdict *out, const struct plan *plan, const struct tape *tape,
		 const struct measures *m, struct arena *a)
{
	struct evidence e = evidence_of(plan, tape, m, a);
	const struct rule *rules[CAUSES] = {0};
	double weight[CAUSES] = {0};

	rules_gather(rules);
	out->causes = ARENA_ARRAY(a, struct finding, CAUSES);
	for (int i = 0; i < CAUSES; i++) {
		struct claim c = rules[i]->claim(&e);
		size_t at = out->cause_count;

		if (c.weight == 0)
			continue;
		for (; at > 0 && weight[at - 1] < c.weight; at--) {
			weight[at] = weight[at - 1];
			out->causes[at] = out->causes[at - 1];
		}
		weight[at] = c.weight;
		out->causes[at] = (struct finding){.cause = (enum cause)i, .why = c.why};
		advice_give(&out->causes[at], rules[i], &e);
		out->cause_count++;
	}
	add_bystanders(out, &e);
}
