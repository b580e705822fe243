/* gate_topic.h - what a line of `expect` is about, and what there is to say of that.
 *
 * Ownership: texts are in the evidence's arena.
 */
#pragma once

#include "judge/evidence.h"

enum gate_topic_kind {
	GATE_OTHER,
	GATE_REFUSAL,
	GATE_SOCKETS, /* that hold ports */
	GATE_PACE,
	GATE_LATENCY,
	GATE_REQUESTS,
	GATE_BOOKS,
	GATE_FORETOLD,
	GATE_ARITHMETIC,
	GATE_GATEWAY,
	GATE_TOPICS
};

struct gate_topic {
	const char *(*say)(const struct evidence *); /* with the arithmetic filled in */
	bool has_cause; /* where a cause has been told, that says it already */
	const char *attempt;
};

extern const struct gate_topic gate_topics[GATE_TOPICS];

enum gate_topic_kind gate_topic_of(enum measure what);

/* "the ports did not run out": of a line about what has no figure. */
const char *gate_why_no_data(const struct evidence *e, enum measure what);
