/* datagram.h - how long a socket of UDP has its port: until it is closed, and not a moment longer. Pure arithmetic.
 *
 * Input:  the scenario, with the load that has the socket as `load`.
 * Units:  nanoseconds.
 * Errors: none.
 */
#pragma once

#include "plan/life.h"

struct span datagram_live(const struct scenario *s);

/* Of a far end that does what its behaviour says, and of TCP as well: one whose request fails is not held. Where
 * nobody listens a socket of UDP fails with the ICMP that says so, unless the kernel has sent enough of them
 * (net.ipv4.icmp_ratelimit), or the socket is not connected. */
struct span datagram_answered(const struct scenario *s);
