/* The far end of UDP: a socket for each port, and an answer to each datagram, at once or when
 * server.delay is over. */
#include "drive/far_state.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "sys/datagram.h"

enum { DOORS_A_TURN = 16 };

/* A datagram whose answer waits. */
struct late_datagram {
	int fd;
	struct datagram asked;
};

struct post {
	int epoll; /* readable where a socket is; and so is it itself, to far_serve() */
	int *doors;
	struct late late;	     /* which of these are due, and when */
	struct late_datagram *asked; /* … */
	uint32_t *spare, spare_count;
	uint64_t dropped;
	struct datagram batch[DATAGRAMS_MOST];
	unsigned char rest[UINT16_MAX]; /* of an answer: zeroes */
};

/* A server that only reads nothing is there all the same: its socket is what says so. */
static bool door_open(struct far *far, uint32_t i)
{
	struct post *post = far->post;
	uint16_t port = plan_service(far->plan, i);
	int fd = datagram_socket(far_family(far->plan), port);
	struct epoll_event readable = {.events = EPOLLIN, .data.fd = fd};

	if (fd < 0)
		return err_sys(&far->err, -fd, "the far end could not have port %u of UDP", port);
	post->doors[i] = fd;
	if (far_does(far, DOES_SERVE) && epoll_ctl(post->epoll, EPOLL_CTL_ADD, fd, &readable) < 0)
		return err_sys(&far->err, errno, "the far end could not watch port %u of UDP",
			       port);
	return true;
}

bool far_post_reserve(struct far *far)
{
	const struct plan *p = far->plan;
	struct post *post;

	if (!p->asks_datagrams || !far_does(far, DOES_LISTEN))
		return true;
	post = ARENA_TRY(far->arena, struct post, 1);
	if (!post)
		return false;
	*post = (struct post){
		.epoll = -1,
		.doors = ARENA_TRY(far->arena, int, p->services),
		.asked = ARENA_TRY(far->arena, struct late_datagram, p->far_datagrams),
		.spare = ARENA_TRY(far->arena, uint32_t, p->far_datagrams),
	};
	if (!post->doors || !post->asked || !post->spare ||
	    !late_open(&post->late, p->far_datagrams, far->arena))
		return false;
	while (post->spare_count < p->far_datagrams) {
		post->spare[post->spare_count] = post->spare_count;
		post->spare_count++;
	}
	for (uint32_t i = 0; i < p->services; i++)
		post->doors[i] = -1;
	far->post = post;
	return true;
}

bool far_post_open(struct far *far)
{
	struct epoll_event told = {.events = EPOLLIN, .data.fd = far->wake};

	if (!far->post)
		return true;
	far->post->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (far->post->epoll < 0 ||
	    epoll_ctl(far->post->epoll, EPOLL_CTL_ADD, far->wake, &told) < 0)
		return err_sys(&far->err, errno, "the far end could not wait for datagrams");
	for (uint32_t i = 0; i < far->plan->services; i++)
		if (!door_open(far, i))
			return false;
	return true;
}

int far_post_wake(const struct far *far)
{
	return far->post ? far->post->epoll : far->wake;
}

/* What the network does not take is lost, as any datagram may be. */
static void answer(struct far *far, int fd, const struct datagram *d)
{
	struct wire_query query = wire_query_read(d->head);
	unsigned char head[WIRE_HEAD_BYTES];

	wire_query_write(head, (struct wire_query){.number = query.number});
	datagram_answer(fd, d, head, far->post->rest, query.receive_bytes);
}

static void keep(struct far *far, int fd, const struct datagram *d)
{
	struct post *post = far->post;
	uint32_t i;

	if (post->spare_count == 0) {
		post->dropped++;
		return;
	}
	i = post->spare[--post->spare_count];
	post->asked[i] = (struct late_datagram){fd, *d};
	late_add(&post->late, far->now_ns + far_delay_ns(far), i);
}

/* One without a head, or that wants more than a datagram can be, is not the load's. */
static void on_datagram(struct far *far, int fd, const struct datagram *d)
{
	uint32_t wanted = wire_query_read(d->head).receive_bytes;

	if (d->bytes < WIRE_HEAD_BYTES || wanted == 0 || wanted > sizeof(far->post->rest))
		return;
	if (far->plan->scenario->server.delay)
		keep(far, fd, d);
	else
		answer(far, fd, d);
}

bool far_post_turn(struct far *far)
{
	struct epoll_event events[DOORS_A_TURN];
	struct post *post = far->post;
	int n = post && !far->dead ? epoll_wait(post->epoll, events, DOORS_A_TURN, 0) : 0;
	bool any = false;

	for (int i = 0; i < n; i++) {
		int fd = events[i].data.fd;
		int came = fd == far->wake ? 0 : datagrams_receive(fd, post->batch);

		for (int k = 0; k < came; k++)
			on_datagram(far, fd, &post->batch[k]);
		any |= came > 0;
	}
	return any;
}

bool far_post_late(struct far *far)
{
	struct post *post = far->post;
	bool any = false;
	uint32_t i;

	while (post && late_take(&post->late, far->now_ns, &i)) {
		answer(far, post->asked[i].fd, &post->asked[i].asked);
		post->spare[post->spare_count++] = i;
		any = true;
	}
	return any;
}

int64_t far_post_due(const struct far *far)
{
	return far->post ? late_due(&far->post->late) : FOR_EVER;
}

uint64_t far_post_dropped(const struct far *far)
{
	return far->post ? far->post->dropped : 0;
}

void far_post_shut(struct far *far)
{
	struct post *post = far->post;

	for (uint32_t i = 0; post && i < far->plan->services; i++) {
		if (post->doors[i] >= 0)
			close(post->doors[i]);
		post->doors[i] = -1;
	}
	if (post)
		post->late.count = 0;
}

void far_post_close(struct far *far)
{
	far_post_shut(far);
	if (far->post && far->post->epoll >= 0)
		close(far->post->epoll);
}
