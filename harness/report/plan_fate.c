/* What becomes of the ports, where it can be told, and when connects get slow. */
#include "report/plan_say.h"

#include "plan/bind.h"
#include "plan/doubt.h"
#include "plan/speed.h"
#include "plan/unanswered.h"
#include "plan/upstream.h"

/* " = 32 / 200/s", where the clock alone says it; " = 5 s + 32 / 200/s", where the load begins later. */
static const char *say_clock(const struct plan *p, const struct outline *o, struct arena *a)
{
	const struct load *l = p->loads[0].load;
	bool is_steady = p->load_count == 1 && l->rate > 0 && l->ramp.count == 0 &&
			 o->after_least == o->after_most;

	const char *start =
		l->start ? text_format(a, "%s + ", say_time(a, (double)l->start)).s : "";

	return is_steady ? text_format(a, " = %s%s / %s", start, say_count(a, (double)o->after),
				       say_rate(a, l->rate))
				   .s
			 : "";
}

/* ", at 0.16 s"; by the clock, or by how fast the machine is. */
static const char *say_when(const struct plan *p, const struct outline *o, struct arena *a)
{
	const struct guess *at = &o->at_ns;
	bool by_clock = at->least >= at->likely * 0.9;

	if (at->likely <= 0)
		return "";
	if (!is_narrow(at))
		return text_format(a, ", at about %s (from %s to %s, as fast as the machine is)",
				   say_time(a, at->likely), say_time(a, at->least),
				   say_time(a, at->most))
			.s;
	return by_clock ? text_format(a, ", at %s%s", say_time(a, at->likely), say_clock(p, o, a)).s
			: text_format(a, ", within %s", say_time(a, at->most)).s;
}

/* "connection 33"; "connection 269 to 352", where it is not known exactly. */
static const char *say_which(const struct outline *o, struct arena *a)
{
	const char *least = say_count(a, (double)o->after_least + 1);

	if (o->after_least == o->after_most)
		return text_format(a, "connection %s", least).s;
	return text_format(a, "connection %s to %s", least, say_count(a, (double)o->after_most + 1))
		.s;
}

/* With SO_REUSEADDR no port is wanted for, but every connection must be another. */
static struct text say_repeats(const struct plan *p, const struct outline *o, struct arena *a)
{
	uint64_t most = p->budget.capacity;
	const char *which =
		is_kept(o)
			? text_format(a, "connection %s", say_count(a, (double)most + 1)).s
			: text_format(
				  a, "whatever is begun while %s open",
				  most == 1
					  ? "1 is"
					  : text_format(a, "%s are", say_count(a, (double)most)).s)
				  .s;

	return text_format(a,
			   "no port is wanted for; but %s would be one that exists, between the "
			   "same addresses and ports: EADDRNOTAVAIL",
			   which);
}

static struct text say_nowhere(const struct plan *p, struct arena *a)
{
	char z[ADDRESS_PRINTED];

	if (p->loads[0].unscoped)
		return TEXT(
			"the ports do not run out: the addresses are link-local, and load.scope "
			"is not their link: every bind() or connect() fails, with EINVAL "
			"where it is none");
	if (p->loads[0].ipv6_off)
		return TEXT("the ports do not run out: IPv6 is off "
			    "(net.ipv6.conf.all.disable_ipv6 is 1), and every bind() or connect() "
			    "fails with EADDRNOTAVAIL");
	return text_format(
		a,
		"the ports do not run out: the client does not have %s, and every bind() "
		"fails with EADDRNOTAVAIL",
		address_print(z, p->loads[0].sources.list[0]));
}

static uint64_t begun_by_death(const struct plan *p)
{
	const struct load_plan *lp = &p->loads[0];
	uint64_t due = shape_due(&lp->shape, p->scenario->server.die - lp->load->start);

	return lp->load->total && lp->load->total < due ? lp->load->total : due;
}

/* A service is quicker than what lastport has in one thread. */
static struct text say_too_slow(const struct plan *p, const struct outline *o, struct arena *a)
{
	bool is_at_once = o->clock_ns <= (double)plan_start(p); /* its clients are enough */
	const char *at = is_at_once ? "" : text_format(a, ", at %s", say_time(a, o->clock_ns)).s;

	return text_format(a,
			   "the ports do not run out, since from half full on %s of lastport's can "
			   "begin only about %s; %s connection %s would find none%s, "
			   "as it does for a client that connects on several cores",
			   say_number(a, p->loads[0].workers, "thread"), say_rate(a, o->half_rate),
			   is_at_once ? "if all began at once," : "on schedule",
			   say_count(a, (double)p->budget.first + 1), at);
}

/* When the ports are used up, if the load goes on, since the run began; 0: never. */
static double last_until_ns(const struct plan *p, const struct outline *o)
{
	return o->lasts_ns ? (double)(plan_start(p) + o->lasts_ns) : 0;
}

/* That the run is shorter than the ports last is no comfort. */
static struct text say_not_yet(const struct plan *p, const struct outline *o, struct arena *a)
{
	return text_format(a,
			   "the ports do not run out within these %s; if the load went on, they "
			   "would at %s",
			   say_time(a, o->begun_ns), say_time(a, last_until_ns(p, o)));
}

/* Each connect at a full backlog hangs, and has its port meanwhile. */
static struct text say_hangs(const struct plan *p, struct arena *a)
{
	const struct load_plan *lp = &p->loads[0];
	int64_t at = p->forecast.hangs_ns - unanswered_ns(p->scenario, lp->load);

	return text_format(a,
			   "the ports do not run out; but the server's backlog is full "
			   "(server.backlog) after %s, at %s: each connect then hangs until its "
			   "timeout (load.timeout), unless one is accepted meanwhile, and has its "
			   "port for as long",
			   say_number(a, shape_due(&lp->shape, at - 1), "connection"),
			   say_time(a, (double)(lp->load->start + at)));
}

/* Does the server die before the load has asked for as many as there are ports? */
static bool dies_in_time(const struct plan *p, const struct outline *o)
{
	return p->load_count == 1 && p->scenario->server.die && load_is_open(p->loads[0].load) &&
	       o->begun > (double)p->budget.capacity;
}

static struct text say_death(const struct plan *p, const struct outline *o, struct arena *a)
{
	return text_format(a,
			   "the ports do not run out: the server dies at %s, when %s of %s "
			   "are in use at most; what it refuses from then on keeps no port",
			   say_time(a, (double)p->scenario->server.die),
			   say_count(a, fmin((double)begun_by_death(p), (double)o->ports)),
			   say_number(a, p->budget.capacity, "port"));
}

static struct text say_no_failure(const struct plan *p, const struct outline *o, struct arena *a)
{
	const struct load_plan *first = &p->loads[0];
	struct text gateway = plan_say_gateway_fate(p, o, a);
	bool is_full = p->forecast.times_out_after || p->forecast.full_after;
	/* What a pool opens may serve all; and what hangs at a full backlog is not opened. */
	bool ends = (!o->pooled || pool_opens_least(&o->pool, o->requests) > first->sockets_most) &&
		    !doubt_backlog(p);

	if (p->load_count == 1 && doubt_any_descriptors(p))
		return text_format(a,
				   "the ports do not run out: descriptors %s first, after %s, and "
				   "socket() %s with EMFILE",
				   ends ? "end" : "may end",
				   say_number(a, first->sockets_most, "connection"),
				   ends ? "fails" : "then fails");
	if (plan_binds_nowhere(p))
		return say_nowhere(p, a);
	if (gateway.len && !is_full)
		return text_format(
			a, "the client's ports do not run out; whether the gateway's do " TEXT_FMT,
			TEXT_ARG(gateway));
	if (gateway.len)
		return text_format(a, TEXT_FMT "; the client's own ports do not run out",
				   TEXT_ARG(gateway));
	if (plan_repeats(p, o))
		return say_repeats(p, o, a);
	if (o->cut_short)
		return text_format(
			a,
			"the ports do not run out within this run (stop.time: %s); if it "
			"went on, %s would find none%s",
			say_time(a, (double)p->scenario->stop.time), say_which(o, a),
			say_when(p, o, a));
	if (dies_in_time(p, o))
		return say_death(p, o, a);
	if (o->too_slow)
		return say_too_slow(p, o, a);
	if (p->forecast.hangs_ns > 0)
		return say_hangs(p, a);
	return last_until_ns(p, o) > o->begun_ns ? say_not_yet(p, o, a)
						 : TEXT("the ports do not run out");
}

/* "9 of them are open then; the others hang, since the server's backlog is full" */
static const char *say_hanging(const struct plan *p, const struct outline *o, struct arena *a)
{
	const struct forecast *f = &p->forecast;
	const char *open = say_count(a, (double)f->after_least);

	if ((double)f->after_most >= f->refused.likely) /* some are open later */
		open = text_format(a, "%s at least", open).s;
	else if (f->after_least < f->after_most)
		open = text_format(a, "%s to %s", open, say_count(a, (double)f->after_most)).s;
	return text_format(
		       a,
		       "%s of those before it are open by then, and the others hang, since the "
		       "server's backlog is full (server.backlog); the first of these times out "
		       "%s later",
		       open, say_time(a, (double)o->recovery_ns))
		.s;
}

/* What becomes of the ports after the first refusal. */
static const char *say_after(const struct plan *p, const struct outline *o, struct arena *a)
{
	const char *since = p->load_count == 1
				    ? text_format(a, ": %s after it was taken",
						  say_time(a, (double)p->forecast.port_life_ns))
					      .s
				    : "";

	if (p->forecast.hangs_ns > 0)
		return say_hanging(p, o, a);
	if (o->recovery_ns == 0)
		return "other ports come back all the time";
	if (o->recovery_ns != FOR_EVER && p->load_count == 1 &&
	    p->forecast.life_least_ns < p->forecast.life_most_ns)
		return text_format(a, "the first port is free again within %s",
				   say_time(a, (double)o->recovery_ns))
			.s;
	if (o->recovery_ns != FOR_EVER)
		return text_format(a, "the first port is free again %s later%s",
				   say_time(a, (double)o->recovery_ns), since)
			.s;
	if (p->forecast.gone)
		return "the server's host has vanished, and each connect keeps its port until its "
		       "timeout";
	if (o->tries > 1)
		return "each connect hangs until its timeout, and is tried again";
	if (o->pooled)
		return "idle connections of the pool keep their ports";
	if (o->some_pooled)
		return "no port comes back, and idle connections of the pool keep their ports";
	return o->kept_share < 1 ? "connections that are never closed keep their ports, and the "
				   "others are too many for what is left"
				 : "no port comes back";
}

struct text plan_say_refusal(const struct plan *p, const struct outline *o, struct arena *a)
{
	const char *stop = "";

	if (p->budget.capacity == 0 && p->load_count == 1)
		return TEXT("connection 1 finds no port: none is available");
	if (o->cut_short)
		stop = text_format(a, ", unless stop.time (%s) comes before",
				   say_time(a, (double)p->scenario->stop.time))
			       .s;
	return text_format(a, "%s finds no port%s%s; %s", say_which(o, a), say_when(p, o, a), stop,
			   say_after(p, o, a));
}

struct text plan_say_failure(const struct plan *p, const struct outline *o, struct arena *a)
{
	if (o->known && !o->exhausts)
		return say_no_failure(p, o, a);
	return o->known ? plan_say_refusal(p, o, a) : plan_say_unknown(p, o, a);
}

/* " of web", where others get slow later, by more or less, or never: of several loads. */
static const char *say_whose(const struct plan *p, const struct outline *o, struct arena *a)
{
	bool alike = true;

	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct load_plan *lp = &p->loads[i];

		alike &= speed_half(lp->load, &lp->budget) == o->half &&
			 bind_takes_port(lp->bind) == bind_takes_port(o->half_of->bind);
	}
	return alike ? ""
		     : text_format(a, " of " TEXT_FMT, TEXT_ARG(plan_load_name(p, o->half_of))).s;
}

/* Who looks for the port passes over the half that is in use. */
struct text plan_say_half(const struct plan *p, const struct outline *o, struct arena *a)
{
	const char *when = "", *rate = "", *slower = "";
	double times = 1 + o->half_cost_ns.likely / SPEED_CONNECT_NS;

	if (o->half == 0)
		return TEXT("no connect gets slower");
	if (upstreams_are_clients(p))
		return TEXT("reached as soon as the far end has as many connections to itself");
	if (doubt_half(p, o))
		return plan_say_doubt(doubt_half(p, o), a);
	if (!o->half_reached || plan_binds_nowhere(p))
		return TEXT("not reached: no connect gets slower");
	if (o->rate > 0 || o->half_at_ns > 0)
		when = text_format(a, ", at %s", say_time(a, o->half_at_ns)).s;
	if (times >= 2)
		slower = text_format(a, ", %.0f times as long in all", times).s;
	if (o->rate > o->half_rate)
		rate = text_format(a, "; about %s can be begun then, not %s",
				   say_rate(a, o->half_rate), say_rate(a, o->rate))
			       .s;
	return text_format(a,
			   "from %s to a destination on%s: each %s%s then searches through as "
			   "many, about %s × %.0f ns = %s more%s%s",
			   say_number(a, o->half, "port"), when,
			   bind_takes_port(o->half_of->bind) ? "bind()" : "connect",
			   say_whose(p, o, a), say_count(a, (double)o->half),
			   o->half_cost_ns.likely / (double)o->half,
			   say_time(a, o->half_cost_ns.likely), slower, rate);
}
