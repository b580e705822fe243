/* nft.h - rules of the packet filter, given to the program `nft`.
 *
 * They are for the network namespace that the calling thread is in, which the program shares.
 * It is looked for in the system's own directories alone, and gets an environment of two words.
 *
 * Errors:  ERR_HOST where there is no such program, where it cannot be started, and where it
 *          refuses the rules: a kernel without what they need says so there.
 * Rights:  CAP_NET_ADMIN, which the thread passes on to the program (rights_pass_network()).
 * Threads: any; signals of the terminal do not reach the program.
 * Source:  nft(8), Debian's package nftables.
 */
#pragma once

#include "base/err.h"

/* Where the program is; NULL: nowhere. */
const char *nft_find(void);

/* Makes a chain of NAT in the thread's namespace, without the program: an errno value, 0 where
 * the kernel can. */
int nft_try(void);

/* All of the rules or none of them. */
bool nft_load(struct text rules, struct err *err);
