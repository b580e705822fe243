#include <errno.h>

#include "judge/rule.h"

bool gateway_lacks_ports(const struct evidence *e)
{
	return e->plan->nat.outside.count && evidence_measured(e, MEASURE_NAT_INSERT_FAILED) > 0;
}

/* The rule that limits them drops by itself; of a table that is full the kernel counts it. */
bool gateway_is_full(const struct evidence *e)
{
	uint64_t limit = e->plan->scenario->network.nat.limit;
	bool at_limit = limit && evidence_measured(e, MEASURE_NAT_ENTRIES_MAX) >= (double)limit;

	return e->plan->nat.outside.count &&
	       (at_limit || evidence_measured(e, MEASURE_NAT_DROP) >
				    evidence_measured(e, MEASURE_NAT_INSERT_FAILED));
}

/* "64 ports to one destination (2000-2031 of 2 addresses)" */
static const char *say_gateway_ports(const struct evidence *e)
{
	const struct plan *p = e->plan;
	struct port_range range = p->scenario->network.nat.ports;
	const char *of = "", *to = "one destination";

	if (p->nat.outside.count > 1)
		of = text_format(e->a, " of %u addresses", p->nat.outside.count).s;
	if (p->destinations > 1)
		to = text_format(e->a, "each of %u destinations", p->destinations).s;
	return text_format(e->a, "%s to %s (%u-%u%s)",
			   say_number_of(e->a, p->nat.carriage.each, "port", "ports"), to, range.lo,
			   range.hi, of)
		.s;
}

/* What goes on for ever for sure; nothing does where nobody closes. */
static const char *say_gateway_rate(const struct evidence *e)
{
	double rate = e->plan->forecast.rate;

	if (e->plan->forecast.quiet_ns == FOR_EVER || !(rate > 0))
		return "";
	return text_format(e->a,
			   " A closed connection can keep its port there for %s "
			   "(nf_conntrack_tcp_timeout_time_wait): no more than %s is sure to go "
			   "on for ever%s.",
			   say_time(e->a, gateway_tracks(e->plan->scenario, false)),
			   say_rate(e->a, rate), say_demand(e))
		.s;
}

static struct claim linux_snat(const struct evidence *e)
{
	const char *dropped = say_number_of(
		e->a, (uint64_t)evidence_measured(e, MEASURE_NAT_INSERT_FAILED), "SYN", "SYNs");

	if (!gateway_lacks_ports(e))
		return no_claim;
	return claim_alike(
		e, STAGE_CONNECT, ETIMEDOUT,
		text_format(e->a,
			    "The gateway has %s, and %s: it dropped %s without a word "
			    "(conntrack's insert_failed, and drop with it).%s",
			    say_gateway_ports(e),
			    text_format(e->a, "tracked up to %s",
					say_number_of(e->a,
						      (uint64_t)evidence_measured(
							      e, MEASURE_NAT_ENTRIES_MAX),
						      "connection", "connections"))
				    .s,
			    dropped, say_gateway_rate(e))
			.s);
}

/* Each destination has all of the ports again: what is tracked is not more than some of them. */
static const double race_fill_most = 0.75;

/* Dropped, and there were ports: two connections were given the same one at the same time, and the
 * second could not be entered. */
static struct claim insert_race(const struct evidence *e)
{
	double entries = evidence_measured(e, MEASURE_NAT_ENTRIES_MAX),
	       failed = evidence_measured(e, MEASURE_NAT_INSERT_FAILED);
	struct claim c = {.weight = (double)evidence_errors(e, STAGE_CONNECT, ETIMEDOUT)};

	if (!gateway_lacks_ports(e) ||
	    entries > race_fill_most * (double)e->plan->nat.carriage.each)
		return no_claim;
	if (c.weight == 0)
		c.weight = 0.5; /* repeated in time: a connect that took a second longer */
	c.why = text_format(
		e->a,
		"The gateway dropped %s (insert_failed) while it tracked no more than %s, and it "
		"has %s: "
		"connections were given the same port at the same time, and only the first could "
		"be "
		"entered. The SYN comes again after a second, so that most connect, late.",
		say_number_of(e->a, (uint64_t)failed, "SYN", "SYNs"),
		say_number_of(e->a, (uint64_t)entries, "connection", "connections"),
		say_gateway_ports(e));
	return c;
}

static struct claim conntrack_full(const struct evidence *e)
{
	uint64_t limit = e->plan->scenario->network.nat.limit;
	const char *bound = "nf_conntrack_max";

	if (!gateway_is_full(e))
		return no_claim;
	if (limit)
		bound = text_format(e->a, "here %s by network.nat.limit, else nf_conntrack_max",
				    say_count(e->a, limit))
				.s;
	return claim_alike(
		e, STAGE_CONNECT, ETIMEDOUT,
		text_format(e->a,
			    "The gateway tracked %s, and may track no more (%s): it drops "
			    "a SYN beyond that without a word, whatever its destination. "
			    "It has %s.",
			    say_number_of(e->a,
					  (uint64_t)evidence_measured(e, MEASURE_NAT_ENTRIES_MAX),
					  "connection", "connections"),
			    bound, say_gateway_ports(e))
			.s);
}

static void advise_snat(struct finding *f, const struct evidence *e)
{
	const struct plan *p = e->plan;
	struct port_range now = p->scenario->network.nat.ports;
	uint32_t size = (uint32_t)(now.hi - now.lo) + 1,
		 wide = (uint32_t)(advice_widest.hi - advice_widest.lo) + 1;
	bool for_ever = p->forecast.quiet_ns == FOR_EVER;
	int64_t life_ns = for_ever ? 0 : live_time(p) + gateway_tracks(p->scenario, false);

	if (size < wide)
		advice_add_fmt(
			&f->attempt, e->a,
			"give the NAT more ports: %u-%u, less those that the gateway listens on, "
			"are up to %s to each destination, %s as many%s",
			advice_widest.lo, advice_widest.hi, say_count(e->a, wide),
			say_times(e->a, (double)wide / size),
			advice_gateway_rate(e,
					    (uint64_t)wide * p->nat.outside.count * p->destinations,
					    life_ns));
	advice_add_fmt(
		&f->attempt, e->a,
		"give it more addresses, each adds %s to each destination. `snat to FIRST-LAST` "
		"picks by a hash of source and destination, so that one client has one address "
		"towards one server: take them in turn (`numgen inc mod N map`)",
		say_number_of(e->a, size, "port", "ports"));
	advice_add_fmt(
		&f->attempt, e->a,
		"each further destination, an address or a port of the server, has all %s again; "
		"not where a cloud's NAT counts one port for all destinations",
		say_count(e->a, p->nat.carriage.each));
	advice_add(&f->attempt,
		   TEXT("go around it: what is not translated (a private endpoint, IPv6) "
			"needs no port"));
}

static void advise_conntrack(struct finding *f, const struct evidence *e)
{
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
}

// clang-format off
const struct rule nat_rules[] = {
	{
		.cause = CAUSE_LINUX_SNAT,
		.claim = linux_snat,
		.advise = advise_snat,
		.seen = {MEASURE_NAT_INSERT_FAILED, MEASURE_NAT_DROP, MEASURE_NAT_ENTRIES_MAX, MEASURE_PORTS_USED_MAX},
		.attempt = {
			"keep connections open and reuse them (keep-alive, a connection pool): the gateway gives a "
			"port to each connection, not to each request",
		},
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
		.cause = CAUSE_CONNTRACK_FULL,
		.claim = conntrack_full,
		.advise = advise_conntrack,
		.seen = {MEASURE_NAT_ENTRIES_MAX, MEASURE_NAT_INSERT_FAILED, MEASURE_NAT_DROP, MEASURE_PORTS_USED_MAX},
		.attempt = {
			"close what is idle, and reuse what is open: each connection is an entry, an idle one for "
			"up to five days (net.netfilter.nf_conntrack_tcp_timeout_established)",
		},
		.in_vain = {
			"more ports or addresses for the NAT: it had ports left, insert_failed would rise if not",
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
