#include "invent.h"

#include "dice.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* In so many scenarios of a hundred there is a line, one of the choice. */
struct line {
	unsigned percent;
	const char *choice;
};

/* One a load from STREAM_LOAD on; those of the next try begin at STREAMS. */
enum stream {
	STREAM_NETWORK,
	STREAM_SERVER,
	STREAM_REST,
	STREAM_LOADS,
	STREAM_LOAD,
	STREAM_CORNER = 15,
	STREAMS
};

static const struct line network_lines[] = {
	{15, "reserved: [40000]|reserved: [40002-40003]|reserved: [40001, 40003, 40005, 40007]"},
	{30, "servers: #1-4"},
	{12, "services: #2-3"},
	{15, "sources: #2-4"},
	{55, "time_wait: 100ms|time_wait: 300ms|time_wait: 500ms|time_wait: 1s|time_wait: 2s"},
	{7, "choose: seed"},
	{5, "family: ipv6"},
	{25, "sysctl: {net.ipv4.tcp_tw_reuse: 0}|sysctl: {net.ipv4.tcp_tw_reuse: 1}"
	     "|sysctl: {net.ipv4.tcp_tw_reuse: 1, net.ipv4.tcp_tw_reuse_delay: 200}"
	     "|sysctl: {net.ipv4.tcp_fin_timeout: 1}|sysctl: {net.ipv4.tcp_max_tw_buckets: #4-96}"
	     "|sysctl: {net.ipv4.tcp_syn_retries: 1}"},
};

static const struct line gateway_lines[] = {
	{100,
	 "ports: 2000-2007|ports: 2000-2015|ports: 2000-2031|ports: 2000-2063|ports: 2000-2199"},
	{30, "mapping: endpoint-independent|mapping: endpoint-independent\n    mapping_time: 200ms"
	     "|mapping: endpoint-independent\n    mapping_time: 1s"},
	{15, "redirect: true"},
	{15, "addresses: 2"},
	{10, "random: true"},
	{12, "limit: #4-40"},
	{15, "clients: #2-3"},
	{25, "sysctl: {net.netfilter.nf_conntrack_tcp_timeout_time_wait: 1}"
	     "|sysctl: {net.netfilter.nf_conntrack_udp_timeout: 1}"
	     "|sysctl: {net.netfilter.nf_conntrack_tcp_timeout_close: 1}"},
};

static const struct line server_lines[] = {
	{45, "behaviour: close|behaviour: accept-close|behaviour: hold|behaviour: reset|behaviour: "
	     "ignore"
	     "|behaviour: never-accept|behaviour: refuse|behaviour: drop|behaviour: close"},
	{12, "backlog: #1-40"},
	{8, "accept_every: 5ms|accept_every: 20ms|accept_every: 100ms"},
	{15, "delay: 5ms|delay: 50ms|delay: 300ms|delay: 50ms\n  jitter: 100%|delay: 200ms\n  "
	     "jitter: 20%"},
	{12, "die: 100ms|die: 300ms|die: 800ms|die: 1500ms"},
	{5, "vanish: 200ms|vanish: 700ms"},
};

/* The first is what makes a load's pace, the second its end. */
static const struct line load_lines[] = {
	{100,
	 "rate: #5-60/s|rate: #20-400/s|rate: #200-2000/s|concurrency: #1-8|concurrency: #4-80"
	 "|burst: {size: #1-40, every: 100ms}|burst: {size: #4-60, every: 500ms}"
	 "|burst: {size: #8-120, every: 1s}|rate: #20-200/s\n    ramp: [{to: #50-800/s, over: 1s}]"
	 "|ramp: [{to: #50-500/s, over: 500ms}, {to: #0-50/s, over: 500ms}]"},
	{100, "total: #2-40|total: #20-300|duration: #1-20*100ms"
	      "|total: #10-200\n    duration: #3-15*100ms"},
	{30, "start: #1-10*100ms|start: #1-10*100ms|start: #10-22*100ms"},
	{45, "hold: #1-20*10ms|hold: #1-15*100ms"},
	{40, "on_failure: continue|on_failure: {retry: #1-3, wait: #1-10*20ms}"
	     "|on_failure: {then: continue, retry: #1-2, wait: 50ms, grow: 2}"},
	{25, "bind: address|bind: any|bind: address-no-port|bind: ports 40000-40007"
	     "|bind: local-port-range 40000-40007|bind: port 40001"},
	{12, "family: ipv6"},
	{6, "ballast: 25%|ballast: #1-9*10%"},
	{10, "nofile: #5-80"},
	{5, "order: fast"},
	{50, "timeout: #1-10*100ms"},
};

static const struct line datagram_lines[] = {
	{100, "protocol: udp"},
	{15, "connected: false"},
	{25, "end: leak"},
	{85, "request: {send: 64B, receive: 64B}|request: {send: 16B}"
	     "|request: {send: 64B, receive: 64B, pause: #1-10*20ms}"},
};

static const struct line connection_lines[] = {
	{55, "end: reset|end: leak|end: wait|end: shutdown|end: disconnect|end: leak|end: wait"},
	{10, "mix: {leak: 10%}|mix: {leak: 50%}|mix: {reset: 30%}|mix: {reset: 20%, leak: 20%}"},
	{30, "request: {send: 64B, receive: 64B}|request: {send: 16B}|request: {receive: 32B}"
	     "|request: {send: 64B, receive: 64B, per_connection: #2-5}"
	     "|request: {send: 64B, receive: 64B, pause: #1-10*20ms}"
	     "|request: {pause: #1-10*20ms}"},
	{15, "pool: {max_idle: #1-40}|pool: {max_idle: #1-40, idle_timeout: 100ms}"
	     "|pool: {max_idle: 64, idle_timeout: 500ms}"},
	{8, "options: {reuseaddr: true}|options: {linger: 0s}|options: {reuseport: true}"},
};

static const struct line squat_lines[] = {
	{60, "ports: [40004-40007]|listen: [40002]"},
	{40, "start: 200ms|start: 700ms"},
	{20, "protocol: udp"},
};

static const struct line sample_lines[] = {
	{8, "latency: 20ms|latency: 100ms"},
};

static const struct line stop_lines[] = {
	{100, "time: 1500ms|time: 2500ms|time: 3s|time: 3s"},
	{60, "when: never"},
};

/* What only means something together, and would too seldom be drawn so: a far end, and a load. */
struct corner {
	struct line server;
	struct line load[5];
};

enum { CORNER_PERCENT = 25 };

#define ASK "request: {send: 64B, receive: 64B}"

static const struct corner corners[] = {
	/* a pool's rounds, whole or not */
	{{100, "delay: 300ms|delay: 200ms"},
	 {{100, "concurrency: #2-16"},
	  {100, "total: #3-90"},
	  {100, "pool: {max_idle: #1-12}|pool: {max_idle: #1-12, idle_timeout: 100ms}"},
	  {100, "request: {send: 64B, receive: 64B, pause: #8-25*20ms}"}}},
	/* as late as the timeout */
	{{100, "delay: #3-15*20ms|delay: #3-40*20ms\n  behaviour: close|delay: #3-15*20ms\n  "
	       "jitter: 30%"},
	 {{100, "rate: #10-300/s|concurrency: #1-40|concurrency: #1-40\n    pool: {max_idle: 40}"},
	  {100, "total: #1-300\n    timeout: #3-15*20ms"},
	  {40, "hold: #1-50*20ms"},
	  {100, ASK "|" ASK "\n    on_failure: continue|" ASK "\n    protocol: udp"},
	  {30, "end: shutdown|end: wait"}}},
	/* asked for nothing */
	{{100, "delay: #1-20*25ms"},
	 {{100, "rate: #10-400/s|concurrency: #1-20|burst: {size: #4-40, every: 200ms}"},
	  {100, "total: #10-300"},
	  {50, "end: reset|end: wait|end: shutdown|end: leak"},
	  {100, "request: {send: 16B}|request: {send: 16B, per_connection: #2-4}"}}},
	/* reads until its timeout, or fails before */
	{{100, "behaviour: ignore|behaviour: hold|behaviour: hold\n  delay: 700ms"},
	 {{100, "burst: {size: #4-40, every: 250ms}|rate: #10-200/s|concurrency: #2-40"},
	  {100, "duration: #5-20*100ms\n    timeout: #3-12*100ms"},
	  {50, "on_failure: continue"},
	  {100, "end: shutdown\n    " ASK "|end: shutdown|end: wait\n    " ASK}}},
	/* ended by the far end, while clients go on */
	{{100, "behaviour: reset|behaviour: accept-close|behaviour: close"},
	 {{100, "concurrency: #2-60|concurrency: #2-60\n    hold: #1-20*10ms"},
	  {100, "duration: #1-10*100ms|total: #10-400"},
	  {50, "end: leak|end: shutdown|end: wait|end: reset"},
	  {50, ASK "|request: {send: 16B}|request: {pause: #1-10*10ms}"}}},
	/* a queue that is full */
	{{100, "behaviour: never-accept\n  backlog: #2-60|backlog: #2-60|accept_every: 20ms\n  "
	       "backlog: #2-40"},
	 {{100, "rate: #10-200/s|burst: {size: #2-30, every: 500ms}|concurrency: #2-60"},
	  {100, "total: #10-200\n    timeout: #3-12*100ms"},
	  {60, "on_failure: continue"},
	  {60, "end: reset|end: leak|protocol: udp"}}},
	/* one after the other, and named families */
	{{50, "delay: 50ms"},
	 {{100, "concurrency: #2-80|rate: #20-300/s"},
	  {100, "total: #10-120\n    start: #0-10*200ms"},
	  {60, "bind: any|bind: address|family: ipv6|family: ipv6\n    bind: address"},
	  {80, "end: reset|end: leak|hold: 100ms\n    end: reset"}}},
};

static struct dice dice_of(const struct sketch *sketch, uint64_t stream)
{
	return (struct dice){sketch->seed, sketch->attempt * STREAMS + stream, 0};
}

/* NULL: what is drawn stands apart. */
static const struct corner *corner_of(const struct sketch *sketch)
{
	struct dice d = dice_of(sketch, STREAM_CORNER);

	return dice_percent(&d, CORNER_PERCENT) ? &corners[dice_below(&d, COUNT_OF(corners))]
						: NULL;
}

static void write_lines(struct dice *d, struct out *to, const char *indent,
			const struct line *lines, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!dice_percent(d, lines[i].percent))
			continue;
		out_z(to, indent);
		dice_write(d, to, lines[i].choice);
		out_z(to, "\n");
	}
}

static void write_network(struct out *to, const struct sketch *sketch)
{
	static const unsigned half[] = {4, 8, 16, 16, 24, 32, 32, 48, 64, 100};
	struct dice d = dice_of(sketch, STREAM_NETWORK);

	out_fmt(to, "network:\n  ports: 40000-%u\n",
		39999 + 2 * half[dice_below(&d, COUNT_OF(half))] + dice_percent(&d, 8));
	if (corner_of(sketch)) /* plain, so that more is told for sure */
		return;
	write_lines(&d, to, "  ", network_lines, COUNT_OF(network_lines));
	if (dice_percent(&d, 30)) {
		out_z(to, "  topology: nat\n  nat:\n");
		write_lines(&d, to, "    ", gateway_lines, COUNT_OF(gateway_lines));
	} else if (dice_percent(&d, 12)) {
		out_z(to, "  topology: loopback\n");
	}
}

static void write_load(struct out *to, const struct sketch *sketch, uint64_t which)
{
	struct dice d = dice_of(sketch, STREAM_LOAD + which);
	const struct corner *corner = corner_of(sketch);

	out_fmt(to, "  load-%llu:\n", (unsigned long long)which + 1);
	if (corner) {
		write_lines(&d, to, "    ", corner->load, COUNT_OF(corner->load));
		return;
	}
	write_lines(&d, to, "    ", load_lines, COUNT_OF(load_lines));
	if (dice_percent(&d, 25))
		write_lines(&d, to, "    ", datagram_lines, COUNT_OF(datagram_lines));
	else
		write_lines(&d, to, "    ", connection_lines, COUNT_OF(connection_lines));
}

static void write_loads(struct out *to, const struct sketch *sketch)
{
	struct dice d = dice_of(sketch, STREAM_LOADS);
	unsigned several = corner_of(sketch) ? 20 : 50;
	uint64_t count = 1 + (dice_percent(&d, several) ? 1 + dice_below(&d, 3) : 0);

	out_z(to, "loads:\n");
	for (uint64_t i = 0; i < count; i++)
		write_load(to, sketch, sketch->turn == TURN_WRITTEN ? i : count - 1 - i);
}

static void write_server(struct out *to, const struct sketch *sketch)
{
	struct dice d = dice_of(sketch, STREAM_SERVER);
	const struct corner *corner = corner_of(sketch);

	out_z(to, "server:\n  sysctl: {}\n");
	write_lines(&d, to, "  ", corner ? &corner->server : server_lines,
		    corner ? 1 : COUNT_OF(server_lines));
}

static void write_rest(struct out *to, const struct sketch *sketch)
{
	struct dice d = dice_of(sketch, STREAM_REST);

	if (dice_percent(&d, 8)) {
		out_z(to, "squat:\n  bind: 1\n");
		write_lines(&d, to, "  ", squat_lines, COUNT_OF(squat_lines));
	}
	out_z(to, "sample:\n  every: 20ms\n");
	write_lines(&d, to, "  ", sample_lines, COUNT_OF(sample_lines));
	out_z(to, "stop:\n");
	write_lines(&d, to, "  ", stop_lines, COUNT_OF(stop_lines));
}

void invent(struct out *to, const struct sketch *sketch)
{
	out_fmt(to, "version: 1\nname: hunt-%llu\n", (unsigned long long)sketch->seed);
	write_network(to, sketch);
	write_server(to, sketch);
	write_loads(to, sketch);
	write_rest(to, sketch);
}
