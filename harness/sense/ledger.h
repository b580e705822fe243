/* ledger.h - what the kernel has of each destination of the load, for the books: connections that are
 * live, and those on their way to the end.
 *
 * Input:     sockets as dump_run() brings them, of the client's end.
 * Output:    accounts of a tape, a destination each; behind them one of all others.
 * Ownership: borrows both; its own table is in the arena, sized once.
 */
#pragma once

#include "base/arena.h"
#include "sys/sockets.h"
#include "tape/tape.h"

struct destination {
	struct address address;
	uint16_t port;
	bool datagrams; /* of UDP */
};

struct ledger {
	const struct destination *list;
	uint32_t count;
	uint32_t *places; /* a destination's index and 1; 0: free */
	uint32_t mask;	  /* places - 1; places are a power of two */
	struct account *accounts;
};

/* With an account more than there are destinations. False: no room. */
bool ledger_open(struct ledger *l, const struct destination *list, uint32_t count,
		 struct account *accounts, struct arena *arena);
void ledger_clear(struct ledger *l);
void ledger_add(struct ledger *l, const struct socket_seen *seen);
