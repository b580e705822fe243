/* trend.h - how fast connections come and go towards each destination, and what that comes to.
 *
 * A connection is a new one in the first look that has its cookie: what was opened and reset between two
 * looks is not seen. How many are closed a second is in the table itself, by how long each in TIME_WAIT
 * has still; and so is what comes back when.
 *
 * Input:     the sockets that a census has counted, which it keeps with their cookies.
 * Output:    rows of a look (tape/look.h): all but who has them, and why.
 * Units:     nanoseconds since the first look, or from now on; rates are per second.
 * Ownership: tables in the arena, sized once. Of more destinations than there is room for no rate is
 *            known.
 */
#pragma once

#include "sense/census.h"
#include "tape/look.h"

struct trend {
	struct trail *trails;	       /* of a destination each */
	uint64_t *cookies, *before;    /* of this look, and of the last: sets, 0: free */
	struct queue_of_ports *queues; /* a row of the look each */
	uint32_t most;
	uint32_t mask, mask_before, trail_count;
	int64_t last_ns;		  /* when that was; below 0: there was none */
	bool reuses_all, reuses_loopback; /* net.ipv4.tcp_tw_reuse */
	int64_t reuse_ns;		  /* after so long */
};

/* Of so many rows; what tcp_tw_reuse and its delay in ms are. False: no room. */
bool trend_open(struct trend *t, uint32_t most, int64_t tw_reuse, int64_t delay_ms,
		struct arena *arena);
void trend_look(struct trend *t, const struct census *c, int64_t now_ns);

/* Of those that census_fullest() gave last: rows[i].usage is there. */
void trend_tell(struct trend *t, const struct census *c, struct look_row *rows, uint32_t n,
		int64_t now_ns);

/* Until `usable` ports are in use, by the second: FULL_NEVER, or below 0 where it cannot be told. live: not
 * in TIME_WAIT, and more by `grows` each second; waiting[i]: in TIME_WAIT for i to i+1 seconds still, to
 * which `closes` are added each second for `life` seconds. */
enum { WAIT_SECONDS = 64 };
int64_t trend_full(uint32_t usable, double live, double grows, double closes,
		   const uint32_t waiting[WAIT_SECONDS], uint32_t life);
