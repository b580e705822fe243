#include "plan/retry.h"

#include <math.h>

int64_t retry_wait_ns(const struct load *load, unsigned k, double draw)
{
	double ns = (double)load->on_failure.wait * pow((double)load->on_failure.grow, k);

	ns = fmin(ns, RETRY_WAIT_MOST) * (1 + load->on_failure.jitter * (2 * draw - 1));
	return (int64_t)fmax(RETRY_WAIT_LEAST, fmin(ns, RETRY_WAIT_MOST));
}

int64_t retry_most_ns(const struct load *load)
{
	double ns = 0;

	for (unsigned k = 0; k < load->on_failure.retry; k++)
		ns += (double)retry_wait_ns(load, k, 1);
	return (int64_t)fmin(ns, RETRY_WAIT_MOST);
}
