/* Connections that could not be had. */
#include "drive/work.h"

#include <errno.h>

#include "plan/bind.h"
#include "sys/plain.h"

/* By who takes the port: where, and with what, the kernel says that none is left. */
static const struct refusal {
	enum stage stage;
	int error;
} refusals[BINDS] = {
	[BIND_NONE] = {STAGE_CONNECT, EADDRNOTAVAIL},
	[BIND_ADDRESS] = {STAGE_BIND, EADDRINUSE},
	[BIND_ANY] = {STAGE_BIND, EADDRINUSE},
	[BIND_ADDRESS_NO_PORT] = {STAGE_CONNECT, EADDRNOTAVAIL},
	[BIND_PORT] = {STAGE_BIND, EADDRINUSE},
	[BIND_PORTS] = {STAGE_BIND, EADDRINUSE},
	[BIND_LOCAL_PORT_RANGE] = {STAGE_CONNECT, EADDRNOTAVAIL},
};

/* A socket that has its port is refused only if that very connection exists. */
static bool is_taken(const struct worker *w, const struct flow *f)
{
	return bind_takes_port(w->load->bind) && f->stage == STAGE_CONNECT &&
	       f->error == EADDRNOTAVAIL;
}

/* EADDRNOTAVAIL says that no port is left, or that an address is not to be had; EAGAIN comes before the
 * address is asked for: a UDP connect from a port of its own tells one from the other. */
static bool lacks_address(struct worker *w, const struct flow *f)
{
	int e = address_error(work_source(w, f), work_server(w, f),
			      w->plan->scenario->network.ports);

	/* What else a UDP socket may want for, descriptors or memory, says nothing of addresses. */
	return e == EADDRNOTAVAIL || e == ENETUNREACH || e == EHOSTUNREACH || e == EINVAL;
}

/* Is it what the kernel says where no port is left? */
static bool is_refusal(const struct worker *w, const struct flow *f)
{
	const struct refusal *r = &refusals[w->load->bind];

	if (work_is_datagram(w) && (f->stage == STAGE_CONNECT || f->stage == STAGE_SEND))
		return f->error == EAGAIN;
	return f->stage == r->stage && f->error == r->error;
}

/* A bind() says of an address what it lacks. */
static bool is_want_of_port(struct worker *w, const struct flow *f)
{
	return is_refusal(w, f) && (f->stage == STAGE_BIND || !lacks_address(w, f));
}

static void on_refused(struct worker *w, const struct flow *f)
{
	struct pair *p = work_pair(w, f);
	struct tape *t = w->tape;
	enum pair_state before = (enum pair_state)p->state,
			after = pair_refused(p, f->seq, w->now_ns, w->submit_ns);

	if (before == PAIR_OPEN) {
		rotation_leave(&w->rotation, work_space(w, f));
		work_note(w, EVENT_REFUSED, f, (int64_t)work_opened(w));
	}
	team_refused(w->wish.team, f->index);
	if (!t->exhausted) {
		t->exhausted = true;
		t->refused_at_ns = w->now_ns;
		w->refused_seq = f->seq;
		company_refused(w->wish.company);
		w->wish.edge(w->wish.context);
	}
	if (before == PAIR_SUSPECT && after == PAIR_EXHAUSTED) {
		work_note(w, EVENT_EXHAUSTED, f, p->refusals);
		if (w->plan->scenario->stop.when == WHEN_EXHAUSTED && w->stop_ns == FOR_EVER) {
			w->stop_ns = w->now_ns + w->plan->scenario->stop.after;
			company_stop(w->wish.company, w->stop_ns);
		}
	}
	atomic_fetch_add_explicit(&w->wish.hooks->pulse->refused, 1, memory_order_relaxed);
}

void work_fail(struct worker *w, struct flow *f)
{
	if (w->tape->tally.failed++ == 0)
		w->wish.edge(w->wish.context);
	work_count_error(w, f);
	work_pair(w, f)->in_flight--;
	work_pair(w, f)->preparing -= f->seq == 0;
	if (is_want_of_port(w, f))
		on_refused(w, f);
	else if (is_taken(w, f))
		work_note(w, EVENT_TUPLE_TAKEN, f, 0);
	else if (f->error == EADDRNOTAVAIL || is_refusal(w, f))
		work_note(w, EVENT_NO_ADDRESS, f, 0);
	if (w->load->load->on_failure.flush_pool)
		pool_flush(w);
	f->again = f->tries < w->load->load->on_failure.retry && !w->stopping;
	if (f->again)
		return;
	w->tape->tally.gave_up++;
	w->tape->tally.requests_failed += w->load->requests;
	if (w->load->load->on_failure.then == ON_FAILURE_STOP)
		work_end(w, f);
}
