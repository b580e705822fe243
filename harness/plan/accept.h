/* accept.h - how long a connection may wait until a far end that accepts slowly has it
 * (server.accept_every).
 *
 * Input:  a scenario whose `load` is the one that is asked about; all loads come to the same
 *         listeners.
 * Units:  nanoseconds.
 * Errors: none; pure.
 */
#pragma once

#include "scenario/scenario.h"

/* At most; 0: it is accepted at once, or nothing that becomes of its port depends on that. */
int64_t accept_wait_ns(const struct scenario *s);
