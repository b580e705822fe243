/* prober.h - the probe lane: a thread that opens one connection at a time, as the load does, and
 * takes the time.
 *
 * The load's own connects go to the kernel in batches, and each would be charged with all of its
 * batch (8 of them: 94 to 127 us, where one by itself takes 14; Linux 6.18): so this is the only
 * source of latencies. A connection of the prober ends with a RST as soon as it is open: it has its
 * port for that long, and leaves no TIME_WAIT. While it has the last one, the load has none.
 *
 * Output:  struct latency on a tape, and how many it opened.
 * Units:   nanoseconds on sys/clock.h.
 * Cost:    a connect each sample.latency; where it found no port, at most 1 % of a core.
 * Errors:  a connect that fails for another reason is not timed, and none of the prober's. How full the
 *          ports are is read before each; where it cannot be, that ends the load by `broken`, and is
 *          handed out by prober_close().
 * Threads: start, zero, stop and close from one thread.
 */
#pragma once

#include "drive/drive.h"

struct prober;

/* *out is NULL where the scenario asks for no latency; the others do nothing then. */
bool prober_start(struct prober **out, const struct plan *plan, const struct lab *lab,
		  _Atomic bool *broken, struct arena *, struct err *);
void prober_zero(struct prober *p); /* the load begins */

uint64_t prober_stop(struct prober *p); /* how many it opened; once more does no harm */

/* Stops it, if nobody has; what it timed is on the tape then. */
bool prober_close(struct prober *p, struct tape *out, struct err *err);
