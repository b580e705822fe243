#include "report/block.h"

#include <errno.h>
#include <math.h>

#include "base/unit.h"
#include "report/draft.h"
#include "report/foretold.h"

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

static uint64_t errors(const struct result_run *run, enum stage stage, int error)
{
	for (size_t i = 0; i < run->measures.error_count; i++)
		if (run->measures.errors[i].stage == stage &&
		    run->measures.errors[i].error == error)
			return run->measures.errors[i].count;
	return 0;
}

static uint64_t timeouts(const struct result_run *run)
{
	return errors(run, run->plan.gateway.datagrams ? STAGE_RECEIVE : STAGE_CONNECT, ETIMEDOUT);
}

/* "descriptors end first, after 1,021, as observed" */
static bool add_descriptors(struct out *to, const struct result_run *run)
{
	const struct compared *c = &run->measures.predictions[PREDICTION_DESCRIPTORS];

	if (c->outcome == OUTCOME_UNTOLD)
		return false;
	out_z(to, "descriptors end first, and socket() says EMFILE, after ");
	draft_count(to, (uint64_t)c->predicted.likely);
	if (errors(run, STAGE_SOCKET, EMFILE) == 0) {
		out_z(to, run_ended_early(run) ? ", not reached" : "; observed: none did");
	} else if (c->outcome == OUTCOME_HOLDS) {
		out_z(to, ", as observed");
	} else {
		out_z(to, "; observed after ");
		draft_count(to, run_count(run, MEASURE_CONNECTS_OPENED));
	}
	return true;
}

/* "the gateway drops what it has no port for, as observed" */
static void add_drops(struct out *to, const struct result_run *run)
{
	const struct compared *list = run->measures.predictions,
			      *c = list[PREDICTION_DROPS].outcome ? &list[PREDICTION_DROPS]
								  : &list[PREDICTION_UNMAPPED];

	if (c->outcome == OUTCOME_UNTOLD)
		return;
	out_fmt(to, "%sthe gateway drops what it has no port for%s", to->len ? "; " : "",
		c->outcome == OUTCOME_HOLDS    ? ", as observed"
		: c->outcome == OUTCOME_BROKEN ? "; observed: it did not"
					       : ", not reached");
}

/* "connects time out after 32, as observed"; "after 16 to 64", where fewer may come first */
static void add_timeouts(struct out *to, const struct result_run *run)
{
	bool asks = run->plan.gateway.datagrams;
	uint64_t after = run->plan.gateway.times_out_after,
		 told = run->plan.gateway.times_out_least, least = told ? told : after,
		 passed = run_count(run, asks ? MEASURE_REQUESTS_DONE : MEASURE_CONNECTS_OPENED);

	if (after == 0) {
		add_drops(to, run);
		return;
	}
	out_fmt(to, "%s%s time out after ", to->len ? "; " : "", asks ? "requests" : "connects");
	if (least < after) {
		draft_count(to, least);
		out_z(to, " to ");
	}
	draft_count(to, after);
	if (timeouts(run) == 0) {
		out_z(to, run_ended_early(run) ? ", not reached" : "; observed: none did");
	} else if (passed >= least && passed <= after) {
		out_z(to, ", as observed");
	} else {
		out_z(to, "; observed: ");
		draft_count(to, passed);
		out_z(to, asks ? " done" : " opened");
	}
}

/* Is it foretold, though not after how many connections? */
static bool exhausts(const struct result_run *run)
{
	const struct compared *c = &run->measures.predictions[PREDICTION_EXHAUSTED];

	return c->outcome != OUTCOME_UNTOLD && c->predicted.likely != 0;
}

/* Is it foretold that they do not? */
static bool stays(const struct result_run *run)
{
	const struct compared *c = &run->measures.predictions[PREDICTION_EXHAUSTED];

	return c->outcome != OUTCOME_UNTOLD && c->predicted.most == 0;
}

static void add_any(struct out *to, double rate)
{
	char text[UNIT_PRINTED];

	if (isnan(rate))
		out_z(to, "a rate that cannot be told");
	else if (isinf(rate))
		out_z(to, "any rate");
	else if (rate > 0) /* as plan says it: rounded down */
		out_z(to, unit_rate_pretty(text, rate < 100 ? rate : floor(rate * (1 + 1e-9))));
	else
		out_z(to, "no rate");
}

/* "sustainable: 1.07/s of TCP, any rate of UDP", where these have ports of their own. */
static void add_rate(struct out *to, const struct result_run *run)
{
	double rate = run->measures.fixed[MEASURE_PREDICTED_RATE].n;

	out_z(to, to->len ? "; sustainable: " : "sustainable: ");
	if (run->plan.part_count == 0) {
		out_z(to, run->plan.rate_is_least && rate > 0 ? "at least " : "");
		add_any(to, rate);
	}
	for (uint32_t i = 0; i < run->plan.part_count; i++) {
		out_z(to, i ? ", " : "");
		add_any(to, run->plan.parts[i].sustained);
		out_z(to, " of ");
		out_text(to, run->plan.parts[i].name);
	}
}

/* A result of an older lastport has no rate then. */
static void add_early(struct out *to, const struct result_run *run)
{
	bool is_told = run->measures.fixed[MEASURE_PREDICTED_RATE].present || run->plan.part_count;

	if (!is_told)
		out_z(to,
		      to->len ? "; sustainable: cannot be told" : "sustainable: cannot be told");
	out_z(to, ", since no more than ");
	draft_count(to, run->plan.tw_buckets);
	out_z(to, " ports can wait at once (tcp_max_tw_buckets; counter TCPTimeWaitOverflow)");
}

void block_prediction(struct out *out, const struct result_run *run)
{
	struct value rate = run->measures.fixed[MEASURE_PREDICTED_RATE];
	struct draft d;
	struct out *to = draft_begin(&d);

	if (run->measures.fixed[MEASURE_PREDICTED_AFTER].present) {
		out_z(to, "exhausted after ");
		block_measure(to, run, MEASURE_PREDICTED_AFTER);
		add_beside(to, run);
	} else if (exhausts(run)) {
		out_z(to, "the ports run out");
		out_z(to, run_flag(run, MEASURE_EXHAUSTED) ? ", as observed"
			  : run_ended_early(run)	   ? ", not reached"
							   : "; observed: they did not");
	} else if (add_descriptors(to, run)) {
		;
	} else if (stays(run)) {
		out_z(to, "the ports do not run out");
	} else if (run->plan.gateway.times_out_after == 0) {
		out_text(to, run->plan.doubt);
	}
	add_timeouts(to, run);
	if (rate.present || run->plan.part_count)
		add_rate(to, run);
	if (run->plan.tw_buckets)
		add_early(to, run);
	foretold_tally(to, run);
	draft_print(&d, out, "  predicted");
}

static bool lasts_longer(const struct result_run *run, int64_t lasts_ns)
{
	struct value elapsed = run->measures.fixed[MEASURE_ELAPSED];

	return lasts_ns && !run_ended_early(run) && elapsed.present &&
	       elapsed.n < (double)lasts_ns && run->measures.fixed[MEASURE_EXHAUSTED].present &&
	       !run_flag(run, MEASURE_EXHAUSTED);
}

int64_t run_falls_short(const struct result_run *run)
{
	int64_t least = lasts_longer(run, run->plan.lasts_ns) ? run->plan.lasts_ns : 0;

	for (uint32_t i = 0; i < run->plan.part_count; i++) {
		int64_t ns = run->plan.parts[i].lasts_ns;

		if (lasts_longer(run, ns) && (least == 0 || ns < least))
			least = ns;
	}
	return least;
}

/* "at 200/s the ports of TCP last 5 s; this run took 1 s"; "at this pace", where the load asks for no rate */
static void print_outlook(struct out *out, const struct result_run *run, double per_s,
			  int64_t lasts_ns, struct text of)
{
	char rate[UNIT_PRINTED], lasts[UNIT_PRINTED];
	struct draft d;
	struct out *to = draft_begin(&d);

	if (!lasts_longer(run, lasts_ns))
		return;
	out_fmt(to, "at %s the ports%s", per_s > 0 ? unit_rate_pretty(rate, per_s) : "this pace",
		of.len ? " of " : "");
	out_text(to, of);
	out_fmt(to, " last %s; this run took ", unit_time_pretty(lasts, lasts_ns));
	block_measure(to, run, MEASURE_ELAPSED);
	draft_print(&d, out, "  but");
}

void block_outlook(struct out *out, const struct result_run *run)
{
	const struct text whole = {0};

	print_outlook(out, run, run->plan.rate, run->plan.lasts_ns, whole);
	for (uint32_t i = 0; i < run->plan.part_count; i++) {
		const struct result_part *p = &run->plan.parts[i];

		print_outlook(out, run, p->rate, p->lasts_ns, p->name);
	}
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
		unsigned observed = page_width(
			text_of(block_value(text, v->expect[i].kind, v->expect[i].observed)));

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
		page_cell(out, text_of(block_value(text, j->kind, j->observed)), c.observed);
		if (j->at.line) {
			out_z(out, "  ");
			out_escaped(out, text_of(j->at.file));
			out_fmt(out, ":%u", j->at.line);
		}
		out_z(out, "\n");
	}
	if (v->expect_count == 0)
		page_paragraph(
			out, "  expected", PAINT_NONE, LABEL,
			TEXT("nothing: the scenario has no `expect`, so a run that did what it "
			     "was asked passes"));
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
	static const char *const whose[WHERES] = {"", "server: ", "gateway: "};

	for (size_t i = 0; i < run->setting_count; i++) {
		const struct result_setting *s = &run->settings[i];
		struct draft d;
		struct out *to = draft_begin(&d);

		out_z(to, whose[s->where]);
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
