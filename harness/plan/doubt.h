/* doubt.h - what takes a forecast's word back: squat that comes late or may have ports that a load
 * names, addresses that are not to be had, few descriptors, a backlog that may be full, a far end that
 * takes the client's ports.
 *
 * Input:  a plan whose forecast is that of its ports.
 * Errors: none.
 */
#pragma once

#include "plan/plan.h"

/* May the load want for a descriptor (load.nofile) before it does for a port, its own or a gateway's? */
bool doubt_descriptors(const struct plan *p, const struct load_plan *lp);
bool doubt_any_descriptors(const struct plan *p); /* any of its loads */

/* When it surely has none for the next socket, all before it being open still, since the load began; FOR_EVER:
 * that is not to be told. */
int64_t doubt_descriptors_ns(const struct plan *p, const struct load_plan *lp);

/* Has it begun so many before its server dies, or the host of that vanishes? */
bool doubt_is_steady(const struct plan *p, const struct load_plan *lp);

/* Do its connects surely time out at a gateway before that? */
bool doubt_gateway_first(const struct plan *p, const struct load_plan *lp);

/* May a connect come to a full backlog of a server that accepts as fast as it can? */
bool doubt_backlog(const struct plan *p);

void doubt_set(struct plan *p);
