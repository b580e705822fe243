/* How fast connections come and go towards a destination, and when its ports end. */
#include "runner.h"
#include "tape/look.h"
#include "watch/trend.h"

#define SECOND INT64_C(1000000000)

/* ---- until it is full ---------------------------------------------------- */

/* waiting: so many in TIME_WAIT, that end one a second from now on. */
static void a_range_is_full_when_more_come_than_go(void)
{
	static const struct {
		uint32_t usable;
		double live, grows, closes;
		uint32_t waiting, life;
		int64_t seconds; /* -1: never */
	} rows[] = {
		{32, 32, 0, 0, 0, 60, 0},     /* it is */
		{32, 0, 0, 0, 32, 60, 0},     /* by TIME_WAIT alone */
		{32, 16, 0, 0, 0, 60, -1},    /* nobody comes */
		{32, 16, 1, 0, 0, 60, 16},    /* a leak of one a second */
		{1000, 0, 1, 0, 0, 60, 1000}, /* and what that takes beyond a minute */
		{1000, 0, 0, 10, 0, 60, -1},  /* 600 at once, for ever */
		{600, 0, 0, 10, 0, 60, 60},   /* one port fewer than that takes */
		{1000, 0, 0, 20, 0, 60, 50},  /* 1,200 are wanted */
		{1000, 0, 0, 20, 0, 1, -1},   /* but are taken again after a second */
		{100, 40, 1, 1, 49, 60, 11},  /* one comes back each second, as one more stays */
		{100, 0, 0, 1, 60, 60, -1},   /* as many come as go */
		{32, 16, 1e-12, 0, 0, 60, -1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t waiting[WAIT_SECONDS] = {0};
		int64_t ns;

		for (uint32_t k = 0; k < rows[i].waiting; k++)
			waiting[k % 60]++;
		ns = trend_full(rows[i].usable, rows[i].live, rows[i].grows, rows[i].closes,
				waiting, rows[i].life);
		CU_ASSERT_EQUAL(ns, rows[i].seconds < 0 ? FULL_NEVER : rows[i].seconds * SECOND);
	}
}

/* ---- how fast ------------------------------------------------------------ */

struct pace {
	struct arena a;
	struct census census;
	struct trend trend;
	struct look_row row;
	int64_t step_ns; /* from one close to the next */
};

static void pace_open(struct pace *p, int64_t tw_reuse)
{
	struct waits waits = waits_of(tw_reuse, -1, true);

	*p = (struct pace){.step_ns = 0};
	if (!arena_open(&p->a, 64 << 20))
		CU_FAIL_FATAL("no memory");
	CU_ASSERT_FATAL(census_open(&p->census, 0, &p->a) &&
			census_open_held(&p->census, 1 << 16, &p->a) &&
			trend_open(&p->trend, 4, &waits, &p->a));
	p->census.range = (struct port_range){40000, 40063};
}

/* Sockets with the cookies from..to-1; of them the first few are in TIME_WAIT, the oldest for so long
 * still. */
static void pace_look(struct pace *p, int64_t now_ns, uint32_t from, uint32_t to, uint32_t waiting,
		      int64_t gone_ns)
{
	struct sample dump = {0};
	struct usage usage;

	census_clear(&p->census);
	for (uint32_t i = from; i < to; i++) {
		bool waits = i < from + waiting;
		struct socket_seen s = {.local = address_ipv4(1),
					.remote = address_ipv4(2),
					.local_port = (uint16_t)(40000 + i % 64),
					.remote_port = 80,
					.state = waits ? STATE_TIME_WAIT : STATE_ESTABLISHED,
					.gone_ns = waits ? gone_ns + (i - from) * p->step_ns : -1,
					.cookie = 1 + i};

		census_add(&p->census, &s);
	}
	census_tell(&p->census, &dump, &usage, 1);
	CU_ASSERT_EQUAL_FATAL(dump.usage_count, 1);
	p->row = (struct look_row){.usage = usage};
	trend_look(&p->trend, &p->census, now_ns);
	trend_tell(&p->trend, &p->census, &p->row, 1, now_ns);
}

/* By cookies: 6 and 2 are new, 3 are gone. What is older than ten seconds is no part of a rate. */
static void rates_are_of_the_last_ten_seconds(void)
{
	struct pace p;

	pace_open(&p, 0);
	pace_look(&p, 0, 0, 4, 0, -1);
	CU_ASSERT(p.row.opens < 0 && p.row.closes == 0 && p.row.full_ns < 0);
	pace_look(&p, SECOND / 2 - 1, 0, 4, 0, -1);
	CU_ASSERT(p.row.opens < 0);
	pace_look(&p, SECOND, 0, 10, 0, -1);
	CU_ASSERT_DOUBLE_EQUAL(p.row.opens, 6, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(p.row.grows, 6, 1e-9);
	CU_ASSERT(p.row.full_ns < 0); /* once is no rate */
	pace_look(&p, 2 * SECOND, 3, 12, 0, -1);
	CU_ASSERT_DOUBLE_EQUAL(p.row.opens, 4, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(p.row.grows, 2.5, 1e-9);
	CU_ASSERT(p.row.full_ns < 0);
	pace_look(&p, 2 * SECOND + 1, 3, 13, 0, -1);
	pace_look(&p, 11 * SECOND, 3, 13, 0, -1);
	CU_ASSERT_DOUBLE_EQUAL(p.row.opens, 3 / 10., 1e-9); /* since 1 s: 6 were before that */
	pace_look(&p, 20 * SECOND, 3, 13, 0, -1);
	pace_look(&p, 29 * SECOND, 3, 13, 0, -1);
	CU_ASSERT(p.row.opens == 0 && p.row.grows == 0 && p.row.full_ns == FULL_NEVER);
	arena_close(&p.a);
}

/* A look that costs much leaves the next for later than that: the rate is of all that time. */
static void looks_far_apart_have_a_rate_from_one_to_the_next(void)
{
	static const int64_t apart[] = {10, 11, 12, 22, 24, 100};

	for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++) {
		struct pace p;

		pace_open(&p, 0);
		pace_look(&p, 0, 0, 4, 0, -1);
		pace_look(&p, apart[i] * SECOND, 0, 10, 0, -1);
		CU_ASSERT_DOUBLE_EQUAL(p.row.opens, 6. / (double)apart[i], 1e-9);
		pace_look(&p, 2 * apart[i] * SECOND, 0, 15, 0, -1);
		CU_ASSERT_DOUBLE_EQUAL(p.row.opens, 5. / (double)apart[i], 1e-9);
		CU_ASSERT_DOUBLE_EQUAL(p.row.grows, 5. / (double)apart[i], 1e-9);
		arena_close(&p.a);
	}
}

/* When each began to wait says how many a second do, in ten seconds. What may be used again holds no port, and
 * is gone once it is used. That ports end of it is told where it goes on for so long. */
static void one_look_tells_what_is_closed(void)
{
	static const struct {
		int64_t tw_reuse, gone_ms, step_ms; /* 20 of them */
		double closes;
		int64_t full; /* -1: cannot be told */
	} rows[] = {
		{0, 50500, 500, 2, 22},
		{0, 55000, 250, 2, -1}, /* none in the 5 s before these */
		{0, 58000, 100, 2, -1},
		{0, 40000, 1000, 1, -1}, /* those of 10 s and more are of another time */
		{0, 59501, 25, 2, -1},
		{0, 60000, 0, 2, -1},
		{0, 55000, 0, 2, -1},	/* a process that ended */
		{1, 55000, 250, 4, -1}, /* in the last second */
		{2, 50500, 500, 2, 22},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pace p;

		pace_open(&p, rows[i].tw_reuse);
		p.step_ns = rows[i].step_ms * 1000000;
		pace_look(&p, 0, 0, 20, 20, rows[i].gone_ms * 1000000);
		CU_ASSERT_DOUBLE_EQUAL(p.row.closes, rows[i].closes, 1e-9);
		CU_ASSERT_EQUAL(p.row.full_ns, rows[i].full < 0 ? -1 : rows[i].full * SECOND);
		arena_close(&p.a);
	}
}

/* In the 10 s that were watched 30 came, and all but 6 have gone; 10 were closed before. */
static void what_was_opened_is_closed_or_more(void)
{
	struct pace p;

	pace_open(&p, 0);
	pace_look(&p, 0, 0, 11, 10, 55 * SECOND);
	p.step_ns = 42 * SECOND / 100;
	pace_look(&p, 5 * SECOND, 0, 26, 22, 50 * SECOND);
	pace_look(&p, 10 * SECOND, 0, 41, 34, 46 * SECOND);
	CU_ASSERT_DOUBLE_EQUAL(p.row.opens, 3, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(p.row.grows, 0.6, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(p.row.closes, 2.4, 1e-9);
	CU_ASSERT_EQUAL(p.row.full_ns, 8 * SECOND);
	arena_close(&p.a);
}

/* A pool of 30 that is opened at once does not go on so; nor do 20 that were there before. */
static void what_comes_at_once_is_no_rate(void)
{
	struct pace p;

	pace_open(&p, 0);
	pace_look(&p, 0, 0, 1, 0, -1);
	for (int i = 1; i <= 30; i++) {
		pace_look(&p, i * SECOND / 2, 0, 30, 0, -1);
		CU_ASSERT(p.row.full_ns < 0 || p.row.full_ns == FULL_NEVER);
		CU_ASSERT_EQUAL(p.row.full_ns == FULL_NEVER, i > 20);
	}
	arena_close(&p.a);
}

/* One a second comes, and stays for a while or for ever: for so long none is closed, and if none will be the
 * ports end. Once one is, that begins anew. */
static void for_how_long_all_was_kept_is_known(void)
{
	struct pace p;

	pace_open(&p, 0);
	for (uint32_t i = 0; i <= 50; i++) {
		pace_look(&p, i * SECOND, i < 40 ? 0 : 9, i + 2, 0, -1);
		CU_ASSERT_EQUAL(p.row.kept_ns, i < 40 ? i * SECOND : i < 50 ? 0 : 10 * SECOND);
		CU_ASSERT(i < 2 || i >= 40 || p.row.full_ns == (62 - i) * SECOND);
	}
	arena_close(&p.a);
}

/* ---- many destinations --------------------------------------------------- */

/* A connection to each of them; the last has a rate, or it is told how many have none. */
static void look_at_many(struct pace *p, int64_t now_ns, uint32_t from, uint32_t count)
{
	struct sample dump = {0};
	struct usage usage;

	census_clear(&p->census);
	for (uint32_t i = from; i < from + count; i++) {
		struct socket_seen s = {.local = address_ipv4(1),
					.remote = address_ipv4(2 + i),
					.local_port = 40000,
					.remote_port = 80,
					.state = STATE_ESTABLISHED,
					.gone_ns = -1,
					.cookie = 1 + i};

		census_add(&p->census, &s);
	}
	CU_ASSERT_EQUAL_FATAL(p->census.taken, count);
	census_tell(&p->census, &dump, &usage, 1);
	CU_ASSERT_EQUAL_FATAL(dump.usage_count, 1);
	p->row = (struct look_row){.usage = usage};
	trend_look(&p->trend, &p->census, now_ns);
	trend_tell(&p->trend, &p->census, &p->row, 1, now_ns);
}

static void of_thousands_of_destinations_each_has_a_rate(void)
{
	enum { MANY = 20000 };
	struct pace p;

	pace_open(&p, 0);
	for (int i = 0; i < 4; i++) {
		look_at_many(&p, i * SECOND, 0, MANY);
		CU_ASSERT(p.trend.lost == 0 && (p.row.opens == 0) == (i > 0));
	}
	arena_close(&p.a);
}

/* A crawler goes to others each time: those that are gone for longer than a rate is of make room. */
static void destinations_that_are_gone_make_room(void)
{
	enum { SOME = 9000 };
	struct pace p;

	pace_open(&p, 0);
	for (uint32_t i = 0; i < 8; i++) {
		look_at_many(&p, i * 11 * SECOND, i * SOME, SOME);
		CU_ASSERT(p.trend.lost == 0 && (p.row.opens > 0) == (i > 0));
	}
	look_at_many(&p, 78 * SECOND, 8 * SOME, SOME);
	CU_ASSERT(p.trend.lost == 0);
	look_at_many(&p, 79 * SECOND, 9 * SOME, SOME);
	CU_ASSERT(p.trend.lost > 0 && p.trend.lost < SOME); /* 27,000 in these seconds */
	arena_close(&p.a);
}

/* With tcp_tw_reuse=1 a port comes back after a second; but not what bind() took, here 17 of 33: two a second
 * fill the rest. */
static void what_bind_took_is_not_reused(void)
{
	static const struct {
		bool guesses;
		int64_t full_ns;
	} rows[] = {{false, FULL_NEVER}, {true, 24 * SECOND}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pace p;

		pace_open(&p, 1);
		p.census.waits = &p.trend.waits;
		p.census.guesses = rows[i].guesses;
		pace_look(&p, 0, 1, 32, 31, 55 * SECOND);
		p.step_ns = 48 * SECOND / 100;
		pace_look(&p, SECOND, 1, 34, 33, 443 * SECOND / 10);
		CU_ASSERT_EQUAL(p.row.closes, 2);
		CU_ASSERT_EQUAL(p.row.full_ns, rows[i].full_ns);
		CU_ASSERT_EQUAL(p.row.usage.next_free_ns, 0);
		CU_ASSERT_EQUAL(p.row.usage.all_free_ns / SECOND, rows[i].guesses ? 59 : 0);
		arena_close(&p.a);
	}
}

static const struct test tests[] = {
	TEST(a_range_is_full_when_more_come_than_go),
	TEST(rates_are_of_the_last_ten_seconds),
	TEST(looks_far_apart_have_a_rate_from_one_to_the_next),
	TEST(one_look_tells_what_is_closed),
	TEST(what_was_opened_is_closed_or_more),
	TEST(what_comes_at_once_is_no_rate),
	TEST(for_how_long_all_was_kept_is_known),
	TEST(what_bind_took_is_not_reused),
	TEST(of_thousands_of_destinations_each_has_a_rate),
	TEST(destinations_that_are_gone_make_room),
	TESTS_END,
};

const struct suite suite_trend = {"trend", tests};
