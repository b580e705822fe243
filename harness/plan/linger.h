/* linger.h - ports of a closed loop that are in use still though its clients have gone on.
 *
 * The far end's last ACK is on its way; and where the port is free only once the far
 * end has accepted and ended the connection, a client that does not wait for that
 * begins others as long as the far end's thread is held up: each port is in FIN_WAIT2
 * by then. 18 clients had 64 ports so within 2 ms (Linux 6.18, a busy machine).
 *
 * Input:  a scenario whose `load` is the one that is asked about.
 * Units:  ports.
 * Errors: none; pure.
 */
#pragma once

#include "scenario/scenario.h"

/* Does a client go on before the far end has ended its connection? */
bool linger_grows(const struct scenario *s);

/* At most; INFINITY: as many as the machine begins. Of an open loop 0. */
double linger_most(const struct scenario *s);
