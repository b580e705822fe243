/* sense.h - the sampler: a thread in the client's namespace that looks at sockets and counters
 * while others work.
 *
 * Output:  a tape of its own, with the samples and, at the end, the counters.
 * Units:   nanoseconds on the run's clock.
 * Cost:    totals are a pread of sockstat (2 us) at `every_ns`; counters a read of snmp and
 *          netstat (60 us) at phase edges, for nobody asks what they were between; dumps come at
 *          phase edges, at the first failure, and else as sense/schedule.h has it: at most once
 *          in `sockets_ns`, and never so often that they take more than 2 % of a core.
 * Errors:  what breaks while sampling ends the sampling, and is handed out by sense_stop().
 * Threads: sense_edge() and sense_ask() may be called from any thread, sense_start() and
 *          sense_stop() from one.
 */
#pragma once

#include <stdatomic.h>

#include "host/host.h"
#include "host/waits.h"
#include "sense/binders.h"
#include "sense/heirlooms.h"
#include "sense/ledger.h"
#include "sys/nft_counter.h"
#include "sys/sockets.h"
#include "tape/tape.h"

/* What others may read while it runs: each figure is right, the set of them nearly so. */
struct pulse {
	/* The driver's books. */
	_Atomic uint64_t attempted, opened, failed, open;
	_Atomic uint64_t refused; /* failures for want of a port */
	/* The far end, the sampler or the disk failed: the load is to end. */
	_Atomic bool broken;
	/* The most that the sampler has seen in a dump, and how many dumps that were. */
	_Atomic uint64_t dumps, used_max, states_max[STATES];
	_Atomic double fill_max; /* where bind() took ports of a destination's; else 0 */
	/* The same of its looks at the gateway; what it dropped since the load began. */
	_Atomic uint64_t gateway_looks, gateway_entries_max, gateway_insert_failed, gateway_drop,
		gateway_unmapped;
	_Atomic int64_t spent_ns; /* the processor time of the sampler's thread, so far */
};

struct sense_wish {
	bool (*enter)(
		const void *where,
		struct err *err); /* moves the sampler's thread to where it looks; NULL: here */
	/* Moves it to the gateway first, where it looks at connection tracking from then on, for
	 * which it keeps CAP_NET_ADMIN; NULL: there is no gateway. */
	bool (*gateway)(const void *where, struct err *err);
	struct nft_name
		unmapped; /* of a counter there, which it reads too; no table: there is none */
	const void *where;
	struct socket_filter filter; /* whose sockets are counted */
	/* Of their ports, those that connect() takes from: others are counted apart. None: all of them. */
	struct port_range range;
	bool from_proc; /* there is no sock_diag: see dump_open_proc() */
	/* Local ports of TCP that a far end in the same namespace listens on: its sockets are
	 * left out. */
	const uint16_t *services;
	uint32_t service_count;
	/* Of the load: the last dump at rest tells of each in the tape's accounts, which are open. */
	const struct destination *destinations;
	uint32_t destination_count; /* 0: no accounts */
	uint32_t pairs;	    /* of a source and a destination that are expected; 0: unknown */
	uint64_t sockets;   /* that hold a port at once, at most */
	bool together;	    /* a port is in use towards all destinations: bind() took it */
	bool unconnected;   /* sockets of UDP send without a connect() */
	uint32_t shared;    /* of UDP, that may share ports, at most; 0: each has one of its own */
	int64_t early_ns;   /* somebody ends TIME_WAIT so long before the kernel does, */
	struct waits waits; /* or connect() may have the port sooner */
	bool ports_named;   /* by the load, which then can have reserved ones */
	int64_t every_ns, sockets_ns;
	const struct heirlooms *heirlooms; /* sockets that children of ours have; NULL: none has */
	const struct binders *binders;	   /* sockets whose port bind() took; NULL: nobody tells */
	uint32_t usable; /* ports that a connection could have, were none in use: for the pulse */
	struct pulse *pulse;	/* read and written; NULL: somebody else's load */
	bool half_closed_rests; /* FIN_WAIT2 is at rest: the far end will never close */
};

struct sense;

bool sense_start(struct sense **out, const struct sense_wish *wish, struct tape *tape,
		 struct arena *, struct err *);

/* The load begins now: t_ns counts from here (samples before it have -1), and counters from
 * what they were when they were last read: call sense_edge() just before. */
void sense_zero(struct sense *s, int64_t now_ns);

/* A dump soon, marked as an edge; returns at once. Asking again before it is done asks for no
 * second one. */
void sense_ask(struct sense *s);

/* A dump now, marked as an edge, and back when it is on the tape. With `settle_ns`, dumps until
 * no socket is on its way from one state to another, or so much time has gone by. */
void sense_edge(struct sense *s, int64_t settle_ns);

/* Ends the thread; the tape is whole after it. */
bool sense_stop(struct sense *s, struct err *);
