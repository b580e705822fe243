/* end: disconnect: one socket is many connections, one after another, by the inode that the kernel's
 * table has of it. */
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drive/work.h"
#include "drive_help.h"
#include "suites.h"
#include "sys/clock.h"

enum { SEEN_MOST = 3, LOOKS_MOST = 5000 };

/* Of the connections that were seen open, each told by its port: the inodes of their sockets. */
struct seen {
	unsigned port[SEEN_MOST];
	unsigned long inode[SEEN_MOST];
	unsigned n;
};

static void note(struct seen *s, unsigned port, unsigned long inode)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->port[i] == port)
			return;
	if (s->n < SEEN_MOST) {
		s->port[s->n] = port;
		s->inode[s->n++] = inode;
	}
}

/* State 01 of net/tcp_states.h; proc_net_tcp(5). */
static void look(struct help *h, void *context)
{
	FILE *table = fopen("/proc/thread-self/net/tcp", "re");
	unsigned port, state;
	unsigned long inode;
	char line[512];

	(void)h;
	while (table && fgets(line, sizeof(line), table))
		if (sscanf(line, " %*u: %*x:%x %*x:%*x %x %*x:%*x %*x:%*x %*x %*u %*u %lu", &port,
			   &state, &inode) == 3 &&
		    state == STATE_ESTABLISHED)
			note(context, port, inode);
	if (table)
		fclose(table);
}

/* Until as many have been seen as there is room for: the load goes on until it is interrupted. */
static void watch(struct drive *d, const char *lines, struct seen *seen)
{
	*seen = (struct seen){0};
	drive_open(d, lines);
	drive_start(d);
	for (int i = 0; i < LOOKS_MOST && seen->n < SEEN_MOST; i++) {
		CU_ASSERT(help_inside(&d->h, LAB_CLIENT, look, seen));
		clock_sleep(1000000);
	}
	drive_end(d, SIGINT);
	CU_ASSERT_EQUAL(seen->n, SEEN_MOST);
	help_close(&d->h);
}

#define ONE_AT_A_TIME "network: {ports: 40000-40031}\nload: {concurrency: 1, hold: 20ms, end: "

static void a_disconnected_socket_is_the_next_connection(void)
{
	struct drive d;
	struct seen seen;

	watch(&d, ONE_AT_A_TIME "disconnect}", &seen);
	CU_ASSERT(seen.inode[0] != 0);
	CU_ASSERT(seen.inode[1] == seen.inode[0] && seen.inode[2] == seen.inode[0]);
	watch(&d, ONE_AT_A_TIME "reset}", &seen);
	CU_ASSERT(seen.inode[1] != seen.inode[0] && seen.inode[2] != seen.inode[1]);
}

static bool has_options(int fd)
{
	int nodelay = 0, tries = 0;
	char device[16] = {0};
	socklen_t len = sizeof(int), device_len = sizeof(device);

	return getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, &device_len) == 0 &&
	       getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, &len) == 0 &&
	       getsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &tries, &len) == 0 &&
	       strcmp(device, "veth0") == 0 && nodelay == 1 && tries == 2;
}

/* Of the sockets that were leaked: each keeps the slot that it had, from the first on. */
static void count_with_options(void *context, struct worker *w)
{
	unsigned *n = context;

	for (uint32_t k = 0; k < w->tape->tally.leaked; k++) {
		int fd = ring_lend(w->rings[k / w->plan->ring_slots], k % w->plan->ring_slots);

		CU_ASSERT_FATAL(fd >= 0);
		*n += has_options(fd);
		close(fd);
	}
}

static const char *no_look(void)
{
	return help_no_network() ? help_no_network() : help_no_lending();
}

/* A socket of some connections that were disconnected is leaked with the last of them: a device cannot
 * be set a second time, by whom may not do all. */
static void a_socket_that_is_used_again_has_its_options(void)
{
	static const char *const binds[] = {"none", "address"};

	for (size_t i = 0; i < sizeof(binds) / sizeof(binds[0]); i++) {
		unsigned n = 0;
		char lines[300];
		struct drive d;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40999}\nload: {bind: %s, concurrency: 1, total: "
			 "60, end: disconnect, mix: {leak: 30%%}, options: {device: veth0, "
			 "nodelay: true, syn_count: 2}}",
			 binds[i]);
		drive_open(&d, lines);
		drive_looked_at(&d, count_with_options, &n);
		CU_ASSERT(d.ok && d.tape.complete);
		CU_ASSERT_EQUAL(d.tape.tally.failed, 0);
		CU_ASSERT(d.tape.tally.leaked > 10 && d.tape.tally.reset > 30);
		CU_ASSERT_EQUAL(n, d.tape.tally.leaked);
		CU_ASSERT_EQUAL(counter_moved(&d.tape, "ActiveOpens"), 60);
		CU_ASSERT_EQUAL(counter_moved(&d.tape, "OutRsts"), 60 - n);
		help_close(&d.h);
	}
}

/* A far end that resets does so before the shutdown, which finds no connection: it is a reset still. */
static void a_reset_before_the_shutdown_is_a_reset(void)
{
	struct drive d;

	drive_lines(&d, "network: {ports: 40000-40031}\nserver: {behaviour: reset}\n"
			"load: {concurrency: 4, total: 40, hold: 50ms, end: shutdown, on_failure: "
			"continue}");
	CU_ASSERT(d.ok && d.tape.complete);
	CU_ASSERT_EQUAL(d.tape.tally.errors[STAGE_RECEIVE][ECONNRESET], 40);
	CU_ASSERT_EQUAL(d.tape.tally.errors[STAGE_SHUTDOWN][ENOTCONN], 0);
	CU_ASSERT_EQUAL(d.tape.tally.reset, 40);
	help_close(&d.h);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, a_reset_before_the_shutdown_is_a_reset),
	TEST_UNLESS(help_no_network, a_disconnected_socket_is_the_next_connection),
	TEST_UNLESS(no_look, a_socket_that_is_used_again_has_its_options),
	TESTS_END,
};

const struct suite suite_reuse = {"reuse", tests};
