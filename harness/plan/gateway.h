/* gateway.h - what a gateway carries, and what it makes of a forecast, of one load or of several together: full
 * for sure, where those that are open at once are more than it has ports.
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

/* Does its gateway forget each connection before another begins? A RST that answers a SYN, and comes within the
 * call that sends it, deletes the entry
 * (nf_conntrack_tcp_packet(), net/netfilter/nf_conntrack_proto_tcp.c); a mapping outlives it. */
bool gateway_keeps_none(const struct scenario *s);

/* How long a gateway tracks a connection after its end, a RST or else, in ns: as network.nat.sysctl
 * has it, or 10 s and 120 s. */
int64_t gateway_tracks(const struct scenario *s, bool is_reset);

/* The same of a socket of UDP after its last packet: 30 s. A mapping (network.nat.mapping_time) is
 * not tracked. */
int64_t gateway_tracks_datagrams(const struct scenario *s);

/* Has it a port for each connection of the scenario's `load`, for sure? */
bool gateway_fits(const struct scenario *s, const struct budget *b, const struct carriage *c,
		  const struct host *host);

/* What a gateway makes of a forecast. Where its ports end before the client's do, connects time
 * out, and whether the client's ports run out is a race with those, unless all fit. */
void forecast_gateway(struct forecast *f, const struct scenario *s, const struct budget *b,
		      const struct nat_plan *nat, const struct host *host);

/* Of loads of one protocol: fills in what the forecast says of the gateway. */
void gateway_together(struct plan *p);
