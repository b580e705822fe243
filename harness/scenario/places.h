/* places.h - where a scenario's addresses can be: of its family, and of its topology.
 *
 * Errors: what is wrong in the base too, at the same place, is said once.
 */
#pragma once

#include "scenario/keys.h"

/* Why no connection of a lab can come from it or go to it, as a hint; NULL: it can be a host's. */
const char *places_nobodys(struct address a);

void places_check(const struct reading *r, const struct scenario *s, const struct scenario *base);
