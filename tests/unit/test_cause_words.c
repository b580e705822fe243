/* What a cause's words say: who holds the ports, how many of them, and with which arithmetic. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "judge/cause.h"
#include "suites.h"
#include "trial.h"

#define SMALL "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"

static bool text_ends(struct text t, const char *end)
{
	size_t len = strlen(end);

	return t.len >= len && memcmp(t.s + t.len - len, end, len) == 0;
}

/* 400 of 2,000 ports in use saturate nothing, whatever holds the others. */
static void live_connections_beside_others_are_no_cause_of_their_own(void)
{
#define WIDE "network: {ports: 40000-40999, servers: 2, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
	static const struct {
		const char *lines;
		uint64_t leaked, open, waiting;
		enum cause first;
		size_t causes;
		const char *more;
	} rows[] = {
		{WIDE "load: {rate: 400/s, hold: 1s}", 0, 400, 1600, CAUSE_TIME_WAIT_CHURN, 1,
		 " 400 more connections were in use."},
		{WIDE "load: {rate: 500/s, hold: 1s, end: leak}", 1500, 500, 0, CAUSE_LEAK, 1,
		 " 500 more connections were in use."},
		{WIDE "load: {concurrency: 400, hold: 1s}", 0, 400, 1600, CAUSE_TIME_WAIT_CHURN, 1,
		 " 400 more connections were in use."},
		{WIDE "load: {rate: 400/s, hold: 100ms}", 0, 40, 1960, CAUSE_TIME_WAIT_CHURN, 1,
		 "400/s."},
		{WIDE "load: {rate: 2k/s, hold: 1s}", 0, 1000, 1000, CAUSE_TIME_WAIT_CHURN, 2,
		 "2,000/s."}, /* the load asks for 2,000 at once: it would run out without TIME_WAIT */
		{WIDE "load: {rate: 400/s, hold: 1s}", 0, 1990, 10, CAUSE_LIVE_SATURATION, 1,
		 "come to 400 connections at once."},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;
		struct sample *s;

		trial_open(&t, rows[i].lines);
		trial_exhaust(&t, 2000);
		t.tape.tally.leaked = rows[i].leaked;
		t.tape.tally.closed = rows[i].waiting;
		s = trial_dump(&t, 1000);
		s->states[STATE_ESTABLISHED] = rows[i].leaked + rows[i].open;
		s->states[STATE_TIME_WAIT] = rows[i].waiting;
		trial_judge(&t);
		CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, rows[i].causes);
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause, rows[i].first);
		if (!text_ends(t.verdict.causes[0].why, rows[i].more))
			printf("row %zu: " TEXT_FMT "\n", i, TEXT_ARG(t.verdict.causes[0].why));
		CU_ASSERT(text_ends(t.verdict.causes[0].why, rows[i].more));
		trial_close(&t);
	}
}

/* The cause's words on ports that `states` of the fullest dump hold, each by one connection. */
static const struct finding *one_of(struct trial *t, const char *lines, int state, uint64_t closed,
				    enum cause cause)
{
	const struct finding *f;

	trial_open(t, lines);
	trial_exhaust(t, 1);
	t->tape.tally.leaked = closed ? 0 : 1;
	t->tape.tally.closed = closed;
	trial_dump(t, 1)->states[state] = 1;
	trial_judge(t);
	f = trial_cause(t, cause);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	return f;
}

static void one_is_not_told_as_many(void)
{
#define ONE "network: {ports: 40000-40000, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
	static const struct {
		const char *lines;
		int state;
		uint64_t closed;
		enum cause cause;
		const char *why, *attempt;
	} rows[] = {
		{ONE "load: {end: leak}", STATE_ESTABLISHED, 0, CAUSE_LEAK,
		 "1 connection was opened, and was not closed. Each keeps its port until it is "
		 "closed or its program ends: the 1 port to one destination is used up for good.",
		 "a pool with a limit to one destination"},
		{ONE, STATE_TIME_WAIT, 1, CAUSE_TIME_WAIT_CHURN,
		 "The client closed 1 connection, and it keeps its port for 60 s more (TIME_WAIT). "
		 "1 port / 60 s",
		 "adds 1 port,"},
		{ONE "server: {behaviour: never-accept}", STATE_FIN_WAIT2, 1,
		 CAUSE_FIN_WAIT_ORPHANS, "1 in FIN_WAIT2 keeps its port for", "adds 1 port"},
		{ONE "server: {behaviour: drop}", STATE_SYN_SENT, 1, CAUSE_BLACKHOLE,
		 "1 connect had no answer yet, and keeps its port until it gives up (SYN_SENT), "
		 "here after 2 s. There is 1 port to one destination.",
		 "tcp_syn_retries=1"},
		{ONE "load: {hold: 5s}", STATE_ESTABLISHED, 1, CAUSE_LIVE_SATURATION,
		 "1 connection was in use at once, and there is 1 port to one destination. None is "
		 "in TIME_WAIT",
		 "adds 1 port"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;
		const struct finding *f =
			one_of(&t, rows[i].lines, rows[i].state, rows[i].closed, rows[i].cause);

		CU_ASSERT(row_says(i, f->why, rows[i].why));
		CU_ASSERT(lines_have(&f->attempt, rows[i].attempt));
		trial_close(&t);
	}
}

/* What the churn's words are for so many closed, of which so many wait. */
static void who_waits_is_told_by_what_was_seen(void)
{
	static const struct {
		const char *lines;
		uint64_t closed, waiting;
		uint64_t by_then; /* closed when the dump was taken; 0: its books are empty */
		const char *why;
	} rows[] = {
		{SMALL, 64, 32, 32,
		 "After 0 us, when most ports were in use, the client had closed 32 connections, "
		 "and each"},
		{SMALL, 64, 32, 39,
		 "After 0 us, when most ports were in use, of 39 closed connections 32 are in "
		 "TIME_WAIT"},
		{SMALL, 32, 32, 0,
		 "The client closed 32 connections, and each keeps its port for 60 s more "
		 "(TIME_WAIT). 32"},
		{SMALL, 39, 32, 0,
		 "Of 39 closed connections 32 are in TIME_WAIT, and each keeps its port for 60 s "
		 "more. 32"},
		{"network: {ports: 40000-40031, time_wait: 6s}\n", 32, 32, 0,
		 "each keeps its port for 6 s more (TIME_WAIT). 32 ports / 6 s = 5.33/s is"},
		{"network: {ports: 40000-40031, time_wait: 6s}\n", 32, 32, 0,
		 " network.time_wait made it 6 s here: outside it is 60 s, and the rate 0.533/s; "
		 "what to try is reckoned with that."},
		{"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 1}}\n", 32, 32, 0,
		 "and the port of each can be taken again after 1 s (TIME_WAIT). 32 ports / 1 s"},
		{"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 1}}\n", 39, 32, 0,
		 "32 are in TIME_WAIT, and the port of each can be taken again after 1 s. 32"},
		{"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0, "
		 "net.ipv4.tcp_max_tw_buckets: 20}}\nload: {hold: 1s}",
		 20, 20, 0, "60 s more (TIME_WAIT). No more than 20 wait (tcp_max_tw_buckets)."},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;
		struct sample *s;
		const struct finding *f;

		trial_open(&t, rows[i].lines);
		trial_exhaust(&t, rows[i].closed);
		t.tape.tally.closed = rows[i].closed;
		s = trial_dump(&t, 32);
		s->states[STATE_TIME_WAIT] = rows[i].waiting;
		s->opened = rows[i].by_then;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(row_says(i, f->why, rows[i].why));
		trial_close(&t);
	}
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
		 {"64,512 ports, 2,016 times as many, 1,075/s (enough);", "adds 32 ports, 0.533/s",
		  "1 s in TIME_WAIT, 32/s (not enough alone);"}},
		{SMALL "load: {rate: 200/s, hold: 4s}",
		 {"32 ports / (4 s open + 60 s) = 0.5/s", "", ""},
		 {"1 s in TIME_WAIT, 6.4/s", "", ""}},
		{"network: {ports: 40000-40031, servers: 2, services: 2, sources: 3}\nload: {rate: "
		 "200/s}",
		 {"0.533/s", "each of 4 destinations, from each of 3 addresses", "6.4/s in all"},
		 {"", "", ""}},
		{"network: {ports: 40000-40031, servers: 3}\nload: {rate: 200/s, bind: address}",
		 {"32 ports / 60 s = 0.533/s", "to all destinations together; this load asks", ""},
		 {"1,075/s (enough);",
		  "each further source address that sockets are bound to adds "
		  "32 ports, 0.533/s",
		  ""}},
		{"network: {ports: 40000-40031, servers: 3, sources: 2}\nload: {rate: 200/s, bind: "
		 "address}",
		 {"0.533/s is all", "from each of 2 addresses, 1.07/s in all", ""},
		 {"2,150/s (enough);", "", ""}},
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

		trial_churned(&t, rows[i].lines);
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

static const struct test tests[] = {
	TEST(live_connections_beside_others_are_no_cause_of_their_own),
	TEST(one_is_not_told_as_many),
	TEST(who_waits_is_told_by_what_was_seen),
	TEST(the_arithmetic_is_in_the_texts),
	TESTS_END,
};

const struct suite suite_cause_words = {"cause: words", tests};
