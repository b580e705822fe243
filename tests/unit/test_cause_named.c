/* Ports that the program names itself, and ranges that are small: what is said of them, and where it is
 * not. */
#include <errno.h>
#include <stdio.h>

#include "advice_check.h"
#include "suites.h"
#include "trial.h"

#define FEW \
	"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0, " \
	"net.ipv4.ip_unprivileged_port_start: 600}}\n"

/* By the call that fails, the errno, and, where ports are shared, that the very connection exists. */
static void a_port_of_ones_own_is_told_by_the_call_that_fails(void)
{
	static const struct {
		const char *load;
		enum stage stage;
		int error;
		uint64_t failed;
		bool taken;
		enum cause cause, never; /* CAUSE_NO_DATA: none */
		const char *why;
	} rows[] = {
		{"bind: port 41000", STAGE_BIND, EADDRINUSE, 3, false, CAUSE_FIXED_PORT,
		 CAUSE_DIAL_FROM_LISTEN,
		 "The program names the ports itself: 1 port, each for one connection, to "
		 "whichever destination. bind() failed 3 times with EADDRINUSE (Address already in "
		 "use). A closed one keeps its port in TIME_WAIT, too: 1 port / 60 s = 0.0167/s is "
		 "all "
		 "that can go on for ever."},
		{"bind: port 41000", STAGE_BIND, EADDRINUSE, 0, false, CAUSE_NO_DATA,
		 CAUSE_FIXED_PORT, ""},
		{"bind: port 41000", STAGE_BIND, EACCES, 3, false, CAUSE_NO_DATA, CAUSE_FIXED_PORT,
		 ""},
		{"bind: address", STAGE_BIND, EADDRINUSE, 3, false, CAUSE_NO_DATA, CAUSE_FIXED_PORT,
		 ""},
		{"bind: ports 41000-41007, options: {reuseaddr: true}", STAGE_CONNECT,
		 EADDRNOTAVAIL, 2, true, CAUSE_FIXED_PORT, CAUSE_DIAL_FROM_LISTEN,
		 "8 ports, for one connection to a destination each. connect() failed 2 times with "
		 "EADDRNOTAVAIL (Cannot assign requested address). That very connection, between "
		 "these two addresses and ports, exists already."},
		{"bind: port 41000, options: {reuseaddr: true}, rate: 50/s, hold: 100ms, end: "
		 "reset",
		 STAGE_CONNECT, EADDRNOTAVAIL, 2, true, CAUSE_FIXED_PORT, CAUSE_DIAL_FROM_LISTEN,
		 "exists already. Each is open for 0.1 s, so that 50/s want 5 at once."},
		{"bind: ports 41000-41004, rate: 50/s, hold: 100ms", STAGE_BIND, EADDRINUSE, 2,
		 false, CAUSE_FIXED_PORT, CAUSE_DIAL_FROM_LISTEN,
		 "5 ports, each for one connection, to whichever destination. bind() failed 2 "
		 "times with EADDRINUSE (Address already in use). A closed one keeps its port in "
		 "TIME_WAIT, too: 5 ports / (0.1 s open + 60 s) = 0.0832/s is all that can go on "
		 "for "
		 "ever.\n"},
		{"bind: ports 41000-41007, options: {reuseaddr: true}", STAGE_CONNECT,
		 EADDRNOTAVAIL, 2, false, CAUSE_NO_DATA, CAUSE_FIXED_PORT, ""},
		{"bind: port 41000, options: {reuseport: true}", STAGE_CONNECT, EADDRNOTAVAIL, 2,
		 true, CAUSE_DIAL_FROM_LISTEN, CAUSE_FIXED_PORT,
		 "connect() failed 2 times with EADDRNOTAVAIL (Cannot assign requested address). "
		 "The range was hardly touched, 3 of 32 ports."},
		{"bind: port 41000, options: {reuseport: true}", STAGE_CONNECT, EADDRNOTAVAIL, 2,
		 false, CAUSE_NO_DATA, CAUSE_DIAL_FROM_LISTEN, ""},
		{"bind: address, options: {reuseport: true}", STAGE_CONNECT, EADDRNOTAVAIL, 2, true,
		 CAUSE_NO_DATA, CAUSE_DIAL_FROM_LISTEN, ""},
		{"bind: ports 1018-1023", STAGE_BIND, EADDRINUSE, 2, false, CAUSE_RESERVED_SOURCE,
		 CAUSE_FIXED_PORT,
		 "The program binds source ports 1018-1023, 6 ports, each for one connection and "
		 "its TIME_WAIT: 0.1/s go on for ever. bind() failed 2 times"},
		{"bind: ports 1018-1024", STAGE_BIND, EADDRINUSE, 2, false, CAUSE_FIXED_PORT,
		 CAUSE_RESERVED_SOURCE, "7 ports"},
		{"bind: ports 1018-1023", STAGE_BIND, EADDRINUSE, 0, false, CAUSE_NO_DATA,
		 CAUSE_RESERVED_SOURCE, ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct text why;
		struct trial t;
		char lines[200];

		snprintf(lines, sizeof(lines), FEW "load: {%s}", rows[i].load);
		trial_open(&t, lines);
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = 3;
		trial_fail(&t, rows[i].stage, rows[i].error, rows[i].failed);
		trial_dump(&t, 3)->states[STATE_TIME_WAIT] = 3;
		if (rows[i].taken)
			tape_event(&t.tape, (struct event){.kind = EVENT_TUPLE_TAKEN});
		trial_judge(&t);
		f = trial_cause(&t, rows[i].cause);
		CU_ASSERT_PTR_NULL(trial_cause(&t, rows[i].never));
		why = f ? text_format(&t.arena, TEXT_FMT "\n", TEXT_ARG(f->why)) : TEXT("none");
		if (rows[i].cause != CAUSE_NO_DATA && !text_has(why, rows[i].why))
			printf("row %zu: " TEXT_FMT "\n", i, TEXT_ARG(why));
		CU_ASSERT(rows[i].cause == CAUSE_NO_DATA || text_has(why, rows[i].why));
		trial_close(&t);
	}
}

static void a_range_that_nobody_dumped_was_not_touched(void)
{
	const struct finding *f;
	struct trial t;

	trial_open(&t, FEW "load: {bind: port 41000, options: {reuseport: true}}");
	trial_fail(&t, STAGE_CONNECT, EADDRNOTAVAIL, 2);
	tape_event(&t.tape, (struct event){.kind = EVENT_TUPLE_TAKEN});
	trial_judge(&t);
	f = trial_cause(&t, CAUSE_DIAL_FROM_LISTEN);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "hardly touched, 0 of 32 ports"));
	trial_close(&t);
}

/* What is done already is not advised. */
static void a_port_of_ones_own_has_its_ways_out(void)
{
	static const struct {
		const char *load;
		int error;
		bool reuse, several;
	} rows[] = {
		{"bind: port 41000", EADDRINUSE, true, true},
		{"bind: ports 41000-41003", EADDRINUSE, true, false},
		{"bind: port 41000, options: {reuseaddr: true}", EADDRNOTAVAIL, false, true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool shares = rows[i].error == EADDRNOTAVAIL;
		const struct finding *f;
		struct trial t;
		char lines[200];

		snprintf(lines, sizeof(lines), FEW "load: {%s}", rows[i].load);
		trial_open(&t, lines);
		trial_fail(&t, shares ? STAGE_CONNECT : STAGE_BIND, rows[i].error, 1);
		tape_event(&t.tape, (struct event){.kind = EVENT_TUPLE_TAKEN});
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_FIXED_PORT);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(lines_have(&f->attempt, "there are 32 ports to each destination"));
		CU_ASSERT_EQUAL(lines_have(&f->attempt, "set SO_REUSEADDR"), rows[i].reuse);
		CU_ASSERT_EQUAL(lines_have(&f->attempt, "name several"), rows[i].several);
		advice_check(f);
		trial_close(&t);
	}
}

/* What keeps the port is said as it is: of one that is never closed nothing is in TIME_WAIT. */
static void what_keeps_a_port_of_ones_own_is_told(void)
{
	static const struct {
		const char *bind;
		uint64_t closed, leaked, reset;
		const char *why, *cure;
		bool reuse, far_first;
	} rows[] = {
		{"port 41000", 1, 0, 0, "keeps its port in TIME_WAIT", "within TIME_WAIT", true,
		 false},
		{"port 41000", 1, 0, 0, "until it ends", "as connections at once", false, true},
		{"port 41000", 1, 1, 0, "keeps its port in TIME_WAIT", "within TIME_WAIT", true,
		 false},
		{"port 41000", 0, 1, 0, "None was closed", "close each connection", false, false},
		{"ports 41000-41003", 0, 4, 0, "None was closed", "close each connection", false,
		 false},
		{"port 41000", 0, 0, 2, "until it ends", "as connections at once", false, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;
		char lines[200];

		snprintf(lines, sizeof(lines), FEW "load: {bind: %s}", rows[i].bind);
		trial_open(&t, lines);
		t.tape.tally.closed = rows[i].closed;
		t.tape.tally.leaked = rows[i].leaked;
		t.tape.tally.reset = rows[i].reset;
		t.tape.tally.opened = rows[i].closed + rows[i].leaked + rows[i].reset;
		trial_fail(&t, STAGE_BIND, EADDRINUSE, 9);
		if (rows[i].far_first)
			trial_dump(&t, 1);
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_FIXED_PORT);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(text_has(f->why, rows[i].why));
		CU_ASSERT(lines_have(&f->attempt, rows[i].cure));
		CU_ASSERT_EQUAL(lines_have(&f->attempt, "set SO_REUSEADDR"), rows[i].reuse);
		trial_close(&t);
	}
}

/* A port of the range, whose connections are reset at once, is another's by then; one outside of it is not. */
static void a_port_that_another_load_has_is_to_be_reserved(void)
{
	static const struct {
		const char *tiny;
		uint64_t open_peak;
		bool others;
	} rows[] = {
		{"bind: port 40010, end: reset", 1, true},
		{"bind: ports 40008-40011, end: reset", 1, true},
		{"bind: port 40010, end: reset, hold: 1s", 1, false},
		{"bind: ports 40008-40011, end: reset, hold: 1s", 3, true},
		{"bind: ports 40008-40011, end: reset, hold: 1s", 4, false},
		{"bind: port 40032, end: reset", 1, false},
		{"bind: port 39999, end: reset", 1, false},
		{"bind: port 40031, end: reset", 1, true},
		{"bind: port 40000, end: reset", 1, true},
		{"bind: port 40016, end: reset", 1, false}, /* which is reserved */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;
		char lines[200];

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031, reserved: [40016]}\n"
			 "loads: {tiny: {%s}, big: {rate: 40/s, end: leak}}",
			 rows[i].tiny);
		trial_open(&t, lines);
		t.tape.loads = ARENA_ARRAY(&t.arena, struct tape, 2);
		t.tape.load_count = 2;
		t.tape.loads[0].tally = (struct tally){.opened = 4, .reset = 4, .failed = 3};
		t.tape.loads[0].tally.errors[STAGE_BIND][EADDRINUSE] = 3;
		t.tape.loads[0].load = TEXT("tiny");
		t.tape.loads[0].open_peak = rows[i].open_peak;
		t.tape.loads[1].tally = (struct tally){.opened = 31, .leaked = 31};
		t.tape.tally.leaked = 31;
		t.tape.tally.reset = 4;
		trial_fail(&t, STAGE_BIND, EADDRINUSE, 3);
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_FIXED_PORT);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT_EQUAL(text_has(f->why, "connect() of another load has taken"),
				rows[i].others);
		CU_ASSERT_EQUAL(text_has(f->why, "Of the others' connections 31 were never closed"),
				rows[i].others);
		CU_ASSERT_EQUAL(lines_have(&f->attempt, "close each connection of the other loads"),
				rows[i].others);
		CU_ASSERT_EQUAL(lines_have(&f->attempt, "ip_local_reserved_ports"), rows[i].others);
		CU_ASSERT(text_has(f->why, "tiny names the ports itself"));
		CU_ASSERT(rows[i].others || !lines_have(&f->attempt, "name some"));
		trial_close(&t);
	}
}

/* An eighth of what is held, or more. */
static void reserved_ports_are_told_from_an_eighth_on(void)
{
	static const struct {
		const char *reserved, *load;
		uint64_t opened;
		const char *why; /* NULL: not told */
	} rows[] = {
		{"40000-40015", "end: leak", 16,
		 "has 16 of the 32 ports of 40000-40031, and connect() takes none of them: 16 "
		 "ports are left to one destination. A tool that goes by the range alone says that "
		 "50 % of it are in use."},
		{"40000-40003", "end: leak", 28, "28 ports are left to one destination. A tool"},
		{"40000-40003", "end: leak", 28, "says that 87.5 % of it"},
		{"40000-40002", "end: leak", 29, NULL},
		{"40000-40030", "end: leak", 1, "1 port is left to one destination. A tool"},
		{"40000-40015", "bind: ports 40000-40015, end: leak", 16, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;
		char lines[200];

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031, reserved: [%s]}\nload: {%s}",
			 rows[i].reserved, rows[i].load);
		trial_open(&t, lines);
		trial_exhaust(&t, rows[i].opened);
		t.tape.tally.leaked = rows[i].opened;
		trial_dump(&t, rows[i].opened)->states[STATE_ESTABLISHED] = rows[i].opened;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_RESERVED_PORTS);
		CU_ASSERT_EQUAL(f != NULL, rows[i].why != NULL);
		if (f && !text_has(f->why, rows[i].why))
			printf("row %zu: " TEXT_FMT "\n", i, TEXT_ARG(f->why));
		CU_ASSERT(!f || text_has(f->why, rows[i].why));
		CU_ASSERT(!f || rows[i].opened < 16 || lines_have(&f->attempt, "widen"));
		trial_close(&t);
	}
}

/* Where the host's range would have done, and is a twentieth wider than the kernel's, or more. */
static void a_containers_range_is_told_where_the_hosts_would_do(void)
{
	static const struct {
		const char *ports, *load;
		struct port_range host;
		uint64_t leaked, closed;
		bool refused, told;
	} rows[] = {
		{"32768-60999", "concurrency: 30000", {1024, 65535}, 0, 0, true, true},
		{"32768-60999", "concurrency: 30000", {1024, 65535}, 0, 0, false, false},
		{"32768-60999", "concurrency: 30000", {32768, 60999}, 0, 0, true, false},
		{"32768-60999", "concurrency: 29000", {1024, 30666}, 0, 0, true, true},
		{"32768-60999", "concurrency: 29000", {1024, 30665}, 0, 0, true, false},
		{"32767-60999", "concurrency: 30000", {1024, 65535}, 0, 0, true, false},
		{"32768-60998", "concurrency: 30000", {1024, 65535}, 0, 0, true, false},
		{"32768-60999", "concurrency: 64512", {1024, 65535}, 0, 0, true, true},
		{"32768-60999", "concurrency: 64513", {1024, 65535}, 0, 0, true, false},
		{"32768-60999", "concurrency: 30000", {1024, 65535}, 1, 0, true, false},
		{"32768-60999", "concurrency: 30000", {1024, 65535}, 0, 1, true, false},
		{"32768-60999", "rate: 1075/s", {1024, 65535}, 0, 1, true, true},
		{"32768-60999", "rate: 1076/s", {1024, 65535}, 0, 1, true, false},
		{"32768-60999", "rate: 1k/s, hold: 5s", {1024, 65535}, 0, 1, true, false},
		{"32768-60999",
		 "rate: 1k/s, hold: 5s, bind: ports 2000-2999",
		 {1024, 65535},
		 0,
		 1,
		 true,
		 false},
		{"32768-60999",
		 "concurrency: 30000, bind: ports 2000-2999",
		 {1024, 65535},
		 0,
		 0,
		 true,
		 false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;
		char lines[200];

		snprintf(lines, sizeof(lines), "network: {ports: %s}\nload: {%s}", rows[i].ports,
			 rows[i].load);
		trial_open(&t, lines);
		t.host.ports = rows[i].host;
		if (rows[i].refused)
			trial_exhaust(&t, 28232);
		t.tape.tally.leaked = rows[i].leaked;
		t.tape.tally.closed = rows[i].closed;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_CONTAINER_RANGE);
		if ((f != NULL) != rows[i].told)
			printf("row %zu\n", i);
		CU_ASSERT_EQUAL(f != NULL, rows[i].told);
		CU_ASSERT(!f || text_has(f->why, "and this network namespace has 32768-60999"));
		trial_close(&t);
	}
}

static const struct test tests[] = {
	TEST(a_port_of_ones_own_is_told_by_the_call_that_fails),
	TEST(a_range_that_nobody_dumped_was_not_touched),
	TEST(a_port_of_ones_own_has_its_ways_out),
	TEST(what_keeps_a_port_of_ones_own_is_told),
	TEST(a_port_that_another_load_has_is_to_be_reserved),
	TEST(reserved_ports_are_told_from_an_eighth_on),
	TEST(a_containers_range_is_told_where_the_hosts_would_do),
	TESTS_END,
};

const struct suite suite_cause_named = {"cause: named ports", tests};
