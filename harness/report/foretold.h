/* foretold.h - what was predicted beside what was observed, as people read it and as JSON has it.
 *
 * Source: words/predictions.def says what they are; results/README.md documents the JSON.
 */
#pragma once

#include <jansson.h>

#include "report/node.h"
#include "report/result.h"

void block_broken(struct out *out, const struct result_run *run);   /* each that does not hold */
void block_foretold(struct out *out, const struct result_run *run); /* all of them, for -v */

/* "; 5 of 6 predictions hold"; nothing, if nothing was predicted or the run came to none. */
void foretold_tally(struct out *to, const struct result_run *run);

json_t *foretold_json(const struct measures *m, bool *ok);
bool foretold_load(const struct node *up, struct measures *out);
