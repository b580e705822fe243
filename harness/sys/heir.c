#include "sys/heir.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
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

/* A gift is a byte that carries a descriptor; its answer is an errno value. */
static struct msghdr gift(struct iovec *byte, union carriage *carriage)
{
	return (struct msghdr){
		.msg_iov = byte,
		.msg_iovlen = 1,
		.msg_control = carriage->room,
		.msg_controllen = sizeof(carriage->room),
	};
}

/* What a descriptor's place in a full table loses is told by MSG_CTRUNC alone
 * (scm_detach_fds(), net/core/scm.c). */
static void heir_live(int fd)
{
	char byte;
	struct iovec iov = {&byte, 1};

	for (;;) {
		union carriage carriage;
		struct msghdr message = gift(&iov, &carriage);
		ssize_t n = recvmsg(fd, &message, 0);
		int answer = message.msg_flags & MSG_CTRUNC ? EMFILE : 0;

		if (n <= 0 || send(fd, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
			_exit(0);
	}
}

/* By the system call: after a fork the library's functions may wait for a lock for ever. */
static bool drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	return syscall(SYS_capset, &header, none) == 0;
}

/* Signals of the terminal are for its parent. Whatever else it has of the parent's it lets go
 * of: a ring or a pipe that it kept open would outlive its owner. */
static void heir_begin(int fd)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, "lastport-heir");
	if (fd > 0)
		close_range(0, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, UINT_MAX, 0);
	if (!drop_capabilities())
		_exit(1);
	heir_live(fd);
}

bool heir_start(struct heir *out, struct err *err)
{
	int pair[2], sys;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, errno, "could not make a pair of sockets");
	out->pid = fork();
	sys = errno;
	if (out->pid == 0)
		heir_begin(pair[1]);
	close(pair[1]);
	if (out->pid > 0) {
		out->fd = pair[0];
		return true;
	}
	close(pair[0]);
	return err_sys(err, sys, "could not start a child process");
}

int heir_give(const struct heir *heir, int fd)
{
	char byte = 0;
	struct iovec iov = {&byte, 1};
	union carriage carriage = {.header = {.cmsg_len = CMSG_LEN(sizeof(fd)),
					      .cmsg_level = SOL_SOCKET,
					      .cmsg_type = SCM_RIGHTS}};
	struct msghdr message = gift(&iov, &carriage);
	ssize_t n;
	int answer;

	memcpy(CMSG_DATA(&carriage.header), &fd, sizeof(fd));
	if (sendmsg(heir->fd, &message, MSG_NOSIGNAL) < 0)
		return errno;
	do
		n = recv(heir->fd, &answer, sizeof(answer), 0);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(answer) ? answer : EPIPE;
}

void heir_stop(struct heir *heir)
{
	close(heir->fd);
	while (waitpid(heir->pid, NULL, 0) < 0 && errno == EINTR)
		;
}
