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

#include <signal.h>

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
	/* Of those, ports in use towards whatever destination: bind() to port 0 has none of them, and
	 * connect() passes over those that a bind() gave. */
	uint32_t anywhere;
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

/* Looks again and again for so long, or until it is to stop: who has a connection that is gone by the
 * end is then known. */
bool watch_follow(struct watch *w, int64_t for_ns, const volatile sig_atomic_t *stop, struct err *);

/* Whoever binds first is near to having no port, though no destination is as full as that. */
bool watch_starves_binds(const struct watch *w);

/* How long to leave the kernel alone, so that looking takes at most 2 % of a core. */
int64_t watch_pause_ns(const struct watch *w);
