/* Counts by size: how wide a bucket is, what a percentile says, what a sum is. */
#include <string.h>

#include "base/draw.h"
#include "base/histogram.h"
#include "runner.h"
#include "suites.h"

static void a_bucket_is_no_wider_than_a_64th_of_what_is_in_it(void)
{
	for (unsigned i = 0; i + 1 < HISTOGRAM_BUCKETS; i++) {
		uint64_t low = histogram_floor(i), next = histogram_floor(i + 1);

		CU_ASSERT_FATAL(next > low);
		CU_ASSERT((next - low) == 1 || (next - low) * 64 <= low);
	}
	CU_ASSERT_EQUAL(histogram_floor(HISTOGRAM_BUCKETS), UINT64_C(1) << HISTOGRAM_TOP);
}

static void a_value_is_counted_in_the_bucket_whose_bounds_hold_it(void)
{
	static struct histogram h;

	for (uint64_t i = 0; i < 20000; i++) {
		uint64_t value = draw(7, 1, i) >> (24 + i % 40);
		unsigned at = 0;

		memset(&h, 0, sizeof(h));
		histogram_add(&h, value);
		while (h.buckets[at] == 0)
			at++;
		CU_ASSERT_FATAL(histogram_floor(at) <= value && value < histogram_floor(at + 1));
	}
}

static void what_is_beyond_the_last_bucket_is_counted_in_it(void)
{
	static struct histogram h;

	histogram_add(&h, UINT64_MAX);
	CU_ASSERT_EQUAL(h.buckets[HISTOGRAM_BUCKETS - 1], 1);
	CU_ASSERT_EQUAL(h.max, UINT64_MAX);
}

static void small_values_come_back_as_they_are(void)
{
	static struct histogram h;

	for (uint64_t v = 1; v <= 100; v++)
		histogram_add(&h, v);
	CU_ASSERT_EQUAL(histogram_at(&h, 0), 1);
	CU_ASSERT_EQUAL(histogram_at(&h, 0.5), 50);
	CU_ASSERT_EQUAL(histogram_at(&h, 0.99), 99);
	CU_ASSERT_EQUAL(histogram_at(&h, 0.999), 100);
	CU_ASSERT_EQUAL(histogram_at(&h, 1), 100);
}

static void no_percentile_is_beyond_the_largest_value(void)
{
	static struct histogram h;

	histogram_add(&h, 1000001);
	CU_ASSERT(histogram_at(&h, 0.5) <= 1000001 && histogram_at(&h, 0.5) > 980000);
	CU_ASSERT(histogram_at(&h, 1) <= 1000001);
}

static void an_empty_one_says_nothing(void)
{
	static struct histogram h;

	CU_ASSERT_EQUAL(histogram_at(&h, 0.5), 0);
	CU_ASSERT_EQUAL(histogram_at(&h, 1), 0);
}

static void a_sum_is_what_one_that_counts_all_would_be(void)
{
	static struct histogram parts[3], whole;

	for (uint64_t i = 0; i < 3000; i++) {
		uint64_t value = draw(9, 2, i) >> 40;

		histogram_add(&parts[i % 3], value);
		histogram_add(&whole, value);
	}
	histogram_merge(&parts[0], &parts[1]);
	histogram_merge(&parts[0], &parts[2]);
	CU_ASSERT_EQUAL(memcmp(&parts[0], &whole, sizeof(whole)), 0);
}

static const struct test tests[] = {
	TEST(a_bucket_is_no_wider_than_a_64th_of_what_is_in_it),
	TEST(a_value_is_counted_in_the_bucket_whose_bounds_hold_it),
	TEST(what_is_beyond_the_last_bucket_is_counted_in_it),
	TEST(small_values_come_back_as_they_are),
	TEST(no_percentile_is_beyond_the_largest_value),
	TEST(an_empty_one_says_nothing),
	TEST(a_sum_is_what_one_that_counts_all_would_be),
	TESTS_END,
};

const struct suite suite_histogram = {"histogram", tests};
