/* watch.h - somebody else's load: looks at the sockets of the namespace we are in, per
 * destination against what its ports can carry, who holds them, and how fast they fill. Read only.
 *
 * Input:     the host's range and reserved ports; the kernel's socket table (TCP, IPv4 and IPv6), or
 *            of it what goes to one destination; its count of connections;
 *            everybody's descriptors, as far as we may see them.
 * Output:    a row a source address and destination, the fullest first; and a sample, as a
 *            run's tape has them, whose dump_ns is the cost of the whole look.
 * Units:     ports and sockets are counted; times are nanoseconds since the first look.
 * Ownership: all is in the arena of watch_open(), and made anew by each look; who had a
 *            connection is remembered from one to the next. watch_close() gives back a descriptor.
 * Errors:    ERR_SYS where the kernel gives no dump. A torn dump is marked in the sample.
 */
#pragma once

#include <signal.h>

#include "base/arena.h"
#include "base/err.h"
#include "host/host.h"
#include "sense/holders.h"
#include "sys/counters.h"
#include "sys/kin.h"
#include "tape/look.h"
#include "watch/trend.h"

struct watch_wish {
	const struct host *host; /* of the namespace that we are in */
	const struct remote
		*to;   /* one destination alone: the kernel leaves out all else; NULL: all */
	uint32_t most; /* destinations to tell of, the fullest */
	int32_t pid;   /* those alone that it and its children have ports to; 0: whoever has them */
};

/* Connections of the whole namespace, by the second. */
enum { COUNTS_KEPT = 12 };

struct opens_count {
	int64_t at_ns;
	uint64_t opened;
	bool known;
};

struct watch {
	struct watch_wish wish;
	struct remote to;
	struct look look; /* what the last one saw */
	struct usage *usages;
	struct look_row *rows;
	struct census *census;
	struct holders *holders;
	struct kin *kin; /* NULL: whoever has them */
	struct trend *trend;
	struct proc_door proc;
	struct opens_count counts[COUNTS_KEPT];
	uint64_t opened; /* ActiveOpens, as read now */
	int newest;	 /* of the counts */
	int64_t first_ns;
	int64_t due_ns;		/* the next look, not before; */
	int64_t owners_due_ns;	/* nor the next at who has which descriptor, */
	int64_t owners_ns;	/* the last of which was then, since the first look, */
	int64_t owners_cost_ns; /* and took so long, */
	int64_t cost_ns;	/* and all else of the last look */
	int64_t owed_ns;	/* of the first look's pause, what has not been kept yet */
	uint64_t looks;
};

bool watch_open(struct watch *out, const struct watch_wish *wish, struct arena *, struct err *);
void watch_close(struct watch *w);
bool watch_look(struct watch *w, struct err *); /* at everything */

/* Looks again and again for so long, or until it is to stop: who has a connection that is gone by
 * the end is then known, if it was there when owners were last looked at. Where no look was due in
 * that time, there are totals at its end. */
bool watch_follow(struct watch *w, int64_t for_ns, const volatile sig_atomic_t *stop, struct err *);

/* How long to leave the kernel alone after a look, so that looking takes 2 % of a core on
 * average: what a look costs is known once it has. */
int64_t watch_pause_ns(const struct watch *w);
