#include "sys/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/unit.h"
#include "sys/conntrack.h"
#include "sys/counters.h"
#include "sys/nft.h"
#include "sys/plain.h"
#include "sys/probe.h"
#include "sys/rights.h"
#include "sys/sysctl.h"

enum { FILE_MOST = 16384, TCP_LISTENING = 10 };

/* A file of /proc, which one read gives whole; empty if it cannot be read. */
static struct text file_read(const char *path, char buffer[FILE_MOST])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buffer, FILE_MOST);

	if (fd >= 0)
		close(fd);
	return (struct text){buffer, n > 0 ? (size_t)n : 0};
}

static int64_t sysctl_number(const char *name)
{
	char value[64];

	return sysctl_read(text_of(name), value, sizeof(value)) ? -1 : strtoll(value, NULL, 10);
}

/* The last of its three. */
static int64_t sysctl_most(const char *name)
{
	char value[96];
	long long least, usual, most;

	if (sysctl_read(text_of(name), value, sizeof(value)) ||
	    sscanf(value, "%lld %lld %lld", &least, &usual, &most) != 3) // NOLINT(cert-err34-c)
		return -1;
	return most;
}

static int64_t memory_available(void)
{
	char buffer[FILE_MOST];
	struct text rest = file_read("/proc/meminfo", buffer), line;

	while (text_cut(&rest, '\n', &line)) {
		struct text name = TEXT("MemAvailable:");
		char digits[32];

		if (!text_starts(line, name))
			continue;
		line = text_trim(text_skip(line, name.len));
		snprintf(digits, sizeof(digits), TEXT_FMT, TEXT_ARG(line));
		return strtoll(digits, NULL, 10) * 1024;
	}
	return -1;
}

static int64_t cpus_usable(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : -1;
}

/* The coarse clock goes by ticks: posix_get_coarse_res(), kernel/time/posix-timers.c. Where it is
 * not Linux's own (gVisor), its resolution is that of no tick. */
static int64_t hz_read(void)
{
	enum { SLOWEST = 24, FASTEST = 1200 }; /* of what CONFIG_HZ can be anywhere */
	struct timespec tick = {0};
	int64_t hz;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || tick.tv_sec || tick.tv_nsec <= 0)
		return -1;
	hz = (INT64_C(1000000000) + tick.tv_nsec / 2) / tick.tv_nsec;
	return hz >= SLOWEST && hz <= FASTEST ? hz : -1;
}

static struct port_range ports_read(void)
{
	struct port_range range = {0, 0};
	char value[64];

	if (sysctl_read(TEXT("net.ipv4.ip_local_port_range"), value, sizeof(value)) == 0)
		unit_read_range(text_of(value), &range);
	return range;
}

static void system_read(struct host *out)
{
	struct utsname name;
	struct rlimit nofile;

	if (uname(&name) == 0) {
		snprintf(out->kernel, sizeof(out->kernel), "%s", name.release);
		snprintf(out->machine, sizeof(out->machine), "%s", name.machine);
	}
	out->cpus = cpus_usable();
	out->memory = memory_available();
	out->nofile_soft = out->nofile = -1;
	if (getrlimit(RLIMIT_NOFILE, &nofile) == 0) {
		out->nofile_soft = (int64_t)nofile.rlim_cur;
		out->nofile = (int64_t)nofile.rlim_max;
	}
	out->ports = ports_read();
	out->tw_reuse = sysctl_number("net.ipv4.tcp_tw_reuse");
	out->tw_reuse_delay = sysctl_number("net.ipv4.tcp_tw_reuse_delay");
	out->hz = hz_read();
	out->wmem = sysctl_most("net.ipv4.tcp_wmem");
	out->rmem = sysctl_most("net.ipv4.tcp_rmem");
	out->ehash = llabs(
		sysctl_number("net.ipv4.tcp_ehash_entries")); /* a minus says that it is shared */
}

/* What a child found out about namespaces. */
struct namespaces {
	int netns, userns, private_hash, nat;
};

static int tried(int result)
{
	return result < 0 ? errno : 0;
}

/* In a namespace of the child's own: a hash of its own for the next one. */
static int hash_try(void)
{
	int sys = sysctl_write(TEXT("net.ipv4.tcp_child_ehash_entries"), TEXT("256"));

	if (sys || (sys = tried(unshare(CLONE_NEWNET))) != 0)
		return sys;
	return sysctl_number("net.ipv4.tcp_ehash_entries") > 0 ? 0 : ENOMEM;
}

/* In a namespace of the child's own: a chain of NAT, and a look at what it tracks. */
static int nat_try(void)
{
	struct conntrack_counts counts;
	struct conntrack_door door;
	struct err err = {0};
	int sys = nft_try();

	if (sys)
		return sys;
	if (conntrack_open(&door, &err))
		conntrack_read(&door, &counts, &err);
	conntrack_close(&door);
	return err.sys;
}

static void namespaces_try(struct namespaces *n, bool needs_userns)
{
	if (needs_userns)
		n->userns = tried(unshare(CLONE_NEWUSER));
	n->netns = tried(unshare(CLONE_NEWNET));
	n->nat = n->netns ? n->netns : nat_try();
	n->private_hash = n->netns ? n->netns : hash_try();
	if (!needs_userns)
		n->userns = tried(unshare(CLONE_NEWUSER));
}

/* In a child, so that this process stays where it is. It shares a page to answer in, and takes
 * no part in stdio. */
static bool namespaces_read(struct host *out, struct err *err)
{
	const struct namespaces unknown = {
		.netns = ECHILD, .userns = ECHILD, .private_hash = ECHILD, .nat = ECHILD};
	struct namespaces *n =
		mmap(NULL, sizeof(*n), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child;

	if (n == MAP_FAILED)
		return err_sys(err, errno, "could not map a page");
	*n = unknown;
	child = fork();
	if (child == 0) {
		namespaces_try(n, out->needs_userns);
		_exit(0);
	}
	if (child < 0) {
		err_sys(err, errno, "could not start a child process");
		munmap(n, sizeof(*n));
		return false;
	}
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	out->netns = n->netns;
	out->userns = n->userns;
	out->private_hash = n->private_hash;
	out->nat = n->nat;
	munmap(n, sizeof(*n));
	return true;
}

/* Asks for the listening sockets: the shortest of all lists. */
static int sock_diag_try(void)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 request;
	} ask = {
		.header = {.nlmsg_len = sizeof(ask),
			   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.request = {.sdiag_family = AF_INET,
			    .sdiag_protocol = IPPROTO_TCP,
			    .idiag_states = 1U << TCP_LISTENING},
	};
	_Alignas(struct nlmsghdr) char answer[8192];
	const struct nlmsghdr *first = (const void *)answer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), sys = 0;
	ssize_t n;

	if (fd < 0)
		return errno;
	if (send(fd, &ask, sizeof(ask), 0) < 0)
		sys = errno;
	n = sys ? 0 : recv(fd, answer, sizeof(answer), 0);
	if (n < 0)
		sys = errno;
	else if (n >= (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)) &&
		 first->nlmsg_type == NLMSG_ERROR)
		sys = -((const struct nlmsgerr *)NLMSG_DATA(first))->error;
	close(fd);
	return sys;
}

static int port_window_try(void)
{
	const uint32_t whole = 0; /* no narrower than the range */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), sys;

	if (fd < 0)
		return errno;
	sys = tried(setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &whole, sizeof(whole)));
	close(fd);
	return sys;
}

/* Where it is switched off here (net.mptcp.enabled), a network namespace of its own has it all the same. */
static int mptcp_try(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);

	if (fd < 0)
		return errno == ENOPROTOOPT ? 0 : errno;
	close(fd);
	return 0;
}

static void counter_add(void *context, struct text name, uint64_t value)
{
	struct host *host = context;
	size_t len = strlen(host->counters), room = sizeof(host->counters) - len;

	(void)value;
	if (name.len + 2 <= room)
		snprintf(host->counters + len, room, "%s" TEXT_FMT, len ? " " : "", TEXT_ARG(name));
}

static void counters_read(struct host *out)
{
	char buffer[FILE_MOST];
	struct text snmp = file_read("/proc/net/snmp", buffer);
	bool all = counters_parse(snmp, TEXT("Tcp: "), counter_add, out) &&
		   counters_parse_udp(snmp, counter_add, out);

	if (!all || !counters_parse(file_read("/proc/net/netstat", buffer), TEXT("TcpExt: "),
				    counter_add, out))
		out->counters[0] = '\0'; /* better unknown than half of them */
}

static void *probe_without_rights(void *host)
{
	struct err ignored = {0};

	rights_drop(&ignored);
	probe_rings(host);
	return NULL;
}

/* As the load's threads will have them: root may lock more memory for its rings than they. */
static void rings_probe(struct host *out)
{
	pthread_t thread;

	if (!rights_suffice() || pthread_create(&thread, NULL, probe_without_rights, out))
		probe_rings(out);
	else
		pthread_join(thread, NULL);
}

void host_read_limits(struct host *out)
{
	*out = (struct host){.needs_userns = !rights_suffice()};
	system_read(out);
	out->port_window = port_window_try();
	out->mptcp = mptcp_try();
	counters_read(out);
}

bool host_read(struct host *out, struct err *err)
{
	host_read_limits(out);
	out->sock_diag = sock_diag_try();
	out->nft = nft_find() ? 0 : ENOENT;
	rings_probe(out);
	return namespaces_read(out, err);
}
