/* upstream.h - connections that a far end opens to itself: server.behaviour: loop.
 *
 * Input:  a plan with its services and the budget of its loads.
 * Errors: none; a range that cannot be read is the kernel's default.
 */
#pragma once

#include "plan/plan.h"

/* One for each port that it has, towards each listener, at most; 0: it opens none. */
uint32_t upstreams_of(const struct plan *p);

/* Do they have the client's ports? On loopback they do. */
bool upstreams_are_clients(const struct plan *p);
