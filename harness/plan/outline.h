/* outline.h - what a plan says before anything runs, for people: how long a port is taken, how
 * many the load wants at once, when the first connect fails, and what comes after.
 *
 * Input:  a plan; nothing is read from the kernel.
 * Units:  ports and connections are counted; times are nanoseconds, rates per second. When something is
 *         (at, by, begun, last, ends, back, clock) is since the run began: load.start is in it. How long
 *         something takes (life, quiet, round, recovery, lasts) is a length, wherever it begins.
 * Errors: none. What cannot be told is 0, or as the field says.
 */
#pragma once

#include "plan/plan.h"
#include "plan/pool.h"

struct outline {
	int64_t live_ns,
		quiet_ns; /* of a port's life: until the close, on average, and after; or FOR_EVER */
	int64_t live_most_ns; /* until the close, at most */
	double rate;	      /* that the loads come to together; 0: one is a closed loop */
	int64_t round_ns;     /* of a closed loop: from one connection of a client to its next */
	double under_way;     /* connections at once, of closed loops */
	unsigned tries;	      /* that each connection has, where all of them fail */
	double wanted;	      /* ports at once that the load asks for; INFINITY: without bound */
	bool pooled; /* how many connections are opened is the pool's: wanted is NAN then; of several
			loads, all have one */
	bool some_pooled;
	struct pool_fate pool; /* what becomes of it; of the first load */
	double requests;       /* of a pool, in all; INFINITY: as many as the machine can */
	double kept_share; /* of the connections, those whose ports nobody gives back; of several loads 1 */
	int64_t others_ns; /* for how long the others have theirs, at most */
	double mixed;	   /* connections of a rate with both, by the end; else 0 */
	double closed,
		kept; /* of these: ports that the others have at once, and those that are never given
			 back, by the seed if there are not too many to draw */
	int64_t lasts_ns; /* how long the ports last if the load goes on, from its start on; 0: for ever, or it
			     cannot be told */
	bool exhausts, known, cut_short; /* as the forecast has it; so are the next three */
	bool too_slow; /* a closed loop that wants more than there is, and does not come to it: connects
			  are too slow */
	uint64_t after, after_least, after_most; /* connections that have a port before the first is
						    refused one, open or not */
	struct guess at_ns;			 /* when that is; 0: it cannot be told */
	double clock_ns;     /* when it would be due, however slow the machine */
	double back_ns;	     /* when the first port is free again, by the clock; INFINITY: never */
	int64_t recovery_ns; /* from the refusal until a port is free again; FOR_EVER: never */
	const struct load_plan
		*half_of; /* the load whose connects get slow first; NULL: none does */
	uint64_t half;	  /* ports in use towards a destination, from where they do */
	bool half_reached;
	double half_at_ns;	   /* when that is, likely */
	struct guess half_cost_ns; /* by how much a connect is slower then */
	double half_rate;	/* connects a second, no more than so many from then on, likely */
	double half_rate_least; /* so many even on a slow machine */
	double asked; /* connections in all, if none is refused; INFINITY: as many as the machine can */
	double begun;	      /* of them, those that the run begins */
	double begun_most;    /* no more than so many, on any machine */
	struct guess last_ns; /* when the last of them is begun, if none is refused */
	double begun_ns;      /* by when, by the clock */
	struct guess ends_ns; /* the run's end, or how long it takes */
	double waiting;	      /* of tcp_tw_reuse, ports in use at once, likely; 0: it is not told */
	uint64_t ports;	      /* in use at once, at most */
	uint64_t gateway_ports; /* of one of its addresses; 0: there is no gateway */
};

struct outline outline_of(const struct plan *p);

/* Is a port never given back? */
static inline bool is_kept(const struct outline *o)
{
	return o->live_ns == FOR_EVER || o->quiet_ns == FOR_EVER;
}

/* How long a port is taken on average, where load.mix has connections that give theirs back sooner
 * than others; 0: all are alike, or it cannot be told. */
double outline_mean_ns(const struct outline *o, const struct plan *p);

/* Of a load with a pool: connections at once, of a closed loop one a client, whatever becomes of them; if
 * that is more than there are ports; and if it is known what the ports carry for ever. */
double outline_pool_at_once(const struct outline *o);
bool outline_pool_lacks(const struct outline *o, const struct plan *p);
bool outline_pool_has_rate(const struct outline *o, const struct plan *p);

/* Of several loads, which outline_of() asks for: the sum of what each is by itself
 * (plan/outline_loads.c). */
struct outline outline_of_loads(const struct plan *p);

/* May something end before half of the ports are in use: the server's backlog, or descriptors? */
bool outline_doubts_half(const struct outline *o, const struct plan *p);

/* What is the same of one load and of several; when it ends is in plan/outline_end.c. */
void outline_set_after(struct outline *o, const struct plan *p);
void outline_set_half(struct outline *o, const struct plan *p);
void outline_set_end(struct outline *o, const struct plan *p);
void outline_set_ports(struct outline *o, const struct plan *p);
