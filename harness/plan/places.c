#include "plan/places.h"

#include <stdlib.h>

#include "plan/bind.h"

enum {
	SERVICE_FIRST = 7000,	/* where the range leaves room for it */
	PRIVILEGED_LAST = 1023, /* outside of every range that a kernel takes by default */
	PORT_LAST = 65535,
};

/* Where each topology's addresses begin: of IPv4, which mapped sockets use too, and of IPv6. */
static const struct layout {
	const char *sources[2], *servers[2];
} layouts[] = {
	[TOPOLOGY_VETH] = {{"10.77.0.1", "fd77::1"}, {"10.77.128.1", "fd77:0:0:1::1"}},
	[TOPOLOGY_LOOPBACK] = {{"127.0.0.1", "::1"}, {"127.0.0.1", "::1"}},
	[TOPOLOGY_NAT] = {{"10.77.0.1"}, {"10.77.128.1"}},
};

/* The gateway's, towards the clients and towards the servers. */
static const char gateway_inside[] = "10.77.64.1", gateway_outside[] = "10.77.192.1";

/* The client's first where the servers have link-local ones. */
static const char link_source[] = "fe80::77:0:0:1";

/* An address of the server's host that is not one of those. */
static const char *const gates[2] = {"10.77.255.1", "fd77:0:0:2::1"};

/* The lowest of `count` listening ports, none of them in the range; 0 if there is no room. */
static uint16_t services_place(struct port_range range, uint32_t count)
{
	const uint32_t choices[] = {
		SERVICE_FIRST,
		range.lo > count + PRIVILEGED_LAST ? range.lo - count : 0,
		range.hi + 1U,
		PRIVILEGED_LAST + 1U - count,
		range.lo > count ? range.lo - count : 0,
	};

	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		uint32_t first = choices[i], last = choices[i] + count - 1;

		if (first > 0 && last <= PORT_LAST && (last < range.lo || first > range.hi))
			return (uint16_t)first;
	}
	return 0;
}

static bool no_room(const struct plan *p, struct err *err)
{
	const struct scenario *s = p->scenario;
	struct mark services = s->network.at.services;

	err_set(err, ERR_SCENARIO,
		"the client's range %u-%u leaves no port for the %u that servers listen on",
		s->network.ports.lo, s->network.ports.hi, p->services);
	err_hint(err, "Leave %u port%s outside of the range.", p->services,
		 p->services == 1 ? "" : "s");
	return scenario_blame(p->scenario, services.line ? services : s->network.at.ports, err);
}

static bool services_set(struct plan *p, struct arena *arena, struct err *err)
{
	const struct service_wish *wish = &p->scenario->network.services;
	uint16_t first = 0;

	p->services = (uint32_t)wish->count;
	p->service_ports = ARENA_ARRAY(arena, uint16_t, p->services);
	if (!wish->list) {
		first = services_place(p->scenario->network.ports, p->services);
		if (first == 0)
			return no_room(p, err);
	}
	for (uint32_t i = 0; i < p->services; i++)
		p->service_ports[i] = wish->list ? wish->list[i].port : (uint16_t)(first + i);
	p->service_first = p->service_ports[0];
	return true;
}

static struct address_list addresses_from(const char *first, uint64_t count, struct arena *arena)
{
	struct address_list all = {ARENA_ARRAY(arena, struct address, count), (uint32_t)count};
	struct address a = {0, 0};

	address_read(text_of(first), &a);
	for (uint32_t i = 0; i < all.count; i++)
		all.list[i] = address_after(a, i);
	return all;
}

/* Those that are listed; else `times` as many as the scenario wants. */
static struct address_list addresses_of(const struct address_wish *wish, const char *first,
					uint64_t times, struct arena *arena)
{
	struct address_list all;

	if (!wish->list)
		return addresses_from(first, wish->count * times, arena);
	all = (struct address_list){ARENA_ARRAY(arena, struct address, wish->count),
				    (uint32_t)wish->count};
	for (uint32_t i = 0; i < all.count; i++)
		all.list[i] = wish->list[i].address;
	return all;
}

static void gateway_set(struct plan *p, struct arena *arena)
{
	const struct scenario *s = p->scenario;

	if (s->network.topology != TOPOLOGY_NAT)
		return;
	p->nat.inside = addresses_from(gateway_inside, 1, arena);
	p->nat.outside = addresses_from(gateway_outside, s->network.nat.addresses, arena);
}

static bool address_is_in(const struct address_list *all, struct address a)
{
	for (uint32_t i = 0; i < all->count; i++)
		if (address_eq(all->list[i], a))
			return true;
	return false;
}

/* Where no packet is to be answered, at once or later, the server's end has an address of its own
 * that is nobody's destination, and without theirs: what is sent to those arrives there, and is
 * dropped without a word, since it is not forwarded either (ip_error(), net/ipv4/route.c). */
static struct address_list link_of(const struct plan *p, const struct ends *ends,
				   struct arena *arena)
{
	bool drops = p->scenario->server.behaviour == BEHAVIOUR_DROP;
	struct address_list link = {ARENA_ARRAY(arena, struct address, ends->servers.count + 1), 1};

	if (!drops && p->scenario->server.vanish == 0)
		return ends->servers;
	address_read(text_of(gates[!address_is_ipv4(ends->servers.list[0])]), &link.list[0]);
	while (address_is_in(&ends->servers, link.list[0]) ||
	       address_is_in(&ends->sources, link.list[0]))
		link.list[0] = address_after(link.list[0], 1);
	for (uint32_t i = 0; i < ends->servers.count && !drops; i++)
		link.list[link.count++] = ends->servers.list[i];
	return link;
}

static int by_address(const void *a, const void *b)
{
	return address_order(*(const struct address *)a, *(const struct address *)b);
}

/* The first of the servers that a source is as well, from 0; or their number. */
static uint32_t shared_find(const struct plan *p, struct arena scratch)
{
	uint32_t i = 0;
	struct address *sorted = ARENA_ARRAY(&scratch, struct address, p->sources.count);

	for (uint32_t k = 0; k < p->sources.count; k++)
		sorted[k] = p->sources.list[k];
	qsort(sorted, p->sources.count, sizeof(sorted[0]), by_address);
	while (i < p->servers.count && !bsearch(&p->servers.list[i], sorted, p->sources.count,
						sizeof(sorted[0]), by_address))
		i++;
	return i;
}

/* Two hosts cannot have one address: packets to it would never leave. */
static bool ends_differ(const struct plan *p, struct arena scratch, struct err *err)
{
	const struct scenario *s = p->scenario;
	uint32_t i = shared_find(p, scratch);
	char z[ADDRESS_PRINTED];

	if (s->network.topology == TOPOLOGY_LOOPBACK || i == p->servers.count)
		return true;
	err_set(err, ERR_SCENARIO, "%s is one of network.sources and of network.servers",
		address_print(z, p->servers.list[i]));
	err_hint(err, "Client and server are two hosts: give each addresses of its own.");
	return scenario_blame(p->scenario,
			      s->network.servers.list ? s->network.servers.list[i].at
						      : s->network.at.sources,
			      err);
}

/* To a link-local address, from one. */
static const char *first_source(const struct address_wish *servers, const char *usual)
{
	bool is_link_local = servers->list && address_is_link_local(servers->list[0].address);

	return is_link_local ? link_source : usual;
}

static struct ends ends_of(const struct plan *p, bool is_ipv6, struct arena *arena)
{
	const struct scenario *s = p->scenario;
	const struct layout *l = &layouts[s->network.topology];
	/* A host behind a gateway is no more to it than its addresses: many are one namespace. */
	uint64_t hosts = s->network.topology == TOPOLOGY_NAT ? s->network.nat.clients : 1;
	struct ends ends = {
		.sources = addresses_of(&s->network.sources,
					first_source(&s->network.servers, l->sources[is_ipv6]),
					hosts, arena),
		.servers = addresses_of(&s->network.servers, l->servers[is_ipv6], 1, arena),
	};

	ends.link = link_of(p, &ends, arena);
	return ends;
}

static bool is_ipv6_of(const struct scenario *s, size_t load)
{
	return load_family(s, scenario_load(s, load)) == FAMILY_IPV6;
}

/* Those of the first load, and, if any other load has another, those of the other version of IP. */
static void addresses_set(struct plan *p, struct arena *arena)
{
	const struct scenario *s = p->scenario;
	bool is_ipv6 = is_ipv6_of(s, 0), has_other = false;
	struct ends own = ends_of(p, is_ipv6, arena);

	for (size_t i = 1; i < scenario_loads(s); i++)
		has_other |= is_ipv6_of(s, i) != is_ipv6;
	p->family = load_family(s, scenario_load(s, 0));
	p->sources = own.sources;
	p->servers = own.servers;
	p->server_link = own.link;
	if (has_other)
		p->other = ends_of(p, !is_ipv6, arena);
}

bool places_had(const struct plan *p, struct address a)
{
	const struct address lo = address_ipv4(0x7f000000), lo_ipv6 = {0, 1};
	const uint64_t of_lo = ~UINT64_C(0xffffff);
	bool shares = p->scenario->network.topology == TOPOLOGY_LOOPBACK;

	return address_is_any(a) || address_is_in(&p->sources, a) ||
	       address_is_in(&p->other.sources, a) || (shares && address_is_in(&p->servers, a)) ||
	       (address_is_ipv4(a) && (a.low & of_lo) == (lo.low & of_lo)) ||
	       address_eq(a, lo_ipv6);
}

/* An address of its own that is no source would have ports that no other load is counted with. */
static bool source_named(const struct plan *p, struct load_plan *lp, struct arena *arena,
			 struct err *err)
{
	struct address a = lp->load->bind.address;
	char z[ADDRESS_PRINTED];

	if (address_is_any(a) || address_is_in(&lp->sources, a))
		return true;
	if (places_had(p, a)) {
		err_set(err, ERR_SCENARIO,
			"load.bind cannot name %s: the client has it, and network.sources do not",
			address_print(z, a));
		err_hint(err, "List it there: network.sources: [\"%s\"].", z);
		return scenario_blame(p->scenario, lp->load->at.bind, err);
	}
	lp->foreign = true;
	lp->sources = (struct address_list){ARENA_ARRAY(arena, struct address, 1), 1};
	lp->sources.list[0] = a;
	return true;
}

/* Has the load no way to name its addresses: no scope of theirs, or another link's? */
static bool is_unscoped(const struct load_plan *lp)
{
	return address_is_link_local(lp->servers.list[0]) && lp->load->scope != SCOPE_LINK;
}

static bool is_off(const struct scenario *s, const struct load_plan *lp)
{
	static const char name[] = "net.ipv6.conf.all.disable_ipv6";

	return lp->family == FAMILY_IPV6 && setting_number(&s->network.sysctl, name, 0) != 0;
}

bool places_of(const struct plan *p, struct load_plan *lp, struct arena *arena, struct err *err)
{
	bool is_other = (lp->family == FAMILY_IPV6) != (p->family == FAMILY_IPV6);

	lp->sources = is_other ? p->other.sources : p->sources;
	lp->servers = is_other ? p->other.servers : p->servers;
	lp->unscoped = is_unscoped(lp);
	lp->ipv6_off = is_off(p->scenario, lp);
	return source_named(p, lp, arena, err);
}

bool places_set(struct plan *p, struct arena *arena, struct err *err)
{
	const struct scenario *s = p->scenario;
	bool is_local = s->network.topology == TOPOLOGY_LOOPBACK;

	addresses_set(p, arena);
	gateway_set(p, arena);
	/* On loopback the kernel takes 127.0.0.1 for a socket that is not bound. */
	p->bind_source = p->sources.count > 1 || (is_local && s->network.sources.list);
	if (!services_set(p, arena, err))
		return false;
	p->destinations = p->servers.count * p->services;
	return ends_differ(p, *arena, err);
}

/* Services whose ports the load's own connections could have, if nobody listened there. */
static uint32_t services_in_range(const struct plan *p, const struct load *load)
{
	const struct scenario *s = p->scenario;
	struct port_range range = bind_ports(load, s->network.ports);
	uint32_t n = 0;

	if (s->network.topology != TOPOLOGY_LOOPBACK)
		return 0;
	for (uint32_t i = 0; i < p->services; i++) {
		uint16_t port = p->service_ports[i];
		bool is_reserved =
			ports_within(&s->network.reserved, (struct port_range){port, port});

		n += port >= range.lo && port <= range.hi &&
		     (!is_reserved || bind_names_port(load->bind.way));
	}
	return n;
}

static bool somebody_listens(const struct plan *p)
{
	return behaviour_does(p->scenario->server.behaviour, DOES_LISTEN);
}

bool places_meet(const struct plan *p, const struct load *load)
{
	bool nobody = !somebody_listens(p) || p->scenario->server.die > 0;

	return nobody && services_in_range(p, load) > 0;
}

uint32_t places_in_range(const struct plan *p, const struct load *load)
{
	return somebody_listens(p) ? services_in_range(p, load) : 0;
}
