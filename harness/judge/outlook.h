/* outlook.h - what the arithmetic says of a load beyond the run that was made of it.
 *
 * Input:  a plan; what was observed is not asked.
 * Units:  nanoseconds, counts.
 * Source: the kernel keeps no more than tcp_max_tw_buckets sockets in TIME_WAIT, and counts
 *         TCPTimeWaitOverflow for the others: inet_twsk_alloc(), net/ipv4/inet_timewait_sock.c;
 *         tcp_time_wait(), net/ipv4/tcp_minisocks.c.
 */
#pragma once

#include "plan/plan.h"

/* tcp_max_tw_buckets where it ends TIME_WAIT before the ports are used up, so that no rate can
 * be told that they sustain; 0: it does not. */
uint64_t outlook_buckets(const struct plan *plan);

/* The settings that a port's time is reckoned with: those of the run; those of elsewhere, where
 * network.time_wait has no say; and with tcp_tw_reuse=1, and timestamps, besides. */
enum outlook { OUTLOOK_HERE, OUTLOOK_ELSEWHERE, OUTLOOK_REUSED };

/* How long a connection takes a port, on average over those that the loads open as they ask for them: so
 * that the ports by this are the rate that goes on for ever. Where nobody can tell, by the longest. */
int64_t outlook_life_ns(const struct plan *plan, enum outlook, struct arena scratch);

/* Is that an average, of connections that differ? */
bool outlook_is_mean(const struct plan *plan);

/* From one connection of a client to its next, or of a pool's requests, in a closed loop that hangs
 * on nothing else; 0: it is none, or that takes no time of its own. */
int64_t outlook_round_ns(const struct plan *plan);
