/* conntrack.h - what the kernel's connection tracking counts, over ctnetlink.
 *
 * All of it is about the namespace the calling thread was in when the door was opened.
 *
 * Rights:    CAP_NET_ADMIN over that namespace, for each question anew: nfnetlink_rcv(),
 *            net/netfilter/nfnetlink.c.
 * Ownership: a door is closed by its _close; twice does no harm.
 * Errors:    ERR_SYS.
 * Source:    ctnetlink_stat_ct_cpu() and ctnetlink_stat_ct(),
 *            net/netfilter/nf_conntrack_netlink.c.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Since the namespace was made, of all processors together; `entries` is what there is now. */
struct conntrack_counts {
	uint64_t entries;	/* connections tracked */
	uint64_t insert_failed; /* packets dropped, since the tuple they were given was taken */
	uint64_t drop;		/* packets dropped: those, and those of a full table */
	uint64_t early_drop;	/* entries that made room for others in a full table */
};

struct conntrack_door {
	void *netlink;
};

bool conntrack_open(struct conntrack_door *out, struct err *err);
void conntrack_close(struct conntrack_door *d);
bool conntrack_read(const struct conntrack_door *d, struct conntrack_counts *out, struct err *err);

enum conntrack_part { CONNTRACK_MORE, CONNTRACK_END, CONNTRACK_BROKEN };

/* The parser behind conntrack_read(): the messages of one receive, added to `out`. Whatever the
 * bytes are, it reads nothing beyond `len`. */
enum conntrack_part conntrack_parse(const char *buffer, size_t len, struct conntrack_counts *out,
				    struct err *err);
