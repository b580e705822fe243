/* What the summary of a run through a gateway says of it. */
#include <errno.h>
#include <stdio.h>

#include "suites.h"
#include "trial.h"

static const struct report_style plain = {0}, quiet = {.quiet = true};

/* "the ports last 113 s" was said of the client's, where the gateway's had run out. */
static void a_line_alone_tells_of_failures_before_how_long_ports_last(void)
{
	struct result *r;
	struct text said;
	struct trial t;

	trial_open(&t, "load: {rate: 5/s, total: 200, end: leak}\nexpect: [connects.failed == 0]");
	t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.leaked = 64;
	trial_fail(&t, STAGE_CONNECT, ETIMEDOUT, 136);
	trial_judge(&t);
	r = trial_result(&t, TEXT("s"));
	r->runs[0].measures.fixed[MEASURE_NAT_DROP] = (struct value){true, 408};
	said = trial_summary(r, quiet, false, &t.arena);
	CU_ASSERT(text_has(said, "64 opened, 136 of 200 failed (ETIMEDOUT), not exhausted: the "
				 "gateway dropped 408 packets"));
	CU_ASSERT(!text_has(said, "last"));
	said = trial_summary(r, plain, false, &t.arena);
	CU_ASSERT(text_has(said, "64 opened, 136 of 200 failed (ETIMEDOUT), not exhausted"));
	trial_close(&t);
}

/* A SYN that was dropped comes again: no connect failed, and the load has no requests. */
static void what_a_gateway_dropped_is_told_of_failures_that_there_are(void)
{
	static const struct {
		bool datagrams;
		uint64_t failed, overflow;
		const char *told;
	} rows[] = {
		{false, 0, 0, "40 opened, not exhausted: the gateway dropped 7 packets\n"},
		{false, 0, 9, "40 opened, not exhausted: TIME_WAIT overflowed\n"},
		{true, 8, 0,
		 "40 opened, 8 requests failed, not exhausted: the gateway dropped 7 packets\n"},
		{false, 8, 9, "40 opened, 8 requests failed, not exhausted: the gateway"},
		{true, 0, 0, "40 opened, not exhausted: the gateway dropped 7 packets\n"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct result_run *run;
		struct result *r;
		struct text said;
		struct trial t;

		trial_open(&t, "load: {end: leak, total: 40}\nexpect: [exhausted == false]");
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.leaked = 40;
		trial_judge(&t);
		r = trial_result(&t, TEXT("s"));
		run = &r->runs[0];
		run->plan.gateway.datagrams = rows[i].datagrams;
		run->measures.fixed[MEASURE_NAT_DROP] = (struct value){true, 7};
		run->measures.fixed[MEASURE_REQUESTS_FAILED] =
			(struct value){true, (double)rows[i].failed};
		run->measures.fixed[MEASURE_TIME_WAIT_OVERFLOW] =
			(struct value){true, (double)rows[i].overflow};
		said = trial_summary(r, quiet, false, &t.arena);
		CU_ASSERT(row_says(i, said, rows[i].told));
		trial_close(&t);
	}
}

/* Each protocol has them all: 112 tracked of 32 ports is no riddle then. */
static void the_ports_of_a_gateway_are_of_each_protocol(void)
{
	static const struct {
		const char *lines, *told;
	} rows[] = {
		{"loads: {a: {}, b: {protocol: udp, request: {send: 8B, receive: 8B}}}",
		 "32 ports of TCP, and as many of UDP, to one destination\n"
		 "             (2000-2031)\n"},
		{"load: {}", "32 ports to one destination (2000-2031)"},
		{"load: {protocol: udp, request: {send: 8B, receive: 8B}}",
		 "32 ports to one destination (2000-2031)"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[200];
		struct text said;
		struct trial t;

		snprintf(lines, sizeof(lines),
			 "network: {topology: nat, nat: {ports: 2000-2031}}\n%s", rows[i].lines);
		trial_open(&t, lines);
		trial_judge(&t);
		said = trial_summary(trial_result(&t, TEXT("s")), plain, false, &t.arena);
		CU_ASSERT(row_says(i, said, rows[i].told));
		trial_close(&t);
	}
}

/* The forecast is a span, where two connections may have one port of the client's. */
static void timeouts_within_their_span_are_as_observed(void)
{
	static const struct {
		uint64_t least, opened;
		const char *told;
	} rows[] = {
		{64, 64, " 64, as observed"},
		{16, 40, "connects time out after 16 to 64, as\n"},
		{16, 12, " 16 to 64;\n             observed: 12 opened"},
		{0, 64, " 64, as observed"}, /* of an older result */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct result_run *run;
		struct result *r;
		struct text said;
		struct trial t;

		trial_open(&t, "load: {end: leak, total: 99}");
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.leaked = rows[i].opened;
		trial_fail(&t, STAGE_CONNECT, ETIMEDOUT, 3);
		trial_judge(&t);
		r = trial_result(&t, TEXT("s"));
		run = &r->runs[0];
		run->measures.fixed[MEASURE_CONNECTS_OPENED] =
			(struct value){true, (double)rows[i].opened};
		run->plan.gateway.times_out_least = rows[i].least;
		run->plan.gateway.times_out_after = 64;
		said = trial_summary(r, plain, false, &t.arena);
		CU_ASSERT(row_says(i, said, rows[i].told));
		trial_close(&t);
	}
}

static const struct test tests[] = {
	TEST(a_line_alone_tells_of_failures_before_how_long_ports_last),
	TEST(what_a_gateway_dropped_is_told_of_failures_that_there_are),
	TEST(the_ports_of_a_gateway_are_of_each_protocol),
	TEST(timeouts_within_their_span_are_as_observed),
	TESTS_END,
};

const struct suite suite_summary_gateway = {"summary: gateway", tests};
