#include "run.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/histogram.h"
#include "place.h"
#include "sys/clock.h"
#include "sys/plain.h"

enum { PACE_NS = 1000000 };

/* Microseconds. */
struct spent {
	double user, system;
	bool shared; /* several threads add to it */
	/* The first and the last of the loads' ends, and the sampler's processor time by then. */
	int64_t first_ns, first_sampler_ns, last_ns, last_sampler_ns;
	const struct pulse *pulse;
};

static struct spent spent_by(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return (struct spent){(double)u.ru_utime.tv_sec * 1e6 + (double)u.ru_utime.tv_usec,
			      (double)u.ru_stime.tv_sec * 1e6 + (double)u.ru_stime.tv_usec,
			      .shared = false};
}

/* ---- ours ---------------------------------------------------------------- */

/* Called in the thread of each of the load's workers when its load is over. Of several loads the
 * last is told of; of several workers all. */
static void look(void *context, struct worker *worker)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct spent one = spent_by(RUSAGE_THREAD), *all = context;

	(void)worker;
	pthread_mutex_lock(&lock);
	all->user = all->shared ? all->user + one.user : one.user;
	all->system = all->shared ? all->system + one.system : one.system;
	all->last_ns = clock_now();
	all->last_sampler_ns = all->pulse->spent_ns;
	if (all->first_ns == 0) {
		all->first_ns = all->last_ns;
		all->first_sampler_ns = all->last_sampler_ns;
	}
	pthread_mutex_unlock(&lock);
}

static struct spent drive(struct place *p, struct tape *tape, bool whole)
{
	struct spent before = spent_by(RUSAGE_SELF), after,
		     spent = {.shared = p->plan.load_count == 1, .pulse = &p->pulse};

	place_drive(p, tape, look, &spent);
	after = spent_by(RUSAGE_SELF);
	return whole ? (struct spent){after.user - before.user, after.system - before.system,
				      .shared = true}
		     : spent;
}

/* While what the first load holds is looked at, until the last ends; 0: there is but one. */
static double sampler_percent(const struct spent *s)
{
	int64_t took_ns = s->last_ns - s->first_ns;

	return took_ns ? 100 * (double)(s->last_sampler_ns - s->first_sampler_ns) / (double)took_ns
		       : 0;
}

static void check_count(struct place *p, const struct tape *timed, const struct run_wish *wish)
{
	if (timed->tally.opened == wish->count)
		return;
	err_set(&p->err, ERR_SYS, "%llu connections were opened, and not %u",
		(unsigned long long)timed->tally.opened, wish->count);
	give_up(&p->err, wish->lines);
}

struct cost run_ours(const struct run_wish *wish)
{
	struct place p;
	struct tape tape, *timed;
	struct web *web = NULL;
	struct spent spent;
	struct cost cost = {0};

	place_open_by(&p, wish->lines, wish->workers);
	if (wish->web &&
	    !web_start(&web, &p.lab, plan_service(&p.plan, 0), wish->web, &p.arena, &p.err))
		give_up(&p.err, "the web server");
	spent = drive(&p, &tape, wish->whole);
	timed = tape.load_count ? &tape.loads[tape.load_count - 1] : &tape;
	check_count(&p, timed, wish);
	cost.seconds = (double)(timed->end_ns - timed->begin_ns) / 1e9;
	cost.cpu_us = (spent.user + spent.system) / wish->count;
	cost.user_percent = 100 * spent.user / (spent.user + spent.system);
	cost.rate = wish->count / cost.seconds;
	cost.core_percent = (spent.user + spent.system) / cost.seconds / 1e4;
	cost.sampler_percent = sampler_percent(&spent);
	if (tape.latency)
		cost.latency_us = (double)histogram_at(&tape.latency->all, 0.5) / 1e3;
	if (web)
		web_stop(web);
	place_close(&p);
	return cost;
}

/* ---- the floor, and a probe's -------------------------------------------- */

struct visit {
	struct floor_wish wish;
	uint32_t count;
	struct cost cost;
};

static bool visit_floor(struct place *p, void *context)
{
	struct visit *v = context;
	struct floor_took took;

	v->wish.to = place_server(p);
	if (!floor_run(&v->wish, &took))
		return err_set(&p->err, ERR_SYS, "the floor was refused a connection");
	v->cost.seconds = (double)took.time_ns / 1e9;
	v->cost.cpu_us = (double)took.cpu_ns / 1e3 / v->wish.count;
	v->cost.rate = v->wish.count / v->cost.seconds;
	return true;
}

/* What a program would measure that does nothing else, at the same pace: caches are cold after a
 * millisecond, and a tight loop of connects is no application. */
static bool visit_probe(struct place *p, void *context)
{
	const struct socket_wish wish = {.family = FAMILY_IPV4, .reset_on_close = true};
	struct endpoint to = place_server(p);
	struct visit *v = context;
	struct histogram *h = ARENA_NEW(&p->arena, struct histogram);
	enum stage stage;

	for (uint32_t i = 0; i < v->count; i++) {
		int fd = socket_make(&wish, &stage);
		int64_t begin = clock_now();

		if (fd < 0 || socket_open(fd, NULL, &to, &stage) != 0)
			return err_set(&p->err, ERR_SYS, "a probe was refused");
		histogram_add(h, (uint64_t)(clock_now() - begin));
		close(fd);
		clock_sleep(PACE_NS);
	}
	v->cost.latency_us = (double)histogram_at(h, 0.5) / 1e3;
	return true;
}

static struct cost visited(const char *lines, bool (*work)(struct place *, void *), struct visit v)
{
	struct place p;

	place_open(&p, lines);
	place_visit(&p, work, &v);
	place_close(&p);
	return v.cost;
}

struct cost run_floor(const char *lines, struct floor_wish wish)
{
	return visited(lines, visit_floor, (struct visit){.wish = wish});
}

struct cost run_probe(const char *lines, uint32_t count)
{
	return visited(lines, visit_probe, (struct visit){.count = count});
}

/* ---- memory -------------------------------------------------------------- */

/* Bytes: VmHWM of proc(5). */
static double memory_peak(void)
{
	char line[256];
	double kib = 0;
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, "VmHWM:", 6) == 0)
			kib = strtod(line + 6, NULL);
	if (f)
		fclose(f);
	return kib * 1024;
}

/* In a process of its own, whose peak is of this run alone. */
static double memory_of(const struct run_wish *wish)
{
	struct err err = {0};
	double peak = 0;
	int ends[2], status;
	pid_t child;

	if (pipe(ends) < 0 || (child = fork()) < 0)
		give_up(&err, "a process to measure the memory of");
	if (child == 0) {
		run_ours(wish);
		peak = memory_peak();
		_exit(write(ends[1], &peak, sizeof(peak)) != sizeof(peak));
	}
	close(ends[1]);
	if (read(ends[0], &peak, sizeof(peak)) != sizeof(peak) || waitpid(child, &status, 0) < 0)
		give_up(&err, "the memory of a process");
	close(ends[0]);
	return peak;
}

struct cost run_memory(const struct run_wish *few, const struct run_wish *many)
{
	double more = memory_of(many) - memory_of(few);

	return (struct cost){.held_bytes = more / (many->count - few->count)};
}
