/* reference.h - figures that were kept, and how those of today compare.
 *
 * Input:  a file that bench --json wrote.
 * Errors: a file that cannot be read, or is none of bench's, is told with its line; figures that
 *         it lacks are NOT_KEPT.
 */
#pragma once

#include <jansson.h>

#include "figure.h"

enum standing { NOT_KEPT, AS_KEPT, FELL, ROSE };

/* What was kept of one figure. */
struct kept {
	double value, spread;
};

/* Fell or rose by more than the noise: that of today, that of then, and what the figure's medians
 * differ by anyway, whichever is most. */
enum standing standing_of(const struct figure *f, const struct telling *now,
			  const struct kept *kept);
const char *standing_mark(enum standing standing); /* "fell", "rose", "" */

/* NULL: `why` has the reason. */
json_t *reference_load(const char *file, char *why, size_t room);

/* False: it has none of it. `reference` may be NULL. */
bool reference_find(const json_t *reference, const char *contest, const struct figure *f,
		    struct kept *out);
