/* Requests and pools in the load's loop, against a kernel in memory. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "run_help.h"

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

static const struct test tests[] = {
	TEST(what_a_pool_does_not_keep_is_closed_after_one_use),
	TEST(a_connection_serves_as_many_requests_as_it_may),
	TEST(a_request_moves_by_pieces),
	TEST(a_request_that_fails_is_counted_at_its_stage),
	TEST(what_the_far_end_has_closed_is_not_used_again),
	TEST(idle_connections_end_after_their_time),
	TEST(an_answer_left_unread_makes_the_close_a_reset),
	TEST(a_pool_serves_though_no_port_is_left),
	TEST(a_failure_may_throw_the_pool_away),
	TEST(a_datagram_is_answered_by_its_own_number),
	TEST(a_datagram_that_is_lost_fails_its_request_in_time),
	TESTS_END,
};

const struct suite suite_worker_requests = {"worker: requests", tests};
