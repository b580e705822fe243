/* heap.h - flows that wait for unequally long, the next due on top: a row of their indices, sized
 * once.
 *
 * Who waits equally long stands in a queue (queue.h), which is cheaper.
 */
#pragma once

#include "base/arena.h"
#include "drive/flow.h"

struct heap {
	uint32_t *row; /* room for every flow */
	uint32_t count;
};

bool heap_open(struct heap *h, uint32_t room, struct arena *arena); /* false: no memory */

/* A flow whose due_ns is set, and does not change while it is in here. */
void heap_add(struct heap *h, const struct flow *flows, uint32_t i);

/* Takes out the one that is due first; there must be one. */
uint32_t heap_take(struct heap *h, const struct flow *flows);
