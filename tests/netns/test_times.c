/* The times of a scenario, by the time stamps that the kernel puts on the packets (packets.h). Twice
 * such a time and half of it are told from it by a factor of 1.5 either way; what waits for the
 * processor makes a time longer, so that the shortest of many is what is held against the upper
 * bound. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drive_help.h"
#include "plan/intent.h"
#include "spans.h"

#define MS INT64_C(1000000)

enum { RUNS = 3, TRIES = 4 };

/* ---- a row a time --------------------------------------------------------- */

static struct packets packets;

static void drive_packets(struct drive *d, const char *lines)
{
	drive_open(d, lines);
	packets_of(&packets, d);
}

#define WIDE "network: {ports: 40000-40999}\n"
#define ASKS "request: {send: 8B, receive: 8B"

static const struct row {
	const char *lines;
	int64_t ns; /* what they say */
	enum sign from, to;
	enum between between;
	bool exact;	/* none can be shorter */
	unsigned least; /* so many are there at least; where a run has one, of RUNS runs */
} rows[] = {
	/* load.hold */
	{WIDE "load: {rate: 100/s, hold: 200ms, total: 20}", 200 * MS, SYN, FIN, SAME_PORT, true,
	 20},
	/* load.timeout: of a connect, of a request, of the wait for the server's close */
	{WIDE "server: {behaviour: drop}\n"
	      "load: {concurrency: 1, total: 4, timeout: 150ms, on_failure: continue}",
	 150 * MS, SYN, SYN, ANY_PORT, false, 3},
	{WIDE "server: {behaviour: ignore}\n"
	      "load: {rate: 100/s, total: 10, timeout: 150ms, on_failure: continue, " ASKS "}}",
	 150 * MS, REQUEST, FIN, SAME_PORT, false, 10},
	{WIDE "server: {behaviour: hold}\n"
	      "load: {concurrency: 1, total: 4, timeout: 150ms, end: shutdown, "
	      "on_failure: continue}",
	 150 * MS, FIN, SYN, ANY_PORT, true, 3},
	/* load.duration, of a closed loop that does little in it */
	{WIDE "load: {concurrency: 1, hold: 5ms, end: reset, duration: 300ms}", 300 * MS, SYN, SYN,
	 FIRST_TO_LAST, false, 1},
	/* load.request.pause */
	{WIDE "load: {concurrency: 1, total: 6, pool: {max_idle: 1}, " ASKS ", pause: 100ms}}",
	 100 * MS, ANSWER, REQUEST, ANY_PORT, true, 5},
	/* load.pool.idle_timeout; the last four are idle until the run ends, which is later */
	{WIDE
	 "loads: {asks: {concurrency: 4, total: 8, pool: {max_idle: 4, idle_timeout: 150ms}, " ASKS
	 ", pause: 400ms}}, lasts: {total: 1, hold: 1200ms, end: reset}}",
	 150 * MS, ANSWER, FIN, SAME_PORT, true, 4},
	/* load.start, of loads of the same rate */
	{WIDE "load: {total: 1, end: reset}\nloads: {a: {}, b: {start: 200ms}}", 200 * MS, SYN, SYN,
	 ANY_PORT, false, 1},
	/* server.delay, of either protocol */
	{WIDE "server: {delay: 100ms}\nload: {rate: 100/s, total: 10, " ASKS "}}", 100 * MS,
	 REQUEST, ANSWER, SAME_PORT, false, 10},
	{WIDE "server: {delay: 100ms}\nload: {protocol: udp, rate: 100/s, total: 10, " ASKS "}}",
	 100 * MS, REQUEST, ANSWER, SAME_PORT, false, 10},
	/* server.accept_every: who is accepted is closed at once */
	{WIDE "server: {behaviour: accept-close, accept_every: 60ms}\n"
	      "load: {concurrency: 6, total: 6, end: wait}",
	 60 * MS, FAR_FIN, FAR_FIN, ANY_PORT, false, 5},
	/* server.die, server.vanish */
	{WIDE "server: {die: 300ms}\nload: {total: 1, hold: 700ms}", 300 * MS, SYN, FAR_FIN,
	 FIRST_TO_LAST, false, 1},
	{WIDE "server: {vanish: 300ms}\nload: {concurrency: 1, timeout: 100ms, "
	      "pool: {max_idle: 1}, " ASKS ", pause: 5ms}}",
	 300 * MS, SYN, ANSWER, FIRST_TO_LAST, false, 1},
	/* network.time_wait: a port of two that is waited for */
	{"network: {ports: 40000-40001, time_wait: 300ms}\n"
	 "load: {concurrency: 1, total: 6, on_failure: {retry: 100, wait: 10ms}}\n"
	 "stop: {when: never}",
	 300 * MS, FIN, SYN, SAME_PORT, false, 4},
	/* stop.time; stop.after, from when the last port is taken until a pooled connection asks no
	 * more */
	{WIDE "load: {rate: 100/s, end: reset}\nstop: {time: 400ms}", 400 * MS, SYN, SYN,
	 FIRST_TO_LAST, false, 1},
	{"network: {ports: 40000-40003}\nload: {on_failure: continue}\n"
	 "loads: {asks: {concurrency: 1, pool: {max_idle: 1}, " ASKS ", pause: 5ms}},"
	 " takes: {concurrency: 1, start: 100ms, end: leak}}\n"
	 "stop: {when: exhausted, after: 300ms}",
	 300 * MS, SYN, REQUEST, LAST_TO_LAST, false, 1},
	/* sample.latency: a connect each */
	{WIDE "load: {total: 1, hold: 400ms}\nsample: {latency: 50ms}", 50 * MS, RST, RST, ANY_PORT,
	 false, 5},
};

static bool row_holds(const struct row *row, struct spans *spans)
{
	*spans = (struct spans){0};
	for (int run = 0; run < RUNS && spans->count < (row->least > 1 ? 1 : RUNS); run++) {
		struct drive d;

		drive_packets(&d, row->lines);
		CU_ASSERT(d.ok);
		spans_collect(spans, &packets, row->from, row->to, row->between);
		help_close(&d.h);
	}
	return spans_are(spans, row->ns, row->exact) && spans->count >= row->least;
}

/* A machine that is busy makes times longer, and cuts short what counts down to an end: so a row may be
 * tried again. A time of the scenario that is not kept does not hold the next time either. */
static void each_time_is_that_of_the_scenario(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct spans spans;
		bool holds = false;

		for (int k = 0; k < TRIES && !holds; k++) {
			holds = row_holds(row, &spans);
			if (row->exact && spans.count)
				CU_ASSERT(spans.list[0] >= SLEWED(row->ns));
		}
		CU_ASSERT(holds);
		if (spans.count == 0)
			printf("%s: no such time in %d runs\n", row->lines, RUNS);
		else if (!holds)
			printf("%s: %zu times, from %g ms, half of them from %g ms on\n",
			       row->lines, spans.count, (double)spans.list[0] / 1e6,
			       (double)spans.list[spans.count / 2] / 1e6);
	}
}

/* ---- the sampler ------------------------------------------------------------ */

/* From one sample with the part to the next. After a dump that was dear it waits for longer, so that
 * dumps take no more than two percent of a core: that one is left out. */
static void collect_samples(struct spans *s, const struct tape *t, unsigned part, int64_t ns)
{
	const struct sample *last = NULL;

	for (size_t k = 0; k < t->sample_count; k++) {
		const struct sample *now = &t->samples[k];

		if (now->edge || !(now->parts & part))
			continue;
		if (last && 50 * (int64_t)last->dump_ns < ns)
			spans_add(s, now->t_ns - last->t_ns);
		last = now;
	}
}

/* What it does is nobody's packet: its own times are those of its tape. */
static void samples_are_as_far_apart_as_the_scenario_says(void)
{
	static const struct {
		const char *lines;
		unsigned part;
		int64_t ns;
	} cases[] = {
		{"load: {total: 1, hold: 600ms}\nsample: {every: 50ms, sockets: 1h}", SAMPLE_TOTALS,
		 50 * MS},
		{"load: {total: 1, hold: 2500ms}\nsample: {sockets: 1s}", SAMPLE_SOCKETS,
		 1000 * MS},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct spans spans = {0};

		for (int run = 0; run < RUNS && spans.count == 0; run++) {
			struct drive d;

			drive_lines(&d, cases[i].lines);
			collect_samples(&spans, &d.tape, cases[i].part, cases[i].ns);
			help_close(&d.h);
		}
		CU_ASSERT(spans_are(&spans, cases[i].ns, false));
	}
}

/* ---- squat.start ------------------------------------------------------------- */

/* Who is first has the port: a service at 400 ms finds it taken by connections of before, and not by
 * those of after. */
static void a_late_service_comes_at_its_time(void)
{
	static const struct {
		const char *start;
		uint64_t held;
	} cases[] = {{"250ms", 0}, {"600ms", 1}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char lines[256];
		struct drive d;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031}\nsquat: {listen: [40010], start: 400ms}\n"
			 "load: {end: leak, total: 32, start: %s, on_failure: continue}\n"
			 "stop: {when: never}",
			 cases[i].start);
		drive_lines(&d, lines);
		CU_ASSERT_EQUAL(d.tape.squat_held, cases[i].held);
		CU_ASSERT_EQUAL(d.tape.tally.opened, 32 - cases[i].held);
		CU_ASSERT_EQUAL(counter_moved(&d.tape, "ActiveOpens"), 32 - cases[i].held);
		help_close(&d.h);
	}
}

/* ---- retries --------------------------------------------------------------- */

enum { RETRIES = 3 };

/* Nobody listens: each connection is RETRIES more SYNs, each after a wait of its own. `nth`: the waits
 * before the retry of that number, of all connections. */
static void collect_waits(struct spans nth[RETRIES])
{
	const struct packet *last = NULL;
	size_t syns = 0;

	for (size_t i = 0; i < packets.count; i++) {
		if (!packet_is(&packets.list[i], SYN))
			continue;
		if (syns % (RETRIES + 1))
			spans_add(&nth[syns % (RETRIES + 1) - 1],
				  packets.list[i].t_ns - last->t_ns);
		last = &packets.list[i];
		syns++;
	}
}

static void each_retry_waits_so_many_times_as_long(void)
{
	static const struct {
		const char *wait;
		int64_t ns[RETRIES];
	} cases[] = {
		{"wait: 60ms", {60 * MS, 60 * MS, 60 * MS}},
		{"wait: 20ms, grow: 3", {20 * MS, 60 * MS, 180 * MS}},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct spans nth[RETRIES] = {0};
		char lines[256];
		struct drive d;

		snprintf(lines, sizeof(lines),
			 WIDE "server: {behaviour: refuse}\n"
			      "load: {concurrency: 1, total: 4, on_failure: {retry: %d, %s, then: "
			      "continue}}",
			 RETRIES, cases[i].wait);
		drive_packets(&d, lines);
		collect_waits(nth);
		for (int k = 0; k < RETRIES; k++) {
			CU_ASSERT_EQUAL(nth[k].count, 4);
			CU_ASSERT(spans_are(&nth[k], cases[i].ns[k], true));
		}
		help_close(&d.h);
	}
}

/* Between 20 and 60 ms, and so many of them that some come near to either end: of 24 evenly drawn
 * ones none is among the lowest three tenths one time in 5,000; the seed is one where some are. */
static void collect_jittered(struct spans *all)
{
	struct spans nth[RETRIES] = {0};
	struct drive d;

	*all = (struct spans){0};
	drive_packets(&d,
		      WIDE "server: {behaviour: refuse}\n"
			   "load: {concurrency: 1, total: 8, on_failure: {retry: 3, wait: 40ms, "
			   "jitter: 50%, then: continue}}");
	collect_waits(nth);
	for (int k = 0; k < RETRIES; k++)
		for (size_t i = 0; i < nth[k].count; i++)
			spans_add(all, nth[k].list[i]);
	CU_ASSERT_EQUAL_FATAL(all->count, 24);
	spans_sort(all);
	help_close(&d.h);
}

/* None is too short, ever; on a busy machine the shortest may be late, and another run has it. */
static void a_wait_jitters_as_far_as_it_may(void)
{
	enum { SHORT_MS = 28 /* by half of the jitter it would be 30 */ };
	struct spans all;
	int tries = 0;

	do {
		collect_jittered(&all);
		CU_ASSERT(all.list[0] >= SLEWED(20 * MS));
		CU_ASSERT(all.list[all.count - 1] >= 52 * MS);
	} while (all.list[0] >= SHORT_MS * MS && ++tries < TRIES);
	CU_ASSERT(all.list[0] < SHORT_MS * MS);
}

enum { LINGERING = 5 };

/* Of the connections, those that had sent a FIN when any had sent one for the third time: a probe of a
 * lost tail is the second, and comes at once. */
static unsigned count_fins(void)
{
	uint16_t ports[LINGERING];
	unsigned sent[LINGERING] = {0}, n = 0;

	for (size_t i = 0; i < packets.count; i++) {
		unsigned k = 0;

		if (!packet_is(&packets.list[i], FIN))
			continue;
		while (k < n && ports[k] != packets.list[i].port)
			k++;
		if (k == LINGERING || ++sent[k] == 3)
			break;
		ports[k] = packets.list[i].port;
		n += k == n;
	}
	return n;
}

/* Nobody answers the FINs, so that each close waits for its second: not in the load's thread, which goes
 * on to the next. How many wait at once is the ring's to say: it has so many threads for them. */
static void closes_that_linger_do_not_hold_the_load_up(void)
{
	struct drive d;

	drive_packets(&d, WIDE "server: {vanish: 1s}\n"
			       "load: {concurrency: 5, total: 5, hold: 2s, options: {linger: 1s}}");
	CU_ASSERT_EQUAL(d.tape.tally.opened, LINGERING);
	CU_ASSERT(count_fins() > 1);
	help_close(&d.h);
}

/* ---- what the seed says ----------------------------------------------------- */

/* One client at a time: where each connection, or datagram, goes, and whether it ends by a RST. */
struct wire {
	size_t count;
	uint16_t far[64];
	bool reset[64];
};

static void see_wire(struct wire *o, const char *lines, uint64_t seed)
{
	const struct load_plan *lp;
	struct drive d;

	*o = (struct wire){0};
	drive_open(&d, lines);
	d.h.plan.seed = seed;
	packets_of(&packets, &d);
	for (size_t i = 0; i < packets.count; i++) {
		const struct packet *p = &packets.list[i];

		if ((packet_is(p, SYN) || p->protocol == IPPROTO_UDP) && o->count < 64)
			o->far[o->count++] = p->far;
		else if (packet_is(p, RST) && o->count)
			o->reset[o->count - 1] = true;
	}
	CU_ASSERT_EQUAL(o->count, 64);
	lp = &d.h.plan.loads[0];
	for (uint64_t i = 0; i < o->count; i++) {
		uint32_t dest = (uint32_t)intent_pair(&d.h.plan, lp, i) % d.h.plan.destinations;

		CU_ASSERT_EQUAL(o->far[i], plan_service(&d.h.plan, dest));
		CU_ASSERT_EQUAL(o->reset[i], plan_end(&d.h.plan, lp, i) == END_RESET);
	}
	help_close(&d.h);
}

static void one_seed_is_one_order_on_the_wire(void)
{
	static const struct {
		const char *lines;
		bool drawn;
	} cases[] = {
		{"network: {ports: 40000-40999, services: 4, choose: seed}\n"
		 "load: {concurrency: 1, total: 64, mix: {reset: 50%}}",
		 true},
		{"network: {ports: 40000-40999, services: 4, sources: 3}\n"
		 "load: {concurrency: 1, total: 64}",
		 false},
		{"network: {ports: 40000-40999, services: 3, sources: 2}\n"
		 "load: {protocol: udp, concurrency: 1, total: 64, request: {send: 8B}}",
		 false},
		{"network: {ports: 40000-40999, services: 3, sources: 2, choose: seed}\n"
		 "load: {protocol: udp, concurrency: 1, total: 64, request: {send: 8B}}",
		 true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wire first, again, other;

		see_wire(&first, cases[i].lines, 1);
		see_wire(&again, cases[i].lines, 1);
		see_wire(&other, cases[i].lines, 2);
		CU_ASSERT(memcmp(&first, &again, sizeof(first)) == 0);
		CU_ASSERT((memcmp(&first, &other, sizeof(first)) != 0) == cases[i].drawn);
	}
}

static const struct test tests[] = {
	TEST_UNLESS(help_no_network, each_time_is_that_of_the_scenario),
	TEST_UNLESS(help_no_network, samples_are_as_far_apart_as_the_scenario_says),
	TEST_UNLESS(help_no_network, a_late_service_comes_at_its_time),
	TEST_UNLESS(help_no_network, each_retry_waits_so_many_times_as_long),
	TEST_UNLESS(help_no_network, a_wait_jitters_as_far_as_it_may),
	TEST_UNLESS(help_no_network, closes_that_linger_do_not_hold_the_load_up),
	TEST_UNLESS(help_no_network, one_seed_is_one_order_on_the_wire),
	TESTS_END,
};

const struct suite suite_times = {"times", tests};
