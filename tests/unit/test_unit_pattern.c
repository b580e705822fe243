/* What a quantity can be written as, as a regular expression: it takes what the reader takes, and of
 * that what lies within the bounds. The expressions are looked at with the C library's regexec(). */
#include "base/unit_pattern.h"

#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "base/draw.h"
#include "suites.h"

enum { PATTERN_MOST = 1 << 14, TEXT_MOST = 80, DRAWN = 400 };

static const struct kind {
	const struct unit *units;
	uint64_t lowest, highest;
} kinds[] = {
	{unit_ones, 1, 65535},
	{unit_ones, 0, 0},
	{unit_ones, 7, 7},
	{unit_counts, 0, 1000000000},
	{unit_counts, 1, 4096},
	{unit_counts, 0, 4294967295},
	{unit_counts, 99, 1001},
	{unit_times, 0, 3600000000000},
	{unit_times, 100000000, 60000000000},
	{unit_times, 1000000, 300000000000},
	{unit_times, 10000000, 60000000000},
	{unit_times, 1000000000, 3600000000000},
	{unit_times, 1, 999},
	{unit_millis, 0, 3600000000000},
	{unit_seconds, 0, 32767000000000},
	{unit_seconds, 0, 1000000000},
	{unit_rates, 0, 60000000000000},
	{unit_rates, 1, 60000001},
	{unit_sizes, 0, 1 << 30},
	{unit_sizes, 1000, 5000},
};

static void compile(regex_t *re, const struct kind *k)
{
	static char room[PATTERN_MOST];
	struct out out = out_memory(room, sizeof(room) - 1);

	out_z(&out, "^(");
	unit_pattern(&out, k->units, k->lowest, k->highest);
	out_z(&out, ")$");
	CU_ASSERT_EQUAL_FATAL(out.sys, 0);
	room[out.len] = '\0';
	CU_ASSERT_EQUAL_FATAL(regcomp(re, room, REG_EXTENDED | REG_NOSUB), 0);
}

/* n / 10^places of the unit, with zeros that say nothing before and behind. */
static void write_number(char z[TEXT_MOST], uint64_t n, unsigned places, const char *unit,
			 uint64_t zeros)
{
	char digits[TEXT_MOST];
	int len = snprintf(digits, sizeof(digits), "%0*" PRIu64, (int)places + 1, n);

	snprintf(z, TEXT_MOST, "%.*s%.*s%s%s%.*s%s", (int)(zeros & 3), "000", len - (int)places,
		 digits,
		 places	     ? "."
		 : zeros & 8 ? ".0"
			     : "",
		 digits + len - places, places ? (int)(zeros >> 2 & 1) : 0, "0", unit);
}

static bool is_within(const struct kind *k, const char *z)
{
	uint64_t n;

	return unit_read(text_of(z), k->units, &n) && n >= k->lowest && n <= k->highest;
}

static void try_text(const struct kind *k, const regex_t *re, const char *z)
{
	bool taken = regexec(re, z, 0, NULL, 0) == 0, within = is_within(k, z);

	CU_ASSERT_EQUAL(taken, within);
	if (taken != within)
		printf("%s of %" PRIu64 "-%" PRIu64 " %s taken\n", z, k->lowest, k->highest,
		       taken ? "is" : "is not");
}

/* Near a bound, in one unit and with so many places: those next to it, and some that are drawn. */
static void try_unit(const struct kind *k, const regex_t *re, const struct unit *u, unsigned places,
		     uint64_t seed)
{
	const uint64_t bounds[] = {k->lowest, k->highest};
	uint64_t scale = 1;
	char z[TEXT_MOST];

	for (unsigned i = 0; i < places; i++)
		scale *= 10;
	for (uint64_t i = 0; i < DRAWN; i++) {
		unsigned __int128 near = (unsigned __int128)bounds[i & 1] * scale / u->worth;
		uint64_t off = draw_below(seed, i, 0, UINT64_C(1) << draw_below(seed, i, 1, 20)),
			 n = near + off >= 10 ? (uint64_t)(near + off - 10) : off;

		write_number(z, n, places, u->name, draw(seed, i, 2));
		try_text(k, re, z);
	}
}

static void each_text_is_taken_as_it_is_read(void)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		regex_t re;

		compile(&re, &kinds[i]);
		for (const struct unit *u = kinds[i].units; u->name; u++)
			for (unsigned places = 0; places <= u->decimals + 1; places++)
				try_unit(&kinds[i], &re, u, places, i + 100 * places);
		regfree(&re);
	}
}

static void what_is_no_number_is_not_taken(void)
{
	static const char *const texts[] = {"",	   ".",	  "1.",	  ".5",	 "-1",	"+1", "1 s", "s",
					    "1e3", "1k0", "1..5", "1s ", " 1s", "٣s", "1S",  "0x1"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		regex_t re;

		compile(&re, &kinds[i]);
		for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++)
			try_text(&kinds[i], &re, texts[t]);
		regfree(&re);
	}
}

/* Shares are no whole numbers of anything: each hundredth of a percent, in both spellings. */
static void shares_are_taken_to_their_bounds(void)
{
	static char room[PATTERN_MOST];
	struct out out = out_memory(room, sizeof(room) - 1);
	char z[TEXT_MOST];
	regex_t re;

	out_z(&out, "^(");
	unit_pattern_share(&out, 0.05, 0.99);
	out_z(&out, ")$");
	room[out.len] = '\0';
	CU_ASSERT_EQUAL_FATAL(regcomp(&re, room, REG_EXTENDED | REG_NOSUB), 0);
	for (unsigned n = 0; n <= 10100; n++) {
		bool within = n >= 500 && n <= 9900;

		snprintf(z, sizeof(z), "%u.%02u%%", n / 100, n % 100);
		CU_ASSERT_EQUAL(regexec(&re, z, 0, NULL, 0) == 0, within);
		snprintf(z, sizeof(z), "%u.%04u", n / 10000, n % 10000);
		CU_ASSERT_EQUAL(regexec(&re, z, 0, NULL, 0) == 0, within);
	}
	regfree(&re);
}

static void all_decimals_of_a_unit_come_out_whole(void)
{
	const struct unit *const tables[] = {unit_ones,	   unit_counts, unit_times, unit_millis,
					     unit_seconds, unit_rates,	unit_sizes};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct unit *u = tables[i]; u->name; u++) {
			uint64_t scale = 1;

			for (unsigned k = 0; k < u->decimals; k++)
				scale *= 10;
			CU_ASSERT_EQUAL(u->worth % scale, 0);
		}
}

static const struct test tests[] = {
	TEST(each_text_is_taken_as_it_is_read),
	TEST(what_is_no_number_is_not_taken),
	TEST(shares_are_taken_to_their_bounds),
	TEST(all_decimals_of_a_unit_come_out_whole),
	TESTS_END,
};

const struct suite suite_unit_pattern = {"unit_pattern", tests};
