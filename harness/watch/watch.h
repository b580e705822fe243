/* watch.h - somebody else's load: one look at the sockets of the namespace we are in, per
 * destination against what its ports can carry. Read only.
 *
 * Input:     the host's range and reserved ports; the kernel's socket table (TCP, IPv4 and IPv6).
 * Output:    a row a source address and destination, the fullest first; and a sample, as a
 *            run's tape has them.
 * Units:     ports and sockets are counted.
 * Ownership: rows are in the arena.
 * Errors:    ERR_SYS where the kernel gives no dump. A torn dump is marked in the sample.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "host/host.h"
#include "tape/tape.h"

struct watch {
	struct port_range range;
	uint32_t usable; /* of the range, less what is reserved, listened on, or bound alone */
	struct usage *rows;
	size_t count;
	uint32_t more; /* destinations that are less full */
	struct sample sample;
};

/* With the fullest `most` destinations. */
bool watch_once(struct watch *out, const struct host *host, uint32_t most, struct arena *,
		struct err *);
