#include "plan/lasts.h"

#include <math.h>

#include "plan/buckets.h"
#include "plan/fill.h"
#include "plan/life.h"
#include "plan/part.h"

#define SECOND 1e9

/* What lasts longer is not to be waited for: 100 days. */
#define LONGEST_NS (100 * 86400 * SECOND)

/* It does not go on as it was. */
static bool server_ends(const struct scenario *s)
{
	return s->server.die || s->server.vanish;
}

/* Ports in use a time after the load began: of each end those that began since, or within a port's
 * life. */
static double used_at(const struct plan *p, double rate, double ns)
{
	struct scenario alone = *p->scenario;
	double used = 0;

	alone.load = *p->loads[0].load;
	for (enum end end = 0; end < ENDS; end++) {
		struct life life = life_so(&alone, &p->budget, p->host, end);
		int64_t all = life_sum(life.live.most, life.quiet.most);

		if (load_ends(&alone.load, end))
			used += rate * load_share(&alone.load, end) *
				fmin(ns, all == FOR_EVER ? INFINITY : (double)all) / SECOND;
	}
	return used;
}

double lasts_for_ns(const struct plan *p, double ports)
{
	double rate = plan_rate(p), early = 0, late = LONGEST_NS;

	if (used_at(p, rate, late) <= ports)
		return INFINITY;
	while (late - early > 1) {
		double between = early + (late - early) / 2;

		if (used_at(p, rate, between) < ports)
			early = between;
		else
			late = between;
	}
	return late;
}

/* A gateway that carries fewer is full before, and the client's ports are not. */
static bool gateway_ends(const struct plan *p)
{
	return p->nat.outside.count && carriage_lacks(&p->nat.carriage);
}

/* Where all loads want the same ports. */
static int64_t together_lasts_ns(const struct plan *p)
{
	if (plan_binds_nowhere(p) || gateway_ends(p) || server_ends(p->scenario) ||
	    buckets_end(p) > 0 || p->budget.capacity == 0)
		return 0;
	return fill_lasts_ns(p);
}

int64_t lasts_ns(const struct plan *p)
{
	double ports = (double)p->budget.capacity, ns;
	struct part parts[PARTS_MOST];
	struct scenario alone = *p->scenario;

	alone.load = *p->loads[0].load;
	if (p->load_count > 1)
		return parts_of(parts, p) == 1 ? together_lasts_ns(p) : 0;
	if (plan_rate(p) <= 0 || p->loads[0].load->ramp.count > 0 || ports == 0 ||
	    p->loads[0].sockets_most < ports || life_races(&alone) || server_ends(p->scenario) ||
	    load_is_pooled(p->loads[0].load) || buckets_end(p) > 0 || plan_binds_nowhere(p) ||
	    gateway_ends(p))
		return 0;
	ns = lasts_for_ns(p, ports);
	return isfinite(ns) ? (int64_t)ns : 0;
}
