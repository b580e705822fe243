/* Connections between two requests: which is taken next, and which ends first. */
#include "drive/pool.h"
#include "plan_help.h"
#include "runner.h"
#include "suites.h"

enum { FLOWS = 8 };

static struct pool pool_of(struct arena *a, struct flow *flows, uint32_t most)
{
	struct pool p;

	CU_ASSERT_FATAL(pool_open(&p, 2, FLOWS, most, a));
	for (uint32_t i = 0; i < FLOWS; i++)
		flow_begin(&flows[i], i % 2);
	return p;
}

static void the_one_that_became_idle_last_is_taken_first(void)
{
	struct arena a = help_arena();
	struct flow flows[FLOWS];
	struct pool p = pool_of(&a, flows, 8);

	for (uint32_t i = 0; i < 6; i++)
		pool_put(&p, flows, i);
	CU_ASSERT_EQUAL(p.idle.count, 6);
	CU_ASSERT_EQUAL(p.idle.first, 0); /* whose time is over first */
	CU_ASSERT_EQUAL(pool_take(&p, flows, 0), 4);
	CU_ASSERT_EQUAL(pool_take(&p, flows, 1), 5);
	CU_ASSERT_EQUAL(pool_take(&p, flows, 1), 3);
	CU_ASSERT_EQUAL(pool_take(&p, flows, 1), 1);
	CU_ASSERT_EQUAL(pool_take(&p, flows, 1), NO_FLOW);
	CU_ASSERT(!pool_has_idle(&p, 1) && pool_has_idle(&p, 0));
	CU_ASSERT_EQUAL(p.idle.count, 2);
	arena_close(&a);
}

static void one_that_ends_leaves_the_others_in_their_order(void)
{
	static const uint32_t removed[] = {0, 2, 4, 6};
	struct arena a = help_arena();

	for (size_t k = 0; k < sizeof(removed) / sizeof(removed[0]); k++) {
		struct flow flows[FLOWS];
		struct pool p = pool_of(&a, flows, 8);
		uint32_t last = 8;

		for (uint32_t i = 0; i < FLOWS; i += 2)
			pool_put(&p, flows, i);
		pool_remove(&p, flows, removed[k]);
		for (int n = 0; n < 3; n++) {
			uint32_t i = pool_take(&p, flows, 0);

			CU_ASSERT(i < last && i != removed[k]);
			last = i;
		}
		CU_ASSERT_EQUAL(pool_take(&p, flows, 0), NO_FLOW);
	}
	arena_close(&a);
}

static void each_pair_has_its_own_bound(void)
{
	struct arena a = help_arena();
	struct flow flows[FLOWS];
	struct pool p = pool_of(&a, flows, 2);

	pool_put(&p, flows, 0);
	CU_ASSERT(pool_has_room(&p, 0));
	pool_put(&p, flows, 2);
	CU_ASSERT(!pool_has_room(&p, 0) && pool_has_room(&p, 1));
	p = pool_of(&a, flows, 0); /* no pool */
	CU_ASSERT(!pool_has_room(&p, 0) && !pool_has_idle(&p, 0));
	CU_ASSERT_EQUAL(pool_take(&p, flows, 0), NO_FLOW);
	arena_close(&a);
}

static const struct test tests[] = {
	TEST(the_one_that_became_idle_last_is_taken_first),
	TEST(one_that_ends_leaves_the_others_in_their_order),
	TEST(each_pair_has_its_own_bound),
	TESTS_END,
};

const struct suite suite_pool = {"pool", tests};
