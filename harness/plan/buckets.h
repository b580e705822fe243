/* buckets.h - net.ipv4.tcp_max_tw_buckets: the kernel makes no more sockets than that wait, and of those beyond
 * it the port is free at once (tcp_time_wait(), net/ipv4/tcp_minisocks.c).
 *
 * Input:  a scenario that may set it; else it is as a new namespace has it, by the size of the host's table.
 * Errors: none.
 */
#pragma once

#include "plan/life.h"

/* Where they end TIME_WAIT before the ports are used up, how many; 0: they do not. */
uint64_t buckets_few(const struct scenario *s, const struct budget *b, const struct host *host);

/* The same of a plan whose forecast is made, where a rate depends on it: none can be told then that the ports
 * sustain. */
uint64_t buckets_end(const struct plan *p);

/* How long the port waits, then. */
void buckets_limit(struct span *quiet, const struct scenario *s, const struct budget *b,
		   const struct host *host);
