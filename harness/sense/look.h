/* look.h - the sampler's looks: at totals, counters, sockets and the gateway, each when it is due.
 *
 * Output:  samples and counters, on the tape.
 * Units:   nanoseconds on sys/clock.h, but for t_ns of a sample.
 * Errors:  ERR_SYS, of a door that cannot be opened or read.
 * Threads: the sampler's own (sense.c); nobody else includes it.
 */
#pragma once

#include "sense/census.h"
#include "sense/holders.h"
#include "sense/schedule.h"
#include "sense/sense.h"
#include "sys/conntrack.h"
#include "sys/counters.h"
#include "sys/nft_counter.h"

struct looks {
	struct sense_wish wish;
	struct tape *tape;
	struct dump dump;
	struct proc_door proc;
	struct conntrack_door conntrack;
	struct nft_counter_door unmapped;
	struct tracked tracked_first; /* when the load began */
	struct census census;
	struct tuples tuples;
	struct ledger ledger;
	bool settling;			  /* the ledger is kept */
	struct usage usages[USAGES_MOST]; /* of the last dump */
	struct portmap map;		  /* of it too */
	struct holders holders;
	struct schedule schedule;
	uint64_t dumped_sockets; /* as the totals had them at the last dump */
	uint64_t dumped_used;	 /* the most ports in use that a dump on the tape has seen */
	bool counting;		 /* the load has begun: counters keep their first value */
	int64_t base_ns;	 /* its beginning */
};

/* False: no room. */
bool looks_reserve(struct looks *l, const struct sense_wish *wish, struct tape *tape,
		   struct arena *arena);

/* In the namespace where the thread is to look from then on. */
bool looks_open(struct looks *l, struct err *err);
void looks_close(struct looks *l);

void looks_begin(struct looks *l, int64_t now_ns); /* what comes by itself is due from now on */
int64_t looks_due_ns(const struct looks *l);	   /* when the next is due */
bool looks_turn(struct looks *l, bool asked, struct err *err); /* what is due; asked: a dump too */

/* Looks until all sockets are at rest, for so long at most; only the last look goes on the tape. */
bool looks_settle(struct looks *l, int64_t settle_ns, struct err *err);
