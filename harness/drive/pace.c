#include "drive/pace.h"

#include "base/order.h"
#include "plan/budget.h"

bool pace_is_open(const struct pace *p)
{
	return p->concurrency == 0;
}

/* On the run's clock. */
static int64_t due_ns(const struct pace *p, uint64_t i)
{
	int64_t ns = shape_when(&p->shape, i);

	return ns < FOR_EVER - p->start_ns ? ns + p->start_ns : FOR_EVER;
}

bool pace_is_over(const struct pace *p, int64_t now_ns, uint64_t started)
{
	return (p->total && started >= p->total) ||
	       (p->duration_ns && now_ns - p->start_ns >= p->duration_ns) ||
	       (pace_is_open(p) && due_ns(p, started) == FOR_EVER);
}

uint64_t pace_due(const struct pace *p, int64_t now_ns, uint64_t started, uint64_t under_way)
{
	uint64_t due;

	if (now_ns < p->start_ns || pace_is_over(p, now_ns, started))
		return 0;
	if (pace_is_open(p)) {
		due = shape_due(&p->shape, now_ns - p->start_ns);
		due = due > started ? due - started : 0;
	} else {
		due = p->concurrency > under_way ? p->concurrency - under_way : 0;
	}
	return p->total && due > p->total - started ? p->total - started : due;
}

int64_t pace_next_ns(const struct pace *p, int64_t now_ns, uint64_t started)
{
	return pace_is_open(p) ? due_ns(p, started) : later(now_ns, p->start_ns);
}
