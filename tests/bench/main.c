/* make bench: what the driver makes of one core, against the simplest program that does the same.
 *
 * Contestants take turns within a round, each in a network of its own, and are compared within
 * it; what is told is the median of the rounds' ratios, turned so that above 1 is better. The base
 * runs twice a round: the ratio of the two is what a ratio of nothing looks like here. CPU is the
 * steadier figure.
 *
 * Beside each figure stands what it was in a reference, by default the one that is kept, and
 * whether it fell since by more than the noise.
 *
 *     bench [--rounds N] [--json FILE] [--reference FILE] [--gate] [NAME...]
 *     bench --curves DIRECTORY [--full]
 *
 * Exit status: 0; with --gate 1 where a figure is below its least, or fell; 2 where it was asked
 * for what it does not know.
 */
#include <stdio.h>
#include <string.h>

#include "curves.h"
#include "options.h"
#include "place.h"
#include "starve.h"
#include "tell.h"

/* Where a reference is kept, seen from the checkout; and the word for starve.h. */
#define KEPT "results/reference/bench.json"
#define STARVE "out-of-ports"

static bool is_wanted(const char *what, char **names)
{
	for (char **name = names; *name; name++)
		if (strcmp(*name, what) == 0)
			return true;
	return *names == NULL;
}

/* One that takes much of a machine is told of by name alone. */
static bool is_told(const struct contest *contest, char **names)
{
	return is_wanted(contest->name, names) && (*names || !(contest->figures & NAMED));
}

static void contest_run(struct teller *to, const struct contest *contest, int rounds)
{
	struct round r[ROUNDS_MOST] = {0};

	for (int n = 0; n < rounds; n++)
		if (!contest_round(contest, &r[n], n)) {
			tell_missing(to, contest);
			return;
		}
	tell_contest(to, contest, r, rounds);
}

/* A name that nothing has would be a benchmark that finds nothing wrong. */
static bool names_are_known(char **names)
{
	for (char **name = names; *name; name++) {
		bool known = strcmp(*name, STARVE) == 0;

		for (int i = 0; i < contest_count; i++)
			known |= strcmp(*name, contests[i].name) == 0;
		if (!known) {
			fprintf(stderr, "bench: there is no contest \"%s\"\n", *name);
			return false;
		}
	}
	return true;
}

static bool save(const json_t *all, const char *file)
{
	if (!file || json_dump_file(all, file, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) == 0)
		return true;
	fprintf(stderr, "bench: could not write %s\n", file);
	return false;
}

/* Nobody needs one; one that is asked for must be there. */
static bool reference_open(struct teller *to, const char *file)
{
	char why[300];

	to->reference = reference_load(file ? file : KEPT, why, sizeof(why));
	if (to->reference || !file)
		return true;
	fprintf(stderr, "bench: %s\n", why);
	return false;
}

static int curves_only(const struct options *o)
{
	json_t *machine = tell_machine(1);
	bool ok = curves_run(o->curves, machine, o->full);

	json_decref(machine);
	return ok ? 0 : 2;
}

/* What there is is kept after each contest: some take minutes. */
static bool bench_run(struct teller *to, const struct options *o, json_t *all)
{
	json_t *machine = tell_machine(o->rounds), *said = json_array();
	bool kept = true;

	json_object_set_new(all, "machine", machine);
	json_object_set_new(all, "figures", to->figures);
	json_object_set_new(all, "out_of_ports", said);
	tell_head(machine, to->reference);
	for (int i = 0; i < contest_count && kept; i++)
		if (is_told(&contests[i], o->names)) {
			contest_run(to, &contests[i], o->rounds);
			kept = save(all, o->json);
		}
	if (is_wanted(STARVE, o->names))
		starve_all(said);
	return kept && save(all, o->json);
}

int main(int argc, char **argv)
{
	struct options o = {.rounds = 5};
	struct teller to = {.figures = json_array()};
	json_t *all = json_object();

	if (!options_read(&o, argc, argv) || !names_are_known(o.names) ||
	    !reference_open(&to, o.reference))
		return 2;
	place_begin();
	if (o.curves)
		return curves_only(&o);
	if (!bench_run(&to, &o, all))
		return 2;
	if (to.broken)
		printf("\nbelow their least, or fell: %d\n", to.broken);
	json_decref(all);
	json_decref(to.reference);
	return o.gate && to.broken;
}
