/* Ports that are held without being in use by connect() alone: bound, inherited, squatted. */
#include <errno.h>
#include <stdio.h>

#include "judge/cause.h"
#include "suites.h"
#include "trial.h"

#define SMALL "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"

static void what_a_child_keeps_open_is_its_own_cause(void)
{
	const struct finding *f;
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40031}\nload: {end: inherit}");
	trial_exhaust(&t, 32);
	t.tape.tally.inherited = 32;
	trial_dump(&t, 32)->states[STATE_ESTABLISHED] = 32;
	trial_judge(&t);
	CU_ASSERT_EQUAL(t.verdict.cause_count, 1);
	f = trial_cause(&t, CAUSE_INHERITED_FD);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "closed 32 connections whose descriptor another process had"));
	CU_ASSERT(lines_have(&f->attempt, "SOCK_CLOEXEC"));
	trial_close(&t);
}

/* What bind() takes, it takes from every destination: half of what two could have. */
static void bind_before_connect_is_told_with_what_connect_would_do(void)
{
	const struct finding *f;
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40031, services: 2}\n"
		       "load: {bind: address, end: leak}");
	trial_exhaust(&t, 32);
	t.tape.tally.leaked = 32;
	trial_fail(&t, STAGE_BIND, EADDRINUSE, 2);
	trial_dump(&t, 16)->states[STATE_ESTABLISHED] = 32;
	trial_judge(&t);
	f = &t.verdict.causes[0];
	CU_ASSERT_EQUAL_FATAL(f->cause, CAUSE_BIND_FIRST);
	CU_ASSERT(text_has(f->why,
			   "32 ports carry 32 connections in all. Were connect() to choose, "
			   "each of 2 destinations would have them: 64. bind() failed 2 times "
			   "with EADDRINUSE"));
	CU_ASSERT(lines_have(&f->attempt, "IP_BIND_ADDRESS_NO_PORT"));
	CU_ASSERT(lines_have(&f->attempt, "64 connections in place of 32"));
	CU_ASSERT(!lines_have(&f->attempt, "SO_REUSE"));
	CU_ASSERT(lines_have(&f->wont_help, "SO_REUSEADDR"));
	f = trial_cause(&t, CAUSE_LEAK); /* who holds them is told, too */
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(text_has(f->why, "to all destinations together"));
	trial_close(&t);
}

static void a_bind_to_all_addresses_is_told_as_one(void)
{
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40031, services: 2}\n"
		       "load: {bind: any, end: leak}");
	trial_exhaust(&t, 32);
	trial_fail(&t, STAGE_BIND, EADDRINUSE, 2);
	trial_dump(&t, 16)->states[STATE_ESTABLISHED] = 32;
	trial_judge(&t);
	CU_ASSERT_EQUAL_FATAL(t.verdict.causes[0].cause, CAUSE_BIND_FIRST);
	CU_ASSERT(text_has(t.verdict.causes[0].why, "bind(0.0.0.0, 0) takes a port before"));
	trial_close(&t);
}

static void bind_before_connect_costs_nothing_with_one_destination(void)
{
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40031}\nload: {bind: address, end: leak}");
	trial_exhaust(&t, 32);
	t.tape.tally.leaked = 32;
	trial_fail(&t, STAGE_BIND, EADDRINUSE, 2);
	trial_judge(&t);
	CU_ASSERT_PTR_NULL(trial_cause(&t, CAUSE_BIND_FIRST));
	CU_ASSERT_EQUAL(t.verdict.causes[0].cause, CAUSE_LEAK);
	trial_close(&t);
}

static void ports_without_a_connection_are_told_by_who_holds_them(void)
{
	static const struct {
		const char *squat;
		enum cause cause;
		uint64_t left;
		const char *why;
	} rows[] = {
		{"squat: {bind: 20}", CAUSE_BOUND_ONLY, 12,
		 "20 ports of the range are bound and never connected"},
		{"squat: {ports: [40003], bind: 9}", CAUSE_BOUND_ONLY, 22,
		 "10 ports of the range are bound"},
		{"squat: {listen: [40010-40019, 7]}", CAUSE_BIND_STARVATION, 22,
		 "Servers listen on 10 ports of the range"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[200];
		const struct finding *f;
		struct trial t;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031}\nload: {end: leak}\n%s", rows[i].squat);
		trial_open(&t, lines);
		CU_ASSERT_EQUAL(t.plan.budget.usable, rows[i].left);
		trial_exhaust(&t, rows[i].left);
		t.tape.tally.leaked = rows[i].left;
		trial_judge(&t);
		f = trial_cause(&t, rows[i].cause);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT(text_has(f->why, rows[i].why));
		CU_ASSERT_PTR_NOT_NULL(trial_cause(&t, CAUSE_LEAK));
		trial_close(&t);
	}
}

/* Nobody has said that there are any, and the kernel lists them. */
static void sockets_that_a_dump_finds_bound_are_told(void)
{
	struct sample *s;
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40031}\nload: {end: leak}");
	trial_exhaust(&t, 12);
	t.tape.tally.leaked = 12;
	s = trial_dump(&t, 12);
	s->states[STATE_ESTABLISHED] = 12;
	s->states[STATE_BOUND] = s->bound = 20;
	trial_judge(&t);
	CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 2);
	CU_ASSERT_PTR_NOT_NULL(trial_cause(&t, CAUSE_BOUND_ONLY));
	trial_close(&t);
}

static void a_port_of_its_own_is_told_by_where_it_is_refused(void)
{
	static const struct {
		const char *load;
		enum stage stage;
		int error;
		bool taken;
		const char *why, *attempt;
	} rows[] = {
		{"{bind: port 45000}", STAGE_BIND, EADDRINUSE, false,
		 "1 port, each for one connection, to whichever destination. bind() failed 3 times",
		 "SO_REUSEADDR"},
		{"{bind: ports 45000-45009, options: {reuseaddr: true}}", STAGE_CONNECT,
		 EADDRNOTAVAIL, true, "exists already.", "let the kernel choose"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[200];
		const struct finding *f;
		struct trial t;

		snprintf(lines, sizeof(lines), "network: {ports: 40000-40031}\nload: %s",
			 rows[i].load);
		trial_open(&t, lines);
		trial_fail(&t, rows[i].stage, rows[i].error, 3);
		if (rows[i].taken)
			tape_event(&t.tape, (struct event){.kind = EVENT_TUPLE_TAKEN});
		trial_judge(&t);
		f = &t.verdict.causes[0];
		CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 1);
		CU_ASSERT_EQUAL(f->cause, CAUSE_FIXED_PORT);
		CU_ASSERT(text_has(f->why, rows[i].why));
		CU_ASSERT(lines_have(&f->attempt, rows[i].attempt));
		CU_ASSERT(lines_have(&f->wont_help, "tcp_tw_reuse"));
		trial_close(&t);
	}
}

/* Six ports that IPv4 has bound or listens on are free to bind() of IPv6, and connect() passes over them: 24
 * of 32 are not reserved, and 18 are left. */
static void what_the_other_family_has_bound_is_not_left_to_connect(void)
{
	const struct finding *bound, *reserved, *churn;
	struct sample *s;
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40031, family: ipv6, reserved: [40000-40007]}\n"
		       "squat: {listen: [40010], bind: 5}\n"
		       "loads: {c: {rate: 50/s}, b: {bind: address, rate: 50/s}}");
	trial_exhaust(&t, 18);
	t.tape.tally.closed = 18;
	s = trial_dump(&t, 18);
	s->states[STATE_TIME_WAIT] = 18;
	s->bound = 7; /* two of them are on their way to connect() */
	s->listening = 1;
	trial_judge(&t);
	bound = trial_cause(&t, CAUSE_BOUND_ONLY);
	reserved = trial_cause(&t, CAUSE_RESERVED_PORTS);
	churn = trial_cause(&t, CAUSE_TIME_WAIT_CHURN);
	CU_ASSERT_FATAL(bound && reserved && churn);
	CU_ASSERT(text_has(bound->why, "5 ports of the range are bound and never connected"));
	CU_ASSERT(text_has(bound->why, "18 ports were left to one destination."));
	CU_ASSERT(text_has(reserved->why, "takes none of them: 18 ports are left"));
	CU_ASSERT(text_has(churn->why, "18 ports / 60 s = 0.3/s is all"));
	CU_ASSERT(lines_have(&churn->attempt, "to 1024-65535: 64,498 ports, 3,583 times as many"));
	CU_ASSERT(lines_have(&churn->attempt, "of the server, adds 18 ports, 0.3/s"));
	trial_close(&t);
}

static const struct test tests[] = {
	TEST(what_a_child_keeps_open_is_its_own_cause),
	TEST(bind_before_connect_is_told_with_what_connect_would_do),
	TEST(a_bind_to_all_addresses_is_told_as_one),
	TEST(bind_before_connect_costs_nothing_with_one_destination),
	TEST(ports_without_a_connection_are_told_by_who_holds_them),
	TEST(sockets_that_a_dump_finds_bound_are_told),
	TEST(a_port_of_its_own_is_told_by_where_it_is_refused),
	TEST(what_the_other_family_has_bound_is_not_left_to_connect),
	TESTS_END,
};

const struct suite suite_cause_bound = {"cause: bound ports", tests};
