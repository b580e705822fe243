#include "judge/cause.h"

#include <errno.h>
#include <stdio.h>

#include "suites.h"
#include "trial.h"

#define SMALL "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"

/* What the fullest dump saw when ports ran out, and which cause that is. */
static void holders_of_the_ports_are_the_cause(void)
{
	static const struct {
		const char *lines;
		uint64_t leaked, closed, open;
		struct {
			int state;
			uint64_t n;
		} seen[2];
		enum cause first;
		size_t causes;
	} rows[] = {
		{SMALL "load: {end: leak}", 32, 0, 0, {{STATE_ESTABLISHED, 32}}, CAUSE_LEAK, 1},
		{SMALL "load: {end: leak}", 32, 0, 0, {{STATE_CLOSE_WAIT, 32}}, CAUSE_LEAK, 1},
		{SMALL "load: {rate: 200/s}",
		 0,
		 32,
		 0,
		 {{STATE_TIME_WAIT, 32}},
		 CAUSE_TIME_WAIT_CHURN,
		 1},
		{SMALL "load: {hold: 5s}",
		 0,
		 0,
		 32,
		 {{STATE_ESTABLISHED, 32}},
		 CAUSE_LIVE_SATURATION,
		 1},
		{SMALL "load: {hold: 5s}",
		 0,
		 0,
		 32,
		 {{STATE_ESTABLISHED, 29}, {STATE_SYN_SENT, 3}},
		 CAUSE_LIVE_SATURATION,
		 1},
		{SMALL "server: {behaviour: hold}",
		 0,
		 32,
		 0,
		 {{STATE_FIN_WAIT2, 32}},
		 CAUSE_FIN_WAIT_ORPHANS,
		 1},
		{SMALL "load: {hold: 1s}",
		 0,
		 22,
		 10,
		 {{STATE_TIME_WAIT, 22}, {STATE_ESTABLISHED, 10}},
		 CAUSE_TIME_WAIT_CHURN,
		 2},
		{SMALL "load: {hold: 1s}",
		 0,
		 10,
		 22,
		 {{STATE_TIME_WAIT, 10}, {STATE_ESTABLISHED, 22}},
		 CAUSE_LIVE_SATURATION,
		 2},
		{SMALL "load: {hold: 1s}",
		 0,
		 30,
		 2,
		 {{STATE_TIME_WAIT, 30}, {STATE_ESTABLISHED, 2}},
		 CAUSE_TIME_WAIT_CHURN,
		 1},
		{SMALL "load: {hold: 1s}", 20, 0, 12, {{STATE_ESTABLISHED, 32}}, CAUSE_LEAK, 2},
		{SMALL "load: {end: leak}",
		 32,
		 0,
		 0,
		 {{0}},
		 CAUSE_LEAK,
		 1}, /* no dump: by the books */
		{SMALL "load: {rate: 200/s}", 0, 32, 0, {{0}}, CAUSE_TIME_WAIT_CHURN, 1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;

		trial_open(&t, rows[i].lines);
		trial_exhaust(&t, 32);
		t.tape.tally.leaked = rows[i].leaked;
		t.tape.tally.closed = rows[i].closed;
		t.tape.tally.open = rows[i].open;
		if (rows[i].seen[0].state) {
			struct sample *s = trial_dump(&t, 32);

			for (int k = 0; k < 2; k++)
				s->states[rows[i].seen[k].state] += rows[i].seen[k].n;
		}
		trial_judge(&t);
		CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, rows[i].causes);
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause, rows[i].first);
		trial_close(&t);
	}
}

static void look_alikes_say_that_they_are_not_exhaustion(void)
{
	static const struct {
		enum stage stage;
		int error;
		bool no_address;
		enum cause cause;
	} rows[] = {
		{STAGE_SOCKET, EMFILE, false, CAUSE_FD_LIMIT},
		{STAGE_SOCKET, ENFILE, false, CAUSE_FD_LIMIT},
		{STAGE_CONNECT, ECONNREFUSED, false, CAUSE_REFUSED},
		{STAGE_CONNECT, ETIMEDOUT, false, CAUSE_TIMED_OUT},
		{STAGE_BIND, EADDRNOTAVAIL, false, CAUSE_ADDRESS_NOT_LOCAL},
		{STAGE_CONNECT, EADDRNOTAVAIL, true, CAUSE_ADDRESS_NOT_LOCAL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;
		const struct finding *f;

		trial_open(&t, SMALL);
		trial_fail(&t, rows[i].stage, rows[i].error, 3);
		trial_dump(&t, 20);
		if (rows[i].no_address)
			tape_event(&t.tape, (struct event){.kind = EVENT_NO_ADDRESS, .dest = 0});
		trial_judge(&t);
		CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 1);
		f = &t.verdict.causes[0];
		CU_ASSERT_EQUAL(f->cause, rows[i].cause);
		CU_ASSERT(text_has(f->why, "not port exhaustion"));
		CU_ASSERT(text_has(f->why, errno_name(rows[i].error)));
		CU_ASSERT(text_has(f->why, "3 times"));
		CU_ASSERT(text_has(f->why, "20 of 32 ports"));
		CU_ASSERT(f->attempt.count > 0 && f->wont_help.count > 0);
		trial_close(&t);
	}
}

static void without_failures_there_is_no_cause(void)
{
	struct trial t;

	trial_open(&t, SMALL);
	t.tape.tally = (struct tally){.attempted = 12, .opened = 12, .leaked = 6, .closed = 6};
	trial_dump(&t, 12)->states[STATE_TIME_WAIT] = 6;
	trial_judge(&t);
	CU_ASSERT_EQUAL(t.verdict.cause_count, 0);
	trial_close(&t);
}

/* EADDRNOTAVAIL that nobody confirmed is neither a want of a port nor of an address. */
static void an_unconfirmed_refusal_has_no_cause(void)
{
	struct trial t;

	trial_open(&t, SMALL);
	trial_fail(&t, STAGE_CONNECT, EADDRNOTAVAIL, 1);
	trial_judge(&t);
	CU_ASSERT_EQUAL(t.verdict.cause_count, 0);
	trial_close(&t);
}

static void what_explains_most_failures_comes_first(void)
{
	struct trial t;

	trial_open(&t, SMALL);
	trial_exhaust(&t, 32);
	t.tape.tally.closed = 32;
	trial_dump(&t, 32)->states[STATE_TIME_WAIT] = 32;
	trial_fail(&t, STAGE_CONNECT, ECONNREFUSED, 50);
	trial_fail(&t, STAGE_CONNECT, ETIMEDOUT, 60);
	trial_judge(&t);
	CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 3);
	CU_ASSERT_EQUAL(t.verdict.causes[0].cause, CAUSE_TIMED_OUT);
	CU_ASSERT_EQUAL(t.verdict.causes[1].cause, CAUSE_REFUSED);
	CU_ASSERT_EQUAL(t.verdict.causes[2].cause, CAUSE_TIME_WAIT_CHURN);
	CU_ASSERT(text_has(t.verdict.causes[0].why, "not for want of a port"));
	trial_close(&t);
}

/* Churn of 32 ports: 32 / 60 s. The numbers must follow the scenario. */
static void the_arithmetic_is_in_the_texts(void)
{
	static const struct {
		const char *lines;
		const char *why[3];
		const char *attempt[3];
	} rows[] = {
		{SMALL "load: {rate: 200/s}",
		 {"32 ports / 60 s = 0.533/s", "asks for 200/s", "to one destination"},
		 {"64,512 ports, 2,016 times as many, 1,075/s", "adds 32 ports, 0.533/s",
		  "1 s in TIME_WAIT, 32/s"}},
		{SMALL "load: {rate: 200/s, hold: 4s}",
		 {"32 ports / (4 s open + 60 s) = 0.5/s", "", ""},
		 {"1 s in TIME_WAIT, 6.4/s", "", ""}},
		{"network: {ports: 40000-40031, servers: 2, services: 2, sources: 3}\nload: {rate: "
		 "200/s}",
		 {"0.533/s", "each of 4 destinations, from each of 3 addresses", "6.4/s in all"},
		 {"", "", ""}},
		{"load: {rate: 1k/s}",
		 {"28,232 ports / 60 s = 471/s", "", ""},
		 {"64,512 ports, 2.3 times as many", "", ""}},
		{"network: {reserved: [8000-8511], ports: 40000-40031}",
		 {"", "", ""},
		 {"64,000 ports, 2,000 times", "", ""}},
		{"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_timestamps: 0}}",
		 {"", "", ""},
		 {"tcp_timestamps=1", "tcp_tw_reuse=1", ""}},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;

		trial_open(&t, rows[i].lines);
		trial_exhaust(&t, 32);
		t.tape.tally.closed = 32;
		trial_dump(&t, 32)->states[STATE_TIME_WAIT] = 32;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		for (int k = 0; k < 3; k++) {
			if (!text_has(f->why, rows[i].why[k]) ||
			    !lines_have(&f->attempt, rows[i].attempt[k]))
				printf("row %zu, %d: " TEXT_FMT "\n", i, k, TEXT_ARG(f->why));
			CU_ASSERT(text_has(f->why, rows[i].why[k]));
			CU_ASSERT(lines_have(&f->attempt, rows[i].attempt[k]));
		}
		trial_close(&t);
	}
}

/* Advice that was seen to do harm: it may only be warned of. */
static void harmful_advice_is_never_given(void)
{
	static const char *const harmful[] = {
		"tcp_tw_recycle", "tcp_max_tw_buckets", "SO_REUSEADDR", "SO_REUSEPORT",
		"SO_LINGER",	  "nf_conntrack_max",	"syncookies",	"retry"};
	static const int errors[][2] = {{STAGE_SOCKET, EMFILE},
					{STAGE_SOCKET, ENFILE},
					{STAGE_CONNECT, ECONNREFUSED},
					{STAGE_CONNECT, ETIMEDOUT},
					{STAGE_BIND, EADDRNOTAVAIL}};
	struct trial t;
	struct sample *s;

	trial_open(&t, "network: {ports: 40000-40031}\nload: {hold: 1s}");
	trial_exhaust(&t, 40);
	t.tape.tally.leaked = 10;
	t.tape.tally.closed = 30;
	s = trial_dump(&t, 32);
	s->states[STATE_ESTABLISHED] = 20;
	s->states[STATE_TIME_WAIT] = 10;
	s->states[STATE_FIN_WAIT2] = 10;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		trial_fail(&t, (enum stage)errors[i][0], errors[i][1], 1);
	trial_judge(&t);
	CU_ASSERT_EQUAL(t.verdict.cause_count, CAUSES);
	for (size_t c = 0; c < t.verdict.cause_count; c++) {
		const struct finding *f = &t.verdict.causes[c];

		CU_ASSERT(f->why.len > 0 && f->attempt.count > 0 && f->wont_help.count > 0);
		for (size_t i = 0; i < sizeof(harmful) / sizeof(harmful[0]); i++)
			CU_ASSERT(!lines_have(&f->attempt, harmful[i]));
		for (size_t i = 0; i < f->attempt.count;
		     i++) /* only with the servers' ports reserved */
			CU_ASSERT(!text_has(f->attempt.list[i], "1024-65535") ||
				  text_has(f->attempt.list[i], "ip_local_reserved_ports"));
		if (f->cause != CAUSE_FIN_WAIT_ORPHANS)
			CU_ASSERT(!lines_have(&f->attempt, "tcp_fin_timeout"));
		if (f->cause != CAUSE_FD_LIMIT)
			CU_ASSERT(!lines_have(&f->attempt, "ulimit"));
	}
	trial_close(&t);
}

static void a_wide_range_is_not_to_be_widened(void)
{
	struct trial t;
	const struct finding *f;

	trial_open(&t, "network: {ports: 1024-65535}");
	trial_exhaust(&t, 64512);
	t.tape.tally.closed = 64512;
	trial_dump(&t, 64512)->states[STATE_TIME_WAIT] = 64512;
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(!lines_have(&f->attempt, "widen"));
	trial_close(&t);
}

static const struct test tests[] = {
	TEST(holders_of_the_ports_are_the_cause),
	TEST(look_alikes_say_that_they_are_not_exhaustion),
	TEST(without_failures_there_is_no_cause),
	TEST(an_unconfirmed_refusal_has_no_cause),
	TEST(what_explains_most_failures_comes_first),
	TEST(the_arithmetic_is_in_the_texts),
	TEST(harmful_advice_is_never_given),
	TEST(a_wide_range_is_not_to_be_widened),
	TESTS_END,
};

const struct suite suite_cause = {"cause", tests};
