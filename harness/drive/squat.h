/* squat.h - holds ports of the client's that are no load: listeners, and sockets that are bound
 * and never connect.
 *
 * They are made by a thread that entered the client's namespace, before the load begins or at
 * squat.start, and are there, without anybody to look after them, until squat_close().
 *
 * Ownership: the sockets are slots of rings, of which there may be more than RLIMIT_NOFILE.
 * Errors:    what cannot be had is ERR_SCENARIO at the line that asks for it; what is not there
 *            when stop.time is over, at that key's. Of squat.start it is an event, and counted.
 */
#pragma once

#include "drive/drive.h"

struct squat;

/* Once the run is interrupted it takes no more, and is content with what it has. Whatever comes of
 * it, *out is to be closed. */
bool squat_open(struct squat **out, const struct plan *plan, const struct lab *lab,
		const struct drive_hooks *hooks, struct arena *, struct err *);

/* The load begins now: squat.start counts from here. */
void squat_zero(struct squat *squat, int64_t now_ns);

/* Until squat.start has come, and all that was to be had then was tried. */
void squat_await(struct squat *squat);

/* What was held, and what was refused, goes to `out`. NULL does no harm. */
bool squat_close(struct squat *squat, struct tape *out, struct err *err);
