#include "judge/advice.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/unit.h"
#include "judge/outlook.h"
#include "plan/bind.h"

enum { LINES_MOST = 8 };

// clang-format off
/* What to try first, whatever the figures are. */
static const char *const first_of_all[CAUSES][LINES_MOST] = {
	[CAUSE_LEAK] = {
		"close every connection when its work is done, on the paths of errors and timeouts too; "
		"`ss -tnp` names who holds them",
	},
	[CAUSE_INHERITED_FD] = {
		"open sockets with SOCK_CLOEXEC (accept4() too), so that no program that is started later "
		"has them",
		"in a child that runs no other program, close what it does not use: close_range()",
		"`ss -tnp` names who holds them",
	},
	[CAUSE_TIME_WAIT_CHURN] = {
		"keep connections open and reuse them (keep-alive, a connection pool as large as the "
		"concurrency): a request then costs no port",
	},
	[CAUSE_FIN_WAIT_ORPHANS] = {
		"have the far end close when it reads the end of the stream",
		"keep connections open and reuse them: what is not closed waits for nobody",
	},
	[CAUSE_BLACKHOLE] = {
		"look at the far end, and at what is between: a firewall that drops, a host that is down, an "
		"accept queue that is full (TcpExtListenOverflows there)",
		"give up sooner (a timeout of the connect, and a close), and try less often: a port is held "
		"for as long as its connect waits",
		"net.ipv4.tcp_syn_retries=1, for a program without a timeout: the kernel gives up after 3 s, "
		"and not after two minutes",
	},
	[CAUSE_LIVE_SATURATION] = {
		"open fewer: share connections between requests (multiplexing, a pool with a limit), and "
		"close idle ones sooner",
	},
	[CAUSE_BOUND_ONLY] = {
		"close sockets that are bound and not connected: newer versions of ss show them "
		"(`ss --bound-inactive`), older ones and sockstat do not",
		"set IP_BIND_ADDRESS_NO_PORT before a bind() that only chooses the source address: it then "
		"takes no port",
	},
	[CAUSE_LISTENERS] = {
		"have servers listen below net.ipv4.ip_local_port_range, or move the range: nothing is lost "
		"then, and no connection can take a server's port before it starts",
	},
	[CAUSE_REFUSED] = {
		"start the server, or correct address and port: `ss -tln` there shows who listens",
	},
	[CAUSE_LINUX_SNAT] = {
		"keep connections open and reuse them (keep-alive, a connection pool): the gateway gives a "
		"port to each connection, not to each request",
	},
	[CAUSE_CONNTRACK_FULL] = {
		"close what is idle, and reuse what is open: each connection is an entry, an idle one for "
		"up to five days (net.netfilter.nf_conntrack_tcp_timeout_established)",
	},
	[CAUSE_TIMED_OUT] = {
		"look at the far end: a full accept queue (TcpExtListenOverflows there), a firewall that "
		"drops, a host that is down",
		"look at what is between: a NAT gateway without ports or a full conntrack table looks just "
		"like this",
	},
	[CAUSE_SELF_CONNECT] = {
		"have the server listen outside of net.ipv4.ip_local_port_range",
		"put its port into net.ipv4.ip_local_reserved_ports: connect() then never takes it",
		"in the client, compare getsockname() with getpeername() after connect(): close the connection "
		"if they are the same, and try again",
	},
	[CAUSE_ADDRESS_NOT_LOCAL] = {
		"bind an address that `ip address` shows, or none",
		"wait until the interface is up; an IPv6 address cannot be used while it is tentative",
		"net.ipv4.ip_nonlocal_bind=1, only for an address that moves between hosts",
	},
};

/* What was seen recommended, and why it is in vain. */
static const char *const in_vain[CAUSES][LINES_MOST] = {
	[CAUSE_LEAK] = {
		"more ports, addresses or destinations: they only delay it",
		"net.ipv4.tcp_tw_reuse, tcp_fin_timeout: they are about closed connections, and these are open",
		"ulimit -n: descriptors are another limit, and did not run out",
	},
	[CAUSE_INHERITED_FD] = {
		"closing once more, or sooner: the last descriptor decides, and another process has it",
		"more ports, addresses or destinations: they only delay it",
		"net.ipv4.tcp_tw_reuse, tcp_fin_timeout: they are about closed connections, and these are open",
	},
	[CAUSE_TIME_WAIT_CHURN] = {
		"net.ipv4.tcp_fin_timeout: it governs FIN_WAIT2; TIME_WAIT is 60 s in the kernel's source, and "
		"no sysctl changes it",
		"net.ipv4.tcp_tw_recycle: it broke clients behind NAT, and is gone since Linux 4.12",
		"ulimit -n: a closed connection has no descriptor, but still its port",
		"restarting the client: TIME_WAIT outlives it",
	},
	[CAUSE_FIN_WAIT_ORPHANS] = {
		"net.ipv4.tcp_tw_reuse: it reuses TIME_WAIT, never FIN_WAIT2",
		"ulimit -n: a closed connection has no descriptor, but still its port",
	},
	[CAUSE_BLACKHOLE] = {
		"net.ipv4.tcp_tw_reuse, tcp_fin_timeout: they are about closed connections, and these never "
		"opened",
		"more ports: as many connects wait again in no time",
	},
	[CAUSE_LIVE_SATURATION] = {
		"net.ipv4.tcp_tw_reuse, tcp_fin_timeout: they are about closed connections, and these are open",
		"ulimit -n: descriptors are another limit, and did not run out",
	},
	[CAUSE_BIND_FIRST] = {
		"SO_REUSEADDR, SO_REUSEPORT: bind() to port 0 looks for a port that nobody has, all the same",
		"net.ipv4.ip_autobind_reuse=1 with SO_REUSEADDR: bind() succeeds, and connect() fails with "
		"EADDRNOTAVAIL where it was given a port twice",
		"net.ipv4.tcp_tw_reuse: it is about ports that connect() chooses",
	},
	[CAUSE_BOUND_ONLY] = {
		"net.ipv4.tcp_tw_reuse, tcp_fin_timeout: these sockets never had a connection",
	},
	[CAUSE_LISTENERS] = {
		"net.ipv4.ip_local_reserved_ports alone: it keeps clients from those ports, and gives none back",
	},
	[CAUSE_FIXED_PORT] = {
		"a wider net.ipv4.ip_local_port_range: it is about ports that the kernel chooses",
		"net.ipv4.tcp_tw_reuse: a socket with a port of its own does not ask it",
	},
	[CAUSE_FD_LIMIT] = {
		"a wider port range, net.ipv4.tcp_tw_reuse: ports did not run out",
	},
	[CAUSE_REFUSED] = {
		"any setting of the client's ports: a refused connect gives its port back at once, and leaves "
		"no TIME_WAIT",
	},
	[CAUSE_LINUX_SNAT] = {
		"net.ipv4.ip_local_port_range, net.ipv4.tcp_tw_reuse on the client: its own ports did not run "
		"out, and a NAT's range is its own",
		"`fully-random`: it spreads connections over the ports, and makes none; it is against two that "
		"pick the same at the same time",
		"a larger nf_conntrack_max: the table is not full while insert_failed rises with drop",
		"more clients: all behind one gateway share its ports",
		"trying again at once: each try is one more SYN to drop",
	},
	[CAUSE_CONNTRACK_FULL] = {
		"more ports or addresses for the NAT: it had ports left, insert_failed would rise if not",
		"net.ipv4.ip_local_port_range, net.ipv4.tcp_tw_reuse on the client: its own ports did not run "
		"out",
		"another destination: the table is one for all of them",
	},
	[CAUSE_TIMED_OUT] = {
		"a wider port range here: these connects had their ports, and kept them while they waited "
		"(SYN_SENT)",
	},
	[CAUSE_SELF_CONNECT] = {
		"trying again more often while the server is down: each try may be the one that takes its port",
		"SO_REUSEADDR in the server: it does not share a port with a connection that lives",
		"an odd port: connect() takes even ones first where the range begins with one, and odd ones then",
	},
	[CAUSE_ADDRESS_NOT_LOCAL] = {
		"a wider port range, net.ipv4.tcp_tw_reuse: the errno is the same, the reason is not",
	},
};
// clang-format on

static const struct port_range widest = {1024, 65535};

const char *say_count(struct arena *a, uint64_t n)
{
	return unit_count_pretty(ARENA_ARRAY(a, char, UNIT_PRINTED), n);
}

const char *say_number_of(struct arena *a, uint64_t n, const char *one, const char *many)
{
	return text_format(a, "%s %s", say_count(a, n), say_either(n, one, many)).s;
}

const char *say_either(uint64_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

const char *say_time(struct arena *a, int64_t ns)
{
	return unit_time_pretty(ARENA_ARRAY(a, char, UNIT_PRINTED), ns);
}

const char *say_rate(struct arena *a, double per_s)
{
	return unit_rate_pretty(ARENA_ARRAY(a, char, UNIT_PRINTED), per_s);
}

/* "2.3 times", "2,016 times" */
static const char *say_times(struct arena *a, double ratio)
{
	if (ratio < 10)
		return text_format(a, "%.2g times", ratio).s;
	return text_format(a, "%s times", say_count(a, (uint64_t)(ratio + 0.5))).s;
}

int64_t quiet_time(const struct plan *plan)
{
	int64_t quiet = plan->forecast.quiet_ns;

	return quiet > 0 && quiet != FOR_EVER ? quiet : plan->scenario->network.time_wait;
}

bool is_reused(const struct plan *plan)
{
	return quiet_time(plan) < plan->scenario->network.time_wait;
}

int64_t live_time(const struct plan *plan)
{
	const struct forecast *f = &plan->forecast;

	if (f->port_life_ns == FOR_EVER || f->quiet_ns == FOR_EVER ||
	    f->port_life_ns <= f->quiet_ns)
		return plan->loads[0].load->hold;
	return f->port_life_ns - f->quiet_ns;
}

static int64_t sysctl_of(const struct evidence *e, const char *name, int64_t fallback)
{
	return setting_number(&e->plan->scenario->network.sysctl, name, fallback);
}

static void add(struct line_list *lines, struct text line)
{
	if (lines->count < LINES_MOST)
		lines->list[lines->count++] = line;
}

static void add_all(struct line_list *lines, const char *const list[LINES_MOST])
{
	for (int i = 0; i < LINES_MOST && list[i]; i++)
		add(lines, text_of(list[i]));
}

__attribute__((format(printf, 3, 4))) static void add_fmt(struct line_list *lines, struct arena *a,
							  const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	add(lines, text_keep(a, text_of(line)));
}

/* The rate that so many ports sustain if a connection takes `life_ns` of one. */
static double rate_of(uint64_t ports, int64_t life_ns)
{
	return (double)ports * 1e9 / (double)life_ns;
}

/* ", 1,075/s" behind a number of ports, where a rate is what the ports are for. */
static const char *rate_too(const struct evidence *e, uint64_t ports, int64_t life_ns)
{
	if (life_ns <= 0)
		return "";
	return text_format(e->a, ", %s", say_rate(e->a, rate_of(ports, life_ns))).s;
}

/* The same, of what a measure makes of all the ports: whether this load needs no other. */
static const char *rate_verdict(const struct evidence *e, uint64_t ports, int64_t life_ns)
{
	double asked = plan_rate(e->plan);
	const char *verdict = "";

	if (asked > 0 && life_ns > 0)
		verdict = rate_of(ports, life_ns) >= asked ? " (enough)" : " (not enough alone)";
	return text_format(e->a, "%s%s", rate_too(e, ports, life_ns), verdict).s;
}

/* Widening alone has outgoing connections take ports that servers want: never without reserving
 * those. */
static void add_widen(struct line_list *lines, const struct evidence *e, int64_t life_ns)
{
	const struct budget *b = &e->plan->budget;
	uint32_t wide = (uint32_t)(widest.hi - widest.lo) + 1;

	wide -= ports_within(&e->plan->scenario->network.reserved, widest);
	if (b->usable == 0 || wide < b->usable + b->usable / 20)
		return;
	add_fmt(lines, e->a,
		"widen net.ipv4.ip_local_port_range to %u-%u: %s, %s as many%s; put the ports your "
		"servers listen on into net.ipv4.ip_local_reserved_ports",
		widest.lo, widest.hi, say_number_of(e->a, wide, "port", "ports"),
		say_times(e->a, (double)wide / b->usable),
		rate_verdict(e, (uint64_t)wide * b->spaces, life_ns));
}

/* A socket of UDP has its port for all destinations: more of them add none. */
static void add_datagrams(struct line_list *lines, const struct evidence *e)
{
	add(lines, TEXT("use one socket for many destinations: with sendto() a socket of UDP needs "
			"no connect(), and one port does"));
	add_fmt(lines, e->a, "each further source address that sockets are bound to adds %s",
		say_number_of(e->a, e->plan->budget.usable, "port", "ports"));
}

/* Does bind() take the port of every load, for all destinations, and for the whole of its
 * TIME_WAIT? */
static bool is_bound_first(const struct plan *p)
{
	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct load *load = p->loads[i].load;

		if (!bind_takes_port(load->bind.way) || bind_shares_port(load))
			return false;
	}
	return true;
}

static void add_tuples(struct line_list *lines, const struct evidence *e, int64_t life_ns)
{
	uint32_t usable = e->plan->budget.usable;

	if (e->plan->loads[0].load->protocol == PROTOCOL_UDP) {
		add_datagrams(lines, e);
		return;
	}
	if (is_bound_first(e->plan)) {
		add_fmt(lines, e->a,
			"each further source address that sockets are bound to adds %s%s",
			say_number_of(e->a, usable, "port", "ports"), rate_too(e, usable, life_ns));
		return;
	}
	add_fmt(lines, e->a,
		"each further destination, an address or a port of the server, adds %s%s",
		say_number_of(e->a, usable, "port", "ports"), rate_too(e, usable, life_ns));
	add(lines, TEXT("each further source address adds as many; bind it with "
			"IP_BIND_ADDRESS_NO_PORT, or bind() takes a port for all destinations"));
}

/* 0: the kernel has none that would do any good. */
static int64_t reuse_delay_ns(const struct evidence *e)
{
	const struct host *host = e->plan->host;
	int64_t fallback = host && host->tw_reuse_delay > 0 ? host->tw_reuse_delay : 1000;
	int64_t ms = sysctl_of(e, "net.ipv4.tcp_tw_reuse_delay", fallback);

	return ms > 0 && ms < e->plan->scenario->network.time_wait / 1000000 ? ms * 1000000 : 0;
}

/* tcp_tw_reuse=1, where it is not at work already. */
static void add_reuse(struct line_list *lines, const struct evidence *e, int64_t live_ns)
{
	int64_t delay_ns = reuse_delay_ns(e), reuse = sysctl_of(e, "net.ipv4.tcp_tw_reuse", 2);
	bool is_local = e->plan->scenario->network.topology == TOPOLOGY_LOOPBACK;
	bool is_set = reuse == 1 || (reuse == 2 && is_local);
	bool stamps = sysctl_of(e, "net.ipv4.tcp_timestamps", 1) != 0;
	const char *gain;

	if (is_bound_first(e->plan) || is_reused(e->plan) || delay_ns == 0 || (is_set && stamps))
		return;
	gain = text_format(e->a, "a connect may take a port that was %s in TIME_WAIT%s",
			   say_time(e->a, delay_ns),
			   rate_verdict(e, e->plan->budget.capacity, live_ns + delay_ns))
		       .s;
	if (is_set) {
		add_fmt(lines, e->a,
			"net.ipv4.tcp_timestamps=1: tcp_tw_reuse is set, and does nothing without "
			"timestamps; with them %s",
			gain);
		return;
	}
	if (!stamps)
		add(lines, TEXT("net.ipv4.tcp_timestamps=1: without timestamps no port in "
				"TIME_WAIT is reused"));
	add_fmt(lines, e->a,
		"net.ipv4.tcp_tw_reuse=1: %s; it works for the side that connects, with TCP "
		"timestamps on both sides",
		gain);
}

static void advise_leak(struct finding *f, const struct evidence *e)
{
	uint64_t waiting = e->full ? e->full->states[STATE_CLOSE_WAIT] : 0;
	uint32_t usable = e->plan->budget.usable;
	const char *limit = "";

	if (waiting > 0)
		add_fmt(&f->attempt, e->a,
			"close when recv() returns 0: the far end has closed %s already "
			"(CLOSE_WAIT)",
			say_number_of(e->a, waiting, "connection", "connections"));
	if (usable > 1)
		limit = text_format(e->a, " below %s", say_count(e->a, usable)).s;
	add_fmt(&f->attempt, e->a,
		"take connections from a pool with a limit%s to one destination: a leak then shows "
		"where it is made",
		limit);
}

/* A pool that is smaller than what is under way closes the rest after one use. */
static void add_pool(struct line_list *lines, const struct evidence *e)
{
	const struct load_plan *lp = &e->plan->loads[0];

	if (lp->idle_most == 0 || lp->idle_most >= lp->concurrency)
		return;
	add_fmt(lines, e->a,
		"have the pool keep as many idle connections as there are requests at once, %s: it "
		"keeps %s, and closes the others after one use",
		say_count(e->a, lp->concurrency), say_count(e->a, lp->idle_most));
}

static void advise_churn(struct finding *f, const struct evidence *e)
{
	int64_t live_ns = live_time(e->plan), life_ns = live_ns + quiet_time(e->plan);

	if (outlook_buckets(e->plan))
		life_ns = 0; /* TIME_WAIT ends early: no rate can be told */

	add_pool(&f->attempt, e);
	add_widen(&f->attempt, e, life_ns);
	add_reuse(&f->attempt, e, live_ns);
	add_tuples(&f->attempt, e, life_ns);
	add(&f->attempt,
	    TEXT("have the server close first: TIME_WAIT is then on its side, and holds "
		 "none of the client's ports"));
	if (e->plan->scenario->network.topology != TOPOLOGY_LOOPBACK)
		add(&f->wont_help, TEXT("net.ipv4.tcp_tw_reuse=2, the default: it reuses ports on "
					"loopback only"));
}

static void advise_fin_wait(struct finding *f, const struct evidence *e)
{
	int64_t seconds = sysctl_of(e, "net.ipv4.tcp_fin_timeout", 60);

	if (seconds > 10)
		add_fmt(&f->attempt, e->a,
			"net.ipv4.tcp_fin_timeout=10: FIN_WAIT2 is what it governs; ports come "
			"back %s sooner",
			say_times(e->a, (double)seconds / 10));
	add_widen(&f->attempt, e, 0);
	add_tuples(&f->attempt, e, 0);
}

static void advise_live(struct finding *f, const struct evidence *e)
{
	add_tuples(&f->attempt, e, 0);
	add_widen(&f->attempt, e, 0);
}

static void advise_snat(struct finding *f, const struct evidence *e)
{
	const struct plan *p = e->plan;
	struct port_range now = p->scenario->network.nat.ports;
	uint32_t size = (uint32_t)(now.hi - now.lo) + 1,
		 wide = (uint32_t)(widest.hi - widest.lo) + 1;
	bool for_ever = p->forecast.quiet_ns == FOR_EVER;
	int64_t life_ns = for_ever ? 0 : live_time(p) + 120 * INT64_C(1000000000);

	if (size < wide)
		add_fmt(&f->attempt, e->a,
			"give the NAT more ports: %u-%u, less those that the gateway listens on, "
			"are up to %s to each destination, %s as many%s",
			widest.lo, widest.hi, say_count(e->a, wide),
			say_times(e->a, (double)wide / size),
			rate_verdict(e, (uint64_t)wide * p->nat.outside.count * p->destinations,
				     life_ns));
	add_fmt(&f->attempt, e->a,
		"give it more addresses, each adds %s to each destination. `snat to FIRST-LAST` "
		"picks by a hash of source and destination, so that one client has one address "
		"towards one server: take them in turn (`numgen inc mod N map`)",
		say_number_of(e->a, size, "port", "ports"));
	add_fmt(&f->attempt, e->a,
		"each further destination, an address or a port of the server, has all %s again; "
		"not where a cloud's NAT counts one port for all destinations",
		say_count(e->a, p->nat.carriage.each));
	add(&f->attempt, TEXT("go around it: what is not translated (a private endpoint, IPv6) "
			      "needs no port"));
}

static void advise_conntrack(struct finding *f, const struct evidence *e)
{
	uint64_t limit = e->plan->scenario->network.nat.limit;
	const char *here = "";

	if (limit)
		here = text_format(e->a, "; here it is the rule's limit of %s",
				   say_count(e->a, limit))
			       .s;
	add_fmt(&f->attempt, e->a,
		"raise net.netfilter.nf_conntrack_max on the gateway, and nf_conntrack_buckets "
		"with it%s",
		here);
	add(&f->attempt,
	    TEXT("shorten what ended connections are kept for: nf_conntrack_tcp_timeout_time_wait "
		 "(120 s), _established (432,000 s) for those that end without a word"));
	add(&f->attempt, TEXT("leave out what needs no tracking (`notrack`)"));
}

static void advise_bind_first(struct finding *f, const struct evidence *e)
{
	const struct budget *b = &e->plan->budget;

	add_fmt(&f->attempt, e->a,
		"set IP_BIND_ADDRESS_NO_PORT (Linux 4.2) before bind(): it then takes the address "
		"alone, and connect() a port for each destination: %s in place of %s",
		say_number_of(e->a, (uint64_t)b->usable * b->pairs, "connection", "connections"),
		say_count(e->a, b->capacity));
	add(&f->attempt, TEXT("leave bind() out where the route gives the source address anyway"));
	add_fmt(&f->attempt, e->a, "each further source address adds %s",
		say_number_of(e->a, b->usable, "port", "ports"));
}

static void advise_bound(struct finding *f, const struct evidence *e)
{
	add_widen(&f->attempt, e, 0);
}

static void advise_fixed_port(struct finding *f, const struct evidence *e)
{
	const struct load *load = e->plan->loads[0].load;
	struct port_range range = e->plan->scenario->network.ports;

	add_fmt(&f->attempt, e->a,
		"let the kernel choose: without bind(), or with a bind() to port 0 and "
		"IP_BIND_ADDRESS_NO_PORT, there are %s to each destination",
		say_number_of(e->a, range.hi - range.lo + 1U, "port", "ports"));
	if (!load->options.reuseaddr)
		add(&f->attempt,
		    TEXT("set SO_REUSEADDR before bind(): with TCP timestamps on both sides a port "
			 "can be connected from again during its own TIME_WAIT, at once"));
	if (load->bind.way == BIND_PORT)
		add(&f->attempt,
		    TEXT("name several ports, as many as connections within TIME_WAIT"));
}

static void advise_fd_limit(struct finding *f, const struct evidence *e)
{
	const struct host *host = e->plan->host;
	const char *here = "";

	if (host && host->nofile > 0 && host->nofile_soft > 0)
		here = text_format(e->a, "; here it is %s soft, %s hard",
				   say_count(e->a, (uint64_t)host->nofile_soft),
				   say_count(e->a, (uint64_t)host->nofile))
			       .s;
	if (e->tape->tally.errors[STAGE_SOCKET][EMFILE])
		add_fmt(&f->attempt, e->a,
			"raise the limit of descriptors: ulimit -n, LimitNOFILE= of a systemd "
			"unit%s",
			here);
	if (e->tape->tally.errors[STAGE_SOCKET][ENFILE])
		add(&f->attempt, TEXT("raise fs.file-max, the limit of the whole host (ENFILE)"));
	add(&f->attempt, TEXT("close what is done with: a leak ends here at any limit"));
}

static void advise_address(struct finding *f, const struct evidence *e)
{
	if (e->plan->family == FAMILY_IPV6)
		add(&f->attempt,
		    TEXT("where IPv6 is off (net.ipv6.conf.all.disable_ipv6=1) use 127.0.0.1: "
			 "localhost can be ::1"));
}

/* What the figures add; NULL: nothing. */
static void (*const advise[CAUSES])(struct finding *, const struct evidence *) = {
	[CAUSE_LEAK] = advise_leak,
	[CAUSE_TIME_WAIT_CHURN] = advise_churn,
	[CAUSE_FIN_WAIT_ORPHANS] = advise_fin_wait,
	[CAUSE_LIVE_SATURATION] = advise_live,
	[CAUSE_FD_LIMIT] = advise_fd_limit,
	[CAUSE_ADDRESS_NOT_LOCAL] = advise_address,
	[CAUSE_LINUX_SNAT] = advise_snat,
	[CAUSE_CONNTRACK_FULL] = advise_conntrack,
	[CAUSE_BIND_FIRST] = advise_bind_first,
	[CAUSE_BOUND_ONLY] = advise_bound,
	[CAUSE_LISTENERS] = advise_bound,
	[CAUSE_FIXED_PORT] = advise_fixed_port,
};

void advice_give(struct finding *f, const struct evidence *e)
{
	f->attempt.list = ARENA_ARRAY(e->a, struct text, LINES_MOST);
	f->wont_help.list = ARENA_ARRAY(e->a, struct text, LINES_MOST);
	add_all(&f->attempt, first_of_all[f->cause]);
	if (advise[f->cause])
		advise[f->cause](f, e);
	add_all(&f->wont_help, in_vain[f->cause]);
}
