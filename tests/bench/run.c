#include "run.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/histogram.h"
#include "drive/drive.h"
#include "drive/far.h"
#include "sys/clock.h"
#include "sys/facts.h"
#include "sys/plain.h"
#include "sys/rights.h"

enum { PACE_NS = 1000000 };

/* A network, and who is in it. */
struct place {
	struct arena arena;
	struct plan plan;
	struct lab lab;
	struct err err;
	struct pulse pulse;
	volatile sig_atomic_t interrupted;
};

static struct host host;

static _Noreturn void give_up(const struct err *err, const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, err->kind ? err->what : "failed");
	exit(1);
}

void run_begin(void)
{
	struct err err = {0};

	if (!host_read(&host, &err) || !lab_rights(&host, &err))
		give_up(&err, "this machine makes no network");
	rights_raise_nofile();
}

static void place_open(struct place *p, const char *lines)
{
	struct scenario_file *file;
	struct errs *errs;
	struct text source;

	memset(p, 0, sizeof(*p));
	if (!arena_open(&p->arena, 512 << 20))
		give_up(&p->err, "no memory");
	file = ARENA_NEW(&p->arena, struct scenario_file);
	errs = ARENA_NEW(&p->arena, struct errs);
	source = text_format(&p->arena, "version: 1\nname: bench\n%s", lines);
	if (!scenario_read(file, "bench.yaml", source, &p->arena, errs))
		give_up(&errs->list[0], lines);
	if (!plan_make(&p->plan, &file->cases[0], &host, 1, &p->arena, &p->err) ||
	    !lab_build(&p->lab, &p->plan, &p->arena, &p->err))
		give_up(&p->err, lines);
}

static void place_close(struct place *p)
{
	lab_close(&p->lab);
	arena_close(&p->arena);
}

static double cpu_of_thread(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* Called in the load's own thread when its load is over. */
static void look(void *context, struct worker *worker)
{
	(void)worker;
	*(double *)context = cpu_of_thread();
}

struct cost run_ours(const char *lines, uint32_t count)
{
	struct place p;
	struct tape tape, *timed;
	double cpu_us = 0;
	struct cost cost = {0};

	place_open(&p, lines);
	struct drive_hooks hooks = {&p.interrupted, &p.pulse, -1, -1, 0, look, &cpu_us};

	if (!drive_run(&tape, &p.plan, &p.lab, &hooks, &p.arena, &p.err))
		give_up(&p.err, lines);
	timed = tape.load_count ? &tape.loads[tape.load_count - 1] : &tape;
	if (timed->tally.opened != count) {
		err_set(&p.err, ERR_SYS, "%llu connections were opened, and not %u",
			(unsigned long long)timed->tally.opened, count);
		give_up(&p.err, lines);
	}
	cost.seconds = (double)(timed->end_ns - timed->begin_ns) / 1e9;
	cost.cpu_us = cpu_us / count;
	cost.rate = count / cost.seconds;
	if (tape.latency)
		cost.latency_us = (double)histogram_at(&tape.latency->all, 0.5) / 1e3;
	place_close(&p);
	return cost;
}

/* A thread in the client's place, with the far end that the scenario asks for. */
struct visitor {
	struct place *place;
	void (*work)(struct visitor *);
	struct floor_wish wish;
	struct cost cost;
	uint32_t count;
	bool ok;
};

static void *visit(void *context)
{
	struct visitor *v = context;

	v->ok = lab_enter(&v->place->lab, LAB_CLIENT, &v->place->err);
	if (v->ok)
		v->work(v);
	return NULL;
}

static struct cost visitor_run(struct visitor *v, const char *lines)
{
	struct place p;
	struct far *far;
	pthread_t thread;

	place_open(&p, lines);
	struct drive_hooks hooks = {&p.interrupted, &p.pulse, -1, -1, 0, NULL, NULL};
	struct far_wish wish = {&p.plan, &p.lab, &hooks};

	v->place = &p;
	v->wish.to =
		endpoint_make(p.plan.family, plan_server(&p.plan, 0), plan_service(&p.plan, 0));
	if (!far_start(&far, &wish, &p.arena, &p.err) ||
	    pthread_create(&thread, NULL, visit, v) != 0)
		give_up(&p.err, lines);
	pthread_join(thread, NULL);
	if (!v->ok)
		give_up(&p.err, "the floor");
	if (!far_stop(far, NULL, &p.err))
		give_up(&p.err, "the far end");
	place_close(&p);
	return v->cost;
}

static void work_floor(struct visitor *v)
{
	int64_t took_ns, cpu_ns;

	v->ok = floor_run(&v->wish, &took_ns, &cpu_ns);
	v->cost.seconds = (double)took_ns / 1e9;
	v->cost.cpu_us = (double)cpu_ns / 1e3 / v->wish.count;
	v->cost.rate = v->wish.count / v->cost.seconds;
}

struct cost run_floor(const char *lines, struct floor_wish wish)
{
	struct visitor v = {.work = work_floor, .wish = wish};

	return visitor_run(&v, lines);
}

/* What a program would measure that does nothing else, at the same pace: caches are cold after a
 * millisecond, and a tight loop of connects is no application. */
static void work_probe(struct visitor *v)
{
	const struct socket_wish wish = {.family = FAMILY_IPV4, .reset_on_close = true};
	struct histogram *h = calloc(1, sizeof(*h));
	enum stage stage;

	for (uint32_t i = 0; h && v->ok && i < v->count; i++) {
		int fd = socket_make(&wish, &stage);
		int64_t begin = clock_now();

		v->ok = fd >= 0 && socket_open(fd, NULL, &v->wish.to, &stage) == 0;
		histogram_add(h, (uint64_t)(clock_now() - begin));
		close(fd);
		clock_sleep(PACE_NS);
	}
	v->ok &= h != NULL;
	v->cost.latency_us = h ? (double)histogram_at(h, 0.5) / 1e3 : 0;
	free(h);
}

struct cost run_probe(const char *lines, uint32_t count)
{
	struct visitor v = {.work = work_probe, .count = count};

	return visitor_run(&v, lines);
}
