/* latency.h - how long connects took, as people read it and as JSON has it.
 *
 * Source: tape/latency.h says what is in it; results/README.md documents the JSON.
 */
#pragma once

#include <jansson.h>

#include "report/node.h"
#include "report/result.h"

/* A connect takes longer from half full on, and by more than two medians differ by themselves. */
bool latency_has_cliff(const struct measures *);

void block_latency(struct out *out, const struct result_run *run); /* where connects were timed */
void block_latency_by_fill(struct out *out, const struct result_run *run); /* for -v */

json_t *json_latency(const struct latency *l, bool *ok);
bool load_latency(const struct node *up, struct result_run *out);
