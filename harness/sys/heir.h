/* heir.h - another process that keeps descriptors open: what a child has inherited.
 *
 * An heir takes a copy of each descriptor that it is given, closes none, and does nothing else.
 * It ends with the process that made it, whatever ends that: it reads the end of a socket then.
 *
 * Ownership: heir_stop() ends it, and with it what it holds.
 * Errors:    ERR_SYS; of a gift, an errno value: EMFILE where the heir's table is full.
 * Threads:   any; one at a time an heir. It has no capabilities.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct heir {
	pid_t pid;
	int fd;
};

bool heir_start(struct heir *out, struct err *err);

/* 0 once it has a copy of its own. */
int heir_give(const struct heir *heir, int fd);
void heir_stop(struct heir *heir);
