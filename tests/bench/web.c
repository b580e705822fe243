#include "web.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "sys/plain.h"

/* The load's connections wait here while a peer is faster than one thread. */
enum { BACKLOG = 4096, EVENTS_A_TURN = 256, REQUEST_MOST = 4096 };

struct web {
	const struct lab *lab;
	struct err *err;
	uint16_t port;
	enum web_manner manner;
	char answer[WEB_ANSWER_BYTES + 1];
	int listener, epoll, wake;
	bool ok;
	sem_t ready;
	pthread_t thread;
};

/* The same number of bytes in either manner, so that a load can ask for them. */
static void answer_write(struct web *web)
{
	const char *manner = web->manner == WEB_CLOSE ? "close" : "keep-alive";
	int n = snprintf(web->answer, sizeof(web->answer),
			 "HTTP/1.1 200 OK\r\nConnection: %s\r\nContent-Length: ", manner);
	int body = WEB_ANSWER_BYTES - n - 6;

	snprintf(web->answer + n, sizeof(web->answer) - (size_t)n, "%d\r\n\r\n%0*d", body, body, 0);
}

static bool watch(struct web *web, int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(web->epoll, EPOLL_CTL_ADD, fd, &e) == 0;
}

static bool web_open(struct web *web)
{
	if (!lab_enter(web->lab, LAB_SERVER, web->err))
		return false;
	web->epoll = epoll_create1(EPOLL_CLOEXEC);
	web->listener = socket_listen(FAMILY_IPV4, web->port, BACKLOG, false);
	if (web->epoll < 0 || web->listener < 0 || fcntl(web->listener, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(web->err, errno, "the web server could not listen");
	if (!watch(web, web->wake) || !watch(web, web->listener))
		return err_sys(web->err, errno, "the web server could not wait");
	return true;
}

/* False: what was to come has not come yet. */
static bool serve(const struct web *web, int fd)
{
	char request[REQUEST_MOST];
	ssize_t n = recv(fd, request, sizeof(request), MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return false;
	if (n > 0)
		send(fd, web->answer, WEB_ANSWER_BYTES, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n <= 0 || web->manner == WEB_CLOSE)
		close(fd);
	return n <= 0 || web->manner == WEB_CLOSE;
}

static void accept_all(struct web *web)
{
	int fd;

	while ((fd = accept4(web->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		if (!serve(web, fd) && !watch(web, fd))
			close(fd);
}

/* What has come when it is told to end is served still: those that have ended are closed so. */
static void web_serve(struct web *web)
{
	struct epoll_event events[EVENTS_A_TURN];
	bool ending = false;
	uint64_t told;
	int n;

	while ((n = epoll_wait(web->epoll, events, EVENTS_A_TURN, ending ? 0 : -1)) != 0)
		for (int i = 0; i < n; i++)
			if (events[i].data.fd == web->wake)
				ending = read(web->wake, &told, sizeof(told)) > 0;
			else if (events[i].data.fd == web->listener)
				accept_all(web);
			else
				serve(web, events[i].data.fd);
}

static void *web_thread(void *context)
{
	struct web *web = context;

	web->ok = web_open(web);
	sem_post(&web->ready);
	if (web->ok)
		web_serve(web);
	return NULL;
}

bool web_start(struct web **out, const struct lab *lab, uint16_t port, enum web_manner manner,
	       struct arena *arena, struct err *err)
{
	struct web *web = ARENA_NEW(arena, struct web);

	*web = (struct web){.lab = lab, .err = err, .port = port, .manner = manner};
	answer_write(web);
	web->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	sem_init(&web->ready, 0, 0);
	if (web->wake < 0 || pthread_create(&web->thread, NULL, web_thread, web) != 0)
		return err_sys(err, errno, "could not start the web server");
	while (sem_wait(&web->ready) < 0)
		;
	*out = web;
	return web->ok;
}

void web_stop(struct web *web)
{
	eventfd_write(web->wake, 1);
	pthread_join(web->thread, NULL);
	close(web->listener);
	close(web->epoll);
	close(web->wake);
	sem_destroy(&web->ready);
}
