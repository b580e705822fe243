/* load.options.mptcp: sockets of Multipath TCP, by what the kernel says of them, against a far end that
 * speaks plain TCP. They use up the same ports. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drive/work.h"
#include "drive_help.h"

#define SMALL "network: {ports: 40000-40031"
#define LEAKS "load: {concurrency: 1, end: leak, options: {mptcp: true}"

enum { NETSTAT_MOST = 1 << 16 };

static const char *no_multipath(void)
{
	return help_no_network()    ? help_no_network()
	       : help_host()->mptcp ? "the kernel has no MPTCP (CONFIG_MPTCP)"
				    : help_no_lending();
}

/* What the load's first socket is, and what its namespace counts. */
struct seen {
	int protocol;
	long long fallbacks;
};

/* The number below a name, of the two lines that begin with `section`; -1: there is none. */
static long long counter(const char *section, const char *name)
{
	static char all[NETSTAT_MOST];
	struct text text = help_file("/proc/thread-self/net/netstat", all, sizeof(all) - 1);
	char *names, *values, *more[2];

	all[text.len] = '\0';
	names = strstr(all, section);
	values = names ? strstr(names + 1, section) : NULL;
	if (!values)
		return -1;
	values[-1] = '\0';
	names = strtok_r(names, " \n", &more[0]);
	values = strtok_r(values, " \n", &more[1]);
	while (names && values && strcmp(names, name) != 0) {
		names = strtok_r(NULL, " \n", &more[0]);
		values = strtok_r(NULL, " \n", &more[1]);
	}
	return names && values ? atoll(values) : -1;
}

static void see(void *context, struct worker *w)
{
	struct seen *seen = context;
	socklen_t len = sizeof(seen->protocol);
	int fd = ring_lend(w->rings[0], 0);

	if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &seen->protocol, &len) < 0)
		seen->protocol = -errno;
	close(fd);
	seen->fallbacks = counter("MPTcpExt:", "MPCapableFallbackSYNACK");
}

/* Its protocol is MPTCP's; each SYN asked for it, and was answered without it. */
static void a_socket_of_mptcp_is_one_and_falls_back(void)
{
	for (int classic = 0; classic < 2; classic++) {
		struct seen seen = {0};
		struct drive d;

		drive_open(&d, SMALL "}\n" LEAKS ", total: 5}");
		d.h.plan.loads[0].classic_sockets = classic;
		drive_looked_at(&d, see, &seen);
		CU_ASSERT(d.ok);
		CU_ASSERT_EQUAL(d.tape.tally.opened, 5);
		CU_ASSERT_EQUAL(seen.protocol, IPPROTO_MPTCP);
		CU_ASSERT_EQUAL(seen.fallbacks, 5);
		CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_ESTABLISHED], 5);
		help_close(&d.h);
	}
}

/* As many as of plain TCP, and the same answer. */
static void as_many_ports_carry_as_many_connections(void)
{
	static const char *const families[] = {"ipv4", "ipv6", "mapped"};

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		char lines[200];
		struct drive d;

		snprintf(lines, sizeof(lines), SMALL ", family: %s}\n" LEAKS ", total: 40}",
			 families[i]);
		drive_lines(&d, lines);
		CU_ASSERT_EQUAL(d.tape.tally.opened, 32);
		CU_ASSERT(d.tape.exhausted);
		CU_ASSERT(d.tape.tally.errors[STAGE_CONNECT][EADDRNOTAVAIL] >= 1);
		CU_ASSERT_EQUAL(last_dump(&d.tape)->used_max, 32);
		help_close(&d.h);
	}
}

/* A client that closes first waits, as it does with plain TCP. */
static void a_closed_one_is_in_time_wait(void)
{
	struct drive d;

	drive_lines(&d, SMALL ", sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
			      "load: {concurrency: 1, total: 40, options: {mptcp: true}}");
	CU_ASSERT_EQUAL(d.tape.tally.opened, 32);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_TIME_WAIT], 32);
	help_close(&d.h);
}

/* Where plain TCP has a RST for what was not read, and no TIME_WAIT. */
static void one_with_an_unread_answer_waits_all_the_same(void)
{
	for (int multi = 0; multi < 2; multi++) {
		char lines[300];
		struct drive d;

		snprintf(lines, sizeof(lines),
			 SMALL ", sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
			       "load: {concurrency: 1, total: 20, options: {mptcp: %s}, request: "
			       "{send: 8B, receive: 8B, read: false}}",
			 multi ? "true" : "false");
		drive_lines(&d, lines);
		CU_ASSERT_EQUAL(d.tape.tally.requests_done, 20);
		CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_TIME_WAIT], multi ? 20 : 0);
		CU_ASSERT_EQUAL(d.tape.tally.closed, multi ? 20 : 0);
		CU_ASSERT_EQUAL(d.tape.tally.reset, multi ? 0 : 20);
		help_close(&d.h);
	}
}

static void where_it_is_off_there_is_no_socket(void)
{
	struct drive d;

	drive_lines(&d, SMALL ", sysctl: {net.mptcp.enabled: 0}}\n" LEAKS ", total: 1}");
	CU_ASSERT_EQUAL(d.tape.tally.errors[STAGE_SOCKET][ENOPROTOOPT], 1);
	CU_ASSERT(!d.tape.exhausted);
	help_close(&d.h);
}

static const struct test tests[] = {
	TEST_UNLESS(no_multipath, a_socket_of_mptcp_is_one_and_falls_back),
	TEST_UNLESS(no_multipath, as_many_ports_carry_as_many_connections),
	TEST_UNLESS(no_multipath, a_closed_one_is_in_time_wait),
	TEST_UNLESS(no_multipath, one_with_an_unread_answer_waits_all_the_same),
	TEST_UNLESS(no_multipath, where_it_is_off_there_is_no_socket),
	TESTS_END,
};

const struct suite suite_multipath = {"multipath", tests};
