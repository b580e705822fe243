#include "report/plan_say.h"

#include <math.h>

#include "plan/doubt.h"
#include "plan/fill.h"

/* Of a pool that throws each connection away before the next request comes. */
static const char *say_expires(const struct plan *p, const struct outline *o, struct arena *a)
{
	const struct load *l = p->loads[0].load;
	double gap = pool_gap_ns(l, (uint32_t)o->pool.pools);

	return text_format(a,
			   ": each is closed after %s idle, and %s come %s, so that %s; none does "
			   "with an idle timeout above that",
			   say_time(a, (double)l->pool.idle_timeout),
			   o->rate > 0 ? "requests" : "the next requests",
			   isfinite(gap) ? text_format(a, o->rate > 0 ? "%s apart" : "%s later",
						       say_time(a, gap))
						   .s
					 : "further apart",
			   pool_is_in_step(&o->pool, o->requests) ||
					   (o->pool.surely_expires && o->pool.each <= 1)
				   ? "each request opens a connection"
				   : "up to all of them open a connection")
		.s;
}

/* "; up to 6 of 10, 60 % of the requests, open a connection, and close it"; the knee. */
static const char *say_churn(const struct plan *p, const struct outline *o, struct arena *a)
{
	const struct pool_fate *f = &o->pool;
	double over = f->each - f->kept;
	bool in_step = pool_is_in_step(f, o->requests);

	if (f->expires)
		return say_expires(p, o, a);
	if (isinf(f->at_once) || isinf(f->kept))
		return "";
	if (over <= 0)
		return f->served > 0 ? ""
		       : f->keeps_all
			       ? "; the pool keeps as many as there are at once, and none is closed"
			       : "; the pool keeps as many as there are at once, and none is "
				 "closed "
				 "unless the machine is held up";
	return text_format(a,
			   ": %s%s of %s at once%s, %.3g %% of the requests, open a connection and "
			   "close it%s; from max_idle %s on none does",
			   in_step ? "" : "up to ", say_count(a, over), say_count(a, f->each),
			   f->pools > 1 ? " to each destination" : "", 100 * f->share_most,
			   in_step ? ", in each round" : ", if they end together",
			   say_count(a, f->each))
		.s;
}

/* Requests that find no idle connection open one; those that find no place in the pool end it. */
struct text plan_say_pool(const struct plan *p, const struct outline *o, struct arena *a)
{
	const struct load_plan *lp = &p->loads[0];
	const char *requests, *kept = "", *serves = "", *churn = say_churn(p, o, a);

	if (o->rate <= 0)
		requests = text_format(a, "%s at once", say_count(a, o->under_way)).s;
	else if (o->live_ns == 0)
		requests = text_format(a, "%s, each done at once", say_rate(a, o->rate)).s;
	else
		requests = text_format(a, "%s × %s = %s at once", say_rate(a, o->rate),
				       say_time(a, (double)o->live_ns),
				       say_count(a, ceil(o->rate * (double)o->live_ns / 1e9)))
				   .s;
	if (lp->load->pool.max_idle)
		kept = text_format(a, ", %s kept idle to a destination",
				   say_number(a, lp->idle_most, "connection"))
			       .s;
	if (lp->load->request.per_connection)
		serves = text_format(a, ", each for %s", say_number(a, lp->serves_most, "request"))
				 .s;
	return text_format(a, "requests: %s%s%s%s; %s available", requests, kept, serves, churn,
			   say_number(a, p->budget.capacity, "port"));
}

/* "2 × 20 at once + 15 of a cut round + 251 in a stall of 0.25 s" */
static const char *say_edge(const struct plan *p, const struct outline *o, struct arena *a)
{
	const struct pool_fate *f = &o->pool;
	double at_once = f->pools * f->each, late = pool_late(p->loads[0].load);
	double cut = f->share_most > 0 ? f->pools * (f->each - f->kept) : 0;
	const char *more = "", *stalled = "";

	if (cut > 0)
		more = text_format(a, " + %s of a round that is cut in two", say_count(a, cut)).s;
	if (late > 0)
		stalled = text_format(a, " + %s of a stall of 0.25 s", say_count(a, late)).s;
	return text_format(a, "2 × %s at once%s%s", say_count(a, at_once), more, stalled).s;
}

/* "(2.02 s + 2.05 s by which its timer is late)" */
static const char *say_window(const struct plan *p, const struct outline *o, struct arena *a)
{
	double idle = o->pool.expires ? (double)p->loads[0].load->pool.idle_timeout : 0;
	double late = p->forecast.pool_ns - (double)p->forecast.life_most_ns - idle;
	const char *life = say_time(a, (double)p->forecast.life_most_ns);

	if (idle > 0)
		life = text_format(a, "%s + %s idle", life, say_time(a, idle)).s;
	if (late > 0)
		return text_format(a, "(%s + %s by which a timer may be late)", life,
				   say_time(a, late))
			.s;
	return idle > 0 ? text_format(a, "(%s)", life).s : life;
}

/* Behind a gateway that has fewer ports than the client. */
static struct text say_gateway_any(const struct plan *p, const struct outline *o, struct arena *a)
{
	double at_once = o->pool.at_once, room = (double)p->nat.carriage.at_once;

	if (at_once > room)
		return text_format(a,
				   "no rate: %s at once, with a connection each, want more than %s "
				   "of the gateway",
				   say_number(a, (uint64_t)at_once, "request"),
				   say_number(a, (uint64_t)room, "port"));
	if (doubt_rate(p, o) == DOUBT_GATEWAY_KEEPS)
		return text_format(
			a,
			"cannot be told: the gateway has %s, fewer than the client, and may "
			"keep those of what the pool closes",
			say_number(a, (uint64_t)room, "port"));
	return text_format(
		a,
		"any rate with no more than %s under way, as the gateway has ports: once "
		"the pool is warm it opens no connection",
		say_number(a, (uint64_t)room, "request"));
}

/* The requests whose connections the ports carry, where as many open one as may. */
struct text plan_say_pool_rate(const struct plan *p, const struct outline *o, struct arena *a)
{
	const char *ports = say_number(a, p->budget.capacity, "port");

	if (outline_pool_lacks(o, p))
		return text_format(a,
				   "no rate: %s requests at once, with a connection each, want "
				   "more than %s",
				   say_count(a, outline_pool_at_once(o)), ports);
	if (p->nat.outside.count && p->nat.carriage.at_once < p->budget.capacity)
		return say_gateway_any(p, o, a);
	if (doubt_rate(p, o) == DOUBT_POOL_LATE)
		return text_format(a,
				   "cannot be told: up to %s may be open at once, if they are late "
				   "together, of %s",
				   say_count(a, ceil(p->forecast.pool_edge)), ports);
	if (p->forecast.pool_edge > 0)
		ports = text_format(a, "(%s − %s for what is open: %s)", ports,
				    say_count(a, ceil(p->forecast.pool_edge)), say_edge(p, o, a))
				.s;
	if (isinf(p->forecast.pool_rate))
		return o->pool.keeps_all
			       ? TEXT("any rate: once the pool is warm it opens no connection")
			       : TEXT("any rate, unless the machine is held up: once the pool is "
				      "warm it opens no connection");
	return text_format(a,
			   "%s / %s / %.3g %% = requests at %s for ever, at least: more, where "
			   "they do not end together",
			   ports, say_window(p, o, a), 100 * pool_share(&o->pool),
			   say_sustained(a, p->forecast.pool_rate));
}

/* "; about 10 are likely, which are enough", where it is told. */
static const char *say_likely(const struct plan *p, const struct outline *o, struct arena *a)
{
	double wanted = fill_wanted(p).likely * p->budget.spaces;

	const char *likely = pool_churns(&o->pool) ? "if half of that end together," : "likely";

	if (isinf(o->pool.at_once))
		return "";
	if (p->forecast.likely_run_ns < FOR_EVER)
		return text_format(a, "; %s the last of them is in use at %s", likely,
				   say_time(a, (double)p->forecast.likely_run_ns))
			.s;
	return text_format(a, "; %s about %s are in use at once, which are enough", likely,
			   say_count(a, ceil(wanted)))
		.s;
}

/* "cannot be told: the pool opens from 10 to 64 connections for 100 requests; 32 ports …" */
struct text plan_say_opens(const struct plan *p, const struct outline *o, struct arena *a)
{
	double least = pool_opens_least(&o->pool, o->requests),
	       most = pool_opens_most(&o->pool, o->requests);

	if (!isfinite(o->requests))
		return plan_say_doubt(DOUBT_POOL, a);
	if (doubt_of(p, o) == DOUBT_POOL_WANTED)
		return text_format(
			a,
			"more is wanted than there is: %s requests at once, with a connection "
			"each; %s; unless a machine is too slow to have them under way together",
			say_count(a, o->pool.pools * o->pool.each),
			say_number(a, p->budget.capacity, "port"));
	return text_format(
		a,
		"cannot be told: for %s the pool opens from %s to %s, as they end by turns or "
		"together; %s available%s",
		say_number(a, (uint64_t)o->requests, "request"), say_count(a, least),
		say_number(a, (uint64_t)most, "connection"),
		say_number(a, p->budget.capacity, "port"), say_likely(p, o, a));
}
