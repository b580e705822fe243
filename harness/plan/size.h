/* size.h - how much of everything a run needs: connections at once, descriptors, backlog, hash,
 * memory.
 *
 * Input:  a plan with its budget, destinations and loads.
 * Units:  all are counts; memory is bytes.
 * Errors: ERR_HOST with both numbers, if the host has less.
 */
#pragma once

#include "plan/plan.h"

/* Measured: two sockets and what they hang from, 7.3 to 7.7 KB; a socket in TIME_WAIT, 0.77 to
 *           0.84 KB. By the sizes of its objects: a bound socket, 3.8 KB. */
enum { PAIR_BYTES = 8000, WAIT_BYTES = 840, BOUND_BYTES = 4000 };

enum { SLACK_SLOTS = 64 /* of connections that are just closing */ };

/* Fills the loads' slots, ring_slots, far_slots, backlog, hash_entries, samples and needs; the last even
 * where the host has less. */
bool size_make(struct plan *p, struct err *err);
