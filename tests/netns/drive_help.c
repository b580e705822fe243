#include "drive_help.h"

#include <stdio.h>
#include <string.h>

#include "sys/clock.h"

void drive_open(struct drive *d, const char *lines)
{
	memset(d, 0, sizeof(*d));
	if (!help_open(&d->h, lines)) {
		printf("%s: %s\n", lines, d->h.err.what);
		CU_FAIL_FATAL("no lab");
	}
}

void drive_looked_at(struct drive *d, void (*look)(void *context, struct worker *worker),
		     void *context)
{
	struct drive_hooks hooks = {&d->interrupted, &d->pulse, -1, -1, 0, look, context};

	d->ok = drive_run(&d->tape, &d->h.plan, &d->h.lab, &hooks, &d->h.arena, &d->h.err);
	if (!d->ok)
		printf("%s\n", d->h.err.what);
	CU_ASSERT(tally_balances(&d->tape.tally));
	CU_ASSERT_EQUAL(d->tape.lost, 0);
}

void drive_plan(struct drive *d)
{
	drive_looked_at(d, NULL, NULL);
}

void drive_lines(struct drive *d, const char *lines)
{
	drive_open(d, lines);
	drive_plan(d);
}

static void *drive_thread(void *context)
{
	drive_plan(context);
	return NULL;
}

void drive_start(struct drive *d)
{
	CU_ASSERT_FATAL(pthread_create(&d->thread, NULL, drive_thread, d) == 0);
}

void drive_end(struct drive *d, int signal)
{
	if (signal)
		d->interrupted = signal;
	pthread_join(d->thread, NULL);
}

bool drive_await(const _Atomic uint64_t *figure, uint64_t least)
{
	for (int i = 0; i < 5000; i++) {
		if (atomic_load(figure) >= least)
			return true;
		clock_sleep(1000000);
	}
	return false;
}

const struct sample *last_dump(const struct tape *t)
{
	for (size_t i = t->sample_count; i-- > 0;)
		if (t->samples[i].parts & SAMPLE_SOCKETS)
			return &t->samples[i];
	CU_FAIL_FATAL("no dump");
	return NULL;
}

uint64_t counter_moved(const struct tape *t, const char *name)
{
	for (size_t i = 0; i < t->counter_count; i++)
		if (strcmp(t->counters[i].name, name) == 0)
			return t->counters[i].last - t->counters[i].first;
	CU_FAIL("no such counter");
	return 0;
}

unsigned events_of(const struct tape *t, enum event_kind kind)
{
	unsigned n = 0;

	for (size_t i = 0; i < t->event_count; i++)
		n += t->events[i].kind == kind;
	return n;
}

/* Sockets of a namespace in a state, whichever their port, that have so many bytes unread; by the
 * kernel's own table. */
struct count {
	unsigned state, unread, n;
	bool whatever; /* is unread */
};

static void count_sockets(struct help *h, void *context)
{
	struct count *c = context;
	FILE *table = fopen("/proc/thread-self/net/tcp", "re");
	unsigned state, unread;
	char line[512];

	(void)h;
	while (table && fgets(line, sizeof(line), table))
		if (sscanf(line, " %*u: %*x:%*x %*x:%*x %x %*x:%x", &state, &unread) == 2)
			c->n += state == c->state && (c->whatever || unread == c->unread);
	if (table)
		fclose(table);
}

unsigned sockets_in(struct drive *d, enum lab_role role, unsigned state)
{
	struct count c = {.state = state, .whatever = true};

	CU_ASSERT(help_inside(&d->h, role, count_sockets, &c));
	return c.n;
}

unsigned unread_in(struct drive *d, enum lab_role role, unsigned bytes)
{
	struct count c = {.state = STATE_ESTABLISHED, .unread = bytes};

	CU_ASSERT(help_inside(&d->h, role, count_sockets, &c));
	return c.n;
}
