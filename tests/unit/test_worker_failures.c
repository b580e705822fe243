/* Connections that fail, in the load's loop, against a kernel in memory: what is tried again, how
 * often, and what is our own trouble. */
#include <errno.h>
#include <stdio.h>

#include "run_help.h"

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

/* What has failed is tried again, by the clock: each try is in the books. */
static void a_failed_connection_is_tried_again_and_given_up(void)
{
	static const struct {
		const char *load;
		uint64_t attempted, opened, retries, gave_up, stopped;
	} cases[] = {
		{"end: leak, concurrency: 1, total: 3, on_failure: {retry: 4, wait: 1ms}", 7, 2, 4,
		 1, 1},
		{"end: leak, concurrency: 3, total: 3, on_failure: {retry: 2, wait: 1s, grow: 3, "
		 "jitter: 50%}",
		 5, 2, 2, 1, 1},
		{"end: leak, concurrency: 1, total: 3, on_failure: continue", 3, 2, 0, 1, 0},
		{"end: leak, concurrency: 1, total: 4", 3, 2, 0, 1, 1},
		/* A port comes back before the last try. */
		{"end: reset, hold: 1s, concurrency: 3, total: 3, on_failure: {retry: 9, wait: "
		 "300ms}",
		 7, 3, 4, 0, 0},
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
		CU_ASSERT_EQUAL(t->stopped, cases[i].stopped);
		CU_ASSERT_EQUAL(t->attempted - t->retries, t->opened + t->gave_up);
		arena_close(&r.arena);
	}
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

/* load.nofile: that process has a descriptor of what is open, and of nothing else; a disconnected
 * socket is, and so is an idle one. */
static void descriptors_of_a_limit_are_those_of_what_is_open(void)
{
	static const struct {
		const char *lines;
		uint64_t left, failed;
	} cases[] = {
		{"nofile: 7, concurrency: 4, total: 40", 0, 0},
		{"nofile: 7, concurrency: 4, total: 40, end: reset", 0, 0},
		{"nofile: 7, concurrency: 4, total: 40, end: shutdown", 0, 0},
		{"nofile: 7, concurrency: 4, total: 40, end: disconnect", 4, 0},
		{"nofile: 7, concurrency: 4, total: 40, pool: {max_idle: 2}, request: {send: 9B}",
		 2, 0},
		{"nofile: 33, concurrency: 4, total: 40, end: leak, on_failure: continue}\n"
		 "stop: {when: never",
		 30, 10},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char lines[200];
		struct run r;

		fake_boot(100);
		fake.answers = true;
		snprintf(lines, sizeof(lines), "network: {ports: 40000-40099}\nload: {%s}",
			 cases[i].lines);
		run_lines(&r, lines);
		CU_ASSERT(r.ok && r.tape.complete);
		CU_ASSERT_EQUAL(r.tape.tally.failed, cases[i].failed);
		CU_ASSERT_EQUAL(r.tape.tally.errors[STAGE_SOCKET][EMFILE], cases[i].failed);
		CU_ASSERT_EQUAL(fake.made, cases[i].left);
		arena_close(&r.arena);
	}
}

/* … and where it is no more nothing has been refused. */
static void a_process_that_is_no_more_is_an_error_of_its_own(void)
{
	struct run r;

	fake_boot(100);
	fake.maker_error = EPIPE;
	run_lines(&r, "load: {nofile: 7, concurrency: 4, total: 40, on_failure: continue}");
	CU_ASSERT_FALSE(r.ok);
	CU_ASSERT_EQUAL(r.err.kind, ERR_SYS);
	CU_ASSERT_EQUAL(r.tape.tally.failed, 0);
	CU_ASSERT_EQUAL(events_of(&r.tape, EVENT_FAILED), 0);
	arena_close(&r.arena);
}

static const struct test tests[] = {
	TEST(an_exhausted_destination_is_asked_ever_more_seldom),
	TEST(a_dear_refusal_takes_a_hundredth_of_the_time),
	TEST(recovery_is_noticed_within_half_a_second),
	TEST(exhaustion_ends_the_run_after_a_while_if_so_wished),
	TEST(other_failures_are_not_exhaustion),
	TEST(what_a_udp_socket_wants_for_does_not_accuse_the_address),
	TEST(slow_connects_are_cancelled_and_their_ports_given_back),
	TEST(a_far_end_that_never_closes_is_not_waited_for_for_ever),
	TEST(a_broken_ring_is_our_own_trouble),
	TEST(a_far_end_or_sampler_that_fails_ends_the_load),
	TEST(a_failed_connection_is_tried_again_and_given_up),
	TEST(what_waits_to_be_tried_again_is_given_up_at_the_end),
	TEST(descriptors_of_a_limit_are_those_of_what_is_open),
	TEST(a_process_that_is_no_more_is_an_error_of_its_own),
	TESTS_END,
};

const struct suite suite_worker_failures = {"worker: failures", tests};
