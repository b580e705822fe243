/* gate_topic.h - what a line of `expect` is about, and what there is to say of that.
 *
 * Ownership: texts are in the evidence's arena.
 */
#pragma once

#include "judge/evidence.h"

struct gate_topic {
	const char *(*say)(const struct evidence *); /* with the arithmetic filled in */
	bool has_cause; /* where a cause has been told, that says it already */
	const char *attempt;
};

extern const struct gate_topic gate_topics[TOPICS];

/* "the ports did not run out": of a line about what has no figure. */
const char *gate_why_no_data(const struct evidence *e, enum measure what);
