#include "plan/retry.h"

#include <math.h>

#include "base/draw.h"

int64_t retry_wait_ns(const struct load *load, unsigned k, double draw)
{
	double ns = (double)load->on_failure.wait * pow((double)load->on_failure.grow, k);

	ns = fmin(ns, RETRY_WAIT_MOST) * (1 + load->on_failure.jitter * (2 * draw - 1));
	return (int64_t)fmax(RETRY_WAIT_LEAST, fmin(ns, RETRY_WAIT_MOST));
}

int64_t retry_wait_of(const struct plan *p, const struct load_plan *lp, uint64_t i, unsigned k)
{
	uint64_t stream = plan_stream(p, lp, DRAW_RETRY);

	return retry_wait_ns(lp->load, k, draw_share(p->seed, stream, i * RETRIES_MOST + k));
}

int64_t retry_most_ns(const struct load *load)
{
	double ns = 0;

	for (unsigned k = 0; k < load->on_failure.retry; k++)
		ns += (double)retry_wait_ns(load, k, 1);
	return (int64_t)fmin(ns, RETRY_WAIT_MOST);
}

unsigned retry_tries(const struct scenario *s, const struct load *load)
{
	bool hangs = s->server.behaviour == BEHAVIOUR_DROP && load->protocol == PROTOCOL_TCP;

	return hangs ? 1 + (unsigned)load->on_failure.retry : 1;
}
