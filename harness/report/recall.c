#include "report/result.h"

#include <string.h>

#include "base/unit.h"

enum { TOLD_MOST = 256 };

/* All that a file can be of which nobody has written the end. */
#define ENDLESS "killed, still running, or without room on its disk"
#define SILENT "not started, or without room on its disk for a word of it"

static void add_count(struct out *to, uint64_t n, const char *words)
{
	char text[UNIT_PRINTED];

	out_fmt(to, "%s %s", unit_count_pretty(text, n), words);
}

static void add_time(struct out *to, const char *words, int64_t ns)
{
	char text[UNIT_PRINTED];

	out_fmt(to, "%s %s", words, unit_time_pretty(text, ns > 0 ? ns : 0));
}

static const struct event *end_of(const struct tape *t)
{
	for (size_t i = t->event_count; i > 0; i--)
		if (t->events[i - 1].kind == EVENT_LOAD_END)
			return &t->events[i - 1];
	return NULL;
}

/* "the last sample, at 1.38 s: 139 opened, 120 open"; or the end, where the load came to it. */
static void add_last(struct out *to, const struct tape *t)
{
	const struct event *end = end_of(t);
	const struct sample *s = t->sample_count ? &t->samples[t->sample_count - 1] : NULL;

	if (end) {
		add_time(to, "its load had ended, at", end->t_ns);
		out_z(to, ": ");
		add_count(to, end->value > 0 ? (uint64_t)end->value : 0, "opened");
	} else if (s) {
		add_time(to, "the last sample, at", s->t_ns);
		out_z(to, ": ");
		add_count(to, s->opened, "opened, ");
		add_count(to, s->open, "open");
	} else {
		out_z(to, "there is no sample of it");
	}
}

static void add_run(struct out *to, const struct tape *t)
{
	out_z(to, ENDLESS "; ");
	add_last(to, t);
	if (!t->exhausted || t->refused_at_ns < 0)
		return;
	out_z(to, "; exhausted after ");
	add_count(to, t->opened_before, t->opened_before == 1 ? "connection" : "connections");
	add_time(to, ", at", t->refused_at_ns);
}

static bool is_silent(const struct result_run *run)
{
	return run->word == VERDICT_INCOMPLETE && text_is(run->error, RESULT_NOT_STARTED);
}

/* As it was written at the start, when nothing was known but who cannot run. */
static bool is_first_writing(const struct result *r)
{
	for (size_t i = 0; i < r->run_count; i++)
		if (r->runs[i].word != VERDICT_SKIP && r->runs[i].word != VERDICT_ERROR &&
		    !is_silent(&r->runs[i]))
			return false;
	return !r->complete;
}

/* Where a line of the events is no record, the samples are told all the same. */
static bool load(struct tape *t, struct text samples, struct text events, unsigned index,
		 struct arena *scratch, struct err *err)
{
	struct err none = {0};

	if (tape_load(t, samples, events, index, scratch, err))
		return true;
	return err->at.line && strcmp(err->at.file, "events.jsonl") == 0 &&
	       tape_load(t, samples, (struct text){0}, index, scratch, &none) &&
	       t->sample_count > 0;
}

/* The tape is scratch, and so is what is said of it until it is kept. */
static bool recall(struct result_run *run, unsigned index, struct text samples, struct text events,
		   struct arena *a)
{
	struct arena scratch = *a;
	char told[TOLD_MOST];
	struct out to = out_memory(told, sizeof(told));
	struct err err = {0};
	struct tape t;
	bool is_told;

	is_told = load(&t, samples, events, index, &scratch, &err);
	if (!is_told)
		out_z(&to, ENDLESS "; what it did cannot be told");
	else if (t.sample_count || t.event_count)
		add_run(&to, &t);
	else
		out_z(&to, SILENT);
	run->error = text_keep(a, out_written(&to));
	if (err.kind)
		run->hint = err.at.line ? text_format(a, "Look at line %u of %s: it is no record.",
						      err.at.line, err.at.file)
					: text_keep(a, text_of(err.what));
	return is_told;
}

void result_recall(struct result *r, struct text samples, struct text events, struct arena *a)
{
	if (!is_first_writing(r))
		return;
	for (size_t i = 0; i < r->run_count; i++)
		if (is_silent(&r->runs[i]) && !recall(&r->runs[i], (unsigned)i, samples, events, a))
			break; /* the others have the same lines */
}
