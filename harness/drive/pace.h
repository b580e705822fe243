/* pace.h - when the next connection is due: pure arithmetic.
 *
 * An open model never waits for the far end: its connections are due as its shape says
 * (plan/shape.h), however the others fare. A closed one starts the next when one ends.
 *
 * Units: nanoseconds since the run began; the load may begin later.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "plan/shape.h"

struct pace {
	struct shape shape;   /* an open model's */
	uint64_t concurrency; /* closed loop: most connections under way */
	uint64_t total;	      /* 0: no bound */
	int64_t duration_ns;  /* 0: no bound */
	int64_t start_ns;     /* when the load begins */
};

bool pace_is_open(const struct pace *p);

/* How many connections should have been begun by now, `started` having been, and `under_way` of
 * them not ended. */
uint64_t pace_due(const struct pace *p, int64_t now_ns, uint64_t started, uint64_t under_way);

/* When the next is due in an open model, FOR_EVER if never; now in a closed one that has begun. */
int64_t pace_next_ns(const struct pace *p, int64_t now_ns, uint64_t started);

/* No more will be due, ever. */
bool pace_is_over(const struct pace *p, int64_t now_ns, uint64_t started);
