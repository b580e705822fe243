/* far.h - the far end: a thread in the server's namespace that listens, and does with
 * connections what the scenario says.
 *
 * It listens before the load begins, on ports outside the client's range, and really closes
 * what the client closed: a child that nobody accepts would stay in CLOSE_WAIT, keep the
 * client's end in FIN_WAIT2, and answer a later connect from the same port with a challenge (10
 * to 16 ms, Linux 6.18). With behaviour `hold` it never accepts: the kernel completes the
 * handshake, and nothing ever closes.
 *
 * Ownership: far_stop() gives back rings and listeners, and with them every socket.
 * Errors:    ERR_HOST where rings cannot be had; ERR_SYS. What breaks later is handed out by
 *            far_stop().
 */
#pragma once

#include "lab/lab.h"
#include "plan/plan.h"
#include "sense/sense.h"

struct far;

/* How many connections it is done with, for as long as the client keeps them: accepted, and
 * closed where that is its own wish. */
uint64_t far_served(const struct far *far);

bool far_start(struct far **out, const struct plan *plan, const struct lab *lab,
	       struct pulse *pulse, struct arena *, struct err *);
bool far_stop(struct far *far, struct err *err);
