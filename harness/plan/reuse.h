/* reuse.h - how many ports are in use where a connect may take one out of TIME_WAIT
 * (net.ipv4.tcp_tw_reuse): each is until it is taken again, or TIME_WAIT is over.
 *
 * connect() walks over ports of one parity, from behind the one that it took last, and takes the first that
 * it may: so it comes to all of these before it comes to the same again, and to those of the other parity
 * only where none of them may be taken.
 *
 * Input:  the plan of one load, whose forecast is made; `rate`, at which connections begin, and how many are
 *         begun in all.
 * Units:  ports of one space; connections a second.
 * Errors: none; pure.
 * Source: __inet_hash_connect(), net/ipv4/inet_hashtables.c.
 */
#pragma once

#include "plan/plan.h"

/* Is it a load of which that can be told: one that goes on evenly, and leaks nothing? */
bool reuse_is_told(const struct plan *p);

/* At the fullest: between two bounds. */
struct guess reuse_used(const struct plan *p, double rate, double begun);
