/* The load's loop against a kernel in memory (tests/fake/kernel.h), which refuses the connect
 * that finds no port. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "run_help.h"

static void a_range_of_n_ports_opens_exactly_n(void)
{
	static const struct {
		uint32_t ports;
		const char *lines;
		uint64_t opened;
	} cases[] = {
		{2, "network: {ports: 40000-40001}\nload: {end: leak}", 2},
		{32, "network: {ports: 40000-40031}\nload: {end: leak}", 32},
		{32, "network: {ports: 40000-40031}\nload: {end: close, rate: 1k/s}", 32},
		{32, "network: {ports: 40000-40031}\nload: {concurrency: 40, hold: 10s}", 32},
		{1000, "network: {ports: 40000-40999}\nload: {end: close, concurrency: 50}", 1000},
		{28232, "load: {end: leak}\nstop: {time: 1h}", 28232},
		{28232, "load: {end: leak, order: fast}\nstop: {time: 1h}", 28232},
		{32, "network: {ports: 40000-40031, services: 2}\nload: {end: leak}", 64},
		{32,
		 "network: {ports: 40000-40031, servers: 3}\nload: {end: close, concurrency: 7}",
		 96},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run r;

		fake_boot(cases[i].ports);
		run_lines(&r, cases[i].lines);
		CU_ASSERT(r.ok && r.tape.complete && r.tape.exhausted);
		CU_ASSERT_EQUAL(r.tape.tally.opened, cases[i].opened);
		CU_ASSERT_EQUAL(r.tape.opened_before, cases[i].opened);
		/* One refusal is enough; where several destinations fill alike, each may have
		 * its own under way. */
		CU_ASSERT_EQUAL(r.tape.tally.errors[STAGE_CONNECT][EADDRNOTAVAIL],
				events_of(&r.tape, EVENT_REFUSED));
		CU_ASSERT(events_of(&r.tape, EVENT_REFUSED) >= 1);
		CU_ASSERT(events_of(&r.tape, EVENT_REFUSED) <= r.plan.destinations);
		CU_ASSERT(r.edges >= 1);
		arena_close(&r.arena);
	}
}

static void many_rings_carry_what_one_table_cannot(void)
{
	struct run r;
	struct host host = help_host();

	fake_boot(1000);
	host.nofile = 364;
	plan_for(&r, "network: {ports: 40000-40999}\nload: {end: leak}", host);
	CU_ASSERT(r.plan.loads[0].slots > 1000 && r.plan.ring_slots <= 364);
	run_plan(&r);
	CU_ASSERT(r.plan.loads[0].flows < 200); /* what is leaked is forgotten, but for its slot */
	CU_ASSERT_EQUAL(r.tape.tally.leaked, 1000);
	CU_ASSERT_EQUAL(r.tape.opened_before, 1000);
	arena_close(&r.arena);
}

static void closed_connections_give_their_ports_back(void)
{
	static const struct {
		const char *load;
		bool far_closes;
		int receive_error;
		uint64_t closed, reset;
	} cases[] = {
		{"load: {end: reset, concurrency: 4, total: 320}", false, 0, 0, 320},
		{"load: {end: wait, concurrency: 4, total: 320}\nserver: {behaviour: close}", true,
		 0, 320, 0},
		{"load: {end: wait, concurrency: 4, total: 320}\nserver: {behaviour: reset}", true,
		 ECONNRESET, 0, 320},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char lines[256] = "network: {ports: 40000-40031}\n";
		struct run r;

		fake_boot(32);
		fake.far_closes = cases[i].far_closes;
		fake.receive_error = cases[i].receive_error;
		run_lines(&r, strcat(lines, cases[i].load));
		CU_ASSERT(r.tape.complete && !r.tape.exhausted);
		CU_ASSERT_EQUAL(r.tape.tally.opened, 320);
		CU_ASSERT_EQUAL(r.tape.tally.closed, cases[i].closed);
		CU_ASSERT_EQUAL(r.tape.tally.reset, cases[i].reset);
		arena_close(&r.arena);
	}
}

static void a_half_close_waits_for_the_far_end(void)
{
	struct run r;

	fake_boot(32);
	fake.far_closes = true;
	run_lines(&r, "network: {ports: 40000-40031}\nload: {end: shutdown, total: 32}");
	CU_ASSERT_EQUAL(fake.shutdowns, 32);
	CU_ASSERT_EQUAL(r.tape.tally.closed, 32);
	CU_ASSERT_EQUAL(r.tape.tally.errors[STAGE_RECEIVE][ETIMEDOUT], 0);
	arena_close(&r.arena);
	fake_boot(32);
	run_lines(&r, "network: {ports: 40000-40031}\n"
		      "load: {end: shutdown, total: 32, timeout: 100ms}");
	CU_ASSERT_EQUAL(r.tape.tally.closed, 32);
	CU_ASSERT_EQUAL(r.tape.tally.errors[STAGE_RECEIVE][ETIMEDOUT], 32);
	arena_close(&r.arena);
}

/* Both FINs have passed, and close has no connection to reset; unless the far end's never came. */
static void a_half_close_is_no_reset(void)
{
	for (int far_closes = 0; far_closes <= 1; far_closes++) {
		struct run r;

		fake_boot(32);
		fake.far_closes = far_closes;
		run_lines(&r, "network: {ports: 40000-40031}\nload: {end: shutdown, total: 32, "
			      "timeout: 100ms, options: {linger: 0s}}");
		CU_ASSERT_EQUAL(r.tape.tally.closed, far_closes ? 32 : 0);
		CU_ASSERT_EQUAL(r.tape.tally.reset, far_closes ? 0 : 32);
		arena_close(&r.arena);
	}
}

static void a_disconnected_socket_serves_the_next_connection(void)
{
	struct run r;
	struct host host = help_host();

	fake_boot(32);
	run_lines(&r, "network: {ports: 40000-40031}\n"
		      "load: {end: disconnect, concurrency: 4, total: 320}");
	CU_ASSERT(r.tape.complete && !r.tape.exhausted);
	CU_ASSERT_EQUAL(r.tape.tally.reset, 320);
	CU_ASSERT_EQUAL(fake.sockets, 4);
	CU_ASSERT_EQUAL(fake.disconnects, 320);
	arena_close(&r.arena);
	fake_boot(32); /* one that is prepared by system calls is made anew */
	host.ring_bind = ENOSYS;
	plan_for(&r,
		 "network: {ports: 40000-40031, sources: 2}\n"
		 "load: {end: disconnect, concurrency: 4, total: 64}",
		 host);
	run_plan(&r);
	CU_ASSERT_EQUAL(fake.classic, 64);
	CU_ASSERT_EQUAL(r.tape.tally.reset, 64);
	arena_close(&r.arena);
}

static void what_a_child_inherits_keeps_its_port(void)
{
	struct run r;

	fake_boot(32);
	run_lines(&r, "network: {ports: 40000-40031}\nload: {end: inherit, concurrency: 4}");
	CU_ASSERT(r.tape.exhausted);
	CU_ASSERT_EQUAL(r.tape.opened_before, 32);
	CU_ASSERT_EQUAL(r.tape.tally.inherited, 32);
	CU_ASSERT_EQUAL(fake.gifts[0], 32);
	CU_ASSERT_EQUAL(fake.heirs, 0);
	arena_close(&r.arena);
	fake_boot(32); /* nobody there to inherit: the client's close is one */
	fake.install_error = EMFILE;
	run_lines(&r, "network: {ports: 40000-40031}\nload: {end: inherit, total: 20}");
	CU_ASSERT_EQUAL(r.tape.tally.inherited, 0);
	CU_ASSERT_EQUAL(r.tape.tally.closed, 20);
	CU_ASSERT_EQUAL(r.tape.tally.errors[STAGE_INHERIT][EMFILE], 20);
	arena_close(&r.arena);
}

static void a_full_heir_makes_room_for_the_next(void)
{
	struct host host = help_host();
	struct run r;

	fake_boot(1000);
	fake.heir_room = 300;
	host.nofile = 364;
	plan_for(&r, "network: {ports: 40000-40999}\nload: {end: inherit, total: 900}", host);
	CU_ASSERT_EQUAL(r.plan.loads[0].heirs, 3);
	run_plan(&r);
	CU_ASSERT_EQUAL(r.tape.tally.inherited, 900);
	CU_ASSERT(fake.gifts[0] == 300 && fake.gifts[1] == 300 && fake.gifts[2] == 300);
	arena_close(&r.arena);
}

static void the_window_is_set_once_a_destination_is_nearly_half_full(void)
{
	struct run r;

	fake_boot(1000);
	run_lines(&r,
		  "network: {ports: 40000-40999}\nload: {end: leak, order: fast, concurrency: 1}");
	CU_ASSERT_EQUAL(fake.windows,
			1000 - 450 + 1); /* from the 451st, the refused one included */
	CU_ASSERT_EQUAL(events_of(&r.tape, EVENT_WINDOW_ON), 1);
	arena_close(&r.arena);
	fake_boot(1000);
	run_lines(&r, "network: {ports: 40000-40999}\nload: {end: leak, concurrency: 1}");
	CU_ASSERT_EQUAL(fake.windows, 0);
	arena_close(&r.arena);
}

static void an_older_ring_gets_sockets_made_by_system_calls(void)
{
	struct run r;
	struct host host = help_host();

	host.ring_option = ENOSYS;
	host.ring_bind = ENOSYS;
	fake_boot(1000);
	plan_for(&r,
		 "network: {ports: 40000-40031, sources: 2}\nload: {end: reset, total: 64, "
		 "concurrency: 4}",
		 host);
	CU_ASSERT(r.plan.loads[0].classic_sockets);
	run_plan(&r);
	CU_ASSERT_EQUAL(fake.classic, 64);
	CU_ASSERT_EQUAL(fake.lingers, 64);
	CU_ASSERT_EQUAL(fake.binds, 64);
	CU_ASSERT_EQUAL(r.tape.tally.reset, 64);
	arena_close(&r.arena);
}

/* An operation after the other, whatever their number: none of them opens twice. */
static void options_are_set_one_after_the_other(void)
{
	struct run r;

	fake_boot(1000);
	run_lines(&r, "network: {ports: 40000-40999}\n"
		      "load: {total: 20, concurrency: 4, options: {mark: 1, nodelay: true, linger: "
		      "0s, keepalive: 5s}}");
	CU_ASSERT_EQUAL(fake.options, 20 * 5);
	CU_ASSERT_EQUAL(fake.rights_kept, 1);
	CU_ASSERT_EQUAL(r.tape.tally.opened, 20);
	CU_ASSERT_EQUAL(r.tape.tally.reset, 20);
	arena_close(&r.arena);
}

static void the_most_that_were_open_at_once_are_remembered(void)
{
	struct run r;

	fake_boot(100);
	run_lines(&r,
		  "network: {ports: 40000-40099}\nload: {concurrency: 7, hold: 1ms, total: 50}");
	CU_ASSERT_EQUAL(r.tape.open_peak, 7);
	CU_ASSERT_EQUAL(r.tape.used_peak, 7);
	arena_close(&r.arena);
}

/* 640 sockets of UDP had 32 ports, and each was counted for one. */
static void connections_that_may_share_ports_tell_of_none(void)
{
	static const char *const loads[] = {
		"load: {protocol: udp, options: {reuseaddr: true}, concurrency: 7, hold: 1ms, "
		"total: 50}",
		"load: {bind: address, options: {reuseaddr: true}, concurrency: 7, hold: 1ms, "
		"total: 50}\n",
	};

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		char lines[300];
		struct run r;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40099, sysctl: {net.ipv4.ip_autobind_reuse: "
			 "1}}\n%s",
			 loads[i]);
		fake_boot(100);
		run_lines(&r, lines);
		CU_ASSERT_EQUAL(r.tape.open_peak, 7);
		CU_ASSERT_EQUAL(r.tape.used_peak, 0);
		arena_close(&r.arena);
	}
}

/* Towards the fullest destination, and what is open alone: the books know when no TIME_WAIT ends. */
static void the_most_that_were_open_to_one_destination_are_remembered(void)
{
	struct run r;

	fake_boot(100);
	run_lines(&r, "network: {ports: 40000-40099, servers: 2}\n"
		      "load: {concurrency: 8, hold: 1ms, total: 50}");
	CU_ASSERT_EQUAL(r.tape.open_peak, 8);
	CU_ASSERT(r.tape.used_peak >= 4 && r.tape.used_peak <= 5);
	arena_close(&r.arena);
}

/* established.max was 0 where the far end died, for a dump had yet to look. */
static void a_far_end_that_dies_has_had_connections_before(void)
{
	static const struct {
		const char *die;
		uint64_t peak;
	} rows[] = {{"20s", 7}, {"1ms", 1}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[200];
		struct run r;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40099}\nserver: {die: %s}\n"
			 "load: {rate: 100/s, end: leak, total: 7}",
			 rows[i].die);
		fake_boot(100);
		run_lines(&r, lines);
		CU_ASSERT_EQUAL(r.tape.tally.opened, 7);
		CU_ASSERT_EQUAL(r.tape.open_peak, rows[i].peak);
		arena_close(&r.arena);
	}
}

/* Who cannot meet itself is not looked at. */
static void connections_that_met_themselves_are_counted(void)
{
	static const char *const loads[] = {
		"network: {topology: loopback, ports: 40000-40031, services: [40000]}\n"
		"server: {behaviour: refuse}\nload: {end: leak, total: 9}",
		"network: {topology: loopback, ports: 40000-40031}\n"
		"server: {behaviour: refuse}\nload: {end: leak, total: 9}",
	};

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		struct run r;

		fake_boot(32);
		fake.meetings = 2;
		run_lines(&r, loads[i]);
		CU_ASSERT_EQUAL(r.tape.tally.opened, 9);
		CU_ASSERT_EQUAL(fake.looks, i == 0 ? 9 : 0);
		CU_ASSERT_EQUAL(r.tape.tally.self_connects, i == 0 ? 2 : 0);
		CU_ASSERT_EQUAL(events_of(&r.tape, EVENT_SELF_CONNECT), i == 0 ? 2 : 0);
		arena_close(&r.arena);
	}
}

/* It is told, and the connection lives on. */
static void a_peer_that_cannot_be_looked_at_is_an_error(void)
{
	struct run r;

	fake_boot(32);
	fake.install_error = EMFILE;
	run_lines(&r, "network: {topology: loopback, ports: 40000-40031, services: [40000]}\n"
		      "server: {behaviour: refuse}\nload: {end: leak, total: 9}");
	CU_ASSERT_EQUAL(r.tape.tally.opened, 9);
	CU_ASSERT_EQUAL(r.tape.tally.errors[STAGE_CONNECT][EMFILE], 9);
	arena_close(&r.arena);
}

static const struct test tests[] = {
	TEST(a_range_of_n_ports_opens_exactly_n),
	TEST(many_rings_carry_what_one_table_cannot),
	TEST(closed_connections_give_their_ports_back),
	TEST(a_half_close_waits_for_the_far_end),
	TEST(a_half_close_is_no_reset),
	TEST(a_disconnected_socket_serves_the_next_connection),
	TEST(what_a_child_inherits_keeps_its_port),
	TEST(a_full_heir_makes_room_for_the_next),
	TEST(the_window_is_set_once_a_destination_is_nearly_half_full),
	TEST(an_older_ring_gets_sockets_made_by_system_calls),
	TEST(options_are_set_one_after_the_other),
	TEST(the_most_that_were_open_at_once_are_remembered),
	TEST(connections_that_may_share_ports_tell_of_none),
	TEST(the_most_that_were_open_to_one_destination_are_remembered),
	TEST(a_far_end_that_dies_has_had_connections_before),
	TEST(connections_that_met_themselves_are_counted),
	TEST(a_peer_that_cannot_be_looked_at_is_an_error),
	TESTS_END,
};

const struct suite suite_worker = {"worker", tests};
