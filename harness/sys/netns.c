#include "sys/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>

#include "sys/rights.h"

bool netns_make(struct err *err)
{
	int sys;

	if (unshare(CLONE_NEWNET) == 0)
		return true;
	sys = errno;
	err_set(err, ERR_HOST, "this process may not make a network namespace: %s", strerror(sys));
	return err_hint(err, "%s", rights_mend(sys));
}

int netns_open(struct err *err)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		err_sys(err, errno, "could not open the network namespace");
	return fd;
}

bool netns_enter(int fd, struct err *err)
{
	if (setns(fd, CLONE_NEWNET) < 0)
		return err_sys(err, errno, "could not enter the network namespace");
	return true;
}
