#include <errno.h>

#include "judge/rule.h"
#include "plan/bind.h"

/* What one of several loads was refused for want of a port. */
static uint64_t wants_of(const struct tally *t)
{
	return t->errors[STAGE_CONNECT][EADDRNOTAVAIL] + t->errors[STAGE_CONNECT][EAGAIN] +
	       t->errors[STAGE_SEND][EAGAIN] + t->errors[STAGE_BIND][EADDRINUSE];
}

/* Ports it may hold still: not all that it has closed. */
static uint64_t used_by(const struct tally *t)
{
	return t->opened - least(t->reset, t->opened);
}

/* Those that its process has, and that end with it: all but what is in TIME_WAIT. */
static uint64_t kept_by(const struct tally *t)
{
	return t->leaked + t->inherited + t->open;
}

/* Is it what it has closed that is missing, and not what it keeps, or kept when the ports ran out? */
static bool is_closer(const struct evidence *e, const struct tally *t)
{
	struct holders h = evidence_holders(e);

	return 2 * kept_by(t) < used_by(t) && h.time_wait + h.fin_wait >= h.live;
}

/* The load that was refused most; -1: none, or there is only one load. */
static int refused_load(const struct evidence *e)
{
	int who = -1;
	uint64_t most = 0;

	for (size_t i = 0; i < e->tape->load_count; i++) {
		uint64_t n = wants_of(&e->tape->loads[i].tally);

		if (n > most) {
			most = n;
			who = (int)i;
		}
	}
	return e->tape->load_count > 1 ? who : -1;
}

/* The one that used most ports, beside `who`, and failed for none. */
static int culprit_of(const struct evidence *e, int who)
{
	int culprit = -1;
	uint64_t most = 0;

	for (size_t i = 0; i < e->tape->load_count; i++) {
		const struct tally *t = &e->tape->loads[i].tally;

		if ((int)i == who || wants_of(t) > 0 || used_by(t) <= most)
			continue;
		most = used_by(t);
		culprit = (int)i;
	}
	return culprit;
}

static const char *say_owner(const struct evidence *e, const struct tally *t)
{
	if (is_closer(e, t))
		return "A port in TIME_WAIT has no process: `ss -p` names nobody";
	return 2 * kept_by(t) < used_by(t)
		       ? "Most of its sockets were open then: `ss -tunp` named it"
		       : "Most of its sockets are open still: `ss -tunp` names it";
}

/* A victim has had few of the ports, and a load that has failed nowhere, half of them or more. */
static struct claim innocent_victim(const struct evidence *e)
{
	int who = refused_load(e), by = who < 0 ? -1 : culprit_of(e, who);
	const struct tape *loads = e->tape->loads;
	uint64_t capacity = e->plan->budget.capacity;

	if (by < 0 || e->plan->loads[who].bind != e->plan->loads[by].bind ||
	    4 * evidence_had(&loads[who]) > capacity || 2 * used_by(&loads[by].tally) < capacity)
		return no_claim;
	return (struct claim){
		.weight = claim_first(e),
		.why = text_format(
			e->a,
			TEXT_FMT
			" was refused after %s, and " TEXT_FMT
			" has used %s of %s%s without a failure. %s, and the one that fails is "
			"merely the one that asks last.",
			TEXT_ARG(loads[who].load),
			say_number_of(e->a, loads[who].tally.opened, "connection", "connections"),
			TEXT_ARG(loads[by].load), say_count(e->a, used_by(&loads[by].tally)),
			say_number_of(e->a, capacity, "port", "ports"), e->ports_of,
			say_owner(e, &loads[by].tally))};
}

/* What waits has no process: it is to be caught before, and outlives a restart. */
static void advise_closer(struct finding *f, const struct evidence *e, int by)
{
	advice_add_fmt(&f->attempt, e->a,
		       "mend " TEXT_FMT ": what it opens and closes is what is missing here",
		       TEXT_ARG(e->tape->loads[by].load));
	advice_add(&f->attempt, TEXT("find out who connects as it happens (`bpftrace` on "
				     "tcp_v4_connect, `ss -tnp` while they are open): afterwards "
				     "nothing tells"));
	advice_add(&f->wont_help, TEXT("restarting either: TIME_WAIT outlives its process"));
}

/* What is open is its process's, and ends with that. */
static void advise_keeper(struct finding *f, const struct evidence *e, int by)
{
	bool is_udp = e->plan->loads[by].load->protocol == PROTOCOL_UDP;
	struct text who = e->tape->loads[by].load;

	advice_add_fmt(&f->attempt, e->a,
		       "mend " TEXT_FMT ": what it opens and keeps is what is missing here; `ss "
		       "-tunp` names it",
		       TEXT_ARG(who));
	advice_add_fmt(&f->attempt, e->a,
		       "until then restart " TEXT_FMT ": its sockets are closed with it, and their "
		       "ports come back%s",
		       TEXT_ARG(who),
		       is_udp ? " at once"
			      : ", after 60 s of TIME_WAIT if it is its end that closes "
				"first");
	advice_add(&f->wont_help, TEXT("restarting the one that fails: it has none of the ports"));
}

static void advise_victim(struct finding *f, const struct evidence *e)
{
	int by = culprit_of(e, refused_load(e));

	if (by >= 0 && is_closer(e, &e->tape->loads[by].tally))
		advise_closer(f, e, by);
	else if (by >= 0)
		advise_keeper(f, e, by);
	advice_tuples(&f->attempt, e, 0);
}

/* All of them go to one destination, and none of them has used half of its ports. */
static struct claim single_tuple(const struct evidence *e)
{
	uint64_t sum = 0, most = 0, n = 0;

	for (size_t i = 0; i < e->tape->load_count; i++) {
		uint64_t used = used_by(&e->tape->loads[i].tally);

		sum += used;
		most = used > most ? used : most;
		n += used > 0;
	}
	if (!e->tape->exhausted || n < 3 || e->plan->budget.pairs > 1 ||
	    2 * most > e->plan->budget.usable || sum < e->plan->budget.usable)
		return no_claim;
	return (struct claim){.weight = claim_first(e),
			      .why = text_format(e->a,
						 "%s loads go to one address and port, and share "
						 "its %s: none of them has used "
						 "more than %s. Were each to have a destination of "
						 "its own, there would be %s.",
						 say_count(e->a, n), say_ports(e),
						 say_count(e->a, most),
						 say_count(e->a, n * e->plan->budget.usable))};
}

/* A load that binds first was refused, and what others closed is spread over many destinations,
 * each of which has ports left: two are no probes, and none of these was refused a port itself. */
static struct claim health_probes(const struct evidence *e)
{
	int who = refused_load(e);
	uint64_t waiting = e->full ? e->full->states[STATE_TIME_WAIT] : 0;
	uint32_t usable = e->plan->budget.usable;

	if (who < 0 || !bind_takes_port(e->plan->loads[who].bind) || !e->full ||
	    e->plan->destinations < 3 || evidence_errors(e, STAGE_CONNECT, EADDRNOTAVAIL) > 0 ||
	    e->tape->loads[who].tally.errors[STAGE_BIND][EADDRINUSE] == 0 ||
	    e->full->used_max >= usable || waiting < usable)
		return no_claim;
	return (struct claim){
		.weight = claim_first(e),
		.why = text_format(
			e->a,
			"%s in TIME_WAIT, to %s, and to none of them more than %s of %s: no "
			"connect() "
			"of theirs lacks a port. But bind(), as " TEXT_FMT
			" does it, wants one that nobody has towards anybody, and finds none.",
			say_number_of(e->a, waiting, "connection is", "connections are"),
			say_number_of(e->a, e->plan->destinations, "destination", "destinations"),
			say_count(e->a, e->full->used_max), say_ports(e),
			TEXT_ARG(e->tape->loads[who].load))};
}

// clang-format off
const struct rule share_rules[] = {
	{
		.cause = CAUSE_INNOCENT_VICTIM,
		.claim = innocent_victim,
		.advise = advise_victim,
		.seen = {MEASURE_EXHAUSTED_AFTER, MEASURE_TIME_WAIT_MAX, MEASURE_PORTS_USABLE},
		.in_vain = {
			"looking for the fault in the one that fails: it has used hardly any ports",
		},
	},
	{
		.cause = CAUSE_SINGLE_TUPLE,
		.claim = single_tuple,
		.seen = {MEASURE_CONNECTS_OPENED, MEASURE_PORTS_USED_MAX, MEASURE_PORTS_USABLE},
		.attempt = {
			"have the funnel (sidecar, TLS front, proxy) listen on several ports or addresses, and spread the "
			"clients over them: each has all ports of the range again",
			"connect to it through a Unix socket: it needs no port",
			"keep connections to it open, and send many requests over each",
			"source addresses of their own for the clients (127.0.0.0/8 on loopback), bound with "
			"IP_BIND_ADDRESS_NO_PORT",
		},
		.in_vain = {
			"more services behind the funnel: ports are counted towards the funnel",
			"mending one of the clients alone: none of them uses many ports",
		},
	},
	{
		.cause = CAUSE_HEALTH_PROBES,
		.instead = CAUSE_BIND_STARVATION,
		.claim = health_probes,
		.seen = {MEASURE_TIME_WAIT_MAX, MEASURE_PORTS_USED_MAX, MEASURE_PORTS_USABLE},
		.attempt = {
			"set IP_BIND_ADDRESS_NO_PORT before a bind() that only chooses the source address: it then asks for "
			"a port towards its own destination alone",
			"probe less often, or over a connection that stays open: each probe costs a port, towards its target, "
			"for 60 s (and a gateway's entry for 120 s)",
		},
		.in_vain = {
			"SO_REUSEADDR before the bind(): a port that others have from connect() is in use all the same",
			FIN_TIMEOUT_IN_VAIN,
		},
	},
	RULES_END,
};
// clang-format on
