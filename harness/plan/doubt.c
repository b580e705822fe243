#include "plan/doubt.h"

#include <math.h>

#include "base/order.h"
#include "plan/alone.h"
#include "plan/due.h"
#include "plan/life.h"
#include "plan/pool.h"
#include "plan/speed.h"
#include "plan/squat.h"
#include "plan/upstream.h"

/* What cannot be told any more; `known`: what is told is that no port is wanted for. */
static void take_back(struct forecast *f, bool known)
{
	f->known = known;
	f->exhausts = f->counted = f->cut_short = false;
	f->after = f->after_least = f->after_most = 0;
	f->full_after = f->full_least = f->times_out_after = f->times_out_least = 0;
	f->times_out = false;
}

/* Has the only load surely begun all of its connections by then, and lacked no port for them? */
static bool is_begun_by(const struct plan *p, double ns)
{
	return p->load_count == 1 && p->forecast.known && !p->forecast.exhausts &&
	       due_begun_ns(p, &p->loads[0]) < ns;
}

/* Which ports squat finds free is a race, unless the load has had all that it wants before. */
static void forecast_late(struct plan *p)
{
	struct forecast *f = &p->forecast;
	double start_ns = (double)p->scenario->squat.start;

	if (p->scenario->squat.start == 0 || is_begun_by(p, start_ns) ||
	    (f->exhausts && f->counted && (double)plan_start(p) + f->at.most < start_ns))
		return;
	take_back(f, false);
}

/* Which of the ports that a load names are given to sockets that name none is the kernel's to say. */
static void forecast_named(struct plan *p)
{
	struct forecast *f = &p->forecast;

	if (!squat_may_take_any(p))
		return;
	f->rate = f->rate_sure = NAN;
	take_back(f, false);
}

/* What bind() refuses takes no port, and network.dad is how long it does. With ip_nonlocal_bind it
 * is connect() that fails, at once or when its time is up: with the port in use until then, or
 * not. */
static void forecast_foreign(struct plan *p)
{
	struct forecast *f = &p->forecast;

	if (plan_binds_nowhere(p))
		f->rate = 0;
	if (plan_binds_nowhere(p) || plan_lacks_address(p))
		take_back(f, plan_binds_nowhere(p) || (f->known && !f->exhausts));
}

bool doubt_gateway_first(const struct plan *p, const struct load_plan *lp)
{
	return p->forecast.times_out_after && p->forecast.times_out_after < lp->sockets_most;
}

bool doubt_is_steady(const struct plan *p, const struct load_plan *lp)
{
	double changes = speed_changes_ns(p->scenario, lp->load);

	return isinf(changes) || (load_is_open(lp->load) &&
				  (double)shape_when(&lp->shape, lp->sockets_most) < changes);
}

/* Does what each connection does say how long its socket is open? None hangs, or is kept by a pool. */
static bool is_timed(const struct plan *p, const struct load_plan *lp)
{
	struct scenario alone = alone_of(p->scenario, lp->load);

	return load_is_open(lp->load) && lp->idle_most == 0 && life_opens(&alone) &&
	       !speed_fills(&alone, &alone.load) && !p->scenario->server.backlog &&
	       !carriage_lacks(&p->nat.carriage) && isinf(speed_changes_ns(&alone, &alone.load)) &&
	       lp->load->on_failure.retry == 0;
}

/* Are so few open at once that a machine which is held up has enough for them? */
static bool is_short(const struct plan *p, const struct load_plan *lp)
{
	struct scenario alone = alone_of(p->scenario, lp->load);
	struct life life = life_of(&alone, &lp->budget, p->host);

	return is_timed(p, lp) && life.quiet.most < FOR_EVER &&
	       shape_most(&lp->shape, life.live.most + SPEED_STALL_NS) <= lp->sockets_most;
}

int64_t doubt_descriptors_ns(const struct plan *p, const struct load_plan *lp)
{
	struct scenario alone = alone_of(p->scenario, lp->load);
	struct life life = life_of(&alone, &lp->budget, p->host);
	int64_t open_ns = life.quiet.least == FOR_EVER ? FOR_EVER : life.live.least;
	uint64_t n = lp->sockets_most;
	bool begins = load_begins_most(lp->load, &lp->shape, p->scenario->stop.time) > n;

	if (!is_timed(p, lp) || !begins || n >= lp->budget.first ||
	    speed_pace(&alone, &lp->budget, &life, n).most >= (double)open_ns)
		return FOR_EVER;
	return shape_when(&lp->shape, n);
}

bool doubt_descriptors(const struct plan *p, const struct load_plan *lp)
{
	const struct load *l = lp->load;
	bool ends_before =
		load_begins_most(l, &lp->shape, p->scenario->stop.time) <= lp->sockets_most;
	bool gives_back = lp->concurrency && lp->concurrency <= lp->sockets_most &&
			  lp->idle_most == 0 && !load_ends(l, END_LEAK);

	return lp->sockets_most <= lp->budget.capacity && !ends_before && !gives_back &&
	       !(lp->load->nofile && is_short(p, lp)) && !doubt_gateway_first(p, lp);
}

bool doubt_any_descriptors(const struct plan *p)
{
	for (uint32_t i = 0; i < p->load_count; i++)
		if (doubt_descriptors(p, &p->loads[i]))
			return true;
	return false;
}

/* Of a pool, no more are open than have a port each, to whichever destination. */
static bool pool_keeps(const struct plan *p, const struct load_plan *lp)
{
	struct scenario alone = alone_of(p->scenario, lp->load);
	struct life life = life_of(&alone, &lp->budget, p->host);

	return load_is_pooled(lp->load) && lp->sockets_most <= lp->budget.first &&
	       pool_fate_of(&alone, &lp->budget, &life).keeps_all;
}

/* Has the only load a port for each connection that it begins, whatever becomes of some? */
static bool has_enough(const struct plan *p)
{
	const struct load_plan *lp = &p->loads[0];

	return p->load_count == 1 && p->forecast.known && !p->forecast.exhausts &&
	       load_begins_most(lp->load, &lp->shape, p->scenario->stop.time) <= lp->budget.first;
}

/* A load that keeps all that it opens has no descriptor before it has no port; of others it is a race. */
static void forecast_descriptors(struct plan *p)
{
	const struct load_plan *lp = &p->loads[0];
	bool leaks = load_share(lp->load, END_LEAK) >= 1 && doubt_is_steady(p, lp);

	if (doubt_any_descriptors(p))
		take_back(&p->forecast,
			  p->load_count == 1 && (leaks || pool_keeps(p, lp) || has_enough(p)));
}

/* Of one load, connections that a server which is held up finds in its backlog: closed ones too. */
static uint64_t queued_most(const struct plan *p, const struct load_plan *lp)
{
	uint64_t all = load_begins_most(lp->load, &lp->shape, p->scenario->stop.time);

	if (lp->load->protocol != PROTOCOL_TCP || speed_fills(p->scenario, lp->load))
		return 0;
	return load_is_open(lp->load) ? least(all, shape_most(&lp->shape, SPEED_STALL_NS)) : all;
}

/* Has a load surely begun all, and the server accepted it, when another begins? */
static bool is_accepted(const struct plan *p, const struct load_plan *lp,
			const struct load_plan *later)
{
	return due_begun_ns(p, lp) + (double)SPEED_STALL_NS <= (double)later->load->start;
}

/* With a load's, those of others that may be there with them. */
static uint64_t queued_with(const struct plan *p, const struct load_plan *lp)
{
	uint64_t queued = 0;

	for (uint32_t i = 0; i < p->load_count; i++)
		if (!is_accepted(p, &p->loads[i], lp) && !is_accepted(p, lp, &p->loads[i]))
			queued += least(queued_most(p, &p->loads[i]), UINT32_MAX);
	return queued;
}

bool doubt_backlog(const struct plan *p)
{
	const struct scenario *s = p->scenario;
	uint64_t room = (uint64_t)s->server.backlog;

	if (room == 0 || !behaviour_does(s->server.behaviour, DOES_LISTEN))
		return false;
	for (uint32_t i = 0; i < p->load_count; i++)
		if (queued_with(p, &p->loads[i]) > room)
			return true;
	return false;
}

/* A connect that finds the backlog full has its port until it times out, and may end the load. No more
 * ports are in use for that than there are connections. */
static void forecast_backlog(struct plan *p)
{
	if (doubt_backlog(p))
		take_back(&p->forecast, has_enough(p));
}

/* On loopback a proxy that is its own upstream takes the client's ports, as fast as it can. */
static void forecast_loop(struct plan *p)
{
	struct forecast *f = &p->forecast;

	if (!upstreams_are_clients(p))
		return;
	f->rate = f->rate_sure = NAN;
	take_back(f, false);
}

void doubt_set(struct plan *p)
{
	forecast_late(p);
	forecast_named(p);
	forecast_foreign(p);
	forecast_descriptors(p);
	forecast_backlog(p);
	forecast_loop(p);
}
