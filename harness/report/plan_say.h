/* plan_say.h - numbers of a plan as people read them; what a plan says of its load's fate.
 *
 * Ownership: texts are in the arena.
 */
#pragma once

#include <math.h>

#include "base/unit.h"
#include "plan/outline.h"

static inline const char *say_count(struct arena *a, double n)
{
	return unit_count_pretty(ARENA_ARRAY(a, char, UNIT_PRINTED), (uint64_t)n);
}

/* For ever is no int64_t. */
static inline const char *say_time(struct arena *a, double ns)
{
	return unit_time_pretty(ARENA_ARRAY(a, char, UNIT_PRINTED),
				ns < (double)FOR_EVER ? (int64_t)ns : FOR_EVER);
}

static inline const char *say_rate(struct arena *a, double per_s)
{
	return unit_rate_pretty(ARENA_ARRAY(a, char, UNIT_PRINTED), per_s);
}

/* What goes on for ever: whole ones are rounded down, or the rate that is told would not. */
static inline const char *say_sustained(struct arena *a, double per_s)
{
	const double exact = 1 + 1e-9; /* of 6 / 0.01 */

	return say_rate(a, per_s < 100 ? per_s : floor(per_s * exact));
}

/* "1 source", "3 sources" */
static inline const char *say_number(struct arena *a, uint64_t n, const char *one)
{
	return text_format(a, "%s %s%s", say_count(a, (double)n), one, n == 1 ? "" : "s").s;
}

/* Is it told exactly enough, as a time? */
static inline bool is_narrow(const struct guess *g)
{
	return g->most - g->least <= g->likely / 10 + 100e6;
}

/* What of the rate goes on for ever for sure, where that is less, since timers may be late; else 0. */
double plan_rate_sure(const struct plan *p, const struct outline *o);

/* So many connections, or requests of a pool; of a closed loop nothing but the machine bounds them. */
const char *plan_say_begun(const struct outline *o, double begun, struct arena *);

/* Would some of its connections be between the same addresses and ports as one that is open? Their
 * sockets share the ports that they name. */
bool plan_repeats(const struct plan *p, const struct outline *o);

struct text plan_say_life(const struct plan *p, const struct outline *o, struct arena *);
struct text plan_say_wanted(const struct plan *p, const struct outline *o, struct arena *);
struct text plan_say_rates(const struct plan *p, const struct outline *o, struct arena *);

struct text plan_say_failure(const struct plan *p, const struct outline *o, struct arena *);
/* Of one that is refused a port, unless stop.time comes before. */
struct text plan_say_refusal(const struct plan *p, const struct outline *o, struct arena *);
/* "cannot be told: …", in the words of words/doubts.def. */
struct text plan_say_doubt(enum doubt why, struct arena *);
/* Of one whose fate cannot be told: why, as doubt_of() has it. */
struct text plan_say_unknown(const struct plan *p, const struct outline *o, struct arena *);
struct text plan_say_half(const struct plan *p, const struct outline *o, struct arena *);

/* Of a pool: requests at once against what it keeps, the hidden churn, and the knee; and the requests that
 * the ports carry, where it is told. */
struct text plan_say_pool(const struct plan *p, const struct outline *o, struct arena *);
struct text plan_say_pool_rate(const struct plan *p, const struct outline *o, struct arena *);

/* Of one whose fate cannot be told: how many connections it opens, at least, at most, and likely. */
struct text plan_say_opens(const struct plan *p, const struct outline *o, struct arena *);

/* As the scenario has it; empty: it has no `loads`. */
struct text plan_load_name(const struct plan *p, const struct load_plan *lp);

/* Of several loads that want the same ports: what each says of itself; how many ports they want together;
 * and that this cannot be told to be too many. */
struct text plan_say_each(const struct plan *p,
			  struct text (*say)(const struct plan *, const struct outline *,
					     struct arena *),
			  struct arena *);
const char *plan_say_sum(const struct plan *p, struct arena *);
struct text plan_say_together(const struct plan *p, const struct outline *o, struct arena *);

/* Of a gateway: what it carries at once, and for ever. */
struct text plan_say_gateway(const struct plan *p, const struct outline *o, struct arena *);
struct text plan_say_gateway_rate(const struct plan *p, struct arena *);

/* What becomes of the load there, for sure or perhaps; empty: it has a port for each connection. */
struct text plan_say_gateway_fate(const struct plan *p, const struct outline *o, struct arena *);

/* Empty where there is no such bound. */
struct text plan_say_descriptors(const struct plan *p, const struct outline *o, struct arena *);
struct text plan_say_loop(const struct plan *p, const struct outline *o, struct arena *);
