#include "sys/maker.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

struct order {
	int domain, type, protocol; /* of a socket to be made; or, with a domain of 0, */
	int number;		    /* a descriptor to be closed */
};

/* The socket is the maker's as well: it stays until it is told to close it. */
static bool carry_out(int fd, const struct order *order)
{
	int number = order->number;

	if (order->domain == 0) {
		close(order->number);
	} else {
		number = socket(order->domain, order->type, order->protocol);
		number = number < 0 ? -errno : number;
	}
	return child_send(fd, &number, sizeof(number), order->domain ? number : -1);
}

/* Its own socket lies beyond the limit, which is for what is made after it. What is in the place of
 * stdin, stdout and stderr is that too: it has nothing to say. */
static void maker_live(int fd, const void *context)
{
	const uint32_t nofile = *(const uint32_t *)context;
	const struct rlimit limit = {nofile, nofile};
	int beyond = fcntl(fd, F_DUPFD_CLOEXEC, (int)nofile), none;
	struct order order;
	bool cut;

	for (int own = 0; own < MAKER_OWN; own++)
		if (own != fd && dup2(fd, own) < 0)
			return;
	if (fd >= MAKER_OWN)
		close(fd);
	if (beyond < 0 || setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	while (child_receive(beyond, &order, sizeof(order), &none, &cut))
		if (!carry_out(beyond, &order))
			return;
}

bool maker_start(struct maker *out, uint32_t nofile, struct err *err)
{
	const struct child_work work = {"lastport-load", maker_live, &nofile};

	return child_start(&out->child, &work, err);
}

static int ask(const struct maker *maker, const struct order *order, int *number)
{
	int fd;
	bool cut;

	if (!child_send(maker->child.fd, order, sizeof(*order), -1) ||
	    !child_receive(maker->child.fd, number, sizeof(*number), &fd, &cut))
		return -EPIPE;
	if (order->domain == 0 || *number < 0)
		return *number;
	return fd < 0 ? -EMFILE : fd; /* cut: the asker has no room for its copy */
}

int maker_socket(const struct maker *maker, int domain, int type, int protocol, int *number)
{
	const struct order order = {.domain = domain, .type = type, .protocol = protocol};

	return ask(maker, &order, number);
}

void maker_close(const struct maker *maker, int number)
{
	const struct order order = {.number = number};

	ask(maker, &order, &number);
}

void maker_stop(struct maker *maker)
{
	child_stop(&maker->child);
}
