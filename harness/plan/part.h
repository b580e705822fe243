/* part.h - a plan as if its loads of one part were all of them: the kernel keeps the ports of TCP and of
 * UDP apart, so that either has a range of its own; and of either those of IPv4 and IPv6, unless a
 * bind() of the one takes the other's.
 *
 * Ownership: borrows from the whole plan, but for the loads: they are copied to where the caller says.
 * Errors:    none; pure. A plan that has no load of a part has no such part.
 */
#pragma once

#include "plan/plan.h"

enum part_family { PART_OF_BOTH, PART_OF_IPV4, PART_OF_IPV6 }; /* mapped sockets are of IPv4 */

struct part {
	enum protocol protocol;
	enum part_family family;
};

enum { PARTS_MOST = 2 * PROTOCOLS };

/* How many there are: 1, if all loads want the same ports. */
uint32_t parts_of(struct part out[PARTS_MOST], const struct plan *p);

/* "UDP", "IPv6", "TCP over IPv6": by what tells it from the plan's others. */
const char *part_name(struct part part, const struct plan *p);

bool part_has(struct part part, const struct load_plan *lp);

/* With a forecast of its own. `loads` has room for load_count of the whole. */
void part_of(struct plan *out, const struct plan *whole, struct part part, struct load_plan *loads);

/* The same of one load, as if it had the ports to itself. `room` is for the load. */
void part_of_load(struct plan *out, const struct plan *whole, uint32_t i, struct load_plan *room);
