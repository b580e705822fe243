/* together.h - what several loads come to: a forecast of all of them, known only where it can be
 * told.
 *
 * Each takes ports of the others, so that what is foreseen of one alone says little of it. Two
 * things can be told: that no pair gets more connections than it has ports; and that all get more
 * than there are while none gives a port back.
 */
#pragma once

#include "plan/plan.h"

/* Of one load it is forecast_make(). Loads that want nothing of each other's have a forecast of their
 * own in part_of(); here is what comes of all: who gives ports back last, whether any is refused one. */
struct forecast together_foresee(const struct plan *p);

/* Does what `a` has take a port from `b`? */
bool together_meet(const struct load_plan *a, const struct load_plan *b);

/* Connections that all loads can have at once: ports that several of them want count once, those of
 * TCP and of UDP apart. */
uint64_t together_capacity(const struct plan *p);
