/* The end of a load: when it is over, and what its books say then. */
#include "drive/work.h"

#include "base/order.h"
#include "drive/breach.h"
#include "sys/clock.h"

/* What an open model was behind at this moment. What falls due just as its time ends, the load's
 * or the run's, was never to begin. */
static uint64_t late(const struct worker *w)
{
	struct pace p = w->pace;
	int64_t ends_ns = w->plan->scenario->stop.time;

	if (p.duration_ns)
		ends_ns = sooner(ends_ns, p.start_ns + p.duration_ns);
	p.duration_ns = 0;
	return pace_is_open(&p)
		       ? work_of(w, pace_due(&p, sooner(w->now_ns, ends_ns - 1), w->next, 0))
		       : 0;
}

/* What falls due from here on is nobody's. While every pair is out of ports, lateness is not
 * why. */
void work_stop(struct worker *w)
{
	struct tally *t = &w->tape->tally;

	if (w->stopping)
		return;
	w->stopping = true;
	*(rotation_is_empty(&w->rotation) ? &t->held_back : &t->late) += late(w);
}

void work_end(struct worker *w, const struct flow *f)
{
	w->tape->tally.stopped++;
	team_stop(w->wish.team, f->index);
	work_stop(w);
}

/* Of lines about one load, or about all: by the books of all of its workers, which are copied for
 * it. */
static int find_breach_of(struct worker *w, unsigned load)
{
	const struct pulse *pulse = w->wish.hooks->pulse;
	struct tape all;

	if (!w->wish.company || (load && !w->wish.team))
		return breach_find(w->plan, load, w->tape, pulse, w->now_ns);
	company_books(w->wish.company, w->wish.seat, w->tape, load, &all);
	return breach_find(w->plan, load, &all, pulse, w->now_ns);
}

static int find_breach(struct worker *w)
{
	unsigned load = (unsigned)(w->load - w->plan->loads) + 1;
	int line = w->watches_run ? find_breach_of(w, 0) : -1;

	return line < 0 && w->watches_load ? find_breach_of(w, load) : line;
}

/* What all workers of a load meet is told once. */
static void note_once(struct worker *w, enum event_kind kind, int value)
{
	if (team_is_first(w->wish.team, kind, STAGE_SOCKET, 0))
		work_note(w, kind, NULL, value);
}

static bool is_at_rest(const struct worker *w)
{
	return w->under_way + w->ending ==
	       w->holding.count + w->awaiting.count + w->retrying.count + w->pauses.count;
}

/* Of the requests before the one that was refused, none of this worker's can be begun any more:
 * they are, or what they wait for is not about to end. */
static bool has_caught_up(const struct worker *w)
{
	bool has_room = (w->spare_count && !rotation_is_empty(&w->rotation)) || w->pool.idle.count;
	bool may_begin = has_room && pace_due(&w->pace, w->now_ns, w->next, w->under_way) > 0;

	return team_is_past(w->wish.team, w->next) || (is_at_rest(w) && !may_begin);
}

static void look_for_stop(struct worker *w)
{
	bool stops = w->now_ns >= sooner(w->stop_ns, company_stop_ns(w->wish.company)) ||
		     team_stops(w->wish.team);
	struct tape *t = w->tape;

	/* What came before the refusal is due by now, however long ago this thread had its turn. */
	if (stops && w->wish.team)
		w->now_ns = clock_now() - w->zero_ns;
	if (stops && has_caught_up(w))
		work_stop(w);
	if (t->aborted >= 0 || (t->aborted = find_breach(w)) < 0)
		return;
	note_once(w, EVENT_ABORTED, t->aborted);
	work_stop(w);
	company_stop(w->wish.company, w->now_ns);
}

/* Stopping waits for what is being opened or closed, and leaves what is open as it is. */
static bool is_over(struct worker *w)
{
	bool opened = w->opening.count + w->retrying.count == 0, over;

	if (w->stopping)
		return is_at_rest(w);
	if (!pace_is_over(&w->pace, w->now_ns, w->next))
		return false;
	over = w->under_way == w->pauses.count && w->ending == 0;
	if (!w->peaked && !over && opened)
		w->wish.edge(w->wish.context);
	w->peaked |= opened;
	return over;
}

void work_look_for_end(struct worker *w)
{
	struct tape *t = w->tape;

	look_for_stop(w);
	w->over = is_over(w);
	if (*w->wish.hooks->interrupted) {
		t->interrupted = *w->wish.hooks->interrupted;
		note_once(w, EVENT_INTERRUPTED, t->interrupted);
		w->over = true;
	}
	if (!w->over && w->now_ns >= w->plan->scenario->stop.time) {
		t->cut_short = !w->stopping && (w->pace.total || w->pace.duration_ns);
		if (t->cut_short)
			note_once(w, EVENT_CUT_SHORT, 0);
		w->over = true;
	}
	w->over |= w->failed || t->write_error || atomic_load(&w->wish.hooks->pulse->broken);
}

void work_close_books(struct worker *w)
{
	struct tally *t = &w->tape->tally;

	work_stop(w);			 /* an end by itself is one too */
	t->gave_up += w->retrying.count; /* nobody tries them again */
	t->requests_failed += w->load->requests ? w->retrying.count : 0;
	for (uint32_t i = 0; i < w->flow_fresh; i++) {
		enum op at = (enum op)w->flows[i].at;

		if (op_is_end(at))
			continue;
		if (w->flows[i].opened)
			t->open += !w->flows[i].gone;
		else if (op_is_opening(at))
			t->in_flight++;
	}
}
