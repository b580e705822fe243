#include "drive/rotation.h"

#include <string.h>

bool rotation_open(struct rotation *r, uint32_t pairs, uint32_t usable, uint32_t batch,
		   struct arena *arena)
{
	*r = (struct rotation){
		.pairs = ARENA_TRY(arena, struct pair, pairs),
		.open = ARENA_TRY(arena, uint32_t, pairs),
		.out = ARENA_TRY(arena, uint32_t, pairs),
		.open_count = pairs,
		.usable = usable,
		.batch = batch,
	};
	if (!r->pairs || !r->open || !r->out)
		return false;
	for (uint32_t i = 0; i < pairs; i++)
		r->open[i] = i;
	return true;
}

void rotation_pass(struct rotation *r)
{
	r->at = (r->at + 1) % r->open_count;
}

uint32_t rotation_pick(struct rotation *r, int64_t now_ns)
{
	uint32_t pair;

	for (uint32_t i = 0; i < r->out_count; i++)
		if (pair_retry_ns(&r->pairs[r->out[i]]) <= now_ns)
			return r->out[i];
	if (r->open_count == 0)
		return NO_PAIR;
	pair = r->open[r->at];
	if (pair_room_ns(&r->pairs[pair], r->usable, r->batch) > now_ns)
		return NO_PAIR;
	rotation_pass(r);
	return pair;
}

uint32_t rotation_turn(const struct rotation *r)
{
	return r->open_count ? r->open[r->at] : NO_PAIR;
}

int64_t rotation_room_ns(const struct rotation *r)
{
	return r->open_count ? pair_room_ns(&r->pairs[r->open[r->at]], r->usable, r->batch)
			     : INT64_MAX;
}

bool rotation_is_empty(const struct rotation *r)
{
	return r->open_count == 0;
}

int64_t rotation_next_ns(const struct rotation *r)
{
	int64_t next = INT64_MAX;

	for (uint32_t i = 0; i < r->out_count; i++) {
		int64_t retry_ns = pair_retry_ns(&r->pairs[r->out[i]]);

		if (retry_ns < next)
			next = retry_ns;
	}
	return next;
}

/* Takes a pair out of a list, keeping the order of the others; returns where it stood. */
static uint32_t take(uint32_t *list, uint32_t *count, uint32_t pair)
{
	uint32_t i = 0;

	while (list[i] != pair)
		i++;
	memmove(&list[i], &list[i + 1], sizeof(*list) * (--*count - i));
	return i;
}

void rotation_leave(struct rotation *r, uint32_t pair)
{
	uint32_t stood = take(r->open, &r->open_count, pair);

	if (stood < r->at)
		r->at--;
	if (r->at >= r->open_count)
		r->at = 0;
	r->out[r->out_count++] = pair;
}

void rotation_return(struct rotation *r, uint32_t pair)
{
	take(r->out, &r->out_count, pair);
	r->open[r->open_count++] = pair;
}
