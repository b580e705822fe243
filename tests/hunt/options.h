/* options.h - what `make hunt` is asked for: HUNT='--seed 4049 --count 1'.
 *
 * Errors: false, and stderr has the reason.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct options {
	const char *program; /* lastport */
	const char *place;   /* a folder for the files; made where it is not there */
	uint64_t seed, count;
	unsigned jobs;
	bool turns; /* plans alone, their loads in one order and the other */
	bool keeps; /* the files of all cases, not of those alone that are told of */
};

bool options_read(struct options *out, int argc, char **argv);
