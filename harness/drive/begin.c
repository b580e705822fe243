/* Which request is begun next, where, and when. */
#include "drive/work.h"

#include "base/order.h"
#include "plan/choose.h"

/* The pair of a space whose turn it is. */
static uint32_t pair_in(const struct worker *w, uint32_t space)
{
	uint32_t turn =
		w->plan->scenario->network.choose == CHOOSE_SEED ? w->drawn : w->turns[space];

	return split_space(&w->split, space) * w->share + turn % w->share;
}

static uint32_t pair_next(struct worker *w, uint32_t space)
{
	uint32_t pair = pair_in(w, space);

	w->turns[space]++;
	return pair;
}

/* A request, on a connection of the pool if there is one. */
static void begin(struct worker *w, uint32_t pair)
{
	uint32_t i = pool_take(&w->pool, w->flows, pair);
	uint64_t index = w->next;

	work_pass(w, 1);
	w->under_way++;
	if (i == NO_FLOW) {
		work_open(w, work_take(w), pair, index);
		return;
	}
	w->flows[i].index = index;
	w->flows[i].busy = true;
	w->flows[i].at = OP_CHECK;
	work_ask(w, i);
}

/* The same for the same request, however often it is asked for until there is room. Spaces that are
 * out of ports are not drawn. */
static void draw_pair(struct worker *w)
{
	uint32_t open = w->rotation.open_count;

	if (open == 0)
		return;
	w->drawn = (uint32_t)choose_draw(w->plan, w->load, w->next, (uint64_t)open * w->share);
	rotation_choose(&w->rotation, w->drawn / w->share);
}

/* The pair that the next request goes to. One with an idle connection has room whatever its
 * ports are; the others wait for a pair's turn, and then for its room. */
static uint32_t pick(struct worker *w)
{
	uint32_t space;

	if (w->plan->scenario->network.choose == CHOOSE_SEED)
		draw_pair(w);
	space = rotation_turn(&w->rotation);

	if (space != NO_PAIR && pool_has_idle(&w->pool, pair_in(w, space))) {
		rotation_pass(&w->rotation);
		return pair_next(w, space);
	}
	if (space == NO_PAIR && w->pool.idle.count)
		return w->flows[w->pool.idle.last].pair;
	space = w->spare_count ? rotation_pick(&w->rotation, w->now_ns) : NO_PAIR;
	return space == NO_PAIR ? NO_PAIR : pair_next(w, space);
}

/* To where it failed, whatever is known of that destination: a client does not know it. */
static void begin_again(struct worker *w)
{
	uint32_t i = heap_take(&w->retrying, w->flows);
	struct flow before = w->flows[i];

	flow_begin(&w->flows[i], before.pair);
	w->flows[i].index = before.index;
	w->flows[i].tries = before.tries;
	w->flows[i].busy = true;
	w->tape->tally.retries++;
	work_try(w, i, false);
}

int64_t work_retry_due(const struct worker *w)
{
	return w->retrying.count ? w->flows[w->retrying.row[0]].due_ns : FOR_EVER;
}

static void note_begin(struct worker *w)
{
	if (w->begun || w->now_ns < w->pace.start_ns)
		return;
	w->begun = true;
	if (team_is_first(w->wish.team, EVENT_LOAD_BEGIN, STAGE_SOCKET, 0))
		work_note(w, EVENT_LOAD_BEGIN, NULL, 0);
}

/* The next request is behind the one that ended the load. */
static bool is_beyond(const struct worker *w)
{
	return team_stops(w->wish.team) && team_is_past(w->wish.team, w->next);
}

/* Begins what is due. While every pair is out of ports, an open model's connections are due all
 * the same: those that the rules against stalling leave out are counted as held back. */
bool work_begin_due(struct worker *w)
{
	uint64_t left = work_turn_most(w);
	bool any = false;

	note_begin(w);
	while (!w->stopping && !w->failed && left--) {
		uint64_t due = pace_due(&w->pace, w->now_ns, w->next, w->under_way);
		uint32_t pair;

		if (work_retry_due(w) <= w->now_ns) {
			begin_again(w);
			any = true;
			continue;
		}
		if (due == 0 || is_beyond(w))
			break;
		pair = pick(w);
		if (pair == NO_PAIR) {
			if (w->spare_count && pace_is_open(&w->pace) &&
			    rotation_is_empty(&w->rotation)) {
				w->tape->tally.held_back += work_of(w, due);
				work_pass(w, work_of(w, due));
			}
			break;
		}
		begin(w, pair);
		any = true;
	}
	return any;
}

bool work_may_begin(const struct worker *w)
{
	return !pace_is_over(&w->pace, w->now_ns, w->next) &&
	       (pace_is_open(&w->pace) || w->under_way < w->pace.concurrency);
}

/* When the next connection can begin. An open model's that is late already waits for room at its
 * pair, which an answer may bring sooner; where all pairs are out of ports, it is held back at
 * once. A retry takes the place of one that is due, so that it is not waited for by itself. */
int64_t work_next_begin(const struct worker *w)
{
	int64_t next = pace_next_ns(&w->pace, w->now_ns, w->next);
	int64_t room = rotation_room_ns(&w->rotation);

	if (!pace_is_open(&w->pace))
		return next > w->now_ns ? next : sooner(rotation_next_ns(&w->rotation), room);
	return next > w->now_ns || rotation_is_empty(&w->rotation) ? next : room;
}
