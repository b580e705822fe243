#include <stdio.h>

#include "plan_help.h"
#include "suites.h"

/* Is a connect refused for sure? */
enum says { NO, YES, UNSURE };

struct row {
	const char *lines;
	enum says says;
	uint64_t least, most; /* opened before; 0: it is not refused */
	uint64_t likely;      /* begun before, by the clock; 0: the ports suffice by that */
};

static void rows_check(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		struct arena a = help_arena();
		struct plan p = help_plan(
			text_format(&a, "network: {ports: 40000-40031}\n%s", row->lines).s, NULL, 1,
			&a);
		const struct forecast *f = &p.forecast;

		if (f->known != (row->says != UNSURE) || f->exhausts != (row->says == YES) ||
		    f->after_least != row->least || f->after_most != row->most ||
		    p.budget.kept.likely != row->likely)
			printf("%s: known %d, exhausts %d, from %d to %d, by the clock %d\n",
			       row->lines, f->known, f->exhausts, (int)f->after_least,
			       (int)f->after_most, (int)p.budget.kept.likely);
		CU_ASSERT_EQUAL(f->known, row->says != UNSURE);
		CU_ASSERT_EQUAL(f->exhausts, row->says == YES);
		CU_ASSERT_EQUAL(f->after_least, row->least);
		CU_ASSERT_EQUAL(f->after_most, row->most);
		CU_ASSERT_EQUAL(p.budget.kept.likely, row->likely);
		arena_close(&a);
	}
}

#define ROWS_CHECK(rows) rows_check((rows), sizeof(rows) / sizeof((rows)[0]))
#define RAMP(steps) "load: {end: reset, hold: 600ms, duration: 3s, ramp: [" steps "]}"

/* More than there are must be wanted for longer than a machine may be held up. */
static void of_a_ramp_each_connection_has_its_time(void)
{
	static const struct row rows[] = {
		{RAMP("{to: 100/s, over: 1s}, {to: 0/s, over: 1s}"), YES, 35, 36, 35},
		{RAMP("{to: 62/s, over: 1s}, {to: 0/s, over: 1s}"), UNSURE, 0, 0, 0},
		{RAMP("{to: 40/s, over: 1s}, {to: 0/s, over: 1s}"), NO, 0, 0, 0},
		{RAMP("{to: 70/s, over: 0s}, {to: 70/s, over: 50ms}, {to: 0/s, over: 0s}"), NO, 0,
		 0, 0},
	};

	ROWS_CHECK(rows);
}

/* What was open stays, or is closed by itself; what comes later is refused, and keeps no port. */
static void who_comes_after_the_death_has_a_port_for_a_moment(void)
{
	static const struct row rows[] = {
		{"server: {die: 50ms}\nload: {rate: 200/s, total: 320}", NO, 0, 0, 0},
		/* 20 open, and 8 that are refused together */
		{"server: {die: 400ms}\nload: {rate: 50/s, total: 90, end: leak}", NO, 0, 0, 0},
		{"server: {die: 500ms}\nload: {rate: 50/s, total: 90, end: leak}", UNSURE, 0, 0, 0},
		{"server: {die: 300ms}\nload: {rate: 50/s, total: 90, end: leak}", NO, 0, 0, 0},
		/* the last port is taken as the server dies */
		{"server: {die: 620ms}\nload: {rate: 50/s, total: 90, end: leak}", UNSURE, 0, 0,
		 32},
		{"server: {die: 900ms}\nload: {rate: 50/s, total: 90, end: leak}", YES, 32, 32, 32},
		/* by its own clock */
		{"server: {die: 900ms}\nload: {start: 700ms, rate: 50/s, total: 90, end: leak}", NO,
		 0, 0, 0},
		{"server: {die: 300ms}\nload: {protocol: udp, rate: 50/s, total: 150, request: "
		 "{send: 8B}}",
		 NO, 0, 0, 0},
	};

	ROWS_CHECK(rows);
}

/* However soon each of them gives its own back. */
static void a_burst_has_its_ports_at_once(void)
{
	static const struct row rows[] = {
		{"server: {die: 300ms}\nload: {burst: {size: 36}, total: 36, end: reset}", UNSURE,
		 0, 0, 32},
		{"server: {die: 300ms}\nload: {burst: {size: 30}, total: 90, end: reset}", NO, 0, 0,
		 0},
		{"server: {die: 300ms}\nload: {burst: {size: 20, every: 100ms}, total: 60, end: "
		 "reset}",
		 UNSURE, 0, 0, 0},
	};

	ROWS_CHECK(rows);
}

static void who_comes_after_the_host_is_gone_hangs(void)
{
	static const struct row rows[] = {
		/* 28 wait for answers as it goes: four more connects, and the next has no port */
		{"server: {behaviour: close, delay: 700ms, vanish: 1s}\nload: {rate: 40/s, "
		 "duration: 2s, end: wait, request: {send: 8B, receive: 8B}, timeout: 5s}",
		 YES, 40, 45, 45},
		/* each waits for its timeout; those before it were answered */
		{"server: {vanish: 300ms}\nload: {protocol: udp, rate: 100/s, total: 200, timeout: "
		 "500ms, request: {send: 8B, receive: 8B}, on_failure: continue}",
		 YES, 58, 65, 63},
		{"server: {vanish: 300ms}\nload: {rate: 50/s, total: 90, timeout: 800ms, end: "
		 "leak, "
		 "hold: 20ms, on_failure: continue}",
		 YES, 15, 29, 32},
		/* the first that times out ends it */
		{"server: {vanish: 300ms}\nload: {rate: 50/s, total: 90, timeout: 300ms, end: "
		 "leak, "
		 "hold: 20ms}",
		 UNSURE, 0, 0, 0},
	};

	ROWS_CHECK(rows);
}

static const struct test tests[] = {
	TEST(of_a_ramp_each_connection_has_its_time),
	TEST(who_comes_after_the_death_has_a_port_for_a_moment),
	TEST(a_burst_has_its_ports_at_once),
	TEST(who_comes_after_the_host_is_gone_hangs),
	TESTS_END,
};

const struct suite suite_clock = {"plan: clock", tests};
