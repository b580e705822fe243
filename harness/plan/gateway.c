#include "plan/budget.h"

#include <math.h>

#include "plan/life.h"
#include "plan/speed.h"

#define SECOND INT64_C(1000000000)

int64_t gateway_tracks(const struct scenario *s, bool is_reset)
{
	const struct setting_list *set = &s->network.nat.sysctl;
	const char *name = is_reset ? "net.netfilter.nf_conntrack_tcp_timeout_close"
				    : "net.netfilter.nf_conntrack_tcp_timeout_time_wait";
	int64_t seconds = setting_number(set, name, is_reset ? 10 : 120);

	return seconds > 0 ? seconds * SECOND : 0;
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

	for (enum end end = 0; end < ENDS; end++)
		if (load_ends(&s->load, end))
			mean += load_share(&s->load, end) * gateway_holds_so(s, b, host, end);
	return mean;
}

/* The rule that limits connections does not count closed ones (already_closed(),
 * net/netfilter/nf_conncount.c). */
static double limit_rate(const struct carriage *c, const struct life *life)
{
	bool limits = c->at_once < c->ports && life->live.most > 0;

	return limits ? (double)c->at_once * SECOND / (double)life->live.most : INFINITY;
}

/* What its ports carry is only the least: see budget.h. */
static void bound_rate(struct forecast *f, const struct scenario *s, const struct budget *b,
		       const struct carriage *c, const struct host *host, const struct life *life)
{
	double ports = (double)c->ports * SECOND / gateway_holds(s, b, host);
	double limit = limit_rate(c, life);

	f->gateway_rate = fmin(ports, limit);
	if (isnan(f->rate))
		return;
	f->rate_is_least = ports < fmin(f->rate, limit);
	f->rate = fmin(f->rate, fmin(ports, limit));
}

/* Of more ports than are tried the last ones are found by luck. Each search begins at random, tries
 * 128 in a row, then 64, 32 and 16 elsewhere (nf_nat_l4proto_unique_tuple()); while half are free, all
 * 240 are taken once in 1e13 times. */
static uint64_t surely_carried(const struct carriage *c)
{
	return c->is_exact ? c->at_once : c->at_once / 2;
}

void forecast_gateway(struct forecast *f, const struct scenario *s, const struct budget *b,
		      const struct carriage *c, const struct host *host)
{
	struct life life = life_of(s, b, host);
	struct guess next = speed_pace(s, b, &life, c->at_once);
	double until = fmin(speed_ends_ns(s), speed_changes_ns(s));
	bool so_many = s->load.total == 0 || s->load.total > c->at_once;
	bool for_ever = life.quiet.least == FOR_EVER;

	if (s->load.protocol == PROTOCOL_UDP) /* its connect sends nothing through it */
		return;
	bound_rate(f, s, b, c, host, &life);
	if (c->at_once >= b->capacity || !so_many || next.least >= until)
		return;
	f->exhausts = f->known = f->counted = f->cut_short = false;
	f->after = 0;
	if (load_is_pooled(&s->load) || !behaviour_does(s->server.behaviour, DOES_LISTEN) ||
	    next.most >= until || (!for_ever && next.most >= (double)life.live.least))
		return;
	f->times_out_after = c->at_once;
	f->times_out_least = surely_carried(c);
}
