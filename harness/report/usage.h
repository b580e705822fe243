/* usage.h - how the ports towards one destination are used, in words.
 *
 * Output: a part of a line, behind what is in `to`. Names of processes are escaped already; all
 *         else is lastport's own.
 */
#pragma once

#include "base/out.h"
#include "base/unit.h"
#include "tape/tape.h"

/* A share in a column of 7 or 8 places: "12.3 %", "< 0.1 %". */
const char *usage_share(char text[UNIT_PRINTED], double share);

void usage_way(struct out *to,
	       const struct usage *u); /* "10.0.0.1 -> 10.0.0.2:443", "… -> all, udp" */

/* "12 TIME_WAIT, 4 ESTABLISHED"; when ports that are in TIME_WAIT come free; and how many are none of the
 * range. */
void usage_states(struct out *to, const struct usage *u);

/* "; bind() took 20 more, which connect() passes by", of whose kind the kernel does not tell, "seems to
 * have taken"; nothing where there are none. */
void usage_elsewhere(struct out *to, const struct usage *u);

/* "; 12 of nginx (pid 4711), 3 whose process is not known"; nothing where nobody looked. */
void usage_holders(struct out *to, const struct usage *u);

/* Behind that: ": likely nginx as well, …"; nothing where there is no one to guess at. */
void usage_likely(struct out *to, const struct usage *u);
bool usage_is_ours(const struct usage *u); /* all of it: there is nobody to name */
