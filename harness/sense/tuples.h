/* tuples.h - tells sockets that have the very addresses and ports of another apart from the first
 * that has them.
 *
 * A connection of TCP has its four for itself. Sockets of UDP that share ports (SO_REUSEADDR,
 * SO_REUSEPORT) may have the same four, without an error: what comes is one's of them alone.
 *
 * Ownership: the table is in the arena, sized once.
 * Errors:    one with no room takes nothing more: tuples_add() is false, and `full` true.
 */
#pragma once

#include "base/arena.h"
#include "sys/sockets.h"

struct tuple;

struct tuples {
	struct tuple *rows;
	uint32_t mask; /* rows - 1; rows are a power of two */
	uint32_t taken;
	uint32_t age; /* of the rows that are taken: others are free */
	bool full;
};

bool tuples_open(struct tuples *t, uint32_t most, struct arena *arena); /* false: no room */
void tuples_clear(struct tuples *t);

/* Nobody had this socket's addresses and ports before. */
bool tuples_add(struct tuples *t, const struct socket_seen *s);
