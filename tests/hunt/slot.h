/* slot.h - a case under way: its scenario on disk, and the program that has it.
 *
 * All that is of seed N is in the folder of that name: scenario.yaml, what `plan` and `run` wrote,
 * scenario-plan.json and scenario-run.json, stderr, and the results of the run.
 *
 * Ownership: slot_end() drops the folder, unless it is to be kept.
 * Errors:    exits with 2 and says why: a hunt that cannot write finds nothing.
 */
#pragma once

#include <limits.h>
#include <sys/types.h>

#include "invent.h"
#include "options.h"

enum { SLOTS_MOST = 16 };

struct slot {
	uint64_t seed;
	pid_t pid; /* 0: nothing runs */
	char folder[PATH_MAX / 2];
};

/* The path of one of its files, until the next call. */
const char *slot_file(const struct slot *, const char *name);

void slot_begin(struct slot *, const struct options *, uint64_t seed);
void slot_write(const struct slot *, const char *name, const struct sketch *);

/* Begins COMMAND of the scenario NAME.yaml, which writes NAME-COMMAND.json; no longer than a minute. */
void slot_start(struct slot *, const struct options *, const char *command, const char *name);
int slot_wait(struct slot *); /* its wait status */

void slot_end(struct slot *, bool keep);
