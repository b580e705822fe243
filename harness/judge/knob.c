#include <errno.h>
#include <math.h>

#include "judge/late.h"
#include "judge/outlook.h"
#include "judge/rule.h"

/* Is the sysctl one that somebody has set, and to this? */
static bool is_set_to(const struct evidence *e, const char *name, int64_t value)
{
	const struct setting_list *s = &e->plan->scenario->network.sysctl;

	return setting_number(s, name, value) == value &&
	       setting_number(s, name, value + 1) == value;
}

static double counter_of(const struct evidence *e, const char *name)
{
	const struct measure_ref what = {.measure = MEASURE_COUNTER, .counter = text_of(name)};

	return measures_get(e->measures, &what).n;
}

/* Of a setting: it is told before the churn that it was to prevent, where connect() is what fails:
 * bind() does not ask it. */
static double claim_knob(const struct evidence *e)
{
	double churn = claim_churn(e);
	bool asked = evidence_errors(e, STAGE_CONNECT, EADDRNOTAVAIL) > 0;

	return churn > 0 && asked ? claim_first(e) + churn : 0;
}

/* What its ports carry of connections that take one for so long. */
static double carried(const struct evidence *e, int64_t life_ns)
{
	return (double)e->plan->budget.capacity * 1e9 / (double)life_ns;
}

static struct claim tw_reuse_scope(const struct evidence *e)
{
	struct claim c = {.weight = claim_knob(e)};
	int64_t delay_ns = reuse_delay(e->plan);

	if (c.weight == 0 || reuse_is_set(e->plan) || is_bound_first(e->plan) ||
	    !is_set_to(e, "net.ipv4.tcp_tw_reuse", 2) || delay_ns == 0)
		return no_claim;
	c.why = text_format(
		e->a,
		"net.ipv4.tcp_tw_reuse is 2, which reuses a port in TIME_WAIT only if an end is on "
		"loopback: it did so %s (TWRecycled). Between two hosts %s carry %s; with 1 a port "
		"could be taken after %s, and they would carry %s%s.",
		say_number_of(e->a, (uint64_t)counter_of(e, "TWRecycled"), "time", "times"),
		say_ports(e),
		say_rate(e->a, carried(e, outlook_life_ns(e->plan, OUTLOOK_ELSEWHERE, *e->a))),
		say_time(e->a, delay_ns),
		say_rate(e->a, carried(e, outlook_life_ns(e->plan, OUTLOOK_REUSED, *e->a))),
		say_demand(e, INFINITY));
	return c;
}

static void advise_scope(struct finding *f, const struct evidence *e)
{
	advice_reuse(&f->attempt, e);
}

static struct claim timestamps_off(const struct evidence *e)
{
	struct claim c = {.weight = claim_knob(e)};

	if (c.weight == 0 || !reuse_is_set(e->plan) || has_timestamps(e->plan))
		return no_claim;
	c.why = text_format(
		e->a,
		"net.ipv4.tcp_tw_reuse is set, and net.ipv4.tcp_timestamps=0%s takes away what "
		"tells the segments of two connections apart (RFC 6191): TWRecycled moved by %s, "
		"and each of %s waits for the whole of its TIME_WAIT. They carry %s so, and %s "
		"with timestamps%s.",
		evidence_sysctl(e, "net.ipv4.tcp_timestamps", 1) ? " on the server" : "",
		say_count(e->a, (uint64_t)counter_of(e, "TWRecycled")), say_ports(e),
		say_rate(e->a, carried(e, outlook_life_ns(e->plan, OUTLOOK_ELSEWHERE, *e->a))),
		say_rate(e->a, carried(e, outlook_life_ns(e->plan, OUTLOOK_REUSED, *e->a))),
		say_demand(e, INFINITY));
	return c;
}

static struct claim tw_reuse_floor(const struct evidence *e)
{
	struct claim c = {.weight = claim_knob(e)};
	const struct value *at = &e->measures->fixed[MEASURE_EXHAUSTED_AT];
	double all = carried(e, outlook_life_ns(e->plan, OUTLOOK_HERE, *e->a));

	if (c.weight == 0 || !is_reused(e->plan) || evidence_kept_alone_fills(e))
		return no_claim;
	c.why = text_format(e->a,
			    "tcp_tw_reuse is at work, and gives no port back before it was %s in "
			    "TIME_WAIT: %s / %s = "
			    "%s for ever is all%s. %s had them used up after %s.",
			    say_time(e->a, quiet_time(e->plan)),
			    say_number_of(e->a, e->plan->budget.capacity, "port", "ports"),
			    say_life(e), say_rate(e->a, all), say_demand(e, all),
			    say_either(e->plan->load_count, "This load", "These loads"),
			    say_time(e->a, at->present ? (int64_t)at->n : 0));
	return c;
}

static void advise_floor(struct finding *f, const struct evidence *e)
{
	int64_t life_ns = outlook_life_ns(e->plan, OUTLOOK_HERE, *e->a);

	advice_spread(&f->attempt, e);
	if (e->plan->host && e->plan->host->tw_reuse_delay >= 0)
		advice_add(&f->attempt, TEXT("net.ipv4.tcp_tw_reuse_delay, in ms (Linux 6.14), "
					     "where both ends have "
					     "timestamps of a millisecond"));
	advice_widen(&f->attempt, e, life_ns);
	advice_tuples(&f->attempt, e, life_ns);
}

static struct claim tw_overflow(const struct evidence *e)
{
	double n = evidence_measured(e, MEASURE_TIME_WAIT_OVERFLOW);
	struct claim c = {.weight = n > 0 ? 0.5 : 0};

	if (n > 0)
		c.why = text_format(
			e->a,
			"Of %s %s never in TIME_WAIT, since tcp_max_tw_buckets was reached "
			"(TCPTimeWaitOverflow): their ports were free at once, and nothing keeps a "
			"late packet of an old connection from a new one (RFC 1337). With room for "
			"all of them, %s carry %s.",
			say_number_of(e->a, e->tape->tally.closed, "closed connection",
				      "closed connections"),
			text_format(e->a, "%s %s", say_count(e->a, (uint64_t)n),
				    say_either((uint64_t)n, "was", "were"))
				.s,
			say_ports(e),
			say_rate(e->a,
				 (double)e->plan->budget.capacity * 1e9 / (double)TIME_WAIT_NS));
	return c;
}

/* Sockets that wait in the client's namespace, and not at its ports: sockstat counts FIN_WAIT2
 * with them. */
static uint64_t waiting_elsewhere(const struct evidence *e)
{
	uint64_t most = 0;

	for (size_t i = 0; i < e->tape->sample_count; i++) {
		const struct sample *s = &e->tape->samples[i];
		uint64_t own = s->states[STATE_TIME_WAIT] + s->states[STATE_FIN_WAIT2];

		if ((s->parts & SAMPLE_TOTALS) && (s->parts & SAMPLE_SOCKETS) && s->tw > own &&
		    s->tw - own > most)
			most = s->tw - own;
	}
	return most;
}

enum { ELSEWHERE_LEAST = 8 }; /* fewer are nobody's worry */

static struct claim server_time_wait(const struct evidence *e)
{
	uint64_t n = waiting_elsewhere(e);
	struct holders h = evidence_holders(e);

	if (n < ELSEWHERE_LEAST || n < h.time_wait)
		return no_claim;
	return (struct claim){
		.weight = 0.5,
		.why = text_format(
			e->a,
			"%s in TIME_WAIT here, and not at a port of the client's range: the server "
			"closed first, so that it is its port they have. The client opened %s "
			"through %s, and %s.",
			say_number_of(e->a, n, "socket is", "sockets are"),
			say_number_of(e->a, e->tape->tally.opened, "connection", "connections"),
			say_ports(e),
			evidence_measured(e, MEASURE_EXHAUSTED) > 0 ? "ran out for another reason"
								    : "never ran out")};
}

/* Nothing else that is known of leaves a SYN without its answer: no gateway, no host that has gone, no
 * backlog that was full, and what was lost on the way would be lost again. */
static bool is_answered_in_the_end(const struct evidence *e)
{
	return evidence_measured(e, MEASURE_SERVER_DROPPED) == 0 &&
	       evidence_measured(e, MEASURE_SERVER_GONE) == 0 && !e->plan->nat.outside.count &&
	       evidence_errors(e, STAGE_CONNECT, ETIMEDOUT) == 0;
}

/* A SYN was repeated of connections that had a port which was used before: of each of them, and twice at
 * most. */
static struct claim fast_port_reuse(const struct evidence *e)
{
	uint64_t again = (uint64_t)counter_of(e, "TCPSynRetrans"), opened = e->tape->tally.opened;
	uint64_t capacity = e->plan->budget.capacity;

	if (again == 0 || opened <= capacity || again > 2 * (opened - capacity) ||
	    !is_answered_in_the_end(e))
		return no_claim;
	return (struct claim){
		.weight = 0.5,
		.why = text_format(
			e->a,
			"%s had to be sent again, of %s through %s: a port came round again while "
			"the other side, or what is between, still knew the connection before "
			"(TCPSynRetrans; the server's backlog dropped none). Where that answers "
			"with an ACK, the client resets it and repeats its SYN some 10 ms later; "
			"where it does not answer, after a second.",
			say_number_of(e->a, again, "SYN", "SYNs"),
			say_number_of(e->a, opened, "connection", "connections"), say_ports(e))};
}

/* What the far end has closed it tells from a new one by timestamps; what it has open still by nothing. */
static void advise_fast_reuse(struct finding *f, const struct evidence *e)
{
	if (!has_timestamps(e->plan))
		advice_add(&f->attempt, TEXT("TCP timestamps on both sides: the far end can tell "
					     "then that the SYN is a new connection's"));
	if (evidence_measured(e, MEASURE_FIN_WAIT2_MAX) > 0)
		advice_add(&f->attempt, TEXT("have the far end close when it reads the end of the "
					     "stream: what it has still answers no new SYN"));
}

enum {
	CLIFF_LEAST = 3,	    /* times as long: less is noise */
	CLIFF_PORTS_LEAST = 1000,   /* of fewer nobody notices */
	CLIFF_BEHIND_NS = 100000000 /* where no connect was timed: how far the load fell behind */
};

static const char *say_step(const struct evidence *e)
{
	const struct value *lower = &e->measures->fixed[MEASURE_LATENCY_LOWER],
			   *upper = &e->measures->fixed[MEASURE_LATENCY_UPPER];

	if ((!lower->present || !upper->present) && late_is_slow(e->measures))
		return text_format(e->a, "The load came to %s, of %s that it asks for",
				   say_rate(e->a, evidence_measured(e, MEASURE_ROUNDS_RATE)),
				   say_rate(e->a, evidence_measured(e, MEASURE_ROUNDS_ASKED)))
			.s;
	if (!lower->present || !upper->present)
		return text_format(e->a, "The load was up to %s behind its rate",
				   say_time(e->a,
					    (int64_t)evidence_measured(e, MEASURE_CONNECTS_BEHIND)))
			.s;
	return text_format(e->a,
			   "A connect took %s in the first half, and %s in the second, %s as long",
			   say_time(e->a, (int64_t)lower->n), say_time(e->a, (int64_t)upper->n),
			   say_times(e->a, upper->n / (lower->n > 0 ? lower->n : 1)))
		.s;
}

/* By what was timed; else by a load that fell behind its rate with more than half in use. */
static bool is_cliff(const struct evidence *e)
{
	const struct value *cliff = &e->measures->fixed[MEASURE_LATENCY_CLIFF];
	const struct plan *p = e->plan;

	if (cliff->present)
		return cliff->n >= CLIFF_LEAST;
	return evidence_measured(e, MEASURE_PORTS_FILL_MAX) > 0.5 &&
	       p->budget.usable >= CLIFF_PORTS_LEAST && !p->loads[p->widest].window &&
	       p->loads[p->widest].bind != BIND_LOCAL_PORT_RANGE &&
	       (e->tape->tally.late > 0 || late_is_slow(e->measures) ||
		evidence_measured(e, MEASURE_CONNECTS_BEHIND) >= CLIFF_BEHIND_NS);
}

static struct claim latency_cliff(const struct evidence *e)
{
	if (!is_cliff(e))
		return no_claim;
	return (struct claim){.weight = 0.5,
			      .why = text_format(e->a,
						 "%s. connect() looks for a free port among those "
						 "of one parity first; where none of "
						 "them is left it walks over all %s of them, each "
						 "time, before it finds one of the "
						 "others. The step comes at half full, grows with "
						 "the range, and comes long before the "
						 "first failure.",
						 say_step(e),
						 say_count(e->a, e->plan->budget.usable / 2))};
}

static void advise_cliff(struct finding *f, const struct evidence *e)
{
	advice_add_fmt(&f->attempt, e->a, "stay below half of the ports to one destination, %s",
		       say_count(e->a, e->plan->budget.usable / 2));
	advice_tuples(&f->attempt, e, 0);
	advice_add(&f->attempt,
		   TEXT("IP_LOCAL_PORT_RANGE (Linux 6.3) on each socket: a search within it is one "
			"pass, and a window of its own for each thread is a short one"));
}

// clang-format off
const struct rule knob_rules[] = {
	{
		.cause = CAUSE_TW_REUSE_SCOPE,
		.claim = tw_reuse_scope,
		.advise = advise_scope,
		.seen = {MEASURE_TIME_WAIT_MAX, MEASURE_PORTS_USABLE, MEASURE_EXHAUSTED_AFTER},
		.attempt = {
			"test between two hosts, or two namespaces: on 127.0.0.1 the default hides this",
		},
		.in_vain = {
			"the setting on the server: it is for the side that connects",
			"the setting on the host, for a container: it is one of the network namespace",
			FIN_TIMEOUT_IN_VAIN,
		},
	},
	{
		.cause = CAUSE_TIMESTAMPS_OFF,
		.claim = timestamps_off,
		.seen = {MEASURE_TIME_WAIT_MAX, MEASURE_PORTS_USABLE, MEASURE_EXHAUSTED_AFTER},
		.attempt = {
			"net.ipv4.tcp_timestamps=1, on both sides: a peer without them has the same effect",
		},
		.in_vain = {
			"net.ipv4.tcp_tw_reuse=1, or a shorter tcp_tw_reuse_delay: neither is asked without timestamps",
			FIN_TIMEOUT_IN_VAIN,
		},
	},
	{
		.cause = CAUSE_TW_REUSE_FLOOR,
		.claim = tw_reuse_floor,
		.advise = advise_floor,
		.seen = {MEASURE_EXHAUSTED_AT, MEASURE_EXHAUSTED_AFTER, MEASURE_TIME_WAIT_MAX, MEASURE_PORTS_USABLE},
		.attempt = {
			"keep connections open and reuse them, or bound how many are opened in that time",
		},
		.in_vain = {
			"net.ipv4.tcp_tw_reuse=1 once more: it is at work already",
			FIN_TIMEOUT_IN_VAIN,
		},
	},
	{
		.cause = CAUSE_TW_OVERFLOW,
		.claim = tw_overflow,
		.seen = {MEASURE_TIME_WAIT_OVERFLOW, MEASURE_TIME_WAIT_MAX, MEASURE_CONNECTS_CLOSED},
		.attempt = {
			"leave net.ipv4.tcp_max_tw_buckets at what the kernel sets by its memory, and mend what is closed "
			"so often: keep connections open and reuse them",
		},
		.in_vain = {
			"a lower tcp_max_tw_buckets as the cure: it hides the churn, and where the far end closes late the "
			"ports wait in FIN_WAIT2, which it does not count",
		},
	},
	{
		.cause = CAUSE_SERVER_TIME_WAIT,
		.claim = server_time_wait,
		.seen = {MEASURE_TIME_WAIT_MAX, MEASURE_CONNECTS_OPENED, MEASURE_PORTS_USED_MAX},
		.attempt = {
			"leave it: count only what has its local port in net.ipv4.ip_local_port_range, per destination",
		},
		.in_vain = {
			"`netstat | grep TIME_WAIT | wc -l`: it counts both sides, and says nothing of either",
			"net.ipv4.tcp_tw_reuse on a server: it is for the side that connects",
		},
	},
	{
		.cause = CAUSE_FAST_PORT_REUSE,
		.claim = fast_port_reuse,
		.advise = advise_fast_reuse,
		.seen = {MEASURE_CONNECTS_OPENED, MEASURE_PORTS_USABLE, MEASURE_CONNECTS_FAILED},
		.attempt = {
			"keep connections open and reuse them: what is not opened anew meets no old one",
			"behind IPVS, Linux 5.9 or later (net.ipv4.vs.conn_reuse_mode)",
		},
		.in_vain = {
			"trying again sooner: the kernel repeats the SYN by itself",
			"a longer backlog of the server: it dropped nothing",
		},
	},
	{
		.cause = CAUSE_LATENCY_CLIFF,
		.claim = latency_cliff,
		.advise = advise_cliff,
		.seen = {MEASURE_LATENCY_CLIFF, MEASURE_LATENCY_LOWER, MEASURE_LATENCY_UPPER, MEASURE_PORTS_FILL_MAX,
			 MEASURE_CONNECTS_BEHIND, MEASURE_PORTS_USABLE},
		.in_vain = {
			"a wider range alone: the slow half is longer then; it only begins later",
			"more threads: they all walk over the same ports",
			"a range of half as many ports, since \"only half can be used\": all can, half of them slowly",
		},
	},
	RULES_END,
};
// clang-format on
