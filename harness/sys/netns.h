/* netns.h - network namespaces of the calling thread: make one, hold it by a descriptor, go
 * into it.
 *
 * A namespace made here has no name: it dies with its last descriptor, thread or socket.
 *
 * Ownership: the descriptor is the caller's to close.
 * Errors:    ERR_SYS; ERR_HOST, with what mends it, if a namespace may not be made.
 * Threads:   all of it is about the calling thread alone.
 * Source:    network_namespaces(7), namespaces(7).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

bool netns_make(struct err *err); /* and go into it */
int netns_open(struct err *err);  /* the one the thread is in, or -1 */
bool netns_enter(int fd, struct err *err);

/* Goes into one of somebody else's: that of a process; or one by the name that `ip netns` gave it, or,
 * with a slash, by the path of its file. ERR_USAGE: there is none; ERR_HOST: no right to go there. */
bool netns_join_process(int32_t pid, struct err *err);
bool netns_join(const char *name, struct err *err);
