/* Why it cannot be told whether the ports run out. */
#include "report/plan_say.h"

#include <math.h>

#include "base/order.h"
#include "plan/accept.h"
#include "plan/alone.h"
#include "plan/bind.h"
#include "plan/doubt.h"
#include "plan/due.h"
#include "plan/life.h"
#include "plan/linger.h"
#include "plan/part.h"
#include "plan/retry.h"
#include "plan/speed.h"
#include "plan/squat.h"
#include "plan/upstream.h"
#include "report/plan.h"

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
			    "gives to squat or load.ballast decides");
	if (doubt_any_descriptors(p))
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

/* A load that names what a server listens on, which is to die. */
static struct text say_restart(const struct plan *p, struct arena *a)
{
	for (uint32_t i = 0; i < p->load_count; i++) {
		const struct load_plan *lp = &p->loads[i];

		if (bind_names_port(lp->bind) && lp->budget.usable == 0 && p->scenario->server.die)
			return text_format(
				a,
				"cannot be told: the server listens on what " TEXT_FMT
				" names until it dies at %s (server.die), and whether bind() finds "
				"it free then decides: what the server has closed first waits "
				"there",
				TEXT_ARG(p->load_count > 1 ? plan_load_name(p, lp)
							   : TEXT("the load")),
				say_time(a, (double)p->scenario->server.die));
	}
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

static struct text say_both_close(const struct plan *p)
{
	for (uint32_t i = 0; i < p->load_count; i++) {
		struct scenario alone = alone_of(p->scenario, p->loads[i].load);

		if (life_races(&alone))
			return TEXT("cannot be told: both ends close at once, and TIME_WAIT is on "
				    "either side, as the machine has it");
	}
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
			    "when the kernel gives up such a connection decides "
			    "(net.ipv4.tcp_orphan_retries)");
	if (o->kept_share > 0 && o->kept_share < 1)
		return TEXT("cannot be told: some never give their port back, and whether the "
			    "others have left enough by then decides");
	return (struct text){0};
}

/* Where few sockets can wait, what is open, or is being closed, has the other ports. */
static struct text say_few_wait(const struct plan *p, const struct outline *o, struct arena *a)
{
	uint64_t few = p->forecast.buckets, ports = p->budget.capacity;
	const char *waiting =
		text_format(a, "no more than %s of %s can wait at once (tcp_max_tw_buckets)",
			    say_count(a, (double)few),
			    say_number(a, most(ports, p->budget.together), "port"))
			.s;
	double open = o->rate > 0 ? o->rate * (double)o->live_ns / 1e9 : o->under_way;

	if (few == 0 || o->pooled)
		return (struct text){0};
	if (p->load_count == 1 && p->budget.spaces == 1 && open < (double)(ports - few))
		return text_format(
			a,
			"cannot be told for sure: by the clock the ports suffice, since "
			"%s; how late the machine is, and how long a close takes, decides",
			waiting);
	return text_format(a,
			   "cannot be told: %s, and whether what is open has enough of the others "
			   "decides",
			   waiting);
}

/* Each answer its own (server.jitter), or until a timeout that is as close. */
static bool takes_its_time(const struct outline *o)
{
	return o->live_most_ns > o->live_ns;
}

/* By the clock it has enough, by what a machine or its timers may be late it has not. */
static struct text say_late(const struct plan *p, const struct outline *o, struct arena *a)
{
	const struct forecast *f = &p->forecast;
	const struct shape *shape = &p->loads[0].shape;
	int64_t lasts = f->port_life_ns, timed = life_sum(f->life_most_ns, f->late_ns);
	uint64_t ports = p->budget.capacity;

	if (o->rate <= 0 || o->pooled || lasts == FOR_EVER ||
	    retry_tries(p->scenario, p->loads[0].load) > 1 || shape_most(shape, lasts) > ports ||
	    shape_most(shape, timed + SPEED_STALL_NS) <= ports)
		return (struct text){0};
	if (takes_its_time(o))
		return TEXT("cannot be told for sure: by the clock, and on average, the ports "
			    "suffice; how long each answer takes, and how late the machine is, "
			    "decide");
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

/* Of any load. */
static struct text say_hangs(const struct plan *p, struct arena *a)
{
	for (uint32_t i = 0; i < p->load_count; i++)
		if (speed_fills(p->scenario, p->loads[i].load))
			return text_format(
				a,
				"cannot be told: connects hang where the server's backlog is full "
				"(server.backlog, server.accept_every), and have their ports until "
				"load.timeout%s",
				p->load_count > 1
					? ""
					: ": whether all ports are in use by then is too close");
	return (struct text){0};
}

/* Or that the machine's speed decides. */
static struct text say_race(const struct plan *p, const struct outline *o, struct arena *a)
{
	struct scenario alone = alone_of(p->scenario, p->loads[0].load);
	struct text hangs = say_hangs(p, a);

	if (p->scenario->squat.start > 0)
		return TEXT("cannot be told: which ports squat finds free (squat.start) decides");
	if (hangs.len)
		return hangs;
	if (p->load_count == 1 && p->loads[0].concurrency && linger_grows(&alone))
		return TEXT("cannot be told: clients go on before the server has ended their "
			    "connections, whose ports are in use until then: the machine's speed "
			    "decides");
	if (p->load_count == 1 && takes_its_time(o))
		return TEXT("cannot be told: how long each answer takes, and the machine's speed, "
			    "decide");
	return TEXT("cannot be told: the machine's speed decides");
}

/* As many are wanted as there are, or one less. */
static struct text say_missed(const struct plan *p, const struct outline *o)
{
	const struct budget sure = budget_surely(&p->budget, p->scenario, p->loads[0].load);

	if (o->begun <= (double)sure.capacity || o->begun > (double)p->budget.capacity)
		return (struct text){0};
	return p->scenario->sample.latency > 0
		       ? TEXT("cannot be told: nearly all ports are wanted, and a connect that is "
			      "timed (sample.latency) may have the last one")
		       : TEXT("cannot be told: nearly all ports are wanted, and of an odd range "
			      "connect() may miss one");
}

/* Of any load: more come than the server accepts. */
static struct text say_accepted(const struct plan *p)
{
	for (uint32_t i = 0; i < p->load_count; i++) {
		struct scenario alone = alone_of(p->scenario, p->loads[i].load);

		if (accept_wait_ns(&alone) > alone.server.accept_every && !alone.server.backlog)
			return TEXT("cannot be told: how soon the server accepts a connection "
				    "(server.accept_every) decides how long it has its port");
	}
	return (struct text){0};
}

struct text plan_say_unknown(const struct plan *p, const struct outline *o, struct arena *a)
{
	struct text why = say_others_first(p, o, a);

	if (!why.len)
		why = plan_say_gateway_fate(p, o, a);
	if (!why.len && o->pooled && p->load_count == 1)
		return plan_say_opens(p, o, a);
	if (!why.len)
		why = say_accepted(p);
	if (!why.len)
		why = say_restart(p, a);
	if (!why.len)
		why = say_clocked(p, a);
	if (!why.len)
		why = say_drawn(p, o, a);
	if (!why.len)
		why = say_met(p);
	if (!why.len)
		why = say_both_close(p);
	if (!why.len && p->load_count > 1)
		why = say_few_wait(p, o, a);
	if (!why.len && p->load_count > 1)
		why = say_hangs(p, a);
	if (!why.len && p->load_count > 1 && p->scenario->squat.start == 0)
		return plan_say_together(p, a);
	if (!why.len && p->load_count == 1)
		why = say_missed(p, o);
	if (!why.len && p->load_count == 1)
		why = say_given_back(p, o);
	if (!why.len && p->load_count == 1)
		why = say_few_wait(p, o, a);
	if (!why.len && p->load_count == 1)
		why = say_late(p, o, a);
	if (!why.len && p->load_count == 1)
		why = say_wanted_more(p, o, a);
	return why.len ? why : say_race(p, o, a);
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
				  TEXT_ARG(plan_say_unknown(&one, &o, a)));
	}
	return all;
}
