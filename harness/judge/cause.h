/* cause.h - why connects failed: a rule for each line of words/causes.def.
 *
 * Input:     a tape, its measures and its plan: what was done, what was seen, what could be
 *            had.
 * Output:    the causes that hold, the one that explains most failures first, with what to
 *            change and what will not help.
 * Ownership: texts are in the arena.
 * Source:    the ports that a state holds, and for how long: net/ipv4/tcp_minisocks.c,
 *            tcp_time_wait(); what tcp_tw_reuse reuses: net/ipv4/tcp_ipv4.c, tcp_twsk_unique().
 */
#pragma once

#include "judge/judge.h"

void causes_find(struct verdict *out, const struct plan *plan, const struct tape *tape,
		 const struct measures *m, struct arena *);
