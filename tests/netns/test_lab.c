/* Labs: what crosses them, and what is left of them. */
#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/lab.h"
#include "lab_help.h"
#include "suites.h"
#include "sys/clock.h"
#include "sys/netns.h"
#include "sys/rights.h"
#include "sys/sysctl.h"

static void a_connection_crosses_the_veth(void)
{
	struct help h;

	CU_ASSERT_FATAL(help_open(&h, "network: {ports: 40000-40031}"));
	CU_ASSERT_EQUAL(help_cross(&h, 0), 0);
	help_close(&h);
}

static void a_connection_stays_on_loopback(void)
{
	struct stat client, server;
	struct help h;

	CU_ASSERT_FATAL(help_open(&h, "network: {topology: loopback, servers: 3, sources: 2}"));
	CU_ASSERT_EQUAL(fstat(h.lab.client_ns, &client), 0);
	CU_ASSERT_EQUAL(fstat(h.lab.server_ns, &server), 0);
	CU_ASSERT_EQUAL(client.st_ino, server.st_ino);
	CU_ASSERT_EQUAL(help_cross(&h, 0), 0);
	CU_ASSERT_EQUAL(help_cross(&h, &h.plan.sources.list[1]), 0);
	help_close(&h);
}

static void count_lines(struct help *h, void *context)
{
	char buffer[4096];
	struct text rest = help_file("/proc/thread-self/net/arp", buffer, sizeof(buffer)), line;

	(void)h;
	while (text_cut(&rest, '\n', &line))
		++*(unsigned *)context;
}

static void many_addresses_are_behind_one_neighbour(void)
{
	unsigned lines = 0;
	struct help h;

	CU_ASSERT_FATAL(help_open(&h, "network: {sources: 600, servers: 300}"));
	CU_ASSERT_EQUAL(help_cross(&h, &h.plan.sources.list[0]), 0);
	CU_ASSERT_EQUAL(help_cross(&h, &h.plan.sources.list[599]), 0);
	CU_ASSERT(help_inside(&h, LAB_CLIENT, count_lines, &lines));
	CU_ASSERT_EQUAL(lines, 2); /* and a heading */
	help_close(&h);
}

/* A line of /proc/net/snmp6. */
static void count_solicited(struct help *h, void *context)
{
	char buffer[16384];
	struct text rest = help_file("/proc/thread-self/net/snmp6", buffer, sizeof(buffer)), line;
	bool found = false;

	(void)h;
	while (text_cut(&rest, '\n', &line))
		found |= sscanf(line.s, "Icmp6OutNeighborSolicits %u", (unsigned *)context) == 1;
	CU_ASSERT(found);
}

/* Whoever is asked for can be late. */
static void a_neighbour_is_known_and_never_asked_for(void)
{
	static const char *const rows[] = {"network: {family: ipv6}",
					   "network: {family: ipv6, sources: 3, servers: 3}"};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static const enum lab_role roles[] = {LAB_CLIENT, LAB_SERVER};
		struct help h;

		CU_ASSERT_FATAL(help_open(&h, rows[i]));
		CU_ASSERT_EQUAL(help_cross(&h, 0), 0);
		for (size_t k = 0; k < 2; k++) {
			unsigned asked = 0;

			CU_ASSERT(help_inside(&h, roles[k], count_solicited, &asked));
			CU_ASSERT_EQUAL(asked, 0);
		}
		help_close(&h);
	}
}

static void listen_there(struct help *h, void *context)
{
	*(int *)context = help_listen(&h->plan);
}

static void a_range_that_leaves_only_low_ports_is_served_from_them(void)
{
	static const char *const rows[] = {
		"network: {ports: 1024-65535}",
		"network: {ports: 1000-65535}",
		"network: {ports: 2-65535}",
		"network: {ports: 1024-65535, topology: loopback}",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct help h;

		CU_ASSERT_FATAL(help_open(&h, rows[i]));
		CU_ASSERT(h.plan.service_first < 1024);
		CU_ASSERT_EQUAL(help_cross(&h, 0), 0);
		help_close(&h);
	}
}

static void two_labs_do_not_meet(void)
{
	struct help a, b;
	int listener = -1;

	CU_ASSERT_FATAL(help_open(&a, "network: {ports: 40000-40031}"));
	CU_ASSERT_FATAL(help_open(&b, "network: {ports: 40000-40031}"));
	CU_ASSERT(help_inside(&a, LAB_SERVER, listen_there, &listener));
	CU_ASSERT(listener >= 0);
	CU_ASSERT_EQUAL(help_cross(&b, 0), 0);
	close(listener);
	help_close(&a);
	CU_ASSERT_EQUAL(help_cross(&b, 0), 0);
	help_close(&b);
}

/* Is a process, or a thread of ours, in the namespace? */
static bool in_use(ino_t inode, const char *where)
{
	DIR *dir = opendir(where);
	bool found = false;

	for (struct dirent *d; dir && (d = readdir(dir)) != NULL;) {
		char path[300];
		struct stat s;

		snprintf(path, sizeof(path), "%s/%s/ns/net", where, d->d_name);
		found = found || (stat(path, &s) == 0 && s.st_ino == inode);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* A thread that was joined leaves its namespace a moment later. */
static bool soon_unused(ino_t inode)
{
	for (int i = 0; i < 500; i++) {
		if (!in_use(inode, "/proc") && !in_use(inode, "/proc/self/task"))
			return true;
		clock_sleep(10000000);
	}
	return false;
}

static void nothing_is_left_of_a_lab(void)
{
	unsigned descriptors = help_descriptors(), named = help_names("/run/netns");
	ino_t home = help_namespace();
	struct stat client, server;
	struct help h;

	CU_ASSERT_FATAL(help_open(&h, "network: {ports: 40000-40031}"));
	CU_ASSERT_EQUAL(fstat(h.lab.client_ns, &client), 0);
	CU_ASSERT_EQUAL(fstat(h.lab.server_ns, &server), 0);
	CU_ASSERT_NOT_EQUAL(client.st_ino, server.st_ino);
	CU_ASSERT_NOT_EQUAL(client.st_ino, home);
	CU_ASSERT_EQUAL(help_descriptors(), descriptors + 2);
	CU_ASSERT_EQUAL(help_cross(&h, 0), 0);
	lab_close(&h.lab);
	lab_close(&h.lab);
	CU_ASSERT_EQUAL(help_namespace(), home);
	CU_ASSERT_EQUAL(help_descriptors(), descriptors);
	CU_ASSERT_EQUAL(help_names("/run/netns"), named);
	CU_ASSERT(soon_unused(client.st_ino));
	CU_ASSERT(soon_unused(server.st_ino));
	help_close(&h);
}

static void nothing_is_left_of_a_lab_that_could_not_be_built(void)
{
	unsigned descriptors = help_descriptors();
	ino_t home = help_namespace();
	struct help h;

	CU_ASSERT_FALSE(help_open(&h, "network: {sysctl: {net.ipv4.tcp_syn_retries: 200}}"));
	CU_ASSERT_EQUAL(help_descriptors(), descriptors);
	CU_ASSERT_EQUAL(help_namespace(), home);
	help_close(&h);
}

/* In a user namespace that may have three network namespaces. A lab takes three while it is
 * built: there is room for the next one only when the kernel has freed the last, which it does
 * a moment later. */
static bool little_room(void)
{
	struct err err = {0};
	int most;
	bool set;

	if (!rights_userns(&err))
		return false;
	most = open("/proc/sys/user/max_net_namespaces", O_WRONLY | O_CLOEXEC);
	set = most >= 0 && write(most, "3", 1) == 1;
	if (most >= 0)
		close(most);
	return set;
}

/* Tries for 30 s, far longer than the kernel takes, and far shorter than a socket that repeats
 * its FIN. */
static bool build_in_little_room(struct help *h)
{
	const int64_t begin = clock_now();

	while (!help_open(h, "network: {ports: 40000-40031}")) {
		bool full = h->err.kind == ERR_HOST && clock_now() - begin < INT64_C(30000000000);

		help_close(h);
		if (!full)
			return false;
		clock_sleep(50000000);
	}
	return true;
}

static int build_one_after_the_other(void)
{
	struct help h;

	if (!little_room())
		return 1;
	for (int i = 0; i < 5; i++) {
		if (!build_in_little_room(&h))
			return 2;
		if (help_cross(&h, 0))
			return 3;
		help_close(&h);
	}
	return 0;
}

static void the_kernel_frees_a_lab_that_is_closed(void)
{
	CU_ASSERT_EQUAL(help_child(build_one_after_the_other), 0);
}

static void *link_cut(void *argument)
{
	struct help *h = argument;
	struct ifreq veth = {.ifr_name = "veth0"}; /* down */
	int fd;

	if (!netns_enter(h->lab.server_ns, &h->err))
		return NULL;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ioctl(fd, SIOCSIFFLAGS, &veth) < 0)
		argument = NULL;
	close(fd);
	return argument;
}

static void connect_and_keep(struct help *h, void *context)
{
	*(int *)context = help_connection(h->plan.family, NULL, h->plan.servers.list[0],
					  h->plan.service_first);
}

/* The client's FIN finds nobody, and its socket lives on without an owner. */
static int build_after_a_cut(void)
{
	int listener = -1, client = -1;
	struct help h;
	pthread_t thread;
	void *cut = NULL;

	if (!little_room() || !build_in_little_room(&h))
		return 1;
	if (!help_inside(&h, LAB_SERVER, listen_there, &listener) || listener < 0)
		return 2;
	if (!help_inside(&h, LAB_CLIENT, connect_and_keep, &client) || client < 0)
		return 3;
	if (pthread_create(&thread, NULL, link_cut, &h) || pthread_join(thread, &cut) || !cut)
		return 4;
	close(client);
	close(listener);
	help_close(&h);
	if (!build_in_little_room(&h))
		return 5;
	help_close(&h);
	return 0;
}

static void a_last_fin_that_nobody_answers_does_not_keep_the_lab(void)
{
	CU_ASSERT_EQUAL(help_child(build_after_a_cut), 0);
}

static void an_empty_lab_may_be_closed(void)
{
	unsigned descriptors = help_descriptors();
	struct lab lab = {0};

	lab_close(&lab);
	lab_close(&lab);
	CU_ASSERT_EQUAL(help_descriptors(), descriptors);
}

/* The host's settings and links, in one text. */
static struct text host_state(struct arena *a)
{
	static const char *const settings[] = {
		"ip_local_port_range",
		"ip_local_reserved_ports",
		"ip_unprivileged_port_start",
		"tcp_tw_reuse",
		"tcp_tw_reuse_delay",
		"tcp_max_tw_buckets",
		"tcp_max_syn_backlog",
		"tcp_timestamps",
		"tcp_child_ehash_entries",
		"tcp_fin_timeout",
		"conf/all/rp_filter",
		"ip_forward",
		"tcp_rmem",
	};
	struct text all = {0};
	char value[2048];

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		struct text name = text_format(a, "net/ipv4/%s", settings[i]);

		sysctl_read(name, value, sizeof(value));
		all = text_format(a, TEXT_FMT TEXT_FMT "=%s\n", TEXT_ARG(all), TEXT_ARG(name),
				  value);
	}
	sysctl_read(TEXT("net.core.somaxconn"), value, sizeof(value));
	return text_format(a, TEXT_FMT "%s links=%u", TEXT_ARG(all), value,
			   help_names("/sys/class/net"));
}

static void the_host_is_as_before(void)
{
	struct arena a;
	struct text before;
	struct help h;

	CU_ASSERT_FATAL(arena_open(&a, 1 << 20));
	before = host_state(&a);
	CU_ASSERT_FATAL(
		help_open(&h, "network: {ports: 1000-2001, reserved: [1500], sources: 3, sysctl: "
			      "{net.ipv4.tcp_tw_reuse: 0, net.ipv4.tcp_timestamps: 0, "
			      "net.ipv4.tcp_fin_timeout: 5, net.ipv4.tcp_rmem: 4096 8192 16384}}"));
	CU_ASSERT(text_eq(host_state(&a), before));
	help_close(&h);
	CU_ASSERT(text_eq(host_state(&a), before));
	arena_close(&a);
}

static void *build_some(void *argument)
{
	const char *lines = argument;
	bool good = true;

	for (int i = 0; i < 5 && good; i++) {
		struct help h;

		good = help_open(&h, lines) && help_cross(&h, 0) == 0;
		help_close(&h);
	}
	return good ? argument : NULL;
}

static void labs_are_built_in_parallel(void)
{
	char lines[] = "network: {ports: 40000-40031}";
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, build_some, lines), 0);
	for (size_t i = 0; i < 4; i++) {
		void *good = NULL;

		CU_ASSERT_EQUAL(pthread_join(threads[i], &good), 0);
		CU_ASSERT_PTR_NOT_NULL(good);
	}
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, a_connection_crosses_the_veth),
	TEST_UNLESS(help_no_network, a_connection_stays_on_loopback),
	TEST_UNLESS(help_no_network, a_neighbour_is_known_and_never_asked_for),
	TEST_UNLESS(help_no_network, many_addresses_are_behind_one_neighbour),
	TEST_UNLESS(help_no_network, a_range_that_leaves_only_low_ports_is_served_from_them),
	TEST_UNLESS(help_no_network, two_labs_do_not_meet),
	TEST_UNLESS(help_no_network, nothing_is_left_of_a_lab),
	TEST_UNLESS(help_no_network, nothing_is_left_of_a_lab_that_could_not_be_built),
	TEST_UNLESS(help_no_userns, the_kernel_frees_a_lab_that_is_closed),
	TEST_UNLESS(help_no_userns, a_last_fin_that_nobody_answers_does_not_keep_the_lab),
	TEST(an_empty_lab_may_be_closed),
	TEST_UNLESS(help_no_network, the_host_is_as_before),
	TEST_UNLESS(help_no_network, labs_are_built_in_parallel),
	TESTS_END,
};

const struct suite suite_lab = {"lab", tests};
