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
