/* What the lab cannot have happen, told by its signature; real tapes are in test_tapes.c. */
#include <errno.h>
#include <stdio.h>

#include "advice_check.h"
#include "judge/cause.h"
#include "suites.h"
#include "trial.h"

#define SMALL "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"

/* The errors of a whole machine, of a gateway, and of ports used again too soon. */
static void what_no_lab_makes_is_told_by_its_signature(void)
{
	static const struct {
		const char *lines;
		uint64_t opened;
		enum stage stage;
		int error;
		bool no_address;
		struct tracked gateway;
		uint64_t repeated; /* TCPSynRetrans */
		enum cause cause;
		const char *why;
	} rows[] = {
		{SMALL,
		 0,
		 STAGE_BIND,
		 EADDRNOTAVAIL,
		 true,
		 {0},
		 0,
		 CAUSE_FOREIGN_ADDRESS,
		 "the source address is not on this host"},
		{"network: {family: ipv6}",
		 0,
		 STAGE_CONNECT,
		 EADDRNOTAVAIL,
		 true,
		 {0},
		 0,
		 CAUSE_IPV6_DISABLED,
		 "off or the interface is down"},
		{"network: {family: ipv6, sysctl: {net.ipv6.conf.all.disable_ipv6: 1}}",
		 0,
		 STAGE_BIND,
		 EADDRNOTAVAIL,
		 true,
		 {0},
		 0,
		 CAUSE_IPV6_DISABLED,
		 "disable_ipv6 is 1"},
		{"network: {family: ipv6}",
		 5,
		 STAGE_BIND,
		 EADDRNOTAVAIL,
		 true,
		 {0},
		 0,
		 CAUSE_IPV6_TENTATIVE,
		 "Later 5 connections opened"},
		{SMALL,
		 9,
		 STAGE_SOCKET,
		 EMFILE,
		 false,
		 {0},
		 0,
		 CAUSE_FD_LIMIT,
		 "may have no more descriptors"},
		{SMALL,
		 9,
		 STAGE_CONNECT,
		 ENOBUFS,
		 false,
		 {0},
		 0,
		 CAUSE_TCP_MEM,
		 "consider tuning tcp_mem"},
		{SMALL,
		 9,
		 STAGE_SOCKET,
		 ENOMEM,
		 false,
		 {0},
		 0,
		 CAUSE_TCP_MEM,
		 "consider tuning tcp_mem"},
		{"network: {topology: nat, nat: {ports: 2000-2999}}",
		 90,
		 STAGE_CONNECT,
		 ETIMEDOUT,
		 false,
		 {100, 7, 7, 0, 0},
		 0,
		 CAUSE_SNAT_INSERT_RACE,
		 "dropped 7 SYNs (insert_failed) while it tracked no more than 100 connections, "
		 "and "
		 "it has 1,000 ports"},
		{"network: {topology: nat, nat: {ports: 2000-2999}}",
		 990,
		 STAGE_CONNECT,
		 ETIMEDOUT,
		 false,
		 {1000, 7, 7, 0, 0},
		 0,
		 CAUSE_LINUX_SNAT,
		 "dropped 7 SYNs without a word"},
		{SMALL,
		 320,
		 STAGE_CONNECT,
		 0,
		 false,
		 {0},
		 12,
		 CAUSE_FAST_PORT_REUSE,
		 "12 SYNs had to be sent again, of 320 connections"},
		/* of each connection that had a port before: 320 by the first of 32 */
		{SMALL,
		 320,
		 STAGE_CONNECT,
		 0,
		 false,
		 {0},
		 288,
		 CAUSE_FAST_PORT_REUSE,
		 "288 SYNs had to be sent again, of 320 connections"},
		{SMALL,
		 0,
		 STAGE_CONNECT,
		 EPERM,
		 false,
		 {0},
		 0,
		 CAUSE_NO_DATA,
		 "connect() failed 3 times with EPERM"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;

		trial_open(&t, rows[i].lines);
		t.tape.tally.attempted = t.tape.tally.opened = t.tape.tally.closed = rows[i].opened;
		if (rows[i].error)
			trial_fail(&t, rows[i].stage, rows[i].error, 3);
		if (rows[i].no_address)
			tape_event(&t.tape, (struct event){.kind = EVENT_NO_ADDRESS});
		trial_dump(&t, 0)->parts |= SAMPLE_GATEWAY;
		trial_dump(&t, 2)->parts |= SAMPLE_GATEWAY;
		t.tape.samples[1].gateway = rows[i].gateway;
		t.tape.tally.opened += rows[i].gateway.entries;
		t.tape.counters[t.tape.counter_count++] =
			(struct counter){.name = "TCPSynRetrans", .last = rows[i].repeated};
		trial_judge(&t);
		CU_ASSERT_EQUAL_FATAL(t.verdict.cause_count, 1);
		if (t.verdict.causes[0].cause != rows[i].cause ||
		    !text_has(t.verdict.causes[0].why, rows[i].why))
			printf("row %zu: %s: " TEXT_FMT "\n", i,
			       cause_name(t.verdict.causes[0].cause),
			       TEXT_ARG(t.verdict.causes[0].why));
		CU_ASSERT_EQUAL(t.verdict.causes[0].cause, rows[i].cause);
		CU_ASSERT(text_has(t.verdict.causes[0].why, rows[i].why));
		advice_check(&t.verdict.causes[0]);
		trial_close(&t);
	}
}

static const struct test tests[] = {
	TEST(what_no_lab_makes_is_told_by_its_signature),
	TESTS_END,
};

const struct suite suite_cause_signature = {"cause: signatures", tests};
