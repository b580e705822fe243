/* flow.h - one connection's life, with no kernel in it: which operation comes next, and what
 * came of it.
 *
 * Units:  time is nanoseconds on sys/clock.h.
 * Errors: none. An answer is what the ring says: 0 or more, or -errno.
 * Source: words/ops.def is the table.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "words/words.h"

enum { NO_FLOW = UINT32_MAX };

struct flow {
	int64_t due_ns;	     /* when it has waited long enough: for its hold, or for its timeout */
	uint64_t seq;	     /* its connect was the seq-th, from 1; 0: not asked yet */
	uint64_t index;	     /* it is the load's index-th connection, from 0 */
	uint32_t prev, next; /* in the queue that it stands in */
	uint32_t pair;	     /* of source and destination */
	uint32_t slot;	     /* of its descriptor; NO_FLOW: it has none left */
	uint32_t named;	     /* which of its source's ports, where the program names one */
	uint32_t renamed;    /* how many of them it has found taken */
	uint32_t moved;	     /* bytes of what it sends or receives now */
	uint32_t served;     /* requests done on its connection */
	uint16_t error;	     /* the first errno of its life; 0: none */
	uint8_t at;	     /* enum op */
	uint8_t stage;	     /* enum stage of that error */
	uint8_t tries;	     /* failed so far */
	uint8_t option;	     /* of the plan's table: the one that is set now */
	uint8_t end;	     /* enum end: how its connection ends */
	bool opened : 1, cancelled : 1;
	bool busy : 1;	    /* a request is at it; else it is idle, or only ending */
	bool lost : 1;	    /* its connection was ended by neither end */
	bool gone : 1;	    /* it was taken for open, and at the end found to be no more */
	bool inherited : 1; /* another process has a descriptor of its socket */
	bool sent : 1;	    /* its request, with the call that took the port */
	bool blank : 1;	    /* its life is over, and its slot has a socket without a connection */
	bool prepared : 1;  /* its socket was another connection's, and has its options still */
	bool early : 1;	    /* it was asked before any load was refused a port */
	bool again : 1;	    /* it has failed, and will be tried again */
};

/* Steps of a life: bit i stands for enum op i. */
static inline bool has_step(uint32_t steps, enum op op)
{
	return steps >> op & 1;
}

/* Puts a flow at the beginning of its life, in its slot. */
void flow_begin(struct flow *f, uint32_t pair);

/* Takes the answer to the operation that the flow is at; moves it on and returns where it is
 * now. Operations that are not among its steps are passed over. A cancelled operation counts as
 * timed out. */
enum op flow_answer(struct flow *f, int result, uint32_t steps);

bool flow_was_reset(const struct flow *f); /* by the far end, or on the way */
bool error_is_loss(int error); /* of a connection that was open, and that neither end has ended */

bool op_is_end(enum op op);
bool op_is_opening(enum op op); /* the connection is not open yet, and has not failed */
bool op_is_request(enum op op); /* … or its request is not done yet */
