/* What a look at somebody else's load comes to: when ports end, what fills them, and its words. */
#include <string.h>

#include "report/look.h"
#include "runner.h"
#include "watch/trend.h"
#include "watch/why.h"

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
};

static void pace_open(struct pace *p, int64_t tw_reuse)
{
	if (!arena_open(&p->a, 32 << 20))
		CU_FAIL_FATAL("no memory");
	CU_ASSERT_FATAL(census_open(&p->census, 4, &p->a) &&
			census_open_held(&p->census, 64, &p->a) &&
			trend_open(&p->trend, 4, tw_reuse, -1, &p->a));
	p->census.range = (struct port_range){40000, 40063};
}

/* Sockets with the cookies from..to-1; of them the first few are in TIME_WAIT, for so long still. */
static void pace_look(struct pace *p, int64_t now_ns, uint32_t from, uint32_t to, uint32_t waiting,
		      int64_t gone_ns)
{
	struct usage usage;

	census_clear(&p->census);
	for (uint32_t i = from; i < to; i++) {
		bool waits = i < from + waiting;
		struct socket_seen s = {.local = address_ipv4(1),
					.remote = address_ipv4(2),
					.local_port = (uint16_t)(40000 + i),
					.remote_port = 80,
					.state = waits ? STATE_TIME_WAIT : STATE_ESTABLISHED,
					.gone_ns = waits ? gone_ns : -1,
					.cookie = 1 + i};

		census_add(&p->census, &s);
	}
	CU_ASSERT_EQUAL_FATAL(census_fullest(&p->census, &usage, 1), 1);
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
	CU_ASSERT_EQUAL(p.row.full_ns, 9 * SECOND);
	pace_look(&p, 2 * SECOND, 3, 12, 0, -1);
	CU_ASSERT_DOUBLE_EQUAL(p.row.opens, 4, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(p.row.grows, 2.5, 1e-9);
	pace_look(&p, 2 * SECOND + 1, 3, 13, 0, -1);
	pace_look(&p, 11 * SECOND, 3, 13, 0, -1);
	CU_ASSERT_DOUBLE_EQUAL(p.row.opens, 3 / 10., 1e-9); /* since 1 s: 6 were before that */
	pace_look(&p, 30 * SECOND, 3, 13, 0, -1);
	pace_look(&p, 31 * SECOND, 3, 13, 0, -1);
	CU_ASSERT(p.row.opens == 0 && p.row.grows == 0 && p.row.full_ns == FULL_NEVER);
	arena_close(&p.a);
}

/* What was closed in the last ten seconds has fifty still; what may be used again holds no port. */
static void one_look_tells_what_is_closed(void)
{
	static const struct {
		int64_t tw_reuse, gone_ns;
		double closes;
		int64_t full; /* -1: cannot be told */
	} rows[] = {
		{0, 50 * SECOND + 1000000, 2, 22},
		{0, 50 * SECOND, 0, -1},
		{1, 60 * SECOND, 2, -1},
		{2, 60 * SECOND, 2, 22},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pace p;

		pace_open(&p, rows[i].tw_reuse);
		pace_look(&p, 0, 0, 20, 20, rows[i].gone_ns);
		CU_ASSERT_DOUBLE_EQUAL(p.row.closes, rows[i].closes, 1e-9);
		CU_ASSERT_EQUAL(p.row.full_ns, rows[i].full < 0 ? -1 : rows[i].full * SECOND);
		arena_close(&p.a);
	}
}

/* ---- what fills it ------------------------------------------------------- */

static struct look_row row_of(int state, uint32_t n, uint32_t usable)
{
	struct look_row row = {.opens = -1, .grows = -1, .full_ns = -1};

	row.usage = (struct usage){.local = address_ipv4(0x0a000001),
				   .remote = address_ipv4(0x0a000002),
				   .remote_port = 443,
				   .usable = usable,
				   .next_free_ns = -1,
				   .all_free_ns = -1};
	row.usage.states[state] = n;
	return row;
}

static void what_fills_it_is_told_by_its_states(void)
{
	static const struct {
		int state;
		uint32_t n, elsewhere;
		double opens, grows;
		int64_t full_ns;
		enum cause cause;
	} rows[] = {
		{STATE_TIME_WAIT, 50, 0, -1, -1, -1, CAUSE_TIME_WAIT_CHURN},
		{STATE_TIME_WAIT, 49, 0, -1, -1, -1, CAUSE_NO_DATA}, /* not half full */
		{STATE_TIME_WAIT, 49, 0, -1, -1, 3599 * SECOND, CAUSE_TIME_WAIT_CHURN},
		{STATE_TIME_WAIT, 49, 0, -1, -1, 3600 * SECOND, CAUSE_NO_DATA},
		{STATE_FIN_WAIT1, 50, 0, -1, -1, -1, CAUSE_FIN_WAIT_ORPHANS},
		{STATE_FIN_WAIT2, 50, 0, -1, -1, -1, CAUSE_FIN_WAIT_ORPHANS},
		{STATE_SYN_SENT, 50, 0, -1, -1, -1, CAUSE_BLACKHOLE},
		{STATE_ESTABLISHED, 50, 0, -1, -1, -1, CAUSE_LIVE_SATURATION},
		{STATE_ESTABLISHED, 50, 0, 10, 9, -1, CAUSE_LEAK},
		{STATE_ESTABLISHED, 50, 0, 10, 8.9, -1, CAUSE_LIVE_SATURATION},
		{STATE_ESTABLISHED, 50, 0, 0, 0, -1, CAUSE_LIVE_SATURATION},
		{STATE_CLOSE_WAIT, 10, 0, -1, -1, -1, CAUSE_CLOSE_WAIT_LEAK},
		{STATE_CLOSE_WAIT, 9, 0, -1, -1, -1, CAUSE_NO_DATA},
		{STATE_ESTABLISHED, 50, 101, -1, -1, -1, CAUSE_BIND_STARVATION},
		{STATE_ESTABLISHED, 50, 100, -1, -1, -1, CAUSE_LIVE_SATURATION},
		{STATE_ESTABLISHED, 49, 101, -1, -1, -1, CAUSE_NO_DATA},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct look_row row = row_of(rows[i].state, rows[i].n, 100);

		row.usage.elsewhere = rows[i].elsewhere;
		row.opens = rows[i].opens;
		row.grows = rows[i].grows;
		row.full_ns = rows[i].full_ns;
		CU_ASSERT_EQUAL(look_cause(&row), rows[i].cause);
	}
}

/* By the same words as a run's, of the same list. */
static void all_that_it_tells_of_has_something_to_do_about_it(void)
{
	static const enum cause causes[] = {
		CAUSE_TIME_WAIT_CHURN, CAUSE_CLOSE_WAIT_LEAK, CAUSE_LEAK,
		CAUSE_LIVE_SATURATION, CAUSE_BLACKHOLE,	      CAUSE_BIND_STARVATION,
	};

	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		CU_ASSERT(look_advice(causes[i]) != NULL);
	CU_ASSERT(look_advice(CAUSE_NO_DATA) == NULL);
}

/* ---- its words ----------------------------------------------------------- */

static const char *told(const struct look *l, bool json)
{
	static char text[8192];
	struct out to = out_memory(text, sizeof(text) - 1);

	if (!json)
		look_write(&to, l);
	CU_ASSERT(!json || look_write_json(&to, l));
	text[to.len] = '\0';
	return text;
}

static struct look look_of(struct look_row *row)
{
	struct look l = {.range = {32768, 60999},
			 .usable = 28232,
			 .anywhere = 300,
			 .opens = -1,
			 .sees_all = true,
			 .rows = row,
			 .count = 1};

	l.sample.states[STATE_CLOSE_WAIT] = 300;
	return l;
}

static void a_look_is_told_in_words(void)
{
	struct look_row row = row_of(STATE_CLOSE_WAIT, 300, 28232);
	struct look l = look_of(&row);

	row.usage.holders_known = true;
	row.usage.holders[0] = (struct holder){4711, "python3", 300, 5, 304};
	row.opens = row.grows = 2;
	row.full_ns = 13966 * SECOND;
	row.cause = CAUSE_CLOSE_WAIT_LEAK;
	CU_ASSERT_STRING_EQUAL(
		told(&l, false),
		"ports    28,232 usable (32768-60999) to each destination\n"
		"sockets  300 CLOSE_WAIT\n"
		"     used     full  from -> to\n"
		"      300   1.06 %  10.0.0.1 -> 10.0.0.2:443\n"
		"                    300 CLOSE_WAIT; 300 of python3 (pid 4711, descriptors 5 to\n"
		"                    304)\n"
		"                    opens 2/s; full in 233 min\n"
		"               why  close-wait-leak: the far end has closed, and the client has\n"
		"                    not: CLOSE_WAIT\n"
		"               try  close when recv() returns 0, on the paths of errors and\n"
		"                    timeouts too: the far end is done with them; `ss -tnp state\n"
		"                    close-wait` names who holds them\n");
	CU_ASSERT(strstr(told(&l, false), "not all owners are known") == NULL);
	l.owners_partial = true;
	CU_ASSERT(strstr(told(&l, false), "not all owners are known") != NULL);
	CU_ASSERT(strstr(told(&l, true), "\"owners_partial\":true") != NULL);
	l.sees_all = false;
	CU_ASSERT(strstr(told(&l, false), "only root sees them") != NULL);
	l.pid = 4711;
	row.mine = 300;
	row.full_ns = FULL_NEVER;
	CU_ASSERT(strstr(told(&l, false), "process  4711, and its children\n") != NULL);
	CU_ASSERT(strstr(told(&l, false), "      300      300   1.06 %  10.0.0.1") != NULL);
	CU_ASSERT(strstr(told(&l, false), "opens 2/s; at this rate never full") != NULL);
	l.pid_ended = true;
	CU_ASSERT(strstr(told(&l, false), "4711, which has ended, and") != NULL);
}

static void a_look_is_told_to_a_program(void)
{
	struct look_row row = row_of(STATE_TIME_WAIT, 20, 40);
	struct look l = look_of(&row);

	row.usage.elsewhere = 8;
	row.usage.guessed = true;
	row.usage.next_free_ns = SECOND;
	row.usage.all_free_ns = 2 * SECOND;
	row.closes = 0.5;
	l.t_ns = SECOND / 2;
	CU_ASSERT_STRING_EQUAL(
		told(&l, true),
		"{\"schema\":1,\"at\":0.5,\"ports\":\"32768-60999\",\"usable\":28232,"
		"\"anywhere\":300,\"taken\":{\"reserved\":0,\"listening\":0,\"bound\":0},"
		"\"states\":{\"CLOSE_WAIT\":300},\"sees_all\":true,\"destinations\":[{"
		"\"from\":\"10.0.0.1\",\"to\":\"10.0.0.2\",\"port\":443,\"protocol\":\"tcp\","
		"\"usable\":40,\"elsewhere\":8,\"guessed\":true,\"used\":20,\"free\":20,"
		"\"lower\":0,\"states\":{\"TIME_WAIT\":20},\"fill\":0.5,\"closes\":0.5,"
		"\"next_free\":1.0,\"all_free\":2.0}],\"more\":0}\n");
	row.cause = CAUSE_LEAK;
	row.opens = row.grows = 3;
	row.full_ns = FULL_NEVER;
	l.opens = 4;
	l.pid = 7;
	l.pid_ended = l.sample.torn = l.sample.from_proc = true;
	CU_ASSERT(strstr(told(&l, true), "\"opens\":4.0,\"pid\":7,\"pid_ended\":true,\"torn\":true,"
					 "\"from_proc\":true") != NULL);
	CU_ASSERT(strstr(told(&l, true), "\"own\":0,\"opens\":3.0,\"grows\":3.0") != NULL);
	CU_ASSERT(strstr(told(&l, true), "\"full_in\":null,\"cause\":\"leak\",\"try\":\"close") !=
		  NULL);
}

static const struct test tests[] = {
	TEST(a_range_is_full_when_more_come_than_go),
	TEST(rates_are_of_the_last_ten_seconds),
	TEST(one_look_tells_what_is_closed),
	TEST(what_fills_it_is_told_by_its_states),
	TEST(all_that_it_tells_of_has_something_to_do_about_it),
	TEST(a_look_is_told_in_words),
	TEST(a_look_is_told_to_a_program),
	TESTS_END,
};

const struct suite suite_look = {"look", tests};
