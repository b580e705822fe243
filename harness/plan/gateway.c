#include "plan/gateway.h"

#include <math.h>

#include "base/order.h"
#include "plan/answer.h"
#include "plan/bind.h"
#include "plan/life.h"
#include "plan/pool.h"
#include "plan/shape.h"
#include "plan/speed.h"
#include "plan/unanswered.h"

#define SECOND INT64_C(1000000000)

static int64_t setting_ns(const struct scenario *s, const char *name, int64_t fallback_seconds)
{
	int64_t seconds = setting_number(&s->network.nat.sysctl, name, fallback_seconds);

	return seconds > 0 ? seconds * SECOND : 0;
}

int64_t gateway_tracks(const struct scenario *s, bool is_reset)
{
	return is_reset ? setting_ns(s, "net.netfilter.nf_conntrack_tcp_timeout_close", 10)
			: setting_ns(s, "net.netfilter.nf_conntrack_tcp_timeout_time_wait", 120);
}

int64_t gateway_tracks_datagrams(const struct scenario *s)
{
	return setting_ns(s, "net.netfilter.nf_conntrack_udp_timeout", 30);
}

/* A request and its answer, however late, are all that passes: it does not know of the end. */
static struct span datagram_holds(const struct scenario *s)
{
	int64_t tracks = gateway_tracks_datagrams(s);
	bool is_answered =
		s->load.request.receive > 0 && behaviour_does(s->server.behaviour, DOES_SERVE);
	struct span answer = is_answered ? answer_span(s) : span_of(0);

	return span_between(answer.least + tracks, answer.most + tracks);
}

bool gateway_keeps_none(const struct scenario *s)
{
	return s->load.protocol == PROTOCOL_TCP && s->server.behaviour == BEHAVIOUR_REFUSE &&
	       !nat_maps_for_all(&s->network.nat);
}

/* How long it keeps the port of a connection that ends so. */
static double gateway_holds_so(const struct scenario *s, const struct budget *b,
			       const struct host *host, enum end end)
{
	struct life life = life_so(s, b, host, end);
	bool is_reset =
		life_end(&s->load, end) == END_RESET || s->server.behaviour == BEHAVIOUR_RESET;

	if (life.quiet.most == FOR_EVER)
		return INFINITY;
	return (double)life_sum(life.live.most, gateway_tracks(s, is_reset));
}

/* On average; INFINITY if any of them is for ever. */
static double gateway_holds(const struct scenario *s, const struct budget *b,
			    const struct host *host)
{
	double mean = 0;

	if (s->load.protocol == PROTOCOL_UDP)
		return (double)datagram_holds(s).most;
	if (gateway_keeps_none(s))
		return 0;
	for (enum end end = 0; end < ENDS; end++)
		if (load_ends(&s->load, end))
			mean += load_share(&s->load, end) * gateway_holds_so(s, b, host, end);
	return mean;
}

/* The rule that limits connections does not count closed ones (already_closed(),
 * net/netfilter/nf_conncount.c); of UDP it knows of none that is. */
static double limit_rate(const struct carriage *c, const struct scenario *s,
			 const struct life *life)
{
	int64_t counted =
		s->load.protocol == PROTOCOL_UDP ? datagram_holds(s).most : life->live.most;
	bool limits = c->at_once < c->ports && counted > 0;

	return limits ? (double)c->at_once * SECOND / (double)counted : INFINITY;
}

/* Each for as long as its connection is open, and silent then: a query is its client's last packet. */
static double mapping_rate(const struct carriage *c, const struct scenario *s,
			   const struct life *life)
{
	int64_t live = s->load.protocol == PROTOCOL_UDP ? 0 : life->live.most;

	if (!nat_maps_for_all(&s->network.nat))
		return INFINITY;
	return (double)c->ports * SECOND / (double)(live + s->network.nat.mapping_time);
}

struct gateway_rates gateway_rates_of(const struct scenario *s, const struct budget *b,
				      const struct carriage *c, const struct host *host)
{
	struct life life = life_of(s, b, host);
	double tracked = (double)c->each * c->towards * SECOND / gateway_holds(s, b, host);

	return (struct gateway_rates){fmin(tracked, mapping_rate(c, s, &life)),
				      limit_rate(c, s, &life)};
}

void gateway_bound(struct forecast *f, struct gateway_rates r)
{
	f->gateway_rate = fmin(r.ports, r.limit);
	if (isnan(f->rate))
		return;
	f->rate_is_least = r.ports < fmin(f->rate, r.limit) ||
			   (f->rate_is_least && f->rate <= fmin(r.ports, r.limit));
	f->rate_is_limit = r.limit < fmin(f->rate, r.ports);
	f->rate = fmin(f->rate, fmin(r.ports, r.limit));
	f->rate_sure = fmin(f->rate_sure, f->rate);
}

/* For each that begins while it tracks one, on a machine that is held up, too? */
static bool fits_by_clock(const struct scenario *s, const struct budget *b,
			  const struct carriage *c, const struct host *host)
{
	struct shape shape = shape_make(&s->load);
	double held = s->load.protocol == PROTOCOL_UDP ? (double)datagram_holds(s).most : 0;

	if (!load_is_open(&s->load) || load_is_pooled(&s->load) || s->load.on_failure.retry > 0 ||
	    nat_maps_for_all(&s->network.nat) || isfinite(speed_changes_ns(s, &s->load)))
		return false;
	for (enum end end = 0; end < ENDS && s->load.protocol == PROTOCOL_TCP; end++)
		if (load_ends(&s->load, end))
			held = fmax(held, gateway_holds_so(s, b, host, end));
	return isfinite(held) && shape_most(&shape, (int64_t)held + SPEED_STALL_NS) <= c->least;
}

/* Have the client's ports no more connections than it carries, since nobody gives one back? */
static bool keeps_fewer(const struct scenario *s, const struct budget *b, const struct carriage *c,
			const struct life *life)
{
	return life->quiet.least == FOR_EVER && b->capacity <= c->least && s->server.vanish == 0 &&
	       s->server.die == 0 && !bind_shares_port(&s->load);
}

bool gateway_fits(const struct scenario *s, const struct budget *b, const struct carriage *c,
		  const struct host *host)
{
	struct life life = life_of(s, b, host);
	struct shape shape = shape_make(&s->load);

	return !carriage_lacks(c) || load_begins_most(&s->load, &shape, s->stop.time) <= c->least ||
	       gateway_keeps_none(s) || keeps_fewer(s, b, c, &life) || fits_by_clock(s, b, c, host);
}

/* Until one of those before it may give its port back: the client's, so that two are one to the
 * gateway, or the gateway's. */
static double held_ns(const struct scenario *s, const struct life *life)
{
	double own = life->quiet.least == FOR_EVER ? INFINITY : (double)life->live.least;

	if (s->server.vanish >
	    0) /* and a connect that hangs may have the next one's port of the client's */
		own = fmin(own, (double)s->load.timeout);

	if (nat_maps_for_all(&s->network.nat)) /* and no mapping knows of an open connection */
		return fmin(own, (double)s->network.nat.mapping_time);
	return s->load.protocol == PROTOCOL_UDP ? fmin(own, (double)datagram_holds(s).least) : own;
}

/* Does the client learn that the gateway has let it down, and of nothing else? */
static bool is_told(const struct scenario *s)
{
	if (s->load.protocol == PROTOCOL_UDP)
		return s->load.request.receive > 0 && answer_comes(s) &&
		       !bind_overshadows(&s->load);
	return behaviour_does(s->server.behaviour, DOES_LISTEN);
}

/* A request of a pool opens a connection only as long as none before it has ended: so many do. */
static double surely_open(const struct scenario *s, const struct pool_fate *pool)
{
	if (!load_is_pooled(&s->load))
		return INFINITY;
	return pool->begins_together ? pool->at_once : pool->surely;
}

/* For how long after the first a SYN that was dropped is sent again. */
static double repeats_ns(const struct scenario *s)
{
	return unanswered_repeats(&s->load) ? (double)s->load.timeout : 0;
}

/* Connects that the gateway lets down take the timeout each: by when is the last of them begun? */
static double begun_ns(const struct scenario *s, uint64_t full, double next_ns, double until)
{
	const struct load *l = &s->load;
	struct shape shape = shape_make(l);
	uint64_t clients, rounds;

	if (l->on_failure.retry > 0)
		return until;
	if (l->on_failure.then == ON_FAILURE_STOP)
		return fmin(until, next_ns + (double)l->timeout);
	if (l->total == 0 || load_is_pooled(l))
		return until;
	if (load_is_open(l))
		return fmin(until, fmax(next_ns, (double)shape_when(&shape, l->total - 1)));
	clients = concurrency_of(l) > full ? concurrency_of(l) - full : concurrency_of(l);
	rounds = (l->total - full + clients - 1) / clients;
	return fmin(until, next_ns + (double)rounds * (double)(l->timeout + LIFE_SLACK));
}

/* A run that is over has no more SYNs; else they are repeated for as long as the last connect may wait. */
static double asks_until_ns(const struct scenario *s, uint64_t full, double next_ns)
{
	double until = fmin(speed_lasts_ns(&s->load), (double)(s->stop.time - s->load.start));

	return fmin(begun_ns(s, full, next_ns, until) + repeats_ns(s),
		    (double)(s->stop.time - s->load.start));
}

/* May the load end before the first of them times out, since it is refused a port of the client's? */
static bool ends_before(const struct scenario *s, const struct budget *b, uint64_t full,
			double next_ns)
{
	struct shape shape = shape_make(&s->load);
	int64_t until = (int64_t)next_ns + s->load.timeout;
	uint64_t begun =
		load_is_open(&s->load) ? shape_due(&shape, until) : full + concurrency_of(&s->load);

	if (s->load.total)
		begun = least(begun, s->load.total);
	return s->load.on_failure.then == ON_FAILURE_STOP && begun > most(b->first, b->usable);
}

/* The gateway is full, since none of those before it has given its port back: what is dropped then times
 * out if none does before its last SYN; and as long as none has until the end, so does all that follows. */
static void fill(struct forecast *f, const struct scenario *s, const struct budget *b,
		 const struct carriage *c, double next_ns, double held)
{
	f->full_after = c->full;
	f->full_least = c->least;
	f->times_out = is_told(s) && next_ns < speed_changes_ns(s, &s->load) &&
		       next_ns + repeats_ns(s) < held && !ends_before(s, b, c->full, next_ns);
	if (!f->times_out || asks_until_ns(s, c->full, next_ns) >= held)
		return;
	f->times_out_after = c->at_once;
	f->times_out_least = c->least;
}

/* Once the server is dead its RST ends what the gateway tracks; of a host that is gone a SYN is tracked as
 * long as any connection: its timeout (tcp_timeouts) is as long as a closed one's. */
static double changes_ns(const struct scenario *s)
{
	bool is_gone = s->server.vanish > 0 && s->server.die == 0;

	return is_gone && s->load.protocol == PROTOCOL_TCP && !load_is_pooled(&s->load)
		       ? (double)INFINITY
		       : speed_changes_ns(s, &s->load);
}

void forecast_gateway(struct forecast *f, const struct scenario *s, const struct budget *b,
		      const struct nat_plan *nat, const struct host *host)
{
	const struct carriage *c = &nat->carriage;
	struct life life = life_of(s, b, host);
	struct shape shape = shape_make(&s->load);
	struct pool_fate pool = pool_fate_of(s, b, &life);
	uint64_t begun = load_begins_most(&s->load, &shape, s->stop.time);
	struct guess next = speed_pace(s, b, &life, c->full);
	double until = fmin(speed_ends_ns(s), changes_ns(s));
	bool keeps = load_is_pooled(&s->load) && pool.keeps_all;
	double held;

	if (load_is_pooled(&s->load))
		life.live = life_request(s);
	held = keeps ? INFINITY : held_ns(s, &life);
	gateway_bound(f, gateway_rates_of(s, b, c, host));
	if (nat->fits || next.least >= until)
		return;
	/* Where all fit at once, none lacks a port of the client's, however long it hangs. */
	f->known = begun <= most(b->first, b->usable) / (1 + s->load.on_failure.retry) ||
		   (keeps && pool.pools * pool.at_once <= b->usable);
	f->exhausts = f->counted = f->cut_short = false;
	f->after = 0;
	/* What lacks a port of the client's never comes to the gateway. */
	if (begun > c->full && budget_surely(b, s, &s->load).first > c->full &&
	    surely_open(s, &pool) > (double)c->full && next.most < until && next.most < held)
		fill(f, s, b, c, next.most, held);
}
