/* timewait.h - network.time_wait: ends the client's sockets in TIME_WAIT at that age, so that
 * nobody has to wait a minute for the ports to come back.
 *
 * No sysctl shortens TIME_WAIT: the sockets are destroyed (SOCK_DESTROY), and their ports are
 * free at once. On loopback the server's are in the same namespace; they are left alone, and so
 * are orphans in FIN_WAIT2, which have a sysctl of their own.
 *
 * Cost:    a dump of what is in TIME_WAIT in each such time, never more than 2 % of a core;
 *          2 us a socket that is destroyed.
 * Errors:  ERR_HOST where the kernel cannot. What breaks later ends the load by *broken, and is
 *          handed out by timewait_stop().
 * Threads: one of its own, in the client's namespace, with CAP_NET_ADMIN there and nothing else.
 */
#pragma once

#include <stdatomic.h>

#include "lab/lab.h"

struct timewait;

/* *out is NULL where there is nothing to shorten. */
bool timewait_start(struct timewait **out, const struct plan *plan, const struct lab *lab,
		    _Atomic bool *broken, struct arena *, struct err *);

/* *ended: how many sockets it has destroyed; 0 of NULL. */
bool timewait_stop(struct timewait *t, uint64_t *ended, struct err *);
