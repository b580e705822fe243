#include "tell.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

json_t *tell_machine(int rounds)
{
	struct utsname u;
	double load[1] = {0};

	uname(&u);
	getloadavg(load, 1);
	return json_pack("{s:s, s:s, s:i, s:f, s:i}", "kernel", u.release, "machine", u.machine,
			 "cpus", (int)sysconf(_SC_NPROCESSORS_ONLN), "load", load[0], "rounds",
			 rounds);
}

void tell_head(int rounds)
{
	printf("%d rounds, medians; a ratio above 1 is better\n\n%-13s %-8s %10s %10s %7s  %5s  "
	       "%5s  %-6s  %s\n",
	       rounds, "bench", "figure", "base", "ours", "ratio", "least", "aim", "", "noise");
}

static void tell_figure(const struct contest *c, int f, const struct round *r, int n, json_t *all)
{
	struct telling t = telling_of(&figures[f], r, n);
	struct goal goal = c->goals[f];

	printf("%-13s %-8s %10.2f %10.2f %7.2f  %5.2f  %5.2f  %-6s", c->name, figures[f].name,
	       t.base, t.ours, t.ratio, goal.least, goal.aim, goal_mark(goal, t.ratio));
	printf(c->figures & SLOW ? "  -\n" : "  %.2f\n", t.noise);
	fflush(stdout);
	json_array_append_new(all,
			      json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:f}", "bench",
					c->name, "figure", figures[f].name, "unit", figures[f].unit,
					"base", t.base, "ours", t.ours, "ratio", t.ratio, "least",
					goal.least, "aim", goal.aim, "noise", t.noise));
}

void tell_contest(const struct contest *contest, const struct round *rounds, int n, json_t *all)
{
	for (int f = 0; f < FIGURES; f++)
		if (contest->figures & 1u << f)
			tell_figure(contest, f, rounds, n, all);
}
