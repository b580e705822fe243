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

#include "base/address.h"
#include "base/arena.h"
#include "base/err.h"
#include "host/host.h"
#include "tape/tape.h"

struct watch_row {
	struct address local, remote;
	uint16_t remote_port;
	uint32_t used; /* ports of the range that this way holds, TIME_WAIT included */
};

struct watch {
	struct port_range range;
	uint32_t usable; /* of the range, less what is reserved */
	struct watch_row *rows;
	size_t count;
	struct sample sample;
};

bool watch_once(struct watch *out, const struct host *host, struct arena *, struct err *);

/* Ports of the range that a list such as "40000-40003,40010" names, as ip_local_reserved_ports
 * is printed; what is no number ends it. The list need not be sorted, but names no port twice. */
uint32_t watch_reserved(struct text list, struct port_range range);
