/* size.h - how much of everything a run needs: connections at once, descriptors, backlog, hash,
 * memory.
 *
 * Input:  a plan with its budget, destinations and loads.
 * Units:  all are counts; memory is bytes.
 * Errors: ERR_HOST with both numbers, if the host has less.
 */
#pragma once

#include "plan/plan.h"

/* Fills the loads' slots, ring_slots, far_slots, backlog, hash_entries, samples and needs; the last even
 * where the host has less. */
bool size_make(struct plan *p, struct err *err);
