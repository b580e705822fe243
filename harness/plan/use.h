/* use.h - how many ports one load has in use at a time, in all spaces (see
 * plan/budget.h) of its own.
 *
 * What a load has in use are the connections that it has begun, less those whose ports
 * are back. Both are told of three machines, since nobody knows how fast this one is:
 *   PACE_SLOW   0.4 ms a connect, shared with other loads, and held up for 0.1 s;
 *   PACE_USUAL  40 us a connect;
 *   PACE_QUICK  5 us a connect, never late.
 * "Least" is what even a slow machine has begun, less all that may be back; "most" is
 * what a quick one has begun, less what is surely back, a stall of 0.25 s and late
 * timers included; "likely" is a usual machine's.
 *
 * Input:  a plan whose loads and gateway are made.
 * Units:  ports and connections are counted (of a pool what is begun are requests);
 *         times are nanoseconds since the run began.
 * Errors: none; pure. Refusals are left out: what is told holds until the first of
 *         them.
 */
#pragma once

#include "plan/life.h"
#include "plan/pool.h"

enum pace { PACE_SLOW, PACE_USUAL, PACE_QUICK, PACES };

struct use {
	const struct load_plan *load; /* borrowed */
	struct life life;
	double shares[ENDS], opens_ns[ENDS],
		lives_ns[ENDS]; /* of the connections that end so, until the close, and
						   all; INFINITY: for ever */
	struct pool_fate pool;
	double crowd
		[PACES]; /* so many times longer a connect takes, since others have the processors */
	double clients;	 /* of a closed loop; 0: it is open */
	double total;	 /* connections or requests; INFINITY: the load has no number of its own */
	double beside; /* ports of closed loops that their clients do not know to be in use still */
	double waits_most; /* closed ones that wait at once, at most (net.ipv4.tcp_max_tw_buckets) */
	double beside_later; /* connects that a dead server refuses at once, at most */
	int64_t most_ns;     /* a port's life at most, as late as timers may be, and a thread */
	int64_t lasts_ns;    /* for so long connections begin */
	bool is_pooled;
	bool is_steady; /* the far end does what its behaviour says until the run ends */
	/* When half of the ports are in use, and what each connect takes from then on besides. */
	double half_ns[PACES], scan_ns[PACES];
};

/* A load as `asker` finds it, which wants its ports: to bind() a port in TIME_WAIT is
 * taken, whatever tcp_tw_reuse is; and one that the load's own sockets share is taken
 * to others. Itself: as it finds itself. NULL: as a load does that has nothing in
 * common with it. */
struct use use_make(const struct plan *p, const struct load_plan *load,
		    const struct load_plan *asker);

/* From half_ns[pace] on each connect takes scan_ns[pace] more; INFINITY: never. */
void use_slow_down(struct use *u, const double half_ns[PACES]);

/* Connections, or requests of a pool, that a machine of that pace has begun by `ns`. */
double use_begun(const struct use *u, enum pace pace, double ns);

/* Ports in use at `ns`: on any machine no fewer; likely; on any machine no more. */
double use_least(const struct use *u, double ns);
double use_likely(const struct use *u, double ns);
double use_most(const struct use *u, double ns);

/* Ports in use at any one time of the run: no more than so many; INFINITY: nobody can tell. */
double use_peak(const struct use *u);

/* The same, without those that are closed and wait. */
double use_open_peak(const struct use *u);
