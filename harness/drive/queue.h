/* queue.h - flows in order of their due time, as links in the flows themselves: nothing is
 * allocated.
 *
 * Every flow of a queue waits equally long, so whoever came first is due first. */
#pragma once

#include "drive/flow.h"

struct queue {
	uint32_t first, last, count;
};

#define QUEUE_EMPTY ((struct queue){NO_FLOW, NO_FLOW, 0})

void queue_add(struct queue *q, struct flow *flows, uint32_t i);
void queue_remove(struct queue *q, struct flow *flows, uint32_t i);
