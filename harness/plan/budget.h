/* budget.h - how many connections a set of ports can carry, and for how long.
 *
 * Input:  facts and wishes as values; nothing is read from the kernel.
 * Units:  ports and connections are counted; times are nanoseconds, rates per second.
 * Errors: none. What cannot be is a budget of 0.
 * Source: TIME_WAIT holds a port for 60 s: TCP_TIMEWAIT_LEN, include/net/tcp.h. A range of an
 *         odd number of ports can lose one: __inet_hash_connect() rounds it down to pairs,
 *         net/ipv4/inet_hashtables.c.
 *         A gateway holds the port of a connection that was closed for 120 s, of one that was
 *         reset for 10 s: tcp_timeouts, net/netfilter/nf_conntrack_proto_tcp.c. Newer kernels
 *         give it to another before that if they can (nf_nat_used_tuple_harder(),
 *         net/netfilter/nf_nat_core.c), which is not to be counted on: of 1,000 connections
 *         through 32 ports 44 timed out (Linux 6.18). Of more than 128 ports not all are tried.
 *         A socket of UDP it has no end of: it holds the port for 30 s after the last packet, open or
 *         closed, and for 120 s if there was more than the answer 2 s after the first:
 *         nf_conntrack_udp_packet(), net/netfilter/nf_conntrack_proto_udp.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "host/host.h"
#include "scenario/scenario.h"

#define TIME_WAIT_NS (60 * INT64_C(1000000000))
#define FOR_EVER INT64_MAX

/* What is counted closely is so on a machine that asks for each connection no later than that after it is
 * due. */
#define BUDGET_BEHIND_NS INT64_C(20000000)

struct budget {
	uint32_t usable;   /* ports that connections to one destination can have */
	bool may_lose_one; /* an odd range: in kernel order a port can stay out of reach */
	uint32_t pairs;	   /* source address × destination */
	uint32_t spaces;   /* each has all usable ports: as many as pairs, or fewer that share */
	uint64_t capacity; /* usable × spaces */
	uint64_t first;	   /* connections before a first refusal: the capacity, where pairs take
			      turns; 0: it cannot be told */
	/* What the seed says of a load that ends its connections in several ways, or draws their
	 * destinations: connections until one finds no port, if those that keep theirs have all of a pair;
	 * where they begin by the clock, with those that have a port still. */
	struct {
		uint64_t near,
			full; /* at the earliest, where all that a load begins may be told; and
					 for sure, 0: never */
		uint64_t least, most; /* the same of a machine that is hardly ever late */
		uint64_t likely;      /* between those */
		uint64_t used,
			ports;	/* in use of one space, and of all, at most; 0: it is not told */
		double held_ns; /* for how long they keep them at least */
		bool by_clock;	/* whatever the far end does until the run ends */
	} kept;
};

/* What is not to be told exactly lies between two bounds. */
struct guess {
	double least, likely, most;
};

/* What the arithmetic says before anything runs. */
struct forecast {
	int64_t port_life_ns; /* from one connect to the next that can have its port; or FOR_EVER */
	int64_t life_least_ns; /* the same, at best */
	int64_t quiet_ns;      /* of it, after the close: TIME_WAIT, or the delay of its reuse */
	int64_t late_ns;       /* so much longer may that be, by the timer that ends it */
	uint64_t after;	       /* connections opened before the first refusal; only if counted */
	uint64_t after_least, after_most; /* as exactly as that can be told */
	struct guess at; /* when that is, in ns since the load began, or the first of them: by a
			    quick machine and a slow one */
	int64_t likely_run_ns; /* of several loads, or a pool: when it is likely, since the run began; or
				  FOR_EVER: it is not. Of others 0 */
	double rate; /* the load that the ports sustain, if no timer is late; 0: none, INFINITY: any, NAN:
			cannot be told. Of several parts (plan/part.h) it is the first's */
	double rate_sure; /* of one load, and for ever: each timer may be as late as late_ns */
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
	struct guess
		refused; /* those that had a port before the first refusal, open or not, where some are not;
				 else 0 */
	uint32_t likely_of; /* the load that is refused at likely_run_ns */
	bool times_out; /* the next one at a full gateway does for sure: none comes back while its SYN is
			   repeated */
	bool rate_is_least; /* more may be: a gateway's kernel may give ports up early */
	bool gateway_fits; /* each connection of the only load has a port of the gateway's, for sure */
	bool rate_is_limit; /* it is what network.nat.limit allows */
	bool gone;	    /* by then the server's host has vanished */
	bool exhausts;	    /* a connect will be refused */
	bool known;	    /* exhausts can be told; false where it is a race of speeds */
	bool cut_short; /* it would be, but for stop.time, which ends the run before it or may */
	bool counted;	/* either, and after how many connections; not where several loads differ */
};

/* What a gateway carries, of all its clients together. */
struct carriage {
	uint32_t each;	  /* ports to one destination, of all its addresses */
	uint32_t towards; /* destinations, as the gateway has them: redirected, they are one */
	uint64_t ports;	  /* to all destinations; endpoint-independent: each is for all of them */
	/* Connections at most: as many as that, or its limit. Where a client's port has one mapping, the
	 * further ones from that port take none. */
	uint64_t at_once;
	uint64_t least; /* of them, those that find a port for sure */
	uint64_t
		enough; /* with as many it lacks none: its clients have no more that are not one to it */
	uint64_t
		full; /* so many are sure to find it full; fewer, where a client gives few of them one port */
};

struct budget budget_make(struct port_range range, const struct port_list *reserved,
			  uint32_t pairs);

/* All pairs share so many times the usable ports. */
void budget_share(struct budget *b, uint32_t spaces);

/* As many of the usable ports are held by others. */
void budget_hold(struct budget *b, uint32_t ports);

/* Where connections of a client come from: its ports, from how many addresses, and whether no two of its
 * sockets have the same, to whichever destination. */
struct origin {
	uint32_t usable, sources;
	bool apart;
};

struct carriage carriage_make(const struct nat *nat, uint32_t destinations,
			      const struct origin *from);

bool carriage_lacks(const struct carriage *c); /* may it want for a port? */

/* Ports of the list that lie in the range. */
uint32_t ports_within(const struct port_list *list, struct port_range range);

/* The sysctl of this name as the scenario sets it, or `fallback`: what a fresh namespace starts
 * with. Of 32 bits, as all that are asked for: what the kernel refuses is found out when it is set. */
int64_t setting_number(const struct setting_list *settings, const char *name, int64_t fallback);

/* The same of one that has several numbers ("4096 131072 6291456"): the first, and the last. */
int64_t setting_first(const struct setting_list *settings, const char *name, int64_t fallback);
int64_t setting_last(const struct setting_list *settings, const char *name, int64_t fallback);

/* Connections under way at once in a closed loop: as the scenario says, or 64 (words/keys.def). */
uint32_t concurrency_of(const struct load *load);

/* How many times shorter than the kernel's own network.time_wait makes TIME_WAIT; 1: it is not. */
double acceleration_of(const struct scenario *s);

struct forecast forecast_make(const struct scenario *s, const struct budget *b,
			      const struct host *host);

/* Does its gateway forget each connection before another begins? A RST that answers a SYN, and comes within the
 * call that sends it, deletes the entry
 * (nf_conntrack_tcp_packet(), net/netfilter/nf_conntrack_proto_tcp.c); a mapping outlives it. */
bool gateway_keeps_none(const struct scenario *s);

/* How long a gateway tracks a connection after its end, a RST or else, in ns: as network.nat.sysctl
 * has it, or 10 s and 120 s. */
int64_t gateway_tracks(const struct scenario *s, bool is_reset);

/* The same of a socket of UDP after its last packet: 30 s. A mapping (network.nat.mapping_time) is
 * not tracked. */
int64_t gateway_tracks_datagrams(const struct scenario *s);

/* What a gateway makes of a forecast. Where its ports end before the client's do, connects time
 * out, and whether the client's ports run out is a race with those, unless all fit. */
void forecast_gateway(struct forecast *f, const struct scenario *s, const struct budget *b,
		      const struct carriage *c, const struct host *host);
