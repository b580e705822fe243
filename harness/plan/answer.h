/* answer.h - whether a far end answers a request in time (load.timeout).
 *
 * Either end may be held up for SPEED_STALL_NS: an answer that is due as close to the
 * timeout as that comes, or does not, as the machine has it.
 *
 * Input:  a scenario whose `load` is the one that is asked about.
 * Units:  nanoseconds.
 * Errors: none; pure.
 */
#pragma once

#include "plan/life.h"

/* How long the far end takes for an answer. */
struct span answer_span(const struct scenario *s);

/* How long it is waited for on average, by who waits no longer than so. Each takes its own time, drawn evenly
 * between the two bounds (drive/far_due.c). */
double answer_mean_ns(const struct scenario *s, int64_t until);

/* Does each come in time for sure; does none for sure? What is asked for no answer has it. */
bool answer_comes(const struct scenario *s);
bool answer_fails(const struct scenario *s);
