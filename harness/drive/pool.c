#include "drive/pool.h"

bool pool_open(struct pool *p, uint32_t pairs, uint32_t flows, uint32_t most, struct arena *arena)
{
	*p = (struct pool){.idle = QUEUE_EMPTY, .most = most};
	if (most == 0)
		return true;
	p->top = ARENA_TRY(arena, uint32_t, pairs);
	p->count = ARENA_TRY(arena, uint32_t, pairs);
	p->links = ARENA_TRY(arena, struct pool_link, flows);
	if (!p->top || !p->count || !p->links)
		return false;
	for (uint32_t i = 0; i < pairs; i++)
		p->top[i] = NO_FLOW;
	return true;
}

void pool_put(struct pool *p, struct flow *flows, uint32_t i)
{
	uint32_t pair = flows[i].pair, under = p->top[pair];

	p->links[i] = (struct pool_link){under, NO_FLOW};
	if (under != NO_FLOW)
		p->links[under].over = i;
	p->top[pair] = i;
	p->count[pair]++;
	queue_add(&p->idle, flows, i);
}

void pool_remove(struct pool *p, struct flow *flows, uint32_t i)
{
	struct pool_link *link = &p->links[i];
	uint32_t pair = flows[i].pair;

	if (link->under != NO_FLOW)
		p->links[link->under].over = link->over;
	if (link->over != NO_FLOW)
		p->links[link->over].under = link->under;
	else
		p->top[pair] = link->under;
	p->count[pair]--;
	queue_remove(&p->idle, flows, i);
}

uint32_t pool_take(struct pool *p, struct flow *flows, uint32_t pair)
{
	uint32_t i = p->top ? p->top[pair] : NO_FLOW;

	if (i != NO_FLOW)
		pool_remove(p, flows, i);
	return i;
}
