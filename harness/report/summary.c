#include "report/result.h"

#include <errno.h>
#include <string.h>

#include "base/unit.h"
#include "judge/late.h"
#include "report/block.h"
#include "report/books.h"
#include "report/caveat.h"
#include "report/destinations.h"
#include "report/foretold.h"
#include "report/latency.h"
#include "report/page.h"
#include "report/whose.h"

/* How each verdict is told, and counted. */
static const struct {
	const char *word, *counted;
	enum paint paint;
} tellings[] = {
	[VERDICT_PASS] = {"PASS", "passed", PAINT_GOOD},
	[VERDICT_FAIL] = {"FAIL", "failed", PAINT_BAD},
	[VERDICT_SKIP] = {"SKIP", "skipped", PAINT_BOLD},
	[VERDICT_ERROR] = {"ERROR", "in error", PAINT_BAD},
	[VERDICT_INCOMPLETE] = {"INCOMPLETE", "incomplete", PAINT_BAD},
};

enum { VERDICTS = sizeof(tellings) / sizeof(tellings[0]), NAME_MOST = 48 };

/* What did not come to its end is no pass, whatever its file says. */
static enum verdict_word word_of(const struct result_run *run)
{
	return run->word == VERDICT_PASS && !run->complete ? VERDICT_INCOMPLETE : run->word;
}

/* It passes whatever happened. */
static bool expects_nothing(const struct result_run *run)
{
	return word_of(run) == VERDICT_PASS && run->verdict.expect_count == 0;
}

/* "leak", "leak/second-destination" */
static struct text name_of(const struct result_run *run, struct arena *a)
{
	if (run->case_name.len == 0 || text_is(run->case_name, "base"))
		return run->scenario;
	return text_format(a, TEXT_FMT "/" TEXT_FMT, TEXT_ARG(run->scenario),
			   TEXT_ARG(run->case_name));
}

static const char *say_count(struct arena *a, uint64_t n)
{
	return unit_count_pretty(ARENA_ARRAY(a, char, UNIT_PRINTED), n);
}

static const char *say_time(struct arena *a, double ns)
{
	return unit_time_pretty(ARENA_ARRAY(a, char, UNIT_PRINTED), (int64_t)ns);
}

static const char *say_rate(const struct result_run *run, enum measure what, struct arena *a)
{
	return unit_rate_pretty(ARENA_ARRAY(a, char, UNIT_PRINTED), run->measures.fixed[what].n);
}

/* Why a run that broke off did. */
static struct text say_break(const struct result_run *run, struct arena *a)
{
	const char *signal = run->interrupted ? sigabbrev_np(run->interrupted) : NULL;

	if (signal)
		return text_format(a, "interrupted by SIG%s", signal);
	if (run->interrupted)
		return text_format(a, "interrupted by signal %d", run->interrupted);
	if (run->cut_short)
		return TEXT("stop.time came before the load was done");
	if (run->lost)
		return text_format(a, "%s %s did not fit the tape: its figures are not whole",
				   say_count(a, run->lost), run->lost == 1 ? "record" : "records");
	if (late_is_short(&run->measures))
		return text_format(a, "%s connections were due and not begun",
				   say_count(a, run_count(run, MEASURE_CONNECTS_LATE)));
	if (late_is_behind(&run->measures))
		return TEXT("it did not keep the rate that was asked for");
	if (late_is_slow(&run->measures))
		return text_format(a, "%s, of %s by its own arithmetic",
				   say_rate(run, MEASURE_ROUNDS_RATE, a),
				   say_rate(run, MEASURE_ROUNDS_ASKED, a));
	if (run->stopped)
		return run->verdict.expect_count
			       ? TEXT("a failure ended the load, and no line of expect is about "
				      "failures")
			       : TEXT("a failure ended the load, and nothing was expected");
	return TEXT("it did not come to its end");
}

/* ", ended at 3.2 s by s5.yaml:6": the line of `expect` that ended the run. */
static const char *say_end(const struct result_run *run, struct arena *a)
{
	struct value elapsed = run->measures.fixed[MEASURE_ELAPSED];
	const struct judged *by;

	if (run->aborted == 0 || run->aborted > run->verdict.expect_count)
		return "";
	by = &run->verdict.expect[run->aborted - 1];
	return text_format(a, ", ended%s%s by %s:%u", elapsed.present ? " at " : "",
			   elapsed.present ? say_time(a, elapsed.n) : "", by->at.file, by->at.line)
		.s;
}

/* ": the gateway dropped 408 packets", if it did. */
static const char *say_gateway(const struct result_run *run, struct arena *a)
{
	uint64_t dropped = run_count(run, MEASURE_NAT_DROP) + run_count(run, MEASURE_NAT_UNMAPPED);

	if (dropped == 0)
		return "";
	return text_format(a, ": the gateway dropped %s %s", say_count(a, dropped),
			   dropped == 1 ? "packet" : "packets")
		.s;
}

/* Were the ports the program's own, and each of those that it wanted had that connection already? The kernel
 * looks for no other then, so that none is wanting; nor were they left. */
static bool is_repeated(const struct result_run *run)
{
	const struct verdict *v = &run->verdict;

	if (run->measures.error_count == 0 || run->measures.errors[0].stage != STAGE_CONNECT ||
	    run->measures.errors[0].error != EADDRNOTAVAIL)
		return false;
	for (size_t i = 0; i < v->cause_count; i++)
		if (v->causes[i].cause == CAUSE_FIXED_PORT ||
		    v->causes[i].cause == CAUSE_DIAL_FROM_LISTEN)
			return true;
	return false;
}

/* "64 opened, 136 of 200 failed (ETIMEDOUT), not exhausted: the gateway dropped 408 packets"; each try again
 * is one of them. */
static struct text say_failed(const struct result_run *run, uint64_t failed, struct arena *a)
{
	const char *opened = say_count(a, run_count(run, MEASURE_CONNECTS_OPENED));
	const char *all = say_count(a, run_count(run, MEASURE_CONNECTS_ATTEMPTED)), *error = "";

	if (run->measures.error_count > 0)
		error = text_format(a, " (%s)", errno_name(run->measures.errors[0].error)).s;
	return text_format(
		a, "%s opened, %s of %s failed%s%s%s", opened, say_count(a, failed), all, error,
		is_repeated(run) ? ": these very connections exist already" : ", not exhausted",
		say_gateway(run, a));
}

/* "8 requests" that failed, and no connects. */
static const char *say_requests(const struct result_run *run, struct arena *a)
{
	uint64_t n = run_count(run, MEASURE_REQUESTS_FAILED);

	return text_format(a, "%s %s", say_count(a, n), n == 1 ? "request" : "requests").s;
}

/* "320 opened, not exhausted". A line alone must say what a block has a line for. */
static struct text say_opened(const struct result_run *run, bool is_head, struct arena *a)
{
	const char *opened = say_count(a, run_count(run, MEASURE_CONNECTS_OPENED));

	if (run->aborted)
		return text_format(a, "%s opened%s", opened, say_end(run, a));
	if (!is_head && late_is_short(&run->measures))
		return text_format(a, "%s opened, not exhausted; %s due but not begun", opened,
				   say_count(a, run_count(run, MEASURE_CONNECTS_LATE)));
	if (!is_head && late_is_slow(&run->measures))
		return text_format(a, "%s opened, not exhausted; %s, of %s by its own arithmetic",
				   opened, say_rate(run, MEASURE_ROUNDS_RATE, a),
				   say_rate(run, MEASURE_ROUNDS_ASKED, a));
	if (run_count(run, MEASURE_CONNECTS_FAILED))
		return say_failed(run, run_count(run, MEASURE_CONNECTS_FAILED), a);
	if (run_count(run, MEASURE_REQUESTS_FAILED))
		return text_format(a, "%s opened, %s failed, not exhausted%s", opened,
				   say_requests(run, a), say_gateway(run, a));
	if (!is_head && run_count(run, MEASURE_TIME_WAIT_OVERFLOW))
		return text_format(a, "%s opened, not exhausted: TIME_WAIT overflowed", opened);
	if (!is_head && run_falls_short(run))
		return text_format(a, "%s opened, not exhausted yet: the ports last %s", opened,
				   say_time(a, (double)run_falls_short(run)));
	return text_format(a, "%s opened, not exhausted%s", opened, say_gateway(run, a));
}

/* The fact behind the verdict's word; at the head of a block there is room for more words. */
static struct text headline(const struct result_run *run, bool is_head, struct arena *a)
{
	struct value at = run->measures.fixed[MEASURE_EXHAUSTED_AT];
	uint64_t after = run_count(run, MEASURE_EXHAUSTED_AFTER);
	const char *what = after == 1 ? " connection" : " connections";

	if (word_of(run) == VERDICT_INCOMPLETE)
		return say_break(run, a);
	if (!run->measures.fixed[MEASURE_CONNECTS_OPENED].present)
		return (struct text){0};
	if (!run_flag(run, MEASURE_EXHAUSTED))
		return say_opened(run, is_head, a);
	if (!at.present)
		return text_format(a, "exhausted%s", say_end(run, a));
	return text_format(a, "exhausted after %s%s, %s%s", say_count(a, after),
			   is_head ? what : "", say_time(a, at.n), say_end(run, a));
}

/* The same where nothing stands below it. */
static struct text line_fact(const struct result_run *run, struct arena *a)
{
	struct text fact = headline(run, false, a);
	uint64_t broken = run_count(run, MEASURE_PREDICTIONS_BROKEN);
	char times[UNIT_PRINTED];

	if (broken)
		fact = text_format(a, TEXT_FMT "%s%s %s broken", TEXT_ARG(fact),
				   fact.len ? ", " : "", say_count(a, broken),
				   broken == 1 ? "prediction" : "predictions");
	if (expects_nothing(run))
		fact = text_format(a, TEXT_FMT "%snothing expected", TEXT_ARG(fact),
				   fact.len ? "; " : "");
	if (run->plan.time_wait_ns == 0 || fact.len == 0)
		return fact;
	return text_format(a, TEXT_FMT ", TIME_WAIT %s times faster", TEXT_ARG(fact),
			   run_acceleration(run, times));
}

/* Of lines that stand below each other. */
struct columns {
	unsigned word, name;
};

/* Without columns it is the head of a block, which stands alone. */
static void print_line(struct out *out, const struct result_run *run, const struct columns *c,
		       struct arena scratch)
{
	enum verdict_word word = word_of(run);
	struct text fact = run->error; /* a block tells it below its head */
	unsigned wide = page_width(text_of(tellings[word].word));

	if (fact.len == 0)
		fact = !c ? headline(run, true, &scratch) : line_fact(run, &scratch);
	else if (!c)
		fact.len = 0;
	out_paint(out, tellings[word].paint, tellings[word].word);
	out_pad(out, c && c->word > wide ? c->word - wide + 2 : 2);
	page_cell(out, name_of(run, &scratch), c && fact.len ? c->name : 0);
	if (fact.len) {
		out_z(out, "  ");
		out_escaped(out, fact);
	}
	out_z(out, "\n");
}

static void print_observed(struct out *out, const struct result_run *run, struct report_style style)
{
	block_accelerated(out, run);
	block_ports(out, run);
	block_fullest(out, run);
	block_gateway(out, run);
	block_connects(out, run);
	block_whose(out, run, style.verbose);
	block_server(out, run);
	block_requests(out, run);
	block_latency(out, run);
}

static void print_judged(struct out *out, const struct result_run *run)
{
	block_prediction(out, run);
	block_broken(out, run);
	block_outlook(out, run);
	block_overflow(out, run);
	caveat_late(out, run);
	caveat_behind(out, run);
	caveat_slow(out, run);
	caveat_stopped(out, run);
	caveat_from_proc(out, run);
	caveat_torn(out, run);
	caveat_whole(out, run);
	block_expectations(out, run);
}

static void print_block(struct out *out, const struct result_run *run, struct report_style style,
			struct arena scratch)
{
	bool has_run = run->word != VERDICT_SKIP && run->word != VERDICT_ERROR && !run->error.len;

	print_line(out, run, NULL, scratch);
	if (run->error.len && !style.told)
		page_paragraph(out, " ", PAINT_NONE, 2, run->error);
	if (run->hint.len && !style.told)
		page_paragraph(out, "  hint:", PAINT_NONE, 8, run->hint);
	if (run->title.len && !run->error.len)
		page_paragraph(out, " ", PAINT_NONE, 2, run->title);
	if (has_run || run_count(run, MEASURE_CONNECTS_ATTEMPTED))
		print_observed(out, run, style);
	if (has_run)
		print_judged(out, run);
	if (style.verbose) {
		block_explained(out, run);
		block_foretold(out, run);
		block_destinations(out, run);
		block_latency_by_fill(out, run);
		block_details(out, run);
	}
	block_causes(out, run);
}

/* A line is enough for a pass among others. */
static bool is_block(const struct result *r, const struct result_run *run,
		     struct report_style style)
{
	bool tells = word_of(run) != VERDICT_PASS || run_count(run, MEASURE_PREDICTIONS_BROKEN);

	return !style.quiet && (style.verbose || r->run_count == 1 || tells);
}

/* "8 runs: 7 passed (2 expected nothing), 1 failed" */
static void print_totals(struct out *out, const struct result *r)
{
	size_t counts[VERDICTS] = {0}, unjudged = 0;
	const char *lead = ": ";

	for (size_t i = 0; i < r->run_count; i++) {
		counts[word_of(&r->runs[i])]++;
		unjudged += expects_nothing(&r->runs[i]);
	}
	out_fmt(out, "%zu runs", r->run_count);
	for (size_t i = 0; i < VERDICTS; i++) {
		if (counts[i] == 0)
			continue;
		out_fmt(out, "%s%zu %s", lead, counts[i], tellings[i].counted);
		if (i == VERDICT_PASS && unjudged)
			out_fmt(out, " (%zu expected nothing)", unjudged);
		lead = ", ";
	}
	out_z(out, "\n");
}

static struct columns columns_of(const struct result *r, struct report_style style,
				 struct arena scratch)
{
	struct columns c = {0, 0};

	for (size_t i = 0; i < r->run_count; i++) {
		const struct result_run *run = &r->runs[i];
		unsigned word = page_width(text_of(tellings[word_of(run)].word));
		unsigned name = page_width(name_of(run, &scratch));

		if (is_block(r, run, style))
			continue;
		if (word > c.word)
			c.word = word;
		if (name > c.name && name <= NAME_MOST)
			c.name = name;
	}
	return c;
}

void result_write_summary(struct out *out, const struct result *r, struct report_style style,
			  struct arena scratch)
{
	struct columns c = columns_of(r, style, scratch);
	enum verdict_word worst = result_word(r);
	bool was_block = false;

	if (r->error.len) { /* nothing was started, and this is why */
		out_paint(out, PAINT_BAD, tellings[r->word].word);
		out_z(out, "  ");
		out_escaped(out, r->error);
		out_z(out, "\n");
		return;
	}
	for (size_t i = 0; i < r->run_count; i++) {
		bool block = is_block(r, &r->runs[i], style);

		if (i > 0 && (block || was_block))
			out_z(out, "\n");
		if (block)
			print_block(out, &r->runs[i], style, scratch);
		else
			print_line(out, &r->runs[i], &c, scratch);
		was_block = block;
	}
	if (r->run_count != 1) {
		out_z(out, was_block ? "\n" : "");
		print_totals(out, r);
	}
	if (!r->complete && worst != VERDICT_INCOMPLETE && worst != VERDICT_ERROR)
		out_z(out, "INCOMPLETE: lastport did not come to its end; this is what there was "
			   "by then.\n");
	if (r->kept.len && !style.quiet) {
		out_z(out, "results: ");
		out_escaped(out, r->kept);
		out_z(out, "\n");
	}
}
