#include <errno.h>

#include "judge/rule.h"

/* Its sockets are for a query each: they ask. Without that a socket that nobody closes is a leak, and
 * it is told as one first. */
static bool is_per_query(const struct evidence *e)
{
	return e->load->load->request.send > 0;
}

static struct claim udp_sockets(const struct evidence *e)
{
	uint64_t sends = evidence_errors(e, STAGE_SEND, EAGAIN),
		 again = evidence_errors(e, STAGE_CONNECT, EAGAIN) - e->portless + sends,
		 taken = evidence_errors(e, STAGE_BIND, EADDRINUSE);
	struct claim c = {.weight = is_per_query(e) ? claim_first(e) : (double)e->wanted};

	if (!e->tape->exhausted || !plan_speaks(e->plan, PROTOCOL_UDP) || again + taken == 0)
		return no_claim;
	c.why = text_format(
		e->a,
		"%s: a socket of UDP has its port towards all destinations (here %s), from "
		"connect(), "
		"bind() or the first sendto() until it is closed. %s %s %s in all. %s.%s",
		again ? text_format(e->a,
				    "%s failed %s with EAGAIN, which is easily taken for "
				    "\"would block\"",
				    sends ? "sendto()" : "connect()",
				    say_number_of(e->a, again, "time", "times"))
				.s
		      : text_format(e->a, "bind() failed %s with EADDRINUSE",
				    say_number_of(e->a, taken, "time", "times"))
				.s,
		say_count(e->a, e->plan->destinations), say_ports(e),
		say_either(e->plan->budget.usable, "carries", "carry"),
		say_number_of(e->a, e->plan->budget.capacity, "socket", "sockets"),
		e->ports_of[0] ? "TCP's ports are others"
			       : "TCP is not touched: its ports are others",
		say_owners(e, &deed_open));
	return c;
}

/* Where sockets leak, no number of ports is enough: as the leak's own advice says. */
static void advise_datagrams(struct finding *f, const struct evidence *e)
{
	bool leaks = e->tape->tally.leaked > 0 && !is_per_query(e);

	if (leaks)
		advice_add(&f->attempt, TEXT(ADVICE_ONE_SOCKET));
	else
		advice_tuples(&f->attempt, e, 0);
	advice_add(&f->attempt,
		   TEXT("close a socket with its answer, and give up on one that does not "
			"come: nothing waits after the close"));
	if (!leaks)
		advice_widen(&f->attempt, e, 0);
}

/* Those that have the addresses and the ports of another, as the kernel lists them. */
static struct claim udp_overshadow(const struct evidence *e)
{
	uint64_t n = (uint64_t)evidence_measured(e, MEASURE_OVERSHADOWED_MAX);

	if (n == 0)
		return no_claim;
	return (struct claim){.weight = 0.5 + (double)evidence_errors(e, STAGE_RECEIVE, ETIMEDOUT),
			      .why = text_format(e->a,
						 "%s of up to %s had the addresses and ports of "
						 "another: bind() and connect() of UDP "
						 "share a port where SO_REUSEADDR or SO_REUSEPORT "
						 "is set, and no call fails. To the "
						 "kernel they are one, and the newest gets what "
						 "comes: the others wait for answers in "
						 "vain.",
						 say_number_of(e->a, n, "socket", "sockets"),
						 say_count(e->a, e->tape->open_peak))};
}

// clang-format off
const struct rule datagram_rules[] = {
	{
		.cause = CAUSE_UDP_SOCKETS,
		.instead = CAUSE_LIVE_SATURATION,
		.claim = udp_sockets,
		.advise = advise_datagrams,
		.seen = {MEASURE_ESTABLISHED_MAX, MEASURE_PORTS_USED_MAX, MEASURE_PORTS_USABLE, MEASURE_EXHAUSTED_AFTER},
		.in_vain = {
			"more destinations: a port of UDP is taken towards all of them",
			"IP_BIND_ADDRESS_NO_PORT: it leaves the port to connect(), which takes it for all destinations too",
			"SO_REUSEADDR: no call fails then, and two sockets have one port, of which one hears nothing",
			"net.ipv4.tcp_tw_reuse, tcp_fin_timeout: they are about TCP",
		},
	},
	{
		.cause = CAUSE_UDP_OVERSHADOW,
		.claim = udp_overshadow,
		.seen = {MEASURE_OVERSHADOWED_MAX, MEASURE_ESTABLISHED_MAX, MEASURE_PORTS_USED_MAX, MEASURE_PORTS_USABLE},
		.attempt = {
			"leave SO_REUSEADDR out of sockets that connect: a want of ports is then an error, not silence",
			"use one socket for many destinations, and tell answers apart by what is in them (QUIC: "
			"connection IDs)",
		},
		.in_vain = {
			"SO_REUSEPORT instead: the kernel then spreads the datagrams of one connection over strangers",
		},
	},
	RULES_END,
};
// clang-format on
