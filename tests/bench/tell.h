/* tell.h - what a benchmark came to, as lines of a table and as JSON.
 *
 * Output: the table on stdout, a line a figure as soon as it is known.
 */
#pragma once

#include <jansson.h>

#include "contest.h"

json_t *tell_machine(int rounds); /* what the figures are of */
void tell_head(int rounds);
void tell_contest(const struct contest *contest, const struct round *rounds, int n, json_t *all);
