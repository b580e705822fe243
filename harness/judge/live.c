#include <errno.h>

#include "judge/gateway.h"
#include "judge/late.h"
#include "judge/rule.h"

/* What share of all that hold ports the live connections must be, or of the capacity those that
 * the load keeps open, to be a want of ports of their own. */
static const double share_saturating = 0.9;

/* Connects that gave up, beside those that wait still: a gateway that drops them is told by itself. */
static uint64_t gave_up(const struct evidence *e)
{
	if (gateway_lacks_ports(e) || gateway_is_full(e) || gateway_lacks_mappings(e))
		return 0;
	return evidence_errors(e, STAGE_CONNECT, ETIMEDOUT);
}

/* Those that gave up weigh as much as those that wait have of the ports: where others have more of them, who
 * these are comes first. */
static struct claim blackhole(const struct evidence *e)
{
	struct holders h = evidence_holders(e);
	struct claim c = {.weight = claim_holds(e, h.unanswered, &h)};
	uint64_t waited = gave_up(e);

	if (c.weight == 0)
		return no_claim;
	c.weight += (double)waited * (double)h.unanswered / (double)h.all;
	c.why = text_format(
		e->a,
		"%s%s%s no answer yet, and %s port until it gives up (SYN_SENT), here "
		"after %s. There %s %s %s.%s%s%s",
		waited ? say_failed(e, waited, STAGE_CONNECT, ETIMEDOUT) : "", waited ? " " : "",
		say_number_of(e->a, h.unanswered, "connect had", "connects had"),
		say_either(h.unanswered, "keeps its", "each keeps its"), say_patience(e),
		say_either(bound_left(e), "is", "are"), say_ports_left(e), say_towards(e),
		say_gone(e), say_drops(e), say_owners(e, &deed_unanswered));
	return c;
}

/* Of a load, by what it asks for. */
static double at_once_of(const struct load_plan *lp)
{
	if (lp->shape.burst && lp->load->hold > 0)
		return (double)shape_most(&lp->shape, lp->load->hold - 1);
	if (load_is_open(lp->load))
		return shape_asks(&lp->shape) * (double)lp->load->hold / 1e9;
	return lp->concurrency;
}

/* How long it is in use: as the load holds it, or the far end takes. */
static int64_t held_for(const struct evidence *e)
{
	int64_t live_ns = live_time(e->plan), hold_ns = e->load->load->hold;

	return live_ns > hold_ns ? live_ns : hold_ns;
}

/* Are far more in use than the load asks for at once, and did this machine fall behind it? */
static bool comes_of_lag(const struct evidence *e, const struct holders *h)
{
	double at_once = plan_rate(e->plan) * (double)held_for(e) / 1e9;

	return late_is_lighter(e->measures) && e->plan->load_count == 1 && at_once > 0 &&
	       (double)h->live > 2 * at_once;
}

/* Do live connections by themselves want all there is? Those that wait or were leaked are other
 * causes, and would be there without these. */
static bool is_saturated(const struct evidence *e, const struct holders *h)
{
	double at_once = say_accepts(e)[0] ? plan_rate(e->plan) * (double)held_for(e) / 1e9 : 0;

	for (uint32_t i = 0; i < e->plan->load_count; i++)
		at_once += at_once_of(&e->plan->loads[i]);

	/* Before any failure most of them is enough: it is a fill that was not to be. */
	return (!e->tape->exhausted && 2 * h->live > h->all) ||
	       (double)h->live >= share_saturating * (double)h->all ||
	       at_once >= share_saturating * (double)e->plan->budget.capacity;
}

/* Is any other kind of holder a cause by itself? Where none is, live connections are. */
static bool has_other_cause(const struct evidence *e, const struct holders *h)
{
	return claim_holds(e, h->leaked, h) > 0 || claim_holds(e, h->inherited, h) > 0 ||
	       claim_holds(e, h->time_wait, h) > 0 || claim_holds(e, h->fin_wait, h) > 0 ||
	       claim_holds(e, h->unanswered, h) > 0;
}

/* What was open when the host vanished, and holds its port still: of TCP, for a socket of UDP has no peer
 * to lose. */
static struct claim dead_peer_leak(const struct evidence *e)
{
	const struct value *gone = &e->measures->fixed[MEASURE_SERVER_GONE];
	struct holders h = evidence_holders(e);
	struct claim c = {.weight = claim_holds(e, h.live, &h)};

	if (c.weight == 0 || !gone->present || !plan_speaks(e->plan, PROTOCOL_TCP) ||
	    (double)e->tape->refused_at_ns < gone->n)
		return no_claim;
	c.why = text_format(
		e->a,
		"The server's host vanished after %s, and ports ran out %s later: %s no FIN and no "
		"RST, and %s open still. TCP says nothing on an idle connection, so that each "
		"keeps "
		"its port until somebody asks. There %s %s %s.%s",
		say_time(e->a, (int64_t)gone->n),
		say_time(e->a, e->tape->refused_at_ns - (int64_t)gone->n),
		say_number_of(e->a, h.live, "connection had", "connections had"),
		say_either(h.live, "is", "are"), say_either(bound_left(e), "is", "are"),
		say_ports_left(e), say_towards(e), say_owners(e, &deed_open));
	return c;
}

/* " Of them 20 % are never closed, and 20 % keep their port in TIME_WAIT: they fill what is left." Of a
 * mix, where those in use alone do not fill all there is. */
static const char *say_rest(const struct evidence *e, uint64_t at_once)
{
	const struct load *load = e->load->load;
	double kept = load_share(load, END_LEAK) + load_share(load, END_INHERIT),
	       closed = load_share(load, END_CLOSE);
	const char *leak = "", *wait = "";

	if (at_once >= e->plan->budget.capacity || kept + closed <= 0 ||
	    load_share(load, load->end) >= 1)
		return "";
	if (kept > 0)
		leak = text_format(e->a, " %s are never closed%s",
				   say_measure(e->a, KIND_SHARE, kept), closed > 0 ? ", and" : "")
			       .s;
	if (closed > 0)
		wait = text_format(e->a, " %s keep their port in TIME_WAIT",
				   say_measure(e->a, KIND_SHARE, closed))
			       .s;
	return text_format(e->a, " Of them%s%s: what stays fills the rest.", leak, wait).s;
}

/* " 100 connections every 0.4 s, each held for 5 ms, come to 100 at once."; of a rate, by Little's law. */
static const char *say_law(const struct evidence *e)
{
	const struct load_plan *lp = e->load;
	double rate = plan_rate(e->plan), hold_ns = (double)held_for(e);
	uint64_t n = (uint64_t)(rate * hold_ns / 1e9 + 0.5);
	const char *begun;

	if (e->plan->load_count > 1 || rate <= 0 || hold_ns <= 0 ||
	    e->plan->scenario->server.accept_every)
		return say_accepts(e); /* how late each is accepted nobody knows */
	begun = say_rate(e->a, rate);
	if (lp->load->ramp.count > 0) {
		n = shape_within(&lp->shape, held_for(e),
				 load_lasts_ns(lp->load, e->plan->scenario->stop.time));
		begun = text_format(e->a, "Up to %s", begun).s;
	}
	if (lp->shape.burst) {
		n = (uint64_t)at_once_of(lp);
		begun = text_format(
				e->a, "%s every %s",
				say_number_of(e->a, lp->shape.burst, "connection", "connections"),
				say_time(e->a, lp->shape.every_ns))
				.s;
	}
	return text_format(e->a, " %s, each held for %s, come to %s at once.%s", begun,
			   say_time(e->a, held_for(e)),
			   say_number_of(e->a, n, "connection", "connections"), say_rest(e, n))
		.s;
}

/* "None is in TIME_WAIT: the ports are held by live connections."; or how many are, and who has more. */
static const char *say_beside_live(const struct evidence *e, const struct holders *h)
{
	if (h->time_wait == 0)
		return "None is in TIME_WAIT: the ports are held by live connections.";
	return text_format(e->a, "%s %s in TIME_WAIT%s.", say_count(e->a, h->time_wait),
			   say_either(h->time_wait, "is", "are"),
			   h->live > h->time_wait ? ": most ports are held by live connections"
						  : " besides")
		.s;
}

static struct claim live_saturation(const struct evidence *e)
{
	struct holders h = evidence_holders(e);
	struct claim c = {.weight = claim_holds(e, h.live, &h)};

	/* Most of them nobody uses any more: it is their close that is late. */
	if (c.weight == 0 || 2 * h.ended > h.live ||
	    (!is_saturated(e, &h) && has_other_cause(e, &h)) ||
	    (!e->tape->exhausted && comes_of_lag(e, &h)))
		return no_claim;
	c.why = text_format(e->a, "%s %s in use at once, and there %s %s %s. %s%s%s%s",
			    say_number_of(e->a, h.live, "connection", "connections"),
			    say_either(h.live, "was", "were"),
			    say_either(bound_left(e), "is", "are"), say_ports_left(e),
			    say_towards(e), say_beside_live(e, &h), say_owners(e, &deed_open),
			    say_law(e), comes_of_lag(e, &h) ? say_lag(e) : "");
	return c;
}

/* What the far end could not have, at whatever stage. */
static uint64_t far_failures(const struct evidence *e)
{
	uint64_t n = 0;

	for (size_t i = 0; i < e->measures->server_error_count; i++)
		n += e->measures->server_errors[i].count;
	return n;
}

/* How a chain came to its end: for want of one more, or since it was closed before. */
static const char *say_chain_end(const struct evidence *e)
{
	uint64_t failures = far_failures(e);

	if (failures > 0)
		return text_format(e->a, " (%s could not be had)", say_count(e->a, failures)).s;
	return text_format(e->a,
			   "; here the client was done before that, after %s, and closes the whole "
			   "chain with its own",
			   say_time(e->a, (int64_t)evidence_measured(e, MEASURE_ELAPSED)))
		.s;
}

/* More connections to the destination than the client has opened, and the far end has opened those. Where it
 * has ports of its own, the client is refused nothing: it sees its connection closed. It is a loop
 * whatever ends it. */
static struct claim proxy_loop(const struct evidence *e)
{
	uint64_t opened = (uint64_t)evidence_measured(e, MEASURE_SERVER_OPENED);
	struct holders h = evidence_holders(e);
	bool shares = e->plan->scenario->network.topology == TOPOLOGY_LOOPBACK;
	struct claim c = {.weight = shares ? claim_holds(e, h.looped + least(opened, h.live), &h)
					   : 0};

	if (opened == 0)
		return no_claim;
	if (c.weight == 0)
		c.weight = far_failures(e) > 0 ? 1 : 0.5;
	c.why = text_format(
		e->a,
		"The far end opened %s to itself for %s of the client: it is its own upstream, and "
		"passes each on to the next, with a port and two descriptors, until one of them "
		"ends%s. Both ends of all of them are of one process%s.",
		say_number_of(e->a, opened, "connection", "connections"),
		say_number_of(e->a, e->tape->tally.opened, "connection", "connections"),
		say_chain_end(e), shares ? ", and their ports are the client's" : "");
	return c;
}

static void advise_live(struct finding *f, const struct evidence *e)
{
	if (say_accepts(e)[0])
		advice_add(&f->attempt, TEXT("have the far end accept sooner: what it has not "
					     "accepted gets no answer"));
	advice_spread(&f->attempt, e);
	advice_tuples(&f->attempt, e, 0);
	advice_widen(&f->attempt, e, 0);
}

static void advise_dead_peer(struct finding *f, const struct evidence *e)
{
	const struct load *load = e->load->load;
	int64_t idle = evidence_sysctl(e, "net.ipv4.tcp_keepalive_time", 7200),
		every = evidence_sysctl(e, "net.ipv4.tcp_keepalive_intvl", 75),
		times = evidence_sysctl(e, "net.ipv4.tcp_keepalive_probes", 9),
		all = idle + every * times;

	if (load->options.keepalive.idle == 0)
		advice_add_fmt(
			&f->attempt, e->a,
			"SO_KEEPALIVE with TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT of its "
			"own: a dead peer's port is free after idle + interval x count, by the "
			"sysctls here %lld s + %lld s x %lld = %lld s",
			(long long)idle, (long long)every, (long long)times, (long long)all);
	advice_add(&f->attempt,
		   TEXT("a deadline on every wait for an answer, and an idle timeout on "
			"what the pool keeps"));
	advice_add(&f->attempt, TEXT("TCP_USER_TIMEOUT as well, for what is sent and not "
				     "acknowledged: net.ipv4.tcp_retries2 is 15 minutes"));
}

// clang-format off
static const char about_closed[] = ABOUT_CLOSED;

const struct rule live_rules[] = {
	{
		.cause = CAUSE_BLACKHOLE,
		.claim = blackhole,
		.seen = {MEASURE_SYN_SENT_MAX, MEASURE_TIME_WAIT_MAX, MEASURE_PORTS_USABLE, MEASURE_SERVER_DROPPED},
		.attempt = {
			"look at the far end, and at what is between: a firewall that drops, a host that is down, an "
			"accept queue that is full (TcpExtListenOverflows there)",
			"give up sooner (a timeout of the connect, and a close), and try less often: a port is held "
			"for as long as its connect waits",
			"net.ipv4.tcp_syn_retries=1, for a program without a timeout: the kernel gives up after 3 s, "
			"and not after two minutes",
		},
		.in_vain = {
			"net.ipv4.tcp_tw_reuse, tcp_fin_timeout: they are about closed connections, and these never "
			"opened",
			"more ports: as many connects wait again in no time",
		},
	},
	{
		.cause = CAUSE_LIVE_SATURATION,
		.claim = live_saturation,
		.advise = advise_live,
		.seen = {MEASURE_ESTABLISHED_MAX, MEASURE_TIME_WAIT_MAX, MEASURE_PORTS_USABLE},
		.attempt = {
			"open fewer: share connections between requests (multiplexing, a pool with a limit), and "
			"close idle ones sooner",
		},
		.in_vain = {about_closed, "ulimit -n: descriptors are another limit"},
	},
	{
		.cause = CAUSE_PROXY_LOOP,
		.instead = CAUSE_LIVE_SATURATION,
		.claim = proxy_loop,
		.seen = {MEASURE_SERVER_OPENED, MEASURE_CONNECTS_OPENED, MEASURE_PORTS_USED_MAX, MEASURE_PORTS_USABLE},
		.attempt = {
			"have the proxy look at where it is to connect to: an address and port that it listens on itself is "
			"refused, after the name is resolved",
			"a guard against the loop in what is passed on: Via or Max-Forwards of HTTP, CDN-Loop (RFC 8586)",
			"`ss -tnp`: both ends of a connection belong to one process",
		},
		.in_vain = {
			"more ports, ulimit -n: one request takes them all, however many there are",
			"net.ipv4.tcp_tw_reuse, tcp_fin_timeout: what comes back sooner the next request takes as well",
		},
	},
	{
		.cause = CAUSE_DEAD_PEER_LEAK,
		.instead = CAUSE_LIVE_SATURATION,
		.claim = dead_peer_leak,
		.advise = advise_dead_peer,
		.seen = {MEASURE_SERVER_GONE, MEASURE_EXHAUSTED_AT, MEASURE_ESTABLISHED_MAX, MEASURE_PORTS_USABLE},
		.in_vain = {
			"TCP_USER_TIMEOUT alone: on an idle connection nothing is sent that could go unanswered",
			about_closed, "more ports: they only delay it",
		},
	},
	RULES_END,
};
// clang-format on
