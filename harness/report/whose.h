/* whose.h - of several loads that went to one destination, whose its ports are at the end: to a reader, and
 * in result.json.
 *
 * Input:  the measures of a run, judge/whose.h.
 * Errors: as report/node.h has them; want of memory clears *ok.
 */
#pragma once

#include "report/node.h"
#include "report/result.h"

/* A line a destination, the first few of them; all that are known if `all`. */
void block_whose(struct out *out, const struct result_run *run, bool all);

struct json_t *whose_json(const struct measures *m, bool *ok);
bool whose_load(const struct node *up, struct measures *out); /* needs the loads */
