/* use.h - how many ports one load has in use by a time: what becomes of several is a sum of these.
 *
 * An open loop has those that it began within a port's life; a closed one has its clients', and what their
 * rounds leave in TIME_WAIT; a pool has the connections that its requests open, and those of them that
 * were closed and wait. How many a load has begun is told of three machines: one that is slow and may be
 * held up, a usual one, and one that is never late.
 *
 * Input:  a plan whose loads are made; of a pool `begun` are requests.
 * Units:  ports and connections are counted, over all spaces of the load; times are nanoseconds since
 *         the run began.
 * Errors: none; pure. Refusals are left out: what is told holds until the first of them.
 */
#pragma once

#include "plan/life.h"
#include "plan/pool.h"

enum pace { PACE_SLOW, PACE_USUAL, PACE_QUICK, PACES };

struct use {
	const struct load_plan *load; /* borrowed */
	struct life life;
	double shares[ENDS],
		lives_ns[ENDS]; /* of the connections that end so; INFINITY: for ever */
	struct pool_fate pool;
	double crowd
		[PACES]; /* so many times longer a connect takes, since others have the processors */
	double clients;	 /* of a closed loop; 0: it is open */
	double total;	 /* connections or requests; INFINITY: the load has no number of its own */
	double beside; /* ports of closed loops that their clients do not know to be in use still */
	double beside_later; /* connects that a dead server refuses at once, at most */
	int64_t most_ns;     /* a port's life at most, as late as timers may be, and a thread */
	int64_t lasts_ns;    /* for so long connections begin */
	bool is_pooled;
	bool is_steady; /* the far end does what its behaviour says until the run ends */
	/* When half of the ports are in use, and what each connect takes from then on besides. */
	double half_ns[PACES], scan_ns[PACES];
};

/* Of a load, as it is looked at by one that wants its ports, or NULL: by anyone. To bind() a port in
 * TIME_WAIT is taken, whatever tcp_tw_reuse is; and ports that a load's own sockets share are taken to
 * others. */
struct use use_make(const struct plan *p, const struct load_plan *load,
		    const struct load_plan *asker);

/* From then on connects are slow; of a pace INFINITY: never. */
void use_slow_down(struct use *u, const double half_ns[PACES]);

double use_begun(const struct use *u, enum pace pace, double ns);

/* In use then: at least, on any machine; likely; and at most. */
double use_least(const struct use *u, double ns);
double use_likely(const struct use *u, double ns);
double use_most(const struct use *u, double ns);

/* At most, at any time of the run. */
double use_peak(const struct use *u);

/* The same of those that are not closed yet. */
double use_open_peak(const struct use *u);
