#include "judge/cause.h"

#include <errno.h>

#include "judge/claim.h"
#include "judge/outlook.h"

/* What a cause must hold of the ports in the fullest dump to be named beside others. */
static const double share_least = 1 / 8.;

/* What share of all that hold ports the live connections must be, or of the capacity those that
 * the load keeps open, to be a want of ports of their own. */
static const double share_saturating = 0.9;

/* What holds ports: the client's sockets by the reason for which they are there. */
struct holders {
	uint64_t leaked, inherited, live, time_wait, fin_wait, unanswered;
	uint64_t all; /* with what others hold */
};

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t error_count(const struct evidence *e, enum stage stage, int error)
{
	return e->tape->tally.errors[stage][error];
}

/* By the fullest dump; where there is none, by the books. */
static struct holders holders_of(const struct evidence *e)
{
	const struct tally *t = &e->tape->tally;
	struct holders h = {.leaked = t->leaked,
			    .inherited = t->inherited,
			    .live = t->open,
			    .time_wait = t->closed};

	if (e->full) {
		const uint64_t *n = e->full->states;
		uint64_t open = n[STATE_ESTABLISHED] + n[STATE_SYN_RECV] + n[STATE_CLOSE_WAIT];

		h.leaked = least(t->leaked, open);
		h.inherited = least(t->inherited, open - h.leaked);
		h.live = open - h.leaked - h.inherited;
		h.time_wait = n[STATE_TIME_WAIT] + n[STATE_CLOSING] + n[STATE_LAST_ACK];
		h.fin_wait = n[STATE_FIN_WAIT1] + n[STATE_FIN_WAIT2];
		h.unanswered = n[STATE_SYN_SENT];
	}
	h.all = h.leaked + h.inherited + h.live + h.time_wait + h.fin_wait + h.unanswered +
		(uint64_t)e->plan->budget.spaces *
			(e->plan->squat.listening + e->plan->squat.bound);
	/* Some are always just being opened. */
	if ((double)h.unanswered < share_least * (double)h.all) {
		h.live += h.unanswered;
		h.unanswered = 0;
	}
	return h;
}

double claim_explains(const struct evidence *e, uint64_t held, uint64_t all)
{
	double share = all ? (double)held / (double)all : 0;

	if (!e->tape->exhausted || share < share_least)
		return 0;
	return share * (double)(e->wanted ? e->wanted : 1);
}

const char *say_towards(const struct evidence *e)
{
	const struct plan *p = e->plan;
	const char *to = "to one destination";

	if (p->destinations > 1 && p->budget.spaces < p->budget.pairs)
		to = "to all destinations together";
	else if (p->destinations > 1)
		to = text_format(
			     e->a, "to %s %s",
			     p->budget.spaces < p->budget.pairs ? "all" : "each of",
			     say_number_of(e->a, p->destinations, "destination", "destinations"))
			     .s;
	if (p->sources.count > 1)
		to = text_format(e->a, "%s, from each of %s", to,
				 say_number_of(e->a, p->sources.count, "address", "addresses"))
			     .s;
	return to;
}

const char *say_ports(const struct evidence *e)
{
	return say_number_of(e->a, e->plan->budget.usable, "port", "ports");
}

static struct claim leak(const struct evidence *e)
{
	const struct tally *t = &e->tape->tally;
	struct holders h = holders_of(e);
	struct claim c = {.weight = claim_explains(e, h.leaked, h.all)};
	const char *never = "none of them was closed";

	if (c.weight == 0)
		return c;
	if (t->leaked < t->opened)
		never = text_format(e->a, "%s of them never closed", say_count(e->a, t->leaked)).s;
	else if (t->opened == 1)
		never = "was not closed";
	c.why = text_format(
		e->a,
		"%s %s opened, and %s. Each keeps its port until it is closed or its program ends: "
		"the %s %s %s used up for good.",
		say_number_of(e->a, t->opened, "connection", "connections"),
		say_either(t->opened, "was", "were"), never, say_ports(e), say_towards(e),
		say_either(e->plan->budget.usable, "is", "are"));
	return c;
}

static struct claim inherited_fd(const struct evidence *e)
{
	const struct tally *t = &e->tape->tally;
	struct holders h = holders_of(e);
	struct claim c = {.weight = claim_explains(e, h.inherited, h.all)};

	if (c.weight == 0)
		return c;
	c.why = text_format(
		e->a,
		"The client closed %s whose descriptor another process had as well. So no FIN was "
		"sent, the far end knows of nothing, and each keeps its port until that process "
		"closes it or ends: the %s %s %s used up until then.",
		say_number_of(e->a, t->inherited, "connection", "connections"), say_ports(e),
		say_towards(e), say_either(e->plan->budget.usable, "is", "are"));
	return c;
}

/* "this load asks for 200/s", or what it was seen to do. */
static const char *say_demand(const struct evidence *e)
{
	double asked = plan_rate(e->plan);
	const struct value *seen = &e->measures->fixed[MEASURE_CONNECTS_RATE];

	if (asked > 0 && e->plan->load_count == 1)
		return text_format(e->a, "; this load asks for %s", say_rate(e->a, asked)).s;
	if (seen->present)
		return text_format(e->a, "; this load opened %s", say_rate(e->a, seen->n)).s;
	return "";
}

/* How many were closed when those that wait were counted. */
static uint64_t closed_by_then(const struct evidence *e)
{
	uint64_t closed = e->tape->tally.closed;

	if (e->full && e->full->opened > e->full->open)
		return least(closed, e->full->opened - e->full->open);
	return closed;
}

/* Who waits: not all that were closed are in TIME_WAIT, for the far end may have closed first. */
static const char *say_waiting(const struct evidence *e, uint64_t waiting)
{
	uint64_t closed = closed_by_then(e);
	const char *time = say_time(e->a, quiet_time(e->plan));
	struct text life;

	if (is_reused(e->plan))
		life = text_format(e->a, "%s can be taken again after %s",
				   say_either(waiting, "its port", "the port of each"), time);
	else
		life = text_format(e->a, "%s port for %s more",
				   say_either(waiting, "it keeps its", "each keeps its"), time);
	if (closed <= waiting)
		return text_format(e->a, "The client closed %s, and " TEXT_FMT " (TIME_WAIT).",
				   say_number_of(e->a, waiting, "connection", "connections"),
				   TEXT_ARG(life))
			.s;
	return text_format(e->a, "Of %s closed connections %s %s in TIME_WAIT, and " TEXT_FMT ".",
			   say_count(e->a, closed), say_count(e->a, waiting),
			   say_either(waiting, "is", "are"), TEXT_ARG(life))
		.s;
}

/* "32 ports / 60 s = 0.533/s is all that can go on for ever to one destination; this load …" */
static const char *say_bound(const struct evidence *e)
{
	const struct budget *b = &e->plan->budget;
	int64_t live_ns = live_time(e->plan), quiet_ns = quiet_time(e->plan);
	double each = (double)b->usable * 1e9 / (double)(live_ns + quiet_ns);
	const char *life = say_time(e->a, quiet_ns), *all = "";

	if (outlook_buckets(e->plan))
		return text_format(e->a, "No more than %s wait (tcp_max_tw_buckets).",
				   say_count(e->a, outlook_buckets(e->plan)))
			.s;
	if (live_ns > 0)
		life = text_format(e->a, "(%s open + %s)", say_time(e->a, live_ns), life).s;
	if (b->spaces > 1)
		all = text_format(e->a, ", %s in all", say_rate(e->a, each * b->spaces)).s;
	return text_format(e->a, "%s / %s = %s is all that can go on for ever %s%s%s.",
			   say_ports(e), life, say_rate(e->a, each), say_towards(e), all,
			   say_demand(e))
		.s;
}

/* What is said here of TIME_WAIT is not so outside of this run. */
static const char *say_own_time(const struct evidence *e)
{
	int64_t lasts_ns = e->plan->scenario->network.time_wait;

	if (lasts_ns >= TIME_WAIT_NS)
		return "";
	return text_format(e->a, " network.time_wait made it %s here: outside it is %s.",
			   say_time(e->a, lasts_ns), say_time(e->a, TIME_WAIT_NS))
		.s;
}

static struct claim time_wait_churn(const struct evidence *e)
{
	struct holders h = holders_of(e);
	struct claim c = {.weight = claim_explains(e, h.time_wait, h.all)};

	if (c.weight > 0)
		c.why = text_format(e->a, "%s %s%s", say_waiting(e, h.time_wait), say_bound(e),
				    say_own_time(e));
	return c;
}

static struct claim fin_wait_orphans(const struct evidence *e)
{
	struct holders h = holders_of(e);
	struct claim c = {.weight = claim_explains(e, h.fin_wait, h.all)};
	int64_t seconds =
		setting_number(&e->plan->scenario->network.sysctl, "net.ipv4.tcp_fin_timeout", 60);

	if (c.weight > 0)
		c.why = text_format(
			e->a,
			"The client closed %s, and the far end did not close its side: %s in "
			"FIN_WAIT2 %s for up to %s s (tcp_fin_timeout).",
			say_number_of(e->a, e->tape->tally.closed, "connection", "connections"),
			say_count(e->a, h.fin_wait),
			say_either(h.fin_wait, "keeps its port", "keep their ports"),
			say_count(e->a, seconds < 0 ? 0 : (uint64_t)seconds));
	return c;
}

static struct claim blackhole(const struct evidence *e)
{
	struct holders h = holders_of(e);
	struct claim c = {.weight = claim_explains(e, h.unanswered, h.all)};

	if (c.weight > 0)
		c.why = text_format(
			e->a,
			"%s no answer yet, and %s port until it gives up (SYN_SENT), here "
			"after %s. There %s %s %s.",
			say_number_of(e->a, h.unanswered, "connect had", "connects had"),
			say_either(h.unanswered, "keeps its", "each keeps its"),
			say_time(e->a, e->plan->loads[0].load->timeout),
			say_either(e->plan->budget.usable, "is", "are"), say_ports(e),
			say_towards(e));
	return c;
}

/* Of a load, by what it asks for. */
static double at_once_of(const struct load_plan *lp)
{
	if (load_is_open(lp->load))
		return shape_rate(&lp->shape) * (double)lp->load->hold / 1e9;
	return lp->concurrency;
}

/* Do live connections by themselves want all there is? Those that wait or were leaked are other
 * causes, and would be there without these. */
static bool is_saturated(const struct evidence *e, const struct holders *h)
{
	double at_once = 0;

	for (uint32_t i = 0; i < e->plan->load_count; i++)
		at_once += at_once_of(&e->plan->loads[i]);

	return (double)h->live >= share_saturating * (double)h->all ||
	       at_once >= share_saturating * (double)e->plan->budget.capacity;
}

/* Is any other kind of holder a cause by itself? Where none is, live connections are. */
static bool has_other_cause(const struct evidence *e, const struct holders *h)
{
	return claim_explains(e, h->leaked, h->all) > 0 ||
	       claim_explains(e, h->inherited, h->all) > 0 ||
	       claim_explains(e, h->time_wait, h->all) > 0 ||
	       claim_explains(e, h->fin_wait, h->all) > 0 ||
	       claim_explains(e, h->unanswered, h->all) > 0;
}

static struct claim live_saturation(const struct evidence *e)
{
	struct holders h = holders_of(e);
	struct claim c = {.weight = claim_explains(e, h.live, h.all)};
	double rate = plan_rate(e->plan);
	int64_t hold_ns = e->plan->load_count == 1 ? e->plan->loads[0].load->hold : 0;
	const char *law = "";

	if (c.weight == 0 || (!is_saturated(e, &h) && has_other_cause(e, &h)))
		return (struct claim){0};
	if (rate > 0 && hold_ns > 0)
		law = text_format(e->a, " %s, each held for %s, come to %s at once.",
				  say_rate(e->a, rate), say_time(e->a, hold_ns),
				  say_number_of(e->a,
						(uint64_t)(rate * (double)hold_ns / 1e9 + 0.5),
						"connection", "connections"))
			      .s;
	c.why = text_format(
		e->a,
		"%s %s in use at once, and there %s %s %s. %s %s in TIME_WAIT: the ports are held "
		"by live connections.%s",
		say_number_of(e->a, h.live, "connection", "connections"),
		say_either(h.live, "was", "were"), say_either(e->plan->budget.usable, "is", "are"),
		say_ports(e), say_towards(e), h.time_wait ? say_count(e->a, h.time_wait) : "None",
		say_either(h.time_wait ? h.time_wait : 1, "is", "are"), law);
	return c;
}

/* How a look-alike begins. */
static const char *say_not_ports(const struct evidence *e)
{
	return e->tape->exhausted ? "These failures are not for want of a port"
				  : "This is not port exhaustion";
}

/* ", with 20 of 32 ports in use" */
static const char *say_room(const struct evidence *e)
{
	if (!e->full || e->tape->exhausted)
		return "";
	return text_format(e->a, ", with at most %s of %s in use %s",
			   say_count(e->a, e->full->used_max), say_ports(e), say_towards(e))
		.s;
}

static struct claim look_alike(const struct evidence *e, enum stage stage, int error,
			       const char *what)
{
	uint64_t n = error_count(e, stage, error);
	struct claim c = {.weight = (double)n};

	if (n > 0)
		c.why = text_format(e->a, "%s: %s failed %s with %s (%s)%s. %s", say_not_ports(e),
				    stage_call(stage), say_number_of(e->a, n, "time", "times"),
				    errno_name(error), errno_words(error), say_room(e), what);
	return c;
}

static struct claim fd_limit(const struct evidence *e)
{
	struct claim own =
		look_alike(e, STAGE_SOCKET, EMFILE, "This process may have no more descriptors.");
	struct claim all =
		look_alike(e, STAGE_SOCKET, ENFILE, "The host may have no more open files.");
	struct claim c = own.weight >= all.weight ? own : all;

	c.weight = own.weight + all.weight;
	return c;
}

static struct claim refused(const struct evidence *e)
{
	return look_alike(
		e, STAGE_CONNECT, ECONNREFUSED,
		"The far end answered with a RST: nothing listens at that address and port.");
}

/* " The server's backlog was full: 14 times it dropped …"; empty if it was not. */
static const char *say_drops(const struct evidence *e)
{
	uint64_t n = (uint64_t)e->measures->fixed[MEASURE_SERVER_DROPPED].n;

	if (n == 0)
		return "";
	return text_format(e->a,
			   " The server's backlog was full: %s it dropped what it was to answer "
			   "(ListenDrops).",
			   say_number_of(e->a, n, "time", "times"))
		.s;
}

static double measured(const struct evidence *e, enum measure what)
{
	const struct value *v = &e->measures->fixed[what];

	return v->present ? v->n : 0;
}

static bool lacks_ports(const struct evidence *e)
{
	return e->plan->nat.outside.count && measured(e, MEASURE_NAT_INSERT_FAILED) > 0;
}

/* The rule that limits them drops by itself; of a table that is full the kernel counts it. */
static bool tracks_no_more(const struct evidence *e)
{
	uint64_t limit = e->plan->scenario->network.nat.limit;
	bool at_limit = limit && measured(e, MEASURE_NAT_ENTRIES_MAX) >= (double)limit;

	return e->plan->nat.outside.count &&
	       (at_limit || measured(e, MEASURE_NAT_DROP) > measured(e, MEASURE_NAT_INSERT_FAILED));
}

/* "64 ports to one destination (2000-2031 of 2 addresses)" */
static const char *say_gateway_ports(const struct evidence *e)
{
	const struct plan *p = e->plan;
	struct port_range range = p->scenario->network.nat.ports;
	const char *of = "", *to = "one destination";

	if (p->nat.outside.count > 1)
		of = text_format(e->a, " of %u addresses", p->nat.outside.count).s;
	if (p->destinations > 1)
		to = text_format(e->a, "each of %u destinations", p->destinations).s;
	return text_format(e->a, "%s to %s (%u-%u%s)",
			   say_number_of(e->a, p->nat.carriage.each, "port", "ports"), to, range.lo,
			   range.hi, of)
		.s;
}

/* What goes on for ever for sure; nothing does where nobody closes. */
static const char *say_gateway_rate(const struct evidence *e)
{
	double rate = e->plan->forecast.rate;

	if (e->plan->forecast.quiet_ns == FOR_EVER || !(rate > 0))
		return "";
	return text_format(e->a,
			   " A closed connection can keep its port there for 120 s "
			   "(nf_conntrack_tcp_timeout_time_wait): no more than %s is sure to go "
			   "on for ever%s.",
			   say_rate(e->a, rate), say_demand(e))
		.s;
}

static struct claim linux_snat(const struct evidence *e)
{
	const char *dropped = say_number_of(e->a, (uint64_t)measured(e, MEASURE_NAT_INSERT_FAILED),
					    "SYN", "SYNs");

	if (!lacks_ports(e))
		return (struct claim){0};
	return look_alike(e, STAGE_CONNECT, ETIMEDOUT,
			  text_format(e->a,
				      "The gateway has %s, and %s: it dropped %s without a word "
				      "(conntrack's insert_failed, and drop with it).%s",
				      say_gateway_ports(e),
				      text_format(e->a, "tracked up to %s",
						  say_number_of(e->a,
								(uint64_t)measured(
									e, MEASURE_NAT_ENTRIES_MAX),
								"connection", "connections"))
					      .s,
				      dropped, say_gateway_rate(e))
				  .s);
}

static struct claim conntrack_full(const struct evidence *e)
{
	uint64_t limit = e->plan->scenario->network.nat.limit;
	const char *bound = "nf_conntrack_max";

	if (!tracks_no_more(e))
		return (struct claim){0};
	if (limit)
		bound = text_format(e->a, "here %s by network.nat.limit, else nf_conntrack_max",
				    say_count(e->a, limit))
				.s;
	return look_alike(
		e, STAGE_CONNECT, ETIMEDOUT,
		text_format(e->a,
			    "The gateway tracked %s, and may track no more (%s): it drops "
			    "a SYN beyond that without a word, whatever its destination. "
			    "It has %s.",
			    say_number_of(e->a, (uint64_t)measured(e, MEASURE_NAT_ENTRIES_MAX),
					  "connection", "connections"),
			    bound, say_gateway_ports(e))
			.s);
}

/* Where a gateway says that it dropped them it is no riddle any more; where those that wait for an
 * answer are what holds the ports, that is said already. */
static struct claim timed_out(const struct evidence *e)
{
	struct holders h = holders_of(e);

	if (lacks_ports(e) || tracks_no_more(e) || claim_explains(e, h.unanswered, h.all) > 0)
		return (struct claim){0};
	return look_alike(e, STAGE_CONNECT, ETIMEDOUT,
			  text_format(e->a, "Each had its port, and no answer within %s.%s",
				      say_time(e->a, e->plan->loads[0].load->timeout), say_drops(e))
				  .s);
}

static bool has_event(const struct tape *tape, enum event_kind kind)
{
	for (size_t i = 0; i < tape->event_count; i++)
		if (tape->events[i].kind == kind)
			return true;
	return false;
}

static struct claim address_not_local(const struct evidence *e)
{
	static const char *const lesson =
		"EADDRNOTAVAIL has two meanings: here the source address is not on this "
		"host, or not yet usable.";
	struct claim bound = look_alike(e, STAGE_BIND, EADDRNOTAVAIL, lesson);

	if (bound.weight > 0 || e->tape->exhausted || !has_event(e->tape, EVENT_NO_ADDRESS))
		return bound;
	return look_alike(e, STAGE_CONNECT, EADDRNOTAVAIL, lesson);
}

static struct claim self_connect(const struct evidence *e)
{
	uint64_t n = e->tape->tally.self_connects;
	struct claim c = {.weight = (double)n};

	if (n > 0)
		c.why = text_format(
			e->a,
			"%s: nobody listened at the destination, its port is one of the client's "
			"own range, and connect() took just that one. TCP then opens at both ends "
			"at once (RFC 9293, 3.5), which are one: the client talks to itself, and "
			"the server cannot start, since its port is taken (EADDRINUSE).",
			say_number_of(e->a, n, "connection has itself as its peer",
				      "connections have themselves as their peers"));
	return c;
}

static struct claim (*const rules[CAUSES])(const struct evidence *) = {
	[CAUSE_LEAK] = leak,
	[CAUSE_INHERITED_FD] = inherited_fd,
	[CAUSE_TIME_WAIT_CHURN] = time_wait_churn,
	[CAUSE_FIN_WAIT_ORPHANS] = fin_wait_orphans,
	[CAUSE_BLACKHOLE] = blackhole,
	[CAUSE_LIVE_SATURATION] = live_saturation,
	[CAUSE_FD_LIMIT] = fd_limit,
	[CAUSE_REFUSED] = refused,
	[CAUSE_LINUX_SNAT] = linux_snat,
	[CAUSE_CONNTRACK_FULL] = conntrack_full,
	[CAUSE_TIMED_OUT] = timed_out,
	[CAUSE_ADDRESS_NOT_LOCAL] = address_not_local,
	[CAUSE_SELF_CONNECT] = self_connect,
	[CAUSE_BIND_FIRST] = claim_bind_first,
	[CAUSE_BOUND_ONLY] = claim_bound_only,
	[CAUSE_LISTENERS] = claim_listeners,
	[CAUSE_FIXED_PORT] = claim_fixed_port,
};

static struct evidence evidence_of(const struct plan *plan, const struct tape *tape,
				   const struct measures *m, struct arena *a)
{
	struct evidence e = {
		.plan = plan, .tape = tape, .measures = m, .full = tape_fullest(tape), .a = a};

	if (tape->exhausted)
		e.wanted = tape->tally.errors[STAGE_CONNECT][EADDRNOTAVAIL] +
			   tape->tally.errors[STAGE_CONNECT][EAGAIN] +
			   tape->tally.errors[STAGE_BIND][EADDRINUSE];
	return e;
}

static bool is_found(const struct verdict *v, enum cause cause)
{
	for (size_t i = 0; i < v->cause_count; i++)
		if (v->causes[i].cause == cause)
			return true;
	return false;
}

/* Live connections that are no cause of their own, beside the first that is one. */
static void add_bystanders(struct verdict *v, const struct evidence *e)
{
	struct holders h = holders_of(e);

	if (is_found(v, CAUSE_LIVE_SATURATION) || claim_explains(e, h.live, h.all) == 0)
		return;
	for (size_t i = 0; i < v->cause_count; i++) {
		struct finding *f = &v->causes[i];

		if (f->cause > CAUSE_LIVE_SATURATION)
			continue;
		f->why = text_format(e->a, TEXT_FMT " %s more %s in use.", TEXT_ARG(f->why),
				     say_count(e->a, h.live),
				     say_either(h.live, "connection was", "connections were"));
		return;
	}
}

void causes_find(struct verdict *out, const struct plan *plan, const struct tape *tape,
		 const struct measures *m, struct arena *a)
{
	struct evidence e = evidence_of(plan, tape, m, a);
	double weight[CAUSES] = {0};

	out->causes = ARENA_ARRAY(a, struct finding, CAUSES);
	for (int i = 0; i < CAUSES; i++) {
		struct claim c = rules[i](&e);
		size_t at = out->cause_count;

		if (c.weight == 0)
			continue;
		for (; at > 0 && weight[at - 1] < c.weight; at--) {
			weight[at] = weight[at - 1];
			out->causes[at] = out->causes[at - 1];
		}
		weight[at] = c.weight;
		out->causes[at] = (struct finding){.cause = (enum cause)i, .why = c.why};
		advice_give(&out->causes[at], &e);
		out->cause_count++;
	}
	add_bystanders(out, &e);
}
