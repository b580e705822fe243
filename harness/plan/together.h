/* together.h - what several loads come to: a forecast of all of them, known only where it can be
 * told.
 *
 * Each takes ports of the others, so that what is foreseen of one alone says little of it: see plan/fill.h.
 */
#pragma once

#include "plan/plan.h"

/* Of one load it is forecast_make(). Loads that want nothing of each other's have a forecast of their
 * own in part_of(); here is what comes of all: who gives ports back last, whether any is refused one. */
struct forecast together_foresee(const struct plan *p);

/* Does what `a` has take a port from `b`? */
bool together_meet(const struct load_plan *a, const struct load_plan *b);

/* The same, of ports that neither has to itself: who names reserved ports alone takes none of another's. */
bool together_wants(const struct plan *p, const struct load_plan *a, const struct load_plan *b);

/* Can the two have no port both, whoever was first? A bind() of IPv4 meets a connect() of IPv6, which does not
 * meet it; and a bind() to all addresses excludes loads of either version, which do not meet each other. */
bool together_exclude(const struct load_plan *a, const struct load_plan *b);

/* Has the one no other ports than the other may have, whether they meet or not? */
bool together_inside(const struct plan *p, const struct load_plan *inner,
		     const struct load_plan *outer);

/* Does it take its ports from the other, and has none besides? */
bool together_within(const struct plan *p, const struct load_plan *inner,
		     const struct load_plan *outer);

/* Do they want the very same: as many ports, of as many spaces? */
bool together_alike(const struct load_plan *a, const struct load_plan *b);
bool together_all_alike(const struct plan *p); /* any two of them */

/* Connections that all loads can have at once: ports that several of them want count once, those of
 * TCP and of UDP apart. */
uint64_t together_capacity(const struct plan *p);
