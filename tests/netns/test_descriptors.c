/* load.nofile: what the process that has the load's sockets is to the kernel, by /proc, and what it is
 * refused. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "child_find.h"
#include "drive_help.h"
#include "sys/maker.h"

#define SMALL "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"

enum { LIMITS_MOST = 4096 };

/* What /proc says of the process that has them, while they live. */
struct seen {
	unsigned long soft;
	unsigned descriptors;
};

static void read_limits(struct seen *seen, pid_t pid)
{
	char path[64], all[LIMITS_MOST];
	const char *line;
	struct text text;

	snprintf(path, sizeof(path), "/proc/%d/limits", (int)pid);
	text = help_file(path, all, sizeof(all) - 1);
	all[text.len] = '\0';
	line = strstr(all, "Max open files");
	CU_ASSERT(line && sscanf(line, "Max open files %lu", &seen->soft) == 1);
}

/* stdin, stdout, stderr and sockets: but for its end towards lastport, which lies beyond the limit. */
static void count_descriptors(struct seen *seen, pid_t pid)
{
	char path[64];
	const struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		seen->descriptors +=
			entry->d_name[0] != '.' && strtoul(entry->d_name, NULL, 10) < seen->soft;
	CU_ASSERT(dir && closedir(dir) == 0);
}

/* None of them closed: 13 of 16, and all others are refused. */
static void a_process_has_as_many_sockets_as_its_limit_leaves(void)
{
	static const char *const protocols[] = {"tcp", "udp"};

	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		struct seen seen = {0};
		char lines[200];
		struct drive d;
		pid_t pid;

		snprintf(lines, sizeof(lines),
			 SMALL "load: {protocol: %s, nofile: 16, rate: 200/s, duration: 10s, end: "
			       "leak, on_failure: continue}",
			 protocols[i]);
		drive_open(&d, lines);
		drive_start(&d);
		CU_ASSERT(drive_await(&d.pulse.failed, 3));
		pid = child_find("lastport-load");
		CU_ASSERT(pid > 0);
		read_limits(&seen, pid);
		count_descriptors(&seen, pid);
		drive_end(&d, SIGTERM);
		CU_ASSERT_EQUAL(seen.soft, 16);
		CU_ASSERT_EQUAL(seen.descriptors, 16);
		CU_ASSERT_EQUAL(child_find("lastport-load"), 0);
		CU_ASSERT_EQUAL(d.tape.tally.opened, 13);
		CU_ASSERT_EQUAL(d.tape.tally.errors[STAGE_SOCKET][EMFILE], d.tape.tally.failed);
		CU_ASSERT(!d.tape.exhausted);
		CU_ASSERT_EQUAL(last_dump(&d.tape)->used_max, 13);
		help_close(&d.h);
	}
}

/* Four at a time fit into seven, whatever becomes of them. */
static void a_closed_socket_is_no_descriptor(void)
{
	static const struct {
		const char *lines;
		int state; /* of all of them, afterwards; 0: none is left */
	} cases[] = {
		{"end: close", STATE_TIME_WAIT},
		{"end: reset", 0},
		{"end: shutdown", STATE_TIME_WAIT},
		{"end: disconnect", 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char lines[200];
		struct drive d;

		snprintf(lines, sizeof(lines),
			 SMALL "load: {nofile: 7, concurrency: 4, total: 32, %s}", cases[i].lines);
		drive_lines(&d, lines);
		CU_ASSERT_EQUAL(d.tape.tally.opened, 32);
		CU_ASSERT_EQUAL(d.tape.tally.failed, 0);
		CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_TIME_WAIT],
				cases[i].state ? 32 : 0);
		CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_ESTABLISHED], 0);
		help_close(&d.h);
	}
}

/* One more than fits at a time is refused; not one less. */
static void a_limit_is_exact(void)
{
	for (unsigned own = 0; own < 2; own++) {
		char lines[200];
		struct drive d;

		snprintf(lines, sizeof(lines),
			 SMALL "load: {nofile: %u, concurrency: 8, total: 8, hold: 300ms, end: "
			       "reset, on_failure: continue}",
			 11 - own);
		drive_lines(&d, lines);
		CU_ASSERT_EQUAL(d.tape.tally.errors[STAGE_SOCKET][EMFILE], own);
		CU_ASSERT_EQUAL(d.tape.tally.opened, 8 - own);
		help_close(&d.h);
	}
}

static void ports_that_end_first_are_told_as_ports(void)
{
	struct drive d;

	drive_lines(&d, "network: {ports: 40000-40007}\n"
			"load: {nofile: 64, concurrency: 1, total: 20, end: leak}");
	CU_ASSERT_EQUAL(d.tape.tally.opened, 8);
	CU_ASSERT(d.tape.exhausted);
	CU_ASSERT_EQUAL(d.tape.tally.errors[STAGE_SOCKET][EMFILE], 0);
	CU_ASSERT(d.tape.tally.errors[STAGE_CONNECT][EADDRNOTAVAIL] >= 1);
	help_close(&d.h);
}

/* Who wants its port is refused by bind() as ever, and has no descriptor of it: of five, four are leaked, and
 * the fifth is had by several in turn, each of which waits to be tried again. */
static void what_bind_refuses_is_no_descriptor(void)
{
	struct drive d;

	drive_lines(&d, "network: {ports: 40000-40003}\n"
			"load: {nofile: 8, bind: address, concurrency: 3, total: 8, end: leak, "
			"on_failure: {retry: 20, wait: 50ms, then: continue}}\n"
			"stop: {when: never}");
	CU_ASSERT_EQUAL(d.tape.tally.opened, 4);
	CU_ASSERT_EQUAL(d.tape.tally.errors[STAGE_SOCKET][EMFILE], 0);
	CU_ASSERT_EQUAL(d.tape.tally.errors[STAGE_BIND][EADDRINUSE], d.tape.tally.failed);
	CU_ASSERT_EQUAL(d.tape.tally.gave_up, 4);
	help_close(&d.h);
}

/* What becomes of the load's process is lastport's own trouble, and none of the kernel's refusals. */
static void a_process_that_is_no_more_ends_the_run(void)
{
	struct drive d;

	drive_open(&d, SMALL "load: {nofile: 16, rate: 200/s, total: 2000, on_failure: continue}");
	drive_start(&d);
	CU_ASSERT(drive_await(&d.pulse.opened, 3));
	CU_ASSERT_FATAL(kill(child_find("lastport-load"), SIGKILL) == 0);
	drive_end(&d, 0);
	CU_ASSERT_FALSE(d.ok);
	CU_ASSERT_EQUAL(d.h.err.kind, ERR_SYS);
	CU_ASSERT_EQUAL(d.tape.tally.failed, 0);
	CU_ASSERT(d.tape.tally.opened < 2000);
	help_close(&d.h);
}

static const struct maker_wish tcp = {AF_INET, SOCK_STREAM, 0};

static void a_limit_that_cannot_be_had_is_an_error(void)
{
	struct maker maker;
	struct err err = {0};

	CU_ASSERT_FALSE(maker_start(&maker, 1U << 30, &err));
	CU_ASSERT_EQUAL(err.kind, ERR_SYS);
	CU_ASSERT_EQUAL(child_find("lastport-load"), 0);
}

/* Sends `count` descriptors that nobody receives until both ends are closed. */
static void put_in_flight(const int pair[2], unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		CU_ASSERT_FATAL(child_send(pair[0], "", 1, pair[0]));
}

/* What others have under way is theirs. */
static void a_copy_is_to_be_had_whatever_is_in_flight(void)
{
	struct maker maker;
	struct made made;
	struct err err = {0};
	int pair[2];

	CU_ASSERT_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	put_in_flight(pair, 32);
	CU_ASSERT_FATAL(maker_start(&maker, 4, &err));
	CU_ASSERT(maker_socket(&made, &maker, &tcp, &err));
	CU_ASSERT(made.fd >= 0);
	CU_ASSERT_EQUAL(made.number, STDIO);
	close(made.fd);
	CU_ASSERT(maker_socket(&made, &maker, &tcp, &err));
	CU_ASSERT_EQUAL(made.fd, -EMFILE);
	maker_stop(&maker);
	close(pair[0]);
	close(pair[1]);
}

/* Who asks has no room for a copy: that process keeps nothing of it. */
static void a_socket_without_a_copy_is_closed(void)
{
	struct rlimit before, full;
	struct seen seen = {0};
	struct maker maker;
	struct made made;
	struct err err = {0};
	int next;

	CU_ASSERT_FATAL(maker_start(&maker, 8, &err));
	CU_ASSERT_FATAL(getrlimit(RLIMIT_NOFILE, &before) == 0);
	next = dup(maker.child.fd);
	close(next);
	full = (struct rlimit){(rlim_t)next, before.rlim_max};
	CU_ASSERT_FATAL(setrlimit(RLIMIT_NOFILE, &full) == 0);
	CU_ASSERT_FALSE(maker_socket(&made, &maker, &tcp, &err));
	CU_ASSERT_FATAL(setrlimit(RLIMIT_NOFILE, &before) == 0);
	CU_ASSERT_EQUAL(err.kind, ERR_SYS);
	read_limits(&seen, maker.child.pid);
	count_descriptors(&seen, maker.child.pid);
	CU_ASSERT_EQUAL(seen.soft, 8);
	CU_ASSERT_EQUAL(seen.descriptors, STDIO);
	maker_stop(&maker);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, a_process_has_as_many_sockets_as_its_limit_leaves),
	TEST_UNLESS(help_no_network, a_closed_socket_is_no_descriptor),
	TEST_UNLESS(help_no_network, a_limit_is_exact),
	TEST_UNLESS(help_no_network, ports_that_end_first_are_told_as_ports),
	TEST_UNLESS(help_no_network, what_bind_refuses_is_no_descriptor),
	TEST_UNLESS(help_no_network, a_process_that_is_no_more_ends_the_run),
	TEST(a_limit_that_cannot_be_had_is_an_error),
	TEST(a_copy_is_to_be_had_whatever_is_in_flight),
	TEST(a_socket_without_a_copy_is_closed),
	TESTS_END,
};

const struct suite suite_descriptors = {"descriptors", tests};
