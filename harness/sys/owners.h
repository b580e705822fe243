/* owners.h - which process has a descriptor of a socket, and which.
 *
 * Input:  /proc/PID/fd, of the processes that we may look into: our own user's, or, as root,
 *         everybody's. A thread with descriptors of its own is not seen, nor is one that io_uring
 *         keeps in a table of its own.
 * Cost:   2 us a descriptor; at most OWNERS_LOOKS of them a scan, the rest of which is left out
 *         and told by `partial`.
 * Errors: none: what cannot be read has no owner.
 * Source: proc(5). A name of a process is its own choice: not to be trusted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

enum { OWNER_COMMAND = 16, OWNERS_LOOKS = 1 << 16, OWNERS_MOST = 1 << 16 /* sockets */ };

struct owner {
	int32_t pid;
	char command[OWNER_COMMAND]; /* as /proc/PID/comm has it */
};

struct owners {
	struct owner *processes;
	struct owned *table; /* inode -> process */
	uint32_t *list;	     /* which of its rows are taken */
	uint32_t count, looks, taken;
	bool partial;
};

bool owners_open(struct owners *o, struct arena *); /* false: no room */

/* Everybody's descriptors but this process's own. */
void owners_scan(struct owners *o);

/* In place of a scan, for descriptors that are known: begins anew, and is told of them. */
void owners_clear(struct owners *o);
void owners_note(struct owners *o, int32_t pid, uint32_t inode, int32_t fd);

/* The first process found that has it, and its descriptor; NULL: none. Valid until the next scan. */
const struct owner *owners_find(const struct owners *o, uint32_t inode, int32_t *fd);
