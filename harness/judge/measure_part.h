/* measure_part.h - what measure.c and those who do a part of it have in common.
 *
 * Errors: none; pure.
 */
#pragma once

#include "judge/judge.h"

static inline void measure_set(struct measures *out, enum measure what, double n)
{
	out->fixed[what] = (struct value){true, n};
}

static inline void measure_set_if(struct measures *out, enum measure what, bool known, double n)
{
	if (known)
		measure_set(out, what, n);
}

/* On loopback what the far end opens has the client's ports: has it found none? */
bool measure_loop_ran_out(const struct tape *tape, const struct plan *plan);

/* What the dumps tell, and the driver's books of what came and went between them. */
void measure_sockets(struct measures *out, const struct tape *tape, const struct plan *plan);
