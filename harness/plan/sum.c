#include "plan/sum.h"

#include <math.h>

#include "base/order.h"
#include "plan/bind.h"
#include "plan/due.h"
#include "plan/together.h"

bool sum_may_share(const struct plan *p, const struct load *l)
{
	return bind_shares_port(l) || bind_may_repeat(p->scenario, l);
}

/* May a socket of the one have a port that one of the other has? Both must have said so. */
bool sum_shares(const struct load *a, const struct load *b)
{
	return (a->options.reuseaddr && b->options.reuseaddr) ||
	       (a->options.reuseport && b->options.reuseport);
}

/* Is one of them over before the other begins: with its ports back, or with nothing more to ask? */
static bool is_past(const struct plan *p, const struct load_plan *other, const struct load_plan *me)
{
	return due_over_ns(p, other) <= (double)me->load->start ||
	       due_begun_ns(p, me) <= (double)other->load->start;
}

/* Of what `other` has, the part that is in the range of `me`. */
static double part_in(const struct load_plan *other, const struct load_plan *me)
{
	double lo = fmax(other->ports.lo, me->ports.lo), hi = fmin(other->ports.hi, me->ports.hi);

	return (hi - lo + 1) / (other->ports.hi - other->ports.lo + 1.);
}

void sum_make(struct sum *out, const struct plan *p, uint32_t own)
{
	*out = (struct sum){.p = p, .me = &p->loads[own], .alike = true, .alone = true};
	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct load_plan *other = &p->loads[i];
		bool is_met = together_wants(p, other, out->me) &&
			      (i == own || !is_past(p, other, out->me));

		out->uses[i] = use_make(p, other, out->me);
		out->alike &= together_alike(out->me, other);
		out->within[i] = together_within(p, other, out->me) &&
				 !sum_may_share(p, other->load) &&
				 !(i != own && sum_shares(other->load, out->me->load));
		out->part[i] = is_met ? part_in(other, out->me) : 0;
		out->alone &= i == own || !is_met;
	}
}

/* Of `ports`, those that `n` of each of several spaces are together: a connect tries those of one parity first,
 * from a place of its own (__inet_hash_connect()), so that half of them fill first, each by chance. */
static double spread(double n, double several, double ports)
{
	double half = ports / 2, first = fmin(n, half), second = fmin(n - first, half);

	if (half <= 0)
		return 0;
	return half * (1 - pow(1 - first / half, several)) +
	       half * (1 - pow(1 - second / half, several));
}

/* Where the seed draws its spaces, one may have more than its part. */
static bool takes_turns(const struct plan *p, const struct load_plan *lp)
{
	return lp->budget.spaces == 1 || p->scenario->network.choose != CHOOSE_SEED;
}

/* Are those in use the ones that were begun last? In a closed loop whose answers come as they like some are
 * older, and what has begun since may all be of one space. */
static bool is_in_order(const struct use *u)
{
	return u->clients == 0 || u->life.quiet.most > 0 || u->life.live.least == u->life.live.most;
}

/* In use of one space of `me`, of all that a load has in its own: it takes the spaces in turn. A port that it
 * has in several is one of each: where several of its spaces lie in one of these, its ports there may be
 * the same or not. */
double sum_in_space(const struct sum *s, uint32_t i, enum bound which, double n)
{
	const struct load_plan *other = &s->p->loads[i];
	double spaces = other->budget.spaces;
	double several = spaces / s->me->budget.spaces;
	bool turns = takes_turns(s->p, other);
	bool is_spread = turns && several == 1 && !s->uses[i].is_pooled && is_in_order(&s->uses[i]);

	switch (which) {
	case SUM_LEAST:
		return s->within[i] && turns ? floor(n / spaces) : 0;
	case SUM_LIKELY:
		n *= s->part[i] / spaces;
		return several > 1 ? spread(n, several, s->me->budget.usable) : n;
	default:
		return s->part[i] > 0 ? ceil(n / (is_spread ? spaces : 1)) : 0;
	}
}

double sum_at(const struct sum *s, enum bound which, double ns)
{
	static double (*const use_of[SUMS])(const struct use *, double) = {
		[SUM_LEAST] = use_least, [SUM_LIKELY] = use_likely, [SUM_MOST] = use_most};
	double sum = 0;

	for (uint32_t i = 0; i < s->p->load_count; i++)
		sum += sum_in_space(s, i, which, use_of[which](&s->uses[i], ns));
	return sum;
}

double sum_peak(const struct sum *s)
{
	double sum = 0;

	for (uint32_t i = 0; i < s->p->load_count; i++)
		if (s->part[i] > 0)
			sum += sum_in_space(s, i, SUM_MOST, use_peak(&s->uses[i]));
	return sum;
}

static bool is_passed(const struct sum *s, enum bound which, double ports, int64_t ns)
{
	return sum_at(s, which, (double)ns) > ports;
}

/* A load that begins may want a port for a moment alone. */
static int64_t passed_by_start(const struct sum *s, enum bound which, double ports, int64_t until)
{
	int64_t first = FOR_EVER;

	for (uint32_t i = 0; i < s->p->load_count; i++) {
		int64_t start = s->p->loads[i].load->start;

		if (start < sooner(first, until) && is_passed(s, which, ports, start))
			first = start;
	}
	return first;
}

int64_t sum_passed_ns(const struct sum *s, enum bound which, double ports, int64_t until)
{
	int64_t early = -1, late = FOR_EVER, by_start = passed_by_start(s, which, ports, until);

	for (int k = 0; k <= LOOKS && late == FOR_EVER; k++) {
		int64_t ns = (int64_t)((double)until * k / LOOKS);

		if (is_passed(s, which, ports, ns))
			late = ns;
		else
			early = ns;
	}
	if (by_start < late && early >= by_start)
		return by_start;
	while (late != FOR_EVER && late - early > 1) {
		int64_t between = early + (late - early) / 2;

		if (is_passed(s, which, ports, between))
			late = between;
		else
			early = between;
	}
	return sooner(late, by_start);
}
