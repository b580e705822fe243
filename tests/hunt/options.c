#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "slot.h"

static const struct option longs[] = {{"seed", required_argument, NULL, 's'},
				      {"count", required_argument, NULL, 'c'},
				      {"jobs", required_argument, NULL, 'j'},
				      {"place", required_argument, NULL, 'p'},
				      {"turn", no_argument, NULL, 't'},
				      {"keep", no_argument, NULL, 'k'},
				      {NULL, 0, NULL, 0}};

static bool number_read(uint64_t *out, const char *word, uint64_t least, uint64_t most)
{
	char *end;

	*out = strtoull(word, &end, 10);
	if (strspn(word, "0123456789") == strlen(word) && *word && *out >= least && *out <= most)
		return true;
	fprintf(stderr, "hunt: %s is no number from %llu to %llu\n", word,
		(unsigned long long)least, (unsigned long long)most);
	return false;
}

static bool option_read(struct options *o, int c)
{
	uint64_t jobs;

	switch (c) {
	case 's':
		return number_read(&o->seed, optarg, 0, UINT32_MAX);
	case 'c':
		return number_read(&o->count, optarg, 1, UINT32_MAX);
	case 'j':
		if (!number_read(&jobs, optarg, 1, SLOTS_MOST))
			return false;
		o->jobs = (unsigned)jobs;
		return true;
	case 'p':
		o->place = optarg;
		return true;
	case 't':
		return o->turns = true;
	case 'k':
		return o->keeps = true;
	default:
		return false;
	}
}

bool options_read(struct options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		if (!option_read(o, c))
			return false;
	if (optind == argc - 1) {
		o->program = argv[optind];
		return true;
	}
	fprintf(stderr, "hunt: name the program, and nothing else\n");
	return false;
}
