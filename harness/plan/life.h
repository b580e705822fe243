/* life.h - how long a connection has its port: from connect() until another one can have it.
 *
 * Input:  a scenario whose `load` is the one that is asked about.
 * Units:  nanoseconds; FOR_EVER where nobody gives the port back.
 * Errors: none; pure.
 * Source: tcp_time_wait(), net/ipv4/tcp_minisocks.c; tcp_twsk_unique(), net/ipv4/tcp_ipv4.c.
 */
#pragma once

#include "host/waits.h"
#include "plan/plan.h"

/* A handshake, its far end and a timer together can be late by this much: what is closer cannot
 * be told. */
#define LIFE_SLACK INT64_C(20000000)

/* How long something takes, if it is quick and if it is slow; and on average: what goes on for ever hangs on
 * that. Where nobody knows the average, it is the most. */
struct span {
	int64_t least, most, mean;
};

static inline struct span span_between(int64_t least, int64_t most)
{
	return (struct span){least, most, most};
}

static inline struct span span_of(int64_t ns)
{
	return span_between(ns, ns);
}

/* From connect until another connect can have the port: in use, then quiet after the close. */
struct life {
	struct span live, quiet;
	/* So much later than that may what ends `quiet` be: a timer, or, where the next connect takes over
	 * what waits, the far end that acknowledges the close. Nobody else adds it. */
	int64_t late_ns;
};

/* How late TIME_WAIT may end: by the kernel's timer, or by lastport's thread that ends it sooner
 * (network.time_wait). */
int64_t life_wait_late_ns(const struct scenario *s, const struct host *host);

/* How long a closed connection waits in FIN_WAIT2 for a far end that does not close: net.ipv4.tcp_fin_timeout; but
 * what that is more than 60 s is waited for twice, and the 60 s are not: of 62 s 4 s. */
int64_t life_fin_wait_ns(const struct scenario *s);

/* Of a connection that ends so. */
struct life life_so(const struct scenario *s, const struct budget *b, const struct host *host,
		    enum end end);

/* Of any of the load's: what they have in common is known, and no more. */
struct life life_of(const struct scenario *s, const struct budget *b, const struct host *host);

/* From then on its load is looked at by another's, or by anyone's (NULL): a port that its own sockets share is
 * taken to those that have not said so. */
void life_look_at(struct scenario *alone, const struct load *asker);

/* How long a request has its connection of a pool: until its answer, where the client waits for one, and for
 * load.hold; what comes with the connection's end is none of it. */
struct span life_request(const struct scenario *s);

/* On average; INFINITY if any of them is for ever. */
double life_mean(const struct scenario *s, const struct budget *b, const struct host *host);

/* Of it, open. */
double life_mean_open(const struct scenario *s, const struct budget *b, const struct host *host);

/* All of it, where each ends as late as it may. */
double life_mean_late(const struct scenario *s, const struct budget *b, const struct host *host);

int64_t life_sum(int64_t a, int64_t b);

/* Connects that a server which is dead has not refused yet, at once: each RST comes with its SYN. */
uint64_t life_refused_most(const struct budget *b);

/* Without a FIN it is a reset, whatever the load calls it. */
enum end life_end(const struct load *load, enum end end);

/* What net.ipv4.tcp_tw_reuse does in the client's namespace. */
struct waits life_waits(const struct scenario *s);

/* Does net.ipv4.tcp_tw_reuse ask for it in this topology? Without timestamps it is in vain. */
bool life_wants_reuse(const struct scenario *s);

/* May a connect take a port out of TIME_WAIT (net.ipv4.tcp_tw_reuse)? Until one does, it is in use. Of a
 * plan whose forecast is made. */
bool life_may_wait_reused(const struct plan *p);

/* Do connections have TCP timestamps? Both ends must want them (RFC 7323); on loopback the server's
 * settings are the client's. */
bool life_has_timestamps(const struct scenario *s);

/* Does a connection in TIME_WAIT outlast a RST (net.ipv4.tcp_rfc1337)? lab/settings.c has it so, unless the
 * scenario says otherwise. */
bool life_outlasts_resets(const struct scenario *s);

/* When a load that ends with its first failure has it, where each connection fails, since it began; FOR_EVER:
 * no such end. */
struct span life_fails_ns(const struct scenario *s, const struct life *life);

/* Do both ends close connections of the load at once, so that TIME_WAIT is on either side, as the machine has
 * it? Nobody can tell what is likely then. */
bool life_races(const struct scenario *s);

/* Does a connect of the load come to an open connection? */
bool life_opens(const struct scenario *s);

/* Does a far end that never reads have no room for what is sent? Then the FIN waits behind it, and the kernel
 * gives such a connection up by its own count of probes: tcp_probe_timer(), net/ipv4/tcp_timer.c. */
bool life_leaves_unread(const struct scenario *s, const struct load *l);
