#include <math.h>

#include "base/order.h"
#include "plan/doubt.h"
#include "plan/gateway.h"
#include "plan/unanswered.h"
#include "report/plan_say.h"

static const char *say_addresses(struct arena *a, uint64_t n)
{
	return n == 1 ? "1 address" : text_format(a, "%s addresses", say_count(a, (double)n)).s;
}

/* Why it is so few, and may be more. */
static const char *say_keeping(const struct plan *p, struct arena *a)
{
	const struct scenario *s = p->scenario;

	if (nat_maps_for_all(&s->network.nat))
		return text_format(a,
				   "it keeps a mapping for %s after the client's last packet "
				   "(network.nat.mapping_time), and may keep the port of what has "
				   "ended for %s, towards its destination",
				   say_time(a, (double)s->network.nat.mapping_time),
				   say_time(a, (double)(plan_speaks(p, PROTOCOL_UDP)
								? gateway_tracks_datagrams(s)
								: gateway_tracks(s, false))))
			.s;
	if (plan_speaks(p, PROTOCOL_UDP))
		return text_format(a,
				   "it keeps the port for %s after the last datagram, whether the "
				   "socket is closed or not",
				   say_time(a, (double)gateway_tracks_datagrams(s)))
			.s;
	return text_format(a,
			   "it may keep the port of a closed connection for %s, of one that was "
			   "reset for %s; but newer kernels give it to another before that, if "
			   "they can",
			   say_time(a, (double)gateway_tracks(s, false)),
			   say_time(a, (double)gateway_tracks(s, true)))
		.s;
}

struct text plan_say_gateway_rate(const struct plan *p, struct arena *a)
{
	double ports = (double)p->nat.carriage.ports;

	return text_format(a, "%s of the gateway / %s = %s for ever, at least: %s",
			   say_number(a, p->nat.carriage.ports, "port"),
			   say_time(a, ports / p->forecast.rate * 1e9),
			   say_sustained(a, p->forecast.rate), say_keeping(p, a));
}

/* Several connections of one port of the client have one mapping. */
static bool is_shared(const struct plan *p)
{
	const struct carriage *c = &p->nat.carriage;

	return nat_maps_for_all(&p->scenario->network.nat) && c->at_once > c->ports;
}

/* When the load comes to its end. */
static const char *say_reached(const struct plan *p, struct arena *a)
{
	uint64_t after = p->forecast.full_after, least = p->forecast.full_least;
	const char *before = ", or, as not all ports are tried, somewhat before";

	if (after == 0)
		return "";
	if (is_shared(p))
		before = text_format(a,
				     " at the latest, after %s if no two connections have one port "
				     "of the client's",
				     say_count(a, (double)least))
				 .s;
	return text_format(a, ": this load comes to that after %s%s", say_count(a, (double)after),
			   least < after ? before : "")
		.s;
}

/* "32 ports × 1 address × 2 destinations = 64 connections open at once" */
static const char *say_carriage(const struct plan *p, const struct outline *o, struct arena *a)
{
	const char *ports = say_number(a, o->gateway_ports, "port"),
		   *addresses = say_addresses(a, p->nat.outside.count),
		   *destinations = say_number(a, p->destinations, "destination");

	if (nat_maps_for_all(&p->scenario->network.nat))
		return text_format(a,
				   "%s × %s, for %s%s = %s at once, each of an address and a port "
				   "of a client",
				   ports, addresses, destinations,
				   p->destinations > 1 ? " together" : "",
				   say_number(a, p->nat.carriage.ports, "mapping"))
			.s;
	if (p->scenario->network.nat.redirect)
		return text_format(a, "%s × %s, for %s that are one behind it = %s open at once",
				   ports, addresses, destinations,
				   say_number(a, p->nat.carriage.ports, "connection"))
			.s;
	return text_format(a, "%s × %s × %s = %s open at once", ports, addresses, destinations,
			   say_number(a, p->nat.carriage.ports, "connection"))
		.s;
}

/* Where the gateway has no port either, a connect hangs: nothing says no. */
struct text plan_say_gateway(const struct plan *p, const struct outline *o, struct arena *a)
{
	uint64_t limit = p->scenario->network.nat.limit;
	const char *tracked = "", *what = "connect";

	if (p->nat.outside.count == 0)
		return (struct text){0};
	if (limit)
		tracked = text_format(a,
				      "; %s of them, closed ones not counted, by network.nat.limit",
				      say_count(a, (double)limit))
				  .s;
	if (plan_speaks(p, PROTOCOL_UDP))
		what = plan_speaks(p, PROTOCOL_TCP) ? "connect or request" : "request";
	return text_format(a, "%s%s; a %s beyond that hangs until its timeout%s",
			   say_carriage(p, o, a), tracked, what, say_reached(p, a));
}

static const char *asked(const struct plan *p)
{
	return plan_speaks(p, PROTOCOL_UDP) ? "requests" : "connects";
}

/* "after 64, at 0.91 s": open at once, by the clock. */
static const char *say_full(const struct plan *p, struct arena *a)
{
	const struct load_plan *lp = &p->loads[0];
	const char *after = say_count(a, (double)p->forecast.full_least), *most = "", *when = "";

	if (p->forecast.full_least < p->forecast.full_after)
		most = text_format(a, " to %s", say_count(a, (double)p->forecast.full_after)).s;
	if (p->load_count > 1)
		when = text_format(a, ", within %s", say_time(a, (double)p->forecast.full_run_ns))
			       .s;
	else if (load_is_open(lp->load) && lp->shape.burst == 0)
		when = text_format(a, ", at %s",
				   say_time(a, (double)lp->load->start +
						       (double)shape_when(&lp->shape,
									  p->forecast.full_least)))
			       .s;
	return text_format(a, "%s%s%s", after, most, when).s;
}

static struct text say_pool_stall(const struct plan *p, const struct outline *o, struct arena *a)
{
	return text_format(a,
			   "cannot be told: %s at once have a port of the gateway's %s "
			   "each; with %s more, that are late together after a stall of "
			   "0.25 s, they do not",
			   say_number(a, (uint64_t)(o->pool.pools * o->pool.each), "request"),
			   say_count(a, (double)p->nat.carriage.at_once),
			   say_count(a, pool_late(p->loads[0].load)));
}

static struct text say_pool_wanted(const struct plan *p, const struct outline *o, struct arena *a)
{
	double at_once = o->pool.pools * o->pool.each;

	return text_format(a,
			   "cannot be told: up to %s at once%s want more than the gateway has, %s",
			   say_number(a, (uint64_t)at_once, "connection"),
			   o->pool.at_once < at_once
				   ? text_format(a, ", %s to each destination of each client,",
						 say_count(a, o->pool.each))
					     .s
				   : ", one for each request,",
			   say_number(a, p->nat.carriage.at_once, "port"));
}

static double due_by(const struct plan *p, int64_t ns)
{
	double n = 0;

	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct load *l = p->loads[i].load;
		int64_t since = sooner(ns - l->start, load_lasts_ns(l, p->scenario->stop.time) - 1);
		double due = (double)shape_due(&p->loads[i].shape, since);

		n += l->total ? fmin(due, (double)l->total) : due;
	}
	return n;
}

/* ", at 0.65 s": when one more is due than the gateway has ports, each load by its own clock. */
static const char *say_due(const struct plan *p, struct arena *a)
{
	double ports = (double)p->nat.carriage.least;
	int64_t early = -1, late = p->scenario->stop.time;

	if (due_by(p, late) <= ports)
		return "";
	while (late - early > 1) {
		int64_t between = early + (late - early) / 2;

		if (due_by(p, between) > ports)
			late = between;
		else
			early = between;
	}
	return text_format(a, ", at %s", say_time(a, (double)late)).s;
}

static struct text say_keeps(const struct plan *p, const struct outline *o, struct arena *a)
{
	const struct carriage *c = &p->nat.carriage;
	const char *most = "", *due = say_due(p, a);

	if (o->rate <= 0)
		return text_format(
			a, "cannot be told: the gateway has %s, and may keep those of closed ones",
			say_number(a, c->at_once, "port"));
	if (c->least < c->at_once)
		most = text_format(a, " to %s", say_count(a, (double)c->at_once)).s;
	return text_format(a,
			   "cannot be told: the gateway's ports end after %s%s%s%s%s, if "
			   "it keeps those of closed ones; %s time out then",
			   say_count(a, (double)c->least), most,
			   c->at_once == 1 ? " connection" : " connections", due,
			   most[0] && due[0] ? " at the soonest" : "", asked(p));
}

/* Or not any more, when the gateway is full. */
static bool nobody_answers(const struct plan *p)
{
	const struct scenario *s = p->scenario;
	const struct load_plan *lp = &p->loads[0];
	int64_t at = shape_when(&lp->shape, p->forecast.full_least);

	return s->server.behaviour == BEHAVIOUR_DROP ||
	       (p->load_count == 1 && s->server.vanish > 0 && at != FOR_EVER &&
		at + lp->load->start > s->server.vanish);
}

/* What is beyond its ports is dropped: what becomes of it. */
static struct text say_beyond(const struct plan *p, struct arena *a)
{
	if (p->forecast.times_out)
		return text_format(a,
				   "the gateway is full after %s: %s time out, until what is open "
				   "gives a port back",
				   say_full(p, a), asked(p));
	if (nobody_answers(p))
		return text_format(
			a,
			"the gateway is full after %s, open or not, and drops what comes "
			"then: nobody would answer it",
			say_full(p, a));
	if (p->load_count == 1 && !unanswered_repeats(p->loads[0].load))
		return text_format(a,
				   "the gateway is full after %s, and what comes then is dropped",
				   say_full(p, a));
	return text_format(a,
			   "the gateway is full after %s: a SYN is dropped then, and sent "
			   "again after 1 s and later; whether ports have come back by then "
			   "decides if connects time out",
			   say_full(p, a));
}

struct text plan_say_gateway_fate(const struct plan *p, const struct outline *o, struct arena *a)
{
	enum doubt why = doubt_gateway(p, o);

	switch (why) {
	case DOUBT_NONE:
		return (struct text){0};
	case DOUBT_GATEWAY_FIRST:
		return text_format(a, "the gateway's ports end first: %s time out", asked(p));
	case DOUBT_GATEWAY_FULL:
		return say_beyond(p, a);
	case DOUBT_GATEWAY_STALL:
		return say_pool_stall(p, o, a);
	case DOUBT_GATEWAY_WANTED:
		return say_pool_wanted(p, o, a);
	case DOUBT_GATEWAY_RATE:
		return text_format(
			a,
			"cannot be told: the gateway carries no more than %s for ever, for "
			"sure, and after a stall of 0.25 s more are asked for at once",
			say_rate(a, p->forecast.gateway_rate));
	case DOUBT_GATEWAY_POOLS:
		return text_format(
			a,
			"cannot be told: the gateway has %s, and how many connections the "
			"pools open decides",
			say_number(a, p->nat.carriage.at_once, "port"));
	case DOUBT_GATEWAY_LIMIT:
		return text_format(a,
				   "cannot be told: %s may be open at once through the gateway "
				   "(network.nat.limit), and how many are decides; %s beyond that "
				   "time out",
				   say_number(a, p->nat.carriage.at_once, "connection"), asked(p));
	case DOUBT_GATEWAY_KEEPS:
		return say_keeps(p, o, a);
	default:
		return plan_say_doubt(why, a);
	}
}
