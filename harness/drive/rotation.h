/* rotation.h - which pair of source and destination the next connection goes to; or, where bind()
 * takes ports for several destinations, which of those pairs' common spaces of ports. What is a
 * pair below is then such a space.
 *
 * Strictly in turn: a pair that has no room at this moment is waited for, not passed over, so
 * that all of them fill alike and a count at the first refusal is exact. Pairs that are out of
 * ports leave the rotation until a retry succeeds.
 *
 * Units:   nanoseconds since the load began.
 * Errors:  none; pure.
 */
#pragma once

#include "base/arena.h"
#include "drive/pair.h"

enum { NO_PAIR = UINT32_MAX };

struct rotation {
	struct pair *pairs;
	uint32_t *open, open_count, at; /* those in the rotation, and whose turn it is */
	uint32_t *out, out_count;	/* those out of ports */
	uint32_t usable, batch;
};

/* False if the arena has no room. */
bool rotation_open(struct rotation *r, uint32_t pairs, uint32_t usable, uint32_t batch,
		   struct arena *arena);

static inline struct pair *rotation_pair(const struct rotation *r, uint32_t i)
{
	return &r->pairs[i];
}

/* The pair to ask now, or NO_PAIR: one whose retry is due, else the one whose turn it is, if it
 * has room. */
uint32_t rotation_pick(struct rotation *r, int64_t now_ns);

/* Whose turn it is, with room or without, for a connection that is there already; NO_PAIR: all
 * are out of ports. */
uint32_t rotation_turn(const struct rotation *r);
void rotation_pass(struct rotation *r); /* it has had its turn */

/* Another's turn it is: that of the i-th in the rotation. */
static inline void rotation_choose(struct rotation *r, uint32_t i)
{
	r->at = i;
}

/* When one of the rotation could be begun, were it due; INT64_MAX: all are out of ports. */
int64_t rotation_room_ns(const struct rotation *r);
bool rotation_is_empty(const struct rotation *r);	 /* every pair is out of ports */
int64_t rotation_next_ns(const struct rotation *r);	 /* the next retry; INT64_MAX: none */
void rotation_leave(struct rotation *r, uint32_t pair);	 /* it is out of ports */
void rotation_return(struct rotation *r, uint32_t pair); /* it has ports again */
