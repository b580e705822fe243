/* datagram.h - how long a socket of UDP has its port: until it is closed, and not a moment longer. Pure arithmetic.
 *
 * Input:  the scenario, with the load that has the socket as `load`.
 * Units:  nanoseconds.
 * Errors: none.
 */
#pragma once

#include "plan/life.h"

struct span datagram_live(const struct scenario *s);
