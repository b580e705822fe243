#include "floor.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/plain.h"

static int64_t cpu_now(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * INT64_C(1000000000) +
	       (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * INT64_C(1000);
}

/* -1: refused. */
static int open_one(const struct floor_wish *w)
{
	const struct linger now = {.l_onoff = 1};
	int fd = socket(w->to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if ((w->end == FLOOR_RESET &&
	     setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) < 0) ||
	    (w->window &&
	     setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &w->window, sizeof(w->window)) < 0) ||
	    connect(fd, &w->to.any, w->to.len) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

bool floor_run(const struct floor_wish *w, int64_t *opened_ns, int64_t *cpu_ns)
{
	int *held = calloc(w->end == FLOOR_HOLD ? w->count : 1, sizeof(*held));
	int64_t begin = clock_now(), cpu = cpu_now();
	uint32_t n = 0;

	while (held && n < w->count) {
		int fd = open_one(w);

		if (fd < 0)
			break;
		if (w->end == FLOOR_HOLD)
			held[n] = fd;
		else
			close(fd);
		n++;
	}
	*opened_ns = clock_now() - begin;
	*cpu_ns = cpu_now() - cpu;
	for (uint32_t i = 0; held && w->end == FLOOR_HOLD && i < n; i++)
		close(held[i]);
	free(held);
	return n == w->count;
}
