/* memory.h - what a run's sockets take of the kernel's memory, with what they carry.
 *
 * Units:  bytes.
 * Errors: more than is free is ERR_HOST, with both numbers.
 */
#pragma once

#include "plan/crowd.h"
#include "plan/plan.h"

/* Of a load's requests and responses, at most, that lie in the kernel at once. */
uint64_t memory_carried(const struct plan *p, const struct load *l, const struct crowd *c);

/* Fills in what of p->needs is about connections that are open, or wait, and their memory. */
void memory_set(struct plan *p, const struct crowd *c);

bool memory_suffices(const struct plan *p, struct err *err);
