/* late.h - was the load the one that was asked for? Pure. */
#pragma once

#include "judge/judge.h"

/* One connection of a hundred that were due, or more, was never begun. */
bool late_is_short(const struct measures *m);

/* Else: one was begun a second after it was due, or more, and a tenth of the run. */
bool late_is_behind(const struct measures *m);

/* Of a closed loop: it took twice as long as by its own arithmetic, or longer, and a second more. */
bool late_is_slow(const struct measures *m);

/* Any of them: the load was lighter than was asked for. */
bool late_is_lighter(const struct measures *m);
