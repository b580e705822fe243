/* say.h - quantities as words.
 *
 * Ownership: texts are in the arena.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "words/words.h"

const char *say_count(struct arena *a, uint64_t n);
const char *say_number_of(struct arena *a, uint64_t n, const char *one,
			  const char *many); /* "1 port", "28,232 ports" */
const char *say_either(uint64_t n, const char *one, const char *many);
const char *say_time(struct arena *a, int64_t ns);
const char *say_rate(struct arena *a, double per_s);
const char *say_measure(struct arena *a, enum measure_kind kind, double n);
const char *say_times(struct arena *a, double ratio); /* "2.3 times", "2,016 times" */
