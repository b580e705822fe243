#include "plan/due.h"

#include <math.h>

#include "plan/alone.h"
#include "plan/life.h"
#include "plan/shape.h"
#include "plan/speed.h"

static struct life life_alone(const struct plan *p, const struct load_plan *lp,
			      struct scenario *alone)
{
	*alone = alone_of(p->scenario, lp->load);
	return life_of(alone, &lp->budget, p->host);
}

/* How many it has surely begun by a time, however its connections fare. */
static double surely(const struct plan *p, const struct load_plan *lp, double ns)
{
	double until = ns - (double)lp->load->start - SPEED_HELD_UP_NS, begun;
	double each = SPEED_SLOWEST_NS * speed_crowd(p->load_count);

	if (until <= 0)
		return 0;
	if (lp->load->duration) /* what is due as it ends does not begin */
		until = fmin(until, (double)lp->load->duration - 1);
	begun = fmin((double)shape_due(&lp->shape, (int64_t)until), until / each);
	return lp->load->total ? fmin(begun, (double)lp->load->total) : begun;
}

uint64_t due_known(const struct plan *p, const struct load_plan *lp, double until_ns)
{
	const struct load *l = lp->load;
	bool is_timed = !load_is_pooled(l) && load_is_open(l);
	uint64_t begun = is_timed ? (uint64_t)surely(p, lp, until_ns) : 0;

	return begun ? begun : (double)l->start < until_ns;
}

int64_t due_when_ns(const struct load_plan *lp, uint64_t i)
{
	return i ? lp->load->start + shape_when(&lp->shape, i) : lp->load->start;
}

double due_begun_ns(const struct plan *p, const struct load_plan *lp)
{
	const struct load *l = lp->load;
	struct scenario alone;
	struct life life = life_alone(p, lp, &alone);

	if (l->on_failure.retry || load_is_pooled(l))
		return INFINITY;
	if (l->duration)
		return (double)(l->start + l->duration) + SPEED_HELD_UP_NS;
	if (!l->total)
		return INFINITY;
	return (double)l->start + SPEED_HELD_UP_NS +
	       speed_pace(&alone, &lp->budget, &life, l->total - 1).most;
}

double due_over_ns(const struct plan *p, const struct load_plan *lp, const struct load_plan *asker)
{
	struct scenario alone;
	struct life life;
	int64_t all;

	life_alone(p, lp, &alone);
	life_look_at(&alone, asker->load);
	life = life_of(&alone, &lp->budget, p->host);
	all = life_sum(life.live.most, life.quiet.most);
	if (all == FOR_EVER || speed_fills(&alone, &alone.load) || !life_opens(&alone))
		return INFINITY;
	return due_begun_ns(p, lp) + (double)all + (double)life.late_ns;
}

double due_changes_ns(const struct plan *p)
{
	double first = (double)p->scenario->stop.time;

	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct load *l = p->loads[i].load;

		first = fmin(first, speed_changes_ns(p->scenario, l) + (double)l->start);
	}
	return first;
}
