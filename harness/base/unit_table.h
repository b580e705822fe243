/* unit_table.h - the units by name, for whoever has to say what a quantity can look like.
 *
 * Input:  a unit is worth `worth` of the smallest of its kind: a nanosecond, a byte, one, a
 *         millionth a minute. That of shares is what they are divided by.
 * Errors: none. A table ends in a unit without a name.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct unit {
	const char *name;
	uint64_t worth;
	unsigned decimals; /* at most, zeros at the end not counted: with all of them it is whole */
};

/* Largest first: a printer takes the first in which the value is whole. */
extern const struct unit unit_ones[], unit_counts[], unit_times[], unit_millis[], unit_seconds[],
	unit_rates[], unit_sizes[], unit_shares[];

/* In the smallest unit; up to 10^18. False, and *out as it was, for what is no such text. */
bool unit_read(struct text t, const struct unit *units, uint64_t *out);
