#include "host/waits.h"

enum { DELAY_MS = 1000 };

struct waits waits_of(int64_t tw_reuse, int64_t delay_ms, bool timestamps)
{
	return (struct waits){.all = timestamps && tw_reuse == 1,
			      .loopback = timestamps && tw_reuse == 2,
			      .delay_ns = (delay_ms > 0 ? delay_ms : DELAY_MS) * INT64_C(1000000)};
}

int64_t waits_ns(const struct waits *w, bool is_loopback)
{
	bool is_reused = w->all || (w->loopback && is_loopback);

	return is_reused && w->delay_ns < WAIT_WHOLE_NS ? w->delay_ns : WAIT_WHOLE_NS;
}

static bool is_loopback(struct address a)
{
	return (address_is_ipv4(a) && (a.low >> 24 & 0xff) == 127) ||
	       address_eq(a, (struct address){0, 1});
}

bool waits_on_loopback(struct address local, struct address remote)
{
	return is_loopback(local) || is_loopback(remote);
}
