#include <errno.h>
#include <math.h>

#include "judge/rule.h"
#include "plan/bind.h"

/* A load that names its ports, and what it came to. */
struct namer {
	const struct load_plan *plan;
	const struct tally *tally;
	uint64_t open_peak;
	struct text name; /* of several; else empty */
	bool is_taken;	  /* are its ports of the range that others have connect() choose from? */
	bool is_held;	  /* has somebody else all of them, from before it until after it? */
};

static struct namer namer_of(const struct evidence *e, size_t i)
{
	const struct plan *p = e->plan;
	bool apart = p->load_count > 1 && i < e->tape->load_count;

	return (struct namer){&p->loads[i],
			      evidence_tally(p, e->tape, i),
			      apart ? e->tape->loads[i].open_peak : e->tape->open_peak,
			      apart ? e->tape->loads[i].load : TEXT(""),
			      evidence_kernel_chooses(p) && evidence_named(p, i) > 0,
			      evidence_is_held(p, e->tape, i)};
}

static uint64_t refused_of(const struct namer *n)
{
	bool shares = bind_shares_port(n->plan->load) && !n->is_held;

	return shares ? n->tally->errors[STAGE_CONNECT][EADDRNOTAVAIL]
		      : n->tally->errors[STAGE_BIND][EADDRINUSE];
}

/* Refused what others' connections have is another's cause: a load that has had all of its own has them itself. */
static bool has_its_own(const struct namer *n)
{
	struct port_range ports = n->plan->ports;

	return bind_shares_port(n->plan->load) || n->is_held ||
	       n->tally->opened > (uint64_t)(ports.hi - ports.lo);
}

/* The one that was refused most; where there is one load, that. */
static bool find_namer(const struct evidence *e, struct namer *out)
{
	const struct plan *p = e->plan;
	uint64_t most = 0;

	for (size_t i = 0; i < p->load_count; i++) {
		struct namer n = namer_of(e, i);

		if (!bind_names_port(n.plan->bind) || refused_of(&n) <= most ||
		    (p->load_count > 1 && !has_its_own(&n)))
			continue;
		most = refused_of(&n);
		*out = n;
	}
	return most > 0;
}

static const char *say_own_ports(const struct evidence *e, const struct load_plan *lp)
{
	uint32_t size = (uint32_t)(lp->ports.hi - lp->ports.lo) + 1, usable = lp->budget.usable;

	return say_number_of(e->a, usable ? usable : size, "port", "ports");
}

/* What keeps a port of one's own from the next: TIME_WAIT, that nobody closes, that it is in use, that
 * connect() of another load has it, or that a socket which is no connection has it all the time. */
enum keeping { KEPT_WAITING, KEPT_FOR_GOOD, KEPT_WHILE_OPEN, KEPT_BY_OTHERS, KEPT_HELD };

/* Its own were reset, so that none of them keeps a port once it has ended; and they were fewer at once than
 * it has ports, which take turns. */
static bool is_refused_by_others(const struct namer *n)
{
	return n->is_taken && (n->plan->load->hold == 0 || n->open_peak < n->plan->budget.usable);
}

/* Was none of the client's ever in TIME_WAIT? The far end closed first. */
static bool never_waited(const struct evidence *e)
{
	const struct value *most = &e->measures->fixed[MEASURE_TIME_WAIT_MAX];

	return most->present && most->n == 0;
}

static enum keeping keeping_of(const struct evidence *e, const struct namer *n)
{
	const struct tally *t = n->tally;

	if (n->is_held)
		return KEPT_HELD;
	if ((t->closed > 0 && !never_waited(e)) || t->opened == 0)
		return KEPT_WAITING;
	if (t->leaked + t->inherited > 0)
		return KEPT_FOR_GOOD;
	return is_refused_by_others(n) ? KEPT_BY_OTHERS : KEPT_WHILE_OPEN;
}

/* Connections of the other loads that are never closed: a port that one of them has does not come back. */
static uint64_t leaked_by_others(const struct evidence *e, const struct namer *n)
{
	const struct tally *all = &e->tape->tally, *own = n->tally;
	uint64_t leaked = all->leaked + all->inherited;

	return leaked - least(own->leaked + own->inherited, leaked);
}

static const char *say_leaked_by_others(const struct evidence *e, const struct namer *n)
{
	uint64_t leaked = leaked_by_others(e, n);

	if (keeping_of(e, n) != KEPT_BY_OTHERS || leaked == 0)
		return "";
	return text_format(e->a,
			   " Of the others' connections %s never closed: such a port is not given "
			   "back.",
			   say_number_of(e->a, leaked, "was", "were"))
		.s;
}

/* "8 ports / (0.1 s open + 60 s) = 0.133/s": bind() asks no tcp_tw_reuse. */
static const char *say_turns(const struct evidence *e, const struct namer *n)
{
	int64_t open_ns = n->plan->load->hold, quiet_ns = e->plan->scenario->network.time_wait;
	uint64_t ports = n->plan->budget.capacity;
	const char *life = say_time(e->a, quiet_ns);

	if (open_ns > 0)
		life = text_format(e->a, "(%s open + %s)", say_time(e->a, open_ns), life).s;
	return text_format(e->a, "%s / %s = %s", say_number_of(e->a, ports, "port", "ports"), life,
			   say_rate(e->a, (double)ports * 1e9 / (double)(open_ns + quiet_ns)))
		.s;
}

static const char *say_keeping(const struct evidence *e, const struct namer *n)
{
	bool one = n->plan->load->bind.way == BIND_PORT;
	const char *const words[] = {
		[KEPT_FOR_GOOD] = "None was closed, so that each that was opened has its port "
				  "still.",
		[KEPT_WHILE_OPEN] = "Each has its port until it ends.",
		[KEPT_BY_OTHERS] =
			one ? "Its own were reset, and free at once: connect() of another load "
			      "has taken a port that is of its range."
			    : "Its own were reset, and fewer at once than these: connect() of "
			      "another load has taken ports that are of its range.",
	};

	if (n->is_held)
		return one ? "Another socket has it for the whole run: it listens there, or is "
			     "bound to it."
			   : "Others have them all for the whole run: they listen there, or are "
			     "bound to them.";
	if (bind_shares_port(n->plan->load))
		return "That very connection, between these two addresses and ports, exists "
		       "already.";
	if (keeping_of(e, n) == KEPT_WAITING)
		return text_format(e->a,
				   "A closed one keeps its port in TIME_WAIT, too: %s is all that "
				   "can go on for ever.",
				   say_turns(e, n))
			.s;
	return words[keeping_of(e, n)];
}

/* " Each is open for 0.1 s, so that 50/s want 5 at once.", where those alone are more than it can have. */
static const char *say_at_once(const struct evidence *e, const struct namer *n)
{
	const struct load *load = n->plan->load;
	double rate = load_is_open(load) ? shape_asks(&n->plan->shape) : 0,
	       at_once = ceil(rate * (double)load->hold / 1e9 - 1e-6);

	if (at_once <= (double)n->plan->budget.capacity)
		return "";
	return text_format(e->a, " Each is open for %s, so that %s want %s at once.",
			   say_time(e->a, load->hold), say_rate(e->a, rate),
			   say_count(e->a, (uint64_t)at_once))
		.s;
}

/* "for one connection to a destination each, 16 at once in all": of ports that sockets share, the latter where
 * there are several destinations or addresses. */
static const char *say_tuples_shared(const struct evidence *e, const struct namer *n)
{
	const struct budget *b = &n->plan->budget;

	if (b->pairs == 1)
		return "for one connection to a destination each";
	return text_format(e->a, "for one connection to a destination each, %s at once in all",
			   say_count(e->a, b->capacity))
		.s;
}

static const char *say_namer(const struct evidence *e, const struct namer *n)
{
	return n->name.len ? text_format(e->a, TEXT_FMT, TEXT_ARG(n->name)).s : "The program";
}

/* Bound to a port that is bound: EADDRINUSE. Bound all the same, to a destination that it has a
 * connection to: EADDRNOTAVAIL. */
static struct claim fixed_port(const struct evidence *e)
{
	struct namer n;
	bool shares;

	if (!find_namer(e, &n))
		return no_claim;
	shares = bind_shares_port(n.plan->load) && !n.is_held;
	if (shares && !evidence_has(e, EVENT_TUPLE_TAKEN))
		return no_claim;
	return (struct claim){
		.weight = (double)refused_of(&n) + 1,
		.why = text_format(
			e->a, "%s names the ports itself: %s, %s. %s %s%s%s", say_namer(e, &n),
			say_own_ports(e, n.plan),
			shares ? say_tuples_shared(e, &n)
			       : "each for one connection, to whichever destination",
			shares ? say_failed(e, refused_of(&n), STAGE_CONNECT, EADDRNOTAVAIL)
			       : say_failed(e, refused_of(&n), STAGE_BIND, EADDRINUSE),
			say_keeping(e, &n), say_at_once(e, &n),
			shares ? "" : say_leaked_by_others(e, &n))};
}

/* SO_REUSEPORT, as who dials from the port that it listens on sets it. */
static struct claim dial_from_listen(const struct evidence *e)
{
	const struct load *load = e->load->load;

	if (!bind_names_port(load->bind.way) || !load->options.reuseport ||
	    !evidence_has(e, EVENT_TUPLE_TAKEN))
		return no_claim;
	return (struct claim){
		.weight = (double)evidence_errors(e, STAGE_CONNECT, EADDRNOTAVAIL) + 1,
		.why = text_format(
			e->a,
			"With SO_REUSEPORT the socket has the port beside the listener and others, "
			"and "
			"connect() wants the one connection between these two addresses and ports: "
			"it exists "
			"already, or is in TIME_WAIT. %s The range was hardly touched, %s of %s.",
			say_failures(e, STAGE_CONNECT, EADDRNOTAVAIL),
			say_count(e->a, e->full ? e->full->used_max : 0),
			say_number_of(e->a,
				      e->plan->scenario->network.ports.hi -
					      e->plan->scenario->network.ports.lo + 1U,
				      "port", "ports"))};
}

/* Those that only a privileged program can have: bindresvport(3) takes 600 to 1023. */
static struct claim reserved_source(const struct evidence *e)
{
	const struct load_plan *lp = e->load;
	uint64_t n = evidence_errors(e, STAGE_BIND, EADDRINUSE);

	if (!bind_names_port(lp->bind) || lp->ports.hi >= 1024 || n == 0 || lp->budget.usable == 0)
		return no_claim;
	return (struct claim){
		.weight = (double)n + 1,
		.why = text_format(e->a,
				   "The program binds source ports %u-%u, %s, each for one "
				   "connection and its TIME_WAIT: "
				   "%s go on for ever. %s The ephemeral range is not asked.",
				   lp->ports.lo, lp->ports.hi, say_own_ports(e, lp),
				   say_rate(e->a, (double)e->load->budget.usable * 1e9 /
							  (double)(live_time(e->plan) +
								   outside_time(e->plan))),
				   say_failures(e, STAGE_BIND, EADDRINUSE))};
}

/* What to do about a port that is kept as that one is. */
static void advise_keeping(struct finding *f, const struct load *load, enum keeping keeping)
{
	bool one = load->bind.way == BIND_PORT;
	const struct text several[] = {
		[KEPT_WAITING] = TEXT("name several ports, as many as connections within "
				      "TIME_WAIT"),
		[KEPT_FOR_GOOD] = TEXT("close each connection when its work is done: none was, "
				       "and its port is not available before"),
		[KEPT_WHILE_OPEN] = TEXT("name several ports, as many as connections at once"),
		[KEPT_BY_OTHERS] =
			one ? TEXT("put the port into net.ipv4.ip_local_reserved_ports, or name "
				   "one outside of the range: connect() then never takes it")
			    : TEXT("put the ports into net.ipv4.ip_local_reserved_ports, or name "
				   "some outside of the range: connect() then never takes them"),
		[KEPT_HELD] = TEXT("name a port that nobody listens on, and that no other socket "
				   "is bound to: `ss -tlnp` shows who listens"),
	};

	if (!load->options.reuseaddr && keeping == KEPT_WAITING)
		advice_add(&f->attempt,
			   TEXT("set SO_REUSEADDR before bind(): with TCP timestamps on both sides "
				"a port "
				"can be connected from again during its own TIME_WAIT, at once"));
	if (one || keeping == KEPT_FOR_GOOD || keeping == KEPT_BY_OTHERS || keeping == KEPT_HELD)
		advice_add(&f->attempt, several[keeping]);
}

static void advise_fixed_port(struct finding *f, const struct evidence *e)
{
	struct port_range range = e->plan->scenario->network.ports;
	struct namer n;

	if (!find_namer(e, &n))
		n = namer_of(e, (size_t)(e->load - e->plan->loads));

	advice_add_fmt(&f->attempt, e->a,
		       "let the kernel choose: without bind(), or with a bind() to port 0 and "
		       "IP_BIND_ADDRESS_NO_PORT, there are %s to each destination",
		       say_number_of(e->a, range.hi - range.lo + 1U, "port", "ports"));
	advise_keeping(f, n.plan->load, keeping_of(e, &n));
	if (keeping_of(e, &n) == KEPT_BY_OTHERS && leaked_by_others(e, &n) > 0)
		advice_add(&f->attempt, TEXT("close each connection of the other loads when its "
					     "work is done: its port then comes back"));
}

// clang-format off
const struct rule fixed_rules[] = {
	{
		.cause = CAUSE_FIXED_PORT,
		.claim = fixed_port,
		.advise = advise_fixed_port,
		.seen = {MEASURE_CONNECTS_OPENED, MEASURE_CONNECTS_FAILED, MEASURE_TIME_WAIT_MAX},
		.in_vain = {
			"a wider net.ipv4.ip_local_port_range: it is about ports that the kernel chooses",
			"net.ipv4.tcp_tw_reuse: a socket with a port of its own does not ask it",
		},
	},
	{
		.cause = CAUSE_DIAL_FROM_LISTEN,
		.instead = CAUSE_FIXED_PORT,
		.claim = dial_from_listen,
		.seen = {MEASURE_CONNECTS_OPENED, MEASURE_CONNECTS_FAILED, MEASURE_PORTS_USED_MAX},
		.attempt = {
			"where connect() fails so, dial once more from a port of the kernel's choice",
			"use the connection that exists: it goes to the same peer",
			"TCP timestamps on both sides: a port can then be connected from again during its own TIME_WAIT, at once",
		},
		.in_vain = {
			"a wider net.ipv4.ip_local_port_range: it has room, and is not asked",
			"trying again at once: the connection that is in the way is there still",
		},
	},
	{
		.cause = CAUSE_RESERVED_SOURCE,
		.instead = CAUSE_FIXED_PORT,
		.claim = reserved_source,
		.seen = {MEASURE_CONNECTS_OPENED, MEASURE_TIME_WAIT_MAX, MEASURE_PORTS_USABLE},
		.attempt = {
			"do without a privileged source port (NFS: noresvport, and `insecure` at the server)",
			"keep the connection and send all calls over it",
			"a wider block (sunrpc.min_resvport), below the ports of servers",
		},
		.in_vain = {
			"a wider net.ipv4.ip_local_port_range: these ports are not of it",
			"net.ipv4.tcp_tw_reuse: a socket with a port of its own does not ask it",
		},
	},
	RULES_END,
};
// clang-format on
