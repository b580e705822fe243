/* pool.h - connections of a load that are kept open between requests, by pair.
 *
 * The one that became idle last is taken first, as pools do that want the others to time out.
 * How many of a pair may be idle is the pool's bound; those beyond it are closed after one use,
 * which is where the hidden churn of a small pool comes from.
 *
 * Units:     the caller's queue order: whoever became idle first is first of `idle`.
 * Ownership: arrays are in the arena; of a load without a pool there are none.
 * Errors:    none; pure.
 */
#pragma once

#include "base/arena.h"
#include "drive/queue.h"

struct pool_link {
	uint32_t under, over; /* of the same pair: became idle before it, and after */
};

struct pool {
	uint32_t *top;		 /* of each pair: the one that became idle last; NO_FLOW: none is */
	uint32_t *count;	 /* of each pair */
	struct pool_link *links; /* of each flow */
	struct queue idle;	 /* of all pairs */
	uint32_t most;		 /* idle ones of a pair */
};

/* False if the arena has no room. */
bool pool_open(struct pool *p, uint32_t pairs, uint32_t flows, uint32_t most, struct arena *arena);

static inline bool pool_has_room(const struct pool *p, uint32_t pair)
{
	return p->top && p->count[pair] < p->most;
}

static inline bool pool_has_idle(const struct pool *p, uint32_t pair)
{
	return p->top && p->count[pair] > 0;
}

void pool_put(struct pool *p, struct flow *flows, uint32_t i);
void pool_remove(struct pool *p, struct flow *flows, uint32_t i);

/* The one of the pair that became idle last, removed; NO_FLOW: none is. */
uint32_t pool_take(struct pool *p, struct flow *flows, uint32_t pair);
