#include "drive/breach.h"

#include <math.h>

/* What can be looked at while the load runs. */
struct now {
	const struct plan *plan;
	const struct tape *books;
	const struct pulse *pulse;
	int64_t ns;
};

struct row {
	enum measure measure;
	bool known; /* there is data */
	double n;
};

bool breach_possible(const struct expectation_list *expect, unsigned load)
{
	for (size_t i = 0; i < expect->count; i++)
		if (expect->list[i].abort && expect->list[i].what.load == load)
			return true;
	return false;
}

static const struct row *row_find(const struct row *rows, size_t count, enum measure measure)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].measure == measure)
			return &rows[i];
	return NULL;
}

/* By the driver's books. Here and below, judge/measure.c must make the same of the tape. */
static bool look_at_books(const struct now *now, const struct measure_ref *what, struct row *out)
{
	const struct tape *b = now->books;
	const struct tally *t = &b->tally;
	bool asks = plan_has_requests(now->plan);
	double done = (double)t->requests_done;
	const struct row rows[] = {
		{MEASURE_CONNECTS_ATTEMPTED, true, (double)t->attempted},
		{MEASURE_CONNECTS_OPENED, true, (double)t->opened},
		{MEASURE_CONNECTS_FAILED, true, (double)t->failed},
		{MEASURE_RETRIES, true, (double)t->retries},
		{MEASURE_GAVE_UP, true, (double)t->gave_up},
		{MEASURE_CONNECTS_HELD_BACK, true, (double)t->held_back},
		{MEASURE_CONNECTS_CLOSED, true, (double)t->closed},
		{MEASURE_CONNECTS_RESET, true, (double)t->reset},
		{MEASURE_CONNECTS_RATE, now->ns > 0, (double)t->opened * 1e9 / (double)now->ns},
		{MEASURE_CONNECTS_LOST, true, (double)t->lost},
		{MEASURE_LEAKED, true, (double)t->leaked},
		{MEASURE_INHERITED, true, (double)t->inherited},
		{MEASURE_SELF_CONNECTS, true, (double)t->self_connects},
		{MEASURE_REQUESTS_DONE, asks, done},
		{MEASURE_REQUESTS_FAILED, asks, (double)t->requests_failed},
		{MEASURE_REUSE_RATIO, done > 0, done > 0 ? (double)t->requests_reused / done : 0},
		{MEASURE_ERRORS, true, (double)t->errors[what->stage][what->error]},
		{MEASURE_EXHAUSTED, true, b->exhausted},
		{MEASURE_EXHAUSTED_AFTER, b->exhausted, (double)b->opened_before},
		{MEASURE_EXHAUSTED_AT, b->exhausted, (double)(b->refused_at_ns - b->begin_ns)},
		{MEASURE_RECOVERED, true, b->exhausted && b->recovered_ns >= 0},
		{MEASURE_RECOVERY, b->recovered_ns >= 0, (double)b->recovered_ns},
		{MEASURE_RECOVERED_AT, b->exhausted && b->recovered_ns >= 0,
		 (double)(b->refused_at_ns - b->begin_ns + b->recovered_ns)},
		{MEASURE_ELAPSED, true, (double)now->ns},
	};
	const struct row *found = row_find(rows, sizeof(rows) / sizeof(rows[0]), what->measure);

	if (found)
		*out = *found;
	return found;
}

static double seen(const _Atomic uint64_t *most)
{
	return (double)atomic_load_explicit(most, memory_order_relaxed);
}

/* By the sampler's dumps. */
static bool look_at_sockets(const struct now *now, const struct measure_ref *what, struct row *out)
{
	const struct pulse *p = now->pulse;
	bool any = atomic_load(&p->dumps) > 0;
	double used = fmax(seen(&p->used_max), (double)now->books->used_peak);
	double peak = (double)now->books->open_peak;
	double fill = atomic_load_explicit(&p->fill_max, memory_order_relaxed);
	uint32_t usable = now->plan->budget.usable;
	const struct row rows[] = {
		{MEASURE_PORTS_USED_MAX, any, used},
		{MEASURE_PORTS_FILL_MAX, any && usable, usable ? fmax(used / usable, fill) : 0},
		{MEASURE_TIME_WAIT_MAX, any, seen(&p->states_max[STATE_TIME_WAIT])},
		{MEASURE_ESTABLISHED_MAX, any || peak > 0,
		 fmax(seen(&p->states_max[STATE_ESTABLISHED]), peak)},
		{MEASURE_SYN_SENT_MAX, any, seen(&p->states_max[STATE_SYN_SENT])},
		{MEASURE_FIN_WAIT2_MAX, any, seen(&p->states_max[STATE_FIN_WAIT2])},
		{MEASURE_BOUND_MAX, any, seen(&p->states_max[STATE_BOUND])},
		{MEASURE_CLOSE_WAIT_MAX, any, seen(&p->states_max[STATE_CLOSE_WAIT])},
	};
	const struct row *found = row_find(rows, sizeof(rows) / sizeof(rows[0]), what->measure);

	if (found)
		*out = *found;
	return found;
}

/* By its looks at the gateway. */
static bool look_at_gateway(const struct now *now, const struct measure_ref *what, struct row *out)
{
	const struct pulse *p = now->pulse;
	bool any = atomic_load(&p->gateway_looks) > 0;
	const struct row rows[] = {
		{MEASURE_NAT_ENTRIES_MAX, any, seen(&p->gateway_entries_max)},
		{MEASURE_NAT_INSERT_FAILED, any, seen(&p->gateway_insert_failed)},
		{MEASURE_NAT_DROP, any, seen(&p->gateway_drop)},
		{MEASURE_NAT_UNMAPPED, any, seen(&p->gateway_unmapped)},
	};
	const struct row *found = row_find(rows, sizeof(rows) / sizeof(rows[0]), what->measure);

	if (found)
		*out = *found;
	return found;
}

int breach_find(const struct plan *plan, unsigned load, const struct tape *books,
		const struct pulse *pulse, int64_t now_ns)
{
	const struct expectation_list *expect = &plan->scenario->expect;
	const struct now now = {plan, books, pulse, now_ns - books->begin_ns};

	for (size_t i = 0; i < expect->count; i++) {
		const struct expectation *e = &expect->list[i];
		struct row row = {0};

		if (!e->abort || e->what.load != load || now.ns < e->after_ns)
			continue;
		if (!look_at_books(&now, &e->what, &row) &&
		    !look_at_sockets(&now, &e->what, &row) &&
		    !look_at_gateway(&now, &e->what, &row))
			continue;
		if (row.known && !expectation_holds(e, row.n))
			return (int)i;
	}
	return -1;
}
