#include <math.h>

#include "base/order.h"
#include "plan/alone.h"
#include "plan/bind.h"
#include "plan/due.h"
#include "plan/gateway.h"
#include "plan/together.h"
#include "plan/use.h"

enum { LOOKS = 512 };

/* A load as its gateway has it: what is closed may give its port there to another. */
static struct use use_of(const struct plan *p, uint32_t i)
{
	struct use u = use_make(p, &p->loads[i], &p->loads[i]);

	if (u.life.quiet.least < FOR_EVER)
		u.life.quiet = span_of(0);
	if (u.load->load->protocol == PROTOCOL_UDP && u.life.quiet.least < FOR_EVER)
		u.life.live.least = 0;
	return u;
}

/* Those that have a port of the gateway's then, for sure: no more than the client has ports for. */
static double open_least(const struct plan *p, const struct use uses[], double ns)
{
	double open = 0, lost = 0;

	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct budget *b = &p->loads[i].budget;
		const struct budget sure = budget_surely(b, p->scenario, p->loads[i].load);

		lost += (double)(b->capacity - sure.capacity);
		open += uses[i].is_pooled ? 0 : fmin(use_least(&uses[i], ns), (double)sure.first);
	}
	return fmin(open, (double)together_capacity(p) - lost);
}

/* Does every load keep all that it opens, and learn of the gateway that it has let it down? */
static bool times_out(const struct plan *p, const struct use uses[])
{
	for (uint32_t i = 0; i < p->load_count; i++)
		if (uses[i].life.quiet.least < FOR_EVER || !uses[i].is_steady ||
		    p->loads[i].load->on_failure.then == ON_FAILURE_STOP)
			return false;
	return behaviour_does(p->scenario->server.behaviour, DOES_LISTEN) &&
	       !plan_speaks(p, PROTOCOL_UDP);
}

/* Of open loops in the shares in which they are opened; else that of the load that it carries least of. */
static struct gateway_rates rates_of(const struct plan *p)
{
	struct gateway_rates least = {INFINITY, INFINITY}, taken = {0, 0};
	bool open = true;

	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct load_plan *lp = &p->loads[i];
		struct scenario alone = alone_of(p->scenario, lp->load);
		struct gateway_rates one;
		double asks = shape_asks(&lp->shape);

		one = gateway_rates_of(&alone, &lp->budget, &p->nat.carriage, p->host);
		open &= load_is_open(lp->load) && !load_is_pooled(lp->load);
		least.ports = fmin(least.ports, one.ports);
		least.limit = fmin(least.limit, one.limit);
		taken.ports += asks / one.ports;
		taken.limit += asks / one.limit;
	}
	return open ? (struct gateway_rates){plan_rate(p) / taken.ports, plan_rate(p) / taken.limit}
		    : least;
}

void gateway_together(struct plan *p)
{
	struct use uses[SCENARIO_LOADS_MOST];
	const struct carriage *c = &p->nat.carriage;
	const struct scenario *s = p->scenario;
	bool one = plan_speaks(p, PROTOCOL_TCP) != plan_speaks(p, PROTOCOL_UDP);
	double until = due_changes_ns(p);

	if (one)
		gateway_bound(&p->forecast, rates_of(p));
	if (!one || !carriage_lacks(c) || nat_maps_for_all(&s->network.nat))
		return;
	for (uint32_t i = 0; i < p->load_count; i++)
		uses[i] = use_of(p, i);
	for (int k = 1; k <= LOOKS && p->forecast.full_after == 0; k++)
		if (open_least(p, uses, until * k / LOOKS) > (double)c->full) {
			p->forecast.full_after = c->full;
			p->forecast.full_least = c->least;
			p->forecast.full_run_ns = (int64_t)(until * k / LOOKS);
			p->forecast.times_out = times_out(p, uses);
		}
}
