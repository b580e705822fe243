#include "sys/plain.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool set(int fd, int level, int name, const void *value, socklen_t len)
{
	return setsockopt(fd, level, name, value, len) == 0;
}

static bool prepare(int fd, const struct socket_wish *wish, enum stage *stage)
{
	const struct linger now = {.l_onoff = 1};
	const int on = 1;

	*stage = STAGE_OPTION;
	if (wish->reset_on_close && !set(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)))
		return false;
	if (wish->window &&
	    !set(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &wish->window, sizeof(wish->window)))
		return false;
	if (!wish->source)
		return true;
	if (!set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)))
		return false;
	*stage = STAGE_BIND;
	return bind(fd, (const struct sockaddr *)wish->source, sizeof(*wish->source)) == 0;
}

int socket_make(const struct socket_wish *wish, enum stage *stage)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*stage = STAGE_SOCKET;
	if (fd < 0)
		return -errno;
	if (!prepare(fd, wish, stage)) {
		int e = errno;

		close(fd);
		return -e;
	}
	return fd;
}

int socket_listen(uint16_t port, int backlog, bool reset)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
	enum stage stage;
	int fd = socket_make(&(struct socket_wish){.reset_on_close = reset}, &stage);
	const int on = 1;

	if (fd < 0)
		return fd;
	if (!set(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(fd, backlog) < 0) {
		int e = errno;

		close(fd);
		return -e;
	}
	return fd;
}

int address_error(const struct sockaddr_in *source, const struct sockaddr_in *destination)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int e = 0;

	if (fd < 0)
		return errno;
	if ((source && bind(fd, (const struct sockaddr *)source, sizeof(*source)) < 0) ||
	    connect(fd, (const struct sockaddr *)destination, sizeof(*destination)) < 0)
		e = errno;
	close(fd);
	return e;
}
