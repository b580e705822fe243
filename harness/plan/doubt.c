#include "plan/doubt.h"

#include <math.h>

#include "plan/life.h"
#include "plan/speed.h"
#include "plan/squat.h"
#include "plan/upstream.h"

/* Has the only load surely begun all of its connections by then, and lacked no port for them? */
static bool is_begun_by(const struct plan *p, double ns)
{
	const struct load_plan *lp = &p->loads[0];
	struct scenario alone = *p->scenario;
	struct life life;

	if (p->load_count > 1 || !p->forecast.known || p->forecast.exhausts || !lp->load->total ||
	    lp->load->on_failure.retry)
		return false;
	alone.load = *lp->load;
	life = life_of(&alone, &p->budget, p->host);
	return (double)lp->load->start +
		       speed_pace(&alone, &p->budget, &life, lp->load->total - 1).most <
	       ns;
}

/* Which ports squat finds free is a race, unless the load has had all that it wants before. */
static void forecast_late(struct plan *p)
{
	struct forecast *f = &p->forecast;
	double start_ns = (double)p->scenario->squat.start;

	if (p->scenario->squat.start == 0 || is_begun_by(p, start_ns) ||
	    (f->exhausts && f->counted && f->at.most < start_ns))
		return;
	f->known = f->exhausts = f->counted = f->cut_short = false;
	f->after = f->after_least = f->after_most = 0;
}

/* Which of the ports that a load names are given to sockets that name none is the kernel's to say. */
static void forecast_named(struct plan *p)
{
	struct forecast *f = &p->forecast;

	if (!squat_may_take_any(p))
		return;
	f->rate = NAN;
	f->known = f->exhausts = f->counted = f->cut_short = false;
	f->after = f->after_least = f->after_most = 0;
}

/* What bind() refuses takes no port, and network.dad is how long it does. With ip_nonlocal_bind it
 * is connect() that fails, at once or when its time is up: with the port in use until then, or
 * not. */
static void forecast_foreign(struct plan *p)
{
	struct forecast *f = &p->forecast;

	if (!plan_lacks_address(p))
		return;
	f->known = plan_binds_nowhere(p) || (f->known && !f->exhausts);
	f->exhausts = f->counted = f->cut_short = false;
	f->after = f->after_least = f->after_most = f->times_out_after = 0;
}

bool doubt_descriptors(const struct load_plan *lp)
{
	const struct load *l = lp->load;
	bool ends_before = l->total && l->total <= lp->sockets_most;
	bool gives_back = lp->concurrency && lp->concurrency <= lp->sockets_most &&
			  lp->idle_most == 0 && !load_ends(l, END_LEAK);

	return lp->sockets_most <= lp->budget.capacity && !ends_before && !gives_back;
}

/* A load that keeps all that it opens has no descriptor before it has no port; of others it is a race. */
static void forecast_descriptors(struct plan *p)
{
	struct forecast *f = &p->forecast;

	for (uint32_t i = 0; i < p->load_count; i++) {
		if (!doubt_descriptors(&p->loads[i]))
			continue;
		f->known = load_share(p->loads[i].load, END_LEAK) >= 1 && p->load_count == 1;
		f->exhausts = f->counted = f->cut_short = false;
		f->after = f->after_least = f->after_most = 0;
	}
}

/* On loopback a proxy that is its own upstream takes the client's ports, as fast as it can. */
static void forecast_loop(struct plan *p)
{
	struct forecast *f = &p->forecast;

	if (!upstreams_are_clients(p))
		return;
	f->rate = NAN;
	f->known = f->exhausts = f->counted = f->cut_short = false;
	f->after = f->after_least = f->after_most = 0;
}

void doubt_set(struct plan *p)
{
	forecast_late(p);
	forecast_named(p);
	forecast_foreign(p);
	forecast_descriptors(p);
	forecast_loop(p);
}
