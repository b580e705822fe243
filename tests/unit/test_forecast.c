#include "plan/forecast.h"

#include <math.h>
#include <stdio.h>

#include "plan_help.h"
#include "suites.h"

#define SECOND INT64_C(1000000000)

enum says { HOLDS, REFUSES, CANNOT_TELL };

struct row {
	const char *lines;
	double life_s; /* negative: for ever */
	double rate;
	enum says says;
	uint64_t after;
};

static struct forecast forecast_of(const struct scenario *s, const struct host *host)
{
	uint32_t pairs = (uint32_t)(s->network.sources.count * s->network.servers.count *
				    s->network.services.count);
	struct budget b = budget_make(s->network.ports, &s->network.reserved, pairs);

	return forecast_make(s, &b, host);
}

static bool row_holds(const struct row *row, const struct forecast *f)
{
	bool life = row->life_s < 0 ? f->port_life_ns == FOR_EVER
				    : f->port_life_ns == (int64_t)llround(row->life_s * SECOND);
	bool rate = isnan(row->rate)   ? isnan(f->rate)
		    : isinf(row->rate) ? isinf(f->rate)
				       : fabs(f->rate - row->rate) < 1e-6;
	bool says = f->known == (row->says != CANNOT_TELL) && f->exhausts == (row->says == REFUSES);

	return life && rate && says && (row->says != REFUSES || f->after == row->after);
}

static void rows_check(const struct row *rows, size_t count, const struct host *host)
{
	struct arena a = help_arena();

	for (size_t i = 0; i < count; i++) {
		struct forecast f = forecast_of(help_scenario(rows[i].lines, &a), host);

		if (!row_holds(&rows[i], &f)) {
			printf("\n%s\n  life %.3f s, rate %.3f/s, exhausts %d, known %d, after "
			       "%llu\n",
			       rows[i].lines, (double)f.port_life_ns / SECOND, f.rate, f.exhausts,
			       f.known, (unsigned long long)f.after);
			CU_FAIL("a forecast is not as the arithmetic says");
		}
	}
	arena_close(&a);
}

#define ROWS_CHECK(rows, host) rows_check((rows), sizeof(rows) / sizeof((rows)[0]), (host))
#define FEW "network: {ports: 40000-40031}\n"
#define TWO "network: {ports: 40000-40031, servers: 2}\nserver: {delay: 100ms, jitter: 50%}\n"

/* A connection may end before the server has accepted it, and its client goes on: 24 in 1 ms, or in 0.5 s. */
static void a_client_may_go_on_before_it_is_accepted(void)
{
	struct arena a = help_arena();
	struct plan p = help_plan("network: {ports: 40000-40007}\nserver: {accept_every: 20ms}\n"
				  "load: {concurrency: 5, total: 24}\nstop: {time: 90ms}",
				  NULL, 1, &a);

	CU_ASSERT(!p.forecast.known);
	arena_close(&a);
}

/* Seven wait for the FIN of a server that dies, and go on while their ports wait. */
static void a_server_that_dies_lets_its_clients_go_on(void)
{
	struct arena a = help_arena();
	struct plan p =
		help_plan("network: {ports: 40000-40007}\nserver: {behaviour: ignore, die: 800ms}\n"
			  "load: {concurrency: 7, duration: 1300ms, timeout: 2s, end: shutdown, "
			  "on_failure: continue}",
			  NULL, 1, &a);

	CU_ASSERT(!p.forecast.known);
	arena_close(&a);
}

/* connect() may miss one port of an odd range; and a connect that is timed may have the last one. */
static void who_wants_the_last_port_may_lack_it(void)
{
	static const struct {
		const char *lines;
		bool known;
	} rows[] = {
		{"ports: 40000-40032}\nload: {total: 32}", true},
		{"ports: 40000-40032}\nload: {total: 33}", false},
		{"ports: 40000-40032}\nload: {total: 33, order: fast}", true},
		{"ports: 40000-40032, sources: 3}\nload: {total: 96}", true},
		{"ports: 40000-40032, sources: 3}\nload: {total: 97}", false},
		{"ports: 40000-40032}\nload: {hold: 1s, end: reset, concurrency: 33}", false},
		{"ports: 40000-40032}\nload: {end: leak, rate: 1/s}\nstop: {time: 32s}", true},
		{"ports: 40000-40032}\nload: {end: leak, rate: 1/s}\nstop: {time: 33s}", false},
		{"ports: 40000-40031}\nsample: {latency: 1s}\nload: {total: 31}", true},
		{"ports: 40000-40031}\nsample: {latency: 1s}\nload: {total: 32}", false},
		{"ports: 40000-40032}\nloads: {a: {total: 16}, b: {total: 16}}", true},
		{"ports: 40000-40032}\nloads: {a: {total: 16}, b: {total: 17}}", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		struct plan p =
			help_plan(text_format(&a, "network: {%s", rows[i].lines).s, NULL, 1, &a);

		if (p.forecast.known != rows[i].known)
			printf("\n%s: %d\n", rows[i].lines, p.forecast.known);
		CU_ASSERT_EQUAL(p.forecast.known, rows[i].known);
		CU_ASSERT(!p.forecast.exhausts);
		arena_close(&a);
	}
}

// clang-format off
static void what_is_never_closed_holds_its_port_for_ever(void)
{
	static const struct row rows[] = {
		{FEW "load: {end: leak}", -1, 0, REFUSES, 32},
		{FEW "load: {end: leak, total: 32}", -1, 0, HOLDS, 0},
		{FEW "load: {end: leak, total: 33}", -1, 0, REFUSES, 32},
		{FEW "load: {end: leak, rate: 10/s, total: 100}", -1, 0, REFUSES, 32},
		{FEW "load: {end: leak, rate: 10/s, duration: 3s}", -1, 0, HOLDS, 0},
		{FEW "load: {end: leak, rate: 10/s}\nstop: {time: 2s}", -1, 0, HOLDS, 0},
		{"load: {end: leak, order: fast}", -1, 0, REFUSES, 28232},
		{"load: {end: leak, order: kernel}", -1, 0, REFUSES, 28232},
		{"network: {ports: 1024-65535}\nload: {end: leak, order: kernel}", -1, 0, CANNOT_TELL, 0},
		{FEW "server: {behaviour: never-accept}\nload: {end: leak}", -1, 0, REFUSES, 32},
		/* the fifth round begins at 1.36 s, and each before it may be late */
		{FEW "load: {concurrency: 8, duration: 1400ms, hold: 200ms, end: leak, request: {pause: 140ms}}",
			-1, 0, CANNOT_TELL, 0},
		{FEW "load: {concurrency: 8, duration: 1500ms, hold: 200ms, end: leak, request: {pause: 140ms}}",
			-1, 0, REFUSES, 32},
		{FEW "server: {behaviour: close}\nload: {end: leak}", -1, 0, REFUSES, 32},
		{FEW "load: {end: inherit}", -1, 0, REFUSES, 32},
		{FEW "server: {behaviour: close}\nload: {end: inherit, total: 32}", -1, 0, HOLDS, 0},
	};
	const struct host host = help_host();

	ROWS_CHECK(rows, &host);
}

static void a_client_that_closes_first_holds_its_port_for_a_minute_more(void)
{
	static const struct row rows[] = {
		{FEW "load: {rate: 200/s, total: 320}", 60, 32 / 60., REFUSES, 32},
		{FEW "load: {rate: 200/s, total: 32}", 60, 32 / 60., HOLDS, 0},
		{FEW "load: {concurrency: 4, total: 320}", 60, 32 / 60., REFUSES, 32},
		{FEW "load: {rate: 200/s, total: 320, hold: 1s}", 61, 32 / 61., REFUSES, 32},
		{FEW "load: {rate: 30/min, duration: 1h}\nstop: {time: 1h}", 60, 32 / 60., HOLDS, 0},
		{FEW "load: {rate: 40/min, duration: 1h}\nstop: {time: 1h}", 60, 32 / 60., REFUSES, 32},
		/* its timer is late by up to 2.05 s: 31/min × 62.05 s = 32.06 */
		{FEW "load: {rate: 31/min, duration: 1h}\nstop: {time: 1h}", 60, 32 / 60., CANNOT_TELL, 0},
		{"network: {ports: 40000-40603}\nload: {rate: 10/s}\nstop: {time: 64s}", 60, 604 / 60., CANNOT_TELL, 0},
		{"network: {ports: 40000-40619}\nload: {rate: 10/s}\nstop: {time: 64s}", 60, 10 + 1 / 3., CANNOT_TELL, 0},
		{"network: {ports: 40000-40621}\nload: {rate: 10/s}\nstop: {time: 64s}", 60, 622 / 60., HOLDS, 0},
		/* the server never closes: FIN_WAIT2 */
		{FEW "server: {behaviour: never-accept}\nload: {rate: 200/s, total: 320}", 60, 32 / 60., REFUSES, 32},
		{"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_fin_timeout: 5}}\n"
		 "server: {behaviour: never-accept}\nload: {rate: 200/s, total: 320}", 5, 32 / 5., REFUSES, 32},
		{"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_fin_timeout: 1}}\n"
		 "server: {behaviour: never-accept}\nload: {rate: 20/s, total: 320}", 1, 32, HOLDS, 0},
		/* three and a half times the RTO at least, whatever is set */
		{"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_fin_timeout: -1}}\n"
		 "server: {behaviour: hold}\nload: {rate: 10/s, total: 100}", 0.7, 32 / 0.7, HOLDS, 0},
		{"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_fin_timeout: 0, net.ipv4.tcp_rto_min_us: 400000}}\n"
		 "server: {behaviour: hold}\nload: {rate: 10/s, total: 100}", 1.4, 32 / 1.4, HOLDS, 0},
		/* a half-close is one; without an answer it waits for as long as it may */
		{FEW "load: {rate: 200/s, total: 320, end: shutdown}", 60, 32 / 60., REFUSES, 32},
		{FEW "server: {behaviour: hold}\nload: {rate: 200/s, total: 320, end: shutdown}", 62, 32 / 62., REFUSES, 32},
		/* what is more than 60 s is waited for twice, and the 60 s are not */
		{"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_fin_timeout: 62}}\n"
		 "server: {behaviour: hold}\nload: {rate: 1/s, total: 40}", 4, 8, HOLDS, 0},
		{"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_fin_timeout: 61, net.ipv4.tcp_rto_min_us: 400000}}\n"
		 "server: {behaviour: hold}\nload: {rate: 1/s, total: 40}", 2.4, 32 / 2.4, HOLDS, 0},
		{"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_fin_timeout: 120}}\n"
		 "server: {behaviour: hold}\nload: {rate: 40/s, total: 40}", 120, 32 / 120., REFUSES, 32},
		/* and tcp_fin_timeout has no say in TIME_WAIT */
		{"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_fin_timeout: 5}}\n"
		 "load: {rate: 200/s, total: 320}", 60, 32 / 60., REFUSES, 32},
	};
	const struct host host = help_host();

	ROWS_CHECK(rows, &host);
}

static void a_shortened_time_wait_is_what_is_reckoned_with(void)
{
#define SHORT "network: {ports: 40000-40031, time_wait: 6s}\n"
	static const struct row rows[] = {
		{SHORT "load: {rate: 200/s, total: 320}", 6, 32 / 6., REFUSES, 32},
		{SHORT "load: {rate: 5/s, total: 320}", 6, 32 / 6., HOLDS, 0},
		/* lastport's own thread ends it, and may be held up */
		{SHORT "load: {rate: 318/min, total: 320}", 6, 32 / 6., CANNOT_TELL, 0},
		{SHORT "load: {rate: 200/s, total: 320, hold: 1s}", 7, 32 / 7., REFUSES, 32},
		/* what is no TIME_WAIT lasts as long as ever */
		{SHORT "server: {behaviour: hold}\nload: {rate: 200/s, total: 320}", 60, 32 / 60., REFUSES, 32},
		{SHORT "load: {end: leak}", -1, 0, REFUSES, 32},
		/* the kernel may be sooner */
		{"network: {ports: 40000-40031, time_wait: 6s, sysctl: {net.ipv4.tcp_tw_reuse: 1}}\n"
		 "load: {rate: 20/s, total: 320}", 1, 32, HOLDS, 0},
		{"network: {ports: 40000-40031, time_wait: 200ms, sysctl: {net.ipv4.tcp_tw_reuse: 1}}\n"
		 "load: {rate: 60/s, total: 320}", 0.2, 160, HOLDS, 0},
	};
	const struct host host = help_host();

	ROWS_CHECK(rows, &host);
}

static void time_wait_is_cut_short_where_the_kernel_reuses_it(void)
{
#define LO "topology: loopback, ports: 40000-40031"
	static const struct row rows[] = {
		{"network: {" LO "}\nload: {rate: 20/s, total: 320}", 1, 32, HOLDS, 0},
		{"network: {" LO "}\nload: {rate: 200/s, total: 320}", 1, 32, REFUSES, 32},
		{"network: {" LO ", sysctl: {net.ipv4.tcp_tw_reuse_delay: 100}}\nload: {rate: 200/s, total: 320}",
		 0.1, 320, HOLDS, 0},
		{"network: {" LO ", sysctl: {net.ipv4.tcp_tw_reuse: 0}}\nload: {rate: 20/s, total: 320}",
		 60, 32 / 60., REFUSES, 32},
		{"network: {" LO ", sysctl: {net.ipv4.tcp_timestamps: 0}}\nload: {rate: 20/s, total: 320}",
		 60, 32 / 60., REFUSES, 32},
		/* 2, the default, is about loopback alone */
		{FEW "load: {rate: 20/s, total: 320}", 60, 32 / 60., REFUSES, 32},
		{"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 1}}\nload: {rate: 20/s, total: 320}",
		 1, 32, HOLDS, 0},
		{"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 1, net.ipv4.tcp_timestamps: 0}}\n"
		 "load: {rate: 20/s, total: 320}", 60, 32 / 60., REFUSES, 32},
		/* a peer without timestamps has the same effect */
		{"network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_tw_reuse: 1}}\n"
		 "server: {sysctl: {net.ipv4.tcp_timestamps: 0}}\nload: {rate: 20/s, total: 320}",
		 60, 32 / 60., REFUSES, 32},
	};
#undef LO
	const struct host host = help_host();

	ROWS_CHECK(rows, &host);
}

static void a_kernel_that_counts_whole_seconds_may_reuse_sooner(void)
{
	static const struct row rows[] = {
		{"network: {topology: loopback, ports: 40000-40031}\nload: {rate: 200/s, total: 320}",
		 1, 32, CANNOT_TELL, 0},
		{"network: {topology: loopback, ports: 40000-40031}\nload: {rate: 20/s, total: 320}", 1, 32, HOLDS, 0},
	};
	struct host host = help_host();

	host.tw_reuse_delay = -1;
	ROWS_CHECK(rows, &host);
}

static void live_connections_hold_a_port_each(void)
{
	static const struct row rows[] = {
		{FEW "load: {rate: 200/s, total: 320, hold: 2s, end: reset}", 2, 16, REFUSES, 32},
		{FEW "load: {rate: 10/s, total: 320, hold: 2s, end: reset}", 2, 16, HOLDS, 0},
		{FEW "load: {concurrency: 33, hold: 2s, end: reset}", 2, 16, REFUSES, 32},
		{FEW "load: {concurrency: 24, hold: 2s, end: reset}", 2, 16, HOLDS, 0},
		{FEW "load: {concurrency: 31, hold: 2s, end: reset}", 2, 16, CANNOT_TELL, 0},
		/* of two servers, whose answers come as they like, all may be one's */
		{TWO "load: {concurrency: 24, end: reset, request: {send: 8B, receive: 8B}}", 0.1, 640, HOLDS, 0},
		{TWO "load: {concurrency: 48, end: reset, request: {send: 8B, receive: 8B}}", 0.1, 640, CANNOT_TELL, 0},
		/* who asks for no answer waits for none, however slow the server is */
		{TWO "load: {rate: 800/s, total: 100, end: reset, request: {send: 8B}}", 0, INFINITY, HOLDS, 0},
		{FEW "server: {delay: 3s}\nload: {rate: 100/s, total: 40, hold: 1s, request: {send: 8B}}", 63, 32 / 63., REFUSES, 32},
		{FEW "server: {delay: 3s}\nload: {rate: 2/s, total: 40, end: shutdown, request: {send: 8B}}", 63, 32 / 63., REFUSES, 32},
		{FEW "load: {concurrency: 33, total: 32, hold: 2s, end: reset}", 2, 16, HOLDS, 0},
	};
	const struct host host = help_host();

	ROWS_CHECK(rows, &host);
}

static void ports_are_free_at_once_after_a_reset_or_when_the_server_closes_first(void)
{
	static const struct row rows[] = {
		{FEW "load: {rate: 1k/s, total: 320, end: reset}", 0, INFINITY, HOLDS, 0},
		{FEW "load: {concurrency: 8, total: 320, end: reset}", 0, INFINITY, HOLDS, 0},
		/* a client that does not wait for the server's RST has others while that is held up */
		{FEW "server: {behaviour: reset}\nload: {concurrency: 8, total: 320}", 0, INFINITY, CANNOT_TELL, 0},
		{FEW "server: {behaviour: reset}\nload: {concurrency: 8, total: 32}", 0, INFINITY, HOLDS, 0},
		{FEW "server: {behaviour: reset}\nload: {concurrency: 8, total: 320, end: wait}", 0, INFINITY, HOLDS, 0},
		{FEW "server: {behaviour: reset}\nload: {concurrency: 8, total: 320, end: reset}", 0, INFINITY, HOLDS, 0},
		{FEW "server: {behaviour: reset}\nload: {concurrency: 8, total: 320, hold: 130ms}", 0, INFINITY, HOLDS, 0},
		{FEW "server: {behaviour: reset}\nload: {concurrency: 8, total: 320, hold: 70ms}", 0, INFINITY, CANNOT_TELL, 0},
		{FEW "load: {concurrency: 8, total: 320, end: disconnect}", 0, INFINITY, HOLDS, 0},
		{FEW "load: {rate: 100k/s, total: 320, end: reset}", 0, INFINITY, CANNOT_TELL, 0},
		{FEW "server: {behaviour: close}\nload: {rate: 1k/s, total: 320, end: wait}", 0, INFINITY, HOLDS, 0},
		{FEW "server: {behaviour: close}\nload: {rate: 500/s, total: 320, end: wait, hold: 10ms}",
		 0.01, 3200, HOLDS, 0},
		{FEW "server: {behaviour: close}\nload: {rate: 100/s, total: 320, hold: 100ms}", 0.1, 320, HOLDS, 0},
		/* the server's reset frees the port, though the client keeps its descriptor */
		{FEW "server: {behaviour: reset}\nload: {rate: 1k/s, total: 320, end: leak}", 0, INFINITY, HOLDS, 0},
		{FEW "server: {behaviour: reset}\nload: {rate: 1k/s, total: 320, hold: 1m}", 0, INFINITY, HOLDS, 0},
	};
	const struct host host = help_host();

	ROWS_CHECK(rows, &host);
}

static void connects_that_fail_hold_a_port_while_they_last(void)
{
	static const struct row rows[] = {
		{FEW "server: {behaviour: refuse}\nload: {concurrency: 4, total: 2000}", 0, INFINITY, HOLDS, 0},
		{FEW "server: {behaviour: refuse}\nload: {rate: 1k/s, total: 2000, hold: 1m, end: leak}", 0, INFINITY, HOLDS, 0},
		/* none was opened when the 33rd is refused */
		{FEW "server: {behaviour: drop}\nload: {rate: 200/s, total: 320}", 2, 16, REFUSES, 0},
		{FEW "server: {behaviour: drop}\nload: {rate: 200/s, total: 320, timeout: 100ms, hold: 1m}", 0.1, 320, HOLDS, 0},
		{FEW "server: {behaviour: drop}\nload: {concurrency: 16, total: 320}", 2, 16, HOLDS, 0},
		/* 20 at once, three times more often than they are begun */
		{FEW "server: {behaviour: drop}\nload: {rate: 200/s, total: 320, timeout: 100ms}", 0.1, 320, HOLDS, 0},
		{FEW "server: {behaviour: drop}\nload: {rate: 200/s, total: 320, timeout: 100ms, on_failure: {retry: 3, wait: 10ms}}", 0.1, 80, REFUSES, 0},
		{FEW "server: {behaviour: drop}\nload: {rate: 50/s, total: 320, timeout: 100ms, on_failure: {retry: 3, wait: 10ms}}", 0.1, 80, HOLDS, 0},
		/* a connect of UDP asks nobody */
		{FEW "server: {behaviour: drop}\nload: {protocol: udp, end: leak}", -1, 0, REFUSES, 32},
		{FEW "server: {behaviour: refuse}\nload: {protocol: udp, rate: 200/s, hold: 2s, total: 320}", 2, 16, REFUSES, 32},
		{FEW "server: {behaviour: drop}\nload: {rate: 200/s, total: 32}", 2, 16, HOLDS, 0},
		/* until the kernel gives it up, or the load does */
		{FEW "server: {behaviour: drop}\n"
		 "load: {rate: 8/s, total: 40, timeout: 10s, on_failure: continue, options: {syn_count: 1}}", 3, 32 / 3., HOLDS, 0},
		{FEW "server: {behaviour: drop}\n"
		 "load: {rate: 8/s, total: 40, timeout: 10s, on_failure: continue}", 10, 3.2, REFUSES, 0},
		/* its socket waits for an answer */
		{FEW "server: {behaviour: drop}\nload: {protocol: udp, rate: 200/s, total: 320, request: {send: 8B, receive: 8B}}", 2, 16, REFUSES, 32},
		{FEW "server: {delay: 1s}\nload: {protocol: udp, rate: 200/s, hold: 1s, total: 320, request: {send: 8B, receive: 8B}}", 2, 16, REFUSES, 32},
		{FEW "server: {delay: 100ms}\nload: {protocol: udp, rate: 200/s, total: 320, request: {send: 8B, receive: 8B}}", 0.1, 320, HOLDS, 0},
		/* perhaps too late for its timeout, on a machine that is held up; and half of them, each as late as it is */
		{FEW "server: {delay: 900ms}\nload: {protocol: udp, rate: 20/s, duration: 2s, timeout: 1s, request: {send: 8B, receive: 8B}}", 0.9, 32 / .9, HOLDS, 0},
		{FEW "server: {delay: 1s, jitter: 50%}\nload: {protocol: udp, rate: 20/s, duration: 2s, timeout: 1s, request: {send: 8B, receive: 8B}}", 0.875, 32 / .875, HOLDS, 0},
		{FEW "server: {behaviour: drop}\nload: {protocol: udp, rate: 200/s, total: 320, request: {send: 8B}}", 0, INFINITY, HOLDS, 0},
		/* until the kernel says that nobody is there, or does not say it */
		{FEW "server: {behaviour: refuse}\nload: {protocol: udp, rate: 200/s, total: 320, request: {send: 8B, receive: 8B}}", 2, 16, CANNOT_TELL, 0},
		{FEW "server: {behaviour: refuse}\nload: {protocol: udp, connected: false, rate: 200/s, total: 320, request: {send: 8B, receive: 8B}}", 2, 16, REFUSES, 32},
	};
	const struct host host = help_host();

	ROWS_CHECK(rows, &host);
}

static void a_server_that_keeps_its_end_open_keeps_the_port_in_fin_wait2(void)
{
	static const struct row rows[] = {
		{FEW "server: {behaviour: hold}\nload: {rate: 200/s, total: 320}", 60, 32 / 60., REFUSES, 32},
		{FEW "server: {behaviour: ignore}\nload: {rate: 200/s, total: 320}", 60, 32 / 60., REFUSES, 32},
		{FEW "server: {behaviour: ignore}\nload: {rate: 1k/s, total: 320, end: reset}", 0, INFINITY, HOLDS, 0},
		{FEW "server: {behaviour: accept-close}\nload: {rate: 1k/s, total: 320, end: wait}", 0, INFINITY, HOLDS, 0},
		{FEW "server: {behaviour: accept-close}\nload: {end: leak}", -1, 0, REFUSES, 32},
		/* what it is asked it answers with a RST, whatever the end */
		{FEW "server: {behaviour: accept-close}\n"
		 "load: {rate: 20/s, total: 60, request: {send: 8B, receive: 8B}}", 0, INFINITY, HOLDS, 0},
		{FEW "server: {behaviour: accept-close}\n"
		 "load: {rate: 20/s, total: 60, end: leak, request: {send: 8B, receive: 8B}}", 0, INFINITY, HOLDS, 0},
		/* the first that has no answer ends the load, whatever is tried again */
		{FEW "server: {behaviour: ignore}\nload: {burst: {size: 8, every: 500ms}, hold: 1200ms, timeout: 400ms, "
		 "on_failure: {retry: 3}, request: {send: 8B, receive: 8B}}", 60.4, 32 / 60.4, HOLDS, 0},
		/* and what wants no answer */
		{FEW "server: {behaviour: accept-close}\n"
		 "load: {rate: 40/s, total: 60, hold: 2s, end: leak, request: {send: 8B}}", 0, INFINITY, HOLDS, 0},
		/* what has no room in its window keeps the FIN back, and the kernel gives it up */
		{FEW "server: {behaviour: ignore}\n"
		 "load: {rate: 20/s, total: 60, timeout: 500ms, on_failure: continue, "
		 "request: {send: 1MiB, receive: 8B}}", 60.5, 32 / 60.5, CANNOT_TELL, 0},
		{FEW "server: {behaviour: ignore}\n"
		 "load: {rate: 20/s, total: 60, timeout: 500ms, on_failure: continue, "
		 "request: {send: 1KiB, receive: 8B}}", 60.5, 32 / 60.5, REFUSES, 32},
	};
	const struct host host = help_host();

	ROWS_CHECK(rows, &host);
}

/* What ends a connection, or answers it, comes no sooner than it is accepted: ten a second are. */
static void a_server_that_accepts_slowly_keeps_ports_in_use(void)
{
	static const struct row rows[] = {
		{FEW "server: {behaviour: reset, accept_every: 100ms}\n"
		 "load: {rate: 100/s, total: 60, end: leak}", 6, NAN, CANNOT_TELL, 0},
		{FEW "server: {accept_every: 100ms}\n"
		 "load: {rate: 100/s, total: 60, end: reset, request: {send: 8B, receive: 8B}, timeout: 10s}", 6, NAN, CANNOT_TELL, 0},
		/* who gives up sooner: 6 of 32 ports at once; and of 20 within the first's 0.4 s none is back */
		{FEW "server: {accept_every: 100ms}\n"
		 "load: {rate: 20/s, duration: 4s, end: reset, request: {send: 8B, receive: 8B}, timeout: 300ms}", 0.3, NAN, HOLDS, 0},
		{FEW "server: {accept_every: 100ms}\n"
		 "load: {rate: 100/s, duration: 1s, end: reset, request: {send: 8B, receive: 8B}, timeout: 300ms}", 0.3, NAN, CANNOT_TELL, 0},
		{FEW "server: {accept_every: 100ms}\n"
		 "load: {rate: 100/s, duration: 1s, request: {send: 8B, receive: 8B}, timeout: 1s}", 61, NAN, REFUSES, 32},
		{FEW "server: {accept_every: 100ms}\n"
		 "load: {rate: 50/s, duration: 1s, request: {send: 8B, receive: 8B}, timeout: 300ms}", 60.3, NAN, CANNOT_TELL, 0},
		/* what is reset is free at once, and what finds the backlog full hangs */
		{FEW "server: {behaviour: never-accept, backlog: 10}\n"
		 "load: {rate: 20/s, duration: 1s, end: reset, timeout: 500ms, on_failure: continue}", 0, NAN, HOLDS, 0},
		/* all answers are too late, and end FIN_WAIT2 as they come: not before the 33rd, due at 0.64 s */
		{FEW "server: {delay: 2s}\n"
		 "load: {rate: 50/s, duration: 3s, request: {send: 8B, receive: 8B}, timeout: 500ms, on_failure: continue}", 2, 16, REFUSES, 32},
		{FEW "server: {behaviour: reset, accept_every: 100ms}\n"
		 "load: {rate: 5/s, total: 60, end: leak}", 0.1, 320, HOLDS, 0},
		/* who does not wait for it */
		{FEW "server: {accept_every: 100ms}\nload: {rate: 100/s, total: 60, end: reset}", 0, INFINITY, HOLDS, 0},
		{FEW "server: {accept_every: 100ms}\nload: {rate: 100/s, total: 60, end: leak}", -1, 0, REFUSES, 32},
	};
	const struct host host = help_host();

	ROWS_CHECK(rows, &host);
}

static void what_a_server_does_before_it_changes_is_all_that_can_be_told(void)
{
	static const struct row rows[] = {
		{FEW "server: {die: 1s}\nload: {rate: 200/s, total: 320}", 60, 32 / 60., REFUSES, 32},
		{FEW "server: {die: 100ms}\nload: {rate: 200/s, total: 320}", 60, 32 / 60., CANNOT_TELL, 0},
		{FEW "server: {die: 100ms}\nload: {rate: 200/s, total: 32}", 60, 32 / 60., HOLDS, 0},
		{FEW "server: {vanish: 1s}\nload: {rate: 200/s, total: 320}", 60, 32 / 60., REFUSES, 32},
		{FEW "server: {vanish: 100ms}\nload: {rate: 200/s, total: 320}", 60, 32 / 60., CANNOT_TELL, 0},
		/* UDP learns nothing of it: each waits for its timeout */
		{FEW "server: {vanish: 300ms}\nload: {protocol: udp, rate: 100/s, total: 60, timeout: 500ms, "
		     "request: {send: 8B, receive: 8B}}", 0.5, 32 / .5, CANNOT_TELL, 0},
		{FEW "server: {die: 31s}\nload: {rate: 20/s, total: 320, end: reset}", 0, INFINITY, HOLDS, 0},
		/* an answer that comes after the close is met by a RST: no TIME_WAIT */
		{FEW "server: {behaviour: hold, delay: 400ms}\n"
		 "load: {rate: 50/s, total: 40, request: {send: 8B, receive: 8B}, timeout: 100ms}", 0.4, 80, HOLDS, 0},
		{FEW "server: {behaviour: hold, delay: 1s}\n"
		 "load: {rate: 50/s, total: 40, request: {send: 8B, receive: 8B}, timeout: 200ms, "
		 "end: shutdown, on_failure: continue}", 1, 32, REFUSES, 32},
		{FEW "server: {delay: 400ms}\n"
		 "load: {rate: 50/s, total: 40, request: {send: 8B, receive: 8B}, timeout: 100ms}", 0.4, 80, HOLDS, 0},
		{FEW "server: {delay: 100ms}\n"
		 "load: {rate: 50/s, total: 40, request: {send: 8B, receive: 8B}, timeout: 100ms}", 60.1, 32 / 60.1, CANNOT_TELL, 0},
		/* of UDP most are not refused, and wait for an answer until their timeout */
		{FEW "server: {die: 300ms}\n"
		 "load: {protocol: udp, rate: 50/s, total: 150, request: {send: 8B, receive: 8B}, timeout: 2s}", 2, 16, CANNOT_TELL, 0},
		/* a closed loop is quicker with those that are */
		{FEW "server: {die: 800ms}\n"
		 "load: {protocol: udp, concurrency: 4, total: 120, duration: 1s, end: leak, hold: 20ms, timeout: 200ms, "
		 "request: {send: 8B, receive: 8B}}", -1, 0, CANNOT_TELL, 0},
		/* what the backlog has no room for hangs, and has its port until its timeout */
		{FEW "server: {behaviour: never-accept, backlog: 4}\nload: {end: leak}", -1, 0, REFUSES, 5},
		/* 16 connects are timed in the 0.32 s, and have a place each */
		{FEW "server: {behaviour: never-accept, backlog: 40}\nload: {rate: 100/s, end: leak}\n"
		 "sample: {latency: 20ms}", -1, 0, REFUSES, 41 - 16},
		{"network: {ports: 40000-40003, reserved: [40000-40003]}\n"
		 "server: {behaviour: never-accept, backlog: 4}\nload: {rate: 10/s, total: 3, end: leak}", -1, 0,
		 REFUSES, 0},
		{FEW "server: {accept_every: 1s, backlog: 4}\nload: {end: leak}", -1, 0, REFUSES, 6},
		{FEW "server: {accept_every: 1s, backlog: 4}\nload: {end: leak, rate: 30/s, timeout: 1s}", -1, 0,
		 REFUSES, 7},
		{FEW "server: {accept_every: 1s}\nload: {end: leak}", -1, 0, REFUSES, 32},
		{FEW "server: {backlog: 4}\nload: {end: leak}", -1, 0, REFUSES, 32},
	};
	const struct host host = help_host();

	ROWS_CHECK(rows, &host);
}

static void a_pool_opens_what_it_does_not_keep(void)
{
	static const struct row rows[] = {
		{FEW "load: {concurrency: 10, pool: {max_idle: 10}}", 60, NAN, HOLDS, 0},
		{FEW "load: {concurrency: 10, pool: {max_idle: 9}}", 60, NAN, CANNOT_TELL, 0},
		{FEW "load: {concurrency: 33, pool: {max_idle: 33}}", 60, NAN, CANNOT_TELL, 0},
		{FEW "load: {concurrency: 33, total: 32, pool: {max_idle: 1}}", 60, NAN, HOLDS, 0},
		{FEW "load: {concurrency: 10, pool: {max_idle: 10}, request: {per_connection: 99}}",
		 60, NAN, CANNOT_TELL, 0},
		{FEW "load: {rate: 10/s, pool: {max_idle: 10}}", 60, NAN, HOLDS, 0},
		{FEW "load: {rate: 200/s, hold: 50ms, pool: {max_idle: 20}}", 60.05, NAN, CANNOT_TELL, 0},
		/* a hundred at once, whatever it keeps: none has ended when the 33rd begins */
		{FEW "load: {rate: 100/s, hold: 1s, pool: {max_idle: 1}}", 61, NAN, REFUSES, 32},
		{FEW "load: {rate: 100/s, hold: 1s, pool: {max_idle: 200}}", 61, NAN, REFUSES, 32},
		{FEW "load: {rate: 100/s, hold: 330ms, pool: {max_idle: 200}}", 60.33, NAN, CANNOT_TELL, 0},
		{"network: {ports: 40000-40031, servers: 2}\nload: {rate: 100/s, hold: 1s, pool: {max_idle: 1}}", 61, NAN, REFUSES, 64},
		/* two at once to each of three, which keep them; and one of the two */
		{"network: {ports: 40000-40399, servers: 3}\nload: {rate: 300/s, hold: 20ms, pool: {max_idle: 2}}", 60.02, NAN, HOLDS, 0},
		{"network: {ports: 40000-40399, servers: 3}\nload: {rate: 300/s, hold: 20ms, pool: {max_idle: 1}}", 60.02, NAN, CANNOT_TELL, 0},
		/* what half of 100/s open is given back in time */
		{"load: {rate: 100/s, hold: 20ms, pool: {max_idle: 1}}\nstop: {time: 1h}", 60.02, NAN, HOLDS, 0},
		/* ten at once, all in step: eight open anew in each round, and 32 ports are used up in the fourth */
		{FEW "load: {concurrency: 10, total: 100, hold: 50ms, pool: {max_idle: 2}, request: {send: 8B, pause: 50ms}}",
		 60.05, NAN, REFUSES, 32},
		{FEW "load: {concurrency: 10, total: 30, hold: 50ms, pool: {max_idle: 2}, request: {send: 8B, pause: 50ms}}",
		 60.05, NAN, HOLDS, 0},
		{FEW "load: {concurrency: 10, total: 100, hold: 50ms, pool: {max_idle: 2}, request: {send: 8B}}",
		 60.05, NAN, CANNOT_TELL, 0},
		/* one less than the clients: 10 + 9 rounds x 1 */
		{FEW "load: {concurrency: 10, total: 100, hold: 50ms, pool: {max_idle: 9}, request: {send: 8B}}",
		 60.05, NAN, HOLDS, 0},
		{FEW "server: {behaviour: close}\nload: {concurrency: 10, pool: {max_idle: 10}, "
		     "request: {per_connection: 99}}",
		 60, NAN, CANNOT_TELL, 0},
		/* and one request a connection is no pool */
		{FEW "load: {rate: 200/s, total: 320, request: {send: 8B, receive: 1KiB}}",
		 60, 32 / 60., REFUSES, 32},
		{FEW "load: {rate: 1k/s, total: 320, request: {send: 8B, receive: 1KiB, read: false}}",
		 0, INFINITY, HOLDS, 0},
		{FEW "server: {behaviour: ignore}\n"
		 "load: {rate: 200/s, total: 320, request: {send: 8B, receive: 1KiB}}",
		 62, 32 / 62., REFUSES, 32},
	};
	const struct host host = help_host();

	ROWS_CHECK(rows, &host);
}

/* A connect of UDP sends nothing: the 33rd was refused after 51 us. */
static void no_machine_is_too_quick_for_a_time(void)
{
	const struct host host = help_host();
	struct arena a = help_arena();
	struct forecast tcp = forecast_of(help_scenario(FEW "load: {end: leak}", &a), &host);
	struct forecast udp =
		forecast_of(help_scenario(FEW "load: {protocol: udp, end: leak}", &a), &host);

	CU_ASSERT(tcp.at.least >= 160e3);
	CU_ASSERT_DOUBLE_EQUAL(udp.at.least, 16e3, 1);
	arena_close(&a);
}

/* Sixteen rounds, each as short as all of its answers may be. */
static void no_round_is_longer_for_sure_than_its_quickest_answer(void)
{
	const struct host host = help_host();
	struct arena a = help_arena();
	struct forecast f = forecast_of(
		help_scenario(FEW "server: {delay: 40ms, jitter: 50%}\n"
			      "load: {concurrency: 2, request: {send: 8B, receive: 8B}}", &a),
		&host);

	CU_ASSERT_TRUE(f.exhausts);
	CU_ASSERT_TRUE(f.at.least >= 16 * 20e6 && f.at.least < 17 * 20e6);
	CU_ASSERT_TRUE(f.at.likely >= 16 * 40e6 && f.at.likely < 17 * 40e6);
	CU_ASSERT_TRUE(f.at.most >= 16 * 60e6);
	arena_close(&a);
}

static void a_mix_is_known_where_all_its_ends_agree(void)
{
	static const struct row rows[] = {
		{FEW "load: {rate: 200/s, total: 320, mix: {leak: 10%}}", -1, 0, REFUSES, 32},
		{FEW "load: {rate: 200/s, total: 320, mix: {reset: 50%}}", 60, 32 / 30., CANNOT_TELL, 0},
		{FEW "load: {rate: 200/s, total: 32, mix: {reset: 50%}}", 60, 32 / 30., HOLDS, 0},
		{FEW "load: {rate: 200/s, total: 320, mix: {reset: 100%}}", 0, INFINITY, HOLDS, 0},
		{FEW "load: {rate: 200/s, total: 320, end: leak, mix: {inherit: 50%}}", -1, 0, REFUSES, 32},
	};
	const struct host host = help_host();

	ROWS_CHECK(rows, &host);
}

static void a_race_for_the_first_close_cannot_be_told(void)
{
	static const struct row rows[] = {
		{FEW "server: {behaviour: close}\nload: {rate: 200/s, total: 320}", 60, 32 / 60., CANNOT_TELL, 0},
		{FEW "server: {behaviour: close}\nload: {rate: 200/s, total: 32}", 60, 32 / 60., HOLDS, 0},
	};
	const struct host host = help_host();

	ROWS_CHECK(rows, &host);
}

static void a_port_is_counted_for_each_destination_and_source(void)
{
	static const struct row rows[] = {
		{"network: {ports: 40000-40031, services: 2}\nload: {rate: 200/s, total: 320}",
		 60, 64 / 60., REFUSES, 64},
		{"network: {ports: 40000-40031, sources: 3, servers: 2}\nload: {rate: 200/s, total: 320}",
		 60, 192 / 60., REFUSES, 192},
		{"network: {ports: 40000-40031, reserved: [40000-40007]}\nload: {rate: 200/s, total: 320}",
		 60, 24 / 60., REFUSES, 24},
	};
	const struct host host = help_host();

	ROWS_CHECK(rows, &host);
}

static void no_more_wait_than_there_are_buckets(void)
{
#define SMALL(n) "network: {ports: 40000-40031, sysctl: {net.ipv4.tcp_max_tw_buckets: " #n "}}\n"
	static const struct row rows[] = {
		{SMALL(32) "load: {rate: 200/s, total: 320}", 60, 32 / 60., REFUSES, 32},
		/* what is closed beyond them has its port no longer: the others are for what is open */
		{SMALL(31) "load: {rate: 200/s, total: 320}", 60, 32 / 60., CANNOT_TELL, 0},
		{SMALL(0) "load: {rate: 200/s, total: 320}", 0, INFINITY, HOLDS, 0},
		{SMALL(10) "load: {rate: 40/s, total: 320}", 60, 32 / 60., HOLDS, 0},
		{SMALL(10) "load: {rate: 40/s, total: 320, hold: 20ms}", 60.02, 32 / 60.02, HOLDS, 0},
		{SMALL(10) "load: {rate: 60/s, total: 320, hold: 20ms}", 60.02, 32 / 60.02, CANNOT_TELL, 0},
		/* fewer wait at that rate: they are never reached */
		{SMALL(20) "load: {rate: 4/s, total: 320, hold: 1m, end: shutdown}", 120, 32 / 120., REFUSES, 32},
		/* 10 wait at most, and 2 are under way */
		{SMALL(10) "load: {concurrency: 2, total: 320, end: shutdown}", 60, 32 / 60., HOLDS, 0},
		{SMALL(24) "load: {concurrency: 2, total: 320, end: shutdown}", 60, 32 / 60., CANNOT_TELL, 0},
		{SMALL(10) "load: {concurrency: 2, total: 320, end: leak}", -1, 0, REFUSES, 32},
		{SMALL(10) "load: {concurrency: 2, total: 320}", 60, 32 / 60., CANNOT_TELL, 0},
		{SMALL(0) "load: {rate: 200/s, total: 320, hold: 1s}", 1, 32, REFUSES, 32},
		{SMALL(0) "load: {end: leak}", -1, 0, REFUSES, 32},
		/* to several destinations nobody knows whose those are: no less than without */
		{"network: {ports: 40000-40031, servers: 2, sysctl: {net.ipv4.tcp_max_tw_buckets: 40}}\n"
		 "load: {rate: 200/s, total: 320}", 60, 64 / 60., CANNOT_TELL, 0},
	};
#undef SMALL
	const struct host host = help_host();

	ROWS_CHECK(rows, &host);
}

/* Who is told by an ICMP that nobody listens ends with that, before the ports do; who is not, with the timeout. */
static void a_refused_datagram_ends_a_load_at_once(void)
{
	static const struct {
		const char *load;
		bool exhausts;
	} rows[] = {
		{"", false},
		{", connected: false", true},
		{", on_failure: continue", true},
		{", timeout: 10ms, connected: false", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = help_arena();
		const char *lines =
			text_format(&a,
				    "network: {ports: 40000-40007}\nserver: {behaviour: refuse}\n"
				    "load: {protocol: udp, rate: 422/s, total: 289, end: leak, bind: "
				    "any, request: {send: 64B, receive: 64B}%s}",
				    rows[i].load)
				.s;
		struct plan p = help_plan(lines, NULL, 1, &a);

		CU_ASSERT_EQUAL(p.forecast.known && p.forecast.exhausts, rows[i].exhausts);
		if ((p.forecast.known && p.forecast.exhausts) != rows[i].exhausts)
			printf("row %zu\n", i);
		arena_close(&a);
	}
}

static const struct test tests[] = {
	TEST(what_is_never_closed_holds_its_port_for_ever),
	TEST(a_client_that_closes_first_holds_its_port_for_a_minute_more),
	TEST(a_shortened_time_wait_is_what_is_reckoned_with),
	TEST(time_wait_is_cut_short_where_the_kernel_reuses_it),
	TEST(a_kernel_that_counts_whole_seconds_may_reuse_sooner),
	TEST(live_connections_hold_a_port_each),
	TEST(ports_are_free_at_once_after_a_reset_or_when_the_server_closes_first),
	TEST(connects_that_fail_hold_a_port_while_they_last),
	TEST(a_server_that_keeps_its_end_open_keeps_the_port_in_fin_wait2),
	TEST(a_server_that_accepts_slowly_keeps_ports_in_use),
	TEST(what_a_server_does_before_it_changes_is_all_that_can_be_told),
	TEST(a_pool_opens_what_it_does_not_keep),
	TEST(no_machine_is_too_quick_for_a_time),
	TEST(no_round_is_longer_for_sure_than_its_quickest_answer),
	TEST(a_mix_is_known_where_all_its_ends_agree),
	TEST(a_race_for_the_first_close_cannot_be_told),
	TEST(a_client_may_go_on_before_it_is_accepted),
	TEST(a_server_that_dies_lets_its_clients_go_on),
	TEST(who_wants_the_last_port_may_lack_it),
	TEST(a_port_is_counted_for_each_destination_and_source),
	TEST(no_more_wait_than_there_are_buckets),
	TEST(a_refused_datagram_ends_a_load_at_once),
	TESTS_END,
};
// clang-format on

const struct suite suite_forecast = {"forecast", tests};
