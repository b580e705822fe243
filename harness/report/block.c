#include "report/block.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/unit.h"
#include "report/books.h"
#include "report/draft.h"
#include "report/foretold.h"

static struct value fixed(const struct result_run *run, enum measure what)
{
	return run->measures.fixed[what];
}

uint64_t run_count(const struct result_run *run, enum measure what)
{
	struct value v = fixed(run, what);

	return v.present && v.n > 0 ? (uint64_t)v.n : 0;
}

bool run_flag(const struct result_run *run, enum measure what)
{
	struct value v = fixed(run, what);

	return v.present && v.n != 0;
}

/* A measure as people read it: "28,232", "0.61 s", "true". */
static const char *say(char text[UNIT_PRINTED], enum measure_kind kind, struct value v)
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

static void add_measure(struct out *to, const struct result_run *run, enum measure what)
{
	char text[UNIT_PRINTED];

	out_z(to, say(text, measure_infos[what].kind, fixed(run, what)));
}

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

/* Connections can come and go between two dumps: 0 is what the dumps saw then, and the driver's
 * books know better. */
static void add_peak(struct out *to, const struct result_run *run)
{
	uint64_t open = run_count(run, MEASURE_ESTABLISHED_MAX);

	if (!fixed(run, MEASURE_PORTS_USED_MAX).present)
		return;
	if (run_count(run, MEASURE_PORTS_USED_MAX) == 0 && open) {
		out_z(to, ", peak ");
		draft_count(to, open);
		out_z(to, " by the driver's books: no dump saw one");
		return;
	}
	out_z(to, ", peak ");
	add_measure(to, run, MEASURE_PORTS_USED_MAX);
	if (fixed(run, MEASURE_PORTS_FILL_MAX).present) {
		out_z(to, " in use: ");
		add_measure(to, run, MEASURE_PORTS_FILL_MAX);
	}
}

void block_ports(struct out *out, const struct result_run *run)
{
	struct draft d;
	struct out *to = draft_begin(&d);

	if (run->plan.order.len == 0)
		return;
	draft_count(to, run->plan.usable);
	out_fmt(to, " usable (%u-%u)", run->plan.range.lo, run->plan.range.hi);
	if (run->plan.destinations > 1)
		out_fmt(to, " to %s %u destinations", is_shared(run) ? "all" : "each of",
			run->plan.destinations);
	if (run->plan.sources > 1)
		out_fmt(to, " from each of %u addresses", run->plan.sources);
	add_peak(to, run);
	draft_print(&d, out, "  ports");
	print_states(out, run);
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

/* "64 ports to one destination (2000-2031 of 2 addresses), at most 10 connections tracked" */
static void add_gateway(struct out *to, const struct result_run *run)
{
	draft_count(to, run->plan.gateway.each);
	out_z(to, run->plan.gateway.each == 1 ? " port" : " ports");
	if (run->plan.destinations > 1)
		out_fmt(to, " to each of %u destinations", run->plan.destinations);
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
	if (fixed(run, MEASURE_NAT_ENTRIES_MAX).present) {
		out_z(to, ", tracked up to ");
		add_measure(to, run, MEASURE_NAT_ENTRIES_MAX);
		out_z(to, "; insert_failed ");
		add_measure(to, run, MEASURE_NAT_INSERT_FAILED);
		out_z(to, ", drop ");
		add_measure(to, run, MEASURE_NAT_DROP);
	}
	draft_print(&d, out, "  gateway");
}

static void add_if(struct out *to, const struct result_run *run, enum measure what,
		   const char *words)
{
	if (run_count(run, what) == 0)
		return;
	out_z(to, ", ");
	add_measure(to, run, what);
	out_fmt(to, " %s", words);
}

static void print_errors(struct out *out, const struct result_run *run)
{
	for (size_t i = 0; i < run->measures.error_count; i++) {
		const struct error_row *e = &run->measures.errors[i];
		struct draft d;
		struct out *to = draft_begin(&d);

		draft_count(to, e->count);
		out_fmt(to, " at %s: %s \"%s\"", stage_call(e->stage), errno_name(e->error),
			errno_words(e->error));
		draft_print(&d, out, "");
	}
}

/* What became of the far end. */
void block_server(struct out *out, const struct result_run *run)
{
	static const struct {
		enum measure when;
		const char *words;
	} ends[] = {
		{MEASURE_SERVER_DIED, "its process died after "},
		{MEASURE_SERVER_GONE, "its host vanished after "},
	};
	struct draft d;
	struct out *to = draft_begin(&d);

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (!fixed(run, ends[i].when).present)
			continue;
		if (to->len)
			out_z(to, ", ");
		out_z(to, ends[i].words);
		add_measure(to, run, ends[i].when);
	}
	draft_print(&d, out, "  server");
}

void block_requests(struct out *out, const struct result_run *run)
{
	struct draft d;
	struct out *to = draft_begin(&d);

	if (!fixed(run, MEASURE_REQUESTS_DONE).present)
		return;
	add_measure(to, run, MEASURE_REQUESTS_DONE);
	out_z(to, " done");
	add_if(to, run, MEASURE_REQUESTS_FAILED, "failed");
	if (fixed(run, MEASURE_REUSE_RATIO).present) {
		out_z(to, ", ");
		add_measure(to, run, MEASURE_REUSE_RATIO);
		out_z(to, " on a connection that had served one before");
	}
	draft_print(&d, out, "  requests");
}

static void add_connects(struct out *to, const struct result_run *run)
{
	add_measure(to, run, MEASURE_CONNECTS_OPENED);
	out_z(to, " opened");
	if (fixed(run, MEASURE_ELAPSED).present) {
		out_z(to, " in ");
		add_measure(to, run, MEASURE_ELAPSED);
	}
	if (fixed(run, MEASURE_CONNECTS_RATE).present) {
		out_z(to, " (");
		add_measure(to, run, MEASURE_CONNECTS_RATE);
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
	if (run_flag(run, MEASURE_RECOVERED) && fixed(run, MEASURE_RECOVERY).present) {
		out_z(to, ", recovered after ");
		add_measure(to, run, MEASURE_RECOVERY);
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
		add_measure(to, &alone, MEASURE_EXHAUSTED_AFTER);
	}
	draft_print(&d, out, load == run->measures.loads ? "  loads" : "");
}

void block_connects(struct out *out, const struct result_run *run)
{
	struct draft d;
	struct out *to = draft_begin(&d);

	if (!fixed(run, MEASURE_CONNECTS_OPENED).present)
		return;
	add_connects(to, run);
	draft_print(&d, out, "  connects");
	print_errors(out, run);
	for (size_t i = 0; i < run->measures.load_count; i++)
		print_load(out, run, &run->measures.loads[i]);
	block_books(out, run);
}

bool run_ended_early(const struct result_run *run)
{
	return run->aborted || run->interrupted || run->cut_short ||
	       (!run->complete && run->lost == 0);
}

/* "as observed", or what was observed instead. */
static void add_beside(struct out *to, const struct result_run *run)
{
	uint64_t predicted = run_count(run, MEASURE_PREDICTED_AFTER),
		 seen = run_count(run, MEASURE_EXHAUSTED_AFTER);

	if (!run_flag(run, MEASURE_EXHAUSTED)) {
		out_z(to, run_ended_early(run) ? ", not reached" : "; observed: not exhausted");
	} else if (predicted == seen) {
		out_z(to, ", as observed");
	} else {
		out_z(to, "; observed after ");
		draft_count(to, seen);
		out_z(to, ", ");
		draft_count(to, seen > predicted ? seen - predicted : predicted - seen);
		out_z(to, seen > predicted ? " more" : " fewer");
		if (run->plan.may_lose_one)
			out_z(to, " (a range of an odd number of ports can lose one)");
	}
}

static uint64_t timeouts(const struct result_run *run)
{
	for (size_t i = 0; i < run->measures.error_count; i++)
		if (run->measures.errors[i].stage == STAGE_CONNECT &&
		    run->measures.errors[i].error == ETIMEDOUT)
			return run->measures.errors[i].count;
	return 0;
}

/* "connects time out after 32, as observed" */
static void add_timeouts(struct out *to, const struct result_run *run)
{
	uint64_t after = run->plan.gateway.times_out_after,
		 opened = run_count(run, MEASURE_CONNECTS_OPENED);

	if (after == 0)
		return;
	out_z(to, "connects time out after ");
	draft_count(to, after);
	if (timeouts(run) == 0) {
		out_z(to, run_ended_early(run) ? ", not reached" : "; observed: none did");
	} else if (opened == after) {
		out_z(to, ", as observed");
	} else {
		out_z(to, "; observed: ");
		draft_count(to, opened);
		out_z(to, " opened");
	}
}

static void add_rate(struct out *to, const struct result_run *run)
{
	out_z(to, run->plan.rate_is_least ? "at least " : "");
	add_measure(to, run, MEASURE_PREDICTED_RATE);
}

void block_prediction(struct out *out, const struct result_run *run)
{
	struct value rate = fixed(run, MEASURE_PREDICTED_RATE);
	struct draft d;
	struct out *to = draft_begin(&d);

	if (fixed(run, MEASURE_PREDICTED_AFTER).present) {
		out_z(to, "exhausted after ");
		add_measure(to, run, MEASURE_PREDICTED_AFTER);
		add_beside(to, run);
	} else if (run->plan.gateway.times_out_after == 0 && run->plan.tw_buckets == 0) {
		out_text(to, run->plan.doubt);
	}
	add_timeouts(to, run);
	if (rate.present) {
		out_z(to, to->len ? "; sustainable: " : "sustainable: ");
		if (rate.n > 0)
			add_rate(to, run);
		else
			out_z(to, "no rate");
	}
	if (run->plan.tw_buckets)
		out_fmt(to,
			"%ssustainable: cannot be told, tcp_max_tw_buckets (%llu) ends TIME_WAIT "
			"early (counter TCPTimeWaitOverflow)",
			to->len ? "; " : "", (unsigned long long)run->plan.tw_buckets);
	foretold_tally(to, run);
	draft_print(&d, out, "  predicted");
}

bool run_falls_short(const struct result_run *run)
{
	struct value elapsed = fixed(run, MEASURE_ELAPSED);

	return run->plan.lasts_ns && !run_ended_early(run) && elapsed.present &&
	       elapsed.n < (double)run->plan.lasts_ns && fixed(run, MEASURE_EXHAUSTED).present &&
	       !run_flag(run, MEASURE_EXHAUSTED);
}

void block_outlook(struct out *out, const struct result_run *run)
{
	char rate[UNIT_PRINTED], lasts[UNIT_PRINTED];
	struct draft d;
	struct out *to = draft_begin(&d);

	if (!run_falls_short(run))
		return;
	out_fmt(to, "at %s the ports last %s; this run took ",
		unit_rate_pretty(rate, run->plan.rate),
		unit_time_pretty(lasts, run->plan.lasts_ns));
	add_measure(to, run, MEASURE_ELAPSED);
	draft_print(&d, out, "  but");
}

void block_overflow(struct out *out, const struct result_run *run)
{
	uint64_t n = run_count(run, MEASURE_TIME_WAIT_OVERFLOW);
	struct draft d;
	struct out *to = draft_begin(&d);

	if (n == 0)
		return;
	draft_count(to, n);
	out_fmt(to,
		" closed %s never in TIME_WAIT: tcp_max_tw_buckets was reached%s. A late packet "
		"of an old connection can then reach a new one (RFC 1337)",
		n == 1 ? "connection was" : "connections were",
		run->word == VERDICT_PASS ? ", and the run has passed by that overflow" : "");
	draft_print(&d, out, "  but");
}

/* The widest of the first columns, so that those after them stand in line. */
struct columns {
	unsigned text, observed;
};

static struct columns measure_columns(const struct verdict *v)
{
	struct columns c = {0, 0};

	for (size_t i = 0; i < v->expect_count; i++) {
		char text[UNIT_PRINTED];
		unsigned wide = page_width(v->expect[i].text);
		unsigned observed =
			page_width(text_of(say(text, v->expect[i].kind, v->expect[i].observed)));

		if (wide > c.text && wide <= 40)
			c.text = wide;
		if (observed > c.observed)
			c.observed = observed;
	}
	return c;
}

/* Is it known for good what became of line i? What a run that broke off has not kept, it might
 * have; but for the line that broke it off. */
static bool is_final(const struct result_run *run, size_t i)
{
	return run->aborted ? run->aborted == i + 1 : run->complete;
}

static void print_mark(struct out *out, const struct judged *j, bool final)
{
	if (j->pass)
		out_paint(out, PAINT_GOOD, "  ok ");
	else if (final)
		out_paint(out, PAINT_BAD, "  x  ");
	else
		out_z(out, "  ?  ");
}

void block_expectations(struct out *out, const struct result_run *run)
{
	const struct verdict *v = &run->verdict;
	struct columns c = measure_columns(v);

	for (size_t i = 0; i < v->expect_count; i++) {
		const struct judged *j = &v->expect[i];
		char text[UNIT_PRINTED];

		print_mark(out, j, is_final(run, i));
		page_cell(out, j->text, c.text);
		out_z(out, j->observed.present ? "  observed " : "           ");
		page_cell(out, text_of(say(text, j->kind, j->observed)), c.observed);
		if (j->at.line) {
			out_z(out, "  ");
			out_escaped(out, text_of(j->at.file));
			out_fmt(out, ":%u", j->at.line);
		}
		out_z(out, "\n");
	}
	if (v->expect_count == 0)
		page_paragraph(out, "  expected", PAINT_NONE, LABEL,
			       TEXT("nothing: the scenario has no `expect`"));
}

/* The kernel puts tabs between the numbers of a sysctl. */
static void add_sysctl(struct out *to, struct text value)
{
	struct text number;

	while (text_cut(&value, '\t', &number)) {
		out_text(to, number);
		out_z(to, " ");
	}
	out_text(to, number);
}

static void print_settings(struct out *out, const struct result_run *run)
{
	for (size_t i = 0; i < run->setting_count; i++) {
		const struct result_setting *s = &run->settings[i];
		struct draft d;
		struct out *to = draft_begin(&d);

		out_text(to, s->name);
		out_z(to, " = ");
		add_sysctl(to, s->after);
		if (!text_eq(s->before, s->after)) {
			out_z(to, ", was ");
			add_sysctl(to, s->before);
		}
		if (s->line) {
			out_z(to, " ");
			out_text(to, run->file);
			out_fmt(to, ":%u", s->line);
		}
		draft_print(&d, out, i ? "" : "  sysctl");
	}
}

void block_details(struct out *out, const struct result_run *run)
{
	const struct measures *m = &run->measures;

	print_settings(out, run);
	for (size_t i = 0; i < m->counter_count; i++) {
		struct draft d;
		struct out *to = draft_begin(&d);

		out_text(to, m->counters[i].name);
		out_z(to, " ");
		draft_count(to, m->counters[i].moved);
		draft_print(&d, out, i ? "" : "  counters");
	}
}
