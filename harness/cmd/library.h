/* library.h - from a word of the command line to a scenario: a file, "-" for stdin, or a name
 * of the library.
 *
 * Input:  a word without slash and without .yaml or .yml is a name. The library is the first of
 *         these directories that there is: $LASTPORT_SCENARIOS, scenarios/ beside the build
 *         folder of this executable, share/lastport/scenarios beside its bin/, the installed one.
 *         A name is written in full: a part of one is an error that says which was meant.
 * Errors: ERR_USAGE for what cannot be found or read, ERR_SCENARIO for what is wrong in it.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "scenario/scenario.h"

/* Finds, reads and checks; all in one. */
bool library_load(struct scenario_file *out, const char *word, struct arena *a, struct errs *errs);

/* The case of a file by its name; NULL and an err with "did you mean" where there is none. */
const struct scenario *library_case(const struct scenario_file *file, const char *name,
				    struct err *err);

struct library_list {
	struct text *names; /* sorted, without .yaml */
	size_t count;
	const char *directory;
};

struct library_list library_names(struct arena *a);
