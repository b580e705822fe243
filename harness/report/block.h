/* block.h - what the summary says of one run: what its ports and connects did, what was
 * expected, why, what to do. block_ports.c and block.c tell what happened, block_verdict.c what that
 * comes to.
 *
 * Input:  a run; a line is left out where there is nothing to tell.
 * Output: whole lines, at most PAGE_WIDTH wide but where a word is wider.
 */
#pragma once

#include "base/unit.h"
#include "report/result.h"

void block_ports(struct out *out, const struct result_run *run);
void block_gateway(struct out *out, const struct result_run *run);
void block_accelerated(struct out *out, const struct result_run *run);
void block_server(struct out *out, const struct result_run *run);
void block_requests(struct out *out, const struct result_run *run); /* of a load that makes some */
void block_connects(struct out *out, const struct result_run *run);
void block_prediction(struct out *out, const struct result_run *run);
void block_outlook(struct out *out,
		   const struct result_run *run); /* where a longer run had run out */
void block_overflow(struct out *out,
		    const struct result_run *run); /* where TIME_WAIT was left out */
void block_expectations(struct out *out, const struct result_run *run);
void block_causes(struct out *out, const struct result_run *run);
void block_details(struct out *out,
		   const struct result_run *run); /* sysctls and counters, for -v */

/* A measure as people read it: "28,232", "0.61 s", "true"; "no data". */
const char *block_value(char text[UNIT_PRINTED], enum measure_kind kind, struct value v);

void block_measure(struct out *to, const struct result_run *run, enum measure what);

/* Figures of a run; a measure that is absent is 0 or false. */
struct value run_value(const struct result_run *run, enum measure what);
uint64_t run_count(const struct result_run *run, enum measure what);
bool run_flag(const struct result_run *run, enum measure what);

/* How many times shorter TIME_WAIT was than the kernel's own: "10"; only where it was. */
const char *run_acceleration(const struct result_run *run, char text[UNIT_PRINTED]);

/* Something ended it before its load was done: what it did not get to is no finding. */
bool run_ended_early(const struct result_run *run);

/* It did not run out of ports, but would have, had it gone on as it was: after so long; 0: not so. */
int64_t run_falls_short(const struct result_run *run);
