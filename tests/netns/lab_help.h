/* lab_help.h - labs for tests, and places to try things in.
 *
 * No test may stay in another namespace than it began in, nor lose its rights: what is to
 * happen in a lab happens in a thread of its own, and what is to happen as another user, in a
 * child.
 */
#pragma once

#include "../unit/runner.h"

#include <sys/types.h>

#include "lab/lab.h"

/* First of all, in a process of one thread: reads the host, and gets the rights to make
 * networks. */
void help_begin(void);
const struct host *help_host(void);

/* For TEST_UNLESS: NULL, or what this machine forbids. */
const char *help_no_network(void);
const char *help_no_hash(void);
const char *help_no_userns(void);
const char *help_no_lending(void); /* of a ring's sockets: see ring_lend() */
const char *help_no_gateway(void);

/* A lab for the scenario that these lines make, below version and name. */
struct help {
	struct arena arena;
	struct plan plan;
	struct lab lab;
	struct err err;
};
bool help_plan(struct help *h, const char *lines); /* no lab yet */
bool help_plan_by(struct help *h, const char *lines, uint32_t workers);
bool help_open(struct help *h,
	       const char *lines); /* a failure to build is the test's to judge: see h->err */
void help_close(struct help *h);

/* Calls `work` in a thread that has entered the lab; false if it cannot enter. */
bool help_inside(struct help *h, enum lab_role role, void (*work)(struct help *, void *),
		 void *context);

/* The same with the right to change the lab's network, and no other. */
bool help_inside_admin(struct help *h, enum lab_role role, void (*work)(struct help *, void *),
		       void *context);

/* Calls `work` in a child; its status, or -1 if it died. */
int help_child(int (*work)(void));

int help_listen(const struct plan *p); /* on every address; or -1 */

/* A connection from `source` (NULL: any), or -errno. */
int help_connection(enum family family, const struct address *source, struct address to,
		    uint16_t port);

/* A client's connect to every destination of the plan, the far end listening; the first errno
 * value that is not 0. */
int help_cross(struct help *h, const struct address *source);

ino_t help_namespace(void); /* the network namespace of this thread */
unsigned help_descriptors(void);
unsigned help_names(const char *path); /* in a directory; 0 where there is none */

/* What a file holds, cut to the room; empty if it cannot be read. */
struct text help_file(const char *path, char *buffer, size_t room);

/* The value of a line of /proc/thread-self/status. */
struct text help_status(const char *name, char *buffer, size_t room);
