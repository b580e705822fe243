/* dice.h - words of a scenario, drawn.
 *
 * A choice is alternatives, parted by '|': "rate: #20-800/s|concurrency: #1-48". Of the one that
 * falls each #A-B is a number between these two, and each #A-B*K is K times such a number.
 *
 * Errors: none; what falls depends on the seed, the stream and what was drawn of it before alone.
 */
#pragma once

#include <stdint.h>

#include "base/out.h"

struct dice {
	uint64_t seed, stream, drawn;
};

uint64_t dice_below(struct dice *, uint64_t n); /* n is not 0 */
bool dice_percent(struct dice *, unsigned percent);
void dice_write(struct dice *, struct out *, const char *choice);
