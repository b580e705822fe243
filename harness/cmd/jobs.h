/* jobs.h - the cases of a command line, each a run of its own in a thread and a network of its
 * own.
 *
 * Ownership: a job has an arena, so that threads share none; jobs_close() frees them, and all
 *            results with them.
 * Errors:    what keeps a job from running is in its err and its result, and keeps no other
 *            from running.
 * Threads:   jobs_run() returns when all threads are done. While it runs it calls `tick` a few
 *            times a second.
 */
#pragma once

#include <pthread.h>

#include "drive/drive.h"
#include "report/result.h"
#include "scenario/scenario.h"

enum job_state { JOB_WAITING, JOB_RUNNING, JOB_DONE };

struct job {
	const struct scenario_file *file;
	const struct scenario *scenario;
	struct arena arena;
	struct plan plan;
	struct err err;
	struct pulse pulse;
	struct result_run result;
	_Atomic int state; /* enum job_state */
	int64_t begin_ns;  /* on sys/clock.h */
	struct jobs *jobs;
	unsigned index;
	pthread_t thread;
};

struct jobs {
	struct job *list;
	unsigned count;
	unsigned at_once;
	const struct host *host;
	int samples_fd, events_fd;
	const volatile sig_atomic_t *interrupted;
};

struct jobs_wish {
	const struct scenario_file *files;
	size_t count;
	const char *only;	      /* the case of this name of each; NULL: all cases */
	const struct plan_wish *plan; /* each job's, but for the scenario */
};

/* One job a case. Makes the plans: what this host cannot run is a skip, what cannot be is in
 * `errs`. */
bool jobs_open(struct jobs *out, const struct jobs_wish *wish, struct arena *, struct errs *errs);
void jobs_skip(struct jobs *jobs, const struct err *why); /* all that are not skipped yet */
void jobs_run(struct jobs *jobs, void (*tick)(void *context, const struct jobs *jobs),
	      void *context);
void jobs_close(struct jobs *jobs);
