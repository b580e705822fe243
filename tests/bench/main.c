/* make bench: what the driver makes of one core, against the simplest program that does the same.
 *
 * Contestants take turns within a round, each in a network of its own, and are compared within
 * it; what is told is the median of the rounds' ratios, turned so that above 1 is better. The base
 * runs twice a round: the ratio of the two is what a ratio of nothing looks like here. CPU is the
 * steadier figure.
 *
 *     bench [--rounds N] [--json FILE] [NAME...]
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "tell.h"

struct options {
	int rounds;
	const char *json;
	char **names; /* of contests; none: all */
};

static bool options_read(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {{"rounds", required_argument, NULL, 'r'},
					      {"json", required_argument, NULL, 'j'},
					      {NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'r')
			o->rounds = atoi(optarg);
		else if (c == 'j')
			o->json = optarg;
		else
			return false;
	}
	o->names = argv + optind;
	if (o->rounds >= 1 && o->rounds <= ROUNDS_MOST)
		return true;
	fprintf(stderr, "bench: --rounds is 1 to %d\n", ROUNDS_MOST);
	return false;
}

static bool is_wanted(const char *contest, char **names)
{
	for (char **name = names; *name; name++)
		if (strcmp(*name, contest) == 0)
			return true;
	return *names == NULL;
}

static void contests_run(const struct options *o, json_t *told)
{
	struct round rounds[ROUNDS_MOST];

	for (int i = 0; i < contest_count; i++) {
		if (!is_wanted(contests[i].name, o->names))
			continue;
		for (int n = 0; n < o->rounds; n++)
			contest_round(&contests[i], &rounds[n], n);
		tell_contest(&contests[i], rounds, o->rounds, told);
	}
}

int main(int argc, char **argv)
{
	struct options o = {.rounds = 5};
	json_t *all = json_object(), *told = json_array();
	bool ok = true;

	if (!options_read(&o, argc, argv))
		return 2;
	run_begin();
	json_object_set_new(all, "machine", tell_machine(o.rounds));
	tell_head(o.rounds);
	contests_run(&o, told);
	json_object_set_new(all, "figures", told);
	if (o.json)
		ok = json_dump_file(all, o.json, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) == 0;
	if (!ok)
		fprintf(stderr, "bench: could not write %s\n", o.json);
	json_decref(all);
	return !ok;
}
