/* squat.h - ports that are no load: what `squat` and load.ballast hold of the range before the load
 * begins, and until it ends.
 *
 * A port that anybody has bound, on whatever address and of whatever family, is none that connect()
 * chooses; bind() passes it over only if the address is its own, or one is all addresses.
 *
 * Errors: ERR_SCENARIO where it is not for all sources of a load alike.
 * Source: __inet_hash_connect(), net/ipv4/inet_hashtables.c; inet_csk_bind_conflict(),
 *         net/ipv4/inet_connection_sock.c.
 */
#pragma once

#include "plan/plan.h"

/* Fills p->squat and passes_squat of the loads, and takes what it holds from the budgets; its sources and budgets are set. */
bool squat_set(struct plan *p, struct err *err);

/* May the kernel give squat.bind, squat.unbound or load.ballast a port that a load names? */
bool squat_may_take_any(const struct plan *p);
