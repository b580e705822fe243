/* floor.h - the simplest program that does the same: one thread, blocking calls, in C.
 *
 * It is what the driver is held against: the same number of connections, in the same kind of
 * network, to the same far end. What it has more of is only what any program must have.
 *
 * Units:  connections.
 * Errors: false where a call failed; errno says why.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sys/endpoint.h"

/* FLOOR_DISCONNECT: one socket, and connect(AF_UNSPEC) between its connections. */
enum floor_end { NO_FLOOR, FLOOR_RESET, FLOOR_CLOSE, FLOOR_HOLD, FLOOR_DISCONNECT };

struct floor_wish {
	struct endpoint to;
	enum floor_end end;
	uint32_t count;
	uint32_t window; /* IP_LOCAL_PORT_RANGE: lo | hi << 16; 0: not set */
};

/* What it took: those that are held are closed when all are open, and that is not in it. */
struct floor_took {
	int64_t time_ns, cpu_ns;
};

bool floor_run(const struct floor_wish *wish, struct floor_took *out);

/* Opens those that are held, for as long as the process lives: the CPU that it took, or -1. */
int64_t floor_hold(const struct floor_wish *wish);
