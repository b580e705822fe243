#include "judge/gateway.h"

#include <math.h>

/* "has 32 ports to one destination (2000-2031), and tracked up to 32 connections: it dropped …" */
static const char *say_want(const struct evidence *e)
{
	return text_format(e->a,
			   "has %s, and tracked up to %s: it dropped %s without a word "
			   "(conntrack's insert_failed, and drop with it).%s",
			   say_gateway_ports(e), say_tracked(e),
			   say_dropped(e, MEASURE_NAT_INSERT_FAILED), say_gateway_rate(e))
		.s;
}

/* A closer name of the want of ports: each destination would have them all, were they not made one. */
static struct claim nat_collapse(const struct evidence *e)
{
	if (!gateway_lacks_ports(e) || !gateway_redirects(e) || gateway_has_room(e))
		return no_claim;
	return claim_dropped(
		e,
		text_format(e->a,
			    "The client has %u destinations, and the gateway sends what is for any "
			    "of them to one (DNAT): there a connection is told from another by "
			    "address and port alone. It %s",
			    e->plan->destinations, say_want(e))
			.s);
}

static void advise_collapse(struct finding *f, const struct evidence *e)
{
	advice_add_fmt(&f->attempt, e->a,
		       "send them to more than one behind the gateway: each address, or port, of "
		       "those adds all %s",
		       say_count(e->a, e->plan->nat.carriage.each));
	advice_add(&f->attempt, TEXT("give the NAT more ports, or more addresses: each has them "
				     "towards what is behind it"));
	advice_add(&f->attempt, TEXT("keep the client's address (no source NAT on the way to the "
				     "proxy): each client then has ports of its own"));
}

/* Nothing has failed: each came again after a second, and had its port then. */
static struct claim repeated(const struct evidence *e)
{
	return (struct claim){
		.weight = 0.5,
		.why = text_format(
			e->a,
			"The gateway was full now and then: it %s %s repeated after a second, and "
			"had a port by then: nothing failed, and a request stood still for so "
			"long.",
			say_want(e), gateway_carries_datagrams(e) ? "Each has to be" : "Each was")};
}

static struct claim linux_snat(const struct evidence *e)
{
	const char *unanswered = "";
	struct claim c;

	if (!gateway_lacks_ports(e))
		return no_claim;
	if (gateway_waits_for_answers(e))
		unanswered = " Connects that nobody answered took its ports, and keep them while "
			     "it waits with them (nf_conntrack_tcp_timeout_syn_sent, 120 s).";
	c = claim_dropped(e, text_format(e->a, "The gateway %s%s", say_want(e), unanswered).s);
	if (c.weight == 0)
		return repeated(e);
	if (unanswered[0]) /* behind that nobody answers, which all of them wait for */
		c.weight = fmin(c.weight, evidence_measured(e, MEASURE_NAT_INSERT_FAILED)) / 2;
	return c;
}

/* A port that is in use is in use towards all destinations: told from a NAT whose ports are counted for
 * each by who drops, its own rule, and not connection tracking. */
static struct claim cloud_nat(const struct evidence *e)
{
	if (!gateway_lacks_mappings(e))
		return no_claim;
	return claim_dropped(
		e,
		text_format(
			e->a,
			"The gateway's mapping is endpoint-independent (RFC 4787, 4.1): a port of "
			"its own "
			"for each address and port of a client, whatever the destination, and kept "
			"for %s "
			"after the client's last packet. It has %s: all were in use, and it "
			"dropped %s "
			"without a word; its connection tracking had room (insert_failed %s).%s",
			say_time(e->a, e->plan->scenario->network.nat.mapping_time),
			say_gateway_ports(e), say_dropped(e, MEASURE_NAT_UNMAPPED),
			say_count(e->a, (uint64_t)evidence_measured(e, MEASURE_NAT_INSERT_FAILED)),
			say_mapping_rate(e))
			.s);
}

static void advise_cloud_nat(struct finding *f, const struct evidence *e)
{
	const struct nat *nat = &e->plan->scenario->network.nat;
	struct port_range now = nat->ports;

	advice_add_fmt(&f->attempt, e->a,
		       "have it map for each destination (address-and-port-dependent; Cloud NAT: "
		       "endpoint-independent mapping off): each destination then has all %s",
		       say_number_of(e->a, e->plan->nat.carriage.each, "port", "ports"));
	advice_add_fmt(
		&f->attempt, e->a,
		"give it more ports (Cloud NAT: minimum ports per VM), or more addresses: each "
		"adds %s",
		say_number_of(e->a, (uint64_t)(now.hi - now.lo) + 1, "port", "ports"));
	advice_add_fmt(&f->attempt, e->a,
		       "have it forget sooner what is silent: it is %s here (Cloud NAT: 30 s for "
		       "UDP, 120 s for TCP in TIME_WAIT, 20 min while open)",
		       say_time(e->a, nat->mapping_time));
	advice_add(&f->attempt,
		   TEXT("go around it: what is not translated (a private endpoint, IPv6) "
			"needs no port"));
}

/* Dropped, and there were ports: two connections were given the same one at the same time, and the
 * second could not be entered. */
static struct claim insert_race(const struct evidence *e)
{
	/* 0.5: repeated in time, a connect that took a second longer. */
	struct claim c = {.weight = fmax(weight_dropped(e), 0.5)};

	if (!gateway_lacks_ports(e) || !gateway_has_room(e))
		return no_claim;
	c.why = text_format(
		e->a,
		"The gateway dropped %s (insert_failed) while it tracked no more than %s, and it "
		"has %s: "
		"connections were given the same port at the same time, and only the first could "
		"be "
		"entered. %s",
		say_dropped(e, MEASURE_NAT_INSERT_FAILED), say_tracked(e), say_gateway_ports(e),
		gateway_carries_datagrams(e)
			? "A datagram does not come again by itself: a resolver waits 5 s for its "
			  "answer."
			: "The SYN comes again after a second, so that most connect, late.");
	return c;
}

/* "tracked 10 connections, and may track no more (nf_conntrack_max)". The limit of a rule passes over those
 * that are closed, and the kernel's own does not. */
static const char *say_full(const struct evidence *e)
{
	uint64_t limit = e->plan->scenario->network.nat.limit;

	if (!limit)
		return text_format(e->a, "tracked %s, and may track no more (nf_conntrack_max)",
				   say_tracked(e))
			.s;
	if (evidence_measured(e, MEASURE_NAT_ENTRIES_MAX) > (double)limit)
		return text_format(e->a,
				   "tracked up to %s, and may have no more than %s open (here by "
				   "network.nat.limit; nf_conntrack_max counts closed ones, too)",
				   say_tracked(e), say_count(e->a, limit))
			.s;
	return text_format(e->a,
			   "tracked %s, and may track no more (here %s by network.nat.limit, else "
			   "nf_conntrack_max)",
			   say_tracked(e), say_count(e->a, limit))
		.s;
}

static struct claim conntrack_full(const struct evidence *e)
{
	if (!gateway_is_full(e))
		return no_claim;
	return claim_dropped(
		e, text_format(
			   e->a,
			   "The gateway %s: it drops a %s beyond that without a word, whatever its "
			   "destination. It has %s.",
			   say_full(e), say_packet(e), say_gateway_ports(e))
			   .s);
}

/* Who has a gateway's ports: all of them each, or all together. */
static const char *each_has(const struct evidence *e)
{
	return gateway_maps_for_all(e) ? ", to all destinations together" : " to each destination";
}

/* Do most requests share connections, and these alone have all of the gateway's ports? */
static bool is_reused_already(const struct evidence *e)
{
	return evidence_measured(e, MEASURE_REUSE_RATIO) >= 0.5 &&
	       evidence_measured(e, MEASURE_ESTABLISHED_MAX) >= e->plan->nat.carriage.each;
}

/* What to try of a gateway's ports, each an empty text where it is not the case. */
static struct text try_closing(const struct evidence *e)
{
	if (!gateway_is_leaked_away(e))
		return (struct text){0};
	return text_format(
		e->a,
		"close what is done with, first of all: %s of %s opened %s never closed, and each "
		"keeps its port at the gateway for five days after its last packet "
		"(nf_conntrack_tcp_timeout_established)",
		say_count(e->a, e->kept),
		say_number_of(e->a, e->tape->tally.opened, "connection", "connections"),
		say_either(e->kept, "was", "were"));
}

static struct text try_fewer(const struct evidence *e)
{
	if (gateway_waits_for_answers(e))
		return TEXT("have the far end answer, and try less often while it does not: each "
			    "try is a port of the gateway");
	if (is_reused_already(e))
		return text_format(e->a,
				   "have no more connections at once than the gateway has ports, "
				   "%s%s: they are reused already; bound the pool, and let "
				   "requests wait for one of its connections",
				   say_count(e->a, e->plan->nat.carriage.each), each_has(e));
	return TEXT("keep connections open and reuse them (keep-alive, a connection pool; of UDP "
		    "one socket for many requests): the gateway gives a port to each of them, not "
		    "to each request");
}

static uint32_t ports_of_nat(const struct evidence *e)
{
	struct port_range now = e->plan->scenario->network.nat.ports;

	return (uint32_t)(now.hi - now.lo) + 1;
}

static struct text try_more_ports(const struct evidence *e)
{
	const struct plan *p = e->plan;
	uint32_t size = ports_of_nat(e), wide = (uint32_t)(advice_widest.hi - advice_widest.lo) + 1;
	uint64_t all = (uint64_t)wide * p->nat.outside.count *
		       (gateway_maps_for_all(e) ? 1 : p->destinations);
	bool for_ever = p->forecast.quiet_ns == FOR_EVER;

	if (size >= wide)
		return (struct text){0};
	return text_format(
		e->a,
		"give the NAT more ports: %u-%u, less those that the gateway listens on, are up to "
		"%s%s, %s as many%s",
		advice_widest.lo, advice_widest.hi, say_count(e->a, wide), each_has(e),
		say_times(e->a, (double)wide / size),
		advice_gateway_rate(e, all,
				    for_ever ? 0 : gateway_open_ns(e) + gateway_keeps_ns(e)));
}

static struct text try_more_addresses(const struct evidence *e)
{
	return text_format(
		e->a,
		"give it more addresses, each adds %s%s. `snat to FIRST-LAST` picks by a hash of "
		"source and destination, so that one client has one address towards one server: "
		"take them in turn (`numgen inc mod N map`)",
		say_number_of(e->a, ports_of_nat(e), "port", "ports"), each_has(e));
}

static struct text try_more_destinations(const struct evidence *e)
{
	if (gateway_maps_for_all(e))
		return (struct text){0};
	return text_format(
		e->a,
		"each further destination, an address or a port of the server, has all %s again; "
		"not where a cloud's NAT counts one port for all destinations",
		say_count(e->a, e->plan->nat.carriage.each));
}

static void advise_snat(struct finding *f, const struct evidence *e)
{
	static struct text (*const tries[])(const struct evidence *) = {
		try_closing, try_fewer, try_more_ports, try_more_addresses, try_more_destinations,
	};

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		struct text one = tries[i](e);

		if (one.len)
			advice_add(&f->attempt, one);
	}
	advice_add(&f->attempt, TEXT("go around it: what is not translated (a private endpoint, "
				     "IPv6) needs no port"));
}

static void advise_conntrack(struct finding *f, const struct evidence *e)
{
	const struct carriage *c = &e->plan->nat.carriage;
	uint64_t limit = e->plan->scenario->network.nat.limit;
	const char *here = "";

	if (limit)
		here = text_format(e->a, "; here it is the rule's limit of %s",
				   say_count(e->a, limit))
			       .s;
	advice_add_fmt(
		&f->attempt, e->a,
		"raise net.netfilter.nf_conntrack_max on the gateway, and nf_conntrack_buckets "
		"with it%s",
		here);
	advice_add(&f->attempt,
		   TEXT("shorten what ended connections are kept for: "
			"nf_conntrack_tcp_timeout_time_wait "
			"(120 s), _established (432,000 s) for those that end without a word"));
	advice_add(&f->attempt, TEXT("leave out what needs no tracking (`notrack`)"));
	if (evidence_measured(e, MEASURE_NAT_ENTRIES_MAX) < (double)c->each * c->towards)
		advice_add(&f->wont_help, TEXT("more ports or addresses for the NAT: it had ports "
					       "left, insert_failed would rise if not"));
	else
		advice_add(&f->attempt, TEXT("give the NAT more ports with it: it has no more "
					     "than it tracked"));
}

// clang-format off
const struct rule nat_rules[] = {
	{
		.cause = CAUSE_LINUX_SNAT,
		.claim = linux_snat,
		.advise = advise_snat,
		.seen = {MEASURE_NAT_INSERT_FAILED, MEASURE_NAT_DROP, MEASURE_NAT_ENTRIES_MAX, MEASURE_PORTS_USED_MAX},
		.in_vain = {
			"net.ipv4.ip_local_port_range, net.ipv4.tcp_tw_reuse on the client: its own ports did not run "
			"out, and a NAT's range is its own",
			"`fully-random`: it spreads connections over the ports, and makes none; it is against two that "
			"pick the same at the same time",
			"a larger nf_conntrack_max: the table is not full while insert_failed rises with drop",
			"more clients: all behind one gateway share its ports",
			"trying again at once: each try is one more SYN to drop",
		},
	},
	{
		.cause = CAUSE_NAT_COLLAPSE,
		.instead = CAUSE_LINUX_SNAT,
		.claim = nat_collapse,
		.advise = advise_collapse,
		.seen = {MEASURE_NAT_INSERT_FAILED, MEASURE_NAT_DROP, MEASURE_NAT_ENTRIES_MAX, MEASURE_PORTS_USED_MAX},
		.attempt = {
			"keep connections open and reuse them (keep-alive, a connection pool): a port is for each connection",
		},
		.in_vain = {
			"more destinations on the client's side: they are one behind the gateway",
			"source ports of the client's own choice: Linux gives the second of one port another",
			"the client's net.ipv4.ip_local_port_range, net.ipv4.tcp_tw_reuse: its own ports did not run out",
			"a larger nf_conntrack_max: the table is not full while insert_failed rises with drop",
		},
	},
	{
		.cause = CAUSE_CLOUD_NAT,
		.claim = cloud_nat,
		.advise = advise_cloud_nat,
		.seen = {MEASURE_NAT_UNMAPPED, MEASURE_NAT_INSERT_FAILED, MEASURE_NAT_ENTRIES_MAX, MEASURE_PORTS_USED_MAX},
		.attempt = {
			"keep connections open and reuse them (keep-alive, a connection pool; of UDP one socket for many "
			"requests): a mapping is for a socket, not for a request",
		},
		.in_vain = {
			"more destinations, servers or ports of theirs: a mapping is one for all of them",
			"the client's net.ipv4.ip_local_port_range, net.ipv4.tcp_tw_reuse: its own ports did not run out",
			"a larger nf_conntrack_max: the table is not full",
			"more clients: all behind one gateway share its ports",
			"closing at once: the mapping stays for as long after the last packet",
		},
	},
	{
		.cause = CAUSE_CONNTRACK_FULL,
		.claim = conntrack_full,
		.advise = advise_conntrack,
		.seen = {MEASURE_NAT_ENTRIES_MAX, MEASURE_NAT_INSERT_FAILED, MEASURE_NAT_DROP, MEASURE_PORTS_USED_MAX},
		.attempt = {
			"close what is idle, and reuse what is open: each connection is an entry, an idle one for "
			"up to five days (net.netfilter.nf_conntrack_tcp_timeout_established)",
		},
		.in_vain = {
			"net.ipv4.ip_local_port_range, net.ipv4.tcp_tw_reuse on the client: its own ports did not run "
			"out",
			"another destination: the table is one for all of them",
		},
	},
	{
		.cause = CAUSE_SNAT_INSERT_RACE,
		.instead = CAUSE_LINUX_SNAT,
		.claim = insert_race,
		.seen = {MEASURE_NAT_INSERT_FAILED, MEASURE_NAT_DROP, MEASURE_NAT_ENTRIES_MAX},
		.attempt = {
			"have the gateway pick ports at random (`fully-random`, --random-fully): two then seldom pick the same; "
			"measure before and after, for it was seen to do harm too",
			"a newer kernel: since Linux 5.0 two that are the same are told apart more often",
			"keep connections open and reuse them: what is not opened races with nobody",
		},
		.in_vain = {
			"more ports or addresses for the NAT: it had ports left",
			"a larger nf_conntrack_max: the table was not full",
			"a wider net.ipv4.ip_local_port_range on the client: its own ports did not run out",
		},
	},
	RULES_END,
};
// clang-format on
