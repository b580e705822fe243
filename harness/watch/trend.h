/* trend.h - how fast connections come and go towards each destination, and what that comes to.
 *
 * A connection is a new one in the first look that has its cookie: what was opened and reset between two
 * looks is not seen. How many are closed a second is in the table itself, by how long each in TIME_WAIT
 * has still; and so is what comes back when.
 *
 * Input:     the sockets that a census has counted, which it keeps with their cookies.
 * Output:    rows of a look (tape/look.h): all but who has them, and why.
 * Units:     nanoseconds since the first look, or from now on; rates are per second.
 * Ownership: tables in the arena, sized once. Of destinations that come when there is no room for more no
 *            rate is known, and how many these are is told; those that went make room.
 */
#pragma once

#include "host/waits.h"
#include "sense/census.h"
#include "tape/look.h"

struct trend {
	struct trail *trails, *others; /* of a destination each; and where they go to be fewer */
	uint64_t *cookies, *before;    /* of this look, and of the last: sets, 0: free */
	struct queue_of_ports *queues; /* a row of the look each */
	uint32_t most;
	uint32_t mask, mask_before, trail_count;
	uint32_t lost;		    /* destinations of this look that no rate is known of */
	int64_t last_ns, before_ns; /* when that was, and the one before; below 0: there was none */
	struct waits waits;
};

bool trend_open(struct trend *t, uint32_t most, const struct waits *waits,
		struct arena *arena); /* of so many rows; false: no room */
void trend_look(struct trend *t, const struct census *c, int64_t now_ns);

/* Of those that census_tell() gave last: rows[i].usage is there. */
void trend_tell(struct trend *t, const struct census *c, struct look_row *rows, uint32_t n,
		int64_t now_ns);

/* Until `usable` ports are in use, by the second: FULL_NEVER, or below 0 where it cannot be told. live: not
 * in TIME_WAIT, and more by `grows` each second; waiting[i]: in TIME_WAIT for i to i+1 seconds still, to
 * which `closes` are added each second for `life` seconds. */
enum { WAIT_SECONDS = 64 };
int64_t trend_full(uint32_t usable, double live, double grows, double closes,
		   const uint32_t waiting[WAIT_SECONDS], uint32_t life);
