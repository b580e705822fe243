#include "plan/sum.h"

#include <math.h>

#include "base/order.h"
#include "plan/bind.h"
#include "plan/due.h"
#include "plan/shape.h"
#include "plan/speed.h"
#include "plan/together.h"

/* The clock is looked at so often, and then between two looks; and as so many connections are due, of all
 * loads. */
enum { LOOKS = 256, BEGINS = 1024 };

/* May its sockets have a port that is in use? */
static bool may_share(const struct plan *p, const struct load *l)
{
	return bind_shares_port(l) || bind_may_repeat(p->scenario, l);
}

/* Is one of them over before the other begins: with its ports back, or with nothing more to ask? */
static bool is_past(const struct plan *p, const struct load_plan *other, const struct load_plan *me)
{
	return due_over_ns(p, other, me) <= (double)me->load->start ||
	       due_begun_ns(p, me) <= (double)other->load->start;
}

/* Of what `other` has, the part that is in the range of `me`. */
static double part_in(const struct load_plan *other, const struct load_plan *me)
{
	double lo = fmax(other->ports.lo, me->ports.lo), hi = fmin(other->ports.hi, me->ports.hi);

	return (hi - lo + 1) / (other->ports.hi - other->ports.lo + 1.);
}

/* Who names a port and lets its sockets share it wants one, whatever it has: it is refused if others have all. Who
 * has other ports than these has no more than there are of them. */
static double most_of(const struct plan *p, const struct load_plan *other,
		      const struct load_plan *me)
{
	bool is_same = together_within(p, other, me) && together_within(p, me, other);

	if (other == me)
		return bind_shares_port(me->load) ? 1 : INFINITY;
	return is_same ? INFINITY : (double)other->budget.capacity;
}

/* All that exclude each other, so that more of them than there are ports means that one was refused. Of two that
 * do not neither counts. */
static void set_within(struct sum *s)
{
	const struct plan *p = s->p;
	bool may[SCENARIO_LOADS_MOST];

	for (uint32_t i = 0; i < p->load_count; i++)
		may[i] =
			together_inside(p, &p->loads[i], s->me) &&
			together_exclude(&p->loads[i], s->me) && !may_share(p, p->loads[i].load) &&
			(&p->loads[i] == s->me || !bind_shares_with(p->loads[i].load, s->me->load));
	for (uint32_t i = 0; i < p->load_count; i++) {
		s->within[i] = may[i];
		for (uint32_t k = 0; k < p->load_count; k++)
			s->within[i] &= !may[k] || together_exclude(&p->loads[i], &p->loads[k]);
	}
}

void sum_make(struct sum *out, const struct plan *p, uint32_t own)
{
	const struct load_plan *me = &p->loads[own];

	*out = (struct sum){.p = p, .me = me, .alone = true};
	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct load_plan *other = &p->loads[i];
		bool shares = i != own && bind_shares_with(other->load, me->load);
		bool is_met = together_wants(p, other, me) &&
			      (i == own || !is_past(p, other, me)) &&
			      !(shares && bind_shares_port(me->load));

		out->uses[i] = use_make(p, other, me);
		out->part[i] = is_met ? part_in(other, me) : 0;
		out->most[i] = most_of(p, other, me);
		out->alone &= i == own || !is_met;
	}
	set_within(out);
	if (bind_shares_port(me->load) && me->load->protocol == PROTOCOL_TCP)
		out->seen = use_make(p, me, NULL);
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

	n = fmin(n, s->most[i]);
	switch (which) {
	case SUM_LEAST:
		return s->within[i] && turns ? floor(n / spaces) : 0;
	case SUM_LIKELY:
		n *= s->part[i] / spaces;
		if (s->part[i] < 1) /* a port is taken, or is not */
			n = floor(n + 0.5);
		return several > 1 ? spread(n, several, s->me->budget.usable) : n;
	default:
		return s->part[i] > 0 ? ceil(n / (is_spread ? spaces : 1)) : 0;
	}
}

/* Nobody takes a port that a load has which shares its own. */
static double left_by(const struct sum *s, double ns)
{
	double usable = s->me->budget.usable;

	return s->seen.load ? fmax(usable - use_likely(&s->seen, ns - 1), 0) : INFINITY;
}

/* Ports in use then. */
static double used_at(const struct sum *s, enum bound which, double ns)
{
	static double (*const use_of[SUMS])(const struct use *, double) = {
		[SUM_LEAST] = use_least, [SUM_LIKELY] = use_likely, [SUM_MOST] = use_most};
	double others = 0, own = 0;

	for (uint32_t i = 0; i < s->p->load_count; i++)
		*(s->me == &s->p->loads[i] ? &own : &others) +=
			sum_in_space(s, i, which, use_of[which](&s->uses[i], ns));
	return own + (which == SUM_LIKELY ? fmin(others, left_by(s, ns)) : others);
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
	return used_at(s, which, (double)ns) > ports;
}

/* Connections of a load whose time is known, before `until`. */
static uint64_t timed(const struct use *u, int64_t until)
{
	int64_t last = sooner(until - u->load->load->start, u->lasts_ns) - 1;

	if (last < 0)
		return 0;
	return u->clients > 0 ? 1
			      : (uint64_t)fmin((double)shape_due(&u->load->shape, last), u->total);
}

/* So far apart are those that are looked at. */
static uint64_t apart(const struct sum *s, uint64_t n)
{
	return n * s->p->load_count / BEGINS + 1;
}

/* As a connection of the i-th load is due: a port may be wanted for that moment alone. */
static int64_t passed_by_begin(const struct sum *s, enum bound which, double ports, uint32_t i,
			       int64_t until)
{
	const struct load_plan *lp = &s->p->loads[i];
	uint64_t n = timed(&s->uses[i], until), step = apart(s, n), early = 0, late = 0;

	if (n == 0)
		return FOR_EVER;
	while (!is_passed(s, which, ports, due_when_ns(lp, late))) {
		if (late == n - 1)
			return FOR_EVER;
		early = late + 1;
		late = least(late + step, n - 1);
	}
	while (early < late) {
		uint64_t between = early + (late - early) / 2;

		if (is_passed(s, which, ports, due_when_ns(lp, between)))
			late = between;
		else
			early = between + 1;
	}
	return due_when_ns(lp, late);
}

static int64_t passed_by_clock(const struct sum *s, enum bound which, double ports, int64_t until)
{
	int64_t early = -1, late = FOR_EVER;

	for (int k = 0; k <= LOOKS && late == FOR_EVER; k++) {
		int64_t ns = (int64_t)((double)until * k / LOOKS);

		if (is_passed(s, which, ports, ns))
			late = ns;
		else
			early = ns;
	}
	while (late != FOR_EVER && late - early > 1) {
		int64_t between = early + (late - early) / 2;

		if (is_passed(s, which, ports, between))
			late = between;
		else
			early = between;
	}
	return late;
}

int64_t sum_passed_ns(const struct sum *s, enum bound which, double ports, int64_t until)
{
	int64_t first = passed_by_clock(s, which, ports, until);

	for (uint32_t i = 0; i < s->p->load_count; i++)
		if (s->part[i] > 0)
			first = sooner(first,
				       passed_by_begin(s, which, ports, i, sooner(first, until)));
	return first;
}

double sum_reached(const struct sum *s, enum bound which, int64_t until)
{
	double most = 0;

	for (int k = 1; k <= LOOKS; k++)
		most = fmax(most, used_at(s, which, (double)until * k / LOOKS));
	for (uint32_t i = 0; i < s->p->load_count; i++) {
		const struct load_plan *lp = &s->p->loads[i];
		uint64_t n = s->part[i] > 0 ? timed(&s->uses[i], until) : 0;

		for (uint64_t k = 0; k < n; k += apart(s, n))
			most = fmax(most, used_at(s, which, (double)due_when_ns(lp, k)));
	}
	return most;
}

/* From how many on a connect of any of them looks at all ports, whoever is asked about; 0: none does. */
static double half_of(const struct sum *s)
{
	double half = 0;

	for (uint32_t i = 0; i < s->p->load_count; i++)
		if (s->part[i] > 0)
			half = fmax(half, speed_half(s->p->loads[i].load, &s->me->budget));
	return half;
}

void sum_slow_down(struct sum *s, int64_t until)
{
	double half = half_of(s), at[PACES] = {0};
	int64_t soonest, likely;

	at[PACE_SLOW] = at[PACE_USUAL] = at[PACE_QUICK] = INFINITY;
	if (half <= 0)
		return;
	soonest = sum_passed_ns(s, SUM_MOST, half, until);
	likely = sum_passed_ns(s, SUM_LIKELY, half, until);
	at[PACE_SLOW] = soonest == FOR_EVER ? INFINITY : (double)soonest;
	at[PACE_USUAL] = likely == FOR_EVER ? INFINITY : (double)likely;
	for (uint32_t i = 0; i < s->p->load_count; i++)
		use_slow_down(&s->uses[i], at);
}
