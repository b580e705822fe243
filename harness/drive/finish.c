/* The end of a load: when it is over, and what its books say then. */
#include "drive/work.h"

#include "base/order.h"
#include "drive/breach.h"

/* What an open model was behind at this moment. */
static uint64_t late(const struct worker *w)
{
	struct pace p = w->pace;
	int64_t end_ns = p.duration_ns && p.start_ns + p.duration_ns <= w->now_ns
				 ? p.start_ns + p.duration_ns - 1
				 : w->now_ns;

	p.duration_ns = 0;
	return pace_is_open(&p) ? pace_due(&p, end_ns, w->started, 0) : 0;
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
void work_look_for_end(struct worker *w)
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

void work_close_books(struct worker *w)
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
