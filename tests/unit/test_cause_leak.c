/* Connections that nobody closes: which kind of leak it is, at the edges of each. */
#include "judge/cause.h"

#include <errno.h>
#include <stdio.h>

#include "suites.h"
#include "trial.h"

#define FEW "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"

/* What a run left behind when it was refused a port; by the dump, if it had one. */
struct left {
	uint64_t leaked, inherited, waiting, half_closed, live, done, reused;
	bool no_dump;
};

static void left_judge(struct trial *t, const char *lines, const struct left *l)
{
	uint64_t opened = l->leaked + l->inherited + l->waiting + l->live;

	trial_open(t, lines);
	trial_exhaust(t, opened);
	t->tape.tally.leaked = l->leaked;
	t->tape.tally.inherited = l->inherited;
	t->tape.tally.closed = l->waiting;
	t->tape.tally.open = l->live;
	t->tape.tally.requests_done = l->done;
	t->tape.tally.requests_reused = l->reused;
	if (!l->no_dump) {
		struct sample *s = trial_dump(t, opened);

		s->states[STATE_CLOSE_WAIT] = l->half_closed;
		s->states[STATE_ESTABLISHED] = l->leaked + l->inherited + l->live - l->half_closed;
		s->states[STATE_TIME_WAIT] = l->waiting;
	}
	trial_judge(t);
}

/* More ports would do: they come back. */
static void what_is_closed_late_is_no_connection_in_use(void)
{
	const struct left left = {.live = 32, .half_closed = 32};
	struct trial t;

	left_judge(&t, FEW "load: {rate: 50/s, hold: 1s}", &left);
	CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 1);
	CU_ASSERT(!text_has(t.verdict.causes[0].why, "in use"));
	CU_ASSERT(lines_have(&t.verdict.causes[0].seen, "close_wait.max 32"));
	CU_ASSERT(!lines_have(&t.verdict.causes[0].attempt, "a leak"));
	CU_ASSERT(!lines_have(&t.verdict.causes[0].wont_help, "more ports"));
	trial_close(&t);
}

/* Two of one kind: 25 of 32 are kept, by which 32 are after 41. */
static void the_arithmetic_of_a_leak_names_all_that_it_counts(void)
{
	const struct left left = {.leaked = 15, .inherited = 10, .waiting = 7};
	const struct finding *f;
	struct trial t;

	left_judge(&t, FEW "load: {mix: {leak: 50%, inherit: 30%}}", &left);
	f = trial_cause(&t, CAUSE_LEAK);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "of 32 ports in use 15 are used up for good, and so are the "
				   "others, once they are free again: 32 after 41 connections, by "
				   "this share and that of 10 "
				   "more that are kept."));
	trial_close(&t);
}

/* What one has bound is none of the other's ports, towards whomever. */
static void a_leak_beside_one_that_binds_has_not_used_all_there_are(void)
{
	const struct finding *f;
	struct tape *loads;
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40063, servers: 2}\nloads: {a: {bind: address, end: "
		       "leak}, b: {end: leak}}");
	loads = ARENA_ARRAY(&t.arena, struct tape, 2);
	loads[0] = (struct tape){.load = TEXT("a")};
	loads[1] = (struct tape){.load = TEXT("b"), .exhausted = true};
	loads[0].tally = (struct tally){.attempted = 40, .opened = 40, .leaked = 40};
	loads[1].tally = (struct tally){.attempted = 49, .opened = 48, .leaked = 48, .failed = 1};
	loads[1].tally.errors[STAGE_CONNECT][EADDRNOTAVAIL] = 1;
	t.tape.loads = loads;
	t.tape.load_count = 2;
	trial_exhaust(&t, 88);
	t.tape.tally.leaked = 88;
	trial_dump(&t, 44)->states[STATE_ESTABLISHED] = 88;
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_LEAK);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "the 88 ports in use, of 128, are used up for good."));
	trial_close(&t);
}

static void each_kind_of_leak_is_told_by_its_signature(void)
{
	static const struct {
		const char *lines;
		struct left left;
		enum cause first;
		const char *why;
	} rows[] = {
		/* more than half of what was leaked, and how many they are */
		{FEW "load: {end: leak}",
		 {.leaked = 32, .half_closed = 17},
		 CAUSE_CLOSE_WAIT_LEAK,
		 "The far end has closed 17 connections, and"},
		{FEW "load: {end: leak}",
		 {.leaked = 32, .half_closed = 16},
		 CAUSE_LEAK,
		 "32 connections were opened, and none of them was closed."},
		/* nobody has forgotten them: they are closed, and late; more than half of them */
		{FEW "load: {rate: 50/s, hold: 1s}",
		 {.live = 32, .half_closed = 17},
		 CAUSE_CLOSE_WAIT_LEAK,
		 "closed 17 connections, and the client does so later, each 1 s after it was "
		 "opened: CLOSE_WAIT has no timer"},
		{FEW "load: {rate: 50/s, hold: 1s}",
		 {.live = 32, .half_closed = 16},
		 CAUSE_LIVE_SATURATION,
		 ""},
		{"network: {ports: 40000-40000}\nload: {end: leak}",
		 {.leaked = 1, .no_dump = true},
		 CAUSE_LEAK,
		 "and was not closed"},
		/* as many requests as there are leaked, and none on a connection that had served */
		{FEW "load: {end: leak, request: {send: 8B, receive: 8B}}",
		 {.leaked = 32, .done = 32},
		 CAUSE_CLIENT_PER_REQUEST,
		 "32 requests were done, and each had a connection of its own"},
		{FEW "load: {end: leak, request: {send: 8B, receive: 8B}}",
		 {.leaked = 32, .done = 31},
		 CAUSE_LEAK,
		 ""},
		{FEW "load: {end: leak, request: {send: 8B, receive: 8B}}",
		 {.leaked = 32, .done = 40, .reused = 1},
		 CAUSE_LEAK,
		 ""},
		/* an answer that nobody has read, be it a byte; not what was read */
		{FEW "load: {end: leak, request: {send: 8B, receive: 64B, read: false}}",
		 {.leaked = 32, .done = 32},
		 CAUSE_BODY_NOT_READ,
		 "nobody closed it: after 32 the 32 ports to one destination are used up for "
		 "good."},
		{FEW "load: {end: leak, request: {send: 8B, receive: 1B, read: false}}",
		 {.leaked = 32, .done = 32},
		 CAUSE_BODY_NOT_READ,
		 "32 answers came"},
		{FEW "load: {end: inherit}",
		 {.inherited = 32},
		 CAUSE_INHERITED_FD,
		 "are used up until then."},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;

		left_judge(&t, rows[i].lines, &rows[i].left);
		CU_ASSERT_FATAL(t.verdict.cause_count > 0);
		f = &t.verdict.causes[0];
		if (f->cause != rows[i].first || (rows[i].why[0] && !text_has(f->why, rows[i].why)))
			printf("row %zu: %s: " TEXT_FMT "\n", i, cause_name(f->cause),
			       TEXT_ARG(f->why));
		CU_ASSERT_EQUAL(f->cause, rows[i].first);
		CU_ASSERT(!rows[i].why[0] || text_has(f->why, rows[i].why));
		trial_close(&t);
	}
}

/* It has no bodies, no CLOSE_WAIT, and no pools. */
static void a_leak_of_udp_is_no_kind_of_tcp(void)
{
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40031}\nload: {protocol: udp, end: leak, request: "
		       "{send: 8B, receive: 64B, read: false}}");
	t.tape.exhausted = true;
	t.tape.tally =
		(struct tally){.attempted = 32, .opened = 32, .leaked = 32, .requests_done = 32};
	trial_fail(&t, STAGE_CONNECT, EAGAIN, 1);
	trial_dump(&t, 32)->states[STATE_ESTABLISHED] = 32;
	trial_judge(&t);
	CU_ASSERT_PTR_NULL(trial_cause(&t, CAUSE_BODY_NOT_READ));
	CU_ASSERT_PTR_NULL(trial_cause(&t, CAUSE_CLIENT_PER_REQUEST));
	CU_ASSERT_PTR_NOT_NULL(trial_cause(&t, CAUSE_LEAK));
	trial_close(&t);
}

/* Beside what waits: how many of all, and after how many it has them all. */
static void what_leaks_beside_a_churn_is_told_with_its_share(void)
{
	static const struct {
		const char *lines;
		struct left left;
		enum cause cause;
		bool first;
		const char *why;
	} rows[] = {
		{"network: {ports: 40000-40003, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\nload: {mix: "
		 "{leak: 25%}}",
		 {.leaked = 1, .waiting = 3},
		 CAUSE_LEAK,
		 true,
		 "of 4 ports in use 1 is used up for good, and so are the others, once they are "
		 "free again: 4 after 16 "
		 "connections, by this share."},
		{FEW "load: {mix: {leak: 25%, inherit: 25%}}",
		 {.leaked = 8, .inherited = 8, .waiting = 16},
		 CAUSE_INHERITED_FD,
		 false,
		 "8 are used up until then, and so are the others, once they are free again: 32 "
		 "after 64 connections"},
		/* 36 ports: six more of the other is what a draw can do, seven is not */
		{"network: {ports: 40000-40035, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\nload: {mix: "
		 "{leak: 50%}}",
		 {.leaked = 15, .waiting = 21},
		 CAUSE_LEAK,
		 true,
		 "15 are used up"},
		{"network: {ports: 40000-40035, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\nload: {mix: "
		 "{leak: 50%}}",
		 {.leaked = 14, .waiting = 22},
		 CAUSE_LEAK,
		 false,
		 "14 are used up"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;

		left_judge(&t, rows[i].lines, &rows[i].left);
		f = trial_cause(&t, rows[i].cause);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(row_says(i, f->why, rows[i].why));
		CU_ASSERT_EQUAL(f == &t.verdict.causes[0], rows[i].first);
		trial_close(&t);
	}
}

/* 150/s of 160/s that the ports carry: what they do not is what nobody closes, however few those are. */
static void a_leak_is_told_first_where_the_ports_would_carry_the_rest(void)
{
	static const struct {
		const char *rate;
		struct left left;
		enum cause first;
	} rows[] = {
		{"150/s", {.leaked = 7, .waiting = 25}, CAUSE_LEAK},
		{"150/s", {.leaked = 2, .waiting = 30}, CAUSE_LEAK},
		{"160/s", {.leaked = 2, .waiting = 30}, CAUSE_LEAK},
		{"150/s", {.inherited = 2, .waiting = 30}, CAUSE_INHERITED_FD},
		{"161/s", {.leaked = 2, .waiting = 30}, CAUSE_TW_REUSE_FLOOR},
		{"161/s", {.leaked = 7, .waiting = 25}, CAUSE_TW_REUSE_FLOOR},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;
		char lines[200];

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 1, "
			 "net.ipv4.tcp_tw_reuse_delay: 200}}\nload: {rate: %s, mix: {leak: 20%%}}",
			 rows[i].rate);
		left_judge(&t, lines, &rows[i].left);
		CU_ASSERT_FATAL(t.verdict.cause_count > 0);
		if (t.verdict.causes[0].cause != rows[i].first)
			printf("row %zu: %s\n", i, cause_name(t.verdict.causes[0].cause));
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause, rows[i].first);
		trial_close(&t);
	}
}

/* Each load's connections are held for a time of their own: 50/s that are closed want 60 of 64 ports, and the few
 * that are kept are told behind them; 40/s want 45, and it is those few. */
static void the_few_that_leak_are_first_where_there_is_room_for_the_rest(void)
{
	static const struct {
		const char *rate;
		enum cause first, second;
		const char *why; /* of the churn */
	} rows[] = {
		{"20/s", CAUSE_TIME_WAIT_CHURN, CAUSE_LEAK,
		 "64 ports / (0.2 s open in the mean + 1 s) = 53.3/s would be all"},
		{"10/s", CAUSE_LEAK, CAUSE_TIME_WAIT_CHURN,
		 "64 ports / (0.125 s open in the mean + 1 s) = 56.9/s would be all"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *churn;
		struct trial t;
		char lines[300];

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40063, time_wait: 1s}\n"
			 "loads: {a: {rate: 30/s}, b: {rate: %s, hold: 500ms}, c: {rate: 1/s, end: "
			 "leak}}",
			 rows[i].rate);
		left_judge(&t, lines, &(struct left){.leaked = 4, .waiting = 52, .live = 8});
		CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 2);
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause, rows[i].first);
		CU_ASSERT_EQUAL(t.verdict.causes[1].cause, rows[i].second);
		churn = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
		if (churn && !text_has(churn->why, rows[i].why))
			printf("row %zu: " TEXT_FMT "\n", i, TEXT_ARG(churn->why));
		CU_ASSERT(churn && text_has(churn->why, rows[i].why));
		trial_close(&t);
	}
}

static void where_nothing_leaks_no_leak_is_told(void)
{
	struct trial t;

	left_judge(&t, FEW "load: {hold: 5s}", &(struct left){.waiting = 5, .live = 27});
	CU_ASSERT_PTR_NULL(trial_cause(&t, CAUSE_LEAK));
	CU_ASSERT_PTR_NULL(trial_cause(&t, CAUSE_INHERITED_FD));
	trial_close(&t);
}

static void a_pool_shows_a_leak_below_the_number_of_ports(void)
{
	static const struct {
		const char *network, *limit;
	} rows[] = {
		{"ports: 40000-40001", "below 2 to one destination"},
		{"topology: nat, servers: 2, ports: 40000-40031, nat: {ports: 2000-2001}",
		 "below 2 to one destination"},
		/* one behind it, or one mapping for both */
		{"topology: nat, servers: 2, ports: 40000-40031, nat: {ports: 2000-2001, redirect: "
		 "true}",
		 "below 2 to all destinations together"},
		{"topology: nat, servers: 2, ports: 40000-40031, nat: {ports: 2000-2001, mapping: "
		 "endpoint-independent}",
		 "below 2 to all destinations together"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		const char *lines =
			text_format(&a, "network: {%s}\nload: {end: leak}", rows[i].network).s;
		const struct finding *f;
		struct trial t;

		left_judge(&t, lines, &(struct left){.leaked = 2});
		f = trial_cause(&t, CAUSE_LEAK);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(lines_have(&f->attempt,
				     text_format(&a, "a pool with a limit %s", rows[i].limit).s));
		trial_close(&t);
		arena_close(&a);
	}
}

/* Of 32 ports 12 are bound since the load began: 20 are there to be used up. */
static void a_leak_uses_up_the_ports_that_are_left(void)
{
	const struct finding *f;
	struct sample *s;
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40031}\nsquat: {bind: 12, start: 500ms}\n"
		       "load: {rate: 30/s, end: leak}");
	trial_exhaust(&t, 20);
	t.tape.tally.leaked = 20;
	s = trial_dump(&t, 20);
	s->states[STATE_ESTABLISHED] = 20;
	s->bound = 12;
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_LEAK);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "the 20 ports to one destination are used up for good."));
	trial_close(&t);
}

/* Of 32 ports 16 are reserved, and one load names 8 of these: they are none of connect()'s, and all that
 * look at the range alone count them. */
static void what_leaks_named_ports_uses_up_no_others(void)
{
	const struct finding *leak, *reserved;
	struct sample *s;
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40031, reserved: [40000-40015]}\nloads:\n"
		       "  a: {rate: 40/s}\n"
		       "  b: {bind: ports 40000-40007, rate: 10/s, end: leak}");
	trial_exhaust(&t, 24);
	t.tape.loads = ARENA_ARRAY(&t.arena, struct tape, 2);
	t.tape.load_count = 2;
	t.tape.tally.closed = t.tape.loads[0].tally.opened = t.tape.loads[0].tally.closed = 16;
	t.tape.tally.leaked = t.tape.loads[1].tally.opened = t.tape.loads[1].tally.leaked = 8;
	s = trial_dump(&t, 24);
	s->states[STATE_TIME_WAIT] = 16;
	s->states[STATE_ESTABLISHED] = 8;
	trial_judge(&t);
	CU_ASSERT_EQUAL(t.measures.fixed[MEASURE_PORTS_USED_MAX].n, 16);
	CU_ASSERT_EQUAL(t.measures.fixed[MEASURE_PORTS_FILL_MAX].n, 1);
	leak = trial_cause(&t, CAUSE_LEAK);
	reserved = trial_cause(&t, CAUSE_RESERVED_PORTS);
	CU_ASSERT_FATAL(leak && reserved);
	CU_ASSERT(text_has(leak->why, "of 24 ports in use 8 are used up for good."));
	CU_ASSERT(text_has(reserved->why, "16 ports are left to one destination."));
	CU_ASSERT(text_has(reserved->why, "alone says that 75 % of it are in use."));
	trial_close(&t);
}

static const struct test tests[] = {
	TEST(each_kind_of_leak_is_told_by_its_signature),
	TEST(what_is_closed_late_is_no_connection_in_use),
	TEST(the_arithmetic_of_a_leak_names_all_that_it_counts),
	TEST(a_leak_beside_one_that_binds_has_not_used_all_there_are),
	TEST(a_leak_of_udp_is_no_kind_of_tcp),
	TEST(what_leaks_beside_a_churn_is_told_with_its_share),
	TEST(a_leak_is_told_first_where_the_ports_would_carry_the_rest),
	TEST(the_few_that_leak_are_first_where_there_is_room_for_the_rest),
	TEST(where_nothing_leaks_no_leak_is_told),
	TEST(a_pool_shows_a_leak_below_the_number_of_ports),
	TEST(a_leak_uses_up_the_ports_that_are_left),
	TEST(what_leaks_named_ports_uses_up_no_others),
	TESTS_END,
};

const struct suite suite_cause_leak = {"cause: leaks", tests};
