/* gateway.h - what several loads make of a gateway together: full for sure, where those that are open at once
 * are more than it has ports.
 *
 * Errors: none; pure. Whether it is not full is a race, and not told.
 */
#pragma once

#include "plan/plan.h"

/* What a gateway carries for ever, a second: by its ports, which is only the least (budget.h), and by
 * network.nat.limit; INFINITY: as many as come. */
struct gateway_rates {
	double ports, limit;
};

/* Of the scenario's `load`. */
struct gateway_rates gateway_rates_of(const struct scenario *s, const struct budget *b,
				      const struct carriage *c, const struct host *host);

void gateway_bound(struct forecast *f, struct gateway_rates r);

/* Of loads of one protocol: fills in what the forecast says of the gateway. */
void gateway_together(struct plan *p);
