/* doubt.h - what takes a forecast's word back: squat that comes late or may have ports that a load
 * names, addresses that are not to be had, few descriptors, a backlog that may be full, a far end that
 * takes the client's ports; and why a plan cannot tell.
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

struct outline;

/* Why it cannot be told whether ports run out, the first of the reasons; DOUBT_NONE: it can. Loads
 * that have ports of their own (plan/part.h) are asked for part by part. In plan/doubt_why.c. */
enum doubt doubt_of(const struct plan *p, const struct outline *o);

/* The load that the reason is about, the first; NULL: it is not about one alone. */
const struct load_plan *doubt_load(const struct plan *p, enum doubt why);

/* What becomes of the load at a gateway, where that leaves a doubt, or ports of it end. */
enum doubt doubt_gateway(const struct plan *p, const struct outline *o);

/* Why it cannot be told what the ports of the only load carry for ever, and if half of them are ever
 * in use. */
enum doubt doubt_rate(const struct plan *p, const struct outline *o);
enum doubt doubt_half(const struct plan *p, const struct outline *o);
