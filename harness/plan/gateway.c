#include "plan/budget.h"

#include <math.h>

#include "plan/life.h"
#include "plan/speed.h"

#define SECOND INT64_C(1000000000)

/* How long a gateway tracks a connection after its end. */
#define TRACKED_CLOSED (120 * SECOND)
#define TRACKED_RESET (10 * SECOND)

/* How long it keeps the port of a connection that ends so. */
static double gateway_holds_so(const struct scenario *s, const struct budget *b,
			       const struct host *host, enum end end)
{
	struct life life = life_so(s, b, host, end);
	bool is_reset =
		life_end(&s->load, end) == END_RESET || s->server.behaviour == BEHAVIOUR_RESET;

	if (life.quiet.most == FOR_EVER)
		return INFINITY;
	return (double)life_sum(life.live.most, is_reset ? TRACKED_RESET : TRACKED_CLOSED);
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
static double gateway_rate(const struct scenario *s, const struct budget *b,
			   const struct carriage *c, const struct host *host,
			   const struct life *life)
{
	double rate = (double)c->ports * SECOND / gateway_holds(s, b, host);

	if (c->at_once == c->ports || life->live.most <= 0)
		return rate;
	return fmin(rate, (double)c->at_once * SECOND / (double)life->live.most);
}

void forecast_gateway(struct forecast *f, const struct scenario *s, const struct budget *b,
		      const struct carriage *c, const struct host *host)
{
	struct life life = life_of(s, b, host);
	struct pace next = speed_pace(s, b, &life, c->at_once);
	double until = fmin(speed_ends_ns(s), speed_changes_ns(s));
	bool so_many = s->load.total == 0 || s->load.total > c->at_once;
	bool for_ever = life.quiet.least == FOR_EVER;

	if (s->load.protocol == PROTOCOL_UDP) /* its connect sends nothing through it */
		return;
	if (!isnan(f->rate))
		f->rate = fmin(f->rate, gateway_rate(s, b, c, host, &life));
	if (c->at_once >= b->capacity || !so_many || next.quick >= until)
		return;
	f->exhausts = f->known = false;
	f->after = 0;
	if (c->is_exact && !load_is_pooled(&s->load) &&
	    behaviour_does(s->server.behaviour, DOES_LISTEN) && next.slow < until &&
	    (for_ever || next.slow < (double)life.live.least))
		f->times_out_after = c->at_once;
}
