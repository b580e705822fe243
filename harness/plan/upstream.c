#include "plan/upstream.h"

#include "base/order.h"

enum { UPSTREAMS_MOST = 1 << 18 /* as many as a far end keeps */ };

bool upstreams_are_clients(const struct plan *p)
{
	return p->scenario->server.behaviour == BEHAVIOUR_LOOP &&
	       p->scenario->network.topology == TOPOLOGY_LOOPBACK;
}

/* The range that the far end's own connects have. */
static uint32_t own_range(const struct plan *p)
{
	const struct setting_list *set = &p->scenario->server.sysctl;
	const char *name = "net.ipv4.ip_local_port_range";
	int64_t lo, hi = setting_last(set, name, -1);

	if (upstreams_are_clients(p))
		return p->budget.usable;
	lo = setting_first(set, name, -1);
	if (lo < 0 || hi < lo || hi > UINT16_MAX)
		return 60999 - 32768 + 1;
	return (uint32_t)(hi - lo) + 1;
}

/* A proxy that is its own upstream opens as many as there are ports, towards each listener. */
uint32_t upstreams_of(const struct plan *p)
{
	if (p->scenario->server.behaviour != BEHAVIOUR_LOOP)
		return 0;
	return (uint32_t)least((uint64_t)own_range(p) * p->services, UPSTREAMS_MOST);
}
