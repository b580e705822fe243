/* speed.h - when a load's connections are begun, if the machine is quick and if it is slow.
 *
 * Input:  a scenario whose `load` is the one that is asked about.
 * Units:  nanoseconds since the load began.
 * Errors: none; pure.
 */
#pragma once

#include "plan/life.h"

/* When connection n, counted from 0, is begun: in an open loop by the clock, unless the machine
 * falls behind; in a closed one after those before it. All ports are free in the beginning, and
 * none is given back. */
struct guess speed_pace(const struct scenario *s, const struct budget *b, const struct life *life,
			uint64_t n);

/* Of a closed loop, from one connection of a client to its next, on a machine whose timers are late each
 * time: by LIFE_SLACK, or by as long as they wait, if that is less. Four rounds of 340 ms were 42 ms late. */
double speed_round_most_ns(double round_ns);

/* So long may a machine be held up: what is due meanwhile begins together. */
#define SPEED_STALL_NS INT64_C(250000000)

/* A close may be late by this much, of what has its port for a time: with room for 32 ms a load ran out of
 * ports in one run of three on a busy machine, with room for 67 ms in none. Where loads share ports it is
 * SPEED_STALL_NS. */
#define SPEED_CLOSE_LATE_NS INT64_C(50000000)

/* What a connect takes, as long as the first half of the ports is not in use: 13 us
 * were measured over loopback, 37 us over veth, on Linux 6.18; the bounds leave room
 * for machines faster and ten times slower. */
#define SPEED_CONNECT_NS 40e3
#define SPEED_MOST_NS 200e3

/* On a machine that is quicker than any. A connect of UDP sends nothing: 1.6 us were measured. */
static inline double speed_least_ns(const struct load *load)
{
	return load->protocol == PROTOCOL_UDP ? 500 : 5000;
}

/* What a connection may take, and a thread be held up, on the slowest machine that is
 * planned for: twice what a load alone is allowed. */
#define SPEED_SLOWEST_NS 400e3
#define SPEED_HELD_UP_NS 100e6

/* So many times as long where several loads have one processor, each of which may be at work. */
static inline double speed_crowd(uint32_t loads)
{
	return loads > 2 ? loads / 2. : 1;
}

/* Ports of a pair from which on each port that is asked for is looked for among all of them; 0:
 * there is no such half, and no connect is slower than another. */
uint32_t speed_half(const struct load *load, const struct budget *b);

/* Does a slow machine do what falls due while it is held up in as long again, with so
 * many ports of a pair in use? Else what is begun is not looked at in time, and more
 * and more is open at once. */
bool speed_keeps_up(const struct load_plan *lp, double used);

/* What a connect takes more from there on. */
struct guess speed_scan_ns(const struct load *load, const struct budget *b, int64_t quiet_ns);

/* For how long connections are begun; without stop.time. */
double speed_lasts_ns(const struct load *load);

/* For how long connections are begun. */
double speed_ends_ns(const struct scenario *s);

/* Is a backlog full after some connections of a load, so that others hang? */
bool speed_fills(const struct scenario *s, const struct load *l);

/* When the far end begins to do other than its behaviour says to a load, since that began: it dies, or its
 * backlog is full. */
double speed_changes_ns(const struct scenario *s, const struct load *l);
