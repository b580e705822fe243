/* Rules: which ports there are, and who takes them. */
#include "scenario/rule.h"

/* Reserved ranges are sorted and do not touch: so one of them covers the whole range, or none
 * do. */
static bool is_reserved(const struct scenario *s, struct port_range range)
{
	for (size_t i = 0; i < s->network.reserved.count; i++)
		if (s->network.reserved.list[i].lo <= range.lo &&
		    s->network.reserved.list[i].hi >= range.hi)
			return true;
	return false;
}

static bool too_many_reserved(const struct scenario *s)
{
	return s->network.reserved.count > SCENARIO_RESERVED_MOST;
}

static bool window_outside(const struct scenario *s)
{
	const struct bind *bind = &s->load.bind;

	return bind->way == BIND_LOCAL_PORT_RANGE &&
	       (bind->ports.lo < s->network.ports.lo || bind->ports.hi > s->network.ports.hi);
}

static bool window_reserved(const struct scenario *s)
{
	return s->load.bind.way == BIND_LOCAL_PORT_RANGE && is_reserved(s, s->load.bind.ports);
}

/* Nobody who carries load has CAP_NET_BIND_SERVICE. */
static bool names_privileged(const struct scenario *s)
{
	static const struct text name = TEXT("net.ipv4.ip_unprivileged_port_start");
	enum { PRIVILEGED_LAST = 1023 };
	bool names = s->load.bind.way == BIND_PORT || s->load.bind.way == BIND_PORTS;

	for (size_t i = 0; i < s->network.sysctl.count; i++)
		if (text_eq(s->network.sysctl.list[i].name, name))
			return false;
	return names && s->load.bind.ports.lo <= PRIVILEGED_LAST;
}

static bool binds_twice(const struct scenario *s)
{
	return load_ends(&s->load, END_DISCONNECT) &&
	       (s->load.bind.way == BIND_PORT || s->load.bind.way == BIND_PORTS);
}

static bool fast_beside_bind(const struct scenario *s)
{
	enum bind_way way = s->load.bind.way;

	return s->load.order == ORDER_FAST && way != BIND_NONE && way != BIND_ADDRESS_NO_PORT;
}

static bool squats_nowhere(const struct scenario *s)
{
	return !squats(s) && (!address_is_any(s->squat.address) || s->squat.family != FAMILY_IPV4);
}

static bool squats_of_nothing(const struct scenario *s)
{
	return !squats(s) && s->load.ballast == 0 && s->squat.protocol != PROTOCOL_TCP;
}

static bool ballast_of_another(const struct scenario *s)
{
	return s->load.ballast > 0 && s->load.protocol != s->squat.protocol;
}

static bool datagrams_listen(const struct scenario *s)
{
	return s->squat.protocol == PROTOCOL_UDP && (s->squat.listen.count || s->squat.unbound);
}

/* What is bound and not connected may be either then. */
static bool datagrams_alike(const struct scenario *s)
{
	return s->squat.protocol == PROTOCOL_UDP && !s->load.connected;
}

static bool squats_nothing_later(const struct scenario *s)
{
	return !squats(s) && s->squat.start > 0;
}

static bool squats_too_late(const struct scenario *s)
{
	return squats(s) && s->squat.start >= s->stop.time;
}

static bool listens_unbound_somewhere(const struct scenario *s)
{
	return s->squat.unbound > 0 && !address_is_any(s->squat.address);
}

/* An address that is any is one of every family. */
static bool other_family(const struct scenario *s)
{
	bool is_ipv4 = address_is_ipv4(s->squat.address);

	return !address_is_any(s->squat.address) && is_ipv4 == (s->squat.family == FAMILY_IPV6);
}

static bool squats_twice(const struct scenario *s)
{
	for (size_t i = 0; i < s->squat.listen.count; i++)
		for (size_t k = 0; k < s->squat.ports.count; k++)
			if (s->squat.listen.list[i].lo <= s->squat.ports.list[k].hi &&
			    s->squat.ports.list[k].lo <= s->squat.listen.list[i].hi)
				return true;
	return false;
}

static bool window_unknown(const struct scenario *s)
{
	return s->load.bind.way == BIND_LOCAL_PORT_RANGE &&
	       (s->squat.bind || s->squat.unbound || s->load.ballast > 0);
}

static bool ballast_in_vain(const struct scenario *s)
{
	enum bind_way way = s->load.bind.way;

	bool bound = way == BIND_ADDRESS_NO_PORT || s->network.sources.count > 1;

	return s->load.ballast > 0 &&
	       (way == BIND_ADDRESS || way == BIND_PORT || way == BIND_PORTS ||
		(s->load.protocol == PROTOCOL_UDP && bound));
}

/* From the address that the route gives, for there is no other that it could have. */
static bool any_of_several(const struct scenario *s)
{
	bool chosen = s->network.sources.list && s->network.topology == TOPOLOGY_LOOPBACK;

	return s->load.bind.way == BIND_ANY &&
	       (s->network.sources.count > 1 || chosen ||
		(s->network.topology == TOPOLOGY_NAT && s->network.nat.clients > 1));
}

static bool binds_one(const struct scenario *s)
{
	return !address_is_any(s->load.bind.address);
}

static bool binds_another_family(const struct scenario *s)
{
	bool is_ipv4 = address_is_ipv4(s->load.bind.address);

	return binds_one(s) && is_ipv4 == (load_family(s, &s->load) == FAMILY_IPV6);
}

static bool binds_one_of_several(const struct scenario *s)
{
	return binds_one(s) &&
	       (s->network.sources.count > 1 ||
		(s->network.topology == TOPOLOGY_NAT && s->network.nat.clients > 1));
}

static bool squats_one_client(const struct scenario *s)
{
	return s->network.nat.clients > 1 && (squats(s) || s->load.ballast > 0);
}

static const struct rule rules[] = {
	{too_many_reserved,
	 {AT(network, reserved), AT(network, reserved)},
	 "network.reserved is more than 340 ranges",
	 "The kernel takes no longer list: join neighbouring ports into ranges."},
	{window_outside,
	 {AT(load, bind), AT(network, ports)},
	 "load.bind: local-port-range does not lie in network.ports",
	 "The kernel ignores IP_LOCAL_PORT_RANGE outside of its own range: it can only narrow it."},
	{window_reserved,
	 {AT(load, bind), AT(network, reserved)},
	 "network.reserved leaves no port of load.bind: local-port-range",
	 "Reserve less, or name a wider range."},
	{names_privileged,
	 {AT(load, bind), AT(load, bind)},
	 "load.bind names a port below 1024",
	 "The kernel must allow that: set net.ipv4.ip_unprivileged_port_start in network.sysctl, "
	 "such as to 600."},
	{binds_twice,
	 {AT(load, end), AT(load, bind)},
	 "load.end: disconnect and a load.bind that names ports exclude each other",
	 "The socket stays bound to its port and cannot be bound again: use another end."},
	{fast_beside_bind,
	 {AT(load, order), AT(load, bind)},
	 "load.order: fast needs connect() to choose from network.ports",
	 "With this load.bind it does not: leave load.order out."},
	{squats_nowhere,
	 {AT(squat, address), AT(squat, family)},
	 "squat holds nothing",
	 "Say what is held: listen, unbound, ports or bind."},
	{squats_of_nothing,
	 {AT(squat, protocol), AT(squat, protocol)},
	 "squat holds nothing",
	 "Say what is held: ports or bind, or load.ballast."},
	{ballast_of_another,
	 {AT(load, ballast), AT(load, protocol), AT(squat, protocol)},
	 "load.ballast and the load differ in protocol",
	 "Ballast has squat.protocol, and would take none of the load's ports: use one protocol "
	 "for both."},
	{datagrams_listen,
	 {AT(squat, protocol), AT(squat, listen), AT(squat, unbound)},
	 "a UDP socket does not listen",
	 "Hold its port with squat.ports or squat.bind."},
	{datagrams_alike,
	 {AT(squat, protocol), AT(load, connected)},
	 "squat.protocol: udp and load.connected: false exclude each other",
	 "Both are bound and not connected, so that the socket table does not tell them apart: "
	 "leave one of them out."},
	{squats_nothing_later,
	 {AT(squat, start), AT(squat, start)},
	 "squat holds nothing",
	 "Say what is held: listen, unbound, ports or bind."},
	{squats_too_late,
	 {AT(squat, start), AT(stop, time)},
	 "squat.start is not before stop.time",
	 "The run is over by then: raise stop.time, or lower the start."},
	{listens_unbound_somewhere,
	 {AT(squat, unbound), AT(squat, address)},
	 "squat.unbound is bound to no address",
	 "listen() without bind() is on all addresses: leave squat.address out, or use "
	 "squat.listen."},
	{other_family,
	 {AT(squat, address), AT(squat, family)},
	 "squat.address is not an address of squat.family",
	 "Use one family for both; `mapped` has IPv4 addresses."},
	{squats_twice,
	 {AT(squat, listen), AT(squat, ports)},
	 "squat.listen and squat.ports have a port in common",
	 "A port can be bound once: leave it out of one of them."},
	{window_unknown,
	 {AT(load, bind), AT(squat, bind)},
	 "load.bind: local-port-range and squat.bind or load.ballast exclude each other",
	 "The kernel may take squat's ports from that range or not, so that what is left cannot be "
	 "told: name them with squat.ports."},
	{ballast_in_vain,
	 {AT(load, ballast), AT(load, bind)},
	 "load.ballast means nothing to a load.bind that takes ports by bind()",
	 "Ballast is bound to another address: use squat, or a load.bind that lets connect() "
	 "choose."},
	{any_of_several,
	 {AT(load, bind), AT(network, sources), AT(network.nat, clients)},
	 "load.bind: any has one source address, which the route decides",
	 "Use a single source (on loopback not a listed one), or bind: address."},
	{binds_another_family,
	 {AT(load, bind), AT(load, family), AT(network, family)},
	 "load.bind: the address is not of the load's family",
	 "Use one family for both; `mapped` has IPv4 addresses."},
	{binds_one_of_several,
	 {AT(load, bind), AT(network, sources), AT(network.nat, clients)},
	 "load.bind names one address, and network.sources are several",
	 "Use one source; or let each connection bind its own with bind: address."},
	{squats_one_client,
	 {AT(network.nat, clients), AT(load, ballast)},
	 "squat and load.ballast hold ports on one client, and network.nat.clients is more",
	 "Use one client, or leave squat and load.ballast out."},
};

const struct rules rules_of_ports = RULES(rules);
