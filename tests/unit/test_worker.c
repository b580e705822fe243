/* The load's loop against a kernel in memory (tests/fake/kernel.h), which refuses the connect
 * that finds no port. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../fake/kernel.h"
#include "drive/breach.h"
#include "drive/worker.h"
#include "judge/judge.h"
#include "plan_help.h"
#include "runner.h"
#include "sys/clock.h"

/* One load from its scenario to its tape. */
struct run {
	struct arena arena;
	struct plan plan;
	struct tape tape;
	struct pulse pulse;
	struct err err;
	volatile sig_atomic_t interrupted;
	unsigned edges;
	bool ok;
};

static void on_edge(void *run)
{
	((struct run *)run)->edges++;
}

static void plan_for(struct run *r, const char *lines, struct host host)
{
	static struct host kept;

	memset(r, 0, sizeof(*r));
	kept = host;
	r->arena = help_arena();
	if (!plan_make(&r->plan, help_scenario(lines, &r->arena), &kept, 1, &r->arena, &r->err))
		CU_FAIL_FATAL("no plan");
}

static void run_plan(struct run *r)
{
	struct drive_hooks hooks = {&r->interrupted, &r->pulse, -1, -1, 0, NULL, NULL};
	struct worker_wish wish = {&r->plan, &r->plan.loads[0], &hooks, &r->tape, NULL, on_edge, r};
	struct worker *w;

	fake.interrupt = &r->interrupted;
	fake.broken = &r->pulse.broken;
	CU_ASSERT_FATAL(tape_open(&r->tape, 4096, 0, 0, &r->arena, &r->err));
	CU_ASSERT_FATAL(worker_open(&w, &wish, &r->arena, &r->err));
	r->ok = worker_run(w, clock_now(), &r->err);
	worker_close(w);
	CU_ASSERT_EQUAL(fake.rings_open, 0);
	CU_ASSERT(tally_balances(&r->tape.tally));
}

static void run_lines(struct run *r, const char *lines)
{
	plan_for(r, lines, help_host());
	run_plan(r);
}

static unsigned events_of(const struct tape *t, enum event_kind kind)
{
	unsigned n = 0;

	for (size_t i = 0; i < t->event_count; i++)
		n += t->events[i].kind == kind;
	return n;
}

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

#define POOLED "network: {ports: 40000-40063}\nload: {concurrency: 10, total: 50, "

/* Rounds of ten requests each: those beyond what the pool keeps churn. */
static void what_a_pool_does_not_keep_is_closed_after_one_use(void)
{
	for (unsigned cap = 1; cap <= 12; cap++) {
		unsigned kept = cap < 10 ? cap : 10;
		char lines[300];
		struct run r;

		snprintf(lines, sizeof(lines),
			 POOLED "hold: 20ms, pool: {max_idle: %u}, "
				"request: {send: 128B, receive: 100KiB, pause: 20ms}}",
			 cap);
		fake_boot(64);
		fake.answers = true;
		run_lines(&r, lines);
		CU_ASSERT(r.ok && r.tape.complete);
		CU_ASSERT_EQUAL(r.tape.tally.requests_done, 50);
		CU_ASSERT_EQUAL(r.tape.tally.closed, 5 * (10 - kept));
		CU_ASSERT_EQUAL(r.tape.tally.open, kept);
		CU_ASSERT_EQUAL(r.tape.tally.requests_reused, 4 * kept);
		CU_ASSERT_EQUAL(fake.requests, 50);
		arena_close(&r.arena);
	}
}

static void a_connection_serves_as_many_requests_as_it_may(void)
{
	static const struct {
		const char *load;
		uint64_t opened, closed, mores;
	} cases[] = {
		{"request: {send: 8B}}", 50, 50, 0},
		{"request: {send: 8B, per_connection: 1}}", 50, 50, 0},
		{"request: {send: 8B, per_connection: 10}, concurrency: 1}", 5, 5, 45},
		{"request: {send: 8B, per_connection: 7}, concurrency: 1}", 8, 7, 43},
		{"request: {send: 8B}, pool: {max_idle: 1}, concurrency: 1}", 1, 0, 50},
		{"request: {per_connection: 10}, concurrency: 1}", 5, 5, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char lines[300] = "network: {ports: 40000-40063}\nload: {total: 50, ";
		struct run r;

		fake_boot(64);
		run_lines(&r, strcat(lines, cases[i].load));
		CU_ASSERT_EQUAL(r.tape.tally.opened, cases[i].opened);
		CU_ASSERT_EQUAL(r.tape.tally.closed, cases[i].closed);
		CU_ASSERT_EQUAL(r.tape.tally.requests_done, 50);
		CU_ASSERT_EQUAL(fake.mores, cases[i].mores);
		arena_close(&r.arena);
	}
}

static void a_request_moves_by_pieces(void)
{
	static const unsigned pieces[] = {1, 3, 7, 9, 4096, 70000};

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct run r;

		fake_boot(64);
		fake.answers = true;
		fake.piece = pieces[i];
		run_lines(&r, "network: {ports: 40000-40063}\n"
			      "load: {total: 4, concurrency: 2, "
			      "request: {send: 140KiB, receive: 201B}}");
		CU_ASSERT_EQUAL(r.tape.tally.requests_done, 4);
		CU_ASSERT_EQUAL(fake.requests, 4);
		CU_ASSERT(fake.sends >= 4 * (140 * 1024 / 65536 + 1));
		arena_close(&r.arena);
	}
}

static void a_request_that_fails_is_counted_at_its_stage(void)
{
	static const struct {
		int send_error, receive_error;
		bool far_closes;
		enum stage stage;
		int error;
		uint64_t closed, reset;
	} cases[] = {
		{EPIPE, 0, false, STAGE_SEND, EPIPE, 0, 50},
		{0, ECONNRESET, false, STAGE_RECEIVE, ECONNRESET, 0, 50},
		{0, 0, true, STAGE_RECEIVE, ENODATA, 50, 0},
		{0, 0, false, STAGE_RECEIVE, ETIMEDOUT, 50, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run r;

		fake_boot(64);
		fake.send_error = cases[i].send_error;
		fake.receive_error = cases[i].receive_error;
		fake.far_closes = cases[i].far_closes;
		run_lines(&r, POOLED "timeout: 50ms, on_failure: continue, pool: {max_idle: 10}, "
				     "request: {send: 8B, receive: 8B}}");
		CU_ASSERT_EQUAL(r.tape.tally.errors[cases[i].stage][cases[i].error], 50);
		CU_ASSERT_EQUAL(r.tape.tally.requests_failed, 50);
		CU_ASSERT_EQUAL(r.tape.tally.requests_done, 0);
		CU_ASSERT_EQUAL(r.tape.tally.failed, 0);
		CU_ASSERT_EQUAL(r.tape.tally.closed, cases[i].closed);
		CU_ASSERT_EQUAL(r.tape.tally.reset, cases[i].reset);
		arena_close(&r.arena);
	}
}

static void what_the_far_end_has_closed_is_not_used_again(void)
{
	struct run r;

	fake_boot(64);
	fake.answers = true;
	fake.drops_idle = true;
	run_lines(&r, POOLED "pool: {max_idle: 10}, request: {send: 8B, receive: 8B}}");
	CU_ASSERT(r.tape.complete);
	CU_ASSERT_EQUAL(r.tape.tally.requests_done, 50);
	CU_ASSERT_EQUAL(r.tape.tally.requests_reused, 0);
	CU_ASSERT_EQUAL(r.tape.tally.opened, 50);
	CU_ASSERT_EQUAL(r.tape.tally.closed + r.tape.tally.open, 50);
	CU_ASSERT_EQUAL(r.tape.tally.errors[STAGE_RECEIVE][ENODATA], 0); /* no request failed */
	arena_close(&r.arena);
}

static void idle_connections_end_after_their_time(void)
{
	struct run r;

	fake_boot(64);
	run_lines(&r, POOLED "pool: {max_idle: 10, idle_timeout: 5ms}, request: {pause: 10ms}}");
	CU_ASSERT_EQUAL(r.tape.tally.requests_done, 50);
	CU_ASSERT_EQUAL(r.tape.tally.closed, 40);
	CU_ASSERT_EQUAL(r.tape.tally.open, 10); /* the load was over before their time was */
	arena_close(&r.arena);
}

static void an_answer_left_unread_makes_the_close_a_reset(void)
{
	struct run r;

	fake_boot(64);
	fake.answers = true;
	run_lines(&r, POOLED "request: {send: 8B, receive: 64KiB, read: false}}");
	CU_ASSERT_EQUAL(r.tape.tally.requests_done, 50);
	CU_ASSERT_EQUAL(r.tape.tally.reset, 50);
	arena_close(&r.arena);
}

/* The ports are used up, and the connections that have them serve on. */
static void a_pool_serves_though_no_port_is_left(void)
{
	struct run r;

	fake_boot(8);
	run_lines(&r, "network: {ports: 40000-40007}\nstop: {when: never}\n"
		      "load: {concurrency: 10, total: 500, hold: 1ms, on_failure: continue, "
		      "pool: {max_idle: 8}, request: {send: 8B}}");
	CU_ASSERT(r.tape.exhausted && r.tape.complete);
	CU_ASSERT_EQUAL(r.tape.tally.opened, 8);
	CU_ASSERT_EQUAL(r.tape.tally.requests_done + r.tape.tally.requests_failed, 500);
	CU_ASSERT(r.tape.tally.requests_done > 400);
	arena_close(&r.arena);
}

/* Ports for eight, ten clients: each failure throws away what the others could have used, while
 * they pause. */
static void a_failure_may_throw_the_pool_away(void)
{
	static const struct {
		const char *flush;
		bool keeps;
	} cases[] = {{"false", true}, {"true", false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char lines[400];
		struct run r;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40007}\nstop: {when: never}\n"
			 "load: {concurrency: 10, total: 100, hold: 1ms, pool: {max_idle: 8}, "
			 "request: {pause: 2ms}, on_failure: {retry: 3, wait: 2ms, "
			 "then: continue, flush_pool: %s}}",
			 cases[i].flush);
		fake_boot(8);
		run_lines(&r, lines);
		CU_ASSERT(r.tape.exhausted);
		CU_ASSERT_EQUAL(r.tape.tally.opened, 8); /* TIME_WAIT for ever */
		CU_ASSERT_EQUAL(r.tape.tally.closed == 0, cases[i].keeps);
		CU_ASSERT_EQUAL(r.tape.tally.requests_done > 20, cases[i].keeps);
		arena_close(&r.arena);
	}
}

static void an_exhausted_destination_is_asked_ever_more_seldom(void)
{
	struct run r;

	fake_boot(32);
	run_lines(&r, "network: {ports: 40000-40031}\n"
		      "load: {rate: 1k/s, duration: 10s, on_failure: continue}\n"
		      "stop: {when: never}");
	CU_ASSERT(r.tape.complete);
	CU_ASSERT_EQUAL(r.tape.opened_before, 32);
	CU_ASSERT_EQUAL(events_of(&r.tape, EVENT_EXHAUSTED), 1);
	/* 4 to be sure, then 1 ms, 2 ms, … 500 ms: about 9 doublings and 20 half seconds. */
	CU_ASSERT(fake.refused >= 20 && fake.refused <= 40);
	CU_ASSERT_EQUAL(r.tape.tally.failed, fake.refused);
	/* What was due all the same is not lost. */
	CU_ASSERT_EQUAL(r.tape.tally.attempted + r.tape.tally.held_back, 10000);
	arena_close(&r.arena);
}

static void a_dear_refusal_takes_a_hundredth_of_the_time(void)
{
	struct run r;

	fake_boot(32);
	fake.submit_ns = 10000000; /* 10 ms: 64,512 ports with a cold cache */
	run_lines(&r, "network: {ports: 40000-40031}\n"
		      "load: {end: leak, duration: 60s, on_failure: continue}\n"
		      "stop: {when: never, time: 2m}");
	CU_ASSERT(fake.refused >= 20 && fake.refused <= 70); /* one a second */
	arena_close(&r.arena);
}

static void recovery_is_noticed_within_half_a_second(void)
{
	struct run r;

	fake_boot(32);
	fake.quiet_ns = 5000000000;
	run_lines(&r, "network: {ports: 40000-40031}\n"
		      "load: {rate: 1k/s, duration: 8s, on_failure: continue}\n"
		      "stop: {when: never}");
	CU_ASSERT(events_of(&r.tape, EVENT_RECOVERED) >= 1);
	CU_ASSERT(r.tape.recovered_ns > 4900000000 && r.tape.recovered_ns < 5600000000);
	CU_ASSERT(r.tape.tally.opened >= 64);
	CU_ASSERT_EQUAL(r.tape.opened_before, 32); /* what came later is not counted in */
	arena_close(&r.arena);
}

static void exhaustion_ends_the_run_after_a_while_if_so_wished(void)
{
	struct run r;

	fake_boot(32);
	run_lines(&r, "network: {ports: 40000-40031}\n"
		      "load: {rate: 1k/s, on_failure: continue}\n"
		      "stop: {when: exhausted, after: 2s}");
	CU_ASSERT(r.tape.complete);
	CU_ASSERT(r.tape.end_ns > 2000000000 && r.tape.end_ns < 2200000000);
	arena_close(&r.arena);
}

static void other_failures_are_not_exhaustion(void)
{
	static const struct {
		int socket_error, address_error;
		uint32_t ports;
		bool black_hole;
		enum stage stage;
		int error;
	} cases[] = {
		{EMFILE, 0, 32, false, STAGE_SOCKET, EMFILE},
		{ENFILE, 0, 32, false, STAGE_SOCKET, ENFILE},
		{0, EADDRNOTAVAIL, 0, false, STAGE_CONNECT, EADDRNOTAVAIL},
		{0, ENETUNREACH, 0, false, STAGE_CONNECT, EADDRNOTAVAIL},
		{0, 0, 32, true, STAGE_CONNECT, ETIMEDOUT},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run r;

		fake_boot(cases[i].ports);
		fake.socket_error = cases[i].socket_error;
		fake.address_error = cases[i].address_error;
		fake.black_hole = cases[i].black_hole;
		run_lines(&r, "network: {ports: 40000-40031}\nload: {concurrency: 1, total: 100}");
		CU_ASSERT(!r.tape.exhausted && r.tape.complete);
		CU_ASSERT_EQUAL(r.tape.tally.errors[cases[i].stage][cases[i].error], 1);
		CU_ASSERT_EQUAL(r.tape.tally.failed, 1);
		CU_ASSERT_EQUAL(events_of(&r.tape, EVENT_REFUSED), 0);
		arena_close(&r.arena);
	}
}

/* An answer to another socket, which had the port before, is passed over. */
static void a_datagram_is_answered_by_its_own_number(void)
{
	static const struct {
		const char *request;
		uint64_t strays, done;
	} rows[] = {
		{"{send: 100B, receive: 2000B}", 0, 50},
		{"{send: 8B, receive: 9B}", 7, 50},
		{"{send: 100B}", 0, 50},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[200];
		struct run r;

		fake_boot(32);
		fake.answers = true;
		fake.strays = rows[i].strays;
		snprintf(lines, sizeof(lines),
			 "load: {protocol: udp, concurrency: 4, total: 50, request: %s}",
			 rows[i].request);
		run_lines(&r, lines);
		CU_ASSERT(r.ok && r.tape.complete);
		CU_ASSERT_EQUAL(fake.requests, 50);
		CU_ASSERT_EQUAL(fake.strays, 0);
		CU_ASSERT_EQUAL(r.tape.tally.requests_done, rows[i].done);
		CU_ASSERT_EQUAL(r.tape.tally.requests_failed, 0);
		arena_close(&r.arena);
	}
}

static void a_datagram_that_is_lost_fails_its_request_in_time(void)
{
	struct run r;

	fake_boot(32);
	run_lines(&r, "load: {protocol: udp, concurrency: 4, total: 20, timeout: 50ms, "
		      "on_failure: continue, request: {send: 8B, receive: 8B}}");
	CU_ASSERT(r.ok && r.tape.complete);
	CU_ASSERT_EQUAL(r.tape.tally.errors[STAGE_RECEIVE][ETIMEDOUT], 20);
	CU_ASSERT_EQUAL(r.tape.tally.requests_failed, 20);
	CU_ASSERT_EQUAL(r.tape.tally.closed, 20);
	arena_close(&r.arena);
}

static void what_a_udp_socket_wants_for_does_not_accuse_the_address(void)
{
	static const int errors[] = {EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct run r;

		fake_boot(32);
		fake.address_error = errors[i];
		run_lines(&r, "network: {ports: 40000-40031}\nload: {end: leak}");
		CU_ASSERT(r.tape.exhausted);
		arena_close(&r.arena);
	}
}

static void slow_connects_are_cancelled_and_their_ports_given_back(void)
{
	struct run r;

	fake_boot(32);
	fake.black_hole = true;
	run_lines(&r, "network: {ports: 40000-40031}\n"
		      "load: {concurrency: 8, total: 80, timeout: 100ms, on_failure: continue}");
	CU_ASSERT_EQUAL(r.tape.tally.errors[STAGE_CONNECT][ETIMEDOUT], 80);
	CU_ASSERT_EQUAL(fake.cancels, 80);
	CU_ASSERT_EQUAL(r.tape.tally.failed, 80);
	arena_close(&r.arena);
}

static void a_far_end_that_never_closes_is_not_waited_for_for_ever(void)
{
	struct run r;

	fake_boot(32);
	fake.quiet_ns = 0;
	run_lines(&r, "network: {ports: 40000-40031}\nserver: {behaviour: close}\n"
		      "load: {concurrency: 8, total: 16, end: wait, timeout: 100ms}");
	CU_ASSERT_EQUAL(r.tape.tally.errors[STAGE_RECEIVE][ETIMEDOUT], 16);
	CU_ASSERT_EQUAL(r.tape.tally.closed, 16);
	CU_ASSERT_EQUAL(r.tape.tally.failed, 0); /* they were open */
	arena_close(&r.arena);
}

static void the_books_balance_when_interrupted_anywhere(void)
{
	static const char *const loads[] = {
		"network: {ports: 40000-40099}\nload: {concurrency: 16, hold: 1ms, total: 90}",
		"network: {ports: 40000-40099}\nload: {concurrency: 16, end: reset, total: 90}",
		"network: {ports: 40000-40099}\nload: {concurrency: 16, end: shutdown, total: 90}",
		"network: {ports: 40000-40099}\nload: {concurrency: 16, end: disconnect, total: "
		"90}",
		"network: {ports: 40000-40099}\nload: {concurrency: 16, end: inherit, total: 90}",
		"network: {ports: 40000-40099}\nload: {concurrency: 16, pool: {max_idle: 3}, "
		"request: {send: 9B}}",
		"network: {ports: 40000-40099}\nload: {concurrency: 16, end: wait, total: "
		"90}\nserver: {behaviour: close}",
		"network: {ports: 40000-40099, sources: 3}\nload: {rate: 10k/s, end: leak, total: "
		"90}",
	};

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		for (uint64_t at = 1; at <= 90; at += 7) {
			struct run r;

			fake_boot(100);
			fake.interrupt_at = at;
			fake.black_hole = at < 16 && at % 3 == 0;
			run_lines(&r, loads[i]);
			CU_ASSERT_EQUAL(r.tape.interrupted, 2);
			CU_ASSERT(!r.tape.complete);
			CU_ASSERT_EQUAL(events_of(&r.tape, EVENT_INTERRUPTED), 1);
			arena_close(&r.arena);
		}
	}
}

static void a_run_cut_short_says_so(void)
{
	struct run r;

	fake_boot(100);
	run_lines(&r,
		  "network: {ports: 40000-40099}\nload: {rate: 10/s, total: 50}\nstop: {time: 1s}");
	CU_ASSERT(r.tape.cut_short && !r.tape.complete);
	CU_ASSERT_EQUAL(r.tape.tally.attempted, 10);
	arena_close(&r.arena);
	fake_boot(100);
	run_lines(&r, "network: {ports: 40000-40099}\nload: {rate: 10/s}\nstop: {time: 1s}");
	CU_ASSERT(!r.tape.cut_short && r.tape.complete); /* nothing else was to end it */
	arena_close(&r.arena);
}

static void a_broken_ring_is_our_own_trouble(void)
{
	struct run r;

	fake_boot(100);
	fake.submit_error = EFAULT;
	run_lines(&r, "network: {ports: 40000-40099}\nload: {rate: 1k/s, total: 50}");
	CU_ASSERT(!r.ok && !r.tape.complete);
	CU_ASSERT_EQUAL(r.err.kind, ERR_SYS);
	CU_ASSERT_EQUAL(r.err.sys, EFAULT);
	arena_close(&r.arena);
}

/* A connect at half full can cost milliseconds, and an open model may be thousands of them
 * behind. */
static void slow_connects_keep_nobody_from_ending_the_run(void)
{
	static const char *const loads[] = {
		"load: {rate: 10k/s, end: leak}\nstop: {time: 1s}",
		"load: {concurrency: 5000, end: leak}\nstop: {time: 1s}",
	};

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		struct run r;

		fake_boot(28232);
		fake.submit_ns = 10000000;
		run_lines(&r, loads[i]);
		CU_ASSERT(r.tape.end_ns >= 1000000000 && r.tape.end_ns < 1200000000);
		CU_ASSERT_EQUAL(r.tape.tally.late > 0, r.plan.scenario->load.rate > 0);
		arena_close(&r.arena);
	}
}

/* 1,000 connections are due within 0.1 s, and take seconds where a submit takes 10 ms. That the load
 * ends by its total hides nothing. */
static void how_late_a_connection_was_begun_is_told(void)
{
	struct run r;

	fake_boot(28232);
	fake.submit_ns = 10000000;
	run_lines(&r, "load: {rate: 10k/s, total: 1000, end: leak}");
	CU_ASSERT(r.ok && r.tape.complete);
	CU_ASSERT_EQUAL(r.tape.tally.attempted, 1000);
	CU_ASSERT_EQUAL(r.tape.tally.late, 0);
	CU_ASSERT(r.tape.behind_ns > 1000000000);
	CU_ASSERT(r.tape.behind_ns < r.tape.end_ns);
	arena_close(&r.arena);
	fake_boot(28232);
	run_lines(&r, "load: {concurrency: 8, total: 1000, end: leak}");
	CU_ASSERT_EQUAL(r.tape.behind_ns, 0); /* a closed loop has no due time */
	arena_close(&r.arena);
}

/* A destination that waits for its retry must not keep a loop awake that may begin nothing. */
static void a_full_closed_loop_sleeps_while_a_destination_is_exhausted(void)
{
	struct run r;

	fake_boot(8);
	run_lines(&r, "network: {ports: 40000-40007, services: 3}\n"
		      "load: {concurrency: 13, hold: 10s, on_failure: continue}\n"
		      "stop: {when: never, time: 9s}");
	CU_ASSERT_EQUAL(r.tape.tally.open, 13);
	CU_ASSERT(fake.waits < 2000);
	arena_close(&r.arena);
	fake_boot(4);
	run_lines(&r, "network: {ports: 40000-40003, services: 2}\n"
		      "load: {concurrency: 8, hold: 3s, on_failure: continue}\n"
		      "stop: {when: never, time: 9s}");
	CU_ASSERT(r.tape.exhausted); /* TIME_WAIT for ever */
	CU_ASSERT(fake.waits < 2000);
	arena_close(&r.arena);
}

static void a_far_end_or_sampler_that_fails_ends_the_load(void)
{
	struct run r;

	fake_boot(1000);
	fake.break_at = 50;
	run_lines(&r,
		  "network: {ports: 40000-40999}\nload: {rate: 1k/s, end: leak}\nstop: {time: 1h}");
	CU_ASSERT(!r.tape.complete && !r.tape.cut_short);
	CU_ASSERT_EQUAL(r.tape.tally.attempted, 50);
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

/* Measures that are known while a load runs are the same afterwards, on one tape and its pulse. */
static void what_is_live_is_measured_alike(void)
{
	struct sample dump = {.parts = SAMPLE_SOCKETS | SAMPLE_GATEWAY,
			      .used_max = 31,
			      .gateway = {.entries = 30, .insert_failed = 8, .drop = 9}};
	struct run r;
	struct tape whole;
	struct measures m;

	fake_boot(32);
	fake.quiet_ns = 1000000000;
	fake.answers = true;
	run_lines(&r, "network: {ports: 40000-40031}\nstop: {when: never}\n"
		      "load: {rate: 100/s, duration: 2s, request: {send: 8B, receive: 1B}, "
		      "on_failure: continue}");
	CU_ASSERT(r.tape.exhausted && r.tape.recovered_ns >= 0);
	/* One dump, as the sampler would have left it on a tape and in the pulse. */
	CU_ASSERT_FATAL(tape_open(&whole, 64, 2, 0, &r.arena, &r.err));
	tape_merge(&whole, &r.tape);
	tape_sample(&whole, (struct sample){.parts = SAMPLE_GATEWAY, .t_ns = -1});
	for (int state = 0; state < STATES; state++) {
		dump.states[state] = 40 + (uint64_t)state;
		atomic_store(&r.pulse.states_max[state], dump.states[state]);
	}
	tape_sample(&whole, dump);
	atomic_store(&r.pulse.used_max, dump.used_max);
	atomic_store(&r.pulse.dumps, 1);
	atomic_store(&r.pulse.gateway_entries_max, dump.gateway.entries);
	atomic_store(&r.pulse.gateway_insert_failed, dump.gateway.insert_failed);
	atomic_store(&r.pulse.gateway_drop, dump.gateway.drop);
	atomic_store(&r.pulse.gateway_looks, 1);
	measure(&m, &whole, &r.plan, &r.arena);
	for (int i = 0; i < MEASURES; i++) {
		struct measure_ref what = {
			.measure = (enum measure)i, .stage = STAGE_CONNECT, .error = EADDRNOTAVAIL};
		struct value after = measures_get(&m, &what);
		struct expectation e = {.what = what, .compare = COMPARE_EQ, .abort = true};
		struct scenario s = *r.plan.scenario;
		struct plan plan = r.plan;

		if (!measure_infos[i].live)
			continue;
		CU_ASSERT(after.present);
		plan.scenario = &s;
		s.expect = (struct expectation_list){&e, 1};
		e.low = e.high = after.n;
		CU_ASSERT_EQUAL(breach_find(&plan, 0, &whole, &r.pulse, whole.end_ns), -1);
		e.low = e.high = after.n + 1;
		CU_ASSERT_EQUAL(breach_find(&plan, 0, &whole, &r.pulse, whole.end_ns), 0);
	}
	arena_close(&r.arena);
}

static void an_open_model_starts_what_is_due(void)
{
	struct run r;

	fake_boot(1000);
	run_lines(&r, "network: {ports: 40000-40999}\nload: {rate: 100/s, duration: 5s}");
	CU_ASSERT_EQUAL(r.tape.tally.attempted, 500);
	CU_ASSERT_EQUAL(r.tape.tally.held_back, 0);
	CU_ASSERT_EQUAL(r.tape.tally.late, 0);
	CU_ASSERT(r.tape.end_ns >= 5000000000 && r.tape.end_ns < 5100000000);
	arena_close(&r.arena);
}

static void a_broken_line_of_expect_ends_the_run_if_so_wished(void)
{
	static const struct {
		const char *expect;
		uint64_t opened; /* 0: it is not broken */
	} cases[] = {
		{"expect: [connects.opened <= 5]", 0},
		{"expect: [{expr: connects.opened <= 5, abort: true}]", 6},
		{"expect: [exhausted == false, {expr: exhausted == false, abort: true}]", 32},
		{"expect: [{expr: errors.connect.EADDRNOTAVAIL == 0, abort: true}]", 32},
		{"expect: [{expr: elapsed < 10ms, abort: true}]", 10}, /* at 0 ms, 1 ms, … 9 ms */
		{"expect: [{expr: connects.opened >= 20, abort: true, after: 10ms}]", 10},
		{"expect: [{expr: exhausted.after == 32, abort: true}]", 0},
		{"expect: [{expr: recovery < 1s, abort: true}]", 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char lines[256] =
			"network: {ports: 40000-40031}\nstop: {when: never}\n"
			"load: {end: leak, rate: 1k/s, total: 60, on_failure: continue}\n";
		struct run r;

		fake_boot(32);
		run_lines(&r, strcat(lines, cases[i].expect));
		CU_ASSERT_EQUAL(r.tape.aborted >= 0, cases[i].opened > 0);
		CU_ASSERT_EQUAL(events_of(&r.tape, EVENT_ABORTED), cases[i].opened > 0);
		CU_ASSERT_EQUAL(r.tape.tally.opened, cases[i].opened ? cases[i].opened : 32);
		arena_close(&r.arena);
	}
}

/* What has failed is tried again, by the clock: each try is in the books. */
static void a_failed_connection_is_tried_again_and_given_up(void)
{
	static const struct {
		const char *load;
		uint64_t attempted, opened, retries, gave_up;
	} cases[] = {
		{"end: leak, concurrency: 1, total: 3, on_failure: {retry: 4, wait: 1ms}", 7, 2, 4,
		 1},
		{"end: leak, concurrency: 3, total: 3, on_failure: {retry: 2, wait: 1s, grow: 3, "
		 "jitter: 50%}",
		 5, 2, 2, 1},
		{"end: leak, concurrency: 1, total: 3, on_failure: continue", 3, 2, 0, 1},
		/* A port comes back before the last try. */
		{"end: reset, hold: 1s, concurrency: 3, total: 3, on_failure: {retry: 9, wait: "
		 "300ms}",
		 7, 3, 4, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char lines[256];
		struct run r;
		const struct tally *t = &r.tape.tally;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40001}\nload: {%s}\nstop: {when: never}",
			 cases[i].load);
		fake_boot(2);
		run_lines(&r, lines);
		CU_ASSERT(r.ok && r.tape.complete && r.tape.exhausted);
		CU_ASSERT_EQUAL(t->attempted, cases[i].attempted);
		CU_ASSERT_EQUAL(t->opened, cases[i].opened);
		CU_ASSERT_EQUAL(t->retries, cases[i].retries);
		CU_ASSERT_EQUAL(t->gave_up, cases[i].gave_up);
		CU_ASSERT_EQUAL(t->attempted - t->retries, t->opened + t->gave_up);
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

static void what_waits_to_be_tried_again_is_given_up_at_the_end(void)
{
	struct run r;

	fake_boot(2);
	run_lines(&r, "network: {ports: 40000-40001}\nload: {end: leak, rate: 1k/s, on_failure: "
		      "{retry: 100, wait: 1s}}\nstop: {when: never, time: 10s}");
	CU_ASSERT_EQUAL(r.tape.tally.attempted - r.tape.tally.retries,
			r.tape.tally.opened + r.tape.tally.gave_up);
	CU_ASSERT(r.tape.tally.gave_up > 0 && r.tape.tally.retries > 0);
	arena_close(&r.arena);
}

static const struct test tests[] = {
	TEST(a_range_of_n_ports_opens_exactly_n),
	TEST(many_rings_carry_what_one_table_cannot),
	TEST(closed_connections_give_their_ports_back),
	TEST(a_half_close_waits_for_the_far_end),
	TEST(a_disconnected_socket_serves_the_next_connection),
	TEST(what_a_child_inherits_keeps_its_port),
	TEST(a_full_heir_makes_room_for_the_next),
	TEST(what_a_pool_does_not_keep_is_closed_after_one_use),
	TEST(a_connection_serves_as_many_requests_as_it_may),
	TEST(a_request_moves_by_pieces),
	TEST(a_request_that_fails_is_counted_at_its_stage),
	TEST(what_the_far_end_has_closed_is_not_used_again),
	TEST(idle_connections_end_after_their_time),
	TEST(an_answer_left_unread_makes_the_close_a_reset),
	TEST(a_pool_serves_though_no_port_is_left),
	TEST(a_failure_may_throw_the_pool_away),
	TEST(an_exhausted_destination_is_asked_ever_more_seldom),
	TEST(a_dear_refusal_takes_a_hundredth_of_the_time),
	TEST(recovery_is_noticed_within_half_a_second),
	TEST(exhaustion_ends_the_run_after_a_while_if_so_wished),
	TEST(other_failures_are_not_exhaustion),
	TEST(a_datagram_is_answered_by_its_own_number),
	TEST(a_datagram_that_is_lost_fails_its_request_in_time),
	TEST(what_a_udp_socket_wants_for_does_not_accuse_the_address),
	TEST(slow_connects_are_cancelled_and_their_ports_given_back),
	TEST(a_far_end_that_never_closes_is_not_waited_for_for_ever),
	TEST(the_books_balance_when_interrupted_anywhere),
	TEST(a_run_cut_short_says_so),
	TEST(a_broken_ring_is_our_own_trouble),
	TEST(slow_connects_keep_nobody_from_ending_the_run),
	TEST(how_late_a_connection_was_begun_is_told),
	TEST(a_full_closed_loop_sleeps_while_a_destination_is_exhausted),
	TEST(a_far_end_or_sampler_that_fails_ends_the_load),
	TEST(the_window_is_set_once_a_destination_is_nearly_half_full),
	TEST(an_older_ring_gets_sockets_made_by_system_calls),
	TEST(options_are_set_one_after_the_other),
	TEST(the_most_that_were_open_at_once_are_remembered),
	TEST(a_far_end_that_dies_has_had_connections_before),
	TEST(what_is_live_is_measured_alike),
	TEST(an_open_model_starts_what_is_due),
	TEST(a_broken_line_of_expect_ends_the_run_if_so_wished),
	TEST(a_failed_connection_is_tried_again_and_given_up),
	TEST(connections_that_met_themselves_are_counted),
	TEST(a_peer_that_cannot_be_looked_at_is_an_error),
	TEST(what_waits_to_be_tried_again_is_given_up_at_the_end),
	TESTS_END,
};

const struct suite suite_worker = {"worker", tests};
