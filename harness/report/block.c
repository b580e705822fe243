#include "report/block.h"

#include <stdio.h>
#include <string.h>

#include "base/unit.h"
#include "report/books.h"
#include "report/draft.h"

/* A rate of fewer is not told: between n connections are n - 1 pauses, a hundredth and more. */
enum { RATE_LEAST = 100 };

struct value run_value(const struct result_run *run, enum measure what)
{
	return run->measures.fixed[what];
}

uint64_t run_count(const struct result_run *run, enum measure what)
{
	struct value v = run_value(run, what);

	return v.present && v.n > 0 ? (uint64_t)v.n : 0;
}

bool run_flag(const struct result_run *run, enum measure what)
{
	struct value v = run_value(run, what);

	return v.present && v.n != 0;
}

const char *block_value(char text[UNIT_PRINTED], enum measure_kind kind, struct value v)
{
	if (!v.present)
		return strcpy(text, "no data");
	switch (kind) {
	case KIND_COUNT:
		return unit_count_pretty(text, (uint64_t)v.n);
	case KIND_SHARE:
		return unit_share_pretty(text, v.n);
	case KIND_TIME:
		return unit_time_pretty(text, (int64_t)v.n);
	case KIND_RATE:
		return unit_rate_pretty(text, v.n);
	case KIND_RATIO:
		return unit_ratio_pretty(text, v.n);
	case KIND_FLAG:
		break;
	}
	return strcpy(text, v.n != 0 ? "true" : "false");
}

void block_measure(struct out *to, const struct result_run *run, enum measure what)
{
	char text[UNIT_PRINTED];

	out_z(to, block_value(text, measure_infos[what].kind, run_value(run, what)));
}

const char *run_acceleration(const struct result_run *run, char text[UNIT_PRINTED])
{
	double times = (double)TIME_WAIT_NS / (double)run->plan.time_wait_ns;

	if (times >= 10)
		return unit_count_pretty(text, (uint64_t)(times + 0.5));
	snprintf(text, UNIT_PRINTED, "%.2g", times);
	return text;
}

/* So that nobody takes it for what happens elsewhere. */
void block_accelerated(struct out *out, const struct result_run *run)
{
	char here[UNIT_PRINTED], elsewhere[UNIT_PRINTED], times[UNIT_PRINTED];
	struct draft d;

	if (run->plan.time_wait_ns == 0)
		return;
	out_fmt(draft_begin(&d), "TIME_WAIT %s instead of %s, %s times",
		unit_time_pretty(here, run->plan.time_wait_ns),
		unit_time_pretty(elsewhere, TIME_WAIT_NS), run_acceleration(run, times));
	page_paragraph(out, "  accelerated", PAINT_NONE, LABEL + 1, out_written(&d.text));
}

/* Have loads of TCP and of UDP ports of their own? */
static bool is_of_both(const struct result_run *run)
{
	uint32_t n = run->plan.part_count;

	return n > 1 && text_is(run->plan.parts[0].name, "TCP") &&
	       text_is(run->plan.parts[n - 1].name, "UDP");
}

/* "64 ports to one destination (2000-2031 of 2 addresses), at most 10 connections tracked" */
static void add_gateway(struct out *to, const struct result_run *run)
{
	bool is_shared =
		run->plan.gateway.mapping == MAPPING_INDEPENDENT || run->plan.gateway.redirect;

	draft_count(to, run->plan.gateway.each);
	out_z(to, run->plan.gateway.each == 1 ? " port" : " ports");
	out_z(to, is_of_both(run) ? " of TCP, and as many of UDP," : "");
	if (run->plan.destinations > 1)
		out_fmt(to,
			is_shared ? " to %u destinations together" : " to each of %u destinations",
			run->plan.destinations);
	else
		out_z(to, " to one destination");
	out_fmt(to, " (%u-%u", run->plan.gateway.ports.lo, run->plan.gateway.ports.hi);
	if (run->plan.gateway.addresses > 1)
		out_fmt(to, " of %u addresses", run->plan.gateway.addresses);
	out_z(to, ")");
	if (run->plan.gateway.limit) {
		out_z(to, ", may track ");
		draft_count(to, run->plan.gateway.limit);
	}
}

void block_gateway(struct out *out, const struct result_run *run)
{
	struct draft d;
	struct out *to = draft_begin(&d);

	if (run->plan.gateway.addresses == 0)
		return;
	add_gateway(to, run);
	if (run_value(run, MEASURE_NAT_ENTRIES_MAX).present) {
		out_z(to, ", tracked up to ");
		block_measure(to, run, MEASURE_NAT_ENTRIES_MAX);
		out_z(to, "; insert_failed ");
		block_measure(to, run, MEASURE_NAT_INSERT_FAILED);
		out_z(to, ", drop ");
		block_measure(to, run, MEASURE_NAT_DROP);
	}
	if (run_count(run, MEASURE_NAT_UNMAPPED)) {
		out_z(to, "; without a mapping ");
		block_measure(to, run, MEASURE_NAT_UNMAPPED);
	}
	draft_print(&d, out, "  gateway");
}

static void add_if(struct out *to, const struct result_run *run, enum measure what,
		   const char *words)
{
	if (run_count(run, what) == 0)
		return;
	out_z(to, ", ");
	block_measure(to, run, what);
	out_fmt(to, " %s", words);
}

static void print_errors(struct out *out, const struct error_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct draft d;
		struct out *to = draft_begin(&d);

		draft_count(to, rows[i].count);
		out_fmt(to, " at %s: %s \"%s\"", stage_call(rows[i].stage),
			errno_name(rows[i].error), failure_words(rows[i].stage, rows[i].error));
		draft_print(&d, out, "");
	}
}

/* A service that started late (squat.start), and could not have its port. */
static void print_squat(struct out *out, const struct result_run *run)
{
	const struct measures *m = &run->measures;
	struct draft d;
	struct out *to = draft_begin(&d);

	if (m->squat_error_count == 0)
		return;
	block_measure(to, run, MEASURE_SQUAT_HELD);
	out_z(to, " held, ");
	block_measure(to, run, MEASURE_SQUAT_REFUSED);
	out_z(to, " refused");
	draft_print(&d, out, "  squat");
	print_errors(out, m->squat_errors, m->squat_error_count);
}

/* What became of the far end. */
void block_server(struct out *out, const struct result_run *run)
{
	static const struct {
		enum measure when;
		const char *words;
	} ends[] = {
		{MEASURE_SERVER_OPENED, "connections that it opened to itself: "},
		{MEASURE_SERVER_DIED, "its process died after "},
		{MEASURE_SERVER_GONE, "its host vanished after "},
	};
	struct draft d;
	struct out *to = draft_begin(&d);

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (!run_value(run, ends[i].when).present)
			continue;
		if (to->len)
			out_z(to, ", ");
		out_z(to, ends[i].words);
		block_measure(to, run, ends[i].when);
	}
	draft_print(&d, out, "  server");
	print_errors(out, run->measures.server_errors, run->measures.server_error_count);
}

void block_requests(struct out *out, const struct result_run *run)
{
	struct draft d;
	struct out *to = draft_begin(&d);

	if (!run_value(run, MEASURE_REQUESTS_DONE).present)
		return;
	block_measure(to, run, MEASURE_REQUESTS_DONE);
	out_z(to, " done");
	add_if(to, run, MEASURE_REQUESTS_FAILED, "failed");
	if (run_value(run, MEASURE_REUSE_RATIO).present) {
		out_z(to, ", ");
		block_measure(to, run, MEASURE_REUSE_RATIO);
		out_z(to, " on a connection that had served one before");
	}
	draft_print(&d, out, "  requests");
}

static void add_connects(struct out *to, const struct result_run *run)
{
	block_measure(to, run, MEASURE_CONNECTS_OPENED);
	out_z(to, " opened");
	if (run_value(run, MEASURE_ELAPSED).present) {
		out_z(to, " in ");
		block_measure(to, run, MEASURE_ELAPSED);
	}
	if (run_value(run, MEASURE_CONNECTS_RATE).present &&
	    run_count(run, MEASURE_CONNECTS_OPENED) >= RATE_LEAST) {
		out_z(to, " (");
		block_measure(to, run, MEASURE_CONNECTS_RATE);
		out_z(to, ")");
	}
	add_if(to, run, MEASURE_SELF_CONNECTS, "of them self-connected");
	add_if(to, run, MEASURE_CONNECTS_CLOSED, "closed");
	add_if(to, run, MEASURE_CONNECTS_RESET, "reset");
	add_if(to, run, MEASURE_LEAKED, "never closed");
	add_if(to, run, MEASURE_INHERITED, "kept open by a child");
	add_if(to, run, MEASURE_CONNECTS_OPEN, "still open");
	add_if(to, run, MEASURE_CONNECTS_IN_FLIGHT, "in flight");
	add_if(to, run, MEASURE_CONNECTS_HELD_BACK, "held back");
	add_if(to, run, MEASURE_CONNECTS_LATE, "due but not begun");
	add_if(to, run, MEASURE_CONNECTS_FAILED, "failed");
	add_if(to, run, MEASURE_RETRIES, "of them tried again");
	if (run_count(run, MEASURE_RETRIES))
		add_if(to, run, MEASURE_GAVE_UP, "given up");
	if (run_flag(run, MEASURE_RECOVERED) && run_value(run, MEASURE_RECOVERY).present) {
		out_z(to, ", recovered after ");
		block_measure(to, run, MEASURE_RECOVERY);
	}
}

/* "victim: 2 opened in 20 ms, …, 1 failed, exhausted after 2" */
static void print_load(struct out *out, const struct result_run *run,
		       const struct load_measures *load)
{
	struct result_run alone = {.measures = load->measures};
	struct draft d;
	struct out *to = draft_begin(&d);

	out_text(to, load->name);
	out_z(to, ": ");
	add_connects(to, &alone);
	if (run_flag(&alone, MEASURE_EXHAUSTED)) {
		out_z(to, ", exhausted after ");
		block_measure(to, &alone, MEASURE_EXHAUSTED_AFTER);
	}
	draft_print(&d, out, load == run->measures.loads ? "  loads" : "");
}

void block_connects(struct out *out, const struct result_run *run)
{
	struct draft d;
	struct out *to = draft_begin(&d);

	if (!run_value(run, MEASURE_CONNECTS_OPENED).present)
		return;
	add_connects(to, run);
	draft_print(&d, out, "  connects");
	print_errors(out, run->measures.errors, run->measures.error_count);
	print_squat(out, run);
	for (size_t i = 0; i < run->measures.load_count; i++)
		print_load(out, run, &run->measures.loads[i]);
	block_books(out, run);
}
