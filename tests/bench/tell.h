/* tell.h - what a benchmark came to, as lines of a table and as JSON, beside what was kept.
 *
 * Output: the table on stdout, a line a figure as soon as it is known.
 */
#pragma once

#include "contest.h"
#include "reference.h"

struct teller {
	json_t *reference; /* borrowed; NULL: there is none */
	json_t *figures;   /* an array: a row each */
	int broken;	   /* figures below their least, or that fell */
};

json_t *tell_machine(int rounds); /* what the figures are of */
void tell_head(const json_t *machine, const json_t *reference);
void tell_contest(struct teller *t, const struct contest *contest, const struct round *rounds,
		  int n);
void tell_missing(struct teller *t, const struct contest *contest);
