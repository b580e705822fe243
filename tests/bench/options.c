#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figure.h"

static const struct option longs[] = {{"rounds", required_argument, NULL, 'r'},
				      {"json", required_argument, NULL, 'j'},
				      {"reference", required_argument, NULL, 'k'},
				      {"gate", no_argument, NULL, 'g'},
				      {"curves", required_argument, NULL, 'c'},
				      {"full", no_argument, NULL, 'f'},
				      {NULL, 0, NULL, 0}};

/* What is measured for minutes must have a place to go to. What is there stays as it is. */
static bool can_write(const char *file)
{
	FILE *f = fopen(file, "a");

	if (f && fclose(f) == 0)
		return true;
	fprintf(stderr, "bench: could not write %s: %s\n", file, strerror(errno));
	return false;
}

static bool places_are_there(const struct options *o)
{
	char data[512];

	if (o->curves) {
		snprintf(data, sizeof(data), "%s/curves.json", o->curves);
		return can_write(data);
	}
	return !o->json || can_write(o->json);
}

bool options_read(struct options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		switch (c) {
		case 'r':
			o->rounds = atoi(optarg);
			break;
		case 'j':
			o->json = optarg;
			break;
		case 'k':
			o->reference = optarg;
			break;
		case 'g':
			o->gate = true;
			break;
		case 'c':
			o->curves = optarg;
			break;
		case 'f':
			o->full = true;
			break;
		default:
			return false;
		}
	o->names = argv + optind;
	if (o->rounds >= 1 && o->rounds <= ROUNDS_MOST)
		return places_are_there(o);
	fprintf(stderr, "bench: --rounds is 1 to %d\n", ROUNDS_MOST);
	return false;
}
