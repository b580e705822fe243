/* far.h - the far end: a thread in the server's namespace that listens, and does with
 * connections what the scenario says.
 *
 * It listens before the load begins, on ports outside the client's range, and really closes
 * what the client closed: a child that nobody accepts would stay in CLOSE_WAIT, keep the
 * client's end in FIN_WAIT2, and answer a later connect from the same port with a challenge (10
 * to 16 ms, Linux 6.18). Requests say of themselves how they are to be answered (wire.h); each
 * connection is served by itself, so that one whose client does not read stalls no other. No
 * memory is taken after far_start().
 *
 * Ownership: far_stop() gives back rings and listeners, and with them every socket.
 * Errors:    ERR_HOST where rings cannot be had; ERR_SYS. What breaks later is handed out by
 *            far_stop().
 */
#pragma once

#include "drive/drive.h"

struct far;

struct far_wish {
	const struct plan *plan;
	const struct lab *lab;
	const struct drive_hooks *hooks;
};

/* How many connections it is done with, for as long as the client keeps them: accepted, and
 * closed where that is its own wish. Those to itself are not among them: it is done with the last
 * of the client's once it is with all of them. Of a dead one: as many as there may be. */
uint64_t far_served(const struct far *far);

bool far_start(struct far **out, const struct far_wish *wish, struct arena *, struct err *);

/* The load begins now: server.die counts from here. */
void far_zero(struct far *far, int64_t now_ns);

bool far_stop(struct far *far, struct tape *out,
	      struct err *err); /* its events go to `out`, if there is one */
