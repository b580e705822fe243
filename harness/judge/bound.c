#include <errno.h>

#include "judge/claim.h"
#include "plan/bind.h"

static uint64_t failures(const struct evidence *e, enum stage stage, int error)
{
	return e->tape->tally.errors[stage][error];
}

/* "bind() failed 3 times with EADDRINUSE (Address already in use)." */
static const char *say_failures(const struct evidence *e, enum stage stage, int error)
{
	return text_format(e->a, "%s failed %s with %s (%s).", stage_call(stage),
			   say_number_of(e->a, failures(e, stage, error), "time", "times"),
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
struct claim claim_bind_first(const struct evidence *e)
{
	const struct budget *b = &e->plan->budget;
	uint64_t capacity = (uint64_t)b->usable * b->pairs;
	/* Whoever holds the ports would not hold all of them without it. */
	struct claim c = {.weight = (double)e->wanted + 1};

	if (e->plan->loads[0].bind != BIND_ADDRESS || failures(e, STAGE_BIND, EADDRINUSE) == 0 ||
	    b->spaces == b->pairs)
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

struct claim claim_bound_only(const struct evidence *e)
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

struct claim claim_listeners(const struct evidence *e)
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

static bool has_event(const struct tape *tape, enum event_kind kind)
{
	for (size_t i = 0; i < tape->event_count; i++)
		if (tape->events[i].kind == kind)
			return true;
	return false;
}

/* Bound to a port that is bound: EADDRINUSE. Bound all the same, to a destination that it has a
 * connection to: EADDRNOTAVAIL. */
struct claim claim_fixed_port(const struct evidence *e)
{
	bool shares = bind_shares_port(e->plan->loads[0].load),
	     taken = has_event(e->tape, EVENT_TUPLE_TAKEN);
	enum stage stage = shares ? STAGE_CONNECT : STAGE_BIND;
	int error = shares ? EADDRNOTAVAIL : EADDRINUSE;
	struct claim c = {.weight = (double)failures(e, stage, error)};

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
