/* A server that cannot have its port: who has it, told by whose it is and by what the loads name. */
#include <errno.h>
#include <stdio.h>

#include "suites.h"
#include "trial.h"

#define WIDE "network: {ports: 1024-65535}\n"
#define FEW "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
#define DEAD "server: {die: 300ms}\n"
#define LOCAL(more) "network: {topology: loopback, ports: 40000-40031" more "}\n"

/* Loads of the names a, b, c, of which b and c were refused a bind() so often; of the sockets so many
 * wait, and the others are open. */
static void refusals_judge(struct trial *t, const char *lines, uint64_t b, uint64_t c,
			   uint64_t waiting)
{
	static const char *const names[] = {"a", "b", "c"};
	const uint64_t refused[] = {0, b, c};
	struct sample *s;

	trial_open(t, lines);
	t->tape.loads = ARENA_ARRAY(&t->arena, struct tape, 3);
	t->tape.load_count = t->plan.load_count;
	for (size_t i = 0; i < t->tape.load_count; i++) {
		t->tape.loads[i].load = text_of(names[i]);
		t->tape.loads[i].tally.failed = refused[i];
		t->tape.loads[i].tally.errors[STAGE_BIND][EADDRINUSE] = refused[i];
	}
	t->tape.tally.attempted = t->tape.tally.opened = t->tape.tally.closed = 32;
	trial_fail(t, STAGE_BIND, EADDRINUSE, b + c);
	s = trial_dump(t, 32);
	s->states[STATE_TIME_WAIT] = waiting;
	s->states[STATE_ESTABLISHED] = 32 - waiting;
	trial_judge(t);
}

static const struct {
	const char *network, *b, *c;
	uint64_t refused_b, refused_c, waiting;
	enum cause cause; /* CAUSE_NO_DATA: none of this family */
	const char *why;
} starts[] = {
	{FEW, "bind: port 40005", NULL, 1, 0, 0, CAUSE_LISTENER_IN_RANGE,
	 "b wanted port 40005, and bind() failed 1 time with EADDRINUSE: a connection of the "
	 "client's own has it, for connect() may take any of 40000-40031."},
	{FEW, "bind: port 40000", NULL, 1, 0, 0, CAUSE_LISTENER_IN_RANGE, "port 40000"},
	{FEW, "bind: port 40031", NULL, 1, 0, 0, CAUSE_LISTENER_IN_RANGE, "port 40031"},
	{FEW, "bind: port 40005", NULL, 0, 0, 0, CAUSE_NO_DATA, ""},
	{FEW, "bind: address", NULL, 1, 0, 0, CAUSE_NO_DATA, ""},
	{FEW, "bind: port 41000", NULL, 1, 0, 0, CAUSE_NO_DATA, ""},
	{FEW, "bind: ports 40030-40032", NULL, 1, 0, 0, CAUSE_NO_DATA, ""},
	{FEW, "bind: ports 39999-40001", NULL, 1, 0, 0, CAUSE_NO_DATA, ""},
	/* Of two that pick, one was lucky. */
	{FEW, "bind: port 40005", "bind: port 40006", 1, 0, 0, CAUSE_TEST_PORT_PICKING,
	 "2 ports were picked in 40000-40031, where connect() takes its own, and 1 of them was "
	 "somebody's"},
	{FEW, "bind: port 40005", "bind: port 40006", 0, 1, 0, CAUSE_TEST_PORT_PICKING,
	 "1 of them was"},
	{FEW, "bind: port 40005", "bind: port 40006", 1, 1, 0, CAUSE_LISTENER_IN_RANGE, ""},
	{FEW, "bind: port 40005", "bind: port 40006", 0, 0, 0, CAUSE_NO_DATA, ""},
	{FEW, "bind: port 40005", "bind: port 41000", 1, 0, 0, CAUSE_LISTENER_IN_RANGE, ""},
	{FEW, "bind: port 40005", "bind: address", 1, 0, 0, CAUSE_LISTENER_IN_RANGE, ""},
	{FEW, "bind: port 41000", "bind: port 40006", 1, 1, 0, CAUSE_LISTENER_IN_RANGE,
	 "c wanted port 40006"},
	/* Most of the sockets wait, and the server has the option. */
	{FEW, "bind: port 40005, options: {reuseaddr: true}", NULL, 1, 0, 17,
	 CAUSE_FOREIGN_TIME_WAIT, "with SO_REUSEADDR set"},
	{FEW, "bind: port 40005, options: {reuseaddr: true}", NULL, 1, 0, 16,
	 CAUSE_LISTENER_IN_RANGE, ""},
	{FEW, "bind: port 40005", NULL, 1, 0, 32, CAUSE_LISTENER_IN_RANGE, ""},
	{FEW, "bind: port 40005, options: {reuseaddr: true}", NULL, 0, 0, 32, CAUSE_NO_DATA, ""},
	/* Outside of the kernel's range, and inside of a wider one. */
	{WIDE, "bind: port 2000", NULL, 1, 0, 0, CAUSE_WIDENED_RANGE,
	 "widened to 1024-65535, over a port that is outside of the kernel's 32768-60999"},
	{WIDE, "bind: port 32767", NULL, 1, 0, 0, CAUSE_WIDENED_RANGE, ""},
	{WIDE, "bind: port 32768", NULL, 1, 0, 0, CAUSE_LISTENER_IN_RANGE, ""},
	{WIDE, "bind: port 60999", NULL, 1, 0, 0, CAUSE_LISTENER_IN_RANGE, ""},
	{WIDE, "bind: port 61000", NULL, 1, 0, 0, CAUSE_WIDENED_RANGE, ""},
	{"network: {ports: 32769-65535}\n", "bind: port 61000", NULL, 1, 0, 0,
	 CAUSE_LISTENER_IN_RANGE, ""},
	/* Its own port, where it has served. */
	{LOCAL("") DEAD, "start: 500ms, bind: port 7000", NULL, 1, 0, 0, CAUSE_SERVER_RESTART,
	 "for 60 s, and without SO_REUSEADDR bind() minds them."},
	{LOCAL("") DEAD, "start: 300ms, bind: port 7000, options: {reuseaddr: true}", NULL, 1, 0, 0,
	 CAUSE_SERVER_RESTART, "in TIME_WAIT at its port, for 60 s."},
	{LOCAL("") DEAD, "start: 500ms, bind: port 7001", NULL, 1, 0, 0, CAUSE_NO_DATA, ""},
	{LOCAL(", services: 2") DEAD, "start: 500ms, bind: port 7001", NULL, 1, 0, 0,
	 CAUSE_SERVER_RESTART, ""},
	{LOCAL("") DEAD, "start: 500ms, bind: port 7000", NULL, 0, 0, 0, CAUSE_NO_DATA, ""},
	/* And where it serves still. */
	{LOCAL("") DEAD, "start: 299ms, bind: port 7000", NULL, 1, 0, 0, CAUSE_FIXED_PORT,
	 "b names the ports itself: 1 port, each for one connection, to whichever destination. "
	 "bind() failed 1 time with EADDRINUSE (Address already in use). Another socket has it"},
	{LOCAL(""), "bind: port 7000", NULL, 1, 0, 32, CAUSE_FIXED_PORT, "Another socket has it"},
	{LOCAL(""), "bind: port 7000, options: {reuseaddr: true}", NULL, 1, 0, 32, CAUSE_FIXED_PORT,
	 "Another socket has it"},
	{LOCAL(", services: 2"), "bind: ports 7000-7001", NULL, 1, 0, 0, CAUSE_FIXED_PORT,
	 "Others have them all"},
	{FEW "squat: {listen: [40005]}\n", "bind: port 40005", NULL, 1, 0, 0, CAUSE_FIXED_PORT,
	 "Another socket has it"},
	{FEW, "bind: port 7000", NULL, 1, 0, 0, CAUSE_NO_DATA, ""},
};

static const enum cause family[] = {CAUSE_LISTENER_IN_RANGE, CAUSE_WIDENED_RANGE,
				    CAUSE_TEST_PORT_PICKING, CAUSE_FOREIGN_TIME_WAIT,
				    CAUSE_SERVER_RESTART,    CAUSE_FIXED_PORT};

/* The one cause of them that is told, and none besides. */
static void a_server_without_its_port_is_told_why(void)
{
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		const struct finding *f;
		struct trial t;
		char lines[400];

		snprintf(lines, sizeof(lines), "%sloads:\n  a: {rate: 10/s}\n  b: {%s}\n%s%s%s",
			 starts[i].network, starts[i].b, starts[i].c ? "  c: {" : "",
			 starts[i].c ? starts[i].c : "", starts[i].c ? "}" : "");
		refusals_judge(&t, lines, starts[i].refused_b, starts[i].refused_c,
			       starts[i].waiting);
		for (size_t k = 0; k < sizeof(family) / sizeof(family[0]); k++) {
			f = trial_cause(&t, family[k]);
			if ((f != NULL) != (family[k] == starts[i].cause) ||
			    (f && !text_has(f->why, starts[i].why)))
				printf("row %zu, %s: " TEXT_FMT "\n", i, cause_name(family[k]),
				       TEXT_ARG(f ? f->why : TEXT("none")));
			CU_ASSERT_EQUAL(f != NULL, family[k] == starts[i].cause);
			CU_ASSERT(!f || text_has(f->why, starts[i].why));
		}
		trial_close(&t);
	}
}

/* Its own connection has the port: that is no server's race, whoever failed more often besides. */
static void a_load_that_had_all_its_ports_has_them_itself(void)
{
	static const struct {
		uint64_t opened, leak_failed;
		enum cause cause;
	} rows[] = {{0, 0, CAUSE_LISTENER_IN_RANGE},
		    {1, 0, CAUSE_LISTENER_IN_RANGE},
		    {2, 0, CAUSE_FIXED_PORT},
		    {2, 20, CAUSE_FIXED_PORT}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum cause other = rows[i].cause == CAUSE_FIXED_PORT ? CAUSE_LISTENER_IN_RANGE
								     : CAUSE_FIXED_PORT;
		struct trial t;

		refusals_judge(&t, FEW "loads:\n  a: {end: leak}\n  b: {bind: ports 40005-40006}",
			       3, 0, 0);
		t.tape.loads[0].tally.failed = rows[i].leak_failed;
		t.tape.loads[1].tally.opened = rows[i].opened;
		trial_fail(&t, STAGE_CONNECT, EADDRNOTAVAIL, rows[i].leak_failed);
		trial_judge(&t);
		CU_ASSERT_PTR_NOT_NULL(trial_cause(&t, rows[i].cause));
		CU_ASSERT_PTR_NULL(trial_cause(&t, other));
		trial_close(&t);
	}
}

/* What is in TIME_WAIT is no want of the range's, where a port of the program's choice alone was not to be
 * had. */
static void a_named_port_says_nothing_of_the_range(void)
{
	for (int connects_fail = 0; connects_fail < 2; connects_fail++) {
		struct trial t;

		refusals_judge(&t, FEW "loads:\n  a: {rate: 10/s}\n  b: {bind: port 50000}", 3, 0,
			       32);
		t.tape.loads[1].tally.opened = 1;
		t.tape.exhausted = true;
		if (connects_fail)
			trial_fail(&t, STAGE_CONNECT, EADDRNOTAVAIL, 1);
		trial_judge(&t);
		CU_ASSERT_PTR_NOT_NULL(trial_cause(&t, CAUSE_FIXED_PORT));
		CU_ASSERT_EQUAL(trial_cause(&t, CAUSE_TIME_WAIT_CHURN) != NULL, connects_fail);
		trial_close(&t);
	}
}

/* What most failed for is told first; and that the port was one of several is told of it. */
static void a_late_service_is_behind_what_more_failed_for(void)
{
	static const struct {
		uint64_t failed, refused;
		bool is_first;
		const char *why;
	} rows[] = {
		{0, 1, true, "`ss -tln` shows nobody."},
		{10, 3, false, "shows nobody. 2 more ports that it wanted were not available"},
		{2, 3, true, "shows nobody. 2 more ports that it wanted were not available"},
		{2, 2, false, "shows nobody. 1 more port that it wanted was not available either."},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;

		trial_open(&t, FEW "squat: {ports: [40004, 40006], listen: [40008], start: 300ms}\n"
				   "load: {rate: 60/s}");
		t.tape.exhausted = rows[i].failed > 0;
		trial_fail(&t, STAGE_CONNECT, EADDRNOTAVAIL, rows[i].failed);
		t.tape.tally.attempted += 32;
		t.tape.tally.opened = t.tape.tally.closed = 32;
		trial_dump(&t, 0);
		trial_dump(&t, 32)->states[STATE_TIME_WAIT] = 32;
		t.tape.squat_refused = rows[i].refused;
		tape_event(&t.tape, (struct event){.kind = EVENT_SQUAT_REFUSED,
						   .stage = STAGE_BIND,
						   .error = EADDRINUSE,
						   .value = 40008,
						   .t_ns = 300000000});
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_LISTENER_IN_RANGE);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT_EQUAL(f == &t.verdict.causes[0], rows[i].is_first);
		CU_ASSERT(f && text_has(f->why, rows[i].why));
		trial_close(&t);
	}
}

static void a_load_alone_is_no_server_beside_others(void)
{
	struct trial t;

	refusals_judge(&t, FEW "loads:\n  a: {bind: port 40005}", 0, 0, 0);
	t.tape.loads[0].tally.errors[STAGE_BIND][EADDRINUSE] = 3;
	trial_judge(&t);
	CU_ASSERT_PTR_NULL(trial_cause(&t, CAUSE_LISTENER_IN_RANGE));
	trial_close(&t);
}

/* By the port that squat could not have, if it is one of the range. */
static void a_service_that_started_late_is_told_by_its_port(void)
{
	static const struct {
		const char *load;
		enum event_kind kind;
		int error;
		int64_t port;
		const char *taker; /* NULL: not told */
	} rows[] = {
		{"end: leak", EVENT_SQUAT_REFUSED, EADDRINUSE, 40000, "connect()"},
		{"end: leak", EVENT_SQUAT_REFUSED, EADDRINUSE, 40031, "connect()"},
		{"end: leak", EVENT_SQUAT_REFUSED, EADDRINUSE, 39999, NULL},
		{"end: leak", EVENT_SQUAT_REFUSED, EADDRINUSE, 40032, NULL},
		{"end: leak", EVENT_SQUAT_REFUSED, EACCES, 40005, NULL},
		{"end: leak", EVENT_SERVER_DIED, EADDRINUSE, 40005, NULL},
		{"bind: address", EVENT_SQUAT_REFUSED, EADDRINUSE, 40005, "bind()"},
		{"bind: port 41000", EVENT_SQUAT_REFUSED, EADDRINUSE, 40005, "bind()"},
		{"bind: address-no-port", EVENT_SQUAT_REFUSED, EADDRINUSE, 40005, "connect()"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;
		char lines[200];

		snprintf(lines, sizeof(lines), FEW "load: {%s}", rows[i].load);
		trial_open(&t, lines);
		t.tape.squat_refused = 1;
		tape_event(&t.tape, (struct event){.kind = rows[i].kind,
						   .error = rows[i].error,
						   .stage = STAGE_BIND,
						   .value = rows[i].port,
						   .t_ns = 1000000000});
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_LISTENER_IN_RANGE);
		CU_ASSERT_EQUAL(f != NULL, rows[i].taker != NULL);
		CU_ASSERT(!f || text_has(f->why, "after 1 s, and bind() failed with EADDRINUSE"));
		CU_ASSERT(!f || text_has(f->why, text_format(&t.arena,
							     "for %s may take any of "
							     "40000-40031",
							     rows[i].taker)
							 .s));
		trial_close(&t);
	}
}

static const struct test tests[] = {
	TEST(a_server_without_its_port_is_told_why),
	TEST(a_load_that_had_all_its_ports_has_them_itself),
	TEST(a_named_port_says_nothing_of_the_range),
	TEST(a_late_service_is_behind_what_more_failed_for),
	TEST(a_load_alone_is_no_server_beside_others),
	TEST(a_service_that_started_late_is_told_by_its_port),
	TESTS_END,
};

const struct suite suite_cause_start = {"cause: servers that start", tests};
