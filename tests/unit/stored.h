/* stored.h - a run that was: a tape of tests/data/tapes/, and all that judge/ looks at made of it anew.
 *
 * Ownership: everything is in its arena, which stored_close() ends.
 */
#pragma once

#include "report/result.h"

struct stored {
	struct arena arena;
	struct scenario_file file;
	struct result result;
	struct plan plan;
	struct tape tape;
	struct measures measures;
	struct verdict verdict;
};

/* `name` without directory and ending. What cannot be read fails the test. */
void stored_open(struct stored *s, const char *name);
void stored_close(struct stored *s);
