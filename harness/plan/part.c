#include "plan/part.h"

#include "plan/together.h"

const char *part_name(struct part part, const struct plan *p)
{
	static const char *const names[PROTOCOLS][3] = {
		[PROTOCOL_TCP] = {"TCP", "TCP over IPv4", "TCP over IPv6"},
		[PROTOCOL_UDP] = {"UDP", "UDP over IPv4", "UDP over IPv6"},
	};
	static const char *const versions[] = {"all", "IPv4", "IPv6"};
	bool is_mixed = plan_speaks(p, PROTOCOL_TCP) && plan_speaks(p, PROTOCOL_UDP);

	return is_mixed ? names[part.protocol][part.family] : versions[part.family];
}

bool part_has(struct part part, const struct load_plan *lp)
{
	bool is_ipv6 = lp->family == FAMILY_IPV6;

	return lp->load->protocol == part.protocol &&
	       (part.family == PART_OF_BOTH || is_ipv6 == (part.family == PART_OF_IPV6));
}

/* Are there loads of IPv4 and of IPv6, and has none of the one a say in the other's ports? */
static bool is_apart(const struct plan *p, enum protocol protocol)
{
	const struct part four = {protocol, PART_OF_IPV4}, six = {protocol, PART_OF_IPV6};
	bool any = false;

	for (uint32_t i = 0; i < p->load_count; i++) {
		for (uint32_t k = 0; k < p->load_count; k++) {
			const struct load_plan *a = &p->loads[i], *b = &p->loads[k];

			if (!part_has(four, a) || !part_has(six, b))
				continue;
			if (together_meet(a, b) || together_meet(b, a))
				return false;
			any = true;
		}
	}
	return any;
}

uint32_t parts_of(struct part out[PARTS_MOST], const struct plan *p)
{
	uint32_t n = 0;

	for (enum protocol k = 0; k < PROTOCOLS; k++) {
		if (!plan_speaks(p, k))
			continue;
		if (is_apart(p, k)) {
			out[n++] = (struct part){k, PART_OF_IPV4};
			out[n++] = (struct part){k, PART_OF_IPV6};
		} else {
			out[n++] = (struct part){k, PART_OF_BOTH};
		}
	}
	return n;
}

void part_of(struct plan *out, const struct plan *whole, struct part part, struct load_plan *loads)
{
	*out = *whole;
	out->loads = loads;
	out->load_count = out->widest = 0;
	for (uint32_t i = 0; i < whole->load_count; i++) {
		if (!part_has(part, &whole->loads[i]))
			continue;
		loads[out->load_count] = whole->loads[i];
		if (loads[out->load_count].budget.capacity > loads[out->widest].budget.capacity)
			out->widest = out->load_count;
		out->load_count++;
	}
	out->budget = loads[out->widest].budget;
	plan_foresee(out);
}

void part_of_load(struct plan *out, const struct plan *whole, uint32_t i, struct load_plan *room)
{
	*out = *whole;
	*room = whole->loads[i];
	out->loads = room;
	out->load_count = 1;
	out->widest = 0;
	out->budget = room->budget;
	plan_foresee(out);
}
