/* squat.h - holds ports of the client's that are no load: listeners, and sockets that are bound
 * and never connect.
 *
 * They are made by a thread that entered the client's namespace, and are there, without anybody
 * to look after them, until squat_close().
 *
 * Ownership: the sockets are slots of rings, of which there may be more than RLIMIT_NOFILE.
 * Errors:    what cannot be had is ERR_SCENARIO at the line that asks for it; what is not there
 *            when stop.time is over, at that key's.
 */
#pragma once

#include <signal.h>

#include "lab/lab.h"
#include "plan/plan.h"

struct squat;

/* Once `interrupted` is not 0 it takes no more, and is content with what it has. */
bool squat_open(struct squat **out, const struct plan *plan, const struct lab *lab,
		const volatile sig_atomic_t *interrupted, struct arena *, struct err *);
void squat_close(struct squat *squat); /* NULL does no harm */
