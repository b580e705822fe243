#include "plan/reuse.h"

#include <math.h>

#include "plan/life.h"
#include "plan/speed.h"

#define SECOND 1e9
#define NEARLY 1e-6 /* rates are no whole numbers */

bool reuse_is_told(const struct plan *p)
{
	const struct load_plan *lp = &p->loads[0];

	return p->load_count == 1 && life_may_wait_reused(p) && p->forecast.quiet_ns != FOR_EVER &&
	       !load_is_pooled(lp->load) && lp->shape.burst == 0 && lp->load->ramp.count == 0;
}

/* Ports of the parity that is walked over: half of the range, if none is taken from it;
 * else it may be any number of them. */
static double parity_of(const struct plan *p)
{
	const struct load_plan *lp = &p->loads[0];
	uint32_t size = (uint32_t)(lp->ports.hi - lp->ports.lo) + 1;
	uint32_t half = speed_half(lp->load, &lp->budget);

	return half > 0 && lp->budget.usable == size ? half : lp->budget.usable;
}

/* Ports of one parity that connects have surely taken, once so many have begun. Each
 * goes on from the port of the last, and passes over as many as seven by chance
 * (get_random_u32_below(8), __inet_hash_connect()): a round takes two of nine. After as
 * many connects as ports two thirds of these are in use, after four times as many all
 * but one in ninety; the bounds are below that. */
static double least_of(double parity, double begun)
{
	return begun >= 4 * parity ? floor(0.9 * parity) : begun >= parity ? floor(parity / 2) : 0;
}

struct guess reuse_used(const struct plan *p, double rate, double begun)
{
	double spaces = p->budget.spaces, usable = p->budget.usable, parity = parity_of(p);
	double each = rate / spaces / SECOND; /* a nanosecond, to one space */
	double wanted = each * (double)p->forecast.port_life_ns;
	double waiting = each * ((double)p->forecast.port_life_ns - (double)p->forecast.quiet_ns +
				 (double)p->scenario->network.time_wait);
	double likely = fmin(waiting, wanted <= parity ? parity : usable);
	double late_ns =
		(double)(SPEED_STALL_NS + p->forecast.life_most_ns - p->forecast.port_life_ns);
	bool is_within = wanted + each * late_ns <= parity;
	struct guess used = {0, ceil(fmin(likely, begun / spaces) - NEARLY), usable};

	if (is_within)
		used.most = fmin(fmin(parity, ceil(begun / spaces)),
				 ceil(waiting + each * (late_ns + (double)life_wait_late_ns(
									  p->scenario, p->host))));
	if (is_within && parity < usable && waiting >= 2 * parity)
		used.least = least_of(parity, begun / spaces);
	return used;
}
