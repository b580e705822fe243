/* Who takes a connection's port, and by which order: load.bind and load.order, by what the kernel's own
 * table says of the load's connections. */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drive_help.h"
#include "look_help.h"
#include "suites.h"
#include "sys/plain.h"

static const char *no_window(void)
{
	return help_no_network()	  ? help_no_network()
	       : help_host()->port_window ? "no IP_LOCAL_PORT_RANGE (Linux 6.3)"
					  : NULL;
}

static const char *no_window_look(void)
{
	return no_window() ? no_window() : look_none();
}

/* ---- load.bind ------------------------------------------------------------ */

/* What the kernel's own table says of the client's connections, at the end of the load. */
struct seen {
	struct dump dump;
	uint16_t lo, hi;
	unsigned sockets, ports; /* connections; different ones among their local ports */
	bool used[65536];
};

static void see(void *context, const struct socket_seen *s)
{
	struct seen *seen = context;

	if (s->state != STATE_ESTABLISHED)
		return;
	seen->sockets++;
	seen->ports += !seen->used[s->local_port];
	seen->used[s->local_port] = true;
	seen->lo = seen->lo && seen->lo < s->local_port ? seen->lo : s->local_port;
	seen->hi = seen->hi > s->local_port ? seen->hi : s->local_port;
}

static void see_all(void *context, struct worker *w)
{
	static const struct socket_filter all = {.ports = {1024, 65535}, .domain = AF_INET};
	struct seen *seen = context;
	struct err err = {0};
	bool torn;

	(void)w;
	CU_ASSERT_FATAL(dump_open(&seen->dump, &err));
	CU_ASSERT(dump_run(&seen->dump, &all, see, seen, &torn, &err));
	dump_close(&seen->dump);
}

static void drive_seen(struct look *l, struct seen *seen, const char *lines, bool classic)
{
	struct drive_hooks hooks = {&l->interrupted, &l->pulse, -1, -1, 0, see_all, seen};

	memset(seen, 0, sizeof(*seen));
	look_open(l, lines);
	l->h.plan.loads[0].classic_sockets = classic;
	l->ok = drive_run(&l->tape, &l->h.plan, &l->h.lab, &hooks, &l->h.arena, &l->h.err);
	CU_ASSERT(l->ok);
	CU_ASSERT(tally_balances(&l->tape.tally));
}

static bool has_event(const struct tape *t, enum event_kind kind)
{
	for (size_t i = 0; i < t->event_count; i++)
		if (t->events[i].kind == kind)
			return true;
	return false;
}

/* Facts of the kernel, one a row: how many connections there can be, and who says that there can
 * be no more. */
static void who_takes_the_port_decides_for_what_it_is_taken(void)
{
	static const struct {
		const char *load; /* network: ports 40000-40031, and what is said */
		unsigned opened, ports;
		uint16_t lo, hi; /* within which the ports lie */
		enum stage stage;
		int error;
		bool exhausted;
	} rows[] = {
		/* connect() takes it for a destination, bind() for all of them. */
		{"services: 2}\nload: {bind: none", 64, 32, 40000, 40031, STAGE_CONNECT,
		 EADDRNOTAVAIL, true},
		{"services: 2}\nload: {bind: address-no-port", 64, 32, 40000, 40031, STAGE_CONNECT,
		 EADDRNOTAVAIL, true},
		{"services: 2}\nload: {bind: address", 32, 32, 40000, 40031, STAGE_BIND, EADDRINUSE,
		 true},
		{"services: 2, sources: 2}\nload: {bind: address", 64, 32, 40000, 40031, STAGE_BIND,
		 EADDRINUSE, true},
		{"sources: 4}\nload: {bind: address", 128, 32, 40000, 40031, STAGE_BIND, EADDRINUSE,
		 true},
		/* To all addresses: nobody may have the port on any. */
		{"services: 2}\nload: {bind: any", 32, 32, 40000, 40031, STAGE_BIND, EADDRINUSE,
		 true},
		{"services: 2}\nload: {bind: any, options: {reuseaddr: true}", 32, 32, 40000, 40031,
		 STAGE_BIND, EADDRINUSE, true},
		/* Neither option is the cure. */
		{"services: 2}\nload: {bind: address, options: {reuseaddr: true}", 32, 32, 40000,
		 40031, STAGE_BIND, EADDRINUSE, true},
		{"services: 2}\nload: {bind: address, options: {reuseport: true}", 32, 32, 40000,
		 40031, STAGE_BIND, EADDRINUSE, true},
		/* A port, or an allocator of the program's own; within the range or not. */
		{"services: 2}\nload: {bind: port 45000", 1, 1, 45000, 45000, STAGE_BIND,
		 EADDRINUSE, true},
		{"sources: 3}\nload: {bind: port 40007", 3, 1, 40007, 40007, STAGE_BIND, EADDRINUSE,
		 true},
		{"services: 2}\nload: {bind: ports 45000-45009", 10, 10, 45000, 45009, STAGE_BIND,
		 EADDRINUSE, true},
		{"sources: 2}\nload: {bind: ports 45000-45009", 20, 10, 45000, 45009, STAGE_BIND,
		 EADDRINUSE, true},
		/* With SO_REUSEADDR the very connection is refused, not the port. */
		{"services: 2}\nload: {bind: port 45000, options: {reuseaddr: true}", 2, 1, 45000,
		 45000, STAGE_CONNECT, EADDRNOTAVAIL, false},
		{"services: 1}\nload: {bind: ports 45000-45009, options: {reuseaddr: true}", 10, 10,
		 45000, 45009, STAGE_CONNECT, EADDRNOTAVAIL, false},
		/* All that there can be, however many pairs take turns: each walks by itself. */
		{"services: 2}\nload: {bind: ports 45000-45003, options: {reuseaddr: true}", 8, 4,
		 45000, 45003, STAGE_CONNECT, EADDRNOTAVAIL, false},
		{"sources: 2, servers: 3}\nload: {bind: ports 45000-45003, options: {reuseaddr: "
		 "true}",
		 24, 4, 45000, 45003, STAGE_CONNECT, EADDRNOTAVAIL, false},
		{"sources: 2, servers: 2, services: 2}\nload: {bind: ports 45000-45005, options: "
		 "{reuseport: true}",
		 48, 6, 45000, 45005, STAGE_CONNECT, EADDRNOTAVAIL, false},
		/* IP_LOCAL_PORT_RANGE narrows what connect() chooses of. */
		{"services: 1}\nload: {bind: local-port-range 40004-40013", 10, 10, 40004, 40013,
		 STAGE_CONNECT, EADDRNOTAVAIL, true},
		{"services: 2}\nload: {bind: local-port-range 40005-40007", 6, 3, 40005, 40007,
		 STAGE_CONNECT, EADDRNOTAVAIL, true},
	};
	struct seen *seen = malloc(sizeof(*seen));

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		size_t k = i / 2;
		char lines[200];
		struct look l;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031, %s, end: leak, total: 200}", rows[k].load);
		drive_seen(&l, seen, lines, i % 2);
		if (l.tape.tally.opened != rows[k].opened)
			printf("%s: %llu\n", lines, (unsigned long long)l.tape.tally.opened);
		CU_ASSERT_EQUAL(l.tape.tally.opened, rows[k].opened);
		CU_ASSERT_EQUAL(l.tape.exhausted, rows[k].exhausted);
		CU_ASSERT(!l.tape.exhausted || l.tape.opened_before == rows[k].opened);
		CU_ASSERT(l.tape.tally.errors[rows[k].stage][rows[k].error] >= 1);
		CU_ASSERT_EQUAL(l.tape.tally.errors[rows[k].stage][rows[k].error],
				l.tape.tally.failed);
		CU_ASSERT_EQUAL(has_event(&l.tape, EVENT_TUPLE_TAKEN), !rows[k].exhausted);
		CU_ASSERT_EQUAL(seen->sockets, rows[k].opened);
		CU_ASSERT_EQUAL(seen->ports, rows[k].ports);
		CU_ASSERT(seen->lo >= rows[k].lo && seen->hi <= rows[k].hi);
		look_close(&l);
	}
	free(seen);
}

/* ip_autobind_reuse lets bind() hand out a port that is in use, by chance; then that connection may
 * exist. */
static void what_bind_hands_out_twice_is_refused_by_connect(void)
{
	struct look l;

	look_open(&l, "network: {ports: 40000-40031, services: 2, sysctl: "
		      "{net.ipv4.ip_autobind_reuse: 1}}\n"
		      "load: {bind: address, end: leak, total: 200, options: {reuseaddr: true}}");
	look_drive(&l);
	CU_ASSERT(!l.tape.exhausted);
	CU_ASSERT_EQUAL(l.tape.tally.errors[STAGE_BIND][EADDRINUSE], 0);
	CU_ASSERT(l.tape.tally.errors[STAGE_CONNECT][EADDRNOTAVAIL] >= 1);
	CU_ASSERT(l.tape.tally.opened < 64);
	CU_ASSERT(has_event(&l.tape, EVENT_TUPLE_TAKEN));
	look_close(&l);
}

/* ---- load.order ----------------------------------------------------------- */

enum { WINDOWED = 64, WINDOW = 40000 | (40000 + WINDOWED - 1) << 16 };

/* IP_LOCAL_PORT_RANGE of each connection's socket, in the order in which they were opened. */
static void see_windows(void *context, struct worker *w)
{
	int *windows = context;

	for (uint32_t k = 0; k < WINDOWED; k++) {
		int fd = look_lend(w, k);

		windows[k] = look_number(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE);
		close(fd);
	}
}

static void drive_windows(const char *order, bool classic, int *windows)
{
	char lines[160];
	struct look l;
	struct drive_hooks hooks = {&l.interrupted, &l.pulse, -1, -1, 0, see_windows, windows};

	snprintf(lines, sizeof(lines),
		 "network: {ports: 40000-40063}\n"
		 "load: {order: %s, concurrency: 1, total: %d, end: leak}",
		 order, WINDOWED);
	look_open(&l, lines);
	l.h.plan.loads[0].classic_sockets = classic;
	CU_ASSERT(drive_run(&l.tape, &l.h.plan, &l.h.lab, &hooks, &l.h.arena, &l.h.err));
	CU_ASSERT_EQUAL(l.tape.tally.opened, WINDOWED);
	look_close(&l);
}

/* Of 64 ports 28 are nearly half: one connection after the other, each from there on has it. */
static void a_range_is_set_from_nearly_half_the_ports_on(void)
{
	static const struct {
		const char *order;
		int first; /* that has it */
	} rows[] = {{"kernel", WINDOWED}, {"fast", 28}};

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		int windows[WINDOWED];

		memset(windows, 0xff, sizeof(windows)); /* -1: no socket */
		drive_windows(rows[i / 2].order, i % 2, windows);
		for (int k = 0; k < WINDOWED; k++)
			CU_ASSERT_EQUAL(windows[k], k < rows[i / 2].first ? 0 : WINDOW);
	}
}

/* ---- and beside others ---------------------------------------------------- */

static void see_inside(struct help *h, void *context)
{
	(void)h;
	see_all(context, NULL);
}

/* 20 connections of the range's 32 ports, and one from a port beyond them. */
static void a_port_outside_of_the_range_is_no_use_of_it(void)
{
	const struct sample *dump;
	const struct usage *u;
	struct drive d;
	struct seen seen = {.ports = 0};
	uint32_t lower = 0, used = 0;

	drive_open(&d, "network: {ports: 40000-40031}\n"
		       "loads:\n  named: {bind: port 45000, total: 1, end: leak}\n"
		       "  others: {total: 20, end: leak}\n"
		       "stop: {when: never, time: 1m}");
	drive_start(&d);
	CU_ASSERT(drive_await(&d.pulse.opened, 21));
	CU_ASSERT(help_inside(&d.h, LAB_CLIENT, see_inside, &seen));
	drive_end(&d, SIGTERM);
	for (int port = 40000; port <= 40031; port++) {
		used += seen.used[port];
		lower += seen.used[port] && port % 2 == 0;
	}
	CU_ASSERT(seen.ports == 21 && seen.used[45000] && used == 20);
	dump = last_dump(&d.tape);
	CU_ASSERT_FATAL(dump && dump->usage_count == 1);
	u = sample_usages(&d.tape, dump);
	CU_ASSERT(usage_used(u) == used && u->outside == 1 && u->lower == lower);
	CU_ASSERT(u->usable == 32 && usage_free(u) == 12 && dump->used_max == used);
	CU_ASSERT_EQUAL(dump->states[STATE_ESTABLISHED], 21);
	CU_ASSERT(d.tape.last_map->range.lo == 40000 && d.tape.last_map->range.hi == 40031);
	help_close(&d.h);
}

static const struct test tests[] = {
	TEST_UNLESS(no_window, who_takes_the_port_decides_for_what_it_is_taken),
	TEST_UNLESS(help_no_network, what_bind_hands_out_twice_is_refused_by_connect),
	TEST_UNLESS(help_no_network, a_port_outside_of_the_range_is_no_use_of_it),
	TEST_UNLESS(no_window_look, a_range_is_set_from_nearly_half_the_ports_on),
	TESTS_END,
};

const struct suite suite_binds = {"binds", tests};
