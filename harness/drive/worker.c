#include "drive/work.h"

#include "base/order.h"
#include "sys/clock.h"

/* A signal is noticed after WAIT_NS of waiting, or a turn. */
enum { WAIT_NS = 20000000 };

/* What a turn may take, about, before the clock is looked at again; and do at most. */
enum { TURN_NS = 10000000, TURN_MOST = 64 };

static void look_at_clock(struct worker *w)
{
	w->now_ns = clock_now() - w->zero_ns;
}

/* How many connections one turn may begin, and how many answers it may take of a ring: as many as
 * fit into TURN_NS by what an operation cost last. A connect in a range that is more than half full
 * scans the full half inside the submit (0.7 ms of 28,232 ports, 5 to 8 ms where they are in
 * TIME_WAIT; Linux 6.18), and clock, signals and stop.time must wait for none of it. */
uint64_t work_turn_most(const struct worker *w)
{
	int64_t each_ns = later(w->scan_ns, w->plain_ns),
		fits = each_ns > 0 ? TURN_NS / each_ns : TURN_MOST;

	return fits < 1 ? 1 : fits > TURN_MOST ? TURN_MOST : (uint64_t)fits;
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
		n = ring_reap(ring, answers, (unsigned)work_turn_most(w));
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

/* The peak of the load's is not the sum of its workers'. */
static void share(struct worker *w)
{
	struct tape *t = w->tape;
	uint64_t opened = t->tally.opened, ended = t->tally.closed + t->tally.reset + t->tally.lost;
	uint64_t open = team_tell(w->wish.team, opened - w->shared.opened, ended - w->shared.ended);

	w->shared.opened = opened;
	w->shared.ended = ended;
	if (w->now_ns < w->far_keeps_ns && open > t->open_peak)
		t->open_peak = open;
}

static void publish(struct worker *w)
{
	struct pulse *p = w->wish.hooks->pulse;
	const struct tally *t = &w->tape->tally;

	tell(&p->attempted, &w->told.attempted, t->attempted);
	tell(&p->opened, &w->told.opened, t->opened);
	tell(&p->failed, &w->told.failed, t->failed);
	tell(&p->open, &w->told.open, t->opened - t->closed - t->reset - t->lost);
	if (w->wish.team)
		share(w);
}

static int64_t due_of(const struct worker *w, const struct queue *q)
{
	return q->count ? w->flows[q->first].due_ns : FOR_EVER;
}

/* When there is something to do that no answer will bring. */
static int64_t next_due(const struct worker *w)
{
	int64_t due = w->now_ns + WAIT_NS;

	due = sooner(due, due_of(w, &w->opening));
	due = sooner(due, due_of(w, &w->awaiting));
	if (!w->stopping) {
		due = sooner(due, due_of(w, &w->holding));
		due = sooner(due, work_retry_due(w));
		due = sooner(due, due_of(w, &w->pool.idle));
		if (w->pauses.count)
			due = sooner(due, w->pauses.due_ns[w->pauses.first]);
		if (w->stop_ns > w->now_ns) /* or others have to come as far as this one */
			due = sooner(due, w->stop_ns);
		due = sooner(due, w->plan->scenario->stop.time);
		if (w->spare_count && work_may_begin(w))
			due = sooner(due, work_next_begin(w));
	}
	return due > w->now_ns ? due : w->now_ns;
}

bool worker_run(struct worker *w, int64_t zero_ns, struct err *err)
{
	struct tape *t = w->tape;

	w->zero_ns = zero_ns;
	w->err = err;
	work_watch_resets(w);
	look_at_clock(w);
	t->begin_ns = w->pace.start_ns;
	for (work_look_for_end(w); !w->over; work_look_for_end(w)) {
		bool busy = work_begin_due(w);

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
	work_find_lost(w);
	w->now_ns = t->end_ns; /* what falls due while it looks is nobody's */
	work_close_books(w);
	publish(w);
	if (team_leave(w->wish.team))
		work_note(w, EVENT_LOAD_END, NULL, (int64_t)work_opened(w));
	return !w->failed;
}
