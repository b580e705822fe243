#include "plan/squat.h"

#include "plan/bind.h"
#include "plan/places.h"

/* Where ballast is bound if nothing else says: every host has it, and no load connects from it
 * unless it binds. */
static const uint32_t ballast_ipv4 = 0x7f000002; /* 127.0.0.2 */

/* Ports of the list that are in the range, and not reserved: those would be nobody's anyway. */
static uint32_t taken(const struct port_list *list, struct port_range range,
		      const struct port_list *reserved)
{
	uint32_t n = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct port_list one = {&list->list[i], 1};

		n += ports_within(&one, range);
		for (size_t k = 0; k < reserved->count; k++) {
			struct port_range r = reserved->list[k];

			r.lo = r.lo > range.lo ? r.lo : range.lo;
			r.hi = r.hi < range.hi ? r.hi : range.hi;
			n -= r.lo <= r.hi ? ports_within(&one, r) : 0;
		}
	}
	return n;
}

static bool is_in(const struct address_list *all, struct address a)
{
	for (uint32_t i = 0; i < all->count; i++)
		if (address_eq(all->list[i], a))
			return true;
	return false;
}

/* And a bind() to all addresses? One of AF_INET6 is to those of IPv4 too, unless it says not. */
static bool conflicts_with_any(const struct plan *p, const struct load *load)
{
	const struct squat_plan *q = &p->squat;

	if (load->options.v6only)
		return q->family == FAMILY_IPV6;
	return load_family(p->scenario, load) != FAMILY_IPV4 || q->family != FAMILY_IPV6 ||
	       address_is_any(q->address);
}

/* Is it bound to no address of its own? A socket of UDP is then bound to all, by its connect(). */
static bool binds_any(const struct plan *p, const struct load *load)
{
	bool names = bind_takes_port(load->bind.way) || load->bind.way == BIND_ADDRESS_NO_PORT;

	return load->bind.way == BIND_ANY ||
	       (load->protocol == PROTOCOL_UDP && !names && !p->bind_source);
}

/* Does what is squatted refuse a bind() of the load's? */
static bool conflicts(const struct plan *p, const struct load *load)
{
	const struct squat_plan *q = &p->squat;

	if (binds_any(p, load))
		return conflicts_with_any(p, load);
	if (address_is_any(q->address))
		return q->family != FAMILY_IPV4 || load_family(p->scenario, load) != FAMILY_IPV6;
	return is_in(&p->sources, q->address) || is_in(&p->other.sources, q->address);
}

/* Has the load no port that is squatted? connect() of TCP never has. */
static bool is_kept_off(const struct plan *p, const struct load *load)
{
	bool binds = bind_takes_port(load->bind.way) || load->protocol == PROTOCOL_UDP;

	return p->scenario->squat.protocol == load->protocol && (!binds || conflicts(p, load));
}

/* What the load cannot have of its own ports, for listeners or for sockets that are bound. */
struct held {
	uint32_t listening, bound, ballast;
};

static struct held held(const struct plan *p, const struct load *load)
{
	static const struct port_list nothing = {0};
	const struct scenario *s = p->scenario;
	bool names = bind_names_port(load->bind.way);
	struct port_range range = bind_ports(load, s->network.ports);
	const struct port_list *reserved = names ? &nothing : &s->network.reserved;
	struct held h = {.ballast = names ? 0 : p->squat.ballast};

	if (!is_kept_off(p, load))
		return (struct held){0};
	if (s->squat.start > 0)
		return h;
	h.listening = taken(&s->squat.listen, range, reserved) + (names ? 0 : p->squat.unbound);
	h.bound = taken(&s->squat.ports, range, reserved) + (names ? 0 : p->squat.bind);
	return h;
}

/* May the kernel give squat.bind, squat.unbound or load.ballast a port that the load names? */
static bool may_take(const struct plan *p, const struct load *load)
{
	const struct scenario *s = p->scenario;
	struct port_range of = load->bind.ports, range = s->network.ports;

	return bind_names_port(load->bind.way) &&
	       (s->squat.bind || s->squat.unbound || p->squat.ballast) && of.lo <= range.hi &&
	       range.lo <= of.hi && is_kept_off(p, load);
}

bool squat_may_take_any(const struct plan *p)
{
	for (uint32_t i = 0; i < p->load_count; i++)
		if (may_take(p, p->loads[i].load))
			return true;
	return false;
}

static uint32_t sockets_of(const struct port_list *list)
{
	static const struct port_range all = {1, 65535};

	return ports_within(list, all);
}

/* As many more as make up the share, with what is squatted already. */
static uint32_t ballast_of(const struct plan *p)
{
	uint32_t most = 0; /* of several loads, what asks for most */

	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct load_plan *lp = &p->loads[i];
		struct held before = held(p, lp->load);
		uint32_t wanted = (uint32_t)(lp->load->ballast * lp->budget.usable + 1e-6),
			 all = before.listening + before.bound;

		if (wanted > all && wanted - all > most)
			most = wanted - all;
	}
	return most;
}

static bool any_conflicts(const struct plan *p)
{
	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct load *load = p->loads[i].load;

		if (load->protocol == p->scenario->squat.protocol &&
		    (bind_takes_port(load->bind.way) || load->protocol == PROTOCOL_UDP) &&
		    conflicts(p, load))
			return true;
	}
	return false;
}

/* Then one source would have fewer ports than another, and no number would say how many. */
static bool is_even(const struct plan *p, struct err *err)
{
	const struct scenario *s = p->scenario;

	if (p->sources.count == 1 || address_is_any(p->squat.address) || !any_conflicts(p))
		return true;
	err_set(err, ERR_SCENARIO, "squat.address is one of several sources that are bound");
	err_hint(err, "Use squat.address: any, or one source.");
	return scenario_blame(p->scenario, s->squat.at.address, err);
}

static bool address_is_had(const struct plan *p, struct err *err)
{
	char squat[ADDRESS_PRINTED], source[ADDRESS_PRINTED];
	struct address a = p->scenario->squat.address;

	if (places_had(p, a))
		return true;
	err_set(err, ERR_SCENARIO, "squat.address cannot be %s: the client does not have it",
		address_print(squat, a));
	err_hint(err, "It has %s and those of lo. Or list it in network.sources.",
		 address_print(source, p->sources.list[0]));
	return scenario_blame(p->scenario, p->scenario->squat.at.address, err);
}

/* bind(address, 0) takes a port of the range that nobody has. */
static bool ports_suffice(const struct plan *p, struct err *err)
{
	const struct scenario *s = p->scenario;
	const struct port_range range = s->network.ports;
	struct budget b = budget_make(range, &s->network.reserved, 1);

	budget_hold(&b, taken(&s->squat.listen, range, &s->network.reserved) +
				taken(&s->squat.ports, range, &s->network.reserved));
	if (s->squat.bind + s->squat.unbound <= b.usable)
		return true;
	if (s->squat.bind > 0)
		err_set(err, ERR_SCENARIO,
			"squat.bind cannot be %u: network.ports has %u ports for it", p->squat.bind,
			b.usable - (p->squat.unbound < b.usable ? p->squat.unbound : b.usable));
	else
		err_set(err, ERR_SCENARIO,
			"squat.unbound cannot be %u: network.ports has %u ports for it",
			p->squat.unbound, b.usable);
	err_hint(err, "Reserved ports, and those of squat.listen and squat.ports, do not count.");
	return scenario_blame(p->scenario,
			      s->squat.bind > 0 ? s->squat.at.bind : s->squat.at.unbound, err);
}

/* Chooses the load whose ports are told of as the plan's. */
static void widest_set(struct plan *p)
{
	p->widest = 0;
	for (uint32_t i = 1; i < p->load_count; i++)
		if (p->loads[i].budget.capacity > p->loads[p->widest].budget.capacity)
			p->widest = i;
	p->budget = p->loads[p->widest].budget;
}

/* Of the widest load's ports. */
static void held_set(struct plan *p)
{
	struct held load = held(p, p->loads[p->widest].load);

	p->squat.listening = load.listening;
	p->squat.bound = load.bound;
}

bool squat_set(struct plan *p, struct err *err)
{
	const struct scenario *s = p->scenario;
	struct squat_plan *q = &p->squat;
	uint32_t named = sockets_of(&s->squat.listen) + sockets_of(&s->squat.ports) +
			 (uint32_t)s->squat.unbound;

	*q = (struct squat_plan){
		.family = s->squat.family,
		.address = s->squat.address,
		.bind = (uint32_t)s->squat.bind,
		.unbound = (uint32_t)s->squat.unbound,
	};
	if (!address_is_had(p, err) || !ports_suffice(p, err))
		return false;
	widest_set(p);
	held_set(p);
	q->ballast = ballast_of(p);
	if (named + q->bind == 0 && q->ballast > 0)
		q->address = address_ipv4(ballast_ipv4);
	q->sockets = named + q->bind + q->ballast;
	q->early = s->squat.start > 0 ? q->ballast : q->sockets;
	for (uint32_t i = 0; i < p->load_count; i++) {
		struct held load = held(p, p->loads[i].load);

		budget_hold(&p->loads[i].budget, load.listening + load.bound + load.ballast);
		p->loads[i].passes_squat = q->sockets > 0 && !is_kept_off(p, p->loads[i].load);
	}
	widest_set(p);
	held_set(p);
	q->listening += places_in_range(p, p->loads[p->widest].load);
	return is_even(p, err);
}
