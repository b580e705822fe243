/* words.h - the words of result.json that are nobody else's. */
#pragma once

#include "words/words.h"

const char *kind_word(enum measure_kind kind); /* "count", "share", "time", "rate", "flag" */
int kind_find(struct text word);	       /* or -1 */
