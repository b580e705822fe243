#include "tell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define HEAD "%-14s %-8s %9s %9s %7s  %5s  %5s  %-5s  %5s  %9s\n"

/* Of the first processor; empty: /proc does not say. */
static void processor_read(char *out, size_t room)
{
	char line[512], *colon;
	FILE *f = fopen("/proc/cpuinfo", "re");

	out[0] = '\0';
	while (f && !out[0] && fgets(line, sizeof(line), f))
		if (strncmp(line, "model name", 10) == 0 && (colon = strchr(line, ':')))
			snprintf(out, room, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
	if (f)
		fclose(f);
}

json_t *tell_machine(int rounds)
{
	struct utsname u;
	double load[1] = {0};
	char processor[256];
	json_int_t memory = (json_int_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);

	uname(&u);
	getloadavg(load, 1);
	processor_read(processor, sizeof(processor));
	return json_pack("{s:s, s:s, s:s, s:i, s:I, s:f, s:i}", "kernel", u.release, "machine",
			 u.machine, "processor", processor, "cpus",
			 (int)sysconf(_SC_NPROCESSORS_ONLN), "memory_bytes", memory, "load",
			 load[0], "rounds", rounds);
}

static const char *word(const json_t *machine, const char *key)
{
	const char *is = json_string_value(json_object_get(machine, key));

	return is ? is : "?";
}

static double number(const json_t *machine, const char *key)
{
	return json_number_value(json_object_get(machine, key));
}

static void tell_where(const char *whose, const json_t *m)
{
	printf("%-10s Linux %s, %s, %.0f x %s, %.0f GiB, load %.2f, %.0f rounds\n", whose,
	       word(m, "kernel"), word(m, "machine"), number(m, "cpus"), word(m, "processor"),
	       number(m, "memory_bytes") / (1 << 30), number(m, "load"), number(m, "rounds"));
}

void tell_head(const json_t *machine, const json_t *reference)
{
	tell_where("here:", machine);
	if (reference)
		tell_where("reference:", json_object_get(reference, "machine"));
	printf("medians; a ratio above 1 is better; noise is the ratio of the base to itself\n\n");
	printf(HEAD, "bench", "figure", "base", "ours", "ratio", "least", "aim", "", "noise",
	       "reference");
}

/* A figure, or where there is none a dash. */
struct cell {
	char z[24];
};

static struct cell cell(bool is_there, int decimals, double value)
{
	struct cell c = {"-"};

	if (is_there)
		snprintf(c.z, sizeof(c.z), "%.*f", decimals, value);
	return c;
}

static void print_row(const struct contest *c, int i, const struct telling *t, struct cell kept,
		      enum standing standing)
{
	const struct figure *f = &figures[i];
	struct goal goal = c->goals[i];
	bool has_goal = goal.least > 0;

	printf("%-14s %-8s %9s %9s %7s  %5s  %5s  %-5s  %5s  %9s %s\n", c->name, f->name,
	       cell(!f->alone, 2, t->base).z, cell(true, 2, t->ours).z,
	       cell(!f->alone, 2, t->value).z, cell(has_goal, 2, goal.least).z,
	       cell(has_goal, 2, goal.aim).z,
	       goal_can_be_told(f, goal, t->spread) ? goal_mark(f, goal, t->value) : "noise",
	       cell(!f->alone && !(c->figures & SLOW), 2, t->noise).z, kept.z,
	       standing_mark(standing));
	fflush(stdout);
}

static void keep_row(struct teller *to, const struct contest *c, int i, const struct telling *t,
		     int rounds)
{
	const struct figure *f = &figures[i];

	json_array_append_new(to->figures,
			      json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:i}",
					"bench", c->name, "figure", f->name, "unit", f->unit,
					"base", t->base, "ours", t->ours, "value", t->value,
					"least", c->goals[i].least, "aim", c->goals[i].aim, "noise",
					t->noise, "spread", t->spread, "rounds", rounds));
}

static void tell_figure(struct teller *to, const struct contest *c, int i, const struct round *r,
			int n)
{
	const struct figure *f = &figures[i];
	struct telling t = telling_of(f, r, n);
	struct kept kept;
	bool was_kept = reference_find(to->reference, c->name, f, &kept);
	enum standing standing = was_kept ? standing_of(f, &t, &kept) : NOT_KEPT;

	print_row(c, i, &t, cell(was_kept, 2, was_kept ? kept.value : 0), standing);
	keep_row(to, c, i, &t, n);
	to->broken += standing == FELL || (goal_can_be_told(f, c->goals[i], t.spread) &&
					   !goal_holds(f, c->goals[i], t.value));
}

void tell_contest(struct teller *t, const struct contest *contest, const struct round *rounds,
		  int n)
{
	for (int i = 0; i < FIGURES; i++)
		if (contest->figures & 1U << i)
			tell_figure(t, contest, i, rounds, n);
}

void tell_missing(struct teller *t, const struct contest *contest)
{
	printf("%-14s not installed: make bench-setup\n", contest->name);
	json_array_append_new(t->figures, json_pack("{s:s, s:s}", "bench", contest->name, "missing",
						    "not installed"));
}
