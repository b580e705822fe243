/* part.h - a plan as if its loads of one protocol were all of them: the kernel keeps the ports of TCP
 * and of UDP apart, so that either has a range of its own.
 *
 * Ownership: borrows from the whole plan, but for the loads: they are copied to where the caller says.
 * Errors:    none; pure. A plan that has no load of the protocol has no part of it.
 */
#pragma once

#include "plan/plan.h"

bool part_is_mixed(const struct plan *p); /* has it loads of both? */

/* `loads` has room for load_count of the whole. */
void part_of(struct plan *out, const struct plan *whole, enum protocol protocol,
	     struct load_plan *loads);
