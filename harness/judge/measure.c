#include "judge/judge.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "judge/books.h"
#include "judge/foretold.h"
#include "judge/outlook.h"
#include "plan/part.h"

static void set(struct measures *out, enum measure what, double n)
{
	out->fixed[what] = (struct value){true, n};
}

static void set_if(struct measures *out, enum measure what, bool known, double n)
{
	if (known)
		set(out, what, n);
}

static void measure_books(struct measures *out, const struct tape *tape)
{
	const struct tally *t = &tape->tally;
	double elapsed = (double)(tape->end_ns - tape->begin_ns);

	set(out, MEASURE_CONNECTS_ATTEMPTED, (double)t->attempted);
	set(out, MEASURE_CONNECTS_OPENED, (double)t->opened);
	set(out, MEASURE_CONNECTS_FAILED, (double)t->failed);
	set(out, MEASURE_RETRIES, (double)t->retries);
	set(out, MEASURE_GAVE_UP, (double)t->gave_up);
	set(out, MEASURE_CONNECTS_IN_FLIGHT, (double)t->in_flight);
	set(out, MEASURE_CONNECTS_HELD_BACK, (double)t->held_back);
	set(out, MEASURE_CONNECTS_LATE, (double)t->late);
	set_if(out, MEASURE_CONNECTS_BEHIND, tape->behind_ns > 0, (double)tape->behind_ns);
	set(out, MEASURE_CONNECTS_OPEN, (double)t->open);
	set(out, MEASURE_CONNECTS_CLOSED, (double)t->closed);
	set(out, MEASURE_CONNECTS_RESET, (double)t->reset);
	set(out, MEASURE_LEAKED, (double)t->leaked);
	set(out, MEASURE_INHERITED, (double)t->inherited);
	set(out, MEASURE_CONNECTS_LOST, (double)t->lost);
	set(out, MEASURE_SELF_CONNECTS, (double)t->self_connects);
	set(out, MEASURE_RECONCILED, tally_balances(t));
	set_if(out, MEASURE_ELAPSED, elapsed > 0, elapsed);
	set_if(out, MEASURE_CONNECTS_RATE, elapsed > 0, (double)t->opened * 1e9 / elapsed);
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
	set(out, MEASURE_ROUNDS_ASKED, at_once * 1e9 / each);
	set(out, MEASURE_ROUNDS_RATE, done * 1e9 / elapsed);
	set(out, MEASURE_ROUNDS_BEHIND, fmax(elapsed - ceil(done / at_once) * each, 0));
}

static void measure_requests(struct measures *out, const struct tape *tape, const struct plan *plan)
{
	const struct tally *t = &tape->tally;
	double done = (double)t->requests_done;

	set_if(out, MEASURE_REQUESTS_DONE, plan_has_requests(plan), done);
	set_if(out, MEASURE_REQUESTS_FAILED, plan_has_requests(plan), (double)t->requests_failed);
	set_if(out, MEASURE_REUSE_RATIO, t->requests_done > 0,
	       done > 0 ? (double)t->requests_reused / done : 0);
}

/* On loopback what the far end opens has the client's ports, and has found none. */
static bool is_exhausted_by_loop(const struct tape *tape, const struct plan *plan)
{
	return plan->scenario->network.topology == TOPOLOGY_LOOPBACK &&
	       tape->far_errors[STAGE_CONNECT][EADDRNOTAVAIL] > 0;
}

static void measure_exhaustion(struct measures *out, const struct tape *tape,
			       const struct plan *plan)
{
	bool refused = tape->exhausted && tape->refused_at_ns >= 0;
	bool recovered = tape->exhausted && tape->recovered_ns >= 0;

	set(out, MEASURE_EXHAUSTED, tape->exhausted || is_exhausted_by_loop(tape, plan));
	set_if(out, MEASURE_EXHAUSTED_AFTER, refused, (double)tape->opened_before);
	set_if(out, MEASURE_EXHAUSTED_AT, refused, (double)(tape->refused_at_ns - tape->begin_ns));
	set(out, MEASURE_RECOVERED, recovered);
	set_if(out, MEASURE_RECOVERY, recovered, (double)tape->recovered_ns);
	set_if(out, MEASURE_RECOVERED_AT, refused && recovered,
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
	set(out, MEASURE_SERVER_DROPPED, 0);
	set_if(out, MEASURE_SERVER_OPENED, far_end_opens(plan), (double)tape->far_opened);
	for (size_t i = 0; i < tape->event_count; i++) {
		const struct event *e = &tape->events[i];

		set_if(out, MEASURE_SERVER_DROPPED, e->kind == EVENT_SERVER_DROPPED,
		       (double)e->value);
		set_if(out, MEASURE_SERVER_DIED, e->kind == EVENT_SERVER_DIED, (double)e->t_ns);
		set_if(out, MEASURE_SERVER_GONE, e->kind == EVENT_SERVER_GONE, (double)e->t_ns);
	}
}

static void measure_histogram(struct measures *out, enum measure what, const struct histogram *h,
			      double share)
{
	set_if(out, what, h->count > 0, (double)histogram_at(h, share));
}

static void measure_latency(struct measures *out, const struct latency *l)
{
	const struct value *lower = &out->fixed[MEASURE_LATENCY_LOWER],
			   *upper = &out->fixed[MEASURE_LATENCY_UPPER];

	if (!l)
		return;
	set(out, MEASURE_LATENCY_COUNT, (double)l->all.count);
	measure_histogram(out, MEASURE_LATENCY_P50, &l->all, 0.5);
	measure_histogram(out, MEASURE_LATENCY_P90, &l->all, 0.9);
	measure_histogram(out, MEASURE_LATENCY_P99, &l->all, 0.99);
	measure_histogram(out, MEASURE_LATENCY_P999, &l->all, 0.999);
	measure_histogram(out, MEASURE_LATENCY_MAX, &l->all, 1);
	measure_histogram(out, MEASURE_LATENCY_LOWER, &l->halves[HALF_LOWER], 0.5);
	measure_histogram(out, MEASURE_LATENCY_UPPER, &l->halves[HALF_UPPER], 0.5);
	measure_histogram(out, MEASURE_LATENCY_REFUSED, &l->refused, 0.5);
	set_if(out, MEASURE_LATENCY_CLIFF, lower->present && upper->present && lower->n > 0,
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
	set_if(out, MEASURE_PREDICTED_RATE,
	       isfinite(first.forecast.rate) && outlook_buckets(&first) == 0, first.forecast.rate);
}

static void measure_prediction(struct measures *out, const struct plan *plan, struct arena scratch)
{
	const struct forecast *f = &plan->forecast;

	measure_rate(out, plan, scratch);
	set_if(out, MEASURE_PREDICTED_AFTER, f->known && f->exhausts && f->counted,
	       (double)f->after);
}

/* Measures that are the most sockets seen in a state, or how many are in it at the end. */
static const struct {
	enum measure what;
	int state;
	bool at_end;
} by_state[] = {
	{MEASURE_TIME_WAIT_MAX, STATE_TIME_WAIT, false},
	{MEASURE_TIME_WAIT_END, STATE_TIME_WAIT, true},
	{MEASURE_ESTABLISHED_MAX, STATE_ESTABLISHED, false},
	{MEASURE_SYN_SENT_MAX, STATE_SYN_SENT, false},
	{MEASURE_FIN_WAIT2_MAX, STATE_FIN_WAIT2, false},
	{MEASURE_CLOSE_WAIT_MAX, STATE_CLOSE_WAIT, false},
	{MEASURE_BOUND_MAX, STATE_BOUND, false},
	{MEASURE_CLOSE_WAIT_END, STATE_CLOSE_WAIT, true},
};

enum { BY_STATE = sizeof(by_state) / sizeof(by_state[0]) };

/* A torn dump is a lower bound: it can raise a maximum, but it does not tell how things are at
 * the end. */
static void measure_sample(struct measures *out, const struct sample *s)
{
	struct value *used = &out->fixed[MEASURE_PORTS_USED_MAX];
	struct value *shadowed = &out->fixed[MEASURE_OVERSHADOWED_MAX];

	for (size_t i = 0; i < BY_STATE; i++) {
		struct value *v = &out->fixed[by_state[i].what];
		double n = (double)s->states[by_state[i].state];

		if (by_state[i].at_end)
			*v = (struct value){!s->torn, n};
		else if (!v->present || n > v->n)
			*v = (struct value){true, n};
	}
	if (!used->present || (double)s->used_max > used->n)
		*used = (struct value){true, (double)s->used_max};
	if (!shadowed->present || (double)s->overshadowed > shadowed->n)
		*shadowed = (struct value){true, (double)s->overshadowed};
}

/* A connection can come and go between two dumps; the driver's books have it all the same. Without a
 * dump they do not tell what there was besides. */
static void measure_between(struct measures *out, const struct tape *tape, const struct plan *plan)
{
	struct value *used = &out->fixed[MEASURE_PORTS_USED_MAX];
	const struct value *open = &out->fixed[MEASURE_ESTABLISHED_MAX];

	if (!open->present || (double)tape->open_peak > open->n)
		set_if(out, MEASURE_ESTABLISHED_MAX, tape->open_peak > 0, (double)tape->open_peak);
	if (used->present && (double)tape->used_peak > used->n)
		used->n = (double)tape->used_peak;
	if (used->present && is_exhausted_by_loop(tape, plan)) /* it found none that was free */
		used->n = fmax(used->n, plan->budget.usable);
}

static bool is_of(const struct plan *plan, const struct usage *u)
{
	return plan_speaks(plan, u->datagrams ? PROTOCOL_UDP : PROTOCOL_TCP) &&
	       plan_has_family(plan, address_is_ipv4(u->local) ? FAMILY_IPV4 : FAMILY_IPV6);
}

/* Towards a destination for which there are fewer ports, since bind() took some for others: of those in
 * the dumps' lists, the fullest. */
static void measure_fill(struct measures *out, const struct tape *tape, const struct plan *plan)
{
	uint32_t usable = plan->budget.usable, there = usable;
	const struct value *used = &out->fixed[MEASURE_PORTS_USED_MAX];
	double fill = used->present && usable > 0 ? used->n / usable : 0;

	for (size_t i = 0; i < tape->usage_count; i++) {
		const struct usage *u = &tape->usages[i];

		if (u->elsewhere == 0 || !is_of(plan, u) || usage_fill(u, usable) <= fill)
			continue;
		fill = usage_fill(u, usable);
		there = usable > u->elsewhere ? usable - u->elsewhere : 0;
	}
	set(out, MEASURE_PORTS_USABLE, there);
	set_if(out, MEASURE_PORTS_FILL_MAX, used->present && usable > 0, fill);
}

static void measure_sockets(struct measures *out, const struct tape *tape, const struct plan *plan)
{
	for (size_t i = 0; i < tape->sample_count; i++)
		if (tape->samples[i].parts & SAMPLE_SOCKETS)
			measure_sample(out, &tape->samples[i]);
	measure_between(out, tape, plan);
	set_if(out, MEASURE_TIME_WAIT_DESTROYED, acceleration_of(plan->scenario) > 1,
	       (double)tape->destroyed);
	set_if(out, MEASURE_SQUAT_HELD, plan->squat.sockets > 0, (double)tape->squat_held);
	set_if(out, MEASURE_SQUAT_REFUSED, plan->scenario->squat.start > 0,
	       (double)tape->squat_refused);
	measure_fill(out, tape, plan);
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
	set(out, MEASURE_NAT_ENTRIES_MAX, (double)most);
	set(out, MEASURE_NAT_INSERT_FAILED, moved(first->insert_failed, last->insert_failed));
	set(out, MEASURE_NAT_DROP, moved(first->drop, last->drop));
	set(out, MEASURE_NAT_UNMAPPED, moved(first->unmapped, last->unmapped));
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

	set_if(out, MEASURE_TIME_WAIT_OVERFLOW, moved.present, moved.n);
}

static void measure_reconciled(struct measures *out, const struct tape *tape,
			       const struct plan *plan)
{
	bool balance = true;

	books_compare(out->books, tape, plan, out);
	for (int i = 0; i < BOOKS; i++)
		balance &= book_missing(&out->books[i]) == 0;
	set(out, MEASURE_RECONCILED, balance);
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
