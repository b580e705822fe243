#include "sys/maker.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "words/words.h"

/* A socket is made; or, with a domain of 0, a descriptor is closed. */
struct task {
	struct maker_wish wish;
	int number;
};

struct reply {
	int number; /* or -errno, of the socket */
	int error;  /* why there is no copy; 0: there is one, or none is due */
};

/* The limits that it has begun with, and those that it lives with. */
struct limits {
	struct rlimit own, small;
};

/* Where a user has more descriptors under way than the sender may have, none is sent (ETOOMANYREFS),
 * whoever has sent the others: so it has its own limit while it sends. */
static int hand_over(int fd, int number, const struct limits *limits)
{
	struct reply reply = {.number = number};

	if (setrlimit(RLIMIT_NOFILE, &limits->own) < 0)
		return errno;
	if (!child_send(fd, &reply, sizeof(reply), number))
		return errno;
	return setrlimit(RLIMIT_NOFILE, &limits->small) < 0 ? errno : 0;
}

/* The socket is the maker's as well: it stays until it is told to close it. */
static bool carry_out(int fd, const struct task *task, const struct limits *limits)
{
	struct reply reply = {.number = task->number};

	if (task->wish.domain == 0) {
		close(task->number);
	} else {
		const struct maker_wish *wish = &task->wish;

		reply.number = socket(wish->domain, wish->type, wish->protocol);
		reply.number = reply.number < 0 ? -errno : reply.number;
		reply.error = reply.number < 0 ? 0 : hand_over(fd, reply.number, limits);
		if (reply.number >= 0 && reply.error == 0)
			return true;
	}
	return child_send(fd, &reply, sizeof(reply), -1) && reply.error == 0;
}

/* Its own socket lies beyond the limit, which is for what is made after it. What is in the place of
 * stdin, stdout and stderr is that too: it has nothing to say. 0, or an errno. */
static int settle(int fd, uint32_t nofile, struct limits *limits, int *beyond)
{
	*beyond = fcntl(fd, F_DUPFD_CLOEXEC, (int)nofile);
	if (*beyond < 0)
		return errno;
	for (int own = 0; own < STDIO; own++)
		if (own != fd && dup2(fd, own) < 0)
			return errno;
	if (fd >= STDIO)
		close(fd);
	if (getrlimit(RLIMIT_NOFILE, &limits->own) < 0)
		return errno;
	limits->small = (struct rlimit){nofile, limits->own.rlim_max};
	return setrlimit(RLIMIT_NOFILE, &limits->small) < 0 ? errno : 0;
}

/* First it tells whether it is what it is to be. */
static void maker_live(int fd, const void *context)
{
	struct limits limits;
	struct task task = {0};
	int beyond, none, error = settle(fd, *(const uint32_t *)context, &limits, &beyond);
	bool cut;

	if (!child_send(beyond < 0 ? fd : beyond, &error, sizeof(error), -1) || error)
		return;
	while (child_receive(beyond, &task, sizeof(task), &none, &cut))
		if (!carry_out(beyond, &task, &limits))
			return;
}

bool maker_start(struct maker *out, uint32_t nofile, struct err *err)
{
	const struct child_work work = {"lastport-load", maker_live, &nofile};
	int error = 0, none;
	bool cut;

	if (!child_start(&out->child, &work, err))
		return false;
	if (!child_receive(out->child.fd, &error, sizeof(error), &none, &cut))
		error = EPIPE;
	if (error == 0)
		return true;
	maker_stop(out);
	return err_sys(err, error, "could not give a process %u descriptors", nofile);
}

static bool ask(const struct maker *maker, const struct task *task, struct reply *reply, int *fd)
{
	bool cut;

	return child_send(maker->child.fd, task, sizeof(*task), -1) &&
	       child_receive(maker->child.fd, reply, sizeof(*reply), fd, &cut);
}

bool maker_socket(struct made *out, const struct maker *maker, const struct maker_wish *wish,
		  struct err *err)
{
	const struct task task = {.wish = *wish};
	struct reply reply = {0};
	int fd;

	if (!ask(maker, &task, &reply, &fd))
		return err_sys(err, EPIPE, "the process of load.nofile has ended");
	if (reply.error)
		return err_sys(err, reply.error,
			       "the process of load.nofile cannot share a socket");
	*out = reply.number < 0 ? (struct made){reply.number, 0} : (struct made){fd, reply.number};
	if (reply.number < 0 || fd >= 0)
		return true;
	maker_close(maker, reply.number); /* cut: the asker has no room for its copy */
	return err_sys(err, EMFILE, "could not have a copy of a socket");
}

void maker_close(const struct maker *maker, int number)
{
	const struct task task = {.number = number};
	struct reply reply = {0};
	int none;

	ask(maker, &task, &reply, &none);
}

void maker_stop(struct maker *maker)
{
	child_stop(&maker->child);
}
