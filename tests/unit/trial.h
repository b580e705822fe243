/* trial.h - a run that never was: a plan and a tape for the tests of judge/ and report/,
 * written down by hand.
 *
 * Ownership: everything is in the trial's arena, which trial_close() ends.
 */
#pragma once

#include "judge/judge.h"
#include "plan_help.h"
#include "report/result.h"

struct trial {
	struct arena arena;
	struct host host;
	struct plan plan;
	struct tape tape;
	struct measures measures;
	struct verdict verdict;
};

/* The plan of a scenario of these lines, and an empty tape that is complete after a second. */
void trial_open(struct trial *t, const char *lines);
void trial_close(struct trial *t);

/* Opened, and out of ports after 32 connections, which all were closed and are in TIME_WAIT. */
void trial_churned(struct trial *t, const char *lines);
void trial_run_out(struct trial *t); /* opened: 32 ports, all of them in TIME_WAIT in the end */

/* A dump that saw `used` ports in use, and nothing else yet. */
struct sample *trial_dump(struct trial *t, uint64_t used);

/* A dump that tells of destinations: dump.usage_count of them. */
void trial_usages(struct trial *t, struct sample dump, const struct usage *usages);

/* So many connections were opened and then one was refused for want of a port, at 160 ms. */
void trial_exhaust(struct trial *t, uint64_t opened);

/* So many failures of one kind; the books take them in. */
void trial_fail(struct trial *t, enum stage stage, int error, uint64_t n);

void trial_judge(struct trial *t); /* measures and verdict of what is there */

/* The cause among those found; NULL if it is not. */
const struct finding *trial_cause(const struct trial *t, enum cause cause);

bool text_has(struct text t, const char *part);
bool row_says(size_t row, struct text t, const char *part); /* if not, it is printed */
bool lines_have(const struct line_list *lines, const char *part);

/* The trial, judged, as the only run of a result. All texts from outside are `words`. */
struct result *trial_result(struct trial *t, struct text words);

/* What is written of a result. */
struct text trial_json(const struct result *r, struct arena *a);
struct text trial_summary(const struct result *r, struct report_style style, bool colour,
			  struct arena *a);
