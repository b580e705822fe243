/* gate.h - lines of `expect` that failed, and what about them no other cause has told. Pure.
 */
#pragma once

#include "judge/judge.h"

/* Does a line fail that allows no more sockets, or ports in use, than there were? Who holds them is the
 * reason, before any connect fails. */
bool gate_fills(const struct verdict *v, const struct plan *plan);
