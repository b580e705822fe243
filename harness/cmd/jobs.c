#include "cmd/jobs.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "cmd/library.h"
#include "cmd/signals.h"
#include "sys/clock.h"

/* Address space of a job, reserved and not used until asked for: 360,000 samples and a million
 * connections fit. */
#define JOB_ARENA ((size_t)1 << 30)

#define TICK_NS INT64_C(2000000)

static void result_name(struct job *j)
{
	struct result_run *r = &j->result;
	const struct scenario *s = j->scenario;

	r->scenario = s->top.name;
	r->case_name = s->case_name;
	r->title = s->top.title;
	r->file = text_of(s->file);
	r->sha256 = text_of(j->file->sha256);
	r->word = VERDICT_INCOMPLETE;
	r->error = text_of(RESULT_NOT_STARTED);
}

static void result_error(struct job *j)
{
	struct result_run *r = &j->result;

	r->word = j->err.kind == ERR_HOST ? VERDICT_SKIP : VERDICT_ERROR;
	r->verdict.word = r->word;
	r->complete = false;
	r->error = text_of(j->err.what);
	r->hint = text_of(j->err.hint);
}

static bool job_open(struct job *j, struct plan_wish wish, struct err *err)
{
	wish.scenario = j->scenario;
	if (!arena_open(&j->arena, JOB_ARENA))
		return err_sys(err, errno, "could not reserve memory for a run");
	result_name(j);
	if (plan_make_for(&j->plan, &wish, &j->arena, &j->err))
		return true;
	if (j->err.kind != ERR_HOST) {
		*err = j->err;
		return false;
	}
	result_error(j);
	j->state = JOB_DONE;
	return true;
}

static unsigned cases_of(const struct scenario_file *f, const char *only)
{
	return only ? 1 : (unsigned)f->count;
}

static bool jobs_add(struct jobs *jobs, const struct jobs_wish *wish,
		     const struct scenario_file *file, unsigned c, struct err *err)
{
	struct job *j = &jobs->list[jobs->count];

	j->file = file;
	j->scenario = wish->only ? library_case(file, wish->only, err) : &file->cases[c];
	j->index = jobs->count++;
	return j->scenario && job_open(j, *wish->plan, err);
}

bool jobs_open(struct jobs *out, const struct jobs_wish *wish, struct arena *arena,
	       struct errs *errs)
{
	unsigned n = 0;

	for (size_t f = 0; f < wish->count; f++)
		n += cases_of(&wish->files[f], wish->only);
	*out = (struct jobs){.host = wish->plan->host,
			     .list = ARENA_ARRAY(arena, struct job, n),
			     .samples_fd = -1,
			     .events_fd = -1};
	for (size_t f = 0; f < wish->count; f++) {
		for (unsigned c = 0; c < cases_of(&wish->files[f], wish->only); c++) {
			struct err err = {0}, *kept;

			if (!jobs_add(out, wish, &wish->files[f], c, &err) &&
			    (kept = errs_next(errs)) != NULL)
				*kept = err;
		}
	}
	return errs->count == 0;
}

void jobs_skip(struct jobs *jobs, const struct err *why)
{
	for (unsigned i = 0; i < jobs->count; i++) {
		struct job *j = &jobs->list[i];

		if (j->err.kind)
			continue;
		j->err = *why;
		result_error(j);
		j->state = JOB_DONE;
	}
}

static void result_settings(struct job *j, const struct lab *lab)
{
	static const enum setting_where where_of[] = {
		[LAB_CLIENT] = WHERE_CLIENT,
		[LAB_SERVER] = WHERE_SERVER,
		[LAB_GATEWAY] = WHERE_GATEWAY,
	};
	struct result_run *r = &j->result;

	r->settings = ARENA_ARRAY(&j->arena, struct result_setting, lab->setting_count);
	r->setting_count = lab->setting_count;
	for (size_t i = 0; i < lab->setting_count; i++) {
		const struct lab_setting *s = &lab->settings[i];

		r->settings[i] = (struct result_setting){s->name,  s->wanted,  s->before,
							 s->after, s->at.line, where_of[s->role]};
	}
}

static void *job_thread(void *context)
{
	struct job *j = context;
	struct drive_hooks hooks = {.interrupted = j->jobs->interrupted,
				    .pulse = &j->pulse,
				    .samples_fd = j->jobs->samples_fd,
				    .events_fd = j->jobs->events_fd,
				    .run = j->index};
	struct tape tape;
	struct lab lab;

	if (tape_open(&tape, 0, 0, 0, &j->arena, &j->err) &&
	    lab_build(&lab, &j->plan, &j->arena, &j->err)) {
		drive_run(&tape, &j->plan, &lab, &hooks, &j->arena, &j->err);
		result_settings(j, &lab);
		lab_close(&lab);
	}
	j->result.error = (struct text){0};
	result_of(&j->result, &j->plan, &tape, &j->arena);
	if (j->err.kind)
		result_error(j);
	j->state = JOB_DONE;
	return NULL;
}

static void job_start(struct jobs *jobs, struct job *j)
{
	sigset_t before;
	int e;

	j->jobs = jobs;
	j->begin_ns = clock_now();
	j->state = JOB_RUNNING;
	signals_block(&before);
	e = pthread_create(&j->thread, NULL, job_thread, j);
	signals_restore(&before);
	if (e) {
		err_sys(&j->err, e, "could not start a run's thread");
		result_error(j);
		j->state = JOB_DONE;
		j->thread = 0;
	}
}

void jobs_run(struct jobs *jobs, void (*tick)(void *context, const struct jobs *jobs),
	      void *context)
{
	unsigned running;

	do {
		running = 0;
		for (unsigned i = 0; i < jobs->count; i++)
			running += jobs->list[i].state == JOB_RUNNING;
		for (unsigned i = 0;
		     i < jobs->count && running < jobs->at_once && !*jobs->interrupted; i++) {
			if (jobs->list[i].state != JOB_WAITING)
				continue;
			job_start(jobs, &jobs->list[i]);
			running++;
		}
		if (running == 0)
			break;
		tick(context, jobs);
		clock_sleep(TICK_NS);
	} while (true);
	for (unsigned i = 0; i < jobs->count; i++)
		if (jobs->list[i].thread)
			pthread_join(jobs->list[i].thread, NULL);
}

void jobs_close(struct jobs *jobs)
{
	for (unsigned i = 0; i < jobs->count; i++)
		arena_close(&jobs->list[i].arena);
}
