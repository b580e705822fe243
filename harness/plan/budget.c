#include "plan/budget.h"

#include <stdlib.h>

static uint16_t later(uint16_t a, uint16_t b)
{
	return a > b ? a : b;
}

static uint16_t earlier(uint16_t a, uint16_t b)
{
	return a < b ? a : b;
}

uint32_t ports_within(const struct port_list *list, struct port_range range)
{
	uint32_t n = 0;

	for (size_t i = 0; i < list->count; i++) {
		uint16_t lo = later(list->list[i].lo, range.lo),
			 hi = earlier(list->list[i].hi, range.hi);

		if (lo <= hi)
			n += (uint32_t)(hi - lo) + 1;
	}
	return n;
}

struct budget budget_make(struct port_range range, const struct port_list *reserved, uint32_t pairs)
{
	uint32_t size = range.lo <= range.hi ? (uint32_t)(range.hi - range.lo) + 1 : 0;
	uint32_t usable = size - ports_within(reserved, range);

	return (struct budget){
		.usable = usable,
		.may_lose_one = size > 1 && size % 2 == 1, /* a range of one port is not rounded */
		.pairs = pairs,
		.spaces = pairs,
		.capacity = (uint64_t)usable * pairs,
		.first = (uint64_t)usable * pairs,
	};
}

void budget_share(struct budget *b, uint32_t spaces)
{
	b->spaces = spaces;
	b->first = b->capacity = (uint64_t)b->usable * spaces;
}

void budget_hold(struct budget *b, uint32_t ports)
{
	b->usable -= ports < b->usable ? ports : b->usable;
	b->first = b->capacity = (uint64_t)b->usable * b->spaces;
}

/* Of more ports than are tried the last ones are found by luck. Each search begins at random, tries
 * 128 in a row, then 64, 32 and 16 elsewhere (nf_nat_l4proto_unique_tuple()); while half are free, all
 * 240 are taken once in 1e13 times. */
struct carriage carriage_make(const struct nat *nat, uint32_t destinations, bool apart)
{
	enum { ALL_TRIED = 128 }; /* NF_NAT_MAX_ATTEMPTS */
	bool for_all = nat->mapping == MAPPING_INDEPENDENT;
	uint32_t size = (uint32_t)(nat->ports.hi - nat->ports.lo) + 1;
	struct carriage c = {.each = size * (uint32_t)nat->addresses,
			     .towards = nat->redirect ? 1 : destinations};
	uint64_t most = (uint64_t)c.each * (for_all && apart ? 1 : c.towards);
	bool is_limited = nat->limit && nat->limit < most;

	c.ports = for_all ? c.each : most;
	c.at_once = is_limited ? nat->limit : most;
	c.least = c.at_once < c.ports ? c.at_once : c.ports;
	if (size > ALL_TRIED && c.least == c.ports)
		c.least /= 2;
	return c;
}

int64_t setting_number(const struct setting_list *settings, const char *name, int64_t fallback)
{
	for (size_t i = 0; i < settings->count; i++) {
		const struct setting *s = &settings->list[i];
		char digits[24] = {0}, *end;
		int64_t n;

		if (!text_is(s->name, name) || s->value.len == 0 || s->value.len >= sizeof(digits))
			continue;
		for (size_t j = 0; j < s->value.len; j++)
			digits[j] = s->value.s[j];
		n = strtoll(digits, &end, 10);
		return *end ? fallback : n < INT32_MIN ? INT32_MIN : n > INT32_MAX ? INT32_MAX : n;
	}
	return fallback;
}

uint32_t concurrency_of(const struct load *load)
{
	enum { FALLBACK = 64 };

	return load->concurrency ? (uint32_t)load->concurrency : FALLBACK;
}

double acceleration_of(const struct scenario *s)
{
	return (double)TIME_WAIT_NS / (double)s->network.time_wait;
}
