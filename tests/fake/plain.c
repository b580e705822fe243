/* Sockets made by system calls: sys/plain.h, of the kernel in memory. */
#include "kernel.h"

#include <errno.h>

#include "sys/plain.h"

int socket_make(const struct socket_wish *wish, enum stage *stage)
{
	fake.classic++;
	fake.windows += wish->window != 0;
	fake.lingers += wish->reset_on_close;
	fake.binds += wish->source != NULL;
	*stage = STAGE_SOCKET;
	return fake.socket_error && fake.sockets++ >= fake.sockets_fine ? -fake.socket_error : 1000;
}

int socket_prepare(int fd, const struct socket_wish *wish, enum stage *stage)
{
	(void)fd;
	return socket_make(wish, stage);
}

bool link_find(uint32_t *index, const char *link, struct err *err)
{
	(void)err;
	*index = link != NULL;
	return true;
}

int socket_listen(enum family family, uint16_t port, int backlog, bool reset)
{
	(void)family, (void)port, (void)backlog, (void)reset;
	return -ENOSYS;
}

bool socket_named(int fd, struct socket_name *out)
{
	(void)fd; /* a fake has no cookie */
	*out = (struct socket_name){.port = 0};
	return false;
}

uint16_t socket_meets_itself(int fd, const struct endpoint *sent_to)
{
	(void)fd, (void)sent_to;
	return fake.looks++ < fake.meetings ? 40000 : 0;
}

int address_error(const struct endpoint *source, const struct endpoint *destination,
		  struct port_range range)
{
	(void)source, (void)destination, (void)range;
	return fake.address_error;
}
