/* plan_help.h - scenarios and hosts for the tests of plan/.
 *
 * Ownership: everything is in the arena; help_arena() opens one, and the test closes it.
 */
#pragma once

#include "host/host.h"
#include "plan/plan.h"

struct arena help_arena(void);

/* The scenario that these lines, below version and name, make; a mistake in them fails the test
 * and gives defaults. */
const struct scenario *help_scenario(const char *lines, struct arena *arena);

/* A host on which everything works. */
struct host help_host(void);

/* The plan of these lines, on that host, or on this one (NULL); what cannot be planned fails the
 * test. */
struct plan help_plan(const char *lines, const struct host *host, uint64_t seed,
		      struct arena *arena);
