#include "plan/budget.h"

#include <stdlib.h>
#include <string.h>

#include "base/unit.h"

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

uint32_t budget_lost(const struct budget *b, const struct scenario *s, const struct load *load)
{
	return (uint32_t)(b->may_lose_one && load->order == ORDER_KERNEL) + (s->sample.latency > 0);
}

/* Where destinations are drawn, all may be of one space. */
struct budget budget_surely(const struct budget *b, const struct scenario *s,
			    const struct load *load)
{
	uint32_t timed = s->sample.latency > 0, all = budget_lost(b, s, load), odd = all - timed;
	struct budget sure = *b;

	if (all == 0 || b->usable < all)
		return all == 0 ? *b : (struct budget){0};
	sure.usable -= all;
	sure.capacity -= (uint64_t)odd * b->spaces + timed;
	sure.first = b->first == b->capacity  ? sure.capacity
		     : b->first < sure.usable ? b->first
					      : sure.usable;
	return sure;
}

/* Of more ports than are tried the last ones are found by luck. Each search begins at random, tries
 * 128 in a row, then 64, 32 and 16 elsewhere (nf_nat_l4proto_unique_tuple()); while half are free, all
 * 240 are taken once in 1e13 times.
 * A client begins at another port towards each destination (inet_ehashfn()): in a range that is so wide
 * half of twice as many connections never have a port of another's. */
struct carriage carriage_make(const struct nat *nat, uint32_t destinations,
			      const struct origin *from)
{
	enum { ALL_TRIED = 128 /* NF_NAT_MAX_ATTEMPTS */, RARELY = 64 };
	bool for_all = nat_maps_for_all(nat);
	uint32_t size = (uint32_t)(nat->ports.hi - nat->ports.lo) + 1;
	struct carriage c = {.each = size * (uint32_t)nat->addresses,
			     .towards = nat->redirect ? 1 : destinations};
	uint32_t one = for_all && from->apart ? 1 : c.towards;
	uint64_t most = (uint64_t)c.each * one;
	bool is_limited = nat->limit && nat->limit < most;

	c.ports = for_all ? c.each : most;
	c.at_once = is_limited ? nat->limit : most;
	c.least = c.at_once < c.ports ? c.at_once : c.ports;
	if (size > ALL_TRIED && c.least == c.ports)
		c.least /= 2;
	c.enough = (uint64_t)from->usable * from->sources * (for_all ? one : destinations);
	c.full = c.at_once;
	if (for_all && (uint64_t)c.each * RARELY <= from->usable)
		c.full = c.at_once < 2 * c.ports ? c.at_once : 2 * c.ports;
	return c;
}

bool carriage_lacks(const struct carriage *c)
{
	return c->at_once < c->enough;
}

/* As the scenario sets it, each name once; empty: it does not. */
static struct text setting_text(const struct setting_list *settings, const char *name)
{
	for (size_t i = 0; i < settings->count; i++)
		if (text_is(settings->list[i].name, name))
			return text_trim(settings->list[i].value);
	return (struct text){0};
}

int64_t setting_number(const struct setting_list *settings, const char *name, int64_t fallback)
{
	struct text value = setting_text(settings, name);
	char digits[24] = {0}, *end;
	int64_t n;

	if (value.len == 0 || value.len >= sizeof(digits))
		return fallback;
	memcpy(digits, value.s, value.len);
	n = strtoll(digits, &end, 0); /* as the kernel reads it: proc_get_long(), kernel/sysctl.c */
	return *end ? fallback : n < INT32_MIN ? INT32_MIN : n > INT32_MAX ? INT32_MAX : n;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static int64_t number_or(struct text t, int64_t fallback)
{
	uint64_t n;

	return t.len > 0 && unit_read_count(t, &n) && n <= INT32_MAX ? (int64_t)n : fallback;
}

int64_t setting_first(const struct setting_list *settings, const char *name, int64_t fallback)
{
	struct text value = setting_text(settings, name);
	size_t len = 0;

	while (len < value.len && !is_blank(value.s[len]))
		len++;
	return number_or((struct text){value.s, len}, fallback);
}

int64_t setting_last(const struct setting_list *settings, const char *name, int64_t fallback)
{
	struct text value = setting_text(settings, name);
	size_t begin = value.len;

	while (begin > 0 && !is_blank(value.s[begin - 1]))
		begin--;
	return number_or(text_skip(value, begin), fallback);
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
