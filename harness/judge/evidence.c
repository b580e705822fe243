#include "judge/evidence.h"

#include <errno.h>

#include "base/order.h"
#include "plan/bind.h"
#include "plan/life.h"

uint64_t evidence_errors(const struct evidence *e, enum stage stage, int error)
{
	return e->tape->tally.errors[stage][error];
}

/* Of those in FIN_WAIT in the fullest dump, which may be in the middle of things: how many were in
 * TIME_WAIT later. */
static uint64_t settled(const struct evidence *e, uint64_t fin_wait)
{
	const struct sample *last = NULL;
	uint64_t left, more;

	for (size_t i = 0; i < e->tape->sample_count; i++)
		if ((e->tape->samples[i].parts & SAMPLE_SOCKETS) && !e->tape->samples[i].torn)
			last = &e->tape->samples[i];
	if (!last || last->t_ns <= e->full->t_ns)
		return 0;
	left = last->states[STATE_FIN_WAIT1] + last->states[STATE_FIN_WAIT2];
	more = last->states[STATE_TIME_WAIT] -
	       least(e->full->states[STATE_TIME_WAIT], last->states[STATE_TIME_WAIT]);
	return least(fin_wait - least(left, fin_wait), more);
}

/* A load that names its ports does not ask the range. */
uint32_t evidence_reserved(const struct evidence *e)
{
	const struct load_plan *lp = &e->plan->loads[e->plan->widest];

	return bind_names_port(lp->bind)
		       ? 0
		       : ports_within(&e->plan->scenario->network.reserved, lp->ports);
}

/* Of those that wait, as many may be at ports that are not of the range: no more than there are of these. */
static uint64_t waiting_outside(const struct evidence *e)
{
	uint64_t most = 0;

	for (uint32_t i = 0; i < e->plan->load_count; i++)
		if (evidence_is_outside(e->plan, i))
			most += e->plan->loads[i].budget.capacity;
	return least(e->tape->tally.closed - e->closed, most);
}

/* Of those that wait, what the client has not closed: a far end that is its own upstream has. */
static uint64_t waiting_looped(const struct evidence *e, uint64_t waiting)
{
	uint64_t opened = (uint64_t)evidence_measured(e, MEASURE_SERVER_OPENED);

	return least(less(waiting, e->tape->tally.closed), opened);
}

struct holders evidence_holders(const struct evidence *e)
{
	const struct tally *t = &e->tape->tally;
	struct holders h = {.leaked = t->leaked,
			    .inherited = t->inherited,
			    .live = t->open,
			    .time_wait = t->closed};

	if (e->full) {
		const uint64_t *n = e->full->states;
		uint64_t open = n[STATE_ESTABLISHED] + n[STATE_SYN_RECV] + n[STATE_CLOSE_WAIT];

		h.leaked = least(t->leaked, open);
		h.inherited = least(t->inherited, open - h.leaked);
		h.live = open - h.leaked - h.inherited;
		h.ended = least(n[STATE_CLOSE_WAIT] -
					least(n[STATE_CLOSE_WAIT], h.leaked + h.inherited),
				h.live);
		h.time_wait = n[STATE_TIME_WAIT] + n[STATE_CLOSING] + n[STATE_LAST_ACK];
		h.fin_wait = n[STATE_FIN_WAIT1] + n[STATE_FIN_WAIT2];
		h.fin_wait -= settled(e, h.fin_wait);
		h.time_wait += n[STATE_FIN_WAIT1] + n[STATE_FIN_WAIT2] - h.fin_wait;
		h.unanswered = n[STATE_SYN_SENT];
	}
	h.time_wait -= least(h.time_wait, waiting_outside(e));
	h.looped = waiting_looped(e, h.time_wait);
	h.time_wait -= h.looped;
	h.own = h.leaked + h.inherited + h.live + h.time_wait + h.looped + h.fin_wait +
		h.unanswered;
	h.all = h.own +
		(uint64_t)e->plan->budget.spaces *
			(e->plan->squat.listening + e->plan->squat.bound + evidence_reserved(e));
	/* Some are always just being opened. */
	if ((double)h.unanswered < SHARE_LEAST * (double)h.all) {
		h.live += h.unanswered;
		h.unanswered = 0;
	}
	return h;
}

uint64_t evidence_had(const struct tape *load)
{
	return most(less(load->tally.opened, load->tally.reset), load->open_peak);
}

double evidence_measured(const struct evidence *e, enum measure what)
{
	const struct value *v = &e->measures->fixed[what];

	return v->present ? v->n : 0;
}

bool evidence_has(const struct evidence *e, enum event_kind kind)
{
	for (size_t i = 0; i < e->tape->event_count; i++)
		if (e->tape->events[i].kind == kind)
			return true;
	return false;
}

/* By the settings: of connections that are closed, where others are not, the forecast does not tell. */
static int64_t quiet_by_settings(const struct plan *plan)
{
	int64_t lasts = plan->scenario->network.time_wait, delay = reuse_delay(plan);

	if (delay > 0 && delay < lasts && reuse_is_set(plan) && has_timestamps(plan) &&
	    !is_bound_first(plan))
		return delay;
	return lasts;
}

int64_t quiet_time(const struct plan *plan)
{
	int64_t quiet = plan->forecast.quiet_ns;

	return quiet > 0 && quiet != FOR_EVER ? quiet : quiet_by_settings(plan);
}

bool is_reused(const struct plan *plan)
{
	return quiet_time(plan) < plan->scenario->network.time_wait;
}

int64_t reuse_delay(const struct plan *plan)
{
	int64_t delay_ns = life_waits(plan->scenario).delay_ns;

	return delay_ns < TIME_WAIT_NS ? delay_ns : 0;
}

bool reuse_is_set(const struct plan *plan)
{
	return life_wants_reuse(plan->scenario);
}

bool has_timestamps(const struct plan *plan)
{
	return life_has_timestamps(plan->scenario);
}

/* Of how many loads does bind() take the port, for all destinations, and for the whole of its TIME_WAIT? */
static uint32_t bound_first(const struct plan *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct load *load = p->loads[i].load;

		n += bind_takes_port(load->bind.way) && !bind_shares_port(load);
	}
	return n;
}

bool is_bound_first(const struct plan *p)
{
	return bound_first(p) == p->load_count;
}

bool evidence_binds_some(const struct evidence *e)
{
	uint32_t n = 0, others = 0;

	for (uint32_t i = 0; i < e->plan->load_count; i++) {
		const struct load *load = e->plan->loads[i].load;
		bool first = bind_takes_port(load->bind.way) && !bind_shares_port(load);

		if (evidence_tally(e->plan, e->tape, i)->opened > 0)
			*(first ? &n : &others) += 1;
	}
	return n > 0 && others > 0;
}

int64_t outside_time(const struct plan *plan)
{
	int64_t quiet = quiet_time(plan), delay = reuse_delay(plan);

	if (quiet != plan->scenario->network.time_wait)
		return quiet; /* it was not TIME_WAIT's end that gave the port back */
	if (delay > 0 && reuse_is_set(plan) && has_timestamps(plan) && bound_first(plan) == 0)
		return delay;
	return TIME_WAIT_NS;
}

/* What a load asks for that is not kept for good. */
static double asks_to_close(const struct load_plan *lp)
{
	double kept = load_share(lp->load, END_LEAK) + load_share(lp->load, END_INHERIT);

	return shape_asks(&lp->shape) * (1 - kept);
}

/* By the scenario: of those that are closed, in the mean of what is asked for. */
static int64_t mean_by_rates(const struct plan *plan)
{
	double closed = 0, held_ns = 0;

	for (uint32_t i = 0; i < plan->load_count; i++) {
		double rate = asks_to_close(&plan->loads[i]);

		closed += rate;
		held_ns += rate * (double)plan->loads[i].load->hold;
	}
	return closed > 0 ? (int64_t)(held_ns / closed) : 0;
}

/* Where loads ask for no rate the shortest is told, as what goes on for ever is reckoned by those that want
 * most. */
static int64_t open_by_settings(const struct plan *plan)
{
	int64_t least_ns = FOR_EVER;

	if (plan_rate(plan) > 0)
		return mean_by_rates(plan);
	for (uint32_t i = 0; i < plan->load_count; i++) {
		const struct load *load = plan->loads[i].load;

		if (load->end != END_LEAK && load->hold < least_ns)
			least_ns = load->hold;
	}
	return least_ns == FOR_EVER ? plan->loads[0].load->hold : least_ns;
}

int64_t live_time(const struct plan *plan)
{
	const struct forecast *f = &plan->forecast;

	if (f->port_life_ns == FOR_EVER || f->quiet_ns == FOR_EVER ||
	    f->port_life_ns <= f->quiet_ns)
		return open_by_settings(plan);
	return f->port_life_ns - f->quiet_ns;
}

/* So many connections a second, by what the ports would carry of those that are closed. */
static double fill_by(const struct evidence *e, double rate)
{
	double life_ns = (double)live_time(e->plan) + (double)quiet_time(e->plan);

	return rate * life_ns / 1e9 / (double)e->plan->budget.capacity;
}

bool evidence_kept_alone_fills(const struct evidence *e)
{
	double fill = fill_by(e, plan_rate(e->plan));

	return e->kept > 0 && fill > 0 && fill <= 1;
}

bool evidence_closed_nearly_fill(const struct evidence *e)
{
	double rate = 0;

	for (uint32_t i = 0; i < e->plan->load_count; i++)
		rate += asks_to_close(&e->plan->loads[i]);
	return fill_by(e, rate) > 1 - SHARE_LEAST;
}

int64_t evidence_sysctl(const struct evidence *e, const char *name, int64_t fallback)
{
	return setting_number(&e->plan->scenario->network.sysctl, name, fallback);
}

static uint64_t failed_of(const struct tally *t)
{
	return t->failed;
}

static uint64_t leaked_of(const struct tally *t)
{
	return t->leaked;
}

/* The first of those that have most; the only one, if it has no name. */
static const struct load_plan *load_with_most(const struct plan *p, const struct tape *tape,
					      uint64_t (*of)(const struct tally *))
{
	size_t at = 0;

	for (size_t i = 1; i < tape->load_count && i < p->load_count; i++)
		if (of(&tape->loads[i].tally) > of(&tape->loads[at].tally))
			at = i;
	return &p->loads[at];
}

const struct tally *evidence_tally(const struct plan *plan, const struct tape *tape, size_t i)
{
	bool apart = plan->load_count > 1 && i < tape->load_count;

	return apart ? &tape->loads[i].tally : &tape->tally;
}

/* bind() refuses a port that is named for reasons of that port alone, and connect() one that is shared for
 * reasons of that connection. */
static uint64_t refused_by_name(const struct load_plan *lp, const struct tally *t)
{
	return t->errors[STAGE_BIND][EADDRINUSE] +
	       (bind_shares_port(lp->load) ? t->errors[STAGE_CONNECT][EADDRNOTAVAIL] : 0);
}

static uint64_t named_of(const struct plan *plan, const struct tape *tape)
{
	uint64_t n = 0;

	for (size_t i = 0; i < plan->load_count; i++)
		if (bind_names_port(plan->loads[i].bind))
			n += refused_by_name(&plan->loads[i], evidence_tally(plan, tape, i));
	return n;
}

/* Did the driver find that load i wanted for a port? */
static bool ran_out(const struct plan *plan, const struct tape *tape, size_t i)
{
	bool apart = plan->load_count > 1 && i < tape->load_count;

	return apart ? tape->loads[i].exhausted : tape->exhausted;
}

/* connect() says what it says where no port is left, and the driver has found that it was none: of a socket
 * that has its port already it is no address either. */
static uint64_t homeless_of(const struct plan *plan, const struct tape *tape, int error)
{
	uint64_t n = 0;

	for (size_t i = 0; i < plan->load_count; i++)
		if (!bind_takes_port(plan->loads[i].bind) && !ran_out(plan, tape, i))
			n += evidence_tally(plan, tape, i)->errors[STAGE_CONNECT][error];
	return n;
}

/* Of the loads whose ports the kernel chooses the one that has most to choose from; NULL: there is none. */
static const struct load_plan *chooser_of(const struct plan *plan)
{
	const struct load_plan *wide = NULL;

	for (size_t i = 0; i < plan->load_count; i++) {
		const struct load_plan *lp = &plan->loads[i];

		if (!bind_names_port(lp->bind) &&
		    (!wide || lp->ports.hi - lp->ports.lo > wide->ports.hi - wide->ports.lo))
			wide = lp;
	}
	return wide;
}

bool evidence_kernel_chooses(const struct plan *plan)
{
	return chooser_of(plan);
}

static struct port_range common(struct port_range a, struct port_range b)
{
	return (struct port_range){a.lo > b.lo ? a.lo : b.lo, a.hi < b.hi ? a.hi : b.hi};
}

uint32_t evidence_named(const struct plan *plan, size_t i)
{
	const struct load_plan *wide = chooser_of(plan);
	struct port_range both;

	if (!bind_names_port(plan->loads[i].bind))
		return 0;
	both = common(plan->loads[i].ports, wide ? wide->ports : plan->loads[plan->widest].ports);
	if (both.lo > both.hi)
		return 0;
	return both.hi - both.lo + 1U -
	       (wide ? ports_within(&plan->scenario->network.reserved, both) : 0);
}

bool evidence_is_outside(const struct plan *plan, size_t i)
{
	return bind_names_port(plan->loads[i].bind) && evidence_named(plan, i) == 0;
}

bool evidence_is_held(const struct plan *plan, const struct tape *tape, size_t i)
{
	const struct load_plan *lp = &plan->loads[i];
	int64_t die = plan->scenario->server.die; /* who dies listens no more */

	return bind_names_port(lp->bind) && lp->budget.usable == 0 &&
	       (die == 0 || lp->load->start < die) && evidence_tally(plan, tape, i)->opened == 0;
}

static void count_kept(struct evidence *e)
{
	for (size_t i = 0; i < e->plan->load_count; i++) {
		const struct tally *t = evidence_tally(e->plan, e->tape, i);

		if (evidence_is_outside(e->plan, i))
			continue;
		e->opened += t->opened;
		e->closed += t->closed;
		e->kept += t->leaked + t->inherited;
		if (t == &e->tape->tally)
			break; /* which is all of them */
	}
}

struct evidence evidence_of(const struct plan *plan, const struct tape *tape,
			    const struct measures *m, struct arena *a)
{
	struct evidence e = {.plan = plan,
			     .tape = tape,
			     .measures = m,
			     .full = tape_peak(tape),
			     .ports_of = "",
			     .a = a};

	e.load = load_with_most(plan, tape, failed_of);
	e.leaker = load_with_most(plan, tape, leaked_of);

	if (tape->exhausted)
		e.wanted = tape->tally.errors[STAGE_CONNECT][EADDRNOTAVAIL] +
			   tape->tally.errors[STAGE_CONNECT][EAGAIN] +
			   tape->tally.errors[STAGE_SEND][EAGAIN] +
			   tape->tally.errors[STAGE_BIND][EADDRINUSE];
	e.named = named_of(plan, tape);
	e.homeless = homeless_of(plan, tape, EADDRNOTAVAIL);
	e.portless = homeless_of(plan, tape, EAGAIN);
	e.wanted -= least(e.wanted, e.named + e.homeless + e.portless);
	count_kept(&e);
	return e;
}
