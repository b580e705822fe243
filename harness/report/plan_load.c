/* What a load does to its ports: how long it has one, how many it wants, what goes on for ever. */
#include "report/plan_say.h"

#include <math.h>
#include <string.h>

#include "plan/bind.h"
#include "plan/doubt.h"
#include "plan/life.h"
#include "plan/reuse.h"
#include "plan/speed.h"
#include "plan/together.h"
#include "plan/upstream.h"

/* The parts of a port's life, in brackets where there are two: "(2 s + 60 s)". */
static const char *say_parts(const struct plan *p, const struct outline *o, struct arena *a)
{
	double mean = outline_mean_ns(o, p);

	if (mean > 0)
		return text_format(a, "%s (the mean of load.mix)", say_time(a, mean)).s;
	if (o->live_ns == 0 || o->quiet_ns == 0)
		return say_time(a, (double)(o->live_ns + o->quiet_ns));
	return text_format(a, "(%s + %s)", say_time(a, (double)o->live_ns),
			   say_time(a, (double)o->quiet_ns))
		.s;
}

/* A port that a connect may have before TIME_WAIT is over: until one does, it is in use. */
static const char *say_reuse(const struct plan *p, struct arena *a)
{
	return life_may_wait_reused(p)
		       ? text_format(
				 a,
				 ", when tcp_tw_reuse lets a connect have it; until one does, it "
				 "is in use, for up to %s",
				 say_time(a, (double)p->scenario->network.time_wait))
				 .s
		       : "";
}

/* Where the next connect takes over what waits: but what is in FIN_WAIT1 it does not. */
static bool is_acknowledged(const struct plan *p)
{
	return p->forecast.quiet_ns == 0 && p->forecast.late_ns > 0;
}

static const char *say_free(const struct plan *p)
{
	return is_acknowledged(p) ? "the far end has acknowledged the close"
				  : "the connection is closed";
}

/* "0.7 s open", "up to 3 s open" of a far end that accepts slowly, "0.7 s open on average, 0.91 s at most": of answers that take their own time each. */
static const char *say_open(const struct plan *p, const struct outline *o, struct arena *a)
{
	const char *live = say_time(a, (double)o->live_ns);
	bool is_bound = isnan(p->forecast.rate) && p->scenario->server.accept_every > 0;

	if (o->live_most_ns == 0)
		return "";
	if (o->live_most_ns <= o->live_ns)
		return text_format(a, "%s%s open", is_bound ? "up to " : "", live).s;
	return text_format(a, "%s open on average (%s at most)", live,
			   say_time(a, (double)o->live_most_ns))
		.s;
}

struct text plan_say_life(const struct plan *p, const struct outline *o, struct arena *a)
{
	const char *live = say_open(p, o, a), *quiet = "", *own = "";
	const char *reuse = say_reuse(p, a);

	if (p->load_count > 1)
		return plan_say_each(p, plan_say_life, a);
	if (is_kept(o) && o->kept_share < 1)
		return text_format(a,
				   "%.3g %% of the connections never give their port back; the "
				   "others, after %s at most%s",
				   100 * o->kept_share, say_time(a, (double)o->others_ns), reuse);
	if (is_kept(o))
		return TEXT("a port is never given back");
	if (acceleration_of(p->scenario) > 1)
		own = text_format(a, "; network.time_wait makes TIME_WAIT %s instead of %s",
				  say_time(a, (double)p->scenario->network.time_wait),
				  say_time(a, (double)TIME_WAIT_NS))
			      .s;
	if (o->quiet_ns == 0)
		return text_format(
			a, "%s%sthe port is free as soon as %s%s%s", live,
			o->live_most_ns ? "; " : "", say_free(p),
			life_may_wait_reused(p)
				? "; until a connect takes it over, it waits, and is in use"
				: "",
			own);
	quiet = say_time(a, (double)o->quiet_ns);
	if (o->live_most_ns == 0)
		return text_format(a, "%s after the close%s%s", quiet, reuse, own);
	return text_format(a, "%s + %s after the close = %s%s%s", live, quiet,
			   say_time(a, (double)(o->live_ns + o->quiet_ns)), reuse, own);
}

/* Connections begun; of a closed loop nothing but the machine bounds them. */
const char *plan_say_begun(const struct outline *o, double begun, struct arena *a)
{
	const char *what = o->pooled ? "request" : "connection";

	if (!isfinite(begun))
		return text_format(a, "as many %ss as the machine can", what).s;
	if (o->some_pooled && !o->pooled)
		return text_format(a, "%s connections and requests", say_count(a, begun)).s;
	return text_format(a, "%s%s", say_number(a, (uint64_t)begun, what),
			   o->too_slow ? " if all begin on schedule, fewer on a slower machine"
				       : "")
		.s;
}

/* " × 4 tries", " / 4 tries": where each connect fails. */
static const char *say_tries(const struct outline *o, struct arena *a)
{
	return o->tries > 1 ? text_format(a, " × %u tries", o->tries).s : "";
}

static const char *say_per_try(const struct outline *o, struct arena *a)
{
	return o->tries > 1 ? text_format(a, " / %u tries", o->tries).s : "";
}

/* "190 for what is closed (100/s × 95 % × 2 s) + 100 for good (5 % of 2,000) = 290 ports at once by the
 * end" */
static struct text say_mixed(const struct plan *p, const struct outline *o, struct arena *a)
{
	double begun = o->mixed, share = 1 - o->kept_share;
	const char *closed = text_format(a, "%.3g %% of %s", 100 * share, say_count(a, begun)).s;

	if (o->closed < share * begun)
		closed = text_format(a, "%s × %.3g %% × %s%s", say_rate(a, o->rate), 100 * share,
				     say_time(a, o->closed / (o->rate * share) * 1e9),
				     o->closed < 0.99 * o->rate * share * (double)o->others_ns / 1e9
					     ? " on average"
					     : "")
				 .s;
	return text_format(
		a,
		"%s for what is closed (%s) + %s for good (%.3g %% of %s%s) = %s ports at "
		"once by the end; %s available",
		say_count(a, ceil(o->closed)), closed, say_count(a, ceil(o->kept)),
		100 * o->kept_share, say_count(a, begun),
		o->kept != o->kept_share * begun ? ", by this seed" : "",
		say_count(a, ceil(o->wanted)), say_count(a, (double)p->budget.capacity));
}

/* ", and 32 in use, since each waits until it is taken again" */
static const char *say_waiting(const struct outline *o, struct arena *a)
{
	if (o->waiting <= ceil(o->wanted))
		return "";
	return text_format(a, ", and %s in use, since each waits until it is taken again",
			   say_count(a, o->waiting))
		.s;
}

bool plan_repeats(const struct plan *p, const struct outline *o)
{
	const struct load *l = p->loads[0].load;
	double at_once = is_kept(o) ? o->asked : o->wanted;

	return p->load_count == 1 && bind_shares_port(l) && !bind_overshadows(l) &&
	       at_once > (double)p->budget.capacity;
}

/* "50/s × 0.1 s = 5 connections at once, of which 1 can be; …" */
static struct text say_repeated(const struct plan *p, const struct outline *o, struct arena *a)
{
	const char *asked = plan_say_begun(o, o->asked, a);

	if (!is_kept(o) && o->rate > 0)
		asked = text_format(a, "%s × %s = %s at once", say_rate(a, o->rate),
				    say_parts(p, o, a),
				    say_number(a, (uint64_t)ceil(o->wanted), "connection"))
				.s;
	else if (!is_kept(o))
		asked = text_format(a, "%s under way", say_count(a, o->under_way)).s;
	return text_format(a,
			   "%s, of which %s can be: the others would be between the same "
			   "addresses and ports, and connect() refuses them with EADDRNOTAVAIL",
			   asked, say_count(a, (double)p->budget.capacity));
}

/* Of connections that nobody closes. */
static struct text say_kept(const struct plan *p, const struct outline *o, struct arena *a)
{
	const char *begun = plan_say_begun(o, o->asked, a);
	const char *there = say_count(a, (double)together_capacity(p));

	if (o->kept_share < 1)
		return text_format(a, "%s, %.3g %% of them with a port for good; %s available",
				   begun, 100 * o->kept_share, there);
	return text_format(a, "%s, each with a port of its own; %s available", begun, there);
}

/* With what its rounding to three digits would take from the product that is told beside it: "470.5/s". */
static const char *say_asked(struct arena *a, double per_s)
{
	if (per_s >= 100 && per_s < 1000 && per_s != floor(per_s))
		return text_format(a, "%.1f/s", per_s).s;
	return say_rate(a, per_s);
}

static struct text say_by_rate(const struct plan *p, const struct outline *o, struct arena *a)
{
	const char *there = say_count(a, (double)together_capacity(p));
	double mean = outline_mean_ns(o, p);

	if (o->wanted <= 0 && p->load_count == 1 && speed_fills(p->scenario, p->loads[0].load))
		return text_format(
			a,
			"%s: each port is free at once, but where a connect finds the server's "
			"backlog full: after %s (load.timeout)",
			say_rate(a, o->rate), say_time(a, (double)p->loads[0].load->timeout));
	if (o->wanted <= 0)
		return text_format(a, "%s, and each port is free %s", say_rate(a, o->rate),
				   is_acknowledged(p) ? "when its close is acknowledged"
						      : "at once");
	if (p->load_count == 1 && p->loads[0].shape.burst)
		return text_format(a, "%s every %s × %s = %s at once; %s available",
				   say_number(a, p->loads[0].shape.burst, "connection"),
				   say_time(a, (double)p->loads[0].shape.every_ns),
				   say_parts(p, o, a),
				   say_number(a, (uint64_t)ceil(o->wanted), "port"), there);
	if (p->load_count == 1 && p->loads[0].load->ramp.count > 0 && mean <= 0)
		return text_format(a, "up to %s%s, %s each: %s at once at most; %s available",
				   say_rate(a, o->rate), say_tries(o, a), say_parts(p, o, a),
				   say_number(a, (uint64_t)ceil(o->wanted), "port"), there);
	return text_format(
		a, "%s%s × %s = %s at once%s; %s available", say_asked(a, o->rate), say_tries(o, a),
		say_parts(p, o, a),
		say_number(a, (uint64_t)ceil(mean > 0 ? o->rate * mean / 1e9 : o->wanted), "port"),
		say_waiting(o, a), there);
}

/* How many ports the load wants at once: Little's law, or what bounds a closed loop. */
static struct text say_wanted(const struct plan *p, const struct outline *o, struct arena *a)
{
	const char *there = say_count(a, (double)together_capacity(p));

	if (plan_binds_nowhere(p))
		return text_format(a, "%s, none of which has a port",
				   plan_say_begun(o, o->asked, a));
	if (o->pooled)
		return plan_say_pool(p, o, a);
	if (plan_repeats(p, o))
		return say_repeated(p, o, a);
	if (o->mixed > 0)
		return say_mixed(p, o, a);
	if (is_kept(o))
		return say_kept(p, o, a);
	if (!isfinite(o->wanted) && o->asked < (double)p->budget.capacity)
		return text_format(a, "%s, as fast as they come; %s available",
				   plan_say_begun(o, o->asked, a), there);
	if (!isfinite(o->wanted))
		return text_format(a,
				   "%s under way, as fast as they come: all of %s ports are wanted",
				   say_count(a, o->under_way), there);
	if (o->rate > 0)
		return say_by_rate(p, o, a);
	if (o->quiet_ns == 0)
		return text_format(a, "%s under way, a port each; %s available",
				   say_count(a, o->under_way), there);
	return text_format(a, "%s under way × %s / %s = %s ports at once%s; %s available",
			   say_count(a, o->under_way), say_parts(p, o, a),
			   say_time(a, (double)o->round_ns), say_count(a, ceil(o->wanted)),
			   say_waiting(o, a), there);
}

/* More than its threads begin: some machines are so quick, or none is. */
static const char *say_beyond(const struct plan *p, const struct outline *o, struct arena *a)
{
	uint32_t threads = plan_workers(p);
	double likely = threads / SPEED_CONNECT_NS * 1e9;
	double most = threads / speed_least_ns(p->loads[0].load) * 1e9;

	if (o->rate <= likely)
		return "";
	return text_format(a, "; but lastport can begin about %s in %s, and falls behind%s",
			   say_rate(a, likely), say_number(a, threads, "thread"),
			   o->rate > most ? " on any machine" : " unless the machine is faster")
		.s;
}

struct text plan_say_wanted(const struct plan *p, const struct outline *o, struct arena *a)
{
	struct text wanted =
		p->load_count > 1 ? plan_say_each(p, plan_say_wanted, a) : say_wanted(p, o, a);

	if (p->load_count > 1)
		return text_format(a, TEXT_FMT "%s", TEXT_ARG(wanted), plan_say_sum(p, a));

	return text_format(a, TEXT_FMT "%s", TEXT_ARG(wanted), say_beyond(p, o, a));
}

/* "; together, in the shares in which they are opened, 3.14/s": what the summary of a run has. */
static const char *say_rate_together(const struct plan *p, struct arena *a)
{
	const struct forecast *f = &p->forecast;

	if (!(f->rate > 0) || isinf(f->rate) || plan_rate(p) <= 0 || f->buckets > 0)
		return "";
	return text_format(a, "; together, in the shares in which they are opened, %s%s",
			   f->rate_is_least ? "at least " : "", say_sustained(a, f->rate))
		.s;
}

double plan_rate_sure(const struct plan *p, const struct outline *o)
{
	const struct forecast *f = &p->forecast;
	bool is_mean = outline_mean_ns(o, p) > 0, is_pooled = f->pool_ns > 0;
	bool is_less = isnan(f->rate) ? f->rate_sure > 0 : f->rate > 0 && f->rate_sure < f->rate;

	return p->load_count == 1 && !is_mean && !is_pooled && is_less ? f->rate_sure : 0;
}

/* What of a rate goes on for ever: the kernel's timers are late by up to a slot of their wheel. */
static const char *say_for_ever(const struct plan *p, const struct outline *o, struct arena *a)
{
	double sure = plan_rate_sure(p, o);

	if (p->scenario->network.choose == CHOOSE_SEED && p->budget.spaces > 1)
		return ", if each destination has as many: of drawn ones (network.choose) one is "
		       "full sooner";

	if (outline_mean_ns(o, p) > 0)
		return " on average";
	if (sure > 0 && o->live_most_ns - o->live_ns > p->forecast.late_ns)
		return text_format(a, " on average, %s for sure", say_sustained(a, sure)).s;
	/* What is late by less than the figures show is not late. */
	if (sure <= 0 || strcmp(say_sustained(a, sure), say_sustained(a, p->forecast.rate)) == 0)
		return " for ever";
	return text_format(a, " (%s for sure: %s may be %s late)", say_sustained(a, sure),
			   is_acknowledged(p) ? "the far end's ACK" : "a timer",
			   say_time(a, (double)p->forecast.late_ns))
		.s;
}

/* ", at least: …", where ports are free before their time. */
static const char *say_more(const struct plan *p, struct arena *a)
{
	uint64_t buckets = p->forecast.buckets;

	return buckets ? text_format(a,
				     ", at least: no more than %s can wait at once "
				     "(tcp_max_tw_buckets), and the other %s are for what is open",
				     say_count(a, (double)buckets),
				     say_count(a, (double)(p->budget.capacity - buckets)))
				 .s
		       : "";
}

struct text plan_say_rates(const struct plan *p, const struct outline *o, struct arena *a)
{
	const char *ports = say_number(a, p->budget.capacity, "port");

	if (p->load_count > 1)
		return text_format(a, TEXT_FMT "; each if it had the ports to itself%s",
				   TEXT_ARG(plan_say_each(p, plan_say_rates, a)),
				   say_rate_together(p, a));
	if (upstreams_are_clients(p))
		return TEXT("no rate: the far end's connections to itself take all ports");
	if (plan_binds_nowhere(p))
		return TEXT("no rate: nothing is opened");
	if (p->budget.capacity == 0)
		return TEXT("no rate: no port is available");
	if (outline_pool_has_rate(o, p))
		return plan_say_pool_rate(p, o, a);
	if (doubt_rate(p, o) == DOUBT_ACKNOWLEDGED)
		return text_format(a, "%s for sure; of more, %s",
				   say_sustained(a, plan_rate_sure(p, o)),
				   doubt_words(DOUBT_ACKNOWLEDGED));
	if (doubt_rate(p, o) == DOUBT_ACCEPTED)
		return TEXT("cannot be told: how soon the server accepts (server.accept_every) "
			    "decides");
	if (doubt_rate(p, o))
		return plan_say_doubt(doubt_rate(p, o), a);
	if (is_kept(o) && o->kept_share < 1)
		return text_format(a, "no rate: %.3g %% of what is opened keeps its port",
				   100 * o->kept_share);
	if (is_kept(o))
		return TEXT("no rate: what is opened keeps its port");
	if (!isfinite(p->forecast.rate))
		return TEXT("any rate");
	if (p->forecast.rate_is_least && p->forecast.rate >= p->forecast.gateway_rate)
		return plan_say_gateway_rate(p, a);
	if (p->forecast.rate_is_limit)
		return text_format(
			a, "%s at once (network.nat.limit) / %s = %s for ever",
			say_number(a, p->nat.carriage.at_once, "connection"),
			say_time(a, (double)p->nat.carriage.at_once / p->forecast.rate * 1e9),
			say_sustained(a, p->forecast.rate));
	return text_format(a, "%s%s / %s = %s%s%s", ports, say_per_try(o, a), say_parts(p, o, a),
			   say_sustained(a, p->forecast.rate), say_for_ever(p, o, a),
			   say_more(p, a));
}
