/* What is foretold of loads that want nothing of each other's ports: of each part by itself, and of all. */
#include <math.h>

#include "plan/part.h"
#include "plan/predict.h"

static const struct foretold untold = {false, {0, 0, 0}};

/* The one part whose ports run out, where that is told of all of them; else none: -1. */
static int exhausted_part(struct foretold said[][PREDICTIONS], uint32_t count)
{
	int which = -1;

	for (uint32_t i = 0; i < count; i++) {
		const struct foretold *f = &said[i][PREDICTION_EXHAUSTED];

		if (!f->told || (f->value.least > 0 && which >= 0))
			return -1;
		if (f->value.least > 0)
			which = (int)i;
	}
	return which;
}

/* Connections of the loads of other parts, at most: they are counted among those before a refusal. */
static double begun_beside(const struct plan *p, struct part part)
{
	double n = 0;

	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct load_plan *lp = &p->loads[i];
		uint64_t most = load_begins_most(lp->load, &lp->shape, p->scenario->stop.time);

		if (!part_has(part, lp))
			n += most == UINT64_MAX ? INFINITY : (double)most;
	}
	return n;
}

static void delay(struct foretold *f, double ns)
{
	f->value = (struct guess){f->value.least + ns, f->value.likely + ns, f->value.most + ns};
}

static struct guess sum_of(struct guess a, struct guess b)
{
	return (struct guess){a.least + b.least, a.likely + b.likely, a.most + b.most};
}

static struct guess most_of(struct guess a, struct guess b)
{
	return (struct guess){fmax(a.least, b.least), fmax(a.likely, b.likely),
			      fmax(a.most, b.most)};
}

/* Of all parts, if it is told of each. */
static struct foretold fold(struct foretold said[][PREDICTIONS], uint32_t count,
			    enum prediction what, struct guess (*join)(struct guess, struct guess))
{
	struct foretold all = said[0][what];

	for (uint32_t i = 1; i < count; i++) {
		all.told &= said[i][what].told;
		all.value = join(all.value, said[i][what].value);
	}
	return all.told ? all : untold;
}

/* Is any of a kind that at least one part is told of? */
static void join_any(struct foretold *out, struct foretold said[][PREDICTIONS], uint32_t count,
		     enum prediction what)
{
	for (uint32_t i = 0; i < count; i++)
		if (said[i][what].told && said[i][what].value.least > 0)
			*out = said[i][what];
}

/* A refusal of one is one of all; that there is none is to be told of each. */
static void join_exhausted(struct foretold *out, struct foretold said[][PREDICTIONS],
			   uint32_t count)
{
	if (out->told)
		return;
	*out = fold(said, count, PREDICTION_EXHAUSTED, most_of);
	join_any(out, said, count, PREDICTION_EXHAUSTED);
}

/* Of a part, with those that the others may have begun by then; and as many as they likely have. */
static struct foretold after_of_all(const struct foretold *part, const struct foretold *whole,
				    double beside)
{
	struct foretold after = *part;

	after.told &= isfinite(beside);
	after.value.most += beside;
	if (whole->told)
		after.value.likely =
			fmin(fmax(whole->value.likely, after.value.least), after.value.most);
	return after;
}

/* Ports in use are measured of the widest load's range, and no more than are usable of it: are those of a part
 * the same? */
static bool is_measured(const struct plan *p, const struct plan *part)
{
	struct port_range ports = part->loads[part->widest].ports;
	struct port_range all = p->loads[p->widest].ports;

	return ports.lo == all.lo && ports.hi == all.hi && part->budget.usable == p->budget.usable;
}

/* Loads that want nothing of each other's ports: the first refusal of all is that of the only part
 * that has one. */
static void predict_parts(struct foretold out[PREDICTIONS], const struct plan *p,
			  const struct part *parts, uint32_t count, double elapsed_ns)
{
	struct foretold said[PARTS_MOST][PREDICTIONS] = {{{0}}};
	struct load_plan loads[SCENARIO_LOADS_MOST];
	double late_ns;
	int which;

	for (uint32_t i = 0; i < count; i++) {
		struct plan part;

		part_of(&part, p, parts[i], loads);
		predict_part(said[i], &part, elapsed_ns);
		said[i][PREDICTION_USED].told &= is_measured(p, &part);
		late_ns = (double)(plan_start(&part) - plan_start(p));
		delay(&said[i][PREDICTION_AT], late_ns);
		delay(&said[i][PREDICTION_RECOVERED], late_ns);
	}
	out[PREDICTION_SUSTAINED] = fold(said, count, PREDICTION_SUSTAINED, sum_of);
	out[PREDICTION_USED] = fold(said, count, PREDICTION_USED, most_of);
	join_exhausted(&out[PREDICTION_EXHAUSTED], said, count);
	join_any(&out[PREDICTION_DROPS], said, count, PREDICTION_DROPS);
	join_any(&out[PREDICTION_UNMAPPED], said, count, PREDICTION_UNMAPPED);
	which = exhausted_part(said, count);
	if (which < 0)
		return;
	out[PREDICTION_AT] = said[which][PREDICTION_AT];
	out[PREDICTION_RECOVERED] = said[which][PREDICTION_RECOVERED];
	out[PREDICTION_AFTER] = after_of_all(&said[which][PREDICTION_AFTER], &out[PREDICTION_AFTER],
					     begun_beside(p, parts[which]));
}

void predict(struct foretold out[PREDICTIONS], const struct plan *p, double elapsed_ns)
{
	struct part parts[PARTS_MOST];
	uint32_t count = parts_of(parts, p);

	predict_part(out, p, elapsed_ns);
	if (count > 1 && !plan_binds_nowhere(p))
		predict_parts(out, p, parts, count, elapsed_ns);
}
