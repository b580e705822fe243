#include "plan/fill.h"

#include <math.h>

#include "base/order.h"
#include "plan/bind.h"
#include "plan/due.h"
#include "plan/speed.h"
#include "plan/sum.h"
#include "plan/together.h"

/* Nobody is refused a port that all who may have it share. */
static bool shares_with_all(const struct plan *p, const struct load_plan *me)
{
	for (uint32_t i = 0; i < p->load_count; i++)
		if (&p->loads[i] != me && together_wants(p, &p->loads[i], me) &&
		    !bind_shares_with(p->loads[i].load, me->load))
			return false;
	return bind_shares_port(me->load);
}

/* Do the others surely have all ports that the load `k` may have, so that it can have none? */
static bool is_taken(const struct sum *v, uint32_t k, int64_t at)
{
	double held = 0;

	for (uint32_t i = 0; i < v->p->load_count; i++)
		if (i != k && together_meet(&v->p->loads[i], &v->p->loads[k]) &&
		    !bind_shares_with(v->p->loads[i].load, v->p->loads[k].load))
			held += sum_in_space(v, i, SUM_LEAST, use_least(&v->uses[i], (double)at));
	return held >= (double)v->me->budget.usable;
}

/* When a load that has no other ports than `me` asks for one, and the others have them all: either they do, or
 * one of them was refused before. FOR_EVER: it is not known to. */
static int64_t taken_ns(const struct sum *v, int64_t until)
{
	int64_t first = FOR_EVER;

	for (uint32_t k = 0; k < v->p->load_count; k++) {
		const struct load_plan *asker = &v->p->loads[k];
		uint64_t early = 0, late = due_known(v->p, asker, (double)until), all = late;

		if (!together_inside(v->p, asker, v->me) ||
		    bind_may_repeat(v->p->scenario, asker->load))
			continue;
		while (early < late) {
			uint64_t between = early + (late - early) / 2;

			if (is_taken(v, k, due_when_ns(asker, between)))
				late = between;
			else
				early = between + 1;
		}
		if (late < all)
			first = sooner(first, due_when_ns(asker, late) + (int64_t)SPEED_HELD_UP_NS);
	}
	return first;
}

/* What becomes of the ports of a view, or of all. */
struct fill {
	int64_t soonest_ns, likely_ns, surely_ns; /* FOR_EVER: never */
	uint32_t likely_of;			  /* the load whose ports they are */
	bool never;				  /* not more than there are, whatever happens */
	bool is_copy; /* of the load's before, which finds the very same */
};

/* Has it no other ports than these, and none that any of those counted has? */
static bool is_asker(const struct sum *v, uint32_t k)
{
	const struct load_plan *asker = &v->p->loads[k];

	for (uint32_t i = 0; i < v->p->load_count; i++)
		if (i != k && v->part[i] > 0 && !together_meet(&v->p->loads[i], asker))
			return false;
	return together_inside(v->p, asker, v->me);
}

/* When somebody asks who may be refused for all of these, first and last. */
struct asked {
	int64_t first;
	double last;
};

static struct asked asked_of(const struct sum *v)
{
	struct asked a = {FOR_EVER, 0};

	for (uint32_t i = 0; i < v->p->load_count; i++) {
		const struct load_plan *lp = &v->p->loads[i];

		if (!is_asker(v, i))
			continue;
		a.first = sooner(a.first, lp->load->start);
		a.last = fmax(a.last, due_begun_ns(v->p, lp));
	}
	return a;
}

static struct fill fill_of(struct sum *v, const struct forecast *one)
{
	const struct plan *p = v->p;
	int64_t stop = p->scenario->stop.time, until = (int64_t)due_changes_ns(p);
	double usable = v->me->budget.usable;
	double lost = budget_lost(&v->me->budget, p->scenario, v->me->load);
	bool is_steady = v->me->budget.pairs == 1 || p->scenario->network.choose != CHOOSE_SEED;
	struct asked asked = asked_of(v);
	struct fill f = {FOR_EVER, FOR_EVER, FOR_EVER, .likely_of = (uint32_t)(v->me - p->loads)};

	sum_slow_down(v, stop);
	f.never = sum_peak(v) <= usable - lost || (usable > 0 && shares_with_all(p, v->me)) ||
		  (v->alone && one->known && !one->exhausts);
	if (!f.never) {
		f.soonest_ns = later(sum_passed_ns(v, SUM_MOST, usable - lost, stop), asked.first);
		f.likely_ns = later(sum_passed_ns(v, SUM_LIKELY, usable, stop), asked.first);
		if ((double)f.likely_ns > asked.last)
			f.likely_ns = FOR_EVER;
	}
	if (is_steady)
		f.surely_ns =
			sooner(sum_passed_ns(v, SUM_LEAST, usable, until), taken_ns(v, until));
	return f;
}

/* The first of them all to be refused. */
static void fill_join(struct fill *all, const struct fill *one)
{
	all->never &= one->never;
	if (one->likely_ns < all->likely_ns)
		all->likely_of = one->likely_of;
	all->soonest_ns = sooner(all->soonest_ns, one->soonest_ns);
	all->likely_ns = sooner(all->likely_ns, one->likely_ns);
	all->surely_ns = sooner(all->surely_ns, one->surely_ns);
}

/* Does a load give none of its ports back until then? */
static bool gives_none_back(const struct use *u, double ns)
{
	const struct pool_fate *f = &u->pool;
	int64_t life = life_sum(u->life.live.least, u->life.quiet.least);

	if (u->is_pooled && f->keeps_all)
		return true;
	return (double)(u->is_pooled ? u->life.quiet.least : life) >
	       ns - (double)u->load->load->start;
}

/* As long as no port comes back, no more are opened than there are ports; and spaces may have a connection
 * more of one load than others. */
static void count_kept(struct forecast *all, const struct plan *p)
{
	const struct budget *b = &p->budget;
	uint64_t uneven =
		(uint64_t)p->load_count * (b->spaces - 1) + (b->may_lose_one ? b->spaces : 0);

	all->after_most = all->after = b->capacity;
	uneven += p->scenario->sample.latency > 0;
	all->after_least = all->after > uneven ? all->after - uneven : 0;
}

/* Of a load whose sockets share their ports, no two connections at once are between the same addresses and
 * ports: connect() refuses the others, which is no want of a port. */
static bool repeats(const struct use *u)
{
	return bind_shares_port(u->load->load) && !bind_overshadows(u->load->load);
}

/* In which it has each port for as long as its own sockets mind it, whoever asks. */
static double opens_most(const struct plan *p, const struct use *u, double ns)
{
	const struct load_plan *lp = u->load;
	struct life own = use_make(p, lp, lp).life;
	double since = ns - (double)lp->load->start;
	int64_t life = life_sum(own.live.least, own.quiet.least);

	if (!repeats(u) || life == 0)
		return INFINITY;
	return (double)lp->budget.capacity * (floor(fmax(since, 0) / (double)life) + 1);
}

/* Of those who may be the first to be refused. */
static double usable_least(const struct plan *p, const struct fill *fills, int64_t surely_ns)
{
	double least = INFINITY;

	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct load_plan *lp = &p->loads[i];
		double usable =
			(double)lp->budget.usable - budget_lost(&lp->budget, p->scenario, lp->load);

		if (fills[i].soonest_ns <= surely_ns || fills[i].surely_ns <= surely_ns)
			least = fmin(least, fmax(usable, 0));
	}
	return least;
}

/* Of one load: those that have had a port until the first refusal, which comes between two times. */
static struct guess begun_until(const struct plan *p, const struct use *u, const struct fill *f)
{
	double by = use_begun(u, PACE_QUICK, (double)f->surely_ns);
	double likely_ns = (double)f->likely_ns - 1; /* before the one that is refused */
	double opened =
		u->is_pooled ? use_likely(u, likely_ns) : use_begun(u, PACE_USUAL, likely_ns);

	return (struct guess){
		fmin(use_least(u, (double)f->soonest_ns),
		     repeats(u) ? (double)u->load->budget.capacity : INFINITY),
		fmin(opened, opens_most(p, u, likely_ns)),
		fmin(u->is_pooled ? pool_opens_most(&u->pool, by) : by,
		     opens_most(p, u, (double)f->surely_ns)),
	};
}

static void add(struct guess *sum, struct guess one)
{
	*sum = (struct guess){sum->least + one.least, sum->likely + one.likely,
			      sum->most + one.most};
}

/* A connect of UDP asks nobody. */
static bool opens(const struct plan *p, const struct use *u)
{
	return behaviour_does(p->scenario->server.behaviour, DOES_LISTEN) ||
	       u->load->load->protocol == PROTOCOL_UDP;
}

static void set_after(struct forecast *all, struct guess after)
{
	all->after_least = (uint64_t)after.least;
	all->after_most = (uint64_t)after.most;
	all->after = (uint64_t)fmin(fmax(after.likely, after.least), (double)all->after_most);
}

/* Opened until the first refusal: whoever it is finds `usable` of his own ports in use, at least. Those that
 * never open have had a port too. */
static void count(struct forecast *all, const struct sum *v, const struct fill *f, double usable)
{
	const struct plan *p = v->p;
	struct guess begun = {0, 0, 0}, opened = begun;
	bool keeps = together_all_alike(p), all_open = true;

	all->counted = true;
	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct use *u = &v->uses[i];
		struct guess one = begun_until(p, u, f);

		keeps &= gives_none_back(u, (double)f->surely_ns);
		all_open &= opens(p, u);
		add(&begun, one);
		if (opens(p, u))
			add(&opened, one);
	}
	begun.least = fmax(begun.least, usable);
	begun.most = fmax(begun.most - 1, begun.least); /* one of them is refused */
	set_after(all, begun);
	if (keeps)
		count_kept(all, p);
	if (all_open)
		return;
	all->refused = (struct guess){(double)all->after_least, (double)all->after,
				      (double)all->after_most};
	set_after(all, opened);
}

static struct guess wider(struct guess a, struct guess b)
{
	return (struct guess){fmin(a.least, b.least), fmin(a.likely, b.likely),
			      fmax(a.most, b.most)};
}

/* Of all that are surely refused by then: none of them is asked about before another. */
static void count_all(struct forecast *all, const struct plan *p, const struct fill *fills,
		      const struct fill *first)
{
	double usable = usable_least(p, fills, first->surely_ns);
	struct guess after = {INFINITY, INFINITY, 0}, refused = after;
	struct sum v;

	for (uint32_t i = 0; i < p->load_count; i++) {
		if (fills[i].is_copy || fills[i].surely_ns != first->surely_ns)
			continue;
		sum_make(&v, p, i);
		sum_slow_down(&v, p->scenario->stop.time);
		count(all, &v, first, usable);
		refused = wider(refused, all->refused);
		after = wider(after, (struct guess){(double)all->after_least, (double)all->after,
						    (double)all->after_most});
	}
	all->refused = refused;
	all->after_least = (uint64_t)after.least;
	all->after = (uint64_t)after.likely;
	all->after_most = (uint64_t)after.most;
}

/* Since the first load began. */
static struct guess refused_at(const struct plan *p, const struct fill *f)
{
	double start = (double)plan_start(p);

	return (struct guess){(double)f->soonest_ns - start, (double)f->likely_ns - start,
			      (double)f->surely_ns - start};
}

/* Is it of the same ports, and of the same mind about the others'? A load whose sockets share their ports has
 * eyes of its own. */
static bool is_same(const struct sum *a, const struct sum *b)
{
	bool same = a->me->budget.usable == b->me->budget.usable &&
		    !bind_shares_port(a->me->load) && !bind_shares_port(b->me->load) &&
		    bind_takes_port(a->me->bind) == bind_takes_port(b->me->bind) &&
		    a->alone == b->alone && !a->alone && together_all_alike(a->p);

	for (uint32_t i = 0; i < a->p->load_count && same; i++)
		same = a->within[i] == b->within[i] && (a->part[i] > 0) == (b->part[i] > 0) &&
		       a->most[i] == b->most[i];
	return same;
}

/* One connection more than there are ports for it, and a pair has none. Where a socket that nobody
 * listens for has met itself, and who is open for how long then, is nobody's to tell. */
void fill_foresee(struct forecast *all, const struct plan *p, const struct forecast *each)
{
	struct fill first = {FOR_EVER, FOR_EVER, FOR_EVER, .never = true};
	struct sum views[2]; /* the one that is looked at, and the one before */
	struct fill fills[SCENARIO_LOADS_MOST];

	for (uint32_t i = 0; i < p->load_count; i++) {
		struct sum *v = &views[i % 2];

		sum_make(v, p, i);
		if (i > 0 && is_same(v, &views[1 - i % 2])) {
			fills[i] = fills[i - 1];
			fills[i].is_copy = true;
			continue;
		}
		fills[i] = fill_of(v, &each[i]);
		fill_join(&first, &fills[i]);
	}
	all->exhausts = first.surely_ns < FOR_EVER;
	all->known = all->exhausts || first.never;
	all->counted = all->cut_short = false;
	all->after = all->after_least = all->after_most = 0;
	all->likely_run_ns = first.likely_ns;
	all->likely_of = first.likely_of;
	if (!all->exhausts)
		return;
	first.likely_ns = sooner(first.likely_ns, first.surely_ns);
	first.soonest_ns = sooner(first.soonest_ns, first.likely_ns);
	all->at = refused_at(p, &first);
	count_all(all, p, fills, &first);
}
