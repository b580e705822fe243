#include "drive/prober.h"

#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

#include "drive/alarm.h"
#include "plan/bind.h"
#include "sys/clock.h"
#include "sys/counters.h"
#include "sys/plain.h"

/* A connect that waits for its answer looks this often whether it is to end; one that found no
 * port has walked the whole range, and the next waits so many times as long. */
enum { LOOK_NS = 100000000, REFUSED_SHARE = 100 };

struct prober {
	const struct plan *plan;
	const struct load_plan *load; /* whose connects it makes */
	const struct lab *lab;
	struct latency *latency;
	struct proc_door proc;
	uint64_t turn, opened;
	uint32_t link; /* its index; 0: none */
	struct alarm alarm;
	atomic_bool quitting;
	_Atomic bool *broken; /* the load is to end */
	bool good, joined;
	struct err err;
};

/* What share of the ports is in use, by the client's totals: on loopback they have both ends of
 * what is open. Ballast and what is squatted is in none of them. */
static double fill_of(const struct prober *p, const struct totals *totals)
{
	const struct plan *plan = p->plan;
	const struct squat_plan *q = &plan->squat;
	double held = (double)q->ballast + q->bound + q->listening, used = (double)totals->inuse;

	if (plan->scenario->network.topology == TOPOLOGY_LOOPBACK)
		used = used > plan->services ? (used - plan->services) / 2 : 0;
	used = (used + (double)totals->tw) / p->load->budget.spaces + held;
	return used / (p->load->budget.usable + held);
}

static bool is_in_one_pass(const struct load_plan *lp)
{
	return lp->bind == BIND_LOCAL_PORT_RANGE;
}

static enum half half_of(const struct prober *p, int fd, double fill)
{
	unsigned odd = (socket_port(fd) ^ p->load->ports.lo) & 1;

	if (is_in_one_pass(p->load))
		return fill < 0.5 ? HALF_LOWER : HALF_UPPER;
	return odd == bind_takes_port(p->load->bind) ? HALF_LOWER : HALF_UPPER;
}

static bool is_want_of_port(enum stage stage, int e)
{
	return (stage == STAGE_CONNECT && e == -EADDRNOTAVAIL) ||
	       (stage == STAGE_BIND && e == -EADDRINUSE);
}

/* What is waited for longer than load.timeout is given up, as the load does. */
static int open_within(struct prober *p, int fd, const struct endpoint *source,
		       const struct endpoint *destination, enum stage *stage)
{
	int64_t until = clock_now() + p->load->load->timeout;
	int e = socket_open(fd, source, destination, stage);

	while (e == -EINPROGRESS || e == -EALREADY || e == -EINTR) {
		if (atomic_load(&p->quitting) || clock_now() >= until)
			return -ETIMEDOUT;
		e = socket_open(fd, NULL, destination, stage);
	}
	return e;
}

/* How long until the next. */
static int64_t time_one(struct prober *p, int fd, uint32_t pair, double fill)
{
	const struct plan *plan = p->plan;
	uint32_t dest = pair % plan->destinations;
	struct endpoint to = endpoint_make(p->load->family, plan_destination(plan, p->load, dest),
					   plan_service(plan, dest));
	struct endpoint from =
		p->load->bind == BIND_ANY
			? endpoint_any(p->load->family, 0)
			: endpoint_make(p->load->family,
					p->load->sources.list[pair / plan->destinations], 0);
	int64_t begin, took;
	enum stage stage;
	int e;

	endpoint_scope(&to, p->link);
	endpoint_scope(&from, p->link);
	begin = clock_now();
	e = open_within(p, fd, p->load->bind_source ? &from : NULL, &to, &stage);
	took = clock_now() - begin;
	if (e == 0) {
		p->opened++;
		latency_add(p->latency, half_of(p, fd, fill), fill, took);
	}
	if (!is_want_of_port(stage, e))
		return p->plan->scenario->sample.latency;
	histogram_add(&p->latency->refused, (uint64_t)took);
	return took * REFUSED_SHARE;
}

/* False: what the prober goes by cannot be read. */
static bool probe(struct prober *p, int64_t *wait_ns)
{
	const struct socket_wish wish = {
		.family = p->load->family,
		.multipath = p->load->load->options.mptcp,
		.options = p->load->options,
		.option_count = p->load->option_count,
		.reset_on_close = true,
		.look_ns = LOOK_NS,
	};
	int64_t every = p->plan->scenario->sample.latency, next;
	struct totals totals;
	enum stage stage;
	int fd;

	*wait_ns = every;
	if (!proc_totals(&p->proc, &totals, &p->err))
		return false;
	fd = socket_make(&wish, &stage);
	if (fd < 0)
		return true;
	next = time_one(p, fd, (uint32_t)(p->turn++ % p->load->budget.pairs), fill_of(p, &totals));
	close(fd);
	if (next > every)
		*wait_ns = next;
	return true;
}

static void *prober_thread(void *context)
{
	struct prober *p = context;
	int64_t next, wait_ns;

	p->good = lab_enter(p->lab, LAB_CLIENT, &p->err) &&
		  link_find(&p->link, load_link(p->load->load), &p->err) &&
		  proc_open(&p->proc, &p->err);
	alarm_ready(&p->alarm);
	alarm_await(&p->alarm);
	if (!p->good)
		return NULL;
	do { /* at least one, however short the load is */
		p->good = probe(p, &wait_ns);
		next = clock_now() + wait_ns;
	} while (p->good && alarm_until(&p->alarm, next));
	if (!p->good)
		atomic_store(p->broken, true);
	proc_close(&p->proc);
	return NULL;
}

bool prober_start(struct prober **out, const struct plan *plan, const struct lab *lab,
		  _Atomic bool *broken, struct arena *arena, struct err *err)
{
	struct prober *p;

	*out = NULL;
	if (plan->scenario->sample.latency == 0)
		return true;
	p = ARENA_NEW(arena, struct prober);
	p->plan = plan;
	p->load = &plan->loads[0];
	p->lab = lab;
	p->broken = broken;
	p->proc = (struct proc_door){-1, -1, -1, -1};
	p->latency = ARENA_NEW(arena, struct latency);
	if (!alarm_start(&p->alarm, prober_thread, p, "times connects", err))
		return false;
	*out = p;
	if (p->good)
		return true;
	return prober_close(p, NULL, err);
}

void prober_zero(struct prober *p)
{
	if (p)
		alarm_begin(&p->alarm);
}

uint64_t prober_stop(struct prober *p)
{
	if (!p)
		return 0;
	if (!p->joined) {
		atomic_store(&p->quitting, true);
		alarm_stop(&p->alarm);
		p->joined = true;
	}
	return p->opened;
}

bool prober_close(struct prober *p, struct tape *out, struct err *err)
{
	prober_stop(p);
	if (p && out)
		out->latency = p->latency;
	if (!p || p->err.kind == ERR_NONE)
		return true;
	if (err->kind == ERR_NONE)
		*err = p->err;
	return false;
}
