/* What the summary says of the ports: how many there are, who else has some, and how many were in use. */
#include "base/unit.h"
#include "report/block.h"
#include "report/draft.h"

static void print_states(struct out *out, const struct result_run *run)
{
	struct draft d;
	struct out *to = draft_begin(&d);

	for (int i = 1; i < STATES; i++) {
		if (!run->used_states[i].present)
			continue;
		if (to->len)
			out_z(to, ", ");
		draft_count(to, (uint64_t)run->used_states[i].n);
		out_fmt(to, " %s", state_name(i));
	}
	draft_print(&d, out, "  sockets");
}

/* A port that bind() has taken, or a socket of UDP, is taken for all destinations. */
static bool is_shared(const struct result_run *run)
{
	return run->plan.capacity <
	       (uint64_t)run->plan.usable * run->plan.sources * run->plan.destinations;
}

/* In use towards the fullest, which has no more than are usable there: most are in use where there
 * are more. */
static uint64_t used_there(const struct result_run *run)
{
	struct value fill = run_value(run, MEASURE_PORTS_FILL_MAX),
		     usable = run_value(run, MEASURE_PORTS_USABLE);
	uint64_t most = run_count(run, MEASURE_PORTS_USED_MAX);

	if (!fill.present || !usable.present || usable.n >= run->plan.usable)
		return most;
	return (uint64_t)(fill.n * usable.n + 0.5);
}

/* Connections can come and go between two dumps: 0 is what the dumps saw then, and the driver's
 * books know better. */
static void add_peak(struct out *to, const struct result_run *run)
{
	uint64_t open = run_count(run, MEASURE_ESTABLISHED_MAX), there = used_there(run),
		 most = run_count(run, MEASURE_PORTS_USED_MAX);

	if (!run_value(run, MEASURE_PORTS_USED_MAX).present)
		return;
	if (most == 0 && open) {
		out_z(to, ", peak ");
		draft_count(to, open);
		out_z(to, " by the driver's books: no dump saw one");
		return;
	}
	out_z(to, ", peak ");
	draft_count(to, there);
	if (run_value(run, MEASURE_PORTS_FILL_MAX).present) {
		out_z(to, " in use: ");
		block_measure(to, run, MEASURE_PORTS_FILL_MAX);
	}
	if (there < most) {
		out_z(to, "; to another ");
		draft_count(to, most);
	}
}

/* Of the range, ports that nobody could have when the run began. */
static uint32_t taken_first(const struct result_run *run)
{
	uint32_t all = (uint32_t)(run->plan.range.hi - run->plan.range.lo) + 1;

	return all > run->plan.usable ? all - run->plan.usable : 0;
}

static uint32_t taken_last(const struct result_run *run)
{
	return run->end.reserved + run->end.listening + run->end.bound;
}

/* ", less 2 listened on": why fewer are usable than there are, as far as the last dump tells. */
static void add_taken(struct out *to, const struct result_run *run)
{
	const struct {
		uint32_t n;
		const char *words;
	} taken[] = {{run->end.reserved, "reserved"},
		     {run->end.listening, "listened on"},
		     {run->end.bound, "bound and not connected"}};

	if (taken_first(run) == 0)
		return;
	if (taken_first(run) != taken_last(run)) {
		out_z(to, ", less ");
		draft_count(to, taken_first(run));
		out_z(to, " that are taken");
		return;
	}
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		if (taken[i].n == 0)
			continue;
		out_z(to, ", less ");
		draft_count(to, taken[i].n);
		out_fmt(to, " %s", taken[i].words);
	}
}

/* Did bind() take some of one destination for another? */
static bool has_elsewhere(const struct result_dump *dump)
{
	for (uint32_t i = 0; i < dump->count; i++)
		if (dump->usages[i].elsewhere > 0)
			return true;
	return false;
}

/* Where bind() took ports for other destinations than the fullest, or squat came late. */
static void add_fewer(struct out *to, const struct result_run *run)
{
	uint64_t usable = run_count(run, MEASURE_PORTS_USABLE), gone = run->plan.usable - usable;
	bool late = !has_elsewhere(&run->fullest) && !has_elsewhere(&run->end) &&
		    taken_last(run) >= taken_first(run) + gone;

	if (!run_value(run, MEASURE_PORTS_USABLE).present || usable >= run->plan.usable)
		return;
	out_z(to, ", ");
	draft_count(to, usable);
	out_z(to, late ? " after " : " to the fullest, for bind() took ");
	draft_count(to, gone);
	out_z(to, late ? " more were bound or listened on" : " for others");
}

void block_ports(struct out *out, const struct result_run *run)
{
	struct draft d;
	struct out *to = draft_begin(&d);

	if (run->plan.order.len == 0)
		return;
	draft_count(to, run->plan.usable);
	out_fmt(to, " usable (%u-%u", run->plan.range.lo, run->plan.range.hi);
	add_taken(to, run);
	out_z(to, ")");
	if (run->plan.destinations > 1)
		out_fmt(to, " to %s %u destinations", is_shared(run) ? "all" : "each of",
			run->plan.destinations);
	if (run->plan.sources > 1)
		out_fmt(to, " from each of %u addresses", run->plan.sources);
	add_fewer(to, run);
	add_peak(to, run);
	draft_print(&d, out, "  ports");
	print_states(out, run);
}
