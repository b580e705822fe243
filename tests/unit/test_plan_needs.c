/* What a run takes of the host, and what is refused. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "plan/doubt.h"
#include "plan/outline.h"
#include "plan/plan.h"
#include "plan/predict.h"
#include "plan_help.h"
#include "suites.h"

static void a_leak_has_a_slot_for_each_port(void)
{
	struct arena a = help_arena();
	const struct host host = help_host();
	struct plan p = help_plan("load: {end: leak, order: fast}", &host, 1, &a);

	CU_ASSERT_EQUAL(p.loads[0].concurrency, 64);
	CU_ASSERT(p.loads[0].slots >= 28232 + 64);
	CU_ASSERT(p.loads[0].slots < 29000);
	CU_ASSERT_EQUAL(p.ring_slots, 20000 - 64);
	CU_ASSERT(p.far_slots >= p.loads[0].slots);
	CU_ASSERT(p.backlog >= 28232);
	CU_ASSERT_EQUAL(p.hash_entries, 131072);
	arena_close(&a);
}

/* By the limit of its process: three of its descriptors are no sockets. */
static void a_load_of_few_descriptors_has_no_more_open(void)
{
	struct arena a = help_arena();
	const struct host host = help_host();
	struct plan p = help_plan("network: {ports: 40000-40999}\n"
				  "load: {end: leak, nofile: 100, concurrency: 1}",
				  &host, 1, &a);

	CU_ASSERT_EQUAL(p.loads[0].sockets_most, 97);
	CU_ASSERT(p.loads[0].classic_sockets);
	CU_ASSERT_EQUAL(p.loads[0].workers, 1);
	CU_ASSERT(p.loads[0].slots >= 97 && p.loads[0].slots < 256);
	CU_ASSERT(p.forecast.known && !p.forecast.exhausts);
	p = help_plan("network: {ports: 40000-40031}\n"
		      "load: {end: leak, nofile: 100, concurrency: 1}",
		      &host, 1, &a);
	CU_ASSERT(p.forecast.known && p.forecast.exhausts);
	CU_ASSERT_EQUAL(p.forecast.after, 32);
	p = help_plan("network: {ports: 40000-40999}\nload: {nofile: 100, concurrency: 90, total: "
		      "2000}",
		      &host, 1, &a);
	CU_ASSERT(p.forecast.known && p.forecast.exhausts); /* the ports, of TIME_WAIT */
	p = help_plan("network: {ports: 40000-40999}\nload: {nofile: 100, concurrency: 98, total: "
		      "2000}",
		      &host, 1, &a);
	CU_ASSERT(!p.forecast.known);
	p = help_plan("network: {ports: 40000-40999}\n"
		      "load: {end: leak, nofile: 100, rate: 100/s, total: 97}",
		      &host, 1, &a);
	CU_ASSERT(p.forecast.known && !p.forecast.exhausts);
	CU_ASSERT(!doubt_descriptors(&p, &p.loads[0]));
	p = help_plan("network: {ports: 40000-40999}\n"
		      "load: {end: leak, nofile: 100, rate: 9/s, duration: 10s}",
		      &host, 1, &a);
	CU_ASSERT(p.forecast.known && !p.forecast.exhausts);
	CU_ASSERT(!doubt_descriptors(&p, &p.loads[0])); /* 90, by the clock */
	arena_close(&a);
}

/* Each connection of it has two, and the range is the client's on loopback. */
static void a_proxy_loop_has_two_descriptors_for_each_port(void)
{
	static const struct {
		const char *lines;
		uint32_t upstreams;
	} rows[] = {
		{"network: {topology: loopback, ports: 40000-40999}\nserver: {behaviour: loop}",
		 1000},
		{"server: {behaviour: loop}", 28232},
		{"server: {behaviour: loop, sysctl: {net.ipv4.ip_local_port_range: 50000 50031}}",
		 32},
		{"network: {services: 2}\nserver: {behaviour: loop, sysctl: "
		 "{net.ipv4.ip_local_port_range: 50000  50031}}",
		 64},
		{"server: {behaviour: answer}", 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		const struct host host = help_host();
		struct plan p = help_plan(rows[i].lines, &host, 1, &a);

		CU_ASSERT_EQUAL(p.far_upstreams, rows[i].upstreams);
		CU_ASSERT(p.far_slots >= 2 * rows[i].upstreams);
		arena_close(&a);
	}
}

static void a_churn_has_slots_for_what_is_under_way(void)
{
	struct arena a = help_arena();
	const struct host host = help_host();
	struct plan p = help_plan("load: {concurrency: 100, total: 1000000}", &host, 1, &a);

	CU_ASSERT_EQUAL(p.loads[0].concurrency, 100);
	CU_ASSERT(p.loads[0].slots >= 100);
	CU_ASSERT(p.loads[0].slots <= 256);
	p = help_plan("load: {rate: 10k/s, timeout: 1s}", &host, 1, &a);
	CU_ASSERT_EQUAL(p.loads[0].concurrency, 0);
	CU_ASSERT(p.loads[0].slots >= 10000);
	p = help_plan("network: {ports: 40000-40031}\nload: {rate: 1M/s, timeout: 5m}", &host, 1,
		      &a);
	CU_ASSERT(p.loads[0].slots >= 32);
	CU_ASSERT(p.loads[0].slots < 512);
	CU_ASSERT_EQUAL(p.hash_entries, 4096);
	CU_ASSERT_EQUAL(p.backlog, 4096);
	arena_close(&a);
}

static void held_connections_have_a_slot_each(void)
{
	struct arena a = help_arena();
	const struct host host = help_host();

	CU_ASSERT(help_plan("load: {rate: 100/s, hold: 5s, timeout: 1s}", &host, 1, &a)
			  .loads[0]
			  .slots >= 600);
	CU_ASSERT(help_plan("load: {rate: 100/s, hold: 5s, timeout: 1s}", &host, 1, &a)
			  .loads[0]
			  .slots < 800);
	CU_ASSERT(
		help_plan("load: {rate: 1M/s, hold: 1h, total: 50}", &host, 1, &a).loads[0].slots <=
		256);
	arena_close(&a);
}

static void a_server_that_resets_leaves_the_client_more_descriptors_than_ports(void)
{
	struct arena a = help_arena();
	const struct host host = help_host();
	struct plan p = help_plan("network: {ports: 40000-40031}\nserver: {behaviour: reset}\n"
				  "load: {end: leak, total: 5000}",
				  &host, 1, &a);

	CU_ASSERT(p.loads[0].slots >= 5000);
	arena_close(&a);
}

static void a_server_that_never_accepts_queues_all(void)
{
	struct arena a = help_arena();
	const struct host host = help_host();
	struct plan p =
		help_plan("network: {ports: 40000-40031}\nserver: {behaviour: never-accept}\n"
			  "load: {end: reset, total: 100k}",
			  &host, 1, &a);

	CU_ASSERT_EQUAL(p.far_slots, 0);
	CU_ASSERT(p.backlog >= 100000);
	arena_close(&a);
}

static void a_far_end_has_a_descriptor_for_all_that_it_keeps(void)
{
	static const struct {
		const char *server, *request;
		uint32_t least, most;
	} rows[] = {
		{"behaviour: hold", "send: 0B", 5000, 7500},
		{"behaviour: ignore", "send: 0B", 5000, 7500},
		{"delay: 1s", "send: 0B", 32, 1500}, /* nothing is asked */
		/* Answers to clients that have gone, or wait for them. */
		{"delay: 1s", "send: 8B, receive: 0B", 5000, 7500},
		{"delay: 3s", "send: 8B, receive: 8B", 5000, 7500},
		{"delay: 1s", "send: 8B, receive: 8B", 32, 1500},
		{"delay: 1500ms, jitter: 60%", "send: 8B, receive: 8B", 5000, 7500},
		{"delay: 1500ms, jitter: 15%", "send: 8B, receive: 8B", 32, 1500},
		{"behaviour: answer", "send: 0B", 32, 1500},
		{"behaviour: accept-close", "send: 0B", 32, 1500},
		{"behaviour: never-accept", "send: 0B", 0, 0},
		{"behaviour: refuse", "send: 0B", 0, 0},
		{"behaviour: drop", "send: 0B", 0, 0},
	};
	struct arena a = help_arena();
	const struct host host = help_host();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char lines[200];
		struct plan p;

		snprintf(lines, sizeof(lines),
			 "network: {ports: 40000-40031}\nserver: {%s}\n"
			 "load: {end: reset, total: 5000, timeout: 2s, request: {%s}}",
			 rows[i].server, rows[i].request);
		p = help_plan(lines, &host, 1, &a);
		if (p.far_slots < rows[i].least || p.far_slots > rows[i].most)
			printf("%s: %u\n", rows[i].server, p.far_slots);
		CU_ASSERT(p.far_slots >= rows[i].least && p.far_slots <= rows[i].most);
	}
	arena_close(&a);
}

static void a_backlog_is_as_the_scenario_says(void)
{
	struct arena a = help_arena();
	const struct host host = help_host();

	CU_ASSERT_EQUAL(help_plan("server: {backlog: 5}", &host, 1, &a).backlog, 5);
	/* All may wait for a slow accept. */
	CU_ASSERT(help_plan("network: {ports: 40000-40031}\nserver: {accept_every: 1s}\n"
			    "load: {total: 50k}",
			    &host, 1, &a)
			  .backlog >= 50000);
	CU_ASSERT_EQUAL(
		help_plan("network: {ports: 40000-40031}\nserver: {accept_every: 1s}", &host, 1, &a)
			.far_accepts,
		1);
	arena_close(&a);
}

static void a_shared_hash_is_not_sized(void)
{
	struct arena a = help_arena();
	struct host host = help_host();

	host.private_hash = ENOENT;
	CU_ASSERT_EQUAL(help_plan("load: {end: leak}", &host, 1, &a).hash_entries, 0);
	arena_close(&a);
}

static void a_counter_that_the_kernel_has_may_be_expected(void)
{
	struct arena a = help_arena();
	struct host host = help_host();
	struct plan p;

	strcpy(host.counters, "ActiveOpens TCPTimeouts");
	p = help_plan("expect: [counter.TCPTimeouts == 0]", &host, 1, &a);
	CU_ASSERT_EQUAL(p.scenario->expect.count, 1);
	arena_close(&a);
}

static void samples_have_room_for_the_longest_run(void)
{
	struct arena a = help_arena();
	const struct host host = help_host();

	CU_ASSERT(help_plan("stop: {time: 10s}", &host, 1, &a).samples >= 10 * 10 + 10);
	CU_ASSERT(help_plan("sample: {every: 10ms}\nstop: {time: 1h}", &host, 1, &a).samples >=
		  360000);
	arena_close(&a);
}

/* What a child has inherited is in none of the load's slots, and open still. */
static void what_is_inherited_is_open_beside_the_slots(void)
{
	static const char *const lines[] = {
		"load: {concurrency: 10, total: 250, end: leak}",
		"load: {concurrency: 10, total: 250, end: inherit}",
		"load: {concurrency: 10, total: 250, mix: {inherit: 90%}}",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct arena a = help_arena();
		struct plan p = help_plan(lines[i], NULL, 1, &a);
		struct foretold told[PREDICTIONS];

		predict(told, &p, 1e9);
		CU_ASSERT(told[PREDICTION_OPEN].told);
		CU_ASSERT(told[PREDICTION_OPEN].value.most >= 250);
		arena_close(&a);
	}
}

/* Whatever is sent, a connection's buffers have an end: by the host's own tcp_wmem and
 * tcp_rmem, or as the scenario sets them; of the sender's and of the receiver's side. */
static void what_is_carried_is_bounded_by_the_buffers(void)
{
#define LARGE "load: {concurrency: 10, total: 50, request: {send: 1GiB, receive: 0B}}\n"
	static const struct {
		const char *lines;
		int64_t wmem, rmem;
		uint64_t buffered;
	} rows[] = {
		{LARGE, 4 << 20, 6 << 20, 10 * UINT64_C(10485760)},
		{LARGE, 0, -1, 10 * UINT64_C(37748736)}, /* unknown */
		{LARGE "network: {sysctl: {net.ipv4.tcp_wmem: 4096 16384 65536}}", 4 << 20, 6 << 20,
		 10 * (UINT64_C(65536) + 6291456)},
		{LARGE "server: {sysctl: {net.ipv4.tcp_rmem: '4096 131072  1000000'}}", 4 << 20,
		 6 << 20, 10 * (UINT64_C(4194304) + 1000000)},
		{LARGE "server: {sysctl: {net.ipv4.tcp_wmem: 1 2 3}}", 4 << 20, 6 << 20,
		 10 * UINT64_C(10485760)}, /* which sends nothing */
		{"load: {concurrency: 10, total: 50, request: {send: 1KiB, receive: 0B}}", 4 << 20,
		 6 << 20, 10 * (UINT64_C(2304) + 1280)},
	};
#undef LARGE

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct host host = help_host();
		struct plan p;

		host.wmem = rows[i].wmem;
		host.rmem = rows[i].rmem;
		p = help_plan(rows[i].lines, &host, 1, &a);
		if (p.needs.buffered != rows[i].buffered)
			printf("\n%s: %llu\n", rows[i].lines, (unsigned long long)p.needs.buffered);
		CU_ASSERT_EQUAL(p.needs.buffered, rows[i].buffered);
		arena_close(&a);
	}
}

/* On veth the client's ports are one, and the server's sockets 2 x 32 of its own range. */
static void what_a_far_end_opens_to_itself_takes_memory(void)
{
	struct arena a = help_arena();
	struct plan p =
		help_plan("network: {ports: 40000-40031}\n"
			  "server: {behaviour: loop, sysctl: {net.ipv4.ip_local_port_range: "
			  "50000 50031}}\nload: {total: 1}",
			  NULL, 1, &a);

	CU_ASSERT_EQUAL(p.needs.live, 33);
	CU_ASSERT_EQUAL(p.needs.holding, 1);
	CU_ASSERT_EQUAL(p.needs.waiting, 0);
	arena_close(&a);
}

/* Two timers of 140 s, each of which may be 16.4 s late. */
static void what_waits_in_fin_wait2_is_there_until_its_timers_end_it(void)
{
	struct arena a = help_arena();
	struct plan p = help_plan(
		"network: {ports: 20000-59999, sysctl: {net.ipv4.tcp_fin_timeout: 200}}\n"
		"server: {behaviour: hold}\nload: {rate: 50/s, duration: 20m}\nstop: {time: 1h}",
		NULL, 1, &a);

	CU_ASSERT_EQUAL(p.needs.holding, 15639);
	CU_ASSERT(p.needs.live + p.needs.waiting >= p.needs.holding);
	arena_close(&a);
}

/* A connect may take a port out of TIME_WAIT after a second; but until one does, it is in use. */
static void a_port_that_may_be_reused_is_in_use_until_it_is(void)
{
	static const struct {
		const char *lines;
		double least, most;
		uint64_t ports;
	} rows[] = {
		{"load: {rate: 100/s, total: 800}", 250, 500, 500}, /* those of one parity */
		{"load: {rate: 100/s, total: 8000}", 450, 500, 500},
		{"load: {rate: 100/s, total: 480}", 0, 480, 480},
		{"load: {rate: 400/s, total: 8000}", 450, 500, 500},
		{"load: {rate: 401/s, total: 8000}", 0, 1000, 1000},
		{"load: {rate: 600/s, total: 8000}", 0, 1000, 1000},
		{"load: {rate: 1/s, total: 8000}", 0, 63, 63}, /* TIME_WAIT is over then */
		{"load: {rate: 100/s, total: 8000, order: fast}", 0, 1000, 1000},
		{"load: {burst: {size: 600, every: 10s}, total: 1200}", 0, 1000, 1000},
		{"load: {rate: 100/s, total: 800, end: reset}", 0, 117, 26},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		const char *lines =
			text_format(&a,
				    "network: {ports: 40000-40999, sysctl: "
				    "{net.ipv4.tcp_tw_reuse: 1}}\nstop: {time: 80s}\n%s",
				    rows[i].lines)
				.s;
		struct plan p = help_plan(lines, NULL, 1, &a);
		struct foretold told[PREDICTIONS];

		predict(told, &p, 1e9);
		CU_ASSERT(told[PREDICTION_USED].told);
		CU_ASSERT_EQUAL(told[PREDICTION_USED].value.least, rows[i].least);
		CU_ASSERT_EQUAL(told[PREDICTION_USED].value.most, rows[i].most);
		CU_ASSERT_EQUAL(outline_of(&p).ports, rows[i].ports);
		arena_close(&a);
	}
}

/* One begins as another ends, a machine is held up, the last ACK is on its way, a
 * gateway that has no port for a query lets it wait for its timeout: all of these have
 * their ports at once. */
static void what_is_in_use_at_once_is_no_more_than_told(void)
{
	static const char gateway[] =
		"network: {topology: nat, ports: 40000-40199, nat: {ports: 50000-50019}}\n";
	static const char query[] = "request: {send: 10B, receive: 10B}";
	static const struct {
		const char *network, *load;
		double seen;
		uint64_t most;
	} rows[] = {
		/* a connect that is timed has one, too */
		{"sample: {latency: 100ms}\n", "end: leak, total: 15", 15, 16},
		{"network: {ports: 40000-40014}\nsample: {latency: 100ms}\n",
		 "end: leak, total: 15", 15, 15},
		{"", "protocol: udp, rate: 100/s, duration: 2s, hold: 50ms", 6, 31},
		{"", "rate: 1/s, duration: 20s, hold: 10s, end: reset", 11, 11},
		{"", "concurrency: 4, duration: 2s, hold: 50ms, end: reset", 5, 12},
		{gateway, "protocol: udp, rate: 20/s, duration: 3s, timeout: 300ms", 7, 12},
		{gateway, "protocol: udp, concurrency: 9, duration: 3s, timeout: 300ms", 9, 9},
		{"", "end: leak, nofile: 20, duration: 2s", 17, 17},
		{"network: {topology: loopback, ports: 40000-40999}\n",
		 "ramp: [{to: 640/s, over: 1s}], total: 260, end: reset", 4, 162},
		{"network: {topology: nat, ports: 40000-40063, servers: 4, nat: {ports: 2000-2031, "
		 "mapping: endpoint-independent, mapping_time: 1s}}\n",
		 "burst: {size: 23, every: 100ms}, total: 208, hold: 100ms", 33, 208},
		/* past half full a thread begins 440 a second, and ends none in time */
		{"network: {ports: 32768-60999}\n", "rate: 6k/s, duration: 4s", 5555, 24000},
		/* held up for 0.12 s, with a slot for each of 96 */
		{"", "rate: 2k/s, duration: 6s, timeout: 5ms, end: reset", 96, 511},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		const char *lines = text_format(&a, "%sload: {%s, on_failure: continue, %s}",
						rows[i].network, rows[i].load, query)
					    .s;
		struct plan p = help_plan(lines, NULL, 1, &a);
		struct foretold told[PREDICTIONS];

		predict(told, &p, 1e9);
		CU_ASSERT_EQUAL(outline_of(&p).ports, rows[i].most);
		CU_ASSERT(told[PREDICTION_OPEN].told);
		CU_ASSERT(told[PREDICTION_OPEN].value.most >= rows[i].seen);
		arena_close(&a);
	}
}

/* What is drawn may come to one destination, or be under way there while its answers
 * take longest; what a dead server refuses hastens a closed loop. */
static void a_destination_has_no_more_in_use_than_told(void)
{
	static const struct {
		const char *network, *server, *load;
		double seen;
	} rows[] = {
		{"servers: 4, choose: seed, sysctl: {net.ipv4.tcp_tw_reuse: 1}", "delay: 0s",
		 "ramp: [{to: 100/s, over: 1s}], total: 100", 28},
		{"servers: 2", "delay: 500ms, jitter: 90%",
		 "concurrency: 400, duration: 3s, end: reset", 230},
		{"sources: 1", "delay: 10ms, die: 500ms",
		 "protocol: udp, concurrency: 4, duration: 2s, timeout: 300ms, hold: 100ms, "
		 "end: leak, on_failure: continue",
		 64},
		{"sources: 1", "delay: 0s",
		 "bind: ports 40000-40999, options: {reuseaddr: true}, rate: 50/s, total: 200, "
		 "hold: 3s, end: reset",
		 151},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		const char *lines =
			text_format(&a,
				    "network: {ports: 40000-40999, %s}\nserver: {%s}\nload: {%s, "
				    "request: {send: 10B, receive: 10B}}\n",
				    rows[i].network, rows[i].server, rows[i].load)
				.s;
		struct plan p = help_plan(lines, NULL, 1, &a);
		struct foretold told[PREDICTIONS];

		predict(told, &p, 1e9);
		CU_ASSERT(told[PREDICTION_USED].told);
		CU_ASSERT(told[PREDICTION_USED].value.most >= rows[i].seen);
		arena_close(&a);
	}
}

/* Of a mix some ports are free with the close; and of a ramp the first is back before
 * the last is had: which comes back first after it is not told. */
static void a_recovery_is_told_where_the_first_connection_has_it(void)
{
	static const struct {
		const char *lines;
		bool told;
	} rows[] = {
		{"load: {rate: 40/s, total: 300, on_failure: continue}", true},
		{"load: {mix: {reset: 20%}, concurrency: 4, total: 300, on_failure: continue}",
		 false},
		{"load: {concurrency: 40, total: 200, hold: 50ms, mix: {reset: 50%}, on_failure: "
		 "continue}",
		 false},
		{"load: {rate: 10/s, ramp: [{to: 200/s, over: 1s}], duration: 3s, hold: 300ms, "
		 "end: reset, "
		 "on_failure: continue}",
		 false},
		{"server: {behaviour: ignore}\nload: {rate: 20/s, duration: 3s, request: {send: "
		 "1MiB, "
		 "receive: 10B}, timeout: 500ms, on_failure: continue}",
		 false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct text lines =
			text_format(&a, "network: {ports: 40000-40031}\n%s", rows[i].lines);
		struct plan p = help_plan(lines.s, NULL, 1, &a);
		struct foretold told[PREDICTIONS];

		predict(told, &p, 3e9);
		CU_ASSERT_EQUAL(told[PREDICTION_RECOVERED].told, rows[i].told);
		arena_close(&a);
	}
}

/* A port that is back has to be asked for: after 1 s, and 1.75 s of late timers, searches and machines. */
static void a_recovery_waits_for_the_next_that_is_due(void)
{
	static const struct {
		const char *load;
		double most_s;
	} rows[] = {
		{"rate: 200/s, total: 900", 2.75},
		{"burst: {size: 40, every: 5s}, total: 160", 6},
		{"ramp: [{to: 200/s, over: 1s}, {to: 0/s, over: 1s}], total: 150", 2.75},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct text lines =
			text_format(&a, "network: {ports: 40000-40031, time_wait: 1s}\nload: {%s}",
				    rows[i].load);
		struct plan p = help_plan(lines.s, NULL, 1, &a);
		struct foretold told[PREDICTIONS];

		predict(told, &p, 3e9);
		CU_ASSERT(told[PREDICTION_RECOVERED].told);
		CU_ASSERT_DOUBLE_EQUAL(told[PREDICTION_RECOVERED].value.most / 1e9, rows[i].most_s,
				       0.01);
		arena_close(&a);
	}
}

/* bind() to port 0 of an odd range may miss one. */
static void a_port_that_was_missed_may_be_found_at_once(void)
{
	static const struct {
		const char *ports;
		double least_s;
	} rows[] = {{"40000-40032", 0.31}, {"40000-40031", 60.4}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct text lines = text_format(&a,
						"network: {ports: %s}\nload: {rate: 100/s, total: "
						"149, hold: 500ms, bind: address}",
						rows[i].ports);
		struct plan p = help_plan(lines.s, NULL, 1, &a);
		struct foretold told[PREDICTIONS];

		predict(told, &p, 3e9);
		CU_ASSERT(told[PREDICTION_RECOVERED].told);
		CU_ASSERT_DOUBLE_EQUAL(told[PREDICTION_RECOVERED].value.least / 1e9,
				       rows[i].least_s, 0.1);
		CU_ASSERT_DOUBLE_EQUAL(told[PREDICTION_RECOVERED].value.likely / 1e9, 60.5, 0.1);
		arena_close(&a);
	}
}

/* A listener shares its port with nobody; and which ports squat has that names none is
 * the kernel's to say. */
static void what_squat_may_have_of_named_ports_is_not_told(void)
{
	static const struct {
		const char *lines;
		bool known, exhausts;
		uint64_t after;
	} rows[] = {
		{"squat: {listen: [40001]}\n"
		 "load: {bind: port 40001, rate: 100/s, total: 3, options: {reuseaddr: true}}",
		 true, true, 0},
		{"squat: {bind: 16}\nload: {bind: ports 40000-40031, end: leak}", false, false, 0},
		{"squat: {unbound: 1}\nload: {bind: port 40001}", false, false, 0},
		{"squat: {bind: 16}\nload: {bind: ports 41000-41031, end: leak}", true, true, 32},
		/* after the load's last port, or before its first */
		{"squat: {bind: 16, start: 200ms}\nload: {concurrency: 8, end: leak}", true, true,
		 32},
		{"squat: {bind: 16, start: 200ms}\nload: {concurrency: 8, end: leak, start: 400ms}",
		 false, false, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		const char *lines =
			text_format(&a, "network: {ports: 40000-40031}\n%s", rows[i].lines).s;
		struct plan p = help_plan(lines, NULL, 1, &a);

		CU_ASSERT_EQUAL(p.forecast.known, rows[i].known);
		CU_ASSERT_EQUAL(p.forecast.exhausts, rows[i].exhausts);
		CU_ASSERT_EQUAL(p.forecast.after, rows[i].after);
		arena_close(&a);
	}
}

/* 20 keep their connections, for whom a gateway has 16 ports: what it lets down hangs, and its client goes on. */
static void what_a_gateway_lets_down_of_a_pool_may_have_every_port(void)
{
	static const struct {
		const char *nat;
		uint64_t ports;
	} rows[] = {{"2000-2015", 100}, {"2000-2999", 20}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		const char *lines =
			text_format(&a,
				    "network: {ports: 40000-40099, topology: nat, nat: {ports: "
				    "%s}}\nload: {concurrency: 20, total: 300, hold: 500ms, end: "
				    "reset, on_failure: {retry: 1, wait: 50ms}, pool: {max_idle: "
				    "1k}, request: {send: 8B, receive: 8B, pause: 50ms}}",
				    rows[i].nat)
				.s;
		struct plan p = help_plan(lines, NULL, 1, &a);

		CU_ASSERT_EQUAL(outline_of(&p).ports, rows[i].ports);
		arena_close(&a);
	}
}

static const struct test tests[] = {
	TEST(what_is_carried_is_bounded_by_the_buffers),
	TEST(what_a_far_end_opens_to_itself_takes_memory),
	TEST(what_waits_in_fin_wait2_is_there_until_its_timers_end_it),
	TEST(a_port_that_may_be_reused_is_in_use_until_it_is),
	TEST(what_is_in_use_at_once_is_no_more_than_told),
	TEST(a_destination_has_no_more_in_use_than_told),
	TEST(a_recovery_is_told_where_the_first_connection_has_it),
	TEST(a_recovery_waits_for_the_next_that_is_due),
	TEST(a_port_that_was_missed_may_be_found_at_once),
	TEST(what_squat_may_have_of_named_ports_is_not_told),
	TEST(what_is_inherited_is_open_beside_the_slots),
	TEST(a_leak_has_a_slot_for_each_port),
	TEST(a_load_of_few_descriptors_has_no_more_open),
	TEST(a_proxy_loop_has_two_descriptors_for_each_port),
	TEST(a_churn_has_slots_for_what_is_under_way),
	TEST(held_connections_have_a_slot_each),
	TEST(a_server_that_resets_leaves_the_client_more_descriptors_than_ports),
	TEST(a_server_that_never_accepts_queues_all),
	TEST(a_far_end_has_a_descriptor_for_all_that_it_keeps),
	TEST(a_backlog_is_as_the_scenario_says),
	TEST(a_shared_hash_is_not_sized),
	TEST(a_counter_that_the_kernel_has_may_be_expected),
	TEST(samples_have_room_for_the_longest_run),
	TEST(what_a_gateway_lets_down_of_a_pool_may_have_every_port),
	TESTS_END,
};

const struct suite suite_plan_needs = {"plan: needs", tests};
