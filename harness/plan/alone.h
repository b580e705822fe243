/* alone.h - a scenario as one of its loads has it.
 *
 * What is said of a load is asked of a scenario whose `load` it is (plan/life.h). Its far end is the one
 * that its connections meet: one that closes first once it has answered (behaviour: close) waits for a
 * request wherever any load sends one, and so a load that sends none has to close first itself.
 *
 * Errors: none; pure.
 */
#pragma once

#include "scenario/scenario.h"

struct scenario alone_of(const struct scenario *s, const struct load *load);

/* Does any load of the protocol send anything? A request that is none, of a pool, the far end never sees. */
bool alone_asks(const struct scenario *s, enum protocol protocol);
