#include "judge/sides.h"

#include <errno.h>

#include "base/order.h"
#include "plan/bind.h"

const struct load_plan *sides_refused(const struct evidence *e)
{
	const struct load_plan *who = NULL;
	uint64_t most = 0;

	for (uint32_t i = 0; i < e->plan->load_count; i++) {
		uint64_t n = evidence_tally(e->plan, e->tape, i)->errors[STAGE_BIND][EADDRINUSE];

		if (!bind_asks_port(e->plan->loads[i].bind) || n <= most)
			continue;
		most = n;
		who = &e->plan->loads[i];
	}
	return who;
}

struct sides sides_of(const struct evidence *e)
{
	struct sides s = {0};

	for (size_t i = 0; i < e->tape->load_count && i < e->plan->load_count; i++) {
		const struct tally *t = &e->tape->loads[i].tally;
		enum bind_way way = e->plan->loads[i].bind;

		if (e->plan->loads[i].ipv6_off && t->opened == 0)
			continue; /* what it was refused is no port */
		if (bind_names_port(way))
			s.bound += least(t->opened, evidence_named(e->plan, i));
		else
			*(bind_takes_port(way) ? &s.asked : &s.plain) +=
				evidence_had(&e->tape->loads[i]);
		if (bind_asks_port(way))
			s.bound_refused += t->errors[STAGE_BIND][EADDRINUSE];
		else if (!bind_takes_port(way))
			s.plain_refused += t->errors[STAGE_CONNECT][EADDRNOTAVAIL];
	}
	s.bound += s.asked;
	return s;
}

uint64_t sides_ports(const struct evidence *e)
{
	const struct load_plan *who = sides_refused(e);

	return who ? who->budget.capacity : e->plan->budget.usable;
}

uint64_t sides_others(const struct evidence *e, const struct sides *s)
{
	uint64_t all = sides_ports(e);

	return all - least(s->bound, all);
}

/* With fewer than an eighth of them in others' hands it has them itself. */
bool sides_bind_starves(const struct evidence *e, const struct sides *s)
{
	return s->bound_refused > 0 && s->plain > 0 && 8 * sides_others(e, s) >= sides_ports(e);
}

bool sides_connect_starves(const struct evidence *e, const struct sides *s)
{
	return s->plain_refused > 0 && 2 * s->bound > e->plan->budget.usable &&
	       (s->plain_refused >= s->bound_refused || !sides_bind_starves(e, s));
}
