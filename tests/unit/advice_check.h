/* advice_check.h - holds what a cause advises against what is known to do harm, or nothing. */
#pragma once

#include "judge/judge.h"

/* Fails the test for each line of advice that recommends it; and where one of the texts is missing. */
void advice_check(const struct finding *f);
void advice_check_lines(enum cause cause, const struct line_list *lines);

/* The list has so many items, and each has words that are looked for. */
enum { ADVICE_ITEMS = 18 };
bool advice_warns_of(int item);
