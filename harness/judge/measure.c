#include "judge/judge.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "judge/books.h"
#include "judge/foretold.h"
#include "judge/measure_part.h"
#include "judge/outlook.h"
#include "judge/whose.h"
#include "plan/part.h"

static void measure_books(struct measures *out, const struct tape *tape)
{
	const struct tally *t = &tape->tally;
	double elapsed = (double)(tape->end_ns - tape->begin_ns);

	measure_set(out, MEASURE_CONNECTS_ATTEMPTED, (double)t->attempted);
	measure_set(out, MEASURE_CONNECTS_OPENED, (double)t->opened);
	measure_set(out, MEASURE_CONNECTS_FAILED, (double)t->failed);
	measure_set(out, MEASURE_RETRIES, (double)t->retries);
	measure_set(out, MEASURE_GAVE_UP, (double)t->gave_up);
	measure_set(out, MEASURE_CONNECTS_IN_FLIGHT, (double)t->in_flight);
	measure_set(out, MEASURE_CONNECTS_HELD_BACK, (double)t->held_back);
	measure_set(out, MEASURE_CONNECTS_LATE, (double)t->late);
	measure_set_if(out, MEASURE_CONNECTS_BEHIND, tape->behind_ns > 0, (double)tape->behind_ns);
	measure_set(out, MEASURE_CONNECTS_OPEN, (double)t->open);
	measure_set(out, MEASURE_CONNECTS_CLOSED, (double)t->closed);
	measure_set(out, MEASURE_CONNECTS_RESET, (double)t->reset);
	measure_set(out, MEASURE_LEAKED, (double)t->leaked);
	measure_set(out, MEASURE_INHERITED, (double)t->inherited);
	measure_set(out, MEASURE_CONNECTS_LOST, (double)t->lost);
	measure_set(out, MEASURE_SELF_CONNECTS, (double)t->self_connects);
	measure_set(out, MEASURE_RECONCILED, tally_balances(t));
	measure_set_if(out, MEASURE_ELAPSED, elapsed > 0, elapsed);
	measure_set_if(out, MEASURE_CONNECTS_RATE, elapsed > 0, (double)t->opened * 1e9 / elapsed);
}

/* Of a closed loop that nothing failed of: what it comes to by its own arithmetic, and by how much it
 * took longer than the rounds that it has done. */
static void measure_rounds(struct measures *out, const struct tape *tape, const struct plan *plan)
{
	const struct tally *t = &tape->tally;
	double each = (double)outlook_round_ns(plan), at_once = plan->loads[0].concurrency,
	       elapsed = (double)(tape->end_ns - tape->begin_ns), done;

	if (each <= 0 || elapsed <= 0 || t->failed + t->requests_failed > 0)
		return;
	done = load_is_pooled(plan->loads[0].load) ? (double)t->requests_done : (double)t->opened;
	measure_set(out, MEASURE_ROUNDS_ASKED, at_once * 1e9 / each);
	measure_set(out, MEASURE_ROUNDS_RATE, done * 1e9 / elapsed);
	measure_set(out, MEASURE_ROUNDS_BEHIND, fmax(elapsed - ceil(done / at_once) * each, 0));
}

static void measure_requests(struct measures *out, const struct tape *tape, const struct plan *plan)
{
	const struct tally *t = &tape->tally;
	double done = (double)t->requests_done;

	measure_set_if(out, MEASURE_REQUESTS_DONE, plan_has_requests(plan), done);
	measure_set_if(out, MEASURE_REQUESTS_FAILED, plan_has_requests(plan),
		       (double)t->requests_failed);
	measure_set_if(out, MEASURE_REUSE_RATIO, t->requests_done > 0,
		       done > 0 ? (double)t->requests_reused / done : 0);
}

static void measure_exhaustion(struct measures *out, const struct tape *tape,
			       const struct plan *plan)
{
	bool refused = tape->exhausted && tape->refused_at_ns >= 0;
	bool recovered = tape->exhausted && tape->recovered_ns >= 0;

	measure_set(out, MEASURE_EXHAUSTED, tape->exhausted || measure_loop_ran_out(tape, plan));
	measure_set_if(out, MEASURE_EXHAUSTED_AFTER, refused, (double)tape->opened_before);
	measure_set_if(out, MEASURE_EXHAUSTED_AT, refused,
		       (double)(tape->refused_at_ns - tape->begin_ns));
	measure_set(out, MEASURE_RECOVERED, recovered);
	measure_set_if(out, MEASURE_RECOVERY, recovered, (double)tape->recovered_ns);
	measure_set_if(out, MEASURE_RECOVERED_AT, refused && recovered,
		       (double)(tape->refused_at_ns - tape->begin_ns + tape->recovered_ns));
}

/* Does the far end open connections, which are counted as its own? */
static bool far_end_opens(const struct plan *plan)
{
	return plan->scenario->server.behaviour == BEHAVIOUR_LOOP;
}

/* Of events that a run has once at most, and of its books. */
static void measure_server(struct measures *out, const struct tape *tape, const struct plan *plan)
{
	measure_set(out, MEASURE_SERVER_DROPPED, 0);
	measure_set_if(out, MEASURE_SERVER_OPENED, far_end_opens(plan), (double)tape->far_opened);
	for (size_t i = 0; i < tape->event_count; i++) {
		const struct event *e = &tape->events[i];

		measure_set_if(out, MEASURE_SERVER_DROPPED, e->kind == EVENT_SERVER_DROPPED,
			       (double)e->value);
		measure_set_if(out, MEASURE_SERVER_DIED, e->kind == EVENT_SERVER_DIED,
			       (double)e->t_ns);
		measure_set_if(out, MEASURE_SERVER_GONE, e->kind == EVENT_SERVER_GONE,
			       (double)e->t_ns);
	}
}

static void measure_histogram(struct measures *out, enum measure what, const struct histogram *h,
			      double share)
{
	measure_set_if(out, what, h->count > 0, (double)histogram_at(h, share));
}

static void measure_latency(struct measures *out, const struct latency *l)
{
	const struct value *lower = &out->fixed[MEASURE_LATENCY_LOWER],
			   *upper = &out->fixed[MEASURE_LATENCY_UPPER];

	if (!l)
		return;
	measure_set(out, MEASURE_LATENCY_COUNT, (double)l->all.count);
	measure_histogram(out, MEASURE_LATENCY_P50, &l->all, 0.5);
	measure_histogram(out, MEASURE_LATENCY_P90, &l->all, 0.9);
	measure_histogram(out, MEASURE_LATENCY_P99, &l->all, 0.99);
	measure_histogram(out, MEASURE_LATENCY_P999, &l->all, 0.999);
	measure_histogram(out, MEASURE_LATENCY_MAX, &l->all, 1);
	measure_histogram(out, MEASURE_LATENCY_LOWER, &l->halves[HALF_LOWER], 0.5);
	measure_histogram(out, MEASURE_LATENCY_UPPER, &l->halves[HALF_UPPER], 0.5);
	measure_histogram(out, MEASURE_LATENCY_REFUSED, &l->refused, 0.5);
	measure_set_if(out, MEASURE_LATENCY_CLIFF, lower->present && upper->present && lower->n > 0,
		       upper->n / lower->n);
}

/* Of the first range of ports, where there are several. */
static void measure_rate(struct measures *out, const struct plan *plan, struct arena scratch)
{
	struct part parts[PARTS_MOST];
	struct plan first = *plan;

	if (parts_of(parts, plan) > 1)
		part_of(&first, plan, parts[0],
			ARENA_ARRAY(&scratch, struct load_plan, plan->load_count));
	measure_set_if(out, MEASURE_PREDICTED_RATE, isfinite(first.forecast.rate),
		       first.forecast.rate);
}

static void measure_prediction(struct measures *out, const struct plan *plan, struct arena scratch)
{
	const struct forecast *f = &plan->forecast;

	measure_rate(out, plan, scratch);
	measure_set_if(out, MEASURE_PREDICTED_AFTER, f->known && f->exhausts && f->counted,
		       (double)f->after);
}

/* A tape can come from outside, where anything can follow anything. */
static double moved(uint64_t first, uint64_t last)
{
	return last > first ? (double)(last - first) : 0;
}

static void measure_gateway(struct measures *out, const struct tape *tape)
{
	const struct tracked *first = NULL, *last = NULL;
	uint64_t most = 0;

	for (size_t i = 0; i < tape->sample_count; i++) {
		const struct sample *s = &tape->samples[i];

		if (!(s->parts & SAMPLE_GATEWAY))
			continue;
		if (!first || s->t_ns < 0)
			first = &s->gateway;
		last = &s->gateway;
		if (last->entries > most)
			most = last->entries;
	}
	if (!last)
		return;
	measure_set(out, MEASURE_NAT_ENTRIES_MAX, (double)most);
	measure_set(out, MEASURE_NAT_INSERT_FAILED,
		    moved(first->insert_failed, last->insert_failed));
	measure_set(out, MEASURE_NAT_DROP, moved(first->drop, last->drop));
	measure_set(out, MEASURE_NAT_UNMAPPED, moved(first->unmapped, last->unmapped));
}

static int by_count(const void *a, const void *b)
{
	const struct error_row *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	if (x->stage != y->stage)
		return x->stage < y->stage ? -1 : 1;
	return x->error - y->error;
}

/* The rows of a table; returns how many. */
static size_t list_errors(struct error_row **out, const uint64_t table[STAGES][ERRNOS],
			  struct arena *a)
{
	size_t n = 0, count = 0;

	for (int i = 0; i < STAGES * ERRNOS; i++)
		n += table[i / ERRNOS][i % ERRNOS] > 0;
	*out = ARENA_ARRAY(a, struct error_row, n);
	for (int stage = 0; stage < STAGES; stage++)
		for (int error = 0; error < ERRNOS; error++)
			if (table[stage][error])
				(*out)[count++] = (struct error_row){(enum stage)stage, error,
								     table[stage][error]};
	if (n > 1)
		qsort(*out, n, sizeof(**out), by_count);
	return n;
}

static void measure_errors(struct measures *out, const struct tape *tape, struct arena *a)
{
	out->error_count = list_errors(&out->errors, tape->tally.errors, a);
	out->squat_error_count = list_errors(&out->squat_errors, tape->squat_errors, a);
	out->server_error_count = list_errors(&out->server_errors, tape->far_errors, a);
}

/* A gauge such as CurrEstab can go down; that is no move of a counter. */
static void measure_counters(struct measures *out, const struct tape *tape, struct arena *a)
{
	out->counters_known = tape->counter_count > 0;
	out->counters = ARENA_ARRAY(a, struct counter_row, tape->counter_count);
	for (size_t i = 0; i < tape->counter_count; i++) {
		const struct counter *c = &tape->counters[i];

		if (c->last > c->first)
			out->counters[out->counter_count++] = (struct counter_row){
				text_keep(a, text_of(c->name)), c->last - c->first};
	}
}

static struct value get_counter(const struct measures *m, struct text name)
{
	for (size_t i = 0; i < m->counter_count; i++)
		if (text_eq(m->counters[i].name, name))
			return (struct value){true, (double)m->counters[i].moved};
	return (struct value){m->counters_known, 0};
}

/* Where the kernel has no more room for TIME_WAIT, the port is free at once: tcp_time_wait(),
 * net/ipv4/tcp_minisocks.c. */
static void measure_overflow(struct measures *out)
{
	struct value moved = get_counter(out, TEXT("TCPTimeWaitOverflow"));

	measure_set_if(out, MEASURE_TIME_WAIT_OVERFLOW, moved.present, moved.n);
}

static void measure_reconciled(struct measures *out, const struct tape *tape,
			       const struct plan *plan)
{
	bool balance = true;

	books_compare(out->books, tape, plan, out);
	for (int i = 0; i < BOOKS; i++)
		balance &= book_missing(&out->books[i]) == 0;
	measure_set(out, MEASURE_RECONCILED, balance);
}

/* Sockets and counters are nobody's alone. */
static void measure_loads(struct measures *out, const struct tape *tape, const struct plan *plan,
			  struct arena *a)
{
	out->loads = ARENA_ARRAY(a, struct load_measures, tape->load_count);
	out->load_count = tape->load_count;
	for (size_t i = 0; i < tape->load_count; i++) {
		struct load_measures *l = &out->loads[i];

		l->name = tape->loads[i].load;
		measure_books(&l->measures, &tape->loads[i]);
		measure_requests(&l->measures, &tape->loads[i], plan);
		measure_exhaustion(&l->measures, &tape->loads[i], plan);
		measure_errors(&l->measures, &tape->loads[i], a);
	}
}

void measure(struct measures *out, const struct tape *tape, const struct plan *plan,
	     struct arena *a)
{
	*out = (struct measures){0};
	measure_books(out, tape);
	measure_rounds(out, tape, plan);
	measure_requests(out, tape, plan);
	measure_exhaustion(out, tape, plan);
	measure_server(out, tape, plan);
	measure_latency(out, tape->latency);
	measure_prediction(out, plan, *a);
	measure_sockets(out, tape, plan);
	measure_gateway(out, tape);
	measure_errors(out, tape, a);
	measure_counters(out, tape, a);
	measure_overflow(out);
	measure_reconciled(out, tape, plan);
	measure_loads(out, tape, plan, a);
	whose_are(out, tape, plan, a);
	foretold_compare(out, tape, plan);
}

static struct value get_error(const struct error_row *rows, size_t count,
			      const struct measure_ref *what)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].stage == what->stage && rows[i].error == what->error)
			return (struct value){true, (double)rows[i].count};
	return (struct value){true, 0};
}

struct value measures_get(const struct measures *m, const struct measure_ref *what)
{
	if (what->load > m->load_count)
		return (struct value){0};
	if (what->load > 0)
		m = &m->loads[what->load - 1].measures;
	if (what->measure == MEASURE_ERRORS)
		return get_error(m->errors, m->error_count, what);
	if (what->measure == MEASURE_SQUAT_ERRORS)
		return get_error(m->squat_errors, m->squat_error_count, what);
	if (what->measure == MEASURE_SERVER_ERRORS && m->fixed[MEASURE_SERVER_OPENED].present)
		return get_error(m->server_errors, m->server_error_count, what);
	if (what->measure == MEASURE_COUNTER)
		return get_counter(m, what->counter);
	return m->fixed[what->measure];
}
