/* plan.h - a scenario's plan for this machine, to be told and not to be run. */
#pragma once

#include "report/plan.h"

/* What this machine cannot give is in out->err, and no failure; what cannot be is: ERR_SCENARIO. */
bool planned_make(struct planned *out, const struct scenario *s, const struct host *host,
		  uint64_t seed, struct arena *, struct err *);
