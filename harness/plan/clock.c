#include "plan/clock.h"

#include <math.h>

#include "base/order.h"
#include "plan/alone.h"
#include "plan/choose.h"
#include "plan/life.h"
#include "plan/retry.h"
#include "plan/speed.h"
#include "plan/unanswered.h"

/* Connections: so many take 0.46 s of a processor, a tenth of them 0.05 s (measured, five
 * reckonings of each). */
enum { CLOCK_MOST = 1 << 20 };

/* Of a connection, whether its server dies, or vanishes with its host. */
enum phase {
	PHASE_BEFORE,
	PHASE_OPEN,
	PHASE_AFTER,
	PHASES
}; /* not while it lives; meanwhile; before it */

/* How each connection's port is reckoned with. */
struct reckoning {
	int64_t late_ns; /* by so much may machine and timers be, so that lives overlap more or less */
	int64_t across_ns; /* by so much may a connection be late for its phase */
	uint32_t ports;	   /* of one space that are to be had */
	bool is_long;	   /* for as long as may be; else for as short */
};

/* A load, and for how long each of its connections has its port, by the reckoning. */
struct clock {
	const struct plan *p;
	const struct load_plan *lp;
	struct reckoning by;
	int64_t holds_ns[PHASES][ENDS];
	int64_t live_ns[ENDS]; /* of it, open */
	int64_t changes_ns;    /* when the server dies, or vanishes; FOR_EVER: never */
};

/* What a load's connections make of the ports, by the clock. */
struct timed {
	uint64_t refused; /* the first that finds its space full, counted from 0; 0: none does */
	uint64_t sure;	/* by then one was, for all that a machine may have been late; 0: none is */
	uint64_t used;	/* until the first, ports of one space at once, at most */
	uint64_t ports; /* and of all of them */
};

/* Those before connection i that have had their ports for as long as their end has one. */
struct passed {
	uint32_t *used; /* of each space */
	uint64_t ports; /* of all */
	uint32_t over;	/* spaces of which more are wanted than there are */
	uint64_t back[PHASES][ENDS];
};

static enum phase phase_at(const struct clock *c, int64_t begun_ns, enum end end)
{
	if (c->changes_ns == FOR_EVER)
		return PHASE_BEFORE;
	return begun_ns > c->changes_ns			    ? PHASE_AFTER
	       : begun_ns + c->live_ns[end] > c->changes_ns ? PHASE_OPEN
							    : PHASE_BEFORE;
}

/* Of those that it may be in, the one that has its port for longest, or shortest: it may be late, and so may
 * the server's end, by less. */
static enum phase phase_of(const struct clock *c, int64_t due_ns, enum end end)
{
	enum phase first = phase_at(c, due_ns - sooner(c->by.across_ns, LIFE_SLACK), end),
		   last = phase_at(c, due_ns + c->by.across_ns, end), phase = first;

	for (enum phase k = first; k <= last; k++)
		if (c->by.is_long == (c->holds_ns[k][end] > c->holds_ns[phase][end]))
			phase = k;
	return phase;
}

static void wants(struct passed *w, const struct clock *c, uint64_t space)
{
	w->over += w->used[space]++ == c->by.ports;
	w->ports++;
}

static void is_done(struct passed *w, const struct clock *c, uint64_t space)
{
	w->over -= --w->used[space] == c->by.ports;
	w->ports--;
}

/* What is due at once, in a burst, may have its ports at once, however soon each is done. */
static bool is_past(const struct clock *c, int64_t begun_ns, int64_t holds_ns, int64_t now)
{
	return begun_ns + holds_ns <= now && !(c->by.is_long && begun_ns == now);
}

/* All of an end and a phase have theirs for the same time: who began first is done first. */
static void give_back(struct passed *w, const struct clock *c, uint64_t i, enum phase phase,
		      enum end end)
{
	int64_t now = shape_when(&c->lp->shape, i), holds_ns = c->holds_ns[phase][end];
	uint64_t *back = &w->back[phase][end];

	if (!load_ends(c->lp->load, end) || holds_ns == FOR_EVER)
		return;
	for (; *back < i && is_past(c, shape_when(&c->lp->shape, *back), holds_ns, now); ++*back)
		if (plan_end(c->p, c->lp, *back) == end &&
		    phase_of(c, shape_when(&c->lp->shape, *back), end) == phase)
			is_done(w, c, choose_space(c->p, c->lp, *back));
}

static void give_all_back(struct passed *w, const struct clock *c, uint64_t i)
{
	for (enum phase phase = 0; phase < PHASES; phase++)
		for (enum end end = 0; end < ENDS; end++)
			give_back(w, c, i, phase, end);
}

/* Each connection begins when it is due. A machine that was held up has begun by then all that were due
 * meanwhile: one of them is refused for sure, if more are wanted for longer than it may be held up. */
static struct timed fill_by_clock(const struct clock *c, uint64_t begun, struct arena scratch)
{
	struct passed w = {.used = ARENA_ARRAY(&scratch, uint32_t, c->lp->budget.spaces)};
	int64_t since_ns = FOR_EVER;
	struct timed f = {0};

	for (uint64_t i = 0; i < least(begun, CLOCK_MOST) && f.sure == 0; i++) {
		uint64_t space = choose_space(c->p, c->lp, i);
		int64_t now = shape_when(&c->lp->shape, i);

		give_all_back(&w, c, i);
		since_ns = w.over == 0 ? FOR_EVER : since_ns;
		if (since_ns < now - SPEED_STALL_NS)
			f.sure = i;
		if (f.refused == 0 && w.used[space] >= c->by.ports)
			f.refused = i;
		wants(&w, c, space);
		since_ns = w.over > 0 ? sooner(since_ns, now) : FOR_EVER;
		if (f.refused == 0) {
			f.used = most(f.used, w.used[space]);
			f.ports = most(f.ports, w.ports);
		}
	}
	return f;
}

/* What is due while a machine is late begins together, and so much that should have ended is there still:
 * no more than was there before. */
static int64_t holds_ns(const struct life *life, const struct reckoning *r)
{
	int64_t longest = life_sum(life->live.most, life->quiet.most),
		shortest = life_sum(life->live.least, life->quiet.least);

	if (!r->is_long)
		return shortest == FOR_EVER ? FOR_EVER : later(shortest - r->late_ns, 0);
	if (longest == FOR_EVER || r->late_ns == 0)
		return longest;
	longest += later(life->late_ns, life->quiet.most > 0 ? LIFE_SLACK : 0);
	return longest + sooner(r->late_ns, life->live.most);
}

/* What becomes of a connection that is open as its server dies, or its host vanishes: who waits for an
 * answer learns it at once, or never. */
static struct life life_open(const struct scenario *s, const struct host *host,
			     const struct life *life)
{
	bool waits = s->load.request.receive > 0, vanishes = s->server.vanish > 0;
	int64_t timeout = s->load.timeout;
	struct life open = *life;

	if (life->quiet.least == FOR_EVER)
		return open;
	if (waits && vanishes) /* or is held, with its answer */
		open.live = span_between(s->load.hold ? sooner(life->live.least, timeout) : timeout,
					 later(life->live.most, timeout));
	else if (waits)
		open.live.least = 0;
	open.quiet.least = 0;	    /* the server has closed first */
	if (life->quiet.most > 0) { /* or after the client, which waits from then on */
		open.quiet.most += s->network.time_wait;
		open.late_ns += life_wait_late_ns(s, host);
	}
	return open;
}

/* And of one that begins later: it is refused, or hangs until its timeout. A socket of UDP is open all the same. */
static struct life life_after(const struct scenario *s, const struct life *life)
{
	bool is_datagram = s->load.protocol == PROTOCOL_UDP, waits = s->load.request.receive > 0;
	int64_t timeout = unanswered_ns(s, &s->load);

	if (is_datagram && (!waits || life->quiet.least == FOR_EVER))
		return *life;
	if (s->server.vanish > 0)
		return (struct life){span_of(timeout), span_of(0), 0};
	if (is_datagram)
		return (struct life){span_between(s->load.connected ? 0 : timeout, timeout),
				     span_of(0), 0};
	return (struct life){span_of(0), span_of(0), 0};
}

static int64_t server_changes_ns(const struct scenario *s)
{
	double at = speed_changes_ns(s, &s->load);

	return isinf(at) ? FOR_EVER : (int64_t)at;
}

static struct clock clock_make(const struct plan *p, const struct load_plan *lp,
			       const struct reckoning *by)
{
	struct clock c = {.p = p, .lp = lp, .by = *by};
	struct scenario alone = alone_of(p->scenario, lp->load), steady;

	steady = alone;
	steady.server.die = steady.server.vanish = 0;
	c.changes_ns = server_changes_ns(&alone);
	for (enum end end = 0; end < ENDS; end++) {
		struct life life = life_so(&steady, &lp->budget, p->host, end);
		struct life open = life_open(&alone, p->host, &life),
			    after = life_after(&alone, &life);

		c.live_ns[end] = by->is_long ? life.live.most : life.live.least;
		c.holds_ns[PHASE_BEFORE][end] = holds_ns(&life, by);
		c.holds_ns[PHASE_OPEN][end] = holds_ns(&open, by);
		c.holds_ns[PHASE_AFTER][end] = holds_ns(&after, by);
	}
	return c;
}

/* Of connections that have their ports for a shorter time than a machine may be late, some are just opened or
 * closed; and so are those that a dead server refuses, for as long as its RST takes. */
static uint32_t ports_of(const struct plan *p, const struct load_plan *lp, uint32_t usable,
			 int64_t late_ns)
{
	struct scenario alone = alone_of(p->scenario, lp->load);
	/* A burst is counted as it comes; here are those that a machine which is late adds to it. */
	uint64_t due = shape_most(&lp->shape, late_ns) - lp->shape.burst;
	uint64_t late = least(BATCH_MOST, due), under_way = 0;
	struct life life;

	life = life_of(&alone, &lp->budget, p->host);
	if (life_sum(life.live.least, life.quiet.least) < late_ns)
		under_way = late;
	else if (server_changes_ns(&alone) != FOR_EVER)
		under_way = least(late, life_refused_most(&lp->budget));
	if (p->scenario->network.choose != CHOOSE_SEED) /* each space in turn */
		under_way = (under_way + lp->budget.spaces - 1) / lp->budget.spaces;
	return usable > under_way ? usable - (uint32_t)under_way : 1;
}

/* Of a load that ends with its first failure, those that it has begun by then for sure. */
static uint64_t begun_before_failure(const struct plan *p, const struct load_plan *lp,
				     uint64_t begun)
{
	struct scenario alone = alone_of(p->scenario, lp->load);
	int64_t fails_ns, changes;

	changes = server_changes_ns(&alone);
	if (lp->load->on_failure.then != ON_FAILURE_STOP || changes == FOR_EVER)
		return begun;
	fails_ns = changes + (p->scenario->server.vanish ? lp->load->timeout : 0);
	return least(begun, shape_due(&lp->shape, later(fails_ns - LIFE_SLACK, 0)));
}

static struct timed fill_of(const struct plan *p, const struct load_plan *lp, struct reckoning by,
			    uint64_t begun, struct arena scratch)
{
	struct clock c = clock_make(p, lp, &by);

	return fill_by_clock(&c, by.is_long ? begun : begun_before_failure(p, lp, begun), scratch);
}

/* The first of two, where one is none: 0. */
static uint64_t sooner_of(uint64_t a, uint64_t b)
{
	return a == 0 ? b : b == 0 ? a : least(a, b);
}

/* The first that is refused, on a machine that is never later. */
static uint64_t refused_of(const struct plan *p, const struct load_plan *lp, struct reckoning by,
			   uint64_t begun, struct arena scratch)
{
	return fill_of(p, lp, by, begun, scratch).refused;
}

static void set_refused(struct budget *b, const struct plan *p, const struct load_plan *lp,
			uint32_t sure, uint64_t begun, struct arena scratch)
{
	const int64_t stall = SPEED_STALL_NS, behind = BUDGET_BEHIND_NS;
	const struct reckoning on_any = {0, stall, b->usable, false},
			       shortest = {stall, stall, b->usable, false},
			       soonest = {behind, behind, ports_of(p, lp, sure, behind), true},
			       by_clock = {0, 0, b->usable, true},
			       latest = {behind, behind, b->usable, false};

	b->kept.full = sooner_of(fill_of(p, lp, on_any, begun, scratch).sure,
				 refused_of(p, lp, shortest, begun, scratch));
	b->kept.least = refused_of(p, lp, soonest, begun, scratch);
	b->kept.likely = refused_of(p, lp, by_clock, begun, scratch);
	b->kept.most = sooner_of(b->kept.full, refused_of(p, lp, latest, begun, scratch));
}

/* Where connections are over sooner than a machine may be held up, all that were due meanwhile begin together. */
static uint64_t late_together(const struct plan *p, const struct load_plan *lp)
{
	struct scenario alone = alone_of(p->scenario, lp->load);

	return life_of(&alone, &lp->budget, p->host).live.least < SPEED_STALL_NS
		       ? shape_most(&lp->shape, SPEED_STALL_NS)
		       : 0;
}

/* Where an open model begins its connections by the clock, and the seed says how each ends and where it
 * goes, all is known but how late the machine is. */
static void kept_by_clock(struct budget *b, const struct plan *p, const struct load_plan *lp,
			  uint64_t begun, struct arena scratch)
{
	const int64_t stall = SPEED_STALL_NS;
	uint32_t lost = budget_lost(b, p->scenario, lp->load);
	uint32_t sure = b->usable > lost ? b->usable - lost : 1;
	struct reckoning longest = {stall, stall, ports_of(p, lp, sure, stall), true};
	struct timed all = fill_of(p, lp, longest, begun, scratch);
	uint64_t late;

	if (!speed_keeps_up(lp, (double)(all.refused ? b->usable : all.used)) ||
	    (all.refused == 0 && begun > CLOCK_MOST))
		return;
	b->kept.by_clock = true;
	b->kept.near = all.refused ? all.refused : begun;
	late = late_together(p, lp);
	b->kept.used = all.refused ? b->usable : least(b->usable, all.used + late);
	b->kept.ports = all.refused ? b->capacity : least(b->capacity, all.ports + late);
	b->kept.held_ns = INFINITY;
	b->kept.least = b->kept.likely = b->kept.most = b->kept.full = 0;
	if (all.refused)
		set_refused(b, p, lp, sure, begun, scratch);
}

/* Does a host that vanishes leave what it had open to timers that nobody can tell: a FIN that is repeated? */
static bool is_left(const struct scenario *s, const struct budget *b, const struct host *host)
{
	for (enum end end = 0; s->server.vanish > 0 && end < ENDS; end++) {
		struct life life = life_so(s, b, host, end);

		if (load_ends(&s->load, end) && life.quiet.most > 0 && life.quiet.most < FOR_EVER)
			return true;
	}
	return false;
}

/* Is it told by the clock alone, what each connection has? One that fails is not to be tried again. */
static bool is_by_clock(const struct plan *p, const struct load_plan *lp)
{
	const struct load *l = lp->load;
	struct scenario alone = alone_of(p->scenario, l);
	bool is_drawn = p->scenario->network.choose == CHOOSE_SEED, changes, hangs;

	changes = server_changes_ns(&alone) != FOR_EVER;
	hangs = speed_fills(&alone, &alone.load) || !life_opens(&alone) ||
		is_left(&alone, &lp->budget, p->host);
	for (enum end end = 0; end < ENDS; end++)
		is_drawn |= load_ends(l, end) && load_share(l, end) < 1;
	return (is_drawn || l->ramp.count > 0 || (changes && !hangs)) && load_is_open(l) &&
	       !load_is_pooled(l) && retry_tries(p->scenario, l) == 1 &&
	       !(changes && (hangs || l->on_failure.retry));
}

void clock_count(const struct plan *p, struct load_plan *lp, uint64_t begun, struct arena scratch)
{
	if (lp->budget.capacity > 0 && is_by_clock(p, lp))
		kept_by_clock(&lp->budget, p, lp, begun, scratch);
}
