/* census.h - counts the sockets of one dump: by state, and by source address and destination.
 *
 * Ownership: the table is in the arena, sized once: for the pairs that are expected, or 24,576.
 * Errors:    a dump with more pairs than fit is marked torn: its used_max is a lower bound.
 */
#pragma once

#include "base/arena.h"
#include "sys/sockets.h"
#include "tape/tape.h"

struct census_row {
	struct address local, remote;
	uint16_t remote_port;
	bool datagrams; /* of UDP: towards everybody */
	uint32_t used;	/* 0: a free row */
};

struct census {
	struct census_row *rows;
	uint32_t mask; /* rows - 1; rows are a power of two */
	uint32_t taken;
	uint64_t states[STATES];
	uint64_t used_max;
	bool full;
	bool together; /* set it before the first: a port is one towards all destinations */
};

bool census_open(struct census *c, uint32_t pairs, struct arena *arena); /* false: no room */
void census_clear(struct census *c);
void census_add(struct census *c, const struct socket_seen *seen);

/* No socket is on its way from one state to another. FIN_WAIT2 is, unless the far end never
 * closes. */
bool census_at_rest(const struct census *c, bool half_closed_rests);
