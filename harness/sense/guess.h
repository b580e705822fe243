/* guess.h - which ports bind() took for connections, where nobody tells: of somebody else's load.
 *
 * The kernel does not say who chose a connected socket's port. But connect() takes ports of the parity
 * of the range's low end until it has none, and bind() to port 0 the others first; and a port that
 * bind() took has that one socket. So towards a destination that has ports of the second parity while
 * there are more of the first, those that no other destination shares are taken to be bind()'s: of the
 * second parity alone, as long as that has free ones.
 *
 * Errors: it is a guess. Connections that are left of a time when the first half was full look the
 *         same, and so do those with IP_LOCAL_PORT_RANGE, which is searched port by port; a bind() to
 *         a port of the first half, alone towards its destination, is not seen.
 * Source: __inet_hash_connect(), net/ipv4/inet_hashtables.c; inet_csk_find_open_port(),
 *         net/ipv4/inet_connection_sock.c: "We do the opposite to not pollute connect() users."
 */
#pragma once

#include "sense/census.h"

/* Of a whole dump, into c->bound_first. */
void bound_first_guess(struct census *c);
