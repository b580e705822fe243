/* end: disconnect: one socket is many connections, one after another, by the inode that the kernel's
 * table has of it. */
#include <signal.h>
#include <stdio.h>

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

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, a_disconnected_socket_is_the_next_connection),
	TESTS_END,
};

const struct suite suite_reuse = {"reuse", tests};
