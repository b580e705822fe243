#include "plan/together.h"

#include <math.h>

#include "base/order.h"
#include "plan/alone.h"
#include "plan/bind.h"
#include "plan/buckets.h"
#include "plan/fill.h"
#include "plan/part.h"

static struct forecast foresee_one(const struct plan *p, uint32_t i)
{
	struct scenario alone = alone_of(p->scenario, p->loads[i].load);

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

bool together_wants(const struct plan *p, const struct load_plan *a, const struct load_plan *b)
{
	return together_meet(a, b) && !is_aside(p, a, b) && !is_aside(p, b, a);
}

/* Who names its port may name a reserved one, and who binds another address than squat may have what that holds. */
bool together_inside(const struct plan *p, const struct load_plan *inner,
		     const struct load_plan *outer)
{
	bool strays = bind_names_port(inner->bind) && !bind_names_port(outer->bind) &&
		      ports_within(&p->scenario->network.reserved, inner->ports) > 0;
	bool passes = inner->passes_squat && !outer->passes_squat;

	return !strays && !passes && inner->ports.lo >= outer->ports.lo &&
	       inner->ports.hi <= outer->ports.hi;
}

bool together_within(const struct plan *p, const struct load_plan *inner,
		     const struct load_plan *outer)
{
	return together_meet(inner, outer) && together_inside(p, inner, outer);
}

bool together_exclude(const struct load_plan *a, const struct load_plan *b)
{
	return together_meet(a, b) && together_meet(b, a);
}

/* Do they want the very same: as many ports, of as many spaces? */
bool together_alike(const struct load_plan *a, const struct load_plan *b)
{
	return together_exclude(a, b) && a->budget.usable == b->budget.usable &&
	       a->budget.spaces == b->budget.spaces;
}

bool together_all_alike(const struct plan *p)
{
	for (uint32_t i = 0; i < p->load_count; i++)
		for (uint32_t k = 0; k < i; k++)
			if (!together_alike(&p->loads[i], &p->loads[k]))
				return false;
	return true;
}

/* The slowest to give ports back is what all wait for. */
static void add(struct forecast *all, const struct forecast *one)
{
	all->port_life_ns =
		one->port_life_ns > all->port_life_ns ? one->port_life_ns : all->port_life_ns;
	all->life_most_ns = later(all->life_most_ns, one->life_most_ns);
	all->life_least_ns =
		one->life_least_ns < all->life_least_ns ? one->life_least_ns : all->life_least_ns;
	all->quiet_ns = one->quiet_ns > all->quiet_ns ? one->quiet_ns : all->quiet_ns;
	all->late_ns = one->late_ns > all->late_ns ? one->late_ns : all->late_ns;
}

/* Of open loops that want the very same, opened as they ask for: each has its part of the ports; NAN: they are
 * not all such. */
static double mixed_rate(const struct plan *p, const struct forecast *each, struct part part)
{
	const struct load_plan *first = NULL;
	double asked = 0, taken = 0;

	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct load_plan *lp = &p->loads[i];
		double asks = shape_asks(&lp->shape);

		if (!part_has(part, lp) || load_binds_nowhere(p, lp))
			continue;
		first = first ? first : lp;
		if (!load_is_open(lp->load) || !together_alike(first, lp))
			return NAN;
		asked += asks;
		taken += asks / each[i].rate;
	}
	return asked > 0 ? asked / taken : NAN;
}

/* Of the loads of the first part. Where they do not mix, at least as many as the fewest ports carry for as long
 * as the longest has one: whose ports lie where, and what of them others may have, decides of more. */
static void set_rate(struct forecast *all, const struct plan *p, const struct forecast *each)
{
	double fewest = INFINITY, longest_s = 0, shortest_s = INFINITY;
	struct part parts[PARTS_MOST];

	parts_of(parts, p);
	all->rate_is_least = false; /* was of the first load by itself */
	all->rate = mixed_rate(p, each, parts[0]);
	if (!isnan(all->rate))
		return;
	for (uint32_t i = 0; i < p->load_count; i++) {
		double ports = (double)p->loads[i].budget.capacity, rate = each[i].rate;
		double life = rate > 0 || isnan(rate) ? ports / rate : INFINITY;

		if (!part_has(parts[0], &p->loads[i]) || load_binds_nowhere(p, &p->loads[i]))
			continue;
		if (isnan(life)) /* fmax() passes over it */
			return;
		fewest = fmin(fewest, ports);
		longest_s = fmax(longest_s, life);
		shortest_s = fmin(shortest_s, life);
	}
	all->rate = fewest / longest_s;
	all->rate_is_least = isfinite(all->rate) && all->rate > 0 &&
			     (shortest_s < longest_s || !together_all_alike(p));
}

struct forecast together_foresee(const struct plan *p)
{
	struct forecast each[SCENARIO_LOADS_MOST], all;

	all = each[0] = foresee_one(p, 0);
	if (p->load_count == 1 && (all.known || !load_is_pooled(p->loads[0].load)))
		return all;
	for (uint32_t i = 1; i < p->load_count; i++) {
		each[i] = foresee_one(p, i);
		add(&all, &each[i]);
	}
	if (p->load_count > 1) {
		set_rate(&all, p, each);
		all.buckets = all.quiet_ns > 0 && all.quiet_ns < FOR_EVER && !isnan(all.rate)
				      ? buckets_few(p->scenario, &p->budget, p->host)
				      : 0;
		all.rate_is_least |= all.buckets > 0 && isfinite(all.rate);
	}
	fill_foresee(&all, p, each);
	return all;
}

/* Is it one of those that have their ports from the leader's, and from each other? */
static bool joins(const struct plan *p, const uint32_t of[], uint32_t i, uint32_t leader)
{
	if (!together_inside(p, &p->loads[i], &p->loads[leader]))
		return false;
	for (uint32_t k = 0; k < p->load_count; k++)
		if (of[k] == leader && !together_exclude(&p->loads[i], &p->loads[k]))
			return false;
	return true;
}

static uint32_t largest(const struct plan *p, const uint32_t of[])
{
	uint32_t found = SCENARIO_LOADS_MOST;

	for (uint32_t i = 0; i < p->load_count; i++)
		if (of[i] == SCENARIO_LOADS_MOST &&
		    (found == SCENARIO_LOADS_MOST ||
		     p->loads[i].budget.capacity > p->loads[found].budget.capacity))
			found = i;
	return found;
}

uint64_t together_capacity(const struct plan *p)
{
	uint32_t of[SCENARIO_LOADS_MOST], leader; /* whose ports each load has */
	uint64_t all = 0;

	for (uint32_t i = 0; i < p->load_count; i++)
		of[i] = SCENARIO_LOADS_MOST;
	while ((leader = largest(p, of)) < SCENARIO_LOADS_MOST) {
		of[leader] = leader;
		all += p->loads[leader].budget.capacity;
		for (uint32_t i = 0; i < p->load_count; i++)
			if (of[i] == SCENARIO_LOADS_MOST && joins(p, of, i, leader))
				of[i] = leader;
	}
	return all;
}
