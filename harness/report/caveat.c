#include "report/caveat.h"

#include "base/unit.h"
#include "judge/late.h"
#include "report/block.h"
#include "report/page.h"

enum { LABEL = 13, LINE_MOST = 512 };

static void print(struct out *out, const struct out *line)
{
	page_paragraph(out, "  but", PAINT_NONE, LABEL, out_written(line));
}

/* The value of a key, as a user writes it; empty if it is not there. */
static struct text value_of(const struct result_run *run, const char *key)
{
	for (size_t i = 0; i < run->effective_count; i++)
		if (text_is(run->effective[i].key, key))
			return run->effective[i].value;
	return (struct text){0};
}

/* "22,650/s": of requests, where there are more of them than of connections. */
static const char *say_carried(char rate[UNIT_PRINTED], const struct result_run *run)
{
	const struct value *done = &run->measures.fixed[MEASURE_REQUESTS_DONE],
			   *elapsed = &run->measures.fixed[MEASURE_ELAPSED];
	double connects = run->measures.fixed[MEASURE_CONNECTS_RATE].n,
	       requests = done->present && elapsed->present && elapsed->n > 0
				  ? done->n * 1e9 / elapsed->n
				  : 0;

	return unit_rate_pretty(rate, requests > connects ? requests : connects);
}

/* Why a load is lighter than was asked for: connects that pass over a full half, where that is told as
 * a note; else the machine, which carried so many. */
static void add_reason(struct out *to, const struct result_run *run)
{
	char rate[UNIT_PRINTED];
	bool is_one = run->plan.workers == 1 && run->plan.whole.len == 0;

	for (size_t i = 0; i < run->verdict.cause_count; i++) {
		if (run->verdict.causes[i].cause != CAUSE_LATENCY_CLIFF)
			continue;
		out_z(to, ". From half full on each connect passes over the full half: "
			  "`load.order: fast` does not");
		return;
	}
	out_fmt(to, ". %s is what this machine carried%s", say_carried(rate, run),
		is_one ? " in one thread: ask for less, or share it (`--workers`)"
		       : ": ask for less");
}

void caveat_late(struct out *out, const struct result_run *run)
{
	char buffer[LINE_MOST], late[UNIT_PRINTED], due[UNIT_PRINTED];
	struct out line = out_memory(buffer, sizeof(buffer));
	uint64_t n = run_count(run, MEASURE_CONNECTS_LATE);

	if (!late_is_short(&run->measures) || run->interrupted)
		return;
	out_fmt(&line,
		"%s of %s connections were due and not begun: this was not the load that was "
		"asked for",
		unit_count_pretty(late, n),
		unit_count_pretty(due, n + run_count(run, MEASURE_CONNECTS_ATTEMPTED)));
	add_reason(&line, run);
	print(out, &line);
}

void caveat_behind(struct out *out, const struct result_run *run)
{
	struct value behind = run->measures.fixed[MEASURE_CONNECTS_BEHIND];
	char buffer[LINE_MOST], time[UNIT_PRINTED];
	struct out line = out_memory(buffer, sizeof(buffer));

	if (!late_is_behind(&run->measures) || run->interrupted)
		return;
	out_fmt(&line,
		"connections were begun up to %s after they were due: this was not the rate "
		"that was asked for",
		unit_time_pretty(time, (int64_t)behind.n));
	add_reason(&line, run);
	print(out, &line);
}

/* "791/s of 3,000/s, which 300 at once come to if each takes 100 ms" */
void caveat_slow(struct out *out, const struct result_run *run)
{
	const struct value *fixed = run->measures.fixed;
	struct text at_once = value_of(run, "load.concurrency");
	char buffer[LINE_MOST], rate[UNIT_PRINTED], asked[UNIT_PRINTED], each[UNIT_PRINTED];
	struct out line = out_memory(buffer, sizeof(buffer));
	uint64_t n;

	if (!late_is_slow(&run->measures) || run->interrupted)
		return;
	out_fmt(&line, "%s of %s", unit_rate_pretty(rate, fixed[MEASURE_ROUNDS_RATE].n),
		unit_rate_pretty(asked, fixed[MEASURE_ROUNDS_ASKED].n));
	if (unit_read_count(at_once, &n) && n > 0)
		out_fmt(&line, ", which " TEXT_FMT " at once come to if each takes %s",
			TEXT_ARG(at_once),
			unit_time_pretty(
				each, (int64_t)((double)n * 1e9 / fixed[MEASURE_ROUNDS_ASKED].n)));
	out_z(&line, ": this was not the load that was asked for");
	add_reason(&line, run);
	print(out, &line);
}

/* Would a failure by itself have let the load go on? */
static bool goes_on(const struct result_run *run)
{
	struct text retry = value_of(run, "load.on_failure.retry");

	return text_is(value_of(run, "load.on_failure.then"), "continue") ||
	       (retry.len && !text_is(retry, "0"));
}

/* All that load.total asks for was begun: nothing is left to go on with. */
static bool has_begun_all(const struct result_run *run)
{
	uint64_t total = 0, tries = run_count(run, MEASURE_CONNECTS_ATTEMPTED),
		 again = run_count(run, MEASURE_RETRIES);

	return unit_read_count(value_of(run, "load.total"), &total) && total > 0 &&
	       tries >= total + again;
}

void caveat_stopped(struct out *out, const struct result_run *run)
{
	bool failed = run_count(run, MEASURE_CONNECTS_FAILED) > 0 ||
		      run_count(run, MEASURE_REQUESTS_FAILED) > 0 || run->stopped;
	bool exhausted = run_flag(run, MEASURE_EXHAUSTED), stops = !goes_on(run);
	char buffer[LINE_MOST], begun[UNIT_PRINTED];
	struct out line = out_memory(buffer, sizeof(buffer));

	if (!failed || (run_ended_early(run) && !run->stopped) || run->effective_count == 0 ||
	    run->measures.load_count)
		return;
	if (exhausted && !stops && text_is(value_of(run, "stop.when"), "exhausted"))
		out_z(&line, "exhaustion ended the load (stop.when: exhausted), whatever "
			     "load.on_failure says; with `never` it goes on");
	else if (!exhausted && stops && !has_begun_all(run))
		out_fmt(&line,
			"the first failure ended the load (load.on_failure: stop), with %s "
			"connections begun; with `continue` it goes on",
			unit_count_pretty(begun, run_count(run, MEASURE_CONNECTS_ATTEMPTED)));
	if (line.len)
		print(out, &line);
}

void caveat_from_proc(struct out *out, const struct result_run *run)
{
	if (run->end.from_proc)
		page_paragraph(
			out, "  but", PAINT_NONE, LABEL,
			TEXT("sockets were counted from /proc/net/tcp, since there is no "
			     "sock_diag: those that are bound and not connected are not in it"));
}

void caveat_torn(struct out *out, const struct result_run *run)
{
	if (run->fullest.torn || run->end.torn)
		page_paragraph(out, "  but", PAINT_NONE, LABEL,
			       TEXT("not all sockets were counted, since they moved meanwhile or "
				    "were too many: there may have been more in use than is told"));
}

void caveat_whole(struct out *out, const struct result_run *run)
{
	char buffer[LINE_MOST];
	struct out line = out_memory(buffer, sizeof(buffer));

	if (run->plan.whole.len == 0)
		return;
	out_fmt(&line, "--workers: %u carried the load, for " TEXT_FMT, run->plan.workers,
		TEXT_ARG(run->plan.whole));
	print(out, &line);
}
