/* maker.h - another process that makes sockets, and has each of them as a descriptor of its own:
 * what a program with an RLIMIT_NOFILE is to the kernel.
 *
 * The limit is that process's alone; in it three descriptors are in use as in any other, stdin, stdout
 * and stderr. Whoever asks gets a copy of the socket, which is none of the limit's. A connection ends
 * once both have closed it: the maker first.
 *
 * Ownership: maker_stop() ends it; the copies are the asker's.
 * Errors:    ERR_SYS: there is no such process, or no copy is to be had. What the kernel refuses to it is
 *            none: -errno, -EMFILE where the limit is reached.
 * Threads:   any; one at a time a maker.
 * Source:    alloc_fd(), fs/file.c: a descriptor's number is below RLIMIT_NOFILE, soft;
 *            too_many_unix_fds(), net/core/scm.c.
 */
#pragma once

#include <stdint.h>

#include "sys/child.h"

struct maker {
	struct child child;
};

/* As socket() takes them. */
struct maker_wish {
	int domain, type, protocol;
};

struct made {
	int fd;	    /* a copy of the socket, or -errno */
	int number; /* its descriptor there; 0: there is none */
};

/* In the network namespace of the calling thread. nofile is below the caller's own limit. True: the
 * limit holds. */
bool maker_start(struct maker *out, uint32_t nofile, struct err *err);

bool maker_socket(struct made *out, const struct maker *maker, const struct maker_wish *wish,
		  struct err *err);

/* Returns once it is closed there, as it is if that process is no more. */
void maker_close(const struct maker *maker, int number);
void maker_stop(struct maker *maker);
