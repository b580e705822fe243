/* When the load's loop begins and when it ends, against a kernel in memory. */
#include <errno.h>
#include <string.h>

#include "drive/breach.h"
#include "drive/work.h"
#include "judge/judge.h"
#include "run_help.h"

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
		"network: {ports: 40000-40099}\nload: {nofile: 30, concurrency: 16, total: 90}",
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
	/* The eleventh is due just as the run ends: it was never to begin. */
	CU_ASSERT_EQUAL(r.tape.tally.attempted, 10);
	CU_ASSERT_EQUAL(r.tape.tally.late, 0);
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

/* Of 400 us, in which 64 may be at most; and where they are slow, 8. */
static void a_batch_is_as_large_as_its_operations_are_quick(void)
{
	static const struct {
		int64_t operation_ns;
		unsigned batch;
	} costs[] = {{0, 64}, {6250, 64}, {10000, 40}, {50000, 8}, {1000000, 8}};

	for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
		struct run r;

		fake_boot(28232);
		fake.submit_ns = 0;
		fake.operation_ns = costs[i].operation_ns;
		run_lines(&r, "load: {concurrency: 200, total: 2000, end: reset}");
		CU_ASSERT(r.ok && r.tape.complete);
		CU_ASSERT_EQUAL(fake.batch, costs[i].batch);
		arena_close(&r.arena);
	}
}

/* Sockets and options between them cost nothing, and say nothing of the connects that follow. */
static void a_batch_of_slow_connects_is_small(void)
{
	static const char *const loads[] = {
		"load: {concurrency: 64, total: 2000, end: reset}",
		"load: {concurrency: 64, total: 2000, end: reset, bind: address}",
	};

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		struct run r;

		fake_boot(28232);
		fake.submit_ns = 0;
		fake.scan_ns = 1000000;
		run_lines(&r, loads[i]);
		CU_ASSERT(r.ok && r.tape.complete);
		CU_ASSERT(fake.batch > 8);
		CU_ASSERT(fake.slowest_ns <= 8 * fake.scan_ns);
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

/* Measures that are known while a load runs are the same afterwards, on one tape and its pulse. */
static void what_is_live_is_measured_alike(void)
{
	struct sample dump = {
		.parts = SAMPLE_SOCKETS | SAMPLE_GATEWAY,
		.used_max = 31,
		.gateway = {.entries = 30, .insert_failed = 8, .drop = 9, .unmapped = 3}};
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
	atomic_store(&r.pulse.gateway_unmapped, dump.gateway.unmapped);
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

static void nobody_hears(void *context)
{
	(void)context;
}

/* A load of two workers, of which one is opened at a time. */
static struct worker *worker_of_two(struct run *r, uint32_t worker, struct team *team,
				    const struct drive_hooks *hooks)
{
	struct worker_wish wish = {.plan = &r->plan,
				   .load = &r->plan.loads[0],
				   .worker = worker,
				   .team = team,
				   .hooks = hooks,
				   .tape = &r->tape,
				   .edge = nobody_hears};
	struct worker *w;

	CU_ASSERT_FATAL(tape_open(&r->tape, 64, 0, 0, &r->arena, &r->err));
	CU_ASSERT_FATAL(worker_open(&w, &wish, &r->arena, &r->err));
	return w;
}

static void plan_two(struct run *r, const char *lines)
{
	struct plan_wish wish = {.seed = 1, .workers = 2};

	plan_for(r, lines, help_host());
	wish.scenario = r->plan.scenario;
	wish.host = r->plan.host;
	CU_ASSERT_FATAL(plan_make_for(&r->plan, &wish, &r->arena, &r->err));
	CU_ASSERT_EQUAL_FATAL(plan_workers(&r->plan), 2);
}

/* The other worker was refused while this one had no processor: by the clock that it has read last,
 * nothing is due. */
static void who_had_no_turn_begins_what_came_before_the_refusal(void)
{
	struct run r;
	struct drive_hooks hooks = {&r.interrupted, &r.pulse, -1, -1, 0, NULL, NULL};
	struct team *team;
	struct worker *w;

	fake_boot(100);
	plan_two(&r, "network: {ports: 40000-40099, services: 2}\n"
		     "load: {rate: 1k/s, start: 5ms, end: leak}");
	team = team_open(2, &r.arena);
	w = worker_of_two(&r, 0, team, &hooks);
	fake.now_ns = 20000000;
	team_stop(team, 5);
	work_look_for_end(w);
	CU_ASSERT_FALSE(w->stopping);
	CU_ASSERT(worker_run(w, 0, &r.err));
	CU_ASSERT_EQUAL(r.tape.tally.attempted, 3); /* 0, 2 and 4 */
	worker_close(w);
	arena_close(&r.arena);
}

/* All that the first has opened is closed before the second begins: the peak is no sum of theirs. */
static void the_peak_of_two_that_follow_one_another_is_that_of_one(void)
{
	struct run r;
	struct drive_hooks hooks = {&r.interrupted, &r.pulse, -1, -1, 0, NULL, NULL};
	struct tape all = {0};
	struct team *team;

	fake_boot(100);
	plan_two(&r, "network: {ports: 40000-40099, services: 2}\n"
		     "load: {concurrency: 20, total: 40, hold: 10ms, end: reset}");
	team = team_open(2, &r.arena);
	for (uint32_t k = 0; k < 2; k++) {
		struct worker *w = worker_of_two(&r, k, team, &hooks);

		CU_ASSERT(worker_run(w, fake.now_ns, &r.err));
		CU_ASSERT_EQUAL(r.tape.tally.reset, 20);
		tape_join(&all, &r.tape);
		worker_close(w);
	}
	CU_ASSERT_EQUAL(all.open_peak, 10);
	arena_close(&r.arena);
}

static const struct test tests[] = {
	TEST(the_books_balance_when_interrupted_anywhere),
	TEST(a_run_cut_short_says_so),
	TEST(slow_connects_keep_nobody_from_ending_the_run),
	TEST(a_batch_is_as_large_as_its_operations_are_quick),
	TEST(a_batch_of_slow_connects_is_small),
	TEST(how_late_a_connection_was_begun_is_told),
	TEST(a_full_closed_loop_sleeps_while_a_destination_is_exhausted),
	TEST(what_is_live_is_measured_alike),
	TEST(an_open_model_starts_what_is_due),
	TEST(a_broken_line_of_expect_ends_the_run_if_so_wished),
	TEST(who_had_no_turn_begins_what_came_before_the_refusal),
	TEST(the_peak_of_two_that_follow_one_another_is_that_of_one),
	TESTS_END,
};

const struct suite suite_worker_pace = {"worker: pace", tests};
