/* load.h - result_load() in its parts: the document, and a run of it.
 *
 * Ownership, Errors: as report/node.h has them.
 */
#pragma once

#include "report/node.h"
#include "report/result.h"

static const uint64_t count_most = UINT64_C(1) << 53; /* what doubles count one by one */

/* As nanoseconds 104 days: what doubles count one by one. */
static const double seconds_most = 9e6;
static const double rate_most = 1e12;

bool load_seconds(const struct node *n, double *ns);
bool load_verdict(const struct node *up, enum verdict_word *out);
bool load_run(const struct node *n, struct result_run *out);
