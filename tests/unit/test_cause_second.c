/* What is told beside the first cause: what stays when that is gone, and whose it is. */
#include "judge/cause.h"

#include <errno.h>
#include <stdio.h>

#include "judge/late.h"
#include "suites.h"
#include "trial.h"

#define FEW "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"

/* A far end that never reads: a request waits for room to be sent, and its FIN behind that, though one port
 * came back at once. */
static void what_the_far_end_does_not_read_is_why_requests_fail(void)
{
	static const struct {
		uint64_t unread; /* send(), ETIMEDOUT */
		bool failed, orphans;
	} rows[] = {{30, true, true}, {0, false, false}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sample *s;
		struct trial t;

		trial_open(&t, FEW "load: {rate: 20/s, timeout: 500ms, request: {send: 1MiB}}");
		trial_exhaust(&t, 32);
		t.tape.recovered_ns = 70000000;
		t.tape.tally.closed = 32;
		if (rows[i].unread)
			trial_fail(&t, STAGE_SEND, ETIMEDOUT, rows[i].unread);
		s = trial_dump(&t, 32);
		s->states[STATE_ESTABLISHED] = 22;
		s->states[STATE_FIN_WAIT1] = 10;
		trial_judge(&t);
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_REQUEST_FAILED) != NULL, rows[i].failed);
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_FIN_WAIT_ORPHANS) != NULL, rows[i].orphans);
		if (rows[i].failed && t.verdict.cause_count > 1) {
			CU_ASSERT_EQUAL(t.verdict.causes[0].cause, CAUSE_REQUEST_FAILED);
			CU_ASSERT(text_has(t.verdict.causes[0].why,
					   "30 requests could not be sent within 0.5 s"));
			CU_ASSERT(
				text_has(t.verdict.causes[1].why,
					 "each FIN is behind what the far end does not read: 10"));
		}
		trial_close(&t);
	}
}

/* All 32 were open at the first refusal; so many of them are in TIME_WAIT in a later dump, of as many or
 * fewer ports. */
static void what_was_closed_later_is_what_lasts(void)
{
	static const struct {
		uint64_t used, waiting;
		bool torn, told;
	} rows[] = {
		{32, 32, false, true}, {32, 17, false, true},  {32, 16, false, false},
		{26, 26, false, true}, {16, 16, false, false}, {32, 32, true, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct sample *last;
		struct trial t;

		trial_open(&t, FEW "load: {rate: 80/s, hold: 500ms}");
		trial_exhaust(&t, 32);
		t.tape.tally.closed = 32;
		trial_dump(&t, 32)->states[STATE_ESTABLISHED] = 32;
		t.tape.samples[0].t_ns = t.tape.refused_at_ns;
		last = trial_dump(&t, rows[i].used);
		last->t_ns = t.tape.refused_at_ns + 1000000;
		last->states[STATE_TIME_WAIT] = rows[i].waiting;
		last->states[STATE_ESTABLISHED] = 32 - rows[i].waiting;
		last->torn = rows[i].torn;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause, CAUSE_LIVE_SATURATION);
		CU_ASSERT_EQUAL(f != NULL, rows[i].told);
		if (f)
			CU_ASSERT(text_has(
				f->why, "of 32 ports are in TIME_WAIT at the end, after 0.161 s"));
		if (f)
			CU_ASSERT(text_has(f->why,
					   "32 ports / (0.5 s open + 60 s) = 0.529/s is all"));
		trial_close(&t);
	}
}

/* 30 at once are not 32: what of the mix stays is the rest. */
static void what_stays_of_a_mix_is_told_beside_what_is_open(void)
{
	static const struct {
		const char *load, *ends;
	} rows[] = {
		{"{rate: 100/s, hold: 300ms, mix: {leak: 20%, reset: 60%}}",
		 "come to 30 connections at once. Of them 20 % are never closed, and 20 % keep "
		 "their port "
		 "in TIME_WAIT: what stays fills the rest."},
		{"{rate: 100/s, hold: 300ms, end: reset, mix: {leak: 20%}}",
		 "at once. Of them 20 % are never closed: what stays fills the rest."},
		{"{rate: 100/s, hold: 300ms, end: reset, mix: {close: 20%}}",
		 "at once. Of them 20 % keep their port in TIME_WAIT: what stays fills the rest."},
		{"{rate: 200/s, hold: 300ms, end: reset, mix: {close: 20%}}",
		 "come to 60 connections at once."},
		{"{rate: 100/s, hold: 300ms, end: reset}", "come to 30 connections at once."},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[200];
		struct text why;
		struct trial t;

		snprintf(lines, sizeof(lines), FEW "load: %s", rows[i].load);
		trial_open(&t, lines);
		trial_exhaust(&t, 40);
		t.tape.tally.open = 30;
		trial_dump(&t, 32)->states[STATE_ESTABLISHED] = 32;
		trial_judge(&t);
		CU_ASSERT_EQUAL_FATAL(t.verdict.causes[0].cause, CAUSE_LIVE_SATURATION);
		why = t.verdict.causes[0].why;
		CU_ASSERT(row_says(i, why, rows[i].ends));
		CU_ASSERT_EQUAL(text_has(why, "fills the rest"), i < 3);
		trial_close(&t);
	}
}

/* Eight ports of 128 are left, and the client holds all of them: so few are left for two reasons. What is
 * closed comes first where it would fill all 128 as well: 128 / 60 s = 2.13/s. */
static void who_holds_the_few_that_are_left_is_told_as_well(void)
{
	static const struct {
		const char *load; /* in a map of the network's, which it ends, first */
		int state;
		uint64_t leaked;
		enum cause first, second;
	} rows[] = {
		{"}\nload: {end: leak}", STATE_ESTABLISHED, 8, CAUSE_RESERVED_PORTS, CAUSE_LEAK},
		{"}\nload: {rate: 2/s}", STATE_TIME_WAIT, 0, CAUSE_RESERVED_PORTS,
		 CAUSE_TIME_WAIT_CHURN},
		{"}\nload: {rate: 2.2/s}", STATE_TIME_WAIT, 0, CAUSE_TIME_WAIT_CHURN,
		 CAUSE_RESERVED_PORTS},
		{"}\nload: {concurrency: 1}", STATE_TIME_WAIT, 0, CAUSE_TIME_WAIT_CHURN,
		 CAUSE_RESERVED_PORTS}, /* 8 in 160 ms */
		{", servers: 2}\nload: {rate: 4/s}", STATE_TIME_WAIT, 0, CAUSE_RESERVED_PORTS,
		 CAUSE_TIME_WAIT_CHURN}, /* twice as many */
		{", servers: 2}\nload: {rate: 4.4/s}", STATE_TIME_WAIT, 0, CAUSE_TIME_WAIT_CHURN,
		 CAUSE_RESERVED_PORTS},
		{"}\nload: {hold: 10s}", STATE_ESTABLISHED, 0, CAUSE_RESERVED_PORTS,
		 CAUSE_LIVE_SATURATION},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[200];
		struct trial t;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40127, reserved: [40000-40119]%s", rows[i].load);
		trial_open(&t, lines);
		trial_exhaust(&t, 8);
		t.tape.tally.leaked = rows[i].leaked;
		t.tape.tally.closed = rows[i].state == STATE_TIME_WAIT ? 8 : 0;
		trial_dump(&t, 8)->states[rows[i].state] = 8;
		trial_judge(&t);
		CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 2);
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause, rows[i].first);
		CU_ASSERT_EQUAL(t.verdict.causes[1].cause, rows[i].second);
		trial_close(&t);
	}
}

/* A load that names a port outside of the range, beside one that churns in it: refused 11 times for its own
 * connection, which it never closes, and the other 8 times for want of a port. */
static void dial_open(struct trial *t)
{
	struct tape *loads;
	struct sample *s;

	trial_open(t, FEW "loads:\n"
			  "  dial: {bind: port 45000, options: {reuseaddr: true}, end: leak}\n"
			  "  churn: {rate: 100/s}\n");
	trial_exhaust(t, 33);
	loads = ARENA_ARRAY(&t->arena, struct tape, 2);
	loads[0] = (struct tape){.load = TEXT("dial"), .refused_at_ns = -1, .recovered_ns = -1};
	loads[1] = (struct tape){.load = TEXT("churn"), .exhausted = true, .recovered_ns = -1};
	loads[0].tally = (struct tally){.opened = 1, .leaked = 1, .failed = 11};
	loads[0].tally.errors[STAGE_CONNECT][EADDRNOTAVAIL] = 11;
	loads[1].tally = (struct tally){.opened = 32, .closed = 32, .failed = 8};
	loads[1].tally.errors[STAGE_CONNECT][EADDRNOTAVAIL] = 8;
	t->tape.loads = loads;
	t->tape.load_count = 2;
	t->tape.tally = (struct tally){.opened = 33, .closed = 32, .leaked = 1};
	trial_fail(t, STAGE_CONNECT, EADDRNOTAVAIL, 19);
	t->tape.events[t->tape.event_count++] =
		(struct event){.kind = EVENT_TUPLE_TAKEN, .dest = NOWHERE};
	s = trial_dump(t, 33);
	s->states[STATE_TIME_WAIT] = 32;
	s->states[STATE_ESTABLISHED] = 1;
}

static void a_port_outside_of_the_range_is_none_of_its_ports(void)
{
	struct portmap map = {.known = true, .used_max = 33, .range = {40000, 45000}};
	const struct finding *dial, *churn;
	struct trial t;

	dial_open(&t);
	trial_judge(&t);
	dial = trial_cause(&t, CAUSE_FIXED_PORT);
	churn = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
	CU_ASSERT_FATAL(dial && churn && dial == &t.verdict.causes[0]);
	CU_ASSERT(text_has(dial->why, "connect() failed 11 times with EADDRNOTAVAIL"));
	CU_ASSERT(text_has(churn->why, "32 ports / 60 s = 0.533/s is all that can go on for ever"));
	CU_ASSERT(!lines_have(&churn->attempt, "never closed"));
	CU_ASSERT_EQUAL(t.measures.fixed[MEASURE_PORTS_USED_MAX].n, 32); /* there are no more */
	CU_ASSERT_EQUAL(t.measures.fixed[MEASURE_PORTS_FILL_MAX].n, 1);
	portset_add_range(&map.used, (struct port_range){40000, 40019});
	portset_add_range(&map.used, (struct port_range){45000, 45000});
	t.tape.fullest_map = &map;
	trial_judge(&t);
	CU_ASSERT_EQUAL(t.measures.fixed[MEASURE_PORTS_USED_MAX].n, 20);
	t.tape.fullest_map = NULL;
	trial_close(&t);
}

/* tcp_tw_reuse gives connect() its ports back, and bind() none: of both it is not enough, nor a rate. */
static void reuse_is_of_those_that_do_not_bind_first(void)
{
	static const struct {
		int reuse;
		uint64_t bound;
		const char *b, *why, *attempt;
	} rows[] = {
		{0, 32, "bind: address",
		 "3.2/s in all, less what bind() takes, for all of them at once; these loads ask "
		 "for 80/s.",
		 "was 1 s in TIME_WAIT, a bind() to port 0 none; it works"},
		{0, 32, "bind: none",
		 "1.07/s is all that can go on for ever to each of 3 destinations, "
		 "3.2/s in all; these loads",
		 "was 1 s in TIME_WAIT, 192/s (enough); it works"},
		{0, 0, "bind: address", "to each of 3 destinations, 3.2/s in all; these loads",
		 "was 1 s in TIME_WAIT, 192/s (enough); it works"}, /* it was refused, and took none */
		{1, 32, "bind: address",
		 "64 ports / 60 s = 1.07/s is all that can go on for ever of what bind() "
		 "takes, to which tcp_tw_reuse gives none back; these loads",
		 "64,512 ports, 1,008 times as many, 3,226/s"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct tape *loads;
		char lines[300];
		struct trial t;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40063, servers: 3, sysctl: "
			 "{net.ipv4.tcp_tw_reuse: %d}}\n"
			 "loads: {a: {rate: 60/s}, b: {rate: 20/s, %s}}",
			 rows[i].reuse, rows[i].b);
		trial_open(&t, lines);
		trial_exhaust(&t, 128);
		t.tape.tally.closed = 128;
		loads = ARENA_ARRAY(&t.arena, struct tape, 2);
		loads[0].tally = (struct tally){.opened = 128 - rows[i].bound, .closed = 96};
		loads[1].tally = (struct tally){.opened = rows[i].bound, .closed = rows[i].bound};
		t.tape.loads = loads;
		t.tape.load_count = 2;
		trial_dump(&t, 43)->states[STATE_TIME_WAIT] = 128;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(row_says(i, f->why, rows[i].why));
		CU_ASSERT(lines_have(&f->attempt, rows[i].attempt));
		trial_close(&t);
	}
}

/* 23,452 in use of a load that wants 800 at once: this machine fell behind, and they are no fault of who
 * would have kept up. */
static void what_comes_of_our_own_lag_is_not_the_programs(void)
{
	static const struct {
		uint64_t late;
		bool exhausted;
		enum cause first;
		const char *why;
	} rows[] = {
		{0, false, CAUSE_LIVE_SATURATION, "come to 800 connections at once."},
		{40000, false, CAUSE_GATE_MISSED, "That is lastport's own doing here."},
		{40000, true, CAUSE_LIVE_SATURATION, "That is lastport's own doing here."},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;

		trial_open(&t, "load: {rate: 40k/s, hold: 20ms}\nexpect: [ports.fill.max < 50%]");
		if (rows[i].exhausted)
			trial_exhaust(&t, 23452);
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.open = 23452;
		t.tape.tally.late = rows[i].late;
		t.tape.behind_ns = rows[i].late ? 8000000000 : 0;
		trial_dump(&t, 23452)->states[STATE_ESTABLISHED] = 23452;
		trial_judge(&t);
		f = trial_cause(&t, rows[i].first);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(row_says(i, f->why, rows[i].why));
		CU_ASSERT_EQUAL(text_has(f->why, "8 s behind"), rows[i].late > 0);
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_LIVE_SATURATION) != NULL, i != 1);
		trial_close(&t);
	}
}

/* Of two loads with a limit of descriptors each: of the one that has come to it. */
static void a_limit_of_descriptors_is_of_its_own_load(void)
{
	const struct finding *f;
	struct tape *loads;
	struct trial t;

	trial_open(&t, FEW "loads: {a: {nofile: 100, end: leak}, b: {nofile: 9, end: leak}}");
	loads = ARENA_ARRAY(&t.arena, struct tape, 2);
	loads[0] = (struct tape){.load = TEXT("a"), .refused_at_ns = -1, .recovered_ns = -1};
	loads[1] = (struct tape){.load = TEXT("b"), .refused_at_ns = -1, .recovered_ns = -1};
	loads[0].tally = (struct tally){.opened = 26, .leaked = 26, .failed = 20};
	loads[1].tally = (struct tally){.opened = 7, .leaked = 6, .failed = 14};
	loads[1].tally.errors[STAGE_SOCKET][EMFILE] = 14;
	t.tape.loads = loads;
	t.tape.load_count = 2;
	t.tape.tally = (struct tally){.opened = 33, .leaked = 32};
	trial_fail(&t, STAGE_SOCKET, EMFILE, 14);
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_FD_LIMIT);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(lines_have(&f->attempt, "6 of 7 connections opened were never closed"));
	CU_ASSERT(lines_have(&f->attempt, "here it is 9 (load.nofile)"));
	trial_close(&t);
}

/* A pool whose own timer is shorter than the pause, and what reused it all the same. */
static void a_pool_that_closes_before_the_next_request_is_told(void)
{
	static const struct {
		const char *load;
		uint64_t reused;
		const char *why; /* NULL: it is not that */
	} rows[] = {
		{"{concurrency: 4, request: {send: 8B, receive: 8B, pause: 200ms}, "
		 "pool: {max_idle: 4, idle_timeout: 50ms}}",
		 0, "closes what is idle for 50 ms, and the next request comes after 0.2 s"},
		{"{concurrency: 4, request: {send: 8B, receive: 8B, pause: 200ms}, "
		 "pool: {max_idle: 4, idle_timeout: 200ms}}",
		 0, NULL},
		{"{concurrency: 4, request: {send: 8B, receive: 8B, pause: 200ms}, pool: "
		 "{max_idle: 4}}",
		 0, NULL},
		{"{concurrency: 4, request: {send: 8B, receive: 8B, pause: 200ms}, "
		 "pool: {max_idle: 4, idle_timeout: 50ms}}",
		 16, NULL},
		{"{rate: 20/s, request: {send: 8B, receive: 8B}, pool: {max_idle: 4, idle_timeout: "
		 "20ms}}",
		 0, "closes what is idle for 20 ms, and the next request comes after 50 ms"},
		{"{rate: 100/s, request: {send: 8B, receive: 8B}, pool: {max_idle: 4, "
		 "idle_timeout: 20ms}}",
		 0, NULL},
		{"{burst: {size: 4, every: 1s}, request: {send: 8B, receive: 8B}, "
		 "pool: {max_idle: 4, idle_timeout: 300ms}}",
		 0, "closes what is idle for 0.3 s, and the next request comes after 1 s"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		char lines[300];
		struct trial t;

		snprintf(lines, sizeof(lines), FEW "load: %s", rows[i].load);
		trial_open(&t, lines);
		trial_exhaust(&t, 32);
		t.tape.tally.closed = t.tape.tally.requests_done = 32;
		t.tape.tally.requests_reused = rows[i].reused;
		t.tape.open_peak = 4;
		trial_dump(&t, 32)->states[STATE_TIME_WAIT] = 32;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_POOL_IDLE_TIMEOUT);
		if ((f != NULL) != (rows[i].why != NULL))
			printf("row %zu\n", i);
		CU_ASSERT_EQUAL(f != NULL, rows[i].why != NULL);
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_TIME_WAIT_CHURN) == NULL, f != NULL);
		if (f && rows[i].why) {
			CU_ASSERT(text_has(f->why, rows[i].why));
			CU_ASSERT(lines_have(&f->wont_help, "it may keep 4 connections"));
		}
		trial_close(&t);
	}
}

/* One in a hundred that were due is a load that was not asked for; a second of lag is one, if it is a tenth of
 * the run; and a closed loop's, if it is half of it. */
static void a_load_is_lighter_from_its_own_bounds_on(void)
{
	static const struct {
		double late, attempted, behind, rounds, elapsed; /* below 0: not known */
		bool is_short, is_behind, is_slow;
	} rows[] = {
		{0, 100, -1, -1, 1e9, false, false, false},
		{1, 99, -1, -1, 1e9, true, false, false},
		{1, 100, -1, -1, 1e9, false, false, false},
		{0, 0, -1, -1, 1e9, false, false, false},
		{0, 100, 1e9, -1, 1e10, false, true, false},
		{0, 100, 1e9, -1, 1.01e10, false, false, false},
		{0, 100, 9.9e8, -1, 1e9, false, false, false},
		{1, 99, 1e9, -1, 1e10, true, false, false},
		{0, 100, 1e9, -1, -1, false, false, false},
		{0, 100, -1, 1e9, 2e9, false, false, true},
		{0, 100, -1, 1e9, 2.1e9, false, false, false},
		{0, 100, -1, 9.9e8, 1e9, false, false, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct measures m = {0};

		m.fixed[MEASURE_CONNECTS_LATE] = (struct value){true, rows[i].late};
		m.fixed[MEASURE_CONNECTS_ATTEMPTED] = (struct value){true, rows[i].attempted};
		m.fixed[MEASURE_CONNECTS_BEHIND] =
			(struct value){rows[i].behind >= 0, rows[i].behind};
		m.fixed[MEASURE_ROUNDS_BEHIND] =
			(struct value){rows[i].rounds >= 0, rows[i].rounds};
		m.fixed[MEASURE_ELAPSED] = (struct value){rows[i].elapsed >= 0, rows[i].elapsed};
		CU_ASSERT_EQUAL(late_is_short(&m), rows[i].is_short);
		CU_ASSERT_EQUAL(late_is_behind(&m), rows[i].is_behind);
		CU_ASSERT_EQUAL(late_is_slow(&m), rows[i].is_slow);
		CU_ASSERT_EQUAL(late_is_lighter(&m),
				rows[i].is_short || rows[i].is_behind || rows[i].is_slow);
	}
}

/* Of two loads that do 50 requests each, one keeps its connections: 50 had a client of their own. */
static void a_client_for_each_request_is_of_the_load_that_leaks(void)
{
	const struct finding *f;
	struct tape *loads;
	struct trial t;

	trial_open(&t,
		   FEW "load: {request: {send: 8B, receive: 8B}}\nloads: {a: {}, b: {end: leak}}");
	trial_exhaust(&t, 32);
	loads = ARENA_ARRAY(&t.arena, struct tape, 2);
	loads[0].tally = (struct tally){.opened = 12, .closed = 12, .requests_done = 12};
	loads[1].tally = (struct tally){.opened = 20, .leaked = 20, .requests_done = 20};
	t.tape.loads = loads;
	t.tape.load_count = 2;
	t.tape.tally.closed = 12;
	t.tape.tally.leaked = 20;
	t.tape.tally.requests_done = 32;
	trial_dump(&t, 32)->states[STATE_ESTABLISHED] = 20;
	t.tape.samples[0].states[STATE_TIME_WAIT] = 12;
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_CLIENT_PER_REQUEST);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "20 requests were done, and each had a connection of its own"));
	trial_close(&t);
}

static const struct test tests[] = {
	TEST(what_was_closed_later_is_what_lasts),
	TEST(what_the_far_end_does_not_read_is_why_requests_fail),
	TEST(what_stays_of_a_mix_is_told_beside_what_is_open),
	TEST(who_holds_the_few_that_are_left_is_told_as_well),
	TEST(a_port_outside_of_the_range_is_none_of_its_ports),
	TEST(reuse_is_of_those_that_do_not_bind_first),
	TEST(what_comes_of_our_own_lag_is_not_the_programs),
	TEST(a_limit_of_descriptors_is_of_its_own_load),
	TEST(a_pool_that_closes_before_the_next_request_is_told),
	TEST(a_load_is_lighter_from_its_own_bounds_on),
	TEST(a_client_for_each_request_is_of_the_load_that_leaks),
	TESTS_END,
};

const struct suite suite_cause_second = {"cause: beside the first", tests};
