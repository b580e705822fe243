#include "contest.h"

#include "shards.h"
#include "start.h"

static struct cost floor_cost(const struct contestant *c)
{
	return run_floor(
		c->wish.lines,
		(struct floor_wish){.end = c->end, .count = c->wish.count, .window = c->window});
}

static struct cost probe_cost(const struct contestant *c)
{
	return run_probe(c->wish.lines, c->wish.count);
}

static struct cost our_cost(const struct contestant *c)
{
	return run_ours(&c->wish);
}

/* As many processes at a time as the other has threads. */
static struct cost shards_cost(const struct contestant *c)
{
	return run_shards(c->wish.lines, c->wish.count, c->wish.workers);
}

static struct cost our_memory(const struct contestant *c)
{
	return run_memory(&c->few, &c->wish);
}

static struct cost start_cost(const struct contestant *c)
{
	return run_start(c->wish.lines);
}

static struct cost peer_cost(const struct contestant *c)
{
	return peer_run(&(struct peer_wish){.peer = c->peer,
					    .lines = c->wish.lines,
					    .words = c->peer->churn,
					    .count = c->wish.count,
					    .web = c->wish.web})
		.cost;
}

/* A wide range, so that it is never half full, on 127/8 without its reuse; nobody samples. */
#define WIDE \
	"network: {topology: loopback, ports: 2048-65535, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
#define QUIET "sample: {every: 1m, sockets: 1h}\nstop: {time: 5m, when: never}\n"
#define UNACCEPTED WIDE QUIET "server: {behaviour: never-accept}\n"
#define ACCEPTED WIDE QUIET "server: {behaviour: answer}\n"
#define DEFAULT_RANGE QUIET "network: {ports: 32768-60999, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
#define DEFAULT_HELD DEFAULT_RANGE "server: {behaviour: never-accept}\n"

/* 28,000 connections are open while the load that is timed opens and resets its own, for several
 * seconds: a dump may come as seldom as every two. */
#define AMONG_28000(every, sockets) \
	"network: {ports: 2048-65535}\nsample: {every: " every ", sockets: " sockets "}\n" \
	"stop: {time: 5m, when: never}\n" \
	"loads:\n" \
	"  held: {total: 28000, concurrency: 256, end: leak}\n" \
	"  timed: {start: 3s, total: 150000, concurrency: 64, end: reset}\n"

#define PROBES \
	WIDE "sample: {every: 1m, sockets: 1h, latency: 1ms}\nstop: {time: 1m, when: never}\n" \
	     "server: {behaviour: never-accept}\nload: {rate: 1/s, total: 2, end: reset}"

/* As full as it gets, by who sets IP_LOCAL_PORT_RANGE to it: a floor may have 20,000 descriptors. */
#define FILLED \
	"network: {topology: loopback, ports: 40000-55999, sysctl: {net.ipv4.tcp_tw_reuse: " \
	"0}}\n" QUIET "server: {behaviour: never-accept}\n"
#define WINDOW(low, high) (UINT32_C(low) | UINT32_C(high) << 16)

/* Two servers, and ports of each: fast order fills them in a second. */
#define TWO_SERVERS \
	"network: {topology: loopback, ports: 2048-65535, servers: 2}\n" QUIET \
	"server: {behaviour: never-accept}\n"

/* Half of the connections to each; and a million: 64,500 to each of 16, in 8 GB of memory. */
#define TWO_SERVICES \
	"network: {topology: loopback, ports: 2048-65535, services: 2}\n" QUIET \
	"server: {behaviour: never-accept}\n"
#define SIXTEEN \
	"network: {topology: loopback, ports: 1024-65535, services: 16}\n" QUIET \
	"server: {behaviour: never-accept}\n"
#define MILLION "load: {concurrency: 64, total: 1032000, end: leak, order: fast}"

/* 32 ports over a pair of veths: full at once, and the run is over; or it goes on for five seconds
 * with nothing to be had. */
#define FULL(stop) \
	"network: {ports: 40000-40031}\n" stop \
	"load: {concurrency: 64, end: leak, on_failure: continue}"

/* The server is the bench's own, which speaks HTTP: lastport's far end does not listen. */
#define WEB WIDE QUIET "server: {behaviour: refuse}\n"
#define ASKS "end: wait, request: {send: 80B, receive: 96B}}"

#define OURS(text, n, ...) \
	{ \
		.run = our_cost, .wish = {.lines = text, .count = n, __VA_ARGS__ } \
	}
#define FLOOR(text, n, ...) \
	{ \
		.run = floor_cost, .wish = {.lines = text, .count = n}, __VA_ARGS__ \
	}
#define PEER(who, text, n, manner) \
	{ \
		.run = peer_cost, .wish = {.lines = text, .count = n, .web = manner}, \
		.peer = &peers[who] \
	}

// clang-format off
const struct contest contests[] = {
	{"reset", CPU | RATE,
	 FLOOR(UNACCEPTED, 30000, .end = FLOOR_RESET),
	 OURS(UNACCEPTED "load: {concurrency: 64, total: 30000, end: reset}", 30000),
	 {[FIGURE_CPU] = {1.10, 1.17}, [FIGURE_RATE] = {1.08, 1.14}}},
	{"close", CPU | RATE,
	 FLOOR(ACCEPTED, 24000, .end = FLOOR_CLOSE),
	 OURS(ACCEPTED "load: {concurrency: 64, total: 24000}", 24000),
	 {[FIGURE_CPU] = {1.10, 1.20}, [FIGURE_RATE] = {1.02, 1.15}}},
	{"hold", CPU | RATE,
	 FLOOR(UNACCEPTED, 15000, .end = FLOOR_HOLD),
	 OURS(UNACCEPTED "load: {concurrency: 64, total: 15000, end: leak}", 15000),
	 {[FIGURE_CPU] = {1.10, 1.15}, [FIGURE_RATE] = {1.08, 1.14}}},
	{"disconnect", CPU | RATE,
	 FLOOR(UNACCEPTED, 30000, .end = FLOOR_RESET),
	 OURS(UNACCEPTED "load: {concurrency: 64, total: 30000, end: disconnect}", 30000),
	 {[FIGURE_CPU] = {1.40, 1.50}, [FIGURE_RATE] = {1.40, 1.50}}},
	{"workers", CPU | RATE,
	 OURS(TWO_SERVICES "load: {concurrency: 64, total: 60000, end: reset}", 60000, .workers = 1),
	 OURS(TWO_SERVICES "load: {concurrency: 64, total: 60000, end: reset}", 60000, .workers = 2),
	 {[FIGURE_RATE] = {1.6, 1.9}}},
	{"million", CPU | RATE | SLOW | NAMED,
	 {.run = shards_cost, .wish = {.lines = SIXTEEN MILLION, .count = 1032000, .workers = 2}},
	 OURS(SIXTEEN MILLION, 1032000, .workers = 2),
	 {[FIGURE_RATE] = {1.0, 1.1}}},
	/* The same against floors that know the same: nobody has set goals, but slower must not be. */
	{"reuse", CPU | RATE,
	 FLOOR(UNACCEPTED, 30000, .end = FLOOR_DISCONNECT),
	 OURS(UNACCEPTED "load: {concurrency: 64, total: 30000, end: disconnect}", 30000),
	 {[FIGURE_CPU] = {1.00, 1.10}, [FIGURE_RATE] = {1.00, 1.10}}},
	{"window-held", CPU | RATE,
	 FLOOR(FILLED, 16000, .end = FLOOR_HOLD, .window = WINDOW(40000, 55999)),
	 OURS(FILLED "load: {concurrency: 64, total: 16000, end: leak, order: fast}", 16000),
	 {[FIGURE_CPU] = {1.00, 1.10}, [FIGURE_RATE] = {1.00, 1.10}}},
	{"window-waiting", CPU | RATE,
	 FLOOR(DEFAULT_RANGE, 28232, .end = FLOOR_CLOSE, .window = WINDOW(32768, 60999)),
	 OURS(DEFAULT_RANGE "load: {concurrency: 64, total: 28232, order: fast}", 28232),
	 {[FIGURE_CPU] = {1.00, 1.10}, [FIGURE_RATE] = {1.00, 1.10}}},
	{"probe", LATENCY,
	 {.run = probe_cost, .wish = {.lines = UNACCEPTED, .count = 1000}},
	 OURS(PROBES, 2),
	 {[FIGURE_LATENCY] = {1 / 1.15, 1 / 1.05}}},
	/* At 10 Hz, and a dump each second, as 2 % of a core allow: at most 2 % slower. Rounds differ by more
	 * than that; what the sampler's own thread takes does not. */
	{"sampling", CPU | RATE | SAMPLER,
	 OURS(AMONG_28000("1m", "1h"), 150000),
	 OURS(AMONG_28000("100ms", "1s"), 150000),
	 {[FIGURE_CPU] = {0.98, 1}, [FIGURE_RATE] = {0.98, 1}, [FIGURE_SAMPLER] = {2, 1}}},
	/* By the kernel's clock, which samples who runs: long enough for some hundred of its ticks. */
	{"user-space", USER | ALONE,
	 {.run = NULL},
	 OURS(UNACCEPTED "load: {concurrency: 64, total: 120000, end: reset}", 120000),
	 {[FIGURE_USER] = {7, 4.5}}},
	{"memory", MEMORY | ALONE,
	 {.run = NULL},
	 {.run = our_memory,
	  .few = {.lines = TWO_SERVERS "load: {concurrency: 64, total: 10000, end: leak}", .count = 10000},
	  .wish = {.lines = TWO_SERVERS "load: {concurrency: 64, total: 60000, end: leak}", .count = 60000}},
	 {[FIGURE_MEMORY] = {32, 12}}},
	{"exhausted", CORE | ALONE,
	 {.run = NULL},
	 OURS(FULL("stop: {when: never, time: 5s}\n"), 32),
	 {[FIGURE_CORE] = {1, 0.5}}},
	/* The command, with its networks, its samples and its files. */
	{"start", START | ALONE,
	 {.run = NULL},
	 {.run = start_cost, .wish = {.lines = FULL("stop: {when: exhausted}\n")}},
	 {[FIGURE_START] = {50, 40}}},
	{"fast-held", RATE | SLOW,
	 OURS(DEFAULT_HELD "load: {concurrency: 64, total: 28232, end: leak}", 28232),
	 OURS(DEFAULT_HELD "load: {concurrency: 64, total: 28232, end: leak, order: fast}", 28232),
	 {[FIGURE_RATE] = {15, 25}}},
	{"fast-waiting", RATE | SLOW,
	 OURS(DEFAULT_RANGE "load: {concurrency: 64, total: 28232}", 28232),
	 OURS(DEFAULT_RANGE "load: {concurrency: 64, total: 28232, order: fast}", 28232),
	 {[FIGURE_RATE] = {20, 34}}},
	/* Like for like: a connection and its close, with the same far end. */
	{"python", CPU | RATE,
	 PEER(PEER_PYTHON, ACCEPTED, 30000, NO_WEB),
	 OURS(ACCEPTED "load: {concurrency: 64, total: 30000}", 30000),
	 {[FIGURE_CPU] = {1.3, 1.5}, [FIGURE_RATE] = {1.3, 1.5}}},
	/* With a request each, to the same server, which closes first. They read HTTP, and we do not. */
	{"wrk", CPU | RATE,
	 PEER(PEER_WRK, WEB, 30000, WEB_CLOSE),
	 OURS(WEB "load: {concurrency: 64, total: 30000, " ASKS, 30000, .web = WEB_CLOSE),
	 {[FIGURE_CPU] = {1.8, 2.4}, [FIGURE_RATE] = {1.8, 2.4}}},
	{"ab", CPU | RATE,
	 PEER(PEER_AB, WEB, 30000, WEB_CLOSE),
	 OURS(WEB "load: {concurrency: 64, total: 30000, " ASKS, 30000, .web = WEB_CLOSE),
	 {[FIGURE_CPU] = {1.8, 2.3}, [FIGURE_RATE] = {1.8, 2.3}}},
	{"hey", CPU | RATE,
	 PEER(PEER_HEY, WEB, 20032, WEB_CLOSE),
	 OURS(WEB "load: {concurrency: 64, total: 30000, " ASKS, 30000, .web = WEB_CLOSE),
	 {[FIGURE_CPU] = {3, 3.9}, [FIGURE_RATE] = {3, 3.9}}},
	/* One at a time, both. */
	{"httperf", CPU | RATE,
	 PEER(PEER_HTTPERF, WEB, 10000, WEB_CLOSE),
	 OURS(WEB "load: {concurrency: 1, total: 10000, " ASKS, 10000, .web = WEB_CLOSE),
	 {{.least = 0}}},
	/* It brings its own server, which sends 8 bytes and closes; ours is asked for them. CPU of both
	 * ends, of both. */
	{"sockmany", CPU | RATE,
	 PEER(PEER_SOCKMANY, WIDE QUIET "server: {behaviour: refuse}", 20000, NO_WEB),
	 OURS(WIDE QUIET "server: {behaviour: close}\n"
		     "load: {concurrency: 64, total: 20000, end: wait, request: {send: 8B, receive: 8B}}",
		     20000, .whole = true),
	 {[FIGURE_CPU] = {1.8, 2.5}, [FIGURE_RATE] = {1.8, 2.5}}},
};
// clang-format on

const int contest_count = sizeof(contests) / sizeof(contests[0]);

static bool turn_run(const struct contestant *c, struct cost *out)
{
	*out = c->run(c);
	return !out->missing;
}

bool contest_round(const struct contest *c, struct round *out, int n)
{
	const struct {
		const struct contestant *who;
		struct cost *what;
		bool left_out;
	} turns[] = {
		{&c->base, &out->base, c->figures & ALONE},
		{&c->ours, &out->ours, false},
		{&c->base, &out->again, c->figures & (ALONE | SLOW)},
	};

	for (int i = 0; i < 3; i++) {
		int k = (i + n) % 3;

		if (!turns[k].left_out && !turn_run(turns[k].who, turns[k].what))
			return false;
	}
	if (c->figures & SLOW)
		out->again = out->base;
	return true;
}
