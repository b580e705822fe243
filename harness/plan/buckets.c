#include "plan/buckets.h"

#include <math.h>

static int64_t buckets_of(const struct scenario *s, const struct host *host)
{
	int64_t fallback = (host->ehash > 0 ? host->ehash : 262144) / 2;

	return setting_number(&s->network.sysctl, "net.ipv4.tcp_max_tw_buckets", fallback);
}

uint64_t buckets_few(const struct scenario *s, const struct budget *b, const struct host *host)
{
	int64_t n = buckets_of(s, host);

	return n > 0 && (uint64_t)n < b->capacity ? (uint64_t)n : 0;
}

uint64_t buckets_end(const struct plan *p)
{
	const struct forecast *f = &p->forecast;

	if (f->quiet_ns <= 0 || f->quiet_ns == FOR_EVER || isnan(f->rate))
		return 0;
	return buckets_few(p->scenario, &p->budget, p->host);
}

void buckets_limit(struct span *quiet, const struct scenario *s, const struct budget *b,
		   const struct host *host)
{
	int64_t buckets = buckets_of(s, host);

	if (quiet->most == FOR_EVER || buckets < 0 || (uint64_t)buckets >= b->capacity)
		return;
	quiet->least = 0;
	if (buckets == 0)
		quiet->most = 0;
}
