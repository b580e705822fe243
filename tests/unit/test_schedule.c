/* When the sampler looks: how often, how late, and what dumps may cost. */
#include "sense/schedule.h"

#include "suites.h"

#define MS INT64_C(1000000)

/* A sampler that wakes up at its beats, so much late, whose dumps cost so much: how many it makes
 * in so long, and how long they took together. */
static int sample(int64_t every_ns, int64_t sockets_ns, int64_t late_ns, int64_t cost_ns,
		  int64_t end_ns)
{
	struct schedule s = schedule_begin(every_ns, sockets_ns, 7 * MS);
	int64_t now = 7 * MS;
	int dumps = 0;

	while (now < end_ns + 7 * MS) {
		bool dump = schedule_wants_dump(&s, now);

		CU_ASSERT(schedule_wants_totals(&s, now));
		schedule_beat(&s, now);
		if (dump) {
			schedule_dumped(&s, now, cost_ns);
			now += cost_ns;
			dumps++;
		}
		now = (now > s.totals_due_ns ? now : s.totals_due_ns) + late_ns;
	}
	return dumps;
}

static void dumps_come_as_often_as_is_wished_for(void)
{
	CU_ASSERT_EQUAL(sample(100 * MS, 1000 * MS, 0, MS, 10000 * MS), 10);
	CU_ASSERT_EQUAL(sample(100 * MS, 1000 * MS, MS / 10, MS, 10000 * MS), 10);
	CU_ASSERT_EQUAL(sample(100 * MS, 1, 0, MS, 10000 * MS), 100);
	CU_ASSERT_EQUAL(sample(100 * MS, 250 * MS, 0, MS, 10000 * MS), 34); /* beats alone */
}

/* However often they are wished for, of ten seconds they take 156 ms: totals are to have the rest of 2 %. */
static void dumps_take_a_64th_of_a_core_at_most(void)
{
	static const int64_t costs[] = {MS / 100, MS / 10, MS, 3 * MS, 10 * MS, 40 * MS, 200 * MS};

	for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
		int dumps = sample(MS / 10, 1, 0, costs[i], 10000 * MS);

		CU_ASSERT((dumps - 1) * costs[i] < 157 * MS); /* the last is not over yet */
		CU_ASSERT(dumps * costs[i] > 140 * MS);	      /* and no less */
	}
	CU_ASSERT_EQUAL(sample(MS, 1, 0, 201 * MS, 10000 * MS), 1);
	CU_ASSERT_EQUAL(sample(100 * MS, 1000 * MS, 0, 40 * MS, 10000 * MS), 4);
}

/* One that was asked for counts like those that come by themselves. */
static void a_dump_that_was_asked_for_puts_off_the_next(void)
{
	struct schedule s = schedule_begin(100 * MS, 1000 * MS, 0);

	schedule_beat(&s, 0);
	schedule_dumped(&s, 0, MS);
	CU_ASSERT_EQUAL(s.dump_due_ns, 1000 * MS);
	schedule_dumped(&s, 950 * MS, MS);
	CU_ASSERT_EQUAL(s.dump_due_ns, 1900 * MS);
	schedule_dumped(&s, 960 * MS, 40 * MS);
	CU_ASSERT_EQUAL(s.dump_due_ns, 3520 * MS);
}

/* Whoever sees that there is more of it need not wait for the next, but for a 64th of a core. */
static void a_dump_may_come_before_its_time(void)
{
	struct schedule s = schedule_begin(100 * MS, 1000 * MS, 0);

	CU_ASSERT(schedule_allows_dump(&s, 0));
	schedule_beat(&s, 0);
	schedule_dumped(&s, 0, 4 * MS);
	CU_ASSERT(!schedule_allows_dump(&s, 255 * MS) && schedule_allows_dump(&s, 256 * MS));
	CU_ASSERT(!schedule_wants_dump(&s, 256 * MS));
}

static void beats_that_were_missed_are_left_out(void)
{
	struct schedule s = schedule_begin(100 * MS, 1000 * MS, 0);

	schedule_beat(&s, 50 * MS);
	CU_ASSERT_EQUAL(s.totals_due_ns, 100 * MS);
	schedule_beat(&s, 99 * MS); /* not due: an edge looks all the same */
	CU_ASSERT_EQUAL(s.totals_due_ns, 100 * MS);
	schedule_beat(&s, 730 * MS);
	CU_ASSERT_EQUAL(s.totals_due_ns, 800 * MS);
	CU_ASSERT(!schedule_wants_totals(&s, 799 * MS) && schedule_wants_totals(&s, 800 * MS));
}

static const struct test tests[] = {
	TEST(dumps_come_as_often_as_is_wished_for),
	TEST(dumps_take_a_64th_of_a_core_at_most),
	TEST(a_dump_that_was_asked_for_puts_off_the_next),
	TEST(a_dump_may_come_before_its_time),
	TEST(beats_that_were_missed_are_left_out),
	TESTS_END,
};

const struct suite suite_schedule = {"schedule", tests};
