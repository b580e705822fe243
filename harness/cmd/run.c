#include "cmd/command.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/errors.h"
#include "cmd/jobs.h"
#include "cmd/library.h"
#include "cmd/options.h"
#include "cmd/progress.h"
#include "cmd/signals.h"
#include "cmd/store.h"
#include "lab/lab.h"
#include "report/result.h"
#include "sys/facts.h"
#include "sys/rights.h"

struct run_options {
	bool json, quiet;
	unsigned verbose;
	const char *output, *only;
	uint64_t seed, jobs, workers, exit_on_skip;
	int color, progress;
};

static const struct opt opts[] = {
	OPT(struct run_options, json, 0, "json",
	    .help = "print result.json instead of the summary"),
	OPT(struct run_options, output, 'o', "output", .argument = "DIR",
	    .help = "directory for the results; without it results/runs/STAMP-NAME"),
	OPT(struct run_options, only, 0, "case", .argument = "NAME", .once = true,
	    .help = "run only this case (base: the file without its cases)"),
	OPT(struct run_options, jobs, 'j', "jobs", .argument = "N",
	    .help = "run N cases at once, each in a network of its own", .fallback = "1",
	    .lowest = 1, .highest = 64),
	OPT(struct run_options, seed, 0, "seed", .argument = "N",
	    .help = "seed of what is drawn at random: the same seed draws the same",
	    .fallback = SEED_FALLBACK),
	OPT(struct run_options, workers, 0, "workers", .argument = "N",
	    .help = "threads for each load, which share its destinations; 0: as many as make it "
		    "faster",
	    .fallback = "0", .highest = WORKERS_MOST),
	OPTS_SUMMARY(struct run_options),
	OPT(struct run_options, progress, 0, "progress", .argument = "WHEN",
	    .help = "show a progress line on stderr: auto, always, never", .fallback = "auto",
	    .choices = use_words),
	OPT(struct run_options, exit_on_skip, 0, "exit-on-skip", .argument = "N",
	    .help = "exit status when this machine cannot run it", .fallback = "3", .highest = 255),
	OPTS_END,
};

static struct scenario_file *load_files(struct command_call *call, struct errs *errs)
{
	struct scenario_file *files = ARENA_ARRAY(call->arena, struct scenario_file, call->count);

	for (size_t i = 0; i < call->count; i++)
		library_load(&files[i], call->arguments[i], call->arena, errs);
	return files;
}

static void result_open(struct result *r, const struct jobs *jobs, struct command_call *call)
{
	const struct run_options *o = call->options;

	*r = (struct result){
		.version = text_of(lastport_version()), .seed = o->seed, .host = jobs->host};
	r->argv.list = ARENA_ARRAY(call->arena, struct text, (size_t)call->argc);
	r->argv.count = (size_t)call->argc;
	for (int i = 0; i < call->argc; i++)
		r->argv.list[i] = text_of(call->argv[i]);
	r->runs = ARENA_ARRAY(call->arena, struct result_run, jobs->count);
	r->run_count = jobs->count;
}

/* The result as far as it is known: complete once every run has come to its end. */
static void result_gather(struct result *r, const struct jobs *jobs)
{
	r->complete = true;
	for (unsigned i = 0; i < jobs->count; i++) {
		r->runs[i] = jobs->list[i].result;
		r->complete &= r->runs[i].complete || r->runs[i].word == VERDICT_SKIP;
	}
	r->word = result_word(r);
}

/* What no case of this machine can have is said once. */
static bool is_told(const struct jobs *jobs, unsigned i)
{
	const struct err *e = &jobs->list[i].err;

	for (unsigned before = 0; before < i; before++)
		if (e->at.line == 0 && strcmp(e->what, jobs->list[before].err.what) == 0)
			return true;
	return false;
}

static int status_of(const struct jobs *jobs, const struct result *r, uint64_t on_skip)
{
	static const int of_word[] = {
		[VERDICT_PASS] = STATUS_OK,
		[VERDICT_FAIL] = STATUS_FAIL,
		[VERDICT_SKIP] = STATUS_HOST,
		[VERDICT_ERROR] = STATUS_TROUBLE,
		[VERDICT_INCOMPLETE] = STATUS_TROUBLE,
	};
	bool usage = false, trouble = false;

	for (unsigned i = 0; i < jobs->count; i++) {
		const struct err *e = &jobs->list[i].err;

		usage |= error_status(e) == STATUS_USAGE;
		trouble |=
			error_status(e) == STATUS_TROUBLE || r->runs[i].word == VERDICT_INCOMPLETE;
		if (e->kind && !is_told(jobs, i))
			error_print(e);
	}
	if (usage && !trouble)
		return STATUS_USAGE;
	return of_word[r->word] == STATUS_HOST ? (int)on_skip : of_word[r->word];
}

/* Do both go to one terminal, pipe or file? What stands there already need not be told again. */
static bool same_place(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

static void tell(struct command_call *call, const struct result *r)
{
	const struct run_options *o = call->options;

	if (o->json) {
		result_write_json(call->out, r);
		return;
	}
	call->out->colour = use_colour(o->color);
	result_write_summary(
		call->out, r,
		(struct report_style){.quiet = o->quiet,
				      .verbose = o->verbose > 0,
				      .told = same_place(STDOUT_FILENO, STDERR_FILENO)},
		*call->arena);
}

/* From an empty result on the disk to a whole one. False: the results are not where they should
 * be. */
static bool perform(struct command_call *call, struct jobs *jobs, struct result *r, struct err *err)
{
	const struct run_options *o = call->options;
	struct progress progress = progress_open(o->progress, o->quiet || o->json);
	struct store store;
	bool stored;

	if (!store_open(&store, o->output, jobs->list[0].scenario->top.name, call->arena, err))
		return false;
	result_open(r, jobs, call);
	result_gather(r, jobs);
	stored = store_result(&store, r, err);
	jobs->samples_fd = store.samples;
	jobs->events_fd = store.events;
	if (stored)
		jobs_run(jobs, progress_tick, &progress);
	progress_wipe(&progress);
	result_gather(r, jobs);
	stored = stored && store_result(&store, r, err);
	if (stored)
		r->kept = text_of(store.path);
	store_close(&store);
	return stored;
}

/* Nothing was started. --json is one document all the same, with the first of the errors. */
static int tell_refusal(struct command_call *call, const struct err *first, int status)
{
	const struct run_options *o = call->options;
	struct jobs none = {0};
	struct result r;

	if (!o->json || !first->kind)
		return status;
	result_open(&r, &none, call);
	r.word = VERDICT_ERROR;
	r.error = text_of(first->what);
	r.hint = text_of(first->hint);
	result_write_json(call->out, &r);
	return status;
}

/* What was measured is told even if it could not be kept; err then says why. */
static int run_jobs(struct command_call *call, struct jobs *jobs, struct err *err)
{
	const struct run_options *o = call->options;
	struct result result = {0};
	struct err why = {0};
	bool stored;
	int status;

	jobs->interrupted = signals_watch();
	jobs->at_once = (unsigned)o->jobs;
	if (!lab_rights(jobs->host, &why))
		jobs_skip(jobs, &why);
	stored = perform(call, jobs, &result, err);
	if (!stored && result.run_count == 0)
		return tell_refusal(call, err, 0);
	status = status_of(jobs, &result, o->exit_on_skip);
	tell(call, &result);
	if (stored && *jobs->interrupted &&
	    !result.complete) { /* one that came too late changed nothing */
		out_flush(call->out);
		signals_raise(*jobs->interrupted);
	}
	return status;
}

static int run(struct command_call *call, struct err *err)
{
	const struct run_options *o = call->options;
	struct host *host = ARENA_NEW(call->arena, struct host);
	struct plan_wish plan = {.host = host, .seed = o->seed, .workers = (uint32_t)o->workers};
	struct jobs_wish wish = {.count = call->count, .only = o->only, .plan = &plan};
	struct errs errs = {0};
	struct jobs jobs;
	int status;

	wish.files = load_files(call, &errs);
	if (errs.count)
		return tell_refusal(call, &errs.list[0], errors_print(&errs));
	if (!host_read(host, err))
		return tell_refusal(call, err, 0);
	rights_raise_nofile();
	if (jobs_open(&jobs, &wish, call->arena, &errs))
		status = run_jobs(call, &jobs, err);
	else
		status = tell_refusal(call, &errs.list[0], errors_print(&errs));
	jobs_close(&jobs);
	return status;
}

const struct command command_run = {
	.name = "run",
	.arguments = "FILE|NAME…",
	.summary = "run scenarios, say what happened and why, keep the results",
	.least = 1,
	.most = ARGUMENTS_ANY,
	.opts = opts,
	.options_bytes = sizeof(struct run_options),
	.run = run,
};
