/* What others ask a plan that is made: sums over its loads, and where request i goes. */
#include "plan/plan.h"

#include "base/draw.h"
#include "plan/bind.h"

uint32_t plan_workers(const struct plan *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->load_count; i++)
		n += p->loads[i].workers;
	return n;
}

bool plan_has_requests(const struct plan *p)
{
	for (uint32_t i = 0; i < p->load_count; i++)
		if (p->loads[i].requests)
			return true;
	return false;
}

bool plan_speaks(const struct plan *p, enum protocol protocol)
{
	for (uint32_t i = 0; i < p->load_count; i++)
		if (p->loads[i].load->protocol == protocol)
			return true;
	return false;
}

bool plan_is_unconnected(const struct plan *p)
{
	for (uint32_t i = 0; i < p->load_count; i++)
		if (!p->loads[i].load->connected)
			return true;
	return false;
}

uint32_t plan_overshadows(const struct plan *p)
{
	bool any = false;
	uint64_t n = 0;

	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct load_plan *lp = &p->loads[i];

		any |= bind_overshadows(lp->load);
		n += lp->load->protocol == PROTOCOL_UDP ? lp->slots : 0;
	}
	return !any ? 0 : n < UINT32_MAX / 4 ? (uint32_t)n : UINT32_MAX / 4;
}

bool load_binds_nowhere(const struct plan *p, const struct load_plan *lp)
{
	const char *knob = lp->family == FAMILY_IPV6 ? "net.ipv6.ip_nonlocal_bind"
						     : "net.ipv4.ip_nonlocal_bind";

	if (lp->unscoped || lp->ipv6_off)
		return true;
	return lp->foreign && setting_number(&p->scenario->network.sysctl, knob, 0) == 0;
}

bool plan_binds_nowhere(const struct plan *p)
{
	for (uint32_t i = 0; i < p->load_count; i++)
		if (!load_binds_nowhere(p, &p->loads[i]))
			return false;
	return true;
}

bool plan_lacks_address(const struct plan *p)
{
	bool lacks = p->scenario->network.dad;

	for (uint32_t i = 0; i < p->load_count; i++)
		lacks |= p->loads[i].foreign && !load_binds_nowhere(p, &p->loads[i]);
	return lacks;
}

bool plan_shares_ports(const struct plan *p)
{
	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct load_plan *lp = &p->loads[i];

		if (lp->budget.spaces == lp->budget.pairs || bind_may_repeat(p->scenario, lp->load))
			return false;
	}
	return true;
}

bool plan_tells_ports(const struct plan *p)
{
	bool any = false;

	for (uint32_t i = 0; i < p->load_count; i++)
		any |= p->loads[i].tells_ports;
	return any;
}

struct address plan_server(const struct plan *p, uint32_t dest)
{
	return p->servers.list[dest / p->services];
}

uint16_t plan_service(const struct plan *p, uint32_t dest)
{
	return p->service_ports[dest % p->services];
}

struct address plan_destination(const struct plan *p, const struct load_plan *lp, uint32_t dest)
{
	return lp->servers.list[dest / p->services];
}

/* In order: of the first load's version of IP and the other, and so again of UDP, if TCP is spoken as
 * well; each has all destinations. */
static uint32_t families_of(const struct plan *p)
{
	return p->other.servers.count ? 2 : 1;
}

static bool speaks_both(const struct plan *p)
{
	return plan_speaks(p, PROTOCOL_TCP) && plan_speaks(p, PROTOCOL_UDP);
}

uint32_t plan_accounts(const struct plan *p)
{
	return p->destinations * families_of(p) * (speaks_both(p) ? 2 : 1);
}

uint32_t plan_account(const struct plan *p, const struct load_plan *lp, uint32_t dest)
{
	uint32_t which = (lp->family == FAMILY_IPV6) != (p->family == FAMILY_IPV6);

	if (lp->load->protocol == PROTOCOL_UDP && plan_speaks(p, PROTOCOL_TCP))
		which += families_of(p);
	return which * p->destinations + dest;
}

struct account_place plan_account_place(const struct plan *p, uint32_t account)
{
	uint32_t which = account / p->destinations, dest = account % p->destinations;
	const struct address_list *servers =
		which % families_of(p) ? &p->other.servers : &p->servers;

	return (struct account_place){
		.address = servers->list[dest / p->services],
		.port = plan_service(p, dest),
		.datagrams =
			speaks_both(p) ? which >= families_of(p) : plan_speaks(p, PROTOCOL_UDP),
	};
}

bool plan_has_family(const struct plan *p, enum family family)
{
	for (uint32_t i = 0; i < p->load_count; i++)
		if (p->loads[i].family == family)
			return true;
	return false;
}

bool plan_is_of_family(const struct plan *p, enum family family)
{
	for (uint32_t i = 0; i < p->load_count; i++)
		if (p->loads[i].family != family)
			return false;
	return true;
}

int64_t plan_start(const struct plan *p)
{
	int64_t first = p->loads[0].load->start;

	for (uint32_t i = 1; i < p->load_count; i++)
		first = p->loads[i].load->start < first ? p->loads[i].load->start : first;
	return first;
}

double plan_rate(const struct plan *p)
{
	double rate = 0;

	for (uint32_t i = 0; i < p->load_count; i++) {
		if (!load_is_open(p->loads[i].load))
			return 0;
		rate += shape_asks(&p->loads[i].shape);
	}
	return rate;
}

enum end plan_end(const struct plan *p, const struct load_plan *lp, uint64_t i)
{
	double at = draw_share(p->seed, plan_stream(p, lp, DRAW_END), i);

	for (enum end end = 0; end < ENDS; end++) {
		double share = load_ends(lp->load, end) ? load_share(lp->load, end) : 0;

		if (at < share)
			return end;
		at -= share;
	}
	return lp->load->end;
}

uint64_t plan_far_stream(const struct plan *p)
{
	return (uint64_t)p->load_count * DRAW_STREAMS;
}

uint64_t plan_stream(const struct plan *p, const struct load_plan *lp, enum draw_stream which)
{
	return (uint64_t)(lp - p->loads) * DRAW_STREAMS + which;
}
