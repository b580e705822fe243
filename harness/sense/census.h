/* census.h - counts the sockets of one dump: by state, and by source address and destination.
 *
 * Input:     sockets as dump_run() brings them, those that take a port towards everybody first.
 * Ownership: the table is in the arena, sized once: for the pairs that are expected, or 24,576.
 * Errors:    a dump with more pairs than fit is marked torn: its used_max is a lower bound.
 *
 * A port that somebody listens on, or has bound, is nobody's to connect from, so what is
 * connected there was accepted: it is counted by state, but as no port in use. A port that bind()
 * took for a connection is nobody else's either: where it is told which these are (sense/binders.h),
 * or they are guessed (sense/guess.h), they are usable towards their own destination alone.
 */
#pragma once

#include "base/arena.h"
#include "base/portset.h"
#include "host/waits.h"
#include "sense/binders.h"
#include "sense/tuples.h"
#include "sys/sockets.h"
#include "tape/tape.h"

struct census_row {
	struct usage usage; /* but for usable */
	uint32_t sockets;   /* the sum of its states; 0: a free row */
	uint32_t used;	    /* of those, ports of the range */
	uint32_t rank;	    /* among the fullest, from 1; 0: it is not */
	uint32_t own;	    /* of those that are used, ports that bind() took */
	uint32_t mine;	    /* and those of who is watched: see holders_mark(); */
	uint32_t fresh;	    /* those that the last look had not: watch/trend.h */
};

/* A socket that holds a port. */
struct held {
	uint32_t row;
	uint16_t port;
};

/* By what its owner is found. */
struct mark_of_held {
	uint64_t key; /* its cookie; where there is none, made of its addresses and ports */
	uint32_t inode;
	int32_t gone_ms; /* in TIME_WAIT: until it ends; else -1 */
};

struct census {
	/* Set these before the first. */
	struct port_range range; /* that connect() takes from: others are `outside` */
	struct portset reserved;
	bool together;	       /* a port is one towards all destinations */
	bool unconnected;      /* a socket of UDP that is bound alone is one of the load's */
	struct tuples *tuples; /* sockets of UDP may share ports; NULL: each has one for itself */
	int64_t early_ns;      /* somebody ends TIME_WAIT so long before the kernel does */
	const struct waits *waits;     /* or connect() may have the port sooner; NULL: it may not */
	const struct binders *binders; /* tell which ports bind() took; NULL: nobody does, */
	bool guesses;		       /* so that it is guessed */
	bool mine_only;		       /* the fullest of those rows that have any */

	struct census_row *rows;
	uint32_t *list; /* which of them are taken: who walks them all walks these */
	uint32_t mask;	/* rows - 1; rows are a power of two */
	uint32_t taken;
	uint64_t states[STATES];
	uint64_t used_max;
	struct datagrams datagrams; /* of all of these */
	uint64_t overshadowed;	    /* sockets of UDP with the addresses and ports of another */
	bool full;
	struct held *held;
	struct mark_of_held *marks; /* of each of them; NULL: nobody asks */
	uint32_t held_count, held_room;
	bool held_lost;			 /* there were more: who holds them is not known */
	struct portset listening, bound; /* of TCP */
	struct portset bound_datagrams;
	struct portset bound_first; /* of TCP, by connected sockets */
};

/* False: no room. */
bool census_open(struct census *c, uint32_t pairs, struct arena *arena);
bool census_open_held(struct census *c, uint64_t sockets, struct arena *arena);

/* The same where nobody asks who holds them: 8 bytes each, and not 24. */
bool census_open_ports(struct census *c, uint64_t sockets, struct arena *arena);
void census_clear(struct census *c);
void census_add(struct census *c, const struct socket_seen *seen);

/* No socket is on its way from one state to another. FIN_WAIT2 is, unless the far end never
 * closes. */
bool census_at_rest(const struct census *c, bool half_closed_rests);

/* What a dump's sample says of sockets, and its fullest destinations, `most` of them at most, in order:
 * sample->usage_count. */
void census_tell(struct census *c, struct sample *sample, struct usage *usages, uint32_t most);

/* Of the fullest; not known where not all sockets found room. */
void census_map(const struct census *c, struct portmap *out);
