/* gate.h - lines of `expect` that failed: by how much, on which side, and what about them no other cause
 * has told. Pure.
 *
 * Units: those of the measure's kind.
 */
#pragma once

#include "judge/judge.h"

enum miss {
	MISS_NONE, /* it holds; or it ended the run, and holds again */
	MISS_MORE, /* more was observed than it allows */
	MISS_LESS,
	MISS_SAME, /* just what it forbids (!=) */
	MISS_DATA, /* there was none */
};

enum miss gate_miss(const struct expectation *e, const struct judged *j);

/* Does a line fail that allows no more sockets, or ports in use, than there were? Who holds them is the
 * reason, before any connect fails. */
bool gate_fills(const struct verdict *v, const struct plan *plan);
