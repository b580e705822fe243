#include <errno.h>

#include "base/order.h"
#include "judge/gateway.h"

/* Kinds of failures that are told each with its number. */
enum { KINDS_TOLD = 2 };

/* The most frequent failure before a connection was open, as words. */
static const char *say_most_frequent(const struct evidence *e)
{
	const struct measures *m = e->measures;

	if (m->error_count == 0)
		return "Ports ran out";
	return text_format(e->a, "%s failed %s with %s (%s)", stage_call(m->errors[0].stage),
			   say_number_of(e->a, m->errors[0].count, "time", "times"),
			   errno_name(m->errors[0].error),
			   failure_words(m->errors[0].stage, m->errors[0].error))
		.s;
}

/* Is it an errno that the kernel says of ports, too? */
static bool may_be_of_ports(int error)
{
	return error == EADDRNOTAVAIL || error == EADDRINUSE || error == EAGAIN;
}

/* Asked only where no other rule holds. */
static struct claim no_data(const struct evidence *e)
{
	const struct measures *m = e->measures;
	struct claim c = {.weight = 1};

	if (e->tape->tally.failed == 0 && !e->tape->exhausted)
		return no_claim;
	if (!e->tape->exhausted && m->error_count > 0 && !may_be_of_ports(m->errors[0].error))
		c.why = claim_alike(e, m->errors[0].stage, m->errors[0].error,
				    "Nothing that was recorded tells why.")
				.why;
	else
		c.why = text_format(e->a, "%s, and nothing that was recorded tells why%s.",
				    say_most_frequent(e),
				    e->full ? "" : ": the sockets were never dumped");
	return c;
}

static void advise_data(struct finding *f, const struct evidence *e)
{
	if (!e->full)
		advice_add(&f->attempt,
			   TEXT("dump the sockets while it happens (sample.sockets; on a host "
				"`ss -tan`): their states say who holds the ports"));
	if (evidence_errors(e, STAGE_CONNECT, EADDRNOTAVAIL))
		advice_add(&f->attempt, TEXT("let it go on after the first failure (on_failure: "
					     "continue, stop.after): one "
					     "EADDRNOTAVAIL is a want of a port or of an address, "
					     "a second after a look at the "
					     "address tells"));
	advice_add(&f->attempt,
		   TEXT("record the errno and the call it came from, with the source and the "
			"destination: `strace -f -e trace=socket,bind,connect`"));
}

/* What was sent on a connection that was open: of UDP, EAGAIN is a want of ports, and want of memory
 * is told by itself. */
static bool is_of_request(enum stage stage, int error)
{
	return stage == STAGE_RECEIVE ||
	       (stage == STAGE_SEND && error != EAGAIN && error != ENOBUFS && error != ENOMEM);
}

/* Of UDP, whichever call the kernel tells it by. */
static uint64_t not_listened(const struct evidence *e)
{
	if (!plan_speaks(e->plan, PROTOCOL_UDP))
		return 0;
	return evidence_errors(e, STAGE_RECEIVE, ECONNREFUSED) +
	       evidence_errors(e, STAGE_SEND, ECONNREFUSED);
}

/* " The server's process died after 0.3 s."; and why few of those that ask a port of UDP are told that
 * nobody has it (icmp_ratelimit). */
static const char *say_died(const struct evidence *e)
{
	const struct value *at = &e->measures->fixed[MEASURE_SERVER_DIED];
	bool few_are_told = not_listened(e) && evidence_errors(e, STAGE_RECEIVE, ETIMEDOUT);
	const char *died = "", *told = "";

	if (at->present)
		died = text_format(e->a, " The server's process died after %s.",
				   say_time(e->a, (int64_t)at->n))
			       .s;
	if (few_are_told)
		told = " Nothing listens at that port: of UDP an ICMP says so, and a host sends "
		       "few "
		       "of them (net.ipv4.icmp_ratelimit), so that most wait in vain.";
	return text_format(e->a, "%s%s", died, told).s;
}

/* What TCP's connections to a host that is gone come to is told by that (dead-peer-leak). */
static bool is_of_dead_peer(const struct evidence *e)
{
	const struct value *gone = &e->measures->fixed[MEASURE_SERVER_GONE];

	return gone->present && plan_speaks(e->plan, PROTOCOL_TCP) &&
	       (double)e->tape->refused_at_ns >= gone->n;
}

/* Requests that waited in vain, where that is what became of most: beside a want of ports it is why each
 * port was held for as long as that. What a gateway drops, or another socket has heard, is told by that. */
static uint64_t given_up(const struct evidence *e)
{
	uint64_t n = evidence_errors(e, STAGE_RECEIVE, ETIMEDOUT) +
		     evidence_errors(e, STAGE_SEND, ETIMEDOUT) +
		     evidence_errors(e, STAGE_RECEIVE, ECONNREFUSED) +
		     evidence_errors(e, STAGE_SEND, ECONNREFUSED);

	if (!plan_has_requests(e->plan) || gateway_lacks_ports(e) || gateway_is_full(e) ||
	    gateway_lacks_mappings(e) || evidence_measured(e, MEASURE_OVERSHADOWED_MAX) > 0 ||
	    is_of_dead_peer(e))
		return 0;
	return n >= e->tape->tally.requests_done ? n : 0;
}

static uint64_t counter_moved(const struct evidence *e, const char *name)
{
	const struct measure_ref what = {.measure = MEASURE_COUNTER, .counter = text_of(name)};

	return (uint64_t)measures_get(e->measures, &what).n;
}

/* Answers that came for a connection that was closed already, where requests waited in vain: the kernel's own
 * RSTs tell of them, beyond those of the connections that were ended by one; and of UDP the datagrams that
 * nobody had the port for any more. */
static uint64_t came_late(const struct evidence *e)
{
	uint64_t rsts = counter_moved(e, "OutRsts"), n = 0;

	if (evidence_errors(e, STAGE_RECEIVE, ETIMEDOUT) == 0 ||
	    e->measures->fixed[MEASURE_SERVER_GONE].present ||
	    e->measures->fixed[MEASURE_SERVER_DIED].present)
		return 0;
	if (plan_speaks(e->plan, PROTOCOL_TCP))
		n += rsts - least(rsts, e->tape->tally.reset);
	if (plan_speaks(e->plan, PROTOCOL_UDP))
		n += counter_moved(e, "UdpNoPorts");
	return n;
}

static const char *say_late(const struct evidence *e)
{
	uint64_t late = came_late(e);
	bool is_tcp = plan_speaks(e->plan, PROTOCOL_TCP),
	     is_udp = plan_speaks(e->plan, PROTOCOL_UDP);

	if (late == 0)
		return "";
	return text_format(
		       e->a,
		       " The far end does answer: %s came for a %s that was closed already, and "
		       "met %s. The timeout is shorter than the answer takes.",
		       is_udp ? say_number_of(e->a, late, "packet", "packets")
			      : say_number_of(e->a, late, "segment", "segments"),
		       is_tcp ? "connection" : "socket",
		       is_udp && is_tcp ? "a RST or an ICMP"
		       : is_udp		? "an ICMP"
					: "a RST")
		.s;
}

/* "32 requests had no answer within 0.5 s (load.timeout)", "6 were refused", or both; or what was sent was not
 * read. */
static const char *say_unanswered(const struct evidence *e)
{
	uint64_t waited = evidence_errors(e, STAGE_RECEIVE, ETIMEDOUT),
		 unread = evidence_errors(e, STAGE_SEND, ETIMEDOUT), refused = not_listened(e);
	const char *other;

	if (unread > waited)
		return text_format(e->a,
				   "%s not be sent within %s (load.timeout), since the far end "
				   "does not read (send(), ETIMEDOUT)",
				   say_number_of(e->a, unread, "request could", "requests could"),
				   say_patience(e))
			.s;
	if (waited == 0)
		return text_format(e->a, "%s refused (ECONNREFUSED)",
				   say_number_of(e->a, refused, "request was", "requests were"))
			.s;
	other = refused ? text_format(e->a, ", and %s refused (ECONNREFUSED)",
				      say_number_of(e->a, refused, "was", "were"))
				  .s
			: "";
	return text_format(e->a, "%s no answer within %s (load.timeout)%s",
			   say_number_of(e->a, waited, "request had", "requests had"),
			   say_patience(e), other)
		.s;
}

/* Whose they are, by the errno that most of them have. */
static const char *say_given_up(const struct evidence *e)
{
	uint64_t waited = evidence_errors(e, STAGE_RECEIVE, ETIMEDOUT),
		 unread = evidence_errors(e, STAGE_SEND, ETIMEDOUT);

	return say_failing(e, unread > waited ? STAGE_SEND : STAGE_RECEIVE,
			   waited + unread > 0 ? ETIMEDOUT : ECONNREFUSED);
}

/* Ports did run out, and those that held them waited for an answer. */
static struct claim request_unanswered(const struct evidence *e)
{
	uint64_t n = given_up(e);

	if (n == 0)
		return no_claim;
	return (struct claim){
		.weight = (double)n,
		.why = text_format(
			e->a,
			"%s done, and %s: each of these had its port for as long as it waited, and "
			"then its socket was closed, for the next to open another.%s%s%s",
			say_number_of(e->a, e->tape->tally.requests_done, "request was",
				      "requests were"),
			say_unanswered(e), say_given_up(e), say_late(e),
			say_gone(e)[0] ? say_gone(e) : say_died(e))};
}

/* Without a request a connection that fails once it is open was waited for, or ended by the other end. */
static const char *say_undone(const struct evidence *e)
{
	if (plan_has_requests(e->plan))
		return "what was sent on it failed";
	return evidence_errors(e, STAGE_RECEIVE, ETIMEDOUT)
		       ? "the wait for the far end's FIN failed"
		       : "the far end ended it";
}

/* "This is not port exhaustion", or these of all failures are not. */
static const char *say_had_port(const struct evidence *e)
{
	return e->tape->exhausted ? "Not all of it is a want of ports: some"
				  : "This is not port exhaustion: each of these";
}

/* Those that waited are told by their wait. */
static bool is_of_a_wait(int error)
{
	return error == ETIMEDOUT || error == ECONNREFUSED;
}

/* What was sent on a connection that was had, and failed in whatever way; beside a want of ports, where most
 * requests did, and not for the wait. */
static struct claim request_ended(const struct evidence *e)
{
	const struct measures *m = e->measures;
	const char *failures = "";
	uint64_t kinds = 0, n = 0;

	for (size_t i = 0; i < m->error_count; i++) {
		const struct error_row *row = &m->errors[i];

		if (!is_of_request(row->stage, row->error) ||
		    (e->tape->exhausted && is_of_a_wait(row->error)))
			continue;
		if (kinds++ < KINDS_TOLD)
			failures = text_format(e->a, "%s %s%s", failures,
					       say_failures(e, row->stage, row->error),
					       say_failing(e, row->stage, row->error))
					   .s;
		n += row->count;
	}
	if (kinds == 0 || (e->tape->exhausted &&
			   (!plan_has_requests(e->plan) || n < e->tape->tally.requests_done)))
		return no_claim;
	return (struct claim){
		.weight = (double)n,
		.why = text_format(e->a, "%s connections had %s port, and %s.%s%s%s%s",
				   say_had_port(e), e->tape->exhausted ? "a" : "its", say_undone(e),
				   failures, kinds > KINDS_TOLD ? " Others failed otherwise." : "",
				   plan_has_requests(e->plan) ? say_late(e) : "", say_died(e))};
}

/* Asked only where no other rule holds, or beside a want of ports. */
static struct claim request_failed(const struct evidence *e)
{
	struct claim c = e->tape->exhausted ? request_unanswered(e) : no_claim;

	return c.weight > 0 ? c : request_ended(e);
}

static void advise_request(struct finding *f, const struct evidence *e)
{
	bool late = plan_has_requests(e->plan) && came_late(e) > 0;

	if (late)
		advice_add_fmt(
			&f->attempt, e->a,
			"wait for longer than an answer takes: it is %s here (load.timeout), "
			"and a request that is given up costs a connection",
			say_patience(e));
	if (not_listened(e))
		advice_add(&f->attempt, TEXT("start the server: of UDP an ICMP says that nothing "
					     "listens at that port, one send too late"));
	advice_add(&f->attempt, TEXT("look at the far end, whose log says why it ends connections, "
				     "or does not answer"));
	if (!late && evidence_errors(e, STAGE_RECEIVE, ETIMEDOUT))
		advice_add(&f->attempt, TEXT("see whether the answer is late or never comes: a "
					     "longer timeout tells one from the other"));
}

// clang-format off
const struct rule data_rules[] = {
	{
		.cause = CAUSE_NO_DATA,
		.claim = no_data,
		.advise = advise_data,
		.seen = {MEASURE_CONNECTS_FAILED, MEASURE_CONNECTS_OPENED, MEASURE_PORTS_USED_MAX},
		.in_vain = {"changing any setting before it is known which limit was reached"},
	},
	{
		.cause = CAUSE_REQUEST_FAILED,
		.claim = request_failed,
		.advise = advise_request,
		.seen = {MEASURE_REQUESTS_FAILED, MEASURE_REQUESTS_DONE, MEASURE_CONNECTS_RESET, MEASURE_PORTS_USED_MAX, MEASURE_SERVER_DIED},
		.in_vain = {
			"any setting of the client's ports: none of them has the far end answer",
		},
	},
	RULES_END,
};
// clang-format on
