#include "run_help.h"

#include <string.h>

#include "drive/worker.h"
#include "sys/clock.h"

static void on_edge(void *run)
{
	((struct run *)run)->edges++;
}

void plan_for(struct run *r, const char *lines, struct host host)
{
	static struct host kept;

	memset(r, 0, sizeof(*r));
	kept = host;
	r->arena = help_arena();
	if (!plan_make(&r->plan, help_scenario(lines, &r->arena), &kept, 1, &r->arena, &r->err))
		CU_FAIL_FATAL("no plan");
}

void run_plan(struct run *r)
{
	struct drive_hooks hooks = {&r->interrupted, &r->pulse, -1, -1, 0, NULL, NULL};
	struct worker_wish wish = {.plan = &r->plan,
				   .load = &r->plan.loads[0],
				   .hooks = &hooks,
				   .tape = &r->tape,
				   .edge = on_edge,
				   .context = r};
	struct worker *w;

	fake.interrupt = &r->interrupted;
	fake.broken = &r->pulse.broken;
	CU_ASSERT_FATAL(tape_open(&r->tape, 4096, 0, 0, &r->arena, &r->err));
	CU_ASSERT_FATAL(worker_open(&w, &wish, &r->arena, &r->err));
	r->ok = worker_run(w, clock_now(), &r->err);
	worker_close(w);
	CU_ASSERT_EQUAL(fake.rings_open, 0);
	CU_ASSERT(tally_balances(&r->tape.tally));
}

void run_lines(struct run *r, const char *lines)
{
	plan_for(r, lines, help_host());
	run_plan(r);
}

unsigned events_of(const struct tape *t, enum event_kind kind)
{
	unsigned n = 0;

	for (size_t i = 0; i < t->event_count; i++)
		n += t->events[i].kind == kind;
	return n;
}
