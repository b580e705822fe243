#include "judge/view.h"

#include <string.h>

static bool is_of(const struct plan *plan, size_t load, struct part part)
{
	return load < plan->load_count && part_has(part, &plan->loads[load]);
}

/* Their books together; and the first of them that was refused a port. */
static void books_make(struct tape *out, const struct plan *plan, const struct tape *tape,
		       struct part part, struct arena *a)
{
	struct tape sum = {.refused_at_ns = -1, .recovered_ns = -1, .aborted = -1};

	out->loads = ARENA_ARRAY(a, struct tape, tape->load_count);
	out->load_count = 0;
	for (size_t i = 0; i < tape->load_count; i++) {
		struct tape one;

		if (!is_of(plan, i, part))
			continue;
		out->loads[out->load_count++] = tape->loads[i];
		tape_copy_books(&one, &tape->loads[i]);
		tape_merge(&sum, &one);
	}
	out->tally = sum.tally;
	out->exhausted = sum.exhausted;
	out->opened_before = sum.opened_before;
	out->refused_at_ns = sum.refused_at_ns;
	out->recovered_ns = sum.recovered_ns;
	out->open_peak = sum.open_peak;
	out->used_peak = sum.used_peak;
	out->accounts_found = false; /* they are of all loads */
}

static void sample_narrow(struct sample *s, enum protocol protocol)
{
	const struct datagrams *d = &s->datagrams;
	bool any = false;

	for (int i = 0; i < STATES; i++) {
		any |= d->states[i] > 0;
		s->states[i] = protocol == PROTOCOL_UDP	     ? d->states[i]
			       : s->states[i] > d->states[i] ? s->states[i] - d->states[i]
							     : 0;
	}
	if (protocol == PROTOCOL_UDP)
		s->used_max = d->used_max;
	else if (any)
		s->used_max = d->others_max;
}

/* By its destinations, each of one family: a dump that does not tell of all of them tells nothing. */
static void sample_narrow_family(struct sample *s, const struct tape *tape, struct part part)
{
	const struct usage *usages = sample_usages(tape, s);
	bool is_known = s->more_count == 0 && (s->usage_count > 0 || s->used_max == 0);

	if (!is_known)
		s->parts &= ~(unsigned)SAMPLE_SOCKETS;
	s->used_max = 0;
	memset(s->states, 0, sizeof(s->states));
	for (uint32_t i = 0; i < s->usage_count; i++) {
		const struct usage *u = &usages[i];

		if (u->datagrams != (part.protocol == PROTOCOL_UDP) ||
		    address_is_ipv4(u->local) != (part.family == PART_OF_IPV4))
			continue;
		for (int k = 0; k < STATES; k++)
			s->states[k] += u->states[k];
		s->used_max = s->used_max > usage_used(u) ? s->used_max : usage_used(u);
	}
}

void view_make(struct view *out, const struct plan *plan, const struct tape *tape, struct part part,
	       struct arena *a)
{
	part_of(&out->plan, plan, part, ARENA_ARRAY(a, struct load_plan, plan->load_count));
	out->tape = *tape;
	books_make(&out->tape, plan, tape, part, a);
	out->tape.samples = ARENA_ARRAY(a, struct sample, tape->sample_count);
	for (size_t i = 0; i < tape->sample_count; i++) {
		out->tape.samples[i] = tape->samples[i];
		sample_narrow(&out->tape.samples[i], part.protocol);
		if (part.family != PART_OF_BOTH)
			sample_narrow_family(&out->tape.samples[i], tape, part);
	}
	measure(&out->measures, &out->tape, &out->plan, a);
}
