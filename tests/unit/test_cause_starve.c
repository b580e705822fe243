/* Who takes ports away from whom: loads that bind(), loads that do not, and what others hold. */
#include <errno.h>
#include <stdio.h>

#include "judge/cause.h"
#include "suites.h"
#include "trial.h"

#define SMALL "network: {ports: 40000-40031, services: 2}\n"

/* Of several loads, in the scenario's order: what each opened, and was refused. */
struct did {
	uint64_t opened, bind_refused, connect_refused;
};

static void loads_did(struct trial *t, const struct did *did, size_t n)
{
	struct tape *loads = ARENA_ARRAY(&t->arena, struct tape, n);

	t->tape.loads = loads;
	t->tape.load_count = n;
	for (size_t i = 0; i < n; i++) {
		struct tally *of = &loads[i].tally;

		loads[i] = (struct tape){.load = TEXT("load"), .refused_at_ns = -1};
		of->attempted = of->opened = of->leaked = did[i].opened;
		of->errors[STAGE_BIND][EADDRINUSE] = did[i].bind_refused;
		of->errors[STAGE_CONNECT][EADDRNOTAVAIL] = did[i].connect_refused;
		of->failed = did[i].bind_refused + did[i].connect_refused;
		of->attempted += of->failed;
		t->tape.tally.attempted += of->opened;
		t->tape.tally.opened += of->opened;
		t->tape.tally.leaked += of->opened;
		if (did[i].bind_refused)
			trial_fail(t, STAGE_BIND, EADDRINUSE, did[i].bind_refused);
		if (did[i].connect_refused)
			trial_fail(t, STAGE_CONNECT, EADDRNOTAVAIL, did[i].connect_refused);
	}
	t->tape.exhausted = true;
}

/* More than half of the ports are bound, and connect() is refused; or bind() is, and others have them. */
static void who_starves_is_told_by_who_has_the_ports(void)
{
	static const struct {
		struct did did[4]; /* two that bind, two that do not */
		const char *why;   /* NULL: neither starves */
	} rows[] = {
		{{{9, 0, 0}, {8, 0, 0}, {4, 0, 0}, {3, 0, 1}},
		 "have had 17 ports of the range, for all destinations: connect() passes over "
		 "them, "
		 "whatever the address or the family, and the others were refused 1 time though "
		 "they "
		 "opened 7."},
		{{{8, 0, 0}, {8, 0, 0}, {4, 0, 0}, {3, 0, 1}}, NULL}, /* half is not most */
		{{{9, 0, 0}, {8, 0, 0}, {4, 0, 2}, {3, 0, 1}},
		 "were refused 3 times though they opened 7."},
		{{{2, 1, 0}, {3, 0, 0}, {9, 0, 0}, {8, 0, 0}},
		 "connect() of other loads has had 17, and bind() failed 1 time with EADDRINUSE "
		 "after 5."},
		{{{2, 1, 0}, {3, 1, 0}, {20, 0, 0}, {8, 0, 0}},
		 "has had 28, on the other 27 of 32 ports, since connections to 2 destinations may "
		 "share "
		 "one, and bind() failed 2 times"},
		{{{2, 1, 0}, {3, 1, 0}, {19, 0, 0}, {8, 0, 0}},
		 "has had 27, and bind() failed 2 times"},
		{{{2, 1, 0}, {3, 0, 0}, {0, 0, 0}, {0, 0, 0}}, NULL}, /* nobody else has any */
		{{{16, 1, 0}, {16, 0, 0}, {1, 0, 0}, {1, 0, 0}},
		 NULL}, /* they have all of them themselves */
		{{{15, 1, 0}, {13, 0, 0}, {2, 0, 0}, {2, 0, 0}}, "after 28."},
		{{{15, 1, 0}, {14, 0, 0}, {2, 0, 0}, {1, 0, 0}},
		 NULL}, /* fewer than an eighth are others' */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;

		trial_open(&t, SMALL
			   "load: {end: leak}\nloads: {a: {bind: address}, b: {bind: address}, "
			   "c: {}, d: {}}");
		loads_did(&t, rows[i].did, 4);
		trial_dump(&t, 20)->states[STATE_ESTABLISHED] = t.tape.tally.opened;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_BIND_STARVATION);
		if ((f != NULL) != (rows[i].why != NULL) || (f && !text_has(f->why, rows[i].why)))
			printf("\nrow %zu: " TEXT_FMT "\n", i, TEXT_ARG(f ? f->why : TEXT("none")));
		CU_ASSERT_EQUAL((f != NULL), (rows[i].why != NULL));
		CU_ASSERT(!f || text_has(f->why, rows[i].why));
		trial_close(&t);
	}
}

/* Connections come and go through the ports that a load names: those are what connect() passes over, where it
 * would take them at all. */
static void of_ports_that_are_named_each_counts_once(void)
{
	static const struct {
		const char *network, *ports;
		const char *why; /* NULL: nobody starves */
	} rows[] = {
		{"", "40000-40019", "have had 20 ports of the range, for all destinations"},
		{"", "40000-40007", NULL},
		{"", "40024-40100", NULL},
		{", reserved: [40000-40007]", "40000-40019", NULL},
		{", reserved: [40000-40007]", "40000-40024", "have had 17 ports of the range"},
		{", reserved: [40000-40019]", "40000-40019", NULL},
	};
	static const struct did did[] = {{60, 0, 0}, {12, 0, 3}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		char lines[300];
		struct trial t;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031%s}\n"
			 "loads: {a: {bind: ports %s, options: {reuseaddr: true}}, b: {end: leak}}",
			 rows[i].network, rows[i].ports);
		trial_open(&t, lines);
		loads_did(&t, did, 2);
		trial_dump(&t, 32)->states[STATE_ESTABLISHED] = 32;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_BIND_STARVATION);
		if ((f != NULL) != (rows[i].why != NULL) || (f && !text_has(f->why, rows[i].why)))
			printf("row %zu: " TEXT_FMT "\n", i, TEXT_ARG(f ? f->why : TEXT("none")));
		CU_ASSERT_EQUAL(f != NULL, rows[i].why != NULL);
		CU_ASSERT(!f || text_has(f->why, rows[i].why));
		CU_ASSERT(!f || lines_have(&f->attempt, "name ports outside of"));
		CU_ASSERT(!f || !lines_have(&f->attempt, "IP_BIND_ADDRESS_NO_PORT"));
		trial_close(&t);
	}
}

/* Who binds, and has nearly all of the ports itself, is told what it does with them; bind() behind that. */
static void who_binds_and_leaks_is_told_its_leak_first(void)
{
	static const struct did did[] = {{63, 9, 0}, {1, 0, 0}};
	struct trial t;

	trial_open(&t, "network: {ports: 40000-40063, servers: 2}\n"
		       "loads: {a: {bind: address, end: leak}, b: {}}");
	loads_did(&t, did, 2);
	trial_dump(&t, 63)->states[STATE_ESTABLISHED] = 64;
	trial_judge(&t);
	CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 2);
	CU_ASSERT_EQUAL(t.verdict.causes[0].cause, CAUSE_LEAK);
	CU_ASSERT_EQUAL(t.verdict.causes[1].cause, CAUSE_BIND_FIRST);
	CU_ASSERT(text_has(t.verdict.causes[1].why, "each of 2 destinations would have them: 128"));
	CU_ASSERT(lines_have(&t.verdict.causes[1].attempt, "IP_BIND_ADDRESS_NO_PORT"));
	trial_close(&t);
}

/* bind() that asks for a port, has several destinations, and is refused itself: all three. */
static void bind_first_is_told_of_its_own_refusals_alone(void)
{
	static const struct {
		const char *lines;
		enum stage stage;
		int error;
		const char *why; /* NULL: it is not told */
	} rows[] = {
		{SMALL "load: {bind: address}", STAGE_BIND, EADDRINUSE,
		 "32 connections in all. Were"},
		{"network: {ports: 40000-40031, services: 2, sources: 2}\nload: {bind: address}",
		 STAGE_BIND, EADDRINUSE,
		 "in all, from each of 2 addresses. Were connect() to choose"},
		{SMALL "load: {bind: address}", STAGE_CONNECT, EADDRNOTAVAIL, NULL},
		{SMALL "load: {bind: ports 45000-45031}", STAGE_BIND, EADDRINUSE, NULL},
		{SMALL "load: {bind: address, protocol: udp}", STAGE_BIND, EADDRINUSE, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct trial t;

		trial_open(&t, rows[i].lines);
		t.tape.exhausted = true;
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.open = 32;
		trial_fail(&t, rows[i].stage, rows[i].error, 2);
		trial_dump(&t, 32)->states[STATE_ESTABLISHED] = 32;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_BIND_FIRST);
		CU_ASSERT_EQUAL((f != NULL), (rows[i].why != NULL));
		CU_ASSERT(!f || text_has(f->why, rows[i].why));
		trial_close(&t);
	}
}

/* The option that is set is named; of UDP, and without a refusal, none is to blame. */
static void the_reuse_option_that_does_nothing_is_named(void)
{
	static const struct {
		const char *load;
		bool refused;
		const char *why;
	} rows[] = {
		{"bind: address, options: {reuseaddr: true}", true,
		 "SO_REUSEADDR is set, and bind()"},
		{"bind: address, options: {reuseport: true}", true,
		 "SO_REUSEPORT is set, and bind()"},
		{"bind: address, options: {reuseaddr: true}", false, NULL},
		{"bind: address, protocol: udp, options: {reuseaddr: true}", true, NULL},
		{"bind: address", true, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		char lines[200];
		struct trial t;

		snprintf(lines, sizeof(lines), SMALL "load: {%s}", rows[i].load);
		trial_open(&t, lines);
		t.tape.exhausted = true;
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.open = 32;
		if (rows[i].refused)
			trial_fail(&t, STAGE_BIND, EADDRINUSE, 2);
		trial_dump(&t, 32)->states[STATE_ESTABLISHED] = 32;
		trial_judge(&t);
		f = trial_cause(&t, CAUSE_WRONG_REUSE_OPTION);
		CU_ASSERT_EQUAL((f != NULL), (rows[i].why != NULL));
		CU_ASSERT(!f || text_has(f->why, rows[i].why));
		trial_close(&t);
	}
}

/* By the scenario where it says so, else by the dump; and of loads that bind, by nothing. */
static void what_others_hold_is_told_by_who_knows_it(void)
{
	static const struct {
		const char *lines;
		uint32_t listening, bound; /* of the dump */
		enum cause cause, never;
		const char *why;
	} rows[] = {
		{SMALL "load: {end: leak}", 8, 0, CAUSE_BIND_STARVATION, CAUSE_BOUND_ONLY,
		 "Servers listen on 8 ports of the range"},
		{SMALL "squat: {listen: [40000-40007]}\nload: {end: leak}", 3, 0,
		 CAUSE_BIND_STARVATION, CAUSE_BOUND_ONLY, "Servers listen on 8 ports of the range"},
		{SMALL "load: {end: leak}", 0, 8, CAUSE_BOUND_ONLY, CAUSE_BIND_STARVATION,
		 "8 ports of the range are bound"},
		{SMALL "loads: {a: {end: leak, bind: address}, b: {end: leak}}", 0, 8, CAUSE_LEAK,
		 CAUSE_BOUND_ONLY, ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct finding *f;
		struct sample *s;
		struct trial t;

		trial_open(&t, rows[i].lines);
		trial_exhaust(&t, 24);
		t.tape.tally.leaked = 24;
		s = trial_dump(&t, 24);
		s->states[STATE_ESTABLISHED] = 24;
		s->listening = rows[i].listening;
		s->bound = rows[i].bound;
		trial_judge(&t);
		f = trial_cause(&t, rows[i].cause);
		CU_ASSERT_PTR_NOT_NULL(f);
		CU_ASSERT(!f || text_has(f->why, rows[i].why));
		CU_ASSERT_PTR_NULL(trial_cause(&t, rows[i].never));
		trial_close(&t);
	}
}

static const struct test tests[] = {
	TEST(who_starves_is_told_by_who_has_the_ports),
	TEST(of_ports_that_are_named_each_counts_once),
	TEST(who_binds_and_leaks_is_told_its_leak_first),
	TEST(bind_first_is_told_of_its_own_refusals_alone),
	TEST(the_reuse_option_that_does_nothing_is_named),
	TEST(what_others_hold_is_told_by_who_knows_it),
	TESTS_END,
};

const struct suite suite_cause_starve = {"cause: who starves", tests};
