#include "lab/gateway.h"

#include <inttypes.h>

#include "sys/netns.h"
#include "sys/nft.h"
#include "sys/rtnetlink.h"

/* Of the client, and of the server, to the gateway; and the other ends of these. */
static const char link_name[] = LINK_NAME, inside[] = "inside", outside[] = "outside";

/* Of the rules, and of their counter of packets without a mapping. */
static const char table[] = "lastport", unmapped[] = "unmapped";

enum {
	RULES_MOST = 16 << 10, /* bytes */
	SWEEPS = 10,	       /* of expired mappings, while one is kept */
	SWEEP_MOST_MS = 1000,
};

/* How one end is joined to a link. */
struct joint {
	const char *link;
	const struct address_list *mine, *other; /* addresses of either end */
	enum veth_end other_end;
	bool is_way_out; /* all that is elsewhere is behind it; else the other end's addresses */
};

/* As in lab.c, the other end is one neighbour: its first address. */
static bool routes_add(struct rtnetlink *rt, const struct joint *j, struct err *err)
{
	struct address via = j->other->list[0];
	bool good = rtnetlink_neighbour(rt, j->link, via, j->other_end, err);

	if (j->is_way_out)
		return good && rtnetlink_route(rt, j->link, via, 0, &via, err);
	for (uint32_t i = 1; i < j->other->count && good; i++)
		good = rtnetlink_route(rt, j->link, j->other->list[i], 32, &via, err);
	return good;
}

static bool joint_make(const struct joint *j, struct err *err)
{
	struct rtnetlink rt;
	bool good = rtnetlink_open(&rt, err) && rtnetlink_addresses(&rt, j->link, j->mine, err) &&
		    rtnetlink_up(&rt, j->link, err) && routes_add(&rt, j, err);

	rtnetlink_close(&rt);
	return good;
}

/* A link of the namespace that the thread is in, with its other end in the gateway's. */
static bool link_to(int gateway_ns, const char *other, struct err *err)
{
	struct rtnetlink rt;
	bool good =
		rtnetlink_open(&rt, err) && rtnetlink_veth(&rt, link_name, other, gateway_ns, err);

	rtnetlink_close(&rt);
	return good;
}

static bool link_await(const char *link, struct err *err)
{
	struct rtnetlink rt;
	bool good = rtnetlink_open(&rt, err) && rtnetlink_await(&rt, link, err);

	rtnetlink_close(&rt);
	return good;
}

/* "10.77.192.1", or of several each in turn, a round of the destinations long: were they to
 * change with each connection, a client that goes round its destinations would meet the same
 * address at the same destination each time. A plain `snat to FIRST-LAST` chooses by a hash of
 * source and destination (find_best_ips_proto(), net/netfilter/nf_nat_core.c): one client has
 * one address towards one server, however many there are. */
static void rules_addresses(struct out *to, const struct plan *p)
{
	const struct address_list *all = &p->nat.outside;
	char z[ADDRESS_PRINTED];

	if (all->count == 1) {
		out_z(to, address_print(z, all->list[0]));
		return;
	}
	out_fmt(to, "numgen inc mod %u map {", all->count * p->destinations);
	for (uint32_t i = 0; i < all->count; i++)
		out_fmt(to, "%s %u-%u : %s", i ? "," : "", i * p->destinations,
			(i + 1) * p->destinations - 1, address_print(z, all->list[i]));
	out_z(to, " }");
}

static bool maps_for_all(const struct plan *p)
{
	return nat_maps_for_all(&p->scenario->network.nat);
}

struct nft_name gateway_unmapped(const struct plan *p)
{
	bool has_gateway = p->scenario->network.topology == TOPOLOGY_NAT;

	return has_gateway && maps_for_all(p) ? (struct nft_name){table, unmapped}
					      : (struct nft_name){0};
}

/* TCP's ports and UDP's are apart. What has expired takes its place until the kernel comes by
 * (nft_rhash_gc(), net/netfilter/nft_set_hash.c), as often as it is told here. */
static void rules_sets(struct out *to, const struct plan *p)
{
	static const char *const protocols[] = {"tcp", "udp"};
	int64_t keeps_ms = p->scenario->network.nat.mapping_time / 1000000;
	int64_t sweep_ms = keeps_ms / SWEEPS < SWEEP_MOST_MS ? keeps_ms / SWEEPS : SWEEP_MOST_MS;

	out_fmt(to, "counter %s {\n}\n", unmapped);
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		out_fmt(to,
			"set %s_mappings {\ntype ipv4_addr . inet_service\nsize %u\n"
			"flags dynamic,timeout\ntimeout %" PRId64 "ms\ngc-interval %" PRId64
			"ms\n}\n",
			protocols[i], p->nat.carriage.each, keeps_ms, sweep_ms);
}

/* A client's packet keeps its mapping, or makes one, or is dropped; what comes for a client that has
 * none is, too. */
static void rules_keep(struct out *to)
{
	out_fmt(to,
		"iifname \"%1$s\" update @tcp_mappings { ip saddr . tcp sport } accept\n"
		"iifname \"%1$s\" update @udp_mappings { ip saddr . udp sport } accept\n"
		"iifname \"%1$s\" meta l4proto { tcp, udp } counter name %2$s drop\n"
		"oifname \"%1$s\" ip daddr . tcp dport != @tcp_mappings drop\n"
		"oifname \"%1$s\" ip daddr . udp dport != @udp_mappings drop\n",
		inside, unmapped);
}

static void rules_forward(struct out *to, const struct plan *p)
{
	uint64_t limit = p->scenario->network.nat.limit;

	if (!limit && !maps_for_all(p))
		return;
	if (maps_for_all(p))
		rules_sets(to, p);
	out_z(to, "chain forward {\ntype filter hook forward priority 0\n");
	if (limit)
		out_fmt(to, "ct state new ct count over %" PRIu64 " drop\n", limit);
	if (maps_for_all(p))
		rules_keep(to);
	out_z(to, "}\n");
}

/* Towards that one source NAT finds a port for each connection: no two are one at the server, whatever
 * port the client bound them to. */
static void rules_redirect(struct out *to, const struct plan *p)
{
	char z[ADDRESS_PRINTED];

	if (p->scenario->network.nat.redirect)
		out_fmt(to,
			"chain prerouting {\ntype nat hook prerouting priority -100\n"
			"iifname \"%s\" meta l4proto { tcp, udp } dnat to %s:%u\n}\n",
			inside, address_print(z, plan_server(p, 0)), plan_service(p, 0));
}

static struct text rules_make(const struct plan *p, struct arena *scratch)
{
	const struct nat *nat = &p->scenario->network.nat;
	struct out to = out_memory(ARENA_ARRAY(scratch, char, RULES_MOST), RULES_MOST);

	out_fmt(&to,
		"table ip %s {\n"
		"chain postrouting {\n"
		"type nat hook postrouting priority 100\n"
		"oifname \"%s\" meta l4proto { tcp, udp } snat to ",
		table, outside);
	rules_addresses(&to, p);
	out_fmt(&to, ":%u-%u%s\n}\n", nat->ports.lo, nat->ports.hi,
		nat->random ? " fully-random" : "");
	rules_forward(&to, p);
	rules_redirect(&to, p);
	out_z(&to, "}\n");
	return out_written(&to);
}

static bool gateway_prepare(const struct plan *p, struct arena *scratch, struct err *err)
{
	const struct joint client = {inside, &p->nat.inside, &p->sources, VETH_HERE, false};
	const struct joint server = {outside, &p->nat.outside, &p->server_link, VETH_HERE, true};

	return joint_make(&client, err) && joint_make(&server, err) &&
	       nft_load(rules_make(p, scratch), err) && link_await(inside, err) &&
	       link_await(outside, err);
}

bool gateway_join(const struct lab *lab, const struct plan *p, struct arena *scratch,
		  struct err *err)
{
	const struct joint client = {link_name, &p->sources, &p->nat.inside, VETH_THERE, true};
	const struct joint server = {link_name, &p->server_link, &p->nat.outside, VETH_THERE,
				     false};

	return link_to(lab->gateway_ns, inside, err) && joint_make(&client, err) &&
	       netns_enter(lab->server_ns, err) && link_to(lab->gateway_ns, outside, err) &&
	       joint_make(&server, err) && netns_enter(lab->gateway_ns, err) &&
	       gateway_prepare(p, scratch, err) && netns_enter(lab->server_ns, err) &&
	       link_await(link_name, err) && netns_enter(lab->client_ns, err) &&
	       link_await(link_name, err);
}
