/* books.h - do the books balance? Pure.
 *
 * attempted = opened + failed + in flight; opened = open + closed + reset + leaked + inherited;
 * and what the driver has open, or has closed, the kernel has too, once all is at rest. What the
 * kernel does by itself explains a difference, as far as its counters tell of it: a connection
 * that was reset or timed out is gone (EstabResets), one in TIME_WAIT can be taken over
 * (TWRecycled), left out (TCPTimeWaitOverflow), or destroyed (network.time_wait).
 *
 * Output: a row a book, not known where nothing can be compared: the load did not come to its
 *         end, sockets were still on their way, or the far end may have closed first.
 * Units:  connections.
 * Source: tcp_set_state(), net/ipv4/tcp.c, for EstabResets.
 */
#pragma once

#include "judge/judge.h"

/* Needs the counters of `m`. */
void books_compare(struct book books[BOOKS], const struct tape *tape, const struct plan *plan,
		   const struct measures *m);

/* By how many connections a book is out, that nothing explains; 0: it balances. */
uint64_t book_missing(const struct book *book);
