/* book_help.h - a load, and its sockets as a dump of the test's own has them.
 *
 * Ownership: borrowed; who opens `d` closes it.
 */
#pragma once

#include <pthread.h>

#include "drive_help.h"
#include "judge/books.h"
#include "sys/sockets.h"

enum { SEEN_MOST = 64 };

struct book_scene {
	struct drive d;
	struct socket_seen seen[SEEN_MOST];
	unsigned count, states[STATES];
	unsigned want; /* so many are to be ended from outside, */
	int state;     /* of those in this state */
	bool ok;
	pthread_mutex_t lock;
};

/* For dump_run(), with the scene: all but who listens. */
void book_see(void *scene, const struct socket_seen *seen);

void book_look(struct book_scene *s);
void book_look_here(struct book_scene *s); /* by who is in the client's namespace */

/* Looks until there are so many in that state. */
void book_await(struct book_scene *s, int state, unsigned n);

/* All of them, of what the tape has by now; valid until the next call. */
const struct book *books_now(struct book_scene *s);
