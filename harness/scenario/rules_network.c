/* Rules: addresses, and the gateway. */
#include "base/unit.h"
#include "scenario/rule.h"

/* As many as there are pairs of a source and a destination, each with ports of its own. */
static bool too_many_pairs(const struct scenario *s)
{
	uint64_t hosts = s->network.topology == TOPOLOGY_NAT ? s->network.nat.clients : 1;

	return hosts * s->network.sources.count * s->network.servers.count *
		       s->network.services.count >
	       SCENARIO_PAIRS_MOST;
}

static bool too_many_clients(const struct scenario *s)
{
	return s->network.topology == TOPOLOGY_NAT &&
	       s->network.nat.clients * s->network.sources.count > SCENARIO_SOURCES_MOST;
}

/* So many hosts with so many addresses each, or these addresses. */
static bool listed_and_multiplied(const struct scenario *s)
{
	return s->network.topology == TOPOLOGY_NAT && s->network.nat.clients > 1 &&
	       s->network.sources.list;
}

static bool nat_of_ipv6(const struct scenario *s)
{
	return s->network.topology == TOPOLOGY_NAT && load_family(s, &s->load) == FAMILY_IPV6;
}

/* What each key of network.nat is by itself, as it would be written. */
static const struct {
#define NAT(field, ...) const char *field;
#include "words/keys.def"
} by_itself = {
#define NAT(field, key, kind, fallback, ...) .field = (fallback),
#include "words/keys.def"
};

static bool has_mapping_time(const struct nat *nat)
{
	int64_t ns = 0;

	return !unit_read_time(text_of(by_itself.mapping_time), &ns) || nat->mapping_time != ns;
}

/* Where a port is in use towards one destination, connection tracking says for how long. */
static bool keeps_no_mapping(const struct scenario *s)
{
	const struct nat *nat = &s->network.nat;

	return s->network.topology == TOPOLOGY_NAT && nat->mapping == MAPPING_DEPENDENT &&
	       has_mapping_time(nat) && !is_taken_back(s, nat->at.mapping_time, nat->at.mapping);
}

static bool redirects_nothing(const struct scenario *s)
{
	struct mark key = s->network.nat.at.redirect;

	return s->network.topology == TOPOLOGY_NAT && s->network.nat.redirect &&
	       s->network.servers.count * s->network.services.count == 1 &&
	       !is_taken_back(s, key, s->network.at.servers) &&
	       !is_taken_back(s, key, s->network.at.services);
}

/* A key of network.nat that says more than its default, and no gateway. */
static bool without_nat(const struct scenario *s, bool says_more, struct mark key)
{
	return s->network.topology != TOPOLOGY_NAT && says_more &&
	       !is_taken_back(s, key, s->network.at.topology);
}

#define WITHOUT_NAT(field, says_more) \
	static bool field##_without_nat(const struct scenario *s) \
	{ \
		const struct nat *nat = &s->network.nat; \
\
		return without_nat(s, says_more, nat->at.field); \
	}
WITHOUT_NAT(ports, nat->ports.lo != 1024 || nat->ports.hi != 65535)
WITHOUT_NAT(addresses, nat->addresses != 1)
WITHOUT_NAT(random, nat->random)
WITHOUT_NAT(limit, nat->limit != 0)
WITHOUT_NAT(clients, nat->clients != 1)
WITHOUT_NAT(redirect, nat->redirect)
WITHOUT_NAT(mapping, nat->mapping != MAPPING_DEPENDENT)
WITHOUT_NAT(mapping_time, has_mapping_time(nat))
WITHOUT_NAT(sysctl, nat->sysctl.count > 0)

static bool more_than_loopback_has(const struct scenario *s)
{
	return s->network.topology == TOPOLOGY_LOOPBACK &&
	       load_family(s, &s->load) == FAMILY_IPV6 &&
	       (s->network.sources.count > 1 || s->network.servers.count > 1);
}

/* Of IPv6, and of a link on which there is somebody to ask. */
static bool asks_of_none(const struct scenario *s)
{
	bool is_ipv6 = false;

	for (size_t i = 0; i < scenario_loads(s); i++)
		is_ipv6 |= load_family(s, scenario_load(s, i)) == FAMILY_IPV6;
	return s->network.dad && !is_ipv6 &&
	       !is_taken_back(s, s->network.at.dad, s->network.at.family);
}

static bool asks_on_loopback(const struct scenario *s)
{
	return s->network.dad && s->network.topology == TOPOLOGY_LOOPBACK &&
	       !is_taken_back(s, s->network.at.dad, s->network.at.topology);
}

/* Before the run nothing can be bound to it; ::1 is on lo. */
static bool squats_while_tentative(const struct scenario *s)
{
	struct address a = s->squat.address;
	bool is_lo = a.high == 0 && a.low == 1;

	return s->network.dad && squats(s) && !address_is_any(a) && !address_is_ipv4(a) && !is_lo;
}

/* A list is of one family, and where it is of the other nothing says which addresses a load has. */
static bool listed_of_another(const struct scenario *s)
{
	bool is_ipv6 = load_family(s, &s->load) == FAMILY_IPV6;

	return is_ipv6 != (s->network.family == FAMILY_IPV6) &&
	       (s->network.sources.list || s->network.servers.list);
}

/* Of the list, how many are link-local. */
static uint64_t link_locals(const struct address_wish *wish)
{
	uint64_t n = 0;

	for (uint64_t i = 0; wish->list && i < wish->count; i++)
		n += address_is_link_local(wish->list[i].address);
	return n;
}

/* One scope is for all that a socket names. */
static bool mixes_links(const struct scenario *s)
{
	const struct address_wish *sources = &s->network.sources, *servers = &s->network.servers;
	uint64_t n = link_locals(servers);

	return (n > 0 && n < servers->count) ||
	       (sources->list && link_locals(sources) != (n > 0 ? sources->count : 0));
}

static bool scopes_nothing(const struct scenario *s)
{
	return s->load.scope != SCOPE_NONE && link_locals(&s->network.servers) == 0 &&
	       !address_is_link_local(s->load.bind.address) &&
	       !is_taken_back(s, s->load.at.scope, s->network.at.servers);
}

static const struct rule rules[] = {
	{too_many_pairs,
	 {AT(network, sources), AT(network, servers)},
	 "network.sources × servers × services is more than 524,288",
	 "Each pair of a source and a destination is watched by itself: use fewer."},
	{too_many_clients,
	 {AT(network, sources), AT(network.nat, clients)},
	 "network.sources × network.nat.clients is more than 1,024",
	 "Each host behind the gateway has all of network.sources: use fewer of either."},
	{listed_and_multiplied,
	 {AT(network, sources), AT(network.nat, clients)},
	 "network.nat.clients needs a number of network.sources, not a list",
	 "Write how many addresses each client has; or leave network.nat.clients out, and list "
	 "them all."},
	{nat_of_ipv6,
	 {AT(network, family), AT(network, topology), AT(load, family)},
	 "topology: nat is for IPv4 alone",
	 "Hosts of IPv6 need no NAT: use family: ipv4 or mapped."},
#define NAT(field, key, ...) \
	{field##_without_nat, \
	 {AT(network.nat, field), AT(network, topology)}, \
	 "network.nat." key " needs topology: nat", \
	 "Set network.topology to nat: there is no gateway without it."},
#include "words/keys.def"
	{keeps_no_mapping,
	 {AT(network.nat, mapping_time), AT(network.nat, mapping)},
	 "network.nat.mapping_time needs mapping: endpoint-independent",
	 "How long the port of one connection is kept is network.nat.sysctl's, "
	 "net.netfilter.nf_conntrack_tcp_timeout_time_wait and others."},
	{redirects_nothing,
	 {AT(network.nat, redirect), AT(network, servers), AT(network, services)},
	 "network.nat.redirect needs more than one destination",
	 "It makes several destinations one: set network.servers or network.services to 2 or "
	 "more."},
	{listed_of_another,
	 {AT(load, family), AT(network, sources), AT(network, servers)},
	 "network.sources and servers list no addresses of load.family",
	 "Write how many there are instead: each family then has as many."},
	{mixes_links,
	 {AT(network, sources), AT(network, servers)},
	 "network.sources and servers mix link-local addresses (fe80::/10) with others",
	 "load.scope is about all of them: list addresses of one kind."},
	{scopes_nothing,
	 {AT(load, scope), AT(network, servers), AT(load, bind)},
	 "load.scope needs link-local addresses",
	 "List them: network: {family: ipv6, servers: [\"fe80::2\"]}."},
	{asks_of_none,
	 {AT(network, dad), AT(network, family), AT(load, family)},
	 "network.dad is for IPv6, and no load uses it",
	 "Use family: ipv6, or leave network.dad out."},
	{asks_on_loopback,
	 {AT(network, dad), AT(network, topology)},
	 "network.dad needs a network between two hosts",
	 "Use topology: veth."},
	{squats_while_tentative,
	 {AT(network, dad), AT(squat, address)},
	 "with network.dad nothing can be bound to squat.address: it is tentative",
	 "Leave squat.address out, or use that of lo, \"::1\"."},
	{more_than_loopback_has,
	 {AT(network, family), AT(network, topology), AT(load, family)},
	 "IPv6 has one loopback address, ::1: network.sources and servers cannot be more",
	 "Use network.services for more destinations, or topology: veth."},
};

const struct rules rules_of_network = RULES(rules);
