#include <errno.h>

#include "judge/rule.h"
#include "plan/bind.h"

/* A load that wants ports by name, beside others: a server that starts. */
struct server {
	const struct load_plan *plan;
	const struct tape *tape;
	uint64_t refused;
};

static bool lies_in(struct port_range inner, struct port_range outer)
{
	return inner.lo >= outer.lo && inner.hi <= outer.hi;
}

/* A load that has had all of its ports has them from itself; and where others listen on them all, neither a
 * connection nor TIME_WAIT has them. */
static bool is_refused(const struct evidence *e, size_t i)
{
	const struct load_plan *lp = &e->plan->loads[i];
	const struct tally *t = &e->tape->loads[i].tally;

	return bind_names_port(lp->bind) && t->errors[STAGE_BIND][EADDRINUSE] > 0 &&
	       t->opened < lp->ports.hi - lp->ports.lo + 1U &&
	       !evidence_is_held(e->plan, e->tape, i);
}

/* The first that bind() has refused, with its port among those of connect() or not. */
static bool find_server(const struct evidence *e, bool in_range, struct server *out)
{
	for (size_t i = 0; i < e->tape->load_count && i < e->plan->load_count; i++) {
		const struct load_plan *lp = &e->plan->loads[i];

		*out = (struct server){
			.plan = lp,
			.tape = &e->tape->loads[i],
			.refused = e->tape->loads[i].tally.errors[STAGE_BIND][EADDRINUSE]};
		if (is_refused(e, i) &&
		    lies_in(lp->ports, e->plan->scenario->network.ports) == in_range)
			return e->tape->load_count > 1;
	}
	return false;
}

static bool is_widened(const struct evidence *e, const struct server *s)
{
	return lies_in(kernel_range, e->plan->scenario->network.ports) &&
	       !lies_in(s->plan->ports, kernel_range);
}

/* Of the client's sockets, do most of them wait? */
static bool most_wait(const struct evidence *e)
{
	struct holders h = evidence_holders(e);

	return 2 * h.time_wait > h.all;
}

static const char *say_server(const struct evidence *e, const struct server *s)
{
	return text_format(e->a, TEXT_FMT " wanted port %u, and bind() failed %s with EADDRINUSE",
			   TEXT_ARG(s->tape->load), s->plan->ports.lo,
			   say_number_of(e->a, s->refused, "time", "times"))
		.s;
}

/* What has given the load its ports. */
static const char *say_taker(const struct evidence *e)
{
	return bind_takes_port(e->load->bind) ? "bind()" : "connect()";
}

/* " 2 more of the ports that it wanted it could not have either." */
static const char *say_refused_more(const struct evidence *e)
{
	uint64_t more = e->tape->squat_refused - 1;

	if (e->tape->squat_refused < 2)
		return "";
	return text_format(e->a, " %s that it wanted %s not available either.",
			   say_number_of(e->a, more, "more port", "more ports"),
			   say_either(more, "was", "were"))
		.s;
}

/* A service that started late (squat.start), and found its port in the range taken. Behind a want of ports
 * that more connects failed for. */
static struct claim late_service(const struct evidence *e)
{
	struct port_range range = e->plan->scenario->network.ports;

	for (size_t i = 0; i < e->tape->event_count; i++) {
		const struct event *at = &e->tape->events[i];

		if (at->kind != EVENT_SQUAT_REFUSED || at->error != EADDRINUSE ||
		    at->value < range.lo || at->value > range.hi)
			continue;
		return (struct claim){
			.weight = (double)e->tape->squat_refused,
			.why = text_format(
				e->a,
				"A service wanted port %lld after %s, and %s failed with "
				"EADDRINUSE: a connection of the client's own has it, for "
				"%s may take any of %u-%u. Who has it is no server, so that "
				"`ss -tln` shows nobody.%s",
				(long long)at->value, say_time(e->a, at->t_ns),
				stage_call(at->stage), say_taker(e), range.lo, range.hi,
				say_refused_more(e))};
	}
	return no_claim;
}

static struct claim listener_in_range(const struct evidence *e)
{
	struct port_range range = e->plan->scenario->network.ports;
	struct server s;

	if (!find_server(e, true, &s))
		return late_service(e);
	return (struct claim){
		.weight = claim_first(e),
		.why = text_format(
			e->a,
			"%s: a connection of the client's own has it, for connect() may take any "
			"of "
			"%u-%u. Who has it is no server, so that `ss -tln` shows nobody, and with "
			"other connections it works: a race at each start.",
			say_server(e, &s), range.lo, range.hi)};
}

static struct claim widened_range(const struct evidence *e)
{
	struct port_range range = e->plan->scenario->network.ports;
	struct server s;

	if (!find_server(e, true, &s) || !is_widened(e, &s))
		return no_claim;
	return (struct claim){
		.weight = claim_first(e),
		.why = text_format(
			e->a,
			"%s: a connection of the client's own has it. The range was widened to "
			"%u-%u, over a port that is outside of the kernel's %u-%u, and was safe "
			"there.",
			say_server(e, &s), range.lo, range.hi, kernel_range.lo, kernel_range.hi)};
}

/* Loads that name ports among those of connect(); and of them, those that could not have theirs. */
static uint64_t count_picks(const struct evidence *e, uint64_t *taken)
{
	uint64_t n = 0;

	*taken = 0;
	for (size_t i = 0; i < e->tape->load_count && i < e->plan->load_count; i++) {
		const struct load_plan *lp = &e->plan->loads[i];

		if (!bind_names_port(lp->bind) ||
		    !lies_in(lp->ports, e->plan->scenario->network.ports))
			continue;
		n++;
		*taken += is_refused(e, i);
	}
	return n;
}

/* Some could have their ports, others not: which, is whose turn it was. */
static struct claim test_port_picking(const struct evidence *e)
{
	struct port_range range = e->plan->scenario->network.ports;
	uint64_t taken, n = count_picks(e, &taken);

	if (n < 2 || taken == 0 || taken == n)
		return no_claim;
	return (struct claim){
		.weight = claim_first(e),
		.why = text_format(
			e->a,
			"%s picked in %u-%u, where connect() takes its own, and %s of them %s "
			"somebody's "
			"connection's by then: bind() failed with EADDRINUSE. The others were "
			"lucky. Who has "
			"the port is gone when one looks, and the next run fails elsewhere.",
			say_number_of(e->a, n, "port was", "ports were"), range.lo, range.hi,
			say_count(e->a, taken), say_either(taken, "was", "were"))};
}

static struct claim foreign_time_wait(const struct evidence *e)
{
	struct server s;

	if (!find_server(e, true, &s) || !s.plan->load->options.reuseaddr || !most_wait(e))
		return no_claim;
	return (struct claim){.weight = claim_first(e),
			      .why = text_format(e->a,
						 "%s, with SO_REUSEADDR set: a closed connection "
						 "of the client has the port in "
						 "TIME_WAIT, for 60 s. The server's SO_REUSEADDR "
						 "helps only where the client's "
						 "socket had it too.",
						 say_server(e, &s))};
}

static bool is_service(const struct evidence *e, uint16_t port)
{
	for (uint32_t i = 0; i < e->plan->destinations; i++)
		if (plan_service(e->plan, i) == port)
			return true;
	return false;
}

/* Its own port, which none of connect() is, and it has served there. */
static struct claim server_restart(const struct evidence *e)
{
	struct server s;

	if (!find_server(e, false, &s) || !is_service(e, s.plan->ports.lo) ||
	    e->plan->scenario->network.topology != TOPOLOGY_LOOPBACK)
		return no_claim;
	return (struct claim){
		.weight = claim_first(e),
		.why = text_format(e->a,
				   "%s: connections that the server before it had closed first are "
				   "in TIME_WAIT at "
				   "its port, for 60 s%s.",
				   say_server(e, &s),
				   s.plan->load->options.reuseaddr
					   ? ""
					   : ", and without SO_REUSEADDR bind() minds them")};
}

// clang-format off
#define RESERVE \
	"put the port into net.ipv4.ip_local_reserved_ports: connect() then never takes it, and the range is one less"
#define BELOW \
	"have the server listen outside of net.ipv4.ip_local_port_range"

static const char restart_in_vain[] =
	"starting the server again: it is the same race, and a TIME_WAIT lasts 60 s";
static const char reuse_in_vain[] =
	"SO_REUSEADDR, SO_REUSEPORT in the server alone: neither shares a port with a connection that has not set it";

const struct rule start_rules[] = {
	{
		.cause = CAUSE_LISTENER_IN_RANGE,
		.instead = CAUSE_FIXED_PORT,
		.claim = listener_in_range,
		.seen = {MEASURE_PORTS_USABLE, MEASURE_PORTS_USED_MAX, MEASURE_ESTABLISHED_MAX, MEASURE_TIME_WAIT_MAX},
		.attempt = {RESERVE, BELOW, "start servers before clients: it makes the race rarer, and no more"},
		.in_vain = {reuse_in_vain, restart_in_vain},
	},
	{
		.cause = CAUSE_WIDENED_RANGE,
		.instead = CAUSE_LISTENER_IN_RANGE,
		.claim = widened_range,
		.seen = {MEASURE_PORTS_USABLE, MEASURE_PORTS_USED_MAX, MEASURE_ESTABLISHED_MAX, MEASURE_TIME_WAIT_MAX},
		.attempt = {
			"put every port that a server of this host listens on into net.ipv4.ip_local_reserved_ports, with the "
			"wider range: one without the other is this failure",
			"or widen it less: begin above the highest of them",
		},
		.in_vain = {reuse_in_vain, restart_in_vain},
	},
	{
		.cause = CAUSE_TEST_PORT_PICKING,
		.instead = CAUSE_LISTENER_IN_RANGE,
		.claim = test_port_picking,
		.seen = {MEASURE_PORTS_USABLE, MEASURE_PORTS_USED_MAX, MEASURE_ESTABLISHED_MAX},
		.attempt = {
			"pick below net.ipv4.ip_local_port_range, or reserve a block of it for the tests "
			"(net.ipv4.ip_local_reserved_ports)",
			"bind to port 0 and keep that socket: hand the listener on, do not close it and bind anew",
			"a network namespace for each test (`unshare -n`): its ports are its own",
		},
		.in_vain = {
			"looking for a free port first (bind, close, bind again): it is taken in between",
			"trying until it works: it hides the race, and a connection to the port meets a stranger",
		},
	},
	{
		.cause = CAUSE_FOREIGN_TIME_WAIT,
		.instead = CAUSE_LISTENER_IN_RANGE,
		.claim = foreign_time_wait,
		.seen = {MEASURE_TIME_WAIT_MAX, MEASURE_ESTABLISHED_MAX, MEASURE_PORTS_USABLE},
		.attempt = {RESERVE, BELOW},
		.in_vain = {
			"SO_REUSEADDR in the server: it is set, and the client's socket had to have it as well",
			"net.ipv4.tcp_tw_reuse: bind() does not ask it",
			FIN_TIMEOUT_IN_VAIN,
		},
	},
	{
		.cause = CAUSE_SERVER_RESTART,
		.instead = CAUSE_FIXED_PORT,
		.claim = server_restart,
		.seen = {MEASURE_SERVER_DIED, MEASURE_CONNECTS_OPENED, MEASURE_TIME_WAIT_MAX},
		.attempt = {
			"set SO_REUSEADDR on the listener, before bind(): for a server that is what it is for",
			"have the clients close first, where they are many and each makes few connections",
		},
		.in_vain = {
			"waiting a minute between stop and start: it works, and the option is free",
			FIN_TIMEOUT_IN_VAIN,
			"SO_REUSEPORT: it lets a second listener in by mistake, and TIME_WAIT is not what it is about",
		},
	},
	RULES_END,
};
// clang-format on
