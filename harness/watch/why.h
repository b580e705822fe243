/* why.h - what fills the ports towards a destination, as far as a look shows: a cause of words/causes.def.
 *
 * Input:  a row of a look, its rates told. A socket's state says what became of it; who is to blame for
 *         that, and whether it is meant to be so, no look says.
 * Errors: none; pure. CAUSE_NO_DATA: there is nothing to be told.
 */
#pragma once

#include "tape/look.h"

enum cause look_cause(const struct look_row *row);

/* Connections that are open may be in use or forgotten: only whether some are closed in time tells. 0: it
 * does. */
enum cause look_maybe(const struct look_row *row);
