/* plan_help.h - scenarios and hosts for the tests of plan/.
 *
 * Ownership: everything is in the arena; help_arena() opens one, and the test closes it.
 */
#pragma once

#include "host/host.h"
#include "scenario/scenario.h"

struct arena help_arena(void);

/* The scenario that these lines, below version and name, make; a mistake in them fails the test
 * and gives defaults. */
const struct scenario *help_scenario(const char *lines, struct arena *arena);

/* A host on which everything works. */
struct host help_host(void);
