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
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "run.h"

enum { ROUNDS_MOST = 99 };

/* A wide range, so that it is never half full, on 127/8 without its reuse; nobody samples. */
#define WIDE \
	"network: {topology: loopback, ports: 2048-65535, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
#define ALONE "sample: {every: 1m, sockets: 1h}\nstop: {time: 5m, when: never}\n"
#define UNACCEPTED WIDE ALONE "server: {behaviour: never-accept}\n"
#define ACCEPTED WIDE ALONE "server: {behaviour: answer}\n"
#define DEFAULT_RANGE ALONE "network: {ports: 32768-60999, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"

/* 28,000 connections are open while the load that is timed opens and resets its own, for several
 * seconds: a dump may come as seldom as every two. */
#define AMONG_28000(every, sockets) \
	"network: {ports: 2048-65535}\nsample: {every: " every ", sockets: " sockets "}\n" \
	"stop: {time: 5m, when: never}\n" \
	"loads:\n" \
	"  held: {total: 28000, concurrency: 256, end: leak}\n" \
	"  timed: {start: 3s, total: 150000, concurrency: 64, end: reset}\n"

struct contestant {
	enum { FLOOR, OURS, PROBE } kind;
	const char *lines;
	uint32_t count;
	enum floor_end end;
};

/* What is told of a contest: of CPU and rate, or of one of them. */
enum { CPU = 1, RATE = 2, LATENCY = 4, SLOW = 8 /* the base is not run twice */ };

static const struct bench {
	const char *name;
	unsigned figures;
	struct contestant base, ours;
	double cpu_least, cpu_aim, rate_least, rate_aim;
} benches[] = {
	{"reset",
	 CPU | RATE,
	 {FLOOR, UNACCEPTED, 30000, FLOOR_RESET},
	 {OURS, UNACCEPTED "load: {concurrency: 64, total: 30000, end: reset}", 30000, NO_FLOOR},
	 1.10,
	 1.17,
	 1.08,
	 1.14},
	{"close",
	 CPU | RATE,
	 {FLOOR, ACCEPTED, 24000, FLOOR_CLOSE},
	 {OURS, ACCEPTED "load: {concurrency: 64, total: 24000}", 24000, NO_FLOOR},
	 1.10,
	 1.20,
	 1.02,
	 1.15},
	{"hold",
	 CPU | RATE,
	 {FLOOR, UNACCEPTED, 15000, FLOOR_HOLD},
	 {OURS, UNACCEPTED "load: {concurrency: 64, total: 15000, end: leak}", 15000, NO_FLOOR},
	 1.10,
	 1.15,
	 1.08,
	 1.14},
	{"disconnect",
	 CPU | RATE,
	 {FLOOR, UNACCEPTED, 30000, FLOOR_RESET},
	 {OURS, UNACCEPTED "load: {concurrency: 64, total: 30000, end: disconnect}", 30000,
	  NO_FLOOR},
	 1.40,
	 1.50,
	 1.40,
	 1.50},
	{"probe",
	 LATENCY,
	 {PROBE, UNACCEPTED, 1000, NO_FLOOR},
	 {OURS,
	  WIDE "sample: {every: 1m, sockets: 1h, latency: 1ms}\nstop: {time: 1m, when: never}\n"
	       "server: {behaviour: never-accept}\nload: {rate: 1/s, total: 2, end: reset}",
	  2, NO_FLOOR},
	 1 / 1.15,
	 1 / 1.05,
	 0,
	 0},
	{"sampling", /* at 10 Hz, and dumps as often as 2 % of a core allow: at most 2 % slower */
	 CPU | RATE,
	 {OURS, AMONG_28000("1m", "1h"), 150000, NO_FLOOR},
	 {OURS, AMONG_28000("100ms", "1s"), 150000, NO_FLOOR},
	 0.98,
	 1,
	 0.98,
	 1},
	{"fast-held",
	 RATE | SLOW,
	 {OURS,
	  DEFAULT_RANGE "server: {behaviour: never-accept}\n"
			"load: {concurrency: 64, total: 28232, end: leak}",
	  28232, NO_FLOOR},
	 {OURS,
	  DEFAULT_RANGE "server: {behaviour: never-accept}\n"
			"load: {concurrency: 64, total: 28232, end: leak, order: fast}",
	  28232, NO_FLOOR},
	 0,
	 0,
	 15,
	 25},
	{"fast-waiting",
	 RATE | SLOW,
	 {OURS, DEFAULT_RANGE "load: {concurrency: 64, total: 28232}", 28232, NO_FLOOR},
	 {OURS, DEFAULT_RANGE "load: {concurrency: 64, total: 28232, order: fast}", 28232,
	  NO_FLOOR},
	 0,
	 0,
	 20,
	 34},
};

enum { BENCHES = sizeof(benches) / sizeof(benches[0]) };

/* Of one round: the base, the base again, ours. */
struct round {
	struct cost base, again, ours;
};

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *values, int n)
{
	double sorted[ROUNDS_MOST];

	memcpy(sorted, values, sizeof(*values) * (size_t)n);
	qsort(sorted, (size_t)n, sizeof(*sorted), by_value);
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

static double cpu_of(const struct cost *c)
{
	return c->cpu_us;
}

static double rate_of(const struct cost *c)
{
	return c->rate;
}

static double latency_of(const struct cost *c)
{
	return c->latency_us;
}

/* What is compared, and which way is better. */
static const struct figure {
	const char *name, *unit;
	double (*of)(const struct cost *);
	unsigned bit;
	bool more_is_better;
} figures[] = {
	{"cpu", "us of CPU a connection", cpu_of, CPU, false},
	{"rate", "connections/s", rate_of, RATE, true},
	{"latency", "us, p50 of a connect by itself", latency_of, LATENCY, false},
};

enum { FIGURES = sizeof(figures) / sizeof(figures[0]) };

/* Above 1: b is better. */
static double ratio(const struct figure *f, const struct cost *a, const struct cost *b)
{
	return f->more_is_better ? f->of(b) / f->of(a) : f->of(a) / f->of(b);
}

/* The medians over the rounds of what one figure comes to. */
struct telling {
	double base, ours, ratio, noise;
};

static struct telling tell_of(const struct figure *f, const struct round *r, int n)
{
	double base[ROUNDS_MOST], ours[ROUNDS_MOST], ratios[ROUNDS_MOST], noise[ROUNDS_MOST];

	for (int i = 0; i < n; i++) {
		base[i] = f->of(&r[i].base);
		ours[i] = f->of(&r[i].ours);
		ratios[i] = ratio(f, &r[i].base, &r[i].ours);
		noise[i] = ratio(f, &r[i].base, &r[i].again);
	}
	return (struct telling){median(base, n), median(ours, n), median(ratios, n),
				median(noise, n)};
}

static struct cost contestant_run(const struct contestant *c)
{
	switch (c->kind) {
	case FLOOR:
		return run_floor(c->lines, (struct floor_wish){.end = c->end, .count = c->count});
	case PROBE:
		return run_probe(c->lines, c->count);
	case OURS:
		break;
	}
	return run_ours(c->lines, c->count);
}

/* Who is first changes from round to round: whatever warms up or tires does so for all. */
static void round_run(struct round *r, const struct bench *b, int turn)
{
	for (int i = 0; i < 3; i++)
		switch ((i + turn) % 3) {
		case 0:
			r->base = contestant_run(&b->base);
			break;
		case 1:
			r->ours = contestant_run(&b->ours);
			break;
		default:
			if (!(b->figures & SLOW))
				r->again = contestant_run(&b->base);
		}
	if (b->figures & SLOW)
		r->again = r->base;
}

static const char *mark(double value, double least, double aim)
{
	return value >= aim ? "aim" : value >= least ? "ok" : "below";
}

static void tell(const struct bench *b, const struct figure *f, const struct round *r, int n,
		 json_t *all)
{
	struct telling t = tell_of(f, r, n);
	bool is_rate = f->bit == RATE, is_slow = b->figures & SLOW;
	double least = is_rate ? b->rate_least : b->cpu_least,
	       aim = is_rate ? b->rate_aim : b->cpu_aim;

	printf("%-13s %-8s %10.2f %10.2f %7.2f  %5.2f  %5.2f  %-6s", b->name, f->name, t.base,
	       t.ours, t.ratio, least, aim, mark(t.ratio, least, aim));
	printf(is_slow ? "  -\n" : "  %.2f\n", t.noise);
	fflush(stdout);
	json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:f}",
					     "bench", b->name, "figure", f->name, "unit", f->unit,
					     "base", t.base, "ours", t.ours, "ratio", t.ratio,
					     "least", least, "aim", aim, "noise", t.noise));
}

static bool is_wanted(const struct bench *b, char **names)
{
	for (char **name = names; *name; name++)
		if (strcmp(*name, b->name) == 0)
			return true;
	return *names == NULL;
}

/* What the figures are of. */
static json_t *machine(int rounds)
{
	struct utsname u;
	double load[1] = {0};

	uname(&u);
	getloadavg(load, 1);
	return json_pack("{s:s, s:s, s:i, s:f, s:i}", "kernel", u.release, "machine", u.machine,
			 "cpus", (int)sysconf(_SC_NPROCESSORS_ONLN), "load", load[0], "rounds",
			 rounds);
}

static void bench_run(const struct bench *b, int rounds, json_t *all)
{
	struct round r[ROUNDS_MOST];

	for (int i = 0; i < rounds; i++)
		round_run(&r[i], b, i);
	for (int i = 0; i < FIGURES; i++)
		if (b->figures & figures[i].bit)
			tell(b, &figures[i], r, rounds, all);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {{"rounds", required_argument, NULL, 'r'},
					      {"json", required_argument, NULL, 'j'},
					      {NULL, 0, NULL, 0}};
	json_t *all = json_object(), *told = json_array();
	const char *json = NULL;
	int rounds = 5, c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'r')
			rounds = atoi(optarg);
		else if (c == 'j')
			json = optarg;
		else
			return 2;
	}
	if (rounds < 1 || rounds > ROUNDS_MOST) {
		fprintf(stderr, "bench: --rounds is 1 to %d\n", ROUNDS_MOST);
		return 2;
	}
	run_begin();
	json_object_set_new(all, "machine", machine(rounds));
	printf("%d rounds, medians; a ratio above 1 is better\n\n%-13s %-8s %10s %10s %7s  %5s  "
	       "%5s  %-6s  %s\n",
	       rounds, "bench", "figure", "base", "ours", "ratio", "least", "aim", "", "noise");
	for (size_t i = 0; i < BENCHES; i++)
		if (is_wanted(&benches[i], argv + optind))
			bench_run(&benches[i], rounds, told);
	json_object_set_new(all, "figures", told);
	if (json && json_dump_file(all, json, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) < 0) {
		fprintf(stderr, "bench: could not write %s\n", json);
		return 1;
	}
	json_decref(all);
	return 0;
}
