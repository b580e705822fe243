/* claim.h - what the rules of cause.c and bound.c say to each other: a claim, and what most of them
 * speak of.
 *
 * Ownership: texts are in the evidence's arena.
 */
#pragma once

#include "judge/advice.h"

/* A rule says whether a cause holds, why, and how many failures it explains. */
struct claim {
	double weight; /* 0: it does not hold */
	struct text why;
};

/* The failures for want of a port that the holders of `held` ports explain: by their share of all
 * that are held. Without any failure of the driver's own, it is 1 that is explained. */
double claim_explains(const struct evidence *e, uint64_t held, uint64_t all);

/* "to one destination", "to each of 2 destinations, from each of 3 addresses" */
const char *say_towards(const struct evidence *e);
const char *say_ports(const struct evidence *e); /* "32 ports" */

/* Causes that lie in who bound what: before a connect, or instead of one. */
struct claim claim_bind_first(const struct evidence *e);
struct claim claim_bound_only(const struct evidence *e);
struct claim claim_listeners(const struct evidence *e);
struct claim claim_fixed_port(const struct evidence *e);
