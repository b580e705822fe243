#include "plan/budget.h"

#include <math.h>

#include "plan/bind.h"
#include "plan/life.h"
#include "plan/speed.h"

#define SECOND INT64_C(1000000000)

static int64_t setting_ns(const struct scenario *s, const char *name, int64_t fallback_seconds)
{
	int64_t seconds = setting_number(&s->network.nat.sysctl, name, fallback_seconds);

	return seconds > 0 ? seconds * SECOND : 0;
}

int64_t gateway_tracks(const struct scenario *s, bool is_reset)
{
	return is_reset ? setting_ns(s, "net.netfilter.nf_conntrack_tcp_timeout_close", 10)
			: setting_ns(s, "net.netfilter.nf_conntrack_tcp_timeout_time_wait", 120);
}

int64_t gateway_tracks_datagrams(const struct scenario *s)
{
	return setting_ns(s, "net.netfilter.nf_conntrack_udp_timeout", 30);
}

/* Is a request of the load answered in time, if nothing is dropped? */
static bool is_answered(const struct scenario *s)
{
	return behaviour_does(s->server.behaviour, DOES_SERVE) &&
	       answer_span(s).most < s->load.timeout;
}

/* A request and its answer are all that passes: it does not know of the end. */
static int64_t datagram_holds(const struct scenario *s)
{
	return (is_answered(s) ? answer_span(s).most : 0) + gateway_tracks_datagrams(s);
}

/* How long it keeps the port of a connection that ends so. */
static double gateway_holds_so(const struct scenario *s, const struct budget *b,
			       const struct host *host, enum end end)
{
	struct life life = life_so(s, b, host, end);
	bool is_reset =
		life_end(&s->load, end) == END_RESET || s->server.behaviour == BEHAVIOUR_RESET;

	if (life.quiet.most == FOR_EVER)
		return INFINITY;
	return (double)life_sum(life.live.most, gateway_tracks(s, is_reset));
}

/* On average; INFINITY if any of them is for ever. */
static double gateway_holds(const struct scenario *s, const struct budget *b,
			    const struct host *host)
{
	double mean = 0;

	if (s->load.protocol == PROTOCOL_UDP)
		return (double)datagram_holds(s);
	for (enum end end = 0; end < ENDS; end++)
		if (load_ends(&s->load, end))
			mean += load_share(&s->load, end) * gateway_holds_so(s, b, host, end);
	return mean;
}

/* The rule that limits connections does not count closed ones (already_closed(),
 * net/netfilter/nf_conncount.c); of UDP it knows of none that is. */
static double limit_rate(const struct carriage *c, const struct scenario *s,
			 const struct life *life)
{
	int64_t counted = s->load.protocol == PROTOCOL_UDP ? datagram_holds(s) : life->live.most;
	bool limits = c->at_once < c->ports && counted > 0;

	return limits ? (double)c->at_once * SECOND / (double)counted : INFINITY;
}

/* Each for as long as its connection is open, and silent then: a query is its client's last packet. */
static double mapping_rate(const struct carriage *c, const struct scenario *s,
			   const struct life *life)
{
	int64_t live = s->load.protocol == PROTOCOL_UDP ? 0 : life->live.most;

	if (!nat_maps_for_all(&s->network.nat))
		return INFINITY;
	return (double)c->ports * SECOND / (double)(live + s->network.nat.mapping_time);
}

/* What its ports carry is only the least: see budget.h. */
static void bound_rate(struct forecast *f, const struct scenario *s, const struct budget *b,
		       const struct carriage *c, const struct host *host, const struct life *life)
{
	double tracked = (double)c->each * c->towards * SECOND / gateway_holds(s, b, host);
	double ports = fmin(tracked, mapping_rate(c, s, life));
	double limit = limit_rate(c, s, life);

	f->gateway_rate = fmin(ports, limit);
	if (isnan(f->rate))
		return;
	f->rate_is_least = ports < fmin(f->rate, limit);
	f->rate = fmin(f->rate, fmin(ports, limit));
}

/* Until one of those before it may give its port back: the client's, so that two are one to the
 * gateway, or the gateway's. */
static double held_ns(const struct scenario *s, const struct life *life)
{
	double own = life->quiet.least == FOR_EVER ? INFINITY : (double)life->live.least;

	if (nat_maps_for_all(&s->network.nat)) /* and no mapping knows of an open connection */
		return fmin(own, (double)s->network.nat.mapping_time);
	return s->load.protocol == PROTOCOL_UDP ? fmin(own, (double)datagram_holds(s)) : own;
}

/* Does the client learn that the gateway has let it down, and of nothing else? */
static bool is_told(const struct scenario *s)
{
	if (load_is_pooled(&s->load))
		return false;
	if (s->load.protocol == PROTOCOL_UDP)
		return s->load.request.receive > 0 && is_answered(s) && !bind_overshadows(&s->load);
	return behaviour_does(s->server.behaviour, DOES_LISTEN);
}

void forecast_gateway(struct forecast *f, const struct scenario *s, const struct budget *b,
		      const struct carriage *c, const struct host *host)
{
	struct life life = life_of(s, b, host);
	struct guess next = speed_pace(s, b, &life, c->at_once);
	double until = fmin(speed_ends_ns(s), speed_changes_ns(s));
	bool so_many = s->load.total == 0 || s->load.total > c->at_once;

	bound_rate(f, s, b, c, host, &life);
	if (c->at_once >= b->capacity || !so_many || next.least >= until)
		return;
	/* Where all fit at once, none lacks a port of the client's, however long it hangs. */
	f->known = s->load.total > 0 && s->load.total * (1 + s->load.on_failure.retry) <= b->first;
	f->exhausts = f->counted = f->cut_short = false;
	f->after = 0;
	if (!is_told(s) || next.most >= until || next.most >= held_ns(s, &life))
		return;
	f->times_out_after = c->at_once;
	f->times_out_least = c->least;
}
