#include "base/unit.h"

#include <stdio.h>

#include "suites.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void times_are_read_in_nanoseconds(void)
{
	static const struct {
		const char *text;
		int64_t ns;
	} rows[] = {
		{"0s", 0},
		{"1us", 1000},
		{"250ms", 250000000},
		{"2s", 2000000000},
		{"1.5s", 1500000000},
		{"0.001us", 1},
		{"1.001us", 1001},
		{"0.029s", 29000000},
		{"1m", 60000000000},
		{"1h", 3600000000000},
		{"2.5m", 150000000000},
		{"0.0000000001h", 360},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t ns = -1;

		CU_ASSERT(unit_read_time(text_of(rows[i].text), &ns));
		CU_ASSERT_EQUAL(ns, rows[i].ns);
	}
}

static void what_is_no_time_is_refused(void)
{
	static const char *const rows[] = {
		"",    "5",   "s",	   "5 s", "-5s",      "+5s",  "5S",
		".5s", "5.s", "1.2.3s",	   "5d",  "0.0001us", "1e3s", "9999999999999999s",
		"5ss", "٣s",  "999999999h"};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t ns = -7;

		CU_ASSERT(!unit_read_time(text_of(rows[i]), &ns));
		CU_ASSERT_EQUAL(ns, -7);
	}
}

static void counts_are_whole(void)
{
	uint64_t n;

	CU_ASSERT(unit_read_count(TEXT("28232"), &n) && n == 28232);
	CU_ASSERT(unit_read_count(TEXT("10k"), &n) && n == 10000);
	CU_ASSERT(unit_read_count(TEXT("1.5k"), &n) && n == 1500);
	CU_ASSERT(unit_read_count(TEXT("2M"), &n) && n == 2000000);
	CU_ASSERT(unit_read_count(TEXT("012"), &n) && n == 12);
	CU_ASSERT(!unit_read_count(TEXT("1.5"), &n));
	CU_ASSERT(!unit_read_count(TEXT("1.0001k"), &n));
	CU_ASSERT(!unit_read_count(TEXT("0x10"), &n));
	CU_ASSERT(!unit_read_count(TEXT("10000000000000000"), &n));
}

static void rates_are_per_second(void)
{
	double rate;

	CU_ASSERT(unit_read_rate(TEXT("200/s"), &rate) && rate == 200);
	CU_ASSERT(unit_read_rate(TEXT("30k/min"), &rate) && rate == 500);
	CU_ASSERT(unit_read_rate(TEXT("1M/s"), &rate) && rate == 1e6);
	CU_ASSERT(unit_read_rate(TEXT("0.5/s"), &rate) && rate == 0.5);
	CU_ASSERT(unit_read_rate(TEXT("1/min"), &rate) && rate == 1 / 60.);
	CU_ASSERT(!unit_read_rate(TEXT("500"), &rate));
	CU_ASSERT(
		!unit_read_rate(TEXT("0.000000001/s"), &rate)); /* finer than the steps of a rate */
	CU_ASSERT(!unit_read_rate(TEXT("999999999M/s"), &rate));
}

static void shares_are_percent_or_plain(void)
{
	double a, b;

	for (int percent = 0; percent <= 100; percent++) {
		char z[2][16];

		snprintf(z[0], sizeof(z[0]), "%d%%", percent);
		snprintf(z[1], sizeof(z[1]), "%d.%02d", percent / 100, percent % 100);
		CU_ASSERT(unit_read_share(text_of(z[0]), &a) &&
			  unit_read_share(text_of(z[1]), &b) && a == b);
	}
	CU_ASSERT(!unit_read_share(TEXT("80 %"), &a));
}

static void a_range_of_ports_is_read_as_proc_has_it(void)
{
	static const char *const good[] = {"40000 40031", "40000\t40031\n", " 40000  40031 "};
	static const char *const wrong[] = {
		"",
		"40000",
		"40000 ",
		"4000040031",
		"40031 40000",
		"40000-40031",
		"40000 65536",
		"40k 41k",
		"40000 40031 1",
	};
	struct port_range r = {7, 9};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (unit_read_range(text_of(wrong[i]), &r))
			CU_FAIL(wrong[i]);
	CU_ASSERT(r.lo == 7 && r.hi == 9);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		r = (struct port_range){0, 0};
		CU_ASSERT(unit_read_range(text_of(good[i]), &r));
		CU_ASSERT(r.lo == 40000 && r.hi == 40031);
	}
}

static void what_is_printed_reads_back(void)
{
	static const int64_t times[] = {
		0,	 1,	    999,	 1000,		1001,
		1500000, 250000000, 60000000000, 3599999999999, 3600000000000};
	static const char *const rates[] = {"0/s",	 "1/s",		 "200/s",
					    "1/min",	 "7/min",	 "0.000001/min",
					    "0.1/s",	 "7.1234567/s",	 "999999.999999/s",
					    "1000000/s", "33.333333/min"};
	char z[UNIT_PRINTED];

	for (size_t i = 0; i < COUNT(times); i++) {
		int64_t ns = -1;

		CU_ASSERT(unit_read_time(text_of(unit_time(z, times[i])), &ns));
		CU_ASSERT_EQUAL(ns, times[i]);
	}
	for (size_t i = 0; i < COUNT(rates); i++) {
		double rate, again = -1;

		CU_ASSERT(unit_read_rate(text_of(rates[i]), &rate));
		CU_ASSERT(unit_read_rate(text_of(unit_rate(z, rate)), &again));
		CU_ASSERT_EQUAL(rate, again);
	}
	CU_ASSERT_STRING_EQUAL(unit_time(z, 90000000000), "90s");
	CU_ASSERT_STRING_EQUAL(unit_rate(z, 0.5), "0.5/s");
	CU_ASSERT_STRING_EQUAL(unit_rate(z, 1 / 60.), "1/min");
	CU_ASSERT_STRING_EQUAL(unit_size(z, 3 << 20), "3MiB");
	CU_ASSERT_STRING_EQUAL(unit_share(z, 0.07), "7%");
}

static void pretty_is_rounded_for_the_eye(void)
{
	char z[UNIT_PRINTED];

	CU_ASSERT_STRING_EQUAL(unit_count_pretty(z, 28232), "28,232");
	CU_ASSERT_STRING_EQUAL(unit_count_pretty(z, 999), "999");
	CU_ASSERT_STRING_EQUAL(unit_count_pretty(z, 1000000), "1,000,000");
	CU_ASSERT_STRING_EQUAL(unit_share_pretty(z, 1), "100 %");
	CU_ASSERT_STRING_EQUAL(unit_share_pretty(z, 0.99999), "99.9 %");
	CU_ASSERT_STRING_EQUAL(unit_time_pretty(z, 610000000), "0.61 s");
	CU_ASSERT_STRING_EQUAL(unit_time_pretty(z, INT64_C(3600000000000)), "60 min");
	CU_ASSERT_STRING_EQUAL(unit_time_pretty(z, INT64_C(41400000000000)), "11.5 h");
	CU_ASSERT_STRING_EQUAL(unit_time_pretty(z, INT64_C(1692000000000000)), "19.6 days");
}

static const struct test tests[] = {
	TEST(times_are_read_in_nanoseconds),
	TEST(what_is_no_time_is_refused),
	TEST(counts_are_whole),
	TEST(rates_are_per_second),
	TEST(shares_are_percent_or_plain),
	TEST(a_range_of_ports_is_read_as_proc_has_it),
	TEST(what_is_printed_reads_back),
	TEST(pretty_is_rounded_for_the_eye),
	TESTS_END,
};

const struct suite suite_units = {"units", tests};
