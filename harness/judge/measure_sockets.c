#include <errno.h>
#include <math.h>

#include "judge/measure_part.h"
#include "plan/bind.h"

bool measure_loop_ran_out(const struct tape *tape, const struct plan *plan)
{
	return plan->scenario->network.topology == TOPOLOGY_LOOPBACK &&
	       tape->far_errors[STAGE_CONNECT][EADDRNOTAVAIL] > 0;
}

/* Measures that are the most sockets seen in a state, or how many are in it at the end. */
static const struct {
	enum measure what;
	int state;
	bool at_end;
} by_state[] = {
	{MEASURE_TIME_WAIT_MAX, STATE_TIME_WAIT, false},
	{MEASURE_TIME_WAIT_END, STATE_TIME_WAIT, true},
	{MEASURE_ESTABLISHED_MAX, STATE_ESTABLISHED, false},
	{MEASURE_SYN_SENT_MAX, STATE_SYN_SENT, false},
	{MEASURE_FIN_WAIT2_MAX, STATE_FIN_WAIT2, false},
	{MEASURE_CLOSE_WAIT_MAX, STATE_CLOSE_WAIT, false},
	{MEASURE_BOUND_MAX, STATE_BOUND, false},
	{MEASURE_CLOSE_WAIT_END, STATE_CLOSE_WAIT, true},
};

enum { BY_STATE = sizeof(by_state) / sizeof(by_state[0]) };

/* A torn dump is a lower bound: it can raise a maximum, but it does not tell how things are at
 * the end. */
static void measure_sample(struct measures *out, const struct sample *s)
{
	struct value *used = &out->fixed[MEASURE_PORTS_USED_MAX];
	struct value *shadowed = &out->fixed[MEASURE_OVERSHADOWED_MAX];

	for (size_t i = 0; i < BY_STATE; i++) {
		struct value *v = &out->fixed[by_state[i].what];
		double n = (double)s->states[by_state[i].state];

		if (by_state[i].at_end)
			*v = (struct value){!s->torn, n};
		else if (!v->present || n > v->n)
			*v = (struct value){true, n};
	}
	if (!used->present || (double)s->used_max > used->n)
		*used = (struct value){true, (double)s->used_max};
	if (!shadowed->present || (double)s->overshadowed > shadowed->n)
		*shadowed = (struct value){true, (double)s->overshadowed};
}

/* A connection can come and go between two dumps; the driver's books have it all the same. Without a
 * dump they do not tell what there was besides. */
static void measure_between(struct measures *out, const struct tape *tape, const struct plan *plan)
{
	struct value *used = &out->fixed[MEASURE_PORTS_USED_MAX];
	const struct value *open = &out->fixed[MEASURE_ESTABLISHED_MAX];

	if (!open->present || (double)tape->open_peak > open->n)
		measure_set_if(out, MEASURE_ESTABLISHED_MAX, tape->open_peak > 0,
			       (double)tape->open_peak);
	if (used->present && (double)tape->used_peak > used->n)
		used->n = (double)tape->used_peak;
	if (used->present && measure_loop_ran_out(tape, plan)) /* it found none that was free */
		used->n = fmax(used->n, plan->budget.usable);
}

static bool is_within(struct port_range inner, struct port_range outer)
{
	return inner.lo >= outer.lo && inner.hi <= outer.hi;
}

/* Are sockets counted of more ports than the range has? So they are where a load names one outside. */
static bool watches_more(const struct plan *plan)
{
	return !is_within(plan->watched, plan->loads[plan->widest].ports);
}

/* Then those outside are none of the range's in use: the map of the fullest dump tells them apart, where it
 * was kept. Nor are reserved ones, which a load can name: no more can be in use than are usable. */
static void measure_range(struct measures *out, const struct tape *tape, const struct plan *plan)
{
	struct value *used = &out->fixed[MEASURE_PORTS_USED_MAX];
	const struct portmap *map = tape->fullest_map;

	if (!used->present)
		return;
	if (watches_more(plan) && map && map->known && (double)map->used_max == used->n)
		used->n = portset_count(&map->used, plan->loads[plan->widest].ports);
	used->n = fmin(used->n, plan->budget.usable);
}

static bool is_of(const struct plan *plan, const struct usage *u)
{
	return plan_speaks(plan, u->datagrams ? PROTOCOL_UDP : PROTOCOL_TCP) &&
	       plan_has_family(plan, address_is_ipv4(u->local) ? FAMILY_IPV4 : FAMILY_IPV6);
}

/* Do sockets that are no load's come late, and is each that is bound and not connected one of them? What they
 * take of the range the plan does not know, and a dump does. */
static bool squats_late(const struct plan *plan)
{
	bool binds = plan->squat.ballast > 0;

	for (uint32_t i = 0; i < plan->load_count; i++)
		binds |= bind_takes_port(plan->loads[i].bind);
	return plan->scenario->squat.start > 0 && !binds;
}

/* Of the `usable` that are planned, those that a connection to there can have. */
static uint32_t usable_there(const struct usage *u, uint32_t usable, bool late)
{
	uint32_t left = usable > u->elsewhere ? usable - u->elsewhere : 0;

	return late && u->usable < left ? u->usable : left;
}

/* Towards a destination for which there are fewer ports, since others took some: of those in
 * the dumps' lists, the fullest. */
static void measure_fill(struct measures *out, const struct tape *tape, const struct plan *plan)
{
	uint32_t usable = plan->budget.usable, there = usable;
	bool late = squats_late(plan);
	const struct value *used = &out->fixed[MEASURE_PORTS_USED_MAX];
	double fill = used->present && usable > 0 ? used->n / usable : 0;

	for (size_t i = 0; i < tape->usage_count && !watches_more(plan); i++) {
		const struct usage *u = &tape->usages[i];
		uint32_t left = usable_there(u, usable, late);
		double full = left ? (double)usage_used(u) / left : 1;

		if (left == usable || !is_of(plan, u) || full <= fill)
			continue;
		fill = full;
		there = left;
	}
	measure_set(out, MEASURE_PORTS_USABLE, there);
	measure_set_if(out, MEASURE_PORTS_FILL_MAX, used->present && usable > 0, fill);
}

void measure_sockets(struct measures *out, const struct tape *tape, const struct plan *plan)
{
	for (size_t i = 0; i < tape->sample_count; i++)
		if (tape->samples[i].parts & SAMPLE_SOCKETS)
			measure_sample(out, &tape->samples[i]);
	measure_between(out, tape, plan);
	measure_range(out, tape, plan);
	measure_set_if(out, MEASURE_TIME_WAIT_DESTROYED, acceleration_of(plan->scenario) > 1,
		       (double)tape->destroyed);
	measure_set_if(out, MEASURE_SQUAT_HELD, plan->squat.sockets > 0, (double)tape->squat_held);
	measure_set_if(out, MEASURE_SQUAT_REFUSED, plan->scenario->squat.start > 0,
		       (double)tape->squat_refused);
	measure_fill(out, tape, plan);
}
