#include "plan/buckets.h"

#include <math.h>

#include "base/order.h"

#define SECOND 1e9

static int64_t buckets_of(const struct scenario *s, const struct host *host)
{
	int64_t fallback = (host->ehash > 0 ? host->ehash : 262144) / 2;

	return setting_number(&s->network.sysctl, "net.ipv4.tcp_max_tw_buckets", fallback);
}

uint64_t buckets_few(const struct scenario *s, const struct budget *b, const struct host *host)
{
	int64_t n = buckets_of(s, host);

	return n > 0 && (uint64_t)n < most(b->capacity, b->together) ? (uint64_t)n : 0;
}

void buckets_limit(struct span *quiet, const struct scenario *s, const struct budget *b,
		   const struct host *host)
{
	if (quiet->most == FOR_EVER)
		return;
	if (buckets_of(s, host) == 0)
		quiet->most = quiet->mean = 0;
	if (buckets_of(s, host) == 0 || buckets_few(s, b, host) > 0)
		quiet->least = 0;
}

/* So many of its ports wait at once, at that rate. */
static double waiting_at(double rate, const struct scenario *s, const struct budget *b,
			 const struct host *host)
{
	return rate * (life_mean(s, b, host) - life_mean_open(s, b, host)) / SECOND;
}

void buckets_bound(struct forecast *f, const struct scenario *s, const struct budget *b,
		   const struct host *host)
{
	uint64_t few = buckets_few(s, b, host);

	if (few == 0 || few >= b->capacity || f->quiet_ns <= 0 || f->quiet_ns == FOR_EVER ||
	    !(f->rate > 0) || waiting_at(f->rate, s, b, host) <= (double)few)
		return;
	f->buckets = few;
	f->rate_is_least = true;
}
