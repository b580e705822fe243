/* look.h - a look at somebody else's load, to a reader: the range, what cannot be known, and the fullest
 * destinations; how fast they fill, what fills them, and what to do.
 *
 * Input:  tape/look.h; lessons of words/causes.def, and the first advice that judge/ has for each.
 * Output: a block of lines; names of processes are escaped already.
 */
#pragma once

#include "base/out.h"
#include "tape/look.h"

void look_write(struct out *out, const struct look *l);

/* What is new of it where no look was due: its totals. */
void look_write_totals(struct out *out, const struct look *l);

/* The same for a program: one line of JSON. False: no memory. Source: results/README.md. */
bool look_write_json(struct out *out, const struct look *l);

/* What to do about what fills a destination, in a line; NULL: nothing is told. */
const char *look_advice(enum cause cause);
