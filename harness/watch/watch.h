/* watch.h - somebody else's load: looks at the sockets of the namespace we are in, per
 * destination against what its ports can carry, and who holds them. Read only.
 *
 * Input:     the host's range and reserved ports; the kernel's socket table (TCP, IPv4 and IPv6), or
 *            of it what goes to one destination;
 *            everybody's descriptors, as far as we may see them.
 * Output:    a row a source address and destination, the fullest first; and a sample, as a
 *            run's tape has them, whose dump_ns is the cost of the whole look.
 * Units:     ports and sockets are counted.
 * Ownership: all is in the arena of watch_open(), and made anew by each look; who had a
 *            connection is remembered from one to the next.
 * Errors:    ERR_SYS where the kernel gives no dump. A torn dump is marked in the sample.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "host/host.h"
#include "sense/holders.h"

struct watch {
	struct port_range range;
	bool from_proc; /* there is no sock_diag */
	struct remote to;
	bool to_one;	 /* `to` alone: the kernel leaves out connections to anywhere else */
	uint32_t usable; /* of the range, less what is reserved, listened on, or bound alone */
	struct usage *rows;
	uint32_t count, most;
	uint32_t more; /* destinations that are less full */
	struct sample sample;
	struct census *census;
	struct holders *holders;
};

/* To tell of the fullest `most` destinations; or, where `to` is not NULL, of that one. */
bool watch_open(struct watch *out, const struct host *host, const struct remote *to, uint32_t most,
		struct arena *, struct err *);
bool watch_look(struct watch *w, struct err *);

/* How long to leave the kernel alone, so that looking takes at most 2 % of a core. */
int64_t watch_pause_ns(const struct watch *w);
