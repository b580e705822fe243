#include "place.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drive/far.h"
#include "sys/facts.h"
#include "sys/rights.h"

static struct host host;

_Noreturn void give_up(const struct err *err, const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, err->kind ? err->what : "failed");
	exit(1);
}

void place_begin(void)
{
	struct err err = {0};

	if (!host_read(&host, &err) || !lab_rights(&host, &err))
		give_up(&err, "this machine makes no network");
	rights_raise_nofile();
}

static bool place_make(struct place *p, const char *lines, uint32_t workers)
{
	struct plan_wish wish = {.host = &host, .seed = 1, .workers = workers};

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
	wish.scenario = &file->cases[0];
	if (plan_make_for(&p->plan, &wish, &p->arena, &p->err) &&
	    lab_build(&p->lab, &p->plan, &p->arena, &p->err))
		return true;
	arena_close(&p->arena);
	return false;
}

bool place_try(struct place *p, const char *lines)
{
	return place_make(p, lines, 1);
}

void place_open(struct place *p, const char *lines)
{
	place_open_by(p, lines, 0);
}

void place_open_by(struct place *p, const char *lines, uint32_t workers)
{
	if (!place_make(p, lines, workers))
		give_up(&p->err, lines);
}

void place_close(struct place *p)
{
	lab_close(&p->lab);
	arena_close(&p->arena);
}

struct endpoint place_server(const struct place *p)
{
	return endpoint_make(p->plan.family, plan_server(&p->plan, 0), plan_service(&p->plan, 0));
}

static struct drive_hooks hooks_of(struct place *p)
{
	return (struct drive_hooks){.interrupted = &p->interrupted,
				    .pulse = &p->pulse,
				    .samples_fd = -1,
				    .events_fd = -1};
}

void place_drive(struct place *p, struct tape *out, void (*look)(void *, struct worker *),
		 void *context)
{
	struct drive_hooks hooks = hooks_of(p);

	hooks.look = look;
	hooks.context = context;
	if (!drive_run(out, &p->plan, &p->lab, &hooks, &p->arena, &p->err))
		give_up(&p->err, "the load");
}

struct visitor {
	struct place *place;
	bool (*work)(struct place *, void *);
	void *context;
	bool ok;
};

static void *visit(void *context)
{
	struct visitor *v = context;

	v->ok = lab_enter(&v->place->lab, LAB_CLIENT, &v->place->err) &&
		v->work(v->place, v->context);
	return NULL;
}

void place_visit(struct place *p, bool (*work)(struct place *, void *), void *context)
{
	struct drive_hooks hooks = hooks_of(p);
	struct far_wish wish = {&p->plan, &p->lab, &hooks};
	struct visitor v = {p, work, context, false};
	struct far *far;
	pthread_t thread;

	if (!far_start(&far, &wish, &p->arena, &p->err) ||
	    pthread_create(&thread, NULL, visit, &v) != 0)
		give_up(&p->err, "the visitor");
	pthread_join(thread, NULL);
	if (!v.ok)
		give_up(&p->err, "the visitor");
	if (!far_stop(far, NULL, &p->err))
		give_up(&p->err, "the far end");
}
