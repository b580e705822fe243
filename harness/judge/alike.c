#include <errno.h>

#include "judge/gateway.h"

/* How a look-alike begins; of a part, others may be for want of one. */
static const char *say_not_ports(const struct evidence *e)
{
	if (e->ports_of[0])
		return text_format(e->a, "These failures%s are not for want of a port", e->ports_of)
			.s;
	return e->tape->exhausted ? "These failures are not for want of a port"
				  : "This is not port exhaustion";
}

/* ", with 20 of 32 ports in use" */
static const char *say_room(const struct evidence *e)
{
	if (!e->full || e->tape->exhausted)
		return "";
	return text_format(
		       e->a, ", with at most %s of %s in use %s",
		       say_measure(e->a, KIND_COUNT, evidence_measured(e, MEASURE_PORTS_USED_MAX)),
		       say_ports(e), say_towards(e))
		.s;
}

struct claim claim_alike(const struct evidence *e, enum stage stage, int error, const char *what)
{
	return claim_alike_of(e, evidence_errors(e, stage, error), stage, error, what);
}

struct claim claim_alike_of(const struct evidence *e, uint64_t n, enum stage stage, int error,
			    const char *what)
{
	struct claim c = {.weight = (double)n};
	bool all = n == evidence_errors(e, stage, error);

	if (n > 0)
		c.why = text_format(e->a, "%s: %s failed %s with %s (%s)%s. %s%s", say_not_ports(e),
				    stage_call(stage), say_number_of(e->a, n, "time", "times"),
				    errno_name(error), errno_words(error), say_room(e), what,
				    all ? say_failing(e, stage, error) : "");
	return c;
}

static struct claim refused(const struct evidence *e)
{
	const char *since = say_since(e, MEASURE_SERVER_DIED, "the server's process died");

	return claim_alike(
		e, STAGE_CONNECT, ECONNREFUSED,
		text_format(e->a,
			    "The far end answered with a RST: nothing listens at that address and "
			    "port%s.",
			    since)
			.s);
}

/* Where a gateway says that it dropped them it is no riddle any more; where those that wait for an
 * answer are what holds the ports, that is said already. */
static struct claim timed_out(const struct evidence *e)
{
	struct holders h = evidence_holders(e);
	const char *since = say_since(e, MEASURE_SERVER_GONE, "the server's host vanished");

	if (((gateway_lacks_ports(e) || gateway_is_full(e)) && !gateway_waits_for_answers(e)) ||
	    gateway_lacks_mappings(e) || claim_holds(e, h.unanswered, &h) > 0)
		return no_claim;
	return claim_alike(e, STAGE_CONNECT, ETIMEDOUT,
			   text_format(e->a, "Each had its port, and no answer within %s%s.%s",
				       say_patience(e), since, say_drops(e))
				   .s);
}

static double refusals(const struct evidence *e)
{
	return (double)(evidence_errors(e, STAGE_CONNECT, ECONNREFUSED) +
			evidence_errors(e, STAGE_SEND, ECONNREFUSED) +
			evidence_errors(e, STAGE_RECEIVE, ECONNREFUSED));
}

static struct claim self_connect(const struct evidence *e)
{
	uint64_t n = e->tape->tally.self_connects;
	/* Before those that were refused, for the same reason and with better luck; and before the
	 * want of the port that it has taken. */
	struct claim c = {.weight = n ? claim_first(e) + (double)n + refusals(e) : 0};

	if (n > 0)
		c.why = text_format(
			e->a,
			"%s: nobody listened at the destination, its port is one of the client's "
			"own range, and %s: the client talks to itself, and "
			"the server cannot start, since its port is taken (EADDRINUSE).",
			say_number_of(e->a, n, "connection has itself as its peer",
				      "connections have themselves as their peers"),
			plan_speaks(e->plan, PROTOCOL_UDP)
				? "the socket got just that one. What it sends it gets, and a "
				  "request may pass for its answer"
				: "connect() took just that one. TCP then opens at both ends at "
				  "once (RFC 9293, 3.5), which are one");
	return c;
}

static uint64_t starved_of(const struct tally *t)
{
	return t->errors[STAGE_SOCKET][EMFILE] + t->errors[STAGE_SOCKET][ENFILE];
}

/* Whose descriptors ran out: each load has a limit of its own (load.nofile). */
static size_t starved_load(const struct evidence *e)
{
	size_t at = 0;

	for (size_t i = 1; i < e->plan->load_count; i++)
		if (starved_of(evidence_tally(e->plan, e->tape, i)) >
		    starved_of(evidence_tally(e->plan, e->tape, at)))
			at = i;
	return at;
}

/* Were most of those that are open leaked? Then no limit is enough. */
static bool leak_takes_all(const struct tally *t)
{
	return 2 * t->leaked > t->leaked + t->open;
}

/* The most that it had open at once, whose descriptors ran out. */
static uint64_t open_at_once(const struct evidence *e, size_t load)
{
	bool apart = e->plan->load_count > 1 && load < e->tape->load_count;

	return apart ? e->tape->loads[load].open_peak
		     : (uint64_t)evidence_measured(e, MEASURE_ESTABLISHED_MAX);
}

/* " (20 by load.nofile): up to 17 connections were open at once, each with one": of the load whose they were. */
static const char *say_own_limit(const struct evidence *e)
{
	size_t load = starved_load(e);
	uint64_t own = e->plan->loads[load].load->nofile, most = open_at_once(e, load);
	const char *limit = "", *open = "";

	if (own > 0)
		limit = text_format(e->a, " (%s by load.nofile)", say_count(e->a, own)).s;
	if (most > 0)
		open = text_format(e->a, ": up to %s open at once, each with one",
				   say_number_of(e->a, most, "connection was", "connections were"))
			       .s;
	return text_format(e->a, "%s%s", limit, open).s;
}

static struct claim fd_limit(const struct evidence *e)
{
	struct claim own = claim_alike(
		e, STAGE_SOCKET, EMFILE,
		text_format(e->a, "This process may have no more descriptors%s.", say_own_limit(e))
			.s);
	struct claim all =
		claim_alike(e, STAGE_SOCKET, ENFILE, "The host may have no more open files.");
	struct claim c = own.weight >= all.weight ? own : all;

	c.weight = own.weight + all.weight;
	return c;
}

static void advise_close(struct finding *f, const struct evidence *e)
{
	const struct tally *t = evidence_tally(e->plan, e->tape, starved_load(e));
	uint64_t most = open_at_once(e, starved_load(e));

	if (leak_takes_all(t))
		advice_add_fmt(&f->attempt, e->a,
			       "close what is done with, first of all: %s of %s opened %s never "
			       "closed, and a leak comes to any limit",
			       say_count(e->a, t->leaked),
			       say_number_of(e->a, t->opened, "connection", "connections"),
			       say_either(t->leaked, "was", "were"));
	else if (most > 0)
		advice_add_fmt(&f->attempt, e->a,
			       "or have fewer open at once, up to %s here: each has a descriptor "
			       "until it is closed",
			       say_count(e->a, most));
}

static void advise_limit(struct finding *f, const struct evidence *e)
{
	const struct host *host = e->plan->host;
	uint64_t own = e->plan->loads[starved_load(e)].load->nofile;
	const char *here = "";

	if (own > 0)
		here = text_format(
			       e->a,
			       "; here it is %s (load.nofile), 3 of them stdin, stdout and stderr",
			       say_count(e->a, own))
			       .s;
	else if (host && host->nofile > 0 && host->nofile_soft > 0)
		here = text_format(e->a, "; here it is %s soft, %s hard",
				   say_count(e->a, (uint64_t)host->nofile_soft),
				   say_count(e->a, (uint64_t)host->nofile))
			       .s;
	if (e->tape->tally.errors[STAGE_SOCKET][EMFILE])
		advice_add_fmt(
			&f->attempt, e->a,
			"raise the limit of descriptors: ulimit -n, LimitNOFILE= of a systemd "
			"unit%s",
			here);
	if (e->tape->tally.errors[STAGE_SOCKET][ENFILE])
		advice_add(&f->attempt,
			   TEXT("raise fs.file-max, the limit of the whole host (ENFILE)"));
}

static void advise_fd_limit(struct finding *f, const struct evidence *e)
{
	bool leaks = leak_takes_all(evidence_tally(e->plan, e->tape, starved_load(e)));

	if (leaks)
		advise_close(f, e);
	advise_limit(f, e);
	if (!leaks)
		advise_close(f, e);
}

static struct claim tcp_mem(const struct evidence *e)
{
	static const struct {
		enum stage stage;
		int error;
	} kinds[] = {{STAGE_SOCKET, ENOBUFS}, {STAGE_SOCKET, ENOMEM}, {STAGE_CONNECT, ENOBUFS},
		     {STAGE_CONNECT, ENOMEM}, {STAGE_SEND, ENOBUFS},  {STAGE_SEND, ENOMEM}};
	struct claim all = no_claim;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct claim c =
			claim_alike(e, kinds[i].stage, kinds[i].error,
				    "The kernel had no memory for it: `dmesg` says \"out of "
				    "memory -- consider tuning tcp_mem\", or \"too many "
				    "orphaned sockets\".");

		c.weight += all.weight;
		all = c.weight > all.weight ? c : all;
	}
	return all;
}

// clang-format off
const struct rule alike_rules[] = {
	{
		.cause = CAUSE_FD_LIMIT,
		.claim = fd_limit,
		.advise = advise_fd_limit,
		.seen = {MEASURE_CONNECTS_FAILED, MEASURE_ESTABLISHED_MAX, MEASURE_PORTS_USED_MAX, MEASURE_PORTS_USABLE},
		.in_vain = {
			"a wider port range, net.ipv4.tcp_tw_reuse: these did not fail for want of a port",
		},
	},
	{
		.cause = CAUSE_TCP_MEM,
		.claim = tcp_mem,
		.seen = {MEASURE_CONNECTS_FAILED, MEASURE_ESTABLISHED_MAX, MEASURE_PORTS_USED_MAX, MEASURE_PORTS_USABLE},
		.attempt = {
			"give the host memory, or open less: /proc/net/sockstat, `mem`, against net.ipv4.tcp_mem, in pages",
			"mend what leaves orphans: `orphan` in sockstat against net.ipv4.tcp_max_orphans",
		},
		.in_vain = {
			"a wider port range, net.ipv4.tcp_tw_reuse: these did not fail for want of a port",
			"larger net.core.rmem_max, wmem_max: each socket then takes more of what is missing",
		},
	},
	{
		.cause = CAUSE_REFUSED,
		.claim = refused,
		.seen = {MEASURE_CONNECTS_FAILED, MEASURE_TIME_WAIT_MAX, MEASURE_PORTS_USED_MAX, MEASURE_SERVER_DIED},
		.attempt = {
			"start the server, or correct address and port: `ss -tln` there shows who listens",
		},
		.in_vain = {
			"any setting of the client's ports: a refused connect gives its port back at once, and leaves "
			"no TIME_WAIT",
		},
	},
	{
		.cause = CAUSE_TIMED_OUT,
		.claim = timed_out,
		.seen = {MEASURE_CONNECTS_FAILED, MEASURE_SYN_SENT_MAX, MEASURE_PORTS_USED_MAX, MEASURE_SERVER_DROPPED, MEASURE_SERVER_GONE},
		.attempt = {
			"look at the far end: a full accept queue (TcpExtListenOverflows there), a firewall that "
			"drops, a host that is down",
			"look at what is between: a NAT gateway without ports or a full conntrack table looks just "
			"like this (Azure: SnatConnectionCount; AWS: ErrorPortAllocation; GCP: OUT_OF_RESOURCES)",
		},
		.in_vain = {
			"a wider port range here: these connects had their ports, and kept them while they waited "
			"(SYN_SENT)",
		},
	},
	{
		.cause = CAUSE_SELF_CONNECT,
		.claim = self_connect,
		.seen = {MEASURE_SELF_CONNECTS, MEASURE_CONNECTS_OPENED},
		.attempt = {
			"have the server listen outside of net.ipv4.ip_local_port_range",
			"put its port into net.ipv4.ip_local_reserved_ports: connect() then never takes it",
			"in the client, compare getsockname() with getpeername() after connect(): close the connection "
			"if they are the same, and try again",
		},
		.in_vain = {
			"trying again more often while the server is down: each try may be the one that takes its port",
			"SO_REUSEADDR in the server: it does not share a port with a connection that lives",
			"an odd port: connect() takes even ones first where the range begins with one, and odd ones then",
		},
	},
	RULES_END,
};
// clang-format on
