/* The driver on the real kernel: what is opened, what is refused, and what the kernel says of
 * it afterwards. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drive_help.h"
#include "sys/clock.h"

static void a_range_of_n_even_ports_opens_exactly_n(void)
{
	static const struct {
		const char *lines;
		uint64_t opened;
	} cases[] = {
		{"network: {ports: 40000-40001}\nload: {end: leak}", 2},
		{"network: {ports: 40000-40031}\nload: {end: leak}", 32},
		{"network: {ports: 40000-40031, topology: loopback}\nload: {end: leak}", 32},
		{"network: {ports: 40000-40999}\nload: {end: leak}", 1000},
		{"network: {ports: 40000-40999}\nload: {end: leak, order: fast}", 1000},
		{"network: {ports: 40000-40999, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\nload: "
		 "{concurrency: 50}",
		 1000},
		{"network: {ports: 40000-40031, servers: 2}\nload: {end: leak}", 64},
		{"network: {ports: 40000-40031, services: 2}\nload: {end: leak}", 64},
		{"network: {ports: 40000-40031, sources: 2}\nload: {end: leak}", 64},
		{"network: {ports: 40000-40999, servers: 2, sysctl: {net.ipv4.tcp_tw_reuse: "
		 "0}}\nload: {concurrency: 9}",
		 2000},
		{"network: {ports: 40000-40031, reserved: [40004-40007, 40020]}\nload: {end: leak}",
		 27},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct drive d;

		drive_lines(&d, cases[i].lines);
		CU_ASSERT(d.ok && d.tape.complete && d.tape.exhausted);
		CU_ASSERT_EQUAL(d.tape.opened_before, cases[i].opened);
		CU_ASSERT_EQUAL(d.tape.tally.opened, cases[i].opened);
		CU_ASSERT(d.tape.tally.errors[STAGE_CONNECT][EADDRNOTAVAIL] >= 1);
		if (d.tape.opened_before != cases[i].opened)
			printf("%s: %llu\n", cases[i].lines,
			       (unsigned long long)d.tape.opened_before);
		help_close(&d.h);
	}
}

/* More sockets than one table may have, where RLIMIT_NOFILE is 20,000. */
static void the_default_range_gives_28232(void)
{
	static const char *const loads[] = {
		"load: {end: leak, order: fast}\nstop: {time: 2m}",
		"network: {sysctl: {net.ipv4.tcp_tw_reuse: 0}}\nload: {order: fast, concurrency: "
		"16}\nstop: {time: 2m}",
	};

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		struct drive d;

		drive_lines(&d, loads[i]);
		CU_ASSERT(d.ok && d.tape.exhausted);
		CU_ASSERT_EQUAL(d.tape.opened_before, 28232);
		CU_ASSERT_EQUAL(last_dump(&d.tape)->used_max, 28232);
		CU_ASSERT_EQUAL(
			last_dump(&d.tape)->states[i == 0 ? STATE_ESTABLISHED : STATE_TIME_WAIT],
			28232);
		help_close(&d.h);
	}
}

/* What each way to end leaves behind, by the kernel's own table. */
static void every_end_leaves_what_it_should(void)
{
	static const struct {
		const char *load;
		uint64_t opened, closed, reset, leaked, inherited;
		int state; /* in which `left` sockets stay */
		uint64_t left;
	} cases[] = {
		{"load: {end: close, total: 20}", 20, 20, 0, 0, 0, STATE_TIME_WAIT, 20},
		{"load: {end: reset, total: 20}", 20, 0, 20, 0, 0, STATE_TIME_WAIT, 0},
		{"load: {end: leak, total: 20}", 20, 0, 0, 20, 0, STATE_ESTABLISHED, 20},
		{"load: {end: wait, total: 20}\nserver: {behaviour: close}", 20, 20, 0, 0, 0,
		 STATE_TIME_WAIT, 0},
		{"load: {end: close, total: 20}\nserver: {behaviour: never-accept}", 20, 20, 0, 0,
		 0, STATE_FIN_WAIT2, 20},
		{"load: {end: leak, total: 20}\nserver: {behaviour: never-accept}", 20, 0, 0, 20, 0,
		 STATE_ESTABLISHED, 20},
		{"load: {end: leak, total: 20}\nserver: {behaviour: close}", 20, 0, 0, 20, 0,
		 STATE_CLOSE_WAIT, 20},
		{"load: {end: shutdown, total: 20}", 20, 20, 0, 0, 0, STATE_TIME_WAIT, 20},
		{"load: {end: shutdown, total: 20, timeout: 50ms}\nserver: {behaviour: hold}", 20,
		 20, 0, 0, 0, STATE_FIN_WAIT2, 20},
		{"load: {end: disconnect, total: 20}", 20, 0, 20, 0, 0, STATE_TIME_WAIT, 0},
		{"load: {end: inherit, total: 20}", 20, 0, 0, 0, 20, STATE_ESTABLISHED, 20},
		{"load: {end: inherit, total: 20}\nserver: {behaviour: close}", 20, 0, 0, 0, 20,
		 STATE_CLOSE_WAIT, 20},
		{"load: {end: leak, total: 20}\nserver: {behaviour: accept-close}", 20, 0, 0, 20, 0,
		 STATE_CLOSE_WAIT, 20},
		{"load: {end: close, total: 20}\nserver: {behaviour: hold}", 20, 20, 0, 0, 0,
		 STATE_FIN_WAIT2, 20},
		{"load: {end: close, total: 20}\nserver: {behaviour: ignore}", 20, 20, 0, 0, 0,
		 STATE_FIN_WAIT2, 20},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char lines[256] =
			"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n";
		struct drive d;

		drive_lines(&d, strcat(lines, cases[i].load));
		CU_ASSERT(d.ok && d.tape.complete && !d.tape.exhausted);
		CU_ASSERT_EQUAL(d.tape.tally.opened, cases[i].opened);
		CU_ASSERT_EQUAL(d.tape.tally.closed, cases[i].closed);
		CU_ASSERT_EQUAL(d.tape.tally.reset, cases[i].reset);
		CU_ASSERT_EQUAL(d.tape.tally.leaked, cases[i].leaked);
		CU_ASSERT_EQUAL(d.tape.tally.inherited, cases[i].inherited);
		CU_ASSERT_EQUAL(last_dump(&d.tape)->states[cases[i].state], cases[i].left);
		if (last_dump(&d.tape)->states[cases[i].state] != cases[i].left)
			printf("%s: %llu\n", lines,
			       (unsigned long long)last_dump(&d.tape)->states[cases[i].state]);
		help_close(&d.h);
	}
}

/* Each connection of these gives its port back, so that ten times the range goes through. */
static void ports_that_come_back_are_enough_for_ever(void)
{
	static const char *const loads[] = {
		"load: {end: reset, total: 320, concurrency: 4}",
		"load: {end: wait, total: 320, concurrency: 4}\nserver: {behaviour: close}",
		"load: {end: disconnect, total: 320, concurrency: 4}",
	};

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		char lines[256] =
			"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n";
		struct drive d;

		drive_lines(&d, strcat(lines, loads[i]));
		CU_ASSERT(d.ok && !d.tape.exhausted);
		CU_ASSERT_EQUAL(d.tape.tally.opened, 320);
		CU_ASSERT_EQUAL(d.tape.tally.failed, 0);
		help_close(&d.h);
	}
}

/* 3,000 through 32 ports: TIME_WAIT is the server's, and none of it is a port of the client. */
static void three_thousand_go_through_32_ports_where_the_server_closes_first(void)
{
	struct drive d;

	drive_lines(&d, "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
			"server: {behaviour: close}\nload: {end: wait, total: 3000, concurrency: "
			"4}");
	CU_ASSERT(d.ok && d.tape.complete && !d.tape.exhausted);
	CU_ASSERT_EQUAL(d.tape.tally.opened, 3000);
	CU_ASSERT_EQUAL(d.tape.tally.failed, 0);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_TIME_WAIT], 0);
	help_close(&d.h);
}

static void two_thousand_are_refused_through_32_ports(void)
{
	struct drive d;

	drive_lines(&d, "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
			"server: {behaviour: refuse}\nload: {total: 2000, concurrency: 4, "
			"on_failure: continue}");
	CU_ASSERT(d.ok && d.tape.complete && !d.tape.exhausted);
	CU_ASSERT_EQUAL(d.tape.tally.errors[STAGE_CONNECT][ECONNREFUSED], 2000);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_TIME_WAIT], 0);
	help_close(&d.h);
}

/* Each port of each destination is held by a connect that nobody answers: 32 of one, 64 of two. */
static void connects_into_the_void_hold_every_port(void)
{
	static const struct {
		const char *services;
		uint64_t n;
	} cases[] = {{"", 32}, {", services: 2", 64}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char lines[256];
		struct drive d;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031%s}\nserver: {behaviour: drop}\n"
			 "load: {rate: 1k/s, on_failure: continue, timeout: 3s}\n"
			 "stop: {when: exhausted}",
			 cases[i].services);
		drive_lines(&d, lines);
		CU_ASSERT(d.ok && d.tape.exhausted);
		CU_ASSERT_EQUAL(d.tape.opened_before, 0);
		CU_ASSERT_EQUAL(d.tape.tally.errors[STAGE_CONNECT][ETIMEDOUT], cases[i].n);
		CU_ASSERT_EQUAL(tape_fullest(&d.tape)->states[STATE_SYN_SENT], cases[i].n);
		help_close(&d.h);
	}
}

/* The plan is bent after the lab was built: what then fails is real, and none of it is
 * exhaustion. */
static void look_alikes_are_not_exhaustion(void)
{
	static const struct {
		const char *lines;
		int64_t far, near; /* added to the plan's servers and sources */
		enum stage stage;
		int error;
	} cases[] = {
		/* The client's own address, where nobody listens; nobody's address; and a
		 * source that is nobody's. */
		{"network: {ports: 40000-40031}\nload: {total: 40, concurrency: 1}", -0x8000, 0,
		 STAGE_CONNECT, ECONNREFUSED},
		{"network: {ports: 40000-40031}\nload: {total: 40, concurrency: 1, timeout: 50ms}",
		 99, 0, STAGE_CONNECT, ETIMEDOUT},
		{"network: {ports: 40000-40031, sources: 2}\nload: {total: 40, concurrency: 1}", 0,
		 99, STAGE_BIND, EADDRNOTAVAIL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct drive d;

		drive_open(&d, cases[i].lines);
		d.h.plan.servers.list[0].low += (uint64_t)cases[i].far;
		d.h.plan.sources.list[0].low += (uint64_t)cases[i].near;
		drive_plan(&d);
		CU_ASSERT(!d.tape.exhausted);
		CU_ASSERT_EQUAL(d.tape.tally.errors[cases[i].stage][cases[i].error], 1);
		CU_ASSERT_EQUAL(d.tape.tally.opened, 0);
		help_close(&d.h);
	}
}

static void a_socket_made_by_system_calls_does_the_same(void)
{
	struct drive d;

	drive_open(&d, "network: {ports: 40000-40031, sources: 2}\nload: {end: leak, order: fast}");
	d.h.plan.loads[0].classic_sockets = true;
	drive_plan(&d);
	CU_ASSERT_EQUAL(d.tape.opened_before, 64);
	help_close(&d.h);
	drive_open(&d,
		   "network: {ports: 40000-40031}\nload: {end: reset, total: 320, concurrency: 4}");
	d.h.plan.loads[0].classic_sockets = true;
	drive_plan(&d);
	CU_ASSERT_EQUAL(d.tape.tally.reset, 320);
	help_close(&d.h);
}

static void many_rings_do_the_same_as_one(void)
{
	struct drive d;

	drive_open(&d, "network: {ports: 40000-40999, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
		       "load: {concurrency: 1100, hold: 10s}");
	d.h.plan.ring_slots = 100; /* for both ends */
	drive_plan(&d);
	CU_ASSERT(d.ok && d.tape.exhausted);
	CU_ASSERT_EQUAL(d.tape.opened_before, 1000);
	CU_ASSERT_EQUAL(d.tape.tally.open, 1000);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_ESTABLISHED], 1000);
	help_close(&d.h);
}

static void exhaustion_is_probed_gently_and_recovery_noticed(void)
{
	struct drive d;

	/* TIME_WAIT is over after 100 ms for a connect that may reuse it: the run ends with the
	 * recovery. */
	drive_lines(&d, "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 1, "
			"net.ipv4.tcp_tw_reuse_delay: 100}}\n"
			"load: {rate: 5k/s, on_failure: continue}\nstop: {when: never}\n"
			"expect: [{expr: recovered == false, abort: true}]");
	CU_ASSERT(d.ok && d.tape.exhausted);
	CU_ASSERT_EQUAL(d.tape.aborted, 0);
	CU_ASSERT_EQUAL(d.tape.opened_before, 32);
	CU_ASSERT(d.tape.recovered_ns > 0);
	CU_ASSERT(d.tape.tally.opened > 32);
	CU_ASSERT(d.tape.tally.held_back >
		  d.tape.tally.failed); /* an application would have failed with all */
	help_close(&d.h);
}

/* ---- while it runs ------------------------------------------------------- */

static void an_interrupted_load_balances_its_books(void)
{
	static const char *const loads[] = {
		"load: {rate: 2k/s, hold: 20ms}",
		"load: {concurrency: 30, end: reset}",
		"load: {concurrency: 10, end: wait}\nserver: {behaviour: close}",
		"load: {rate: 500/s, end: leak}",
	};

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		char lines[256] = "network: {ports: 40000-49999}\nstop: {time: 1m}\n";
		struct drive d;

		drive_open(&d, strcat(lines, loads[i]));
		drive_start(&d);
		CU_ASSERT(drive_await(&d.pulse.opened, 50));
		drive_end(&d, SIGTERM);
		CU_ASSERT(d.ok && !d.tape.complete);
		CU_ASSERT_EQUAL(d.tape.interrupted, SIGTERM);
		CU_ASSERT(d.tape.tally.opened >= 50);
		help_close(&d.h);
	}
}

/* Threads of this process that have a capability, or may gain one. */
static unsigned privileged_threads(unsigned *all)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned n = 0;

	*all = 0;
	for (struct dirent *e; tasks && (e = readdir(tasks));) {
		char path[300], buffer[4096];
		struct text status;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/status", e->d_name);
		status = help_file(path, buffer, sizeof(buffer) - 1);
		buffer[status.len] = '\0';
		++*all;
		n += !strstr(buffer, "CapEff:\t0000000000000000") ||
		     !strstr(buffer, "CapPrm:\t0000000000000000") ||
		     !strstr(buffer, "NoNewPrivs:\t1");
	}
	if (tasks)
		closedir(tasks);
	return n;
}

static void load_far_end_and_sampler_run_without_rights(void)
{
	struct drive d;
	unsigned all_before, before, all, now;

	drive_open(&d, "network: {ports: 40000-40031}\nload: {concurrency: 8, end: reset}\nstop: "
		       "{time: 1m}");
	before = privileged_threads(&all_before);
	drive_start(&d);
	CU_ASSERT(drive_await(&d.pulse.opened, 1));
	now = privileged_threads(&all);
	CU_ASSERT_EQUAL(all, all_before + 4); /* who waits, the load, the far end, the sampler */
	CU_ASSERT_EQUAL(now, before + 1);     /* who waits */
	drive_end(&d, SIGINT);
	help_close(&d.h);
}

static void a_run_leaves_no_descriptor_behind(void)
{
	unsigned before;
	struct drive d;

	drive_lines(&d, "network: {ports: 40000-40031}\nload: {end: leak}");
	help_close(&d.h);
	before = help_descriptors();
	for (int i = 0; i < 3; i++) {
		drive_lines(&d, "network: {ports: 40000-40031}\nload: {end: leak}");
		help_close(&d.h);
	}
	CU_ASSERT_EQUAL(help_descriptors(), before);
}

/* Where both ends share a namespace, and its range. */
static void the_far_ends_sockets_are_not_the_clients(void)
{
	struct drive d;

	drive_lines(&d, "network: {topology: loopback, ports: 40000-40031, services: [40005, "
			"40010]}\nload: {end: leak, rate: 1k/s}");
	CU_ASSERT(d.ok);
	CU_ASSERT_EQUAL(d.tape.opened_before, 60);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_ESTABLISHED], 60);
	help_close(&d.h);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, a_range_of_n_even_ports_opens_exactly_n),
	TEST_UNLESS(help_no_network, the_default_range_gives_28232),
	TEST_UNLESS(help_no_network, every_end_leaves_what_it_should),
	TEST_UNLESS(help_no_network, ports_that_come_back_are_enough_for_ever),
	TEST_UNLESS(help_no_network,
		    three_thousand_go_through_32_ports_where_the_server_closes_first),
	TEST_UNLESS(help_no_network, two_thousand_are_refused_through_32_ports),
	TEST_UNLESS(help_no_network, connects_into_the_void_hold_every_port),
	TEST_UNLESS(help_no_network, look_alikes_are_not_exhaustion),
	TEST_UNLESS(help_no_network, a_socket_made_by_system_calls_does_the_same),
	TEST_UNLESS(help_no_network, many_rings_do_the_same_as_one),
	TEST_UNLESS(help_no_network, exhaustion_is_probed_gently_and_recovery_noticed),
	TEST_UNLESS(help_no_network, an_interrupted_load_balances_its_books),
	TEST_UNLESS(help_no_network, load_far_end_and_sampler_run_without_rights),
	TEST_UNLESS(help_no_network, a_run_leaves_no_descriptor_behind),
	TEST_UNLESS(help_no_network, the_far_ends_sockets_are_not_the_clients),
	TESTS_END,
};

const struct suite suite_drive = {"drive", tests};
