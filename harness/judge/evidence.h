/* evidence.h - what the rules of the causes have before them, and what most of them ask of it.
 *
 * Ownership: borrowed; texts are in its arena.
 * Source:    the ports that a state holds, and for how long: net/ipv4/tcp_minisocks.c,
 *            tcp_time_wait(); what tcp_tw_reuse reuses: net/ipv4/tcp_ipv4.c, tcp_twsk_unique().
 */
#pragma once

#include "base/order.h"
#include "judge/judge.h"

struct evidence {
	const struct plan *plan;
	const struct tape *tape;
	const struct measures *measures;
	const struct sample *full; /* the dump that tells who holds the ports; NULL: none */
	uint64_t wanted;	   /* failures for want of a port, of the kernel's choice */
	uint64_t named;		   /* and of one that the program names, and is not to be had */
	/* Failures of connect() of loads that have no address, as the driver has found, and that a port
	 * would not have helped: EADDRNOTAVAIL; and of UDP EAGAIN, where it had no port either. */
	uint64_t homeless, portless;
	/* Of the loads that have ports of the range, and not of their own choice outside of it: what they
	 * opened, and what of it was closed, or is kept for good. */
	uint64_t opened, closed, kept;
	/* Of several loads: the one that failed most, and the one that leaked most. */
	const struct load_plan *load, *leaker;
	bool fills;		      /* a line of `expect` that allows fewer sockets has failed */
	const struct verdict *judged; /* its lines; NULL: they are not asked for yet, */
	const struct finding *told;   /* nor what has been told of the run by now; NULL, too */
	size_t told_count;
	const char *ports_of; /* " of UDP", where those of TCP are others; else empty */
	struct arena *a;
};

/* What a cause must hold of the ports in the fullest dump to be named beside others; and what must wait for an
 * answer, of all ports or of a gateway's entries, to be more than those that are just being opened. */
#define SHARE_LEAST (1 / 8.)

/* What holds ports of the range: the client's sockets by the reason for which they are there. */
struct holders {
	uint64_t leaked, inherited, live, time_wait, fin_wait, unanswered;
	uint64_t
		looped; /* closed, and not the client's: the far end's to itself, at ports of its */
	uint64_t ended; /* of the live: by the far end, and not by the client yet */
	uint64_t own;	/* the sum of these */
	uint64_t all;	/* with what others hold */
};

struct evidence evidence_of(const struct plan *plan, const struct tape *tape,
			    const struct measures *m, struct arena *);

/* By the fullest dump; where there is none, by the books. */
struct holders evidence_holders(const struct evidence *e);

/* "of 32 ports in use 17 never closed, 15 in TIME_WAIT", where there is more than one reason; else
 * empty. */
const char *say_holders(const struct evidence *e);

/* Ports of the range that are reserved. */
uint32_t evidence_reserved(const struct evidence *e);

/* Ports that load i names, and that connect() of others may take: of the range, and not reserved. */
uint32_t evidence_named(const struct plan *, size_t i);
bool evidence_kernel_chooses(const struct plan *);	 /* the ports of any load */
bool evidence_is_outside(const struct plan *, size_t i); /* it names some, and none of those */

/* Are all that load i names somebody else's from before it until after it: listened on, or bound? */
bool evidence_is_held(const struct plan *, const struct tape *, size_t i);

/* Ports of the range that connect() can have: fewer than bind(), where what the other family has bound or
 * listens on is passed over. */
uint32_t bound_left(const struct evidence *e);

/* Would the ports carry what the load asks for, were it not for those that nobody closes? */
bool evidence_kept_alone_fills(const struct evidence *e);

/* Would the ports run out as well, were there so many to each destination? By the rate that the loads ask for, or
 * else had opened at until the first was refused. */
bool evidence_outruns(const struct evidence *e, uint64_t ports);

/* Does what is closed leave them no room for what comes unevenly, an eighth? */
bool evidence_closed_nearly_fill(const struct evidence *e);

uint64_t evidence_errors(const struct evidence *e, enum stage stage, int error);

/* What load i of the plan came to by itself. */
const struct tally *evidence_tally(const struct plan *, const struct tape *, size_t i);

/* Ports that a load had at any time, at least: of those that it reset what were open at once. */
uint64_t evidence_had(const struct tape *load);
double evidence_measured(const struct evidence *e, enum measure what); /* 0: no data, too */
bool evidence_has(const struct evidence *e, enum event_kind kind);
int64_t evidence_sysctl(const struct evidence *e, const char *name, int64_t fallback);

/* "to one destination", "to each of 2 destinations, from each of 3 addresses" */
const char *say_towards(const struct evidence *e);
const char *say_ports(const struct evidence *e);      /* "32 ports" */
const char *say_ports_left(const struct evidence *e); /* of them, what connect() can have */

/* "bind() failed 3 times with EADDRINUSE (Address already in use).": so many of them, or all. */
const char *say_failed(const struct evidence *e, uint64_t n, enum stage stage, int error);
const char *say_failures(const struct evidence *e, enum stage stage, int error);

/* "; this load asks for 200/s", or what it was seen to do until a port was wanting. Where that is no more than
 * `most` it says why that is too much all the same; INFINITY: it is not asked. */
const char *say_demand(const struct evidence *e, double most);

/* What each of several loads has done with connections, by its own books at the end of the run. It is told of the
 * first with all its words, and of the others by their figures. */
struct deed {
	const char *did;	/* before the figure: "failed" */
	const char *one, *what; /* behind it, of one and of more: " time", " times" */
	uint64_t (*of)(const struct evidence *e, size_t load, const struct deed *);
	enum stage stage;
	int error;
};

extern const struct deed deed_closed, deed_leaked, deed_inherited, deed_open, deed_unanswered,
	deed_bound;

/* " web closed 41, cron 20.": whose the ports are, of several loads, that of them who did it; empty of one. */
const char *say_owners(const struct evidence *e, const struct deed *);

/* " web failed 12 times.": who of several did so, in this way. */
const char *say_failing(const struct evidence *e, enum stage stage, int error);

/* " any more: the server's process died after 0.5 s, and 20 connections were opened", by a measure
 * of when; empty if it has not. */
const char *say_since(const struct evidence *e, enum measure when, const char *what);

/* "2 s", how long these loads wait, those that waited in vain if any did; "1 s to 2 s", where it is not the
 * same. */
const char *say_patience(const struct evidence *e);

/* " The server's host vanished after 1 s."; empty if it has not. */
const char *say_gone(const struct evidence *e);

/* " The server's backlog was full: 14 times it dropped …"; empty if it was not. */
const char *say_drops(const struct evidence *e);

/* " The far end accepts 20/s, of 50/s: …", of its one listener; empty if it is as fast as the loads. */
const char *say_accepts(const struct evidence *e);

/* " This machine fell 8 s behind the load, …"; empty if it kept up. */
const char *say_lag(const struct evidence *e);

/* How long a connection is open, and how long its port is out of use after the close, by what
 * the plan knows. */
int64_t live_time(const struct plan *plan);
int64_t quiet_time(const struct plan *plan);

/* The latter where network.time_wait has no say, which is everywhere else: what advice is for. */
int64_t outside_time(const struct plan *plan);

/* May connect() take a port before its TIME_WAIT is over? */
bool is_reused(const struct plan *plan);
int64_t reuse_delay(const struct plan *plan); /* after which it may; 0: none that does any good */
bool reuse_is_set(const struct plan *plan);   /* tcp_tw_reuse, for this topology */
bool has_timestamps(const struct plan *plan);
bool is_bound_first(const struct plan *plan); /* each of the loads is; */
bool evidence_binds_some(
	const struct evidence *e); /* or some that opened any are, and others not */
