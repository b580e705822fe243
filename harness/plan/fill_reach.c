#include "plan/fill.h"

#include <math.h>

#include "base/order.h"
#include "plan/alone.h"
#include "plan/bind.h"
#include "plan/speed.h"
#include "plan/sum.h"
#include "plan/together.h"

/* Of two that get slow at once the one that has more ports to search. */
static bool is_sooner(const struct half *a, const struct half *b)
{
	if (!b->of || a->at_ns != b->at_ns)
		return !b->of || a->at_ns < b->at_ns;
	if (a->of->budget.usable != b->of->budget.usable)
		return a->of->budget.usable > b->of->budget.usable;
	return bind_takes_port(a->of->bind) && !bind_takes_port(b->of->bind); /* which is slower */
}

struct half fill_half(const struct plan *p)
{
	struct half first = {NULL, FOR_EVER};
	struct sum v;

	for (uint32_t i = 0; i < p->load_count; i++) {
		double half = speed_half(p->loads[i].load, &p->loads[i].budget);
		struct half own = {&p->loads[i], FOR_EVER};

		if (half <= 0)
			continue;
		sum_make(&v, p, i);
		own.at_ns = sum_passed_ns(&v, SUM_LIKELY, half, p->scenario->stop.time);
		if (is_sooner(&own, &first))
			first = own;
	}
	return first;
}

/* Has another load all of its ports, and more? */
static bool is_part(const struct plan *p, const struct load_plan *lp)
{
	for (uint32_t i = 0; i < p->load_count; i++)
		if (together_within(p, lp, &p->loads[i]) &&
		    p->loads[i].budget.usable > lp->budget.usable)
			return true;
	return false;
}

/* Does of any two that are counted one take ports from the other? Else some of theirs may be the same. */
static bool is_one_of(const struct sum *v)
{
	const struct load_plan *loads = v->p->loads;

	for (uint32_t i = 0; i < v->p->load_count; i++)
		for (uint32_t k = 0; k < i; k++)
			if (v->part[i] > 0 && v->part[k] > 0 &&
			    !together_meet(&loads[i], &loads[k]) &&
			    !together_meet(&loads[k], &loads[i]))
				return false;
	return true;
}

/* The view that may be fullest, by what there is: of the ports of one load that other loads want, too, or of the
 * only one. */
static bool fullest(struct sum *out, const struct plan *p)
{
	bool any = false;
	struct sum v;

	for (uint32_t i = 0; i < p->load_count; i++) {
		if (is_part(p, &p->loads[i]))
			continue;
		sum_make(&v, p, i);
		if ((v.alone && p->load_count > 1) || !is_one_of(&v) ||
		    (any &&
		     sum_peak(&v) * out->me->budget.usable <= sum_peak(out) * v.me->budget.usable))
			continue;
		*out = v;
		any = true;
	}
	return any;
}

struct wanted fill_wanted(const struct plan *p)
{
	int64_t stop = p->scenario->stop.time;
	struct wanted w = {0};
	double by_clock;
	struct sum v;

	if (!fullest(&v, p))
		return w;
	by_clock = sum_reached(&v, SUM_LIKELY, stop);
	sum_slow_down(&v, stop);
	w = (struct wanted){v.me->budget.usable, sum_reached(&v, SUM_LIKELY, stop), sum_peak(&v),
			    v.me->budget.spaces < p->budget.spaces ? v.me : NULL, false};
	w.slowed = by_clock > w.usable && w.likely <= w.usable;
	return w;
}

double fill_peak(const struct plan *p)
{
	double most = 0;
	struct sum v;

	for (uint32_t i = 0; i < p->load_count; i++) {
		sum_make(&v, p, i);
		most = fmax(most, sum_peak(&v));
	}
	return most;
}

static double sum_of(const struct plan *p, double (*peak)(const struct use *))
{
	double sum = 0;

	for (uint32_t i = 0; i < p->load_count; i++) {
		struct use u = use_make(p, &p->loads[i], &p->loads[i]);

		sum += fmin(peak(&u), (double)p->loads[i].budget.capacity);
	}
	return sum;
}

double fill_ports_most(const struct plan *p)
{
	return sum_of(p, use_peak);
}

double fill_open_most(const struct plan *p)
{
	return sum_of(p, use_open_peak);
}

/* What lasts longer is not to be waited for: 100 days. */
#define LONGEST_NS (INT64_C(100) * 86400 * 1000000000)

/* Is it the same at all times, so that it can be said to go on? */
static bool goes_on(const struct plan *p, const struct load_plan *lp, const struct use *u)
{
	struct scenario alone = alone_of(p->scenario, lp->load);

	return lp->load->ramp.count == 0 && !life_races(&alone) && u->is_steady &&
	       lp->sockets_most >= lp->budget.capacity &&
	       (u->clients == 0 || u->life.quiet.most == 0 || u->is_pooled);
}

/* From when on all is as it stays: what was begun before connects became slow is over by then. */
static double settled_ns(const struct sum *v)
{
	double settled = 0;

	for (uint32_t i = 0; i < v->p->load_count; i++)
		if (isfinite(v->uses[i].half_ns[PACE_USUAL]) && v->uses[i].most_ns < FOR_EVER)
			settled = fmax(settled,
				       v->uses[i].half_ns[PACE_USUAL] + (double)v->uses[i].most_ns);
	return fmin(settled, (double)LONGEST_NS);
}

/* When those of one load have run out, if all go on; FOR_EVER: never, or 0: nobody can tell. */
static int64_t runs_out_ns(const struct plan *p, uint32_t own)
{
	struct sum v;
	int64_t at;

	sum_make(&v, p, own);
	for (uint32_t i = 0; i < p->load_count; i++) {
		if (!goes_on(p, &p->loads[i], &v.uses[i]))
			return 0;
		v.uses[i].total = INFINITY;
		v.uses[i].lasts_ns = LONGEST_NS;
	}
	sum_slow_down(&v, LONGEST_NS);
	at = sum_passed_ns(&v, SUM_LIKELY, v.me->budget.usable, (int64_t)settled_ns(&v));
	return at < FOR_EVER ? at : sum_passed_ns(&v, SUM_LIKELY, v.me->budget.usable, LONGEST_NS);
}

int64_t fill_lasts_ns(const struct plan *p)
{
	int64_t first = FOR_EVER;

	for (uint32_t i = 0; i < p->load_count; i++)
		first = sooner(first, runs_out_ns(p, i));
	return first < FOR_EVER && first > 0 ? first - plan_start(p) : 0;
}
