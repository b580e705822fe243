#include "plan/together.h"

#include <math.h>

#include "plan/bind.h"
#include "plan/due.h"
#include "plan/part.h"
#include "plan/speed.h"

/* What a connection may take, and a thread be held up: twice what forecast.c allows one. */
#define SLOWEST_NS 400000.0
#define SLACK_NS 100e6

static struct forecast foresee_one(const struct plan *p, uint32_t i)
{
	struct scenario alone = *p->scenario;

	alone.load = *p->loads[i].load;
	return forecast_make(&alone, p->load_count == 1 ? &p->budget : &p->loads[i].budget,
			     p->host);
}

/* Is it bound to no address that is its own? An unbound socket of UDP is bound to all of them when it
 * is connected. */
static bool is_unbound(const struct load_plan *lp)
{
	return lp->bind == BIND_ANY || !lp->bind_source;
}

/* Of the two versions of IP each has the ports for itself, but for those that the one's bind() took:
 * the other's connect() passes over them. And bind() to all addresses passes over what the other
 * has: of AF_INET6 over all of it, of IPv4 over what is bound to no address, unless the socket of
 * IPv6 is of that alone (Linux 6.18). */
static bool takes_across(const struct load_plan *a, const struct load_plan *b)
{
	bool b_is_any =
		b->bind == BIND_ANY || (b->load->protocol == PROTOCOL_UDP && !b->bind_source);

	if (!b_is_any)
		return b->load->protocol == PROTOCOL_TCP && !bind_takes_port(b->bind) &&
		       bind_takes_port(a->bind);
	if (b->family == FAMILY_IPV6)
		return !b->load->options.v6only;
	return is_unbound(a) && !a->load->options.v6only;
}

/* Does what the one has take a port from the other? The kernel keeps the ports of TCP and of UDP
 * apart; and of one protocol those are wanted by both that both may have. */
bool together_meet(const struct load_plan *a, const struct load_plan *b)
{
	bool is_across = (a->family == FAMILY_IPV6) != (b->family == FAMILY_IPV6);

	return a->load->protocol == b->load->protocol && a->ports.lo <= b->ports.hi &&
	       b->ports.lo <= a->ports.hi && (!is_across || takes_across(a, b));
}

/* Does the one name ports alone that are reserved, and the other none? Then it takes none of the
 * other's, which connect() and bind() to port 0 choose. */
static bool is_aside(const struct plan *p, const struct load_plan *a, const struct load_plan *b)
{
	uint32_t size = (uint32_t)(a->ports.hi - a->ports.lo) + 1;

	return bind_names_port(a->bind) && !bind_names_port(b->bind) &&
	       ports_within(&p->scenario->network.reserved, a->ports) == size;
}

static bool meets(const struct plan *p, const struct load_plan *a, const struct load_plan *b)
{
	return together_meet(a, b) && !is_aside(p, a, b) && !is_aside(p, b, a);
}

/* Has the one no other ports than the other may have? Who names its port may name a reserved one. */
static bool is_within(const struct plan *p, const struct load_plan *inner,
		      const struct load_plan *outer)
{
	bool strays = bind_names_port(inner->bind) && !bind_names_port(outer->bind) &&
		      ports_within(&p->scenario->network.reserved, inner->ports) > 0;

	return together_meet(inner, outer) && !strays && inner->ports.lo >= outer->ports.lo &&
	       inner->ports.hi <= outer->ports.hi;
}

/* Do they want the very same: as many ports, of as many spaces? */
static bool is_alike(const struct load_plan *a, const struct load_plan *b)
{
	return together_meet(a, b) && together_meet(b, a) && a->budget.usable == b->budget.usable &&
	       a->budget.spaces == b->budget.spaces;
}

/* What a load finds in its ports: its own connections, and those of the others. */
struct company {
	double surely; /* connections that have no other ports than these */
	double most;   /* of them in one space, at most: each load takes the spaces in turn */
	bool none_back, alike; /* of all of those; and of all loads */
	bool alone;	       /* the others are over before, or begin after it */
};

/* An asker that is late by that much finds them still. */
#define LATE_NS 250e6

/* Until then, of a load whose first connections are the first to give their ports back. */
static bool gives_none_back(const struct load_plan *lp, const struct forecast *f, double until_ns)
{
	return (double)f->life_least_ns > until_ns - (double)lp->load->start + LATE_NS;
}

/* Ports that so many of its connections have of each space of `me`, at least: several spaces of its own may
 * lie in one of those, and then may their ports be the same. */
static double takes_of(const struct load_plan *other, const struct load_plan *me, double n)
{
	uint32_t shared = other->budget.spaces / me->budget.spaces;

	return shared > 1 ? floor(n / shared) : n;
}

static bool may_share(const struct plan *p, const struct load *l)
{
	return bind_shares_port(l) || bind_may_repeat(p->scenario, l);
}

/* May a socket of the one have a port that one of the other has? Both must have said so. */
static bool share(const struct load *a, const struct load *b)
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

/* Who dies gives its listening ports up. */
static double until_of(const struct plan *p)
{
	return fmin((double)p->scenario->stop.time, speed_changes_ns(p->scenario));
}

static struct company company_of(const struct plan *p, const struct forecast *each, uint32_t own,
				 double until_ns)
{
	const struct load_plan *me = &p->loads[own];
	struct company c = {.none_back = true, .alike = true, .alone = true};

	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct load_plan *other = &p->loads[i];
		bool by_turns =
			other->budget.spaces == me->budget.spaces && !load_is_pooled(other->load);

		c.alike &= is_alike(me, other);
		if (meets(p, other, me) && (i == own || !is_past(p, other, me))) {
			c.most += ceil(due_most(p, other) / (by_turns ? me->budget.spaces : 1));
			c.alone &= i == own;
		}
		if (!is_within(p, other, me))
			continue;
		c.surely += takes_of(other, me, due_surely(other, until_ns));
		c.none_back &=
			gives_none_back(other, &each[i], until_ns) && !may_share(p, other->load);
	}
	return c;
}

/* Nobody is refused a port that all who may have it share. */
static bool shares_with_all(const struct plan *p, const struct load_plan *me)
{
	for (uint32_t i = 0; i < p->load_count; i++)
		if (&p->loads[i] != me && meets(p, &p->loads[i], me) &&
		    !share(p->loads[i].load, me->load))
			return false;
	return bind_shares_port(me->load);
}

/* Do the others have all ports of `me` when a load that has no other asks for one? Either they do, or
 * one of them was refused before. */
static bool is_taken(const struct plan *p, const struct forecast *each, uint32_t own)
{
	const struct load_plan *me = &p->loads[own];

	for (uint32_t k = 0; k < p->load_count; k++) {
		const struct load_plan *asker = &p->loads[k];
		double at = due_last_ns(asker, until_of(p)), held = 0;

		if (!is_within(p, asker, me) || at >= until_of(p))
			continue;
		for (uint32_t i = 0; i < p->load_count; i++) {
			const struct load *l = p->loads[i].load;
			bool keeps = gives_none_back(&p->loads[i], &each[i], at);

			if (i != k && is_within(p, &p->loads[i], me) && keeps && !may_share(p, l) &&
			    !share(l, asker->load))
				held += takes_of(&p->loads[i], me, due_surely(&p->loads[i], at));
		}
		if (held >= (double)me->budget.capacity)
			return true;
	}
	return false;
}

/* The slowest to give ports back is what all wait for. */
static void add(struct forecast *all, const struct forecast *one)
{
	all->port_life_ns =
		one->port_life_ns > all->port_life_ns ? one->port_life_ns : all->port_life_ns;
	all->life_least_ns =
		one->life_least_ns < all->life_least_ns ? one->life_least_ns : all->life_least_ns;
	all->quiet_ns = one->quiet_ns > all->quiet_ns ? one->quiet_ns : all->quiet_ns;
}

/* Of the loads of the first part, by the one whose ports carry least; not to be told if it is not of
 * one of them (fmin() passes over NAN). */
static double rate_of(const struct plan *p, const struct forecast *each)
{
	struct part parts[PARTS_MOST];
	double least = INFINITY;

	parts_of(parts, p);
	for (uint32_t i = 0; i < p->load_count; i++)
		if (part_has(parts[0], &p->loads[i]))
			least = isnan(each[i].rate) || isnan(least) ? NAN
								    : fmin(least, each[i].rate);
	return least;
}

/* By a machine that is quick, and by a slow one: the load's own start is past. */
static struct guess refused_at(const struct plan *p, const struct forecast *f)
{
	double start = (double)p->loads[0].load->start, stop = (double)p->scenario->stop.time;
	double likely = due_ns(p, f->after), slow = (double)f->after_most * SLOWEST_NS;

	if (likely <= 0)
		return (struct guess){0, 0, stop};
	return (struct guess){due_ns(p, f->after_least) - start, likely - start,
			      fmin(fmax(due_ns(p, f->after_most), slow) + SLACK_NS, stop) - start};
}

/* All loads want the same: the first connection that is too many is refused, but for the spaces
 * that have a connection more of one load than others. */
static void count(struct forecast *all, const struct plan *p)
{
	const struct budget *b = &p->budget;
	uint64_t uneven =
		(uint64_t)p->load_count * (b->spaces - 1) + (b->may_lose_one ? b->spaces : 0);
	bool opens = behaviour_does(p->scenario->server.behaviour, DOES_LISTEN) ||
		     p->loads[0].load->protocol == PROTOCOL_UDP;

	all->counted = true;
	all->after_most = all->after = opens ? b->capacity : 0;
	all->after_least = all->after > uneven ? all->after - uneven : 0;
	all->at = refused_at(p, all);
}

/* By when those that have no other ports than `me` have surely begun more than there are. */
static double filled_ns(const struct plan *p, uint32_t own)
{
	const struct load_plan *me = &p->loads[own];
	double early = 0, late = until_of(p);

	while (late - early > 1e6) {
		double between = early + (late - early) / 2, n = 0;

		for (uint32_t i = 0; i < p->load_count; i++)
			if (is_within(p, &p->loads[i], me))
				n += takes_of(&p->loads[i], me, due_surely(&p->loads[i], between));
		if (n > (double)me->budget.capacity)
			late = between;
		else
			early = between;
	}
	return late;
}

/* One connection more than there are ports for it, and a pair has none. Where a socket that nobody
 * listens for has met itself, and who is open for how long then, is nobody's to tell. */
static void foresee_all(struct forecast *all, const struct plan *p, const struct forecast *each)
{
	bool steady = p->scenario->network.choose != CHOOSE_SEED, never = true, counts = false;

	all->exhausts = false;
	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct budget *b = &p->loads[i].budget;
		struct company c = company_of(p, each, i, filled_ns(p, i));
		bool is_full = steady && c.none_back && c.surely > (double)b->capacity;

		never &= c.most <= b->usable || shares_with_all(p, &p->loads[i]) ||
			 (c.alone && each[i].known && !each[i].exhausts);
		all->exhausts |= is_full || (steady && is_taken(p, each, i));
		counts |= is_full && c.alike;
	}
	all->known = all->exhausts || never;
	all->counted = all->cut_short = false;
	all->after = all->after_least = all->after_most = 0;
	if (counts)
		count(all, p);
}

struct forecast together_foresee(const struct plan *p)
{
	struct forecast each[SCENARIO_LOADS_MOST], all;

	all = each[0] = foresee_one(p, 0);
	if (p->load_count == 1)
		return all;
	for (uint32_t i = 1; i < p->load_count; i++) {
		each[i] = foresee_one(p, i);
		add(&all, &each[i]);
	}
	all.rate = rate_of(p, each);
	foresee_all(&all, p, each);
	return all;
}

uint64_t together_capacity(const struct plan *p)
{
	uint64_t all = 0;

	for (uint32_t i = 0; i < p->load_count; i++) {
		bool counted = false; /* as part of another's, or of one that is the same */

		for (uint32_t k = 0; k < p->load_count; k++)
			counted |= k != i && is_within(p, &p->loads[i], &p->loads[k]) &&
				   p->loads[k].budget.capacity >= p->loads[i].budget.capacity &&
				   (k < i || !is_within(p, &p->loads[k], &p->loads[i]) ||
				    p->loads[k].budget.capacity > p->loads[i].budget.capacity);
		all += counted ? 0 : p->loads[i].budget.capacity;
	}
	return all;
}
