/* What plan reckons with, and the kernel alone can say: a SYN that is sent again, and which ports are taken
 * out of TIME_WAIT. */
#include <errno.h>

#include "drive_help.h"
#include "nat_help.h"
#include "plan/reuse.h"
#include "suites.h"

/* Six at once, and a gateway of four ports, which come back a second after the RST: the two SYNs that it
 * dropped are sent again after 1 s and 3 s. */
static void a_syn_that_a_full_gateway_dropped_is_sent_again(void)
{
	struct drive d;

	drive_lines(&d,
		    "network: {topology: nat, ports: 40000-40063, nat: {ports: 2000-2003, sysctl: "
		    "{net.netfilter.nf_conntrack_tcp_timeout_close: 1}}}\n"
		    "load: {burst: {size: 6, every: 10s}, total: 6, hold: 500ms, end: reset, "
		    "timeout: 10s, on_failure: continue}\nstop: {time: 12s}");
	CU_ASSERT_FATAL(d.ok && d.tape.complete);
	CU_ASSERT_EQUAL(d.h.plan.forecast.full_after, 4);
	CU_ASSERT_FALSE(d.h.plan.forecast.times_out);
	CU_ASSERT_EQUAL(d.tape.tally.opened, 6);
	CU_ASSERT_EQUAL(d.tape.tally.errors[STAGE_CONNECT][ETIMEDOUT], 0);
	CU_ASSERT(counter_moved(&d.tape, "TCPSynRetrans") >= 2);
	help_close(&d.h);
}

/* connect() comes to all ports of one parity before it comes to one again: 16 are in use, though 12 are
 * wanted. */
static void ports_that_wait_are_taken_again_in_turn(void)
{
	struct guess used;
	struct drive d;

	drive_lines(&d, "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 1}}\n"
			"load: {rate: 12/s, total: 72}");
	CU_ASSERT_FATAL(d.ok && d.tape.complete && reuse_is_told(&d.h.plan));
	used = reuse_used(&d.h.plan, 12, 72);
	CU_ASSERT_EQUAL(used.least, 14);
	CU_ASSERT_EQUAL(used.most, 16);
	CU_ASSERT_EQUAL(d.tape.tally.opened, 72);
	CU_ASSERT(last_dump(&d.tape)->used_max >= used.least);
	CU_ASSERT(last_dump(&d.tape)->used_max <= used.most);
	CU_ASSERT(counter_moved(&d.tape, "TWRecycled") >= 72 - 16);
	help_close(&d.h);
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_gateway, a_syn_that_a_full_gateway_dropped_is_sent_again),
	TEST(ports_that_wait_are_taken_again_in_turn),
	TESTS_END,
};

const struct suite suite_foreseen = {"foreseen", tests};
