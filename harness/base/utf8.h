/* utf8.h - code points of text: is it UTF-8, may it reach a terminal, how wide is it there.
 *
 * Units: lengths are bytes, widths are columns of a terminal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* The first code point of a text that is not empty, and its length; -1 and 1 if it is broken. */
int32_t utf8_first(struct text t, size_t *len);

/* C0, DEL, C1; marks that turn the writing direction, join or hide; separators of lines;
 * noncharacters. */
bool utf8_is_hostile(int32_t point);

unsigned utf8_width(int32_t point); /* 0: it combines; 2: ideographs and emoji */
