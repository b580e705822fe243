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
	uint64_t together; /* connections that all loads of the plan can have; 0: as this one's */
	/* Where a load ends its connections in several ways, or draws their destinations, the seed says
	 * which keep their ports: connections are counted by it. A refusal is the number of the first
	 * connection that finds no port, counted from 0; 0: none does. */
	struct {
		uint64_t near; /* no refusal before it, on any machine */
		uint64_t full; /* a refusal by then for sure, on any machine */
		uint64_t least, likely,
			most; /* the refusal, where the machine is hardly ever late */
		uint64_t used,
			ports;	/* in use at once at most, of one space and of all; 0: not told */
		double held_ns; /* for so long at least those before it keep their ports */
		bool by_clock; /* all are begun by the clock, and that holds for the whole run, whatever
				  the far end does */
	} kept;
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

/* Ports of one space that a connection of the load may lack, though no other of a load has them: one of an odd
 * range where the search is connect()'s, and one that a connect which is timed by itself has (drive/prober.c). */
uint32_t budget_lost(const struct budget *b, const struct scenario *s, const struct load *load);

/* The budget without those: as many are found for sure. */
struct budget budget_surely(const struct budget *b, const struct scenario *s,
			    const struct load *load);

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
