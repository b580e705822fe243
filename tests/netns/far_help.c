#include "far_help.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/counters.h"
#include "sys/endpoint.h"
#include "sys/sockets.h"

void far_stage_open(struct stage_of_far *f, const char *lines)
{
	struct drive_hooks hooks = {.pulse = &f->pulse, .samples_fd = -1, .events_fd = -1};
	struct far_wish wish = {&f->h.plan, &f->h.lab, &hooks};
	bool asks = f->asks;

	memset(f, 0, sizeof(*f));
	if (!help_open(&f->h, lines) || !tape_open(&f->tape, 16, 0, 0, &f->h.arena, &f->h.err))
		CU_FAIL_FATAL("no lab");
	f->h.plan.asks = asks;
	if (!far_start(&f->far, &wish, &f->h.arena, &f->h.err))
		CU_FAIL_FATAL("no far end");
}

void far_stage_close(struct stage_of_far *f)
{
	for (int i = 0; i < f->opened; i++)
		if (f->fds[i] >= 0)
			close(f->fds[i]);
	CU_ASSERT(far_stop(f->far, NULL, &f->h.err));
	help_close(&f->h);
}

/* ---- the client ---------------------------------------------------------- */

static void connect_one(struct help *h, void *context)
{
	struct stage_of_far *f = context;

	f->result = help_connection(h->plan.family, NULL, h->plan.servers.list[0],
				    h->plan.service_first);
}

int client(struct stage_of_far *f)
{
	CU_ASSERT(help_inside(&f->h, LAB_CLIENT, connect_one, f));
	if (f->result >= 0)
		f->fds[f->opened++] = f->result;
	return f->result;
}

void clients(struct stage_of_far *f, int n)
{
	for (int i = 0; i < n; i++)
		CU_ASSERT(client(f) >= 0);
}

/* A connect that is not waited for. */
static void connect_try(struct help *h, void *context)
{
	struct endpoint to =
		endpoint_make(h->plan.family, h->plan.servers.list[0], h->plan.service_first);
	struct stage_of_far *f = context;
	int fd = socket(family_domain(h->plan.family), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			0);

	if (fd >= 0 && connect(fd, &to.any, to.len) < 0 && errno != EINPROGRESS)
		CU_FAIL("a connect was refused");
	f->fds[f->opened++] = fd;
}

void clients_try(struct stage_of_far *f, int n)
{
	for (int i = 0; i < n; i++)
		CU_ASSERT(help_inside(&f->h, LAB_CLIENT, connect_try, f));
}

void clients_close(struct stage_of_far *f)
{
	for (int i = 0; i < f->opened; i++) {
		close(f->fds[i]);
		f->fds[i] = -1;
	}
}

void ask(int fd, struct wire_head head)
{
	unsigned char *request = calloc(1, head.send_bytes);

	CU_ASSERT_FATAL(request != NULL);
	wire_write(request, head);
	CU_ASSERT_EQUAL(send(fd, request, head.send_bytes, MSG_NOSIGNAL), head.send_bytes);
	free(request);
}

uint64_t take(int fd, uint64_t most)
{
	static char buffer[1 << 16];
	uint64_t got = 0;

	while (got < most) {
		uint64_t left = most - got;
		ssize_t n = recv(fd, buffer, left < sizeof(buffer) ? left : sizeof(buffer), 0);

		if (n <= 0)
			break;
		got += (uint64_t)n;
	}
	return got;
}

bool is_quiet(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* ---- what the kernel says ------------------------------------------------ */

struct looking {
	struct socket_filter filter;
	unsigned states[STATES];
};

static void count_state(void *context, const struct socket_seen *seen)
{
	((struct looking *)context)->states[seen->state]++;
}

static void look(struct help *h, void *context)
{
	struct dump dump;
	bool torn;

	(void)h;
	if (dump_open(&dump, &h->err))
		CU_ASSERT(dump_run(&dump, &((struct looking *)context)->filter, count_state,
				   context, &torn, &h->err));
	dump_close(&dump);
}

unsigned far_sockets(struct stage_of_far *f, enum lab_role role, int state)
{
	struct looking l = {.filter = {.ports = {40000, 40031}}};

	if (role == LAB_SERVER)
		l.filter.ports = (struct port_range){7000, 7255};
	CU_ASSERT(help_inside(&f->h, role, look, &l));
	return l.states[state];
}

bool come_to(struct stage_of_far *f, enum lab_role role, int state, unsigned n)
{
	unsigned now = 0;

	for (int i = 0; i < PATIENCE_MS; i++) {
		now = far_sockets(f, role, state);
		if (now == n)
			return true;
		clock_sleep(MILLISECOND);
	}
	printf("%s: %u in %s, not %u\n", role == LAB_CLIENT ? "client" : "server", now,
	       state_name(state), n);
	return false;
}

struct counting {
	const char *name;
	uint64_t value;
};

static void keep_counter(void *context, struct text name, uint64_t value)
{
	struct counting *c = context;

	if (text_is(name, c->name))
		c->value = value;
}

static void count(struct help *h, void *context)
{
	struct proc_door proc;

	if (proc_open(&proc, &h->err))
		proc_counters(&proc, keep_counter, context, &h->err);
	proc_close(&proc);
}

uint64_t counter(struct stage_of_far *f, enum lab_role role, const char *name)
{
	struct counting c = {name, UINT64_MAX};

	CU_ASSERT(help_inside(&f->h, role, count, &c));
	return c.value;
}

bool has_served(struct stage_of_far *f, uint64_t n)
{
	for (int i = 0; i < PATIENCE_MS && far_served(f->far) < n; i++)
		clock_sleep(MILLISECOND);
	return far_served(f->far) >= n;
}
