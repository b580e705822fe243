/* score.h - what a hunt has found: of a case, each in a line of its own; and of all together.
 *
 * Ownership: score_told() ends what it holds.
 * Errors:    none.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "slot.h"

/* What is said of counts is for sure; of times it is likely: they are the machine's. */
enum word { WORD_SURE, WORD_LIKELY, WORDS };

enum fate { FATE_HELD, FATE_BROKEN, FATE_NOT_REACHED, FATE_NOT_TOLD, FATES };

struct score {
	uint64_t passed, failed, skipped;
	uint64_t runs; /* that were held against their plans */
	uint64_t predictions[WORDS][FATES];
	json_t *reasons; /* why something cannot be told, or was not run: how often */
};

/* Of the case in the slot. */
struct trouble {
	const struct slot *slot;
	unsigned sure, likely; /* falsehoods that were found; whatever is no prediction's is sure */
};

/* Says so, after the case's seed. */
void found(struct trouble *, enum word, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

void score_reason(struct score *, const char *why, const char *of);
void score_case(struct score *, const struct trouble *);
void score_told(struct score *);
