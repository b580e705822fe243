/* progress.h - one line on a terminal that tells how far the runs are; nothing anywhere else.
 *
 * Output: stderr, at most four times a second, wiped before anything else is printed.
 */
#pragma once

#include "cmd/command.h"
#include "cmd/jobs.h"

struct progress {
	bool on;
	bool shown;
	int64_t next_ns;
};

struct progress progress_open(int use, bool quiet); /* use: --progress; see cmd/options.h */
void progress_tick(void *progress, const struct jobs *jobs);
void progress_wipe(struct progress *p);
