/* Records in order of time, and what they come to. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "plan_help.h"
#include "suites.h"
#include "tape_help.h"

static void merge_keeps_the_order_of_time(void)
{
	static const int64_t first[] = {1, 4, 4, 9}, second[] = {0, 4, 5, 10, 11},
			     both[] = {0, 1, 4, 4, 4, 5, 9, 10, 11};
	struct arena a = help_arena();
	struct tape into = tape_new(&a), more = tape_new(&a);

	for (size_t i = 0; i < 4; i++) {
		tape_event(&into, (struct event){.t_ns = first[i], .value = 1});
		tape_sample(&into, (struct sample){.t_ns = first[i], .opened = 1});
	}
	for (size_t i = 0; i < 5; i++) {
		tape_event(&more, (struct event){.t_ns = second[i], .value = 2});
		tape_sample(&more, (struct sample){.t_ns = second[i], .opened = 2});
	}
	tape_merge(&into, &more);
	CU_ASSERT_EQUAL_FATAL(into.event_count, 9);
	CU_ASSERT_EQUAL_FATAL(into.sample_count, 9);
	for (size_t i = 0; i < 9; i++) {
		CU_ASSERT_EQUAL(into.events[i].t_ns, both[i]);
		CU_ASSERT_EQUAL(into.samples[i].t_ns, both[i]);
	}
	CU_ASSERT_EQUAL(into.events[3].value, 1); /* of three at one time, into's two are first */
	CU_ASSERT_EQUAL(into.events[4].value, 2);
	CU_ASSERT_EQUAL(into.lost, 0);
	arena_close(&a);
}

/* Whose samples stand before others' in the end: each keeps its own destinations. */
static void merge_keeps_the_destinations_of_each_dump(void)
{
	struct arena a = help_arena();
	struct tape into = tape_new(&a), more = tape_new(&a);
	struct sample dump = {.parts = SAMPLE_SOCKETS, .usage_count = 1};

	for (uint32_t i = 0; i < 3; i++) {
		dump.t_ns = 2 * i;
		tape_dump(&into, dump, &(struct usage){.usable = 10 + i});
		dump.t_ns = 2 * i + 1;
		tape_dump(&more, dump, &(struct usage){.usable = 20 + i});
	}
	tape_merge(&into, &more);
	CU_ASSERT_EQUAL_FATAL(into.sample_count, 6);
	for (uint32_t i = 0; i < 6; i++)
		CU_ASSERT_EQUAL(sample_usages(&into, &into.samples[i])->usable,
				(i % 2 ? 20 : 10) + i / 2);
	CU_ASSERT_EQUAL(tape_last_dump(&into)->t_ns, 5);
	arena_close(&a);
}

static void destinations_without_room_are_counted(void)
{
	struct arena a = help_arena();
	struct tape t = tape_new(&a), bare;
	struct usage some[USAGES_MOST] = {0};
	struct sample dump = {.parts = SAMPLE_SOCKETS, .usage_count = USAGES_MOST, .more_count = 1};
	struct err err = {0};

	for (int i = 0; i < USAGES_MOST; i++)
		some[i].states[STATE_TIME_WAIT] = 2;
	for (int i = 0; i < 3; i++)
		tape_dump(&t, dump, some);
	CU_ASSERT(t.samples[1].usage_count == USAGES_MOST && t.samples[1].more_count == 1);
	CU_ASSERT_EQUAL(t.samples[2].usage_count, 0);
	CU_ASSERT_EQUAL(t.samples[2].more_count, USAGES_MOST + 1);
	CU_ASSERT_EQUAL(t.samples[2].more_used, 2 * USAGES_MOST);
	CU_ASSERT_FATAL(tape_open(&bare, 0, ROOM, 0, &a, &err));
	tape_merge(&bare, &t);
	CU_ASSERT(bare.samples[0].usage_count == 0 && bare.samples[0].more_used == 16);
	CU_ASSERT(t.lost == 0 && bare.lost == 0);
	arena_close(&a);
}

static void merge_without_room_loses_the_latest(void)
{
	struct arena a = help_arena();
	struct tape into = tape_new(&a), more = tape_new(&a);

	for (int i = 0; i < ROOM - 2; i++)
		tape_event(&into, (struct event){.t_ns = i});
	for (int i = 0; i < 5; i++)
		tape_event(&more, (struct event){.t_ns = i});
	tape_merge(&into, &more);
	CU_ASSERT_EQUAL(into.event_count, ROOM);
	CU_ASSERT_EQUAL(into.lost, 3);
	CU_ASSERT_EQUAL(into.events[3].t_ns, 1);
	arena_close(&a);
}

static void merge_takes_the_first_finding_and_sums_the_books(void)
{
	struct arena a = help_arena();
	struct tape into = tape_new(&a), more = tape_new(&a);

	into.tally = (struct tally){.attempted = 10, .opened = 8, .failed = 2, .closed = 8};
	into.tally.errors[STAGE_CONNECT][EADDRNOTAVAIL] = 2;
	into.complete = true;
	into.end_ns = 100;
	into.refused_at_ns = 90;
	into.opened_before = 8;
	into.recovered_ns = 7;
	into.open_peak = 6;
	into.used_peak = 4;
	more.open_peak = 9;
	more.used_peak = 5;
	into.exhausted = true;
	more.tally = (struct tally){.attempted = 5, .opened = 4, .failed = 1, .leaked = 4};
	more.tally.errors[STAGE_CONNECT][EADDRNOTAVAIL] = 1;
	more.complete = true;
	more.end_ns = 120;
	more.refused_at_ns = 50;
	more.opened_before = 4;
	more.interrupted = 2;
	more.lost = 1;
	tape_merge(&into, &more);
	CU_ASSERT_EQUAL(into.tally.attempted, 15);
	CU_ASSERT_EQUAL(into.tally.errors[STAGE_CONNECT][EADDRNOTAVAIL], 3);
	CU_ASSERT(tally_balances(&into.tally));
	CU_ASSERT_EQUAL(into.refused_at_ns, 50);
	CU_ASSERT_EQUAL(into.opened_before, 4);
	CU_ASSERT_EQUAL(into.open_peak, 9);
	CU_ASSERT_EQUAL(into.used_peak, 5);
	CU_ASSERT_EQUAL(into.end_ns, 120);
	CU_ASSERT_EQUAL(into.interrupted, 2);
	CU_ASSERT_EQUAL(into.lost, 1);
	CU_ASSERT(into.exhausted && into.complete);
	arena_close(&a);
}

/* Whoever was refused first, and whoever took a connection again: of two threads of a load all opened what each
 * did before its own want of a port. */
static void what_comes_back_is_timed_from_the_first_want(void)
{
	static const struct {
		int64_t refused[2], recovered[2], first, again;
	} rows[] = {
		{{90, 50}, {7, -1}, 50, 47},  {{50, 90}, {-1, 7}, 50, 47},
		{{90, 50}, {7, 60}, 50, 47},  {{90, 50}, {70, 60}, 50, 60},
		{{90, 50}, {-1, -1}, 50, -1}, {{-1, 50}, {-1, 0}, 50, 0},
		{{-1, -1}, {-1, -1}, -1, -1},
	};

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct tape tapes[2] = {tape_new(&a), tape_new(&a)};

		for (int k = 0; k < 2; k++) {
			tapes[k].refused_at_ns = rows[i / 2].refused[k];
			tapes[k].recovered_ns = rows[i / 2].recovered[k];
			tapes[k].opened_before = 3 + (uint64_t)k;
		}
		(i % 2 ? tape_join : tape_merge)(&tapes[0], &tapes[1]);
		CU_ASSERT_EQUAL(tapes[0].refused_at_ns, rows[i / 2].first);
		CU_ASSERT_EQUAL(tapes[0].recovered_ns, rows[i / 2].again);
		CU_ASSERT_EQUAL(tapes[0].opened_before,
				i % 2					      ? 7
				: rows[i / 2].first == rows[i / 2].refused[0] ? 3
									      : 4);
		arena_close(&a);
	}
}

static void merge_is_complete_only_if_every_load_is(void)
{
	static const struct {
		bool first, second;   /* complete */
		uint64_t more_opened; /* 0: a sampler's */
		bool both;
	} rows[] = {
		{true, true, 1, true},	{true, false, 1, false},  {false, true, 1, false},
		{true, false, 0, true}, {false, false, 0, false}, {false, false, 1, false},
	};
	struct arena a = help_arena();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tape into = tape_new(&a), more = tape_new(&a);

		into.tally.attempted = 1;
		into.complete = rows[i].first;
		more.tally.attempted = rows[i].more_opened;
		more.complete = rows[i].second;
		tape_merge(&into, &more);
		CU_ASSERT_EQUAL(into.complete, rows[i].both);
	}
	arena_close(&a);
}

static void merge_sums_the_moves_of_a_counter(void)
{
	struct arena a = help_arena();
	struct tape into = tape_new(&a), more = tape_new(&a);

	into.counters[into.counter_count++] = (struct counter){"ActiveOpens", 5, 7};
	more.counters[more.counter_count++] = (struct counter){"ActiveOpens", 100, 101};
	more.counters[more.counter_count++] = (struct counter){"TWRecycled", 0, 3};
	tape_merge(&into, &more);
	CU_ASSERT_EQUAL_FATAL(into.counter_count, 2);
	CU_ASSERT_EQUAL(into.counters[0].last - into.counters[0].first, 3);
	CU_ASSERT_STRING_EQUAL(into.counters[1].name, "TWRecycled");
	arena_close(&a);
}

static void books_balance_or_do_not(void)
{
	static const struct {
		struct tally t;
		bool balances;
	} rows[] = {
		{{0}, true},
		{{.attempted = 6,
		  .opened = 3,
		  .failed = 2,
		  .in_flight = 1,
		  .open = 1,
		  .reset = 1,
		  .leaked = 1},
		 true},
		{{.attempted = 5, .opened = 3, .failed = 2, .in_flight = 1, .open = 3}, false},
		{{.attempted = 3, .opened = 3, .open = 1, .closed = 1}, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CU_ASSERT_EQUAL(tally_balances(&rows[i].t), rows[i].balances);
}

static void each_state_has_a_name_that_finds_it(void)
{
	for (int i = 1; i < STATES; i++)
		CU_ASSERT_EQUAL(state_find(text_of(state_name(i))), i);
	CU_ASSERT_EQUAL(state_find(TEXT("OPEN")), 0);
}

static void the_first_of_the_fullest_dumps_is_found(void)
{
	struct arena a = help_arena();
	struct tape t = tape_new(&a);

	CU_ASSERT_PTR_NULL(tape_fullest(&t));
	tape_sample(&t, (struct sample){.parts = SAMPLE_TOTALS, .used_max = 99});
	CU_ASSERT_PTR_NULL(tape_fullest(&t));
	for (uint64_t used = 1; used < 6; used++)
		tape_sample(&t, (struct sample){.parts = SAMPLE_SOCKETS,
						.used_max = used % 5 + used / 5 * 4});
	CU_ASSERT_PTR_EQUAL(tape_fullest(&t), &t.samples[4]);
	arena_close(&a);
}

/* With thousands of destinations each of a dump's may have one port in use, the first dump's too. */
static void the_dump_that_tells_who_holds_the_ports_is_found(void)
{
	static const struct {
		bool exhausted;
		int64_t refused_at_ns;
		struct {
			int64_t t_ns;
			uint64_t used_max, waiting;
		} dumps[4];
		size_t peak;
	} rows[] = {
		{false, -1, {{1, 1, 3}, {2, 1, 4000}, {3, 1, 4000}, {4, 1, 10}}, 1},
		{false, -1, {{1, 2, 30}, {2, 3, 20}, {3, 1, 40}, {4, 1, 10}}, 2},
		{true, 3, {{1, 4, 9000}, {2, 4, 12000}, {3, 4, 8000}, {4, 4, 16000}}, 2},
		{true, 3, {{1, 4, 8000}, {2, 4, 12000}, {3, 3, 16000}, {4, 3, 16000}}, 1},
		{true, 9, {{1, 4, 8000}, {2, 4, 12000}, {3, 4, 9000}, {4, 5, 10}}, 3},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct tape t = tape_new(&a);

		CU_ASSERT_PTR_NULL(tape_peak(&t));
		t.exhausted = rows[i].exhausted;
		t.refused_at_ns = rows[i].refused_at_ns;
		for (int k = 0; k < 4; k++)
			tape_sample(&t,
				    (struct sample){.parts = SAMPLE_SOCKETS,
						    .t_ns = rows[i].dumps[k].t_ns,
						    .used_max = rows[i].dumps[k].used_max,
						    .states = {[STATE_TIME_WAIT] =
								       rows[i].dumps[k].waiting}});
		tape_sample(&t, (struct sample){.parts = SAMPLE_TOTALS, .t_ns = 5, .used_max = 99});
		CU_ASSERT_PTR_EQUAL(tape_peak(&t), &t.samples[rows[i].peak]);
		arena_close(&a);
	}
}

static const struct test tests[] = {
	TEST(merge_keeps_the_order_of_time),
	TEST(merge_keeps_the_destinations_of_each_dump),
	TEST(destinations_without_room_are_counted),
	TEST(merge_without_room_loses_the_latest),
	TEST(merge_takes_the_first_finding_and_sums_the_books),
	TEST(what_comes_back_is_timed_from_the_first_want),
	TEST(merge_is_complete_only_if_every_load_is),
	TEST(merge_sums_the_moves_of_a_counter),
	TEST(books_balance_or_do_not),
	TEST(each_state_has_a_name_that_finds_it),
	TEST(the_first_of_the_fullest_dumps_is_found),
	TEST(the_dump_that_tells_who_holds_the_ports_is_found),
	TESTS_END,
};

const struct suite suite_tape = {"tape", tests};
