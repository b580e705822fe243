/* schema_kind.h - what a key takes, by its kind, as the inside of an object of JSON Schema.
 *
 * Input:  keys.def's bounds: what is written within them, in any unit, and nothing else.
 * Errors: none; of a kind that has no row, its shape.
 */
#pragma once

#include "base/out.h"
#include "scenario/keys.h"

void schema_kind(struct out *out, const struct key *key);
bool schema_kind_is_known(const struct kind *kind); /* it has a row */

/* The definition that rows with a range of ports refer to. */
void schema_ordered(struct out *out);

void schema_string(struct out *out, const char *z); /* in quotes, escaped */
