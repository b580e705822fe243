/* child.h - a child process that does one thing for its parent, as a message over a socket asks it
 * to.
 *
 * It has nothing of its parent's but its end of that socket: a ring or a pipe that it kept open
 * would outlive its owner. It has no capabilities, signals of the terminal are for its parent, and
 * it ends with that, whatever ends it: it reads the end of the socket then.
 *
 * Ownership: child_stop() ends it, and with it what it holds.
 * Errors:    ERR_SYS.
 * Threads:   any; one at a time a child.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct child {
	pid_t pid;
	int fd;
};

/* What it does with its end of the socket; once that returns it ends. */
struct child_work {
	const char *name; /* as ps shows it */
	void (*live)(int fd, const void *context);
	const void *context;
};

bool child_start(struct child *out, const struct child_work *work, struct err *err);
void child_stop(struct child *child);

/* A message, which may carry a descriptor (-1: none). False: nobody hears. */
bool child_send(int fd, const void *bytes, size_t len, int carried);

/* The next message of this length, and the descriptor that came with it; -1: none, *cut: there was no
 * room for it. False: there is none, and nobody to send one. */
bool child_receive(int fd, void *bytes, size_t len, int *carried, bool *cut);
