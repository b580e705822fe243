#include "plan/choose.h"

#include <math.h>

#include "base/draw.h"
#include "base/order.h"
#include "plan/life.h"
#include "plan/retry.h"
#include "plan/speed.h"

enum {
	DRAWS_MOST = 1 << 25, /* a third of a second */
	CLOCK_MOST = 1 << 20, /* so do these, that are drawn twice and timed, five times over */
};

uint64_t choose_draw(const struct plan *p, const struct load_plan *lp, uint64_t i, uint64_t n)
{
	return draw_below(p->seed, plan_stream(p, lp, DRAW_PAIR), i, n);
}

/* The space of ports that connection i comes to: where nothing is drawn, each in turn. */
static uint64_t space_of(const struct plan *p, const struct load_plan *lp, uint64_t i)
{
	const struct budget *b = &lp->budget;

	if (p->scenario->network.choose != CHOOSE_SEED)
		return i % b->spaces;
	return choose_draw(p, lp, i, b->pairs) / (b->pairs / b->spaces);
}

/* Of a load, the ends whose connections keep their ports: bit i is enum end i. */
struct keepers {
	uint32_t ends;
	int64_t least_ns;  /* for how long, at least */
	int64_t others_ns; /* how long those that end otherwise have theirs, at most */
	int64_t others_least_ns;
	bool others_wait; /* of it, after their close */
};

static void keepers_add(struct keepers *k, enum end end, const struct life *life, bool keeps)
{
	int64_t least_ns = life_sum(life->live.least, life->quiet.least),
		most_ns = life_sum(life->live.most, life->quiet.most);

	if (keeps) {
		k->ends |= 1U << end;
		k->least_ns = least_ns < k->least_ns ? least_ns : k->least_ns;
		return;
	}
	k->others_ns = most_ns > k->others_ns ? most_ns : k->others_ns;
	k->others_least_ns = least_ns < k->others_least_ns ? least_ns : k->others_least_ns;
	k->others_wait |= life->quiet.most > 0;
}

/* Those that nobody closes; and where some are free with their close, those that wait as well. */
static struct keepers keepers_of(const struct plan *p, const struct load_plan *lp)
{
	struct scenario alone = *p->scenario;
	struct keepers waiting = {.least_ns = FOR_EVER, .others_least_ns = FOR_EVER};
	struct keepers kept = waiting;
	bool some_are_free = false;

	alone.load = *lp->load;
	for (enum end end = 0; end < ENDS; end++) {
		struct life life = life_so(&alone, &lp->budget, p->host, end);

		if (!load_ends(lp->load, end))
			continue;
		keepers_add(&kept, end, &life, life.quiet.least == FOR_EVER);
		keepers_add(&waiting, end, &life, life.quiet.least > 0);
		some_are_free |= life.quiet.most == 0;
	}
	return some_are_free ? waiting : kept;
}

/* Connections of the other ends that may have a port at once. */
static uint64_t others_of(const struct load_plan *lp, const struct keepers *k)
{
	if (lp->concurrency)
		return k->others_wait ? UINT64_MAX : lp->concurrency;
	return BATCH_MOST + (k->others_ns > 0 ? shape_most(&lp->shape, k->others_ns) : 0);
}

/* All that the load can begin; there is no need to draw for more. */
static uint64_t begun_most(const struct plan *p, const struct load_plan *lp)
{
	return least(load_begins_most(lp->load, &lp->shape, p->scenario->stop.time), DRAWS_MOST);
}

/* How many connections come before one whose pair has so many ports in use, by those that end as
 * one of the keepers. */
static uint64_t count_to(const struct plan *p, const struct load_plan *lp, uint32_t keepers,
			 uint32_t ports, uint64_t most, struct arena scratch)
{
	uint32_t *used = ARENA_ARRAY(&scratch, uint32_t, lp->budget.spaces);

	for (uint64_t i = 0; i <= most; i++) {
		uint64_t space = space_of(p, lp, i);

		if (used[space] == ports)
			return i;
		used[space] += keepers >> plan_end(p, lp, i) & 1;
	}
	return 0;
}

/* What a load's connections make of the ports, by the clock. */
struct fill {
	uint64_t refused; /* the first that finds its space full, counted from 0; 0: none does */
	uint64_t used;	  /* until then, ports of one space at once, at most */
	uint64_t ports;	  /* and of all of them */
};

/* Those before connection i that have had their ports for as long as their end has one. */
struct passed {
	uint32_t *used; /* of each space */
	uint64_t ports; /* of all */
	uint64_t back[ENDS];
};

static void give_back(struct passed *w, const struct plan *p, const struct load_plan *lp,
		      const int64_t holds_ns[ENDS], uint64_t i)
{
	int64_t now = shape_when(&lp->shape, i);

	for (enum end end = 0; end < ENDS; end++) {
		uint64_t *back = &w->back[end];

		if (!load_ends(lp->load, end) || holds_ns[end] == FOR_EVER)
			continue;
		for (; *back < i && shape_when(&lp->shape, *back) + holds_ns[end] <= now; ++*back) {
			if (plan_end(p, lp, *back) != end)
				continue;
			w->used[space_of(p, lp, *back)]--;
			w->ports--;
		}
	}
}

/* How each connection's port is reckoned with. */
struct reckoning {
	int64_t late_ns; /* by so much may machine and timers be */
	uint32_t ports;	 /* of one space that are to be had */
	bool is_long;	 /* for as long as may be; else for as short */
};

/* Each connection begins when it is due, and has its port for as long as its end says. */
static struct fill fill_by_clock(const struct plan *p, const struct load_plan *lp,
				 const int64_t holds_ns[ENDS], uint32_t ports, uint64_t begun,
				 struct arena scratch)
{
	struct passed w = {.used = ARENA_ARRAY(&scratch, uint32_t, lp->budget.spaces)};
	struct fill f = {0};

	for (uint64_t i = 0; i < least(begun, CLOCK_MOST) && f.refused == 0; i++) {
		uint64_t space = space_of(p, lp, i);

		give_back(&w, p, lp, holds_ns, i);
		if (w.used[space] == ports) {
			f.refused = i;
			continue;
		}
		f.used = most(f.used, ++w.used[space]);
		f.ports = most(f.ports, ++w.ports);
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
	return longest + life->quiet.most / 16 + sooner(r->late_ns, life->live.most);
}

/* Of connections that are open for a shorter time than a machine may be late, some are just opened or
 * closed. */
static uint32_t ports_of(const struct load_plan *lp, const struct life *life,
			 const struct reckoning *r, bool is_drawn)
{
	uint32_t under_way = 0;

	if (r->is_long && life->live.least < r->late_ns)
		under_way = (uint32_t)least(BATCH_MOST, shape_most(&lp->shape, r->late_ns));
	if (!is_drawn) /* each space in turn */
		under_way = (under_way + lp->budget.spaces - 1) / lp->budget.spaces;
	return r->ports > under_way ? r->ports - under_way : 1;
}

static struct fill fill_of(const struct plan *p, const struct load_plan *lp,
			   const struct reckoning *r, uint64_t begun, struct arena scratch)
{
	struct scenario alone = *p->scenario;
	struct life all;
	int64_t holds[ENDS] = {0};

	alone.load = *lp->load;
	all = life_of(&alone, &lp->budget, p->host);
	for (enum end end = 0; end < ENDS; end++) {
		struct life life = life_so(&alone, &lp->budget, p->host, end);

		holds[end] = holds_ns(&life, r);
	}
	return fill_by_clock(p, lp, holds,
			     ports_of(lp, &all, r, p->scenario->network.choose == CHOOSE_SEED),
			     begun, scratch);
}

/* Is what falls due in so long done in as much time again, by a machine that is slow? */
static bool keeps_up(const struct load_plan *lp, uint64_t used)
{
	bool is_past =
		speed_half(lp->load, &lp->budget) > 0 && used > speed_half(lp->load, &lp->budget);
	double each = SPEED_MOST_NS +
		      (is_past ? speed_scan_ns(lp->load, &lp->budget, TIME_WAIT_NS).most : 0);

	return (double)shape_most(&lp->shape, SPEED_STALL_NS) * each <= (double)SPEED_STALL_NS;
}

/* Where an open model begins its connections by the clock, and the seed says how each ends and where it
 * goes, all is known but how late the machine is. */
static void kept_by_clock(struct budget *b, const struct plan *p, const struct load_plan *lp,
			  uint64_t begun, struct arena scratch)
{
	uint32_t lost = (b->may_lose_one && lp->load->order == ORDER_KERNEL) +
			(p->scenario->sample.latency > 0);
	uint32_t sure = b->usable > lost ? b->usable - lost : 1;
	const struct {
		uint64_t *count;
		struct reckoning by;
	} ways[] = {
		{&b->kept.near, {SPEED_STALL_NS, sure, true}},
		{&b->kept.least, {BUDGET_BEHIND_NS, sure, true}},
		{&b->kept.likely, {0, b->usable, true}},
		{&b->kept.most, {BUDGET_BEHIND_NS, b->usable, false}},
		{&b->kept.full, {SPEED_STALL_NS, b->usable, false}},
	};
	struct fill all = fill_of(p, lp, &ways[0].by, begun, scratch);

	if (!keeps_up(lp, all.refused ? b->usable : all.used) ||
	    (all.refused == 0 && begun > CLOCK_MOST))
		return;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		*ways[i].count =
			all.refused ? fill_of(p, lp, &ways[i].by, begun, scratch).refused : 0;
	b->kept.near = all.refused ? all.refused : begun;
	b->kept.used = all.refused ? b->usable : all.used;
	b->kept.ports = all.refused ? b->capacity : all.ports;
	b->kept.held_ns = INFINITY;
}

/* Is it told by the clock alone, what each connection has? */
static bool is_by_clock(const struct plan *p, const struct load_plan *lp, uint32_t ends)
{
	bool is_drawn = p->scenario->network.choose == CHOOSE_SEED || (ends & (ends - 1)) != 0;

	return is_drawn && load_is_open(lp->load) && !load_is_pooled(lp->load) &&
	       retry_tries(p->scenario, lp->load) == 1;
}

/* Those that keep their ports have all of a space by themselves; the rest may have one at any time, no
 * more than so many. */
static void kept_alone(struct budget *b, const struct plan *p, const struct load_plan *lp,
		       const struct keepers *k, uint64_t begun, struct arena scratch)
{
	uint64_t rest = others_of(lp, k);

	b->kept.held_ns = k->least_ns == FOR_EVER ? INFINITY : (double)k->least_ns;
	b->kept.full = count_to(p, lp, k->ends, b->usable, begun, scratch);
	if (rest < b->usable) {
		b->kept.near = count_to(p, lp, k->ends, b->usable - (uint32_t)rest, begun, scratch);
		if (b->kept.near == 0 && begun < DRAWS_MOST)
			b->kept.near = begun;
	}
	b->kept.near = most(b->kept.near, b->first);
	b->kept.least = b->kept.near;
	b->kept.likely = b->kept.most = b->kept.full;
}

static uint32_t ends_of(const struct load *load)
{
	uint32_t ends = 0;

	for (enum end end = 0; end < ENDS; end++)
		ends |= (uint32_t)load_ends(load, end) << end;
	return ends;
}

void choose_count(const struct plan *p, struct load_plan *lp, struct arena scratch)
{
	struct budget *b = &lp->budget;
	uint32_t all = ends_of(lp->load);
	struct keepers keepers = keepers_of(p, lp);
	uint64_t begun = begun_most(p, lp);

	if (b->capacity == 0)
		return;
	if (p->scenario->network.choose == CHOOSE_SEED)
		b->first = count_to(p, lp, all, b->usable, DRAWS_MOST, scratch);
	if (keepers.ends != 0 && keepers.ends != all)
		kept_alone(b, p, lp, &keepers, begun, scratch);
	if (is_by_clock(p, lp, all))
		kept_by_clock(b, p, lp, begun, scratch);
}
