/* ports.h - what the ports can carry, by the plan: `plan` of a run in result.json.
 *
 * Source: results/README.md documents the JSON.
 */
#pragma once

#include <jansson.h>

#include "report/node.h"
#include "report/result.h"

json_t *ports_json(const struct result_run *run, bool *ok);
bool ports_load(const struct node *up, struct result_run *out);
