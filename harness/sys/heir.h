/* heir.h - another process that keeps descriptors open: what a child has inherited.
 *
 * An heir takes a copy of each descriptor that it is given, closes none, and does nothing else.
 *
 * Ownership: heir_stop() ends it, and with it what it holds.
 * Errors:    ERR_SYS; of a gift, an errno value: EMFILE where the heir's table is full.
 * Threads:   any; one at a time an heir.
 */
#pragma once

#include "sys/child.h"

struct heir {
	struct child child;
};

bool heir_start(struct heir *out, struct err *err);

/* 0 once it has a copy of its own: its descriptor *its. */
int heir_give(const struct heir *heir, int fd, int *its);
void heir_stop(struct heir *heir);
