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

static uint32_t open_each(const struct floor_wish *w, int *held)
{
	uint32_t n = 0;

	for (int fd; n < w->count && (fd = open_one(w)) >= 0; n++)
		if (w->end == FLOOR_HOLD)
			held[n] = fd;
		else
			close(fd);
	return n;
}

static uint32_t open_again(const struct floor_wish *w)
{
	const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	int fd = socket(w->to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint32_t n = 0;

	while (fd >= 0 && n < w->count && connect(fd, &w->to.any, w->to.len) == 0 &&
	       connect(fd, &nowhere, sizeof(nowhere)) == 0)
		n++;
	close(fd);
	return n;
}

int64_t floor_hold(const struct floor_wish *w)
{
	int64_t cpu = cpu_now();
	uint32_t n = 0;

	while (n < w->count && open_one(w) >= 0)
		n++;
	return n == w->count ? cpu_now() - cpu : -1;
}

bool floor_run(const struct floor_wish *w, struct floor_took *out)
{
	bool holds = w->end == FLOOR_HOLD;
	int *held = calloc(holds ? w->count : 1, sizeof(*held));
	int64_t begin = clock_now(), cpu = cpu_now();
	uint32_t n = !held ? 0 : w->end == FLOOR_DISCONNECT ? open_again(w) : open_each(w, held);

	out->time_ns = clock_now() - begin;
	out->cpu_ns = cpu_now() - cpu;
	for (uint32_t i = 0; holds && i < n; i++)
		close(held[i]);
	free(held);
	return n == w->count;
}
