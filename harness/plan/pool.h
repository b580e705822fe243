/* pool.h - what becomes of a pool that keeps fewer idle connections than there are
 * requests at once: pure arithmetic.
 *
 * Of C requests under way at most, and K connections kept idle, one that ends finds no
 * place in the pool if K are idle already, and is closed; one that begins finds none if
 * none is idle, and opens one. From K idle to none takes K requests that are served by
 * the pool, and no more than C - K others can be under way besides: so no more than (C
 * - K) / C of all requests open a connection, once the first C have. They do where all
 * C begin and end together; where they are spread over time, none does. The knee is at
 * K = C.
 *
 * An idle timeout (pool.idle_timeout) that is shorter than the time between two
 * requests of a pair throws each connection away before it could serve again; the next
 * request opens one, whatever max_idle is.
 *
 * Each pair has a pool of its own. Where the load comes to them by turns and by the
 * clock, each has its part of the requests at once; what is said of C and K is of one
 * of them.
 *
 * Input:  a scenario whose `load` has a pool.
 * Units:  counts; shares of 1.
 * Errors: none. What cannot be bounded is as many as there are requests.
 */
#pragma once

#include "plan/life.h"

struct pool_fate {
	double pools;	      /* one a pair */
	double at_once;	      /* requests under way, at most; INFINITY: as many as there are */
	double each;	      /* of them, to one pair */
	double kept;	      /* connections of a pair that stay, between two requests */
	double share_most;    /* of the requests, those that open a connection, once it is warm */
	double surely;	      /* begin before the first of them ends, however slow the machine */
	bool begins_together; /* the first of each client are all under way at once */
	/* All begin and end together, round by round, for so many, for sure and likely: by then those that open
	 * a connection have fallen behind the others. */
	double rounds, rounds_likely;
	bool keeps_all;	     /* each connection stays: none is closed, and none opened instead */
	bool is_closed;	     /* connections that end are closed by the client, and wait */
	bool expires;	     /* before it could serve again, each may be closed for its idle time */
	bool likely_expires; /* and is, where requests come as evenly as they are due */
	bool surely_expires; /* and is, unless the machine is held up */
	double likely; /* connections that are open at once, where requests are spread evenly */
	double served; /* requests that a connection serves at most; 0: as many as there are */
	double late;   /* requests that are late together after a stall: see pool_late() */
	double between; /* requests from one stall to the next, whose connections are gone by then; INFINITY: they
			   stay */
	bool serves_once; /* nobody answers in time: each connection is closed with its first request */
	bool by_turns; /* one client, whose connection is there still when it asks again */
};

/* Does each request have its answer, on a connection that stays? One that fails ends its own. */
bool pool_is_answered(const struct scenario *s);

struct pool_fate pool_fate_of(const struct scenario *s, const struct budget *b,
			      const struct life *life);

/* How many of the first n requests open a connection. */
double pool_opens_most(const struct pool_fate *f, double n);
double pool_opens_least(const struct pool_fate *f, double n);

/* Do the first n requests begin and end together, round by round, for sure? */
bool pool_is_in_step(const struct pool_fate *f, double n);

/* Does it keep fewer than there are at once, so that some are closed as often as
 * several end together? */
bool pool_churns(const struct pool_fate *f);

/* As many as are under way, or as serve them all, where requests come evenly; and what
 * a pool that churns opens if half of them end together. */
double pool_opens_likely(const struct pool_fate *f, double n);

/* Of n requests to a pool that is warm, counted from then, those that open one so. */
double pool_later_likely(const struct pool_fate *f, double n);

/* Of the requests of a pool that is warm, those that open a connection, at most: since
 * there is no room to keep it, or since it has served as many as it may. */
double pool_share(const struct pool_fate *f);

/* Requests before the one that is to open a connection more than there are ports, each
 * round being in step until then; INFINITY: none is, or they may be in no step by then. */
double pool_round_of(const struct pool_fate *f, uint64_t ports);

/* Ports that are in use at once besides what the share of the requests of a port's life
 * comes to: those that are open as it begins, and what a round that is cut in two, or a
 * stall, makes of it. */
double pool_edge(const struct pool_fate *f);

/* Of it, requests of a rate that are late together after a stall; a closed loop has none. */
double pool_late(const struct load *l);

/* The longest time between two requests of a pair: of a rate by the clock, of a closed
 * loop the pause of a client. */
double pool_gap_ns(const struct load *l, uint32_t pairs);
