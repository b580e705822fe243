#include "plan/upstream.h"

#include "base/order.h"
#include "base/unit.h"

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
	struct port_range range = {32768, 60999};

	if (upstreams_are_clients(p))
		return p->budget.usable;
	for (size_t i = 0; i < set->count; i++) {
		struct text rest = text_trim(set->list[i].value), low;
		uint64_t lo, hi;

		if (!text_is(set->list[i].name, "net.ipv4.ip_local_port_range") ||
		    !text_cut(&rest, ' ', &low) || !unit_read_count(low, &lo) ||
		    !unit_read_count(text_trim(rest), &hi) || lo > hi || hi > UINT16_MAX)
			continue;
		range = (struct port_range){(uint16_t)lo, (uint16_t)hi};
	}
	return range.hi - range.lo + 1U;
}

/* A proxy that is its own upstream opens as many as there are ports, towards each listener. */
uint32_t upstreams_of(const struct plan *p)
{
	if (p->scenario->server.behaviour != BEHAVIOUR_LOOP)
		return 0;
	return (uint32_t)least((uint64_t)own_range(p) * p->services, UPSTREAMS_MOST);
}
