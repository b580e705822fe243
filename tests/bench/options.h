/* options.h - what `make bench` is asked for: BENCH='--rounds 9 reset'.
 *
 * Errors: false, and stderr has the reason.
 */
#pragma once

#include <stdbool.h>

struct options {
	int rounds;
	const char *json, *reference;
	bool gate;
	const char *curves; /* where they go; NULL: contests are run */
	bool full;
	char **names; /* of contests; none: all */
};

bool options_read(struct options *out, int argc, char **argv);
