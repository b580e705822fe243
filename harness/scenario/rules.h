/* rules.h - what keys ask of each other: combinations that no run could make sense of. */
#pragma once

#include "scenario/keys.h"

/* One err for each rule that s breaks, at the later of the keys concerned; not for what `base`
 * broke in the same place already. base is NULL for the base itself. */
void rules_check(const struct reading *r, const struct scenario *s, const struct scenario *base);
