/* look.h - what one look at somebody else's load saw, and what comes of it if things go on: a record, as
 * samples of a run are.
 *
 * Input:     filled by watch/; told by report/look.h and report/look_json.h.
 * Units:     times are nanoseconds, since the first look or from now on; rates are per second.
 * Ownership: rows are borrowed.
 */
#pragma once

#include "tape/tape.h"

/* A destination. Of the rates, a second each, `opens` and `closes` are below 0 where they are not known;
 * `grows` is none where `opens` is not, and else below 0 where connections become fewer. */
struct look_row {
	struct usage usage;
	uint32_t mine;	 /* of its ports, those of the process that is watched and its children */
	double opens;	 /* new connections */
	double grows;	 /* connections that are open, and are more by so many each second */
	double closes;	 /* those that come into TIME_WAIT */
	int64_t kept_ns; /* for so long hardly any of what was opened has been closed; 0: some were */
	int64_t full_ns; /* until no port is left; FULL_NEVER: that does not come; below 0: unknown */
	enum cause cause; /* what fills it; 0 (not-enough-data): nothing is to be told */
	enum cause maybe; /* or this does, by what has been seen so far; 0: that is told for sure */
};

#define FULL_NEVER INT64_MAX

/* What costs next to nothing, of the whole namespace. */
struct look_totals {
	int64_t t_ns;
	uint64_t inuse, tw;
	bool known;
};

struct look {
	int64_t t_ns;
	int64_t next_ns;	   /* until the next look, from the last of these two: */
	struct look_totals totals; /* read later, while no look was due; not known: none was */
	struct port_range range;
	uint32_t usable;     /* of the range, less what is reserved, listened on, or bound alone */
	uint32_t anywhere;   /* of those, ports in use towards whatever destination */
	double opens;	     /* new connections of the whole namespace, by the kernel's own count */
	int32_t pid;	     /* that is watched; 0: all are */
	bool pid_ended;	     /* and is no more */
	bool to_one;	     /* one destination alone is */
	bool starves_binds;  /* who binds first is near to having no port */
	bool sees_all;	     /* everybody's descriptors may be looked at, */
	bool owners_partial; /* and there are more than were */
	int64_t owners_ns;   /* since the first look, when they were looked at, */
	int64_t owners_cost_ns; /* and what that took */
	struct sample sample;
	const struct look_row *rows; /* the fullest first */
	uint32_t count, more;	     /* and how many there are besides */
	uint32_t rateless;	     /* destinations of which no rate is known, for want of room */
	bool overfull;		     /* there are more of them, or of sockets, than are counted */
};
