/* What a plan of several loads says: each by itself, and then the sum. */
#include <math.h>

#include "base/order.h"
#include "plan/outline.h"
#include "plan/part.h"
#include "plan/use.h"

/* A pool wants what is likely under way at once. */
static double wanted_of(const struct outline *o)
{
	return o->pooled ? o->pool.likely : o->wanted;
}

static struct guess later_of(struct guess a, struct guess b)
{
	return (struct guess){fmax(a.least, b.least), fmax(a.likely, b.likely),
			      fmax(a.most, b.most)};
}

static void add_load(struct outline *all, const struct outline *one)
{
	all->under_way += one->under_way;
	all->wanted += wanted_of(one);
	all->pooled &= one->pooled;
	all->some_pooled |= one->pooled;
	all->live_ns = later(all->live_ns, one->live_ns);
	all->live_most_ns = later(all->live_most_ns, one->live_most_ns);
	all->quiet_ns = later(all->quiet_ns, one->quiet_ns);
	all->asked += one->asked;
	all->last_ns = later_of(all->last_ns, one->last_ns);
}

/* From the first refusal until a port of some load is back: at once, where ports come back already; none is of
 * those that are kept, or idle. */
static int64_t recovery_of(const struct plan *p, double at_ns)
{
	double first = INFINITY;

	for (uint32_t i = 0; i < p->load_count; i++) {
		struct use u = use_make(p, &p->loads[i], &p->loads[i]);
		int64_t life = life_sum(u.life.live.mean, u.life.quiet.mean);

		if (life > 0 && life < FOR_EVER && !u.is_pooled && use_likely(&u, at_ns - 1) > 0)
			first = fmin(first, (double)p->loads[i].load->start + (double)life);
	}
	return isfinite(first) ? (int64_t)fmax(first - at_ns, 0) : FOR_EVER;
}

static void set_failure(struct outline *o, const struct plan *p)
{
	const struct forecast *f = &p->forecast;
	double start = (double)plan_start(p);

	o->exhausts = f->exhausts;
	o->known = f->known;
	o->recovery_ns = FOR_EVER;
	if (!f->counted)
		return;
	outline_set_after(o, p);
	o->at_ns = (struct guess){start + f->at.least, start + f->at.likely, start + f->at.most};
	o->recovery_ns = recovery_of(p, o->at_ns.likely);
}

struct outline outline_of_loads(const struct plan *p)
{
	struct outline o = {.rate = plan_rate(p), .tries = 1, .pooled = true, .kept_share = 1};

	for (uint32_t i = 0; i < p->load_count; i++) {
		struct load_plan room;
		struct plan one;
		struct outline each;

		part_of_load(&one, p, i, &room);
		each = outline_of(&one);
		add_load(&o, &each);
	}
	set_failure(&o, p);
	outline_set_half(&o, p);
	outline_set_end(&o, p);
	o.requests = o.pooled ? o.begun : 0;
	outline_set_ports(&o, p);
	return o;
}
