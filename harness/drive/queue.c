#include "drive/queue.h"

void queue_add(struct queue *q, struct flow *flows, uint32_t i)
{
	flows[i].prev = q->last;
	flows[i].next = NO_FLOW;
	if (q->last == NO_FLOW)
		q->first = i;
	else
		flows[q->last].next = i;
	q->last = i;
	q->count++;
}

void queue_remove(struct queue *q, struct flow *flows, uint32_t i)
{
	struct flow *f = &flows[i];

	if (f->prev == NO_FLOW)
		q->first = f->next;
	else
		flows[f->prev].next = f->next;
	if (f->next == NO_FLOW)
		q->last = f->prev;
	else
		flows[f->next].prev = f->prev;
	f->prev = f->next = NO_FLOW;
	q->count--;
}
