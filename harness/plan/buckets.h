/* buckets.h - net.ipv4.tcp_max_tw_buckets: no more sockets than that wait at once in the client's namespace, in
 * TIME_WAIT or FIN_WAIT2; of those beyond it the port is free with the close (inet_twsk_alloc(),
 * net/ipv4/inet_timewait_sock.c; tcp_time_wait(), net/ipv4/tcp_minisocks.c).
 *
 * Input:  a scenario that may set it; else it is as a new namespace has it, by the size of the host's table.
 * Errors: none.
 */
#pragma once

#include "plan/life.h"

/* Those that are closed on several processors at once may pass it by as many. */
enum { BUCKETS_RACE = 8 };

/* How many, where they are fewer than the ports of all loads, which may so be free before their time; 0: they are
 * not. */
uint64_t buckets_few(const struct scenario *s, const struct budget *b, const struct host *host);

/* How long the port waits, then. */
void buckets_limit(struct span *quiet, const struct scenario *s, const struct budget *b,
		   const struct host *host);

/* Are they reached at the rate that the ports sustain without? Then that is the least: all that do not wait are for
 * what is open, or is being closed, and how long a close takes nobody knows. */
void buckets_bound(struct forecast *f, const struct scenario *s, const struct budget *b,
		   const struct host *host);
