#include "look_help.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int look_lend(const struct worker *w, uint32_t k)
{
	return ring_lend(w->rings[k / w->plan->ring_slots], k % w->plan->ring_slots);
}

static void take_first(void *context, struct worker *w)
{
	((struct look *)context)->fd = look_lend(w, 0);
}

void look_open(struct look *l, const char *lines)
{
	memset(l, 0, sizeof(*l));
	l->fd = -1;
	if (!help_open(&l->h, lines)) {
		printf("%s: %s\n", lines, l->h.err.what);
		CU_FAIL_FATAL("no lab");
	}
}

void look_drive(struct look *l)
{
	struct drive_hooks hooks = {&l->interrupted, &l->pulse, -1, -1, 0, take_first, l};

	l->ok = drive_run(&l->tape, &l->h.plan, &l->h.lab, &hooks, &l->h.arena, &l->h.err);
	if (!l->ok)
		printf("%s\n", l->h.err.what);
	CU_ASSERT(l->ok);
	CU_ASSERT(tally_balances(&l->tape.tally));
}

void look_close(struct look *l)
{
	if (l->fd >= 0)
		close(l->fd);
	help_close(&l->h);
}

int look_number(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, level, name, &value, &len) == 0 ? value : -errno;
}

const char *look_none(void)
{
	return help_no_network() ? help_no_network() : help_no_lending();
}
