/* backlog.h - a server that accepts too slowly, or never, by the clock: connects that find its backlog full
 * hang, each with its port until it times out.
 *
 * Of those that were begun within the last load.timeout each has a port, open or not; and of those before,
 * each that is open: so many as the backlog takes, and one more, and as many as were accepted before they came,
 * or before their SYN was sent again.
 *
 * Input:  a scenario whose `load` is the one that is asked about, with speed_fills().
 * Units:  nanoseconds since the load began.
 * Errors: none; pure.
 * Source: sk_acceptq_is_full(), include/net/sock.h.
 */
#pragma once

#include "plan/life.h"

/* Fills in what becomes of the ports, where that can be told; false: it cannot, and nothing is. */
bool backlog_foresee(struct forecast *f, const struct scenario *s, const struct budget *b,
		     const struct life *life);
