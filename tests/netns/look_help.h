/* look_help.h - sockets of the driver that are looked at while they live, for the tests on the real kernel.
 *
 * Ownership: what look_open() has set up look_close() ends, and closes `fd`.
 * Errors: CUnit's: what a test cannot do without ends it.
 */
#pragma once

#include <signal.h>

#include "drive/work.h"
#include "drive_help.h"

/* One of the load's sockets, alive still when it is looked at. */
struct look {
	struct help h;
	struct tape tape;
	struct pulse pulse;
	volatile sig_atomic_t interrupted;
	int fd;
	bool ok;
};

const char *look_none(void); /* why no socket of a ring can be looked at here; NULL: they can */

void look_open(struct look *l, const char *lines);
void look_drive(struct look *l); /* the load; the first of its sockets is l->fd */
void look_close(struct look *l);

/* Of the k-th connection, where one comes after the other and all are leaked: each keeps the slot that
 * it had. -1: it cannot be had. */
int look_lend(const struct worker *w, uint32_t k);

int look_number(int fd, int level, int name); /* what getsockopt() says, or -errno */
