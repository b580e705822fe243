#include "contest.h"

#include "run.h"

static struct cost floor_cost(const struct contestant *c)
{
	return run_floor(c->lines, (struct floor_wish){.end = c->end, .count = c->count});
}

static struct cost probe_cost(const struct contestant *c)
{
	return run_probe(c->lines, c->count);
}

static struct cost our_cost(const struct contestant *c)
{
	return run_ours(c->lines, c->count);
}

/* A wide range, so that it is never half full, on 127/8 without its reuse; nobody samples. */
#define WIDE \
	"network: {topology: loopback, ports: 2048-65535, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
#define ALONE "sample: {every: 1m, sockets: 1h}\nstop: {time: 5m, when: never}\n"
#define UNACCEPTED WIDE ALONE "server: {behaviour: never-accept}\n"
#define ACCEPTED WIDE ALONE "server: {behaviour: answer}\n"
#define DEFAULT_RANGE ALONE "network: {ports: 32768-60999, sysctl: {net.ipv4.tcp_tw_reuse: 0}}\n"
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

// clang-format off
const struct contest contests[] = {
	{"reset", CPU | RATE,
	 {floor_cost, UNACCEPTED, 30000, FLOOR_RESET},
	 {our_cost, UNACCEPTED "load: {concurrency: 64, total: 30000, end: reset}", 30000, NO_FLOOR},
	 {{1.10, 1.17}, {1.08, 1.14}}},
	{"close", CPU | RATE,
	 {floor_cost, ACCEPTED, 24000, FLOOR_CLOSE},
	 {our_cost, ACCEPTED "load: {concurrency: 64, total: 24000}", 24000, NO_FLOOR},
	 {{1.10, 1.20}, {1.02, 1.15}}},
	{"hold", CPU | RATE,
	 {floor_cost, UNACCEPTED, 15000, FLOOR_HOLD},
	 {our_cost, UNACCEPTED "load: {concurrency: 64, total: 15000, end: leak}", 15000, NO_FLOOR},
	 {{1.10, 1.15}, {1.08, 1.14}}},
	{"disconnect", CPU | RATE,
	 {floor_cost, UNACCEPTED, 30000, FLOOR_RESET},
	 {our_cost, UNACCEPTED "load: {concurrency: 64, total: 30000, end: disconnect}", 30000, NO_FLOOR},
	 {{1.40, 1.50}, {1.40, 1.50}}},
	{"probe", LATENCY,
	 {probe_cost, UNACCEPTED, 1000, NO_FLOOR},
	 {our_cost, PROBES, 2, NO_FLOOR},
	 {[FIGURE_LATENCY] = {1 / 1.15, 1 / 1.05}}},
	/* At 10 Hz, and dumps as often as 2 % of a core allow: at most 2 % slower. */
	{"sampling", CPU | RATE,
	 {our_cost, AMONG_28000("1m", "1h"), 150000, NO_FLOOR},
	 {our_cost, AMONG_28000("100ms", "1s"), 150000, NO_FLOOR},
	 {{0.98, 1}, {0.98, 1}}},
	{"fast-held", RATE | SLOW,
	 {our_cost, DEFAULT_HELD "load: {concurrency: 64, total: 28232, end: leak}", 28232, NO_FLOOR},
	 {our_cost, DEFAULT_HELD "load: {concurrency: 64, total: 28232, end: leak, order: fast}", 28232,
	  NO_FLOOR},
	 {[FIGURE_RATE] = {15, 25}}},
	{"fast-waiting", RATE | SLOW,
	 {our_cost, DEFAULT_RANGE "load: {concurrency: 64, total: 28232}", 28232, NO_FLOOR},
	 {our_cost, DEFAULT_RANGE "load: {concurrency: 64, total: 28232, order: fast}", 28232, NO_FLOOR},
	 {[FIGURE_RATE] = {20, 34}}},
};
// clang-format on

const int contest_count = sizeof(contests) / sizeof(contests[0]);

void contest_round(const struct contest *contest, struct round *out, int n)
{
	const struct contestant *base = &contest->base, *ours = &contest->ours;

	for (int i = 0; i < 3; i++)
		switch ((i + n) % 3) {
		case 0:
			out->base = base->run(base);
			break;
		case 1:
			out->ours = ours->run(ours);
			break;
		default:
			if (!(contest->figures & SLOW))
				out->again = base->run(base);
		}
	if (contest->figures & SLOW)
		out->again = out->base;
}
