#include "sys/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static bool has_no_right(int sys)
{
	return sys == EACCES || sys == EPERM;
}

/* What stands in the way of it: `what` is that. */
static bool refuse(struct err *err, int sys, const char *what)
{
	err_set(err, has_no_right(sys) ? ERR_HOST : ERR_USAGE, "%s: %s", what, strerror(sys));
	return err_hint(err, "%s",
			has_no_right(sys) ? "Run it as root; in a container that is its own, as "
					    "its root (nsenter -U -n -t PID)."
					  : "Such a file is /run/netns/NAME, or /proc/PID/ns/net.");
}

/* The one that we are in needs no right to stay in. */
static bool is_ours(int fd)
{
	struct stat there, here;

	return fstat(fd, &there) == 0 && stat("/proc/thread-self/ns/net", &here) == 0 &&
	       there.st_dev == here.st_dev && there.st_ino == here.st_ino;
}

/* EINVAL: it is a file, but none of a network namespace. */
static bool join_file(const char *path, const char *what, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), sys = errno;
	bool ok;

	if (fd < 0)
		return refuse(err, sys, what);
	ok = is_ours(fd) || setns(fd, CLONE_NEWNET) == 0;
	sys = errno;
	close(fd);
	return ok || refuse(err, sys, what);
}

bool netns_join_process(int32_t pid, struct err *err)
{
	char path[64], what[96];

	snprintf(path, sizeof(path), "/proc/%d", pid);
	if (access(path, F_OK) < 0) {
		err_set(err, ERR_USAGE, "there is no process %d", pid);
		return err_hint(err, "`pgrep -a NAME` finds a process by its name.");
	}
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	snprintf(what, sizeof(what), "could not enter the network namespace of process %d", pid);
	return join_file(path, what, err);
}

bool netns_join(const char *name, struct err *err)
{
	char path[PATH_MAX], what[128];

	snprintf(path, sizeof(path), strchr(name, '/') ? "%s" : "/run/netns/%s", name);
	if (access(path, F_OK) < 0 && errno == ENOENT) {
		err_set(err, ERR_USAGE, "there is no network namespace \"%s\"", name);
		return err_hint(err, "`ip netns list` has their names; a path has a slash in it, "
				     "such as /proc/PID/ns/net.");
	}
	snprintf(what, sizeof(what), "could not enter the network namespace \"%.60s\"", name);
	return join_file(path, what, err);
}
