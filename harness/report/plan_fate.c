#include "report/plan_say.h"

#include <math.h>

#include "plan/bind.h"
#include "plan/doubt.h"
#include "plan/due.h"
#include "plan/life.h"
#include "plan/part.h"
#include "plan/retry.h"
#include "plan/speed.h"
#include "plan/squat.h"
#include "plan/unanswered.h"
#include "plan/upstream.h"
#include "report/plan.h"

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

static bool lacks_descriptors(const struct plan *p)
{
	for (uint32_t i = 0; i < p->load_count; i++)
		if (doubt_descriptors(p, &p->loads[i]))
			return true;
	return false;
}

/* By the clock, and by what is open as long. */
static struct text say_descriptors(const struct plan *p, const struct outline *o, struct arena *a)
{
	const struct load_plan *lp = &p->loads[0];
	int64_t at = p->load_count == 1 ? doubt_descriptors_ns(p, lp) : FOR_EVER;

	if (at < FOR_EVER)
		return text_format(a,
				   "cannot be told: descriptors end first, after %s, at %s, and "
				   "socket() fails with EMFILE (load.nofile); whether ports end "
				   "later, what is closed decides",
				   say_number(a, lp->sockets_most, "connection"),
				   say_time(a, (double)lp->load->start + (double)at));
	if (p->load_count == 1 && o->rate > 0 && o->live_ns < FOR_EVER && !o->pooled &&
	    o->kept_share <= 0)
		return text_format(a,
				   "cannot be told: ports or descriptors (load.nofile) may end "
				   "first; by the clock %s of %s are open at once",
				   say_count(a, ceil(o->rate * (double)o->live_ns / 1e9)),
				   say_number(a, lp->sockets_most, "socket"));
	return TEXT("cannot be told: ports or descriptors (load.nofile) may end first");
}

static bool closes_race(const struct plan *p)
{
	return behaviour_does(p->scenario->server.behaviour, DOES_END) &&
	       load_ends(p->loads[0].load, END_CLOSE);
}

/* The reasons, each by those that are told first; empty: it is none of these. */

static struct text say_others_first(const struct plan *p, const struct outline *o, struct arena *a)
{
	if (plan_lacks_address(p))
		return p->scenario->network.dad
			       ? TEXT("cannot be told: until its address is tentative no more "
				      "(network.dad) a connection fails, and wants no port")
			       : TEXT("cannot be told: the client lacks the address, and how long "
				      "each connect() takes to fail decides");
	if (upstreams_are_clients(p))
		return TEXT("cannot be told: the far end's connections to itself take the "
			    "client's ports as fast as they can");
	if (squat_may_take_any(p))
		return TEXT("cannot be told: which of the ports that the load names the kernel "
			    "gives to squat decides");
	if (lacks_descriptors(p))
		return say_descriptors(p, o, a);
	if (doubt_backlog(p))
		return TEXT("cannot be told: a connect that finds the server's backlog full "
			    "(server.backlog) times out, and the machine's speed decides");
	return (struct text){0};
}

/* "; from 0.3 s on …": what changes meanwhile; empty: nothing does. */
static const char *say_change(const struct plan *p, struct arena *a)
{
	const struct scenario *s = p->scenario;

	if (s->server.vanish)
		return text_format(a,
				   "from %s on the server's host is gone, and each %s has its port "
				   "until it gives up (load.timeout)",
				   say_time(a, (double)s->server.vanish),
				   plan_speaks(p, PROTOCOL_TCP) ? "connect" : "request")
			.s;
	if (s->server.die && plan_speaks(p, PROTOCOL_UDP))
		return text_format(a,
				   "from %s on the server is dead: a request has its port until an "
				   "ICMP refuses it, and the kernel limits these "
				   "(net.ipv4.icmp_ratelimit), or until load.timeout",
				   say_time(a, (double)s->server.die))
			.s;
	return s->server.die ? text_format(a,
					   "from %s on the server is dead, and what it refuses "
					   "keeps no port",
					   say_time(a, (double)s->server.die))
				       .s
			     : "";
}

/* Of a load whose connections are reckoned by the clock, each by itself: then it is how late the machine is. */
static struct text say_clocked(const struct plan *p, struct arena *a)
{
	const struct load_plan *lp = &p->loads[0];
	uint64_t refused = lp->budget.kept.likely;
	const char *change = say_change(p, a), *what = "the ports suffice";

	if (p->load_count > 1 || !lp->budget.kept.by_clock)
		return (struct text){0};
	if (refused)
		what = text_format(a, "connection %s finds no port, at %s",
				   say_count(a, (double)refused + 1),
				   say_time(a, (double)due_when_ns(lp, refused)))
			       .s;
	return text_format(
		a,
		"cannot be told for sure: %s%sby the clock %s; how late the machine is, and its "
		"timers, decides",
		change, change[0] ? "; " : "", what);
}

static struct text say_drawn(const struct plan *p, const struct outline *o, struct arena *a)
{
	const char *change = say_change(p, a);
	bool is_summed = p->load_count > 1 && p->scenario->server.vanish == 0 &&
			 !plan_speaks(p, PROTOCOL_UDP);

	if (change[0] && !is_summed)
		return text_format(a, "cannot be told: %s", change);
	if (plan_mean_ns(p, o) > 0)
		return text_format(
			a,
			"cannot be told: how many ports are given back at once is drawn; "
			"at %s for each on average",
			say_time(a, plan_mean_ns(p, o)));
	return (struct text){0};
}

static struct text say_met(const struct plan *p)
{
	for (uint32_t i = 0; i < p->load_count; i++)
		if (p->loads[i].meets_itself)
			return TEXT("cannot be told: nobody listens, and a connection that meets "
				    "itself has its port for longer than one that is refused");
	return (struct text){0};
}

/* Of a load that is the only one. */
static struct text say_given_back(const struct plan *p, const struct outline *o)
{
	if (bind_may_repeat(p->scenario, p->loads[0].load))
		return TEXT("cannot be told: bind() may hand out a port that is in use, by chance "
			    "(net.ipv4.ip_autobind_reuse)");
	if (life_leaves_unread(p->scenario, p->loads[0].load))
		return TEXT("cannot be told: what the far end never reads keeps each FIN back, and "
			    "when "
			    "the kernel gives up such a connection decides "
			    "(net.ipv4.tcp_orphan_retries)");
	if (closes_race(p))
		return TEXT("cannot be told: both ends close at once, and TIME_WAIT is on either "
			    "side, as the machine has it");
	if (o->kept_share > 0 && o->kept_share < 1)
		return TEXT("cannot be told: some never give their port back, and whether the "
			    "others have left enough by then decides");
	return (struct text){0};
}

/* By the clock it has enough, by what a machine or its timers may be late it has not. */
static struct text say_late(const struct plan *p, const struct outline *o, struct arena *a)
{
	const struct forecast *f = &p->forecast;
	const struct shape *shape = &p->loads[0].shape;
	int64_t lasts = f->port_life_ns, timed = life_sum(lasts, f->late_ns);
	uint64_t ports = p->budget.capacity,
		 ends = (uint64_t)retry_tries(p->scenario, p->loads[0].load);

	if (o->rate <= 0 || o->pooled || lasts == FOR_EVER || ends > 1 ||
	    shape_most(shape, lasts) > ports || shape_most(shape, timed + SPEED_STALL_NS) <= ports)
		return (struct text){0};
	if (shape_most(shape, timed) <= ports)
		return TEXT("cannot be told for sure: by the clock the ports suffice; how late the "
			    "machine is decides");
	return text_format(a,
			   "cannot be told for sure: by the clock the ports suffice, but a timer "
			   "may be %s late: %s at once at most",
			   say_time(a, (double)f->late_ns),
			   say_number(a, shape_most(shape, timed), "port"));
}

/* By the clock, and by what connects take past half full; where ports come back before, neither is sure. */
static struct text say_slowed(const struct plan *p, const struct outline *o, struct arena *a)
{
	double half = (double)o->half * p->budget.spaces, first = (double)p->budget.first + 1,
	       slow_ns = o->half_at_ns + fmax(first - half, 0) * 1e9 / o->half_rate;

	return text_format(
		a,
		"more is wanted than there is: connection %s finds no port, at %s if all begin on "
		"schedule; from half full on only about %s can begin, and it is at %s, and %s",
		say_count(a, first), say_time(a, o->clock_ns), say_rate(a, o->half_rate),
		say_time(a, slow_ns),
		slow_ns < o->back_ns
			? text_format(a,
				      "on a slower machine perhaps never, since ports come back "
				      "from %s on",
				      say_time(a, o->back_ns))
				  .s
			: text_format(a, "ports come back from %s on: the machine's speed decides",
				      say_time(a, o->back_ns))
				  .s);
}

static struct text say_wanted_more(const struct plan *p, const struct outline *o, struct arena *a)
{
	if (!(o->wanted > (double)p->budget.capacity))
		return (struct text){0};
	if (p->loads[0].shape.burst)
		return text_format(
			a,
			"more is wanted than there is: %s at once, %s; unless the first give their "
			"ports back before the last begin: the machine's speed decides",
			say_number(a, (uint64_t)o->wanted, "connection"),
			say_number(a, p->budget.capacity, "port"));
	if (o->rate > o->half_rate_least && o->half_reached && p->forecast.port_life_ns != FOR_EVER)
		return say_slowed(p, o, a);
	return (struct text){0};
}

/* Or that the machine's speed decides. */
static struct text say_race(const struct plan *p)
{
	if (p->scenario->squat.start > 0)
		return TEXT("cannot be told: which ports squat finds free (squat.start) decides");
	if (speed_fills(p->scenario))
		return TEXT("cannot be told: connects hang where the server's backlog is full "
			    "(server.backlog, server.accept_every), and have their ports until "
			    "load.timeout: whether all ports are in use by then is too close");
	return TEXT("cannot be told: the machine's speed decides");
}

static struct text say_unknown(const struct plan *p, const struct outline *o, struct arena *a)
{
	struct text why = say_others_first(p, o, a);

	if (!why.len)
		why = plan_say_gateway_fate(p, o, a);
	if (!why.len && o->pooled && p->load_count == 1)
		return plan_say_opens(p, o, a);
	if (!why.len)
		why = say_clocked(p, a);
	if (!why.len)
		why = say_drawn(p, o, a);
	if (!why.len)
		why = say_met(p);
	if (!why.len && p->load_count > 1 && p->scenario->squat.start == 0)
		return plan_say_together(p, a);
	if (!why.len && p->load_count == 1)
		why = say_given_back(p, o);
	if (!why.len && p->load_count == 1)
		why = say_late(p, o, a);
	if (!why.len && p->load_count == 1)
		why = say_wanted_more(p, o, a);
	return why.len ? why : say_race(p);
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

static struct text say_no_failure(const struct plan *p, const struct outline *o, struct arena *a)
{
	const struct load_plan *first = &p->loads[0];
	struct text gateway = plan_say_gateway_fate(p, o, a);
	bool is_full = p->forecast.times_out_after || p->forecast.full_after;

	if (lacks_descriptors(p) && load_share(first->load, END_LEAK) >= 1 &&
	    doubt_is_steady(p, first))
		return text_format(a,
				   "the ports do not run out: descriptors end first, after %s, and "
				   "socket() fails with EMFILE",
				   say_number(a, first->sockets_most, "connection"));
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
	if (p->load_count == 1 && p->scenario->server.die && load_is_open(first->load) &&
	    o->begun > (double)p->budget.capacity)
		return text_format(a,
				   "the ports do not run out: the server dies at %s, when %s of %s "
				   "are in use at most; what it refuses from then on keeps no port",
				   say_time(a, (double)p->scenario->server.die),
				   say_count(a, (double)begun_by_death(p)),
				   say_number(a, p->budget.capacity, "port"));
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
	    p->forecast.life_least_ns < p->forecast.port_life_ns)
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

struct text plan_say_failure(const struct plan *p, const struct outline *o, struct arena *a)
{
	const char *stop = "";

	if (o->known && !o->exhausts)
		return say_no_failure(p, o, a);
	if (!o->known && !o->cut_short)
		return say_unknown(p, o, a);
	if (p->budget.capacity == 0 && p->load_count == 1)
		return TEXT("connection 1 finds no port: none is available");
	if (o->cut_short)
		stop = text_format(a, ", unless stop.time (%s) comes before",
				   say_time(a, (double)p->scenario->stop.time))
			       .s;
	return text_format(a, "%s finds no port%s%s; %s", say_which(o, a), say_when(p, o, a), stop,
			   say_after(p, o, a));
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
	if (o->pooled && !o->half_reached && p->load_count == 1 &&
	    pool_opens_most(&o->pool, o->requests) > (double)(o->half * p->budget.spaces))
		return TEXT("cannot be told: how many connections the pool opens decides");
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

/* Of loads that want nothing of each other's ports, each part that cannot be told. */
struct text plan_doubt(const struct plan *p, struct arena *a)
{
	struct part parts[PARTS_MOST];
	uint32_t count = parts_of(parts, p);
	struct text all = {0};

	for (uint32_t i = 0; i < count && !p->forecast.known; i++) {
		struct plan one = *p;
		struct outline o;

		if (count > 1)
			part_of(&one, p, parts[i], ARENA_ARRAY(a, struct load_plan, p->load_count));
		o = outline_of(&one);
		if (one.forecast.known)
			continue;
		all = text_format(a, TEXT_FMT "%s%s%s%s" TEXT_FMT, TEXT_ARG(all),
				  all.len ? "; " : "", count > 1 ? "of " : "",
				  count > 1 ? part_name(parts[i], p) : "", count > 1 ? ": " : "",
				  TEXT_ARG(say_unknown(&one, &o, a)));
	}
	return all;
}
