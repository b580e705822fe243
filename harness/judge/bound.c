#include <errno.h>

#include "judge/outlook.h"
#include "judge/rule.h"
#include "judge/sides.h"
#include "plan/bind.h"

static const char *say_sources(const struct evidence *e)
{
	uint32_t n = e->plan->sources.count;

	return n > 1 ? text_format(e->a, ", from each of %s",
				   say_number_of(e->a, n, "address", "addresses"))
			       .s
		     : "";
}

/* Does any load bind? Its sockets are bound alone for a moment, too. */
static bool somebody_binds(const struct evidence *e)
{
	for (uint32_t i = 0; i < e->plan->load_count; i++)
		if (bind_takes_port(e->plan->loads[i].bind))
			return true;
	return false;
}

/* By the scenario; where it has none, by the dump, less what load.ballast had bound. */
static uint32_t bound_alone(const struct evidence *e)
{
	const struct squat_plan *squat = &e->plan->squat;

	if (squat->bound > 0 || !e->full)
		return squat->bound;
	if (somebody_binds(e)) /* those of squat alone, which can be of the other family */
		return (uint32_t)least(squat->bind, e->full->bound);
	return e->full->bound > squat->ballast ? e->full->bound - squat->ballast : 0;
}

static uint32_t listened_on(const struct evidence *e)
{
	uint32_t planned = e->plan->squat.listening;

	return planned > 0 || !e->full ? planned : e->full->listening;
}

uint32_t bound_left(const struct evidence *e)
{
	const struct squat_plan *squat = &e->plan->squat;
	uint32_t usable = e->plan->budget.usable,
		 held = bound_alone(e) - squat->bound + listened_on(e) - squat->listening;

	return usable - (uint32_t)least(usable, held);
}

/* What is left of a range where others hold ports. */
static const char *say_left(const struct evidence *e)
{
	uint32_t left = bound_left(e);

	return text_format(e->a, "%s%s %s left %s.", say_number_of(e->a, left, "port", "ports"),
			   e->ports_of, say_either(left, "was", "were"), say_towards(e))
		.s;
}

static struct claim bound_only(const struct evidence *e)
{
	bool is_tcp = e->plan->scenario->squat.protocol == PROTOCOL_TCP;
	uint32_t held = is_tcp ? bound_alone(e) : 0; /* of UDP all tools count what is bound */
	struct claim c = {.weight = claim_takes(e, held)};

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
	uint32_t held = listened_on(e);
	struct claim c = {.weight = claim_takes(e, held)};

	if (c.weight > 0)
		c.why = text_format(
			e->a,
			"Servers listen on %s: connect() passes over such a port, "
			"whatever the address. %s",
			say_number_of(e->a, held, "port of the range", "ports of the range"),
			say_left(e));
	return c;
}

/* With one destination connect() could do no better; and where others have it choose, who binds is refused
 * theirs; what it holds itself of them, and how, goes before. */
static struct claim bind_first(const struct evidence *e)
{
	const struct load_plan *who = sides_refused(e);
	const struct budget *b = who ? &who->budget : &e->plan->budget;
	uint64_t capacity = (uint64_t)b->usable * b->pairs;
	struct sides s = sides_of(e);
	struct claim c = {.weight = s.plain > 0 ? claim_first(e) / 2 : claim_first(e)};

	if (!who || b->spaces == b->pairs || sides_bind_starves(e, &s) ||
	    sides_connect_starves(e, &s) || plan_speaks(e->plan, PROTOCOL_UDP))
		return (struct claim){0};
	c.why = text_format(
		e->a,
		"bind(%s, 0) takes a port before the destination is known, and so "
		"for all of them: %s %s %s in all%s. Were connect() to choose, each of "
		"%s would have them: %s. %s%s",
		who->bind == BIND_ANY ? "0.0.0.0" : "address", say_ports(e),
		say_either(b->usable, "carries", "carry"),
		say_number_of(e->a, b->usable, "connection", "connections"), say_sources(e),
		say_number_of(e->a, e->plan->destinations, "destination", "destinations"),
		say_count(e->a, capacity), say_failures(e, STAGE_BIND, EADDRINUSE),
		say_owners(e, &deed_bound));
	return c;
}

/* ", on the other 29 of 64 ports, since those to 2 destinations may share one": where they do. */
static const char *say_shared(const struct evidence *e, const struct sides *s)
{
	uint64_t others = sides_others(e, s);

	if (e->plan->destinations < 2 || s->plain <= others)
		return "";
	return text_format(
		       e->a, ", on the other %s of %s%s, since connections to %s may share one",
		       say_count(e->a, others),
		       say_number_of(e->a, sides_ports(e), "port", "ports"), e->ports_of,
		       say_number_of(e->a, e->plan->destinations, "destination", "destinations"))
		.s;
}

/* ", on 2 addresses": each has the ports of the range for bind(). */
static const char *say_from(const struct evidence *e)
{
	uint32_t n = e->plan->sources.count;

	return n > 1 ? text_format(e->a, ", on %s", say_number_of(e->a, n, "address", "addresses"))
			       .s
		     : "";
}

/* Either side takes ports away from the other, and not the other way alone. */
static struct claim bind_starvation(const struct evidence *e)
{
	struct sides s = sides_of(e);
	struct claim c = {.weight = claim_first(e)};

	if (sides_connect_starves(e, &s))
		c.why = text_format(
			e->a,
			"Loads that bind() first have had %s of the range%s, for all destinations: "
			"connect() passes over them, whatever the address or the family, and the "
			"others "
			"were refused %s though they opened %s.%s",
			say_number_of(e->a, s.bound, "port", "ports"), say_from(e),
			say_number_of(e->a, s.plain_refused, "time", "times"),
			say_count(e->a, s.plain), say_owners(e, &deed_bound));
	else if (sides_bind_starves(e, &s))
		c.why = text_format(e->a,
				    "bind() to port 0 wants a port that nobody has on that "
				    "address, towards whomever, in "
				    "TIME_WAIT or not: connect() of other loads has had %s%s, and "
				    "bind() failed %s with EADDRINUSE after %s.",
				    say_count(e->a, s.plain), say_shared(e, &s),
				    say_number_of(e->a, s.bound_refused, "time", "times"),
				    say_count(e->a, s.bound));
	else
		return listeners(e);
	return c;
}

/* The option is there, and bind() fails all the same; or, with ip_autobind_reuse, connect(). */
static struct claim wrong_reuse_option(const struct evidence *e)
{
	const struct load *load = e->load->load;
	const char *name = load->options.reuseaddr ? "SO_REUSEADDR" : "SO_REUSEPORT";
	bool is_given = load->options.reuseaddr || load->options.reuseport;
	uint64_t at_bind = evidence_errors(e, STAGE_BIND, EADDRINUSE),
		 at_connect = evidence_has(e, EVENT_TUPLE_TAKEN)
				      ? evidence_errors(e, STAGE_CONNECT, EADDRNOTAVAIL)
				      : 0;

	if (!bind_asks_port(load->bind.way) || !is_given || at_bind + at_connect == 0 ||
	    load->protocol == PROTOCOL_UDP)
		return no_claim;
	if (at_connect > 0)
		return (struct claim){
			.weight = (double)at_connect + 1,
			.why = text_format(e->a,
					   "%s is set, and net.ipv4.ip_autobind_reuse has bind() "
					   "hand out ports that are "
					   "in use: where one has a connection to that destination "
					   "already, it is "
					   "connect() that fails. %s %s had opened, of %s that "
					   "there could be.",
					   name, say_failures(e, STAGE_CONNECT, EADDRNOTAVAIL),
					   say_count(e->a, e->tape->tally.opened),
					   say_count(e->a, (uint64_t)e->plan->budget.usable *
								   e->plan->budget.pairs))};
	return (struct claim){
		.weight = claim_first(e) + 1,
		.why = text_format(
			e->a,
			"%s is set, and bind() to port 0 looks for a port that nobody has, all the "
			"same: %s "
			"%s %s in all. %s",
			name, say_ports(e), say_either(e->plan->budget.usable, "carries", "carry"),
			say_number_of(e->a, e->plan->budget.capacity, "connection", "connections"),
			say_failures(e, STAGE_BIND, EADDRINUSE))};
}

static struct claim no_port_one_dest(const struct evidence *e)
{
	const struct plan *p = e->plan;

	if (!e->tape->exhausted || e->load->load->bind.way != BIND_ADDRESS_NO_PORT ||
	    p->budget.pairs > 1 || p->load_count > 1)
		return no_claim;
	return (struct claim){.weight = claim_first(e),
			      .why = text_format(e->a,
						 "IP_BIND_ADDRESS_NO_PORT leaves the port to "
						 "connect(), which has %s for each pair of "
						 "source and destination: with 1 source and 1 "
						 "destination that is %s, as without the "
						 "option. It changed the errno alone: connect(), "
						 "EADDRNOTAVAIL, in place of bind(), "
						 "EADDRINUSE.",
						 say_ports(e),
						 say_count(e->a, p->budget.capacity))};
}

static void advise_one_dest(struct finding *f, const struct evidence *e)
{
	int64_t life_ns =
		e->tape->tally.closed ? outlook_life_ns(e->plan, OUTLOOK_ELSEWHERE, *e->a) : 0;

	advice_tuples(&f->attempt, e, life_ns);
	advice_widen(&f->attempt, e, life_ns);
}

static void advise_bind_first(struct finding *f, const struct evidence *e)
{
	const struct load_plan *who = sides_refused(e);
	const struct budget *b = who ? &who->budget : &e->plan->budget;

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

#define NO_PORT_FIRST \
	"set IP_BIND_ADDRESS_NO_PORT before a bind() that only chooses the source address: it " \
	"then takes no port"

static void advise_bound(struct finding *f, const struct evidence *e)
{
	advice_widen(&f->attempt, e, 0);
}

/* connect() passes over a port that is bound to any address; bind() only over one that is in use at its
 * own. */
static void advise_starved(struct finding *f, const struct evidence *e)
{
	struct sides s = sides_of(e);
	bool is_connect = sides_connect_starves(e, &s);

	if (!is_connect && !sides_bind_starves(e, &s))
		advice_add(&f->attempt,
			   TEXT("have servers listen below net.ipv4.ip_local_port_range, or move "
				"the range: nothing is lost then, and no connection can take a "
				"server's port before it starts"));
	if (!is_connect || s.asked > 0)
		advice_add(&f->attempt, TEXT(NO_PORT_FIRST));
	if (is_connect && s.bound > s.asked)
		advice_add(&f->attempt,
			   TEXT("name ports outside of net.ipv4.ip_local_port_range: connect() "
				"then has the whole of it"));
	if (!is_connect && sides_bind_starves(e, &s))
		advice_add_fmt(&f->attempt, e->a,
			       "bind to another local address than connect() has: it has %s of its "
			       "own for bind()",
			       say_number_of(e->a, e->plan->budget.usable, "port", "ports"));
	else
		advice_add(&f->wont_help,
			   TEXT("another local address, or the other family, for what binds: "
				"connect() passes over its port all the same"));
	advice_widen(&f->attempt, e, 0);
}

// clang-format off
const struct rule bound_rules[] = {
	{
		.cause = CAUSE_BIND_FIRST,
		.claim = bind_first,
		.advise = advise_bind_first,
		.seen = {MEASURE_EXHAUSTED_AFTER, MEASURE_PORTS_USABLE, MEASURE_ESTABLISHED_MAX, MEASURE_TIME_WAIT_MAX},
		.in_vain = {
			"SO_REUSEADDR, SO_REUSEPORT: bind() to port 0 looks for a port that nobody has, all the same",
			"net.ipv4.ip_autobind_reuse=1 with SO_REUSEADDR: bind() succeeds, and connect() fails with "
			"EADDRNOTAVAIL where it was given a port twice",
			"net.ipv4.tcp_tw_reuse: it is about ports that connect() chooses",
		},
	},
	{
		.cause = CAUSE_WRONG_REUSE_OPTION,
		.instead = CAUSE_BIND_FIRST,
		.claim = wrong_reuse_option,
		.advise = advise_bind_first,
		.seen = {MEASURE_EXHAUSTED_AFTER, MEASURE_CONNECTS_OPENED, MEASURE_PORTS_USABLE},
		.in_vain = {
			"the other of SO_REUSEADDR and SO_REUSEPORT, or both: neither makes a port for bind() to port 0",
			"net.ipv4.ip_autobind_reuse=1: it moves the failure to connect()",
			"net.ipv4.tcp_tw_reuse: it is about ports that connect() chooses",
		},
	},
	{
		.cause = CAUSE_NO_PORT_ONE_DEST,
		.claim = no_port_one_dest,
		.advise = advise_one_dest,
		.seen = {MEASURE_EXHAUSTED_AFTER, MEASURE_PORTS_USABLE, MEASURE_PORTS_USED_MAX},
		.in_vain = {
			"IP_BIND_ADDRESS_NO_PORT: it is set, and has more destinations share the ports; there is one",
			"SO_REUSEADDR, SO_REUSEPORT on top of it: connect() does not ask them",
		},
	},
	{
		.cause = CAUSE_BOUND_ONLY,
		.claim = bound_only,
		.advise = advise_bound,
		.seen = {MEASURE_BOUND_MAX, MEASURE_PORTS_USABLE, MEASURE_PORTS_USED_MAX},
		.attempt = {
			"close sockets that are bound and not connected: newer versions of ss show them "
			"(`ss --bound-inactive`), older ones and sockstat do not",
			NO_PORT_FIRST,
		},
		.in_vain = {
			"net.ipv4.tcp_tw_reuse, tcp_fin_timeout: these sockets never had a connection",
		},
	},
	{
		.cause = CAUSE_BIND_STARVATION,
		.claim = bind_starvation,
		.advise = advise_starved,
		.seen = {MEASURE_PORTS_USABLE, MEASURE_PORTS_USED_MAX, MEASURE_EXHAUSTED_AFTER},
		.in_vain = {
			"net.ipv4.ip_local_reserved_ports alone: it keeps clients from those ports, and gives none back",
		},
	},
	RULES_END,
};
// clang-format on
