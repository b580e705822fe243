/* recorded.h - the tapes of real runs in tests/data/tapes (scripts/record-tapes.sh): what each is of, and what else
 * is told of it.
 */
#pragma once

#include <stddef.h>

#include "words/words.h"

enum { TOO_MOST = 2 };

/* A class that is the same on a tape as another is told as that one. */
struct recorded {
	const char *tape;
	enum cause first, too[TOO_MOST]; /* all that is told, in this order */
};

extern const struct recorded tapes[];
extern const size_t tape_count;

/* Why there is no tape of a cause; NULL: there is one. */
const char *why_unmade(enum cause cause);
