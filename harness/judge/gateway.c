#include "judge/gateway.h"

#include <errno.h>
#include <math.h>

#include "plan/gateway.h"

bool gateway_lacks_ports(const struct evidence *e)
{
	return e->plan->nat.outside.count && evidence_measured(e, MEASURE_NAT_INSERT_FAILED) > 0;
}

/* What it may have at once: a rule's limit, which counts what is open, or what it tracked. */
static double room_of(const struct evidence *e)
{
	uint64_t limit = e->plan->scenario->network.nat.limit;

	return limit && gateway_is_full(e) ? (double)limit
					   : evidence_measured(e, MEASURE_NAT_ENTRIES_MAX);
}

bool gateway_is_leaked_away(const struct evidence *e)
{
	return (gateway_lacks_ports(e) || gateway_is_full(e)) &&
	       !plan_speaks(e->plan, PROTOCOL_UDP) && 2 * (double)e->kept > room_of(e);
}

/* What the gateway's tracking had dropped by then. */
static uint64_t dropped_by(const struct evidence *e, double when_ns)
{
	uint64_t n = 0;

	for (size_t i = 0; i < e->tape->sample_count; i++) {
		const struct sample *s = &e->tape->samples[i];

		if ((s->parts & SAMPLE_GATEWAY) && (double)(s->t_ns - e->tape->begin_ns) <= when_ns)
			n = s->gateway.insert_failed;
	}
	return n;
}

bool gateway_waits_for_answers(const struct evidence *e)
{
	const struct value *gone = &e->measures->fixed[MEASURE_SERVER_GONE];
	double tracked = evidence_measured(e, MEASURE_NAT_ENTRIES_MAX),
	       unanswered = tracked - (double)e->tape->tally.opened;

	if (plan_speaks(e->plan, PROTOCOL_UDP) || !gateway_lacks_ports(e))
		return false;
	return (tracked > 0 && unanswered >= SHARE_LEAST * tracked) ||
	       (gone->present && dropped_by(e, gone->n) == 0);
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
	return nat_maps_for_all(&e->plan->scenario->network.nat);
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

/* Whose ports are apart, at a gateway too. */
static bool is_of_both(const struct plan *p)
{
	return plan_speaks(p, PROTOCOL_TCP) && plan_speaks(p, PROTOCOL_UDP);
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
	return text_format(e->a, "%s%s to %s (%u-%u%s)",
			   say_number_of(e->a, p->nat.carriage.each, "port", "ports"),
			   is_of_both(p) ? " of TCP, and as many of UDP," : "", to, range.lo,
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

int64_t gateway_open_ns(const struct evidence *e)
{
	return gateway_carries_datagrams(e) ? e->plan->scenario->server.delay : live_time(e->plan);
}

/* "64 ports / (1 h open + 120 s) = 0.0172/s is", where that is what bounds it; else "no more than …". */
static const char *say_sum(const struct evidence *e, int64_t open_ns, int64_t kept_ns)
{
	const struct carriage *c = &e->plan->nat.carriage;
	double rate = e->plan->forecast.rate;
	uint64_t ports = gateway_maps_for_all(e) ? c->ports : (uint64_t)c->each * c->towards;
	double own = (double)ports * 1e9 / (double)(open_ns + kept_ns);
	const char *life = say_time(e->a, kept_ns);

	if (fabs(own - rate) > rate / 100)
		return text_format(e->a, "no more than %s is", say_rate(e->a, rate)).s;
	if (open_ns > 0)
		life = text_format(e->a, "(%s open + %s)", say_time(e->a, open_ns), life).s;
	return text_format(e->a, "%s / %s = %s is all that is",
			   say_number_of(e->a, ports, "port", "ports"), life, say_rate(e->a, rate))
		.s;
}

/* Of both protocols each has ports of its own, and no rate is that of both; of several loads, where each
 * may go on for ever, none is bounded. */
static bool nothing_lasts(const struct evidence *e)
{
	return is_of_both(e->plan) || e->plan->forecast.quiet_ns == FOR_EVER ||
	       !(e->plan->forecast.rate > 0) || isinf(e->plan->forecast.rate);
}

const char *say_mapping_rate(const struct evidence *e)
{
	int64_t open_ns = gateway_carries_datagrams(e) ? 0 : live_time(e->plan);
	const char *sum;

	if (nothing_lasts(e))
		return "";
	sum = say_sum(e, open_ns, e->plan->scenario->network.nat.mapping_time);
	return text_format(e->a, " So %s sure to go on for ever%s.", sum, say_demand(e, INFINITY))
		.s;
}

const char *say_gateway_rate(const struct evidence *e)
{
	bool datagrams = gateway_carries_datagrams(e);
	int64_t kept_ns = gateway_keeps_ns(e);

	if (nothing_lasts(e))
		return "";
	if (gateway_maps_for_all(e)) /* which keeps it for longer, or as long */
		return say_mapping_rate(e);
	return text_format(e->a, " A closed %s there for %s (%s): %s sure to go on for ever%s.",
			   datagrams ? "socket keeps its port" : "connection can keep its port",
			   say_time(e->a, kept_ns),
			   datagrams ? "nf_conntrack_udp_timeout"
				     : "nf_conntrack_tcp_timeout_time_wait",
			   say_sum(e, gateway_open_ns(e), kept_ns), say_demand(e, INFINITY))
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

/* Requests of UDP, whose connect asks nobody. */
static uint64_t requests_dropped(const struct evidence *e)
{
	return plan_speaks(e->plan, PROTOCOL_UDP) ? evidence_errors(e, STAGE_RECEIVE, ETIMEDOUT)
						  : 0;
}

double weight_dropped(const struct evidence *e)
{
	return (double)(evidence_errors(e, STAGE_CONNECT, ETIMEDOUT) + requests_dropped(e));
}

struct claim claim_dropped(const struct evidence *e, const char *what)
{
	uint64_t requests = requests_dropped(e);
	struct claim c;

	if (evidence_errors(e, STAGE_CONNECT, ETIMEDOUT) == 0)
		return requests ? claim_alike(e, STAGE_RECEIVE, ETIMEDOUT, what) : no_claim;
	if (requests)
		what = text_format(e->a, "So did recv() of UDP, %s. %s",
				   say_number_of(e->a, requests, "time", "times"), what)
			       .s;
	c = claim_alike(e, STAGE_CONNECT, ETIMEDOUT, what);
	c.weight = weight_dropped(e);
	return c;
}

const char *say_tracked(const struct evidence *e)
{
	return say_number_of(e->a, (uint64_t)evidence_measured(e, MEASURE_NAT_ENTRIES_MAX),
			     "connection", "connections");
}
