/* pair.h - what is known of one source address and one destination: how many ports they hold,
 * and whether any is left.
 *
 * Every pair has the whole range to itself, so that it is a pair that is exhausted, never the
 * range. A refused connect scans that range inside the submit (28,232 ports: 1.3 to 2 ms, Linux
 * 6.18), and all that the ring carries waits for it. So a pair that refused is left out of the
 * rotation, asked again three times to be sure, and then ever more seldom, at most a hundredth
 * of the time; its first success brings it back.
 *
 * Units:   nanoseconds, on whatever clock the caller uses throughout.
 * Errors:  none; pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum pair_state { PAIR_OPEN, PAIR_SUSPECT, PAIR_EXHAUSTED };

struct pair {
	int64_t asked_ns;   /* its last connect */
	int64_t refused_ns; /* when its exhaustion began */
	uint64_t
		refused_seq; /* and of which connect: those before it say nothing of what is after */
	int64_t retry_ns;    /* not asked again before */
	int64_t wait_ns;     /* between the last two asks */
	uint32_t holding;    /* ports, by the driver's books: at most so many, TIME_WAIT included */
	uint32_t open;	     /* of those: connections that neither end has ended */
	uint32_t in_flight;  /* connects not answered */
	uint32_t preparing;  /* of those, not asked yet: a socket is being made */
	uint8_t state;	     /* enum pair_state */
	uint8_t refusals;    /* since it was open */
	bool windowed;	     /* IP_LOCAL_PORT_RANGE is set on its sockets */
};

/* Of a pair in the rotation: when may one more connect be asked? Near its capacity it has one at
 * a time that may be refused, so that no batch of refusals stalls the ring. */
int64_t pair_room_ns(const struct pair *p, uint32_t usable, uint32_t batch);

/* Of a pair out of the rotation: when is it time to ask again? */
int64_t pair_retry_ns(const struct pair *p);

/* The seq-th connect was refused for want of a port; it cost the ring cost_ns. Returns the state from
 * here on. */
enum pair_state pair_refused(struct pair *p, uint64_t seq, int64_t now_ns, int64_t cost_ns);

/* The seq-th connect succeeded. Returns how long the pair had been out of ports, or -1 if it was
 * not; or is still, since that connect was asked, and had its port, before the one that was refused. */
int64_t pair_opened(struct pair *p, uint64_t seq, int64_t now_ns);
