/* whose.h - of several loads that went to one destination, whose the ports are that it has at the end,
 * in TIME_WAIT too. Pure.
 *
 * The kernel names nobody, and a socket that came and went between two dumps was never seen with its
 * owner. But each load keeps books of each destination: what it has open, and what it has closed, is what
 * the kernel can have of it, and where the kernel has all of that, it is known whose each is. Where it has
 * less (TIME_WAIT has ended, or was taken over), there are bounds: a load has at most what its books
 * say, and at least what those of all others do not account for. That costs a connection nothing.
 *
 * Output: a row a destination that two loads or more have opened connections to, and that has any socket
 *         left; the ones with most of them first, WHOSE_ROWS at most.
 * Units:  connections.
 */
#pragma once

#include "judge/judge.h"

/* Needs the loads of `m`; nothing where the kernel's part of the accounts is not known. */
void whose_are(struct measures *m, const struct tape *tape, const struct plan *plan,
	       struct arena *a);
