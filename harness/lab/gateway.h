/* gateway.h - the host between client and server of `topology: nat`: links, routes, and the
 * rules that give each connection an address and a port of its own.
 *
 *     client  10.77.0.1…  ===  10.77.64.1  gateway  10.77.192.1…  ===  10.77.128.1…  server
 *
 * The server knows no way to the client but through the gateway's own addresses: what passes
 * untranslated is not answered.
 *
 * Linux chooses a port anew for each connection. Of endpoint-independent mapping (RFC 4787, 4.1), one
 * port for all destinations, the lab has what it comes to: a set of clients' addresses and ports, with
 * as much room as there are ports. Each leaves it after network.nat.mapping_time without a packet; a
 * packet of a client that finds no room in it is dropped. The port itself is still the kernel's choice:
 * that of another connection of the same client's port, where it is free (find_appropriate_src(),
 * net/netfilter/nf_nat_core.c).
 *
 * Errors:  ERR_HOST where the program nft or the kernel's NAT is missing.
 * Threads: the calling thread is in the client's namespace before and after.
 * Source:  a port is looked for at most 128 times from a random one on, then 64, 32 and 16
 *          times: nf_nat_l4proto_unique_tuple(), net/netfilter/nf_nat_core.c.
 */
#pragma once

#include "lab/lab.h"
#include "sys/nft_counter.h"

bool gateway_join(const struct lab *lab, const struct plan *plan, struct arena *scratch,
		  struct err *err);

/* The counter of what has no mapping; no table: there is none. */
struct nft_name gateway_unmapped(const struct plan *plan);
