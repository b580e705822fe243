/* run_help.h - a load carried against the kernel in memory (tests/fake/kernel.h), from its
 * scenario to its tape.
 *
 * Ownership: everything is in the run's arena, which the test closes.
 */
#pragma once

#include <signal.h>

#include "../fake/kernel.h"
#include "drive/drive.h"
#include "plan_help.h"
#include "runner.h"

/* One load from its scenario to its tape. */
struct run {
	struct arena arena;
	struct plan plan;
	struct tape tape;
	struct pulse pulse;
	struct err err;
	volatile sig_atomic_t interrupted;
	unsigned edges;
	bool ok;
};

void plan_for(struct run *r, const char *lines, struct host host);
void run_plan(struct run *r);			  /* what was planned; the books must balance */
void run_lines(struct run *r, const char *lines); /* both, on the usual host */

unsigned events_of(const struct tape *t, enum event_kind kind);
