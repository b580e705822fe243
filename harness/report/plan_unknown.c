/* Why it cannot be told whether the ports run out, with its numbers: which reason it is, plan/doubt_why.c says. */
#include "report/plan_say.h"

#include <math.h>

#include "base/order.h"
#include "plan/doubt.h"
#include "plan/due.h"
#include "plan/part.h"
#include "report/plan.h"

static struct text say_descriptors_first(const struct plan *p, const struct outline *o,
					 struct arena *a)
{
	const struct load_plan *lp = doubt_load(p, DOUBT_DESCRIPTORS_FIRST);

	(void)o;
	return text_format(a,
			   "cannot be told: descriptors end first, after %s, at %s, and "
			   "socket() fails with EMFILE (load.nofile); whether ports end "
			   "later, what is closed decides",
			   say_number(a, lp->sockets_most, "connection"),
			   say_time(a, (double)(lp->load->start + doubt_descriptors_ns(p, lp))));
}

/* By the clock, what is open as long. */
static struct text say_descriptors(const struct plan *p, const struct outline *o, struct arena *a)
{
	bool is_told = p->load_count == 1 && o->rate > 0 && o->live_ns < FOR_EVER && !o->pooled &&
		       o->kept_share <= 0;

	return is_told ? text_format(a,
				     "cannot be told: ports or descriptors (load.nofile) may end "
				     "first; by the clock %s of %s are open at once",
				     say_count(a, ceil(o->rate * (double)o->live_ns / 1e9)),
				     say_number(a, p->loads[0].sockets_most, "socket"))
		       : plan_say_doubt(DOUBT_DESCRIPTORS, a);
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

/* Of a load whose connections are reckoned by the clock, each by itself. */
static struct text say_clocked(const struct plan *p, const struct outline *o, struct arena *a)
{
	const struct load_plan *lp = &p->loads[0];
	uint64_t refused = lp->budget.kept.likely;
	const char *change = say_change(p, a), *what = "the ports suffice";

	(void)o;
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

static struct text say_changing(const struct plan *p, const struct outline *o, struct arena *a)
{
	(void)o;
	return text_format(a, "cannot be told: %s", say_change(p, a));
}

static struct text say_drawn(const struct plan *p, const struct outline *o, struct arena *a)
{
	return text_format(a,
			   "cannot be told: how many ports are given back at once is drawn; "
			   "at %s for each on average",
			   say_time(a, outline_mean_ns(o, p)));
}

/* A load that names what a server listens on, which is to die. */
static struct text say_restart(const struct plan *p, const struct outline *o, struct arena *a)
{
	struct text name = plan_load_name(p, doubt_load(p, DOUBT_RESTART));

	(void)o;
	return text_format(a,
			   "cannot be told: the server listens on what " TEXT_FMT
			   " names until it dies at %s (server.die), and whether bind() finds "
			   "it free then decides: what the server has closed first waits "
			   "there",
			   TEXT_ARG(p->load_count > 1 ? name : TEXT("the load")),
			   say_time(a, (double)p->scenario->server.die));
}

/* What is open, or is being closed, has the other ports. */
static struct text say_few_wait(const struct plan *p, const struct outline *o, struct arena *a)
{
	uint64_t ports = most(p->budget.capacity, p->budget.together);
	const char *waiting =
		text_format(a, "no more than %s of %s can wait at once (tcp_max_tw_buckets)",
			    say_count(a, (double)p->forecast.buckets), say_number(a, ports, "port"))
			.s;

	if (doubt_of(p, o) == DOUBT_FEW_WAIT_LATE)
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

static struct text say_late(const struct plan *p, const struct outline *o, struct arena *a)
{
	return text_format(a, "cannot be told for sure: %s", doubt_words(doubt_of(p, o)));
}

static struct text say_timer_late(const struct plan *p, const struct outline *o, struct arena *a)
{
	const struct forecast *f = &p->forecast;
	uint64_t ports = shape_most(&p->loads[0].shape, life_sum(f->life_most_ns, f->late_ns));

	(void)o;
	return text_format(a,
			   "cannot be told for sure: by the clock the ports suffice, but a timer "
			   "may be %s late: %s at once at most",
			   say_time(a, (double)f->late_ns), say_number(a, ports, "port"));
}

static struct text say_burst(const struct plan *p, const struct outline *o, struct arena *a)
{
	return text_format(
		a,
		"more is wanted than there is: %s at once, %s; unless the first give their "
		"ports back before the last begin: the machine's speed decides",
		say_number(a, (uint64_t)o->wanted, "connection"),
		say_number(a, p->budget.capacity, "port"));
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

static struct text say_hangs(const struct plan *p, const struct outline *o, struct arena *a)
{
	(void)o;
	return text_format(
		a, "cannot be told: %s%s", doubt_words(DOUBT_HANGS),
		p->load_count > 1 ? "" : ": whether all ports are in use by then is too close");
}

/* A reason that is not here has the words of words/doubts.def. */
// clang-format off
static struct text (*const sayings[DOUBTS])(const struct plan *, const struct outline *,
					    struct arena *) = {
	[DOUBT_STOP_TIME] = plan_say_refusal,
	[DOUBT_DESCRIPTORS_FIRST] = say_descriptors_first,
	[DOUBT_DESCRIPTORS] = say_descriptors,
	[DOUBT_GATEWAY_FIRST] = plan_say_gateway_fate,
	[DOUBT_GATEWAY_FULL] = plan_say_gateway_fate,
	[DOUBT_GATEWAY_STALL] = plan_say_gateway_fate,
	[DOUBT_GATEWAY_WANTED] = plan_say_gateway_fate,
	[DOUBT_GATEWAY_RATE] = plan_say_gateway_fate,
	[DOUBT_GATEWAY_POOLS] = plan_say_gateway_fate,
	[DOUBT_GATEWAY_LIMIT] = plan_say_gateway_fate,
	[DOUBT_GATEWAY_KEEPS] = plan_say_gateway_fate,
	[DOUBT_POOL] = plan_say_opens,
	[DOUBT_POOL_WANTED] = plan_say_opens,
	[DOUBT_RESTART] = say_restart,
	[DOUBT_CLOCK] = say_clocked,
	[DOUBT_VANISHES] = say_changing,
	[DOUBT_DIES] = say_changing,
	[DOUBT_DRAWN] = say_drawn,
	[DOUBT_FEW_WAIT] = say_few_wait,
	[DOUBT_FEW_WAIT_LATE] = say_few_wait,
	[DOUBT_TOGETHER] = plan_say_together,
	[DOUBT_ANSWERS_LATE] = say_late,
	[DOUBT_LATE] = say_late,
	[DOUBT_TIMER_LATE] = say_timer_late,
	[DOUBT_BURST] = say_burst,
	[DOUBT_SLOWED] = say_slowed,
	[DOUBT_HANGS] = say_hangs,
};
// clang-format on

struct text plan_say_doubt(enum doubt why, struct arena *a)
{
	return text_format(a, "cannot be told: %s", doubt_words(why));
}

struct text plan_say_unknown(const struct plan *p, const struct outline *o, struct arena *a)
{
	enum doubt why = doubt_of(p, o);

	return sayings[why] ? sayings[why](p, o, a) : plan_say_doubt(why, a);
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
