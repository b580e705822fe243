/* Connections that are no more, and not by the driver: against a kernel in memory. */
#include <errno.h>

#include "run_help.h"

#define NET "network: {ports: 40000-40031}\n"

/* What an operation is told, and what is found at the end. */
static void one_that_the_kernel_gives_up_is_lost(void)
{
	static const struct {
		int error;
		uint64_t closed, reset, lost;
	} cases[] = {
		{ETIMEDOUT, 0, 0, 8},	{ECONNABORTED, 0, 0, 8}, {EHOSTUNREACH, 0, 0, 8},
		{ENETUNREACH, 0, 0, 8}, {ECONNRESET, 0, 8, 0},	 {EPIPE, 0, 8, 0},
		{EINVAL, 8, 0, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run r;

		fake_boot(32);
		fake.receive_error = cases[i].error;
		run_lines(&r, NET "load: {total: 8, request: {send: 8B, receive: 8B}, on_failure: "
				  "continue}");
		CU_ASSERT(r.ok && tally_balances(&r.tape.tally));
		CU_ASSERT_EQUAL(r.tape.tally.closed, cases[i].closed);
		CU_ASSERT_EQUAL(r.tape.tally.reset, cases[i].reset);
		CU_ASSERT_EQUAL(r.tape.tally.lost, cases[i].lost);
		arena_close(&r.arena);
	}
}

/* What waits longer than load.timeout is given up by the driver: that is an end of its own. */
static void one_that_the_driver_gives_up_is_closed(void)
{
	struct run r;

	fake_boot(32);
	run_lines(&r, NET "load: {total: 8, timeout: 1s, request: {send: 8B, receive: 8B}, "
			  "on_failure: continue}");
	CU_ASSERT_EQUAL(r.tape.tally.errors[STAGE_RECEIVE][ETIMEDOUT], 8);
	CU_ASSERT(r.tape.tally.closed == 8 && r.tape.tally.lost == 0);
	arena_close(&r.arena);
}

/* Of 8 that are held 3 are gone at the end; nobody looks where the kernel has ended none. */
static void those_that_are_gone_at_the_end_are_found(void)
{
	static const struct {
		int error;
		uint64_t resets, open, reset, lost;
	} cases[] = {
		{ETIMEDOUT, 3, 5, 0, 3}, {ECONNABORTED, 3, 5, 0, 3}, {ECONNRESET, 3, 5, 3, 0},
		{ETIMEDOUT, 0, 8, 0, 0}, {EINVAL, 3, 8, 0, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct tally *t;
		struct run r;

		fake_boot(32);
		fake.gone = 3;
		fake.gone_error = cases[i].error;
		fake.resets = cases[i].resets;
		run_lines(&r,
			  NET "load: {concurrency: 8, duration: 1s, hold: 1m}\nstop: {time: 2s}");
		t = &r.tape.tally;
		CU_ASSERT(r.ok && tally_balances(t) && t->opened == 8);
		CU_ASSERT_EQUAL(t->open, cases[i].open);
		CU_ASSERT_EQUAL(t->reset, cases[i].reset);
		CU_ASSERT_EQUAL(t->lost, cases[i].lost);
		CU_ASSERT_EQUAL(fake.gone, cases[i].resets ? 0 : 3);
		arena_close(&r.arena);
	}
}

/* The look takes its time, and nothing is late for that. */
static void nothing_is_late_for_a_look(void)
{
	uint64_t late[2];

	for (int looks = 0; looks < 2; looks++) {
		struct run r;

		fake_boot(500);
		fake.resets = looks ? 3 : 0;
		fake.submit_ns = 1000000;
		run_lines(&r, "network: {ports: 40000-40499}\n"
			      "load: {rate: 1k/s, total: 500, hold: 1m}\nstop: {time: 300ms}");
		CU_ASSERT(r.ok && r.tape.cut_short && r.tape.tally.opened > 200);
		late[looks] = r.tape.tally.late;
		arena_close(&r.arena);
	}
	CU_ASSERT_EQUAL(late[1], late[0]);
}

/* It has no slot any more, and whoever has its flow next need not have one either. */
static void what_is_leaked_is_not_looked_at(void)
{
	struct run r;

	fake_boot(100);
	fake.gone = fake.resets = 3;
	fake.gone_error = ECONNRESET;
	run_lines(&r,
		  "network: {ports: 40000-40099}\nload: {end: leak, concurrency: 64, total: 70}");
	CU_ASSERT(r.ok && r.tape.complete);
	CU_ASSERT_EQUAL(r.tape.tally.leaked, 70);
	CU_ASSERT_EQUAL(fake.gone, 3);
	arena_close(&r.arena);
}

static const struct test tests[] = {
	TEST(one_that_the_kernel_gives_up_is_lost),
	TEST(one_that_the_driver_gives_up_is_closed),
	TEST(those_that_are_gone_at_the_end_are_found),
	TEST(nothing_is_late_for_a_look),
	TEST(what_is_leaked_is_not_looked_at),
	TESTS_END,
};

const struct suite suite_lost = {"lost", tests};
