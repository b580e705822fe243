/* waits.h - how long a connection that its own end has closed keeps its port from the next connect().
 *
 * Input:  net.ipv4.tcp_tw_reuse, tcp_tw_reuse_delay and tcp_timestamps as they are, or as they are set.
 * Units:  nanoseconds.
 * Errors: none; pure. It is about ports that connect() chooses: bind() waits for the end.
 * Source: tcp_twsk_unique(), net/ipv4/tcp_ipv4.c: without timestamps of the connection that was, nothing
 *         is reused; with 2, what has an end on loopback alone. TCP_TIMEWAIT_LEN, include/net/tcp.h.
 */
#pragma once

#include "base/address.h"

#define WAIT_WHOLE_NS (60 * INT64_C(1000000000))

struct waits {
	bool all, loopback; /* which of them the next connect() may have sooner: */
	int64_t delay_ns;   /* after so long */
};

/* delay_ms: below 1 where the kernel has no such setting, and a second is its own. */
struct waits waits_of(int64_t tw_reuse, int64_t delay_ms, bool timestamps);

int64_t waits_ns(const struct waits *w, bool is_loopback); /* from the close on */

/* A connection between these is one on loopback. */
bool waits_on_loopback(struct address local, struct address remote);
