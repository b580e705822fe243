/* Processes that are none: heirs, and makers of sockets. */
#include "kernel.h"

#include <errno.h>

#include "sys/heir.h"
#include "sys/maker.h"
#include "words/words.h"

/* ---- sys/heir.h ---------------------------------------------------------- */

bool heir_start(struct heir *out, struct err *err)
{
	(void)err;
	*out = (struct heir){{.pid = 1 + (int)fake.heirs++, .fd = -1}};
	return true;
}

int heir_give(const struct heir *heir, int fd, int *its)
{
	(void)fd;
	*its = -1;
	if (fake.gifts[heir->child.pid - 1] >= fake.heir_room)
		return EMFILE;
	fake.gifts[heir->child.pid - 1]++;
	return 0;
}

void heir_stop(struct heir *heir)
{
	(void)heir;
	fake.heirs--;
}

/* ---- sys/maker.h --------------------------------------------------------- */

bool maker_start(struct maker *out, uint32_t nofile, struct err *err)
{
	(void)err;
	*out = (struct maker){{.pid = (int)nofile, .fd = -1}};
	return true;
}

bool maker_socket(struct made *out, const struct maker *maker, const struct maker_wish *wish,
		  struct err *err)
{
	(void)wish;
	if (fake.maker_error)
		return err_sys(err, fake.maker_error, "there is no maker");
	*out = (struct made){-EMFILE, 0};
	if (fake.made < (uint64_t)maker->child.pid - STDIO)
		*out = (struct made){1, STDIO + (int)fake.made++};
	return true;
}

void maker_close(const struct maker *maker, int number)
{
	(void)maker, (void)number;
	fake.made--;
}

void maker_stop(struct maker *maker)
{
	(void)maker;
}
