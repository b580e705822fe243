#include "plan/part.h"

#include "plan/together.h"

bool part_is_mixed(const struct plan *p)
{
	return plan_speaks(p, PROTOCOL_TCP) && plan_speaks(p, PROTOCOL_UDP);
}

void part_of(struct plan *out, const struct plan *whole, enum protocol protocol,
	     struct load_plan *loads)
{
	*out = *whole;
	out->loads = loads;
	out->load_count = out->widest = 0;
	for (uint32_t i = 0; i < whole->load_count; i++) {
		if (whole->loads[i].load->protocol != protocol)
			continue;
		loads[out->load_count] = whole->loads[i];
		if (loads[out->load_count].budget.capacity > loads[out->widest].budget.capacity)
			out->widest = out->load_count;
		out->load_count++;
	}
	out->budget = loads[out->widest].budget;
	out->forecast = together_foresee(out);
}
