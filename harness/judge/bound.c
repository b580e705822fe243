#include <errno.h>

#include "judge/rule.h"
#include "plan/bind.h"

/* "bind() failed 3 times with EADDRINUSE (Address already in use)." */
static const char *say_failures(const struct evidence *e, enum stage stage, int error)
{
	return text_format(e->a, "%s failed %s with %s (%s).", stage_call(stage),
			   say_number_of(e->a, evidence_errors(e, stage, error), "time", "times"),
			   errno_name(error), errno_words(error))
		.s;
}

static const char *say_sources(const struct evidence *e)
{
	uint32_t n = e->plan->sources.count;

	return n > 1 ? text_format(e->a, ", from each of %s",
				   say_number_of(e->a, n, "address", "addresses"))
			       .s
		     : "";
}

/* With one destination connect() could do no better. */
static struct claim bind_first(const struct evidence *e)
{
	const struct budget *b = &e->plan->budget;
	uint64_t capacity = (uint64_t)b->usable * b->pairs;
	/* Whoever holds the ports would not hold all of them without it. */
	struct claim c = {.weight = (double)e->wanted + 1};

	if (e->plan->loads[0].bind != BIND_ADDRESS ||
	    evidence_errors(e, STAGE_BIND, EADDRINUSE) == 0 || b->spaces == b->pairs)
		return (struct claim){0};
	c.why = text_format(
		e->a,
		"bind(address, 0) takes a port before the destination is known, and so "
		"for all of them: %s %s %s in all%s. Were connect() to choose, each of "
		"%s would have them: %s. %s",
		say_ports(e), say_either(b->usable, "carries", "carry"),
		say_number_of(e->a, b->usable, "connection", "connections"), say_sources(e),
		say_number_of(e->a, e->plan->destinations, "destination", "destinations"),
		say_count(e->a, capacity), say_failures(e, STAGE_BIND, EADDRINUSE));
	return c;
}

/* What is left of a range where others hold ports. */
static const char *say_left(const struct evidence *e)
{
	return text_format(e->a, "%s %s left %s.", say_ports(e),
			   say_either(e->plan->budget.usable, "was", "were"), say_towards(e))
		.s;
}

static double explained_by(const struct evidence *e, uint32_t held)
{
	return claim_explains(e, held, (uint64_t)held + e->plan->budget.usable);
}

static struct claim bound_only(const struct evidence *e)
{
	uint32_t held = e->plan->squat.bound;
	struct claim c = {.weight = explained_by(e, held)};

	if (c.weight > 0)
		c.why = text_format(
			e->a,
			"%s bound and %s connected: connect() passes over such a port, whatever "
			"the destination, and sockstat, /proc/net/tcp and most tools do not count "
			"it. %s",
			say_number_of(e->a, held, "port of the range is", "ports of the range are"),
			say_either(held, "not", "never"), say_left(e));
	return c;
}

static struct claim listeners(const struct evidence *e)
{
	uint32_t held = e->plan->squat.listening;
	struct claim c = {.weight = explained_by(e, held)};

	if (c.weight > 0)
		c.why = text_format(
			e->a,
			"Servers listen on %s: connect() passes over such a port, "
			"whatever the address. %s",
			say_number_of(e->a, held, "port of the range", "ports of the range"),
			say_left(e));
	return c;
}

/* Bound to a port that is bound: EADDRINUSE. Bound all the same, to a destination that it has a
 * connection to: EADDRNOTAVAIL. */
static struct claim fixed_port(const struct evidence *e)
{
	bool shares = bind_shares_port(e->plan->loads[0].load),
	     taken = evidence_has(e, EVENT_TUPLE_TAKEN);
	enum stage stage = shares ? STAGE_CONNECT : STAGE_BIND;
	int error = shares ? EADDRNOTAVAIL : EADDRINUSE;
	struct claim c = {.weight = (double)evidence_errors(e, stage, error)};

	if (!bind_names_port(e->plan->loads[0].bind) || c.weight == 0 || (shares && !taken))
		return (struct claim){0};
	c.weight += 1;
	c.why = text_format(e->a, "The program names the ports itself: %s, %s. %s %s", say_ports(e),
			    shares ? "for one connection to a destination each"
				   : "each for one connection, to whichever destination",
			    say_failures(e, stage, error),
			    shares ? "That very connection, between these two addresses and ports, "
				     "exists already."
				   : "A closed one keeps its port in TIME_WAIT, too.");
	return c;
}

static void advise_bind_first(struct finding *f, const struct evidence *e)
{
	const struct budget *b = &e->plan->budget;

	advice_add_fmt(
		&f->attempt, e->a,
		"set IP_BIND_ADDRESS_NO_PORT (Linux 4.2) before bind(): it then takes the address "
		"alone, and connect() a port for each destination: %s in place of %s",
		say_number_of(e->a, (uint64_t)b->usable * b->pairs, "connection", "connections"),
		say_count(e->a, b->capacity));
	advice_add(&f->attempt,
		   TEXT("leave bind() out where the route gives the source address anyway"));
	advice_add_fmt(&f->attempt, e->a, "each further source address adds %s",
		       say_number_of(e->a, b->usable, "port", "ports"));
}

static void advise_bound(struct finding *f, const struct evidence *e)
{
	advice_widen(&f->attempt, e, 0);
}

static void advise_fixed_port(struct finding *f, const struct evidence *e)
{
	const struct load *load = e->plan->loads[0].load;
	struct port_range range = e->plan->scenario->network.ports;

	advice_add_fmt(&f->attempt, e->a,
		       "let the kernel choose: without bind(), or with a bind() to port 0 and "
		       "IP_BIND_ADDRESS_NO_PORT, there are %s to each destination",
		       say_number_of(e->a, range.hi - range.lo + 1U, "port", "ports"));
	if (!load->options.reuseaddr)
		advice_add(&f->attempt,
			   TEXT("set SO_REUSEADDR before bind(): with TCP timestamps on both sides "
				"a port "
				"can be connected from again during its own TIME_WAIT, at once"));
	if (load->bind.way == BIND_PORT)
		advice_add(&f->attempt,
			   TEXT("name several ports, as many as connections within TIME_WAIT"));
}

// clang-format off
const struct rule bound_rules[] = {
	{
		.cause = CAUSE_BIND_FIRST,
		.claim = bind_first,
		.advise = advise_bind_first,
		.in_vain = {
				"SO_REUSEADDR, SO_REUSEPORT: bind() to port 0 looks for a port that nobody has, all the same",
				"net.ipv4.ip_autobind_reuse=1 with SO_REUSEADDR: bind() succeeds, and connect() fails with "
				"EADDRNOTAVAIL where it was given a port twice",
				"net.ipv4.tcp_tw_reuse: it is about ports that connect() chooses",
		},
	},
	{
		.cause = CAUSE_BOUND_ONLY,
		.claim = bound_only,
		.advise = advise_bound,
		.attempt = {
				"close sockets that are bound and not connected: newer versions of ss show them "
				"(`ss --bound-inactive`), older ones and sockstat do not",
				"set IP_BIND_ADDRESS_NO_PORT before a bind() that only chooses the source address: it then "
				"takes no port",
		},
		.in_vain = {
				"net.ipv4.tcp_tw_reuse, tcp_fin_timeout: these sockets never had a connection",
		},
	},
	{
		.cause = CAUSE_LISTENERS,
		.claim = listeners,
		.advise = advise_bound,
		.attempt = {
				"have servers listen below net.ipv4.ip_local_port_range, or move the range: nothing is lost "
				"then, and no connection can take a server's port before it starts",
		},
		.in_vain = {
				"net.ipv4.ip_local_reserved_ports alone: it keeps clients from those ports, and gives none back",
		},
	},
	{
		.cause = CAUSE_FIXED_PORT,
		.claim = fixed_port,
		.advise = advise_fixed_port,
		.in_vain = {
				"a wider net.ipv4.ip_local_port_range: it is about ports that the kernel chooses",
				"net.ipv4.tcp_tw_reuse: a socket with a port of its own does not ask it",
		},
	},
	RULES_END,
};
// clang-format on
