#include "curves.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "curve.h"
#include "place.h"

/* So long may a point take; in the kernel's order 64,512 ports take minutes. */
#define POINT_SECONDS "20"

/* To one server, of a range that has 64,512 ports. */
enum { TO_EACH = 60000, LOW = 1024, HIGH = 65535, ALL = HIGH - LOW + 1, LARGE = 500000 };

/* What grows along a curve: each makes of x how many ports, servers and connections. */
struct size {
	unsigned ports, servers, connections;
};

static struct size size_of_range(unsigned x)
{
	return (struct size){x, 1, x};
}

static struct size size_of_destinations(unsigned x)
{
	return (struct size){4096, x, 4096 * x};
}

static struct size size_of_held(unsigned x)
{
	return (struct size){ALL, (x + TO_EACH - 1) / TO_EACH, x};
}

static const struct growth {
	const char *name;
	struct size (*of)(unsigned x);
	unsigned x[POINTS_MOST]; /* 0: the end */
} growths[] = {
	{"range", size_of_range, {1024, 2048, 4096, 8192, 16384, 32768, ALL}},
	{"destinations", size_of_destinations, {1, 2, 4, 8, 16}},
	{"held", size_of_held, {10000, 30000, 100000, 300000, 1000000}},
};

static const struct {
	const char *word, *says;
} orders[] = {
	{"kernel", "kernel, as applications feel it"},
	{"fast", "fast, with IP_LOCAL_PORT_RANGE from 45 % on"},
};

enum { GROWTHS = sizeof(growths) / sizeof(growths[0]), ORDERS = 2 };

static double time_of(const struct curve_point *p)
{
	return p->time_ns;
}

static double cpu_of(const struct curve_point *p)
{
	return p->cpu_ns;
}

static double dump_of(const struct curve_point *p)
{
	return p->dump_ns;
}

static const struct {
	unsigned growth;
	int orders; /* of them the last */
	struct curve_picture picture;
} pictures[] = {
	{0,
	 2,
	 {"range-time", "How long it takes until a range is full", "ports of the range",
	  "time to exhaustion", time_of}},
	{0,
	 2,
	 {"range-cpu", "What a connect costs until a range is full", "ports of the range",
	  "CPU a connection", cpu_of}},
	{1,
	 2,
	 {"destinations-time", "How long it takes until all destinations are full",
	  "destinations of 4,096 ports each", "time to exhaustion", time_of}},
	{1,
	 2,
	 {"destinations-cpu", "What a connect costs until all destinations are full",
	  "destinations of 4,096 ports each", "CPU a connection", cpu_of}},
	{2,
	 2,
	 {"held-time", "How long it takes until so many connections are open",
	  "connections held, up to 60,000 to each destination", "time", time_of}},
	{2,
	 2,
	 {"held-cpu", "What a connect costs until so many connections are open",
	  "connections held, up to 60,000 to each destination", "CPU a connection", cpu_of}},
	{2,
	 1,
	 {"sampling", "What it costs to look at all sockets once", "connections held",
	  "time of a dump", dump_of}},
};

/* ---- a point ------------------------------------------------------------- */

static void look(void *context, struct worker *worker)
{
	struct rusage u;

	(void)worker;
	getrusage(RUSAGE_THREAD, &u);
	*(double *)context = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e9 +
			     (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e3;
}

static void point_run(struct curve_point *p, struct size size, const char *order)
{
	struct place place;
	struct tape tape;
	const struct sample *dump;
	double cpu_ns = 0;
	char lines[512];

	snprintf(lines, sizeof(lines),
		 "network: {ports: %d-%d, servers: %u}\nserver: {behaviour: never-accept}\n"
		 "load: {concurrency: 64, total: %u, end: leak, order: %s}\n"
		 "sample: {every: 1m, sockets: 1h}\nstop: {time: " POINT_SECONDS
		 "s, when: never}\n",
		 LOW, LOW + (int)size.ports - 1, size.servers, size.connections, order);
	if (!place_try(&place, lines)) {
		snprintf(p->skipped, sizeof(p->skipped), "%s", place.err.what);
		return;
	}
	assert(plan_workers(&place.plan) == 1); /* of several, look() would keep the last one's */
	place_drive(&place, &tape, look, &cpu_ns);
	p->connections = (double)tape.tally.opened;
	p->more_than = tape.tally.opened < size.connections;
	p->time_ns = (double)(tape.end_ns - tape.begin_ns);
	p->cpu_ns = cpu_ns / p->connections;
	dump = tape_last_dump(&tape);
	p->dump_ns = dump && !p->more_than ? (double)dump->dump_ns : 0;
	place_close(&place);
}

static void tell(const struct curve *c, const struct curve_point *p)
{
	printf("%-13s %-7s %9.0f", c->name, c->order, p->x);
	if (p->skipped[0])
		printf("  skipped: %s\n", p->skipped);
	else
		printf(" %9.0f  %s %8.3f s  %9.2f us  %8.2f ms\n", p->connections,
		       p->more_than ? ">" : " ", p->time_ns / 1e9, p->cpu_ns / 1e3,
		       p->dump_ns / 1e6);
	fflush(stdout);
}

static void curve_run(struct curve *c, const struct growth *g, int k, bool full)
{
	*c = (struct curve){.name = g->name, .order = orders[k].word, .says = orders[k].says};
	for (; c->count < POINTS_MOST && g->x[c->count]; c->count++) {
		struct curve_point *p = &c->points[c->count];

		p->x = g->x[c->count];
		if (g->of(g->x[c->count]).connections > LARGE && !full)
			snprintf(p->skipped, sizeof(p->skipped),
				 "it takes gigabytes, and minutes: ask for it with --full");
		else
			point_run(p, g->of(g->x[c->count]), c->order);
		tell(c, p);
	}
}

/* ---- what is kept -------------------------------------------------------- */

static bool failed(const char *file)
{
	fprintf(stderr, "bench: could not write %s: %s\n", file, strerror(errno));
	return false;
}

static bool picture_save(const char *directory, const struct curve_picture *picture,
			 const struct curve *curves, int count, const char *about)
{
	char file[512];

	snprintf(file, sizeof(file), "%s/curve-%s.svg", directory, picture->file);
	return curve_save(file, picture, curves, count, about) || failed(file);
}

static bool all_save(const char *directory, struct curve curves[GROWTHS][ORDERS], json_t *machine)
{
	json_t *all = json_object(), *list = json_array();
	char file[512], about[200];
	bool ok;

	for (size_t i = 0; i < (size_t)GROWTHS * ORDERS; i++)
		json_array_append_new(list, curve_json(&curves[i / ORDERS][i % ORDERS]));
	json_object_set(all, "machine", machine);
	json_object_set_new(all, "curves", list);
	snprintf(file, sizeof(file), "%s/curves.json", directory);
	ok = json_dump_file(all, file, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) == 0 ||
	     failed(file);
	json_decref(all);
	snprintf(about, sizeof(about),
		 "one thread, Linux %s; an arrow: more than that, and cut short at " POINT_SECONDS
		 " s",
		 json_string_value(json_object_get(machine, "kernel")));
	for (size_t i = 0; i < sizeof(pictures) / sizeof(pictures[0]); i++)
		ok &= picture_save(directory, &pictures[i].picture,
				   &curves[pictures[i].growth][ORDERS - pictures[i].orders],
				   pictures[i].orders, about);
	return ok;
}

bool curves_run(const char *directory, json_t *machine, bool full)
{
	static struct curve curves[GROWTHS][ORDERS];

	printf("%-13s %-7s %9s %9s  %10s  %12s  %11s\n", "curve", "order", "x", "opened", "time",
	       "CPU each", "a dump");
	for (int i = 0; i < GROWTHS; i++)
		for (int k = 0; k < ORDERS; k++)
			curve_run(&curves[i][k], &growths[i], k, full);
	return all_save(directory, curves, machine);
}
