/* outlook.h - what the arithmetic says of a load beyond the run that was made of it.
 *
 * Input:  a plan; what was observed is not asked.
 * Units:  nanoseconds, counts.
 */
#pragma once

#include "plan/plan.h"

/* The settings that a port's time is reckoned with: those of the run; those of elsewhere, where
 * network.time_wait has no say; and with tcp_tw_reuse=1, and timestamps, besides. */
enum outlook { OUTLOOK_HERE, OUTLOOK_ELSEWHERE, OUTLOOK_REUSED };

/* How long a connection takes a port, on average over those that the loads open as they ask for them: so
 * that the ports by this are the rate that goes on for ever. Where nobody can tell, by the longest. */
int64_t outlook_life_ns(const struct plan *plan, enum outlook, struct arena scratch);

/* Is that an average, of connections that differ? */
bool outlook_is_mean(const struct plan *plan);

/* From one connection of a client to its next, or of a pool's requests, in a closed loop that hangs
 * on nothing else; 0: it is none, or that takes no time of its own. */
int64_t outlook_round_ns(const struct plan *plan);
