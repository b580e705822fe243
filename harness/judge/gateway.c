#include "judge/gateway.h"

#include <errno.h>

bool gateway_lacks_ports(const struct evidence *e)
{
	return e->plan->nat.outside.count && evidence_measured(e, MEASURE_NAT_INSERT_FAILED) > 0;
}

/* The rule that keeps mappings counts what it drops: a packet whose client found no room. */
bool gateway_lacks_mappings(const struct evidence *e)
{
	return e->plan->nat.outside.count && evidence_measured(e, MEASURE_NAT_UNMAPPED) > 0;
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

bool gateway_maps_for_all(const struct evidence *e)
{
	return e->plan->scenario->network.nat.mapping == MAPPING_INDEPENDENT;
}

bool gateway_redirects(const struct evidence *e)
{
	return e->plan->scenario->network.nat.redirect;
}

bool gateway_has_room(const struct evidence *e)
{
	const double fill_most = 0.75;

	return evidence_measured(e, MEASURE_NAT_ENTRIES_MAX) <=
	       fill_most * (double)e->plan->nat.carriage.each;
}

const char *say_gateway_ports(const struct evidence *e)
{
	const struct plan *p = e->plan;
	struct port_range range = p->scenario->network.nat.ports;
	const char *of = "", *to = "one destination";

	if (p->nat.outside.count > 1)
		of = text_format(e->a, " of %u addresses", p->nat.outside.count).s;
	if (p->destinations > 1 && (gateway_maps_for_all(e) || gateway_redirects(e)))
		to = text_format(e->a, "%u destinations together", p->destinations).s;
	else if (p->destinations > 1)
		to = text_format(e->a, "each of %u destinations", p->destinations).s;
	return text_format(e->a, "%s to %s (%u-%u%s)",
			   say_number_of(e->a, p->nat.carriage.each, "port", "ports"), to, range.lo,
			   range.hi, of)
		.s;
}

bool gateway_carries_datagrams(const struct evidence *e)
{
	return !plan_speaks(e->plan, PROTOCOL_TCP);
}

int64_t gateway_keeps_ns(const struct evidence *e)
{
	const struct scenario *s = e->plan->scenario;

	return gateway_carries_datagrams(e) ? gateway_tracks_datagrams(s)
					    : gateway_tracks(s, false);
}

const char *say_gateway_rate(const struct evidence *e)
{
	double rate = e->plan->forecast.rate;

	if (e->plan->forecast.quiet_ns == FOR_EVER || !(rate > 0))
		return "";
	return text_format(e->a,
			   " A closed %s there for %s (%s): no more than %s is sure to go "
			   "on for ever%s.",
			   gateway_carries_datagrams(e) ? "socket keeps its port"
							: "connection can keep its port",
			   say_time(e->a, gateway_keeps_ns(e)),
			   gateway_carries_datagrams(e) ? "nf_conntrack_udp_timeout"
							: "nf_conntrack_tcp_timeout_time_wait",
			   say_rate(e->a, rate), say_demand(e))
		.s;
}

const char *say_packet(const struct evidence *e)
{
	if (gateway_carries_datagrams(e))
		return "datagram";
	return plan_speaks(e->plan, PROTOCOL_UDP) ? "packet" : "SYN";
}

const char *say_dropped(const struct evidence *e, enum measure count)
{
	const char *one = say_packet(e);

	return say_number_of(e->a, (uint64_t)evidence_measured(e, count), one,
			     text_format(e->a, "%ss", one).s);
}

struct claim claim_dropped(const struct evidence *e, const char *what)
{
	struct claim connects = claim_alike(e, STAGE_CONNECT, ETIMEDOUT, what), requests = no_claim,
		     both;

	if (plan_speaks(e->plan, PROTOCOL_UDP))
		requests = claim_alike(e, STAGE_RECEIVE, ETIMEDOUT, what);
	both = connects.weight >= requests.weight ? connects : requests;
	both.weight = connects.weight + requests.weight;
	return both;
}

const char *say_tracked(const struct evidence *e)
{
	return say_number_of(e->a, (uint64_t)evidence_measured(e, MEASURE_NAT_ENTRIES_MAX),
			     "connection", "connections");
}
