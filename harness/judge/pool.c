#include <math.h>

#include "judge/outlook.h"
#include "judge/rule.h"

/* A load, and what it came to. */
struct pooled {
	const struct load_plan *plan;
	const struct tally *tally;
	uint64_t open_peak;
	struct text name; /* of several; else empty */
};

/* Have its connections served as many requests as they may? Then that is why they were closed. */
static bool is_capped(const struct pooled *p)
{
	const struct tally *t = p->tally;
	uint32_t most = p->plan->serves_most;

	return most > 1 && most < UINT32_MAX && t->closed > 0 &&
	       (double)t->requests_done >= 0.9 * (double)most * (double)t->closed;
}

static bool serves_few(const struct pooled *p)
{
	return p->tally->requests_done > 0 &&
	       (p->plan->load->request.per_connection == 1 || is_capped(p));
}

/* Requests at once: as many as the load wants, or as were seen where it says a rate. */
static uint64_t at_once(const struct pooled *p)
{
	return p->plan->concurrency ? p->plan->concurrency : p->open_peak;
}

static bool keeps_few(const struct pooled *p)
{
	return load_is_pooled(p->plan->load) && p->plan->idle_most < at_once(p) && !is_capped(p);
}

/* How long a connection of the pool has nothing to do at least: the pause of who uses it; of a rate, what
 * is between two requests. */
static int64_t rest_of(const struct load_plan *lp)
{
	double rate = shape_asks(&lp->shape);

	if (lp->concurrency)
		return lp->load->request.pause;
	if (lp->shape.burst)
		return lp->shape.every_ns;
	return rate > 0 ? (int64_t)(1e9 / rate) : 0;
}

/* Does the pool's own timer end what the next request would have used? It shows: hardly any found one. */
static bool times_out(const struct pooled *p)
{
	const struct tally *t = p->tally;
	int64_t timeout = p->plan->load->pool.idle_timeout;

	return load_is_pooled(p->plan->load) && timeout > 0 && timeout < rest_of(p->plan) &&
	       2 * t->requests_reused < t->requests_done;
}

static struct pooled pooled_at(const struct evidence *e, uint32_t i)
{
	bool apart = e->plan->load_count > 1 && i < e->tape->load_count;

	return (struct pooled){&e->plan->loads[i], evidence_tally(e->plan, e->tape, i),
			       apart ? e->tape->loads[i].open_peak : e->tape->open_peak,
			       apart ? e->tape->loads[i].load : TEXT("")};
}

/* Of the loads that are such the one that closed most. */
static bool find_pooled(const struct evidence *e, bool (*is_such)(const struct pooled *),
			struct pooled *out)
{
	*out = (struct pooled){0};
	for (uint32_t i = 0; i < e->plan->load_count; i++) {
		struct pooled p = pooled_at(e, i);

		if (is_such(&p) && (!out->plan || p.tally->closed > out->tally->closed))
			*out = p;
	}
	return out->plan;
}

/* What of all that was closed a load has: of the ports that wait, so many are its own. */
static double share_closed(const struct evidence *e, const struct pooled *p)
{
	uint64_t all = e->tape->tally.closed;

	return all > 0 ? (double)p->tally->closed / (double)all : 1;
}

/* Tries for the same connection, per second and in all: by the first pause, of each client. */
static double tries_of(const struct load_plan *lp)
{
	return (lp->concurrency ? lp->concurrency : 1) * 1e9 / (double)lp->load->on_failure.wait;
}

/* Ports that come back, per second: of all addresses, to all destinations. */
static double comes_back(const struct evidence *e)
{
	return (double)e->plan->budget.capacity * 1e9 / (double)quiet_time(e->plan);
}

/* Does it open connections for what they do not come to, so that others are to follow? */
static bool is_in_vain(const struct evidence *e, const struct pooled *p)
{
	return (p->plan->requests || e->plan->scenario->server.behaviour != BEHAVIOUR_ANSWER) &&
	       2 * p->tally->requests_done <= p->tally->opened;
}

/* The failures are mostly tries, more than there are ports, and than come back, of what is opened in vain; or each
 * throws the pool's idle connections away. */
static bool is_storm(const struct evidence *e, const struct pooled *p)
{
	const struct load *load = p->plan->load;
	const struct tally *t = p->tally;

	if (load->on_failure.flush_pool && load_is_pooled(load))
		return t->retries > 0 && t->closed > 0;
	return tries_of(p->plan) > comes_back(e) && 2 * t->retries >= t->failed &&
	       t->retries >= e->plan->budget.usable && is_in_vain(e, p);
}

/* Of the loads that are such the one that tried most. */
static bool find_storm(const struct evidence *e, struct pooled *out)
{
	*out = (struct pooled){0};
	for (uint32_t i = 0; i < e->plan->load_count; i++) {
		struct pooled p = pooled_at(e, i);

		if (is_storm(e, &p) && (!out->plan || p.tally->retries > out->tally->retries))
			*out = p;
	}
	return out->plan;
}

double claim_share_of_pools(const struct evidence *e)
{
	double share = 0;

	for (uint32_t i = 0; i < e->plan->load_count; i++) {
		struct pooled p = pooled_at(e, i);

		if (serves_few(&p) || keeps_few(&p) || times_out(&p) || is_storm(e, &p))
			share += share_closed(e, &p);
	}
	return share;
}

static struct claim claim_pool(const struct evidence *e, bool (*is_such)(const struct pooled *),
			       struct pooled *out)
{
	struct claim c = {.weight = claim_churn(e)};

	if (c.weight == 0 || !find_pooled(e, is_such, out) ||
	    share_closed(e, out) < POOL_SHARE_LEAST)
		return no_claim;
	c.weight *= share_closed(e, out);
	return c;
}

/* " of web", where there are others. */
static const char *say_of(const struct evidence *e, const struct pooled *p)
{
	return p->name.len ? text_format(e->a, " of " TEXT_FMT, TEXT_ARG(p->name)).s : "";
}

/* "Of 62 connections that were closed 41 are of web. ", where others closed as well. */
static const char *say_own(const struct evidence *e, const struct pooled *p)
{
	uint64_t all = e->tape->tally.closed;

	if (p->tally->closed >= all)
		return "";
	return text_format(e->a, "Of %s that were closed %s %s%s. ",
			   say_number_of(e->a, all, "connection", "connections"),
			   say_count(e->a, p->tally->closed),
			   say_either(p->tally->closed, "is", "are"), say_of(e, p))
		.s;
}

static const char *say_reuse(const struct evidence *e, const struct pooled *p)
{
	const struct tally *t = p->tally;

	return text_format(e->a, "%s of %s found a connection that had served before",
			   say_count(e->a, t->requests_reused),
			   say_number_of(e->a, t->requests_done, "request", "requests"))
		.s;
}

static struct claim pool_idle_timeout(const struct evidence *e)
{
	struct pooled p = {0};
	struct claim c = claim_pool(e, times_out, &p);

	if (!p.plan)
		return no_claim;
	c.why = text_format(
		e->a,
		"The pool%s closes what is idle for %s, and the next request comes after "
		"%s: by then the connection is in TIME_WAIT, and a new one is opened. "
		"%s. %s%s",
		say_of(e, &p), say_time(e->a, p.plan->load->pool.idle_timeout),
		say_time(e->a, rest_of(p.plan)), say_reuse(e, &p), say_own(e, &p), say_churn(e));
	return c;
}

static void advise_timeout(struct finding *f, const struct evidence *e)
{
	struct pooled p;
	const struct load_plan *lp;

	if (!find_pooled(e, times_out, &p))
		return;
	lp = p.plan;
	advice_add_fmt(
		&f->attempt, e->a,
		"raise the pool's idle timeout above what is between two requests, %s: it is "
		"%s (Go: IdleConnTimeout, SetConnMaxIdleTime; HikariCP: idleTimeout); and "
		"have it shorter than the server's, which else closes first, under a request",
		say_time(e->a, rest_of(lp)), say_time(e->a, lp->load->pool.idle_timeout));
	advice_add_fmt(&f->wont_help, e->a,
		       "a larger pool: it may keep %s, and closes each of them while it rests",
		       say_number_of(e->a, lp->idle_most, "connection", "connections"));
}

static struct claim pool_idle_cap(const struct evidence *e)
{
	struct pooled p = {0};
	struct claim c = claim_pool(e, keeps_few, &p);
	const struct load_plan *lp;
	uint64_t most;

	if (!p.plan)
		return no_claim;
	lp = p.plan;
	most = at_once(&p);
	c.why = text_format(
		e->a,
		"The pool%s keeps %s, and there are up to %s: each time that many end, %s - %s = "
		"%s "
		"are closed, to be opened anew for the next. %s. %s%s",
		say_of(e, &p),
		say_number_of(e->a, lp->idle_most, "idle connection", "idle connections"),
		say_number_of(e->a, most, "request at once", "requests at once"),
		say_count(e->a, most), say_count(e->a, lp->idle_most),
		say_count(e->a, most - lp->idle_most), say_reuse(e, &p), say_own(e, &p),
		say_churn(e));
	return c;
}

static void advise_pool(struct finding *f, const struct evidence *e)
{
	int64_t life_ns = outlook_life_ns(e->plan, OUTLOOK_ELSEWHERE, *e->a);
	struct pooled p;

	if (find_pooled(e, keeps_few, &p))
		advice_add_fmt(
			&f->attempt, e->a,
			"have the pool keep as many idle connections as there are requests at "
			"once, %s: it keeps %s, and closes the others after one use (Go: "
			"MaxIdleConnsPerHost, SetMaxIdleConns; urllib3: maxsize)",
			say_count(e->a, at_once(&p)), say_count(e->a, p.plan->idle_most));
	advice_add(&f->attempt, TEXT("or have no more requests at once than it keeps: let the "
				     "others wait for a connection"));
	advice_add(&f->attempt, TEXT("an idle timeout that is shorter than the server's, and no "
				     "shorter than the pauses between requests"));
	advice_widen(&f->attempt, e, life_ns);
	advice_tuples(&f->attempt, e, life_ns);
}

/* A cap of R requests on a connection: a TIME_WAIT for R of them. */
static struct claim proxy_no_keepalive(const struct evidence *e)
{
	struct pooled p = {0};
	struct claim c = claim_pool(e, serves_few, &p);
	const struct tally *t;
	uint32_t serves;

	if (!p.plan)
		return no_claim;
	t = p.tally;
	serves = p.plan->load->request.per_connection == 1 ? 1 : p.plan->serves_most;
	c.why = text_format(
		e->a,
		"A connection%s is closed after %s: %s to %s, a ratio of %.2g (1: no keep-alive at "
		"all; 0.01: a cap of 100). So %s last for %s. %s%s",
		say_of(e, &p), say_number_of(e->a, serves, "request", "requests"),
		say_number_of(e->a, t->opened, "connection", "connections"),
		say_number_of(e->a, t->requests_done, "request", "requests"),
		(double)t->opened / (double)t->requests_done, say_ports(e),
		say_number_of(e->a, e->plan->budget.capacity * serves, "request", "requests"),
		say_own(e, &p), say_churn(e));
	return c;
}

static void advise_proxy(struct finding *f, const struct evidence *e)
{
	int64_t life_ns = outlook_life_ns(e->plan, OUTLOOK_ELSEWHERE, *e->a);

	advice_reuse(&f->attempt, e);
	advice_tuples(&f->attempt, e, life_ns);
	advice_widen(&f->attempt, e, life_ns);
}

/* Where others hold the ports, to throw idle connections away, or to try again at once, makes it worse all the
 * same. */
static const double storm_least = 0.5;

static const char *say_flush(const struct evidence *e, const struct pooled *p)
{
	return text_format(e->a,
			   "Each failure threw the pool's idle connections away, %s in all, whose "
			   "ports then wait in TIME_WAIT: it makes the want that it is about.",
			   say_number_of(e->a, p->tally->closed, "connection", "connections"))
		.s;
}

static struct claim retry_storm(const struct evidence *e)
{
	struct holders h = evidence_holders(e);
	struct claim c = {.weight = claim_holds(e, h.time_wait + h.fin_wait, &h)};
	struct pooled p;

	if (!find_storm(e, &p) || (c.weight == 0 && !p.plan->load->on_failure.flush_pool))
		return no_claim;
	c.weight *= share_closed(e, &p);
	if (e->tape->exhausted)
		c.weight = fmax(c.weight, storm_least);
	c.why = text_format(
		e->a, "%s of %s%s were tries again, up to %s, where %s / %s = %s come back. %s%s",
		say_count(e->a, p.tally->retries),
		say_number_of(e->a, p.tally->failed, "failure", "failures"), say_of(e, &p),
		say_rate(e->a, tries_of(p.plan)),
		say_number_of(e->a, e->plan->budget.capacity, "port", "ports"),
		say_time(e->a, quiet_time(e->plan)), say_rate(e->a, comes_back(e)), say_own(e, &p),
		p.plan->load->on_failure.flush_pool ? say_flush(e, &p) : say_churn(e));
	return c;
}

// clang-format off
static const char widen_in_vain[] =
	"more ports alone: the same requests open as many connections, and use them up a little later";

const struct rule pool_rules[] = {
	{
		.cause = CAUSE_POOL_IDLE_CAP,
		.claim = pool_idle_cap,
		.advise = advise_pool,
		.seen = {MEASURE_REUSE_RATIO, MEASURE_TIME_WAIT_MAX, MEASURE_ESTABLISHED_MAX, MEASURE_CONNECTS_CLOSED},
		.in_vain = {
			"a shorter idle timeout of the pool: it closes still more of them",
			"switching keep-alive off \"to free ports\": then every request costs one",
			FIN_TIMEOUT_IN_VAIN,
			"restarting the client: TIME_WAIT outlives it",
		},
	},
	{
		.cause = CAUSE_POOL_IDLE_TIMEOUT,
		.claim = pool_idle_timeout,
		.advise = advise_timeout,
		.seen = {MEASURE_REUSE_RATIO, MEASURE_TIME_WAIT_MAX, MEASURE_ESTABLISHED_MAX, MEASURE_CONNECTS_CLOSED},
		.in_vain = {
			widen_in_vain,
			"SO_KEEPALIVE: it probes whether the far end lives, and keeps nothing open that the pool closes",
			FIN_TIMEOUT_IN_VAIN,
		},
	},
	{
		.cause = CAUSE_PROXY_NO_KEEPALIVE,
		.claim = proxy_no_keepalive,
		.advise = advise_proxy,
		.seen = {MEASURE_CONNECTS_OPENED, MEASURE_REQUESTS_DONE, MEASURE_REUSE_RATIO, MEASURE_TIME_WAIT_MAX},
		.attempt = {
			"keep connections to the upstream (nginx: keepalive in the upstream, proxy_http_version 1.1, "
			"an empty Connection header), and look for `Connection: close` from any of the four parties",
			"raise the cap of requests on a connection (nginx: keepalive_requests), on both sides: the "
			"upstream may have one of its own",
			"let the upstream close first: the TIME_WAIT is then on its side, and costs the proxy nothing",
		},
		.in_vain = {FIN_TIMEOUT_IN_VAIN, widen_in_vain,
			"keep-alive towards the clients alone: it is the other side that runs out",
		},
	},
	{
		.cause = CAUSE_RETRY_STORM,
		.claim = retry_storm,
		.seen = {MEASURE_RETRIES, MEASURE_GAVE_UP, MEASURE_CONNECTS_FAILED, MEASURE_TIME_WAIT_MAX, MEASURE_FIN_WAIT2_MAX},
		.attempt = {
			"back off: a pause that grows with each failure, with jitter, and a bound on all tries together",
			"take EADDRNOTAVAIL for what it is: no port comes back before the first TIME_WAIT is over, so "
			"fail at once, and tell",
			"keep the idle connections of the pool when a connect fails: they are what still works",
			"look at the far end: why does it drop what it has accepted?",
		},
		.in_vain = {
			"more tries: each is one more connection to be dropped",
			"more ports: at this rate they are used up in no time",
			FIN_TIMEOUT_IN_VAIN,
		},
	},
	RULES_END,
};
// clang-format on
