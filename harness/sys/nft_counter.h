/* nft_counter.h - what a named counter of the packet filter has counted.
 *
 * It is of the namespace that the calling thread was in when the door was opened.
 *
 * Rights:    CAP_NET_ADMIN over that namespace, for each question anew (sys/conntrack.h).
 * Ownership: a door is closed by its _close; twice does no harm. The names are borrowed.
 * Errors:    ERR_SYS.
 * Source:    nf_tables_getobj(), net/netfilter/nf_tables_api.c; nft_counter_do_dump(),
 *            net/netfilter/nft_counter.c.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct nft_name { /* of an object in a table of IPv4 */
	const char *table, *object;
};

struct nft_counter_door {
	void *netlink;
	struct nft_name name;
};

bool nft_counter_open(struct nft_counter_door *out, struct nft_name name, struct err *err);
void nft_counter_close(struct nft_counter_door *d);
bool nft_counter_read(const struct nft_counter_door *d, uint64_t *packets, struct err *err);

/* The parser behind it: the messages of one receive. Whatever the bytes are, it reads nothing beyond
 * `len`; false, with an error: there is no counter among them. */
bool nft_counter_parse(const char *buffer, size_t len, uint64_t *packets, struct err *err);
