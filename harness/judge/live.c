#include "judge/rule.h"

/* What share of all that hold ports the live connections must be, or of the capacity those that
 * the load keeps open, to be a want of ports of their own. */
static const double share_saturating = 0.9;

static struct claim leak(const struct evidence *e)
{
	const struct tally *t = &e->tape->tally;
	struct holders h = evidence_holders(e);
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
	struct holders h = evidence_holders(e);
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

static struct claim blackhole(const struct evidence *e)
{
	struct holders h = evidence_holders(e);
	struct claim c = {.weight = claim_explains(e, h.unanswered, h.all)};

	if (c.weight > 0)
		c.why = text_format(
			e->a,
			"%s no answer yet, and %s port until it gives up (SYN_SENT), here "
			"after %s%s. There %s %s %s.",
			say_number_of(e->a, h.unanswered, "connect had", "connects had"),
			say_either(h.unanswered, "keeps its", "each keeps its"),
			say_time(e->a, e->plan->loads[0].load->timeout),
			say_since(e, MEASURE_SERVER_GONE, "the server's host vanished"),
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
	struct holders h = evidence_holders(e);
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

static void advise_leak(struct finding *f, const struct evidence *e)
{
	uint64_t waiting = e->full ? e->full->states[STATE_CLOSE_WAIT] : 0;
	uint32_t usable = e->plan->budget.usable;
	const char *limit = "";

	if (waiting > 0)
		advice_add_fmt(&f->attempt, e->a,
			       "close when recv() returns 0: the far end has closed %s already "
			       "(CLOSE_WAIT)",
			       say_number_of(e->a, waiting, "connection", "connections"));
	if (usable > 1)
		limit = text_format(e->a, " below %s", say_count(e->a, usable)).s;
	advice_add_fmt(
		&f->attempt, e->a,
		"take connections from a pool with a limit%s to one destination: a leak then shows "
		"where it is made",
		limit);
}

static void advise_live(struct finding *f, const struct evidence *e)
{
	advice_tuples(&f->attempt, e, 0);
	advice_widen(&f->attempt, e, 0);
}

// clang-format off
const struct rule live_rules[] = {
	{
		.cause = CAUSE_LEAK,
		.claim = leak,
		.advise = advise_leak,
		.attempt = {
				"close every connection when its work is done, on the paths of errors and timeouts too; "
				"`ss -tnp` names who holds them",
		},
		.in_vain = {
				"more ports, addresses or destinations: they only delay it",
				"net.ipv4.tcp_tw_reuse, tcp_fin_timeout: they are about closed connections, and these are open",
				"ulimit -n: descriptors are another limit, and did not run out",
		},
	},
	{
		.cause = CAUSE_INHERITED_FD,
		.claim = inherited_fd,
		.attempt = {
				"open sockets with SOCK_CLOEXEC (accept4() too), so that no program that is started later "
				"has them",
				"in a child that runs no other program, close what it does not use: close_range()",
				"`ss -tnp` names who holds them",
		},
		.in_vain = {
				"closing once more, or sooner: the last descriptor decides, and another process has it",
				"more ports, addresses or destinations: they only delay it",
				"net.ipv4.tcp_tw_reuse, tcp_fin_timeout: they are about closed connections, and these are open",
		},
	},
	{
		.cause = CAUSE_BLACKHOLE,
		.claim = blackhole,
		.attempt = {
				"look at the far end, and at what is between: a firewall that drops, a host that is down, an "
				"accept queue that is full (TcpExtListenOverflows there)",
				"give up sooner (a timeout of the connect, and a close), and try less often: a port is held "
				"for as long as its connect waits",
				"net.ipv4.tcp_syn_retries=1, for a program without a timeout: the kernel gives up after 3 s, "
				"and not after two minutes",
		},
		.in_vain = {
				"net.ipv4.tcp_tw_reuse, tcp_fin_timeout: they are about closed connections, and these never "
				"opened",
				"more ports: as many connects wait again in no time",
		},
	},
	{
		.cause = CAUSE_LIVE_SATURATION,
		.claim = live_saturation,
		.advise = advise_live,
		.attempt = {
				"open fewer: share connections between requests (multiplexing, a pool with a limit), and "
				"close idle ones sooner",
		},
		.in_vain = {
				"net.ipv4.tcp_tw_reuse, tcp_fin_timeout: they are about closed connections, and these are open",
				"ulimit -n: descriptors are another limit, and did not run out",
		},
	},
	RULES_END,
};
// clang-format on
