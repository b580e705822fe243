/* destinations.h - what a run's dumps said of each destination's ports: to a reader, and in
 * result.json.
 *
 * Input:  two dumps of a run: the fullest, and the last.
 * Output: whole lines, at most PAGE_WIDTH wide but where a word is wider.
 * Errors: as report/node.h has them; want of memory clears *ok.
 */
#pragma once

#include "report/node.h"
#include "report/result.h"

void destinations_of(struct result_run *out, const struct tape *tape, struct arena *);

void block_fullest(struct out *out, const struct result_run *run);	/* one line */
void block_destinations(struct out *out, const struct result_run *run); /* tables, for -v */

struct json_t *destinations_json(const struct result_run *run, bool *ok); /* NULL: no dump */
bool destinations_load(const struct node *up, struct result_run *out);
