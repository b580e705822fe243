/* unit_pattern.h - what a quantity within bounds can be written as: a regular expression.
 *
 * Input:  a table of units (base/unit_table.h) and bounds in the smallest of them, both included.
 * Output: the inside of an expression, without ^ and $: alternatives of digits, classes and
 *         counts, with neither look-ahead nor back reference, nor a byte that JSON escapes. It
 *         takes what unit_read() takes, and of that what is within the bounds.
 * Errors: none. Bounds that no text of the units is within give nothing.
 */
#pragma once

#include "base/out.h"
#include "base/unit_table.h"

void unit_pattern(struct out *out, const struct unit *units, uint64_t lowest, uint64_t highest);

/* The same of shares, from 0 to 1. */
void unit_pattern_share(struct out *out, double lowest, double highest);
