#include "plan/size.h"

#include <assert.h>
#include <inttypes.h>

#include "base/order.h"
#include "plan/alone.h"
#include "plan/answer.h"
#include "plan/bind.h"
#include "plan/crowd.h"
#include "plan/memory.h"
#include "plan/pool.h"
#include "plan/retry.h"
#include "plan/speed.h"
#include "plan/split.h"
#include "plan/together.h"
#include "plan/upstream.h"

#define SECOND 1e9

/* A run may take longer than stop.time by what a stalled machine and the settling at its end
 * take. */
#define OVERTIME INT64_C(60000000000)

enum {
	RING_SLOTS_MOST = 32768, /* the kernel looks for a free one in a bitmap */
	FAR_SLACK = 1024,	 /* the far end may be this far behind */
	BACKLOG_LEAST = 4096,
	BACKLOG_MOST = 1 << 20,
	HASH_LEAST = 4096,
	HASH_MOST = 1 << 22,
	HASH_A_SOCKET = 4, /* buckets, so that chains stay short */
	SAMPLES_MOST = 1 << 20,
	DUMPS_MOST = 1 << 15,
	EDGES_MOST = 64,
	FULLER_MOST = 192, /* dumps that come between others: sense/look.c */
	ACCEPTS_MOST = 16,
	ACCEPTS_ALL = 256,
	RINGS_MOST = 256, /* that one thread polls: RINGS_POLLED, sys/ring.c */
	SLOTS_MOST = 1 << 22,
	TIMED_MOST = 1 << 18,
	KEPT_MOST =
		1 << 18, /* connections that a far end keeps for ever: then it accepts no more */
	HEIRS_MOST = 16,
	WAITING_MOST = 1 << 16, /* to be tried again: with more, those that are due come late */
	NOFILE_LEAST = 256,
	NOFILE_OWN = 64, /* descriptors that are no connection */
	NOFILE_UNKNOWN = 1024,
};

/* A count that may be too large for its type. */
static uint64_t counted(double n)
{
	return n < 1e15 ? (uint64_t)n + 1 : (uint64_t)1e15;
}

/* How many connections begin within a time; in a closed loop nothing but speed bounds them. */
static uint64_t begun_within(const struct load_plan *lp, int64_t ns)
{
	const double fastest = 200e3; /* a second: beyond what one thread can do */

	if (load_is_open(lp->load))
		return shape_most(&lp->shape, ns);
	return counted(fastest * (double)ns / SECOND);
}

/* From the load's beginning on; it has begun by stop.time if it ever does. */
static uint64_t most_in_all(const struct load_plan *lp, int64_t ns)
{
	return load_is_open(lp->load) ? shape_due(&lp->shape, ns) : begun_within(lp, ns);
}

/* That can have a port at once: those without one fail as soon as they are begun. */
static uint64_t port_most_of(const struct load_plan *lp)
{
	return bind_overshadows(lp->load) ? UINT64_MAX : lp->budget.capacity + SLACK_SLOTS;
}

/* Connections that have a port at once, by the clock: those that begin within a port's life, which
 * a timer may lengthen. */
static uint64_t held_most(const struct plan *p, const struct load_plan *lp)
{
	int64_t life_ns = p->forecast.life_most_ns;
	int64_t late_ns = later(p->forecast.late_ns, life_wait_late_ns(p->scenario, p->host));

	if (life_ns < FOR_EVER && life_may_wait_reused(p))
		life_ns += p->scenario->network.time_wait; /* until somebody takes it */
	return load_is_open(lp->load) && life_ns < FOR_EVER ? begun_within(lp, life_ns + late_ns)
							    : UINT64_MAX;
}

static uint64_t more_by(uint64_t n, uint64_t more)
{
	return n < UINT64_MAX - more ? n + more : UINT64_MAX;
}

/* Of so many requests: a pool's connections serve again. */
static uint64_t opened_most(const struct plan *p, const struct load_plan *lp, uint64_t requests)
{
	struct scenario alone = alone_of(p->scenario, lp->load);
	struct pool_fate fate;
	struct life life;

	if (lp->idle_most == 0)
		return requests;
	life = life_of(&alone, &lp->budget, p->host);
	fate = pool_fate_of(&alone, &lp->budget, &life);
	return (uint64_t)pool_opens_most(&fate, (double)requests);
}

static struct crowd crowd_of(const struct plan *p, const struct load_plan *lp)
{
	const struct scenario *s = p->scenario;
	const struct load *l = lp->load;
	const uint64_t port_most = port_most_of(lp);
	bool leaks = load_ends(l, END_LEAK), portless = s->server.behaviour == BEHAVIOUR_RESET;
	bool awaits = load_ends(l, END_WAIT) || load_ends(l, END_SHUTDOWN);
	int64_t left_ns = s->stop.time - l->start;
	int64_t load_ns = l->duration && l->duration < left_ns ? l->duration : left_ns;
	bool asks = l->request.send > 0; /* and may wait twice: to send, and to receive */
	int64_t open_ns = l->hold + (awaits ? l->timeout : 0) + (asks ? 2 * l->timeout : 0);
	struct crowd c = {.begun = most_in_all(lp, load_ns)};

	if (l->total)
		c.begun = least(c.begun, l->total);
	c.under_way = lp->concurrency ? lp->concurrency : begun_within(lp, l->timeout);
	c.under_way = least(least(c.under_way, port_most), c.begun);
	c.busy = c.under_way;
	if (!lp->concurrency && open_ns > 0)
		c.busy = least(begun_within(lp, open_ns), c.begun);
	c.open = leaks ? c.begun : c.busy;
	/* A server that resets takes the port away, and leaves the client its descriptor. */
	if (!portless)
		c.open = least(c.open, port_most);
	c.open = least(c.open, lp->sockets_most);
	c.busy = least(c.busy, c.open);
	if (lp->idle_most)
		c.idle = least(least(c.open, lp->idle_most) * lp->budget.pairs,
			       least(c.begun, port_most));
	if (load_ends(l, END_INHERIT))
		c.inherited = least(c.begun, port_most);
	if (l->on_failure.retry)
		c.waiting = lp->concurrency ? lp->concurrency
					    : begun_within(lp, retry_most_ns(l) + l->timeout);
	c.waiting = least(least(c.waiting, c.begun), WAITING_MOST);
	c.holding = least(more_by(held_most(p, lp), c.idle), /* which have theirs for longer */
			  least(opened_most(p, lp, c.begun), port_most));
	if (load_share(l, END_LEAK) >= 1)
		c.holding = least(c.holding, lp->sockets_most);
	c.buffered = memory_carried(p, l, &c);
	return c;
}

static uint32_t power_of_two(uint64_t n)
{
	uint32_t power = HASH_LEAST;

	while (power < n && power < HASH_MOST)
		power *= 2;
	return power;
}

/* Enough that a batch of the client's connects finds one each, and not too many in all. */
static uint32_t accepts_each(uint32_t services)
{
	return (uint32_t)most(least(ACCEPTS_ALL / services, ACCEPTS_MOST), 1);
}

static uint64_t rings_of(const struct plan *p, uint32_t slots)
{
	assert(p->ring_slots > 0); /* of NOFILE_LEAST descriptors and SLACK_SLOTS slots */
	return (slots + (uint64_t)p->ring_slots - 1) / p->ring_slots;
}

/* Each of its workers has rings of its own. */
static uint64_t load_rings_of(const struct plan *p, const struct load_plan *lp)
{
	uint64_t rings = 0;

	for (uint32_t k = 0; k < lp->workers; k++)
		rings += rings_of(p, split_slots(lp, k));
	return rings;
}

static int64_t nofile_of(const struct plan *p)
{
	return p->host->nofile < 0 ? NOFILE_UNKNOWN : p->host->nofile;
}

/* What is squatted has tables of its own, for there may be more of it than one may have. */
static uint32_t squat_rings(struct plan *p)
{
	uint32_t slots = (uint32_t)least((uint64_t)nofile_of(p) - NOFILE_OWN, RING_SLOTS_MOST);

	p->squat.ring_slots = (uint32_t)least(slots, p->squat.sockets);
	return (p->squat.sockets + slots - 1) / slots;
}

/* A ring is a descriptor of this process, and so are a listener, a socket that is looked at, and the
 * counters that a worker reads. */
static void needs_set(struct plan *p, const struct crowd *c)
{
	struct needs *n = &p->needs;

	*n = (struct needs){
		.connections = c->begun,
		.holding = c->holding,
		.slots = p->far_slots,
		.rings = rings_of(p, p->far_slots),
	};
	memory_set(p, c);
	for (uint32_t i = 0; i < p->load_count; i++) {
		n->descriptors += p->loads[i].meets_itself ? p->loads[i].slots : 0;
		n->slots += p->loads[i].slots;
		n->rings += load_rings_of(p, &p->loads[i]);
	}
	n->descriptors += n->rings + squat_rings(p) + p->services + plan_workers(p) + NOFILE_OWN;
	n->descriptors += p->asks_datagrams ? p->services : 0;
}

/* Rings are waited for together (rings_wait()), and each has a table of its own. */
static bool tables_suffice(const struct plan *p, int64_t nofile, struct err *err)
{
	if (p->needs.rings <= RINGS_MOST)
		return true;
	err_set(err, ERR_HOST,
		"%" PRIu64 " descriptors of connections, of both ends, want %" PRIu64
		" tables of %u, and a run has at most %d (RLIMIT_NOFILE is %" PRId64 ")",
		p->needs.slots, p->needs.rings, p->ring_slots, RINGS_MOST, nofile);
	return err_hint(err, "Use a smaller network.ports, load.total or load.hold; or raise the "
			     "hard limit of open files (`ulimit -Hn`), for larger tables.");
}

static bool rings_suffice(const struct plan *p, int64_t nofile, struct err *err)
{
	if (p->needs.descriptors <= (uint64_t)nofile)
		return tables_suffice(p, nofile, err);
	err_set(err, ERR_HOST,
		"%" PRIu64 " connections to %u listeners want %" PRIu64
		" descriptors, and RLIMIT_NOFILE is %" PRId64,
		p->needs.slots - p->far_slots, p->services, p->needs.descriptors, nofile);
	return err_hint(
		err, "Raise the hard limit of open files (`ulimit -Hn`), or use a smaller range.");
}

/* How many descriptors one heir can take. */
static uint64_t heir_room_of(const struct plan *p)
{
	return (uint64_t)nofile_of(p) - NOFILE_OWN;
}

/* A load's descriptors; returns its crowd. */
static struct crowd load_size(struct load_plan *lp, const struct plan *p)
{
	struct crowd c = crowd_of(p, lp);
	bool stays = lp->concurrency && !load_ends(lp->load, END_LEAK);
	uint64_t heir_room = heir_room_of(p);
	uint64_t more = c.idle + (stays ? 0 : c.under_way) + c.waiting + SLACK_SLOTS;

	lp->slots = (uint32_t)least(c.open + more, SLOTS_MOST);
	lp->flows = (uint32_t)least(c.busy + more, lp->slots);
	lp->heirs = (uint32_t)((c.inherited + heir_room - 1) / heir_room);
	return c;
}

/* A descriptor of a process each: no table of a ring holds them. */
static bool heirs_suffice(const struct plan *p, const struct crowd *c, struct err *err)
{
	uint64_t most = heir_room_of(p) * HEIRS_MOST;

	if (c->inherited <= most)
		return true;
	err_set(err, ERR_HOST,
		"%" PRIu64 " connections would be inherited, and %d processes have descriptors "
		"for %" PRIu64 " (RLIMIT_NOFILE is %" PRId64 ")",
		c->inherited, HEIRS_MOST, most, nofile_of(p));
	return err_hint(err, "Raise the hard limit of open files (`ulimit -Hn`), or use a smaller "
			     "range or load.total.");
}

/* All loads together share the ports, and so what holds one. */
static struct crowd crowd_size(struct plan *p, uint64_t *slots, uint64_t *largest)
{
	struct crowd all = {0};

	for (uint32_t i = 0; i < p->load_count; i++) {
		struct crowd c = load_size(&p->loads[i], p);

		all.begun += c.begun;
		all.under_way += c.under_way;
		all.open += c.open;
		all.idle += c.idle;
		all.inherited += c.inherited;
		all.holding += c.holding;
		all.buffered += c.buffered;
		*slots += p->loads[i].slots;
		*largest = most(*largest, split_slots(&p->loads[i], 0)); /* none has more */
	}
	if (plan_overshadows(p) == 0)
		all.holding = least(all.holding, together_capacity(p) + SLACK_SLOTS);
	return all;
}

static bool descriptors_suffice(int64_t nofile, struct err *err)
{
	if (nofile >= NOFILE_LEAST)
		return true;
	err_set(err, ERR_HOST, "RLIMIT_NOFILE is %" PRId64 ", and lastport needs %d", nofile,
		NOFILE_LEAST);
	return err_hint(err, "Raise the hard limit: `ulimit -Hn`, LimitNOFILE= of systemd, "
			     "--ulimit of docker.");
}

/* Connections of a load that are closed while the far end has yet to answer: the client does not wait for
 * that, or not for so long. */
static uint64_t left_waiting(const struct plan *p, const struct load_plan *lp, uint64_t begun)
{
	const struct load *l = lp->load;
	int64_t delay_ns = answer_span(p->scenario).most;
	struct scenario alone = alone_of(p->scenario, l);
	bool awaits = l->request.receive > 0 && answer_comes(&alone);

	if (l->protocol != PROTOCOL_TCP || l->request.send == 0 || delay_ns == 0 || awaits)
		return 0;
	return least(begun, begun_within(lp, delay_ns + SPEED_STALL_NS));
}

/* What the far end has open at once: as much as the client, unless it closes first; and what it
 * keeps after the client has closed, for ever or until a late answer is sent. */
static uint64_t far_open(const struct plan *p, uint64_t begun, uint64_t slots)
{
	enum behaviour b = p->scenario->server.behaviour;
	bool serves = behaviour_does(b, DOES_SERVE) && (p->asks || !behaviour_does(b, DOES_END));
	uint64_t kept = behaviour_does(b, DOES_KEEP) ? begun + p->timed : 0;

	if (b == BEHAVIOUR_LOOP) /* both ends of each, and the client's */
		return FAR_SLACK + 2 * (uint64_t)p->far_upstreams + least(begun, KEPT_MOST);
	for (uint32_t i = 0; i < p->load_count; i++)
		kept += left_waiting(p, &p->loads[i], begun);
	return FAR_SLACK + (serves ? slots : 0) + least(kept, KEPT_MOST);
}

static void far_size(struct plan *p, uint64_t begun, uint64_t slots)
{
	const struct scenario *s = p->scenario;

	if (p->asks_datagrams && s->server.delay)
		p->far_datagrams = (uint32_t)least(begun, KEPT_MOST) + FAR_SLACK;
	if (!plan_speaks(p, PROTOCOL_TCP) || !behaviour_does(s->server.behaviour, DOES_ACCEPT))
		return;
	p->far_accepts = s->server.accept_every ? 1 : accepts_each(p->services);
	p->far_slots = (uint32_t)least(far_open(p, begun, slots), SLOTS_MOST) +
		       p->far_accepts * p->services;
}

/* Connects of the probe lane: one at a time, each has its port for as long as it takes. */
static uint32_t timed_size(const struct scenario *s)
{
	int64_t every = s->sample.latency;

	return every ? (uint32_t)least((uint64_t)(s->stop.time / every) + 1, TIMED_MOST) : 0;
}

/* All that may wait to be accepted; or as the scenario says. */
static uint32_t backlog_size(const struct plan *p, const struct crowd *c)
{
	const struct scenario *s = p->scenario;
	bool prompt = p->far_slots && s->server.accept_every == 0;
	uint64_t queued = prompt ? c->holding : c->begun + p->timed;

	if (s->server.backlog)
		return (uint32_t)s->server.backlog;
	return (uint32_t)least(most(queued + SLACK_SLOTS, BACKLOG_LEAST), BACKLOG_MOST);
}

bool size_make(struct plan *p, struct err *err)
{
	const struct scenario *s = p->scenario;
	int64_t nofile = nofile_of(p);
	uint64_t sockets, slots = 0, largest = 0;
	struct crowd c;

	if (!descriptors_suffice(nofile, err))
		return false;
	p->timed = timed_size(s);
	c = crowd_size(p, &slots, &largest);
	p->far_upstreams = upstreams_of(p);
	if (upstreams_are_clients(p))
		c.holding = most(c.holding, p->far_upstreams);
	else
		c.beside = p->far_upstreams;
	c.open += p->far_upstreams - c.beside;
	far_size(p, c.begun, slots + c.inherited);
	sockets =
		most(c.holding * (s->network.topology == TOPOLOGY_LOOPBACK ? 2 : 1), 2 * c.beside);
	p->ring_slots = (uint32_t)least(least((uint64_t)nofile - NOFILE_OWN, RING_SLOTS_MOST),
					most(largest, p->far_slots));
	p->backlog = backlog_size(p, &c);
	p->hash_entries = p->host->private_hash ? 0 : power_of_two(sockets * HASH_A_SOCKET);
	p->samples = (uint32_t)least(
		counted((double)(s->stop.time + OVERTIME) / (double)s->sample.every +
			(double)(s->stop.time + OVERTIME) / (double)s->sample.sockets) +
			EDGES_MOST,
		SAMPLES_MOST);
	p->dumps = (uint32_t)least(
		counted((double)(s->stop.time + OVERTIME) / (double)s->sample.sockets) +
			EDGES_MOST + FULLER_MOST,
		DUMPS_MOST);
	needs_set(p, &c);
	return heirs_suffice(p, &c, err) && rings_suffice(p, nofile, err) &&
	       memory_suffices(p, err);
}
