#include "sense/guess.h"

#include <string.h>

/* Ports that connections have, and those of them that have several. */
struct shares {
	struct portset any, many;
};

static struct shares shares_of(const struct census *c)
{
	struct shares s = {.any = {{0}}};

	for (uint32_t i = 0; i < c->held_count; i++) {
		uint16_t port = c->held[i].port;

		if (portset_has(&s.any, port))
			portset_add(&s.many, port);
		portset_add(&s.any, port);
	}
	return s;
}

static bool is_first(const struct census *c, uint16_t port)
{
	return (port - c->range.lo) % 2 == 0;
}

/* Of one parity, ports that a connect could have, but for those in `taken`. */
static uint32_t half_of(const struct census *c, bool first, const struct portset *taken)
{
	uint32_t n = 0;

	for (uint32_t port = c->range.lo; port <= c->range.hi; port++)
		n += is_first(c, (uint16_t)port) == first &&
		     !portset_has(&c->reserved, (uint16_t)port) &&
		     !portset_has(&c->listening, (uint16_t)port) &&
		     !portset_has(&c->bound, (uint16_t)port) && !portset_has(taken, (uint16_t)port);
	return n;
}

void bound_first_guess(struct census *c)
{
	const struct portset none = {{0}};
	struct shares s = shares_of(c);
	uint32_t half = half_of(c, true, &none);
	bool is_full = half_of(c, false, &s.any) == 0; /* then bind() takes those of the first */

	memset(&c->bound_first, 0, sizeof(c->bound_first));
	for (uint32_t i = 0; !c->held_lost && i < c->held_count; i++) {
		const struct census_row *row = &c->rows[c->held[i].row];
		uint16_t port = c->held[i].port;
		bool binds = row->used > row->usage.lower && row->usage.lower < half;

		if (binds && !row->usage.datagrams && !portset_has(&s.many, port) &&
		    (is_full || !is_first(c, port)))
			portset_add(&c->bound_first, port);
	}
}
