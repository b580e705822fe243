/* caveat.h - what a reader must know before believing a verdict: lines that begin with "but".
 *
 * A run passes by its `expect` alone. Where the load was not what the scenario asks for, a pass
 * says less than it seems to, and these lines say so.
 */
#pragma once

#include "report/result.h"

/* lastport or the kernel was too slow for the rate that was asked for. */
void caveat_late(struct out *out, const struct result_run *run);

/* What was begun was begun long after it was due: by a second or more, and a tenth of the run. */
void caveat_behind(struct out *out, const struct result_run *run);

/* A closed loop came to less than half of what it does by its own arithmetic. */
void caveat_slow(struct out *out, const struct result_run *run);

/* Sockets were counted from /proc, which lacks some. */
void caveat_from_proc(struct out *out, const struct result_run *run);

/* Sockets moved while those that are told of were counted. */
void caveat_torn(struct out *out, const struct result_run *run);

/* Fewer threads carried the load than was asked for. */
void caveat_whole(struct out *out, const struct result_run *run);

/* A failure, or exhaustion, ended the load before it was done. */
void caveat_stopped(struct out *out, const struct result_run *run);
