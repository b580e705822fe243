#include "sys/child.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Room for the control message that carries one descriptor. */
union carriage {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

bool child_send(int fd, const void *bytes, size_t len, int carried)
{
	struct iovec iov = {(void *)(uintptr_t)bytes, len};
	union carriage carriage = {.header = {.cmsg_len = CMSG_LEN(sizeof(carried)),
					      .cmsg_level = SOL_SOCKET,
					      .cmsg_type = SCM_RIGHTS}};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	if (carried >= 0) {
		memcpy(CMSG_DATA(&carriage.header), &carried, sizeof(carried));
		message.msg_control = carriage.room;
		message.msg_controllen = sizeof(carriage.room);
	}
	do
		n = sendmsg(fd, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)len;
}

/* A descriptor that finds the table full is lost, and MSG_CTRUNC alone tells (scm_detach_fds(),
 * net/core/scm.c). */
bool child_receive(int fd, void *bytes, size_t len, int *carried, bool *cut)
{
	struct iovec iov = {bytes, len};
	union carriage carriage;
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = carriage.room,
				 .msg_controllen = sizeof(carriage.room)};
	const struct cmsghdr *header;
	ssize_t n;

	do
		n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	*carried = -1;
	*cut = message.msg_flags & MSG_CTRUNC;
	header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(carried, CMSG_DATA(header), sizeof(*carried));
	return n == (ssize_t)len;
}

/* By the system call: after a fork the library's functions may wait for a lock for ever. */
static bool drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	return syscall(SYS_capset, &header, none) == 0;
}

static void child_begin(int fd, const struct child_work *work)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, work->name);
	if (fd > 0)
		close_range(0, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, UINT_MAX, 0);
	if (!drop_capabilities())
		_exit(1);
	work->live(fd, work->context);
	_exit(0);
}

bool child_start(struct child *out, const struct child_work *work, struct err *err)
{
	int pair[2], sys;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, errno, "could not make a pair of sockets");
	out->pid = fork();
	sys = errno;
	if (out->pid == 0)
		child_begin(pair[1], work);
	close(pair[1]);
	if (out->pid > 0) {
		out->fd = pair[0];
		return true;
	}
	close(pair[0]);
	return err_sys(err, sys, "could not start a child process");
}

void child_stop(struct child *child)
{
	close(child->fd);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
}
