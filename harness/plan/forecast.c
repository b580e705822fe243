#include "plan/budget.h"

#include <math.h>

#include "plan/bind.h"
#include "plan/shape.h"

#define SECOND INT64_C(1000000000)
#define MILLISECOND INT64_C(1000000)

/* A handshake, its far end and a timer together can be late by this much: what is closer cannot
 * be told. */
#define SLACK (20 * MILLISECOND)

/* How long a gateway tracks a connection after its end. */
#define TRACKED_CLOSED (120 * SECOND)
#define TRACKED_RESET (10 * SECOND)

/* How soon a connection can follow the one before, at best and at worst: 13 us were measured
 * over loopback, on Linux 6.18; the bounds leave room for machines faster and ten times slower. */
#define FASTEST_NS 5000.0
#define SLOWEST_NS 200000.0

/* In kernel order each connect of the second half walks over the first: per port passed, in ns.
 * Sockets in TIME_WAIT take a lock each. Measured on Linux 6.18: 46 and 160. */
#define SCAN_LIVE_NS 60.0
#define SCAN_WAIT_NS 180.0

/* How long something takes, if it is quick and if it is slow. */
struct span {
	int64_t least, most;
};

/* From connect until another connect can have the port: in use, then quiet after the close. */
struct life {
	struct span live, quiet;
};

enum quiet {
	QUIET_NONE,	 /* reset, or the server has closed first */
	QUIET_TIME_WAIT, /* the client closes first, and the server answers */
	QUIET_FIN_WAIT2, /* the client closes first, and the server never does */
	QUIET_RACE,	 /* both close at once: TIME_WAIT on either side */
	QUIET_FOR_EVER,	 /* nobody closes */
};

/* Who ends the connection, and what that leaves on the client: a row a behaviour, a column an
 * end. A server's reset frees the port, whatever the client does with its socket then
 * (tcp_reset(), net/ipv4/tcp_input.c); and so does a connect that failed, whatever refused
 * it. */
static const enum quiet fates[][ENDS] = {
	// clang-format off
	[BEHAVIOUR_ANSWER] = {
		[END_CLOSE]    = QUIET_TIME_WAIT, [END_RESET]      = QUIET_NONE,
		[END_LEAK]     = QUIET_FOR_EVER,  [END_WAIT]       = QUIET_TIME_WAIT,
		[END_SHUTDOWN] = QUIET_TIME_WAIT, [END_DISCONNECT] = QUIET_NONE,
		[END_INHERIT]  = QUIET_FOR_EVER,
	},
	[BEHAVIOUR_HOLD] = {
		[END_CLOSE]    = QUIET_FIN_WAIT2, [END_RESET]      = QUIET_NONE,
		[END_LEAK]     = QUIET_FOR_EVER,  [END_WAIT]       = QUIET_FIN_WAIT2,
		[END_SHUTDOWN] = QUIET_FIN_WAIT2, [END_DISCONNECT] = QUIET_NONE,
		[END_INHERIT]  = QUIET_FOR_EVER,
	},
	[BEHAVIOUR_CLOSE] = {
		[END_CLOSE]    = QUIET_RACE,      [END_RESET]      = QUIET_NONE,
		[END_LEAK]     = QUIET_FOR_EVER,  [END_WAIT]       = QUIET_NONE,
		[END_SHUTDOWN] = QUIET_RACE,      [END_DISCONNECT] = QUIET_NONE,
		[END_INHERIT]  = QUIET_FOR_EVER,
	},
	[BEHAVIOUR_RESET] = {
		[END_CLOSE]    = QUIET_NONE,      [END_RESET]      = QUIET_NONE,
		[END_LEAK]     = QUIET_NONE,      [END_WAIT]       = QUIET_NONE,
		[END_SHUTDOWN] = QUIET_NONE,      [END_DISCONNECT] = QUIET_NONE,
		[END_INHERIT]  = QUIET_NONE,
	},
	[BEHAVIOUR_ACCEPT_CLOSE] = {
		[END_CLOSE]    = QUIET_RACE,      [END_RESET]      = QUIET_NONE,
		[END_LEAK]     = QUIET_FOR_EVER,  [END_WAIT]       = QUIET_NONE,
		[END_SHUTDOWN] = QUIET_RACE,      [END_DISCONNECT] = QUIET_NONE,
		[END_INHERIT]  = QUIET_FOR_EVER,
	},
	[BEHAVIOUR_NEVER_ACCEPT] = {
		[END_CLOSE]    = QUIET_FIN_WAIT2, [END_RESET]      = QUIET_NONE,
		[END_LEAK]     = QUIET_FOR_EVER,  [END_WAIT]       = QUIET_FIN_WAIT2,
		[END_SHUTDOWN] = QUIET_FIN_WAIT2, [END_DISCONNECT] = QUIET_NONE,
		[END_INHERIT]  = QUIET_FOR_EVER,
	},
	[BEHAVIOUR_IGNORE] = {
		[END_CLOSE]    = QUIET_FIN_WAIT2, [END_RESET]      = QUIET_NONE,
		[END_LEAK]     = QUIET_FOR_EVER,  [END_WAIT]       = QUIET_FIN_WAIT2,
		[END_SHUTDOWN] = QUIET_FIN_WAIT2, [END_DISCONNECT] = QUIET_NONE,
		[END_INHERIT]  = QUIET_FOR_EVER,
	},
	[BEHAVIOUR_REFUSE] = {
		[END_CLOSE]    = QUIET_NONE,      [END_RESET]      = QUIET_NONE,
		[END_LEAK]     = QUIET_NONE,      [END_WAIT]       = QUIET_NONE,
		[END_SHUTDOWN] = QUIET_NONE,      [END_DISCONNECT] = QUIET_NONE,
		[END_INHERIT]  = QUIET_NONE,
	},
	[BEHAVIOUR_DROP] = {
		[END_CLOSE]    = QUIET_NONE,      [END_RESET]      = QUIET_NONE,
		[END_LEAK]     = QUIET_NONE,      [END_WAIT]       = QUIET_NONE,
		[END_SHUTDOWN] = QUIET_NONE,      [END_DISCONNECT] = QUIET_NONE,
		[END_INHERIT]  = QUIET_NONE,
	},
	// clang-format on
};

/* TIME_WAIT lasts network.time_wait, unless connect() may take the port sooner:
 * tcp_twsk_unique(), net/ipv4/tcp_ipv4.c. Before tcp_tw_reuse_delay (Linux 6.14) the kernel
 * compared whole seconds. */
static struct span time_wait(const struct scenario *s, const struct host *host)
{
	const struct setting_list *set = &s->network.sysctl;
	int64_t reuse = setting_number(set, "net.ipv4.tcp_tw_reuse", 2);
	int64_t delay_ns = setting_number(set, "net.ipv4.tcp_tw_reuse_delay", 1000) * MILLISECOND;
	bool stamps = setting_number(set, "net.ipv4.tcp_timestamps", 1) != 0;
	bool is_local = s->network.topology == TOPOLOGY_LOOPBACK;
	int64_t lasts_ns = s->network.time_wait;

	if (bind_shares_port(&s->load) && stamps)
		return (struct span){
			0, 0}; /* a connect from a port of its own may, whatever reuse is */
	if (bind_takes_port(s->load.bind.way))
		return (struct span){lasts_ns, lasts_ns};
	if (!stamps || !(reuse == 1 || (reuse == 2 && is_local)) || delay_ns >= lasts_ns)
		return (struct span){lasts_ns, lasts_ns};
	return (struct span){host->tw_reuse_delay < 0 ? 0 : delay_ns, delay_ns};
}

static struct span quiet_span(const struct scenario *s, const struct host *host, enum quiet quiet)
{
	const struct setting_list *set = &s->network.sysctl;
	int64_t fin_ns = setting_number(set, "net.ipv4.tcp_fin_timeout", 60) * SECOND;
	bool server_first = s->load.hold > SLACK;

	switch (quiet) {
	case QUIET_TIME_WAIT:
		return time_wait(s, host);
	case QUIET_FIN_WAIT2:
		return (struct span){fin_ns, fin_ns};
	case QUIET_RACE:
		return (struct span){0, server_first ? 0 : time_wait(s, host).most};
	case QUIET_FOR_EVER:
		return (struct span){FOR_EVER, FOR_EVER};
	case QUIET_NONE:
		break;
	}
	return (struct span){0, 0};
}

/* The kernel makes no more than tcp_max_tw_buckets sockets wait: of those beyond it the port is
 * free at once. */
static void buckets_limit(struct span *quiet, const struct scenario *s, const struct budget *b,
			  const struct host *host)
{
	int64_t fallback = (host->ehash > 0 ? host->ehash : 262144) / 2;
	int64_t buckets =
		setting_number(&s->network.sysctl, "net.ipv4.tcp_max_tw_buckets", fallback);

	if (quiet->most == FOR_EVER || buckets < 0 || (uint64_t)buckets >= b->capacity)
		return;
	quiet->least = 0;
	if (buckets == 0)
		quiet->most = 0;
}

/* Without a FIN it is a reset, whatever the load calls it. */
static enum end end_of(const struct load *l, enum end end)
{
	return end == END_CLOSE && l->options.linger == 0 ? END_RESET : end;
}

/* Until the answer is there, or is waited for no longer. */
static int64_t answer_time(const struct scenario *s)
{
	if (s->load.request.send == 0)
		return 0;
	if (behaviour_does(s->server.behaviour, DOES_SERVE))
		return s->server.delay < s->load.timeout ? s->server.delay : s->load.timeout;
	return s->load.request.receive ? s->load.timeout : 0;
}

/* What nobody has read is answered by a RST when the client closes. */
static bool leaves_unread(const struct scenario *s, enum end end)
{
	return !s->load.request.read && end == END_CLOSE &&
	       behaviour_does(s->server.behaviour, DOES_SERVE);
}

/* A connect of UDP asks nobody. */
static bool opens(const struct scenario *s)
{
	return s->load.protocol == PROTOCOL_UDP || behaviour_does(s->server.behaviour, DOES_LISTEN);
}

/* How long a connection has its port until it is closed. One that never opens has it for as long
 * as its connect goes on; a server's RST ends both. */
static int64_t live_time(const struct scenario *s)
{
	if (s->load.protocol == PROTOCOL_UDP)
		return s->load.hold;
	switch (s->server.behaviour) {
	case BEHAVIOUR_RESET:
	case BEHAVIOUR_REFUSE:
		return 0;
	case BEHAVIOUR_DROP:
		return s->load.timeout;
	default:
		return s->load.hold + answer_time(s);
	}
}

/* A socket of UDP has its port until it is closed, and not a moment longer. */
static enum quiet fate_of(const struct scenario *s, enum end end)
{
	if (s->load.protocol == PROTOCOL_UDP)
		return end == END_CLOSE ? QUIET_NONE : QUIET_FOR_EVER;
	return fates[s->server.behaviour][end_of(&s->load, end)];
}

/* Of a connection that ends so. */
static struct life life_so(const struct scenario *s, const struct budget *b,
			   const struct host *host, enum end end)
{
	enum quiet quiet = fate_of(s, end);
	int64_t live_ns = live_time(s);
	struct life life = {{live_ns, live_ns},
			    quiet_span(s, host, leaves_unread(s, end) ? QUIET_NONE : quiet)};

	if (end == END_SHUTDOWN && quiet == QUIET_FIN_WAIT2) /* reads until its timeout */
		life.live.least = life.live.most = live_ns + s->load.timeout;

	buckets_limit(&life.quiet, s, b, host);
	return life;
}

static int64_t sum(int64_t a, int64_t b)
{
	return a == FOR_EVER || b == FOR_EVER ? FOR_EVER : a + b;
}

/* When connection n, counted from 0, is begun: in an open loop by the clock, in a closed one
 * after those before it. */
struct pace {
	double quick, slow; /* ns since the load began */
};

static struct pace pace_of(const struct scenario *s, const struct budget *b,
			   const struct life *life, uint64_t n)
{
	double count = (double)n, half = b->usable / 2.0;
	double scan =
		life->quiet.most > 0 && life->quiet.most < FOR_EVER ? SCAN_WAIT_NS : SCAN_LIVE_NS;
	double work = count * SLOWEST_NS;
	uint64_t under_way = concurrency_of(&s->load);
	uint64_t before = n / under_way; /* whole rounds */
	double rounds;

	if (s->load.order == ORDER_KERNEL && s->load.protocol == PROTOCOL_TCP)
		work += b->spaces * half * half * scan;
	if (load_is_open(&s->load)) {
		struct shape shape = shape_make(&s->load);
		double due = (double)shape_when(&shape, n);

		return (struct pace){fmax(due, count * FASTEST_NS), fmax(due, work) + SLACK};
	}
	rounds = (double)before * (double)(life->live.most + s->load.request.pause);
	return (struct pace){fmax(rounds, count * FASTEST_NS), rounds + work + SLACK};
}

/* When the far end begins to do other than fates[] say: it dies, or its backlog is full. */
static double far_changes(const struct scenario *s)
{
	bool fills = s->server.behaviour == BEHAVIOUR_NEVER_ACCEPT || s->server.accept_every;

	if (s->server.backlog && fills)
		return 0;
	return fmin(s->server.die ? (double)s->server.die : INFINITY,
		    s->server.vanish ? (double)s->server.vanish : INFINITY);
}

/* For how long connections are begun. */
static double begins_until(const struct scenario *s)
{
	double stop = (double)(s->stop.time - s->load.start), duration = (double)s->load.duration;

	return duration > 0 && duration < stop ? duration : stop;
}

/* A closed loop whose ports are free with their close never has more in use than are under way. */
static bool bounded(const struct scenario *s, const struct budget *b, const struct life *life)
{
	/* The server's last ACK is on its way. */
	const uint64_t lingering = s->load.protocol == PROTOCOL_TCP ? 8 : 0;
	uint64_t under_way = concurrency_of(&s->load);

	return !load_is_open(&s->load) && life->quiet.most == 0 &&
	       under_way + lingering <= b->capacity;
}

/* A closed loop whose pool takes all of its connections back opens no more than it has clients;
 * for each destination, where it has several. */
static bool keeps_all(const struct scenario *s, const struct budget *b)
{
	const struct load *l = &s->load;
	uint64_t under_way = concurrency_of(l);

	return !load_is_open(l) && l->pool.max_idle >= under_way && under_way <= b->usable &&
	       l->request.per_connection == 0 && l->pool.idle_timeout == 0 &&
	       !behaviour_does(s->server.behaviour, DOES_END) && s->server.die == 0;
}

/* How many connections a pool opens is a matter of when its requests come, but for the two
 * bounds: those that it keeps for ever, and as many requests as there are, by what each serves. */
static void foresee_pool(struct forecast *f, const struct scenario *s, const struct budget *b)
{
	const struct load *l = &s->load;

	f->known = keeps_all(s, b) || (l->total && l->total <= b->first);
	f->rate = NAN;
}

/* Connection number `first`, counted from 0, is refused if it is begun while all before it
 * hold their ports still; and if that one is not, none is, for the load is the same at all
 * times. */
static void foresee(struct forecast *f, const struct scenario *s, const struct budget *b,
		    const struct life *life)
{
	struct pace next = pace_of(s, b, life, b->first);
	int64_t least = sum(life->live.least, life->quiet.least),
		most = sum(life->live.most, life->quiet.most);
	bool so_many = s->load.total == 0 || s->load.total > b->first;
	/* What is drawn can come to one pair at any time. */
	bool steady = begins_until(s) <= far_changes(s) && b->first == b->capacity;
	bool surely = so_many && next.slow < fmin(begins_until(s), far_changes(s)) &&
		      (least == FOR_EVER || next.slow < (double)least);
	bool never = !so_many || next.quick >= begins_until(s) ||
		     (steady && ((most < FOR_EVER && next.quick >= (double)most + SLACK) ||
				 bounded(s, b, life)));

	/* A port that the load's own sockets share is never wanted for. */
	never |= bind_shares_port(&s->load);
	surely &= !never && (b->first || !b->capacity);
	f->exhausts = surely;
	f->known = (surely || never) && !bind_may_repeat(s, &s->load) && (b->first || !b->capacity);
	f->after = surely && opens(s) ? b->first : 0;
}

static struct span wider(struct span a, struct span b)
{
	return (struct span){a.least < b.least ? a.least : b.least,
			     a.most > b.most ? a.most : b.most};
}

/* Of any of the load's: what they have in common is known, and no more. */
static struct life life_of(const struct scenario *s, const struct budget *b,
			   const struct host *host)
{
	struct life all = {{FOR_EVER, 0}, {FOR_EVER, 0}};

	for (enum end end = 0; end < ENDS; end++) {
		struct life one;

		if (!load_ends(&s->load, end))
			continue;
		one = life_so(s, b, host, end);
		all = (struct life){wider(all.live, one.live), wider(all.quiet, one.quiet)};
	}
	return all;
}

/* On average; INFINITY if any of them is for ever. */
static double life_mean(const struct scenario *s, const struct budget *b, const struct host *host)
{
	double mean = 0;

	for (enum end end = 0; end < ENDS; end++) {
		struct life one = life_so(s, b, host, end);
		int64_t ns = sum(one.live.most, one.quiet.most);

		if (load_ends(&s->load, end))
			mean += ns == FOR_EVER ? INFINITY : load_share(&s->load, end) * (double)ns;
	}
	return mean;
}

struct forecast forecast_make(const struct scenario *s, const struct budget *b,
			      const struct host *host)
{
	struct life life = life_of(s, b, host);
	struct forecast f = {
		.port_life_ns = sum(life.live.most, life.quiet.most),
		.life_least_ns = sum(life.live.least, life.quiet.least),
		.quiet_ns = life.quiet.most,
	};

	if (f.port_life_ns == 0)
		f.rate = b->capacity ? INFINITY : 0;
	else
		f.rate = (double)b->capacity / (life_mean(s, b, host) / SECOND);
	if (load_is_pooled(&s->load))
		foresee_pool(&f, s, b);
	else
		foresee(&f, s, b, &life);
	return f;
}

/* ---- behind a gateway ---------------------------------------------------- */

/* How long it keeps the port of a connection that ends so. */
static double gateway_holds_so(const struct scenario *s, const struct budget *b,
			       const struct host *host, enum end end)
{
	struct life life = life_so(s, b, host, end);
	bool is_reset =
		end_of(&s->load, end) == END_RESET || s->server.behaviour == BEHAVIOUR_RESET;

	if (life.quiet.most == FOR_EVER)
		return INFINITY;
	return (double)sum(life.live.most, is_reset ? TRACKED_RESET : TRACKED_CLOSED);
}

/* On average; INFINITY if any of them is for ever. */
static double gateway_holds(const struct scenario *s, const struct budget *b,
			    const struct host *host)
{
	double mean = 0;

	for (enum end end = 0; end < ENDS; end++)
		if (load_ends(&s->load, end))
			mean += load_share(&s->load, end) * gateway_holds_so(s, b, host, end);
	return mean;
}

/* The rule that limits connections does not count closed ones (already_closed(),
 * net/netfilter/nf_conncount.c). */
static double gateway_rate(const struct scenario *s, const struct budget *b,
			   const struct carriage *c, const struct host *host,
			   const struct life *life)
{
	double rate = (double)c->ports * SECOND / gateway_holds(s, b, host);

	if (c->at_once == c->ports || life->live.most <= 0)
		return rate;
	return fmin(rate, (double)c->at_once * SECOND / (double)life->live.most);
}

void forecast_gateway(struct forecast *f, const struct scenario *s, const struct budget *b,
		      const struct carriage *c, const struct host *host)
{
	struct life life = life_of(s, b, host);
	struct pace next = pace_of(s, b, &life, c->at_once);
	double until = fmin(begins_until(s), far_changes(s));
	bool so_many = s->load.total == 0 || s->load.total > c->at_once;
	bool for_ever = life.quiet.least == FOR_EVER;

	if (s->load.protocol == PROTOCOL_UDP) /* its connect sends nothing through it */
		return;
	if (!isnan(f->rate))
		f->rate = fmin(f->rate, gateway_rate(s, b, c, host, &life));
	if (c->at_once >= b->capacity || !so_many || next.quick >= until)
		return;
	f->exhausts = f->known = false;
	f->after = 0;
	if (c->is_exact && !load_is_pooled(&s->load) &&
	    behaviour_does(s->server.behaviour, DOES_LISTEN) && next.slow < until &&
	    (for_ever || next.slow < (double)life.live.least))
		f->times_out_after = c->at_once;
}
