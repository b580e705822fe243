/* forecast.h - what becomes of a load's ports, told before anything runs: for how long a connection has
 * one, what rate they sustain, and whether a connect is refused one, after how many, and when.
 *
 * Input:  values only: a scenario whose `load` is the one that is asked about, the budget of its ports, and
 *         the host.
 * Units:  ports and connections are counted; times are nanoseconds since the load began, rates per second.
 * Errors: none; pure. What cannot be told is not `known`, NAN, or 0, as the field says.
 */
#pragma once

#include "plan/budget.h"

/* What is not to be told exactly lies between two bounds. */
struct guess {
	double least, likely, most;
};

/* What the arithmetic says before anything runs. */
struct forecast {
	int64_t port_life_ns; /* from one connect to the next that can have its port, on average; or FOR_EVER */
	int64_t life_least_ns, life_most_ns; /* the same, at best and at worst */
	int64_t quiet_ns; /* of it, after the close: TIME_WAIT, or the delay of its reuse */
	int64_t late_ns;  /* so much longer may that be, by what ends it (life.h) */
	uint64_t after;	  /* connections opened before the first refusal; only if counted */
	uint64_t after_least, after_most; /* as exactly as that can be told */
	struct guess at; /* when that is, in ns since the load began, or the first of them: by a
			    quick machine and a slow one */
	int64_t likely_run_ns; /* of several loads, or a pool: when it is likely, since the run began; or
				  FOR_EVER: it is not. Of others 0 */
	double rate; /* the load that the ports sustain, if no timer is late; 0: none, INFINITY: any, NAN:
			cannot be told. Of several parts (plan/part.h) it is the first's */
	/* Of one load, and for ever: what ends a port's life may be as late as late_ns. NAN: not told. */
	double rate_sure;
	double pool_rate; /* requests that a pool's connections carry for ever, if all end together; 0: not told */
	double pool_edge; /* ports that are not for those: see plan/pool.h */
	double pool_ns; /* for so long a connection has its port, at most, once it is closed or not */
	double gateway_rate; /* what a gateway carries for ever for sure; INFINITY: there is none */
	/* Connections open through a gateway when the next finds it full for sure; 0: that is not to be told,
	 * or does not happen. Of UDP, requests. And before so many none does: fewer, where not all ports are
	 * tried. */
	uint64_t full_after, full_least;
	int64_t full_run_ns; /* of several loads, when that is at the latest, since the run began */
	/* The same two, where no port comes back until the end of the run; else 0. */
	uint64_t times_out_after, times_out_least;
	int64_t hangs_ns; /* when the first that hangs at a full backlog times out; 0: none hangs */
	/* Those that had a port before the first refusal, open or not, where some are not; else 0. */
	struct guess refused;
	uint32_t likely_of; /* the load that is refused at likely_run_ns */
	bool times_out; /* the next one at a full gateway does for sure: none comes back while its SYN is
			   repeated */
	/* Sockets that wait at once at most, where they are so few that ports are free before their time at the
	 * rate that is sustained (net.ipv4.tcp_max_tw_buckets); 0: they are not. */
	uint64_t buckets;
	bool rate_is_least; /* more may be: a gateway's kernel may give ports up early, or the client's by
			       `buckets` */
	bool rate_is_limit; /* it is what network.nat.limit allows */
	bool gone;	    /* by then the server's host has vanished */
	bool exhausts;	    /* a connect will be refused */
	bool known;	    /* exhausts can be told; false where it is a race of speeds */
	bool cut_short; /* it would be, but for stop.time, which ends the run before it or may */
	bool counted;	/* either, and after how many connections; not where several loads differ */
};

struct forecast forecast_make(const struct scenario *s, const struct budget *b,
			      const struct host *host);
