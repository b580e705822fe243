#include "judge/gateway.h"

#include <errno.h>
#include <math.h>

#include "plan/bind.h"

/* How many connections come to so many ports held for good, by the share that was. */
static uint64_t opened_until(const struct evidence *e, uint64_t ports, uint64_t kept)
{
	return (uint64_t)((double)ports * (double)e->tape->tally.opened / (double)kept + 0.5);
}

/* " and that of 10 more that are kept", for whose share the arithmetic is as well. */
static const char *say_kept_besides(const struct evidence *e, uint64_t held)
{
	struct holders h = evidence_holders(e);
	uint64_t all = h.leaked + h.inherited;

	if (all <= held)
		return "";
	return text_format(e->a, " and that of %s more that %s kept", say_count(e->a, all - held),
			   say_either(all - held, "is", "are"))
		.s;
}

/* Who leaks names its ports, and others have those of the range: it leaks none of theirs. */
static bool is_of_named_ports(const struct evidence *e)
{
	return bind_names_port(e->leaker->bind) &&
	       !bind_names_port(e->plan->loads[e->plan->widest].bind);
}

/* ": the 32 ports to one destination are used up for good", or how many of them, and when all. Where
 * another load binds first, its ports are none of this one's: there are no more to be had. */
static const char *say_used_up(const struct evidence *e, uint64_t held, const char *until)
{
	const struct tally *t = &e->tape->tally;
	struct holders h = evidence_holders(e);
	uint64_t kept = t->leaked + t->inherited, capacity = e->leaker->budget.capacity;

	if (held >= h.own && e->tape->exhausted && h.own < capacity && e->plan->load_count > 1)
		return text_format(e->a, "the %s in use, of %s, %s used up %s.",
				   say_number_of(e->a, h.own, "port", "ports"),
				   say_count(e->a, capacity), say_either(h.own, "is", "are"), until)
			.s;
	if ((held >= h.own && e->tape->exhausted) || kept == 0)
		return text_format(e->a, "the %s %s %s used up %s.", say_ports_left(e),
				   say_towards(e), say_either(e->plan->budget.usable, "is", "are"),
				   until)
			.s;
	if (is_of_named_ports(e))
		return text_format(e->a, "of %s in use %s %s used up %s.",
				   say_number_of(e->a, h.own, "port", "ports"),
				   say_count(e->a, held), say_either(held, "is", "are"), until)
			.s;
	return text_format(e->a,
			   "of %s in use %s %s used up %s, and %s: %s after %s, "
			   "by this share%s.",
			   say_number_of(e->a, h.own, "port", "ports"), say_count(e->a, held),
			   say_either(held, "is", "are"), until,
			   e->tape->exhausted ? "so are the others, once they are free again"
					      : "if it goes on all are",
			   say_count(e->a, capacity),
			   say_number_of(e->a, opened_until(e, capacity, kept), "connection",
					 "connections"),
			   say_kept_besides(e, held))
		.s;
}

/* "after 32 ", where those that are held are all there are. */
static const char *say_after(const struct evidence *e, uint64_t held)
{
	return held < evidence_holders(e).own || !e->tape->exhausted
		       ? ""
		       : text_format(e->a, "after %s ", say_count(e->a, e->plan->budget.capacity))
				 .s;
}

/* What is never given back goes before what waits: unless that holds more, by more than the draw of a
 * mix can make of it, two standard deviations of a half. Where the ports would carry all that is closed,
 * what is not is the reason, however few they are. */
static double claim_kept(const struct evidence *e, uint64_t kept, const struct holders *h)
{
	double own = claim_holds(e, kept, h), other = claim_churn(e);
	bool is_close = (double)h->time_wait - (double)kept <= sqrt((double)h->all);

	if (kept > 0 && evidence_kept_alone_fills(e)) /* few, where what is closed fills the rest */
		return fmax(own, evidence_closed_nearly_fill(e) ? other / 2 : other);
	return own > 0 && is_close ? fmax(own, other) : own;
}

/* Calls of socket() that found no descriptor. */
static uint64_t descriptors_wanted(const struct evidence *e)
{
	return evidence_errors(e, STAGE_SOCKET, EMFILE) + evidence_errors(e, STAGE_SOCKET, ENFILE);
}

/* An open socket has a descriptor, and where most of them were leaked, those that ran out did so for
 * that: behind the limit itself, of which the errno is. */
static double claim_descriptors(const struct evidence *e, const struct holders *h)
{
	uint64_t open = h->leaked + h->live;

	return 2 * h->leaked > open ? (double)descriptors_wanted(e) / 2 : 0;
}

static double claim_leaked(const struct evidence *e)
{
	struct holders h = evidence_holders(e);

	return fmax(claim_kept(e, h.leaked, &h), claim_descriptors(e, &h));
}

/* " Each has a descriptor as well, and of those there were fewer: socket() failed 3 times …" */
static const char *say_descriptors(const struct evidence *e)
{
	int error = evidence_errors(e, STAGE_SOCKET, EMFILE) ? EMFILE : ENFILE;

	if (descriptors_wanted(e) == 0)
		return "";
	return text_format(e->a, " Each has a descriptor as well, and those ended first: %s",
			   say_failures(e, STAGE_SOCKET, error))
		.s;
}

static bool is_tcp(const struct evidence *e)
{
	return e->leaker->load->protocol == PROTOCOL_TCP;
}

/* It is a gateway's ports that they keep, or the room in its table. */
static struct claim leaked_away(const struct evidence *e)
{
	const struct tally *t = &e->tape->tally;
	bool is_full = gateway_is_full(e);

	if (!gateway_is_leaked_away(e))
		return no_claim;
	return (struct claim){
		.weight = weight_dropped(e) / 2,
		.why = text_format(
			e->a,
			"Of %s opened %s %s never closed, and each keeps its %s of the gateway, "
			"which tracked up to %s: used up for good, however many %s it is given.%s",
			say_number_of(e->a, t->opened, "connection", "connections"),
			say_count(e->a, e->kept), say_either(e->kept, "was", "were"),
			is_full ? "entry" : "port",
			say_count(e->a, (uint64_t)evidence_measured(e, MEASURE_NAT_ENTRIES_MAX)),
			is_full ? "entries" : "ports", say_owners(e, &deed_leaked))};
}

static struct claim leak(const struct evidence *e)
{
	const struct tally *t = &e->tape->tally;
	struct claim c = {.weight = claim_leaked(e)};
	const char *never = "none of them was closed";

	if (c.weight == 0)
		return leaked_away(e);
	if (t->leaked < t->opened)
		never = text_format(e->a, "%s of them never closed", say_count(e->a, t->leaked)).s;
	else if (t->opened == 1)
		never = "was not closed";
	c.why = text_format(e->a,
			    "%s %s opened, and %s. Each keeps its port until it is closed or its "
			    "program ends: %s%s%s",
			    say_number_of(e->a, t->opened, is_tcp(e) ? "connection" : "socket",
					  is_tcp(e) ? "connections" : "sockets"),
			    say_either(t->opened, "was", "were"), never,
			    say_used_up(e, evidence_holders(e).leaked, "for good"),
			    e->tape->exhausted ? "" : say_descriptors(e),
			    say_owners(e, &deed_leaked));
	return c;
}

/* The far end was done with most of what is open, and the client closes it when it next looks. */
static struct claim close_wait_late(const struct evidence *e)
{
	struct holders h = evidence_holders(e);
	struct claim c = {.weight = claim_holds(e, h.ended, &h)};
	int64_t hold = e->load->load->hold;

	if (c.weight == 0 || 2 * h.ended <= h.live)
		return no_claim;
	c.why = text_format(
		e->a,
		"The far end has closed %s, and the client does so later%s: CLOSE_WAIT has no "
		"timer, and each keeps its port, and its descriptor, until close(). There %s %s "
		"%s.%s",
		say_number_of(e->a, h.ended, "connection", "connections"),
		hold ? text_format(e->a, ", each %s after it was opened", say_time(e->a, hold)).s
		     : "",
		say_either(bound_left(e), "is", "are"), say_ports_left(e), say_towards(e),
		say_owners(e, &deed_open));
	return c;
}

/* The same of a gateway's ports: there the client's own are left. */
static struct claim close_wait_away(const struct evidence *e, uint64_t waiting)
{
	struct claim c = leaked_away(e);

	if (c.weight == 0 || 2 * waiting <= e->kept)
		return no_claim;
	c.why = text_format(e->a,
			    "The far end has closed %s, and the client has not: CLOSE_WAIT has no "
			    "timer. " TEXT_FMT,
			    say_number_of(e->a, waiting, "connection", "connections"),
			    TEXT_ARG(c.why));
	return c;
}

/* Most of what was leaked: the far end was done with it. */
static struct claim close_wait_leak(const struct evidence *e)
{
	struct holders h = evidence_holders(e);
	uint64_t waiting = e->full ? e->full->states[STATE_CLOSE_WAIT] : 0;
	struct claim c = {.weight = claim_leaked(e)};

	if (c.weight == 0 && gateway_is_leaked_away(e))
		return close_wait_away(e, waiting);
	if (c.weight == 0 || 2 * waiting <= h.leaked)
		return close_wait_late(e);
	c.why = text_format(
		e->a,
		"The far end has closed %s, and the client has not: CLOSE_WAIT has no timer, and "
		"each keeps its port, and its descriptor, until close() or the program's end. So "
		"%s%s",
		say_number_of(e->a, waiting, "connection", "connections"),
		say_used_up(e, h.leaked, "for good"), say_owners(e, &deed_leaked));
	return c;
}

/* What the load that leaks has done. */
static const struct tally *leaker_tally(const struct evidence *e)
{
	return evidence_tally(e->plan, e->tape, (size_t)(e->leaker - e->plan->loads));
}

/* A request a connection, and none of them closed: as if each had a client of its own. */
static struct claim client_per_request(const struct evidence *e)
{
	const struct tally *t = leaker_tally(e);
	struct holders h = evidence_holders(e);
	struct claim c = {.weight = claim_leaked(e)};

	if (c.weight == 0 || !is_tcp(e) || t->requests_reused > 0 || t->requests_done < h.leaked ||
	    !e->leaker->load->request.read)
		return no_claim;
	c.why = text_format(
		e->a,
		"%s, and each had a connection of its own that served no other and was not closed: "
		"so does a client object that is made for a request and forgotten, with a pool of "
		"its own (in Go it keeps the connection for 90 s): %s%s%s",
		say_number_of(e->a, t->requests_done, "request was done", "requests were done"),
		say_after(e, h.leaked), say_used_up(e, h.leaked, "by idle connections"),
		say_owners(e, &deed_leaked));
	return c;
}

/* The client knows whether it reads; the kernel, of what is left in a socket, says no word. */
static struct claim body_not_read(const struct evidence *e)
{
	const struct load *load = e->leaker->load;
	struct holders h = evidence_holders(e);
	struct claim c = {.weight = claim_leaked(e)};

	if (c.weight == 0 || !is_tcp(e) || load->request.read || load->request.receive == 0)
		return no_claim;
	c.why = text_format(
		e->a,
		"%s came, and their bodies were left in the sockets (Recv-Q in `ss -tn`): such a "
		"connection can serve no other request, and nobody closed it: %s%s%s",
		say_number_of(e->a, e->tape->tally.requests_done, "answer", "answers"),
		say_after(e, h.leaked), say_used_up(e, h.leaked, "for good"),
		say_owners(e, &deed_leaked));
	return c;
}

static struct claim inherited_fd(const struct evidence *e)
{
	const struct tally *t = &e->tape->tally;
	struct holders h = evidence_holders(e);
	struct claim c = {.weight = claim_kept(e, h.inherited, &h)};

	if (c.weight == 0)
		return c;
	c.why = text_format(
		e->a,
		"The client closed %s whose descriptor another process had as well. So no FIN was "
		"sent, the far end knows of nothing, and each keeps its port until that process "
		"closes it or ends: %s%s",
		say_number_of(e->a, t->inherited, "connection", "connections"),
		say_used_up(e, h.inherited, "until then"), say_owners(e, &deed_inherited));
	return c;
}

/* What a leak comes to an end of: the client's ports, or a gateway's, or the room in its table. */
static uint64_t leak_fills(const struct evidence *e)
{
	uint64_t ports = e->plan->budget.usable, most = e->plan->scenario->network.nat.limit;

	if (e->plan->nat.outside.count > 0)
		ports = least(ports, e->plan->nat.carriage.each);
	return most > 0 ? least(ports, most) : ports;
}

/* Do all destinations have the same ports: the client's, or those of a gateway that has one mapping, or one
 * server, for all of them? */
static bool shares_ports(const struct evidence *e)
{
	const struct nat *nat = &e->plan->scenario->network.nat;
	bool outside = e->plan->nat.outside.count > 0;

	return !is_tcp(e) || e->plan->budget.spaces < e->plan->budget.pairs ||
	       (outside && (nat_maps_for_all(nat) || nat->redirect));
}

/* "a pool with a limit below 32": where a leak shows. */
static void advise_leak(struct finding *f, const struct evidence *e)
{
	uint64_t usable = leak_fills(e);
	const char *limit = "";

	if (usable > 1)
		limit = text_format(e->a, " below %s", say_count(e->a, usable)).s;
	advice_add_fmt(&f->attempt, e->a,
		       "take connections from a pool with a limit%s %s: a leak then shows where it "
		       "is made",
		       limit,
		       shares_ports(e) ? "to all destinations together" : "to one destination");
}

#define DELAY_ONLY "more ports, addresses or destinations: they only delay it"

/* What is closed in the end is a matter of how soon. */
static void advise_close_wait(struct finding *f, const struct evidence *e)
{
	if (e->tape->tally.leaked == 0)
		return;
	advise_leak(f, e);
	advice_add(&f->wont_help, TEXT(DELAY_ONLY));
}

// clang-format off
static const char delay_only[] = DELAY_ONLY;
static const char about_closed[] = ABOUT_CLOSED;
static const char other_limit[] =
	"ulimit -n: descriptors are another limit, and with more of them it is the ports that end";

const struct rule leak_rules[] = {
	{
		.cause = CAUSE_LEAK,
		.claim = leak,
		.advise = advise_leak,
		.seen = {MEASURE_LEAKED, MEASURE_ESTABLISHED_MAX, MEASURE_CLOSE_WAIT_MAX, MEASURE_PORTS_USABLE},
		.attempt = {
			"close every connection when its work is done, on the paths of errors and timeouts too; "
			"`ss -tunp` names who holds them",
		},
		.in_vain = {delay_only, about_closed, other_limit},
	},
	{
		.cause = CAUSE_CLOSE_WAIT_LEAK,
		.instead = CAUSE_LEAK,
		.claim = close_wait_leak,
		.advise = advise_close_wait,
		.seen = {MEASURE_CLOSE_WAIT_MAX, MEASURE_LEAKED, MEASURE_PORTS_USABLE, MEASURE_TIME_WAIT_MAX},
		.attempt = {
			"close when recv() returns 0, on the paths of errors and timeouts too: the far end is done "
			"with them; `ss -tnp state close-wait` names who holds them",
			"have idle connections of a pool looked at (poll for POLLRDHUP), or its idle timeout "
			"shorter than the server's, so that it is the client who closes first",
		},
		.in_vain = {
			"net.ipv4.tcp_fin_timeout: it is about the far end's half of these, FIN_WAIT2, which is gone "
			"after it; CLOSE_WAIT has no timer",
			"net.ipv4.tcp_tw_reuse: it is about TIME_WAIT",
			other_limit,
		},
	},
	{
		.cause = CAUSE_CLIENT_PER_REQUEST,
		.instead = CAUSE_LEAK,
		.claim = client_per_request,
		.advise = advise_leak,
		.seen = {MEASURE_REQUESTS_DONE, MEASURE_REUSE_RATIO, MEASURE_LEAKED, MEASURE_ESTABLISHED_MAX},
		.attempt = {
			"make the client (transport, channel, session) once and share it: then one pool serves all "
			"requests",
			"where it must be made anew, dispose of it, and have its server close first: its connections "
			"are TIME_WAIT of the client else, 60 s each",
		},
		.in_vain = {
			"disposing of each alone: the connection is closed then, and its port is in TIME_WAIT",
			delay_only, about_closed, other_limit,
		},
	},
	{
		.cause = CAUSE_BODY_NOT_READ,
		.instead = CAUSE_LEAK,
		.claim = body_not_read,
		.advise = advise_leak,
		.seen = {MEASURE_REQUESTS_DONE, MEASURE_REUSE_RATIO, MEASURE_LEAKED, MEASURE_ESTABLISHED_MAX},
		.attempt = {
			"read each answer to its end, then close its body: the connection goes back to the pool",
			"where the rest is not wanted, bound what is read of it, and close the connection",
		},
		.in_vain = {
			"closing without reading: it gives the port back, by a RST and without a TIME_WAIT, but each "
			"request still opens a connection",
			delay_only, about_closed,
		},
	},
	{
		.cause = CAUSE_INHERITED_FD,
		.claim = inherited_fd,
		.seen = {MEASURE_INHERITED, MEASURE_ESTABLISHED_MAX, MEASURE_PORTS_USABLE},
		.attempt = {
			"open sockets with SOCK_CLOEXEC (accept4() too), so that no program that is started later "
			"has them",
			"in a child that runs no other program, close what it does not use: close_range()",
			"`ss -tunp` names who holds them",
		},
		.in_vain = {
			"closing once more, or sooner: the last descriptor decides, and another process has it",
			delay_only, about_closed,
		},
	},
	RULES_END,
};
// clang-format on
