#include <stdlib.h>

#include "drive/team.h"
#include "plan/split.h"
#include "plan_help.h"
#include "runner.h"
#include "suites.h"

/* Every request is one worker's, and goes where it would go from one alone. */
static void each_request_is_of_one_worker(void)
{
	enum { REQUESTS = 1000, SPACES_MOST = 9 };

	for (uint32_t spaces = 1; spaces <= SPACES_MOST; spaces++)
		for (uint32_t workers = 1; workers <= spaces; workers++) {
			unsigned had[REQUESTS] = {0};
			uint64_t all = 0, some = 0;

			for (uint32_t k = 0; k < workers; k++) {
				struct split s = {spaces, workers, k};
				uint32_t own = split_spaces(&s);
				uint64_t n = split_count(&s, REQUESTS);

				all += n;
				some += split_count(&s, 123);
				for (uint64_t i = 0; i < n; i++) {
					uint64_t index = split_index(&s, i);

					CU_ASSERT_FATAL(index < REQUESTS);
					had[index]++;
					CU_ASSERT_EQUAL(split_space(&s, (uint32_t)(i % own)),
							index % spaces);
					CU_ASSERT_EQUAL(split_own(&s, (uint32_t)(index % spaces)),
							i % own);
					CU_ASSERT_EQUAL(split_count(&s, index), i);
					CU_ASSERT_EQUAL(split_count(&s, index + 1), i + 1);
				}
				CU_ASSERT(split_index(&s, n) >= REQUESTS);
			}
			CU_ASSERT_EQUAL(all, REQUESTS);
			CU_ASSERT_EQUAL(some, 123);
			for (int i = 0; i < REQUESTS; i++)
				CU_ASSERT_EQUAL(had[i], 1);
		}
}

/* With a host of so many processors, and so many workers asked for. */
static void as_many_workers_as_pay(void)
{
	static const struct {
		const char *lines;
		int64_t cpus;
		uint32_t asked, workers;
		bool whole;
	} cases[] = {
		{"network: {services: 4}\nload: {total: 10}", 8, 0, 1, false},
		{"network: {services: 4}\nload: {total: 10}", 1, 3, 3, false},
		{"network: {services: 4}\nload: {total: 10}", 1, 64, 4, false},
		{"network: {services: 4}\nload: {total: 10, concurrency: 2}", 1, 4, 2, false},
		{"load: {total: 10}", 8, 4, 1, true},
		{"network: {services: 4, choose: seed}\nload: {total: 10}", 8, 4, 1, true},
		{"network: {sources: 2, servers: 3}\nload: {bind: address, total: 10}", 8, 9, 2,
		 false},
		/* 100,000 pay, where nothing is refused, and the far end has its own. */
		{"network: {services: 4, ports: 1024-65535}\nserver: {behaviour: never-accept}\n"
		 "load: {end: leak, total: 200000}",
		 8, 0, 4, false},
		{"network: {services: 4, ports: 1024-65535}\nserver: {behaviour: never-accept}\n"
		 "load: {end: leak, total: 200000}",
		 2, 0, 2, false},
		{"network: {services: 4, ports: 1024-65535}\nserver: {behaviour: hold}\n"
		 "load: {end: leak, total: 200000}",
		 2, 0, 1, false},
		{"network: {services: 4, ports: 1024-65535}\nserver: {behaviour: never-accept}\n"
		 "load: {end: leak, total: 300000}",
		 8, 0, 1, false},
		{"network: {services: 4, ports: 1024-65535}\nserver: {behaviour: never-accept}\n"
		 "load: {end: leak, total: 99999}",
		 8, 0, 1, false},
		/* A closed loop begins what its time lets one worker begin, or how long it holds. */
		{"network: {services: 4}\nload: {end: reset, concurrency: 64, duration: 2500ms}", 8,
		 0, 4, false},
		{"network: {services: 4}\nload: {end: reset, concurrency: 64, duration: 2s}", 8, 0,
		 1, false},
		{"network: {services: 4}\nload: {end: reset, total: 200000}\nstop: {time: 2s}", 8,
		 0, 1, false},
		{"network: {services: 4}\nload: {end: reset, total: 200000, hold: 10ms}", 8, 0, 1,
		 false},
		/* An open one, what falls due within load.duration. */
		{"network: {services: 4}\nload: {end: reset, rate: 25k/s, duration: 4s}", 8, 0, 4,
		 false},
		{"network: {services: 4}\nload: {end: reset, rate: 25k/s, duration: 3s}", 8, 0, 1,
		 false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena a = help_arena();
		struct host host = help_host();
		struct plan p;
		struct err err = {0};

		host.cpus = cases[i].cpus;
		host.memory = INT64_C(1) << 40;
		CU_ASSERT_FATAL(plan_make_for(&p,
					      &(struct plan_wish){help_scenario(cases[i].lines, &a),
								  &host, 1, cases[i].asked},
					      &a, &err));
		CU_ASSERT_EQUAL(p.loads[0].workers, cases[i].workers);
		CU_ASSERT_EQUAL(plan_workers(&p), cases[i].workers);
		CU_ASSERT_EQUAL(p.loads[0].whole != NULL, cases[i].whole);
		arena_close(&a);
	}
}

/* Each has what its part of the load needs, and a ring table of its own. */
static void workers_share_the_descriptors(void)
{
	struct arena a = help_arena();
	struct host host = help_host();
	const struct scenario *s =
		help_scenario("network: {services: 3}\nload: {concurrency: 100, total: "
			      "1000}\nserver: {behaviour: never-accept}",
			      &a);
	struct plan p;
	struct err err = {0};

	CU_ASSERT_FATAL(plan_make_for(&p, &(struct plan_wish){s, &host, 1, 2}, &a, &err));
	CU_ASSERT_EQUAL(p.loads[0].slots, 164);
	CU_ASSERT_EQUAL(split_slots(&p.loads[0], 0), 132); /* 34 rounds of 3, of which it has 2 */
	CU_ASSERT_EQUAL(split_slots(&p.loads[0], 1), 98);
	CU_ASSERT_EQUAL(p.needs.rings, 2);
	CU_ASSERT_EQUAL(p.ring_slots, 132);
	arena_close(&a);
}

static void a_team_ends_at_the_first_that_was_refused(void)
{
	struct arena a = help_arena();
	struct team *t = team_open(2, &a);

	CU_ASSERT(team_is_past(t, 0) && team_is_past(NULL, 0)); /* nothing was refused */
	team_refused(t, 70);
	team_refused(t, 64);
	team_refused(t, 90);
	CU_ASSERT(!team_stops(t) && !team_stops(NULL));
	CU_ASSERT(!team_is_past(t, 64) && team_is_past(t, 65));
	team_stop(t, 80);
	CU_ASSERT(team_stops(t) && !team_is_past(t, 64));
	CU_ASSERT(team_is_first(t, EVENT_FAILED, STAGE_CONNECT, 99));
	CU_ASSERT_FALSE(team_is_first(t, EVENT_FAILED, STAGE_CONNECT, 99));
	CU_ASSERT(team_is_first(t, EVENT_FAILED, STAGE_BIND, 99));
	CU_ASSERT(team_is_first(t, EVENT_FAILED, STAGE_CONNECT, 98));
	CU_ASSERT(team_is_first(t, EVENT_CUT_SHORT, STAGE_SOCKET, 0));
	CU_ASSERT_FALSE(team_is_first(t, EVENT_CUT_SHORT, STAGE_SOCKET, 0));
	CU_ASSERT_EQUAL(team_tell(t, 10, 3), 7);
	CU_ASSERT_EQUAL(team_tell(t, 5, 0), 12);
	CU_ASSERT_EQUAL(team_opened(t), 15);
	CU_ASSERT_FALSE(team_leave(t));
	CU_ASSERT(team_leave(t) && team_leave(NULL));
	arena_close(&a);
}

static const struct test tests[] = {
	TEST(each_request_is_of_one_worker),
	TEST(as_many_workers_as_pay),
	TEST(workers_share_the_descriptors),
	TEST(a_team_ends_at_the_first_that_was_refused),
	TESTS_END,
};

const struct suite suite_split = {"split", tests};
