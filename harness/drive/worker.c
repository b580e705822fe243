#include "drive/work.h"

#include "base/draw.h"
#include "base/order.h"
#include "drive/breach.h"
#include "plan/choose.h"
#include "sys/clock.h"

/* A signal is noticed after WAIT_NS of waiting, or a turn. */
enum { WAIT_NS = 20000000 };

/* What a turn may take, about, before the clock is looked at again; and do at most. */
enum { TURN_NS = 10000000, TURN_MOST = 64 };

static void look_at_clock(struct worker *w)
{
	w->now_ns = clock_now() - w->zero_ns;
}

/* ---- turns of the loop --------------------------------------------------- */

/* The pair of a space whose turn it is. */
static uint32_t pair_in(const struct worker *w, uint32_t space)
{
	uint32_t turn =
		w->plan->scenario->network.choose == CHOOSE_SEED ? w->drawn : w->turns[space];

	return space * w->share + turn % w->share;
}

static uint32_t pair_next(struct worker *w, uint32_t space)
{
	uint32_t pair = pair_in(w, space);

	w->turns[space]++;
	return pair;
}

/* Where the index-th request would go, were no pair out of ports. */
static uint64_t intended_pair(const struct worker *w, uint64_t index)
{
	uint32_t pairs = w->load->budget.pairs;

	return w->plan->scenario->network.choose == CHOOSE_SEED
		       ? choose_draw(w->plan, w->load, index, pairs)
		       : index % pairs;
}

/* What is to be done, whatever comes of it: the same for the same seed. */
static void note_intent(struct worker *w, uint64_t index)
{
	const struct load *l = w->load->load;
	uint64_t pair = intended_pair(w, index);
	uint64_t how = plan_end(w->plan, w->load, index) | l->request.receive << 8;

	w->intended = draw(w->intended, pair << 32 | l->request.send, draw(index, how, 0));
}

/* A request, on a connection of the pool if there is one. */
static void begin(struct worker *w, uint32_t pair)
{
	uint32_t i = pool_take(&w->pool, w->flows, pair);
	uint64_t index = w->started++;

	w->under_way++;
	note_intent(w, index);
	if (i == NO_FLOW) {
		work_open(w, w->spare[--w->spare_count], pair, index);
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
	w->drawn = (uint32_t)choose_draw(w->plan, w->load, w->started, (uint64_t)open * w->share);
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

static int64_t retry_due(const struct worker *w)
{
	return w->retrying.count ? w->flows[w->retrying.row[0]].due_ns : FOR_EVER;
}

/* How many connections one turn may begin, and how many answers it may take of a ring: as many as
 * fit into TURN_NS by what an operation cost last. A connect in a range that is more than half full
 * scans the full half inside the submit (0.7 ms of 28,232 ports, 5 to 8 ms where they are in
 * TIME_WAIT; Linux 6.18), and clock, signals and stop.time must wait for none of it. */
static uint64_t turn_most(const struct worker *w)
{
	int64_t fits = w->operation_ns > 0 ? TURN_NS / w->operation_ns : TURN_MOST;

	return fits < 1 ? 1 : fits > TURN_MOST ? TURN_MOST : (uint64_t)fits;
}

/* Begins what is due. While every pair is out of ports, an open model's connections are due all
 * the same: those that the rules against stalling leave out are counted as held back. */
static bool begin_due(struct worker *w)
{
	uint64_t left = turn_most(w);
	bool any = false;

	if (!w->begun && w->now_ns >= w->pace.start_ns) {
		w->begun = true;
		work_note(w, EVENT_LOAD_BEGIN, NULL, 0);
	}
	while (!w->stopping && !w->failed && left--) {
		uint64_t due = pace_due(&w->pace, w->now_ns, w->started, w->under_way);
		uint32_t pair;

		if (retry_due(w) <= w->now_ns) {
			begin_again(w);
			any = true;
			continue;
		}
		if (due == 0)
			break;
		pair = pick(w);
		if (pair == NO_PAIR) {
			if (w->spare_count && pace_is_open(&w->pace) &&
			    rotation_is_empty(&w->rotation)) {
				w->tape->tally.held_back += due;
				w->started += due;
			}
			break;
		}
		begin(w, pair);
		any = true;
	}
	return any;
}

/* Clients go on, and connections of the pool end, that have waited long enough. */
static bool sweep_idle(struct worker *w)
{
	bool any = false;

	while (w->pauses.count && w->pauses.due_ns[w->pauses.first] <= w->now_ns) {
		w->pauses.first = (w->pauses.first + 1) % w->pauses.room;
		w->pauses.count--;
		w->under_way--;
		any = true;
	}
	while (w->pool.idle.count && w->flows[w->pool.idle.first].due_ns <= w->now_ns &&
	       !w->stopping) {
		work_drop(w, w->pool.idle.first);
		any = true;
	}
	return any;
}

/* What has waited long enough: held connections go on, slow ones are cancelled. */
static bool sweep(struct worker *w)
{
	struct queue *const slow[] = {&w->opening, &w->awaiting};
	bool any = sweep_idle(w);
	unsigned slot;

	while (w->holding.count && w->flows[w->holding.first].due_ns <= w->now_ns && !w->stopping) {
		uint32_t i = w->holding.first;

		queue_remove(&w->holding, w->flows, i);
		work_answer(w, i, 0);
		any = true;
	}
	for (size_t q = 0; q < sizeof(slow) / sizeof(slow[0]); q++) {
		for (uint32_t i = slow[q]->first; i != NO_FLOW && w->flows[i].due_ns <= w->now_ns;
		     i = w->flows[i].next) {
			if (w->flows[i].cancelled)
				continue;
			w->flows[i].cancelled = true;
			ring_cancel(work_ring(w, i, &slot), i + UINT64_C(1));
			any = true;
		}
	}
	return any;
}

/* Answers that are not taken now are taken in the next turn: each may ask for a connect that
 * takes its time. A turn that took its time ends with the ring that it came to, and the next
 * begins behind it. */
static bool reap(struct worker *w)
{
	struct ring_answer answers[TURN_MOST];
	int64_t begin_ns = w->now_ns;
	bool any = false;

	for (uint32_t k = 0; k < w->ring_count && w->now_ns - begin_ns < TURN_NS; k++) {
		struct ring *ring = w->rings[w->ring_turn];
		unsigned n;

		w->ring_turn = (w->ring_turn + 1) % w->ring_count;
		work_submit(w, ring);
		n = ring_reap(ring, answers, (unsigned)turn_most(w));
		for (unsigned i = 0; i < n; i++)
			work_answer(w, (uint32_t)(answers[i].tag - 1), answers[i].result);
		any |= n > 0;
	}
	return any || w->now_ns - begin_ns >= TURN_NS;
}

/* The pulse is of all workers: each adds what is new of its own. */
static void tell(_Atomic uint64_t *sum, uint64_t *told, uint64_t now)
{
	atomic_fetch_add_explicit(sum, now - *told, memory_order_relaxed);
	*told = now;
}

static void publish(struct worker *w)
{
	struct pulse *p = w->wish.hooks->pulse;
	const struct tally *t = &w->tape->tally;

	tell(&p->attempted, &w->told.attempted, t->attempted);
	tell(&p->opened, &w->told.opened, t->opened);
	tell(&p->failed, &w->told.failed, t->failed);
	tell(&p->open, &w->told.open, t->opened - t->closed - t->reset);
}

static int64_t due_of(const struct worker *w, const struct queue *q)
{
	return q->count ? w->flows[q->first].due_ns : FOR_EVER;
}

/* Is there one to begin, now or later, without waiting for another to end? */
static bool may_begin(const struct worker *w)
{
	return !pace_is_over(&w->pace, w->now_ns, w->started) &&
	       (pace_is_open(&w->pace) || w->under_way < w->pace.concurrency);
}

/* When the next connection can begin. An open model's that is late already waits for room at its
 * pair, which an answer may bring sooner; where all pairs are out of ports, it is held back at
 * once. A retry takes the place of one that is due, so that it is not waited for by itself. */
static int64_t next_begin(const struct worker *w)
{
	int64_t next = pace_next_ns(&w->pace, w->now_ns, w->started);
	int64_t room = rotation_room_ns(&w->rotation);

	if (!pace_is_open(&w->pace))
		return next > w->now_ns ? next : sooner(rotation_next_ns(&w->rotation), room);
	return next > w->now_ns || rotation_is_empty(&w->rotation) ? next : room;
}

/* When there is something to do that no answer will bring. */
static int64_t next_due(const struct worker *w)
{
	int64_t due = w->now_ns + WAIT_NS;

	due = sooner(due, due_of(w, &w->opening));
	due = sooner(due, due_of(w, &w->awaiting));
	if (!w->stopping) {
		due = sooner(due, due_of(w, &w->holding));
		due = sooner(due, retry_due(w));
		due = sooner(due, due_of(w, &w->pool.idle));
		if (w->pauses.count)
			due = sooner(due, w->pauses.due_ns[w->pauses.first]);
		due = sooner(due, w->stop_ns);
		due = sooner(due, w->plan->scenario->stop.time);
		if (w->spare_count && may_begin(w))
			due = sooner(due, next_begin(w));
	}
	return due > w->now_ns ? due : w->now_ns;
}

/* Of lines about all loads: by the books of all, which are copied for it. */
static int find_breach_of_run(struct worker *w)
{
	const struct pulse *pulse = w->wish.hooks->pulse;
	struct tape all;

	if (!w->wish.company)
		return breach_find(w->plan, 0, w->tape, pulse, w->now_ns);
	company_books(w->wish.company, (uint32_t)(w->load - w->plan->loads), w->tape, &all);
	return breach_find(w->plan, 0, &all, pulse, w->now_ns);
}

static int find_breach(struct worker *w)
{
	unsigned load = (unsigned)(w->load - w->plan->loads) + 1;
	int line = w->watches_run ? find_breach_of_run(w) : -1;

	if (line < 0 && w->watches_load)
		line = breach_find(w->plan, load, w->tape, w->wish.hooks->pulse, w->now_ns);
	return line;
}

/* Is the load over? Stopping waits for what is being opened or closed, and leaves what is open
 * as it is. */
static void look_for_end(struct worker *w)
{
	const struct scenario *s = w->plan->scenario;
	struct tape *t = w->tape;

	if (w->now_ns >= sooner(w->stop_ns, company_stop_ns(w->wish.company)))
		work_stop(w);
	if (t->aborted < 0 && (t->aborted = find_breach(w)) >= 0) {
		work_note(w, EVENT_ABORTED, NULL, t->aborted);
		work_stop(w);
		company_stop(w->wish.company, w->now_ns);
	}
	if (*w->wish.hooks->interrupted) {
		t->interrupted = *w->wish.hooks->interrupted;
		work_note(w, EVENT_INTERRUPTED, NULL, t->interrupted);
		w->over = true;
	} else if (w->stopping) {
		w->over = w->under_way + w->ending == w->holding.count + w->awaiting.count +
							      w->retrying.count + w->pauses.count;
	} else if (pace_is_over(&w->pace, w->now_ns, w->started)) {
		w->over = w->under_way == w->pauses.count && w->ending == 0;
		if (!w->peaked && !w->over && w->opening.count + w->retrying.count == 0)
			w->wish.edge(w->wish.context);
		w->peaked |= w->opening.count + w->retrying.count == 0;
	}
	if (!w->over && w->now_ns >= s->stop.time) {
		t->cut_short = !w->stopping && (w->pace.total || w->pace.duration_ns);
		if (t->cut_short)
			work_note(w, EVENT_CUT_SHORT, NULL, 0);
		w->over = true;
	}
	w->over |= w->failed || t->write_error || atomic_load(&w->wish.hooks->pulse->broken);
}

static void close_books(struct worker *w)
{
	struct tally *t = &w->tape->tally;

	work_stop(w);			 /* an end by itself is one too */
	t->gave_up += w->retrying.count; /* nobody tries them again */
	t->requests_failed += w->load->requests ? w->retrying.count : 0;
	for (uint32_t i = 0; i < w->load->slots; i++) {
		enum op at = (enum op)w->flows[i].at;

		if (op_is_end(at))
			continue;
		if (w->flows[i].opened)
			t->open++;
		else if (op_is_opening(at))
			t->in_flight++;
	}
}

bool worker_run(struct worker *w, int64_t zero_ns, struct err *err)
{
	struct tape *t = w->tape;

	w->zero_ns = zero_ns;
	w->err = err;
	look_at_clock(w);
	t->begin_ns = w->pace.start_ns;
	for (look_for_end(w); !w->over; look_for_end(w)) {
		bool busy = begin_due(w);

		busy |= sweep(w);
		busy |= reap(w);
		publish(w);
		look_at_clock(w);
		if (!busy) {
			rings_wait(w->rings, w->ring_count, -1, next_due(w) - w->now_ns);
			look_at_clock(w);
		}
	}
	t->end_ns = w->now_ns;
	t->begin_ns = sooner(t->begin_ns, t->end_ns); /* the run may have ended before it began */
	t->complete = !w->failed && !t->interrupted && !t->cut_short && !t->write_error &&
		      !atomic_load(&w->wish.hooks->pulse->broken);
	t->intended = w->intended;
	close_books(w);
	work_note(w, EVENT_LOAD_END, NULL, (int64_t)t->tally.opened);
	return !w->failed;
}
