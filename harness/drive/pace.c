#include "drive/pace.h"

#include <math.h>

bool pace_is_over(const struct pace *p, int64_t now_ns, uint64_t started)
{
	return (p->total && started >= p->total) || (p->duration_ns && now_ns >= p->duration_ns);
}

uint64_t pace_due(const struct pace *p, int64_t now_ns, uint64_t started, uint64_t under_way)
{
	uint64_t due;

	if (pace_is_over(p, now_ns, started))
		return 0;
	if (p->rate > 0) {
		due = (uint64_t)((double)now_ns / 1e9 * p->rate) + 1; /* the first is due at 0 */
		due = due > started ? due - started : 0;
	} else {
		due = p->concurrency > under_way ? p->concurrency - under_way : 0;
	}
	return p->total && due > p->total - started ? p->total - started : due;
}

int64_t pace_next_ns(const struct pace *p, int64_t now_ns, uint64_t started)
{
	return p->rate > 0 ? (int64_t)ceil((double)started / p->rate * 1e9) : now_ns;
}
