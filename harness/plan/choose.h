/* choose.h - which pair of source and destination a connection goes to, and whether it ends, where
 * the seed says it.
 *
 * The i-th connection's pair is drawn by itself: it depends on nothing that came before.
 *
 * Errors: none; pure.
 */
#pragma once

#include "plan/plan.h"

/* Of n, for connection i of the load. */
uint64_t choose_draw(const struct plan *p, const struct load_plan *lp, uint64_t i, uint64_t n);

/* The space of ports that connection i comes to: where nothing is drawn, each in turn. */
uint64_t choose_space(const struct plan *p, const struct load_plan *lp, uint64_t i);

/* Fills in what the seed decides of the load's budget: how many connections open before one comes
 * to a pair that is full, if none gives its port back, and if those alone keep it that are never
 * closed. 0: too many to count beforehand. */
void choose_count(const struct plan *p, struct load_plan *lp, struct arena scratch);
