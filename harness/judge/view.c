#include "judge/view.h"

#include "plan/part.h"

static bool is_of(const struct plan *plan, size_t load, enum protocol protocol)
{
	return load < plan->load_count && plan->loads[load].load->protocol == protocol;
}

/* Their books together; and the first of them that was refused a port. */
static void books_make(struct tape *out, const struct plan *plan, const struct tape *tape,
		       enum protocol protocol, struct arena *a)
{
	struct tape sum = {.refused_at_ns = -1, .recovered_ns = -1, .aborted = -1};

	out->loads = ARENA_ARRAY(a, struct tape, tape->load_count);
	out->load_count = 0;
	for (size_t i = 0; i < tape->load_count; i++) {
		struct tape one;

		if (!is_of(plan, i, protocol))
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

void view_make(struct view *out, const struct plan *plan, const struct tape *tape,
	       enum protocol protocol, struct arena *a)
{
	part_of(&out->plan, plan, protocol, ARENA_ARRAY(a, struct load_plan, plan->load_count));
	out->tape = *tape;
	books_make(&out->tape, plan, tape, protocol, a);
	out->tape.samples = ARENA_ARRAY(a, struct sample, tape->sample_count);
	for (size_t i = 0; i < tape->sample_count; i++) {
		out->tape.samples[i] = tape->samples[i];
		sample_narrow(&out->tape.samples[i], protocol);
	}
	measure(&out->measures, &out->tape, &out->plan, a);
}
