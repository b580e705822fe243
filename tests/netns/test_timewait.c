/* network.time_wait on the real kernel: whose sockets are ended, when, and whose are left. What
 * is so is read from the kernel's table, not from lastport's books. */
#include "lab/timewait.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drive_help.h"
#include "judge/judge.h"
#include "suites.h"
#include "sys/clock.h"
#include "sys/endpoint.h"
#include "sys/waiting.h"

#define SECOND INT64_C(1000000000)
#define TICK (10 * INT64_C(1000000)) /* the kernel's ages are no finer */

/* What the kernel has in TIME_WAIT in the client's namespace. */
struct table {
	size_t of_client, of_server; /* those at a port of the server's */
	int64_t soonest_ns;	     /* until the kernel would end the first of the client's */
};

static void count(void *context, const struct waiting *w)
{
	struct table *t = context;
	int64_t left_ns = w->until_ns - clock_now();

	if (w->local_port < 40000) {
		t->of_server++;
		return;
	}
	if (t->of_client++ == 0 || left_ns < t->soonest_ns)
		t->soonest_ns = left_ns;
}

static void look(struct help *h, void *table)
{
	struct waiting_door door;

	*(struct table *)table = (struct table){0};
	CU_ASSERT(waiting_open(&door, family_domain(h->plan.family), &h->err) &&
		  waiting_list(&door, count, table, &h->err));
	waiting_close(&door);
}

static struct table table_of(struct help *h)
{
	struct table t = {0};

	CU_ASSERT(help_inside(h, LAB_CLIENT, look, &t));
	return t;
}

/* The last of the closes may still be without its answer. */
static bool waits_at_last(struct help *h, unsigned client)
{
	int64_t give_up = clock_now() + 20 * SECOND;

	while (table_of(h).of_client != client && clock_now() < give_up)
		clock_sleep(TICK);
	return table_of(h).of_client == client;
}

/* The same network, but that TIME_WAIT is `time_wait`. */
static struct plan plan_with(struct help *h, int64_t time_wait, struct scenario *s)
{
	struct plan p = h->plan;

	*s = *p.scenario;
	s->network.time_wait = time_wait;
	p.scenario = s;
	return p;
}

/* Ends what is there at that age, and returns how many that were. */
static uint64_t end_all(struct help *h, int64_t time_wait)
{
	int64_t give_up = clock_now() + 20 * SECOND;
	_Atomic bool broken = false;
	struct scenario s;
	struct plan p = plan_with(h, time_wait, &s);
	struct timewait *t;
	uint64_t ended;

	CU_ASSERT_FATAL(timewait_start(&t, &p, &h->lab, &broken, &h->arena, &h->err));
	while (table_of(h).of_client > 0 && clock_now() < give_up)
		clock_sleep(TICK);
	CU_ASSERT(timewait_stop(t, &ended, &h->err));
	CU_ASSERT_FALSE(broken);
	return ended;
}

static void ends_at_that_age(const char *lines)
{
	int64_t begin_ns = clock_now();
	struct table before;
	struct drive d;

	drive_lines(&d, lines);
	CU_ASSERT(d.ok);
	CU_ASSERT(waits_at_last(&d.h, 32)); /* without the key nothing is touched */
	before = table_of(&d.h);
	CU_ASSERT(before.soonest_ns > 30 * SECOND);
	CU_ASSERT_EQUAL(d.tape.destroyed, 0);
	CU_ASSERT_EQUAL(end_all(&d.h, SECOND), 32);
	CU_ASSERT(clock_now() - begin_ns >= SECOND - TICK);
	CU_ASSERT_EQUAL(table_of(&d.h).of_client, 0);
	help_close(&d.h);
}

static void time_wait_ends_at_the_age_that_is_set_and_not_sooner(void)
{
	ends_at_that_age("network: {ports: 40000-40031}\nload: {total: 32}");
	ends_at_that_age("network: {ports: 40000-40031, family: ipv6}\nload: {total: 32}");
	ends_at_that_age("network: {ports: 40000-40031, family: mapped}\nload: {total: 32}");
}

/* Sixteen connections; every other is closed by the server first. */
static void close_by_turns(struct help *h, void *closed)
{
	int listener = help_listen(&h->plan);

	for (int i = 0; i < 16 && listener >= 0; i++) {
		int client = help_connection(FAMILY_IPV4, NULL, plan_server(&h->plan, 0),
					     h->plan.service_first);
		int server = accept(listener, NULL, NULL);

		if (client < 0 || server < 0)
			break;
		close(i % 2 ? client : server);
		close(i % 2 ? server : client);
		++*(int *)closed;
	}
	close(listener);
}

static void on_loopback_the_servers_time_wait_is_left_alone(void)
{
	struct table t;
	struct help h;
	int closed = 0;

	CU_ASSERT_FATAL(help_open(&h, "network: {topology: loopback, ports: 40000-40999}"));
	CU_ASSERT(help_inside(&h, LAB_CLIENT, close_by_turns, &closed));
	t = table_of(&h);
	CU_ASSERT(closed == 16 && t.of_client == 8 && t.of_server == 8);
	CU_ASSERT_EQUAL(end_all(&h, SECOND / 10), 8);
	CU_ASSERT_EQUAL(table_of(&h).of_server, 8);
	help_close(&h);
}

/* The kernel makes an orphan in FIN_WAIT2 the same kind of socket; several dumps go by. */
static void an_orphan_in_fin_wait2_is_no_time_wait(void)
{
	struct drive d;

	drive_lines(&d, "network: {ports: 40000-40031, time_wait: 100ms}\n"
			"server: {behaviour: hold}\nload: {rate: 50/s, total: 20}");
	CU_ASSERT(d.ok);
	CU_ASSERT_EQUAL(d.tape.tally.closed, 20);
	CU_ASSERT_EQUAL(d.tape.destroyed, 0);
	CU_ASSERT_EQUAL(last_dump(&d.tape)->states[STATE_FIN_WAIT2], 20);
	help_close(&d.h);
}

static void a_load_that_ran_out_of_ports_recovers_within_that_time(void)
{
	struct drive d;

	drive_lines(&d, "network: {ports: 40000-40031, time_wait: 500ms}\n"
			"load: {rate: 200/s, total: 320, on_failure: continue}\n"
			"stop: {when: never}");
	CU_ASSERT(d.ok);
	CU_ASSERT(d.tape.complete && d.tape.exhausted);
	CU_ASSERT_EQUAL(d.tape.opened_before, 32);
	CU_ASSERT(d.tape.recovered_ns > 0); /* the load takes 1.6 s in all */
	CU_ASSERT(d.tape.tally.opened >= 64);
	CU_ASSERT(d.tape.destroyed >= 32);
	CU_ASSERT_EQUAL(counter_moved(&d.tape, "ActiveOpens"), d.tape.tally.opened);
	CU_ASSERT_EQUAL(counter_moved(&d.tape, "TWRecycled"), 0);
	help_close(&d.h);
}

/* 400/s for 0.1 s are 40 of 128 ports, five times over, and who finds none, on a slow machine, tries
 * again; with the kernel's own minute 128 is all that there is. */
#define SOAK "load: {concurrency: 8, hold: 20ms, total: 640"

static void a_soak_turns_all_its_ports_over_and_over(void)
{
	static const struct {
		const char *lines;
		uint64_t opened;
	} cases[] = {
		{"network: {ports: 40000-40127, time_wait: 100ms}\n" SOAK
		 ", on_failure: {retry: 100, wait: 10ms}}",
		 640},
		{"network: {ports: 40000-40127}\n" SOAK "}", 128},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool lasts = cases[i].opened == 640;
		struct drive d;

		drive_lines(&d, cases[i].lines);
		CU_ASSERT(d.ok);
		CU_ASSERT_EQUAL(d.tape.tally.opened, cases[i].opened);
		CU_ASSERT(d.tape.exhausted || lasts);
		CU_ASSERT_EQUAL(d.tape.tally.gave_up == 0, lasts);
		CU_ASSERT_EQUAL(counter_moved(&d.tape, "ActiveOpens"), cases[i].opened);
		if (lasts)
			CU_ASSERT(d.tape.destroyed >= 640 - 128)
		else
			CU_ASSERT(waits_at_last(&d.h, 128));
		help_close(&d.h);
	}
}

/* 20 closed connections wait, and the other 280 leave no trace but a counter of the kernel's; by its
 * table there are 20, and 32 ports were enough. `end: shutdown` reads the server's FIN before it
 * closes, so that none is on its way. */
static void what_exceeds_tcp_max_tw_buckets_does_not_wait(void)
{
	static const struct {
		const char *sysctl;
		uint64_t opened, waiting, overflow;
	} cases[] = {
		{"net.ipv4.tcp_max_tw_buckets: 20", 300, 20, 280},
		{"net.ipv4.tcp_max_tw_buckets: 1024", 32, 32, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct measures m;
		char lines[256];
		struct drive d;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 0, %s}}\n"
			 "load: {concurrency: 1, total: 300, end: shutdown}",
			 cases[i].sysctl);
		drive_lines(&d, lines);
		CU_ASSERT(d.ok);
		CU_ASSERT_EQUAL(d.tape.tally.opened, cases[i].opened);
		CU_ASSERT_EQUAL(d.tape.exhausted, cases[i].overflow == 0);
		CU_ASSERT(waits_at_last(&d.h, (unsigned)cases[i].waiting));
		CU_ASSERT_EQUAL(counter_moved(&d.tape, "TCPTimeWaitOverflow"), cases[i].overflow);
		measure(&m, &d.tape, &d.h.plan, &d.h.arena); /* the mark that reports have */
		CU_ASSERT_EQUAL(m.fixed[MEASURE_TIME_WAIT_OVERFLOW].n, cases[i].overflow);
		help_close(&d.h);
	}
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, time_wait_ends_at_the_age_that_is_set_and_not_sooner),
	TEST_UNLESS(help_no_network, on_loopback_the_servers_time_wait_is_left_alone),
	TEST_UNLESS(help_no_network, an_orphan_in_fin_wait2_is_no_time_wait),
	TEST_UNLESS(help_no_network, a_load_that_ran_out_of_ports_recovers_within_that_time),
	TEST_UNLESS(help_no_network, what_exceeds_tcp_max_tw_buckets_does_not_wait),
	TEST_UNLESS(help_no_network, a_soak_turns_all_its_ports_over_and_over),
	TESTS_END,
};

const struct suite suite_timewait = {"timewait", tests};
