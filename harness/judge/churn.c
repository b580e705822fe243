#include <errno.h>
#include <math.h>

#include "judge/outlook.h"
#include "judge/rule.h"
#include "plan/life.h"

#define RTO_MIN_NS 200000000

/* How many were closed when those that wait were counted; where others were reset, no more than these are
 * known. */
static uint64_t closed_by_then(const struct evidence *e, uint64_t waiting)
{
	uint64_t closed = e->closed;

	if (e->tape->tally.reset > 0)
		return least(closed, waiting);
	if (e->full && e->full->opened > e->full->open)
		return least(closed, e->full->opened - e->full->open);
	return closed;
}

/* "After 0.4 s, when most were in use, the client had", where more were closed later; else as it is. */
static const char *say_then(const struct evidence *e, uint64_t closed, const char *all,
			    const char *by_then)
{
	if (closed == e->closed || !e->full)
		return all;
	return text_format(e->a, "After %s, when most ports were in use, %s",
			   say_time(e->a, e->full->t_ns), by_then)
		.s;
}

/* Who waits: not all that were closed are in TIME_WAIT, for the far end may have closed first. */
static const char *say_waiting(const struct evidence *e, uint64_t waiting)
{
	uint64_t closed = closed_by_then(e, waiting);
	const char *time = say_time(e->a, quiet_time(e->plan));
	struct text life;

	if (is_reused(e->plan))
		life = text_format(e->a, "%s can be taken again after %s",
				   say_either(waiting, "its port", "the port of each"), time);
	else
		life = text_format(e->a, "%s port for %s more",
				   say_either(waiting, "it keeps its", "each keeps its"), time);
	if (closed <= waiting)
		return text_format(e->a, "%s closed %s, and " TEXT_FMT " (TIME_WAIT).",
				   say_then(e, closed, "The client", "the client had"),
				   say_number_of(e->a, waiting, "connection", "connections"),
				   TEXT_ARG(life))
			.s;
	return text_format(e->a, "%s %s closed connections %s %s in TIME_WAIT, and " TEXT_FMT ".",
			   say_then(e, closed, "Of", "of"), say_count(e->a, closed),
			   say_count(e->a, waiting), say_either(waiting, "is", "are"),
			   TEXT_ARG(life))
		.s;
}

/* Are connections of the one load open for longer than those of another, and is a mean told? */
static bool holds_differ(const struct plan *p)
{
	int64_t live_ns = live_time(p);
	bool differ = false;

	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct load *load = p->loads[i].load;

		differ |= load_share(load, END_LEAK) < 1 && load->hold > live_ns;
	}
	return differ && plan_rate(p) > 0;
}

const char *say_life(const struct evidence *e)
{
	int64_t live_ns = live_time(e->plan);
	const char *quiet = say_time(e->a, quiet_time(e->plan));

	if (outlook_is_mean(e->plan))
		return text_format(e->a, "%s (the mean of %s)",
				   say_time(e->a, outlook_life_ns(e->plan, OUTLOOK_HERE, *e->a)),
				   e->plan->load_count > 1 ? "these loads" : "load.mix")
			.s;
	return live_ns > 0 ? text_format(e->a, "(%s open%s + %s)", say_time(e->a, live_ns),
					 holds_differ(e->plan) ? " in the mean" : "", quiet)
				     .s
			   : quiet;
}

/* "32 ports / 60 s = 0.533/s is all that can go on for ever to one destination; this load …" */
static const char *say_bound(const struct evidence *e)
{
	const struct budget *b = &e->plan->budget;
	int64_t life_ns = outlook_life_ns(e->plan, OUTLOOK_HERE, *e->a);
	double each = (double)bound_left(e) * 1e9 / (double)life_ns;
	const char *ports = say_ports_left(e), *life = say_life(e), *all = "",
		   *can = "is all that can go on for ever";

	if (e->plan->forecast.buckets)
		return text_format(e->a, "No more than %s wait (tcp_max_tw_buckets).",
				   say_count(e->a, e->plan->forecast.buckets))
			.s;
	if (b->spaces > 1)
		all = text_format(e->a, ", %s in all%s", say_rate(e->a, each * b->spaces),
				  evidence_binds_some(e)
					  ? ", less what bind() takes, for all of them at once"
					  : "")
			      .s;
	if (isnan(e->plan->forecast.rate) && e->plan->scenario->server.accept_every)
		can = "at least can go on for ever, each accepted as late as it may be,";
	if (e->kept > 0)
		can = "would be all that could go on for ever, were each of them closed,";
	if (evidence_binds_some(e) && reuse_is_set(e->plan) && has_timestamps(e->plan))
		return text_format(e->a,
				   "%s / %s = %s is all that can go on for ever of what bind() "
				   "takes, to which tcp_tw_reuse gives none back%s.",
				   ports, life, say_rate(e->a, each), say_demand(e, INFINITY))
			.s;
	return text_format(e->a, "%s / %s = %s %s %s%s%s.", ports, life, say_rate(e->a, each), can,
			   say_towards(e), all, say_demand(e, each * b->spaces))
		.s;
}

/* What is said here of TIME_WAIT is not so outside of this run. */
static const char *say_own_time(const struct evidence *e)
{
	int64_t lasts_ns = e->plan->scenario->network.time_wait;

	if (lasts_ns >= TIME_WAIT_NS)
		return "";
	return text_format(
		       e->a,
		       " network.time_wait made it %s here: outside it is %s, and the rate %s%s; "
		       "what to try is reckoned with that.",
		       say_time(e->a, lasts_ns), say_time(e->a, outside_time(e->plan)),
		       say_rate(e->a,
				(double)bound_left(e) * 1e9 /
					(double)outlook_life_ns(e->plan, OUTLOOK_ELSEWHERE, *e->a)),
		       e->plan->budget.spaces > 1 ? " to each" : "")
		.s;
}

const char *say_churn(const struct evidence *e)
{
	return text_format(e->a, "%s %s%s", say_waiting(e, evidence_holders(e).time_wait),
			   say_bound(e), say_own_time(e))
		.s;
}

double claim_churn(const struct evidence *e)
{
	struct holders h = evidence_holders(e);

	return claim_holds(e, h.time_wait, &h);
}

/* The last dump, where it came after the first refusal. */
static const struct sample *later_dump(const struct evidence *e)
{
	const struct sample *last = tape_last_dump(e->tape);

	if (!last || !e->full || last->torn || last->t_ns <= e->full->t_ns)
		return NULL;
	return last;
}

/* Others held the ports when the first was refused, and had them no more at the end, when most were waiting:
 * what was closed has filled them, and stays. Behind those others, who came first. */
static struct claim lasting_churn(const struct evidence *e)
{
	const struct sample *last = later_dump(e);
	struct holders h = evidence_holders(e);
	uint64_t waiting = last ? least(last->states[STATE_TIME_WAIT], e->closed) : 0;
	struct claim c = {.weight = claim_holds(e, least(waiting, h.own), &h) / 2};

	if (2 * waiting <= h.own)
		return no_claim;
	c.why = text_format(e->a,
			    "What was open then was closed, and %s of %s %s in TIME_WAIT at the "
			    "end, after %s: they stay longer than what was open. %s%s%s",
			    say_count(e->a, waiting), say_number_of(e->a, h.own, "port", "ports"),
			    say_either(waiting, "is", "are"), say_time(e->a, last->t_ns),
			    say_bound(e), say_own_time(e), say_owners(e, &deed_closed));
	return c;
}

/* " In all, web closed 8, cron 4.", where more were closed after those that wait. */
static const char *say_closers(const struct evidence *e)
{
	uint64_t then = closed_by_then(e, evidence_holders(e).time_wait);
	const char *owners = say_owners(e, &deed_closed);

	return owners[0] && then < e->closed ? text_format(e->a, " In all,%s", owners).s : owners;
}

static struct claim time_wait_churn(const struct evidence *e)
{
	struct claim c = {.weight = claim_churn(e)};
	double rest = 1 - claim_share_of_pools(e);

	if (rest < POOL_SHARE_LEAST)
		return no_claim;
	if (c.weight == 0)
		return lasting_churn(e);
	c.weight *= rest;
	c.why = text_format(e->a, "%s%s", say_churn(e), say_closers(e));
	return c;
}

/* Of those in FIN_WAIT, whose FIN nobody has acknowledged: they are not in FIN_WAIT2 yet. */
static uint64_t unheard_of(const struct evidence *e, const struct holders *h)
{
	uint64_t heard = e->full ? e->full->states[STATE_FIN_WAIT2] : h->fin_wait;

	return h->fin_wait - least(heard, h->fin_wait);
}

/* FIN_WAIT1 and FIN_WAIT2 have a timer and a cure each: which is it about? */
static bool is_unheard(const struct evidence *e)
{
	struct holders h = evidence_holders(e);

	return 2 * unheard_of(e, &h) > h.fin_wait;
}

/* " 32 ports / 5 s = 6.4/s is all …", where it is FIN_WAIT2 alone that the ports wait for. */
static const char *say_heard_bound(const struct evidence *e)
{
	if (e->plan->forecast.quiet_ns != life_fin_wait_ns(e->plan->scenario))
		return "";
	return text_format(e->a, " %s", say_bound(e)).s;
}

/* "17 in FIN_WAIT2 keep their ports for up to 60 s (tcp_fin_timeout), and 8 in FIN_WAIT1 come to
 * that." */
static const char *say_heard(const struct evidence *e, const struct holders *h)
{
	uint64_t unheard = unheard_of(e, h), heard = h->fin_wait - unheard;
	int64_t seconds = evidence_sysctl(e, "net.ipv4.tcp_fin_timeout", 60);
	const char *more = "", *twice = "";

	if (seconds * 1000000000 > TIME_WAIT_NS)
		twice = text_format(e->a,
				    ", which is %s s: the kernel waits twice for what is more than "
				    "60 s",
				    say_count(e->a, (uint64_t)seconds))
				.s;

	if (unheard > 0)
		more = text_format(e->a, ", and %s in FIN_WAIT1 %s not come to that yet",
				   say_count(e->a, unheard), say_either(unheard, "has", "have"))
			       .s;
	return text_format(e->a, "%s in FIN_WAIT2 %s for up to %s (tcp_fin_timeout%s)%s.%s",
			   say_count(e->a, heard),
			   say_either(heard, "keeps its port", "keep their ports"),
			   say_time(e->a, life_fin_wait_ns(e->plan->scenario)), twice, more,
			   say_heard_bound(e))
		.s;
}

/* A port was had again before a FIN is repeated for the first time (TCP_RTO_MIN): it was under way, and
 * not lost; unless it waits behind what the far end does not read. */
static bool is_under_way(const struct evidence *e)
{
	return e->tape->recovered_ns >= 0 && e->tape->recovered_ns < RTO_MIN_NS &&
	       evidence_errors(e, STAGE_SEND, ETIMEDOUT) == 0;
}

/* Whose FIN is lost, or behind what the far end does not read. */
static struct text say_unheard(const struct evidence *e, uint64_t unheard)
{
	const char *keep = say_either(unheard, "keeps its port", "keep their ports");

	if (evidence_errors(e, STAGE_SEND, ETIMEDOUT) > 0)
		return text_format(e->a,
				   "The client closed %s, and each FIN is behind what the far end "
				   "does not read: %s in FIN_WAIT1 %s until the kernel gives that "
				   "up (tcp_orphan_retries).",
				   say_number_of(e->a, e->closed, "connection", "connections"),
				   say_count(e->a, unheard), keep);
	return text_format(e->a,
			   "The client closed %s, and the far end has not acknowledged it: %s in "
			   "FIN_WAIT1 %s until the kernel has repeated the FIN in vain "
			   "(tcp_orphan_retries, by default 8: a minute and a half, and more).%s",
			   say_number_of(e->a, e->closed, "connection", "connections"),
			   say_count(e->a, unheard), keep, say_gone(e));
}

static struct claim fin_wait_orphans(const struct evidence *e)
{
	struct holders h = evidence_holders(e);
	uint64_t unheard = unheard_of(e, &h);
	struct claim c = {.weight = claim_holds(e, h.fin_wait, &h)};

	if (is_unheard(e) && is_under_way(e))
		return no_claim;
	if (c.weight > 0 && is_unheard(e))
		c.why = say_unheard(e, unheard);
	else if (c.weight > 0)
		c.why = text_format(
			e->a, "The client closed %s, and the far end did not close its side: %s",
			say_number_of(e->a, e->closed, "connection", "connections"),
			say_heard(e, &h));
	if (c.weight > 0)
		c.why = text_format(e->a, TEXT_FMT "%s%s", TEXT_ARG(c.why), say_accepts(e),
				    say_owners(e, &deed_closed));
	return c;
}

static void advise_churn(struct finding *f, const struct evidence *e)
{
	int64_t life_ns = outlook_life_ns(e->plan, OUTLOOK_ELSEWHERE, *e->a);

	if (e->plan->forecast.buckets)
		life_ns = 0; /* TIME_WAIT ends early: no rate can be told */

	advice_spread(&f->attempt, e);
	advice_widen(&f->attempt, e, life_ns);
	advice_reuse(&f->attempt, e);
	advice_tuples(&f->attempt, e, life_ns);
	advice_add(&f->attempt,
		   TEXT("have the server close first: TIME_WAIT is then on its side, and holds "
			"none of the client's ports"));
	if (!reuse_is_set(e->plan) && !is_bound_first(e->plan))
		advice_add(&f->wont_help,
			   TEXT("net.ipv4.tcp_tw_reuse=2, the default: it reuses ports on "
				"loopback only"));
}

/* After so many times that a FIN was repeated in vain the kernel forgets it: as long as that takes if
 * the first was due after 0.2 s, and each next one after twice that (retransmits_timed_out(),
 * net/ipv4/tcp_timer.c). */
static int64_t orphan_time(int64_t retries)
{
	return retries < 20 ? ((INT64_C(2) << retries) - 1) * 200000000 : FOR_EVER;
}

static void advise_unheard(struct finding *f, const struct evidence *e)
{
	enum { FEW = 3, USUAL = 8 };
	int64_t retries = evidence_sysctl(e, "net.ipv4.tcp_orphan_retries", USUAL);

	advice_add(&f->attempt,
		   TEXT("look at the far end, and at what is between: a host that is down or a "
			"firewall that drops acknowledges no FIN"));
	if (retries <= 0)
		retries = USUAL;
	if (retries > FEW)
		advice_add_fmt(
			&f->attempt, e->a,
			"net.ipv4.tcp_orphan_retries=%d: FIN_WAIT1 is what it governs; a port "
			"comes back after some %s, in place of %s",
			FEW, say_time(e->a, orphan_time(FEW)),
			say_time(e->a, orphan_time(retries)));
	advice_add(&f->wont_help,
		   TEXT("net.ipv4.tcp_fin_timeout: it is about FIN_WAIT2, which comes after the "
			"acknowledgement that these wait for"));
}

static void advise_heard(struct finding *f, const struct evidence *e)
{
	double seconds = (double)life_fin_wait_ns(e->plan->scenario) / 1e9;

	advice_add(&f->attempt, TEXT("have the far end close when it reads the end of the stream"));
	if (seconds > 10)
		advice_add_fmt(
			&f->attempt, e->a,
			"net.ipv4.tcp_fin_timeout=10: FIN_WAIT2 is what it governs; ports come "
			"back %s sooner",
			say_times(e->a, seconds / 10));
}

static void advise_fin_wait(struct finding *f, const struct evidence *e)
{
	if (is_unheard(e))
		advise_unheard(f, e);
	else
		advise_heard(f, e);
	advice_add(&f->attempt, TEXT("keep connections open and reuse them: what is not closed "
				     "waits for nobody"));
	advice_widen(&f->attempt, e, 0);
	advice_tuples(&f->attempt, e, 0);
}

// clang-format off
const struct rule churn_rules[] = {
	{
		.cause = CAUSE_TIME_WAIT_CHURN,
		.claim = time_wait_churn,
		.advise = advise_churn,
		.seen = {MEASURE_TIME_WAIT_MAX, MEASURE_PORTS_USABLE, MEASURE_ESTABLISHED_MAX,
			 MEASURE_REUSE_RATIO, MEASURE_CONNECTS_CLOSED},
		.attempt = {
			"keep connections open and reuse them (keep-alive, a connection pool as large as the "
			"concurrency): a request then costs no port",
		},
		.in_vain = {
			FIN_TIMEOUT_IN_VAIN
			"; a kernel built with another TCP_TIMEWAIT_LEN is one of your own",
			"net.ipv4.tcp_tw_recycle: it broke clients behind NAT, and is gone since Linux 4.12",
			"SO_LINGER of 0 s, as a cure: its RST does free the port, and throws away what was not read or sent yet; "
			"for probes and load generators alone",
			"net.ipv4.tcp_max_tw_buckets lowered: it hides the churn, and takes away what TIME_WAIT is for",
			"bundles of sysctls (tcp_syncookies, somaxconn, rmem_max): none of them is about ports",
			"ulimit -n: a closed connection has no descriptor, but still its port",
			"restarting the client: TIME_WAIT outlives it",
		},
	},
	{
		.cause = CAUSE_FIN_WAIT_ORPHANS,
		.claim = fin_wait_orphans,
		.advise = advise_fin_wait,
		.seen = {MEASURE_FIN_WAIT2_MAX, MEASURE_TIME_WAIT_MAX, MEASURE_PORTS_USABLE},
		.in_vain = {
			"net.ipv4.tcp_tw_reuse: it reuses TIME_WAIT, never FIN_WAIT1 or FIN_WAIT2",
			"ulimit -n: a closed connection has no descriptor, but still its port",
		},
	},
	RULES_END,
};
// clang-format on
