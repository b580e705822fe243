/* How late the kernel's timers may be: LVL_START() and LVL_GRAN() of kernel/time/timer.c, by hand. */
#include "host/wheel.h"

#include <CUnit/CUnit.h>

#include "suites.h"

#define SECOND INT64_C(1000000000)
#define MS INT64_C(1000000)

static void a_timer_is_as_late_as_its_slot_is_wide(void)
{
	static const struct {
		int64_t hz, ns, slot; /* in ticks */
	} rows[] = {
		{100, 60 * SECOND, 512},   /* 5.12 s */
		{250, 60 * SECOND, 512},   /* 2.048 s */
		{300, 60 * SECOND, 512},   /* 1.707 s */
		{1000, 60 * SECOND, 4096}, /* 4.096 s: 60,000 ticks are a level farther */
		{1000, 30 * SECOND, 512},  {250, 2 * SECOND, 8},      {250, 251 * MS, 1},
		{250, 252 * MS, 8}, /* 63 ticks: the second level begins */
		{250, 120 * SECOND, 512},  {250, 130 * SECOND, 4096}, {100, 700 * MS, 8},
		{1000, 700 * MS, 64},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct host host = {.hz = rows[i].hz};

		CU_ASSERT_EQUAL(wheel_late_ns(&host, rows[i].ns),
				rows[i].slot * SECOND / rows[i].hz + 2 * MS);
	}
}

/* A result of an older lastport does not have it. */
static void ticks_that_nobody_knows_are_250_a_second(void)
{
	struct host host = {.hz = -1};

	CU_ASSERT_EQUAL(wheel_late_ns(&host, 60 * SECOND), 2050 * MS);
	host.hz = 0;
	CU_ASSERT_EQUAL(wheel_late_ns(&host, 60 * SECOND), 2050 * MS);
}

static const struct test tests[] = {
	TEST(a_timer_is_as_late_as_its_slot_is_wide),
	TEST(ticks_that_nobody_knows_are_250_a_second),
	TESTS_END,
};

const struct suite suite_wheel = {"wheel", tests};
