/* breach.h - has a line of `expect` with `abort: true` been broken yet?
 *
 * Input:  the driver's books, and what the sampler has seen so far: such a line is about
 *         measures that are LIVE in words/measures.def.
 * Units:  nanoseconds since the load began.
 * Errors: none; pure. A measure without data yet breaks nothing.
 */
#pragma once

#include "plan/plan.h"
#include "sense/sense.h"
#include "tape/tape.h"

/* Of lines about that load, from 1; 0: of those about the whole run. */
bool breach_possible(const struct expectation_list *expect, unsigned load);

/* The first of those lines that is broken, from 0, by the books of that load, or of all; -1:
 * none. */
int breach_find(const struct plan *plan, unsigned load, const struct tape *books,
		const struct pulse *pulse, int64_t now_ns);
