#include "sys/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Those of 32 bits, where a machine has shorter ones too. */
#ifdef SYS_setresuid32
#define SYS_SETGROUPS SYS_setgroups32
#define SYS_SETRESGID SYS_setresgid32
#define SYS_SETRESUID SYS_setresuid32
#else
#define SYS_SETGROUPS SYS_setgroups
#define SYS_SETRESGID SYS_setresgid
#define SYS_SETRESUID SYS_setresuid
#endif

enum { NOBODY = 65534 };

bool rights_suffice(void)
{
	static const cap_value_t needed[] = {CAP_SYS_ADMIN, CAP_NET_ADMIN};
	cap_t caps = cap_get_proc();
	bool all = caps != NULL;

	for (size_t i = 0; all && i < sizeof(needed) / sizeof(needed[0]); i++) {
		cap_flag_value_t value = CAP_CLEAR;

		all = cap_get_flag(caps, needed[i], CAP_EFFECTIVE, &value) == 0 && value == CAP_SET;
	}
	cap_free(caps);
	return all;
}

/* The first byte of a file of one number, or 0 where there is none. */
static char switch_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char c = 0;

	if (fd < 0)
		return 0;
	if (read(fd, &c, 1) != 1)
		c = 0;
	close(fd);
	return c;
}

const char *rights_mend(int sys)
{
	if (switch_read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == '1')
		return "AppArmor forbids it to ordinary users here: run as root, or set "
		       "kernel.apparmor_restrict_unprivileged_userns=0.";
	if (switch_read("/proc/sys/kernel/unprivileged_userns_clone") == '0')
		return "This kernel forbids it to ordinary users: run as root, or set "
		       "kernel.unprivileged_userns_clone=1.";
	if (sys == ENOSPC || switch_read("/proc/sys/user/max_user_namespaces") == '0')
		return "There are as many as are allowed: run as root, or raise "
		       "user.max_user_namespaces and "
		       "user.max_net_namespaces.";
	return "Run as root. In a container, grant CAP_SYS_ADMIN and CAP_NET_ADMIN: its seccomp "
	       "profile "
	       "forbids new namespaces without them.";
}

static bool map_write(const char *path, const char *line, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, line, strlen(line)) == (ssize_t)strlen(line);
	int sys = errno;

	if (fd >= 0)
		close(fd);
	if (good)
		return true;
	err_set(err, ERR_HOST, "could not write %s: %s", path, strerror(sys));
	return err_hint(err, "%s", rights_mend(sys));
}

bool rights_userns(struct err *err)
{
	unsigned uid = geteuid(), gid = getegid();
	char users[64], groups[64];

	snprintf(users, sizeof(users), "%u %u 1\n", uid, uid);
	snprintf(groups, sizeof(groups), "%u %u 1\n", gid, gid);
	if (unshare(CLONE_NEWUSER) < 0) {
		int sys = errno;

		err_set(err, ERR_HOST, "this user may not make a user namespace: %s",
			strerror(sys));
		return err_hint(err, "%s", rights_mend(sys));
	}
	/* An ordinary user may map its group only after giving up setgroups(2):
	 * user_namespaces(7). */
	return map_write("/proc/thread-self/setgroups", "deny", err) &&
	       map_write("/proc/thread-self/uid_map", users, err) &&
	       map_write("/proc/thread-self/gid_map", groups, err);
}

/* Root without capabilities may still write what root owns, all of /proc/sys among it. A user
 * namespace of one user has no nobody to become: then EINVAL, and root of it owns no more than
 * its own namespaces. By system calls, for the C library's functions would change every thread. */
static bool root_leave(struct err *err)
{
	bool good = geteuid() != 0 || (syscall(SYS_SETGROUPS, 0, NULL) == 0 &&
				       syscall(SYS_SETRESGID, NOBODY, NOBODY, NOBODY) == 0 &&
				       syscall(SYS_SETRESUID, NOBODY, NOBODY, NOBODY) == 0);

	return good || errno == EINVAL || errno == EPERM ||
	       err_sys(err, errno, "could not cease to be root");
}

/* Of its capabilities the thread keeps those in `kept`. */
static bool caps_reduce(cap_t kept, struct err *err)
{
	/* Refused without CAP_SETPCAP; then there is nothing that an exec could give back
	 * either. */
	for (unsigned cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		prctl(PR_CAPBSET_DROP, cap);
	prctl(PR_SET_KEEPCAPS, 1); /* or all of them would go with root */
	return root_leave(err) &&
	       ((prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && cap_set_proc(kept) == 0) ||
		err_sys(err, errno, "could not give up privileges"));
}

static bool rights_reduce(const cap_value_t *kept, int count, struct err *err)
{
	cap_t caps = cap_init();
	bool good = caps &&
		    (count == 0 || (cap_set_flag(caps, CAP_PERMITTED, count, kept, CAP_SET) == 0 &&
				    cap_set_flag(caps, CAP_EFFECTIVE, count, kept, CAP_SET) == 0));

	good = good ? caps_reduce(caps, err) : err_sys(err, errno, "could not give up privileges");
	cap_free(caps);
	return good;
}

bool rights_drop(struct err *err)
{
	return rights_reduce(NULL, 0, err);
}

bool rights_keep_network(struct err *err)
{
	static const cap_value_t network[] = {CAP_NET_ADMIN};

	return rights_reduce(network, 1, err);
}

/* What is inheritable may become ambient, and what is ambient an exec leaves (capabilities(7)). */
bool rights_pass_network(struct err *err)
{
	static const cap_value_t network[] = {CAP_NET_ADMIN};
	cap_t caps = cap_get_proc();
	bool good = caps && cap_set_flag(caps, CAP_INHERITABLE, 1, network, CAP_SET) == 0 &&
		    cap_set_proc(caps) == 0 &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0) == 0;
	int sys = errno;

	cap_free(caps);
	return good || err_sys(err, sys, "could not pass on the right to change the network");
}

void rights_raise_nofile(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}
